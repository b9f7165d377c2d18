//! Contracts against dates that are known, and what must hold on every day.

use ponte_core::b3::calendar::{holidays, named};
use ponte_core::b3::contracts::{self, Continuous, Name, front, parse};
use ponte_core::b3::{Calendar, Contract, Date, Root, nominal, stands_for};
use proptest::prelude::*;

use super::{contract, day, symbol};

/// The last sessions of IND and WIN, F to Z in the order of the months that they have. 2024 to 2026
/// as B3 lists them; the rest by the specification and a third party's calendar.
const INDEX: &[(i16, &str)] = &[
    (2022, "02-16 04-13 06-15 08-17 10-13 12-14"),
    (2024, "02-14 04-17 06-12 08-14 10-16 12-18"),
    (2025, "02-12 04-16 06-18 08-13 10-15 12-17"),
    (2026, "02-18 04-15 06-17 08-12 10-14 12-16"),
    (2027, "02-17 04-14 06-16 08-18 10-13 12-15"),
    (2028, "02-16 04-12 06-14 08-16 10-18 12-13"),
];
/// The last sessions of DOL and WDO, January's first: the last session of the month before.
const DOLLAR: &[(i16, &str)] = &[
    (
        2024,
        "12-28 01-31 02-29 03-28 04-30 05-31 06-28 07-31 08-30 09-30 10-31 11-29",
    ),
    (
        2025,
        "12-30 01-31 02-28 03-31 04-30 05-30 06-30 07-31 08-29 09-30 10-31 11-28",
    ),
    (
        2026,
        "12-30 01-30 02-27 03-31 04-30 05-29 06-30 07-31 08-31 09-30 10-30 11-30",
    ),
    (
        2027,
        "12-30 01-29 02-26 03-31 04-30 05-31 06-30 07-30 08-31 09-30 10-29 11-30",
    ),
    (
        2028,
        "12-30 01-31 02-25 03-31 04-28 05-31 06-30 07-31 08-31 09-29 10-31 11-30",
    ),
];
/// The last sessions of BIT.
const BITCOIN: &[(i16, &str)] = &[
    (
        2025,
        "01-31 02-28 03-28 04-25 05-30 06-27 07-25 08-29 09-26 10-31 11-28 12-26",
    ),
    (
        2026,
        "01-30 02-27 03-27 04-24 05-29 06-26 07-31 08-28 09-25 10-30 11-27 12-23",
    ),
    (
        2027,
        "01-29 02-26 03-25 04-30 05-28 06-25 07-30 08-27 09-24 10-29 11-26 12-30",
    ),
];

fn last_sessions(root: Root, year: i16) -> String {
    let all = (1..=12).filter_map(|month| Contract::new(root, year, month));
    let days = all.map(|contract| {
        let last = contract.last_session(&Calendar::default());
        last.strftime("%m-%d").to_string()
    });
    days.collect::<Vec<_>>().join(" ")
}

#[test]
fn contracts_trade_for_the_last_time_on_the_known_days() {
    for (roots, table) in [
        ([Root::Ind, Root::Win], INDEX),
        ([Root::Dol, Root::Wdo], DOLLAR),
        ([Root::Bit, Root::Bit], BITCOIN),
    ] {
        for (year, expected) in table {
            for root in roots {
                assert_eq!(last_sessions(root, *year), *expected, "{root} {year}");
            }
        }
    }
}

#[test]
fn dollar_contracts_expire_on_the_first_session_of_their_month() {
    let calendar = Calendar::default();
    for (year, month, expires) in [
        (2026, 12, "Tue 1 Dec 2026"),
        (2024, 1, "Tue 2 Jan 2024"),
        (2025, 3, "Wed 5 Mar 2025"),
        (2026, 5, "Mon 4 May 2026"),
        (2026, 11, "Tue 3 Nov 2026"),
    ] {
        let contract = contract(Root::Wdo, year, month);
        assert_eq!(named(contract.expiry(&calendar)), expires);
    }
}

#[test]
fn the_front_contract_changes_with_the_last_session() {
    let calendar = Calendar::default();
    for (root, date, days, front_is) in [
        (Root::Win, "2026-11-23", 0, "WINZ26"),
        (Root::Win, "2026-12-15", 0, "WINZ26"),
        (Root::Win, "2026-12-16", 0, "WING27"),
        (Root::Win, "2026-12-11", 3, "WING27"),
        (Root::Win, "2026-12-10", 3, "WINZ26"),
        (Root::Win, "2024-02-13", 0, "WING24"),
        (Root::Win, "2024-02-14", 0, "WINJ24"),
        (Root::Ind, "2027-01-04", 0, "INDG27"),
        (Root::Wdo, "2026-11-23", 0, "WDOZ26"),
        (Root::Wdo, "2026-11-29", 0, "WDOZ26"),
        (Root::Wdo, "2026-11-30", 0, "WDOF27"),
        (Root::Wdo, "2026-12-29", 0, "WDOF27"),
        (Root::Wdo, "2026-12-31", 0, "WDOG27"),
        (Root::Dol, "2026-12-01", 0, "DOLF27"),
        (Root::Bit, "2026-12-22", 0, "BITZ26"),
        (Root::Bit, "2026-12-23", 0, "BITF27"),
        (Root::Bit, "2026-12-31", 0, "BITF27"),
    ] {
        let found = front(&calendar, root, day(date), days);
        assert_eq!(found.name(), front_is, "{root} on {date}");
    }
}

#[test]
fn the_closed_day_of_a_configuration_moves_an_expiry() {
    let mut calendar = Calendar::default();
    calendar.closed.insert(day("2026-12-16"));
    let contract = contract(Root::Win, 2026, 12);
    assert_eq!(contract.last_session(&calendar), day("2026-12-17"));
}

#[test]
fn the_forms_of_names_are_told_apart() {
    let continuous = |letters: &str, nth, is_series| {
        Name::Continuous(Continuous {
            letters: letters.to_owned(),
            nth,
            is_series,
        })
    };
    let stock = |fractional| Name::Stock { fractional };
    for (text, expected) in [
        ("WIN1!", continuous("WIN", 1, false)),
        ("wdo2!", continuous("WDO", 2, false)),
        ("DI11!", continuous("DI1", 1, false)),
        ("WIN$", continuous("WIN", 1, true)),
        ("WIN$N", continuous("WIN", 1, true)),
        ("WDO@D", continuous("WDO", 1, true)),
        ("WINZ26", Name::Contract(contract(Root::Win, 2026, 12))),
        ("WINZ2026", Name::Contract(contract(Root::Win, 2026, 12))),
        ("WINX26", Name::NoContract(Root::Win)),
        ("WDOX2026", Name::Contract(contract(Root::Wdo, 2026, 11))),
        ("DI1F2027", Name::Renamed(symbol("DI1F27"))),
        ("DI1F27", Name::Other),
        ("PETR4", stock(false)),
        ("PETR4F", stock(true)),
        ("B3SA3", stock(false)),
        ("HGLG11", stock(false)),
        ("TAEE11F", stock(true)),
        ("WALM34", stock(false)),
        ("AAPL34", stock(false)),
        ("PETRL400", Name::Other),
        ("BTCUSDT", Name::Other),
        ("BTCUSDT.P", Name::Other),
        ("EURUSD", Name::Other),
        ("WIN", Name::Other),
        ("ÇÇÇ1!", Name::Other),
    ] {
        assert_eq!(parse(&symbol(text)), expected, "{text}");
    }
}

#[test]
fn a_name_stands_for_its_contracts_only() {
    for (name, of, does) in [
        ("WINZ26", "WINZ26", true),
        ("WIN1!", "WINZ26", true),
        ("WIN$N", "WING27", true),
        ("WINZ2026", "WINZ26", true),
        ("WINZ2026", "WING27", false),
        ("WIN1!", "WDOZ26", false),
        ("WIN1!", "WINNER", false),
        ("BTCUSDT", "BTCUSDT.P", false),
        ("CCM1!", "CCMX26", true),
        ("DI1F2027", "DI1F27", true),
    ] {
        assert_eq!(stands_for(&symbol(name), &symbol(of)), does, "{name} {of}");
    }
}

#[test]
fn specifications_are_known_by_symbol() {
    let told = |text: &str| {
        nominal(&symbol(text)).map(|found| {
            format!(
                "{} {} {}",
                found.tick,
                found.point_value,
                found.lot.unwrap_or_default()
            )
        })
    };
    assert_eq!(told("WINZ26").unwrap(), "5 0.20 1");
    assert_eq!(told("IND1!").unwrap(), "5 1 1");
    assert_eq!(told("WDOZ26").unwrap(), "0.5 10 1");
    assert_eq!(told("DOLZ26").unwrap(), "0.5 50 1");
    assert_eq!(told("BITZ26").unwrap(), "20 0.01 1");
    assert_eq!(told("PETR4").unwrap(), "0.01 1 100");
    assert_eq!(told("PETR4F").unwrap(), "0.01 1 1");
    assert_eq!(told("DI1F27"), None);
}

#[test]
fn a_walk_through_five_years_rolls_each_contract_once() {
    let calendar = Calendar::default();
    for root in Root::ALL {
        for roll in [0, 1, 3] {
            let mut day = Date::new(2024, 5, 2).unwrap();
            let end = Date::new(2029, 1, 1).unwrap();
            let mut now = front(&calendar, root, day, roll);
            let mut rolled = 0;
            while day < end {
                let found = front(&calendar, root, day, roll);
                if found != now {
                    assert_eq!(found, now.next(), "{root} on {day}");
                    assert_eq!(day, now.roll_day(&calendar, roll), "{root}");
                    rolled += 1;
                    now = found;
                }
                assert!(found.last_session(&calendar) > day || roll == 0);
                assert!(found.last_session(&calendar) >= day);
                day = day.tomorrow().unwrap();
            }
            let expected = if root.has_month(1) { 56 } else { 28 };
            assert_eq!(rolled, expected, "{root} with {roll}");
        }
    }
    assert!(
        holidays(2028)
            .iter()
            .all(|(day, _)| !calendar.is_session(*day))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_front_contract_is_alive_and_never_goes_back(
        root in prop::sample::select(Root::ALL.to_vec()),
        start in 0i64..20_000,
        later in 0i64..400,
        roll in 0u32..8,
    ) {
        let calendar = Calendar::default();
        let first = Date::new(2022, 1, 1).unwrap();
        let plus = |days: i64| first.checked_add(jiff::Span::new().days(days)).unwrap();
        let (one, two) = (plus(start), plus(start + later));
        let (before, after) = (
            front(&calendar, root, one, roll),
            front(&calendar, root, two, roll),
        );
        prop_assert!(before.last_session(&calendar) >= one);
        prop_assert!(before.last_session(&calendar) <= after.last_session(&calendar));
        let name = parse(&before.symbol().unwrap());
        prop_assert_eq!(name, Name::Contract(before));
        prop_assert_eq!(contracts::front(&calendar, root, one, roll), before);
        prop_assert!(before.expiry(&calendar) >= before.last_session(&calendar));
        prop_assert!(calendar.is_session(before.last_session(&calendar)));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,12}") {
        if let Ok(symbol) = ponte_core::id::Symbol::new(&text) {
            let _ = parse(&symbol);
        }
    }
}
