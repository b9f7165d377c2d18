//! Reading a backup and believing none of it before all of it holds.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path};

use super::archive::{ReadError, copy_hashed, read_members, sha256};
use super::parts::FILES_MAX;
use super::{BackupError, CONFIGURATION, DATA, FORMAT, MANIFEST, Manifest, Part, SUMS};
use crate::config::FILE_BYTES_MAX;
use crate::journal::{self, verify_copy};
use crate::secret::{OpenError, Opener};

/// Largest manifest, and largest list of digests, in bytes.
const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Largest journal, in bytes.
const JOURNAL_BYTES_MAX: u64 = 1 << 40;
/// Largest other file, in bytes.
const PART_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// With these words an age file begins (C2SP, age.md).
const AGE_BEGINNING: &[u8] = b"age-encryption.org/";

/// A backup that holds.
#[derive(Debug)]
pub struct Checked {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whether it was sealed.
    pub is_sealed: bool,
}

/// Reads a backup to its end, holds its parts to their digests and the whole chain of its journal to
/// its hashes. The parts are written below `into`, a folder that is there and empty, where they stay:
/// the data directory's files as they are called, and `ponte.toml`.
///
/// # Errors
/// Why it is not to be believed.
pub fn check(file: &Path, opener: Option<&Opener>, into: &Path) -> Result<Checked, BackupError> {
    let input = File::open(file).map_err(BackupError::io(file))?;
    let mut input = BufReader::new(input);
    let is_sealed = begins_sealed(&mut input).map_err(BackupError::io(file))?;
    let mut extraction = Extraction {
        into,
        manifest: None,
        sums: String::new(),
        next: 0,
        is_over: false,
    };
    let read = match (is_sealed, opener) {
        (true, None) => {
            return Err(BackupError::Sealed {
                path: file.to_owned(),
            });
        }
        (false, _) => extraction.read(&mut input),
        (true, Some(opener)) => {
            let shut = |error| BackupError::Shut {
                path: file.to_owned(),
                error,
            };
            let mut reader = opener.reader(input).map_err(shut)?;
            match extraction.read(&mut reader) {
                Err(ReadError::Wrong(_)) => return Err(shut(OpenError::Damaged)),
                read => read,
            }
        }
    };
    read.map_err(|error| match error {
        ReadError::Wrong(problem) => BackupError::damaged(file, problem),
        ReadError::Io(source) => BackupError::io(file)(source),
    })?;
    let Some(manifest) = extraction.manifest.filter(|_| extraction.is_over) else {
        return Err(BackupError::damaged(file, "it is cut off"));
    };
    if manifest.format > FORMAT {
        return Err(BackupError::TooNew {
            path: file.to_owned(),
            found: manifest.format,
            known: FORMAT,
        });
    }
    journal_holds(file, &manifest, into)?;
    Ok(Checked {
        manifest,
        is_sealed,
    })
}

fn begins_sealed(input: &mut BufReader<File>) -> io::Result<bool> {
    use std::io::BufRead as _;
    Ok(input.fill_buf()?.starts_with(AGE_BEGINNING))
}

/// Holds the journal to its own hashes, and to what the manifest says of it.
fn journal_holds(file: &Path, manifest: &Manifest, into: &Path) -> Result<(), BackupError> {
    let path = into.join(journal::FILE_NAME);
    if !path.exists() {
        return Err(BackupError::damaged(file, "there is no journal in it"));
    }
    let (copied, verified) = verify_copy(&path)?;
    if let Some(broken) = verified.broken {
        return Err(BackupError::Broken { broken });
    }
    let tip = &manifest.journal;
    let is_same = verified.hash == tip.hash
        && verified.last == tip.last
        && verified.events == tip.events
        && copied.installation == manifest.installation;
    if !is_same {
        let problem = "its journal is another one than its manifest says";
        return Err(BackupError::damaged(file, problem));
    }
    Ok(())
}

/// What was read so far.
struct Extraction<'a> {
    into: &'a Path,
    manifest: Option<Manifest>,
    /// The digests as they must stand at the end.
    sums: String,
    /// The part that must come next.
    next: usize,
    is_over: bool,
}

impl Extraction<'_> {
    fn read(&mut self, input: &mut impl Read) -> Result<(), ReadError> {
        read_members(input, |member, size, content| {
            self.take(member, size, content)
        })
    }

    fn take(&mut self, member: &str, size: u64, content: &mut dyn Read) -> Result<(), ReadError> {
        let wrong = |problem: String| Err(ReadError::Wrong(problem));
        if self.is_over {
            return wrong(format!("{member:?} stands after its end"));
        }
        let Some(manifest) = &self.manifest else {
            if member != MANIFEST {
                return wrong(format!("it begins with {member:?}, not with {MANIFEST}"));
            }
            let text = small(MANIFEST, size, content)?;
            self.sums = format!("{}  {MANIFEST}\n", sha256(&text));
            self.manifest = Some(manifest_of(&text)?);
            return Ok(());
        };
        let Some(part) = manifest.parts.get(self.next) else {
            if member != SUMS {
                return wrong(format!(
                    "{member:?} is in it, which its manifest does not name"
                ));
            }
            let sums = small(SUMS, size, content)?;
            if sums != self.sums.as_bytes() {
                return wrong(format!("{SUMS} and {MANIFEST} differ"));
            }
            self.is_over = true;
            return Ok(());
        };
        if member != part.member || size != part.bytes {
            return wrong(format!(
                "{member:?} with {size} bytes stands where its manifest says {:?} with {}",
                part.member, part.bytes
            ));
        }
        let (bytes, digest) = self.write(part, content)?;
        if bytes != part.bytes || digest != part.sha256 {
            return wrong(format!("{} is not as it was written", part.name));
        }
        self.sums.push_str(&format!("{digest}  {member}\n"));
        self.next += 1;
        Ok(())
    }

    /// Writes a part where it belongs, and to the disk.
    fn write(&self, part: &Part, content: &mut dyn Read) -> Result<(u64, String), ReadError> {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        let path = self
            .into
            .join(part.name.strip_prefix(DATA).unwrap_or(CONFIGURATION));
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let written = copy_hashed(content, &mut file)?;
        file.flush()?;
        file.sync_all()?;
        Ok(written)
    }
}

fn small(name: &str, size: u64, content: &mut dyn Read) -> Result<Vec<u8>, ReadError> {
    if size > MANIFEST_BYTES_MAX {
        let problem = format!("{name} has {size} bytes, the maximum is {MANIFEST_BYTES_MAX}");
        return Err(ReadError::Wrong(problem));
    }
    let mut bytes = Vec::new();
    content.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a manifest, and refuses names that lead elsewhere.
fn manifest_of(text: &[u8]) -> Result<Manifest, ReadError> {
    let wrong = |problem: String| Err(ReadError::Wrong(problem));
    let manifest: Manifest = match serde_json::from_slice(text) {
        Ok(manifest) => manifest,
        Err(error) => return wrong(format!("{MANIFEST} can't be read: {error}")),
    };
    if manifest.parts.len() > FILES_MAX + 2 {
        return wrong(format!("it names {} parts", manifest.parts.len()));
    }
    for (index, part) in manifest.parts.iter().enumerate() {
        let below = part.name.strip_prefix(DATA);
        let is_known = below.is_some_and(is_below) || part.name == CONFIGURATION;
        let is_new = manifest.parts[..index]
            .iter()
            .all(|other| other.name != part.name);
        let journal = below == Some(journal::FILE_NAME);
        let most = match part.name.as_str() {
            CONFIGURATION => FILE_BYTES_MAX,
            _ if journal => JOURNAL_BYTES_MAX,
            _ => PART_BYTES_MAX,
        };
        if !is_known || !is_new || part.bytes > most {
            return wrong(format!(
                "it can't hold {:?} with {} bytes",
                part.name, part.bytes
            ));
        }
    }
    Ok(manifest)
}

/// Whether a name stays below the folder that it is taken from, and out of Ponte's own way.
fn is_below(name: &str) -> bool {
    let is_plain = |part: Component<'_>| match part {
        Component::Normal(_) => true,
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            false
        }
    };
    !name.is_empty()
        && name.len() <= 512
        && !name.starts_with('.')
        && name != CONFIGURATION
        && !is_companion(name)
        && Path::new(name).components().all(is_plain)
        && !name.contains('\0')
}

/// Whether SQLite or a lock would read more out of a file of this name than stands in the journal: what
/// lies beside a database is applied to it when it is opened.
fn is_companion(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or(name);
    let beside = first.strip_prefix(journal::FILE_NAME);
    beside.is_some_and(|rest| !rest.is_empty()) || first == journal::LOCK_FILE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for good in [
            "journal.sqlite",
            "vault.age",
            "instruments/70.json",
            "acme/live/a-b.pem",
        ] {
            assert!(is_below(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            ".restoring/x",
            "ponte.toml",
            "a\0b",
            "journal.sqlite-wal",
            "journal.sqlite-journal",
            "ponte.lock",
        ] {
            assert!(!is_below(bad), "{bad}");
        }
    }
}
