//! The vault: secrets in one sealed file of the data directory, opened with a key that is kept elsewhere.

mod content;
mod error;
mod lock;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ponte_core::nearest::nearest;
use ponte_core::time::Timestamp;
use zeroize::Zeroizing;

use super::value::write_new;
use super::{OpenError, SealFor, SealKey, Secret, SecretError, SecretName};
use crate::files;

pub use error::VaultError;
pub use lock::{VaultLock, VaultOpener};

/// The vault's file in the data directory.
pub const VAULT_FILE: &str = "vault.age";
/// Most secrets in a vault.
pub const VAULT_SECRETS_MAX: usize = 128;
/// Largest vault that is read, in bytes.
const VAULT_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Held by whoever changes the vault.
const LOCK_FILE: &str = "vault.lock";

/// Where the vault of a data directory is.
#[must_use]
pub fn vault_path(data_dir: &Path) -> PathBuf {
    data_dir.join(VAULT_FILE)
}

/// Writes a key into a new file that only its owner may read.
///
/// # Errors
/// What the system says; also when the file is there already.
pub fn write_key(key: &SealKey, path: &Path) -> io::Result<()> {
    write_new(&key.file_content(), path)
}

/// One secret in the vault.
pub struct Entry {
    /// Its name.
    pub name: SecretName,
    /// When it was put there.
    pub set_at: Timestamp,
    value: Zeroizing<String>,
}

impl Entry {
    /// How long the secret is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.value.len()
    }
}

/// An open vault. Its secrets are wiped when it is dropped.
#[derive(Default)]
pub struct Vault {
    /// By name.
    entries: Vec<Entry>,
}

impl Vault {
    /// Reads the vault of a data directory.
    ///
    /// # Errors
    /// Why it doesn't open.
    pub fn open(data_dir: &Path, opener: &VaultOpener) -> Result<Self, VaultError> {
        let path = vault_path(data_dir);
        let unreadable = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound {
                return VaultError::Absent { path: path.clone() };
            }
            VaultError::Unreadable {
                path: path.clone(),
                why: error.to_string(),
            }
        };
        let file = File::open(&path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        if size > VAULT_BYTES_MAX {
            return Err(VaultError::TooLarge { path, size });
        }
        let shut = |error: OpenError| VaultError::Shut {
            path: path.clone(),
            with: opener.from.clone(),
            error,
        };
        let input = io::BufReader::new(file).take(VAULT_BYTES_MAX);
        let mut reader = opener.opener.reader(input).map_err(shut)?;
        // What is sealed is shorter than its file: with this room no copy is left behind by growing.
        let room = usize::try_from(size).unwrap_or(0) + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| shut(OpenError::of_reading(error)))?;
        let entries = content::read(&bytes).ok_or(VaultError::Unknown { path })?;
        Ok(Self { entries })
    }

    /// What is in it, by name.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Whether there is a secret of this name.
    #[must_use]
    pub fn has(&self, name: &SecretName) -> bool {
        self.value(name).is_some()
    }

    pub(super) fn value(&self, name: &SecretName) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.name == *name)?;
        Some(&entry.value)
    }

    /// What is said where a secret is looked for that is not there.
    #[must_use]
    pub fn missing(&self, name: &SecretName) -> SecretError {
        let names = self.entries.iter().map(|entry| entry.name.as_str());
        SecretError::NotInVault {
            name: name.to_string(),
            nearest: nearest(name.as_str(), names).map(str::to_owned),
        }
    }

    /// Puts a secret there, in the place of one of the same name; says whether there was one.
    ///
    /// # Errors
    /// When the vault is full.
    pub fn set(
        &mut self,
        name: SecretName,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let was_there = self.take_out(&name);
        if self.entries.len() >= VAULT_SECRETS_MAX {
            return Err(VaultError::Full);
        }
        let place = self.entries.partition_point(|entry| entry.name < name);
        let value = Zeroizing::new(secret.expose().to_owned());
        let entry = Entry {
            name,
            set_at: now,
            value,
        };
        self.entries.insert(place, entry);
        Ok(was_there)
    }

    /// Takes a secret out; says whether it was there.
    pub fn take_out(&mut self, name: &SecretName) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != *name);
        self.entries.len() < before
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault with {} secrets", self.entries.len())
    }
}

/// The right to change a vault, which one process at a time has. Readers need none: a vault changes
/// in one step.
pub struct VaultGuard {
    data_dir: PathBuf,
    _lock: File,
}

impl VaultGuard {
    /// Takes the right, and makes the data directory where there is none.
    ///
    /// # Errors
    /// When another process has it, or the directory can't be used.
    pub fn take(data_dir: &Path) -> Result<Self, VaultError> {
        let unwritable = |path: &Path, error: io::Error| VaultError::Unwritable {
            path: path.to_owned(),
            why: error.to_string(),
        };
        make_private(data_dir).map_err(|error| unwritable(data_dir, error))?;
        let path = data_dir.join(LOCK_FILE);
        let lock = files::lock_file(&path, data_dir).map_err(|error| unwritable(&path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                data_dir: data_dir.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(VaultError::Busy {
                path: vault_path(data_dir),
            }),
            Err(TryLockError::Error(error)) => Err(unwritable(&path, error)),
        }
    }

    /// Whether there is a vault.
    #[must_use]
    pub fn exists(&self) -> bool {
        vault_path(&self.data_dir).exists()
    }

    /// Writes the vault. When this returns it is on disk; until then the former one is.
    ///
    /// # Errors
    /// When it can't be written; the former vault is as it was.
    pub fn write(&self, vault: &Vault, seal: &SealFor<'_>) -> Result<(), VaultError> {
        let path = vault_path(&self.data_dir);
        let bytes = content::written(&vault.entries);
        self.replace(&path, &bytes, seal)
            .map_err(|error| VaultError::Unwritable {
                path,
                why: error.to_string(),
            })
    }

    fn replace(&self, path: &Path, bytes: &[u8], seal: &SealFor<'_>) -> io::Result<()> {
        let draft = path.with_extension("age.new");
        let mut writer = seal.writer(files::draft(&draft)?)?;
        writer.write_all(bytes)?;
        writer.finish()?.sync_all()?;
        files::hand_to_owner_of(&self.data_dir, &draft)?;
        fs::rename(&draft, path)?;
        File::open(&self.data_dir)?.sync_all()
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}
