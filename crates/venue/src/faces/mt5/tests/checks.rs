//! What the trade server refuses, and with which code.

use super::*;
use crate::faces::mt5::kinds::{Execution, TradeMode};

fn check(bench: &mut Bench, request: &TradeRequest, expected: Retcode, name: &str) {
    assert_eq!(bench.refused(request), expected, "{name}");
}

#[test]
fn requests_that_make_no_sense() {
    let cases = [
        ("no action", TradeRequest::default()),
        ("no symbol", buy("", "1")),
        ("unknown symbol", buy("WINZ99", "1")),
        (
            "a pending type as a deal",
            market(OrderKind::BuyLimit, "WINZ26", "1"),
        ),
        (
            "a market type as a pending order",
            pending(OrderKind::Buy, "WINZ26", "1", "127000"),
        ),
        (
            "no such type",
            TradeRequest {
                kind: 99,
                ..buy("WINZ26", "1")
            },
        ),
        ("no such pending order", remove(99)),
        (
            "two positions on an account that nets",
            TradeRequest {
                action: Action::CloseBy as u32,
                position: 1,
                position_by: 2,
                ..TradeRequest::default()
            },
        ),
    ];
    for (name, request) in cases {
        check(&mut Bench::b3(), &request, Retcode::INVALID, name);
    }
    let mut bench = Bench::b3();
    bench.symbol("WINZ26").selected = false;
    check(
        &mut bench,
        &buy("WINZ26", "1"),
        Retcode::INVALID,
        "not in the Market Watch",
    );
}

#[test]
fn volumes_fit_the_symbol() {
    for (symbol, volume) in [
        ("WINZ26", "0"),
        ("WINZ26", "0.5"),
        ("WINZ26", "1.5"),
        ("WINZ26", "1001"),
        ("PETR4", "150"),
        ("PETR4F", "100"),
        ("INDZ26", "3"),
    ] {
        check(
            &mut Bench::b3(),
            &buy(symbol, volume),
            Retcode::INVALID_VOLUME,
            volume,
        );
    }
    let mut bench = Bench::b3();
    bench.done(&buy("PETR4F", "99"));
    bench.done(&with_filling(buy("VALE3", "200"), Filling::Return));
}

#[test]
fn what_may_be_traded_and_when() {
    let mut bench = Bench::b3();
    check(
        &mut bench,
        &buy("WIN$", "1"),
        Retcode::TRADE_DISABLED,
        "a continuous series",
    );
    bench.done(&buy("WINZ26", "2"));
    let closed = |bench: &mut Bench, open| bench.symbol("WINZ26").session_open = open;
    closed(&mut bench, false);
    let ticket = bench.position().ticket;
    check(
        &mut bench,
        &sell("WINZ26", "1"),
        Retcode::MARKET_CLOSED,
        "a deal",
    );
    check(
        &mut bench,
        &levels(ticket, "127000", "0"),
        Retcode::MARKET_CLOSED,
        "levels",
    );
    check(
        &mut bench,
        &pending(OrderKind::BuyLimit, "WINZ26", "1", "127000"),
        Retcode::MARKET_CLOSED,
        "pending",
    );
    closed(&mut bench, true);
    let mode = |bench: &mut Bench, mode| bench.symbol("WINZ26").trade_mode = mode;
    mode(&mut bench, TradeMode::LongOnly);
    check(
        &mut bench,
        &sell("WINZ26", "3"),
        Retcode::LONG_ONLY,
        "through nothing",
    );
    bench.done(&sell("WINZ26", "1"));
    mode(&mut bench, TradeMode::ShortOnly);
    check(&mut bench, &buy("WINZ26", "1"), Retcode::SHORT_ONLY, "more");
    mode(&mut bench, TradeMode::CloseOnly);
    check(&mut bench, &buy("WINZ26", "1"), Retcode::CLOSE_ONLY, "more");
    bench.done(&sell("WINZ26", "1"));
    check(
        &mut bench,
        &sell("WINZ26", "1"),
        Retcode::CLOSE_ONLY,
        "anew",
    );
}

#[test]
fn levels_lie_on_the_right_side_and_on_ticks() {
    // Kind, stop, target: bid 128000, ask 128005.
    let wrong = [
        (OrderKind::Buy, "128000", "0"),
        (OrderKind::Buy, "128500", "0"),
        (OrderKind::Buy, "0", "128000"),
        (OrderKind::Buy, "0", "127500"),
        (OrderKind::Buy, "127502", "0"),
        (OrderKind::Buy, "-5", "0"),
        (OrderKind::Sell, "128005", "0"),
        (OrderKind::Sell, "127000", "0"),
        (OrderKind::Sell, "0", "128005"),
    ];
    for (kind, sl, tp) in wrong {
        let mut bench = Bench::b3();
        bench.prices("WINZ26", "128000", "128005");
        let request = with_levels(market(kind, "WINZ26", "1"), sl, tp);
        check(
            &mut bench,
            &request,
            Retcode::INVALID_STOPS,
            &format!("{kind:?} {sl} {tp}"),
        );
    }
    let mut bench = Bench::b3();
    bench.prices("WINZ26", "128000", "128005");
    bench.done(&with_levels(buy("WINZ26", "1"), "127995", "128005"));
}

#[test]
fn levels_keep_the_stops_level_and_the_freeze_level() {
    let mut bench = Bench::hedging();
    bench.prices("GBPUSD", "1.27000", "1.27010");
    let deal = |sl, tp| {
        with_filling(
            with_levels(buy("GBPUSD", "0.1"), sl, tp),
            Filling::FillOrKill,
        )
    };
    // Twenty points.
    check(
        &mut bench,
        &deal("1.26981", "0"),
        Retcode::INVALID_STOPS,
        "too near",
    );
    check(
        &mut bench,
        &deal("0", "1.27019"),
        Retcode::INVALID_STOPS,
        "too near",
    );
    let sent = bench.done(&deal("1.26980", "1.27020"));
    check(
        &mut bench,
        &levels(sent.order, "1.26990", "0"),
        Retcode::INVALID_STOPS,
        "too near",
    );
    bench.symbol("GBPUSD").freeze_level = 20;
    check(
        &mut bench,
        &levels(sent.order, "1.26900", "0"),
        Retcode::FROZEN,
        "about to be reached",
    );
    let close = closing(
        with_filling(sell("GBPUSD", "0.1"), Filling::FillOrKill),
        sent.order,
    );
    check(&mut bench, &close, Retcode::FROZEN, "about to be reached");
    bench.prices("GBPUSD", "1.27000", "1.27010");
    let near = pending(OrderKind::BuyLimit, "GBPUSD", "0.1", "1.26991");
    check(&mut bench, &near, Retcode::INVALID_PRICE, "too near");
    let sent = bench.done(&pending(OrderKind::BuyLimit, "GBPUSD", "0.1", "1.26990"));
    check(
        &mut bench,
        &remove(sent.order),
        Retcode::FROZEN,
        "about to be reached",
    );
}

#[test]
fn pending_prices_wait_on_their_side() {
    // Bid 1.10000, ask 1.10010.
    let wrong = [
        (OrderKind::BuyLimit, "1.10010"),
        (OrderKind::BuyLimit, "1.2"),
        (OrderKind::SellLimit, "1.10000"),
        (OrderKind::BuyStop, "1.10010"),
        (OrderKind::SellStop, "1.10000"),
        (OrderKind::BuyLimit, "0"),
        (OrderKind::BuyLimit, "1.050001"),
    ];
    for (kind, price) in wrong {
        let mut bench = Bench::hedging();
        let request = pending(kind, "EURUSD", "0.1", price);
        check(
            &mut bench,
            &request,
            Retcode::INVALID_PRICE,
            &format!("{kind:?} {price}"),
        );
    }
    let mut bench = Bench::hedging();
    let stop_limit = TradeRequest {
        stoplimit: d("1.13"),
        ..pending(OrderKind::BuyStopLimit, "EURUSD", "0.1", "1.12")
    };
    check(
        &mut bench,
        &stop_limit,
        Retcode::INVALID_PRICE,
        "a limit above its stop",
    );
    // On an exchange it goes to the book, and executes there.
    let mut bench = Bench::b3();
    bench.prices("WINZ26", "128000", "128005");
    let sent = bench.done(&pending(OrderKind::BuyLimit, "WINZ26", "1", "128100"));
    assert_eq!(sent.retcode, Retcode::PLACED);
    assert_eq!(bench.position().price_open, d("128005"));
}

#[test]
fn fillings_by_execution_and_flags() {
    use Filling::{BookOrCancel, FillOrKill, ImmediateOrCancel, Return};
    // Execution, flags, the fillings that a market order may have.
    let cases = [
        (Execution::Market, 3, vec![FillOrKill, ImmediateOrCancel]),
        (Execution::Market, 1, vec![FillOrKill]),
        (Execution::Market, 2, vec![ImmediateOrCancel]),
        (Execution::Exchange, 0, vec![Return]),
        (
            Execution::Exchange,
            3,
            vec![FillOrKill, ImmediateOrCancel, Return],
        ),
        (
            Execution::Instant,
            0,
            vec![FillOrKill, ImmediateOrCancel, Return, BookOrCancel],
        ),
        (
            Execution::Request,
            0,
            vec![FillOrKill, ImmediateOrCancel, Return, BookOrCancel],
        ),
    ];
    for (execution, flags, allowed) in cases {
        for filling in [FillOrKill, ImmediateOrCancel, Return, BookOrCancel] {
            let mut bench = Bench::hedging();
            let symbol = bench.symbol("EURUSD");
            (symbol.execution, symbol.filling_flags) = (execution, flags);
            let request = TradeRequest {
                price: d("1.10010"),
                ..with_filling(buy("EURUSD", "0.1"), filling)
            };
            let expected = if allowed.contains(&filling) {
                Retcode::DONE
            } else {
                Retcode::INVALID_FILL
            };
            assert_eq!(
                bench.send(&request).retcode,
                expected,
                "{execution:?} {flags} {filling:?}"
            );
        }
    }
    let mut bench = Bench::hedging();
    let limit = |filling| {
        with_filling(
            pending(OrderKind::BuyLimit, "XAUUSD", "0.1", "2600"),
            filling,
        )
    };
    check(
        &mut bench,
        &limit(FillOrKill),
        Retcode::INVALID_FILL,
        "not flagged",
    );
    check(
        &mut bench,
        &limit(BookOrCancel),
        Retcode::INVALID_FILL,
        "not flagged",
    );
    bench.done(&limit(Return));
}

#[test]
fn instant_execution_wants_a_price_and_requotes() {
    let mut bench = Bench::hedging();
    bench.prices("EURUSD.m", "1.10000", "1.10010");
    let at = |price: &str, deviation| TradeRequest {
        price: d(price),
        deviation,
        ..buy("EURUSD.m", "0.1")
    };
    check(&mut bench, &at("0", 0), Retcode::INVALID_PRICE, "no price");
    check(
        &mut bench,
        &at("1.10005", 4),
        Retcode::REQUOTE,
        "five points away",
    );
    assert_eq!(bench.done(&at("1.10005", 5)).price, d("1.10010"));
    bench.symbol("EURUSD.m").execution = Execution::Request;
    check(
        &mut bench,
        &at("1.10005", 4),
        Retcode::PRICE_CHANGED,
        "five points away",
    );
}

#[test]
fn money_limits_and_lifetimes() {
    let mut bench = Bench::new(&Mt5Options {
        balance: d("1000"),
        ..Mt5Options::b3()
    });
    check(
        &mut bench,
        &buy("WINZ26", "10"),
        Retcode::NO_MONEY,
        "commission is not left",
    );
    bench.done(&buy("WINZ26", "9"));
    // Turning round needs as much as standing, no more.
    bench.done(&sell("WINZ26", "18"));
    let mut bench = Bench::b3();
    bench.symbol("WINZ26").volume_limit = d("5");
    bench.done(&buy("WINZ26", "3"));
    bench.done(&pending(OrderKind::BuyLimit, "WINZ26", "1", "127000"));
    check(
        &mut bench,
        &buy("WINZ26", "2"),
        Retcode::LIMIT_VOLUME,
        "position and pending orders",
    );
    bench.done(&sell("WINZ26", "3"));
    bench.book.orders_max = 1;
    check(
        &mut bench,
        &pending(OrderKind::BuyLimit, "WINZ26", "1", "127000"),
        Retcode::LIMIT_ORDERS,
        "two",
    );
    let mut bench = Bench::b3();
    let until = |lifetime: Lifetime, expiration| TradeRequest {
        lifetime: lifetime.code(),
        expiration,
        ..pending(OrderKind::BuyLimit, "WINZ26", "1", "127000")
    };
    check(
        &mut bench,
        &until(Lifetime::Specified, NOON / 1_000 + 60),
        Retcode::INVALID_EXPIRATION,
        "not offered",
    );
    bench.symbol("WINZ26").expiration_flags = 15;
    check(
        &mut bench,
        &until(Lifetime::Specified, NOON / 1_000 - 60),
        Retcode::INVALID_EXPIRATION,
        "over",
    );
    check(
        &mut bench,
        &until(Lifetime::SpecifiedDay, 0),
        Retcode::INVALID_EXPIRATION,
        "none given",
    );
    bench.done(&until(Lifetime::Specified, NOON / 1_000 + 60));
}

#[test]
fn without_quotes_nothing_is_dealt() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "0");
    check(
        &mut bench,
        &buy("WINZ26", "1"),
        Retcode::PRICE_OFF,
        "no price",
    );
    check(
        &mut bench,
        &pending(OrderKind::BuyLimit, "WINZ26", "1", "127000"),
        Retcode::PRICE_OFF,
        "no price",
    );
}

#[test]
fn order_types_that_the_symbol_does_not_know() {
    let mut bench = Bench::hedging();
    bench.symbol("EURUSD").order_flags = 1;
    check(
        &mut bench,
        &pending(OrderKind::BuyLimit, "EURUSD", "0.1", "1.05"),
        Retcode::INVALID_ORDER,
        "limit",
    );
    check(
        &mut bench,
        &with_levels(buy("EURUSD", "0.1"), "1.05", "0"),
        Retcode::INVALID_STOPS,
        "stop loss",
    );
    bench.done(&buy("EURUSD", "0.1"));
}

#[test]
fn on_accounts_that_net_a_ticket_has_to_be_the_positions() {
    let mut bench = Bench::b3();
    let sent = bench.done(&buy("WINZ26", "2"));
    check(
        &mut bench,
        &closing(sell("WINZ26", "1"), 99),
        Retcode::POSITION_CLOSED,
        "unknown",
    );
    check(
        &mut bench,
        &closing(sell("WINZ26", "3"), sent.order),
        Retcode::INVALID_CLOSE_VOLUME,
        "more than it is",
    );
    bench.done(&closing(sell("WINZ26", "2"), sent.order));
}
