//! One stop and one target for a whole position, where the broker keeps them there, and one strategy
//! for a symbol.

use ponte_core::signal::Protection;

use super::check;
use super::script::Play;
use super::world::terminal;

#[test]
fn an_addition_moves_the_levels_of_the_whole_position() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | buy 1 stop 97 targets 112 price 100
            A2 accepted
            - protection: note, the position in BTCUSDT has one stop and one target: its stop moves from 95 to 97, its target moves from 110 to 112
            - protection: pass
            - one_strategy_per_symbol: pass
            plan #3 entry buy 1
            > submit #3 1

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; buy 1 stop 97 targets 112 price 100 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            plan #4 protection sell 1 stop 97 or 112
            plan #5 protection sell 2 stop 97 or 112 for #2
            ended #3 filled
            > submit #4 1
            > submit #5 2

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; buy 1 stop 97 targets 112 price 100; filled 3; ack 4 | ack 5
            acknowledged #5
            cancel requested #2: replaced by protection at the new levels
            > cancel #2

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; buy 1 stop 97 targets 112 price 100; filled 3; ack 4 | rejected 5
            ended #5 rejected: no
            alarm protection #5 of BTCUSDT in paper could not be moved to the new levels: no; the old one stays

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; buy 1 stop 97 targets 112 price 100; filled 3; ack 4; rejected 5; buy 1 stop 97 targets 112 price 100 | filled 6
            acknowledged #6
            filled #6 1@100 (1)
            plan #7 protection sell 1 stop 97 or 112
            plan #8 protection sell 2 stop 97 or 112 for #2
            ended #6 filled
            > submit #7 1
            > submit #8 2

        buy 2 stop 95 price 100; filled 1; buy 1 stop 97 price 100 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            plan #4 protection sell 1 stop 97
            plan #5 protection sell 2 stop 97 for #2
            ended #3 filled
            > submit #4 1
            > submit #5 2

        buy 2 stop 95 price 100; filled 1; ack 2; buy 2 stop 97 price 100; report 3 1@100; ack 4; ack 5; cancelled 2 | filled 3
            filled #3 1@100 (2)
            plan #6 protection sell 1 stop 97
            ended #3 filled
            > submit #6 1

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4; buy 1 stop 98 price 100 | filled 6
            acknowledged #6
            filled #6 1@100 (1)
            plan #7 protection sell 1 stop 98
            plan #8 protection sell 2 stop 98 for #5
            plan #9 protection sell 1 stop 98 for #4
            ended #6 filled
            > submit #7 1
            > submit #8 2
            > submit #9 1
        "#,
    );
}

/// What moves a level may be over before anybody has heard that it rests.
#[test]
fn what_is_over_between_two_moves_leaves_no_old_levels() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4 | filled 5
            acknowledged #5
            cancel requested #2: replaced by protection at the new levels
            filled #5 2@100 (2)
            ended #5 filled
            > cancel #2

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4 | taken_away 5
            acknowledged #5
            ended #5 cancelled: told to
            alarm protection #5 of BTCUSDT in paper could not be moved to the new levels: told to; the old one stays

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4; buy 1 stop 98 price 100; filled 6 | rejected 5
            ended #5 rejected: no
            alarm protection #5 of BTCUSDT in paper could not be moved to the new levels: no; the old one stays

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4; buy 1 stop 98 price 100; filled 6; rejected 5 | ack 8
            acknowledged #8
            cancel requested #2: replaced by protection at the new levels
            > cancel #2

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4; buy 1 stop 98 price 100; filled 6; rejected 5 | rejected 8
            ended #8 rejected: no
            alarm protection #8 of BTCUSDT in paper could not be moved to the new levels: no; the old one stays
        "#,
    );
}

/// The broker has set the level with the entry, and it may have fired before anything was sent for it.
#[test]
fn a_level_is_asked_about_before_what_stands_for_it_is_forgotten() {
    check(
        &terminal(),
        r#"
        buy 4 stop 95 price 100; filled 1; unreachable 2; close | filled 3
            acknowledged #3
            filled #3 4@100 (4)
            ended #3 filled
            cancel requested #2: the position that it protected is gone
            unknown #2
            > find #2

        buy 4 stop 95 price 100; filled 1; close; filled 3 | unreachable 2
            unknown #2
            > find #2

        buy 4 stop 95 price 100; filled 1; unreachable 2; close; filled 3 | absent 2
            ended #2 abandoned: taken back; the broker never had it

        buy 4 stop 95 price 100; filled 1; unreachable 2; close; filled 3 | found 2 4@95
            acknowledged #2
            filled #2 4@95 (4)
            alarm 4 BTCUSDT of order #2 in paper is traded back at the market: S1 had 0 left to close
            plan #4 exit buy 4 reducing
            ended #2 filled
            > submit #4 4 reducing
        "#,
    );
}

#[test]
fn an_addition_inherits_what_it_does_not_say() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | buy 1 price 100
            A2 accepted
            - protection: note, the position in BTCUSDT has one stop and one target: its stop 95 holds for what is added, its target 110 holds for what is added
            - protection: pass
            - one_strategy_per_symbol: pass
            plan #3 entry buy 1
            > submit #3 1

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; buy 1 price 100 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            plan #4 protection sell 1 stop 95 or 110
            ended #3 filled
            > submit #4 1

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | buy 1 stop 97 price 100
            A2 accepted
            - protection: note, the position in BTCUSDT has one stop and one target: its stop moves from 95 to 97, its target 110 holds for what is added
            - protection: pass
            - one_strategy_per_symbol: pass
            plan #3 entry buy 1
            > submit #3 1

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 targets 110 price 100 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            plan #4 protection sell 1 stop 95 or 110
            plan #5 protection sell 2 stop 95 or 110 for #2
            ended #3 filled
            > submit #4 1
            > submit #5 2

        buy 2 stop 95 price 100 | buy 1 price 100
            A2 accepted
            - protection: note, the position in BTCUSDT has one stop and one target: its stop 95 holds for what is added
            - protection: pass
            - one_strategy_per_symbol: pass
            plan #2 entry buy 1
            > submit #2 1

        buy 2 price 100; filled 1 | buy 1 stop 95 price 100
            A2 accepted
            - protection: pass
            - one_strategy_per_symbol: pass
            plan #2 entry buy 1
            > submit #2 1

        buy 2 stop 95 price 100; filled 1; ack 2 | sell 3 price 100
            A2 accepted
            - one_strategy_per_symbol: pass
            plan #3 exit sell 2 reducing
            plan #4 entry sell 1 waits #3
            > submit #3 2 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; close | buy 1 price 100
            A3 accepted
            - one_strategy_per_symbol: pass
            plan #4 entry buy 1
            > submit #4 1

        buy 2 stop 95 price 100; filled 1; ack 2 | buy 1 price 94
            A2 refused: stop 95 must lie below the price 94 of a buy; Ponte reads stop and target as prices, not as distances
            - protection: note, the position in BTCUSDT has one stop and one target: its stop 95 holds for what is added
            - protection: refuse (95 of 94)
            - one_strategy_per_symbol: pass
        "#,
    );
}

/// The protection that an order was planned with.
fn asked(setup: &str, number: usize) -> Protection {
    let policy = terminal();
    let mut play = Play::new(&policy);
    play.line(setup);
    let id = play.orders[number - 1];
    play.state.order(&id).unwrap().plan.protection.clone()
}

#[test]
fn what_is_inherited_goes_with_the_entry() {
    let first = "buy 2 stop 95 targets 110 price 100; filled 1; ack 2";
    let whole = asked(first, 1);
    assert_eq!(asked(&format!("{first}; buy 1 price 100"), 3), whole);
    assert_eq!(asked(&format!("{first}; buy 1 limit 99"), 3), whole);
    let moved = asked(&format!("{first}; buy 1 stop 97 price 100"), 3);
    assert_eq!(moved, asked("buy 1 stop 97 targets 110 price 100", 1));
    // Nothing of the old position's holds for the one on the other side.
    let turned = asked(&format!("{first}; sell 3 price 100"), 4);
    assert_eq!(turned, Protection::default());
}

#[test]
fn a_level_closes_all_of_the_position() {
    check(
        &terminal(),
        r#"
        buy 2 price 100; filled 1; buy 1 stop 95 price 100; filled 2; ack 3 | report 3 3@95
            filled #3 3@95 (3)
            ended #3 filled

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 price 100; ack 3 | report 2 3@95
            filled #2 3@95 (3)
            ended #2 filled

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 price 100; ack 3; report 2 3@95 | filled 3
            filled #3 1@100 (1)
            ended #3 filled

        buy 2 stop 95 price 100; filled 1; ack 2 | report 2 3@95
            filled #2 3@95 (3)
            alarm 1 BTCUSDT of order #2 in paper is traded back at the market: S1 had 2 left to close
            plan #3 exit buy 1 reducing
            ended #2 filled
            > submit #3 1 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 price 100; filled 3; ack 4; report 2 2@95 | report 4 1@95
            filled #4 1@95 (1)
            ended #4 filled

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 price 100; filled 3; ack 4; report 2 3@95 | taken_away 4
            ended #4 cancelled: told to

        buy 2 stop 95 price 100; filled 1; report 2 2@95; sell 1 price 100 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 filled
        "#,
    );
}

#[test]
fn levels_that_vanish_are_placed_again() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 price 100; filled 3; ack 4; tick 60 | taken_away 2
            ended #2 cancelled: told to
            alarm protection #2 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #5 protection sell 2 stop 95
            > submit #5 2

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 price 100; filled 3; ack 4; tick 60; taken_away 2 | taken_away 4
            ended #4 cancelled: told to
            alarm protection #4 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #6 protection sell 1 stop 95
            > submit #6 1

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4; tick 60; taken_away 2 | taken_away 5
            acknowledged #5
            ended #5 cancelled: told to
            alarm protection #5 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #6 protection sell 2 stop 97
            > submit #6 2
        "#,
    );
}

#[test]
fn a_position_has_one_target_and_no_trailing_stop() {
    check(
        &terminal(),
        r#"
        | buy 2 stop 95 targets 105,110 price 100
            A1 refused: a position in account paper has one target in BTCUSDT, and the alert names 2; name one, and close parts with alerts of their own
            - capability: refuse (2 of 1)
            - protection: pass

        | buy 2 trail 2 price 100
            A1 refused: account paper can't do trailing stops in BTCUSDT
            - capability: refuse
            - protection: pass

        buy 2 stop 95 targets 110 price 100 | filled 1
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection sell 2 stop 95 or 110
            ended #1 filled
            > submit #2 2

        buy 2 stop 95 targets 110 price 100 | report 1 1@100
            acknowledged #1
            filled #1 1@100 (1)
            plan #2 protection sell 1 stop 95 or 110
            > submit #2 1
        "#,
    );
}

#[test]
fn a_smaller_position_keeps_its_levels() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 stop 97 price 100; filled 3; ack 4; ack 5; cancelled 2; close 2 | filled 6
            acknowledged #6
            filled #6 2@100 (2)
            ended #6 filled
            cancel requested #4: the position is smaller now
            plan #7 protection sell 1 stop 97 for #5
            > cancel #4
            > submit #7 1

        buy 2 stop 95 price 100; filled 1; ack 2; reverse; filled 3 | filled 4
            acknowledged #4
            filled #4 2@100 (2)
            ended #4 filled
        "#,
    );
}

#[test]
fn one_strategy_holds_a_symbol() {
    check(
        &terminal(),
        r#"
        | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        buy 1 for S1; filled 1 | buy 1 for S2
            A2 refused: strategy S1 holds 1 in BTCUSDT of account paper, where all share one position; wait until it is out, or give S2 an account of its own or a hedging one
            - one_strategy_per_symbol: refuse

        buy 1 limit 90 for S1; ack 1 | sell 1 for S2
            A2 refused: strategy S1 has an open order in BTCUSDT of account paper, where all share one position; wait until it is out, or give S2 an account of its own or a hedging one
            - one_strategy_per_symbol: refuse

        buy 1 for S1; filled 1 | buy 1 for S1
            A2 accepted
            - one_strategy_per_symbol: pass
            plan #2 entry buy 1
            > submit #2 1

        buy 1 for S1; filled 1 | buy 1 for S2 in ETHUSDT
            A2 accepted
            - one_strategy_per_symbol: pass
            plan #2 entry buy 1 of ETHUSDT
            > submit #2 1

        buy 1 for S1; filled 1; close; filled 2 | buy 1 for S2
            A3 accepted
            - one_strategy_per_symbol: pass
            plan #3 entry buy 1
            > submit #3 1

        buy 1 for S1; filled 1; close | buy 1 for S2
            A3 refused: strategy S1 holds 1 in BTCUSDT of account paper, where all share one position; wait until it is out, or give S2 an account of its own or a hedging one
            - one_strategy_per_symbol: refuse

        buy 1 for S1; filled 1 | close for S1
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 1 for S1; filled 1 | close for S2
            A2 accepted: already flat: nothing to close
        "#,
    );
}
