//! What is said about what was seen: each finding one sentence, and its cure.
//!
//! All texts of the doctor that are no account's are here, so that a translation has one place.

pub(crate) mod account;
pub(crate) mod journal;
pub(crate) mod machine;
pub(crate) mod public_side;
pub(crate) mod secrets;
pub(crate) mod selftest;
pub(crate) mod senders;

use std::time::Duration;

/// A span in one number and one unit.
pub(crate) fn span(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "days"), (3600, "h"), (60, "min")];
    let seconds = span.as_secs();
    for (size, unit) in UNITS {
        if seconds >= 2 * size {
            return format!("{} {unit}", seconds / size);
        }
    }
    if seconds >= 10 {
        return format!("{seconds} s");
    }
    let milliseconds = span.as_secs_f64() * 1000.0;
    if milliseconds >= 1000.0 {
        format!("{:.1} s", milliseconds / 1000.0)
    } else if milliseconds >= 10.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{milliseconds:.1} ms")
    }
}

/// How much, in one number and one unit.
fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        if count >= size {
            let tenths = count.saturating_mul(10) / size;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{count} B")
}

/// `1 alert`, `2 alerts`.
fn count(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// The first of them, and how many more there are.
pub(crate) fn some(names: &[String]) -> String {
    const NAMED_MAX: usize = 5;
    let shown = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
