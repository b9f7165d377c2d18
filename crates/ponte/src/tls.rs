//! TLS to other servers: one client configuration for HTTPS and web sockets, and what it trusts.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};

/// A client that trusts Mozilla's certificate authorities, as compiled in, and nothing else: what
/// the machine has installed neither widens nor breaks it. TLS 1.2 and 1.3, cryptography by ring,
/// no protocol negotiation (HTTP/1.1 and web sockets need none), no client certificate.
///
/// Each call makes a new one with its own cache of sessions: make it once per adapter and clone it.
#[must_use]
pub fn client_config() -> Arc<ClientConfig> {
    Arc::new(trusting(RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }))
}

/// A client that trusts these authorities and nothing else.
fn trusting(roots: RootCertStore) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    // It fails only for a provider without cipher suites for these versions; ring has some for both.
    #[allow(clippy::expect_used)]
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3");
    builder.with_root_certificates(roots).with_no_client_auth()
}

/// A client for HTTP that trusts as [`client_config`] does and asks no proxy: the machine's
/// environment must not send orders another way.
pub fn http_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured((*client_config()).clone())
        .no_proxy()
}

/// [`http_client`] for a server whose authority is not a public one; it trusts no other.
pub fn http_client_trusting(roots: RootCertStore) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(trusting(roots))
        .no_proxy()
}

/// [`http_client`] for a server that is known by its certificate alone: by its SHA-256 (of its DER form,
/// 64 hexadecimal digits in small letters), whatever names it and whoever vouches for it.
pub fn http_client_pinning(fingerprint: String) -> reqwest::ClientBuilder {
    let provider = Arc::new(ring::default_provider());
    let mut config = trusting(RootCertStore::empty());
    let pinned = Pinned {
        fingerprint,
        provider,
    };
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(pinned));
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
}

/// Takes one certificate, from whoever has its key.
#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(certificate) == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(
            CertificateError::ApplicationVerificationFailure,
        ))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// The SHA-256 of these bytes, 64 hexadecimal digits in small letters.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_web_sockets_take_the_configuration() {
        let config = client_config();
        assert!(config.alpn_protocols.is_empty());
        let client = reqwest::Client::builder().tls_backend_preconfigured((*config).clone());
        assert!(client.build().is_ok());
        let _ = tokio_tungstenite::Connector::Rustls(config);
    }
}
