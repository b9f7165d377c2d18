//! Regular orders: what is refused, how they execute, change and end, in both position modes.

use super::super::order::{
    OrderKey, OrderStatus, OrderTicket, OrderType, PositionSide, TimeInForce,
};
use super::super::symbols::FuturesSymbol;
use super::{Bench, NOW, but, d, limit, market, stop_market};
use crate::order::Side::{Buy, Sell};
use rust_decimal::Decimal;

#[test]
fn what_the_filters_refuse() {
    let buy = || market(Buy, "1");
    let bid = || limit(Buy, "1", "60000");
    let trailing = OrderType::TrailingStopMarket;
    let cases: [(i32, OrderTicket); 21] = [
        (-1121, but(buy(), |buy| buy.symbol = "XXXUSDT".to_owned())),
        (-4003, market(Buy, "0")),
        (-1111, market(Buy, "0.0015")),
        (-4005, market(Buy, "120.001")),
        (-4005, limit(Buy, "1001", "60000")),
        (-1102, but(buy(), |buy| buy.quantity = None)),
        (-1102, but(bid(), |bid| bid.price = None)),
        (-1102, but(bid(), |bid| bid.time_in_force = None)),
        (-1106, but(buy(), |buy| buy.price = Some(d("60000")))),
        (
            -1106,
            but(buy(), |buy| buy.time_in_force = Some(TimeInForce::Gtc)),
        ),
        (
            -4120,
            but(buy(), |buy| buy.order_type = OrderType::StopMarket),
        ),
        (-4120, but(buy(), |buy| buy.order_type = trailing)),
        (-4014, limit(Buy, "0.01", "60000.05")),
        (-1111, limit(Buy, "0.01", "60000.055")),
        (-4013, limit(Buy, "0.01", "100")),
        (-4016, limit(Buy, "0.01", "63000.1")),
        (-4024, limit(Sell, "0.01", "56999.9")),
        (-4164, limit(Buy, "0.001", "49000")),
        (
            -4015,
            but(buy(), |buy| buy.client_order_id = Some("a b".to_owned())),
        ),
        (
            -4015,
            but(buy(), |buy| buy.client_order_id = Some("x".repeat(37))),
        ),
        (-2019, market(Buy, "34")),
    ];
    for (code, ticket) in cases {
        let mut bench = Bench::new();
        assert_eq!(bench.refusal(&ticket), code, "{ticket:?}");
        assert_eq!((bench.position(), bench.wallet()), (d("0"), d("100000")));
        assert_eq!(bench.events(), [""; 0], "a refusal of {ticket:?} was told");
    }
}

#[test]
fn a_step_is_coarser_than_the_precision_and_a_minimum_than_the_step() {
    let mut options = super::FuturesOptions::rehearsal();
    options.symbols = FuturesSymbol::for_rehearsal();
    options.symbols[0].quantity_step = d("0.002");
    options.symbols[0].quantity_min = d("0.004");
    let mut bench = Bench::with(options);
    assert_eq!(bench.refusal(&market(Buy, "0.005")), -4023);
    assert_eq!(bench.refusal(&market(Buy, "0.002")), -4004);
    bench.place(&market(Buy, "0.006"));
}

#[test]
fn a_market_order_fills_pays_and_is_told_in_order() {
    let mut bench = Bench::new();
    let id = bench.place(&market(Buy, "0.5"));
    assert_eq!(bench.status(id), (OrderStatus::Filled, d("0.5")));
    assert_eq!(bench.position(), d("0.5"));
    // 30000 USDT at 0.05 %.
    assert_eq!(bench.wallet(), d("99985"));
    let events = ["NEW/NEW", "TRADE_LITE", "ACCOUNT_UPDATE", "TRADE/FILLED"];
    assert_eq!(bench.events(), events);
}

#[test]
fn closing_and_turning_realise_profit_at_the_average_price() {
    let mut bench = Bench::new();
    bench.place(&market(Buy, "0.1"));
    bench.tick("61000");
    bench.place(&market(Buy, "0.1"));
    bench.tick("62000");
    let turned = bench.place(&market(Sell, "0.3"));
    let books = bench.exchange.account("a").unwrap();
    // Bought at 60500 on average; the rest opens a short at 62000.
    assert_eq!(books.orders[&turned].realised_profit, d("300"));
    let position = &books.positions[&("BTCUSDT".to_owned(), PositionSide::Both)];
    assert_eq!(
        (position.amount, position.entry_price()),
        (d("-0.1"), d("62000"))
    );
    bench.tick("61000");
    bench.place(&market(Buy, "0.1"));
    let books = bench.exchange.account("a").unwrap();
    let fees: Decimal = books.trades.iter().map(|trade| trade.commission).sum();
    assert_eq!(bench.wallet(), d("100000") + d("300") + d("100") - fees);
    assert_eq!(bench.position(), d("0"));
}

#[test]
fn a_client_id_is_refused_while_open_and_taken_again_after_a_fill() {
    let mut bench = Bench::new();
    let named = |ticket| OrderTicket {
        client_order_id: Some("x-1".to_owned()),
        ..ticket
    };
    let open = bench.place(&named(limit(Buy, "0.1", "59000")));
    assert_eq!(bench.refusal(&named(market(Buy, "0.1"))), -4116);
    bench.tick("58999");
    assert_eq!(bench.status(open).0, OrderStatus::Filled);
    let second = bench.place(&named(market(Buy, "0.1")));
    bench.place(&named(market(Buy, "0.1")));
    assert_eq!(bench.position(), d("0.3"), "both market orders executed");
    let key = OrderKey::Client("x-1".to_owned());
    let newest = bench.exchange.find("a", "BTCUSDT", &key).unwrap();
    assert!(newest.id > second && second > open);
}

#[test]
fn reduce_only_needs_something_to_reduce_and_never_turns() {
    let mut bench = Bench::new();
    let reducing = |ticket| OrderTicket {
        reduce_only: Some(true),
        ..ticket
    };
    assert_eq!(bench.refusal(&reducing(market(Sell, "0.1"))), -2022);
    bench.place(&market(Buy, "0.1"));
    assert_eq!(bench.refusal(&reducing(market(Buy, "0.1"))), -2022);
    // Below the minimum notional, as only reducing orders may be.
    bench.place(&reducing(limit(Sell, "0.001", "61000")));
    let too_large = bench.place(&reducing(market(Sell, "0.5")));
    assert_eq!(bench.status(too_large), (OrderStatus::Expired, d("0.1")));
    assert_eq!(bench.position(), d("0"));
    assert_eq!(
        bench.exchange.account("a").unwrap().open_orders().count(),
        0,
        "the resting one went with the position"
    );
}

#[test]
fn immediate_orders_do_what_their_time_in_force_says() {
    let immediate = |ticket, time_in_force| OrderTicket {
        time_in_force: Some(time_in_force),
        ..ticket
    };
    let mut bench = Bench::new();
    let ioc = bench.place(&immediate(limit(Buy, "0.1", "59000"), TimeInForce::Ioc));
    assert_eq!(bench.status(ioc), (OrderStatus::Expired, d("0")));
    assert_eq!(
        bench.refusal(&immediate(limit(Buy, "0.1", "59000"), TimeInForce::Fok)),
        -5021
    );
    assert_eq!(
        bench.refusal(&immediate(limit(Buy, "0.1", "60000"), TimeInForce::Gtx)),
        -5022
    );
    let fok = bench.place(&immediate(limit(Buy, "0.1", "60100"), TimeInForce::Fok));
    assert_eq!(bench.status(fok), (OrderStatus::Filled, d("0.1")));
    let gtx = bench.place(&immediate(limit(Buy, "0.1", "59000"), TimeInForce::Gtx));
    bench.tick("58000");
    let books = bench.exchange.account("a").unwrap();
    let trade = books.trades.back().unwrap();
    assert_eq!(
        (trade.order, trade.is_maker, trade.price),
        (gtx, true, d("59000"))
    );
    // 0.02 % of 5900.
    assert_eq!(trade.commission, d("1.18"));
}

#[test]
fn a_dated_order_ends_on_its_date() {
    let mut bench = Bench::new();
    let dated = |good_till_ms| OrderTicket {
        time_in_force: Some(TimeInForce::Gtd),
        good_till_ms,
        ..limit(Buy, "0.1", "59000")
    };
    let now_ms = NOW.0 / 1_000;
    assert_eq!(bench.refusal(&dated(None)), -1102);
    assert_eq!(bench.refusal(&dated(Some(now_ms + 600_000))), -5040);
    let id = bench.place(&dated(Some(now_ms + 700_500)));
    bench.exchange.advance(NOW.plus_milliseconds(699_999));
    assert_eq!(bench.status(id).0, OrderStatus::New);
    bench.exchange.advance(NOW.plus_milliseconds(700_000));
    assert_eq!(bench.status(id).0, OrderStatus::Expired);
    bench.tick("58000");
    assert_eq!(bench.position(), d("0"), "an expired order can't execute");
}

#[test]
fn a_starved_market_order_ends_expired_with_what_it_got() {
    let mut bench = Bench::new();
    bench.exchange.starve_next_market_order(d("0.35"));
    let limit_order = bench.place(&limit(Buy, "0.1", "60000"));
    assert_eq!(
        bench.status(limit_order).0,
        OrderStatus::Filled,
        "only market orders starve"
    );
    let starved = bench.place(&market(Buy, "0.01"));
    assert_eq!(bench.status(starved), (OrderStatus::Expired, d("0.003")));
    let next = bench.place(&market(Buy, "0.01"));
    assert_eq!(bench.status(next), (OrderStatus::Filled, d("0.01")));
    bench.exchange.starve_next_market_order(d("0"));
    let empty = bench.place(&market(Buy, "0.01"));
    assert_eq!(bench.status(empty), (OrderStatus::Expired, d("0")));
    assert_eq!(bench.position(), d("0.113"));
}

#[test]
fn hedge_mode_keeps_two_positions() {
    let on = |position_side, ticket| OrderTicket {
        position_side: Some(position_side),
        ..ticket
    };
    let mut bench = Bench::new();
    assert_eq!(
        bench.refusal(&on(PositionSide::Long, market(Buy, "0.1"))),
        -4061
    );
    let mut bench = Bench::hedged();
    assert_eq!(bench.refusal(&market(Buy, "0.1")), -4061);
    assert_eq!(
        bench.refusal(&on(PositionSide::Both, market(Buy, "0.1"))),
        -4061
    );
    let flagged = OrderTicket {
        reduce_only: Some(true),
        ..market(Sell, "0.1")
    };
    assert_eq!(bench.refusal(&on(PositionSide::Long, flagged)), -1106);
    assert_eq!(
        bench.refusal(&on(PositionSide::Long, market(Sell, "0.1"))),
        -2022
    );
    bench.place(&on(PositionSide::Long, market(Buy, "0.3")));
    bench.place(&on(PositionSide::Short, market(Sell, "0.2")));
    assert_eq!(
        (
            bench.leg(PositionSide::Long),
            bench.leg(PositionSide::Short)
        ),
        (d("0.3"), d("-0.2"))
    );
    assert_eq!(
        bench.refusal(&on(PositionSide::Short, market(Buy, "0.3"))),
        -2022
    );
    bench.place(&on(PositionSide::Short, market(Buy, "0.2")));
    bench.place(&on(PositionSide::Long, limit(Sell, "0.2", "61000")));
    assert_eq!(
        bench.refusal(&on(PositionSide::Long, limit(Sell, "0.2", "61000"))),
        -2022
    );
    assert_eq!(
        (
            bench.leg(PositionSide::Long),
            bench.leg(PositionSide::Short)
        ),
        (d("0.3"), d("0"))
    );
}

#[test]
fn cancelling_and_finding() {
    let mut bench = Bench::new();
    let id = bench.place(&limit(Buy, "0.1", "59000"));
    bench.events();
    let now = bench.now;
    bench
        .exchange
        .cancel("a", "BTCUSDT", &OrderKey::Id(id), now)
        .unwrap();
    assert_eq!(bench.status(id).0, OrderStatus::Canceled);
    assert_eq!(bench.events(), ["CANCELED/CANCELED"]);
    let again = bench
        .exchange
        .cancel("a", "BTCUSDT", &OrderKey::Id(id), now);
    assert_eq!(again.unwrap_err().code, -2011);
    let unknown = OrderKey::Client("nobody".to_owned());
    assert_eq!(
        bench
            .exchange
            .cancel("a", "BTCUSDT", &unknown, now)
            .unwrap_err()
            .code,
        -2011
    );
    assert_eq!(
        bench
            .exchange
            .find("a", "BTCUSDT", &unknown)
            .unwrap_err()
            .code,
        -2013
    );
    assert_eq!(
        bench
            .exchange
            .find("a", "ETHUSDT", &OrderKey::Id(id))
            .unwrap_err()
            .code,
        -2013
    );
    bench.tick("58000");
    assert_eq!(bench.position(), d("0"));
}

#[test]
fn cancelling_all_leaves_conditional_orders_and_other_symbols() {
    let mut bench = Bench::new();
    bench.place(&limit(Buy, "0.1", "59000"));
    bench.place(&limit(Buy, "0.1", "58000"));
    let other = OrderTicket {
        symbol: "ETHUSDT".to_owned(),
        ..limit(Buy, "1", "2900")
    };
    bench.place(&other);
    bench.place_algo(&stop_market(Sell, "50000"));
    let now = bench.now;
    assert_eq!(
        bench
            .exchange
            .cancel_all("a", "BTCUSDT", now)
            .unwrap()
            .len(),
        2
    );
    let books = bench.exchange.account("a").unwrap();
    assert_eq!(
        (books.open_orders().count(), books.open_algos().count()),
        (1, 1)
    );
}

#[test]
fn modifying_keeps_the_number_and_what_was_executed() {
    let mut options = super::FuturesOptions::rehearsal();
    options.fill_model.resting_fill_share = d("0.4");
    let mut bench = Bench::with(options);
    let id = bench.place(&limit(Buy, "1", "59000"));
    bench.tick("58990");
    assert_eq!(bench.status(id), (OrderStatus::PartiallyFilled, d("0.4")));
    let key = OrderKey::Id(id);
    let now = bench.now;
    let modify = |bench: &mut Bench, quantity: &str, price: &str| {
        let ticket = limit(Buy, quantity, price);
        bench
            .exchange
            .modify("a", &ticket, &key, now)
            .map_err(|refusal| refusal.code)
    };
    assert_eq!(modify(&mut bench, "1", "59000"), Err(-5027));
    assert_eq!(modify(&mut bench, "1", "58000.05"), Err(-4014));
    assert_eq!(modify(&mut bench, "0.9", "58000"), Ok(id));
    bench.tick("58500");
    assert_eq!(
        bench.status(id),
        (OrderStatus::PartiallyFilled, d("0.4")),
        "the old price is gone"
    );
    bench.tick("57000");
    bench.tick("57000");
    bench.tick("57000");
    assert_eq!(bench.status(id), (OrderStatus::Filled, d("0.9")));
    assert_eq!(modify(&mut bench, "1", "56000"), Err(-2013));
    let small = bench.place(&limit(Buy, "1", "56000"));
    bench.tick("55990");
    let ticket = limit(Buy, "0.3", "56000");
    bench
        .exchange
        .modify("a", &ticket, &OrderKey::Id(small), now)
        .unwrap();
    assert_eq!(
        bench.status(small),
        (OrderStatus::Canceled, d("0.4")),
        "less than was executed already"
    );
}

#[test]
fn margin_follows_leverage_and_open_orders() {
    let mut bench = Bench::new();
    // 20 times 100000 carries 33 BTC; a resting order takes its share.
    bench.place(&limit(Buy, "20", "59000"));
    assert_eq!(bench.refusal(&market(Buy, "14")), -2019);
    bench.place(&market(Sell, "14"));
    let now = bench.now;
    bench.exchange.cancel_all("a", "BTCUSDT", now).unwrap();
    bench
        .exchange
        .set_leverage("a", "BTCUSDT", 10, now)
        .unwrap();
    assert_eq!(bench.refusal(&market(Sell, "3")), -2019);
    bench.place(&market(Buy, "20"));
    assert_eq!(bench.position(), d("6"), "reducing was never in question");
    // Each bracket has its largest position: 125 times leverage carries 300000 USDT.
    bench
        .exchange
        .set_leverage("a", "BTCUSDT", 125, now)
        .unwrap();
    assert_eq!(bench.refusal(&market(Buy, "1")), -2027);
}

#[test]
fn two_hundred_open_orders_are_enough() {
    let mut bench = Bench::new();
    for _ in 0..200 {
        bench.place(&limit(Buy, "0.001", "59000"));
    }
    assert_eq!(bench.refusal(&limit(Buy, "0.001", "59000")), -2025);
}

/// Binance's numbers of the reasons for which an order expired (`er`).
#[test]
fn an_expiry_tells_its_reason() {
    let reason = |bench: &mut Bench| {
        let events = bench.exchange.take_events().into_iter();
        let mut expired = events.filter(|event| event.body["o"]["x"] == "EXPIRED");
        expired.next().unwrap().body["o"]["er"].clone()
    };
    let mut bench = Bench::new();
    bench.place(&but(limit(Buy, "0.1", "59000"), |bid| {
        bid.time_in_force = Some(TimeInForce::Ioc);
    }));
    assert_eq!(reason(&mut bench), "2");
    bench.exchange.starve_next_market_order(d("0.5"));
    bench.place(&market(Buy, "0.1"));
    assert_eq!(reason(&mut bench), "9");
    bench.place(&but(limit(Sell, "0.01", "61000"), |offer| {
        offer.reduce_only = Some(true);
    }));
    bench.place(&market(Sell, "0.05"));
    assert_eq!(reason(&mut bench), "4", "the position it reduced is gone");
}
