//! One member's value as a text, a number, a price or a moment; every refusal names the member.

use std::borrow::Cow;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::error::{Refusal, code, quoted, shown};
use super::json::{self, Member, Value};
use super::number::{self, Reading, Trouble};
use crate::number::{Price, Quantity};
use crate::signal::TARGETS_MAX;
use crate::time::Timestamp;

/// Longest text of a number, in bytes.
const NUMBER_BYTES_MAX: usize = 128;
/// Longest text of a moment, in bytes.
const TIME_BYTES_MAX: usize = 64;
/// 2000-01-01 in microseconds since 1970.
const TIME_MIN: i64 = 946_684_800_000_000;
/// 2100-01-01 in microseconds since 1970.
const TIME_MAX: i64 = 4_102_444_800_000_000;

/// A text, trimmed, perhaps empty; a number only where the text may look like one (`"id":17`).
pub(super) fn text<'a>(
    member: &Member<'a>,
    bytes_max: usize,
    numbers: bool,
) -> Result<Cow<'a, str>, Refusal> {
    let value = member.value()?;
    let text = match value {
        Value::Text(text) => text,
        Value::Number(text) if numbers => Cow::Borrowed(text),
        Value::Number(_) | Value::Array(_) | Value::Object | Value::Truth | Value::Null => {
            return Err(wrong_type(member, &value, "a text in double quotes"));
        }
    };
    check_text(member, &text)?;
    if text.len() > bytes_max {
        return Err(Refusal::new(
            code::TOO_LONG,
            format!(
                "{} has {} bytes, the limit is {bytes_max}",
                shown(&member.key),
                text.len()
            ),
        )
        .about(member));
    }
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    })
}

/// A text with something in it.
pub(super) fn filled_text<'a>(
    member: &Member<'a>,
    bytes_max: usize,
    numbers: bool,
) -> Result<Cow<'a, str>, Refusal> {
    let text = text(member, bytes_max, numbers)?;
    if text.is_empty() {
        return Err(Refusal::new(
            code::EMPTY_FIELD,
            format!(
                "{} is empty; fill it in or leave the field out",
                shown(&member.key)
            ),
        )
        .about(member));
    }
    Ok(text)
}

/// Refuses what no text may hold: a placeholder that was not replaced, a control character.
pub(super) fn check_text(member: &Member<'_>, text: &str) -> Result<(), Refusal> {
    if let Some(start) = text.find("{{") {
        return Err(placeholder(Some(&member.key), &text[start..]).about(member));
    }
    let Some(control) = text.chars().find(|letter| letter.is_control()) else {
        return Ok(());
    };
    Err(Refusal::new(
        code::CONTROL_CHAR,
        format!(
            "{} holds the control character {}; a text is one line, put a space there",
            shown(&member.key),
            control.escape_unicode()
        ),
    )
    .about(member))
}

/// The refusal of a placeholder that was not replaced; `text` starts with its `{{`.
pub(super) fn placeholder(key: Option<&str>, text: &str) -> Refusal {
    let name = match text.find("}}") {
        Some(end) => shown(&text[..end + 2]),
        None => shown(text.split('"').next().unwrap_or(text)),
    };
    let place = key.map_or_else(|| "the body".to_owned(), shown);
    Refusal::new(
        code::PLACEHOLDER,
        format!(
            "{place} holds the placeholder {name}, which TradingView did not replace; alert() in \
             Pine never replaces placeholders (put the value in with str.tostring), and \
             {{{{strategy.…}}}} exists only in the alerts of a strategy"
        ),
    )
}

pub(super) fn wrong_type(member: &Member<'_>, value: &Value<'_>, expected: &str) -> Refusal {
    Refusal::new(
        code::WRONG_TYPE,
        format!(
            "{} is {}, expected {expected}",
            shown(&member.key),
            value.kind()
        ),
    )
    .about(member)
}

/// A number or a percentage.
pub(super) fn reading(member: &Member<'_>) -> Result<Reading, Refusal> {
    reading_of(member, member.value()?)
}

fn reading_of(member: &Member<'_>, value: Value<'_>) -> Result<Reading, Refusal> {
    let (text, result) = match value {
        Value::Number(text) => (Cow::Borrowed(text), number::exact(text).map(Reading::Plain)),
        Value::Text(text) => {
            check_text(member, &text)?;
            let result = if text.len() > NUMBER_BYTES_MAX {
                Err(Trouble::Malformed)
            } else {
                number::read(&text)
            };
            (text, result)
        }
        Value::Null => (Cow::Borrowed("null"), Err(Trouble::NoNumber)),
        Value::Array(_) | Value::Object | Value::Truth => {
            return Err(wrong_type(member, &value, "a number"));
        }
    };
    result.map_err(|trouble| number_refusal(member, &text, trouble))
}

fn number_refusal(member: &Member<'_>, text: &str, trouble: Trouble) -> Refusal {
    let key = shown(&member.key);
    let read = quoted(text);
    let (code, message) = match trouble {
        Trouble::NoNumber => return no_number(&member.key, text).about(member),
        Trouble::Ambiguous { grouped, fraction } => (
            code::AMBIGUOUS_NUMBER,
            format!(
                "{key} {read} can be read as {grouped} and as {fraction}; write one of these two"
            ),
        ),
        Trouble::Money => (
            code::MONEY,
            format!("{key} {read} is an amount of money; expected a bare number such as 0.01"),
        ),
        Trouble::Unit { number, unit } => (
            code::UNIT,
            format!(
                "{key} {read} has the unit {}; write the bare number {}, in the units of the symbol",
                quoted(&unit),
                shown(&number)
            ),
        ),
        Trouble::TooManyDigits => (
            code::TOO_MANY_DIGITS,
            format!(
                "{key} {} has more digits than can be held exactly, which are 28; round it in Pine, \
                 with str.tostring(x, \"#.########\")",
                shown(text)
            ),
        ),
        Trouble::Malformed => (
            code::BAD_NUMBER,
            format!("{key} {read} is not a number; expected one such as 0.01"),
        ),
    };
    Refusal::new(code, message).about(member)
}

/// The refusal of `NaN`, `na`, `null` and of nothing at all.
pub(super) fn no_number(key: &str, text: &str) -> Refusal {
    let read = if text.trim().is_empty() {
        "empty".to_owned()
    } else {
        shown(text.trim())
    };
    Refusal::new(
        code::NO_NUMBER,
        format!(
            "{} is {read}, which is no number; Pine had no value there: test it with na(), \
             or leave the field out",
            shown(key)
        ),
    )
}

/// A plain number of any sign.
pub(super) fn signed(member: &Member<'_>) -> Result<Decimal, Refusal> {
    plain(member, reading(member)?)
}

fn plain(member: &Member<'_>, reading: Reading) -> Result<Decimal, Refusal> {
    match reading {
        Reading::Plain(number) => Ok(number),
        Reading::Percent(percent) => Err(Refusal::new(
            code::PERCENT,
            format!(
                "{} is {percent}%, expected a plain number; only exits can be given in percent",
                shown(&member.key)
            ),
        )
        .about(member)),
    }
}

/// A price above zero.
pub(super) fn price(member: &Member<'_>) -> Result<Price, Refusal> {
    price_of(member, signed(member)?)
}

fn price_of(member: &Member<'_>, number: Decimal) -> Result<Price, Refusal> {
    Price::new(number).map_err(|_| not_positive(member, number, "a price"))
}

/// A quantity above zero.
pub(super) fn quantity(member: &Member<'_>, number: Decimal) -> Result<Quantity, Refusal> {
    Quantity::new(number).map_err(|_| not_positive(member, number, "a quantity"))
}

fn not_positive(member: &Member<'_>, number: Decimal, what: &str) -> Refusal {
    Refusal::new(
        code::NOT_POSITIVE,
        format!("{} is {number}, {what} must be above 0", shown(&member.key)),
    )
    .about(member)
}

/// A percentage above 0 and up to 100.
pub(super) fn percent(member: &Member<'_>, number: Decimal) -> Result<Decimal, Refusal> {
    if number > Decimal::ZERO && number <= Decimal::ONE_HUNDRED {
        return Ok(number);
    }
    Err(Refusal::new(
        code::PERCENT,
        format!(
            "{} is {number}%, a percentage of a position is above 0 and at most 100",
            shown(&member.key)
        ),
    )
    .about(member))
}

/// One price, or an array of prices.
pub(super) fn prices(member: &Member<'_>) -> Result<Vec<Price>, Refusal> {
    let Value::Array(raw) = member.value()? else {
        return Ok(vec![price(member)?]);
    };
    let elements = json::elements(raw).unwrap_or_default();
    if elements.is_empty() {
        return Err(no_number(&member.key, "[]").about(member));
    }
    if elements.len() > TARGETS_MAX {
        return Err(Refusal::new(
            code::TOO_MANY_TARGETS,
            format!(
                "{} has {} prices, the limit is {TARGETS_MAX}",
                shown(&member.key),
                elements.len()
            ),
        )
        .about(member));
    }
    elements
        .into_iter()
        .map(|raw| {
            let value = json::value(raw).unwrap_or(Value::Null);
            let number = plain(member, reading_of(member, value)?)?;
            price_of(member, number)
        })
        .collect()
}

/// A moment: RFC 3339, or seconds, milliseconds or microseconds since 1970, told apart by size.
pub(super) fn time(member: &Member<'_>) -> Result<Timestamp, Refusal> {
    let text = filled_text(member, TIME_BYTES_MAX, true)?;
    if number::is_no_number(&text) {
        return Err(no_number(&member.key, &text).about(member));
    }
    let moment = match number::exact(&text) {
        Ok(number) => epoch(number),
        Err(Trouble::TooManyDigits) => None,
        Err(
            Trouble::Malformed
            | Trouble::NoNumber
            | Trouble::Ambiguous { .. }
            | Trouble::Money
            | Trouble::Unit { .. },
        ) => {
            let Some(moment) = Timestamp::parse_rfc3339(&text) else {
                return Err(bad_time(member, &text));
            };
            Some(moment)
        }
    };
    moment
        .filter(|moment| (TIME_MIN..TIME_MAX).contains(&moment.microseconds()))
        .ok_or_else(|| {
            Refusal::new(
                code::TIME_RANGE,
                format!(
                    "{} {} is not between 2000 and 2100; expected seconds, milliseconds or \
                     microseconds since 1970, or a text such as 2026-11-23T12:00:00Z",
                    shown(&member.key),
                    shown(&text)
                ),
            )
            .about(member)
        })
}

/// The three units do not overlap between 2000 and 2100.
fn epoch(number: Decimal) -> Option<Timestamp> {
    if !number.is_integer() {
        return None;
    }
    let number = number.to_i64()?;
    [1_000_000, 1000, 1]
        .into_iter()
        .filter_map(|unit| number.checked_mul(unit))
        .find(|microseconds| (TIME_MIN..TIME_MAX).contains(microseconds))
        .map(Timestamp)
}

fn bad_time(member: &Member<'_>, text: &str) -> Refusal {
    let with_zone = format!("{text}Z");
    let cure = if Timestamp::parse_rfc3339(&with_zone).is_some() {
        "the time zone is missing: append Z for UTC"
    } else {
        "expected a text such as 2026-11-23T12:00:00Z, which {{timenow}} and {{time}} give, or \
         milliseconds since 1970"
    };
    Refusal::new(
        code::BAD_TIME,
        format!(
            "{} {} is not a moment; {cure}",
            shown(&member.key),
            quoted(text)
        ),
    )
    .about(member)
}
