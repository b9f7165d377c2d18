//! Why a secret can't be had, with the cure.

use super::{PASSPHRASE_BYTES_MIN, SECRET_BYTES_GOOD, SECRET_BYTES_MIN};

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
    /// Ponte was not started by systemd with credentials.
    #[error("there are no credentials: CREDENTIALS_DIRECTORY is not set")]
    NoCredentials,
    /// systemd handed over credentials, but not this one.
    #[error("there is no credential {name}: {path} is not there")]
    NoCredential {
        /// Its name.
        name: String,
        /// Where it would be.
        path: String,
    },
    /// A file in the folder of credentials that systemd has not written.
    #[error(
        "credential {path} has mode {mode:03o} and not 400 or 440, or is no plain file: systemd has not written it"
    )]
    NotSystemds {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The vault has no secret of this name.
    #[error("the vault has no secret {name}")]
    NotInVault {
        /// The name that was asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The vault could not be opened; why is told where it is opened.
    #[error("the vault is not open")]
    VaultClosed,
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
    /// Too short for something that lies about and can be tried for ever.
    #[error("the passphrase has {bytes} bytes, the minimum is {PASSPHRASE_BYTES_MIN}")]
    PassphraseTooShort {
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
            Self::NoCredentials => "let systemd hand it over: LoadCredential= or \
                LoadCredentialEncrypted= in the unit; on a terminal, name another place"
                .to_owned(),
            Self::NoCredential { name, .. } => {
                format!("add it to the unit: LoadCredential={name}:/path/of/the/file")
            }
            Self::NotSystemds { .. } => {
                "name it as file:PATH, or let systemd write it: LoadCredential= in the unit"
                    .to_owned()
            }
            Self::NotInVault { name, nearest } => match nearest {
                Some(nearest) => format!("did you mean vault:{nearest}?"),
                None => format!("put it there: ponte vault set {name}"),
            },
            Self::VaultClosed => "name its key in [vault]".to_owned(),
            Self::NotText | Self::BadCharacter => "use letters and digits only".to_owned(),
            Self::TooShort { .. } => format!("use {SECRET_BYTES_GOOD} random letters or more"),
            Self::PassphraseTooShort { .. } => "use five random words or more".to_owned(),
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
