//! What the trade server's return codes mean: done, final, not now, or unknown; and what to do about each.
//!
//! Codes and names are those of MQL5 Reference, "Return Codes of the Trade Server"; the errors of the
//! terminal those of the Python package's `last_error()` and of MQL5 Reference, "Runtime Errors".

use ponte_core::message::{Fate, NotSent};
use ponte_core::order::OrderClass;

use crate::bridge::protocol::Step;

/// The order was placed.
pub(super) const PLACED: u32 = 10008;
/// The request was carried out.
pub(super) const DONE: u32 = 10009;
/// The request was carried out in part.
pub(super) const DONE_PARTIAL: u32 = 10010;
/// There is nothing to change: what was asked for holds already.
pub(super) const NO_CHANGES: u32 = 10025;
/// The position is closed already.
pub(super) const POSITION_CLOSED: u32 = 10036;

/// What a code means for the request that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It was carried out, or what it asked for holds already.
    Done,
    /// It was refused for good; nothing came of it.
    Final,
    /// It was refused; nothing came of it, and the same request may be taken later.
    ForNow,
    /// There is nothing left to close or to change.
    Gone,
    /// Nobody knows whether something came of it.
    Unknown,
}

/// What one answer says, with words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What it means.
    pub(super) class: Class,
    /// The code, its meaning, the server's own words, and the cure.
    pub(super) text: String,
}

/// What a step's answer means for an order of this class.
pub(super) fn verdict(step: &Step, order: OrderClass) -> Verdict {
    if !step.answered {
        let text = format!(
            "the terminal gave no answer (error {}); it is being looked up",
            step.error
        );
        return Verdict {
            class: Class::Unknown,
            text,
        };
    }
    if step.retcode == 0 {
        let (class, meaning) = local(step.error);
        let text = format!("{meaning} (the terminal's error {})", step.error);
        return Verdict { class, text };
    }
    let (class, meaning) = meaning(step.retcode, order);
    let mut text = format!("{meaning} ({}", step.retcode);
    if step.retcode_external != 0 {
        text.push_str(&format!(", the exchange's code {}", step.retcode_external));
    }
    text.push(')');
    let words: String = step
        .comment
        .chars()
        .filter(|c| !c.is_control())
        .take(80)
        .collect();
    if !words.is_empty() {
        text.push_str(&format!(": \"{words}\""));
    }
    Verdict { class, text }
}

/// The fate of an order whose only request was not carried out.
pub(super) fn fate(verdict: Verdict) -> Fate {
    match verdict.class {
        Class::Final | Class::Gone => Fate::Rejected {
            reason: verdict.text,
        },
        Class::ForNow => Fate::NotSent {
            why: NotSent::Unreachable(verdict.text),
        },
        Class::Done | Class::Unknown => Fate::Unknown { why: verdict.text },
    }
}

/// Why nothing came of a request that never left the terminal.
fn local(error: i32) -> (Class, &'static str) {
    match error {
        -2 => (
            Class::Final,
            "the terminal found a mistake in the request; please report it",
        ),
        -8 | 4752 => (
            Class::ForNow,
            "algorithmic trading is off in the terminal; press \"Algo Trading\" there",
        ),
        -10003 | -10004 => (
            Class::ForNow,
            "the bridge can't reach the terminal; start it, or look whether it hangs",
        ),
        4753 => (Class::Gone, "the position is closed already"),
        _ => (
            Class::Unknown,
            "the terminal gave an error that this version does not know; the order is being looked up",
        ),
    }
}

/// The class of a code. Where exits and protection differ from entries: what closes or protects a
/// position is tried again wherever time may cure it, since giving it up costs more than asking
/// again; an entry is refused for good, except where the cause passes within its short life.
fn meaning(code: u32, order: OrderClass) -> (Class, &'static str) {
    let (for_entries, text) = entry_meaning(code);
    let cured_by_time = matches!(code, 10017 | 10018 | 10029 | 10038 | 10039);
    let class = match order {
        OrderClass::Exit | OrderClass::Protection if cured_by_time => Class::ForNow,
        OrderClass::Exit | OrderClass::Protection | OrderClass::Entry => for_entries,
    };
    (class, text)
}

#[allow(clippy::too_many_lines)] // one line for each code of the published table
fn entry_meaning(code: u32) -> (Class, &'static str) {
    match code {
        PLACED => (Class::Done, "placed"),
        DONE => (Class::Done, "done"),
        DONE_PARTIAL => (Class::Done, "done in part"),
        NO_CHANGES => (Class::Done, "nothing to change"),
        10004 => (Class::ForNow, "requote: the price has moved on"),
        10006 => (Class::Final, "the broker rejected the request"),
        10007 => (
            Class::Final,
            "the request was cancelled by a person at the terminal",
        ),
        10011 => (
            Class::Unknown,
            "the server met an error while it processed the request",
        ),
        10012 => (
            Class::Unknown,
            "the request ran into the server's time limit",
        ),
        10013 => (
            Class::Final,
            "the server calls the request invalid; look whether the symbol can be traded in this account",
        ),
        10014 => (
            Class::Final,
            "invalid volume; look at the symbol's minimum, step and maximum in its specification",
        ),
        10015 => (
            Class::Final,
            "invalid price; a limit order must lie on the waiting side of the market, and on the symbol's tick",
        ),
        10016 => (
            Class::Final,
            "invalid stops; stop or target is on the wrong side of the market or nearer than the symbol's stops level",
        ),
        10017 => (
            Class::Final,
            "trading is disabled; look at the symbol's specification, and for B3 use the dated contract",
        ),
        10018 => (Class::Final, "the market is closed"),
        10019 => (
            Class::Final,
            "not enough money for the margin; lower the quantity or pay money in",
        ),
        10020 => (Class::ForNow, "the price has changed"),
        10021 => (Class::ForNow, "there are no quotes for the symbol"),
        10022 => (
            Class::Final,
            "invalid expiration; set pending_orders_last to what the symbol allows",
        ),
        10023 => (Class::ForNow, "the order's state has changed meanwhile"),
        10024 => (Class::ForNow, "too many requests"),
        10026 => (
            Class::ForNow,
            "the server does not let programs trade in this account; ask the broker to allow it",
        ),
        10027 => (
            Class::ForNow,
            "algorithmic trading is off in the terminal; press \"Algo Trading\" there",
        ),
        10028 => (Class::ForNow, "the request is locked for processing"),
        10029 => (
            Class::Final,
            "the order or the position is frozen: the market is nearer than the symbol's freeze level",
        ),
        10030 => (
            Class::Final,
            "invalid filling; set filling to what the symbol's specification allows",
        ),
        10031 => (
            Class::Unknown,
            "the terminal lost the trade server's connection",
        ),
        10032 => (Class::Final, "allowed in real accounts only"),
        10033 => (
            Class::Final,
            "the account's number of pending orders is at its limit",
        ),
        10034 => (
            Class::Final,
            "the symbol's volume of positions and orders is at its limit",
        ),
        10035 => (
            Class::Final,
            "the order's kind is not allowed, or there is no such order",
        ),
        POSITION_CLOSED => (Class::Gone, "the position is closed already"),
        10038 => (
            Class::Final,
            "the volume to close is larger than the position",
        ),
        10039 => (
            Class::Final,
            "another order to close this position is under way",
        ),
        10040 => (
            Class::Final,
            "the account's number of positions is at its limit",
        ),
        10041 => (
            Class::Final,
            "the pending order's activation was rejected, and it was cancelled",
        ),
        10042 => (Class::Final, "the symbol takes long positions only"),
        10043 => (Class::Final, "the symbol takes short positions only"),
        10044 => (
            Class::Final,
            "positions of the symbol can only be closed now",
        ),
        10045 => (
            Class::Final,
            "positions of the symbol can only be closed oldest first",
        ),
        10046 => (
            Class::Final,
            "the account may not hold both sides of a symbol",
        ),
        _ => (
            Class::Unknown,
            "a code that this version does not know; the order is being looked up",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(retcode: u32) -> Step {
        Step {
            answered: true,
            retcode,
            error: 0,
            order: 0,
            deal: 0,
            volume: 0.into(),
            price: 0.into(),
            comment: "Words".to_owned(),
            retcode_external: 0,
        }
    }

    fn class(retcode: u32, order: OrderClass) -> Class {
        verdict(&answer(retcode), order).class
    }

    #[test]
    fn success_is_three_codes_and_a_change_that_was_not_needed() {
        for code in 10000..10100 {
            let is_done = class(code, OrderClass::Entry) == Class::Done;
            assert_eq!(
                is_done,
                [10008, 10009, 10010, 10025].contains(&code),
                "{code}"
            );
        }
    }

    #[test]
    fn what_may_have_been_carried_out_is_unknown() {
        for order in [OrderClass::Entry, OrderClass::Exit, OrderClass::Protection] {
            for code in [10011, 10012, 10031, 10001, 10099, 99] {
                assert_eq!(class(code, order), Class::Unknown, "{code}");
            }
        }
    }

    #[test]
    fn exits_wait_where_entries_are_refused() {
        for code in [10017, 10018, 10029, 10038, 10039] {
            assert_eq!(class(code, OrderClass::Entry), Class::Final, "{code}");
            assert_eq!(class(code, OrderClass::Exit), Class::ForNow, "{code}");
            assert_eq!(class(code, OrderClass::Protection), Class::ForNow, "{code}");
        }
        for code in [10004, 10020, 10021, 10024, 10026, 10027, 10028] {
            assert_eq!(class(code, OrderClass::Entry), Class::ForNow, "{code}");
            assert_eq!(class(code, OrderClass::Exit), Class::ForNow, "{code}");
        }
    }

    #[test]
    fn a_closed_position_is_no_reason_to_try_again() {
        assert!(matches!(
            fate(verdict(&answer(10036), OrderClass::Exit)),
            Fate::Rejected { .. }
        ));
    }

    #[test]
    fn no_answer_is_unknown_and_the_terminals_own_refusals_are_not() {
        let none = |error, answered| {
            let step = Step {
                answered,
                error,
                ..answer(0)
            };
            verdict(&step, OrderClass::Entry).class
        };
        for error in [-10001, -10002, -10005, -1, -2] {
            assert_eq!(none(error, false), Class::Unknown, "{error}");
        }
        assert_eq!(none(-2, true), Class::Final);
        assert_eq!(none(-8, true), Class::ForNow);
        assert_eq!(none(-10004, true), Class::ForNow);
        assert_eq!(none(-77, true), Class::Unknown);
    }

    #[test]
    fn texts_name_the_code_the_cure_and_the_servers_words() {
        let text = verdict(&answer(10027), OrderClass::Entry).text;
        assert!(text.contains("10027") && text.contains("press") && text.contains("\"Words\""));
        let external = Step {
            retcode_external: 7,
            ..answer(10006)
        };
        let text = verdict(&external, OrderClass::Entry).text;
        assert!(text.contains("exchange's code 7"), "{text}");
    }
}
