//! Take-profit and trailing orders, and what one can ask about an order before it is placed.

use crate::script::{ACCOUNT, check, decimal, parse, venue};
use ponte_venue::*;

#[test]
fn a_target_waits_for_the_better_side() {
    check(
        &["tick 100", "a sell 1 target 110", "tick 90", "tick 110"],
        "a accepted, a filled 1@110",
    );
    check(
        &["tick 100", "a buy 1 target 90", "tick 110", "tick 89"],
        "a accepted, a filled 1@89",
    );
    check(
        &["tick 100", "a sell 1 target 90"],
        "a accepted, a filled 1@100",
    );
}

#[test]
fn a_target_with_a_limit_becomes_a_limit_order() {
    check(
        &[
            "tick 100",
            "a sell 1 targetlimit 110 112",
            "tick 110",
            "tick 112",
        ],
        "a accepted, a filled 1@112",
    );
    check(
        &["tick 100", "a buy 1 targetlimit 90 95", "tick 89"],
        "a accepted, a filled 1@89",
    );
}

#[test]
fn a_trailing_stop_follows_the_best_price() {
    check(
        &[
            "tick 100",
            "a sell 1 trail 1000 now",
            "tick 95",
            "tick 120",
            "tick 109",
            "tick 108",
        ],
        "a accepted, a filled 1@108",
    );
    check(
        &[
            "tick 100",
            "a buy 1 trail 1000 now",
            "tick 50",
            "tick 54",
            "tick 55",
        ],
        "a accepted, a filled 1@55",
    );
}

#[test]
fn a_trailing_stop_sleeps_until_its_activation() {
    check(
        &[
            "tick 100",
            "a sell 1 trail 500 110",
            "tick 50",
            "tick 109",
            "tick 80",
            "tick 110",
            "tick 104",
        ],
        "a accepted, a filled 1@104",
    );
}

#[test]
fn a_callback_must_lie_in_its_range() {
    check(
        &["tick 100", "a sell 1 trail 0 now"],
        "a rejected invalid_request",
    );
    check(
        &["tick 100", "a sell 1 trail 10000 now"],
        "a rejected invalid_request",
    );
}

#[test]
fn one_can_ask_before_placing() {
    let model = FillModel {
        half_spread_bps: decimal("100"),
        ..FillModel::optimistic()
    };
    let mut venue = venue(model);
    let order = |text: &str| parse(&text.split(' ').collect::<Vec<_>>());
    assert!(
        !venue.executes_on_arrival(&order("a buy 1 limit 500")),
        "no price is known"
    );
    venue.tick("X", decimal("100"), Micros(0)).unwrap();
    assert_eq!(
        venue.bid_and_ask("X"),
        Some((decimal("99"), decimal("101")))
    );
    let table = [
        ("a buy 1 limit 101", true, false),
        ("a buy 1 limit 100", false, false),
        ("a sell 1 limit 99", true, false),
        ("a sell 1 stop 100", true, true),
        ("a sell 1 stop 99", false, false),
        ("a sell 1 target 100", true, true),
        ("a sell 1 targetlimit 100 105", false, true),
        ("a buy 1 target 99", false, false),
        ("a buy 1 trail 100 now", false, false),
    ];
    for (text, executes, triggers) in table {
        let request = order(text);
        let answers = (
            venue.executes_on_arrival(&request),
            venue.triggers_on_arrival(&request),
        );
        assert_eq!(answers, (executes, triggers), "{text}");
    }
    assert_eq!(
        venue.pieces_now("X", Side::Buy, decimal("3"), None),
        [(decimal("101"), decimal("3"))]
    );
    assert!(
        venue.all_orders(ACCOUNT).unwrap().0.is_empty(),
        "asking places nothing"
    );
}
