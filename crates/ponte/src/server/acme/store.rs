//! What must survive a restart, in the data directory: accounts, certificates with their keys, and
//! what happened last. For its owner only, and each file replaced as a whole or not at all.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use ponte_core::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::failure::RenewalFailure;
use super::schedule::Window;

/// The folder inside the data directory.
const FOLDER: &str = "acme";
/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Most sets that are looked at: their names are changed by hand.
const SETS_MAX: usize = 256;
/// Hexadecimal digits that tell one set of names, or one directory, from another.
const DIGITS: usize = 12;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Store {
    folder: PathBuf,
}

/// An account at a directory.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAccount {
    /// The e-mail addresses that the authority knows.
    pub(super) contact: Vec<String>,
    pub(super) credentials: AccountCredentials,
}

/// What is known of the certificate for one set of names at one directory, besides the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// For people who look into the folder.
    pub(super) names: Vec<String>,
    pub(super) directory: String,
    /// When the way was walked to its end at the rehearsal's directory.
    pub(super) rehearsed_at: Option<Timestamp>,
    pub(super) rehearsals: Vec<Timestamp>,
    pub(super) orders: Vec<Timestamp>,
    pub(super) failed_in_a_row: u32,
    pub(super) last_failure: Option<RenewalFailure>,
    /// The authority takes no order before.
    pub(super) limited_until: Option<Timestamp>,
    /// When the authority would like to renew the certificate that is in use.
    pub(super) window: Option<Window>,
    pub(super) ask_window_at: Option<Timestamp>,
    /// The authority does not want to hear which certificate is replaced.
    pub(super) without_replacing: bool,
}

/// A certificate with those that vouch for it, and its key; PEM.
pub(super) struct Pair {
    pub(super) chain: String,
    pub(super) key: Zeroizing<String>,
}

/// One set of names at one directory.
#[derive(Debug, Clone)]
pub(super) struct SetName(String);

impl SetName {
    pub(super) fn new(directory: &str, sorted_names: &[String]) -> Self {
        let first = sorted_names.first().map_or("none", String::as_str);
        // The name is for people; what tells sets apart is the digest.
        let plain = |letter: char| match letter {
            letter if letter.is_ascii_alphanumeric() || letter == '.' || letter == '-' => letter,
            _ => '_',
        };
        let first: String = first.chars().map(plain).take(64).collect();
        let all = format!("{directory}\n{}", sorted_names.join("\n"));
        Self(format!("{first}-{}", digest(&all)))
    }
}

impl Store {
    pub(super) fn in_data_dir(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join(FOLDER),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The account at a directory; `None` where there is none, or none that can be read.
    pub(super) fn account(&self, directory: &str) -> Option<StoredAccount> {
        self.json(&self.account_file(directory))
    }

    pub(super) fn keep_account(&self, directory: &str, account: &StoredAccount) -> io::Result<()> {
        let bytes = Zeroizing::new(serde_json::to_vec_pretty(account)?);
        self.write(&self.account_file(directory), &bytes)
    }

    pub(super) fn forget_account(&self, directory: &str) -> io::Result<()> {
        match fs::remove_file(self.account_file(directory)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What is known of a set; nothing where nothing can be read, which costs no more than a repeat.
    pub(super) fn record(&self, set: &SetName) -> Record {
        self.json(&self.file(set, "json")).unwrap_or_default()
    }

    pub(super) fn keep_record(&self, set: &SetName, record: &Record) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(record)?;
        self.write(&self.file(set, "json"), &bytes)
    }

    /// The file of a set's certificate and key, for messages.
    pub(super) fn pair_file(&self, set: &SetName) -> PathBuf {
        self.file(set, "pem")
    }

    /// The certificate and the key of a set, as one text.
    ///
    /// # Errors
    /// What the system says; `NotFound` where there is none.
    pub(super) fn pair(&self, set: &SetName) -> io::Result<Zeroizing<String>> {
        read(&self.file(set, "pem"))
    }

    /// The sets of which there is a certificate.
    pub(super) fn sets(&self) -> Vec<SetName> {
        // Without the folder there are none.
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let path = entry.path();
            let name = path.file_stem()?.to_str()?.to_owned();
            (path.extension()? == "pem").then_some(SetName(name))
        });
        names.take(SETS_MAX).collect()
    }

    /// Both are one file, so that they can't be of two renewals.
    pub(super) fn keep_pair(&self, set: &SetName, pair: &Pair) -> io::Result<()> {
        let mut text = Zeroizing::new(String::with_capacity(pair.key.len() + pair.chain.len() + 1));
        text.push_str(&pair.key);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&pair.chain);
        self.write(&self.file(set, "pem"), text.as_bytes())
    }

    fn account_file(&self, directory: &str) -> PathBuf {
        self.folder
            .join(format!("account-{}.json", digest(directory)))
    }

    fn file(&self, set: &SetName, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", set.0))
    }

    fn json<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        let text = match read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the file can't be read and counts as not there");
                return None;
            }
        };
        let value = serde_json::from_str(&text);
        if value.is_err() {
            // What is wrong with it could repeat some of it.
            tracing::warn!(file = %path.display(), "the file is broken and counts as not there");
        }
        value.ok()
    }

    /// Replaces a file as a whole: a crash leaves the old one or the new one.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        make_folder(&self.folder)?;
        let draft = path.with_extension("new");
        // One that a crash has left.
        let _ = fs::remove_file(&draft);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        fs::File::open(&self.folder)?.sync_all()
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let file = fs::File::open(path)?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string can't fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits.truncate(DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn everything_is_for_its_owner_only_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_data_dir(folder.path());
        let set = SetName::new("https://ca.example.com", &names(&["a.example.com"]));
        assert_eq!(store.record(&set), Record::default());
        assert_eq!(
            store.pair(&set).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        let record = Record {
            names: names(&["a.example.com"]),
            failed_in_a_row: 3,
            rehearsed_at: Some(Timestamp(7)),
            ..Record::default()
        };
        let pair = Pair {
            chain: "CHAIN\n".to_owned(),
            key: Zeroizing::new("KEY".to_owned()),
        };
        // A draft that a crash has left is in nobody's way.
        store.keep_record(&set, &Record::default()).unwrap();
        fs::write(store.pair_file(&set).with_extension("new"), "half").unwrap();
        store.keep_record(&set, &record).unwrap();
        store.keep_pair(&set, &pair).unwrap();
        assert_eq!(store.record(&set), record);
        assert_eq!(*store.pair(&set).unwrap(), "KEY\nCHAIN\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.folder()), 0o700);
        let files: Vec<_> = fs::read_dir(store.folder())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(files.len(), 2, "{files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }

    #[test]
    fn a_broken_record_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_data_dir(folder.path());
        let set = SetName::new("d", &names(&["a"]));
        store.keep_record(&set, &Record::default()).unwrap();
        fs::write(store.file(&set, "json"), "{\"names\":").unwrap();
        assert_eq!(store.record(&set), Record::default());
        assert!(store.account("d").is_none());
    }

    #[test]
    fn sets_and_directories_have_files_of_their_own() {
        let one = SetName::new("d", &names(&["a.example.com", "b.example.com"]));
        let other = SetName::new("d", &names(&["a.example.com"]));
        let elsewhere = SetName::new("e", &names(&["a.example.com"]));
        assert!(one.0.starts_with("a.example.com-"));
        assert_ne!(one.0, other.0);
        assert_ne!(other.0, elsewhere.0);
        let address = SetName::new("d", &names(&["2001:db8::1"]));
        assert!(address.0.starts_with("2001_db8__1-"), "{}", address.0);
    }
}
