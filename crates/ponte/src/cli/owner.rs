//! On whose behalf root acts: what it writes must be readable by the user that the data belongs to.
//!
//! `sudo ponte …` on a server would leave files behind that the service, which runs as another user, can't
//! read; and it would write as root in folders in which that user may put links. So root gives itself up
//! for the owner of the data directory, for good, before a command begins.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::context::Context;
use super::failure::Failure;

/// Where the system keeps its users: `NAME:x:UID:GID:…`, by passwd(5).
const USERS: &str = "/etc/passwd";

/// Who carries a command out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// Whoever called: it writes where that person says.
    Caller,
    /// The owner of the data directory, if root called.
    Owner,
}

/// Whom a folder belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    folder: PathBuf,
    uid: u32,
    gid: u32,
}

impl Owner {
    /// The user, not root, to whom the folder belongs, if it is root who asks.
    fn other_than_root(folder: &Path) -> Option<Self> {
        let known = fs::metadata(folder).ok()?;
        let is_others = geteuid().is_root() && known.uid() != 0;
        is_others.then(|| Self {
            folder: folder.to_owned(),
            uid: known.uid(),
            gid: known.gid(),
        })
    }

    /// The owner of the configuration's data directory, in the same way. What is wrong with the
    /// configuration is the command's to say.
    pub(super) fn of_data(context: &Context) -> Option<Self> {
        let config = context.config().ok()?;
        Self::other_than_root(&config.data_dir)
    }

    /// The owner of a folder that is written to, in the same way.
    pub(super) fn of_folder(folder: &Path) -> Option<Self> {
        Self::other_than_root(folder)
    }

    /// Becomes the owner, with its group and no other. There is no way back.
    ///
    /// # Errors
    /// When the system does not let root do so, as in a container without that capability.
    pub(super) fn become_it(&self) -> Result<(), Failure> {
        give_up_root(self.uid, self.gid).map_err(|error| {
            let (folder, name) = (self.folder.display(), self.name());
            Failure::refused(format!(
                "{folder} belongs to {name}, and root can't become {name} here: {error}"
            ))
            .cured_by(format!("run the same as {name}"))
        })
    }

    /// Gives the owner what root has just made for it. What belongs to somebody else stays.
    ///
    /// # Errors
    /// When a file can't be given away.
    pub(super) fn receive(&self, path: &Path) -> Result<(), Failure> {
        let given = || {
            // Never through a link.
            match fs::symlink_metadata(path)?.uid() {
                0 => lchown(path, Some(self.uid), Some(self.gid)),
                _ => Ok(()),
            }
        };
        given().map_err(|error| {
            let (path, name) = (path.display(), self.name());
            Failure::unreachable(format!("{path} can't be given to {name}: {error}"))
                .cured_by(format!("chown {name} {path}"))
        })
    }

    /// What is added to a sentence about something that can't be reached.
    pub(super) fn note(&self) -> String {
        format!(
            "as the user {}, to whom {} belongs",
            self.name(),
            self.folder.display()
        )
    }

    /// The name, or the number where the system has no name for it.
    fn name(&self) -> String {
        let users = fs::read_to_string(USERS).unwrap_or_default();
        name_in(&users, self.uid).unwrap_or_else(|| self.uid.to_string())
    }
}

/// Linux gives rights to threads: there is no other thread yet, and later ones inherit.
#[cfg(target_os = "linux")]
fn give_up_root(uid: u32, gid: u32) -> io::Result<()> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&[gid])?;
    set_thread_res_gid(gid, gid, gid)?;
    Ok(set_thread_res_uid(uid, uid, uid)?)
}

#[cfg(not(target_os = "linux"))]
fn give_up_root(_: u32, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn name_in(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let mut fields = users.lines().map(|line| line.split(':'));
    fields.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\nponte:x:998:997::/var/lib/ponte:/x\n";
        assert_eq!(name_in(users, 998).as_deref(), Some("ponte"));
        assert_eq!(name_in(users, 0).as_deref(), Some("root"));
        assert_eq!(name_in(users, 997), None);
    }

    #[test]
    fn nobody_else_is_told_of_ones_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Owner::of_folder(folder.path()), None);
        assert_eq!(Owner::of_folder(&folder.path().join("nothing")), None);
    }
}
