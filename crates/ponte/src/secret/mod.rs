//! Secrets: where they are kept, and a type that can't be printed.
//!
//! The configuration names a secret (`env:NAME`, `file:PATH`, `credential:NAME`, `vault:NAME`); its
//! value is read once at the start into a [`Secret`], which shows itself as `«redacted»`, is wiped
//! when dropped and is compared without telling by its time how near a guess was.

mod error;
mod form;
mod keyring;
mod places;
mod reference;
pub mod rotation;
mod seal;
mod sources;
mod strength;
mod value;
mod vault;

use std::ffi::OsString;

pub use error::SecretError;
pub use keyring::{Entry, Keyring, Reloaded, Ring, Role, SecretFacts, SourceKeys};
pub use places::Places;
pub use reference::{NAME_BYTES_MAX, SecretName, SecretRef, SecretRefError};
pub use seal::{NotAKey, OpenError, Opener, PASSPHRASE_BYTES_MIN, PublicKey, SealFor, SealKey};
pub use sources::{SourceSecrets, place_of};
pub use strength::SECRET_BITS_GOOD;
pub use value::Secret;
pub use vault::{
    Entry as VaultEntry, VAULT_FILE, VAULT_SECRETS_MAX, Vault, VaultError, VaultGuard, VaultLock,
    VaultOpener, vault_path, write_key,
};

/// Shortest secret that is taken, in bytes.
pub const SECRET_BYTES_MIN: usize = 8;
/// Shortest secret that is taken without a warning, in bytes.
pub const SECRET_BYTES_GOOD: usize = 16;
/// Longest secret that is taken, in bytes.
pub const SECRET_BYTES_MAX: usize = 512;

/// Longest PEM of a signing key that is taken, in bytes: an RSA key of 4096 bits has about 3300.
pub const SIGNING_KEY_BYTES_MAX: usize = 8192;

/// Longest content of a key's file that is taken, in bytes.
pub const KEY_FILE_BYTES_MAX: usize = 2048;

/// What stands in the place of a secret wherever it would be shown.
pub const REDACTED: &str = "«redacted»";

/// Looks up an environment variable. The real one is [`std::env::var_os`]; tests bring their own.
pub type Variables<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// The two keys of one account at Binance.
#[derive(Debug)]
pub struct BinanceSecrets {
    /// The API key, which goes with every request.
    pub api_key: Secret,
    /// The key that signs requests: an HMAC secret, or the PEM of an Ed25519 or RSA private key.
    pub signing_key: Secret,
}
