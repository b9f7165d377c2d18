//! Why the vault can't be used, with the cure.

use std::path::PathBuf;

use super::VAULT_SECRETS_MAX;
use crate::secret::{OpenError, SecretError};

/// Why the vault can't be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is none.
    #[error("there is no vault at {path}")]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// There is one already.
    #[error("there is a vault at {path} already")]
    Present {
        /// Where it is.
        path: PathBuf,
    },
    /// The file can't be read.
    #[error("vault {path} can't be read: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file is larger than any vault.
    #[error("{path} has {size} bytes, more than a vault can have")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        size: u64,
    },
    /// The key or the passphrase does not open it.
    #[error("vault {path} does not open with {with}: {error}")]
    Shut {
        /// The file.
        path: PathBuf,
        /// Where the key or the passphrase is kept.
        with: String,
        /// Why.
        error: OpenError,
    },
    /// It opens, and what is in it is in no form that this Ponte knows.
    #[error("vault {path} opens, and its content is in a form that this Ponte does not know")]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// The key or the passphrase can't be had.
    #[error("the {what} in {from}: {error}")]
    NoOpener {
        /// Key or passphrase.
        what: &'static str,
        /// Where it is kept.
        from: String,
        /// Why.
        error: SecretError,
    },
    /// What should be the key is none.
    #[error("{from} holds no key: {error}")]
    NotAKey {
        /// Where it is kept.
        from: String,
        /// Why.
        error: crate::secret::NotAKey,
    },
    /// As many secrets as a vault can hold.
    #[error("the vault is full: it has {VAULT_SECRETS_MAX} secrets")]
    Full,
    /// Another process is changing it.
    #[error("vault {path} is being changed by another ponte vault")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It can't be written.
    #[error("{path} can't be written: {why}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}

impl VaultError {
    /// What the owner can do about it.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Absent { .. } => "make one: ponte vault init".to_owned(),
            Self::Present { .. } => {
                "use it: ponte vault set NAME; or take the file away first".to_owned()
            }
            Self::Unreadable { .. } => {
                "let the user who runs ponte read it: chown, chmod 600".to_owned()
            }
            Self::TooLarge { .. } | Self::Unknown { .. } => {
                "take it from a backup, or use the Ponte that wrote it".to_owned()
            }
            Self::Shut { error, .. } => match error {
                OpenError::WrongKey => {
                    "give the key that ponte vault init or rekey made for it, or take vault and key \
                     from one backup"
                        .to_owned()
                }
                OpenError::AsksPassphrase => {
                    "write passphrase = … in [vault] instead of key".to_owned()
                }
                OpenError::AsksKey => "write key = … in [vault] instead of passphrase".to_owned(),
                OpenError::TooMuchWork { .. } | OpenError::NotAge | OpenError::Damaged => {
                    "take it from a backup, or take it away and set the secrets anew: ponte vault \
                     init"
                        .to_owned()
                }
                OpenError::Io(_) => "look at the disk".to_owned(),
            },
            Self::NoOpener { error, .. } => error.cure(),
            Self::NotAKey { .. } => {
                "give the file that ponte vault init, ponte backup --new-key or age-keygen wrote".to_owned()
            }
            Self::Full => "take out what is not used: ponte vault list, ponte vault remove".to_owned(),
            Self::Busy { .. } => "wait for it to end".to_owned(),
            Self::Unwritable { .. } => {
                "run it as the user who runs ponte, and look at the room on the disk".to_owned()
            }
        }
    }
}
