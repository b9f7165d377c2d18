//! Backups in one folder: how they are named, and which are taken away.

use std::fs;
use std::path::{Path, PathBuf};

use ponte_core::time::Timestamp;

use super::BackupError;

const BEGINNING: &str = "ponte-";
const PLAIN: &str = ".tar";
const SEALED: &str = ".tar.age";
/// `2026-11-23T120000.123456Z`: sorts by time, and has no character that a file system minds.
const SHAPE: &str = "0000-00-00T000000.000000Z";

/// The name of a backup that is made at this moment.
#[must_use]
pub fn name_at(at: Timestamp, is_sealed: bool) -> String {
    let time = at.to_string().replace(':', "");
    let ending = if is_sealed { SEALED } else { PLAIN };
    format!("{BEGINNING}{time}{ending}")
}

/// Takes away all but the newest `keep` backups of a folder, by the times in their names; says which.
/// Files that have other names are not touched.
///
/// # Errors
/// When the folder can't be read or a file not be taken away.
pub fn rotate(folder: &Path, keep: usize) -> Result<Vec<PathBuf>, BackupError> {
    let failed = BackupError::io(folder);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(&failed)? {
        let name = entry.map_err(&failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| is_backup(name)) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let surplus = names.len().saturating_sub(keep);
    let mut removed = Vec::new();
    for name in names.into_iter().take(surplus) {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(BackupError::io(&path))?;
        removed.push(path);
    }
    Ok(removed)
}

fn is_backup(name: &str) -> bool {
    let time = name.strip_prefix(BEGINNING);
    let time = time.and_then(|rest| rest.strip_suffix(SEALED).or(rest.strip_suffix(PLAIN)));
    let shape = |time: &str| -> String {
        let digit = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
        time.chars().map(digit).collect()
    };
    time.is_some_and(|time| shape(time) == SHAPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn only_the_oldest_backups_go() {
        let folder = tempfile::tempdir().unwrap();
        let day = |day: u32| at(&format!("2026-11-{day:02}T12:00:00.5Z"));
        let names: Vec<String> = (1..=5)
            .map(|number| name_at(day(number), number % 2 == 0))
            .collect();
        assert_eq!(names[0], "ponte-2026-11-01T120000.500000Z.tar");
        assert_eq!(names[1], "ponte-2026-11-02T120000.500000Z.tar.age");
        let others = [
            "ponte.toml",
            "ponte-notes.tar",
            "ponte-2026-11-01T120000.500000Z.tar.partial",
        ];
        for name in names.iter().map(String::as_str).chain(others) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let removed = rotate(folder.path(), 2).unwrap();
        let expected: Vec<_> = names[..3]
            .iter()
            .map(|name| folder.path().join(name))
            .collect();
        assert_eq!(removed, expected);
        for name in others
            .iter()
            .copied()
            .chain(names[3..].iter().map(String::as_str))
        {
            assert!(folder.path().join(name).exists(), "{name}");
        }
        assert!(rotate(folder.path(), 2).unwrap().is_empty());
    }
}
