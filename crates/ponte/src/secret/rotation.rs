//! The rotation of a secret in a file: the new one takes its place, and the one before it stays valid
//! for a while, in the file's companion `PATH.previous`.
//!
//! Each file is replaced as a whole, the companion first: at every moment, and after a crash between
//! the two, the secret that senders use is in one of them.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ponte_core::time::Timestamp;
use zeroize::Zeroizing;

use super::places::only_owner;
use super::{SECRET_BYTES_MAX, Secret, SecretError, SecretRef};
use crate::files::give_to_owner_of;

/// Before the moment in the companion's second line.
const UNTIL: &str = "valid until ";
/// Longest companion that is read, in bytes: a secret, a moment and line breaks.
const COMPANION_BYTES_MAX: usize = SECRET_BYTES_MAX + 64;

/// The secret before the one that holds now.
#[derive(Debug)]
pub struct Previous {
    /// The secret.
    pub secret: Secret,
    /// Until when it is taken.
    pub until: Timestamp,
}

/// Why a companion can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviousError {
    /// It can't be read, or what is in it is no secret.
    #[error("{0}")]
    Secret(#[from] SecretError),
    /// Nothing says until when it holds.
    #[error("file {path} does not say until when the previous secret holds")]
    Undated {
        /// The companion.
        path: String,
    },
}

/// Why a secret in a file was not rotated. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The one that holds now can't be read.
    #[error("{0}")]
    Secret(#[from] SecretError),
    /// A file can't be written.
    #[error("{path} can't be written: {source}")]
    Unwritable {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A rotation is under way, or broke off.
    #[error("{path} is there: another rotation is under way, or one broke off")]
    UnderWay {
        /// The file that a rotation writes first.
        path: String,
    },
}

/// Where the secret before the one in `path` is kept.
#[must_use]
pub fn previous_path(path: &Path) -> PathBuf {
    with_ending(path, ".previous")
}

/// The secret before the one in `path`, whether it still holds or not; `None` where there is none.
///
/// # Errors
/// When the companion is there and can't be used.
pub fn read_previous(path: &Path) -> Result<Option<Previous>, PreviousError> {
    let companion = previous_path(path);
    let text = match read(&companion) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let (path, why) = (companion.display().to_string(), error.to_string());
            return Err(SecretError::Unreadable { path, why }.into());
        }
    };
    only_owner_of(&companion)?;
    let undated = || PreviousError::Undated {
        path: companion.display().to_string(),
    };
    let (secret, rest) = text.split_once('\n').ok_or_else(undated)?;
    let until = rest.trim().strip_prefix(UNTIL).ok_or_else(undated)?;
    let until = Timestamp::parse_rfc3339(until).ok_or_else(undated)?;
    let secret = Secret::new(secret.to_owned())?;
    Ok(Some(Previous { secret, until }))
}

/// Puts a new secret into a file. The one that was there stays valid until `until`, or ends now.
///
/// # Errors
/// When the file can't be read or replaced; the secret that was there still holds then.
pub fn rotate(path: &Path, new: &Secret, until: Option<Timestamp>) -> Result<(), RotationError> {
    let old = Secret::resolve(&SecretRef::File(path.to_owned()))?;
    if let Some(until) = until {
        let text = Zeroizing::new(format!("{}\n{UNTIL}{until}\n", old.expose()));
        replace(&previous_path(path), path, &text)?;
    }
    replace(path, path, &line(new))?;
    if until.is_none() {
        end(path)?;
    }
    Ok(())
}

/// Ends the validity of the secret before the one in `path`. Says whether there was one.
///
/// # Errors
/// When its file can't be taken away.
pub fn end(path: &Path) -> Result<bool, RotationError> {
    let companion = previous_path(path);
    match fs::remove_file(&companion) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(unwritable(&companion, source)),
    }
}

/// Puts a secret into a file whose content nobody needs any more.
///
/// # Errors
/// When the file can't be replaced.
pub fn overwrite(path: &Path, new: &Secret) -> Result<(), RotationError> {
    replace(path, path, &line(new))
}

fn line(secret: &Secret) -> Zeroizing<String> {
    Zeroizing::new(format!("{}\n", secret.expose()))
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(2 * COMPANION_BYTES_MAX));
    let file = fs::File::open(path)?;
    let read = file
        .take(COMPANION_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text)?;
    if read > COMPANION_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it has more than {COMPANION_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

fn only_owner_of(path: &Path) -> Result<(), SecretError> {
    let metadata = fs::metadata(path).map_err(|error| SecretError::Unreadable {
        path: path.display().to_string(),
        why: error.to_string(),
    })?;
    only_owner(path, &metadata)
}

/// Replaces a file as a whole, or makes it: for its owner only, who is the owner of `like`.
fn replace(path: &Path, like: &Path, text: &str) -> Result<(), RotationError> {
    let made = with_ending(path, ".new");
    let mut file = match new_file(&made) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let path = made.display().to_string();
            return Err(RotationError::UnderWay { path });
        }
        Err(source) => return Err(unwritable(&made, source)),
    };
    let mut put = || {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // Whoever administers the machine may rotate what the user who runs Ponte has to read.
        give_to_owner_of(like, &made)?;
        fs::rename(&made, path)?;
        sync_folder(path)
    };
    put().map_err(|source| {
        // What is half made would stand in the way of the next try.
        let _ = fs::remove_file(&made);
        unwritable(path, source)
    })
}

fn new_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes a change of names in a folder durable.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn unwritable(path: &Path, source: io::Error) -> RotationError {
    RotationError::Unwritable {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "the-old-secret-0123456789";
    const UNTIL_THEN: Timestamp = Timestamp(1_800_000_000_000_000);

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned()).unwrap()
    }

    fn kept() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main");
        secret(OLD).write_new(&path).unwrap();
        (folder, path)
    }

    fn now_in(path: &Path) -> Secret {
        Secret::resolve(&SecretRef::File(path.to_owned())).unwrap()
    }

    #[test]
    fn both_are_there_until_the_old_one_is_ended() {
        let (_folder, path) = kept();
        assert!(read_previous(&path).unwrap().is_none());
        rotate(
            &path,
            &secret("the-new-secret-9876543210"),
            Some(UNTIL_THEN),
        )
        .unwrap();
        let previous = read_previous(&path).unwrap().unwrap();
        assert!(previous.secret.is_same(&secret(OLD)));
        assert_eq!(previous.until, UNTIL_THEN);
        assert!(now_in(&path).is_same(&secret("the-new-secret-9876543210")));
        assert!(end(&path).unwrap());
        assert!(!end(&path).unwrap());
        assert!(read_previous(&path).unwrap().is_none());
    }

    #[test]
    fn without_an_overlap_nothing_is_left_of_the_old_one() {
        let (folder, path) = kept();
        rotate(&path, &secret("second-secret-0123456789"), Some(UNTIL_THEN)).unwrap();
        rotate(&path, &secret("third-secret-0123456789"), None).unwrap();
        assert!(read_previous(&path).unwrap().is_none());
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1);
    }

    #[test]
    fn a_rotation_that_broke_off_is_not_taken_for_one_that_is_done() {
        let (_folder, path) = kept();
        fs::write(with_ending(&path, ".new"), "half").unwrap();
        let error = rotate(&path, &secret("the-new-secret-9876543210"), None).unwrap_err();
        assert!(matches!(error, RotationError::UnderWay { .. }), "{error}");
        assert!(now_in(&path).is_same(&secret(OLD)));
    }

    #[test]
    fn a_companion_that_says_nothing_is_no_secret() {
        let (_folder, path) = kept();
        for text in ["", OLD, "short\nvalid until 2027-01-01T00:00:00Z\n"] {
            let companion = previous_path(&path);
            let _ = fs::remove_file(&companion);
            new_file(&companion)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
            let error = read_previous(&path).unwrap_err().to_string();
            assert!(!error.contains(OLD), "{error}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let companion = previous_path(&path);
            fs::write(&companion, format!("{OLD}\n{UNTIL}{UNTIL_THEN}\n")).unwrap();
            fs::set_permissions(&companion, fs::Permissions::from_mode(0o644)).unwrap();
            let error = read_previous(&path).unwrap_err();
            assert!(error.to_string().contains("644"), "{error}");
        }
    }
}
