//! The chain of hashes over the events: nobody changes, drops or moves one unnoticed.

use std::path::Path;

use ponte_core::id::Digest;
use ponte_core::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::{JournalError, schema};

/// The hash of an event that follows the one with `previous`.
pub(super) fn link(previous: Digest, seq: i64, at: Timestamp, data: &str) -> Digest {
    Digest::of_parts(
        "ponte event",
        &[
            &previous.0,
            &seq.to_le_bytes(),
            &at.0.to_le_bytes(),
            data.as_bytes(),
        ],
    )
}

/// What a check of the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many events were read.
    pub events: u64,
    /// How many of them have had their content retired; their place in the chain holds.
    pub retired: u64,
    /// The number of the first event that is kept (older ones may have been retired).
    pub first: Option<i64>,
    /// The number of the last event.
    pub last: Option<i64>,
    /// The hash of the last event: note it elsewhere, and nobody can rewrite the end either.
    pub hash: Digest,
    /// The first place where the chain does not hold.
    pub broken: Option<Broken>,
}

/// Where and how a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The event.
    pub seq: i64,
    /// What does not hold there.
    pub problem: String,
}

/// Reads every event and checks that its hash follows from its content and the one before.
///
/// # Errors
/// When the journal can't be read at all.
pub fn verify(path: &Path) -> Result<Verified, JournalError> {
    let connection = schema::open_for_reading(path)?;
    check(&connection, None).map_err(JournalError::database(path))
}

/// The same for the newest events, at most so many: what they follow is taken for what was written.
///
/// # Errors
/// When the journal can't be read at all.
pub fn verify_newest(path: &Path, most: i64) -> Result<Verified, JournalError> {
    let connection = schema::open_for_reading(path)?;
    let ends = "SELECT COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0) FROM events";
    let newest = connection.query_row(ends, [], |row| {
        let (first, last) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
        Ok((last - first >= most).then_some(last - most))
    });
    newest
        .and_then(|after| check(&connection, after))
        .map_err(JournalError::database(path))
}

/// Checks the events after `after`, or all.
fn check(connection: &Connection, after: Option<i64>) -> Result<Verified, rusqlite::Error> {
    let mut statement = connection
        .prepare("SELECT seq, at, data, prev_hash, hash FROM events WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = statement.query([after.unwrap_or(0)])?;
    let anchor: Option<String> = match after {
        Some(after) => {
            let hash = "SELECT hash FROM events WHERE seq = ?1";
            let hash = connection.query_row(hash, [after], |row| row.get(0));
            Some(Digest(hash?).to_string())
        }
        None => meta(connection, "chain_anchor")?,
    };
    let anchor = anchor
        .and_then(|text| Digest::try_from(text).ok())
        .unwrap_or(Digest::ZERO);
    let mut verified = Verified {
        events: 0,
        retired: 0,
        first: None,
        last: None,
        hash: anchor,
        broken: None,
    };
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let at = Timestamp(row.get(1)?);
        let data: String = row.get(2)?;
        let previous = Digest(row.get(3)?);
        let hash = Digest(row.get(4)?);
        let problem = if verified.last.is_some_and(|last| seq != last + 1) {
            Some(format!(
                "events between {} and {seq} are missing",
                verified.last.unwrap_or(0)
            ))
        } else if previous != verified.hash {
            Some("it does not follow the event before it".to_owned())
        } else if data.is_empty() {
            verified.retired += 1;
            None
        } else if link(previous, seq, at, &data) != hash {
            Some("its content is not what was written".to_owned())
        } else {
            None
        };
        if let Some(problem) = problem {
            verified.broken = Some(Broken { seq, problem });
            return Ok(verified);
        }
        verified.events += 1;
        verified.first.get_or_insert(seq);
        verified.last = Some(seq);
        verified.hash = hash;
    }
    let tip: Option<String> = meta(connection, "chain_length")?;
    let expected = tip.and_then(|text| text.parse::<i64>().ok());
    if let (Some(expected), Some(last)) = (expected, verified.last)
        && last < expected
    {
        let problem = format!("the journal ends at event {last}, event {expected} was written");
        verified.broken = Some(Broken { seq: last, problem });
    }
    Ok(verified)
}

/// A value of the `meta` table.
pub(super) fn meta(connection: &Connection, key: &str) -> Result<Option<String>, rusqlite::Error> {
    use rusqlite::OptionalExtension as _;
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
            row.get(0)
        })
        .optional()
}
