//! Settings of an account, its dead man's switch and its listen key.

use super::super::account::MarginType;
use super::super::order::OrderStatus;
use super::{Bench, NOW, closing_stop, d, limit, market};
use crate::order::Side::{Buy, Sell};

#[test]
fn position_mode_changes_only_when_nothing_is_open() {
    let mut bench = Bench::new();
    let code = |bench: &mut Bench, hedge| {
        bench
            .exchange
            .set_hedge_mode("a", hedge)
            .map_err(|refusal| refusal.code)
    };
    assert_eq!(code(&mut bench, false), Err(-4059));
    bench.place_algo(&closing_stop(Sell, "50000"));
    assert_eq!(code(&mut bench, true), Err(-4067));
    let now = bench.now;
    bench
        .exchange
        .cancel_all_algos("a", "BTCUSDT", now)
        .unwrap();
    bench.place(&limit(Buy, "0.1", "59000"));
    assert_eq!(code(&mut bench, true), Err(-4067));
    bench.tick("59000");
    assert_eq!(code(&mut bench, true), Err(-4068));
    bench.place(&market(Sell, "0.1"));
    assert_eq!(code(&mut bench, true), Ok(()));
    assert_eq!(code(&mut bench, true), Err(-4059));
}

#[test]
fn margin_type_leverage_and_assets_mode() {
    let mut bench = Bench::new();
    let now = bench.now;
    let set = |bench: &mut Bench, margin_type| {
        let outcome = bench.exchange.set_margin_type("a", "BTCUSDT", margin_type);
        outcome.map_err(|refusal| refusal.code)
    };
    assert_eq!(set(&mut bench, MarginType::Crossed), Err(-4046));
    bench.place(&limit(Buy, "0.1", "59000"));
    assert_eq!(set(&mut bench, MarginType::Isolated), Err(-4047));
    bench.tick("59000");
    assert_eq!(set(&mut bench, MarginType::Isolated), Err(-4048));
    bench.place(&market(Sell, "0.1"));
    assert_eq!(set(&mut bench, MarginType::Isolated), Ok(()));
    bench.events();
    for leverage in [0, 126] {
        let refusal = bench
            .exchange
            .set_leverage("a", "BTCUSDT", leverage, now)
            .unwrap_err();
        assert_eq!(
            (refusal.code, refusal.message.as_ref()),
            (-4028, format!("Leverage {leverage} is not valid").as_str())
        );
    }
    bench
        .exchange
        .set_leverage("a", "BTCUSDT", 50, now)
        .unwrap();
    assert_eq!(bench.events(), ["ACCOUNT_CONFIG_UPDATE"]);
    assert_eq!(
        bench
            .exchange
            .set_multi_assets("a", false, now)
            .unwrap_err()
            .code,
        -4171
    );
    bench.exchange.set_multi_assets("a", true, now).unwrap();
    assert_eq!(bench.events(), ["ACCOUNT_CONFIG_UPDATE"]);
}

#[test]
fn the_dead_mans_switch_cancels_regular_orders_of_its_symbol_unless_it_is_armed_again() {
    let mut bench = Bench::new();
    let order = bench.place(&limit(Buy, "0.1", "59000"));
    let stop = bench.place_algo(&closing_stop(Sell, "50000"));
    bench
        .exchange
        .set_countdown("a", "BTCUSDT", 1_000, NOW)
        .unwrap();
    bench
        .exchange
        .set_countdown("a", "BTCUSDT", 2_000, NOW.plus_milliseconds(500))
        .unwrap();
    bench.exchange.advance(NOW.plus_milliseconds(1_500));
    assert_eq!(bench.status(order).0, OrderStatus::New);
    bench
        .exchange
        .set_countdown("a", "BTCUSDT", 0, NOW.plus_milliseconds(1_500))
        .unwrap();
    bench.exchange.advance(NOW.plus_milliseconds(9_000));
    assert_eq!(bench.status(order).0, OrderStatus::New, "it was disarmed");
    bench
        .exchange
        .set_countdown("a", "BTCUSDT", 1_000, NOW.plus_milliseconds(9_000))
        .unwrap();
    bench.exchange.advance(NOW.plus_milliseconds(10_000));
    assert_eq!(bench.status(order).0, OrderStatus::Canceled);
    let books = bench.exchange.account("a").unwrap();
    assert!(books.algos[&stop].is_open(), "protective stops survive");
    assert_eq!(bench.position(), d("0"));
}

#[test]
fn a_listen_key_lives_an_hour_and_is_the_only_one() {
    let mut bench = Bench::new();
    let exchange = &mut bench.exchange;
    assert_eq!(exchange.extend_stream("a", NOW).unwrap_err().code, -1125);
    let key = exchange.start_stream("a", NOW).unwrap();
    assert_eq!(key.len(), 64);
    let later = NOW.plus_milliseconds(3_000_000);
    assert_eq!(
        exchange.start_stream("a", later).unwrap(),
        key,
        "the same key, extended"
    );
    exchange.advance(NOW.plus_milliseconds(3_700_000));
    assert_eq!(exchange.stream_owner(&key), Some("a"));
    assert_eq!(exchange.stream_owner("x"), None);
    exchange.take_events();
    let end = later.plus_milliseconds(3_600_000);
    exchange.advance(end);
    let events = exchange.take_events();
    assert_eq!((events.len(), events[0].name), (1, "listenKeyExpired"));
    assert_eq!(events[0].body["listenKey"], key.as_str());
    assert_eq!(exchange.stream_owner(&key), None);
    let fresh = exchange.start_stream("a", end).unwrap();
    assert_ne!(fresh, key);
    assert_eq!(exchange.take_ended_streams(), ["a"]);
    exchange.close_stream("a").unwrap();
    assert_eq!(exchange.take_ended_streams(), ["a"]);
    assert_eq!(exchange.close_stream("a").unwrap_err().code, -1125);
}
