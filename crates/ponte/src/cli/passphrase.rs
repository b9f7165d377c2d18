//! Where a passphrase comes from: a file of its own, the terminal, standard input.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr;

use super::failure::Failure;
use super::typed;
use crate::secret::{PASSPHRASE_BYTES_MIN, Secret, SecretError, SecretRef};

/// A file, or `-` for the terminal or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PassphraseFrom {
    Asked,
    File(PathBuf),
}

impl FromStr for PassphraseFrom {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "-" => Self::Asked,
            path => Self::File(PathBuf::from(path)),
        })
    }
}

impl fmt::Display for PassphraseFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("what was typed"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl PassphraseFrom {
    /// Reads the passphrase. One that is new must be long enough, and is asked for twice.
    pub(super) fn read(&self, question: &str, is_new: bool) -> Result<Secret, Failure> {
        let unreadable = |error: std::io::Error| {
            Failure::unreachable(format!("the passphrase can't be read: {error}"))
        };
        let passphrase = match self {
            Self::File(path) => Secret::resolve(&SecretRef::File(path.clone()))?,
            Self::Asked if std::io::stdin().is_terminal() => {
                let ask = |question: &str| -> Result<Secret, Failure> {
                    let mut text = typed::hidden(question).map_err(unreadable)?;
                    Ok(Secret::new(std::mem::take(&mut *text))?)
                };
                let passphrase = ask(question)?;
                if is_new && !ask("once more")?.is_same(&passphrase) {
                    return Err(Failure::refused("the two are not the same"));
                }
                passphrase
            }
            Self::Asked => Secret::text_from(std::io::stdin().lock()).map_err(unreadable)??,
        };
        let bytes = passphrase.bytes();
        if is_new && bytes < PASSPHRASE_BYTES_MIN {
            return Err(SecretError::PassphraseTooShort { bytes }.into());
        }
        Ok(passphrase)
    }
}
