//! A file that is said to be a backup.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    // In memory, where the system has such a folder.
    let memory = PathBuf::from("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    let file = FOLDER.path().join("backup");
    let into = FOLDER.path().join("into");
    let outside = FOLDER.path().join("outside");
    std::fs::write(&file, bytes).unwrap();
    let _ = std::fs::remove_dir_all(&into);
    std::fs::create_dir(&into).unwrap();
    let _ = ponte::backup::check(&file, None, &into);
    // No member gets out of the folder.
    assert!(!outside.exists());
    assert_eq!(std::fs::read_dir(FOLDER.path()).unwrap().count(), 2);
});
