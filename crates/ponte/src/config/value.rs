//! The kinds of values, each with what it expects, what it found instead and the cure.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use rust_decimal::Decimal;
use toml::de::DeValue;

use super::duration;
use super::finding::{Notes, Problem};
use super::table::Table;
use ponte_core::nearest::nearest;

/// Longest text that is repeated in a message, in characters.
const QUOTED_CHARS_MAX: usize = 48;

pub(super) type Value<'d> = DeValue<'d>;

pub(super) fn text(value: &Value<'_>) -> Result<String, Problem> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| unexpected("a text", value))
}

/// A text that a type of the core knows how to check; `kind` names it (`a symbol`).
pub(super) fn name<T, E: Display>(
    value: &Value<'_>,
    kind: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Problem> {
    let text = value.as_str().ok_or_else(|| unexpected(kind, value))?;
    read(text).map_err(|error| Problem::new(format!("{} {error}", quoted(text))))
}

/// One of the named values.
pub(super) fn choice<T: Copy>(value: &Value<'_>, choices: &[(&str, T)]) -> Result<T, Problem> {
    let known = || listed(choices.iter().map(|(name, _)| *name));
    let Some(text) = value.as_str() else {
        return Err(unexpected(&known(), value));
    };
    if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == text) {
        return Ok(*chosen);
    }
    let problem = Problem::new(format!("expected {}, found {}", known(), quoted(text)));
    Err(match nearest(text, choices.iter().map(|(name, _)| *name)) {
        Some(name) => problem.cured_by(format!("did you mean \"{name}\"?")),
        None => problem,
    })
}

/// `true` or `false`, without quotes.
pub(super) fn truth(value: &Value<'_>) -> Result<bool, Problem> {
    value.as_bool().ok_or_else(|| {
        let problem = unexpected("true or false", value);
        match value.as_str() {
            Some("true" | "false") => problem.cured_by("write it without quotes"),
            Some(_) | None => problem,
        }
    })
}

pub(super) fn whole_number(value: &Value<'_>, range: RangeInclusive<u64>) -> Result<u64, Problem> {
    let (least, most) = (range.start(), range.end());
    let expected = format!("a whole number from {least} to {most}");
    let DeValue::Integer(integer) = value else {
        return Err(unexpected(&expected, value));
    };
    u64::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| unexpected(&expected, value))
}

/// Bounds of a decimal.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecimalRange {
    pub(super) above: Option<Decimal>,
    pub(super) least: Option<Decimal>,
    pub(super) most: Decimal,
}

/// The largest amount, quantity or price that is taken.
pub(super) const DECIMAL_MAX: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
/// Most digits after the point; the venue and every broker we know of have fewer.
const DECIMALS_MAX: u32 = 12;

impl DecimalRange {
    pub(super) const POSITIVE: Self = Self {
        above: Some(Decimal::ZERO),
        least: None,
        most: DECIMAL_MAX,
    };
    pub(super) const NOT_NEGATIVE: Self = Self {
        above: None,
        least: Some(Decimal::ZERO),
        most: DECIMAL_MAX,
    };

    fn check(self, number: Decimal) -> Result<Decimal, Problem> {
        if self.above.is_some_and(|above| number <= above) {
            let above = self.above.unwrap_or_default();
            return Err(Problem::new(format!("{number} is not above {above}")));
        }
        if self.least.is_some_and(|least| number < least) {
            let least = self.least.unwrap_or_default();
            return Err(Problem::new(format!(
                "{number} is below the minimum {least}"
            )));
        }
        if number > self.most {
            return Err(Problem::new(format!(
                "{number} is above the maximum {}",
                self.most
            )));
        }
        if number.normalize().scale() > DECIMALS_MAX {
            let scale = number.normalize().scale();
            return Err(Problem::new(format!(
                "{number} has {scale} digits after the point, the maximum is {DECIMALS_MAX}"
            )));
        }
        Ok(number)
    }
}

/// A decimal in quotes, or a whole number. A TOML float would be read as a binary float, which loses digits.
pub(super) fn decimal(value: &Value<'_>, range: DecimalRange) -> Result<Decimal, Problem> {
    const EXPECTED: &str = "a decimal in quotes";
    match value {
        DeValue::String(text) => range.check(decimal_of(text)?),
        DeValue::Integer(integer) if integer.radix() == 10 => {
            range.check(decimal_of(integer.as_str())?)
        }
        DeValue::Float(float) if is_decimal(float.as_str()) => Err(unexpected(EXPECTED, value)
            .cured_by(format!(
                "write it in quotes, \"{}\": binary floats lose digits",
                float.as_str()
            ))),
        DeValue::Float(_) => Err(unexpected(EXPECTED, value).cured_by(DIGITS)),
        DeValue::Integer(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Err(unexpected(EXPECTED, value)),
    }
}

/// The decimal of a key that may be absent, without zeros at its end.
pub(super) fn decimal_at(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    key: &str,
    range: DecimalRange,
) -> Option<Decimal> {
    let spot = table.read(notes, key, |value| decimal(value, range))?;
    Some(spot.value.normalize())
}

fn decimal_of(text: &str) -> Result<Decimal, Problem> {
    let trimmed = text.trim();
    if is_decimal(trimmed) {
        return Decimal::from_str_exact(trimmed)
            .map_err(|_| Problem::new(format!("{} has more than 28 digits", quoted(text))));
    }
    let problem = Problem::new(format!("expected a decimal, found {}", quoted(text)));
    Err(if trimmed.contains(',') {
        problem.cured_by("write a point, and nothing between thousands: \"1234.5\"")
    } else {
        problem.cured_by(DIGITS)
    })
}

const DIGITS: &str = "write digits with a point: \"0.01\"";

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

pub(super) fn duration(
    value: &Value<'_>,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Problem> {
    const EXPECTED: &str = "a duration such as \"45s\"";
    let text = match value {
        DeValue::String(text) => text,
        DeValue::Integer(number) => {
            return Err(unexpected(EXPECTED, value)
                .cured_by(format!("write it with a unit: \"{number}s\"")));
        }
        DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => return Err(unexpected(EXPECTED, value)),
    };
    let Some(span) = duration::parse(text) else {
        return Err(unexpected(EXPECTED, value)
            .cured_by("write a whole number and one of the units ms, s, m, h, d"));
    };
    let (least, most) = (*range.start(), *range.end());
    if span < least {
        return Err(Problem::new(format!(
            "{text} is below the minimum {}",
            duration::display(least)
        )));
    }
    if span > most {
        return Err(Problem::new(format!(
            "{text} is above the maximum {}",
            duration::display(most)
        )));
    }
    Ok(span)
}

/// An address to listen at: numbers, not names, so that nothing is looked up.
pub(super) fn socket_address(value: &Value<'_>) -> Result<SocketAddr, Problem> {
    let problem = || unexpected("an address with a port", value);
    let text = value.as_str().ok_or_else(problem)?;
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().unwrap_or(text);
        let port = port.parse::<u16>().unwrap_or(8080);
        problem().cured_by(format!(
            "write numbers: \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for every interface"
        ))
    })
}

/// `expected …, found …`.
pub(super) fn unexpected(expected: &str, value: &Value<'_>) -> Problem {
    Problem::new(format!("expected {expected}, found {}", found(value)))
}

fn found(value: &Value<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => format!("the number {}", shortened(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => format!("the date {moment}"),
        DeValue::Array(_) | DeValue::Table(_) => kind(value).to_owned(),
    }
}

/// The kind of a value, without the value.
pub(super) fn kind(value: &Value<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A text in quotes, without control characters and not too long.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= QUOTED_CHARS_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    format!("{start}…")
}

/// `"a", "b" or "c"`.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}
