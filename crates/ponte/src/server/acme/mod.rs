//! Certificates by ACME (RFC 8555): ordered, kept, renewed and in use without a restart.
//!
//! The protocol is `instant-acme`'s. `rustls-acme` would do more by itself, but knows neither renewal
//! information (RFC 9773), with which an authority calls for renewals before it revokes, nor profiles,
//! without which there are no certificates for addresses; and it decides by itself when to renew.
//! What is left to do here is small: when ([`schedule`]), with whom ([`order`]), and where it is
//! kept ([`store`]).
//!
//! The listener is up from the start. While there is no certificate it answers the authority's
//! handshakes only (RFC 8737), and refuses all others.

mod challenge;
mod client;
mod failure;
mod held;
mod interim;
mod order;
mod report;
mod schedule;
mod settings;
mod store;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use instant_acme::{CertificateIdentifier, Error};
use ponte_core::time::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::server::ResolvesServerCert;
use tokio::time::{sleep, timeout};

use self::client::Client;
use self::failure::{Then, Trouble};
use self::held::{Held, InUse};
use self::order::Way;
use self::schedule::{Cost, Situation, Step, Window};
use self::store::{Pair, Record, SetName, Store};
use crate::{clock, tls};

pub(crate) use challenge::ACME_TLS_ALPN;
pub use failure::RenewalFailure;
pub(super) use report::report;
pub use settings::{AcmeSettings, ChallengeKind, Directory};

/// How long one attempt may take in all.
const ATTEMPT_MAX: Duration = Duration::from_secs(600);
/// The longest sleep: a clock that was set must be noticed.
const SLEEP_MAX: Duration = Duration::from_secs(600);
/// The pause before an authority without renewal information is asked whether it has some now.
const NO_WINDOW_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// The same after a question without an answer.
const SILENT_WINDOW_PAUSE: Duration = Duration::from_secs(3600);

/// Why certificates can't be ordered at all.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The root that the directory's HTTPS is checked against can't be used.
    #[error("file {path} can't be used as the root of the directory: {why}")]
    Root {
        /// The file.
        path: String,
        /// For people.
        why: String,
    },
    /// The client for the directory can't be made.
    #[error("no client for the directory: {0}")]
    Client(String),
}

/// The certificate for a set of names, and whatever keeps it fresh.
#[derive(Debug)]
pub struct Acme {
    settings: AcmeSettings,
    set: SetName,
    store: Store,
    client: Client,
    held: Arc<Held>,
    record: Mutex<Record>,
}

impl Acme {
    /// Takes what the data directory holds, if it is for these names.
    ///
    /// # Errors
    /// When the directory could never be asked.
    pub fn open(settings: AcmeSettings, data_dir: &Path) -> Result<Arc<Self>, AcmeError> {
        let trust = match &settings.root {
            Some(path) => tls::http_client_trusting(roots(path)?),
            None => tls::http_client(),
        };
        let client = Client::new(trust).map_err(|error| AcmeError::Client(error.to_string()))?;
        let names = settings.sorted_names();
        let set = SetName::new(settings.directory.url(), &names);
        let store = Store::in_data_dir(data_dir);
        let mut record = store.record(&set);
        record.names = names;
        settings.directory.url().clone_into(&mut record.directory);
        let held = Arc::new(Held::default());
        let stored = stored(&store, &set, &record.names);
        // One that has ended is better than none: its clients decide, and a clock may be wrong.
        if let Some(stored) = stored {
            let until = stored.facts.not_after;
            tracing::info!(names = record.names.join(", "), %until, "the stored certificate is in use");
            held.take(stored);
        } else if let Some(other) = interim::interim(&store, &record.names, clock::now()) {
            let names = other.facts.names.join(", ");
            tracing::info!(
                names,
                "the certificate of before is shown until the new one has come"
            );
            held.show_meanwhile(other);
        }
        Ok(Arc::new(Self {
            settings,
            set,
            store,
            client,
            held,
            record: Mutex::new(record),
        }))
    }

    /// The answer to the authority's HTTP-01 question for the file `token`, while it is asked.
    #[must_use]
    pub fn file(&self, token: &str) -> Option<String> {
        self.held.challenges.file(token)
    }

    /// Where the authority's HTTP-01 questions have to be answered; `None` where it asks otherwise.
    #[must_use]
    pub fn http_listen(&self) -> Option<SocketAddr> {
        match self.settings.challenge {
            ChallengeKind::Http01 => Some(self.settings.http_listen),
            ChallengeKind::TlsAlpn01 => None,
        }
    }

    /// What answers handshakes.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.held.clone()
    }

    /// Orders and renews, for ever.
    pub async fn keep_fresh(self: Arc<Self>) {
        // What was asked for by a start is not held up by failures before it, except by limits.
        let mut blocked_until = self.record().limited_until;
        loop {
            let now = clock::now();
            match schedule::next(now, &self.situation(blocked_until)) {
                Step::Wait(until) => sleep(until.since(now).min(SLEEP_MAX)).await,
                Step::AskWindow => self.ask_window().await,
                Step::Rehearse => blocked_until = self.attempt(true).await,
                Step::Order => blocked_until = self.attempt(false).await,
            }
        }
    }

    fn situation(&self, blocked_until: Option<Timestamp>) -> Situation {
        let in_use = self.held.in_use();
        let record = self.record();
        let rehearse =
            in_use.is_none() && self.settings.rehearsal.is_some() && record.rehearsed_at.is_none();
        Situation {
            renew_at: in_use.map(|in_use| renew_at(&in_use, &record)),
            ask_window_at: Some(record.ask_window_at.unwrap_or(Timestamp::EPOCH)),
            rehearse,
            blocked_until,
            attempts: if rehearse {
                record.rehearsals.clone()
            } else {
                record.orders.clone()
            },
        }
    }

    /// One attempt; until when nothing more is to be tried.
    async fn attempt(&self, rehearsal: bool) -> Option<Timestamp> {
        let directory = match &self.settings.rehearsal {
            Some(directory) if rehearsal => directory,
            Some(_) | None => &self.settings.directory,
        };
        let names = self.record().names.join(", ");
        tracing::info!(
            names,
            directory = directory.name(),
            "a certificate is being ordered"
        );
        let ordered = match self.begin(rehearsal) {
            Ok(()) => {
                let tried = timeout(ATTEMPT_MAX, self.try_at(directory, rehearsal)).await;
                tried.unwrap_or_else(|_| {
                    let why = format!("not done within {} s", ATTEMPT_MAX.as_secs());
                    Err(Trouble::counted(why, "nothing to do: it is tried again"))
                })
            }
            Err(error) => Err(order::unwritable(&self.store, &error)),
        };
        match ordered.and_then(|pair| self.succeeded(rehearsal, &pair)) {
            Ok(()) => None,
            Err(trouble) => Some(self.failed(rehearsal, directory.url(), trouble)),
        }
    }

    /// Puts an attempt on record before it is made, so that no crash makes it forgotten.
    fn begin(&self, rehearsal: bool) -> io::Result<()> {
        let now = clock::now();
        self.note(|record| {
            let attempts = if rehearsal {
                &mut record.rehearsals
            } else {
                &mut record.orders
            };
            attempts.push(now);
            schedule::recent(attempts, now);
        })
    }

    async fn try_at(&self, directory: &Directory, rehearsal: bool) -> Result<Pair, Trouble> {
        let way = Way {
            settings: &self.settings,
            directory,
            store: &self.store,
            client: &self.client,
            challenges: &self.held.challenges,
        };
        let account = way.account().await?;
        let replaces = if rehearsal { None } else { self.replaced() };
        way.walk(&account, replaces, clock::now()).await
    }

    /// The certificate that a new one takes the place of, where the authority wants to know.
    fn replaced(&self) -> Option<CertificateIdentifier<'static>> {
        let record = self.record();
        if record.window.is_none() || record.without_replacing {
            return None;
        }
        drop(record);
        identifier(&*self.held.in_use()?)
    }

    fn succeeded(&self, rehearsal: bool, pair: &Pair) -> Result<(), Trouble> {
        let now = clock::now();
        let unwritable = |error| order::unwritable(&self.store, &error);
        if rehearsal {
            let kept = self.note(|record| {
                record.rehearsed_at = Some(now);
                record.failed_in_a_row = 0;
                record.last_failure = None;
            });
            tracing::info!("the rehearsal went well; now the real certificate is ordered");
            return kept.map_err(unwritable);
        }
        let unusable = |why| Trouble::counted(why, "nothing to do: it is tried again");
        let new = InUse::of(pair).map_err(unusable)?;
        let until = new.facts.not_after;
        let issuer = new.facts.issuer.clone();
        // In use first: what can't be kept is ordered again at the next start, and better than none.
        self.held.take(new);
        tracing::info!(%until, issuer, "a new certificate is in use");
        self.store.keep_pair(&self.set, pair).map_err(unwritable)?;
        self.note(|record| {
            *record = Record {
                names: std::mem::take(&mut record.names),
                directory: std::mem::take(&mut record.directory),
                rehearsed_at: record.rehearsed_at,
                rehearsals: std::mem::take(&mut record.rehearsals),
                orders: std::mem::take(&mut record.orders),
                ..Record::default()
            };
        })
        .map_err(unwritable)
    }

    /// Puts a failure on record and tells it; until when nothing more is to be tried.
    fn failed(&self, rehearsal: bool, directory: &str, trouble: Trouble) -> Timestamp {
        let now = clock::now();
        let in_use = self.held.in_use();
        let life = in_use.as_ref().map(|in_use| in_use.life());
        let left = life.map_or(Duration::ZERO, |life| life.until.since(now));
        let lasts = life.map_or(Duration::ZERO, |life| life.until.since(life.from));
        let cost = if rehearsal { Cost::Cheap } else { trouble.cost };
        let asked = failure::blocked_until(now, self.client.take_retry_after());
        if trouble.then == Then::NewAccount
            && let Err(error) = self.store.forget_account(directory)
        {
            tracing::warn!(%error, "the account at the authority can't be forgotten");
        }
        let mut until = now;
        let told = RenewalFailure {
            at: now,
            why: trouble.why,
            cure: trouble.cure,
            rehearsal,
        };
        let kept = self.note(|record| {
            record.failed_in_a_row = record.failed_in_a_row.saturating_add(1);
            let jitter = in_use.as_ref().map_or(0, |in_use| in_use.jitter());
            let wait = schedule::retry_after(record.failed_in_a_row, cost, left, lasts, jitter);
            until = asked.map_or(now.after(wait), |asked| asked.max(now.after(wait)));
            record.limited_until = asked;
            record.last_failure = Some(told.clone());
            record.without_replacing |= trouble.then == Then::WithoutReplacing;
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "what happened can't be kept in the data directory");
        }
        tell(&told, in_use.as_deref(), until);
        until
    }

    /// Asks the authority when it would like to renew the certificate in use.
    async fn ask_window(&self) {
        let now = clock::now();
        let (window, pause) = match self.window().await {
            Ok((window, pause)) => (Some(window), schedule::window_pause(pause)),
            Err(Some(why)) => {
                tracing::debug!(
                    why,
                    "the authority does not say when to renew; it is asked again"
                );
                (self.record().window, SILENT_WINDOW_PAUSE)
            }
            Err(None) => (None, NO_WINDOW_PAUSE),
        };
        let kept = self.note(|record| {
            record.window = window;
            record.ask_window_at = Some(now.after(pause));
        });
        if let Err(error) = kept {
            tracing::debug!(%error, "the renewal's window can't be kept");
        }
        if let Some(in_use) = self.held.in_use() {
            let at = renew_at(&in_use, &self.record());
            tracing::debug!(%at, by_the_authority = window.is_some(), "the certificate's renewal is planned");
        }
    }

    /// The window and the pause before it is asked for again; no reason where the authority has none.
    async fn window(&self) -> Result<(Window, Duration), Option<String>> {
        let Some(id) = self.held.in_use().and_then(|in_use| identifier(&in_use)) else {
            return Err(None);
        };
        let way = Way {
            settings: &self.settings,
            directory: &self.settings.directory,
            store: &self.store,
            client: &self.client,
            challenges: &self.held.challenges,
        };
        let account = way.account().await.map_err(|trouble| Some(trouble.why))?;
        match account.renewal_info(&id).await {
            Ok((info, pause)) => {
                let moment =
                    |seconds: i64| Timestamp::from_milliseconds(seconds.saturating_mul(1000));
                let window = Window {
                    start: moment(info.suggested_window.start.unix_timestamp()),
                    end: moment(info.suggested_window.end.unix_timestamp()),
                };
                Ok((window, pause))
            }
            Err(Error::Unsupported(_)) => Err(None),
            Err(error) => Err(Some(error.to_string())),
        }
    }

    /// Changes the record and keeps it. What can't be kept counts until the end of the process.
    fn note(&self, change: impl FnOnce(&mut Record)) -> io::Result<()> {
        let mut record = self.record();
        change(&mut record);
        let record = record.clone();
        self.store.keep_record(&self.set, &record)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // It is whole after every change, whoever panicked while holding it.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store holds for these names, if it can be used.
fn stored(store: &Store, set: &SetName, names: &[String]) -> Option<InUse> {
    let file = store.pair_file(set);
    let text = match store.pair(set) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            let file = file.display();
            tracing::warn!(%file, %error, "the stored certificate can't be read; a new one is ordered");
            return None;
        }
    };
    let read = InUse::of_text(&text).and_then(|found| {
        // The end is not asked for here.
        found.check(names, Timestamp::EPOCH).map(|()| found)
    });
    match read {
        Ok(found) => Some(found),
        Err(why) => {
            let file = file.display();
            tracing::warn!(%file, why, "the stored certificate can't be used; a new one is ordered");
            None
        }
    }
}

fn renew_at(in_use: &InUse, record: &Record) -> Timestamp {
    schedule::renew_at(in_use.life(), record.window, in_use.jitter())
}

/// How the authority knows a certificate (RFC 9773, 4.1).
fn identifier(in_use: &InUse) -> Option<CertificateIdentifier<'static>> {
    let first: &CertificateDer<'_> = in_use.key.cert.first()?;
    let id = CertificateIdentifier::try_from(first).ok()?;
    Some(id.into_owned())
}

/// Looks whether a file can be [`AcmeSettings::root`].
///
/// # Errors
/// Why it can't.
pub fn check_root(path: &Path) -> Result<(), AcmeError> {
    roots(path).map(drop)
}

/// The certificates of a PEM file.
fn roots(path: &Path) -> Result<rustls::RootCertStore, AcmeError> {
    use rustls::pki_types::pem::PemObject as _;
    let unusable = |why: String| AcmeError::Root {
        path: path.display().to_string(),
        why,
    };
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

/// Tells a failure: louder where there is no certificate, or where the one in use ends soon.
fn tell(failure: &RenewalFailure, in_use: Option<&InUse>, next: Timestamp) {
    let RenewalFailure { at, why, cure, .. } = failure;
    let left = in_use.map(|in_use| (in_use.facts.not_after.since(*at), in_use));
    match left {
        None if failure.rehearsal => tracing::error!(
            why, cure, %next,
            "there is no certificate: the rehearsal at the authority's staging failed; it is tried again"
        ),
        None => tracing::error!(
            why, cure, %next,
            "there is no certificate: the order failed, and alerts can't arrive; it is tried again"
        ),
        Some((left, in_use)) if super::expiry::is_urgent(&in_use.facts, *at) => tracing::error!(
            why, cure, %next, hours_left = left.as_secs() / 3600,
            "the certificate was not renewed and ends soon; then no alert arrives"
        ),
        Some((left, _)) => tracing::warn!(
            why, cure, %next, days_left = left.as_secs() / 86_400,
            "the certificate was not renewed; it is tried again"
        ),
    }
}
