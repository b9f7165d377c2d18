//! The parameters of a request: kept in order for REST, sorted by name for the WebSocket API.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use rust_decimal::Decimal;

/// Names and values of a request's parameters, in the order in which they were given.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Params(Vec<(&'static str, String)>);

/// Shows the names only: API keys and signatures are among the values.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Params {
    /// No parameters.
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a parameter.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a number in plain notation: no exponent, no zeros at the end.
    #[must_use]
    pub(super) fn number(self, name: &'static str, value: Decimal) -> Self {
        self.with(name, plain(value))
    }

    /// The value of a parameter.
    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// `a=1&b=2` with percent-encoding: what REST sends and signs (since January 2026 the encoded
    /// text is signed; Binance Spot API, "Request security").
    pub(super) fn encoded(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            percent_encode(value, &mut text);
        }
        text
    }

    /// The parameters by name: what the WebSocket API sends and signs, without percent-encoding.
    pub(super) fn sorted(&self) -> BTreeMap<&'static str, &str> {
        self.0
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }
}

/// A number in plain notation.
pub(super) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// Appends a text with everything but RFC 3986's unreserved characters percent-encoded.
pub(super) fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_foreign_characters_are_encoded() {
        let params = Params::new()
            .with("symbol", "１２")
            .with("a", "x+y/z=")
            .number("quantity", Decimal::new(1_500_000, 7));
        assert_eq!(
            params.encoded(),
            "symbol=%EF%BC%91%EF%BC%92&a=x%2By%2Fz%3D&quantity=0.15"
        );
    }

    #[test]
    fn values_are_not_shown() {
        let params = Params::new().with("apiKey", "hidden");
        assert_eq!(format!("{params:?}"), "[\"apiKey\"]");
    }

    #[test]
    fn a_large_power_of_ten_has_no_exponent() {
        assert_eq!(
            plain(Decimal::new(1, 0) * Decimal::from(1_000_000)),
            "1000000"
        );
        assert_eq!(plain(Decimal::new(1, 8)), "0.00000001");
    }
}
