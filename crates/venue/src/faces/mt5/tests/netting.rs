//! Accounts that net: one position in a symbol, its ticket, its identifier, and what becomes of its levels.

use super::*;

#[test]
fn a_deal_opens_enlarges_reduces_closes_and_reverses() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    let first = bench.done(&buy("WINZ26", "2"));
    bench.price("WINZ26", "128100");
    bench.done(&buy("WINZ26", "2"));
    let position = bench.position();
    assert_eq!(
        (position.volume, position.price_open),
        (d("4"), d("128050"))
    );
    assert_eq!(
        (position.ticket, position.identifier),
        (first.order, first.order)
    );
    bench.done(&sell("WINZ26", "1"));
    // 50 points, R$ 0.20 a point.
    assert_eq!(bench.deal().profit, d("10"));
    assert_eq!(bench.position().price_open, d("128050"));
    let reversal = bench.done(&sell("WINZ26", "5"));
    let position = bench.position();
    assert_eq!(
        (position.ticket, position.identifier),
        (reversal.order, first.order)
    );
    assert_eq!(
        (position.volume, position.price_open),
        (d("2"), d("128100"))
    );
    assert_eq!(bench.deal().profit, d("30"));
    bench.done(&buy("WINZ26", "2"));
    assert!(bench.book.positions.is_empty());
    let entries = [
        (0, Entry::In, d("2")),
        (0, Entry::In, d("2")),
        (1, Entry::Out, d("1")),
        (1, Entry::InOut, d("5")),
        (0, Entry::Out, d("2")),
    ];
    assert_eq!(bench.traded(), entries);
    let deals = bench.book.deals.iter().skip(1);
    assert!(deals.clone().all(|deal| deal.position_id == first.order));
    // R$ 0.25 a contract.
    assert_eq!(deals.map(|deal| deal.commission).sum::<Decimal>(), d("-3"));
    assert_eq!(bench.book.balance, d("100037"));
}

#[test]
fn the_next_position_has_a_new_identifier() {
    let mut bench = Bench::b3();
    let first = bench.done(&buy("WINZ26", "1"));
    bench.done(&sell("WINZ26", "1"));
    let second = bench.done(&buy("WINZ26", "1"));
    assert_ne!(first.order, second.order);
    assert_eq!(bench.position().identifier, second.order);
}

#[test]
fn magic_and_comment_are_those_of_the_last_deal() {
    let mut bench = Bench::b3();
    bench.done(&buy("WINZ26", "2"));
    let other = TradeRequest {
        magic: 8,
        comment: "Pdef".to_owned(),
        ..buy("WINZ26", "1")
    };
    bench.done(&other);
    assert_eq!(
        (bench.position().magic, bench.position().comment.as_str()),
        (8, "Pdef")
    );
    let third = TradeRequest {
        magic: 9,
        ..sell("WINZ26", "1")
    };
    bench.done(&third);
    assert_eq!(bench.position().magic, 9);
}

/// What the position's levels are after a second deal: MetaTrader 5 help, "Rules of Stop Loss and Take Profit
/// inheritance (netting)".
#[test]
fn the_second_deal_keeps_replaces_or_removes_the_levels() {
    let cases = [
        (
            "increased with levels",
            with_levels(buy("WINZ26", "1"), "127500", "128800"),
            Some(("127500", "128800")),
        ),
        ("increased without", buy("WINZ26", "1"), Some(("0", "0"))),
        (
            "increased with one",
            with_levels(buy("WINZ26", "1"), "127500", "0"),
            Some(("127500", "0")),
        ),
        (
            "partly closed",
            sell("WINZ26", "1"),
            Some(("127000", "129000")),
        ),
        (
            "partly closed with levels",
            with_levels(sell("WINZ26", "1"), "128500", "127500"),
            Some(("127000", "129000")),
        ),
        (
            "reversed with levels",
            with_levels(sell("WINZ26", "3"), "128500", "127500"),
            Some(("128500", "127500")),
        ),
        ("reversed without", sell("WINZ26", "3"), Some(("0", "0"))),
        ("closed", sell("WINZ26", "2"), None),
    ];
    for (name, second, expected) in cases {
        let mut bench = Bench::b3();
        bench.price("WINZ26", "128000");
        bench.done(&with_levels(buy("WINZ26", "2"), "127000", "129000"));
        bench.done(&second);
        let left = bench
            .book
            .position_in("WINZ26")
            .map(|position| (position.sl, position.tp));
        assert_eq!(left, expected.map(|(sl, tp)| (d(sl), d(tp))), "{name}");
    }
}

#[test]
fn the_end_of_the_day_takes_levels_on_exchange_accounts_only() {
    for (mode, expected) in [(MarginMode::Exchange, "0"), (MarginMode::Netting, "127000")] {
        let mut bench = Bench::new(&Mt5Options {
            margin_mode: mode,
            ..Mt5Options::b3()
        });
        bench.price("WINZ26", "128000");
        bench.done(&with_levels(buy("WINZ26", "2"), "127000", "129000"));
        bench.book.new_day(bench.now);
        assert_eq!(bench.position().sl, d(expected), "{mode:?}");
    }
}

#[test]
fn levels_are_changed_by_ticket_or_by_symbol() {
    let mut bench = Bench::b3();
    bench.price("WINZ26", "128000");
    let sent = bench.done(&buy("WINZ26", "1"));
    bench.done(&levels(sent.order, "127000", "129000"));
    assert_eq!(
        (bench.position().sl, bench.position().tp),
        (d("127000"), d("129000"))
    );
    let by_symbol = TradeRequest {
        symbol: "WINZ26".to_owned(),
        ..levels(0, "127500", "0")
    };
    bench.done(&by_symbol);
    assert_eq!(
        (bench.position().sl, bench.position().tp),
        (d("127500"), d("0"))
    );
    assert_eq!(bench.refused(&by_symbol), Retcode::NO_CHANGES);
}

#[test]
fn the_account_counts_what_is_open_and_what_was_closed() {
    let mut bench = Bench::b3();
    bench.price("WDOZ26", "5350");
    bench.done(&buy("WDOZ26", "3"));
    bench.price("WDOZ26", "5351.5");
    // 1.5 points, R$ 10 a point and contract; R$ 0.25 a contract.
    assert_eq!(bench.book.floating_profit(), d("45"));
    assert_eq!(bench.book.equity(), d("100044.25"));
    assert_eq!(bench.book.margin(), d("450"));
}
