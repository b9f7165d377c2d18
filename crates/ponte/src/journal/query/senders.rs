//! From which addresses and with which client certificates alerts came so far.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::SourceName;
use ponte_core::message::SenderCertificate;
use ponte_core::time::Timestamp;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{JournalError, Reader};

/// Most events, from the latest back, that are looked through.
const EVENTS_MAX: i64 = 200_000;
/// Most addresses and most keys that are told.
const TOLD_MAX: usize = 1000;

/// Who has sent with a right secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Senders {
    /// The addresses, the one that sent last first.
    pub addresses: Vec<SeenAddress>,
    /// The keys of client certificates, the one that came last first.
    pub keys: Vec<SeenKey>,
}

/// An address that has sent with a right secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAddress {
    /// The address; where a proxy did not tell it, the proxy's with a word about that.
    pub address: String,
    /// The sources whose secrets it had.
    pub sources: BTreeSet<String>,
    /// How many alerts were decided.
    pub alerts: u64,
    /// How many requests were refused all the same.
    pub refused: u64,
    /// When the first of them came.
    pub first_at: Timestamp,
    /// When the last of them came.
    pub last_at: Timestamp,
}

/// A client certificate's key that has come with a right secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenKey {
    /// The SHA-256 of the key, as `webhook.client_certificate.keys` takes it.
    pub key: String,
    /// Whom its certificate was for by its own word, the last time.
    pub subject: String,
    /// The e-mail address in it, the last time.
    pub email: Option<String>,
    /// Whether its sender has always shown that the key is its own.
    pub proven: bool,
    /// The sources whose secrets it came with.
    pub sources: BTreeSet<String>,
    /// The addresses from which it came, at most ten.
    pub addresses: BTreeSet<String>,
    /// How many alerts were decided.
    pub alerts: u64,
    /// How many requests were refused all the same.
    pub refused: u64,
    /// When it came first.
    pub first_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
}

/// Most addresses that are told of one key.
const ADDRESSES_PER_KEY_MAX: usize = 10;

/// What is read of an alert or of a refused request.
#[derive(Deserialize)]
struct Request {
    source: Option<String>,
    received_at: Timestamp,
    #[serde(default)]
    delivery: Option<Sender>,
    #[serde(flatten)]
    own: Sender,
}

#[derive(Default, Deserialize)]
struct Sender {
    #[serde(default)]
    peer: String,
    #[serde(default)]
    certificate: Option<SenderCertificate>,
}

impl Reader {
    /// From where and with which client certificates right secrets came, among the last 200,000 events
    /// and since the given moment.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn senders(&self, since: Option<Timestamp>) -> Result<Senders, JournalError> {
        let sql = "SELECT kind, data FROM events
                   WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM events) - ? AND at >= ?
                     AND kind IN ('alert_decided', 'request_refused') ORDER BY seq";
        let since = since.map_or(i64::MIN, |since| since.0);
        let values = vec![Value::Integer(EVENTS_MAX), Value::Integer(since)];
        let mut seen = Seen::default();
        let rows = self.rows(sql, values, |row| {
            let (kind, data): (String, String) = (row.get("kind")?, row.get("data")?);
            // One whose content was retired says nothing.
            if let Ok(request) = serde_json::from_str(&data) {
                seen.add(request, kind == "alert_decided");
            }
            Ok(())
        });
        self.wrap(rows)?;
        Ok(seen.into_senders())
    }
}

#[derive(Default)]
struct Seen {
    addresses: BTreeMap<String, SeenAddress>,
    keys: BTreeMap<String, SeenKey>,
}

impl Seen {
    fn add(&mut self, request: Request, is_alert: bool) {
        let (Some(source), at) = (request.source, request.received_at) else {
            return;
        };
        let Sender { peer, certificate } = request.delivery.unwrap_or(request.own);
        // What an operator asks to be explained comes from nowhere, what Ponte asks itself from itself.
        let is_own = SourceName::new(&source).is_ok_and(|source| source.is_reserved());
        if peer.is_empty() || is_own {
            return;
        }
        let (alerts, refused) = (u64::from(is_alert), u64::from(!is_alert));
        if self.addresses.len() < TOLD_MAX || self.addresses.contains_key(&peer) {
            let entry = self.addresses.entry(peer.clone());
            let address = entry.or_insert_with(|| SeenAddress {
                address: peer.clone(),
                sources: BTreeSet::new(),
                alerts: 0,
                refused: 0,
                first_at: at,
                last_at: at,
            });
            address.sources.insert(source.clone());
            address.alerts += alerts;
            address.refused += refused;
            address.last_at = at;
        }
        let Some(certificate) = certificate else {
            return;
        };
        if self.keys.len() < TOLD_MAX || self.keys.contains_key(&certificate.key) {
            let entry = self.keys.entry(certificate.key.clone());
            let key = entry.or_insert_with(|| SeenKey {
                key: certificate.key,
                subject: String::new(),
                email: None,
                proven: true,
                sources: BTreeSet::new(),
                addresses: BTreeSet::new(),
                alerts: 0,
                refused: 0,
                first_at: at,
                last_at: at,
            });
            key.subject = certificate.subject;
            key.email = certificate.email;
            key.proven &= certificate.proven;
            key.sources.insert(source);
            if key.addresses.len() < ADDRESSES_PER_KEY_MAX {
                key.addresses.insert(peer);
            }
            key.alerts += alerts;
            key.refused += refused;
            key.last_at = at;
        }
    }

    fn into_senders(self) -> Senders {
        let mut addresses: Vec<SeenAddress> = self.addresses.into_values().collect();
        addresses.sort_by_key(|seen| std::cmp::Reverse(seen.last_at));
        let mut keys: Vec<SeenKey> = self.keys.into_values().collect();
        keys.sort_by_key(|seen| std::cmp::Reverse(seen.last_at));
        Senders { addresses, keys }
    }
}
