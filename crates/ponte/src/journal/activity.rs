//! How much happened: what was refused, which sources are heard, how fast the journal grows.

use ponte_core::id::SourceName;
use ponte_core::time::Timestamp;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{JournalError, Reader};

/// Most events that are looked through, the newest.
const EVENTS_MAX: i64 = 200_000;
/// Most kinds of refusals that are told.
const TOLD_MAX: i64 = 50;

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
