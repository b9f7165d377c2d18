//! A certificate that vouches for itself, for bridges that pin it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ponte_core::time::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::certificate::CertificateFiles;
use crate::secret::Secret;
use crate::tls::fingerprint;

/// What the files are called, after what they are for.
const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";
/// For how many years it is good.
const YEARS: i32 = 10;

/// A new pair, not yet written.
pub struct SelfSigned {
    certificate: String,
    key: Secret,
    fingerprint: String,
}

/// A new pair that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub files: CertificateFiles,
    /// What a bridge pins: see [`super::Certificate::fingerprint`].
    pub fingerprint: String,
}

/// Why there is no new pair.
#[derive(Debug, thiserror::Error)]
pub enum SelfSignedError {
    /// No certificate can be made for that name.
    #[error("{host:?} can't be the name of a server: {why}")]
    Host {
        /// As it was given.
        host: String,
        /// For people.
        why: String,
    },
    /// The pair can't be made.
    #[error("the certificate can't be made: {0}")]
    NotMade(String),
    /// A file is there already, and may be in use.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A file can't be written.
    #[error("{} can't be written: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
}

impl SelfSigned {
    /// Makes a pair (ECDSA, P-256) for a server of these names and addresses, good from a year
    /// before `now` for some ten years.
    ///
    /// # Errors
    /// When a name can't be a server's.
    pub fn make(hosts: &[String], now: Timestamp) -> Result<Self, SelfSignedError> {
        for host in hosts {
            check_host(host)?;
        }
        let not_made = |error: rcgen::Error| SelfSignedError::NotMade(error.to_string());
        let mut params = CertificateParams::new(hosts.to_vec()).map_err(not_made)?;
        let mut name = DistinguishedName::new();
        let first = hosts.first().map_or("ponte", String::as_str);
        // A common name has at most 64 characters (RFC 5280, appendix A); the rest is in the list of names.
        let common = if first.len() <= 64 { first } else { "ponte" };
        name.push(DnType::OrganizationName, "Ponte");
        name.push(DnType::CommonName, common);
        params.distinguished_name = name;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let year = year(now);
        params.not_before = date_time_ymd(year - 1, 1, 1);
        params.not_after = date_time_ymd(year + YEARS, 1, 1);
        let pair = KeyPair::generate().map_err(not_made)?;
        let certificate = params.self_signed(&pair).map_err(not_made)?;
        let key = Secret::signing_key(pair.serialize_pem());
        Ok(Self {
            fingerprint: fingerprint(certificate.der()),
            certificate: certificate.pem(),
            key: key.map_err(|error| SelfSignedError::NotMade(error.to_string()))?,
        })
    }

    /// Writes the pair for bridges into a folder: see [`Self::write_for`].
    ///
    /// # Errors
    /// When one of the files is there already, or can't be written: then none of them was.
    pub fn write_new(&self, folder: &Path) -> Result<Written, SelfSignedError> {
        self.write_for("bridge", folder)
    }

    /// Writes the pair into a folder, which is made if it is not there; the key for its owner only. The
    /// files are called after `purpose` (`admin-certificate.pem`, `admin-key.pem`).
    ///
    /// # Errors
    /// When one of the files is there already, or can't be written: then none of them was.
    pub fn write_for(&self, purpose: &str, folder: &Path) -> Result<Written, SelfSignedError> {
        let files = CertificateFiles {
            certificate: folder.join(format!("{purpose}-{CERTIFICATE_FILE}")),
            key: folder.join(format!("{purpose}-{KEY_FILE}")),
        };
        if let Some(there) = [&files.certificate, &files.key]
            .into_iter()
            .find(|path| path.exists())
        {
            return Err(SelfSignedError::Exists(there.clone()));
        }
        let unwritable = |path: &Path, why: io::Error| {
            let path = path.to_owned();
            if why.kind() == io::ErrorKind::AlreadyExists {
                return SelfSignedError::Exists(path);
            }
            SelfSignedError::Unwritable { path, why }
        };
        let written = self.key.write_new(&files.key);
        written.map_err(|error| unwritable(&files.key, error))?;
        if let Err(error) = write_certificate(&files.certificate, &self.certificate) {
            // The key was written a moment ago and is of no use alone.
            let _ = fs::remove_file(&files.key);
            return Err(unwritable(&files.certificate, error));
        }
        Ok(Written {
            files,
            fingerprint: self.fingerprint.clone(),
        })
    }
}

fn write_certificate(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A DNS name or an IP address, as it stands in the address of a bridge.
fn check_host(host: &str) -> Result<(), SelfSignedError> {
    let wrong = |why: &str| {
        Err(SelfSignedError::Host {
            host: host.to_owned(),
            why: why.to_owned(),
        })
    };
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Ok(());
    }
    if host.contains("://") || host.contains('/') {
        return wrong("write only the name, without https:// and path");
    }
    if host.contains(':') {
        return wrong("write only the name, without a port");
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
    if host.is_empty() || host.len() > 253 || !host.chars().all(is_name) {
        return wrong("write a DNS name such as vps.example.com, or an IP address");
    }
    if host
        .split('.')
        .any(|label| label.is_empty() || label.len() > 63)
    {
        return wrong("each part between dots has 1 to 63 characters");
    }
    Ok(())
}

/// The year of a moment in UTC.
fn year(now: Timestamp) -> i32 {
    let text = now.to_string();
    text.get(..4)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_in_an_address_is_a_host() {
        for host in ["localhost", "vps.example.com", "203.0.113.7", "2001:db8::1"] {
            assert!(check_host(host).is_ok(), "{host}");
        }
        for host in [
            "",
            "https://vps.example.com",
            "vps.example.com:8443",
            "vps.example.com/x",
            "a..b",
            "*",
            "não.example.com",
        ] {
            assert!(check_host(host).is_err(), "{host}");
        }
    }

    #[test]
    fn it_is_good_since_last_year() {
        // 2026-11-30T00:00:00Z in microseconds.
        assert_eq!(year(Timestamp(1_795_996_800_000_000)), 2026);
    }
}
