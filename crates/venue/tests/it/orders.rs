//! Each order type, flag and refusal against paths of prices.

use crate::script::{ACCOUNT, check, check_in, decimal, options, parse, venue};
use ponte_venue::*;

#[test]
fn market_orders_execute_at_the_last_price() {
    check(
        &["tick 100", "a buy 2 market"],
        "a accepted, a filled 2@100",
    );
    check(
        &["tick 100", "a sell 2 market fok"],
        "a accepted, a filled 2@100",
    );
    check(&["a buy 2 market"], "a rejected no_price");
    check(&["a buy 2 market ref 90"], "a accepted, a filled 2@90");
    check(
        &["tick 100", "a buy 2 market ref 90"],
        "a accepted, a filled 2@90",
    );
}

#[test]
fn limit_orders_wait_for_their_price_and_never_execute_beyond_it() {
    check(
        &["tick 100", "a buy 1 limit 99", "tick 100", "tick 99"],
        "a accepted, a filled 1@99",
    );
    check(
        &["tick 100", "a buy 1 limit 99", "tick 90"],
        "a accepted, a filled 1@99",
    );
    check(
        &["tick 100", "a sell 1 limit 101", "tick 100", "tick 105"],
        "a accepted, a filled 1@101",
    );
    // One that crosses when it arrives gets the better price.
    check(
        &["tick 100", "a buy 1 limit 105"],
        "a accepted, a filled 1@100",
    );
    check(
        &["tick 100", "a sell 1 limit 95"],
        "a accepted, a filled 1@100",
    );
    // One may wait without a known price.
    check(
        &["a buy 1 limit 99", "tick 98"],
        "a accepted, a filled 1@99",
    );
}

#[test]
fn time_in_force_decides_about_what_cannot_be_executed_at_once() {
    check(
        &["tick 100", "a buy 1 limit 99 ioc"],
        "a accepted, a expired ImmediateOrCancel",
    );
    check(
        &["tick 100", "a buy 1 limit 99 fok"],
        "a accepted, a expired FillOrKill",
    );
    check(
        &["tick 100", "a buy 1 limit 100 ioc"],
        "a accepted, a filled 1@100",
    );
    check(
        &["tick 100", "a buy 1 limit 100 fok"],
        "a accepted, a filled 1@100",
    );
    check(&["a buy 1 limit 100 fok"], "a rejected no_price");
    let sliced = FillModel {
        slice_value: Some(decimal("200")),
        slice_slippage_bps: decimal("100"),
        ..FillModel::optimistic()
    };
    let cases = [
        (
            ["tick 100", "a buy 5 limit 101 ioc"],
            "a accepted, a part 2@100, a part 1@101, a expired ImmediateOrCancel",
        ),
        (
            ["tick 100", "a buy 5 limit 101 fok"],
            "a accepted, a expired FillOrKill",
        ),
        (
            ["tick 100", "a buy 3 limit 101 fok"],
            "a accepted, a part 2@100, a filled 1@101",
        ),
        (
            ["tick 100", "a buy 5 limit 101"],
            "a accepted, a part 2@100, a part 1@101",
        ),
        (
            ["tick 100", "a buy 5 market"],
            "a accepted, a part 2@100, a part 1@101, a part 1@102, a filled 1@103",
        ),
    ];
    for (steps, expected) in cases {
        check_in(&mut venue(sliced.clone()), &steps, expected);
    }
}

#[test]
fn stops_execute_at_the_market_once_reached() {
    check(
        &["tick 100", "a buy 1 stop 105", "tick 104", "tick 107"],
        "a accepted, a filled 1@107",
    );
    check(
        &["tick 100", "a sell 1 stop 95", "tick 96", "tick 95"],
        "a accepted, a filled 1@95",
    );
    check(
        &["tick 100", "a sell 1 stop 95", "tick 80"],
        "a accepted, a filled 1@80",
    );
    // Passed already: it is better late than never.
    check(
        &["tick 100", "a sell 1 stop 101"],
        "a accepted, a filled 1@100",
    );
    check(
        &["a sell 1 stop 101", "tick 102", "tick 101"],
        "a accepted, a filled 1@101",
    );
}

#[test]
fn stop_limits_become_limit_orders_once_reached() {
    let steps = [
        "tick 100",
        "a buy 1 stoplimit 105 106",
        "tick 104",
        "tick 105",
    ];
    check(&steps, "a accepted, a filled 1@105");
    // The price jumps over the limit, and comes back later.
    let steps = [
        "tick 100",
        "a buy 1 stoplimit 105 106",
        "tick 110",
        "tick 107",
        "tick 106",
    ];
    check(&steps, "a accepted, a filled 1@106");
    let steps = [
        "tick 100",
        "a sell 1 stoplimit 95 96",
        "tick 95",
        "tick 94",
        "tick 97",
    ];
    check(&steps, "a accepted, a filled 1@96");
    let steps = [
        "tick 100",
        "a buy 1 stoplimit 105 106 ioc",
        "tick 104",
        "tick 110",
    ];
    check(&steps, "a accepted, a expired ImmediateOrCancel");
}

#[test]
fn one_cancels_other_executes_one_side_only() {
    let bracket = ["tick 100", "e buy 2 market", "x sell 2 oco 95 110 reduce"];
    let with = |ticks: &[&'static str]| [&bracket[..], ticks].concat();
    check(
        &with(&["tick 96", "tick 109", "tick 110", "tick 90"]),
        "e accepted, e filled 2@100, x accepted, x filled 2@110",
    );
    check(
        &with(&["tick 120"]),
        "e accepted, e filled 2@100, x accepted, x filled 2@110",
    );
    check(
        &with(&["tick 94", "tick 110"]),
        "e accepted, e filled 2@100, x accepted, x filled 2@94",
    );
    check(
        &["tick 100", "x buy 1 oco 105 95", "tick 95"],
        "x accepted, x filled 1@95",
    );
    check(
        &["tick 100", "x buy 1 oco 105 95", "tick 106"],
        "x accepted, x filled 1@106",
    );
    // Reached when it arrives.
    check(
        &["tick 100", "x sell 1 oco 100 110"],
        "x accepted, x filled 1@100",
    );
    check(
        &["tick 100", "x sell 1 oco 90 99"],
        "x accepted, x filled 1@100",
    );
    check(
        &["tick 100", "x sell 1 oco 110 95"],
        "x rejected invalid_request",
    );
    check(
        &["tick 100", "x sell 1 oco 95 110 ioc"],
        "x rejected invalid_request",
    );
    // A target filled in part has killed the stop.
    let halves = FillModel {
        resting_fill_share: decimal("0.5"),
        ..FillModel::optimistic()
    };
    let steps = with(&["tick 110", "tick 90", "tick 111"]);
    let expected = "e accepted, e filled 2@100, x accepted, x part 1@110, x filled 1@110";
    check_in(&mut venue(halves), &steps, expected);
}

#[test]
fn reduce_only_is_cut_to_the_position_when_it_executes() {
    let long = ["tick 100", "e buy 2 market"];
    let with = |steps: &[&'static str]| [&long[..], steps].concat();
    let cases: [(&[&str], &str); 9] = [
        (&["x sell 2 market reduce"], "x accepted, x filled 2@100"),
        (
            &["x sell 5 market reduce"],
            "x accepted, x part 2@100, x cancelled NothingToReduce",
        ),
        (
            &["x sell 5 market fok reduce"],
            "x accepted, x expired FillOrKill",
        ),
        (&["x buy 1 market reduce"], "x rejected nothing_to_reduce"),
        (
            &["x sell 5 stop 95 reduce", "tick 95"],
            "x accepted, x part 2@95, x cancelled NothingToReduce",
        ),
        (
            &["x sell 5 limit 105 reduce", "tick 105"],
            "x accepted, x part 2@105, x cancelled NothingToReduce",
        ),
        (
            &["x sell 2 stop 95 reduce", "y sell 2 market", "tick 95"],
            "x accepted, y accepted, y filled 2@100, x cancelled NothingToReduce",
        ),
        (
            &["x sell 9 limit 100 ioc reduce"],
            "x accepted, x part 2@100, x cancelled NothingToReduce",
        ),
        (
            &["x sell 2 limit 101 ioc reduce"],
            "x accepted, x expired ImmediateOrCancel",
        ),
    ];
    for (steps, expected) in cases {
        check(
            &with(steps),
            &format!("e accepted, e filled 2@100, {expected}"),
        );
    }
    check(
        &["tick 100", "x sell 1 market reduce"],
        "x rejected nothing_to_reduce",
    );
    check(
        &["tick 100", "x sell 1 limit 100 reduce"],
        "x rejected nothing_to_reduce",
    );
    // One that only waits may wait for the position it will protect.
    let early = [
        "tick 100",
        "x sell 1 stop 95 reduce",
        "e buy 1 market",
        "tick 95",
    ];
    check(
        &early,
        "x accepted, e accepted, e filled 1@100, x filled 1@95",
    );
}

#[test]
fn client_order_ids_follow_the_chosen_rule() {
    let steps = [
        "tick 100",
        "a buy 1 limit 90",
        "a buy 1 limit 90",
        "cancel a",
        "a buy 1 limit 90",
    ];
    check(
        &steps,
        "a accepted, a rejected duplicate_client_order_id, a cancelled, a accepted",
    );
    // A filled market order sent again doubles: what Binance does.
    let blind = ["tick 100", "a buy 1 market", "a buy 1 market"];
    check(
        &blind,
        "a accepted, a filled 1@100, a accepted, a filled 1@100",
    );
    let forever = VenueOptions {
        duplicate_ids: DuplicateIds::RejectForever,
        ..options(FillModel::optimistic())
    };
    let mut venue = Venue::new(forever).unwrap();
    venue.open_account(ACCOUNT, "USD", decimal("1000")).unwrap();
    check_in(
        &mut venue,
        &blind,
        "a accepted, a filled 1@100, a rejected duplicate_client_order_id",
    );
}

#[test]
fn the_time_fence_is_the_last_moment() {
    // The step's index is the time.
    check(
        &["tick 100", "a buy 1 market until 1"],
        "a accepted, a filled 1@100",
    );
    check(
        &["tick 100", "a buy 1 market until 0"],
        "a rejected expired",
    );
    // A late request doesn't even move the price.
    check(
        &[
            "tick 100",
            "a buy 1 market ref 50 until 0",
            "b buy 1 market",
        ],
        "a rejected expired, b accepted, b filled 1@100",
    );
}

#[test]
fn cancelling() {
    check(&["cancel a"], "a unknown order");
    check(
        &["tick 100", "a buy 1 market", "cancel a"],
        "a accepted, a filled 1@100, a already closed",
    );
    check(
        &[
            "a buy 1 limit 99",
            "b buy 1 limit 98",
            "cancel all",
            "tick 90",
        ],
        "a accepted, b accepted, a cancelled, b cancelled",
    );
}

#[test]
fn the_pessimistic_model_is_against_the_trader() {
    let steps = |steps: &[&str], expected: &str| {
        check_in(&mut venue(FillModel::pessimistic()), steps, expected)
    };
    // 2 bps half spread and 3 bps slippage, rounded to the next whole tick.
    steps(
        &["tick 10000", "a buy 1 market"],
        "a accepted, a filled 1@10005",
    );
    steps(
        &["tick 10000", "a sell 1 market"],
        "a accepted, a filled 1@9995",
    );
    steps(
        &["tick 10001", "a buy 1 market"],
        "a accepted, a filled 1@10007",
    );
    steps(
        &["tick 10000", "a sell 1 stop 9990", "tick 9990"],
        "a accepted, a filled 1@9985",
    );
    // Pieces of at most 50000, each 2 bps worse.
    steps(
        &["tick 10000", "a buy 6 market"],
        "a accepted, a part 4@10005, a filled 2@10007",
    );
    // Touched is not enough, and at 89 the ask is 90 still; and then by quarters.
    let path = [
        "tick 100",
        "a buy 8 limit 90",
        "tick 90",
        "tick 89",
        "tick 88",
        "tick 95",
        "tick 80",
    ];
    steps(&path, "a accepted, a part 2@90, a part 2@90");
}

/// Order, refusal, and its words, when the last price is 100.
const REFUSALS: [(&str, RejectCode, &str); 11] = [
    (
        "a buy 1.5 market",
        RejectCode::OffStep,
        "quantity 1.5 is not a multiple of the step 1 of X",
    ),
    (
        "a buy 0.4 market",
        RejectCode::BelowMinimumQuantity,
        "quantity 0.4 is below the minimum 1 of X",
    ),
    (
        "a buy 0 market",
        RejectCode::InvalidRequest,
        "quantity 0 of X must be above 0",
    ),
    (
        "a buy -1 market",
        RejectCode::InvalidRequest,
        "quantity -1 of X must be above 0",
    ),
    (
        "a buy 1 limit 99.5",
        RejectCode::OffTick,
        "limit price 99.5 is not a multiple of the tick 1 of X",
    ),
    (
        "a buy 1 stop -5",
        RejectCode::InvalidRequest,
        "price -5 of X must be above 0",
    ),
    (
        "a buy 1 limit 9",
        RejectCode::BelowMinimumNotional,
        "notional 9 is below the minimum 10 of X",
    ),
    (
        "a buy 1 market ref 0",
        RejectCode::InvalidRequest,
        "price 0 of X must be above 0",
    ),
    (
        "a buy 9999999999999 market",
        RejectCode::OutOfRange,
        "quantity 9999999999999 is above the maximum 1000000000000 of the venue",
    ),
    (
        "a buy 999999999999 market ref 999999999",
        RejectCode::OutOfRange,
        "notional is out of the venue's range",
    ),
    (
        "a buy 10001 market",
        RejectCode::InsufficientFunds,
        "exposure 1000100 after the order is above the 1000000 USD that account demo carries",
    ),
];

#[test]
fn refusals_name_the_thing_and_its_numbers() {
    for (order, code, message) in REFUSALS {
        let mut venue = venue(FillModel::optimistic());
        venue.tick("X", decimal("100"), Micros(0)).unwrap();
        let words: Vec<&str> = order.split(' ').collect();
        let rejection = venue.place(ACCOUNT, parse(&words), Micros(1)).unwrap_err();
        assert_eq!(
            (rejection.code, rejection.message.as_str()),
            (code, message),
            "{order}"
        );
        assert_eq!(
            venue.find(ACCOUNT, "a").unwrap(),
            None,
            "a refused request is not an order"
        );
        let reports = venue.reports_after(ACCOUNT, 0).unwrap().reports;
        assert!(matches!(
            reports[..],
            [Report {
                event: ReportEvent::Rejected { .. },
                venue_order_id: None,
                ..
            }]
        ));
    }
}

#[test]
fn names_and_symbols_are_checked() {
    let mut venue = venue(FillModel::optimistic());
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    for (id, symbol, code) in [
        ("", "X", RejectCode::InvalidRequest),
        ("a b", "X", RejectCode::InvalidRequest),
        ("ä", "X", RejectCode::InvalidRequest),
        (long.as_str(), "X", RejectCode::InvalidRequest),
        ("a", "", RejectCode::InvalidRequest),
        ("a", "Z", RejectCode::UnknownSymbol),
    ] {
        let request = OrderRequest::market(id, symbol, Side::Buy, Decimal::ONE);
        assert_eq!(
            venue.place(ACCOUNT, request, Micros(0)).unwrap_err().code,
            code,
            "{id} {symbol}"
        );
    }
    let request = OrderRequest::market("a", "X", Side::Buy, Decimal::ONE);
    assert_eq!(
        venue.place("nobody", request, Micros(0)).unwrap_err().code,
        RejectCode::UnknownAccount
    );
    let mut paper = Venue::new(VenueOptions::paper()).unwrap();
    paper.open_account(ACCOUNT, "USD", decimal("1000")).unwrap();
    let request = OrderRequest {
        reference_price: Some(decimal("3.5")),
        ..OrderRequest::market("a", "NYSE:ANY", Side::Buy, Decimal::ONE)
    };
    assert_eq!(
        paper
            .place(ACCOUNT, request, Micros(0))
            .unwrap()
            .average_price(),
        Some(decimal("3.5"))
    );
}

#[test]
fn a_target_waits_in_the_queue_like_any_limit() {
    // At 94 the ask is 95: touched only.
    let steps = ["tick 100", "x buy 1 oco 105 95", "tick 94", "tick 93"];
    let mut venue = venue(FillModel::pessimistic());
    check_in(&mut venue, &steps[..3], "x accepted");
    check_in(&mut venue, &steps[3..], "x filled 1@95");
}

#[test]
fn protection_binds_no_funds() {
    let steps = [
        "tick 100",
        "e buy 9000 market",
        "x sell 9000 oco 95 110 reduce",
        "y sell 9000 stop 95 reduce",
        "z sell 9000 limit 120 reduce",
        "b buy 900 market",
        "c buy 200 market",
    ];
    let expected = "e accepted, e filled 9000@100, x accepted, y accepted, z accepted, \
                    b accepted, b filled 900@100, c rejected insufficient_funds";
    check(&steps, expected);
}

#[test]
fn a_refused_request_is_not_reported_as_the_fate_of_an_order_of_that_name() {
    let mut venue = venue(FillModel::optimistic());
    let steps = [
        "tick 100",
        "a buy 1 market",
        "a buy 1.5 market",
        "b buy 1.5 market",
    ];
    let expected = "a accepted, a filled 1@100, a rejected off_step, b rejected off_step";
    check_in(&mut venue, &steps, expected);
    let reports = venue.reports_after(ACCOUNT, 0).unwrap().reports;
    let refused: Vec<&str> = reports
        .iter()
        .filter(|report| matches!(report.event, ReportEvent::Rejected { .. }))
        .map(|report| report.client_order_id.as_str())
        .collect();
    assert_eq!(refused, ["b"]);
}
