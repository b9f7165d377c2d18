//! The journal: whether it can be read, whether its chain holds, how large it is and how fast it grows.

use std::path::Path;
use std::time::Duration;

use ponte_core::time::Timestamp;

use crate::clock;
use crate::journal::{self, Activity, JournalError, Reader, Verified};

/// Most events of the chain that are verified, the newest: `ponte audit verify` reads all of them.
const VERIFIED_MAX: i64 = 100_000;
/// The span over which growth is measured.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What was seen of a journal.
#[derive(Debug)]
pub struct Journal {
    /// What is in it; `None` where there is none yet.
    pub content: Option<Result<Content, JournalError>>,
    /// When it was looked at.
    pub at: Timestamp,
}

/// What is in a journal.
#[derive(Debug)]
pub struct Content {
    /// The number of the last event.
    pub events: i64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The newest part of the chain.
    pub verified: Verified,
    /// What happened in the last day.
    pub last_day: Activity,
}

/// Looks at the journal in a data directory.
#[must_use]
pub fn look(data_dir: &Path) -> Journal {
    let at = clock::now();
    let path = journal::path_in(data_dir);
    // A directory that can't be entered is an error, and no missing journal.
    let content = match path.try_exists() {
        Ok(false) => None,
        Ok(true) | Err(_) => Some(content(&path, at)),
    };
    Journal { content, at }
}

fn content(path: &Path, now: Timestamp) -> Result<Content, JournalError> {
    let reader = Reader::open(path)?;
    let (events, bytes) = reader.size()?;
    Ok(Content {
        events,
        bytes,
        verified: journal::verify_newest(path, VERIFIED_MAX)?,
        last_day: reader.activity(now.before(DAY))?,
    })
}
