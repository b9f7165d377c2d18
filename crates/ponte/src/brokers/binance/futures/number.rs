//! Reads the exchange's numbers: decimals come as text, sometimes empty, and ids as numbers or as text.

use std::fmt;

use rust_decimal::Decimal;
use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Reads a decimal; an empty text is zero (`"quantity":""` of an order that closes a position).
///
/// # Errors
/// A text that isn't a plain decimal, and a JSON number with a fraction: it has been through a binary float.
pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    deserializer.deserialize_any(DecimalVisitor)
}

/// Reads a decimal that may be absent, `null` or empty.
///
/// # Errors
/// As [`decimal`].
pub(super) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    deserializer.deserialize_any(OptionVisitor)
}

/// Reads the number of an order, sent as a number or as text; nothing for an empty text and for zero.
///
/// # Errors
/// Anything that isn't a whole number.
pub(super) fn order_id<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let number = deserializer.deserialize_any(OptionVisitor)?;
    let Some(number) = number.filter(|number| !number.is_zero()) else {
        return Ok(None);
    };
    u64::try_from(number)
        .map(Some)
        .map_err(|_| D::Error::custom(format_args!("{number} is not an order's number")))
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal as text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
        if text.is_empty() {
            return Ok(Decimal::ZERO);
        }
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        text.parse()
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(number.into())
    }
}

struct OptionVisitor;

impl Visitor<'_> for OptionVisitor {
    type Value = Option<Decimal>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal as text, or nothing")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Decimal>, E> {
        if text.is_empty() {
            return Ok(None);
        }
        DecimalVisitor.visit_str(text).map(Some)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<Decimal>, E> {
        Ok(Some(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<Decimal>, E> {
        Ok(Some(number.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Decimal>, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Row {
        #[serde(deserialize_with = "decimal")]
        quantity: Decimal,
        #[serde(default, deserialize_with = "optional")]
        price: Option<Decimal>,
        #[serde(default, deserialize_with = "order_id")]
        id: Option<u64>,
    }

    fn read(text: &str) -> Option<(String, Option<String>, Option<u64>)> {
        let row: Row = serde_json::from_str(text).ok()?;
        let price = row.price.map(|price| price.to_string());
        Some((row.quantity.to_string(), price, row.id))
    }

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        let cases = [
            (
                r#"{"quantity":"0.10000","price":"12.5","id":"7"}"#,
                Some(("0.10000", Some("12.5"), Some(7))),
            ),
            (
                r#"{"quantity":"","price":"","id":""}"#,
                Some(("0", None, None)),
            ),
            (
                r#"{"quantity":3,"price":null,"id":8389765591}"#,
                Some(("3", None, Some(8_389_765_591))),
            ),
            (r#"{"quantity":"-1","id":0}"#, Some(("-1", None, None))),
            (r#"{"quantity":0.1}"#, None),
            (r#"{"quantity":"1e5"}"#, None),
            (r#"{"quantity":"1","id":"-4"}"#, None),
            (r#"{"quantity":"1","id":"x"}"#, None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(q, p, id)| (q.to_owned(), p.map(str::to_owned), id));
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
