//! What is asked of a certificate authority, and of which one.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Let's Encrypt's directories (letsencrypt.org/docs/acme-protocol-updates, .../docs/staging-environment).
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// Whose certificate is wanted, from whom, and how it is shown that the names are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// DNS names in lower case, or IP addresses; at least one.
    pub names: Vec<String>,
    /// E-mail addresses that the authority may write to.
    pub contact: Vec<String>,
    /// The authority.
    pub directory: Directory,
    /// Where the whole way is walked once before the first order of these names, so that a mistake
    /// costs nothing at [`Self::directory`].
    pub rehearsal: Option<Directory>,
    /// A PEM file with the root that the directory's own HTTPS is checked against. Default: Mozilla's.
    pub root: Option<PathBuf>,
    /// How it is shown that the names are ours.
    pub challenge: ChallengeKind,
    /// Where the authority's HTTP-01 questions are answered; the authority asks at port 80.
    pub http_listen: SocketAddr,
    /// The kind of certificate, as the directory names it. Default: the authority's choice.
    pub profile: Option<String>,
}

impl AcmeSettings {
    /// The names in an order of their own, which is the same however they were written.
    pub(super) fn sorted_names(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.sort();
        names.dedup();
        names
    }
}

/// A certificate authority's door (RFC 8555, 7.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// Let's Encrypt.
    LetsEncrypt,
    /// Let's Encrypt's place for trying, whose certificates nobody trusts.
    LetsEncryptStaging,
    /// Another one, by its https URL.
    Url(String),
}

impl Directory {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::LetsEncrypt => LETS_ENCRYPT,
            Self::LetsEncryptStaging => LETS_ENCRYPT_STAGING,
            Self::Url(url) => url,
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::LetsEncrypt => "Let's Encrypt",
            Self::LetsEncryptStaging => "Let's Encrypt (staging)",
            Self::Url(url) => url,
        }
    }

    /// Whether what it gives is trusted by nobody.
    #[must_use]
    pub fn is_staging(&self) -> bool {
        match self {
            Self::LetsEncryptStaging => true,
            Self::LetsEncrypt => false,
            Self::Url(url) => url == LETS_ENCRYPT_STAGING,
        }
    }

    /// Where it can be tried without a cost.
    #[must_use]
    pub fn rehearsal(&self) -> Option<Self> {
        match self {
            Self::LetsEncrypt => Some(Self::LetsEncryptStaging),
            Self::LetsEncryptStaging => None,
            Self::Url(url) => (url == LETS_ENCRYPT).then_some(Self::LetsEncryptStaging),
        }
    }
}

/// How it is shown that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeKind {
    /// By a handshake at port 443 (RFC 8737); no other port is needed.
    TlsAlpn01,
    /// By a file at port 80 (RFC 8555, 8.3).
    Http01,
}

impl ChallengeKind {
    /// All kinds, by the names that the configuration knows.
    pub const ALL: [(&'static str, Self); 2] =
        [("tls-alpn-01", Self::TlsAlpn01), ("http-01", Self::Http01)];

    /// Its name in the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Http01 => "http-01",
        }
    }

    /// The port at which the authority asks; it can't be changed.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::TlsAlpn01 => 443,
            Self::Http01 => 80,
        }
    }
}

/// What a validating handshake names in SNI: the name itself, and for an address its name in the
/// reverse tree (RFC 8738, 6).
pub(super) fn server_name(name: &str) -> String {
    match name.parse() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Ok(IpAddr::V6(address)) => {
            let mut text = String::with_capacity(72);
            for byte in address.octets().iter().rev() {
                text.push_str(&format!("{:x}.{:x}.", byte & 15, byte >> 4));
            }
            text + "ip6.arpa"
        }
        Err(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_asked_for_by_their_reverse_names() {
        assert_eq!(server_name("hook.example.com"), "hook.example.com");
        assert_eq!(server_name("192.0.2.7"), "7.2.0.192.in-addr.arpa");
        // The example of RFC 8738, 6.
        assert_eq!(
            server_name("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn only_the_real_lets_encrypt_is_tried_elsewhere_first() {
        for (directory, staging, rehearsal) in [
            (Directory::LetsEncrypt, false, true),
            (Directory::Url(LETS_ENCRYPT.to_owned()), false, true),
            (Directory::LetsEncryptStaging, true, false),
            (Directory::Url(LETS_ENCRYPT_STAGING.to_owned()), true, false),
            (
                Directory::Url("https://ca.example.com/dir".to_owned()),
                false,
                false,
            ),
        ] {
            assert_eq!(directory.is_staging(), staging, "{directory:?}");
            assert_eq!(directory.rehearsal().is_some(), rehearsal, "{directory:?}");
        }
    }
}
