//! The journal: an append-only, hash-chained record of events, and the tables that queries need.
//!
//! One writer, one transaction per batch of decisions. What [`Writer::commit`] has returned for is
//! on disk; what it failed for has not happened. Starting is reading the last snapshot and
//! applying the events after it, and recovering from a failed commit is the same.

mod activity;
mod chain;
mod copy;
mod last_use;
mod outlook;
mod query;
mod retention;
mod rows;
mod schema;
mod writer;

use std::path::{Path, PathBuf};

pub use activity::{Activity, Refused, SourceSeen};
pub use chain::{Broken, Verified, verify, verify_newest};
pub use copy::{Copied, copy, verify_copy};
pub use outlook::{Compared, SchemaOutlook, StateOutlook, schema_outlook, state_outlook};
pub use query::{
    AlertFilter, AlertRow, EventRow, ExportFilter, OrderFilter, OrderRow, Reader, SeenAddress,
    SeenKey, Senders, Story,
};
pub use retention::{Pruned, prune};
pub use writer::{Loaded, Writer};

/// The name of the journal's file in the data directory.
pub const FILE_NAME: &str = "journal.sqlite";

/// What a restore has in the data directory until it ends; a journal beside it is not believed.
pub const RESTORING: &str = ".restoring";

/// The name of the file that the one writer of a data directory has locked.
pub const LOCK_FILE: &str = "ponte.lock";

/// Where the journal of a data directory is.
#[must_use]
pub fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// The version of the journal's schema that this program writes.
#[must_use]
pub fn schema_version() -> i64 {
    schema::known_version()
}

/// What can go wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database refused or failed; nothing of the batch has happened.
    #[error("journal {path}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file was written by a newer Ponte.
    #[error(
        "journal {path} has schema version {found}, this Ponte knows {known}; use the newer Ponte"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The version that this program knows.
        known: i64,
    },
    /// An event can't be read back.
    #[error("journal {path}, event {seq}: {message}; restore a backup, or run ponte audit verify")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The event's number.
        seq: i64,
        /// What is wrong with it.
        message: String,
    },
    /// The database's pages and indexes don't agree.
    #[error("journal {path} is damaged: {said}")]
    Structure {
        /// The file.
        path: PathBuf,
        /// What SQLite said first.
        said: String,
    },
    /// A restore into the data directory has not ended.
    #[error("a restore into {path} did not end; empty the directory and run ponte restore again")]
    HalfRestored {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory can't be made or entered.
    #[error("data directory {path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process writes to the journal.
    #[error(
        "journal {path} is in use by another Ponte; stop it first, or talk to it through its admin address"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    fn database(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        move |source| Self::Database {
            path: path.to_owned(),
            source,
        }
    }
}
