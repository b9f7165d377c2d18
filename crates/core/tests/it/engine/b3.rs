//! An account at B3: which contract an alert means, when its entries go, and the end of the day.

use std::time::Duration;

use ponte_core::b3::calendar::{parse_day, parse_time};
use ponte_core::b3::{self, Auctions, CutOff};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::policy::{AccountPolicy, Exchange, Policy, Rules};

use super::check;
use super::world::{account, account_policy, decimal, instrument, policy, symbol};

/// An account with contracts and a share, by these rules of the exchange.
pub(super) fn at_b3(rules: b3::Rules, account_rules: Rules) -> Policy {
    let contract = |name: &str, tick: &str, value: &str, step: &str| {
        let found = Instrument {
            price_tick: decimal(tick),
            quantity_step: decimal(step),
            minimum_quantity: decimal(step),
            contract_multiplier: decimal(value),
            ..instrument(name)
        };
        (symbol(name), found)
    };
    let listed = [
        contract("WINZ26", "5", "0.20", "1"),
        contract("WING27", "5", "0.20", "1"),
        contract("WDOZ26", "0.5", "10", "1"),
        contract("WDOF27", "0.5", "10", "1"),
        contract("PETR4", "0.01", "1", "100"),
        contract("PETR4F", "0.01", "1", "1"),
    ];
    let at_b3 = AccountPolicy {
        currency: "BRL".to_owned(),
        instruments: Instruments {
            listed: listed.into(),
            any_other: None,
        },
        utc_offset_seconds: b3::UTC_OFFSET_SECONDS,
        exchange: Some(Exchange::B3(Box::new(rules))),
        ..account_policy(account_rules)
    };
    let mut policy = policy();
    policy.accounts.insert(account("paper"), at_b3);
    policy
}

fn plain() -> Policy {
    at_b3(b3::Rules::default(), Rules::default())
}

#[test]
fn a_continuous_symbol_is_the_front_contract() {
    check(
        &plain(),
        r#"
        at 2026-11-23 10:00:00 | buy 2 in WIN1! stop 130000 price 131000
            A1 accepted
            - contract: note, WIN1! is WINZ26; from Wed 16 Dec 2026 on it is WING27, the last session of WINZ26 is Wed 16 Dec 2026
            - session: pass
            - protection: pass
            plan #1 entry buy 2 of WINZ26
            > submit #1 2

        at 2026-12-16 10:00:00 | buy 2 in WIN1!
            A1 accepted
            - contract: note, WIN1! is WING27; from Wed 17 Feb 2027 on it is WINJ27, the last session of WING27 is Wed 17 Feb 2027
            - session: pass
            plan #1 entry buy 2 of WING27
            > submit #1 2

        at 2026-11-23 10:00:00 | sell 1 in WDOZ2026
            A1 accepted
            - session: pass
            plan #1 entry sell 1 of WDOZ26
            > submit #1 1
        "#,
    );
}

#[test]
fn while_a_contract_is_held_it_is_the_one_that_is_meant() {
    check(
        &plain(),
        r#"
        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-16 10:00:00 | close in WIN1!
            A2 accepted
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing

        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-16 10:00:00 | sell 2 in WIN1!
            A2 accepted
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing

        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-16 10:00:00 | reverse in WIN1!
            A2 accepted: only the close is sent: WIN1! is WING27 for new positions (the last session of WINZ26 is Wed 16 Dec 2026), and the strategy still has a position or orders in WINZ26; close it and take back what waits, then send the entry again
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            - contract: refuse, WIN1! is WING27 for new positions (the last session of WINZ26 is Wed 16 Dec 2026), and the strategy still has a position or orders in WINZ26; close it and take back what waits, then send the entry again
            - session: pass
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing

        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-16 10:00:00 | target -1 in WIN1!
            A2 accepted: only the close is sent: WIN1! is WING27 for new positions (the last session of WINZ26 is Wed 16 Dec 2026), and the strategy still has a position or orders in WINZ26; close it and take back what waits, then send the entry again
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            - contract: refuse, WIN1! is WING27 for new positions (the last session of WINZ26 is Wed 16 Dec 2026), and the strategy still has a position or orders in WINZ26; close it and take back what waits, then send the entry again
            - session: pass
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing

        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-16 10:00:00 | buy 1 in WIN1!
            A2 refused: WIN1! is WING27 for new positions (the last session of WINZ26 is Wed 16 Dec 2026), and the strategy still has a position or orders in WINZ26; close it and take back what waits, then send the entry again
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            - contract: refuse
            - session: pass

        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-16 10:00:00; close in WIN1!; filled 2 | buy 1 in WIN1!
            A3 accepted
            - contract: note, WIN1! is WING27; from Wed 17 Feb 2027 on it is WINJ27, the last session of WING27 is Wed 17 Feb 2027
            - session: pass
            plan #3 entry buy 1 of WING27
            > submit #3 1

        at 2026-12-15 10:00:00; buy 2 in WIN1! for S2; filled 1; at 2026-12-16 10:00:00 | buy 1 in WIN1!
            A2 accepted
            - contract: note, WIN1! is WING27; from Wed 17 Feb 2027 on it is WINJ27, the last session of WING27 is Wed 17 Feb 2027
            - session: pass
            plan #2 entry buy 1 of WING27
            > submit #2 1
        "#,
    );
}

#[test]
fn an_entry_that_waits_for_its_price_holds_the_contract_too() {
    check(
        &plain(),
        r#"
        at 2026-12-15 10:00:00; buy 1 in WIN1! limit 130000; ack 1; at 2026-12-16 10:00:00 | cancel in WIN1!
            A2 accepted: 1 entry is taken back
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            cancel requested #1: taken back by an alert
            > cancel #1

        at 2026-12-15 10:00:00; buy 1 in WIN1! limit 130000; ack 1; at 2026-12-16 10:00:00 | cancel in WDO1!
            A2 accepted: no working entry to cancel
            - contract: note, WDO1! is WDOF27; from Wed 30 Dec 2026 on it is WDOG27, the last session of WDOF27 is Wed 30 Dec 2026
        "#,
    );
}

#[test]
fn exits_mean_every_contract_that_the_strategy_is_in() {
    check(
        &plain(),
        r#"
        at 2026-12-10 10:00:00; buy 2 in WINZ26; filled 1; sell 1 in WING27; filled 2 | close in WIN1!
            A3 accepted
            - contract: note, WIN1! is WING27 and WINZ26: the strategy is in each
            plan #3 exit buy 1 of WING27 reducing
            plan #4 exit sell 2 of WINZ26 reducing
            > submit #3 1 reducing
            > submit #4 2 reducing

        at 2026-12-10 10:00:00; buy 2 in WINZ26; filled 1; sell 1 in WING27; filled 2 | buy 1 in WIN1!
            A3 refused: the strategy is in WING27 and WINZ26, and WIN1! can open in one only; close all but one, or send the contract's own name
            - contract: note, WIN1! is WING27 and WINZ26: the strategy is in each
            - contract: refuse

        at 2026-12-10 10:00:00; buy 2 in WINZ26; filled 1; sell 1 in WING27; filled 2 | buy 1 in WING27
            A3 accepted
            plan #3 exit buy 1 of WING27 reducing
            > submit #3 1 reducing
        "#,
    );
}

#[test]
fn what_expired_without_a_word_is_not_taken_for_a_position_to_enter_against() {
    check(
        &plain(),
        r#"
        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-17 10:00:00 | enter long 1 in WIN1!
            A2 accepted
            - contract: note, WIN1! is WING27; from Wed 17 Feb 2027 on it is WINJ27, the last session of WING27 is Wed 17 Feb 2027
            - session: pass
            plan #2 entry buy 1 of WING27
            > submit #2 1

        at 2026-12-15 10:00:00; buy 2 in WIN1!; filled 1; at 2026-12-17 10:00:00 | sell 3 in WIN1!
            A2 accepted: only the close is sent: WIN1! is WING27 for new positions, and by these books the strategy is still in WINZ26, whose last session was Wed 16 Dec 2026; look at the account, and send WING27 by its own name meanwhile
            - contract: note, WIN1! is WINZ26, in which the strategy is; for new positions it is WING27
            - contract: refuse, WIN1! is WING27 for new positions, and by these books the strategy is still in WINZ26, whose last session was Wed 16 Dec 2026; look at the account, and send WING27 by its own name meanwhile
            - session: pass
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing
        "#,
    );
}

#[test]
fn names_that_cannot_be_opened_are_refused_with_the_one_that_can() {
    check(
        &plain(),
        r#"
        at 2026-11-23 10:00:00 | buy 1 in WIN$N
            A1 refused: WIN$N is MetaTrader's series for charts and can't be traded; send WIN1! or WINZ26
            - contract: note, WIN$N is WINZ26; from Wed 16 Dec 2026 on it is WING27, the last session of WINZ26 is Wed 16 Dec 2026
            - contract: refuse
            - session: pass

        at 2026-11-23 10:00:00 | buy 1 in WDOX2026
            A1 refused: WDOX26 expired, its last session was Fri 30 Oct 2026; the current contract is WDOZ26
            - contract: refuse
            - session: pass
            - known_symbol: refuse, account paper does not know the symbol WDOX26; did you mean WDOZ26?

        at 2026-11-23 10:00:00 | buy 1 in WINX26
            A1 refused: there is no WINX26, WIN has contracts of the even months only; the current one is WINZ26
            - contract: refuse
            - session: pass
            - known_symbol: refuse, account paper does not know the symbol WINX26; did you mean WINZ26?
        "#,
    );
}

#[test]
fn shares_come_in_lots_and_the_rest_at_the_fractional_market() {
    check(
        &plain(),
        r#"
        at 2026-11-23 10:00:00 | buy 200 in PETR4
            A1 accepted
            - session: pass
            plan #1 entry buy 200 of PETR4
            > submit #1 200

        at 2026-11-23 10:00:00 | buy 150 in PETR4
            A1 refused: quantity 150 is not a whole number of steps of 100 of PETR4; the nearest is 100, 33% away, and fitting_tolerance is 0.1%; PETR4 trades in lots of 100, send 1 to 99 shares to PETR4F
            - quantity_step: refuse (150 of 100)

        at 2026-11-23 10:00:00 | buy 50 in PETR4F
            A1 accepted
            - session: pass
            plan #1 entry buy 50 of PETR4F
            > submit #1 50

        at 2026-11-23 10:00:00 | buy 100 in PETR4F
            A1 refused: 100 shares are too many for PETR4F, the fractional market takes 1 to 99; send whole lots of 100 to PETR4
            - max_quantity: refuse (100 of 99)
            - session: pass
        "#,
    );
}

#[test]
fn entries_go_in_the_continuous_session_and_exits_always() {
    check(
        &plain(),
        r#"
        at 2026-11-22 10:00:00 | buy 1 in WINZ26
            A1 refused: B3 is closed on Sun 22 Nov 2026 (the weekend); WINZ26 opens on Mon 23 Nov 2026 at 09:00
            - session: refuse

        at 2026-12-25 10:00:00 | buy 1 in WDOF27
            A1 refused: B3 is closed on Fri 25 Dec 2026 (Christmas); WDOF27 opens on Mon 28 Dec 2026 at 09:00
            - session: refuse

        at 2026-11-23 08:30:00 | buy 1 in WINZ26
            A1 refused: WINZ26 is closed at 08:30, trading is from 09:00 to 18:25; it opens on Mon 23 Nov 2026 at 09:00
            - session: refuse

        at 2026-11-23 09:50:00 | buy 100 in PETR4
            A1 refused: PETR4 is in its opening auction, and [accounts.b3] has auctions = "refuse"; it opens on Mon 23 Nov 2026 at 10:00
            - session: refuse

        at 2026-11-23 17:56:00 | buy 100 in PETR4
            A1 refused: PETR4 is in its closing auction, and [accounts.b3] has auctions = "refuse"; it opens on Tue 24 Nov 2026 at 10:00
            - session: refuse

        at 2026-12-16 18:10:00 | buy 1 in WINZ26
            A1 refused: WINZ26 is closed at 18:10, trading is from 09:00 to 18:00; it does not open again, the next contract is WING27
            - session: refuse

        at 2026-11-23 18:24:59 | buy 1 in WINZ26
            A1 accepted
            - session: pass
            plan #1 entry buy 1 of WINZ26
            > submit #1 1

        at 2026-11-23 12:00:00; buy 2 in WINZ26; filled 1; at 2026-11-28 03:00:00 | close in WINZ26
            A2 accepted
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing

        at 2026-11-23 12:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 19:00:00 | reverse in WIN1!
            A2 accepted: only the close is sent: WINZ26 is closed at 19:00, trading is from 09:00 to 18:25; it opens on Tue 24 Nov 2026 at 09:00
            - contract: note, WIN1! is WINZ26, in which the strategy is; new positions are opened in WING27 from Wed 16 Dec 2026 on
            - session: refuse, WINZ26 is closed at 19:00, trading is from 09:00 to 18:25; it opens on Tue 24 Nov 2026 at 09:00
            plan #2 exit sell 2 of WINZ26 reducing
            > submit #2 2 reducing

        at 2027-01-15 12:00:00 | buy 1 in WING27
            A1 accepted
            - session: pass
            - session: note, year 2027 is computed only: compare it with B3's calendar, and add what differs to closed_days
            plan #1 entry buy 1 of WING27
            > submit #1 1
        "#,
    );
    let mut rules = b3::Rules {
        auctions: Auctions::Allow,
        ..b3::Rules::default()
    };
    rules
        .calendar
        .closed
        .insert(parse_day("2026-11-24").unwrap());
    check(
        &at_b3(rules, Rules::default()),
        r#"
        at 2026-11-23 09:50:00 | buy 100 in PETR4
            A1 accepted
            - session: pass
            plan #1 entry buy 100 of PETR4
            > submit #1 100

        at 2026-11-24 12:00:00 | buy 100 in PETR4
            A1 refused: B3 is closed on Tue 24 Nov 2026 (closed by the configuration); PETR4 opens on Wed 25 Nov 2026 at 10:00
            - session: refuse
        "#,
    );
}

#[test]
fn a_calendar_that_is_wrong_can_be_overruled() {
    let rules = b3::Rules {
        out_of_session: b3::OutOfSession::Send,
        ..b3::Rules::default()
    };
    check(
        &at_b3(rules, Rules::default()),
        r#"
        at 2026-11-22 12:00:00 | buy 1 in WINZ26
            A1 accepted
            - session: note, B3 is closed on Sun 22 Nov 2026 (the weekend); WINZ26 opens on Mon 23 Nov 2026 at 09:00; it is sent all the same, as out_of_session = "send" says
            plan #1 entry buy 1 of WINZ26
            > submit #1 1
        "#,
    );
}

fn day_trade() -> Policy {
    let rules = b3::Rules {
        no_entries: CutOff {
            at: parse_time("17:30"),
            before_close: None,
        },
        flatten: CutOff {
            at: None,
            before_close: Some(Duration::from_secs(15 * 60)),
        },
        ..b3::Rules::default()
    };
    at_b3(rules, Rules::default())
}

#[test]
fn the_days_entries_end_before_the_close() {
    check(
        &day_trade(),
        r#"
        at 2026-11-23 17:29:59 | buy 1 in WINZ26
            A1 accepted
            - session: pass
            plan #1 entry buy 1 of WINZ26
            > submit #1 1

        at 2026-11-23 17:30:00 | buy 1 in WINZ26
            A1 refused: entries in WINZ26 have ended at 17:30 for today, as [accounts.b3] says; it opens on Tue 24 Nov 2026 at 09:00
            - session: refuse

        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 17:29:59; sell 3 in WINZ26; at 2026-11-23 17:30:01 | filled 2
            acknowledged #2
            filled #2 2@100 (2)
            ended #2 filled
            ended #3 abandoned: the day's entries have ended
        "#,
    );
}

#[test]
fn what_is_open_is_closed_before_the_exchange_does_once_a_day() {
    check(
        &day_trade(),
        r#"
        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 18:09:59 | tick

        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 18:10:00 | tick
            cut-off of WINZ26 in time
            plan #2 exit sell 2 of WINZ26 reducing
            > notify what is open in WINZ26 of paper is closed: the day's cut-off is 18:10
            > submit #2 2 reducing

        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 18:10:00; tick; tick 1 | tick 1

        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 18:10:00; tick; restart; filled 2 | tick 60

        at 2026-11-23 17:00:00; buy 1 in WINZ26 limit 90; ack 1; buy 1 in WDOZ26; filled 2; at 2026-11-23 18:10:00 | tick
            cut-off of WINZ26 in time
            cancel requested #1: flattened
            plan #3 exit sell 1 of WINZ26 reducing waits #1
            > notify what is open in WINZ26 of paper is closed: the day's cut-off is 18:10
            > cancel #1

        at 2026-11-23 17:00:00; buy 1 in WINZ26; filled 1; at 2026-11-23 18:10:00; tick; filled 2; at 2026-11-24 12:00:00; buy 1 in WINZ26; filled 3; at 2026-11-24 18:10:00 | tick
            cut-off of WINZ26 in time
            plan #4 exit sell 1 of WINZ26 reducing
            > notify what is open in WINZ26 of paper is closed: the day's cut-off is 18:10
            > submit #4 1 reducing
        "#,
    );
}

#[test]
fn a_process_that_was_down_at_the_cut_off_makes_up_for_it_or_says_that_it_cannot() {
    check(
        &day_trade(),
        r#"
        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 18:27:00; restart | tick
            cut-off of WINZ26 in time
            plan #2 exit sell 2 of WINZ26 reducing
            > notify what is open in WINZ26 of paper is closed: the day's cut-off is 18:10
            > submit #2 2 reducing

        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 20:00:00; restart | tick
            cut-off of WINZ26 too late
            alarm what is open in WINZ26 of paper was not closed at the day's cut-off 18:10: nothing ran then, and B3 is closed now; look at the account

        at 2026-11-23 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-23 20:00:00; restart; tick | tick 1

        at 2026-11-19 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-20 18:20:00 | tick

        at 2026-11-19 17:00:00; buy 2 in WINZ26; filled 1; at 2026-11-21 18:20:00 | tick
        "#,
    );
}

#[test]
fn a_halt_and_a_list_of_symbols_know_the_future_by_its_name() {
    check(
        &plain(),
        r#"
        at 2026-11-23 10:00:00; halt block_entries symbol WIN1! | buy 1 in WINZ26
            A1 halted: symbol WIN1! is halted (block_entries) by cli since 2026-11-23T13:00:00.000000Z; lift it with ponte resume
            - session: pass
            - halt: refuse

        at 2026-11-23 10:00:00; buy 1 in WINZ26; filled 1 | flatten symbol WIN1!
            flatten symbol WIN1!
            plan #2 exit sell 1 of WINZ26 reducing
            > submit #2 1 reducing
        "#,
    );
    let rules = Rules {
        allowed_symbols: Some([symbol("WIN1!"), symbol("WDOZ2026")].into()),
        ..Rules::default()
    };
    check(
        &at_b3(b3::Rules::default(), rules),
        r#"
        at 2026-11-23 10:00:00 | buy 1 in WING27
            A1 accepted
            - session: pass
            - allowed_symbols: pass
            plan #1 entry buy 1 of WING27
            > submit #1 1

        at 2026-11-23 10:00:00 | buy 1 in WDO1!
            A1 accepted
            - contract: note, WDO1! is WDOZ26; from Mon 30 Nov 2026 on it is WDOF27, the last session of WDOZ26 is Mon 30 Nov 2026
            - session: pass
            - allowed_symbols: pass
            plan #1 entry buy 1 of WDOZ26
            > submit #1 1

        at 2026-11-23 10:00:00 | buy 100 in PETR4
            A1 refused: PETR4 is not among the allowed symbols of account paper (WDOZ2026, WIN1!)
            - session: pass
            - allowed_symbols: refuse
        "#,
    );
}
