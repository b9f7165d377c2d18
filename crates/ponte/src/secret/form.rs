//! What a secret may look like.

use super::{KEY_FILE_BYTES_MAX, SECRET_BYTES_MAX, SIGNING_KEY_BYTES_MAX, SecretError};

/// What a secret may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One line.
    Text,
    /// One line, or the PEM of a private key.
    SigningKey,
    /// The lines of a file with a key of the vault.
    KeyFile,
}

impl Form {
    pub(super) const fn bytes_max(self) -> usize {
        match self {
            Self::Text => SECRET_BYTES_MAX,
            Self::SigningKey => SIGNING_KEY_BYTES_MAX,
            Self::KeyFile => KEY_FILE_BYTES_MAX,
        }
    }
}

/// With these words a PEM begins (RFC 7468).
pub(super) const PEM_BEGIN: &str = "-----BEGIN ";

/// Whether a text of several lines has nothing in it that a text has not.
pub(super) fn check_lines(text: &str, most: usize) -> Result<(), SecretError> {
    if text.len() > most {
        return Err(SecretError::TooLong { most });
    }
    let is_odd = |letter: char| letter.is_control() && !['\t', '\r', '\n'].contains(&letter);
    if text.chars().any(is_odd) {
        return Err(SecretError::BadCharacter);
    }
    Ok(())
}

pub(super) fn check_pem(text: &str) -> Result<(), SecretError> {
    if text.len() > SIGNING_KEY_BYTES_MAX {
        return Err(SecretError::TooLong {
            most: SIGNING_KEY_BYTES_MAX,
        });
    }
    let is_odd = |letter: char| letter.is_control() && letter != '\r' && letter != '\n';
    if text.chars().any(is_odd) {
        return Err(SecretError::BadCharacter);
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(SecretError::NotPrivate);
    }
    // The second one is the older form (RFC 1421).
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(SecretError::Encrypted);
    }
    if !text.contains("-----BEGIN PRIVATE KEY-----") {
        return Err(SecretError::OtherForm);
    }
    if !text.contains("-----END PRIVATE KEY-----") {
        return Err(SecretError::CutOff);
    }
    Ok(())
}
