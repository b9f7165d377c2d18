//! Making a backup while Ponte runs.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use ponte_core::time::Timestamp;

use super::archive::{MemberWriter, copy_hashed, member_of, sha256};
use super::parts::{DataFile, Gathered, gather};
use super::{
    BackupError, CONFIGURATION, DATA, FORMAT, JournalTip, LeftOut, MANIFEST, Manifest, Part, SUMS,
};
use crate::journal::{self, Reader, copy, path_in, verify_copy};
use crate::random;
use crate::secret::SealFor;

/// What must stay free on the data directory's disk besides the copy, in bytes: a full disk would
/// make Ponte refuse alerts.
const ROOM_LEFT: u64 = 64 * 1024 * 1024;
/// After so many bytes the backup is brought to the disk, so that it does not come there all at once
/// and hold up the journal's commits.
const SYNC_EVERY: u64 = 8 * 1024 * 1024;
/// How the folder for the copy begins, in the data directory.
const STAGING: &str = ".backup-";

/// What a backup is made of.
pub struct What<'a> {
    /// The data directory.
    pub data_dir: &'a Path,
    /// The text of the configuration.
    pub configuration: &'a str,
    /// Whom it is sealed for; nobody leaves it open, and out of it what is secret.
    pub seal: Option<SealFor<'a>>,
    /// The moment.
    pub now: Timestamp,
}

/// A backup that was made.
#[derive(Debug)]
pub struct Taken {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The file's size.
    pub bytes: u64,
}

/// Makes a backup in a new file. When this returns it is on disk under its name; before there is
/// nothing of that name.
///
/// `progress` is told how many pages of the journal are copied, and how many there are.
///
/// # Errors
/// Why there is no backup; the journal is as it was.
pub fn take(
    what: &What<'_>,
    to: &Path,
    progress: impl FnMut(u32, u32),
) -> Result<Taken, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists {
            path: to.to_owned(),
        });
    }
    let journal = path_in(what.data_dir);
    if !journal.exists() {
        return Err(BackupError::NoJournal { path: journal });
    }
    let staging = Staging::make(what.data_dir)?;
    let staged = staging.folder.join(journal::FILE_NAME);
    has_room(what.data_dir, &journal)?;
    copy(&journal, &staged, progress)?;
    let (copied, verified) = verify_copy(&staged)?;
    if let Some(broken) = verified.broken {
        return Err(BackupError::Broken { broken });
    }
    let gathered = gather(what.data_dir, what.seal.is_some())?;
    let mut draft = Draft::beside(to)?;
    let tip = JournalTip {
        events: verified.events,
        first: verified.first,
        last: verified.last,
        hash: verified.hash,
        schema: copied.schema,
    };
    let manifest = write(
        what,
        &staged,
        &gathered,
        tip,
        copied.installation,
        &mut draft,
    )?;
    let bytes = draft.keep(to)?;
    Ok(Taken { manifest, bytes })
}

fn write(
    what: &What<'_>,
    staged: &Path,
    gathered: &Gathered,
    journal: JournalTip,
    installation: String,
    draft: &mut Draft,
) -> Result<Manifest, BackupError> {
    let mut copy = File::open(staged).map_err(BackupError::io(staged))?;
    let (bytes, digest) =
        copy_hashed(&mut copy, &mut io::sink()).map_err(BackupError::io(staged))?;
    copy.rewind().map_err(BackupError::io(staged))?;
    let name = format!("{DATA}{}", journal::FILE_NAME);
    let mut parts = vec![
        part(CONFIGURATION, 0, what.configuration.as_bytes()),
        Part {
            member: name.clone(),
            name,
            bytes,
            sha256: digest,
        },
    ];
    for DataFile { name, bytes } in &gathered.files {
        parts.push(part(&format!("{DATA}{name}"), parts.len(), bytes));
    }
    let left_out: Vec<LeftOut> = gathered.left_out.clone();
    let manifest = Manifest {
        format: FORMAT,
        ponte: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: what.now,
        installation,
        journal,
        parts,
        left_out,
    };
    let path = draft.path.clone();
    let written = match &what.seal {
        None => write_members(&manifest, what, copy, gathered, BufWriter::new(&mut *draft))
            .and_then(|mut output| output.flush()),
        Some(seal) => seal
            .writer(BufWriter::new(&mut *draft))
            .and_then(|output| write_members(&manifest, what, copy, gathered, output))
            .and_then(|output| output.finish()?.flush()),
    };
    written.map_err(BackupError::io(&path))?;
    Ok(manifest)
}

fn part(name: &str, number: usize, bytes: &[u8]) -> Part {
    Part {
        name: name.to_owned(),
        member: member_of(name, number),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    }
}

fn write_members<W: Write>(
    manifest: &Manifest,
    what: &What<'_>,
    journal: File,
    gathered: &Gathered,
    output: W,
) -> io::Result<W> {
    let mut text = serde_json::to_vec_pretty(manifest)?;
    text.push(b'\n');
    let mut sums = format!("{}  {MANIFEST}\n", sha256(&text));
    let mut members = MemberWriter::new(output, what.now);
    members.add(MANIFEST, text.len() as u64, &*text)?;
    let journal: Box<dyn Read> = Box::new(BufReader::new(journal));
    let configuration: Box<dyn Read + '_> = Box::new(what.configuration.as_bytes());
    let files = gathered.files.iter();
    let files = files.map(|file| -> Box<dyn Read + '_> { Box::new(&**file.bytes) });
    let contents = [configuration, journal].into_iter().chain(files);
    for (part, content) in manifest.parts.iter().zip(contents) {
        members.add(&part.member, part.bytes, content)?;
        sums.push_str(&format!("{}  {}\n", part.sha256, part.member));
    }
    members.add(SUMS, sums.len() as u64, sums.as_bytes())?;
    members.finish()
}

fn has_room(data_dir: &Path, journal: &Path) -> Result<(), BackupError> {
    let (_, size) = Reader::open(journal)?.size()?;
    let stats =
        rustix::fs::statvfs(data_dir).map_err(|error| BackupError::io(data_dir)(error.into()))?;
    let free = stats.f_bavail.saturating_mul(stats.f_frsize);
    let needed = size.saturating_add(ROOM_LEFT);
    if free < needed {
        return Err(BackupError::NoRoom {
            path: data_dir.to_owned(),
            free,
            needed,
        });
    }
    Ok(())
}

/// The folder for the copy of the journal. It is in the data directory, so that nothing leaves that
/// unsealed; it is taken away when dropped, and one that a killed backup left by the next backup.
struct Staging {
    folder: PathBuf,
    _lock: File,
}

impl Staging {
    fn make(data_dir: &Path) -> Result<Self, BackupError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let failed = BackupError::io(data_dir);
        for entry in fs::read_dir(data_dir).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let is_staging = entry.file_name().to_string_lossy().starts_with(STAGING);
            // Whoever still works there holds its lock.
            if is_staging && File::open(entry.path()).is_ok_and(|left| left.try_lock().is_ok()) {
                // What can't be taken away is in nobody's way.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = data_dir.join(format!("{STAGING}{}", random::hex_token(8)));
        let failed = BackupError::io(&folder);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(&failed)?;
        let lock = File::open(&folder).map_err(&failed)?;
        lock.try_lock().map_err(|error| failed(error.into()))?;
        drop(failed);
        Ok(Self {
            folder,
            _lock: lock,
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next backup tries again.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A file under a name of its own until it is whole.
struct Draft {
    path: PathBuf,
    file: File,
    unsynced: u64,
}

impl Draft {
    fn beside(to: &Path) -> Result<Self, BackupError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", random::hex_token(4)));
        let path = to.with_file_name(name);
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(BackupError::io(&path))?;
        Ok(Self {
            path,
            file,
            unsynced: 0,
        })
    }

    /// Gives the file its name, unless there is one of that name by now; says its size.
    fn keep(self, to: &Path) -> Result<u64, BackupError> {
        let failed = BackupError::io(to);
        self.file.sync_all().map_err(&failed)?;
        let bytes = self.file.metadata().map_err(&failed)?.len();
        match fs::hard_link(&self.path, to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::Exists {
                    path: to.to_owned(),
                });
            }
            // A file system without links: the moment between looking and renaming has to do.
            Err(_) if !to.exists() => fs::rename(&self.path, to).map_err(&failed)?,
            Err(_) => {
                return Err(BackupError::Exists {
                    path: to.to_owned(),
                });
            }
        }
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(BackupError::io(folder))?;
        Ok(bytes)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written as u64;
        if self.unsynced >= SYNC_EVERY {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone already where it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}
