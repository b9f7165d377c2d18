//! TLS to brokers and markets: one client configuration for HTTPS and web sockets.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

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
