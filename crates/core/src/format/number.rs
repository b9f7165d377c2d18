//! Numbers as people and Pine write them, read exactly or not at all.

use rust_decimal::Decimal;

/// A text that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Plain(Decimal),
    Percent(Decimal),
}

/// Why a text is not a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It says itself that there is no number: `NaN`, `na`, an empty text.
    NoNumber,
    /// `1,234`: one thousand, or one and a bit.
    Ambiguous { grouped: Decimal, fraction: Decimal },
    /// It names a currency.
    Money,
    /// A number and a word.
    Unit { number: String, unit: String },
    /// More digits than a decimal holds.
    TooManyDigits,
    /// Nothing of these.
    Malformed,
}

const NO_NUMBER: &[&str] = &[
    "",
    "-",
    "--",
    "—",
    "–",
    "∅",
    "nan",
    "na",
    "n/a",
    "nil",
    "null",
    "none",
    "undefined",
    "inf",
    "infinity",
];

const CURRENCY_SIGNS: &[char] = &['$', '€', '£', '¥', '₿'];

/// Reads a quoted number.
pub(super) fn read(text: &str) -> Result<Reading, Trouble> {
    let text = text.trim();
    if is_no_number(text) {
        return Err(Trouble::NoNumber);
    }
    if text.contains(CURRENCY_SIGNS) {
        return Err(Trouble::Money);
    }
    if let Some(number) = text.strip_suffix('%') {
        return plain(number.trim_end()).map(Reading::Percent);
    }
    match plain(text) {
        Err(Trouble::Malformed) => Err(unit(text).unwrap_or(Trouble::Malformed)),
        other => other.map(Reading::Plain),
    }
}

/// Whether a word says that there is no number.
pub(super) fn is_no_number(word: &str) -> bool {
    let word = word.trim();
    let bare = word.strip_prefix(['+', '-']).unwrap_or(word);
    [word, bare]
        .iter()
        .any(|word| NO_NUMBER.iter().any(|no| no.eq_ignore_ascii_case(word)))
}

/// Reads a number in JSON's own form, `-1.5e-3`, without rounding.
pub(super) fn exact(text: &str) -> Result<Decimal, Trouble> {
    let (negative, text) = sign(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(Trouble::Malformed),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(Trouble::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    compose(negative, whole, fraction, exponent).ok_or(Trouble::TooManyDigits)
}

/// `±whole.fraction × 10^exponent`, or `None` when a decimal can't hold it exactly.
fn compose(negative: bool, whole: &str, fraction: &str, exponent: i64) -> Option<Decimal> {
    let mut mantissa: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        mantissa = mantissa
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))?;
    }
    if mantissa == 0 {
        return Some(Decimal::ZERO);
    }
    let mut scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    while scale < 0 {
        mantissa = mantissa.checked_mul(10)?;
        scale += 1;
    }
    while scale > i64::from(Decimal::MAX_SCALE) || (scale > 0 && mantissa % 10 == 0) {
        if mantissa % 10 != 0 {
            return None;
        }
        mantissa /= 10;
        scale -= 1;
    }
    let signed = if negative { -mantissa } else { mantissa };
    Decimal::try_from_i128_with_scale(signed, u32::try_from(scale).ok()?).ok()
}

fn parse_exponent(text: &str) -> Result<i64, Trouble> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Trouble::Malformed);
    }
    // An exponent of five digits is past every decimal, so its value no longer matters.
    let size = digits.parse().unwrap_or(99_999_i64).min(99_999);
    Ok(if negative { -size } else { size })
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Reads a number with a point or a comma, and perhaps groups of thousands.
fn plain(text: &str) -> Result<Decimal, Trouble> {
    let points = text.matches('.').count();
    let commas = text.matches(',').count();
    if commas == 0 && points <= 1 {
        return exact(text);
    }
    let (negative, digits) = sign(text);
    let minus = if negative { "-" } else { "" };
    let number = |whole: &str, fraction: &str| {
        let point = if fraction.is_empty() { "" } else { "." };
        exact(&format!("{minus}{whole}{point}{fraction}"))
    };
    match (digits.rfind('.'), digits.rfind(',')) {
        (None, Some(comma)) if commas == 1 => {
            let (whole, fraction) = (&digits[..comma], &digits[comma + 1..]);
            if fraction.is_empty() {
                return Err(Trouble::Malformed);
            }
            let fraction_reading = number(whole, fraction)?;
            match ungroup(digits, ',') {
                Some(grouped) => Err(Trouble::Ambiguous {
                    grouped: number(&grouped, "")?,
                    fraction: fraction_reading,
                }),
                None => Ok(fraction_reading),
            }
        }
        (None, _) => number(&ungroup(digits, ',').ok_or(Trouble::Malformed)?, ""),
        (Some(_), None) => number(&ungroup(digits, '.').ok_or(Trouble::Malformed)?, ""),
        (Some(point), Some(comma)) => {
            let last = point.max(comma);
            let (group, decimals) = if point > comma {
                (',', points)
            } else {
                ('.', commas)
            };
            let (whole, fraction) = (&digits[..last], &digits[last + 1..]);
            if decimals != 1 || fraction.is_empty() {
                return Err(Trouble::Malformed);
            }
            number(&ungroup(whole, group).ok_or(Trouble::Malformed)?, fraction)
        }
    }
}

/// The digits of `1.234.567` when the groups are what groups of thousands are.
fn ungroup(text: &str, separator: char) -> Option<String> {
    let mut groups = text.split(separator);
    let first = groups.next()?;
    let fits = (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && groups.clone().all(|group| group.len() == 3)
        && text.chars().all(|c| c.is_ascii_digit() || c == separator);
    fits.then(|| text.chars().filter(|c| *c != separator).collect())
}

/// A number before or after a word.
fn unit(text: &str) -> Option<Trouble> {
    let found = |number: &str, unit: &str| {
        plain(number.trim()).is_ok().then(|| Trouble::Unit {
            number: number.trim().to_owned(),
            unit: unit.trim().to_owned(),
        })
    };
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+');
    let after = text.find(|c: char| !is_number(c))?;
    if after > 0 {
        return found(&text[..after], &text[after..]);
    }
    let before = text.find(is_number)?;
    found(&text[before..], &text[..before])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_read_as_written() {
        let cases = [
            ("0.01", "0.01"),
            ("1", "1"),
            ("1e-5", "0.00001"),
            ("12E2", "1200"),
            ("-3", "-3"),
            ("+3", "3"),
            (" 37,9 ", "37.9"),
            ("0,01", "0.01"),
            ("0,125", "0.125"),
            ("1234,567", "1234.567"),
            ("1.234,50", "1234.5"),
            ("1,234.50", "1234.5"),
            ("1.234.567", "1234567"),
            ("1,234,567", "1234567"),
            ("-1.234,5", "-1234.5"),
            ("1.234", "1.234"),
            ("007", "7"),
            (
                "0.10000000000000000000000000000000000000000000000000",
                "0.1",
            ),
            (
                "79228162514264337593543950335",
                "79228162514264337593543950335",
            ),
            (
                "0.0000000000000000000000000001",
                "0.0000000000000000000000000001",
            ),
            ("10e-29", "0.0000000000000000000000000001"),
            ("0e99999999999999999999", "0"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(Reading::Plain(decimal(expected))), "{text}");
        }
        assert_eq!(read("10%"), Ok(Reading::Percent(decimal("10"))));
        assert_eq!(read("2,5 %"), Ok(Reading::Percent(decimal("2.5"))));
    }

    #[test]
    fn what_is_no_number_is_named() {
        for text in ["", " ", "-", "NaN", "na", "-Infinity", "null", "∅", "None"] {
            assert_eq!(read(text), Err(Trouble::NoNumber), "{text}");
        }
        for text in [
            "1.5.", ".5", "5.", "1,,2", "1.23,4.5", "12.34,5", "abc", "--1", "1 000", "1e", "0x10",
        ] {
            assert!(
                matches!(read(text), Err(Trouble::Malformed | Trouble::Unit { .. })),
                "{text}: {:?}",
                read(text)
            );
        }
        for text in ["R$ 1.000,00", "$1,000", "5€"] {
            assert_eq!(read(text), Err(Trouble::Money), "{text}");
        }
        for text in [
            "0.00000000000000000000000000001",
            "79228162514264337593543950336",
            "1e29",
            "1e99999999999999999999",
            "1.0000000000000000000000000000000000000001",
        ] {
            assert_eq!(read(text), Err(Trouble::TooManyDigits), "{text}");
        }
        assert_eq!(
            read("1,234"),
            Err(Trouble::Ambiguous {
                grouped: decimal("1234"),
                fraction: decimal("1.234")
            })
        );
        assert_eq!(
            read("0.5 lot"),
            Err(Trouble::Unit {
                number: "0.5".to_owned(),
                unit: "lot".to_owned()
            })
        );
    }
}
