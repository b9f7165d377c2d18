//! `ponte backup`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use ponte_core::time::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::init_files::unwritable;
use super::passphrase::PassphraseFrom;
use super::scratch::Scratch;
use super::screen::{self, BOLD, DIM, GOOD, SO_SO, count, facts, styled};
use crate::backup::{self, BackupError, Manifest, Taken, What};
use crate::secret::{Opener, Places, PublicKey, SealFor, SealKey, SecretRef, VaultLock, write_key};

/// Back up the journal and all that belongs to it, while Ponte runs
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte backup ponte.tar\n  \
    ponte backup --new-key backup-key                 a key to seal for; keep it elsewhere\n  \
    ponte backup /var/backups/ponte/ --keep 14 --to-key age1…   one more, as a timer does\n  \
    ponte backup ponte.tar.age --passphrase-from -    asks for a passphrase\n  \
    ponte backup --verify ponte.tar.age --key backup-key        is it whole? restores nothing\n\n\
    It never replaces a file. Unsealed, it holds no secrets, and nothing that has some: no users, no \
    keys of certificates; the vault is in it as it is, sealed. Put it back with ponte restore.")]
pub(super) struct Backup {
    /// A new file, or a folder in which it gets a name of the time
    #[arg(value_name = "FILE|FOLDER/", required_unless_present_any = ["verify", "new_key"])]
    to: Option<PathBuf>,
    /// Seal it for whoever has the secret half of this key; may be given more than once
    #[arg(long, value_name = "KEY", conflicts_with = "passphrase_from")]
    to_key: Vec<PublicKey>,
    /// Seal it with a passphrase, or open it: a file, or - to be asked
    #[arg(long, value_name = "FILE")]
    passphrase_from: Option<PassphraseFrom>,
    /// Keep so many in the folder, and take the older ones away
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Read a backup and hold it to its digests and hashes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "to_key", "keep", "new_key"])]
    verify: Option<PathBuf>,
    /// The key that opens the backup to verify
    #[arg(
        long,
        value_name = "FILE",
        requires = "verify",
        conflicts_with = "passphrase_from"
    )]
    key: Option<PathBuf>,
    /// Where a backup is unpacked to be verified [default: the system's folder for such]
    #[arg(long, value_name = "FOLDER", requires = "verify")]
    scratch: Option<PathBuf>,
    /// Write a new key into this file, and say which one to seal for
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "to_key", "keep"])]
    new_key: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    file: String,
    bytes: u64,
    sealed: bool,
    manifest: &'a Manifest,
    removed: Vec<String>,
}

impl Backup {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match (&self.to, &self.verify, &self.new_key) {
            (_, Some(file), _) => self.verify(context, file),
            (_, _, Some(file)) => make_key(context, file),
            (Some(to), _, _) => self.take(context, to),
            (None, None, None) => Err(Failure::usage("nothing says where to")),
        }
    }

    fn take(&self, context: &Context, to: &Path) -> Result<(), Failure> {
        let data_dir = &context.config()?.data_dir;
        let passphrase = match &self.passphrase_from {
            Some(from) => Some(from.read("the passphrase for this backup", true)?),
            None => None,
        };
        let seal = match (&passphrase, self.to_key.as_slice()) {
            (Some(passphrase), _) => Some(SealFor::Passphrase(passphrase)),
            (None, []) => None,
            (None, keys) => Some(SealFor::Keys(keys)),
        };
        let folder = folder_of(to)?;
        if self.keep.is_some() && folder.is_none() {
            return Err(Failure::usage("--keep is for a folder, and this is a file")
                .cured_by("a path that ends with /"));
        }
        let file = match folder {
            Some(folder) => folder.join(backup::name_at(context.now, seal.is_some())),
            None => to.to_owned(),
        };
        is_outside(&file, data_dir)?;
        let what = What {
            data_dir,
            configuration: &context.text()?,
            seal,
            now: context.now,
        };
        let progress = Progress::new(context.json);
        let taken = backup::take(&what, &file, |done, all| progress.show(done, all));
        progress.end();
        let taken = taken?;
        let removed = match (self.keep, folder) {
            (Some(keep), Some(folder)) => backup::rotate(folder, usize::from(keep))?,
            (Some(_) | None, _) => Vec::new(),
        };
        if context.json {
            return screen::print_json(&Report {
                file: file.display().to_string(),
                bytes: taken.bytes,
                sealed: what.seal.is_some(),
                manifest: &taken.manifest,
                removed: removed
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect(),
            });
        }
        screen::print(&shown_taken(&file, &taken, what.seal.as_ref(), &removed))
    }

    fn verify(&self, context: &Context, file: &Path) -> Result<(), Failure> {
        let opener = opener(self.key.as_deref(), self.passphrase_from.as_ref())?;
        let scratch = Scratch::make(self.scratch.as_deref())?;
        let checked = backup::check(file, opener.as_ref(), scratch.path())?;
        let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
        if context.json {
            return screen::print_json(&Report {
                file: file.display().to_string(),
                bytes,
                sealed: checked.is_sealed,
                manifest: &checked.manifest,
                removed: Vec::new(),
            });
        }
        let heading = format!(
            "{} {}  {}\n",
            styled(GOOD, "whole"),
            file.display(),
            screen::bytes(bytes)
        );
        screen::print(&(heading + &shown(&checked.manifest, context.now)))
    }
}

/// What opens a backup, from what was said on the command line.
pub(super) fn opener(
    key: Option<&Path>,
    passphrase: Option<&PassphraseFrom>,
) -> Result<Option<Opener>, Failure> {
    if let Some(path) = key {
        let lock = VaultLock::Key(SecretRef::File(path.to_owned()));
        let opener = lock.opener(&Places::new(&|_| None))?;
        return Ok(Some(opener.opener));
    }
    let read = passphrase.map(|from| from.read("the passphrase of the backup", false));
    Ok(read.transpose()?.map(Opener::Passphrase))
}

/// The folder that was named, which is made where it is not there.
fn folder_of(to: &Path) -> Result<Option<&Path>, Failure> {
    let is_folder = to.as_os_str().to_string_lossy().ends_with('/');
    if !is_folder && !to.is_dir() {
        return Ok(None);
    }
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(to).map_err(|error| unwritable(to, &error))?;
    Ok(Some(to))
}

/// Refuses a place that is lost with what it is a backup of.
fn is_outside(file: &Path, data_dir: &Path) -> Result<(), Failure> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let (Ok(folder), Ok(data_dir)) = (folder.canonicalize(), data_dir.canonicalize()) else {
        return Ok(());
    };
    if !folder.starts_with(&data_dir) {
        return Ok(());
    }
    let what = format!(
        "{} is in the data directory, and would be lost with it",
        file.display()
    );
    Err(Failure::refused(what).cured_by("a folder elsewhere, best on another machine"))
}

fn make_key(context: &Context, file: &Path) -> Result<(), Failure> {
    let key = SealKey::generate();
    write_key(&key, file).map_err(|error| unwritable(file, &error))?;
    let public = key.public().to_string();
    if context.json {
        let key_file = file.display().to_string();
        return screen::print_json(&json!({ "key_file": key_file, "public_key": public }));
    }
    screen::print(&format!(
        "{} {}\n\n{}\n  {public}\n\nKeep the file where the backups are not, and not on this machine: \
         with it they open, without it they never do.\n",
        styled(GOOD, "wrote"),
        file.display(),
        styled(BOLD, "seal for it with --to-key"),
    ))
}

fn shown_taken(
    file: &Path,
    taken: &Taken,
    seal: Option<&SealFor<'_>>,
    removed: &[PathBuf],
) -> String {
    let heading = format!(
        "{} {}  {}\n",
        styled(GOOD, "wrote"),
        file.display(),
        screen::bytes(taken.bytes)
    );
    let mut text = heading + &shown(&taken.manifest, taken.manifest.made_at);
    let sealed = match seal {
        Some(SealFor::Keys(keys)) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            format!("for {}", keys.join(", "))
        }
        Some(SealFor::Passphrase(_)) => "with a passphrase".to_owned(),
        None => styled(
            SO_SO,
            "no: whoever has the file reads your trades and your configuration",
        ),
    };
    text += &facts(&[("sealed   ", sealed)]);
    if !removed.is_empty() {
        let old = count(removed.len(), "older backup", "older backups");
        text += &facts(&[("removed  ", old)]);
    }
    text
}

/// What a backup says of itself.
pub(super) fn shown(manifest: &Manifest, now: Timestamp) -> String {
    let journal = &manifest.journal;
    let range = match (journal.first, journal.last) {
        (Some(first), Some(last)) => format!(
            "{} ({first} to {last}), {}",
            count(
                usize::try_from(journal.events).unwrap_or(usize::MAX),
                "event",
                "events"
            ),
            styled(GOOD, "the chain holds")
        ),
        (None, _) | (_, None) => "no events".to_owned(),
    };
    let age = if now == manifest.made_at {
        String::new()
    } else {
        format!(", {}", screen::ago(manifest.made_at, now))
    };
    let mut rows = vec![
        (
            "made     ",
            format!("{}{age}, by Ponte {}", manifest.made_at, manifest.ponte),
        ),
        ("journal  ", range),
        ("last hash", journal.hash.to_string()),
        ("holds    ", holds(manifest)),
    ];
    for left in &manifest.left_out {
        rows.push((
            "left out ",
            format!("{}  {}", left.name, styled(DIM, &left.why)),
        ));
    }
    facts(&rows)
}

/// The parts, those of a folder together.
fn holds(manifest: &Manifest) -> String {
    let mut held: Vec<(&str, usize)> = Vec::new();
    for part in &manifest.parts {
        let name = part.name.strip_prefix("data/").unwrap_or(&part.name);
        let name = name.split('/').next().unwrap_or(name);
        match held.iter_mut().find(|(known, _)| *known == name) {
            Some((_, number)) => *number += 1,
            None => held.push((name, 1)),
        }
    }
    let named = held.iter().map(|(name, number)| match number {
        1 => (*name).to_owned(),
        number => format!("{name} ({number})"),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// How far the copy is, on a terminal.
struct Progress {
    is_shown: bool,
}

impl Progress {
    fn new(json: bool) -> Self {
        Self {
            is_shown: !json && std::io::stderr().is_terminal(),
        }
    }

    fn show(&self, done: u32, all: u32) {
        if self.is_shown {
            let percent = u64::from(done) * 100 / u64::from(all.max(1));
            // Nobody is left to tell when standard error is gone.
            let _ = write!(
                anstream::stderr(),
                "\r{DIM}copying the journal: {percent} %{DIM:#}"
            );
        }
    }

    fn end(&self) {
        if self.is_shown {
            let _ = write!(anstream::stderr(), "\r\x1b[2K");
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let message = error.to_string();
        let failure = if error.is_refusal() {
            Self::refused(message)
        } else {
            Self::unreachable(message)
        };
        match error.cure() {
            Some(cure) => failure.cured_by(cure),
            None => failure,
        }
    }
}
