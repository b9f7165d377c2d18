//! What an account may have at once.

use crate::script::{ACCOUNT, check, check_in, venue};
use ponte_venue::*;

#[test]
fn exits_pass_without_funds_and_working_entries_bind_them() {
    // All funds are bound by waiting orders, on either side.
    let steps = [
        "tick 100",
        "a buy 6000 limit 90",
        "b buy 6000 limit 90",
        "c sell 6000 limit 110",
        "cancel a",
        "b buy 6000 limit 90",
    ];
    check(
        &steps,
        "a accepted, b rejected insufficient_funds, c accepted, a cancelled, b accepted",
    );
    // The price has fallen so far that equity carries nothing; closing is possible all the same.
    let steps = [
        "tick 100",
        "a buy 10000 market",
        "tick 91",
        "b buy 1 market",
        "c sell 10000 market",
    ];
    check(
        &steps,
        "a accepted, a filled 10000@100, b rejected insufficient_funds, c accepted, c filled 10000@91",
    );
}

#[test]
fn open_orders_are_bounded() {
    let mut venue = venue(FillModel::optimistic());
    for number in 0..OPEN_ORDERS_MAX {
        let request = OrderRequest::market(&format!("n{number}"), "X", Side::Buy, Decimal::ONE);
        venue
            .place(
                ACCOUNT,
                request.with_kind(OrderKind::Limit {
                    price: Decimal::TEN,
                }),
                Micros(0),
            )
            .unwrap();
    }
    check_in(
        &mut venue,
        &["z buy 1 limit 10"],
        "z rejected too_many_orders",
    );
    assert_eq!(venue.open_orders(ACCOUNT).unwrap().len(), OPEN_ORDERS_MAX);
}
