//! Numbers at the edge: MetaTrader's are doubles, the book's are decimals.

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;

/// Decimals kept of a double: MetaTrader itself keeps volumes to eight.
const DOUBLE_DECIMALS: u32 = 8;

/// The largest number that is taken: no product of a few of them leaves the range of decimals.
const NUMBER_MAX: i64 = 1_000_000_000;

/// The decimal a double was meant to be: the shortest that reads as that double, to eight decimals.
///
/// None for what is no number or is larger than a billion.
pub(super) fn decimal(double: f64) -> Option<Decimal> {
    if !double.is_finite() || double.abs() > NUMBER_MAX as f64 {
        return None;
    }
    let exact: Decimal = double.to_string().parse().ok()?;
    Some(exact.round_dp(DOUBLE_DECIMALS).normalize())
}

/// The nearest double.
pub(super) fn double(decimal: Decimal) -> f64 {
    // A decimal's text always reads as a double.
    decimal.to_string().parse().unwrap_or_default()
}

/// A decimal as the administration's bodies write it: a JSON number or a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number or a string of one")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        let found = decimal(value).map(Number);
        found.ok_or_else(|| E::custom(format!("{value} is out of range")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Number, E> {
        let found = value.parse::<f64>().ok().and_then(decimal).map(Number);
        found.ok_or_else(|| E::custom(format!("{value:?} is not a decimal up to {NUMBER_MAX}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_become_the_decimals_that_were_meant() {
        let cases = [
            (0.1 + 0.2, "0.3"),
            (1.1, "1.1"),
            (128_340.0, "128340"),
            (-0.5, "-0.5"),
            (5_432.5, "5432.5"),
        ];
        for (from, expected) in cases {
            assert_eq!(
                decimal(from).map(|found| found.to_string()).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(decimal(f64::NAN), None);
        assert_eq!(decimal(1e300), None);
    }

    #[test]
    fn decimals_become_the_nearest_doubles() {
        for text in [
            "0.1",
            "1.08517",
            "128340",
            "0.00001",
            "79228162514264337593543950335",
        ] {
            let parsed: Decimal = text.parse().ok().unwrap_or_default();
            assert_eq!(Some(double(parsed)), text.parse().ok(), "{text}");
        }
    }
}
