//! A sender that speaks TLS, with a certificate of its own or without.

use std::net::SocketAddr;
use std::sync::Arc;

use ponte::server::Facts;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The e-mail address in TradingView's certificate.
pub(crate) const TRADINGVIEW_EMAIL: &str = "webhook-server@tradingview.com";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A certificate and the key that its owner signs with, which need not be that of the certificate.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    certified: Arc<CertifiedKey>,
    /// The hash of the certificate's key.
    pub(crate) key: String,
}

impl Identity {
    /// One that anybody can make: TradingView's names, and a key of one's own.
    pub(crate) fn forged() -> Self {
        Self::with_email(TRADINGVIEW_EMAIL)
    }

    pub(crate) fn with_email(email: &str) -> Self {
        let pair = KeyPair::generate().unwrap();
        Self::of(&pair, email, &pair)
    }

    /// Somebody else's certificate, whose key is not at hand.
    pub(crate) fn borrowed() -> (Self, Self) {
        let pair = KeyPair::generate().unwrap();
        let owner = Self::of(&pair, TRADINGVIEW_EMAIL, &pair);
        let (certificate, other) = (owner.certified.cert.clone(), KeyPair::generate().unwrap());
        let key = owner.key.clone();
        let certified = Arc::new(CertifiedKey::new(certificate, signing(&other)));
        (owner, Self { certified, key })
    }

    fn of(pair: &KeyPair, email: &str, signs: &KeyPair) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, email);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "TradingView, Inc.");
        params.subject_alt_names = vec![SanType::Rfc822Name(email.try_into().unwrap())];
        let made = params.self_signed(pair).unwrap();
        let key = Facts::of(made.der()).unwrap().key;
        let certified = CertifiedKey::new(vec![made.der().clone()], signing(signs));
        let certified = Arc::new(certified);
        Self { certified, key }
    }
}

fn signing(pair: &KeyPair) -> Arc<dyn rustls::sign::SigningKey> {
    let key = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
    ring::sign::any_supported_type(&key).unwrap()
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.certified.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What a sender speaks with.
pub(crate) fn config(
    identity: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer));
    Arc::new(match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(identity.clone())),
        None => builder.with_no_client_auth(),
    })
}

/// A handshake with whoever listens there.
pub(crate) async fn connect(
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    over(TcpStream::connect(address).await?, config).await
}

/// A handshake over a connection.
pub(crate) async fn over(
    stream: TcpStream,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(config).connect(name, stream).await
}

/// Who answers is not what these tests are about.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = provider().signature_verification_algorithms;
        known.supported_schemes()
    }
}
