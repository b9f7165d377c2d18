//! Backups: one file with everything that a data directory needs to live again, made while Ponte runs,
//! verified before any of it is believed.
//!
//! The file is a tar archive, sealed with age on request: a manifest, the configuration, the journal,
//! the data directory's other files, and the digests of all of them in the form of `sha256sum`.

mod archive;
mod check;
mod error;
mod parts;
mod restore;
mod rotate;
mod take;

use ponte_core::id::Digest;
use ponte_core::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use check::{Checked, check};
pub use error::BackupError;
pub use restore::{Holding, Restored, restore};
pub use rotate::{name_at, rotate};
pub use take::{Taken, What, take};

/// The version of the archive's form.
const FORMAT: u32 = 1;
/// The archive's first member.
const MANIFEST: &str = "manifest.json";
/// Its last one.
const SUMS: &str = "SHA256SUMS";
/// The configuration, in the archive and where it is restored.
pub const CONFIGURATION: &str = "ponte.toml";
/// Before the names of the data directory's files.
const DATA: &str = "data/";

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the archive's form.
    pub format: u32,
    /// The Ponte that made it.
    pub ponte: String,
    /// When the journal was read.
    pub made_at: Timestamp,
    /// The random text of the data directory that it was made of.
    pub installation: String,
    /// The journal as it was then.
    pub journal: JournalTip,
    /// What is in it, in its order, without the manifest and the digests.
    pub parts: Vec<Part>,
    /// What the data directory had, and the backup has not.
    pub left_out: Vec<LeftOut>,
}

/// The end of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalTip {
    /// How many events are kept.
    pub events: u64,
    /// The number of the first of them.
    pub first: Option<i64>,
    /// The number of the last one.
    pub last: Option<i64>,
    /// The hash of the last one.
    pub hash: Digest,
    /// The version of the tables.
    pub schema: i64,
}

/// One file in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name: `ponte.toml`, or `data/` and the path below the data directory.
    pub name: String,
    /// The member of the archive that holds it.
    pub member: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// One file or folder that is not in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Its path below the data directory.
    pub name: String,
    /// Why not.
    pub why: String,
}
