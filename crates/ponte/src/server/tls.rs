//! What a TLS listener is made of: who it says it is, and what it asks of the other end.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ResolvesServerCert;

use super::acme::{ACME_TLS_ALPN, Acme};
use super::certificate::{Certificate, LOOK_EVERY};
use super::client_certificate;

/// What to look at when a handshake fails, in the log.
const ADVICE: &str = "if it was no stranger, ponte certificate says what the certificate is worth";
const ADVICE_FOR_BRIDGES: &str =
    "if it was a bridge, look at its --pin and at the https in its address";

/// TLS at a listener: 1.2 or 1.3, HTTP/1.1 behind it.
#[derive(Debug, Clone)]
pub struct Tls {
    identity: Identity,
    asks_senders: bool,
    advice: &'static str,
}

/// Who the listener says it is.
#[derive(Debug, Clone)]
enum Identity {
    /// The owner's certificate files, read again when they change.
    Files(Arc<Certificate>),
    /// A certificate that Ponte orders itself; whoever made it keeps it fresh.
    Acme(Arc<Acme>),
}

impl Tls {
    /// TLS with the owner's certificate files.
    #[must_use]
    pub fn with_files(certificate: Arc<Certificate>) -> Self {
        Self {
            identity: Identity::Files(certificate),
            asks_senders: false,
            advice: ADVICE,
        }
    }

    /// The same, and each sender is asked for its certificate; none is turned away for it. A request
    /// carries what was presented as an `Arc<ClientCertificate>`.
    #[must_use]
    pub fn asking_senders(self) -> Self {
        Self {
            asks_senders: true,
            ..self
        }
    }

    /// The same for callers who pin the certificate: a failed handshake is most likely theirs.
    #[must_use]
    pub fn for_bridges(self) -> Self {
        Self {
            advice: ADVICE_FOR_BRIDGES,
            ..self
        }
    }

    /// TLS with a certificate that Ponte orders itself: [`Acme::keep_fresh`] has to run beside it.
    #[must_use]
    pub fn with_acme(acme: Arc<Acme>) -> Self {
        Self {
            identity: Identity::Acme(acme),
            asks_senders: false,
            advice: ADVICE,
        }
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let config = match &self.identity {
            Identity::Files(certificate) => config(certificate.resolver(), self.asks_senders),
            Identity::Acme(acme) => {
                let mut config = config(acme.resolver(), self.asks_senders);
                config.alpn_protocols.push(ACME_TLS_ALPN.to_vec());
                config
            }
        };
        Arc::new(config)
    }

    /// What to look at when a handshake fails, as a sentence's end.
    pub(super) const fn advice(&self) -> &'static str {
        self.advice
    }

    /// Looks after the certificate, for ever.
    pub(super) async fn keep_fresh(&self) {
        match &self.identity {
            Identity::Files(certificate) => certificate.clone().keep_fresh(LOOK_EVERY).await,
            // Not here: several listeners may show one certificate.
            Identity::Acme(_) => std::future::pending().await,
        }
    }
}

/// The library that does the arithmetic.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn config(resolver: Arc<dyn ResolvesServerCert>, asks_senders: bool) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(provider());
    // It fails only for a provider without cipher suites for these versions; ring has some for both.
    #[allow(clippy::expect_used)]
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3");
    let builder = if asks_senders {
        builder.with_client_cert_verifier(client_certificate::verifier(provider()))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_cert_resolver(resolver);
    if asks_senders {
        client_certificate::without_resumption(&mut config);
    }
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
