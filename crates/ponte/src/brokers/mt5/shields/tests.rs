//! Which levels are wanted, when protection is over, and who answers for what a level closed.

use ponte_core::order::OrderClass;

use super::super::samples::{
    decimal, fired, limit_at, of_quantity, plan, position, price, stop_at, symbol, with_levels,
};
use ponte_core::order::OrderKind;
use ponte_core::signal::Terms;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn holding() -> Holding {
    Holding::closed_by(Side::Sell, &symbol("WINZ26"), None)
}

fn levels(stop: &str, target: &str) -> Levels {
    let level = |text: &str| (!text.is_empty()).then(|| decimal(text));
    Levels {
        stop: level(stop),
        target: level(target),
    }
}

fn shield(number: u64, lots: &str, kind: OrderKind) -> OrderPlan {
    of_quantity(plan(number, OrderClass::Protection, Side::Sell, kind), lots)
}

fn stop(number: u64, lots: &str, at: &str) -> OrderPlan {
    shield(number, lots, stop_at(price(at)))
}

fn target(number: u64, lots: &str, at: &str) -> OrderPlan {
    shield(number, lots, limit_at(price(at)))
}

fn bracket(number: u64, lots: &str, stop: &str, target: &str) -> OrderPlan {
    let (stop, target) = (price(stop), price(target));
    shield(number, lots, OrderKind::OneCancelsOther { stop, target })
}

/// Places a protective order at the position 900.
fn place(shields: &mut Shields, plan: &OrderPlan) {
    let levels = Levels::asked_by(plan).expect("a position can carry it");
    shields.expect(plan, holding(), levels, NOW);
    shields.place(plan.id);
    shields.bind(plan.id, [900].into_iter());
}

fn rest(shields: &mut Shields, plan: &OrderPlan) {
    place(shields, plan);
    shields.rests(plan.id);
}

fn at_position(lots: &str, sl: &str, tp: &str) -> Vec<Position> {
    vec![with_levels(position(900, lots, 0), sl, tp)]
}

fn judge(shields: &mut Shields, positions: &[Position]) -> Vec<ClientOrderId> {
    shields.judge(&holding(), positions, |_| true, |_| false, NOW)
}

/// Allots a sale by stop loss (4) or take profit (5).
fn fire(shields: &mut Shields, ticket: u64, reason: u32, lots: &str) -> Vec<ClientOrderId> {
    let deal = fired(ticket, reason, 900, lots, 0);
    let share = Share {
        volume: deal.volume,
        value: deal.volume * deal.price,
        fees: decimal("1.2"),
        at: NOW,
    };
    shields.allot(&holding(), 900, &Dealt { deal, share })
}

fn told(shields: &Shields, plan: &OrderPlan) -> (String, ReportedStatus) {
    let report = shields.report(plan.id).expect("it is known");
    (report.filled.to_string(), report.status)
}

#[test]
fn the_newest_stop_and_the_newest_target_are_wanted() {
    let mut shields = Shields::default();
    assert_eq!(shields.wanted(&holding(), &[]), Levels::default());
    let (old, new) = (bracket(1, "2", "127000", "130000"), stop(2, "2", "127500"));
    rest(&mut shields, &old);
    rest(&mut shields, &new);
    assert_eq!(shields.wanted(&holding(), &[]), levels("127500", "130000"));
    assert_eq!(
        shields.wanted(&holding(), &[new.id]),
        levels("127000", "130000")
    );
    shields.cancelled(old.id, "taken back");
    assert_eq!(shields.wanted(&holding(), &[]), levels("127500", ""));
    let elsewhere = Holding {
        is_long: false,
        ..holding()
    };
    assert_eq!(shields.wanted(&elsewhere, &[]), Levels::default());
}

#[test]
fn one_that_is_only_asked_about_wants_nothing() {
    let mut shields = Shields::default();
    let (live, asked) = (stop(1, "2", "127500"), stop(2, "2", "127000"));
    rest(&mut shields, &live);
    shields.expect(&asked, holding(), levels("127000", ""), NOW);
    assert_eq!(shields.wanted(&holding(), &[]), levels("127500", ""));
}

#[test]
fn what_an_entry_brought_counts_from_its_fill_until_protection_follows() {
    let mut shields = Shields::default();
    let (old, entry) = (
        stop(1, "2", "127000"),
        plan(2, OrderClass::Entry, Side::Buy, OrderKind::MARKET),
    );
    rest(&mut shields, &old);
    shields.entry_brings(entry.id, holding(), levels("127500", ""));
    assert_eq!(shields.wanted(&holding(), &[]), levels("127000", ""));
    shields.entry_has_traded(entry.id);
    assert_eq!(shields.wanted(&holding(), &[]), levels("127500", ""));
    // Meanwhile the old order is neither over nor does its taking back change the entry's levels.
    assert!(judge(&mut shields, &at_position("4", "127500", "0")).is_empty());
    let left = shields.without(&holding(), &[old.id], levels("127500", ""));
    assert_eq!(left, levels("127500", ""));
    // Its own protection follows, and when that is taken back nothing of the entry is left.
    let new = stop(3, "4", "127500");
    rest(&mut shields, &new);
    shields.cancelled(old.id, "replaced");
    let left = shields.without(&holding(), &[new.id], levels("127500", ""));
    assert_eq!(left, Levels::default());
}

#[test]
fn taking_back_leaves_what_was_not_asked_for() {
    let mut shields = Shields::default();
    let only = stop(1, "2", "127000");
    rest(&mut shields, &only);
    // Somebody has set a target by hand.
    let left = shields.without(&holding(), &[only.id], levels("127000", "131000"));
    assert_eq!(left, levels("", "131000"));
    let other = stop(2, "2", "127000");
    rest(&mut shields, &other);
    let left = shields.without(&holding(), &[only.id], levels("127000", "131000"));
    assert_eq!(left, levels("127000", "131000"));
}

#[test]
fn levels_that_vanish_or_change_end_what_asked_for_them() {
    let cases = [
        (
            "127000",
            "0",
            vec!["bracket", "target"],
            "target 130000 was taken away",
        ),
        (
            "0",
            "130000",
            vec!["stop", "bracket"],
            "stop 127000 was taken away",
        ),
        (
            "126000",
            "130000",
            vec!["stop", "bracket"],
            "changed to 126000",
        ),
        ("127000", "130000", vec![], ""),
    ];
    for (sl, tp, over, why) in cases {
        let mut shields = Shields::default();
        let all = [
            ("stop", stop(1, "1", "127000")),
            ("bracket", bracket(2, "1", "127000", "130000")),
            ("target", target(3, "1", "130000")),
        ];
        for (_, plan) in &all {
            rest(&mut shields, plan);
        }
        let ended = judge(&mut shields, &at_position("3", sl, tp));
        let names: Vec<&str> = all
            .iter()
            .filter(|(_, plan)| ended.contains(&plan.id))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, over, "{sl} {tp}");
        for id in ended {
            let status = shields.report(id).expect("known").status;
            assert!(
                matches!(&status, ReportedStatus::Cancelled { reason } if reason.contains(why)),
                "{status:?}"
            );
        }
    }
}

#[test]
fn levels_under_way_are_no_reason_to_end_anything() {
    let mut shields = Shields::default();
    let (old, new) = (stop(1, "2", "127000"), stop(2, "2", "127500"));
    rest(&mut shields, &old);
    place(&mut shields, &new);
    assert!(judge(&mut shields, &at_position("2", "127500", "0")).is_empty());
    assert!(judge(&mut shields, &at_position("2", "127000", "0")).is_empty());
    // A taking back that is under way may have been carried out, or not.
    shields.forget(new.id);
    shields.leave(old.id, holding(), Levels::default());
    assert!(judge(&mut shields, &at_position("2", "0", "0")).is_empty());
    shields.left(old.id);
    assert_eq!(judge(&mut shields, &at_position("2", "0", "0")), [old.id]);
}

#[test]
fn a_stop_that_fires_is_allotted_oldest_first_and_the_last_takes_what_is_over() {
    let mut shields = Shields::default();
    let (first, second, only_target) = (
        stop(1, "2", "127000"),
        bracket(2, "1", "127000", "130000"),
        target(3, "3", "130000"),
    );
    for plan in [&first, &second, &only_target] {
        rest(&mut shields, plan);
    }
    assert_eq!(fire(&mut shields, 1, 4, "1"), [first.id]);
    assert_eq!(
        told(&shields, &first),
        ("1".to_owned(), ReportedStatus::Working)
    );
    assert_eq!(fire(&mut shields, 2, 4, "4"), [first.id, second.id]);
    assert_eq!(
        told(&shields, &first),
        ("2".to_owned(), ReportedStatus::Filled)
    );
    assert_eq!(
        told(&shields, &second),
        ("3".to_owned(), ReportedStatus::Filled)
    );
    // The position is gone, and with it what has not traded.
    assert_eq!(judge(&mut shields, &[]), [only_target.id]);
    let (filled, status) = told(&shields, &only_target);
    assert!(
        filled == "0" && matches!(status, ReportedStatus::Cancelled { .. }),
        "{status:?}"
    );
    let report = shields.report(second.id).expect("known");
    assert_eq!(report.average_price, decimal("127500"));
    assert_eq!(
        report.fees,
        decimal("0.9"),
        "three of the four lots of one deal"
    );
}

#[test]
fn a_target_that_fires_is_the_targets() {
    let mut shields = Shields::default();
    let (only_stop, both) = (stop(1, "2", "127000"), bracket(2, "2", "127000", "130000"));
    rest(&mut shields, &only_stop);
    rest(&mut shields, &both);
    assert_eq!(fire(&mut shields, 1, 5, "2"), [both.id]);
    assert_eq!(told(&shields, &only_stop).0, "0");
}

#[test]
fn a_deal_counts_once_and_one_of_another_position_never() {
    let mut shields = Shields::default();
    let plan = stop(1, "2", "127000");
    rest(&mut shields, &plan);
    let mut foreign = fired(9, 4, 901, "2", 0);
    foreign.position_id = 901;
    let share = Share {
        volume: decimal("2"),
        value: decimal("1"),
        fees: decimal("0"),
        at: NOW,
    };
    assert!(
        shields
            .allot(
                &holding(),
                foreign.position_id,
                &Dealt {
                    deal: foreign,
                    share
                }
            )
            .is_empty()
    );
    fire(&mut shields, 1, 4, "2");
    assert!(fire(&mut shields, 1, 4, "2").is_empty());
    assert_eq!(told(&shields, &plan).0, "2");
}

#[test]
fn a_position_that_is_gone_ends_protection_only_once_its_deals_are_told() {
    let mut shields = Shields::default();
    let plan = stop(1, "2", "127000");
    rest(&mut shields, &plan);
    assert!(
        shields
            .judge(&holding(), &[], |_| false, |_| false, NOW)
            .is_empty()
    );
    assert_eq!(told(&shields, &plan).1, ReportedStatus::Working);
    assert_eq!(judge(&mut shields, &[]), [plan.id]);
    // A deal that is told even later is still the order's.
    assert_eq!(fire(&mut shields, 1, 4, "2"), [plan.id]);
    assert_eq!(
        told(&shields, &plan),
        ("2".to_owned(), ReportedStatus::Filled)
    );
}

#[test]
fn a_new_position_has_not_the_old_ones_protection() {
    let mut shields = Shields::default();
    let plan = stop(1, "2", "127000");
    rest(&mut shields, &plan);
    let next = vec![with_levels(position(901, "2", 0), "127000", "0")];
    assert_eq!(judge(&mut shields, &next), [plan.id]);
}

#[test]
fn a_second_ticket_of_the_holding_must_have_the_levels_too() {
    let mut shields = Shields::default();
    let plan = stop(1, "4", "127000");
    rest(&mut shields, &plan);
    let both = [
        with_levels(position(900, "2", 0), "127000", "0"),
        with_levels(position(901, "2", 0), "127000", "0"),
    ];
    assert!(judge(&mut shields, &both).is_empty());
    let bare = [both[0].clone(), position(901, "2", 0)];
    assert_eq!(judge(&mut shields, &bare), [plan.id]);
}

#[test]
fn what_a_position_can_not_carry_is_refused() {
    let kinds = [
        OrderKind::MARKET,
        OrderKind::Single {
            terms: Terms::StopLimit {
                trigger: price("127000"),
                price: price("126900"),
            },
        },
        OrderKind::TrailingStop {
            distance_percent: decimal("1"),
        },
    ];
    for kind in kinds {
        let why = Levels::asked_by(&shield(1, "2", kind)).expect_err("it can't");
        assert!(why.contains("WINZ26"), "{why}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However stops fire, everything that was closed is answered for exactly once, and no
        /// order but the newest answers for more than it was for.
        #[test]
        fn everything_closed_is_answered_for_once(
            lots in proptest::collection::vec(1_u32..5, 1..6),
            fires in proptest::collection::vec((1_u32..6, proptest::bool::ANY), 1..8),
        ) {
            let mut shields = Shields::default();
            let plans: Vec<OrderPlan> = lots
                .iter()
                .zip(1_u64..)
                .map(|(lots, number)| stop(number, &lots.to_string(), "127000"))
                .collect();
            for plan in &plans {
                rest(&mut shields, plan);
            }
            let mut closed = 0;
            for (index, (volume, twice)) in (1_u64..).zip(fires) {
                fire(&mut shields, index, 4, &volume.to_string());
                if twice {
                    fire(&mut shields, index, 4, &volume.to_string());
                }
                closed += volume;
            }
            let filled: Vec<Decimal> = plans
                .iter()
                .map(|plan| shields.report(plan.id).expect("known").filled)
                .collect();
            prop_assert_eq!(filled.iter().sum::<Decimal>(), Decimal::from(closed));
            for (index, (plan, filled)) in plans.iter().zip(&filled).enumerate() {
                let is_last = index + 1 == plans.len();
                prop_assert!(is_last || *filled <= plan.quantity.get());
            }
        }

        /// The levels that are wanted are those of the newest that counts, part by part.
        #[test]
        fn wanted_levels_are_the_newest(
            kinds in proptest::collection::vec((0_u32..3, 1_i64..50, proptest::bool::ANY), 0..8),
        ) {
            let mut shields = Shields::default();
            let mut wanted = Levels::default();
            for (index, (kind, offset, stays)) in (1_u64..).zip(kinds) {
                let (below, above) = ((128_000 - offset * 5).to_string(), (128_000 + offset * 5).to_string());
                let plan = match kind {
                    0 => stop(index, "1", &below),
                    1 => target(index, "1", &above),
                    _ => bracket(index, "1", &below, &above),
                };
                rest(&mut shields, &plan);
                if stays {
                    wanted = Levels::asked_by(&plan).expect("carried").or(wanted);
                } else {
                    shields.cancelled(plan.id, "taken back");
                }
            }
            prop_assert_eq!(shields.wanted(&holding(), &[]), wanted);
        }
    }
}

#[test]
fn after_a_restart_no_order_answers_for_more_of_a_deal_than_its_own() {
    let mut shields = Shields::default();
    let ask = |shields: &mut Shields, plan: &OrderPlan| {
        let levels = Levels::asked_by(plan).expect("a position can carry it");
        shields.expect(plan, holding(), levels, NOW);
        shields.bind(plan.id, [900].into_iter());
    };
    let filled = |shields: &Shields, plan: &OrderPlan| shields.report(plan.id).map(|it| it.filled);
    let (first, second) = (stop(1, "1", "127500"), stop(2, "3", "127500"));
    ask(&mut shields, &first);
    assert_eq!(fire(&mut shields, 501, 4, "4"), [first.id]);
    assert_eq!(filled(&shields, &first), Some(decimal("1")));
    ask(&mut shields, &second);
    assert_eq!(fire(&mut shields, 501, 4, "4"), [second.id]);
    assert_eq!(fire(&mut shields, 501, 4, "4"), []);
    assert_eq!(filled(&shields, &first), Some(decimal("1")));
    assert_eq!(filled(&shields, &second), Some(decimal("3")));
}
