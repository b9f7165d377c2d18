//! Why a secret can't be had, with the cure.

use super::{SECRET_BYTES_GOOD, SECRET_BYTES_MIN};

/// Why a secret can't be had, or not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not there.
    #[error("environment variable {name} is not set")]
    NotSet {
        /// The variable's name.
        name: String,
    },
    /// The file can't be read.
    #[error("file {path} can't be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Others than the file's owner may use it.
    #[error("file {path} has mode {mode:03o}, others than its owner may use it")]
    OpenToOthers {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The bytes are not UTF-8 text.
    #[error("the secret is not UTF-8 text")]
    NotText,
    /// A character in it can't be sent in an alert.
    #[error("the secret has a control character or a space at its ends")]
    BadCharacter,
    /// Too short to be safe.
    #[error("the secret has {bytes} bytes, the minimum is {SECRET_BYTES_MIN}")]
    TooShort {
        /// Bytes read.
        bytes: usize,
    },
    /// Longer than is read.
    #[error("the secret has more than {most} bytes")]
    TooLong {
        /// The maximum.
        most: usize,
    },
    /// A PEM, but of no private key; most likely the public half of a pair.
    #[error("the signing key is a PEM without a private key in it")]
    NotPrivate,
    /// A private key behind a passphrase, which nobody could enter when Ponte starts by itself.
    #[error("the signing key is encrypted with a passphrase")]
    Encrypted,
    /// The PEM of a private key in another form than PKCS#8, the only one that every kind of key has.
    #[error("the signing key is not in PKCS#8 form, which begins with BEGIN PRIVATE KEY")]
    OtherForm,
    /// A PEM that begins and doesn't end: its lines were lost on the way.
    #[error("the signing key begins with a BEGIN line and has no END line")]
    CutOff,
}

impl SecretError {
    /// What the owner can do about it.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::NotSet { name } => format!("set it before the start: export {name}=…"),
            Self::Unreadable { .. } => {
                "write the secret into it, readable by the user who runs ponte".to_owned()
            }
            Self::OpenToOthers { path, .. } => format!("run: chmod 600 {path}"),
            Self::NotText | Self::BadCharacter => "use letters and digits only".to_owned(),
            Self::TooShort { .. } => format!("use {SECRET_BYTES_GOOD} random letters or more"),
            Self::TooLong { most } => format!("use at most {most}"),
            Self::NotPrivate => {
                "give the private half, which openssl genpkey wrote; the exchange gets the public one"
                    .to_owned()
            }
            Self::Encrypted => {
                "write it without one, readable by its owner only: openssl pkey -in OLD -out NEW"
                    .to_owned()
            }
            Self::OtherForm => {
                "convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW".to_owned()
            }
            Self::CutOff => "keep all of its lines; a file keeps them best".to_owned(),
        }
    }
}
