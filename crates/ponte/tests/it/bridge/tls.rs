//! The same door with TLS: a bridge that pins the certificate, strangers, and a renewed certificate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ponte::bridge::Hub;
use ponte::server::{
    self, Certificate, CertificateError, CertificateFiles, Limits, Look, Security, SelfSigned, Tls,
    fingerprint_of_file,
};
use ponte_core::time::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::scripted::ScriptedBridge;
use super::{Desk, TOKEN};

const NOW: Timestamp = Timestamp(1_795_996_800_000_000);

/// Believes one certificate, by its fingerprint, whatever stands in it.
#[derive(Debug)]
struct Pin {
    fingerprint: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found: String = Sha256::digest(end_entity)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if found == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::General(format!("{found} is not pinned")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A client that pins, with these versions of TLS.
fn pinning(fingerprint: &str, versions: &[&'static SupportedProtocolVersion]) -> reqwest::Client {
    let provider = Arc::new(ring::default_provider());
    let pin = Pin {
        fingerprint: fingerprint.to_owned(),
        algorithms: provider.signature_verification_algorithms,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin))
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .build()
        .unwrap()
}

/// A client that trusts the certificate of a file, as one that was imported.
pub(crate) fn trusting(path: &Path) -> reqwest::Client {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(path).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .build()
        .unwrap()
}

/// A server with a pair of its own.
struct Served {
    desk: Desk,
    folder: TempDir,
    certificate: Arc<Certificate>,
    address: SocketAddr,
}

impl Served {
    async fn new(handshake_max: Duration) -> Self {
        let desk = Desk::new();
        let folder = tempfile::tempdir().unwrap();
        let files = pair(folder.path()).0;
        let certificate = Certificate::read(files).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = desk.hub.router();
        let security = Security::Tls(Tls::with_files(certificate.clone()));
        let limits = Limits {
            handshake_max,
            ..Hub::limits()
        };
        tokio::spawn(async move {
            let never = std::future::pending::<()>();
            server::serve_secured(listener, router, &security, limits, never).await
        });
        Self {
            desk,
            folder,
            certificate,
            address,
        }
    }

    fn bridge(&self, client: reqwest::Client) -> ScriptedBridge {
        // The certificate says "localhost".
        let base = format!("https://localhost:{}", self.address.port());
        ScriptedBridge::posting(client, &base, TOKEN)
    }
}

/// Writes a new pair in the place of the one that is there, if there is one.
fn pair(folder: &Path) -> (CertificateFiles, String) {
    let fresh = tempfile::tempdir().unwrap();
    let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let written = SelfSigned::make(&hosts, NOW)
        .unwrap()
        .write_new(fresh.path())
        .unwrap();
    let files = CertificateFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::rename(&written.files.key, &files.key).unwrap();
    std::fs::rename(&written.files.certificate, &files.certificate).unwrap();
    (files, written.fingerprint)
}

#[tokio::test]
async fn a_bridge_that_pins_is_served_by_both_versions() {
    let served = Served::new(server::HANDSHAKE_MAX).await;
    let pin = served.certificate.fingerprint();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut bridge = served.bridge(pinning(&pin, &[version]));
        bridge.hello().await;
        let (fetched, running) = tokio::join!(bridge.poll(10_000), async {
            let long = Duration::from_secs(60);
            served.desk.run("01", long, long)
        });
        assert_eq!(fetched.len(), 1);
        running.abort();
    }
    let file = served.folder.path().join("certificate.pem");
    assert_eq!(fingerprint_of_file(&file).unwrap(), pin);
    served.bridge(trusting(&file)).hello().await;
}

#[tokio::test]
async fn a_bridge_with_another_pin_sends_nothing() {
    let served = Served::new(server::HANDSHAKE_MAX).await;
    let client = pinning(&"0".repeat(64), rustls::DEFAULT_VERSIONS);
    let url = format!("https://localhost:{}/mt5/v1/sync", served.address.port());
    let sent = client.post(url).bearer_auth(TOKEN).send().await;
    assert!(sent.unwrap_err().is_connect());
    assert_eq!(served.desk.ear.all(), []);
    // Whoever speaks plain HTTP isn't answered in it.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn slow_handshakes_stop_nobody_and_are_cut() {
    let served = Served::new(Duration::from_millis(300)).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(TcpStream::connect(served.address).await.unwrap());
    }
    let pin = served.certificate.fingerprint();
    let mut bridge = served.bridge(pinning(&pin, rustls::DEFAULT_VERSIONS));
    bridge.hello().await;
    for stream in &mut slow {
        // It ends by itself: nobody waits for ever.
        let mut byte = [0];
        assert!(matches!(stream.read(&mut byte).await, Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let served = Served::new(server::HANDSHAKE_MAX).await;
    let old = served.certificate.fingerprint();
    let mut connected = served.bridge(pinning(&old, rustls::DEFAULT_VERSIONS));
    connected.hello().await;
    assert_eq!(served.certificate.look(), Look::Same);

    let folder = served.folder.path();
    let new = pair(folder).1;
    assert_eq!(served.certificate.look(), Look::Changed(new.clone()));
    served
        .bridge(pinning(&new, rustls::DEFAULT_VERSIONS))
        .hello()
        .await;
    let late = pinning(&old, rustls::DEFAULT_VERSIONS);
    let url = format!("https://localhost:{}/", served.address.port());
    assert!(late.get(url).send().await.is_err());

    // A key that is not the certificate's, as in the middle of a renewal by hand.
    let other = tempfile::tempdir().unwrap();
    let files = pair(other.path()).0;
    std::fs::copy(&files.key, folder.join("key.pem")).unwrap();
    let Look::Broken(error) = served.certificate.look() else {
        panic!("the key is another one's");
    };
    assert!(
        matches!(error, CertificateError::Mismatch { .. }),
        "{error}"
    );
    std::fs::write(folder.join("certificate.pem"), "").unwrap();
    assert!(matches!(served.certificate.look(), Look::Broken(_)));
    assert_eq!(served.certificate.fingerprint(), new);
    served
        .bridge(pinning(&new, rustls::DEFAULT_VERSIONS))
        .hello()
        .await;

    // The server looks by itself.
    let looking = served
        .certificate
        .clone()
        .keep_fresh(Duration::from_millis(5));
    let looking = tokio::spawn(looking);
    let newest = pair(folder).1;
    while served.certificate.fingerprint() != newest {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    looking.abort();
}
