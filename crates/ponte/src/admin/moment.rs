//! Moments as people write them: `2026-11-23T12:00:00Z`, `2026-11-23`, or `2h` for two hours ago.

use std::time::Duration;

use ponte_core::time::Timestamp;

/// A text that is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a moment; write 2026-11-23T12:00:00Z, 2026-11-23, or 90s, 15m, 2h, 7d for so long ago"
)]
pub struct NotAMoment(pub String);

/// Reads a moment; spans count back from `now`, days begin at midnight UTC.
///
/// # Errors
/// The text, when it is none.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, NotAMoment> {
    let text = text.trim();
    Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .or_else(|| Some(now.before(span(text)?)))
        .ok_or_else(|| NotAMoment(text.chars().take(40).collect()))
}

fn span(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds: u64 = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_three_ways() {
        let now = Timestamp(1_000_000_000_000_000);
        assert_eq!(moment("10s", now), Ok(Timestamp(999_999_990_000_000)));
        assert_eq!(moment("1970-01-02", now), Ok(Timestamp(86_400_000_000)));
        assert_eq!(
            moment("1970-01-01T00:00:01Z", now),
            Ok(Timestamp(1_000_000))
        );
        for bad in ["", "10", "yesterday", "99999999999999999999d", "-5m"] {
            assert!(moment(bad, now).is_err(), "{bad}");
        }
    }
}
