//! Trading days against calendars that others keep.

use ponte_core::b3::calendar::{self, holidays, local, moment, parse_day, parse_time, warning};
use ponte_core::b3::{Calendar, UTC_OFFSET_SECONDS};
use ponte_core::time::Timestamp;
use proptest::prelude::*;

use super::day;

/// Weekdays without a session, as the third-party calendar `exchange_calendars` 4.13.2 (BVMF) has
/// them; 2027 from the rules that it shares, to 20 November, and December by hand.
const CLOSED: &[(i16, &str)] = &[
    (
        2022,
        "02-28 03-01 04-15 04-21 06-16 09-07 10-12 11-02 11-15 12-30",
    ),
    (
        2023,
        "02-20 02-21 04-07 04-21 05-01 06-08 09-07 10-12 11-02 11-15 12-25 12-29",
    ),
    (
        2024,
        "01-01 02-12 02-13 03-29 05-01 05-30 11-15 11-20 12-24 12-25 12-31",
    ),
    (
        2025,
        "01-01 03-03 03-04 04-18 04-21 05-01 06-19 11-20 12-24 12-25 12-31",
    ),
    (
        2026,
        "01-01 02-16 02-17 04-03 04-21 05-01 06-04 09-07 10-12 11-02 11-20 12-24 12-25 12-31",
    ),
    (
        2027,
        "01-01 02-08 02-09 03-26 04-21 05-27 09-07 10-12 11-02 11-15 12-24 12-31",
    ),
    // Leap year; Easter on 16 April; the year ends on a Sunday.
    (
        2028,
        "02-28 02-29 04-14 04-21 05-01 06-15 09-07 10-12 11-02 11-15 11-20 12-25 12-29",
    ),
];

#[test]
fn the_days_without_a_session_are_the_known_ones() {
    for (year, expected) in CLOSED {
        let ours: Vec<_> = holidays(*year)
            .into_iter()
            .map(|(day, _)| day.strftime("%m-%d").to_string())
            .collect();
        assert_eq!(ours.join(" "), *expected, "{year}");
    }
}

#[test]
fn a_day_says_why_there_is_no_session() {
    let mut calendar = Calendar::default();
    for (text, why) in [
        ("2026-11-20", Some("Black Awareness Day")),
        ("2023-11-20", None),
        ("2026-11-21", Some("the weekend")),
        ("2026-01-25", Some("the weekend")),
        ("2024-01-25", None),
        ("2026-07-09", None),
        ("2026-02-18", None),
        ("2023-12-29", Some("the last day of the year")),
        ("2026-12-30", None),
        ("2022-12-23", None),
        ("2024-02-12", Some("Carnival")),
    ] {
        assert_eq!(calendar.closed(day(text)), why, "{text}");
    }
    calendar.closed.insert(day("2026-07-09"));
    assert_eq!(
        calendar.closed(day("2026-07-09")),
        Some("closed by the configuration")
    );
}

#[test]
fn sessions_are_counted_over_holidays_and_weekends() {
    let calendar = Calendar::default();
    assert_eq!(calendar.session_after(day("2026-12-23")), day("2026-12-28"));
    assert_eq!(calendar.session_from(day("2026-02-14")), day("2026-02-18"));
    assert_eq!(
        calendar.session_before(day("2026-02-18")),
        day("2026-02-13")
    );
    assert_eq!(calendar.session_until(day("2026-12-31")), day("2026-12-30"));
    assert_eq!(
        calendar.sessions_before(day("2026-12-16"), 3),
        day("2026-12-11")
    );
    assert_eq!(
        calendar.sessions_before(day("2026-11-24"), 2),
        day("2026-11-19")
    );
}

#[test]
fn a_year_that_nobody_has_read_is_told() {
    for year in 2022..=2026 {
        assert_eq!(warning(year), None);
        assert!(calendar::source(year).is_some());
    }
    for year in [2021, 2027, 2028] {
        let text = warning(year).unwrap();
        assert!(
            text.starts_with(&format!("year {year} is computed only")),
            "{text}"
        );
    }
}

#[test]
fn brasilia_is_three_hours_behind_all_year() {
    for (utc, here) in [
        ("2026-01-15T12:00:00Z", "2026-01-15T09:00:00"),
        ("2026-07-15T02:59:59Z", "2026-07-14T23:59:59"),
        ("2027-01-01T03:00:00Z", "2027-01-01T00:00:00"),
    ] {
        let at = Timestamp::parse_rfc3339(utc).unwrap();
        assert_eq!(local(at).to_string(), here);
        assert_eq!(moment(local(at)), at);
        let midnight = local(at.day_start(UTC_OFFSET_SECONDS));
        assert_eq!(midnight.date(), local(at).date());
        assert_eq!(midnight.time().to_string(), "00:00:00");
    }
}

#[test]
fn days_and_times_are_read_as_they_are_written() {
    assert_eq!(
        parse_day("2026-12-16").map(calendar::named).unwrap(),
        "Wed 16 Dec 2026"
    );
    for wrong in [
        "2026-13-01",
        "2026-02-29",
        "16/12/2026",
        "20261216",
        "2026-1-1",
        "",
    ] {
        assert_eq!(parse_day(wrong), None, "{wrong}");
    }
    assert_eq!(
        parse_time("17:30").map(|time| time.to_string()).unwrap(),
        "17:30:00"
    );
    for wrong in ["24:00", "17:60", "9:00", "17h30", "1730", "17:30:00", ""] {
        assert_eq!(parse_time(wrong), None, "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_year_lacks_sessions_and_stepping_comes_back(
        year in 2022i16..2090,
        ordinal in 1i16..=365,
    ) {
        let calendar = Calendar::default();
        let day = ponte_core::b3::Date::new(year, 1, 1).unwrap()
            .checked_add(jiff::Span::new().days(i64::from(ordinal - 1))).unwrap();
        let after = calendar.session_after(day);
        prop_assert!(calendar.is_session(after) && after > day);
        prop_assert!((after - day).get_days() <= 6, "{day} to {after}");
        let back = calendar.session_before(after);
        prop_assert!(back <= day);
        prop_assert_eq!(calendar.session_until(day), back);
        prop_assert!((8..=15).contains(&holidays(year).len()), "{}", holidays(year).len());
    }
}
