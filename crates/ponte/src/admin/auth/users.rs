//! The file of users and tokens: read by a running Ponte, changed by it and by the command line.
//!
//! Passwords are in it as argon2id hashes, tokens, recovery codes and known browsers as SHA-256 of
//! random texts. The secret of a second factor has to be there as it is, so the file is its owner's alone.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use ponte_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Role;
use super::digest;
use crate::{files, random};

/// Most users.
pub const USERS_MAX: usize = 64;
/// Most tokens.
pub const TOKENS_MAX: usize = 256;
/// Longest name of a user or a token, in bytes.
pub const NAME_BYTES_MAX: usize = 32;
/// With this every token begins, so that it is known for what it is wherever it turns up.
pub const TOKEN_PREFIX: &str = "ponte_";
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// Browsers that are remembered per user; the one that was seen first is forgotten first.
const DEVICES_MAX: usize = 8;
const FOLDER: &str = "admin";
const FILE: &str = "users.json";
const LOCK: &str = "users.lock";
const NEW_FILE: &str = "users.json.new";
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const VERSION: u32 = 1;

/// Everybody who may reach the owner's side from elsewhere.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    version: u32,
    /// The users, by name.
    pub users: Vec<User>,
    /// The tokens, by name.
    #[serde(default)]
    pub tokens: Vec<Token>,
}

/// A person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// In small letters.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The password's hash, as a PHC string.
    pub password: String,
    /// The second factor, where one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<SecondFactor>,
    /// Hashes of what browsers carry that have signed in before.
    #[serde(default)]
    pub devices: Vec<String>,
    /// A random text; sessions begun under another one are over.
    pub epoch: String,
    /// When the user was added.
    pub made_at: Timestamp,
    /// When and from where the user signed in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<Seen>,
    /// When the user was last let in again by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlocked_at: Option<Timestamp>,
}

/// A user's second factor.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// In base32.
    pub secret: String,
    /// The step of the last code that was used: none is taken twice.
    pub used_step: u64,
    /// Hashes of the recovery codes that are left.
    pub recovery: Vec<String>,
}

/// What a program shows instead of a password.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The SHA-256 of the token.
    pub hash: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When and from where it was used last, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Seen>,
}

/// When and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// The client's address.
    pub from: String,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            version: VERSION,
            users: Vec::new(),
            tokens: Vec::new(),
        }
    }
}

impl Users {
    /// The user of this name, as it is typed.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        let name = name.trim().to_lowercase();
        self.users.iter().find(|user| user.name == name)
    }

    /// The same to be changed.
    pub fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        let name = name.trim().to_lowercase();
        self.users.iter_mut().find(|user| user.name == name)
    }

    /// The token with this hash, whether or not it has expired. The time says nothing about how near a
    /// guess was: hashes of guesses can't be steered.
    pub(super) fn token(&self, hash: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.hash == hash)
    }
}

impl User {
    /// A new one.
    #[must_use]
    pub fn new(name: &str, role: Role, password_hash: String, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            role,
            password: password_hash,
            totp: None,
            devices: Vec::new(),
            epoch: new_epoch(),
            made_at: now,
            last_sign_in: None,
            unlocked_at: None,
        }
    }

    /// Ends every session of the user.
    pub fn end_sessions(&mut self) {
        self.epoch = new_epoch();
    }

    /// Whether this is carried by a browser that has signed in before.
    pub(super) fn knows_device(&self, device: &str) -> bool {
        let hash = digest(device);
        self.devices.contains(&hash)
    }

    /// Remembers a browser.
    pub(super) fn remember_device(&mut self, device: &str) {
        if self.knows_device(device) {
            return;
        }
        self.devices.push(digest(device));
        if self.devices.len() > DEVICES_MAX {
            self.devices.remove(0);
        }
    }
}

fn new_epoch() -> String {
    random::hex_token(8)
}

/// A new token's text and what is kept of it.
#[must_use]
pub fn new_token() -> (zeroize::Zeroizing<String>, String) {
    let text = format!("{TOKEN_PREFIX}{}", random::url_token(TOKEN_BYTES));
    let hash = digest(&text);
    (zeroize::Zeroizing::new(text), hash)
}

/// Reads a name of a user or a token: 1 to 32 letters, digits or `. _ - @`, in small letters.
///
/// # Errors
/// What is wrong with it.
pub fn name(text: &str) -> Result<String, UsersError> {
    let name = text.trim().to_lowercase();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-@".contains(letter);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_plain) {
        let shown: String = text.chars().take(NAME_BYTES_MAX + 1).collect();
        return Err(UsersError::Name(shown));
    }
    Ok(name)
}

/// What can go wrong with the file of users.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file or its folder can't be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file's content is not what was written.
    #[error("{}: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// No name.
    #[error("{0:?} can't be a name: it has 1 to {NAME_BYTES_MAX} letters, digits or . _ - @")]
    Name(String),
    /// There is no such user or token.
    #[error("there is no {what} {name:?}{known}")]
    Absent {
        /// `user` or `token`.
        what: &'static str,
        /// The name.
        name: String,
        /// Which there are, as a sentence's end.
        known: String,
    },
    /// There is one already.
    #[error("there is a {what} {name:?} already")]
    Exists {
        /// `user` or `token`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There are too many.
    #[error("there are {most} {what}s, which is the maximum")]
    TooMany {
        /// `user` or `token`.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
}

/// What tells one content of the file from another, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

/// Where the file is.
#[derive(Debug, Clone)]
pub struct UsersFile {
    data_dir: PathBuf,
    folder: PathBuf,
}

impl UsersFile {
    /// The file of a data directory.
    #[must_use]
    pub fn in_data_dir(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            folder: data_dir.join(FOLDER),
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// What is in it; nobody where there is no file yet.
    ///
    /// # Errors
    /// When it can't be read, or is not what was written.
    pub fn read(&self) -> Result<Users, UsersError> {
        let path = self.path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Users::default()),
            Err(source) => return Err(UsersError::File { path, source }),
        };
        let mut text = zeroize::Zeroizing::new(String::new());
        let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
        if let Err(source) = read {
            return Err(UsersError::File { path, source });
        }
        let unreadable = |problem: String| UsersError::Unreadable {
            path: path.clone(),
            problem,
        };
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(unreadable(format!(
                "it has more than {FILE_BYTES_MAX} bytes"
            )));
        }
        // What the reader says of an error repeats no content but the names of fields.
        let users: Users = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            unreadable(format!(
                "it is not what was written, from line {line}, column {column} on"
            ))
        })?;
        if users.version != VERSION {
            let found = users.version;
            return Err(unreadable(format!(
                "it has version {found}, this Ponte knows {VERSION}; use the newer Ponte"
            )));
        }
        Ok(users)
    }

    /// Changes what is in it, as one step for all who do so at a time.
    ///
    /// # Errors
    /// What `change` says, or why the file can't be written; then it is as it was.
    pub fn change<T, E: From<UsersError>>(
        &self,
        change: impl FnOnce(&mut Users) -> Result<T, E>,
    ) -> Result<T, E> {
        let lock = self.lock()?;
        let mut users = self.read()?;
        let changed = change(&mut users)?;
        users.users.sort_by(|a, b| a.name.cmp(&b.name));
        users.tokens.sort_by(|a, b| a.name.cmp(&b.name));
        self.write(&users)?;
        drop(lock);
        Ok(changed)
    }

    /// What tells the present content from another; `None` where there is no file.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::metadata(self.path()).ok()?;
        Some(Stamp {
            inode: metadata.ino(),
            bytes: metadata.len(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        })
    }

    fn lock(&self) -> Result<File, UsersError> {
        let folder = self.folder.clone();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        self.at(&folder, builder.create(&folder))?;
        self.keep_owner(&folder)?;
        let path = self.folder.join(LOCK);
        let file = self.at(&path, files::lock_file(&path, &self.data_dir))?;
        self.at(&path, file.lock())?;
        Ok(file)
    }

    fn write(&self, users: &Users) -> Result<(), UsersError> {
        let path = self.folder.join(NEW_FILE);
        let text = serde_json::to_vec_pretty(users).map_err(io::Error::other);
        let text = zeroize::Zeroizing::new(self.at(&path, text)?);
        let mut file = self.at(&path, files::draft(&path))?;
        self.at(&path, file.write_all(&text).and_then(|()| file.sync_all()))?;
        self.keep_owner(&path)?;
        let target = self.path();
        self.at(&target, fs::rename(&path, &target))?;
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        self.at(&self.folder, folder)
    }

    /// What root writes on behalf of Ponte's own user must be readable by that one.
    fn keep_owner(&self, path: &Path) -> Result<(), UsersError> {
        self.at(path, files::hand_to_owner_of(&self.data_dir, path))
    }

    fn at<T>(&self, path: &Path, result: io::Result<T>) -> Result<T, UsersError> {
        result.map_err(|source| UsersError::File {
            path: path.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const NOW: Timestamp = Timestamp(1_795_996_800_000_000);

    fn added(file: &UsersFile, name: &str) -> Result<(), UsersError> {
        file.change(|users| {
            users
                .users
                .push(User::new(name, Role::View, "$".to_owned(), NOW));
            Ok(())
        })
    }

    #[test]
    fn what_is_written_is_read_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = UsersFile::in_data_dir(folder.path());
        assert!(file.read().unwrap().users.is_empty());
        assert!(file.stamp().is_none());
        added(&file, "zoe").unwrap();
        let first = file.stamp();
        added(&file, "ana").unwrap();
        assert_ne!(file.stamp(), first);
        let users = file.read().unwrap();
        let names: Vec<_> = users.users.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["ana", "zoe"]);
        assert!(users.user(" Ana ").is_some());
        for (path, mode) in [(file.path(), 0o600), (folder.path().join("admin"), 0o700)] {
            let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{}", path.display());
        }
        let refused = file.change(|users| {
            users.users.clear();
            Err::<(), _>(UsersError::Name("x".to_owned()))
        });
        assert!(refused.is_err());
        assert_eq!(file.read().unwrap().users.len(), 2);
    }

    #[test]
    fn changes_at_the_same_time_all_count() {
        let folder = tempfile::tempdir().unwrap();
        let file = UsersFile::in_data_dir(folder.path());
        std::thread::scope(|scope| {
            for number in 0..16 {
                let file = &file;
                scope.spawn(move || added(file, &format!("user{number}")).unwrap());
            }
        });
        assert_eq!(file.read().unwrap().users.len(), 16);
    }

    #[test]
    fn a_broken_file_is_said_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = UsersFile::in_data_dir(folder.path());
        added(&file, "ana").unwrap();
        fs::write(
            file.path(),
            r#"{"version":1,"users":[{"password":"CANARY","x"#,
        )
        .unwrap();
        let error = file.read().err().unwrap().to_string();
        assert!(error.contains("line 1"), "{error}");
        assert!(!error.contains("CANARY"), "{error}");
        assert!(added(&file, "eva").is_err());
        fs::write(file.path(), r#"{"version":2,"users":[]}"#).unwrap();
        let error = file.read().err().unwrap().to_string();
        assert!(error.contains("version 2"), "{error}");
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(name(" Ana ").unwrap(), "ana");
        assert_eq!(name("ana@example.com").unwrap(), "ana@example.com");
        for bad in ["", "ana maria", "josé", "<b>", &"x".repeat(33)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
