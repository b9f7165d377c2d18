//! A listener's certificate and key: read from files, checked, and read again when the files change.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::Error as TlsError;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::pem;
use super::tls::provider;
use super::x509::{Facts, NotACertificate};
use crate::tls::fingerprint;

/// How often the files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Largest file that is read, in bytes: a chain of several certificates has some 10 000.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The files of a certificate and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and after it those that vouch for it, if there are any.
    pub certificate: PathBuf,
    /// The private key: PKCS#8, or the older forms of RSA and EC keys, without a passphrase.
    pub key: PathBuf,
}

/// A certificate with its key, as new as its files.
#[derive(Debug)]
pub struct Certificate {
    files: CertificateFiles,
    held: Arc<Held>,
    /// What was in the files that could not be used, so that it is told once.
    broken: Mutex<Option<String>>,
}

/// What a handshake is answered with.
#[derive(Debug)]
struct Held(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Held {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// What became of a look at the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// They are as they were.
    Same,
    /// They are others, and in use from now on: the new fingerprint.
    Changed(String),
    /// They can't be used; what was read before stays in use.
    Broken(CertificateError),
}

/// Why a certificate can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read.
    #[error("file {path} can't be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Everybody on the machine may use the key.
    #[error("file {path} has mode {mode:03o}, everybody on this machine may use the key")]
    OpenToAll {
        /// The key's file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A line of the PEM is wrong.
    #[error("file {path}, line {line}: {why}")]
    BrokenLine {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// For people.
        why: String,
    },
    /// Nothing in the file is what was looked for.
    #[error("file {path} has no {wanted}, it has {found}")]
    Missing {
        /// The file.
        path: String,
        /// What was looked for.
        wanted: &'static str,
        /// What is there.
        found: String,
    },
    /// The key needs a passphrase.
    #[error("the key in file {path} is encrypted with a passphrase")]
    Encrypted {
        /// The key's file.
        path: String,
    },
    /// The key is not the certificate's.
    #[error("the key in {key} does not belong to the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
    /// The content is not what its label says, or of a kind that is not known.
    #[error("file {path} can't be used: {why}")]
    Unusable {
        /// The file.
        path: String,
        /// What the TLS library says.
        why: String,
    },
}

impl CertificateError {
    /// What to do about it, as a sentence's end.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "name the file that is there, readable by the user who runs ponte; a pair of your own: \
                 ponte bridge certificate --host NAME"
                    .to_owned()
            }
            Self::OpenToAll { path, .. } => format!("run: chmod 600 {path}"),
            Self::BrokenLine { .. } => "copy the file again, with all of its lines".to_owned(),
            Self::Missing { wanted, .. } => {
                format!("name the file with the {wanted}; certbot calls them fullchain.pem and privkey.pem")
            }
            Self::Encrypted { path } => {
                format!("write it without one, readable by its owner only: openssl pkey -in {path} -out NEW")
            }
            Self::Mismatch { .. } => "name the two files that were made together".to_owned(),
            Self::Unusable { .. } => {
                "use an ECDSA (P-256, P-384), Ed25519 or RSA (2048 bits or more) pair".to_owned()
            }
        }
    }
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file can't be used, and why.
    pub fn read(files: CertificateFiles) -> Result<Arc<Self>, CertificateError> {
        let held = Arc::new(Held(ArcSwap::from_pointee(certified(&files)?)));
        Ok(Arc::new(Self {
            files,
            held,
            broken: Mutex::default(),
        }))
    }

    /// The SHA-256 of the certificate in use (of its DER form), 64 hexadecimal digits in small
    /// letters: what a bridge pins.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.held
            .0
            .load()
            .cert
            .first()
            .map_or_else(String::new, |first| fingerprint(first))
    }

    /// What answers handshakes with it.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.held.clone()
    }

    /// Looks at the files, and takes what is in them if that is new and good.
    pub fn look(&self) -> Look {
        let read = match certified(&self.files) {
            Ok(read) => read,
            Err(error) => return Look::Broken(error),
        };
        // A renewed certificate may keep its key; a new key without a new certificate is a mismatch.
        if read.cert == self.held.0.load().cert {
            return Look::Same;
        }
        self.held.0.store(Arc::new(read));
        Look::Changed(self.fingerprint())
    }

    /// Looks at the files every so often, for ever, and says what has changed.
    pub async fn keep_fresh(self: Arc<Self>, every: Duration) {
        loop {
            sleep(every).await;
            let this = Arc::clone(&self);
            let Ok(look) = tokio::task::spawn_blocking(move || this.look()).await else {
                continue;
            };
            self.tell(look);
        }
    }

    fn tell(&self, look: Look) {
        let file = self.files.certificate.display();
        let broken = match look {
            Look::Same => None,
            Look::Changed(fingerprint) => {
                tracing::info!(%file, %fingerprint, "the certificate has changed and is in use");
                None
            }
            Look::Broken(error) => Some(error),
        };
        let text = broken.as_ref().map(ToString::to_string);
        let mut told = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &broken
            && *told != text
        {
            let cure = error.cure();
            tracing::warn!(
                %error, %cure,
                "the certificate's files have changed and can't be used; the one read before stays in use"
            );
        }
        *told = text;
    }
}

/// The fingerprint of the first certificate in a PEM file, as a bridge pins it.
///
/// # Errors
/// Why there is none.
pub fn fingerprint_of_file(path: &Path) -> Result<String, CertificateError> {
    let text = read(path)?;
    let chain = certificates(path, &text)?;
    Ok(chain
        .first()
        .map_or_else(String::new, |first| fingerprint(first)))
}

/// What the first certificate in a PEM file says of itself.
///
/// # Errors
/// Why there is none.
pub(super) fn facts_of(path: &Path) -> Result<Facts, CertificateError> {
    let chain = certificates(path, &read(path)?)?;
    let facts = chain.first().map(|first| Facts::of(first));
    let unusable = |error: NotACertificate| CertificateError::Unusable {
        path: path.display().to_string(),
        why: error.to_string(),
    };
    facts.unwrap_or(Err(NotACertificate)).map_err(unusable)
}

fn certified(files: &CertificateFiles) -> Result<CertifiedKey, CertificateError> {
    let CertificateFiles { certificate, key } = files;
    let chain = certificates(certificate, &read(certificate)?)?;
    not_open_to_all(key)?;
    let private = private_key(key, &read(key)?)?;
    let unusable = |path: &Path, error: &TlsError| CertificateError::Unusable {
        path: path.display().to_string(),
        why: error.to_string(),
    };
    let provider = provider();
    let signing = provider.key_provider.load_private_key(private);
    let signing = signing.map_err(|error| unusable(key, &error))?;
    let pair = CertifiedKey::new(chain, signing);
    match pair.keys_match() {
        // Keys that can't tell their public half can't be compared.
        Ok(()) | Err(TlsError::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(pair),
        Err(TlsError::InconsistentKeys(_)) => Err(CertificateError::Mismatch {
            certificate: certificate.display().to_string(),
            key: key.display().to_string(),
        }),
        Err(error) => Err(unusable(certificate, &error)),
    }
}

fn certificates(path: &Path, text: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let sections = sections(path, text)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(missing(path, "certificate", &sections)),
        Err(error) => Err(CertificateError::Unusable {
            path: path.display().to_string(),
            why: error.to_string(),
        }),
    }
}

fn private_key(path: &Path, text: &str) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let sections = sections(path, text)?;
    if sections.contains(&"ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(CertificateError::Encrypted {
            path: path.display().to_string(),
        });
    }
    if !sections.iter().any(|label| label.ends_with("PRIVATE KEY")) {
        return Err(missing(path, "private key", &sections));
    }
    // What the library says of a key could repeat some of it.
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| CertificateError::Unusable {
        path: path.display().to_string(),
        why: "the private key is not base64".to_owned(),
    })
}

fn sections<'a>(path: &Path, text: &'a str) -> Result<Vec<&'a str>, CertificateError> {
    pem::sections(text).map_err(|broken| CertificateError::BrokenLine {
        path: path.display().to_string(),
        line: broken.line,
        why: broken.why,
    })
}

fn missing(path: &Path, wanted: &'static str, sections: &[&str]) -> CertificateError {
    let found = match sections {
        [] => "no PEM at all".to_owned(),
        labels => labels.join(", "),
    };
    CertificateError::Missing {
        path: path.display().to_string(),
        wanted,
        found,
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, CertificateError> {
    let unreadable = |why: String| CertificateError::Unreadable {
        path: path.display().to_string(),
        why,
    };
    let file = fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable(format!(
            "it has more than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

/// A key may be its group's (as Debian's `ssl-cert` is), but not everybody's.
#[cfg(unix)]
fn not_open_to_all(path: &Path) -> Result<(), CertificateError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).map_err(|error| CertificateError::Unreadable {
        path: path.display().to_string(),
        why: error.to_string(),
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(CertificateError::OpenToAll {
            path: path.display().to_string(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn not_open_to_all(_: &Path) -> Result<(), CertificateError> {
    Ok(())
}

#[cfg(test)]
mod tests;
