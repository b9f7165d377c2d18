//! A copy of the journal while its writer works: one state of it, whatever is committed meanwhile.

use std::path::Path;
use std::time::Duration;

use ponte_core::id::Digest;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension as _};

use super::chain::meta;
use super::{JournalError, Verified, Writer, schema, verify};

/// Pages that are copied at once; 1,024 are 4 MiB.
const PAGES_AT_ONCE: i32 = 1024;
/// The pause after them, in which the disk is the writer's.
const PAUSE: Duration = Duration::from_millis(2);
/// How often a copy that finds the journal locked tries again.
const BUSY_MAX: u32 = 2500;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The random text of the data directory.
    pub installation: String,
    /// The number of the last event; 0 where there is none.
    pub last: i64,
    /// The hash of the last event.
    pub hash: Digest,
    /// The version of the tables.
    pub schema: i64,
}

/// Copies the journal into a new file, which is one plain file without a log beside it.
///
/// The copy reads one snapshot from its beginning to its end: a copy that began anew with each commit
/// would never end under load. The writer goes on committing; only its log can't be begun anew until
/// the copy is done. `progress` is told how many pages are copied, and how many there are.
///
/// # Errors
/// When the journal can't be read or the copy not be written.
pub fn copy(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u32, u32),
) -> Result<Copied, JournalError> {
    let source = schema::open_for_reading(from)?;
    let reading = JournalError::database(from);
    source.execute_batch("BEGIN").map_err(&reading)?;
    // The first question begins the snapshot that the copy keeps to.
    let copied = tip(&source).map_err(&reading)?;
    let writing = JournalError::database(to);
    let mut target = Connection::open(to).map_err(&writing)?;
    // The copy is worthless until all of it is there, so it needs neither a log nor a sync.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(&writing)?;
    {
        let backup = Backup::new(&source, &mut target).map_err(&writing)?;
        let mut busy = 0;
        loop {
            let step = backup.step(PAGES_AT_ONCE).map_err(&writing)?;
            if step == StepResult::Done {
                break;
            }
            if step == StepResult::More {
                let done = backup.progress();
                let total = u32::try_from(done.pagecount).unwrap_or(0);
                let left = u32::try_from(done.remaining).unwrap_or(0);
                progress(total.saturating_sub(left), total);
            } else if busy < BUSY_MAX {
                busy += 1;
            } else {
                return Err(writing(locked()));
            }
            std::thread::sleep(PAUSE);
        }
    }
    // In its header stands that it has a log beside it.
    target
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(&writing)?;
    Ok(copied)
}

fn locked() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(code, Some("the journal stays locked".to_owned()))
}

fn tip(connection: &Connection) -> Result<Copied, rusqlite::Error> {
    let last: Option<(i64, [u8; 32])> = connection
        .query_row(
            "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (last, hash) = last.map_or((0, Digest::ZERO), |(seq, hash)| (seq, Digest(hash)));
    Ok(Copied {
        installation: meta(connection, "installation")?.unwrap_or_default(),
        last,
        hash,
        schema: connection.query_row("PRAGMA user_version", [], |row| row.get(0))?,
    })
}

/// Checks a copy as nobody has to check a journal that is in use: the database's own structure, then
/// the chain of its events.
///
/// # Errors
/// When the copy can't be read, or its structure does not hold.
pub fn verify_copy(path: &Path) -> Result<(Copied, Verified), JournalError> {
    let error = JournalError::database(path);
    let connection = schema::open_for_reading(path)?;
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(&error)?;
    if said != "ok" {
        return Err(JournalError::Structure {
            path: path.to_owned(),
            said,
        });
    }
    let copied = tip(&connection).map_err(&error)?;
    drop(connection);
    Ok((copied, verify(path)?))
}

impl Writer {
    /// Gives the data directory another random text, of which client order ids are made.
    ///
    /// A journal that was set back counts its alerts from where it stands, while the broker has seen
    /// orders of the same numbers: with the old text a new order would carry the id of an old one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn renew_installation(&mut self) -> Result<String, JournalError> {
        let fresh = crate::random::hex_token(16);
        let (connection, path) = self.parts();
        connection
            .execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('installation', ?1)",
                [&fresh],
            )
            .map_err(JournalError::database(path))?;
        Ok(fresh)
    }
}
