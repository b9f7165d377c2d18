//! Files that only their owner can open: the age format (age-encryption.org/v1), with a key or a passphrase.
//!
//! What the crate keeps in memory: a key wipes itself when it is dropped; the buffer of up to 64 KiB
//! with what is being written does not.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use zeroize::Zeroizing;

use super::Secret;

/// Shortest passphrase that is taken for a new file, in bytes.
pub const PASSPHRASE_BYTES_MIN: usize = 12;
/// The work that a passphrase costs, as a power of two: 128 MiB of memory and about half a second
/// (OWASP's password storage cheat sheet, scrypt with N = 2^17, r = 8, p = 1).
const WORK: u8 = 17;
/// The most work that a file may ask for; age's own programs ask for 18, which takes 256 MiB.
const WORK_MAX: u8 = 18;

/// Opens what was sealed for its public half.
pub struct SealKey(x25519::Identity);

impl SealKey {
    /// A new one, from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// Reads a key file's content: one line `AGE-SECRET-KEY-1…`, and comments as `age-keygen` writes them.
    ///
    /// # Errors
    /// When there is no key in it, or more than one.
    pub fn parse(content: &Secret) -> Result<Self, NotAKey> {
        let lines = content.expose().lines().map(str::trim);
        let mut keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(NotAKey);
        };
        key.parse().map(Self).map_err(|_| NotAKey)
    }

    /// What may be known to everybody: with it files are sealed, not opened.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_public())
    }

    /// The content of a key file.
    #[must_use]
    pub fn file_content(&self) -> Zeroizing<String> {
        let key = self.0.to_string();
        let public = self.public();
        // Enough room from the start, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str("# Whoever has this key opens what is sealed for the public one.\n");
        text.push_str(&format!("# public key: {public}\n"));
        text.push_str(key.expose_secret());
        text.push('\n');
        text
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::REDACTED)
    }
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one line that begins with AGE-SECRET-KEY-1")]
pub struct NotAKey;

/// Seals files that only the owner of the [`SealKey`] opens.
#[derive(Clone)]
pub struct PublicKey(x25519::Recipient);

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The text is not repeated: it may be the secret half.
        text.parse().map(Self).map_err(|_| {
            "expected a public key that begins with age1, as ponte backup --new-key and age-keygen -y show it"
                .to_owned()
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whom a file is sealed for.
#[derive(Debug)]
pub enum SealFor<'a> {
    /// Whoever has the secret half of one of these keys; at least one.
    Keys(&'a [PublicKey]),
    /// Whoever knows this passphrase.
    Passphrase(&'a Secret),
}

impl SealFor<'_> {
    /// Seals what is written. The file is whole only after `finish`.
    ///
    /// # Errors
    /// When nothing can be written, or there is no key.
    pub fn writer<W: Write>(&self, output: W) -> io::Result<StreamWriter<W>> {
        let encryptor = match self {
            Self::Keys(keys) => {
                let recipients = keys.iter().map(|key| &key.0 as &dyn Recipient);
                Encryptor::with_recipients(recipients)
            }
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(text_of(passphrase));
                recipient.set_work_factor(WORK);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))
            }
        };
        encryptor
            .map_err(|_| io::Error::other("there is no key to seal it for"))?
            .wrap_output(output)
    }
}

/// What opens a file.
#[derive(Debug)]
pub enum Opener {
    /// A key.
    Key(SealKey),
    /// A passphrase.
    Passphrase(Secret),
}

impl Opener {
    /// Whom new files are sealed for so that this opens them.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Key(key) => Some(key.public()),
            Self::Passphrase(_) => None,
        }
    }

    /// Opens a sealed file. What is read must be read to its end before any of it is believed: only
    /// there it shows whether the file is whole.
    ///
    /// # Errors
    /// Why it doesn't open.
    pub fn reader<R: Read>(&self, input: R) -> Result<StreamReader<R>, OpenError> {
        let decryptor = Decryptor::new(input)?;
        let asks_passphrase = decryptor.is_scrypt();
        match self {
            Self::Key(_) if asks_passphrase => Err(OpenError::AsksPassphrase),
            Self::Passphrase(_) if !asks_passphrase => Err(OpenError::AsksKey),
            Self::Key(key) => {
                let identity = std::iter::once(&key.0 as &dyn Identity);
                Ok(decryptor.decrypt(identity)?)
            }
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(text_of(passphrase));
                identity.set_max_work_factor(WORK_MAX);
                let identity = std::iter::once(&identity as &dyn Identity);
                Ok(decryptor.decrypt(identity)?)
            }
        }
    }
}

fn text_of(passphrase: &Secret) -> SecretString {
    SecretString::from(passphrase.expose().to_owned())
}

/// Why a sealed file doesn't open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was sealed for another key, or with another passphrase.
    #[error("it was sealed for another key or with another passphrase")]
    WrongKey,
    /// It was sealed with a passphrase, and a key was given.
    #[error("it was sealed with a passphrase, not for a key")]
    AsksPassphrase,
    /// It was sealed for a key, and a passphrase was given.
    #[error("it was sealed for a key, not with a passphrase")]
    AsksKey,
    /// It asks for more work than an honest one.
    #[error(
        "its passphrase costs 2^{required} steps of work, and no more than 2^{WORK_MAX} are done"
    )]
    TooMuchWork {
        /// The work, as a power of two.
        required: u8,
    },
    /// It is not in the age format, or in a newer one.
    #[error("it is not a file in the age format")]
    NotAge,
    /// It is not as it was written.
    #[error("it is damaged or cut off")]
    Damaged,
    /// It can't be read.
    #[error("{0}")]
    Io(io::Error),
}

impl From<DecryptError> for OpenError {
    fn from(error: DecryptError) -> Self {
        use DecryptError as Why;
        if let Why::DecryptionFailed | Why::KeyDecryptionFailed | Why::NoMatchingKeys = error {
            return Self::WrongKey;
        }
        if let Why::ExcessiveWork { required, .. } = error {
            return Self::TooMuchWork { required };
        }
        if let Why::InvalidMac = error {
            return Self::Damaged;
        }
        if let Why::Io(error) = error {
            return Self::of_reading(error);
        }
        // An invalid header, an unknown format, and what the crate may learn of.
        Self::NotAge
    }
}

impl OpenError {
    /// What an error means that came while a sealed file was read.
    #[must_use]
    pub fn of_reading(error: io::Error) -> Self {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        if [InvalidData, UnexpectedEof].contains(&error.kind()) {
            return Self::Damaged;
        }
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(seal: &SealFor<'_>, text: &[u8]) -> Vec<u8> {
        let mut writer = seal.writer(Vec::new()).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn opened(opener: &Opener, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
        let mut text = Vec::new();
        opener
            .reader(bytes)?
            .read_to_end(&mut text)
            .map_err(OpenError::of_reading)?;
        Ok(text)
    }

    #[test]
    fn only_its_key_opens_and_only_when_whole() {
        let key = SealKey::generate();
        let bytes = sealed(&SealFor::Keys(&[key.public()]), b"what is kept");
        let opener = Opener::Key(key);
        assert_eq!(opened(&opener, &bytes).unwrap(), b"what is kept");
        let stranger = Opener::Key(SealKey::generate());
        let refused = opened(&stranger, &bytes).unwrap_err();
        assert!(matches!(refused, OpenError::WrongKey), "{refused}");
        for length in 0..bytes.len() {
            assert!(opened(&opener, &bytes[..length]).is_err(), "{length}");
        }
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 1;
            assert!(opened(&opener, &broken).is_err(), "{place}");
        }
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = SealKey::generate();
        let content = Secret::key_file(key.file_content().to_string()).unwrap();
        let read = SealKey::parse(&content).unwrap();
        assert_eq!(read.public().to_string(), key.public().to_string());
        let twice = format!("{}{}", content.expose(), content.expose());
        let twice = Secret::key_file(twice).unwrap();
        assert_eq!(SealKey::parse(&twice).unwrap_err(), NotAKey);
        let public = Secret::key_file(key.public().to_string()).unwrap();
        assert_eq!(SealKey::parse(&public).unwrap_err(), NotAKey);
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed() {
        let passphrase = Secret::new("correct horse battery".to_owned()).unwrap();
        let bytes = sealed(&SealFor::Passphrase(&passphrase), b"what is kept");
        let other = Opener::Passphrase(Secret::new("another passphrase".to_owned()).unwrap());
        let refused = opened(&other, &bytes).unwrap_err();
        assert!(matches!(refused, OpenError::WrongKey), "{refused}");
        let key = Opener::Key(SealKey::generate());
        let refused = opened(&key, &bytes).unwrap_err();
        assert!(matches!(refused, OpenError::AsksPassphrase), "{refused}");
        let opener = Opener::Passphrase(passphrase);
        assert_eq!(opened(&opener, &bytes).unwrap(), b"what is kept");
    }
}
