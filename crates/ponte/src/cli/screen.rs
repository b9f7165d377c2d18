//! What is printed and how: colours by meaning, times, sizes, nothing that could steer a terminal.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::failure::Failure;

/// What went as wanted.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What went otherwise, without harm.
pub(super) const SO_SO: Style = AnsiColor::Yellow.on_default();
/// What failed.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What can be overlooked.
pub(super) const DIM: Style = Style::new().dimmed();
/// What must not be overlooked.
pub(super) const BOLD: Style = Style::new().bold();
/// Neither.
pub(super) const PLAIN: Style = Style::new();

/// The colour of an outcome, a status or a level, by its word.
pub(super) fn style_of(word: &str) -> Style {
    match word {
        "accepted" | "filled" | "pass" => GOOD,
        "duplicate" | "halted" | "waiting" | "submitting" | "working" | "note" | "cancelled"
        | "expired" | "abandoned" => SO_SO,
        "refused" | "rejected" | "unknown" | "refuse" => BAD,
        _ => PLAIN,
    }
}

/// A text in a style.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Control characters would let an alert's text steer the terminal; line breaks stay.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' => '\n',
            '\t' => ' ',
            letter if letter.is_control() || is_direction(letter) => '\u{fffd}',
            letter => letter,
        })
        .collect()
}

/// Characters that turn the direction of what follows.
const fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Prints to standard output; colours only where they are wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        // `ponte alerts | head` has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::unreachable(format!(
            "standard output can't be written: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}

/// Prints one JSON document.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// Says something to whoever watches, on standard error, with its colours: nothing foreign may be in it.
pub(super) fn say(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = write!(anstream::stderr(), "{text}");
}

/// Says something to whoever watches, on standard error.
pub(super) fn note(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(
        anstream::stderr(),
        "{DIM}{text}{DIM:#}",
        text = printable(text)
    );
}

/// A moment in UTC: the day and the time; the year only when it is another one.
pub(super) fn short_time(at: Timestamp, now: Timestamp) -> String {
    let (at_text, now_text) = (at.to_string(), now.to_string());
    let (Some(day), Some(time)) = (at_text.get(5..10), at_text.get(11..19)) else {
        return at_text;
    };
    if at_text.get(..4) == now_text.get(..4) {
        format!("{day} {time}")
    } else {
        format!("{} {time}", &at_text[..10])
    }
}

/// The time of day in UTC, to the millisecond.
pub(super) fn clock_time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..23).unwrap_or(&text).to_owned()
}

/// How long ago, in one number.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.since(at)))
}

/// A span in one number and one unit.
pub(super) fn span(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3600, "h"), (60, "min")];
    let seconds = span.as_secs();
    for (size, unit) in UNITS {
        if seconds >= 2 * size {
            return format!("{} {unit}", seconds / size);
        }
    }
    if seconds >= 10 {
        return format!("{seconds} s");
    }
    if seconds >= 1 {
        return format!("{:.1} s", span.as_secs_f64());
    }
    let microseconds = span.as_micros();
    if microseconds == 0 {
        return "0 s".to_owned();
    }
    if microseconds >= 1000 {
        return format!("{:.1} ms", span.as_secs_f64() * 1000.0);
    }
    format!("{microseconds} µs")
}

/// How much, in one number and one unit.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        if count >= size {
            let tenths = count.saturating_mul(10) / size;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{count} B")
}

/// `1 order`, `2 orders`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// Lines of `name  value`, the values below each other.
pub(super) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (name, value) in rows {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{DIM}{name:<width$}{DIM:#}  {value}");
    }
    text
}
