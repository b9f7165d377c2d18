//! Requests of each kind of order, account and symbol.

use ponte_core::order::OrderClass;

use super::super::options::Accounting;
use super::super::samples::{
    decimal, eurusd, limit_at, of_quantity, options, plan, position, price, stop_at, win,
};
use super::*;

fn show(request: &TradeRequest) -> String {
    serde_json::to_string(request).expect("json")
}

fn netting() -> Options {
    options(Accounting::Netting)
}

fn enter(kind: OrderKind, side: Side) -> OrderPlan {
    plan(1, OrderClass::Entry, side, kind)
}

fn leave(lots: &str) -> OrderPlan {
    of_quantity(
        plan(1, OrderClass::Exit, Side::Sell, OrderKind::MARKET),
        lots,
    )
}

#[test]
fn every_kind_of_entry_has_its_request() {
    let levels = Levels {
        stop: Some(decimal("127503")),
        target: Some(decimal("129000")),
    };
    let stop_limit = OrderKind::Single {
        terms: Terms::StopLimit {
            trigger: price("128502"),
            price: price("128602"),
        },
    };
    let cases = [
        (
            enter(OrderKind::MARKET, Side::Buy),
            concat!(
                r#"{"action":1,"symbol":"WINZ26","volume":"2","sl":"127505","tp":"129000","deviation":20,"#,
                r#""type":0,"type_filling":1,"type_time":0}"#,
            ),
        ),
        (
            enter(OrderKind::MARKET, Side::Sell),
            concat!(
                r#"{"action":1,"symbol":"WINZ26","volume":"2","sl":"127505","tp":"129000","deviation":20,"#,
                r#""type":1,"type_filling":1,"type_time":0}"#,
            ),
        ),
        (
            enter(limit_at(price("128003")), Side::Buy),
            concat!(
                r#"{"action":5,"symbol":"WINZ26","volume":"2","price":"128000","sl":"127505","tp":"129000","#,
                r#""type":2,"type_filling":2,"type_time":1}"#,
            ),
        ),
        (
            enter(stop_at(price("128502")), Side::Buy),
            concat!(
                r#"{"action":5,"symbol":"WINZ26","volume":"2","price":"128505","sl":"127505","tp":"129000","#,
                r#""type":4,"type_filling":2,"type_time":1}"#,
            ),
        ),
        (
            enter(stop_limit, Side::Buy),
            concat!(
                r#"{"action":5,"symbol":"WINZ26","volume":"2","price":"128505","stoplimit":"128600","#,
                r#""sl":"127505","tp":"129000","type":6,"type_filling":2,"type_time":1}"#,
            ),
        ),
        (
            enter(stop_at(price("127003")), Side::Sell),
            concat!(
                r#"{"action":5,"symbol":"WINZ26","volume":"2","price":"127000","sl":"127505","tp":"129000","#,
                r#""type":5,"type_filling":2,"type_time":1}"#,
            ),
        ),
    ];
    for (plan, wanted) in cases {
        let request = entry(&plan, &win(), &netting(), levels).expect("it can be sent");
        assert_eq!(show(&request), wanted, "{:?}", plan.kind);
    }
}

#[test]
fn filling_follows_execution_and_flags() {
    let cases = [
        // Request and instant: all or nothing.
        (0, 3, Filling::Fok),
        (1, 0, Filling::Fok),
        // Market: as flagged.
        (2, 1, Filling::Fok),
        (2, 2, Filling::Ioc),
        (2, 3, Filling::Ioc),
        (2, 0, Filling::Return),
        // Exchange: as flagged, and RETURN always.
        (3, 1, Filling::Fok),
        (3, 2, Filling::Ioc),
        (3, 0, Filling::Return),
        (3, 4, Filling::Return),
    ];
    for (execution_mode, filling_mode, wanted) in cases {
        let info = SymbolInfo {
            execution_mode,
            filling_mode,
            ..win()
        };
        assert_eq!(
            market_filling(&info, None),
            wanted,
            "{execution_mode} {filling_mode}"
        );
        let configured = market_filling(&info, Some(Filling::Return));
        assert_eq!(configured, Filling::Return);
    }
}

#[test]
fn pending_orders_last_as_configured_where_the_symbol_allows_it() {
    let life = |expiration_mode, configured| {
        let info = SymbolInfo {
            expiration_mode,
            ..win()
        };
        pending_life(&info, configured).ok()
    };
    assert_eq!(life(3, OrderLife::Gtc), Some(0));
    assert_eq!(life(3, OrderLife::Day), Some(1));
    assert_eq!(life(2, OrderLife::Gtc), Some(1));
    assert_eq!(life(1, OrderLife::Day), Some(0));
    assert_eq!(life(12, OrderLife::Day), None);
    assert_eq!(
        market_life(&SymbolInfo {
            expiration_mode: 2,
            ..win()
        }),
        1
    );
    assert_eq!(
        market_life(&SymbolInfo {
            expiration_mode: 0,
            ..win()
        }),
        0
    );
}

#[test]
fn an_entrys_volume_fits_or_is_refused() {
    let refused = |lots: &str, info: &SymbolInfo| {
        let plan = of_quantity(enter(OrderKind::MARKET, Side::Buy), lots);
        entry(&plan, info, &netting(), Levels::default()).expect_err("it does not fit")
    };
    assert!(refused("0.005", &eurusd()).contains("volume 0.005 is below the minimum 0.01"));
    assert!(refused("0.015", &eurusd()).contains("not a multiple of the step 0.01"));
    assert!(refused("11", &win()).contains("above the maximum 10"));
    let no_stops = SymbolInfo {
        order_mode: 3,
        ..win()
    };
    let plan = enter(stop_at(price("129000")), Side::Buy);
    let why = entry(&plan, &no_stops, &netting(), Levels::default()).expect_err("not allowed");
    assert!(why.contains("takes no stop orders"), "{why}");
}

#[test]
fn a_netting_exit_closes_no_more_than_there_is_and_goes_in_portions() {
    let close = |lots: &str, held: &str| {
        close_netting(&leave(lots), &win(), &netting(), decimal(held)).map(|closing| {
            let volumes: Vec<_> = closing
                .requests
                .iter()
                .map(|request| request.volume.expect("a volume").to_string())
                .collect();
            assert!(
                closing
                    .requests
                    .iter()
                    .all(|r| r.sl.is_none() && r.position.is_none())
            );
            assert_eq!(sum(&closing.requests), closing.volume);
            volumes.join(" ")
        })
    };
    assert_eq!(close("2", "5"), Ok("2".to_owned()));
    assert_eq!(close("5", "3"), Ok("3".to_owned()));
    assert_eq!(close("25", "25"), Ok("10 10 5".to_owned()));
    let why = close("2", "0").expect_err("nothing is there");
    assert!(why.contains("no long position of WINZ26"), "{why}");
    let why = close("0.5", "3").expect_err("less than a step");
    assert!(why.contains("below one step"), "{why}");
}

#[test]
fn a_hedging_exit_closes_its_tickets_oldest_first() {
    let hedging = options(Accounting::Hedging);
    let tickets = [position(7, "1", 0), position(9, "3", 0)];
    let close = |lots: &str| {
        let closing = close_hedging(&leave(lots), &win(), &hedging, &tickets).expect("closable");
        let told = closing.requests.iter().map(|request| {
            let (ticket, volume) = (request.position.expect("a ticket"), request.volume);
            format!("{ticket}:{}", volume.expect("a volume"))
        });
        (told.collect::<Vec<_>>().join(" "), closing.volume)
    };
    assert_eq!(close("1"), ("7:1".to_owned(), decimal("1")));
    assert_eq!(close("2"), ("7:1 9:1".to_owned(), decimal("2")));
    assert_eq!(close("9"), ("7:1 9:3".to_owned(), decimal("4")));
    assert!(close_hedging(&leave("1"), &win(), &hedging, &[]).is_err());
    let resting = OrderPlan {
        kind: limit_at(price("129000")),
        ..leave("1")
    };
    let why = close_hedging(&resting, &win(), &hedging, &tickets).expect_err("it can't rest");
    assert!(
        why.contains("hedging") && why.contains("use a target"),
        "{why}"
    );
}

#[test]
fn changes_name_the_ticket_and_zero_takes_away() {
    let levels = Levels {
        stop: Some(decimal("127500")),
        target: None,
    };
    assert_eq!(
        show(&change_levels(&position(7, "1", 0), levels)),
        r#"{"action":6,"symbol":"WINZ26","sl":"127500","type":0,"type_filling":0,"type_time":0,"position":7}"#
    );
    let entry = enter(limit_at(price("128000")), Side::Buy);
    let order = super::super::samples::order(55, &entry, 1, "2", "2");
    assert_eq!(
        show(&remove(&order)),
        r#"{"action":8,"symbol":"WINZ26","type":0,"type_filling":0,"type_time":0,"order":55}"#
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is closed is never more than planned and never more than there is, in whole steps,
        /// each request within the maximum.
        #[test]
        fn exits_stay_within_plan_position_and_maximum(
            wanted in 1_u32..100_000, held in 0_u32..100_000, step in 1_u32..50, most in 1_u32..2_000,
        ) {
            let hundredths = |number: u32| Decimal::new(i64::from(number), 2);
            let info = SymbolInfo {
                volume_step: hundredths(step),
                volume_max: hundredths(most.max(step)),
                ..win()
            };
            let plan = of_quantity(leave("1"), &hundredths(wanted).to_string());
            let Ok(closing) = close_netting(&plan, &info, &netting(), hundredths(held)) else {
                prop_assert!(wanted.min(held) < step);
                return Ok(());
            };
            prop_assert!(closing.volume <= hundredths(wanted.min(held)));
            prop_assert!(is_multiple_of(closing.volume, info.volume_step));
            prop_assert_eq!(sum(&closing.requests), closing.volume);
            for request in &closing.requests {
                let volume = request.volume.unwrap_or_default();
                prop_assert!(volume > Decimal::ZERO && volume <= info.volume_max);
                prop_assert!(is_multiple_of(volume, info.volume_step));
            }
        }
    }
}
