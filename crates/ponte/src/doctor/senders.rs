//! Who sends: from which addresses alerts came, what was refused, and which sources are silent.

use std::path::Path;
use std::time::Duration;

use ponte_core::time::Timestamp;

use crate::clock;
use crate::journal::{self, JournalError, Reader, Refused, SourceSeen};

/// The span whose refusals are counted.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What was seen of those who send.
#[derive(Debug)]
pub struct Senders {
    /// What the journal says; `None` where there is none yet.
    pub seen: Option<Result<Seen, JournalError>>,
    /// When it was looked at.
    pub at: Timestamp,
}

/// What the journal says.
#[derive(Debug)]
pub struct Seen {
    /// The addresses and client certificates that right secrets came from.
    pub senders: journal::Senders,
    /// What was refused within a day, the commonest first.
    pub refused: Vec<Refused>,
    /// When each source last sent an alert.
    pub sources: Vec<SourceSeen>,
    /// The sources that are switched off, with who said so and why, by the journal alone.
    pub sources_off:
        std::collections::BTreeMap<ponte_core::id::SourceName, ponte_core::source::SourceOff>,
}

/// Looks at what the journal in a data directory says of those who send.
#[must_use]
pub fn look(data_dir: &Path) -> Senders {
    let at = clock::now();
    let path = journal::path_in(data_dir);
    let seen = match path.try_exists() {
        Ok(false) => None,
        Ok(true) | Err(_) => Some(seen(&path, at)),
    };
    Senders { seen, at }
}

fn seen(path: &Path, now: Timestamp) -> Result<Seen, JournalError> {
    let reader = Reader::open(path)?;
    Ok(Seen {
        senders: reader.senders(None)?,
        refused: reader.refused_since(now.before(DAY))?,
        sources: reader.sources_seen()?,
        sources_off: reader.state(false)?.sources_off,
    })
}
