//! Signatures: HMAC-SHA256, Ed25519 or RSA, chosen by what the signing key is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{hmac, signature};
use zeroize::Zeroizing;

use super::params::{Params, percent_encode};
use crate::brokers::BrokerError;
use crate::secret::Secret;

const PEM_BEGIN: &str = "-----BEGIN ";
const PKCS8_LABEL: &str = "PRIVATE KEY-----";

/// Signs requests. It holds the key in the form that `ring` computes with, and can't be printed.
pub(super) struct Signer(Key);

enum Key {
    Hmac(hmac::Key),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Signer {
    /// Reads a signing key: a PEM is an Ed25519 or RSA private key, anything else an HMAC secret.
    ///
    /// # Errors
    /// When a PEM holds no usable key: what is wrong and the cure, never the key.
    pub(super) fn new(key: &Secret) -> Result<Self, BrokerError> {
        let text = key.expose().trim();
        match text.strip_prefix(PEM_BEGIN) {
            Some(pem) => Self::from_pem(pem).map_err(|problem| {
                BrokerError::Refused(format!("the signing key can't be used: {problem}"))
            }),
            None => Ok(Self(Key::Hmac(hmac::Key::new(
                hmac::HMAC_SHA256,
                text.as_bytes(),
            )))),
        }
    }

    fn from_pem(pem: &str) -> Result<Self, &'static str> {
        if pem.starts_with("ENCRYPTED ") {
            return Err(
                "it is encrypted; decrypt it with: openssl pkcs8 -in key.pem -out plain.pem",
            );
        }
        let Some(body) = pem.strip_prefix(PKCS8_LABEL) else {
            return Err("it is not in PKCS#8 form; convert it with: \
                        openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem");
        };
        let body = body.split("-----").next().unwrap_or_default();
        let packed: Zeroizing<String> = Zeroizing::new(
            body.chars()
                .filter(|character| !character.is_whitespace())
                .collect(),
        );
        let der = BASE64_STANDARD
            .decode(packed.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| "its base64 is broken")?;
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Ok(Self(Key::Ed25519(pair)));
        }
        RsaKeyPair::from_pkcs8(&der)
            .map(|pair| Self(Key::Rsa(Box::new(pair))))
            .map_err(|_| "it is neither an Ed25519 key nor an RSA key of 2048 to 4096 bits")
    }

    /// The signature of a text: hex for HMAC, base64 otherwise. `None` when the system gives no
    /// randomness for RSA.
    pub(super) fn sign(&self, payload: &str) -> Option<String> {
        match &self.0 {
            Key::Hmac(key) => Some(hex(hmac::sign(key, payload.as_bytes()).as_ref())),
            Key::Ed25519(pair) => Some(BASE64_STANDARD.encode(pair.sign(payload.as_bytes()))),
            Key::Rsa(pair) => rsa(pair, payload),
        }
    }

    /// A REST request's parameters, percent-encoded, with the signature last.
    pub(super) fn signed_query(&self, params: &Params) -> Option<String> {
        let mut query = params.encoded();
        let signature = self.sign(&query)?;
        query.push_str("&signature=");
        percent_encode(&signature, &mut query);
        Some(query)
    }

    /// The signature of a WebSocket API request: over all parameters, the API key among them,
    /// sorted by name and not encoded (Binance Spot WebSocket API, "Request security").
    pub(super) fn sign_sorted(&self, params: &Params) -> Option<String> {
        let parts: Vec<String> = params
            .sorted()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.sign(&parts.join("&"))
    }
}

fn rsa(pair: &RsaKeyPair, payload: &str) -> Option<String> {
    let mut bytes = vec![0; pair.public().modulus_len()];
    let scheme: &'static dyn signature::RsaEncoding = &RSA_PKCS1_SHA256;
    pair.sign(scheme, &SystemRandom::new(), payload.as_bytes(), &mut bytes)
        .ok()?;
    Some(BASE64_STANDARD.encode(bytes))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests;
