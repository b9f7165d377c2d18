//! Commands that root gives on behalf of Ponte's own user leave nothing that this user can't read.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown, lchown};
use std::path::Path;

use super::Home;

/// A user whom root can hand files to; who is not root has only themselves.
const NOBODY: u32 = 65_534;

fn owner_for(folder: &Path) -> u32 {
    fs::create_dir_all(folder).unwrap();
    let ours = fs::metadata(folder).unwrap().uid();
    if ours != 0 {
        return ours;
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    NOBODY
}

fn give(folder: &Path, owner: u32) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        lchown(&path, Some(owner), Some(owner)).unwrap();
        if path.is_dir() {
            give(&path, owner);
        }
    }
}

#[track_caller]
fn all_belong_to(folder: &Path, owner: u32) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        assert_eq!(metadata.uid(), owner, "{}", entry.path().display());
        if metadata.is_dir() {
            all_belong_to(&entry.path(), owner);
        }
    }
}

#[test]
fn what_root_writes_belongs_to_the_owner_of_the_data_directory() {
    // All that is read lies where that user may read it, as on a server.
    let home = Home::with_vault_in(|data| {
        fs::create_dir_all(data).unwrap();
        let folder = data.parent().unwrap();
        let owner = owner_for(folder);
        give(folder, owner);
    });
    let data = home.path("data");
    let owner = fs::metadata(&data).unwrap().uid();
    home.run(&["vault", "import", "file:secrets/main"]).ok();
    home.run(&["user", "add", "ana", "--role", "view", "--generate"])
        .ok();
    home.run(&["source", "off", "main"]).ok();
    for file in [
        "vault.age",
        "vault.lock",
        "admin/users.json",
        "journal.sqlite",
    ] {
        assert!(data.join(file).exists(), "{file}");
    }
    all_belong_to(&data, owner);
    fs::write(home.path("passphrase"), "correct horse battery\n").unwrap();
    let rights = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(home.path("passphrase"), rights).unwrap();
    home.run(&["backup", "b.age", "--passphrase-from", "passphrase"])
        .ok();
    let restored = home.path("restored");
    owner_for(&restored);
    let restore = ["restore", "b.age", "--to", "restored"];
    home.run(&[&restore[..], &["--passphrase-from", "passphrase"]].concat())
        .ok();
    assert!(restored.join("admin/users.json").exists());
    all_belong_to(&restored, owner);
}
