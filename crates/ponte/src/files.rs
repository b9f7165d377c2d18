//! How files of the data directory are made, so that root may work there on behalf of Ponte's own user:
//! what root writes that user can read, and no link that the user has put there leads root elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, lchown};
use std::path::Path;

use rustix::fs::OFlags;

/// A new file that only its owner may read, in the place of whatever an earlier try has left there.
///
/// # Errors
/// What the system says.
pub fn draft(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    new(path)
}

/// A file where there is none, not even a link that leads nowhere; only its owner may read it.
///
/// # Errors
/// What the system says; also when there is something of that name.
pub fn new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// A file that is there to be locked, made where there is none, for the owner of `folder`.
///
/// # Errors
/// What the system says; also when it is a link.
pub fn lock_file(path: &Path, folder: &Path) -> io::Result<File> {
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(path)?;
    hand_to_owner_of(folder, path)?;
    Ok(file)
}

/// Gives a file or a folder to whoever owns another one, where we may: root may. Who may not works for
/// themselves, in a folder that they may write to.
///
/// # Errors
/// What the system says, unless it is that we may not.
pub fn hand_to_owner_of(like: &Path, path: &Path) -> io::Result<()> {
    match give_to_owner_of(like, path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

/// Gives a file or a folder to whoever owns another one; does nothing where that is so already.
///
/// # Errors
/// When its owner may not be changed, which only root may.
pub fn give_to_owner_of(like: &Path, path: &Path) -> io::Result<()> {
    let (wanted, is) = (fs::metadata(like)?, fs::symlink_metadata(path)?);
    if (wanted.uid(), wanted.gid()) == (is.uid(), is.gid()) {
        return Ok(());
    }
    // Of a link the link itself: what it leads to may be anybody's.
    lchown(path, Some(wanted.uid()), Some(wanted.gid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (elsewhere, link) = (folder.path().join("elsewhere"), folder.path().join("link"));
        fs::write(&elsewhere, "as it was").unwrap();
        symlink(&elsewhere, &link).unwrap();
        assert!(lock_file(&link, folder.path()).is_err());
        draft(&link).unwrap();
        assert!(link.symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "as it was");
        // What a try that broke off has left is nobody's.
        fs::write(&link, "half").unwrap();
        draft(&link).unwrap();
        assert_eq!(fs::read_to_string(&link).unwrap(), "");
        let lock = folder.path().join("lock");
        assert!(lock_file(&lock, folder.path()).unwrap().try_lock().is_ok());
        assert!(lock_file(&lock, folder.path()).is_ok());
    }
}
