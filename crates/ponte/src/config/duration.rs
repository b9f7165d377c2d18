//! Durations as people write them: a whole number and one unit (`500ms`, `45s`, `2m`, `1h`, `90d`).

use std::time::Duration;

/// Units from the largest to the smallest, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads `45s`; `None` when there is no unit, no number, or more than fits.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_millis(number.checked_mul(*milliseconds)?))
}

/// The shortest way to write a duration of whole milliseconds: in the largest unit that divides it.
pub(super) fn display(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let (name, size) = UNITS
        .iter()
        .find(|(_, size)| milliseconds > 0 && milliseconds.is_multiple_of(u128::from(*size)))
        .unwrap_or(&("ms", 1));
    format!("{}{name}", milliseconds / u128::from(*size))
}
