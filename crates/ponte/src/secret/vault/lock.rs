//! What the vault is locked with, and where that is kept.

use super::VaultError;
use crate::secret::{
    Opener, PASSPHRASE_BYTES_MIN, Places, PublicKey, SealFor, SealKey, SecretError, SecretRef,
};

/// What the vault is locked with. Neither is kept in the vault itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultLock {
    /// A key, kept there.
    Key(SecretRef),
    /// A passphrase, kept there.
    Passphrase(SecretRef),
}

impl VaultLock {
    /// Where the key or the passphrase is kept.
    #[must_use]
    pub const fn kept(&self) -> &SecretRef {
        match self {
            Self::Key(kept) | Self::Passphrase(kept) => kept,
        }
    }

    /// Reads the key or the passphrase.
    ///
    /// # Errors
    /// When it can't be had or can't be used.
    pub fn opener(&self, places: &Places<'_>) -> Result<VaultOpener, VaultError> {
        let from = self.kept().to_string();
        let opener = match self {
            Self::Key(kept) => {
                let content = places
                    .key_file(kept)
                    .map_err(|error| VaultError::NoOpener {
                        what: "key",
                        from: from.clone(),
                        error,
                    })?;
                let key = SealKey::parse(&content).map_err(|error| VaultError::NotAKey {
                    from: from.clone(),
                    error,
                })?;
                Opener::Key(key)
            }
            Self::Passphrase(kept) => {
                let read = places.text(kept);
                let long_enough = read.and_then(|passphrase| match passphrase.bytes() {
                    bytes if bytes < PASSPHRASE_BYTES_MIN => {
                        Err(SecretError::PassphraseTooShort { bytes })
                    }
                    _ => Ok(passphrase),
                });
                Opener::Passphrase(long_enough.map_err(|error| VaultError::NoOpener {
                    what: "passphrase",
                    from: from.clone(),
                    error,
                })?)
            }
        };
        Ok(VaultOpener { opener, from })
    }
}

/// What opens the vault.
#[derive(Debug)]
pub struct VaultOpener {
    /// The key or the passphrase.
    pub opener: Opener,
    /// Where it came from, for people.
    pub from: String,
}

impl VaultOpener {
    /// Does something with whom the vault is sealed for, so that this opens it again.
    pub fn sealing<T>(&self, act: impl FnOnce(&SealFor<'_>) -> T) -> T {
        match &self.opener {
            Opener::Key(key) => act(&SealFor::Keys(&[key.public()])),
            Opener::Passphrase(passphrase) => act(&SealFor::Passphrase(passphrase)),
        }
    }

    /// The public half of the key, unless it is a passphrase.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        self.opener.public()
    }
}
