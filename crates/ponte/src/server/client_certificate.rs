//! Asks a sender for its TLS certificate and keeps what it proves: that the sender has its key.
//!
//! The handshake never fails for it. TLS says yes to any certificate and to none, so that whoever is
//! turned away is turned away like everybody else; what is good enough is decided behind, by
//! [`ClientCertificate::proven`] and the key.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConnection};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::x509::Facts;

/// Most bytes of a certificate that is looked at; a real one has one or two thousand.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

/// The certificate that the sender of a request presented; an extension of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// What it says of itself, which anybody can write.
    pub facts: Facts,
    /// Whether the sender has signed the handshake with the certificate's key: only then is the key
    /// its own.
    pub proven: bool,
}

tokio::task_local! {
    /// Whether the handshake that is under way in this task was signed wrongly, or in a way that
    /// can't be checked.
    static UNPROVEN: Cell<bool>;
}

/// Runs a handshake, and tells whether the certificate in it is without proof.
pub(super) async fn watched<T>(handshake: impl Future<Output = T>) -> (T, bool) {
    let watched = async {
        let outcome = handshake.await;
        (outcome, UNPROVEN.with(Cell::get))
    };
    UNPROVEN.scope(Cell::new(false), watched).await
}

/// What the other end of a connection presented; `None` where that is nothing that can be read.
pub(super) fn presented(
    connection: &ServerConnection,
    unproven: bool,
) -> Option<ClientCertificate> {
    let certificate = connection.peer_certificates()?.first()?;
    if certificate.len() > CERTIFICATE_BYTES_MAX {
        return None;
    }
    let facts = Facts::of(certificate).ok()?;
    let proven = !unproven;
    Some(ClientCertificate { facts, proven })
}

/// Has a listener ask for certificates.
pub(super) fn verifier(provider: Arc<CryptoProvider>) -> Arc<dyn ClientCertVerifier> {
    Arc::new(Asking { provider })
}

/// A session that is taken up again brings its certificate without a new proof: each connection begins anew.
pub(super) fn without_resumption(config: &mut ServerConfig) {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
}

/// Asks everybody, and lets everybody pass.
#[derive(Debug)]
struct Asking {
    provider: Arc<CryptoProvider>,
}

impl Asking {
    /// What the check of a signature comes to: the handshake goes on, the connection remembers.
    fn noted(
        checked: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        checked.or_else(|error| {
            // Where nobody would remember, nobody passes.
            let remembered = UNPROVEN.try_with(|unproven| unproven.set(true));
            remembered.map_err(|_| error)?;
            Ok(HandshakeSignatureValid::assertion())
        })
    }
}

impl ClientCertVerifier for Asking {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: a sender that is shown no authorities presents what it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        Self::noted(verify_tls12_signature(message, certificate, signed, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        Self::noted(verify_tls13_signature(message, certificate, signed, known))
    }

    /// What can be checked, and one that can't: a sender whose key has no other would rather break
    /// off than present nothing.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        let mut schemes = known.supported_schemes();
        schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        schemes
    }
}
