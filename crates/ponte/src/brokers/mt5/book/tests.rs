//! What facts make of an order, in whatever order and however often they are told.

use ponte_core::order::{OrderClass, OrderKind};

use super::super::options::Accounting;
use super::super::samples::{
    deal, decimal, fired, limit_at, magic_of, of_quantity, order, plan, position, price, strategy,
    symbol,
};
use super::*;
use crate::bridge::protocol::{BridgeInfo, PROTOCOL};

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn facts() -> SyncRequest {
    SyncRequest {
        protocol: PROTOCOL,
        bridge: BridgeInfo {
            kind: "test".to_owned(),
            version: "1".to_owned(),
            journal: "0".to_owned(),
        },
        session: None,
        sequence: 0,
        hold_ms: 0,
        take: false,
        state: None,
        results: Vec::new(),
        positions: None,
        orders: None,
        history: Vec::new(),
        deals: Vec::new(),
        symbols: Vec::new(),
        symbols_complete: false,
        ticks: Vec::new(),
    }
}

fn tell_deals(book: &mut Book, deals: Vec<Deal>) -> Changed {
    let told = SyncRequest { deals, ..facts() };
    book.take(&told, &ServerClock::default(), NOW)
}

fn tell_pending(book: &mut Book, orders: Vec<TradeOrder>) -> Changed {
    let told = SyncRequest {
        orders: Some(orders),
        ..facts()
    };
    book.take(&told, &ServerClock::default(), NOW)
}

fn tell_ended(book: &mut Book, history: Vec<TradeOrder>) -> Changed {
    let told = SyncRequest { history, ..facts() };
    book.take(&told, &ServerClock::default(), NOW)
}

fn tell_positions(book: &mut Book, positions: Vec<Position>) {
    let told = SyncRequest {
        positions: Some(positions),
        ..facts()
    };
    book.take(&told, &ServerClock::default(), NOW);
}

fn buy() -> OrderPlan {
    plan(1, OrderClass::Entry, Side::Buy, OrderKind::MARKET)
}

fn book_with(plan: &OrderPlan) -> Book {
    let mut book = Book::default();
    book.expect(plan, NOW);
    book
}

fn status(book: &Book, plan: &OrderPlan) -> ReportedStatus {
    book.report(plan.id).expect("something is known").status
}

#[test]
fn deals_add_up_to_quantity_price_and_fees_without_swap() {
    let plan = buy();
    let mut book = book_with(&plan);
    assert_eq!(book.report(plan.id), None);
    let first = deal(1, 11, &plan, "1", "128000");
    let second = deal(2, 11, &plan, "1", "128010");
    tell_deals(&mut book, vec![first]);
    assert_eq!(status(&book, &plan), ReportedStatus::Working);
    tell_deals(&mut book, vec![second]);
    let report = book.report(plan.id).expect("known");
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(report.filled, decimal("2"));
    assert_eq!(report.average_price, decimal("128005"));
    assert_eq!(report.fees, decimal("1"));
    assert_eq!(report.broker_order_id, "11");
}

#[test]
fn what_was_told_before_anybody_asked_is_counted_later() {
    let plan = of_quantity(buy(), "3");
    let mut book = Book::default();
    let changed = tell_deals(&mut book, vec![deal(1, 11, &plan, "1", "128000")]);
    assert!(changed.orders.is_empty() && changed.deals == [1]);
    tell_ended(&mut book, vec![order(11, &plan, 2, "3", "2")]);
    book.expect(&plan, NOW);
    assert_eq!(
        status(&book, &plan),
        ReportedStatus::Working,
        "its result is open"
    );
    book.settle(plan.id, "");
    let report = book.report(plan.id).expect("known");
    assert_eq!(report.filled, decimal("1"));
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
}

#[test]
fn what_a_level_closes_is_not_the_order_whose_magic_number_it_bears() {
    // A position bears the magic number of its last deal: here of an exit of a part.
    let exit = plan(1, OrderClass::Exit, Side::Sell, OrderKind::MARKET);
    let mut book = book_with(&exit);
    let by_stop = fired(5, 4, 900, "2", magic_of(&exit));
    tell_deals(&mut book, vec![by_stop]);
    assert_eq!(book.report(exit.id), None);
    // And an order trades on its own side only, whatever the reason: a person closed it.
    let entry = buy();
    let mut book = book_with(&entry);
    let by_hand = Deal {
        reason: 0,
        ..fired(6, 4, 900, "2", magic_of(&entry))
    };
    tell_deals(&mut book, vec![by_hand]);
    assert_eq!(book.report(entry.id), None);
}

#[test]
fn an_overwritten_magic_number_is_made_good_by_ticket_or_comment() {
    let plan = buy();
    let mut book = book_with(&plan);
    let step = Step {
        answered: true,
        retcode: DONE,
        error: 0,
        order: 11,
        deal: 1,
        volume: decimal("2"),
        price: decimal("128000"),
        comment: String::new(),
        retcode_external: 0,
    };
    book.take_steps(plan.id, [step].iter());
    let bare = Deal {
        magic: 0,
        ..deal(1, 11, &plan, "1", "128000")
    };
    tell_deals(&mut book, vec![bare.clone()]);
    assert_eq!(
        book.report(plan.id).expect("by ticket").filled,
        decimal("1")
    );
    let by_comment = Deal {
        ticket: 2,
        order: 12,
        comment: identity::comment(plan.id),
        ..bare
    };
    tell_deals(&mut book, vec![by_comment]);
    assert_eq!(status(&book, &plan), ReportedStatus::Filled);
}

#[test]
fn a_refused_steps_ticket_is_nobodys() {
    let plan = buy();
    let mut book = book_with(&plan);
    let step = Step {
        answered: true,
        retcode: 10019,
        error: 0,
        order: 11,
        deal: 0,
        volume: Decimal::ZERO,
        price: Decimal::ZERO,
        comment: String::new(),
        retcode_external: 0,
    };
    book.take_steps(plan.id, [step].iter());
    assert_eq!(book.report(plan.id), None);
}

#[test]
fn a_pending_order_works_until_it_is_over_and_its_deals_are_there() {
    let plan = plan(1, OrderClass::Entry, Side::Buy, limit_at(price("128000")));
    let mut book = book_with(&plan);
    tell_pending(&mut book, vec![order(11, &plan, 1, "2", "2")]);
    book.settle(plan.id, "");
    assert_eq!(status(&book, &plan), ReportedStatus::Working);
    assert!(!book.is_owed(plan.id), "it rests");
    // Taken back after a part had traded, and that deal is late.
    tell_pending(&mut book, Vec::new());
    assert!(book.is_owed(plan.id));
    tell_ended(&mut book, vec![order(11, &plan, 2, "2", "1")]);
    assert_eq!(
        status(&book, &plan),
        ReportedStatus::Working,
        "a deal is owed"
    );
    tell_deals(&mut book, vec![deal(1, 11, &plan, "1", "128000")]);
    let report = book.report(plan.id).expect("known");
    assert_eq!(report.filled, decimal("1"));
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
}

#[test]
fn ends_are_told_in_words() {
    let limit = || plan(1, OrderClass::Entry, Side::Buy, limit_at(price("128000")));
    let ended = |state| {
        let plan = limit();
        let mut book = book_with(&plan);
        tell_ended(&mut book, vec![order(11, &plan, state, "2", "2")]);
        book.settle(plan.id, "");
        status(&book, &plan)
    };
    assert!(matches!(ended(5), ReportedStatus::Rejected { .. }));
    assert!(matches!(ended(6), ReportedStatus::Cancelled { reason } if reason.contains("time")));
    assert!(
        matches!(ended(2), ReportedStatus::Cancelled { reason } if reason == "cancelled at the terminal")
    );
}

#[test]
fn an_exit_that_asked_for_less_says_so() {
    let exit = of_quantity(
        plan(1, OrderClass::Exit, Side::Sell, OrderKind::MARKET),
        "5",
    );
    let mut book = book_with(&exit);
    book.sending(exit.id, "the position is only 2".to_owned());
    tell_deals(&mut book, vec![deal(1, 11, &exit, "2", "128000")]);
    tell_ended(&mut book, vec![order(11, &exit, 4, "2", "0")]);
    assert_eq!(status(&book, &exit), ReportedStatus::Working);
    book.settle(exit.id, "");
    assert_eq!(
        status(&book, &exit),
        ReportedStatus::Cancelled {
            reason: "the position is only 2".to_owned()
        }
    );
}

#[test]
fn positions_are_of_a_side_and_where_it_matters_of_a_strategy() {
    let mut book = Book::default();
    let (breakout, trend) = (
        buy(),
        OrderPlan {
            strategy: strategy("trend"),
            ..buy()
        },
    );
    let short = Position {
        position_type: 1,
        ..position(3, "4", magic_of(&trend))
    };
    let older = Position {
        time_ms: 1,
        ..position(2, "1", magic_of(&breakout))
    };
    tell_positions(
        &mut book,
        vec![
            position(1, "2", magic_of(&breakout)),
            older,
            short,
            position(4, "9", 0),
        ],
    );
    let tickets = |holding: &Holding| -> Vec<u64> {
        let found = book.positions_of(holding);
        found.iter().map(|position| position.ticket).collect()
    };
    let holding = |tag, side| Holding::closed_by(side, &symbol("WINZ26"), tag);
    let of = |name: &str| Some(Tag::of(&strategy(name)));
    assert_eq!(tickets(&holding(of("breakout"), Side::Sell)), [2, 1]);
    assert_eq!(tickets(&holding(of("trend"), Side::Buy)), [3]);
    assert_eq!(
        tickets(&holding(of("trend"), Side::Sell)),
        Vec::<u64>::new()
    );
    assert_eq!(tickets(&holding(None, Side::Sell)), [2, 1, 4]);
    assert_eq!(book.net_positions()[&symbol("WINZ26")], decimal("8"));
}

#[test]
fn two_strategies_of_one_tag_are_namesakes() {
    let mut book = book_with(&buy());
    assert_eq!(book.namesake(&buy().strategy), None);
    book.strategies
        .insert(Tag::of(&strategy("other")), strategy("first"));
    assert_eq!(book.namesake(&strategy("other")), Some(&strategy("first")));
}

#[test]
fn accountings_are_read_from_margin_modes() {
    let of = Accounting::of_margin_mode;
    assert_eq!(
        [of(0), of(1), of(2), of(3)],
        [
            Some(Accounting::Netting),
            Some(Accounting::Netting),
            Some(Accounting::Hedging),
            None
        ]
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// One thing that a terminal tells of an order in pieces.
    #[derive(Debug, Clone)]
    enum Telling {
        Deal(usize),
        Pending(usize),
        Ended,
        Noise(u64),
    }

    fn telling() -> impl Strategy<Value = Telling> {
        prop_oneof![
            4 => (0..5_usize).prop_map(Telling::Deal),
            2 => (0..5_usize).prop_map(Telling::Pending),
            1 => Just(Telling::Ended),
            1 => (100..110_u64).prop_map(Telling::Noise),
        ]
    }

    proptest! {
        /// However facts are repeated and swapped, totals never go back, an end stays, and in the
        /// end all is counted once.
        #[test]
        fn totals_never_go_back(tellings in proptest::collection::vec(telling(), 0..40), late in 0..40_usize) {
            let plan = of_quantity(plan(1, OrderClass::Entry, Side::Buy, limit_at(price("128000"))), "5");
            let mut book = Book::default();
            let ended = order(11, &plan, 4, "5", "0");
            let pieces: Vec<Deal> = (0..5)
                .map(|index| deal(index + 1, 11, &plan, "1", "128000"))
                .collect();
            let mut filled = Decimal::ZERO;
            let mut was_final = false;
            let all = (0..5).map(Telling::Deal).chain([Telling::Ended]);
            for (index, telling) in tellings.into_iter().chain(all).enumerate() {
                if index == late {
                    book.expect(&plan, NOW);
                    book.settle(plan.id, "");
                }
                match telling {
                    Telling::Deal(piece) => {
                        tell_deals(&mut book, vec![pieces[piece].clone()]);
                    }
                    Telling::Pending(traded) => {
                        let left = (5 - traded).to_string();
                        tell_pending(&mut book, vec![order(11, &plan, 1, "5", &left)]);
                    }
                    Telling::Ended => {
                        tell_ended(&mut book, vec![ended.clone()]);
                    }
                    Telling::Noise(ticket) => {
                        tell_deals(&mut book, vec![fired(ticket, 4, 900, "5", magic_of(&plan))]);
                    }
                }
                if let Some(report) = book.report(plan.id) {
                    prop_assert!(report.filled >= filled, "{report:?}");
                    filled = report.filled;
                    let is_final = report.status != ReportedStatus::Working;
                    prop_assert!(is_final || !was_final, "{report:?}");
                    was_final = is_final;
                }
            }
            book.expect(&plan, NOW);
            book.settle(plan.id, "");
            let report = book.report(plan.id).expect("everything was told");
            prop_assert_eq!(report.filled, decimal("5"));
            prop_assert_eq!(report.status, ReportedStatus::Filled);
            prop_assert_eq!(report.fees, decimal("2.5"));
        }
    }
}
