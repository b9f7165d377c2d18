//! What the authority's questions are answered with, while an order is under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use super::super::tls::provider;
use super::settings::server_name;

/// The protocol of a validating handshake (RFC 8737, 6.2).
pub(crate) const ACME_TLS_ALPN: &[u8] = b"acme-tls/1";

/// The answers that are ready; empty except while an order is under way.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<Ready>);

#[derive(Debug, Default)]
struct Ready {
    /// Certificates for validating handshakes, by the name in SNI.
    tls: BTreeMap<String, Arc<CertifiedKey>>,
    /// Key authorisations, by the token in the path.
    http: BTreeMap<String, String>,
}

/// Takes the answer away when the question is over, however that ends.
pub(super) struct Installed<'c> {
    challenges: &'c Challenges,
    key: String,
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        let mut ready = self.challenges.lock();
        ready.tls.remove(&self.key);
        ready.http.remove(&self.key);
    }
}

impl Challenges {
    /// Answers validating handshakes for `name` with the digest of its key authorisation.
    ///
    /// # Errors
    /// When no certificate can be made for that name.
    pub(super) fn answer_handshakes(
        &self,
        name: &str,
        digest: &[u8; 32],
    ) -> Result<Installed<'_>, String> {
        let certificate = validating_certificate(name, digest)?;
        let key = server_name(name);
        self.lock().tls.insert(key.clone(), Arc::new(certificate));
        Ok(Installed {
            challenges: self,
            key,
        })
    }

    /// Answers requests for the file `token` with its key authorisation.
    pub(super) fn answer_requests(&self, token: &str, authorisation: &str) -> Installed<'_> {
        let key = token.to_owned();
        self.lock()
            .http
            .insert(key.clone(), authorisation.to_owned());
        Installed {
            challenges: self,
            key,
        }
    }

    /// The certificate for a validating handshake.
    pub(super) fn handshake(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = server_name?.to_ascii_lowercase();
        self.lock().tls.get(&name).cloned()
    }

    /// What stands in the file `token`.
    pub(super) fn file(&self, token: &str) -> Option<String> {
        self.lock().http.get(token).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        // Both maps are whole after every step, whoever panicked while holding them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A certificate of its own for `name` alone, with the digest in a critical extension (RFC 8737, 3).
fn validating_certificate(name: &str, digest: &[u8; 32]) -> Result<CertifiedKey, String> {
    let text = |error: rcgen::Error| error.to_string();
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(text)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let pair = KeyPair::generate().map_err(text)?;
    let certificate = params.self_signed(&pair).map_err(text)?;
    let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
    let key = provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_there_while_its_question_is() {
        let challenges = Challenges::default();
        let installed = challenges
            .answer_handshakes("hook.example.com", &[7; 32])
            .unwrap();
        let address = challenges.answer_handshakes("192.0.2.7", &[7; 32]).unwrap();
        let certificate = challenges.handshake(Some("Hook.Example.com")).unwrap();
        let text = certificate.cert[0].as_ref();
        // The digest, as an octet string in an octet string.
        let expected = [&[0x04, 0x22, 0x04, 0x20][..], &[7; 32]].concat();
        assert!(
            text.windows(expected.len())
                .any(|window| window == expected)
        );
        assert!(
            challenges
                .handshake(Some("7.2.0.192.in-addr.arpa"))
                .is_some()
        );
        assert!(challenges.handshake(Some("other.example.com")).is_none());
        assert!(challenges.handshake(None).is_none());
        drop(installed);
        assert!(challenges.handshake(Some("hook.example.com")).is_none());
        assert!(
            challenges
                .handshake(Some("7.2.0.192.in-addr.arpa"))
                .is_some()
        );
        drop(address);
        let file = challenges.answer_requests("token", "token.thumb");
        assert_eq!(challenges.file("token").as_deref(), Some("token.thumb"));
        assert_eq!(challenges.file("other"), None);
        drop(file);
        assert_eq!(challenges.file("token"), None);
    }
}
