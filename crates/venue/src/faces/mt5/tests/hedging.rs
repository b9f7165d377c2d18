//! Accounts that hedge: each order has a position of its own, which only its ticket closes.

use super::*;

#[test]
fn opposite_deals_open_positions_of_their_own() {
    let mut bench = Bench::hedging();
    let first = bench.done(&buy("EURUSD", "0.5"));
    let second = bench.done(&sell("EURUSD", "0.2"));
    let third = bench.done(&buy("EURUSD", "0.1"));
    let tickets: Vec<u64> = bench.book.positions.keys().copied().collect();
    assert_eq!(tickets, [first.order, second.order, third.order]);
    assert!(
        bench
            .traded()
            .iter()
            .all(|(_, entry, _)| *entry == Entry::In)
    );
}

#[test]
fn the_ticket_closes_a_part_and_the_rest_of_one_position_alone() {
    let mut bench = Bench::hedging();
    let first = bench.done(&with_levels(buy("EURUSD", "0.5"), "1.09", "1.11"));
    let second = bench.done(&buy("EURUSD", "0.3"));
    bench.done(&closing(sell("EURUSD", "0.2"), first.order));
    let left = &bench.book.positions[&first.order];
    assert_eq!(
        (left.volume, left.sl, left.tp),
        (d("0.3"), d("1.09"), d("1.11"))
    );
    assert_eq!(bench.deal().position_id, first.order);
    bench.done(&closing(sell("EURUSD", "0.3"), first.order));
    assert_eq!(bench.position().ticket, second.order);
    assert_eq!(bench.position().volume, d("0.3"));
    let gone = closing(sell("EURUSD", "0.1"), first.order);
    assert_eq!(bench.refused(&gone), Retcode::POSITION_CLOSED);
    let too_much = closing(sell("EURUSD", "0.4"), second.order);
    assert_eq!(bench.refused(&too_much), Retcode::INVALID_CLOSE_VOLUME);
    let wrong_side = closing(buy("EURUSD", "0.1"), second.order);
    assert_eq!(bench.refused(&wrong_side), Retcode::INVALID);
}

#[test]
fn levels_need_the_ticket() {
    let mut bench = Bench::hedging();
    let first = bench.done(&buy("EURUSD", "0.1"));
    let second = bench.done(&buy("EURUSD", "0.1"));
    let by_symbol = TradeRequest {
        symbol: "EURUSD".to_owned(),
        ..levels(0, "1.09", "0")
    };
    assert_eq!(bench.refused(&by_symbol), Retcode::INVALID);
    bench.done(&levels(second.order, "1.09", "0"));
    assert_eq!(bench.book.positions[&first.order].sl, d("0"));
    assert_eq!(bench.book.positions[&second.order].sl, d("1.09"));
    assert_eq!(
        bench.refused(&levels(99, "1.09", "0")),
        Retcode::POSITION_CLOSED
    );
}

#[test]
fn two_positions_close_each_other() {
    let mut bench = Bench::hedging();
    bench.prices("EURUSD", "1.10000", "1.10010");
    let long = bench.done(&buy("EURUSD", "0.5"));
    let short = bench.done(&sell("EURUSD", "0.2"));
    let request = TradeRequest {
        action: Action::CloseBy as u32,
        position: long.order,
        position_by: short.order,
        magic: 7,
        ..TradeRequest::default()
    };
    bench.done(&request);
    assert_eq!(bench.position().ticket, long.order);
    assert_eq!(bench.position().volume, d("0.3"));
    let deals: Vec<_> = bench.traded().into_iter().skip(2).collect();
    assert_eq!(
        deals,
        [(1, Entry::OutBy, d("0.2")), (0, Entry::OutBy, d("0.2"))]
    );
    // 0.2 lots over the spread of 10 points.
    let closed: Decimal = bench
        .book
        .deals
        .iter()
        .skip(1)
        .map(|deal| deal.profit)
        .sum();
    assert_eq!(closed, d("-2"));
    assert_eq!(
        (bench.ended().kind, bench.ended().position_by_id),
        (OrderKind::CloseBy, short.order)
    );
    assert_eq!(bench.refused(&request), Retcode::POSITION_CLOSED);
}

#[test]
fn the_house_can_forbid_hedges_and_ask_for_the_oldest_first() {
    let mut bench = Bench::hedging();
    let first = bench.done(&buy("EURUSD", "0.1"));
    let second = bench.done(&buy("EURUSD", "0.1"));
    bench.book.hedge_prohibited = true;
    assert_eq!(
        bench.refused(&sell("EURUSD", "0.1")),
        Retcode::HEDGE_PROHIBITED
    );
    bench.book.first_in_first_out = true;
    let younger = closing(sell("EURUSD", "0.1"), second.order);
    assert_eq!(bench.refused(&younger), Retcode::FIFO_CLOSE);
    bench.done(&closing(sell("EURUSD", "0.1"), first.order));
    bench.done(&younger);
    assert!(bench.book.positions.is_empty());
}

#[test]
fn an_order_that_waits_to_close_stands_in_the_way_of_another() {
    let mut bench = Bench::new(&Mt5Options {
        margin_mode: MarginMode::Hedging,
        ..Mt5Options::b3()
    });
    let opened = bench.done(&buy("WINZ26", "3"));
    bench.symbol("WINZ26").depth = Some(d("1"));
    bench.price("WINZ26", "128000");
    let close = with_filling(closing(sell("WINZ26", "3"), opened.order), Filling::Return);
    assert_eq!(bench.done(&close).retcode, Retcode::DONE_PARTIAL);
    assert_eq!(bench.position().volume, d("2"));
    let again = closing(sell("WINZ26", "1"), opened.order);
    assert_eq!(bench.refused(&again), Retcode::CLOSE_ORDER_EXIST);
    bench.price("WINZ26", "128005");
    bench.price("WINZ26", "128010");
    assert!(bench.book.positions.is_empty() && bench.book.orders.is_empty());
}
