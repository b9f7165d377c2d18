//! Hours, phases and cut-offs.

use std::time::Duration;

use ponte_core::b3::calendar::parse_time;
use ponte_core::b3::sessions::{clock, named};
use ponte_core::b3::{CutOff, DateTime, OwnHours, Phase, Product, Root, Rules, Time};

use super::{day, symbol};

fn time(text: &str) -> Time {
    parse_time(text).unwrap_or_else(|| panic!("{text:?} is no time"))
}

fn hours(rules: &Rules, name: &str, on: &str) -> String {
    rules.hours(&symbol(name), day(on)).map_or_else(
        || "closed".to_owned(),
        |hours| {
            let all = [hours.gathers, hours.opens, hours.closes, hours.ends];
            all.map(clock).join(" ")
        },
    )
}

#[test]
fn every_product_has_its_hours() {
    let rules = Rules::default();
    for (name, on, expected) in [
        ("WINZ26", "2026-11-23", "08:55 09:00 18:25 18:30"),
        ("INDQ26", "2026-07-15", "08:55 09:00 18:25 18:30"),
        ("WDOZ26", "2026-11-23", "08:55 09:00 18:30 18:30"),
        ("BITZ26", "2026-11-23", "07:55 08:00 20:00 20:00"),
        ("BITJ26", "2026-04-17", "07:55 08:00 18:30 18:30"),
        ("BITH26", "2026-03-06", "08:55 09:00 18:30 18:30"),
        // New York goes to standard time on 1 November 2026, to daylight time on 14 March 2027.
        ("PETR4", "2026-11-23", "09:45 10:00 17:55 18:00"),
        ("PETR4F", "2026-10-30", "09:45 10:00 16:55 17:00"),
        ("PETR4", "2026-03-06", "09:45 10:00 17:55 18:00"),
        ("PETR4", "2026-03-09", "09:45 10:00 16:55 17:00"),
        ("PETR4", "2025-11-03", "09:45 10:00 17:55 18:00"),
        ("PETR4", "2024-03-11", "09:45 10:00 16:55 17:00"),
        // Ash Wednesday begins at 13:00; the index's contract of February ends with the cash market.
        ("WDOH26", "2026-02-18", "12:55 13:00 18:30 18:30"),
        ("PETR4", "2026-02-18", "12:45 13:00 17:55 18:00"),
        ("WING26", "2026-02-18", "12:55 13:00 18:00 18:00"),
        ("WINV25", "2025-10-15", "08:55 09:00 17:00 17:00"),
        ("WINZ25", "2025-10-15", "08:55 09:00 18:25 18:30"),
        ("WINZ26", "2026-12-25", "closed"),
        ("WINZ26", "2026-11-22", "closed"),
        ("DI1F27", "2026-11-23", "closed"),
    ] {
        assert_eq!(hours(&rules, name, on), expected, "{name} on {on}");
    }
}

#[test]
fn a_configuration_puts_its_hours_in_place_of_the_known_ones() {
    let mut rules = Rules::default();
    let own = OwnHours {
        opens: Some(time("09:30")),
        closes: Some(time("18:00")),
    };
    rules.hours.insert(Product::Future(Root::Win), own);
    assert_eq!(
        hours(&rules, "WINZ26", "2026-11-23"),
        "09:25 09:30 18:00 18:05"
    );
    assert_eq!(
        hours(&rules, "WINJ26", "2026-02-18"),
        "12:55 13:00 18:00 18:05"
    );
    assert_eq!(
        hours(&rules, "INDZ26", "2026-11-23"),
        "08:55 09:00 18:25 18:30"
    );
}

#[test]
fn a_day_has_its_phases() {
    let rules = Rules::default();
    let hours = rules.hours(&symbol("PETR4"), day("2026-11-23")).unwrap();
    for (at, phase) in [
        ("00:00", Phase::Closed),
        ("09:44", Phase::Closed),
        ("09:45", Phase::OpeningAuction),
        ("10:00", Phase::Continuous),
        ("17:54", Phase::Continuous),
        ("17:55", Phase::ClosingAuction),
        ("18:00", Phase::Closed),
        ("23:59", Phase::Closed),
    ] {
        assert_eq!(hours.phase(time(at)), phase, "{at}");
    }
}

#[test]
fn the_next_opening_is_found_over_weekends_and_holidays() {
    let rules = Rules::default();
    for (name, from, at, opens) in [
        ("WINZ26", "2026-11-23", "08:59", "Mon 23 Nov 2026 at 09:00"),
        ("WINZ26", "2026-11-23", "09:00", "Tue 24 Nov 2026 at 09:00"),
        ("WINZ26", "2026-11-20", "12:00", "Mon 23 Nov 2026 at 09:00"),
        ("PETR4", "2026-12-23", "19:00", "Mon 28 Dec 2026 at 10:00"),
        ("WING26", "2026-02-13", "19:00", "Wed 18 Feb 2026 at 13:00"),
        ("BITF27", "2026-12-30", "21:00", "Mon 4 Jan 2027 at 08:00"),
        ("DI1F27", "2026-11-20", "12:00", "Mon 23 Nov 2026 at 00:00"),
    ] {
        let after = DateTime::from_parts(day(from), time(at));
        assert_eq!(
            named(rules.opens_next(&symbol(name), after)),
            opens,
            "{name}"
        );
    }
}

#[test]
fn cut_offs_go_by_the_clock_and_by_the_close() {
    let shown = |rules: &Rules, name: &str, on: &str| {
        let at = |time: Option<Time>| time.map_or_else(|| "never".to_owned(), clock);
        format!(
            "{} {}",
            at(rules.entries_end_at(&symbol(name), day(on))),
            at(rules.flattens_at(&symbol(name), day(on)))
        )
    };
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    let none = Rules::default();
    assert_eq!(shown(&none, "WINZ26", "2026-11-23"), "never never");
    let by_clock = Rules {
        no_entries: CutOff {
            at: Some(time("17:30")),
            before_close: None,
        },
        flatten: CutOff {
            at: Some(time("18:10")),
            before_close: None,
        },
        ..Rules::default()
    };
    assert_eq!(shown(&by_clock, "WINZ26", "2026-11-23"), "17:30 18:10");
    // The cash market has closed by 18:10, and in New York's summer by 17:30 as well.
    assert_eq!(shown(&by_clock, "PETR4", "2026-11-23"), "17:30 17:45");
    assert_eq!(shown(&by_clock, "PETR4", "2026-10-30"), "16:45 16:45");
    assert_eq!(shown(&by_clock, "WINZ26", "2026-12-16"), "17:30 17:50");
    assert_eq!(shown(&by_clock, "DI1F27", "2026-11-23"), "17:30 17:45");
    assert_eq!(shown(&by_clock, "WINZ26", "2026-12-25"), "never never");
    let by_close = Rules {
        no_entries: CutOff {
            at: Some(time("18:20")),
            before_close: minutes(45),
        },
        flatten: CutOff {
            at: None,
            before_close: minutes(15),
        },
        ..Rules::default()
    };
    assert_eq!(shown(&by_close, "WINZ26", "2026-11-23"), "17:40 18:10");
    assert_eq!(shown(&by_close, "BITZ26", "2026-11-23"), "18:20 19:45");
    assert_eq!(shown(&by_close, "PETR4", "2026-11-23"), "17:10 17:40");
    let flatten_only = Rules {
        flatten: by_close.flatten,
        ..Rules::default()
    };
    assert_eq!(shown(&flatten_only, "WDOZ26", "2026-11-23"), "18:15 18:15");
}
