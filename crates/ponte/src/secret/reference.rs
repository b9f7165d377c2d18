//! Where a secret is kept, as the configuration writes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Longest name of a secret in the vault or among credentials, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// The name of a secret in the vault or among systemd's credentials: safe as a file's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName(String);

impl SecretName {
    /// Takes a text as a name: 1 to [`NAME_BYTES_MAX`] letters, digits, `.`, `_` and `-`, the first a
    /// letter or a digit.
    ///
    /// # Errors
    /// When it is something else.
    pub fn new(text: &str) -> Result<Self, SecretRefError> {
        let is_of_name =
            |letter: char| letter.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&letter);
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins_well || text.len() > NAME_BYTES_MAX || !text.chars().all(is_of_name) {
            return Err(SecretRefError::Name);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SecretName {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, which only its owner may read. A line break at its end is not part of the secret.
    File(PathBuf),
    /// Among the credentials that systemd hands to the service.
    Credential(SecretName),
    /// In the vault of the data directory.
    Vault(SecretName),
}

impl SecretRef {
    /// Reads `env:NAME`, `file:PATH`, `credential:NAME` or `vault:NAME`; a relative path is taken from `base`.
    ///
    /// # Errors
    /// What is wrong with the text, without the text: it may be the secret itself.
    pub fn parse(text: &str, base: &Path) -> Result<Self, SecretRefError> {
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(SecretRefError::NotAReference);
        };
        match kind {
            "env" if is_variable_name(rest) => Ok(Self::Env(rest.to_owned())),
            "env" => Err(SecretRefError::VariableName),
            "file" if rest.trim().is_empty() || rest.contains('\0') => Err(SecretRefError::Path),
            "file" => Ok(Self::File(base.join(rest))),
            "credential" => SecretName::new(rest).map(Self::Credential),
            "vault" => SecretName::new(rest).map(Self::Vault),
            _ => Err(SecretRefError::NotAReference),
        }
    }
}

impl SecretRef {
    /// Whether it is kept in the vault.
    #[must_use]
    pub const fn is_in_vault(&self) -> bool {
        match self {
            Self::Vault(_) => true,
            Self::Env(_) | Self::File(_) | Self::Credential(_) => false,
        }
    }

    /// The file that it is kept in, where it is in one of its own.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Env(_) | Self::Credential(_) | Self::Vault(_) => None,
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
            Self::Vault(name) => write!(f, "vault:{name}"),
        }
    }
}

/// Why a text doesn't say where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefError {
    /// It begins with none of the places; most likely it is the secret itself.
    #[error(
        "expected \"env:NAME\", \"file:PATH\", \"credential:NAME\" or \"vault:NAME\", found a text \
         that begins with none of them"
    )]
    NotAReference,
    /// What follows `env:` can't be the name of a variable.
    #[error("expected the name of a variable after \"env:\": letters, digits and \"_\"")]
    VariableName,
    /// Nothing usable follows `file:`.
    #[error("expected a path after \"file:\"")]
    Path,
    /// What follows `credential:` or `vault:` is no name there.
    #[error(
        "expected a name of 1 to {NAME_BYTES_MAX} letters, digits, \".\", \"_\" and \"-\", the first a \
         letter or a digit"
    )]
    Name,
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
