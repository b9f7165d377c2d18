//! Letting go of what is old, without breaking the chain or forgetting an identity.

use ponte_core::id::Digest;
use ponte_core::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use super::{JournalError, Writer};

/// Most events that one pass lets go of, so that the writer is never away for long.
const PASS_MAX: i64 = 5_000;

/// What a pass let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Refused requests whose content was taken out; their place in the chain stays.
    pub requests: usize,
    /// Events that were taken away from the beginning of the chain.
    pub events: usize,
}

/// Takes the content out of refused requests before `requests_before`, and takes away the events
/// before `events_before`, as far as a snapshot makes them unnecessary. The rows of alerts, which
/// hold the identities, stay for ever. The chain then begins at an anchor, the hash of the last
/// event that was taken away.
///
/// # Errors
/// When the database fails; nothing has been let go of then.
pub fn prune(
    writer: &mut Writer,
    requests_before: Option<Timestamp>,
    events_before: Option<Timestamp>,
) -> Result<Pruned, JournalError> {
    let (connection, path) = writer.parts();
    let error = JournalError::database(path);
    let transaction = connection.transaction().map_err(&error)?;
    let mut pruned = Pruned::default();
    if let Some(before) = requests_before {
        pruned.requests = transaction
            .execute(
                "UPDATE events SET data = '' WHERE seq IN (
                    SELECT seq FROM events
                    WHERE kind = 'request_refused' AND at < ?1 AND data <> '' LIMIT ?2)",
                params![before.0, PASS_MAX],
            )
            .map_err(&error)?;
    }
    if let Some(before) = events_before {
        let oldest_snapshot: i64 = transaction
            .query_row("SELECT COALESCE(MIN(seq), 0) FROM snapshots", [], |row| {
                row.get(0)
            })
            .map_err(&error)?;
        let last: Option<(i64, [u8; 32])> = transaction
            .query_row(
                "SELECT seq, hash FROM (
                    SELECT seq, hash, at FROM events WHERE seq < ?1 ORDER BY seq LIMIT ?3)
                 WHERE at < ?2 ORDER BY seq DESC LIMIT 1",
                params![oldest_snapshot, before.0, PASS_MAX],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(&error)?;
        if let Some((seq, hash)) = last {
            pruned.events = transaction
                .execute("DELETE FROM events WHERE seq <= ?1", [seq])
                .map_err(&error)?;
            transaction
                .execute(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES ('chain_anchor', ?1)",
                    [Digest(hash).to_string()],
                )
                .map_err(&error)?;
        }
    }
    transaction.commit().map_err(&error)?;
    Ok(pruned)
}

#[cfg(test)]
mod tests {
    use ponte_core::message::{Event, RefusedRequest};

    use super::*;

    fn refused(at: Timestamp) -> Event {
        Event::RequestRefused(RefusedRequest {
            received_at: at,
            peer: "203.0.113.9".to_owned(),
            source: None,
            http_status: 403,
            code: "wrong_secret".to_owned(),
            message: String::new(),
            excerpt: None,
            certificate: None,
        })
    }

    #[test]
    fn a_start_without_a_snapshot_passes_over_retired_requests() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(folder.path()).unwrap();
        let mut state = writer.load().unwrap().state;
        let started = Event::Started {
            version: "1".to_owned(),
        };
        for (at, event) in [refused(Timestamp(1)), started, refused(Timestamp(3))]
            .into_iter()
            .zip(1..)
            .map(|(event, at)| (Timestamp(at), event))
        {
            writer.begin().unwrap();
            writer.append(at, std::slice::from_ref(&event)).unwrap();
            state.apply(at, &event);
            writer.commit(&state).unwrap();
        }
        let pruned = prune(&mut writer, Some(Timestamp(9)), None).unwrap();
        assert_eq!(pruned.requests, 2);
        drop(writer);
        let mut writer = Writer::open(folder.path()).unwrap();
        let loaded = writer.load().unwrap();
        assert_eq!((loaded.state, loaded.replayed), (state, 1));
    }
}
