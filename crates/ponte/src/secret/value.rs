//! A secret's value: a type that can't be printed, and how it is read from where it is kept.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::form::{Form, PEM_BEGIN, check_lines, check_pem};
use super::places::{Inspect, Places, unreadable};
use super::{
    KEY_FILE_BYTES_MAX, REDACTED, SECRET_BYTES_MAX, SECRET_BYTES_MIN, SecretError, SecretRef,
    Variables,
};

/// A text that must not be seen: it shows itself as `«redacted»` and is wiped when dropped.
pub struct Secret {
    text: Zeroizing<String>,
    /// Compared instead of the text, so that neither its length nor its first letters show in the time.
    pub(super) digest: Zeroizing<[u8; 32]>,
}

impl Secret {
    /// Takes a text as a secret: [`SECRET_BYTES_MIN`] to [`SECRET_BYTES_MAX`] bytes, no control
    /// characters, no white space at its ends. Line breaks at the end are cut off first.
    ///
    /// # Errors
    /// What is wrong with the text, without the text.
    pub fn new(text: String) -> Result<Self, SecretError> {
        Self::of(text, Form::Text)
    }

    /// Takes the key that signs requests to a broker: an HMAC secret as in [`Self::new`], or the PEM
    /// of a private key (PKCS#8, without a passphrase) of up to [`SIGNING_KEY_BYTES_MAX`] bytes, with
    /// its line breaks.
    ///
    /// Whether the PEM's content can be used is the adapter's question.
    ///
    /// # Errors
    /// What is wrong with the text, without the text.
    pub fn signing_key(text: String) -> Result<Self, SecretError> {
        Self::of(text, Form::SigningKey)
    }

    /// Takes the content of a key's file: several lines of up to [`KEY_FILE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// What is wrong with the text, without the text.
    pub fn key_file(text: String) -> Result<Self, SecretError> {
        Self::of(text, Form::KeyFile)
    }

    pub(super) fn of(text: String, form: Form) -> Result<Self, SecretError> {
        let mut text = Zeroizing::new(text);
        let length = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(length);
        if text.len() < SECRET_BYTES_MIN {
            return Err(SecretError::TooShort { bytes: text.len() });
        }
        if form == Form::SigningKey && text.starts_with(PEM_BEGIN) {
            check_pem(&text)?;
        } else if form == Form::KeyFile {
            check_lines(&text, KEY_FILE_BYTES_MAX)?;
        } else if text.len() > SECRET_BYTES_MAX {
            return Err(SecretError::TooLong {
                most: SECRET_BYTES_MAX,
            });
        } else if text.chars().any(char::is_control) || text.trim().len() != text.len() {
            return Err(SecretError::BadCharacter);
        }
        let digest = digest(text.as_bytes());
        Ok(Self { text, digest })
    }

    /// Makes a secret out of random bytes: two hex digits for each, safe in a URL and in JSON. Bring 16 or more.
    ///
    /// # Errors
    /// When the bytes are too few or too many.
    pub fn from_random(bytes: &[u8]) -> Result<Self, SecretError> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        Self::new(text)
    }

    /// Reads the secret from where it is kept, with the process's own environment.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn resolve(reference: &SecretRef) -> Result<Self, SecretError> {
        Self::resolve_with(reference, &|name| std::env::var_os(name))
    }

    /// Reads the secret from where it is kept, with the given environment and without the vault, to
    /// which only [`Places`] lead.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn resolve_with(
        reference: &SecretRef,
        variables: &Variables<'_>,
    ) -> Result<Self, SecretError> {
        Places::new(variables).text(reference)
    }

    /// Reads a [`Self::signing_key`] from where it is kept, with the given environment.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn resolve_signing_key_with(
        reference: &SecretRef,
        variables: &Variables<'_>,
    ) -> Result<Self, SecretError> {
        Places::new(variables).signing_key(reference)
    }

    /// Writes the secret into a new file that only its owner may read, and makes the folder for it.
    ///
    /// # Errors
    /// What the system says; also when the file is there already, for it may be in use.
    pub fn write_new(&self, path: &Path) -> io::Result<()> {
        write_new(&self.text, path)
    }

    /// The same secret once more, for who holds on to it while another takes its place.
    pub(super) fn copied(&self) -> Self {
        Self {
            text: self.text.clone(),
            digest: self.digest.clone(),
        }
    }

    /// How many bytes the secret has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The secret itself, for the one place that must show or send it. Never for a log or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether both are the same secret; the time says nothing about where they differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.digest.ct_eq(&*other.digest).into()
    }

    /// Reads a file that passes the inspection.
    pub(super) fn read(path: &Path, form: Form, inspect: Inspect) -> Result<Self, SecretError> {
        let failed = |error: io::Error| unreadable(path, &error);
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::other("it is not a file")));
        }
        inspect(path, &metadata)?;
        let file = fs::File::open(path).map_err(failed)?;
        Self::read_from(file, form).map_err(|error| match error {
            ReadError::Io(error) => failed(error),
            ReadError::Secret(error) => error,
        })
    }

    /// Reads a secret or a signing key from standard input or the like.
    ///
    /// # Errors
    /// When nothing can be read; inside, what is wrong with what was read.
    pub fn signing_key_from(input: impl Read) -> io::Result<Result<Self, SecretError>> {
        Self::sorted(Self::read_from(input, Form::SigningKey))
    }

    /// Reads a secret of one line from standard input or the like.
    ///
    /// # Errors
    /// When nothing can be read; inside, what is wrong with what was read.
    pub fn text_from(input: impl Read) -> io::Result<Result<Self, SecretError>> {
        Self::sorted(Self::read_from(input, Form::Text))
    }

    fn sorted(read: Result<Self, ReadError>) -> io::Result<Result<Self, SecretError>> {
        match read {
            Ok(secret) => Ok(Ok(secret)),
            Err(ReadError::Secret(error)) => Ok(Err(error)),
            Err(ReadError::Io(error)) => Err(error),
        }
    }

    fn read_from(input: impl Read, form: Form) -> Result<Self, ReadError> {
        // Enough room from the start, so that no copy is left behind by growing.
        let limit = form.bytes_max() + "\r\n".len() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit * 2));
        input.take(limit as u64).read_to_end(&mut bytes)?;
        if bytes.len() == limit {
            let most = form.bytes_max();
            return Err(SecretError::TooLong { most }.into());
        }
        let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|bad| {
            drop(Zeroizing::new(bad.into_bytes()));
            SecretError::NotText
        })?;
        Ok(Self::of(text, form)?)
    }
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(REDACTED)
    }
}

pub(super) fn digest(bytes: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(bytes).into())
}

/// Writes a text into a new file that only its owner may read.
pub(super) fn write_new(text: &str, path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folder.mode(0o700);
        options.mode(0o600);
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        folder.create(parent)?;
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        file.write_all(b"\n")?;
    }
    file.sync_all()
}
