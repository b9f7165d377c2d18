//! What a price reaches: levels, pending orders, part fills, and what time ends.

use super::*;
use crate::faces::mt5::kinds::OrderState;

#[test]
fn levels_fire_at_the_market_with_their_reason() {
    // Side, price that comes, reason, price of the deal, comment.
    let cases = [
        (
            OrderKind::Buy,
            ("127500", "127505"),
            Reason::StopLoss,
            "127500",
            "[sl 127500]",
        ),
        (
            OrderKind::Buy,
            ("127000", "127005"),
            Reason::StopLoss,
            "127000",
            "[sl 127500]",
        ),
        (
            OrderKind::Buy,
            ("128500", "128505"),
            Reason::TakeProfit,
            "128500",
            "[tp 128500]",
        ),
        (
            OrderKind::Sell,
            ("128495", "128500"),
            Reason::StopLoss,
            "128500",
            "[sl 128500]",
        ),
        (
            OrderKind::Sell,
            ("128995", "129000"),
            Reason::StopLoss,
            "129000",
            "[sl 128500]",
        ),
        (
            OrderKind::Sell,
            ("127495", "127500"),
            Reason::TakeProfit,
            "127500",
            "[tp 127500]",
        ),
    ];
    for (kind, (bid, ask), reason, price, comment) in cases {
        let mut bench = Bench::b3();
        bench.prices("WINZ26", "128000", "128005");
        let (sl, tp) = if kind == OrderKind::Buy {
            ("127500", "128500")
        } else {
            ("128500", "127500")
        };
        let opened = bench.done(&with_levels(market(kind, "WINZ26", "2"), sl, tp));
        bench.prices("WINZ26", bid, ask);
        assert!(bench.book.positions.is_empty(), "{kind:?} {bid}");
        let deal = bench.deal();
        assert_eq!(
            (deal.reason, deal.price),
            (reason, d(price)),
            "{kind:?} {bid}"
        );
        assert_eq!((deal.magic, deal.comment.as_str()), (7, comment));
        assert_eq!((deal.entry, deal.position_id), (Entry::Out, opened.order));
        let order = bench.ended();
        assert_eq!(
            (order.ticket, order.state, order.reason),
            (deal.order, OrderState::Filled, reason)
        );
    }
}

#[test]
fn what_buys_goes_by_the_ask_and_what_sells_by_the_bid() {
    let mut bench = Bench::b3();
    bench.prices("WINZ26", "128000", "128005");
    bench.done(&with_levels(buy("WINZ26", "1"), "127500", "128500"));
    bench.prices("WINZ26", "128495", "128500");
    bench.prices("WINZ26", "127505", "127510");
    assert_eq!(bench.position().volume, d("1"));
}

#[test]
fn pending_orders_wait_for_their_price() {
    // Kind, price, a price that leaves it, one that reaches it, price of the deal.
    let cases = [
        (OrderKind::BuyLimit, "127000", "127005", "126995", "126995"),
        (OrderKind::SellLimit, "129000", "128995", "129005", "129005"),
        (OrderKind::BuyStop, "129000", "128995", "129005", "129005"),
        (OrderKind::SellStop, "127000", "127005", "126995", "126995"),
    ];
    for (kind, price, leaves, reaches, dealt) in cases {
        let mut bench = Bench::b3();
        bench.price("WINZ26", "128000");
        let sent = bench.done(&pending(kind, "WINZ26", "1", price));
        bench.price("WINZ26", leaves);
        assert_eq!(bench.book.orders.len(), 1, "{kind:?}");
        assert!(bench.book.positions.is_empty(), "{kind:?}");
        bench.price("WINZ26", reaches);
        assert_eq!(bench.deal().price, d(dealt), "{kind:?}");
        assert_eq!(bench.position().ticket, sent.order);
        assert_eq!(
            (bench.ended().ticket, bench.ended().state),
            (sent.order, OrderState::Filled)
        );
        assert!(bench.book.orders.is_empty());
    }
}

#[test]
fn a_stop_limit_becomes_a_limit_at_its_second_price() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    let request = TradeRequest {
        stoplimit: d("128900"),
        ..pending(OrderKind::BuyStopLimit, "WINZ26", "1", "129000")
    };
    let sent = bench.done(&request);
    bench.price("WINZ26", "129100");
    assert_eq!(bench.book.orders[&sent.order].kind, OrderKind::BuyLimit);
    assert!(bench.book.positions.is_empty());
    bench.price("WINZ26", "128900");
    assert_eq!(bench.position().price_open, d("128900"));
}

#[test]
fn a_pending_order_brings_its_levels_and_they_can_fire_with_the_same_price() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    let limit = pending(OrderKind::BuyLimit, "WINZ26", "1", "127000");
    bench.done(&with_levels(limit, "126500", "127500"));
    bench.price("WINZ26", "126800");
    assert_eq!(
        (bench.position().sl, bench.position().tp),
        (d("126500"), d("127500"))
    );
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    let stop = pending(OrderKind::SellStop, "WINZ26", "1", "127000");
    bench.done(&with_levels(stop, "127500", "126500"));
    bench.price("WINZ26", "126000");
    assert!(bench.book.positions.is_empty());
    assert_eq!(
        bench.traded(),
        [(1, Entry::In, d("1")), (0, Entry::Out, d("1"))]
    );
    assert_eq!(bench.deal().reason, Reason::TakeProfit);
}

#[test]
fn the_filling_says_what_becomes_of_the_rest() {
    let deep = |filling| {
        let mut bench = Bench::b3();
        bench.symbol("WINZ26").depth = Some(d("2"));
        bench.price("WINZ26", "128000");
        let sent = bench.send(&with_filling(buy("WINZ26", "3"), filling));
        (bench, sent)
    };
    let (bench, sent) = deep(Filling::FillOrKill);
    assert_eq!(sent.retcode, Retcode::REJECT);
    assert!(bench.book.positions.is_empty());
    assert_eq!(
        (bench.ended().ticket, bench.ended().state),
        (sent.order, OrderState::Rejected)
    );
    let (bench, sent) = deep(Filling::ImmediateOrCancel);
    assert_eq!((sent.retcode, sent.volume), (Retcode::DONE_PARTIAL, d("2")));
    assert_eq!(
        (bench.ended().state, bench.ended().volume_current),
        (OrderState::Canceled, d("1"))
    );
    let (mut bench, sent) = deep(Filling::Return);
    assert_eq!((sent.retcode, sent.volume), (Retcode::DONE_PARTIAL, d("2")));
    let rest = &bench.book.orders[&sent.order];
    assert_eq!(
        (rest.state, rest.volume_current),
        (OrderState::Partial, d("1"))
    );
    bench.price("WINZ26", "128010");
    assert_eq!(bench.position().volume, d("3"));
    assert_eq!(
        (bench.ended().ticket, bench.ended().state),
        (sent.order, OrderState::Filled)
    );
}

#[test]
fn a_market_that_takes_nothing_lets_a_returning_order_wait() {
    let mut bench = Bench::b3();
    bench.symbol("WINZ26").depth = Some(d("0"));
    bench.price("WINZ26", "128000");
    let sent = bench.send(&with_filling(buy("WINZ26", "3"), Filling::Return));
    assert_eq!((sent.retcode, sent.deal), (Retcode::PLACED, 0));
    bench.done(&remove(sent.order));
    assert_eq!(bench.ended().state, OrderState::Canceled);
    let sent = bench.send(&buy("WINZ26", "3"));
    assert_eq!(sent.retcode, Retcode::REJECT);
}

#[test]
fn a_share_lets_only_whole_steps_through() {
    let mut bench = Bench::b3();
    let sent = bench.send_with(&buy("WINZ26", "5"), Some(d("0.5")));
    assert_eq!((sent.retcode, sent.volume), (Retcode::DONE_PARTIAL, d("2")));
    assert_eq!(bench.position().volume, d("2"));
}

#[test]
fn levels_close_as_much_as_the_market_takes_and_go_on() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    bench.done(&with_levels(buy("WINZ26", "3"), "127000", "0"));
    bench.symbol("WINZ26").depth = Some(d("2"));
    bench.price("WINZ26", "126900");
    assert_eq!(
        (bench.position().volume, bench.position().sl),
        (d("1"), d("127000"))
    );
    bench.price("WINZ26", "126800");
    assert!(bench.book.positions.is_empty());
    assert_eq!(bench.deal().price, d("126800"));
}

#[test]
fn nothing_executes_while_the_session_is_closed() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    bench.done(&with_levels(buy("WINZ26", "1"), "127000", "0"));
    bench.symbol("WINZ26").session_open = false;
    bench.price("WINZ26", "126000");
    assert_eq!(bench.position().sl, d("127000"));
    bench.symbol("WINZ26").session_open = true;
    bench.book.match_symbol("WINZ26", bench.now);
    assert_eq!(bench.deal().price, d("126000"));
}

#[test]
fn an_order_that_the_account_can_not_carry_any_more_is_rejected_on_activation() {
    let mut bench = Bench::new(&Mt5Options {
        balance: d("250"),
        ..Mt5Options::b3()
    });
    bench.price("WINZ26", "128000");
    let sent = bench.done(&pending(OrderKind::BuyStop, "WINZ26", "2", "129000"));
    bench.price("WDOZ26", "5350");
    bench.done(&buy("WDOZ26", "1"));
    bench.price("WINZ26", "129000");
    assert_eq!(
        (bench.ended().ticket, bench.ended().state),
        (sent.order, OrderState::Rejected)
    );
    assert_eq!(bench.position().symbol, "WDOZ26");
}

#[test]
fn time_and_the_day_end_orders() {
    let mut bench = Bench::hedging();
    let at = NOON / 1_000 + 60;
    let limit = |lifetime: Lifetime, expiration| TradeRequest {
        lifetime: lifetime.code(),
        expiration,
        ..pending(OrderKind::BuyLimit, "EURUSD", "0.1", "1.05")
    };
    let stays = bench.done(&limit(Lifetime::UntilCancelled, 0));
    let day = bench.done(&limit(Lifetime::Day, 0));
    let minute = bench.done(&limit(Lifetime::Specified, at));
    let midnight = bench.done(&limit(Lifetime::SpecifiedDay, at));
    assert!(!bench.book.advance(at * 1_000 - 1));
    assert!(bench.book.advance(at * 1_000));
    assert_eq!(
        (bench.ended().ticket, bench.ended().state),
        (minute.order, OrderState::Expired)
    );
    bench.book.new_day(bench.now);
    assert_eq!(bench.ended().ticket, day.order);
    let end_of_day = NOON + 12 * 3_600_000;
    assert!(!bench.book.advance(end_of_day - 1_001));
    assert!(bench.book.advance(end_of_day));
    assert_eq!(bench.ended().ticket, midnight.order);
    assert_eq!(
        bench.book.orders.keys().copied().collect::<Vec<_>>(),
        [stays.order]
    );
}

#[test]
fn the_broker_closes_by_orders_of_its_own() {
    let mut bench = Bench::b3();
    bench.done(&buy("WINZ26", "2"));
    bench.symbol("WINZ26").session_open = false;
    assert_eq!(
        bench.book.force_close("WINZ26", Reason::StopOut, bench.now),
        1
    );
    assert!(bench.book.positions.is_empty());
    assert_eq!(
        (bench.deal().magic, bench.deal().reason),
        (0, Reason::StopOut)
    );
}

#[test]
fn a_pending_order_can_be_changed_and_removed() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    let sent = bench.done(&pending(OrderKind::BuyLimit, "WINZ26", "1", "127000"));
    let change = TradeRequest {
        action: Action::Modify as u32,
        order: sent.order,
        price: d("127500"),
        ..with_levels(TradeRequest::default(), "127000", "0")
    };
    bench.done(&change);
    let order = &bench.book.orders[&sent.order];
    assert_eq!((order.price_open, order.sl), (d("127500"), d("127000")));
    assert_eq!(bench.refused(&change), Retcode::NO_CHANGES);
    bench.done(&remove(sent.order));
    assert_eq!(
        (bench.ended().ticket, bench.ended().state),
        (sent.order, OrderState::Canceled)
    );
    assert_eq!(bench.refused(&remove(sent.order)), Retcode::INVALID);
    assert_eq!(bench.refused(&change), Retcode::INVALID);
}
