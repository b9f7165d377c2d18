//! Secrets: where they are kept, and a type that can't be printed.
//!
//! The configuration names a secret (`env:NAME`, `file:PATH`); its value is read once at the start
//! into a [`Secret`], which shows itself as `«redacted»`, is wiped when dropped and is compared
//! without telling by its time how near a guess was.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ponte_core::id::SourceName;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

/// Shortest secret that is taken, in bytes.
pub const SECRET_BYTES_MIN: usize = 8;
/// Shortest secret that is taken without a warning, in bytes.
pub const SECRET_BYTES_GOOD: usize = 16;
/// Longest secret that is taken, in bytes.
pub const SECRET_BYTES_MAX: usize = 512;

/// Longest PEM of a signing key that is taken, in bytes: an RSA key of 4096 bits has about 3300.
pub const SIGNING_KEY_BYTES_MAX: usize = 8192;

/// What stands in the place of a secret wherever it would be shown.
pub const REDACTED: &str = "«redacted»";

/// Looks up an environment variable. The real one is [`std::env::var_os`]; tests bring their own.
pub type Variables<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

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

/// What a secret may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One line.
    Text,
    /// One line, or the PEM of a private key.
    SigningKey,
}

impl Form {
    const fn bytes_max(self) -> usize {
        match self {
            Self::Text => SECRET_BYTES_MAX,
            Self::SigningKey => SIGNING_KEY_BYTES_MAX,
        }
    }
}

/// With these words a PEM begins (RFC 7468).
const PEM_BEGIN: &str = "-----BEGIN ";

fn check_pem(text: &str) -> Result<(), SecretError> {
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

/// A text that must not be seen: it shows itself as `«redacted»` and is wiped when dropped.
pub struct Secret {
    text: Zeroizing<String>,
    /// Compared instead of the text, so that neither its length nor its first letters show in the time.
    digest: Zeroizing<[u8; 32]>,
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

    fn of(text: String, form: Form) -> Result<Self, SecretError> {
        let mut text = Zeroizing::new(text);
        let length = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(length);
        if text.len() < SECRET_BYTES_MIN {
            return Err(SecretError::TooShort { bytes: text.len() });
        }
        if form == Form::SigningKey && text.starts_with(PEM_BEGIN) {
            check_pem(&text)?;
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

    /// Reads the secret from where it is kept, with the given environment.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn resolve_with(
        reference: &SecretRef,
        variables: &Variables<'_>,
    ) -> Result<Self, SecretError> {
        Self::resolve_form(reference, variables, Form::Text)
    }

    /// Reads a [`Self::signing_key`] from where it is kept, with the given environment.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn resolve_signing_key_with(
        reference: &SecretRef,
        variables: &Variables<'_>,
    ) -> Result<Self, SecretError> {
        Self::resolve_form(reference, variables, Form::SigningKey)
    }

    fn resolve_form(
        reference: &SecretRef,
        variables: &Variables<'_>,
        form: Form,
    ) -> Result<Self, SecretError> {
        match reference {
            SecretRef::Env(name) => {
                let Some(value) = variables(name) else {
                    return Err(SecretError::NotSet { name: name.clone() });
                };
                Self::of(value.into_string().map_err(|_| SecretError::NotText)?, form)
            }
            SecretRef::File(path) => Self::read(path, form),
        }
    }

    /// Writes the secret into a new file that only its owner may read, and makes the folder for it.
    ///
    /// # Errors
    /// What the system says; also when the file is there already, for it may be in use.
    pub fn write_new(&self, path: &Path) -> io::Result<()> {
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
        file.write_all(self.text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
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

    fn read(path: &Path, form: Form) -> Result<Self, SecretError> {
        let unreadable = |why: io::Error| SecretError::Unreadable {
            path: path.display().to_string(),
            why: why.to_string(),
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::other("it is not a file")));
        }
        only_owner(path, &metadata)?;
        let file = fs::File::open(path).map_err(unreadable)?;
        // Enough room from the start, so that no copy is left behind by growing.
        let limit = form.bytes_max() + "\r\n".len() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit * 2));
        file.take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() == limit {
            return Err(SecretError::TooLong {
                most: form.bytes_max(),
            });
        }
        let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|bad| {
            drop(Zeroizing::new(bad.into_bytes()));
            SecretError::NotText
        })?;
        Self::of(text, form)
    }
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

/// The secrets of all sources.
#[derive(Debug, Default)]
pub struct SourceSecrets {
    secrets: Vec<(SourceName, Secret)>,
}

impl SourceSecrets {
    /// Adds a source's secret. Two sources with the same secret are the configuration's error; the last one answers.
    pub fn insert(&mut self, source: SourceName, secret: Secret) {
        assert!(
            self.secrets.len() < usize::from(u16::MAX),
            "more sources than can be told apart"
        );
        self.secrets.push((source, secret));
    }

    /// The source whose secret was presented. Every secret is looked at, whichever matches, and a
    /// wrong guess takes the time of a right one.
    #[must_use]
    pub fn matching(&self, presented: &[u8]) -> Option<&SourceName> {
        let secrets = self.secrets.iter().map(|(_, secret)| secret);
        let place = place_of(secrets, presented)?;
        self.secrets.get(place).map(|(source, _)| source)
    }

    /// The secret of a source, for showing its owner what to paste into TradingView.
    #[must_use]
    pub fn get(&self, source: &SourceName) -> Option<&Secret> {
        self.iter()
            .find_map(|(name, secret)| (name == source).then_some(secret))
    }

    /// The sources and their secrets, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceName, &Secret)> {
        self.secrets.iter().map(|(name, secret)| (name, secret))
    }
}

/// Which of these secrets was presented; the last one where several are the same. Every one is
/// looked at, whichever matches, and a wrong guess takes the time of a right one.
pub fn place_of<'a>(secrets: impl Iterator<Item = &'a Secret>, presented: &[u8]) -> Option<usize> {
    let presented = digest(presented);
    let mut found = Choice::from(0);
    let mut place = 0_u32;
    for (index, secret) in (0_u32..).zip(secrets) {
        let same = secret.digest.ct_eq(&*presented);
        place.conditional_assign(&index, same);
        found |= same;
    }
    let place = usize::try_from(place).ok()?;
    bool::from(found).then_some(place)
}

/// The two keys of one account at Binance.
#[derive(Debug)]
pub struct BinanceSecrets {
    /// The API key, which goes with every request.
    pub api_key: Secret,
    /// The key that signs requests: an HMAC secret, or the PEM of an Ed25519 or RSA private key.
    pub signing_key: Secret,
}

fn digest(bytes: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(bytes).into())
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(unix)]
fn only_owner(path: &Path, metadata: &fs::Metadata) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::OpenToOthers {
            path: path.display().to_string(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn only_owner(_: &Path, _: &fs::Metadata) -> Result<(), SecretError> {
    Ok(())
}
