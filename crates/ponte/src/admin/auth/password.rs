//! Passwords: which are taken, and how what is kept of them can't be turned back.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::random;

/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Memory of one hash in KiB; with [`PASSES`] and [`LANES`] what OWASP's Password Storage Cheat Sheet
/// asks of argon2id at the least: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// Different characters that a password has at the least.
const DISTINCT_MIN: usize = 5;
/// Most sign-ins that wait for their hash; the next one is told to come back.
const WAITING_MAX: usize = 8;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("the password has {0} characters, the minimum is {PASSWORD_CHARS_MIN}")]
    Short(
        /// Its characters.
        usize,
    ),
    /// Longer than is read.
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    Long,
    /// A few characters again and again.
    #[error("the password has {0} different characters, the minimum is {DISTINCT_MIN}")]
    Monotonous(
        /// How many.
        usize,
    ),
    /// The alphabet, the digits or a row of the keyboard.
    #[error("the password is a row of the alphabet, of digits or of the keyboard")]
    Row,
    /// A word that everybody tries first, or the user's own name, with or without digits around it.
    #[error("the password is one of the first that anybody would try")]
    Common,
    /// It has a control character.
    #[error("the password has a control character")]
    Control,
}

/// Words that are tried first; what is left of a password without digits and signs is compared to them.
const COMMON: [&str; 40] = [
    "password",
    "passwort",
    "passphrase",
    "senha",
    "senhasegura",
    "minhasenha",
    "contrasena",
    "clave",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "admin",
    "administrator",
    "administrador",
    "root",
    "user",
    "usuario",
    "guest",
    "login",
    "welcome",
    "bemvindo",
    "letmein",
    "changeme",
    "trocar",
    "mudar",
    "mudeisso",
    "secret",
    "segredo",
    "iloveyou",
    "teamo",
    "dragon",
    "monkey",
    "football",
    "futebol",
    "flamengo",
    "corinthians",
    "ponte",
    "tradingview",
    "trading",
    "trader",
];

/// Rows that fingers and counting make.
const ROWS: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Whether a password may be a user's.
///
/// # Errors
/// Why not; never with the password.
pub fn check(password: &str, user: &str) -> Result<(), WeakPassword> {
    let characters = password.chars().count();
    if characters < PASSWORD_CHARS_MIN {
        return Err(WeakPassword::Short(characters));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(WeakPassword::Long);
    }
    if password.chars().any(char::is_control) {
        return Err(WeakPassword::Control);
    }
    let lower = Zeroizing::new(password.to_lowercase());
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < DISTINCT_MIN {
        return Err(WeakPassword::Monotonous(distinct.len()));
    }
    let is_row = |row: &&str| {
        let backwards: String = row.chars().rev().collect();
        row.contains(lower.as_str()) || backwards.contains(lower.as_str())
    };
    if ROWS.iter().any(is_row) {
        return Err(WeakPassword::Row);
    }
    let letters: String = lower.chars().filter(|c| c.is_alphabetic()).collect();
    let letters = Zeroizing::new(letters);
    let name: String = user.to_lowercase();
    let name: String = name.chars().filter(|c| c.is_alphabetic()).collect();
    let words = COMMON.iter().copied().chain(std::iter::once(name.as_str()));
    let mut words = words.filter(|word| !word.is_empty());
    if letters.is_empty() || words.any(|word| is_only(&letters, word)) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// Whether a text is a word, once or several times.
fn is_only(text: &str, word: &str) -> bool {
    text.len().is_multiple_of(word.len()) && text.replace(word, "").is_empty()
}

/// A password that nobody guesses and a thumb can type: four groups of five, some 99 bits.
#[must_use]
pub fn generate() -> Zeroizing<String> {
    let groups: Vec<String> = (0..4).map(|_| random::readable(5)).collect();
    Zeroizing::new(groups.join("-"))
}

/// A password's hash can't be made; the cause is the machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password's hash can't be made; free some memory")]
pub struct HashFailed;

/// What is kept of a password: argon2id with a salt of its own, in the PHC string format.
///
/// # Errors
/// When there is no memory for it.
pub fn hash(password: &str) -> Result<String, HashFailed> {
    let salt = random::bytes(SALT_BYTES);
    let hashed = argon2().and_then(|argon2| {
        let hashed = argon2.hash_password_with_salt(password.as_bytes(), &salt);
        hashed.map_err(|_| HashFailed)
    })?;
    Ok(hashed.to_string())
}

/// Whether a password is the one of which this was kept.
#[must_use]
pub fn is_of(password: &str, kept: &str) -> bool {
    let Ok(kept) = PasswordHash::new(kept) else {
        return false;
    };
    argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &kept).is_ok())
}

fn argon2() -> Result<Argon2<'static>, HashFailed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashFailed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The two places where hashes are made: one for strangers, and one for browsers that have signed in
/// before, so that a crowd at the door can't keep the owner out. Two hashes take 38 MiB, never more.
pub(super) struct Hashing {
    strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// A hash that no password has: the work for a name that nobody has.
    nobody: String,
}

/// A place in the row before the hashes.
pub(super) struct Place {
    _waiting: OwnedSemaphorePermit,
}

impl Hashing {
    /// # Errors
    /// When there is no memory for one hash.
    pub(super) fn new() -> Result<Self, HashFailed> {
        Ok(Self {
            strangers: Arc::new(Semaphore::new(1)),
            known: Arc::new(Semaphore::new(1)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            nobody: hash(&random::url_token(32))?,
        })
    }

    /// Takes a place in the row; browsers that are known need none.
    pub(super) fn queue(&self) -> Option<Place> {
        let waiting = self.waiting.clone().try_acquire_owned().ok()?;
        Some(Place { _waiting: waiting })
    }

    /// Whether the password is the one of which `kept` was kept; the same work where there is none.
    pub(super) async fn is_of(
        &self,
        password: Zeroizing<String>,
        kept: Option<String>,
        known: bool,
    ) -> bool {
        let lane = if known { &self.known } else { &self.strangers };
        let Ok(lane) = lane.clone().acquire_owned().await else {
            return false;
        };
        let exists = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let right = is_of(&password, &kept);
            drop(lane);
            right
        });
        checked.await.unwrap_or(false) && exists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_obviously_weak_are_not_taken() {
        for (password, why) in [
            ("correct hors", None),
            ("k7mpq-x2v9d-ttw4b", None),
            ("Três pratos de trigo", None),
            ("short1!", Some(WeakPassword::Short(7))),
            ("aaaaaaaaaaaa", Some(WeakPassword::Monotonous(1))),
            ("121212121212", Some(WeakPassword::Monotonous(2))),
            ("abcdefghijkl", Some(WeakPassword::Row)),
            ("poiuytrewq12", None),
            ("987654321098", Some(WeakPassword::Row)),
            ("qwertyuiopas", Some(WeakPassword::Row)),
            ("Password2026", Some(WeakPassword::Common)),
            ("senha-senha-2026", Some(WeakPassword::Common)),
            ("27.11.1984-2026", Some(WeakPassword::Common)),
            ("Mariana-12345678", Some(WeakPassword::Common)),
            ("a\u{7}bcdefg hijk lm", Some(WeakPassword::Control)),
        ] {
            assert_eq!(check(password, "mariana").err(), why, "{password}");
        }
        assert_eq!(check(&"aB3$x".repeat(60), "x"), Err(WeakPassword::Long));
        for _ in 0..50 {
            assert_eq!(check(&generate(), "ana"), Ok(()));
        }
    }

    #[test]
    fn a_hash_is_one_passwords_alone() {
        let kept = hash("correct horse battery").unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert!(is_of("correct horse battery", &kept));
        assert!(!is_of("correct horse batterx", &kept));
        assert!(!is_of("correct horse battery", "not a hash"));
        assert_ne!(kept, hash("correct horse battery").unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        let hashing = Hashing::new().unwrap();
        let nobodys = Zeroizing::new("whatever it may be".to_owned());
        assert!(!hashing.is_of(nobodys, None, false).await);
        let mut places: Vec<_> = (0..WAITING_MAX).map(|_| hashing.queue()).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(hashing.queue().is_none());
        places.pop();
        assert!(hashing.queue().is_some());
    }
}
