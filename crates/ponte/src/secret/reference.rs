//! Where a secret is kept, as the configuration writes it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, which only its owner may read. A line break at its end is not part of the secret.
    File(PathBuf),
}

impl SecretRef {
    /// Reads `env:NAME` or `file:PATH`; a relative path is taken from `base`.
    ///
    /// # Errors
    /// What is wrong with the text, without the text: it may be the secret itself.
    pub fn parse(text: &str, base: &Path) -> Result<Self, SecretRefError> {
        if let Some(name) = text.strip_prefix("env:") {
            if !is_variable_name(name) {
                return Err(SecretRefError::VariableName);
            }
            return Ok(Self::Env(name.to_owned()));
        }
        let Some(path) = text.strip_prefix("file:") else {
            return Err(SecretRefError::NotAReference);
        };
        if path.trim().is_empty() || path.contains('\0') {
            return Err(SecretRefError::Path);
        }
        Ok(Self::File(base.join(path)))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// Why a text doesn't say where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefError {
    /// It begins neither with `env:` nor with `file:`; most likely it is the secret itself.
    #[error("expected \"env:NAME\" or \"file:PATH\", found a text that begins with neither")]
    NotAReference,
    /// What follows `env:` can't be the name of a variable.
    #[error("expected the name of a variable after \"env:\": letters, digits and \"_\"")]
    VariableName,
    /// Nothing usable follows `file:`.
    #[error("expected a path after \"file:\"")]
    Path,
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
