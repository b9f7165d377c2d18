//! A folder for a moment, for its owner only.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::init_files::unwritable;
use crate::random;

/// A folder that is taken away when dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one in the given folder, or in the system's folder for such.
    pub(super) fn make(within: Option<&Path>) -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt as _;
        let within = within.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = within.join(format!("ponte-{}", random::hex_token(8)));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| unwritable(&path, &error))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The system takes away what stays.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
