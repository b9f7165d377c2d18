//! The database's shape: opening, pragmas, migrations.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::JournalError;

/// The steps from an empty file to the present schema, each applied once.
pub(super) const MIGRATIONS: &[&str] = &[include_str!(
    "../../../../migrations/sqlite/0001_journal.sql"
)];

/// How many pages the write-ahead log may have before its content is moved into the database.
/// Larger means rarer, longer pauses, and a log that grows for longer before it is overwritten,
/// which is what a disk does fastest; 2,000 pages are 8 MiB.
const CHECKPOINT_PAGES: i64 = 2000;

/// Opens the journal for its one writer and brings its schema up to date.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, JournalError> {
    let error = JournalError::database(path);
    let mut connection = Connection::open(path).map_err(&error)?;
    let pragmas = format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
    );
    connection.execute_batch(&pragmas).map_err(&error)?;
    // Else SQLite prepares the look-up of an identity anew for each value, in case another plan suits it.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(&error)?;
    connection.set_prepared_statement_cache_capacity(32);
    migrate_by(&mut connection, path, MIGRATIONS)?;
    Ok(connection)
}

/// Opens the journal for reading beside the writer.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, JournalError> {
    let error = JournalError::database(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&error)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(&error)?;
    check_version(&connection, path, known_version())?;
    Ok(connection)
}

/// The version of the schema that this program knows.
pub(super) fn known_version() -> i64 {
    version_of(MIGRATIONS)
}

/// The version of the schema after these steps.
pub(super) fn version_of(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// The version of a database's schema.
pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn check_version(connection: &Connection, path: &Path, known: i64) -> Result<i64, JournalError> {
    let found = version(connection).map_err(JournalError::database(path))?;
    if found > known {
        return Err(JournalError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}

/// Carries out the steps that a database has not seen.
///
/// # Errors
/// When a step fails, or the database has seen more than these.
pub(super) fn migrate_by(
    connection: &mut Connection,
    path: &Path,
    steps: &[&str],
) -> Result<(), JournalError> {
    let error = JournalError::database(path);
    let found = check_version(connection, path, version_of(steps))?;
    let done = usize::try_from(found).unwrap_or(0);
    for (index, step) in steps.iter().enumerate().skip(done) {
        let transaction = connection.transaction().map_err(&error)?;
        transaction.execute_batch(step).map_err(&error)?;
        transaction
            .pragma_update(None, "user_version", index + 1)
            .map_err(&error)?;
        transaction.commit().map_err(&error)?;
    }
    Ok(())
}
