//! What a data directory holds: what a backup takes, what it takes only when sealed, what it leaves.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{BackupError, LeftOut};
use crate::admin::HALT_FILE;
use crate::journal;
use crate::secret::VAULT_FILE;

/// Largest file besides the journal, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Largest sum of them, in bytes.
const ALL_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most files.
pub(super) const FILES_MAX: usize = 4096;
/// How deep folders are followed.
const DEPTH_MAX: usize = 4;

/// What is done with an entry of the data directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Every backup has it.
    Taken,
    /// Only a sealed one: there are secrets in it as they are.
    TakenWhenSealed,
    /// The journal, which goes its own way, and what means nothing elsewhere.
    Passed,
}

/// Everything that Ponte writes into its data directory. Whatever is not here is left out, and said:
/// nobody knows whether there are secrets in it.
const KNOWN: [(&str, Fate); 10] = [
    (HALT_FILE, Fate::Taken),
    ("instruments", Fate::Taken),
    (VAULT_FILE, Fate::Taken),
    // The keys of certificates and of the account at the authority.
    ("acme", Fate::TakenWhenSealed),
    // Users, whose second factors are kept as they are.
    ("admin", Fate::TakenWhenSealed),
    (journal::FILE_NAME, Fate::Passed),
    (journal::LOCK_FILE, Fate::Passed),
    ("vault.lock", Fate::Passed),
    ("lost+found", Fate::Passed),
    // The configuration that a restore has put there.
    (super::CONFIGURATION, Fate::Passed),
];

/// One file of the data directory.
pub(super) struct DataFile {
    /// Its path below the data directory, with `/`.
    pub(super) name: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// What was gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<DataFile>,
    pub(super) left_out: Vec<LeftOut>,
    bytes: u64,
}

/// Reads what belongs into a backup, in the order of names. Each file is replaced as a whole by
/// whoever writes it, so that one that is read from its beginning to its end is of one moment.
pub(super) fn gather(data_dir: &Path, is_sealed: bool) -> Result<Gathered, BackupError> {
    let mut gathered = Gathered::default();
    for name in names(data_dir)? {
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let fate = match known {
            Some((_, fate)) => *fate,
            None if is_passing(&name) => Fate::Passed,
            None => {
                gathered.leave(&name, "not known to be Ponte's");
                continue;
            }
        };
        match fate {
            Fate::Taken => gathered.take(data_dir, &name, 0)?,
            Fate::TakenWhenSealed if is_sealed => gathered.take(data_dir, &name, 0)?,
            Fate::TakenWhenSealed => gathered.leave(
                &name,
                "there are secrets in it; only a sealed backup has it: --to-key or --passphrase-from",
            ),
            Fate::Passed => {}
        }
    }
    Ok(gathered)
}

/// What stands beside a file while it is replaced or used.
fn is_passing(name: &str) -> bool {
    let of_journal = name.starts_with(journal::FILE_NAME);
    of_journal || name.starts_with('.') || name.ends_with(".new")
}

fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let failed = BackupError::io(folder);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(&failed)? {
        names.push(
            entry
                .map_err(&failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
        if names.len() > FILES_MAX {
            return Err(BackupError::TooMany { most: FILES_MAX });
        }
    }
    names.sort();
    Ok(names)
}

impl Gathered {
    fn leave(&mut self, name: &str, why: &str) {
        self.left_out.push(LeftOut {
            name: name.to_owned(),
            why: why.to_owned(),
        });
    }

    fn take(&mut self, data_dir: &Path, name: &str, depth: usize) -> Result<(), BackupError> {
        let path = data_dir.join(name);
        let failed = BackupError::io(&path);
        let metadata = match fs::symlink_metadata(&path) {
            // It was replaced or taken away meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            read => read.map_err(&failed)?,
        };
        if metadata.is_dir() && depth < DEPTH_MAX {
            for below in names(&path)? {
                if !is_passing(&below) {
                    self.take(data_dir, &format!("{name}/{below}"), depth + 1)?;
                }
            }
            return Ok(());
        }
        if !metadata.is_file() {
            self.leave(name, "neither a plain file nor a folder of such");
            return Ok(());
        }
        let most = FILE_BYTES_MAX.min(ALL_BYTES_MAX - self.bytes);
        let too_large = |bytes| BackupError::TooLarge {
            name: path.display().to_string(),
            bytes,
            most,
        };
        if metadata.len() > most {
            return Err(too_large(metadata.len()));
        }
        let room = usize::try_from(metadata.len()).unwrap_or(0) + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(&failed)?,
        };
        let read = file
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(&failed)?;
        if read as u64 > most {
            return Err(too_large(read as u64));
        }
        self.bytes += read as u64;
        if self.files.len() >= FILES_MAX {
            return Err(BackupError::TooMany { most: FILES_MAX });
        }
        self.files.push(DataFile {
            name: name.to_owned(),
            bytes,
        });
        Ok(())
    }
}
