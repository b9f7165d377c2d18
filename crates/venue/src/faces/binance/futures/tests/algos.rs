//! Conditional orders: what is refused, what triggers them, and what becomes of them.

use super::super::order::{
    AlgoKey, AlgoStatus, AlgoTicket, OrderStatus, OrderTicket, OrderType, PositionSide,
    TimeInForce, WorkingType,
};
use super::{Bench, FuturesOptions, but, closing_stop, d, limit, market, stop_market};
use crate::order::Side::{Buy, Sell};

fn target(ticket: AlgoTicket) -> AlgoTicket {
    AlgoTicket {
        order_type: OrderType::TakeProfitMarket,
        ..ticket
    }
}

fn trailing(callback_rate: &str, activate_price: Option<&str>) -> AlgoTicket {
    AlgoTicket {
        order_type: OrderType::TrailingStopMarket,
        trigger_price: None,
        callback_rate: Some(d(callback_rate)),
        activate_price: activate_price.map(d),
        ..stop_market(Sell, "1")
    }
}

#[test]
fn what_is_refused() {
    let stop = || stop_market(Sell, "59000");
    let closing = || closing_stop(Sell, "59000");
    let cases: [(i32, AlgoTicket); 17] = [
        (
            -1116,
            but(stop(), |stop| stop.order_type = OrderType::Market),
        ),
        (-1102, but(stop(), |stop| stop.trigger_price = None)),
        (-1102, but(stop(), |stop| stop.quantity = None)),
        (-1102, but(stop(), |stop| stop.order_type = OrderType::Stop)),
        (-1106, but(stop(), |stop| stop.price = Some(d("59000")))),
        (-4014, stop_market(Sell, "59000.05")),
        (-1111, but(stop(), |stop| stop.quantity = Some(d("0.0001")))),
        (-2021, stop_market(Sell, "60000")),
        (-2021, stop_market(Buy, "60000")),
        (-2021, target(stop_market(Sell, "60000"))),
        (-2021, target(stop_market(Buy, "60000"))),
        (-4137, but(closing(), |stop| stop.quantity = Some(d("0.1")))),
        (-1106, but(closing(), |stop| stop.reduce_only = Some(true))),
        (
            -4136,
            but(closing(), |stop| stop.order_type = OrderType::Stop),
        ),
        (-2007, trailing("0.05", None)),
        (-2021, trailing("1", Some("60000"))),
        (
            -4061,
            but(stop(), |stop| stop.position_side = Some(PositionSide::Long)),
        ),
    ];
    for (code, ticket) in cases {
        let mut bench = Bench::new();
        assert_eq!(bench.algo_refusal(&ticket), code, "{ticket:?}");
        assert_eq!(bench.events(), [""; 0], "a refusal of {ticket:?} was told");
    }
}

#[test]
fn stops_and_targets_trigger_from_their_own_side() {
    let cases = [
        (stop_market(Sell, "59000"), "59000.1", "59000"),
        (stop_market(Buy, "61000"), "60999.9", "61000"),
        (target(stop_market(Sell, "61000")), "60999.9", "61000"),
        (target(stop_market(Buy, "59000")), "59000.1", "59000"),
    ];
    for (ticket, before, reached) in cases {
        let mut bench = Bench::new();
        let id = bench.place_algo(&ticket);
        bench.tick(before);
        assert_eq!(
            bench.algo_status(id),
            AlgoStatus::New,
            "{ticket:?} at {before}"
        );
        bench.tick(reached);
        assert_eq!(
            bench.algo_status(id),
            AlgoStatus::Finished,
            "{ticket:?} at {reached}"
        );
        let expected = ticket.side.signed(d("0.1"));
        assert_eq!(bench.position(), expected);
    }
}

#[test]
fn a_triggered_order_is_a_new_one_and_its_story_is_told() {
    let mut bench = Bench::new();
    let named = AlgoTicket {
        client_algo_id: Some("stop-1".to_owned()),
        ..stop_market(Sell, "59000")
    };
    let id = bench.place_algo(&named);
    assert_eq!(bench.events(), ["ALGO NEW"]);
    bench.tick("58000");
    let story = [
        "ALGO TRIGGERING",
        "NEW/NEW",
        "ALGO TRIGGERED",
        "TRADE_LITE",
        "ACCOUNT_UPDATE",
        "TRADE/FILLED",
        "ALGO FINISHED",
    ];
    assert_eq!(bench.events(), story);
    let books = bench.exchange.account("a").unwrap();
    let order = &books.orders[&books.algos[&id].actual_order.unwrap()];
    assert_eq!(
        (order.parent, order.order_type, order.original_type),
        (Some(id), OrderType::Market, OrderType::StopMarket)
    );
    assert_eq!(
        (order.client_order_id.as_str(), order.average_price()),
        ("stop-1", d("58000"))
    );
    let again = bench.exchange.cancel_algo("a", &AlgoKey::Id(id), bench.now);
    assert_eq!(again.unwrap_err().code, -2011);
}

#[test]
fn a_stop_limit_rests_after_its_trigger() {
    let mut bench = Bench::new();
    let id = bench.place_algo(&AlgoTicket {
        order_type: OrderType::Stop,
        price: Some(d("59500")),
        ..stop_market(Sell, "59000")
    });
    bench.tick("58900");
    assert_eq!(bench.algo_status(id), AlgoStatus::Triggered);
    assert_eq!(bench.position(), d("0"));
    bench.tick("59500");
    assert_eq!(
        (bench.algo_status(id), bench.position()),
        (AlgoStatus::Finished, d("-0.1"))
    );
}

#[test]
fn a_trailing_stop_follows_from_its_activation() {
    let mut bench = Bench::new();
    let id = bench.place_algo(&trailing("1", Some("61000")));
    bench.tick("50000");
    assert_eq!(
        bench.algo_status(id),
        AlgoStatus::New,
        "it doesn't follow yet"
    );
    bench.tick("61000");
    bench.tick("62000");
    bench.tick("61380.1");
    assert_eq!(bench.algo_status(id), AlgoStatus::New);
    bench.tick("61380");
    assert_eq!(
        (bench.algo_status(id), bench.position()),
        (AlgoStatus::Finished, d("-0.1"))
    );
    let mut bench = Bench::new();
    let at_once = bench.place_algo(&trailing("1", None));
    bench.tick("59400");
    assert_eq!(bench.algo_status(at_once), AlgoStatus::Finished);
}

#[test]
fn the_working_type_chooses_the_price_and_protection_holds_it_back() {
    let mut bench = Bench::new();
    let on_mark = bench.place_algo(&AlgoTicket {
        working_type: WorkingType::Mark,
        ..stop_market(Sell, "59000")
    });
    let now = bench.now;
    bench
        .exchange
        .set_mark("BTCUSDT", Some(d("60000")), now)
        .unwrap();
    bench.tick("58000");
    assert_eq!(bench.algo_status(on_mark), AlgoStatus::New);
    bench
        .exchange
        .set_mark("BTCUSDT", Some(d("59000")), now)
        .unwrap();
    assert_eq!(bench.algo_status(on_mark), AlgoStatus::Finished);
    let mut bench = Bench::new();
    let protected = bench.place_algo(&AlgoTicket {
        price_protect: true,
        ..stop_market(Sell, "56000")
    });
    bench
        .exchange
        .set_mark("BTCUSDT", Some(d("60000")), now)
        .unwrap();
    bench.tick("55900");
    assert_eq!(
        bench.algo_status(protected),
        AlgoStatus::New,
        "last and mark price are 6.8 % apart"
    );
    bench.exchange.set_mark("BTCUSDT", None, now).unwrap();
    assert_eq!(bench.algo_status(protected), AlgoStatus::Finished);
}

#[test]
fn a_closing_stop_closes_what_there_is_and_goes_with_it() {
    let mut bench = Bench::new();
    let stop = bench.place_algo(&closing_stop(Sell, "59000"));
    assert_eq!(bench.algo_refusal(&closing_stop(Sell, "58000")), -4130);
    let take = bench.place_algo(&target(closing_stop(Sell, "62000")));
    bench.place(&market(Buy, "0.1"));
    bench.place(&market(Buy, "0.15"));
    bench.tick("58500");
    assert_eq!(
        (bench.position(), bench.algo_status(stop)),
        (d("0"), AlgoStatus::Finished)
    );
    assert_eq!(bench.algo_status(take), AlgoStatus::Expired);
}

#[test]
fn closing_orders_may_outlive_the_position() {
    let options = FuturesOptions {
        close_position_orders_expire: false,
        ..FuturesOptions::rehearsal()
    };
    let mut bench = Bench::with(options);
    let stop = bench.place_algo(&closing_stop(Sell, "59000"));
    bench.place(&market(Buy, "0.1"));
    bench.place(&market(Sell, "0.1"));
    assert_eq!(bench.algo_status(stop), AlgoStatus::New);
    bench.tick("58000");
    assert_eq!(
        bench.algo_status(stop),
        AlgoStatus::Rejected,
        "there was nothing to close"
    );
    assert_eq!(bench.position(), d("0"));
}

#[test]
fn margin_is_looked_at_when_it_triggers() {
    let mut bench = Bench::new();
    let id = bench.place_algo(&AlgoTicket {
        quantity: Some(d("100")),
        ..stop_market(Buy, "61000")
    });
    bench.tick("61000");
    assert_eq!(
        (bench.algo_status(id), bench.position()),
        (AlgoStatus::Rejected, d("0"))
    );
    let books = bench.exchange.account("a").unwrap();
    assert_eq!(books.algos[&id].reject_reason, "Margin is insufficient.");
    assert_eq!(books.orders.len(), 0);
}

#[test]
fn a_reducing_stop_is_rejected_without_a_position_and_cut_to_it() {
    let reducing = |ticket| AlgoTicket {
        reduce_only: Some(true),
        ..ticket
    };
    let mut bench = Bench::new();
    let idle = bench.place_algo(&reducing(stop_market(Sell, "59500")));
    bench.tick("59500");
    assert_eq!(bench.algo_status(idle), AlgoStatus::Rejected);
    bench.place(&market(Buy, "0.05"));
    let stop = bench.place_algo(&reducing(stop_market(Sell, "59000")));
    bench.tick("59000");
    assert_eq!(bench.position(), d("0"));
    let books = bench.exchange.account("a").unwrap();
    let order = books.algos[&stop].actual_order.unwrap();
    assert_eq!(bench.status(order), (OrderStatus::Expired, d("0.05")));
}

#[test]
fn hedge_mode_stops_close_their_own_side() {
    let on = |position_side, ticket| AlgoTicket {
        position_side: Some(position_side),
        ..ticket
    };
    let mut bench = Bench::hedged();
    assert_eq!(
        bench.algo_refusal(&on(PositionSide::Long, closing_stop(Buy, "61000"))),
        -2022
    );
    for (position_side, ticket) in [
        (PositionSide::Long, market(Buy, "0.2")),
        (PositionSide::Short, market(Sell, "0.3")),
    ] {
        bench.place(&OrderTicket {
            position_side: Some(position_side),
            ..ticket
        });
    }
    let long_stop = bench.place_algo(&on(PositionSide::Long, closing_stop(Sell, "59000")));
    let short_stop = bench.place_algo(&on(PositionSide::Short, closing_stop(Buy, "61000")));
    bench.tick("59000");
    assert_eq!(
        (
            bench.leg(PositionSide::Long),
            bench.leg(PositionSide::Short)
        ),
        (d("0"), d("-0.3"))
    );
    assert_eq!(
        (bench.algo_status(long_stop), bench.algo_status(short_stop)),
        (AlgoStatus::Finished, AlgoStatus::New)
    );
}

#[test]
fn names_are_taken_while_they_wait_and_two_hundred_may_wait() {
    let mut bench = Bench::new();
    let named = AlgoTicket {
        client_algo_id: Some("s".to_owned()),
        ..stop_market(Sell, "59000")
    };
    let first = bench.place_algo(&named);
    assert_eq!(bench.algo_refusal(&named), -4116);
    let now = bench.now;
    bench
        .exchange
        .cancel_algo("a", &AlgoKey::Client("s".to_owned()), now)
        .unwrap();
    assert_eq!(bench.algo_status(first), AlgoStatus::Canceled);
    bench.place_algo(&named);
    for _ in 0..199 {
        bench.place_algo(&stop_market(Sell, "59000"));
    }
    assert_eq!(bench.algo_refusal(&stop_market(Sell, "59000")), -4045);
    assert_eq!(
        bench
            .exchange
            .cancel_all_algos("a", "BTCUSDT", now)
            .unwrap()
            .len(),
        200
    );
    bench.tick("50000");
    assert_eq!(bench.position(), d("0"));
}

#[test]
fn a_dated_stop_ends_on_its_date() {
    let mut bench = Bench::new();
    let until = bench.now.0 / 1_000 + 700_000;
    let dated = AlgoTicket {
        order_type: OrderType::Stop,
        price: Some(d("59000")),
        time_in_force: Some(TimeInForce::Gtd),
        good_till_ms: Some(until),
        ..stop_market(Sell, "59000")
    };
    let id = bench.place_algo(&dated);
    let end = bench.now.plus_milliseconds(700_000);
    bench.exchange.advance(end);
    assert_eq!(bench.algo_status(id), AlgoStatus::Expired);
    bench.place(&limit(Buy, "0.1", "59000"));
}

#[test]
fn an_order_that_lives_with_the_position_needs_one_and_ends_with_it() {
    let mut bench = Bench::with(FuturesOptions {
        close_position_orders_expire: false,
        ..FuturesOptions::rehearsal()
    });
    let living = but(stop_market(Sell, "59000"), |stop| {
        stop.time_in_force = Some(TimeInForce::GteGtc);
    });
    assert_eq!(bench.algo_refusal(&living), -4509);
    bench.place(&market(Buy, "0.1"));
    let id = bench.place_algo(&living);
    bench.place(&market(Sell, "0.1"));
    assert_eq!(bench.algo_status(id), AlgoStatus::Expired);
}
