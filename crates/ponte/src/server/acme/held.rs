//! The certificate that answers handshakes now, and which handshakes it answers.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use ponte_core::time::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::super::tls::provider;
use super::super::x509::Facts;
use super::challenge::{ACME_TLS_ALPN, Challenges};
use super::schedule::Life;
use super::store::Pair;

/// What a handshake is answered with. Until there is a certificate only validating handshakes are.
#[derive(Debug, Default)]
pub(super) struct Held {
    in_use: ArcSwapOption<InUse>,
    /// What is shown while there is none for the wanted names.
    interim: ArcSwapOption<InUse>,
    pub(super) challenges: Challenges,
}

impl Held {
    pub(super) fn in_use(&self) -> Option<Arc<InUse>> {
        self.in_use.load_full()
    }

    pub(super) fn take(&self, new: InUse) {
        self.in_use.store(Some(Arc::new(new)));
    }

    /// Shows another one until there is one for the wanted names.
    pub(super) fn show_meanwhile(&self, other: InUse) {
        self.interim.store(Some(Arc::new(other)));
    }
}

impl ResolvesServerCert for Held {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Whoever validates offers this protocol and no other (RFC 8737, 3).
        let mut protocols = hello.alpn().into_iter().flatten();
        if protocols.next() == Some(ACME_TLS_ALPN) && protocols.next().is_none() {
            return self.challenges.handshake(hello.server_name());
        }
        let (in_use, interim) = (self.in_use.load(), self.interim.load());
        let shown = in_use.as_ref().or(interim.as_ref());
        shown.map(|shown| shown.key.clone())
    }
}

/// A certificate with its key, and what it says of itself.
#[derive(Debug)]
pub(super) struct InUse {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: Facts,
}

impl InUse {
    /// Reads a pair.
    ///
    /// # Errors
    /// Why it can't be used; nothing of the key is in it.
    pub(super) fn of(pair: &Pair) -> Result<Self, String> {
        Self::read(&pair.chain, &pair.key)
    }

    /// Reads a pair that stands in one text.
    ///
    /// # Errors
    /// Why it can't be used; nothing of the key is in it.
    pub(super) fn of_text(text: &str) -> Result<Self, String> {
        Self::read(text, text)
    }

    fn read(chain: &str, key: &str) -> Result<Self, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
        let chain = chain.map_err(|error| format!("its PEM is broken: {error}"))?;
        let first = chain.first().ok_or("there is no certificate in it")?;
        let facts = Facts::of(first).map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
        let key = key.map_err(|_| "there is no private key with it")?;
        let key = provider().key_provider.load_private_key(key);
        let key = key.map_err(|error| format!("its key can't be used: {error}"))?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match()
            .map_err(|_| "its key is another certificate's")?;
        Ok(Self {
            key: Arc::new(key),
            facts,
        })
    }

    /// Whether it is for these names, now.
    ///
    /// # Errors
    /// What it lacks.
    pub(super) fn check(&self, names: &[String], now: Timestamp) -> Result<(), String> {
        let lacks = |name: &&String| !self.facts.names.contains(name);
        if let Some(missing) = names.iter().find(lacks) {
            return Err(format!("it is not for {missing}"));
        }
        if self.facts.not_after <= now {
            return Err(format!("it has ended on {}", self.facts.not_after));
        }
        Ok(())
    }

    pub(super) fn life(&self) -> Life {
        Life {
            from: self.facts.not_before,
            until: self.facts.not_after,
        }
    }

    /// 0 to 999, the same for this certificate at any time and another for the next one.
    pub(super) fn jitter(&self) -> u32 {
        let digits = self.facts.fingerprint.get(..6).unwrap_or("0");
        u32::from_str_radix(digits, 16).unwrap_or(0) % 1000
    }
}
