//! The files that `ponte init` writes: never over another without force, never half.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::init::KEYS_FOLDER;
use super::owner::Owner;
use crate::config::SecretPlace;

/// Writes a configuration; one that is there is replaced only by force, and keeps its rights and its owner.
pub(super) fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder)?;
        }
        if force {
            // Half a configuration must not be there at any moment.
            let beside: PathBuf = path.with_extension("toml.new");
            fs::write(&beside, text)?;
            keep_owner(path, &beside)?;
            return fs::rename(&beside, path);
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    written().map_err(|error| unwritable(path, &error))
}

/// Gives a file that takes another's place its rights; its owner where we may, as root may.
fn keep_owner(path: &Path, beside: &Path) -> std::io::Result<()> {
    let Ok(there) = fs::metadata(path) else {
        return Ok(());
    };
    fs::set_permissions(beside, there.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Whoever isn't root owns both already, or may not.
        let _ = std::os::unix::fs::chown(beside, Some(there.uid()), Some(there.gid()));
    }
    Ok(())
}

/// Makes a folder that only its owner may look into, where there is none.
pub(super) fn private_folder(path: &Path) -> Result<(), Failure> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        folder.mode(0o700);
    }
    folder
        .create(path)
        .map_err(|error| unwritable(path, &error))
}

/// Gives what root has made beside the configuration to the user who runs Ponte.
pub(super) fn hand_over(
    owner: &Owner,
    folder: &Path,
    secret: &SecretPlace,
    others: impl Iterator<Item = PathBuf>,
) -> Result<(), Failure> {
    let mut made: Vec<PathBuf> = others.collect();
    if let SecretPlace::File(name) = secret {
        made.push(folder.join(name));
    }
    // The folder of keys too: the next ones are made and replaced in it.
    made.push(folder.join(KEYS_FOLDER));
    let mut there = made.iter().filter(|path| path.exists());
    there.try_for_each(|path| owner.receive(path))
}

/// Why a file could not be written.
pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        return Failure::refused(format!("{path} is there already"));
    }
    Failure::unreachable(format!("{path} can't be written: {error}"))
}
