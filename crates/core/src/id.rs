//! The identities of things: each kind of name or number has its own type, so that one can't stand for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longest name of an account, a source or a strategy, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest symbol, in bytes (`BINANCE_FUTURES:1000SHIBUSDT.P` has 30).
pub const SYMBOL_BYTES_MAX: usize = 64;

/// Why a text can't be a name or a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// Nothing is left after trimming.
    Empty,
    /// More bytes than the kind of name allows.
    TooLong {
        /// Bytes read.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A control character, which would tear logs and tables.
    ControlCharacter,
    /// White space inside a symbol.
    WhiteSpace,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { bytes, limit } => {
                write!(f, "has {bytes} bytes, the limit is {limit}")
            }
            Self::ControlCharacter => f.write_str("has a control character in it"),
            Self::WhiteSpace => f.write_str("has white space in it"),
        }
    }
}

impl std::error::Error for NameError {}

fn checked_name(text: &str, limit: usize) -> Result<String, NameError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > limit {
        return Err(NameError::TooLong {
            bytes: text.len(),
            limit,
        });
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::ControlCharacter);
    }
    Ok(text.to_owned())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Trims and checks a name: 1 to [`NAME_BYTES_MAX`] bytes, no control characters.
            ///
            /// # Errors
            /// What is wrong with the text.
            pub fn new(text: &str) -> Result<Self, NameError> {
                checked_name(text, NAME_BYTES_MAX).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name!(
    /// One account at one broker, as the configuration calls it.
    AccountName
);
name!(
    /// Where alerts may come from: a named webhook secret with its format and rights.
    SourceName
);
name!(
    /// The strategy that an alert speaks for; positions belong to strategies.
    StrategyName
);

/// What the configuration and the engine call the strategy of an alert that names none.
pub const DEFAULT_STRATEGY: &str = "default";

/// The source and the strategy of the alert with which Ponte tests its own webhook.
const SELF_TEST: &str = "ponte-selftest";
/// The strategy of the stop that is placed and taken back to see that it rests.
const TRY_STOP: &str = "ponte-trystop";

impl StrategyName {
    /// The strategy of alerts that name none.
    #[must_use]
    pub fn unnamed() -> Self {
        Self(DEFAULT_STRATEGY.to_owned())
    }

    /// The strategy of the alert with which Ponte tests its own webhook.
    #[must_use]
    pub fn self_test() -> Self {
        Self(SELF_TEST.to_owned())
    }

    /// The strategy of the stop that is placed and taken back to see that it rests.
    #[must_use]
    pub fn try_stop() -> Self {
        Self(TRY_STOP.to_owned())
    }

    /// Whether the name is Ponte's own: no configuration may use it, and no alert from outside.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0 == SELF_TEST || self.0 == TRY_STOP
    }
}

impl SourceName {
    /// Where the alerts come from that Ponte makes itself.
    #[must_use]
    pub fn self_test() -> Self {
        Self(SELF_TEST.to_owned())
    }

    /// Whether the name is Ponte's own: no configuration may use it.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0 == SELF_TEST || self.0 == TRY_STOP
    }
}

/// A tradable thing in upper case, without its exchange prefix (`BTCUSDT`, `BTCUSDT.P`, `WINZ2026`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(String);

impl Symbol {
    /// Trims, checks and upper-cases a symbol.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let text = checked_name(text, SYMBOL_BYTES_MAX)?;
        if text.chars().any(char::is_whitespace) {
            return Err(NameError::WhiteSpace);
        }
        Ok(Self(text.to_uppercase()))
    }

    /// The symbol as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Symbol {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.0
    }
}

/// The number of an alert in this journal, counted from 1 and never given twice. Written `A17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(pub u64);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("A{}", self.0))
    }
}

impl FromStr for AlertId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim_start_matches(['A', 'a']).parse().map(Self)
    }
}

/// How many bytes of an order's identity tell the number of its alert: enough for 10¹² alerts.
const ALERT_BYTES: usize = 5;

/// The identity of an order on both sides of the wire: 128 bits, written as 32 lower-case hex digits.
///
/// The form fits every broker we know of (36 characters at Binance and Bybit, 32 letters and
/// digits without a hyphen at OKX). It is a pure function of what the order answers to, so that
/// it is the same after a crash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientOrderId(u128);

impl ClientOrderId {
    /// Derives the identity from the parts that name the order: who asked, for which account,
    /// which step. It begins with the number of the latest alert, so that ids grow with time and
    /// an index over them grows at its end.
    #[must_use]
    pub fn derive(alert: AlertId, parts: &[&[u8]]) -> Self {
        let digest = Digest::of_parts("ponte order", parts);
        let mut id = [0; 16];
        id[..ALERT_BYTES].copy_from_slice(&alert.0.to_be_bytes()[8 - ALERT_BYTES..]);
        id[ALERT_BYTES..].copy_from_slice(&digest.0[..16 - ALERT_BYTES]);
        Self::from_bytes(id)
    }

    /// The identity of an order that follows from this one.
    #[must_use]
    pub fn child(self, parts: &[&[u8]]) -> Self {
        let bytes = self.to_bytes();
        let mut alert = [0; 8];
        alert[8 - ALERT_BYTES..].copy_from_slice(&bytes[..ALERT_BYTES]);
        let all: Vec<&[u8]> = std::iter::once(&bytes[..])
            .chain(parts.iter().copied())
            .collect();
        Self::derive(AlertId(u64::from_be_bytes(alert)), &all)
    }

    /// The identity whose bytes these are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The 16 bytes behind the hex digits.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex(&self.to_bytes()))
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many digits of an order's id tables show; enough to ask for it.
const SHORT_DIGITS: usize = 8;

/// The start of an order's id, without the zeros in front: as tables show it, and as people type it.
#[must_use]
pub fn short_order_id(id: &str) -> &str {
    let digits = id.trim_start_matches('0');
    digits.get(..SHORT_DIGITS).unwrap_or(digits)
}

/// A text that isn't the hex form of a fixed number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHex;

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a row of hex digits of the right length")
    }
}

impl std::error::Error for NotHex {}

impl FromStr for ClientOrderId {
    type Err = NotHex;
    fn from_str(text: &str) -> Result<Self, NotHex> {
        from_hex(text).map(Self::from_bytes)
    }
}

impl TryFrom<String> for ClientOrderId {
    type Error = NotHex;
    fn try_from(text: String) -> Result<Self, NotHex> {
        text.parse()
    }
}

impl From<ClientOrderId> for String {
    fn from(id: ClientOrderId) -> Self {
        hex(&id.to_bytes())
    }
}

/// A SHA-256 digest: of a signal's meaning, of an event in the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

/// What a strategy is called where only a number can say it: 20 bits, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StrategyTag(u32);

impl StrategyTag {
    /// How many bits it has.
    pub const BITS: u32 = 20;

    /// The tag of a strategy.
    #[must_use]
    pub fn of(strategy: &StrategyName) -> Self {
        let digest = Digest::of_parts("ponte strategy", &[strategy.as_str().as_bytes()]);
        let first = u32::from_be_bytes([0, digest.0[0], digest.0[1], digest.0[2]]);
        Self((first >> (24 - Self::BITS)).max(1))
    }

    /// The tag that these bits are; `None` where they are 0, or too many.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        (bits > 0 && bits >> Self::BITS == 0).then_some(Self(bits))
    }

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl Digest {
    /// The digest before the first one of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// Digests parts so that no two different lists of parts give the same bytes: each is led by its length.
    #[must_use]
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update((domain.len() as u64).to_le_bytes());
        hasher.update(domain.as_bytes());
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Digest {
    type Error = NotHex;
    fn try_from(text: String) -> Result<Self, NotHex> {
        from_hex(&text).map(Self)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex(&digest.0)
    }
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(HEX_DIGITS[usize::from(nibble)]))
        .collect()
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(NotHex);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Result<u8, NotHex> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotHex),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_survives_its_text() {
        let id = ClientOrderId::derive(AlertId(7), &[b"a", b"bc"]);
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("0000000007"));
        assert_eq!(short_order_id(&id.to_string()), &id.to_string()[9..17]);
        assert!(id.child(&[b"x"]) != id && id.child(&[b"x"]).to_string().starts_with("0000000007"));
        assert_eq!("G".repeat(32).parse::<ClientOrderId>(), Err(NotHex));
    }

    #[test]
    fn parts_can_not_be_moved_between_neighbours() {
        assert_ne!(
            ClientOrderId::derive(AlertId(7), &[b"ab", b"c"]),
            ClientOrderId::derive(AlertId(7), &[b"a", b"bc"])
        );
    }

    #[test]
    fn symbols_are_upper_case_and_whole() {
        assert_eq!(
            Symbol::new(" btcusdt.p ").map(String::from),
            Ok("BTCUSDT.P".to_owned())
        );
        assert_eq!(Symbol::new("BTC USDT"), Err(NameError::WhiteSpace));
        assert_eq!(Symbol::new("  "), Err(NameError::Empty));
    }
}
