//! What a certificate says of itself. Whether it says the truth is decided elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ponte_core::time::Timestamp;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::tls::fingerprint;

/// What is written in a certificate (RFC 5280).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whom it is for, as a distinguished name: `CN=hook.example.com`.
    pub subject: String,
    /// Who made it, as a distinguished name; itself where it vouches for itself.
    pub issuer: String,
    /// The DNS names and addresses that it is for.
    pub names: Vec<String>,
    /// The e-mail addresses that it is for.
    pub emails: Vec<String>,
    /// When it begins to hold.
    pub not_before: Timestamp,
    /// When it ceases to hold.
    pub not_after: Timestamp,
    /// The SHA-256 of the certificate (of its DER form), 64 hexadecimal digits in small letters.
    pub fingerprint: String,
    /// The SHA-256 of its public key (of the `SubjectPublicKeyInfo`), written alike: what is pinned,
    /// since a renewed certificate may keep its key.
    pub key: String,
}

/// The bytes are no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not an X.509 certificate in DER form")]
pub struct NotACertificate;

impl Facts {
    /// Reads a certificate in DER form.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn of(der: &[u8]) -> Result<Self, NotACertificate> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
        let mut names = Vec::new();
        let mut emails = Vec::new();
        // An extension that is written twice or wrongly says nothing.
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        let alternatives = alternatives.map(|extension| &extension.value.general_names);
        for name in alternatives.into_iter().flatten() {
            if let GeneralName::DNSName(name) = name {
                names.push(name.to_ascii_lowercase());
            } else if let GeneralName::IPAddress(bytes) = name {
                names.extend(address(bytes).map(|address| address.to_string()));
            } else if let GeneralName::RFC822Name(email) = name {
                emails.push((*email).to_owned());
            }
        }
        let moment = |seconds: i64| Timestamp::from_milliseconds(seconds.saturating_mul(1_000));
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names,
            emails,
            not_before: moment(certificate.validity().not_before.timestamp()),
            not_after: moment(certificate.validity().not_after.timestamp()),
            fingerprint: fingerprint(der),
            key: fingerprint(certificate.public_key().raw),
        })
    }
}

impl Facts {
    /// Whether it is for this host by its own word, be it by a name with a star (RFC 6125, 6.4.3).
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| {
            let starred = name.strip_prefix("*.");
            *name == host || (starred.is_some() && starred == parent)
        })
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::{Facts, NotACertificate};

    #[test]
    fn a_certificate_tells_its_names_its_days_and_its_key() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = ["Hook.example.com".to_owned(), "192.0.2.7".to_owned()];
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        let email = "webhook-server@tradingview.com".try_into().unwrap();
        params
            .subject_alt_names
            .push(rcgen::SanType::Rfc822Name(email));
        params.not_before = rcgen::date_time_ymd(2026, 11, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 30);
        let made = params.self_signed(&key).unwrap();
        let facts = Facts::of(made.der()).unwrap();
        assert_eq!(facts.names, ["hook.example.com", "192.0.2.7"]);
        assert_eq!(facts.emails, ["webhook-server@tradingview.com"]);
        assert_eq!(facts.not_before.to_string(), "2026-11-01T00:00:00.000000Z");
        assert_eq!(facts.not_after.to_string(), "2027-01-30T00:00:00.000000Z");
        assert_eq!(facts.subject, facts.issuer);
        assert_eq!(facts.fingerprint, crate::tls::fingerprint(made.der()));
        let again = params.self_signed(&key).unwrap();
        assert_eq!(Facts::of(again.der()).unwrap().key, facts.key);
        let other = rcgen::KeyPair::generate().unwrap();
        let other = params.self_signed(&other).unwrap();
        assert_ne!(Facts::of(other.der()).unwrap().key, facts.key);
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = ["*.example.com".to_owned(), "example.org".to_owned()];
        let params = rcgen::CertificateParams::new(names).unwrap();
        let facts = Facts::of(params.self_signed(&key).unwrap().der()).unwrap();
        for (host, expected) in [
            ("hook.example.com", true),
            ("Hook.Example.com", true),
            ("example.org", true),
            ("example.com", false),
            ("a.hook.example.com", false),
            ("hook.example.org", false),
            ("com", false),
        ] {
            assert_eq!(facts.is_for(host), expected, "{host}");
        }
    }

    #[test]
    fn other_bytes_are_no_certificate() {
        for bytes in [
            &b""[..],
            b"\x30",
            b"\x30\x82\xff\xff",
            b"-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(Facts::of(bytes), Err(NotACertificate));
        }
    }
}
