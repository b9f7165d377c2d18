//! What the journal says of those who send: addresses, refusals, sources.

use ponte_core::id::SourceName;
use ponte_core::time::Timestamp;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{JournalError, Reader};

/// Most alerts that are looked through, the newest.
const ALERTS_MAX: i64 = 20_000;
/// Most events that are looked through, the newest.
const EVENTS_MAX: i64 = 200_000;
/// Most addresses, or kinds of refusals, that are told.
const TOLD_MAX: i64 = 50;

/// An address that alerts came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The address, or the words that stood in its place.
    pub peer: String,
    /// How many of the newest alerts came from it.
    pub alerts: u64,
    /// When the last one did.
    pub last_at: Timestamp,
}

/// A kind of refusals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The kind, a stable word (`wrong_secret`, `E_PLACEHOLDER`).
    pub code: String,
    /// How many there were.
    pub count: u64,
    /// From how many addresses.
    pub peers: u64,
    /// When the last one was.
    pub last_at: Timestamp,
    /// The address of the last one.
    pub last_peer: String,
}

/// A source that alerts came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSeen {
    /// Its name.
    pub source: String,
    /// How many alerts it has sent.
    pub alerts: u64,
    /// When the last one was received.
    pub last_at: Timestamp,
}

/// How much happened in a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// How many events were recorded.
    pub events: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

impl Reader {
    /// The addresses that the newest alerts came from, the one that sent last first. Alerts that
    /// Ponte has made itself are left out.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        let sql = "SELECT COALESCE(json_extract(e.data, '$.delivery.peer'), 'unknown') AS peer,
                          COUNT(*) AS alerts, MAX(a.received_at) AS last_at
                   FROM alerts a JOIN events e ON e.seq = a.seq
                   WHERE a.id > (SELECT COALESCE(MAX(id), 0) FROM alerts) - ?1
                     AND a.source <> ?2 AND e.data <> ''
                   GROUP BY peer ORDER BY last_at DESC LIMIT ?3";
        let values = vec![
            Value::Integer(ALERTS_MAX),
            Value::Text(SourceName::self_test().into()),
            Value::Integer(TOLD_MAX),
        ];
        self.wrap(self.rows(sql, values, |row| {
            Ok(Sender {
                peer: row.get("peer")?,
                alerts: row.get("alerts")?,
                last_at: Timestamp(row.get("last_at")?),
            })
        }))
    }

    /// What was refused since a moment, the commonest kind first.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn refused_since(&self, since: Timestamp) -> Result<Vec<Refused>, JournalError> {
        // Of a row with MAX, SQLite takes the other columns from the row that has it.
        let sql = "SELECT json_extract(data, '$.code') AS code, COUNT(*) AS count,
                          COUNT(DISTINCT json_extract(data, '$.peer')) AS peers,
                          MAX(at) AS last_at, json_extract(data, '$.peer') AS last_peer
                   FROM events
                   WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM events) - ?1
                     AND kind = 'request_refused' AND at >= ?2 AND data <> ''
                   GROUP BY code ORDER BY count DESC LIMIT ?3";
        let values = [EVENTS_MAX, since.0, TOLD_MAX];
        self.wrap(self.rows(sql, values.map(Value::Integer).to_vec(), |row| {
            Ok(Refused {
                code: row.get("code")?,
                count: row.get("count")?,
                peers: row.get("peers")?,
                last_at: Timestamp(row.get("last_at")?),
                last_peer: row.get("last_peer")?,
            })
        }))
    }

    /// When each source last sent an alert, and how many it has sent.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn sources_seen(&self) -> Result<Vec<SourceSeen>, JournalError> {
        let sql = "SELECT source, COUNT(*) AS alerts, MAX(received_at) AS last_at
                   FROM alerts WHERE source <> ?1 GROUP BY source ORDER BY source";
        let values = vec![Value::Text(SourceName::self_test().into())];
        self.wrap(self.rows(sql, values, |row| {
            Ok(SourceSeen {
                source: row.get("source")?,
                alerts: row.get("alerts")?,
                last_at: Timestamp(row.get("last_at")?),
            })
        }))
    }

    /// How much happened since a moment, among the newest 200,000 events.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn activity(&self, since: Timestamp) -> Result<Activity, JournalError> {
        let sql = "SELECT COUNT(*) AS events, COALESCE(SUM(LENGTH(data)), 0) AS bytes FROM events
                   WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM events) - ?1 AND at >= ?2";
        let values = [EVENTS_MAX, since.0].map(Value::Integer).to_vec();
        let rows = self.wrap(self.rows(sql, values, |row| {
            Ok(Activity {
                events: row.get("events")?,
                bytes: row.get("bytes")?,
            })
        }))?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}
