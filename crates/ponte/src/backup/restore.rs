//! Putting a backup in place: all of it or nothing, and halted.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ponte_core::decide::{Facts, NoQuotes, handle};
use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::message::{Input, OperatorAction, OperatorRequest};
use ponte_core::policy::Policy;
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::{BackupError, CONFIGURATION, Manifest, check};
use crate::admin::HALT_FILE;
use crate::files;
use crate::journal::{self, LOCK_FILE, RESTORING, Writer};
use crate::secret::Opener;

/// Who the record says it was.
const BY: &str = "restore";
/// A folder that file systems make themselves.
const LOST_AND_FOUND: &str = "lost+found";

/// A backup that is in place.
#[derive(Debug)]
pub struct Restored {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Where the configuration of then is.
    pub configuration: PathBuf,
    /// The halt that is in force.
    pub level: HaltLevel,
    /// How many orders were open then.
    pub open_orders: usize,
    /// The positions of then that were not flat.
    pub positions: Vec<Holding>,
}

/// A position of then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// Whose it was.
    pub account: String,
    /// The strategy's share of it.
    pub strategy: String,
    /// The broker's symbol.
    pub symbol: String,
    /// How much, below zero when short.
    pub quantity: String,
}

/// Restores a backup into a data directory that is empty or not there.
///
/// Everything is written and verified in a folder inside it first; until that has been moved away no
/// Ponte starts there. What is restored is halted, in its journal and by a file `HALT`, and makes its
/// client order ids of another random text than before.
///
/// # Errors
/// Why it is not in place; the directory is as it was.
pub fn restore(
    file: &Path,
    opener: Option<&Opener>,
    data_dir: &Path,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let mut site = Site::prepare(data_dir)?;
    let checked = check(file, opener, &site.staging)?;
    let manifest = checked.manifest;
    let reason = format!(
        "restored from a backup of {}: what happened since is not known here; compare the positions \
         with the broker's, remove this file, then resume",
        manifest.made_at
    );
    let (state, level) = halted(&site.staging, &reason, file, &manifest, now)?;
    site.put_in_place(level, &reason)?;
    let positions = positions(&state);
    Ok(Restored {
        configuration: data_dir.join(CONFIGURATION),
        open_orders: state.open_orders().count(),
        positions,
        level,
        manifest,
    })
}

fn positions(state: &State) -> Vec<Holding> {
    let mut open = Vec::new();
    for (account, known) in &state.accounts {
        for (strategy, held) in &known.positions {
            for (symbol, position) in held {
                if !position.quantity.is_zero() {
                    open.push(Holding {
                        account: account.to_string(),
                        strategy: strategy.to_string(),
                        symbol: symbol.to_string(),
                        quantity: position.quantity.to_string(),
                    });
                }
            }
        }
    }
    open
}

/// Puts on record in the restored journal what was done, halts it, and renews its random text.
fn halted(
    staging: &Path,
    reason: &str,
    file: &Path,
    manifest: &Manifest,
    now: Timestamp,
) -> Result<(State, HaltLevel), BackupError> {
    let mut writer = Writer::open(staging)?;
    let journal = writer.load()?;
    let mut state = journal.state;
    // A halt that is in force is not weakened. Flattening is not repeated: what was open then need
    // not be now, and closing it would open the opposite.
    let present = state
        .halts
        .iter()
        .filter(|halt| halt.scope == Scope::Global);
    let level = present
        .map(|halt| halt.level)
        .max()
        .unwrap_or(HaltLevel::BlockEntries)
        .min(HaltLevel::ReduceOnly);
    let policy = Policy {
        installation: journal.installation,
        ..Policy::default()
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let actions = [
        OperatorAction::Record {
            action: "restored".to_owned(),
            detail: format!("backup {name} of {}", manifest.made_at),
        },
        OperatorAction::Halt {
            scope: Scope::Global,
            level,
            reason: Some(reason.to_owned()),
        },
    ];
    writer.begin()?;
    for action in actions {
        let by = BY.to_owned();
        let facts = Facts {
            now,
            quotes: &NoQuotes,
        };
        let request = Input::Operator(OperatorRequest { by, action });
        let events = handle(&mut state, &policy, facts, request).events;
        writer.append(now, &events)?;
    }
    writer.commit(&state)?;
    writer.take_snapshot(&state, now)?;
    writer.renew_installation()?;
    Ok((state, level))
}

/// The data directory while it is restored. Dropped before the end, it is as it was.
struct Site {
    data_dir: PathBuf,
    staging: PathBuf,
    /// Held to the end: no Ponte starts meanwhile.
    lock: Option<File>,
    /// What has been moved to where it belongs.
    moved: Vec<PathBuf>,
    is_new: bool,
    is_done: bool,
}

impl Site {
    fn prepare(data_dir: &Path) -> Result<Self, BackupError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let failed = BackupError::io(data_dir);
        let is_new = !data_dir.exists();
        is_empty(data_dir)?;
        let mut folder = fs::DirBuilder::new();
        folder
            .mode(0o700)
            .recursive(true)
            .create(data_dir)
            .map_err(&failed)?;
        let staging = data_dir.join(RESTORING);
        let mut site = Self {
            data_dir: data_dir.to_owned(),
            staging: staging.clone(),
            lock: None,
            moved: Vec::new(),
            is_new,
            is_done: false,
        };
        let lock = files::lock_file(&data_dir.join(LOCK_FILE), data_dir).map_err(&failed)?;
        if lock.try_lock().is_err() {
            // It is not ours to clean up.
            site.is_done = true;
            return Err(BackupError::Running {
                path: data_dir.to_owned(),
            });
        }
        site.lock = Some(lock);
        folder.recursive(false).create(&staging).map_err(&failed)?;
        Ok(site)
    }

    /// Moves what was verified to where it belongs, the journal last; then the way is free.
    fn put_in_place(&mut self, level: HaltLevel, reason: &str) -> Result<(), BackupError> {
        let data_dir = self.data_dir.clone();
        let failed = BackupError::io(&data_dir);
        let staged = |name: &str| self.staging.join(name);
        // The writer made it there; the data directory has one.
        fs::remove_file(staged(LOCK_FILE)).map_err(&failed)?;
        let text = format!("{}\n{reason}\n", level.as_str());
        let mut halt = File::create(staged(HALT_FILE)).map_err(&failed)?;
        halt.write_all(text.as_bytes()).map_err(&failed)?;
        halt.sync_all().map_err(&failed)?;
        File::open(staged(journal::FILE_NAME))
            .and_then(|journal| journal.sync_all())
            .map_err(&failed)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.staging).map_err(&failed)? {
            names.push(entry.map_err(&failed)?.file_name());
        }
        names.sort_by_key(|name| (name == journal::FILE_NAME, name != HALT_FILE));
        hand_over(&self.staging, &data_dir).map_err(&failed)?;
        for name in &names {
            let path = data_dir.join(name);
            fs::rename(self.staging.join(name), &path).map_err(&failed)?;
            self.moved.push(path);
        }
        let sync = || File::open(&data_dir)?.sync_all();
        sync().map_err(&failed)?;
        fs::remove_dir(&self.staging).map_err(&failed)?;
        sync().map_err(&failed)?;
        self.is_done = true;
        Ok(())
    }
}

/// Gives all that is in a folder to whoever owns the data directory: root may restore for that user.
fn hand_over(folder: &Path, data_dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files::hand_to_owner_of(data_dir, &entry.path())?;
        if entry.file_type()?.is_dir() {
            hand_over(&entry.path(), data_dir)?;
        }
    }
    Ok(())
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // Only what was put there is taken away. The folder goes last: what stays where this fails
        // keeps Ponte from starting there, and says so.
        for path in self.moved.iter().rev() {
            let _ = match path.is_dir() {
                true => fs::remove_dir_all(path),
                false => fs::remove_file(path),
            };
        }
        let _ = fs::remove_dir_all(&self.staging);
        if self.lock.is_some() {
            let _ = fs::remove_file(self.data_dir.join(LOCK_FILE));
        }
        if self.is_new {
            let _ = fs::remove_dir(&self.data_dir);
        }
    }
}

/// Refuses a directory with anything in it.
fn is_empty(data_dir: &Path) -> Result<(), BackupError> {
    let entries = match fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::io(data_dir)(error)),
    };
    let lock = data_dir.join(LOCK_FILE);
    if File::open(lock).is_ok_and(|lock| lock.try_lock().is_err()) {
        return Err(BackupError::Running {
            path: data_dir.to_owned(),
        });
    }
    for entry in entries {
        let name = entry.map_err(BackupError::io(data_dir))?.file_name();
        if name != LOST_AND_FOUND {
            return Err(BackupError::NotEmpty {
                path: data_dir.to_owned(),
                found: name.to_string_lossy().into_owned(),
            });
        }
    }
    Ok(())
}
