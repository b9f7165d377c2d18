//! All secrets that the webhook knows, while it runs: each source's, the one before it during a
//! rotation, and its tripwire. They are read again when their files or the vault change; what can't be
//! read leaves in force what was there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use ponte_core::id::SourceName;
use ponte_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::rotation::{self, Previous};
use super::vault::{Vault, VaultError, VaultLock, vault_path};
use super::{Places, Secret, SecretError, SecretRef, SourceSecrets, place_of};

/// What a secret is to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one that alerts carry.
    Current,
    /// The one before it, which a rotation leaves valid for a while.
    Previous,
    /// One that nobody uses: whoever shows it has stolen it.
    Tripwire,
}

impl Role {
    /// The role's word in tables and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Tripwire => "tripwire",
        }
    }
}

/// How often a secret was used, and when last, since this process started.
#[derive(Debug, Default)]
struct Usage {
    times: AtomicU64,
    last: AtomicI64,
}

/// One secret of a source.
#[derive(Debug)]
pub struct Entry {
    /// Whose it is.
    pub source: SourceName,
    /// What it is to its source.
    pub role: Role,
    /// From when on it is not taken any more.
    pub until: Option<Timestamp>,
    secret: Secret,
    usage: Arc<Usage>,
}

impl Entry {
    /// A secret that was never used.
    #[must_use]
    pub fn new(source: SourceName, role: Role, until: Option<Timestamp>, secret: Secret) -> Self {
        Self {
            source,
            role,
            until,
            secret,
            usage: Arc::default(),
        }
    }

    /// Whether it has ended by now.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Counts a use.
    pub fn used(&self, now: Timestamp) {
        self.usage.times.fetch_add(1, Ordering::Relaxed);
        self.usage.last.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Whether it is this secret.
    #[must_use]
    pub fn is_same_secret(&self, secret: &Secret) -> bool {
        self.secret.is_same(secret)
    }

    fn is_for_the_same(&self, other: &Self) -> bool {
        self.source == other.source && self.role == other.role
    }

    fn is_unchanged(&self, other: &Self) -> bool {
        self.is_for_the_same(other)
            && self.until == other.until
            && self.secret.is_same(&other.secret)
    }
}

/// The secrets at one moment.
#[derive(Debug, Default)]
pub struct Ring {
    entries: Vec<Entry>,
}

impl Ring {
    /// Whose secret was presented, ended ones among them. Every one is looked at, whichever matches,
    /// and a wrong guess takes the time of a right one.
    #[must_use]
    pub fn find(&self, presented: &[u8]) -> Option<&Entry> {
        let secrets = self.entries.iter().map(|entry| &entry.secret);
        self.entries.get(place_of(secrets, presented)?)
    }

    /// Whether any source has a tripwire.
    #[must_use]
    pub fn has_tripwires(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.role == Role::Tripwire)
    }

    /// Whether any of these secrets stands in a text, in letters of either case.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.entries.iter().any(|entry| {
            let secret = entry.secret.expose().as_bytes();
            let mut parts = text.as_bytes().windows(secret.len());
            parts.any(|part| part.eq_ignore_ascii_case(secret))
        })
    }

    /// A text without any of these secrets, should one stand somewhere in it.
    #[must_use]
    pub fn scrubbed(&self, text: String) -> String {
        self.entries.iter().fold(text, |text, entry| {
            let secret = entry.secret.expose();
            if text.contains(secret) {
                text.replace(secret, super::REDACTED)
            } else {
                text
            }
        })
    }

    /// Two of different use that are the same.
    fn clash(&self) -> Option<String> {
        let mut entries = self.entries.iter().enumerate();
        entries.find_map(|(index, entry)| {
            let mut earlier = self.entries[..index].iter();
            let same = earlier.find(|other| other.secret.is_same(&entry.secret))?;
            Some(format!(
                "the {} secret of source {} is the same as the {} one of source {}",
                entry.role.as_str(),
                entry.source,
                same.role.as_str(),
                same.source
            ))
        })
    }
}

/// Where the secrets of one source are kept.
#[derive(Debug, Clone)]
pub struct SourceKeys {
    /// The source.
    pub source: SourceName,
    /// The secret that alerts carry.
    pub secret: SecretRef,
    /// The one before it, with the moment of its end, where the configuration names one. Else a
    /// secret in a file has the one of its last rotation beside it.
    pub previous: Option<(SecretRef, Option<Timestamp>)>,
    /// The one that nobody uses.
    pub tripwire: Option<SecretRef>,
    /// From when on none of them is taken.
    pub expires: Option<Timestamp>,
}

impl SourceKeys {
    /// Where the secret of this role is kept; `None` where the source has none.
    #[must_use]
    pub fn kept(&self, role: Role) -> Option<String> {
        match role {
            Role::Current => Some(self.secret.to_string()),
            Role::Previous => match &self.previous {
                Some((reference, _)) => Some(reference.to_string()),
                None => self
                    .secret
                    .file()
                    .map(|path| format!("file:{}", rotation::previous_path(path).display())),
            },
            Role::Tripwire => self.tripwire.as_ref().map(ToString::to_string),
        }
    }

    /// The secret before the current one, with the moment of its end.
    ///
    /// # Errors
    /// Why it can't be had, without the secret.
    pub fn read_previous(
        &self,
        resolve: impl Fn(&SecretRef) -> Result<Secret, SecretError>,
    ) -> Result<Option<(Secret, Option<Timestamp>)>, String> {
        if let Some((reference, until)) = &self.previous {
            let secret = resolve(reference).map_err(|error| error.to_string())?;
            return Ok(Some((secret, *until)));
        }
        let Some(path) = self.secret.file() else {
            return Ok(None);
        };
        let read = rotation::read_previous(path).map_err(|error| error.to_string())?;
        Ok(read.map(|Previous { secret, until }| (secret, Some(until))))
    }

    /// The earlier one of the source's own end and another.
    fn until(&self, until: Option<Timestamp>) -> Option<Timestamp> {
        self.expires.into_iter().chain(until).min()
    }

    /// Whether one of them is kept in the vault.
    fn has_in_vault(&self) -> bool {
        let previous = self.previous.as_ref().map(|(place, _)| place);
        let mut places = [Some(&self.secret), previous, self.tripwire.as_ref()]
            .into_iter()
            .flatten();
        places.any(SecretRef::is_in_vault)
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let file = |reference: &SecretRef| reference.file().map(ToOwned::to_owned);
        let secret = file(&self.secret);
        let companion = secret.as_deref().map(rotation::previous_path);
        let previous = self.previous.as_ref().and_then(|(place, _)| file(place));
        let tripwire = self.tripwire.as_ref().and_then(file);
        [secret, companion, previous, tripwire]
            .into_iter()
            .flatten()
    }
}

/// What reading the secrets again came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What is different now, a sentence for each secret.
    pub changed: Vec<String>,
    /// What could not be taken over, a sentence each; what was there before holds.
    pub problems: Vec<String>,
}

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFacts {
    /// Whose it is.
    pub source: SourceName,
    /// What it is to its source.
    pub role: Role,
    /// Where it is kept (`file:secrets/main`).
    pub kept: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// How many bits it takes to guess it, at most; see [`Secret::bits`].
    pub bits: u32,
    /// When its file was written, where it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// From when on it is not taken any more, where that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many alerts have come with it in this role since the start of the process; of a tripwire,
    /// how often it was shown.
    #[serde(default)]
    pub uses: u64,
    /// When it was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
}

/// The secrets of all sources, and how they are read again.
#[derive(Debug)]
pub struct Keyring {
    sources: Vec<SourceKeys>,
    /// The data directory whose vault holds some of them, and what opens it.
    vault: Option<(PathBuf, VaultLock)>,
    ring: ArcSwap<Ring>,
    reloading: Mutex<()>,
}

impl Keyring {
    /// The secrets that a configuration has named and read: `spare` are those beside the current ones.
    #[must_use]
    pub fn new(sources: Vec<SourceKeys>, secrets: SourceSecrets, spare: Vec<Entry>) -> Self {
        let expires = |source: &SourceName| {
            let known = sources.iter().find(|keys| keys.source == *source);
            known.and_then(|keys| keys.expires)
        };
        let current = secrets.into_pairs().into_iter().map(|(source, secret)| {
            let until = expires(&source);
            Entry::new(source, Role::Current, until, secret)
        });
        let mut entries: Vec<_> = current.collect();
        for entry in spare {
            let is_known = |known: &Entry| known.is_same_secret(&entry.secret);
            // While a rotation is being prepared both names can hold the same.
            if entry.role != Role::Previous || !entries.iter().any(is_known) {
                entries.push(entry);
            }
        }
        Self {
            sources,
            vault: None,
            ring: ArcSwap::from_pointee(Ring { entries }),
            reloading: Mutex::default(),
        }
    }

    /// With the vault of a data directory, so that what is kept there is read again too.
    #[must_use]
    pub fn with_vault(mut self, data_dir: &Path, lock: Option<&VaultLock>) -> Self {
        let is_used = self.sources.iter().any(SourceKeys::has_in_vault);
        let lock = lock.filter(|_| is_used);
        self.vault = lock.map(|lock| (data_dir.to_owned(), lock.clone()));
        self
    }

    /// The secrets as they are now.
    #[must_use]
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.load_full()
    }

    /// Reads every secret again and takes over what has changed, all at once. Files are read, and a
    /// vault with a passphrase takes half a second to open: not for a thread that must not wait.
    pub fn reload(&self) -> Reloaded {
        // The ring is swapped as a whole; a panic leaves the one that was there.
        let _one_at_a_time = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = self.ring.load_full();
        let mut outcome = Reloaded::default();
        let mut entries = Vec::with_capacity(old.entries.len());
        let vault = self.open_vault(&mut outcome.problems);
        let now = Now {
            vault: vault.as_ref(),
        };
        for keys in &self.sources {
            entries.extend(read_again(keys, &now, &old, &mut outcome.problems));
        }
        let mut ring = Ring { entries };
        if let Some(clash) = ring.clash() {
            outcome.problems.push(clash);
            return outcome;
        }
        for entry in &mut ring.entries {
            // One that has become the previous one is counted from there on.
            let same = |known: &&Entry| {
                known.is_for_the_same(entry) && known.secret.is_same(&entry.secret)
            };
            if let Some(known) = old.entries.iter().find(same) {
                entry.usage = known.usage.clone();
            }
        }
        outcome.changed = changes(&old, &ring);
        if !outcome.changed.is_empty() {
            self.ring.store(Arc::new(ring));
        }
        outcome
    }

    fn open_vault(&self, problems: &mut Vec<String>) -> Option<Vault> {
        let (data_dir, lock) = self.vault.as_ref()?;
        let open = || -> Result<Vault, VaultError> {
            let opener = lock.opener(&Places::new(&|name| std::env::var_os(name)))?;
            Vault::open(data_dir, &opener)
        };
        open()
            .map_err(|error| {
                problems.push(format!(
                    "the secrets in the vault stay as they were: {error}"
                ));
            })
            .ok()
    }

    /// The files in which secrets are, or may come to be, the vault among them.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let vault = self.vault.as_ref().map(|(folder, _)| vault_path(folder));
        let files = self.sources.iter().flat_map(SourceKeys::files);
        files.chain(vault).collect()
    }

    /// What may be told of each secret, in the order of the configuration.
    #[must_use]
    pub fn facts(&self) -> Vec<SecretFacts> {
        let ring = self.ring();
        let mut facts = Vec::new();
        for keys in &self.sources {
            let of_source = |entry: &&Entry| entry.source == keys.source;
            let mut entries: Vec<_> = ring.entries.iter().filter(of_source).collect();
            entries.sort_by_key(|entry| entry.role);
            facts.extend(entries.into_iter().map(|entry| told(keys, entry)));
        }
        facts
    }
}

fn told(keys: &SourceKeys, entry: &Entry) -> SecretFacts {
    let kept = keys.kept(entry.role).unwrap_or_default();
    let made_at = kept.strip_prefix("file:").and_then(written_at);
    let last = entry.usage.last.load(Ordering::Relaxed);
    SecretFacts {
        source: entry.source.clone(),
        role: entry.role,
        bytes: entry.secret.bytes(),
        bits: entry.secret.bits(),
        made_at,
        until: entry.until,
        uses: entry.usage.times.load(Ordering::Relaxed),
        last_used: (last > 0).then_some(Timestamp(last)),
        kept,
    }
}

/// When a file was written.
fn written_at(path: &str) -> Option<Timestamp> {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = modified.ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp)
}

/// Where secrets can be another one by now than at the start.
struct Now<'v> {
    /// The vault, where some are in it and it opens.
    vault: Option<&'v Vault>,
}

impl Now<'_> {
    /// Whether a secret stays what it was: the environment and the credentials of a process do.
    const fn is_fixed(&self, reference: &SecretRef) -> bool {
        match reference {
            SecretRef::Env(_) | SecretRef::Credential(_) => true,
            SecretRef::Vault(_) => self.vault.is_none(),
            SecretRef::File(_) => false,
        }
    }

    fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let variables = |name: &str| std::env::var_os(name);
        Places::new(&variables)
            .with_vault(self.vault)
            .text(reference)
    }
}

/// The secrets of one source as they are kept now; what can't be read is as it was.
fn read_again(
    keys: &SourceKeys,
    now: &Now<'_>,
    old: &Ring,
    problems: &mut Vec<String>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let kept = |role: Role| {
        let known = old.entries.iter();
        let mut known = known.filter(|entry| entry.source == keys.source && entry.role == role);
        known.next().map(|entry| Entry {
            source: entry.source.clone(),
            role,
            until: entry.until,
            secret: entry.secret.copied(),
            usage: entry.usage.clone(),
        })
    };
    let entry = |role, until, secret| Entry::new(keys.source.clone(), role, until, secret);
    let mut problem = |role: Role, why: String| {
        problems.push(format!(
            "the {} secret of source {} stays as it was: {why}",
            role.as_str(),
            keys.source
        ));
    };
    match (!now.is_fixed(&keys.secret)).then(|| now.read(&keys.secret)) {
        None => entries.extend(kept(Role::Current)),
        Some(Ok(secret)) => entries.push(entry(Role::Current, keys.expires, secret)),
        Some(Err(error)) => {
            problem(Role::Current, error.to_string());
            entries.extend(kept(Role::Current));
        }
    }
    match &keys.previous {
        Some((reference, _)) if now.is_fixed(reference) => entries.extend(kept(Role::Previous)),
        Some(_) | None => match keys.read_previous(|reference| now.read(reference)) {
            Ok(Some((secret, until))) => {
                let is_current = entries.iter().any(|entry| entry.secret.is_same(&secret));
                if !is_current {
                    entries.push(entry(Role::Previous, keys.until(until), secret));
                }
            }
            Ok(None) => {}
            Err(why) => {
                problem(Role::Previous, why);
                entries.extend(kept(Role::Previous));
            }
        },
    }
    match &keys.tripwire {
        None => {}
        Some(reference) if now.is_fixed(reference) => entries.extend(kept(Role::Tripwire)),
        Some(reference) => match now.read(reference) {
            Ok(secret) => entries.push(entry(Role::Tripwire, None, secret)),
            Err(error) => {
                problem(Role::Tripwire, error.to_string());
                entries.extend(kept(Role::Tripwire));
            }
        },
    }
    entries
}

/// What is different between two rings, a sentence for each secret.
fn changes(old: &Ring, new: &Ring) -> Vec<String> {
    let said = |entry: &Entry, word: &str| {
        let until = entry.until.map(|until| format!(" until {until}"));
        format!(
            "the {} secret of source {} {word}{}",
            entry.role.as_str(),
            entry.source,
            until.unwrap_or_default()
        )
    };
    let mut changed = Vec::new();
    for entry in &new.entries {
        if old.entries.iter().any(|known| known.is_unchanged(entry)) {
            continue;
        }
        let was_there = old.entries.iter().any(|known| known.is_for_the_same(entry));
        let word = if was_there {
            "is another one"
        } else {
            "is new"
        };
        changed.push(said(entry, word));
    }
    let gone = |entry: &&Entry| !new.entries.iter().any(|known| known.is_for_the_same(entry));
    changed.extend((old.entries.iter().filter(gone)).map(|entry| {
        format!(
            "the {} secret of source {} has ended",
            entry.role.as_str(),
            entry.source
        )
    }));
    changed
}
