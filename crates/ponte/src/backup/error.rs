//! Why a backup can't be made, believed or restored.

use std::path::{Path, PathBuf};

use crate::journal::{Broken, JournalError};
use crate::secret::OpenError;

/// Why a backup can't be made, believed or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The journal can't be copied.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is no journal to make a backup of.
    #[error("there is no journal at {path}")]
    NoJournal {
        /// Where it would be.
        path: PathBuf,
    },
    /// The journal's chain is broken, in the data directory or in the backup.
    #[error("the journal's chain is broken at event {}: {}", broken.seq, broken.problem)]
    Broken {
        /// Where and how.
        broken: Broken,
    },
    /// There is too little room for the copy.
    #[error("{path} has {free} bytes free, the copy of the journal needs {needed}")]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// What is free.
        free: u64,
        /// What is needed.
        needed: u64,
    },
    /// A file of this name is there.
    #[error("{path} is there already, and a backup never replaces a file")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// More than a backup holds.
    #[error("{name} has {bytes} bytes, the maximum is {most}")]
    TooLarge {
        /// The file.
        name: String,
        /// Its bytes.
        bytes: u64,
        /// How many there may be.
        most: u64,
    },
    /// More files than a backup holds.
    #[error("there are more than {most} files in the data directory")]
    TooMany {
        /// How many there may be.
        most: usize,
    },
    /// The file is sealed, and nothing to open it was given.
    #[error("{path} is sealed")]
    Sealed {
        /// The file.
        path: PathBuf,
    },
    /// What was given does not open it.
    #[error("{path} does not open: {error}")]
    Shut {
        /// The file.
        path: PathBuf,
        /// Why.
        error: OpenError,
    },
    /// The file is no backup, or not as it was written.
    #[error("{path} is no whole backup: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer Ponte made it.
    #[error("{path} has form {found}, this Ponte knows {known}")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: u32,
        /// The form that this program knows.
        known: u32,
    },
    /// A restore needs an empty directory.
    #[error("{path} is not empty: {found} is there")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A Ponte runs on it.
    #[error("a Ponte runs on {path}")]
    Running {
        /// The directory.
        path: PathBuf,
    },
}

impl BackupError {
    /// What the owner can do about it.
    #[must_use]
    pub fn cure(&self) -> Option<&'static str> {
        match self {
            Self::NoJournal { .. } => Some("ponte run writes one; or --config FILE to name yours"),
            Self::Broken { .. } => {
                Some("look at it with ponte audit verify, and keep the older backups")
            }
            Self::NoRoom { .. } => Some("make room, or set [retention] events in ponte.toml"),
            Self::Exists { .. } => {
                Some("another name, or a folder: ponte backup FOLDER/ --keep 14")
            }
            Self::Sealed { .. } => Some("--key FILE, or --passphrase-from FILE"),
            Self::Shut { error, .. } => match error {
                OpenError::WrongKey => Some("the key or passphrase that it was made with"),
                OpenError::AsksPassphrase => Some("--passphrase-from FILE"),
                OpenError::AsksKey => Some("--key FILE"),
                OpenError::TooMuchWork { .. }
                | OpenError::NotAge
                | OpenError::Damaged
                | OpenError::Io(_) => Some("another backup"),
            },
            Self::Damaged { .. } => Some("another backup; nothing of this one was put in place"),
            Self::TooNew { .. } => Some("the Ponte that made it, or a newer one"),
            Self::NotEmpty { .. } => Some(
                "a directory that is empty or not there; move the old one away, don't delete it",
            ),
            Self::Running { .. } => Some("stop it first"),
            Self::Journal(_) | Self::Io { .. } | Self::TooLarge { .. } | Self::TooMany { .. } => {
                None
            }
        }
    }

    /// Whether Ponte refuses, rather than being unable.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Broken { .. }
            | Self::Exists { .. }
            | Self::NotEmpty { .. }
            | Self::Running { .. }
            | Self::Damaged { .. }
            | Self::Shut { .. }
            | Self::Sealed { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. } => true,
            Self::Journal(_)
            | Self::NoJournal { .. }
            | Self::NoRoom { .. }
            | Self::Io { .. }
            | Self::TooNew { .. } => false,
        }
    }

    pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}
