//! API keys: whom they belong to, how their signatures are checked, and what they may do.
//!
//! Source: Binance Spot API, "API Key Types".

use crate::rejection::{RejectCode, Rejection};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{hmac, signature};
use std::collections::BTreeMap;
use std::fmt;

/// What an Ed25519 public key in DER (X.509 SubjectPublicKeyInfo) begins with; its 32 bytes follow.
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// The object identifier of RSA encryption, in DER.
const RSA_IDENTIFIER: [u8; 11] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
];

/// How a key signs.
#[derive(Clone)]
pub enum KeySecret {
    /// HMAC-SHA256 with this secret; signatures are hexadecimal.
    Hmac(String),
    /// An Ed25519 or RSA (PKCS#1 v1.5 with SHA-256) public key as PEM, as one gives it to Binance; signatures are
    /// base64.
    PublicKeyPem(String),
}

/// A key to begin with.
#[derive(Clone)]
pub struct KeyOptions {
    /// The API key: 1 to 128 visible ASCII characters.
    pub key: String,
    /// How it signs.
    pub secret: KeySecret,
    /// The account it belongs to: several keys may share one.
    pub account: String,
    /// Whether it may place and cancel orders.
    pub can_trade: bool,
    /// Whether it may withdraw: nobody can here, but account checks show it.
    pub can_withdraw: bool,
    /// Whether it is bound to addresses: shown by account checks, not enforced.
    pub ip_restricted: bool,
}

impl KeyOptions {
    /// An HMAC key that may trade but not withdraw and is bound to an address, as a careful owner makes it.
    #[must_use]
    pub fn hmac(key: &str, secret: &str, account: &str) -> KeyOptions {
        KeyOptions {
            key: key.to_owned(),
            secret: KeySecret::Hmac(secret.to_owned()),
            account: account.to_owned(),
            can_trade: true,
            can_withdraw: false,
            ip_restricted: true,
        }
    }

    /// The same key with an Ed25519 or RSA public key, as PEM.
    #[must_use]
    pub fn with_public_key(self, pem: &str) -> KeyOptions {
        KeyOptions {
            secret: KeySecret::PublicKeyPem(pem.to_owned()),
            ..self
        }
    }
}

impl fmt::Debug for KeyOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyOptions")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// A key that can check signatures.
pub(super) struct ApiKey {
    pub(super) account: String,
    pub(super) can_trade: bool,
    pub(super) can_withdraw: bool,
    pub(super) ip_restricted: bool,
    check: Check,
}

enum Check {
    Hmac(hmac::Key),
    Ed25519(Vec<u8>),
    Rsa(Vec<u8>),
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKey")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl ApiKey {
    /// Whether `signature` is the key's over `payload`: hexadecimal in any case for HMAC, else base64.
    pub(super) fn verifies(&self, payload: &[u8], signature: &str) -> bool {
        match &self.check {
            Check::Hmac(key) => {
                from_hex(signature).is_some_and(|bytes| hmac::verify(key, payload, &bytes).is_ok())
            }
            Check::Ed25519(public_key) => {
                verifies(&signature::ED25519, public_key, payload, signature)
            }
            Check::Rsa(public_key) => verifies(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                public_key,
                payload,
                signature,
            ),
        }
    }

    /// Whether it is an Ed25519 key: only those may log a session on.
    pub(super) fn is_ed25519(&self) -> bool {
        match self.check {
            Check::Ed25519(_) => true,
            Check::Hmac(_) | Check::Rsa(_) => false,
        }
    }

    fn new(options: &KeyOptions) -> Option<ApiKey> {
        let check = match &options.secret {
            KeySecret::Hmac(secret) => {
                Check::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
            }
            KeySecret::PublicKeyPem(pem) => public_key(pem)?,
        };
        Some(ApiKey {
            account: options.account.clone(),
            can_trade: options.can_trade,
            can_withdraw: options.can_withdraw,
            ip_restricted: options.ip_restricted,
            check,
        })
    }
}

/// All keys.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeMap<String, ApiKey>);

impl Keys {
    /// Takes the keys of the options.
    ///
    /// # Errors
    /// A key that has no key's form, is there twice or whose public key can't be read. Secrets are not shown.
    pub(super) fn new(options: &[KeyOptions]) -> Result<Keys, Rejection> {
        let mut keys = Keys::default();
        for option in options {
            let invalid = |what: &str| {
                let message = format!("API key of account {} {what}", option.account);
                Err(Rejection::new(RejectCode::InvalidRequest, message))
            };
            if !has_key_form(&option.key) {
                return invalid("is not 1 to 128 visible ASCII characters");
            }
            let Some(key) = ApiKey::new(option) else {
                return invalid("has a public key that is not an Ed25519 or RSA key as PEM");
            };
            if keys.0.insert(option.key.clone(), key).is_some() {
                return invalid("is given twice");
            }
        }
        Ok(keys)
    }

    /// The key of that name.
    pub(super) fn get(&self, key: &str) -> Option<&ApiKey> {
        self.0.get(key)
    }

    /// The accounts that keys belong to, each once.
    pub(super) fn accounts(&self) -> std::collections::BTreeSet<String> {
        self.0.values().map(|key| key.account.clone()).collect()
    }
}

/// Whether a text can be an API key at all.
pub(super) fn has_key_form(key: &str) -> bool {
    (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn verifies(
    algorithm: &'static dyn signature::VerificationAlgorithm,
    public_key: &[u8],
    payload: &[u8],
    base64: &str,
) -> bool {
    let Ok(bytes) = STANDARD.decode(base64) else {
        return false;
    };
    let key = signature::UnparsedPublicKey::new(algorithm, public_key);
    key.verify(payload, &bytes).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    digits.collect()
}

/// The public key inside of a PEM block.
fn public_key(pem: &str) -> Option<Check> {
    let base64: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    let der = STANDARD.decode(base64).ok()?;
    if let Some(key) = der.strip_prefix(&ED25519_PREFIX) {
        return (key.len() == 32).then(|| Check::Ed25519(key.to_vec()));
    }
    let (outer, _) = der_value(&der, 0x30)?;
    let (algorithm, rest) = der_value(outer, 0x30)?;
    let (bits, _) = der_value(rest, 0x03)?;
    let key = bits.strip_prefix(&[0])?;
    algorithm
        .starts_with(&RSA_IDENTIFIER)
        .then(|| Check::Rsa(key.to_vec()))
}

/// The content of a DER value with that tag, and what follows it.
fn der_value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = length
                .iter()
                .fold(0, |sum: usize, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
