//! The books: positions, cash, fees, restoring, and the numbering of reports.

use crate::script::{ACCOUNT, check_in, decimal, options, run, venue};
use ponte_venue::*;

fn after(fill_model: FillModel, steps: &[&str]) -> Venue {
    let mut venue = venue(fill_model);
    for (time, step) in steps.iter().enumerate() {
        run(&mut venue, step, Micros(time as i64), &mut Vec::new());
    }
    venue
}

#[test]
fn positions_average_close_and_flip() {
    // Steps; position and its average price; cash; equity.
    let cases: [(&[&str], &str, &str, &str); 6] = [
        (
            &["tick 100", "a buy 2 market", "tick 110"],
            "2@100",
            "100000",
            "100020",
        ),
        (
            &["tick 100", "a buy 2 market", "tick 103", "b buy 1 market"],
            "3@101",
            "100000",
            "100006",
        ),
        (
            &["tick 100", "a buy 2 market", "tick 110", "b sell 1 market"],
            "1@100",
            "100010",
            "100020",
        ),
        (
            &["tick 100", "a buy 2 market", "tick 110", "b sell 2 market"],
            "",
            "100020",
            "100020",
        ),
        (
            &[
                "tick 100",
                "a buy 2 market",
                "tick 110",
                "b sell 5 market",
                "tick 100",
            ],
            "-3@110",
            "100020",
            "100050",
        ),
        (
            &["tick 100", "a sell 3 market", "tick 90", "b buy 1 market"],
            "-2@100",
            "100010",
            "100030",
        ),
    ];
    for (steps, position, cash, equity) in cases {
        let venue = after(FillModel::optimistic(), steps);
        let positions = venue.positions(ACCOUNT).unwrap();
        let show = |position: &Position| {
            format!(
                "{}@{}",
                position.quantity.normalize(),
                position.average_price
            )
        };
        assert_eq!(
            positions.first().map(show).unwrap_or_default(),
            position,
            "{steps:?}"
        );
        let balance = venue.balance(ACCOUNT).unwrap();
        assert_eq!(
            (balance.cash, balance.equity),
            (decimal(cash), decimal(equity)),
            "{steps:?}"
        );
    }
}

#[test]
fn fees_are_paid_from_cash_and_told_with_each_fill() {
    let model = FillModel {
        maker_fee_bps: decimal("1"),
        taker_fee_bps: decimal("4"),
        ..FillModel::optimistic()
    };
    let venue = after(
        model,
        &[
            "tick 100",
            "a buy 10 market",
            "b sell 10 limit 110",
            "tick 110",
        ],
    );
    let fees: Vec<Decimal> = ["a", "b"]
        .map(|id| venue.find(ACCOUNT, id).unwrap().unwrap().fills[0].fee)
        .to_vec();
    assert_eq!(fees, [decimal("0.4"), decimal("0.11")]);
    let balance = venue.balance(ACCOUNT).unwrap();
    assert_eq!(
        (balance.cash, balance.realised_profit, balance.fees_paid),
        (decimal("100099.49"), decimal("100"), decimal("0.51"))
    );
}

#[test]
fn a_fee_is_rounded_up() {
    let model = FillModel {
        taker_fee_bps: decimal("0.00000000003"),
        ..FillModel::optimistic()
    };
    let venue = after(model, &["tick 100", "a buy 1 market"]);
    assert_eq!(
        venue.balance(ACCOUNT).unwrap().fees_paid,
        decimal("0.000000000001")
    );
}

#[test]
fn the_multiplier_turns_points_into_money() {
    let mut venue = Venue::new(VenueOptions {
        leverage: decimal("30"),
        ..VenueOptions::paper()
    })
    .unwrap();
    venue
        .open_account(ACCOUNT, "USD", decimal("10000"))
        .unwrap();
    let request = OrderRequest {
        reference_price: Some(decimal("1.1")),
        ..OrderRequest::market("a", "EURUSD", Side::Buy, Decimal::ONE)
    };
    venue.place(ACCOUNT, request, Micros(0)).unwrap();
    venue.tick("EURUSD", decimal("1.1001"), Micros(1)).unwrap();
    assert_eq!(venue.balance(ACCOUNT).unwrap().equity, decimal("10010"));
    assert_eq!(
        venue.positions(ACCOUNT).unwrap()[0].average_price,
        decimal("1.1")
    );
}

#[test]
fn accounts_share_prices_and_nothing_else() {
    let mut venue = venue(FillModel::optimistic());
    venue.open_account("other", "EUR", decimal("500")).unwrap();
    assert_eq!(
        venue
            .open_account("other", "EUR", decimal("500"))
            .unwrap_err()
            .code,
        RejectCode::AccountExists
    );
    let limit = |id: &str| {
        OrderRequest::market(id, "X", Side::Buy, Decimal::ONE).with_kind(OrderKind::Limit {
            price: decimal("90"),
        })
    };
    venue.place(ACCOUNT, limit("a"), Micros(0)).unwrap();
    venue.place("other", limit("a"), Micros(0)).unwrap();
    assert!(venue.cancel("other", "a", Micros(1)).is_ok());
    venue.tick("X", decimal("90"), Micros(2)).unwrap();
    assert_eq!(venue.positions(ACCOUNT).unwrap().len(), 1);
    assert_eq!(venue.positions("other").unwrap(), []);
    assert_eq!(venue.reports_after("other", 0).unwrap().newest, 2);
}

#[test]
fn find_gives_the_newest_and_find_all_shows_a_double() {
    let venue = after(
        FillModel::optimistic(),
        &["tick 100", "a buy 1 market", "a buy 1 market"],
    );
    let numbers: Vec<u64> = venue
        .find_all(ACCOUNT, "a")
        .unwrap()
        .iter()
        .map(|order| order.venue_order_id.0)
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(
        venue.find(ACCOUNT, "a").unwrap().unwrap().venue_order_id,
        VenueOrderId(2)
    );
    assert_eq!(venue.all_orders(ACCOUNT).unwrap().1, 0);
}

#[test]
fn a_restored_account_goes_on_where_it_was() {
    let before = after(
        FillModel::optimistic(),
        &[
            "tick 100",
            "e buy 2 market",
            "x sell 2 oco 95 110 reduce",
            "tick 101",
        ],
    );
    let open = before.open_orders(ACCOUNT).unwrap()[0].clone();
    let position = before.positions(ACCOUNT).unwrap()[0].clone();
    let seed = AccountSeed {
        positions: vec![PositionSeed {
            symbol: position.symbol,
            quantity: position.quantity,
            average_price: position.average_price,
        }],
        open_orders: vec![OpenOrderSeed {
            request: open.request,
            filled_quantity: Decimal::ZERO,
            average_price: None,
            venue_order_id: Some(open.venue_order_id),
            phase: Some(open.phase),
            accepted_at: open.accepted_at,
        }],
        last_report: 3,
        ..AccountSeed::empty("USD", before.balance(ACCOUNT).unwrap().cash)
    };
    let mut restored = Venue::new(VenueOptions {
        first_order_id: 2,
        ..options(FillModel::optimistic())
    })
    .unwrap();
    restored.restore(ACCOUNT, seed.clone()).unwrap();
    assert_eq!(restored.balance(ACCOUNT).unwrap().unpriced_symbols, ["X"]);
    assert_eq!(
        restored.restore(ACCOUNT, seed.clone()).unwrap_err().code,
        RejectCode::AccountExists
    );
    check_in(
        &mut restored,
        &["tick 94", "n buy 1 market"],
        "x filled 2@94, n accepted, n filled 1@94",
    );
    assert_eq!(restored.balance(ACCOUNT).unwrap().cash, decimal("99988"));
    assert_eq!(
        restored.find(ACCOUNT, "n").unwrap().unwrap().venue_order_id,
        VenueOrderId(3)
    );
    assert_eq!(
        restored.reports_after(ACCOUNT, 3).unwrap().reports[0].number,
        4
    );

    let twice = AccountSeed {
        open_orders: [seed.open_orders.clone(), seed.open_orders.clone()].concat(),
        ..seed.clone()
    };
    assert_eq!(
        restored.restore("twice", twice).unwrap_err().code,
        RejectCode::InvalidRequest
    );
    let mut whole = seed.clone();
    whole.open_orders[0].filled_quantity = decimal("2");
    assert_eq!(
        restored.restore("whole", whole).unwrap_err().code,
        RejectCode::InvalidRequest
    );
    assert!(!restored.has_account("twice") && !restored.has_account("whole"));
}

#[test]
fn an_order_filled_in_part_is_restored_with_its_average() {
    let request =
        OrderRequest::market("a", "X", Side::Buy, decimal("3")).with_kind(OrderKind::Limit {
            price: decimal("90"),
        });
    let seeded = OpenOrderSeed {
        request,
        filled_quantity: decimal("1"),
        average_price: Some(decimal("87")),
        venue_order_id: None,
        phase: None,
        accepted_at: Micros(5),
    };
    let seed = AccountSeed {
        open_orders: vec![seeded],
        ..AccountSeed::empty("USD", decimal("1000"))
    };
    let mut venue = Venue::new(options(FillModel::optimistic())).unwrap();
    venue.restore(ACCOUNT, seed).unwrap();
    check_in(&mut venue, &["tick 89"], "a filled 2@90");
    assert_eq!(
        venue.find(ACCOUNT, "a").unwrap().unwrap().average_price(),
        Some(decimal("89"))
    );
}

#[test]
fn a_reader_learns_that_reports_are_gone() {
    let mut venue = venue(FillModel::optimistic());
    venue.tick("X", decimal("100"), Micros(0)).unwrap();
    let page = venue.reports_after(ACCOUNT, 0).unwrap();
    assert_eq!(
        (page.oldest, page.newest, page.some_are_gone),
        (1, 0, false)
    );
    let orders = REPORTS_KEPT_MAX / 2 + 5;
    for number in 0..orders {
        let side = if number % 2 == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        venue
            .place(
                ACCOUNT,
                OrderRequest::market("a", "X", side, Decimal::ONE),
                Micros(1),
            )
            .unwrap();
    }
    let page = venue.reports_after(ACCOUNT, 3).unwrap();
    assert_eq!(
        (page.oldest, page.newest, page.some_are_gone),
        (11, (orders * 2) as u64, true)
    );
    assert_eq!(
        (page.reports.len(), page.reports[0].number),
        (REPORTS_PAGE_MAX, 11)
    );
    assert!(!venue.reports_after(ACCOUNT, 10).unwrap().some_are_gone);
    assert_eq!(
        venue.reports_after(ACCOUNT, page.newest).unwrap().reports,
        []
    );
}

#[test]
fn senseless_options_are_refused() {
    let refused = |options: VenueOptions| Venue::new(options).unwrap_err().message;
    let model = FillModel {
        resting_fill_share: Decimal::ZERO,
        ..FillModel::optimistic()
    };
    assert_eq!(
        refused(options(model)),
        "resting fill share 0 of the fill model is not between 0.01 and 1"
    );
    let unlevered = VenueOptions {
        leverage: Decimal::ZERO,
        ..VenueOptions::paper()
    };
    assert_eq!(refused(unlevered), "leverage 0 is not between 1 and 1000");
    let mut tickless = VenueOptions::paper();
    tickless.instruments[0].price_tick = Decimal::ZERO;
    assert_eq!(
        refused(tickless),
        "price tick 0 of BTCUSDT must be above 0, with at most 12 decimals"
    );
    for instrument in Instrument::for_rehearsal() {
        instrument.check().unwrap();
    }
}
