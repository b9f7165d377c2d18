//! The naked-position guard, and protection at exchanges with ways of their own.

use ponte_core::b3;
use ponte_core::decide::naked_positions;
use ponte_core::policy::{Guard, Policy, Rules, Unprotected};

use super::b3::at_b3;
use super::script::{Play, check, seconds};
use super::world::{account, futures, policy, spot};

#[test]
fn a_stop_that_does_not_rest_in_time() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; wait 4 | tick

        buy 1 stop 95 price 100; filled 1; unknown 2; wait 5; unanswered 2 | tick
            late #2
            alarm protection #2 of 1 BTCUSDT in paper does not rest: unknown for 5 s; the position is closed at the market
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1 stop 95 price 100; filled 1; unknown 2; wait 5; unanswered 2; tick | tick 5
            questioned #2
            > find #2

        buy 1 stop 95 price 100; filled 1; unknown 2; wait 5; unanswered 2; tick; filled 3 | found 2
            acknowledged #2
            > cancel #2

        buy 1 stop 95 price 100; filled 1; wait 60; restart | tick 4

        buy 1 stop 95 price 100; filled 1; wait 60; restart | tick 5
            late #2
            alarm protection #2 of 1 BTCUSDT in paper does not rest: unknown for 5 s; the position is closed at the market
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1 stop 95 price 100; filled 1; ack 2 | tick 100
        "#,
    );
}

#[test]
fn a_stop_that_rested_and_is_out_of_sight() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2; wait 60; missed; unanswered 2 | tick 4
            questioned #2
            > find #2

        buy 1 stop 95 price 100; filled 1; ack 2; wait 60; missed; unanswered 2 | tick 5
            questioned #2
            late #2
            alarm protection #2 of 1 BTCUSDT in paper is out of sight: unknown for 5 s; it rested, and nobody knows whether it still does
            > find #2

        buy 1 stop 95 price 100; filled 1; ack 2; wait 60; missed; unanswered 2; tick 5; unanswered 2 | tick 5
            questioned #2
            > find #2

        buy 1 stop 95 price 100; filled 1; ack 2; wait 60; missed; unanswered 2; tick 5; found 2; missed; unanswered 2 | tick 5
            questioned #2
            late #2
            alarm protection #2 of 1 BTCUSDT in paper is out of sight: unknown for 5 s; it rested, and nobody knows whether it still does
            > find #2

        buy 1 stop 95 price 100; filled 1; ack 2; wait 60; restart; unanswered 2; wait 60; restart; unanswered 2 | tick 4
            questioned #2
            > find #2

        buy 1 stop 95 price 100; filled 1; ack 2; wait 60; missed; unanswered 2; tick 5 | taken_away 2
            acknowledged #2
            ended #2 cancelled: told to
            alarm protection #2 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #3 protection sell 1 stop 95
            > submit #3 1
        "#,
    );
}

#[test]
fn an_owner_who_wants_to_be_told() {
    let mut policy = policy();
    let guarded = policy.accounts.get_mut(&account("paper")).unwrap();
    guarded.guard = Guard {
        within: seconds(2),
        otherwise: Unprotected::Tell,
    };
    check(
        &policy,
        r#"
        buy 1 stop 95 price 100; filled 1 | tick 2
            late #2
            alarm protection #2 of 1 BTCUSDT in paper does not rest: submitting for 2 s; the position has no stop: look at it now

        buy 1 stop 95 price 100; filled 1 | rejected 2
            ended #2 rejected: no
            alarm protection #2 of 1 BTCUSDT in paper does not rest: no; the position has no stop: look at it now
        "#,
    );
}

#[test]
fn a_stop_that_the_broker_takes_away() {
    check(
        &policy(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; wait 9; close 50%; ack 3 | taken_away 2
            ended #2 cancelled: told to
            alarm protection #2 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #4 protection sell 1 stop 95
            > submit #4 1

        buy 1 stop 95 price 100; filled 1; ack 2; close | taken_away 2
            ended #2 cancelled: told to

        buy 1 stop 95 price 100; filled 1; ack 2; wait 9; taken_away 2; ack 3; wait 1 | taken_away 3
            ended #3 cancelled: told to
            alarm protection #3 of 1 BTCUSDT in paper does not rest: the broker takes it away each time (told to); the position is closed at the market
            plan #4 exit sell 1 reducing
            > submit #4 1 reducing

        buy 1 stop 95 price 100; filled 1; ack 2; wait 9; taken_away 2; ack 3; wait 9 | taken_away 3
            ended #3 cancelled: told to
            alarm protection #3 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #4 protection sell 1 stop 95
            > submit #4 1

        buy 2 stop 95 price 100; filled 1; ack 2; wait 9; close 50%; filled 3; ack 4 | taken_away 4
            ended #4 cancelled: told to
            alarm protection #4 of 1 BTCUSDT in paper does not rest: the broker takes it away each time (told to); the position is closed at the market
            plan #5 exit sell 1 reducing
            > submit #5 1 reducing

        buy 1 stop 95 price 100; filled 1; ack 2; wait 9; taken_away 2 | rejected 3
            ended #3 rejected: no
            alarm protection #3 of 1 BTCUSDT in paper does not rest: no; the position is closed at the market
            plan #4 exit sell 1 reducing
            > submit #4 1 reducing
        "#,
    );
}

#[test]
fn reports_that_were_missed() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2; buy 1 limit 90; ack 3; buy 1 | missed
            questioned #2
            questioned #3
            > find #2
            > find #3
        "#,
    );
}

#[test]
fn stop_and_targets_as_orders_of_their_own() {
    check(
        &futures(),
        r#"
        buy 2 stop 95 targets 110,120 price 100 | filled 1
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection sell 2 stop 95 reducing
            plan #3 protection sell 1 limit 110 reducing
            plan #4 protection sell 1 limit 120 reducing
            ended #1 filled
            > submit #2 2 reducing
            > submit #3 1 reducing
            > submit #4 1 reducing

        buy 2 stop 95 targets 110,120 price 100; filled 1; ack 2; ack 3; ack 4 | report 3 1@110
            filled #3 1@110 (1)
            ended #3 filled
            plan #5 protection sell 1 stop 95 reducing for #2
            > submit #5 1 reducing

        buy 2 stop 95 targets 110,120 price 100; filled 1; ack 2; ack 3; ack 4; report 3 1@110 | ack 5
            acknowledged #5
            cancel requested #2: replaced by protection of the right size
            > cancel #2

        buy 2 stop 95 targets 110,120 price 100; filled 1; ack 2; ack 3; ack 4 | report 2 2@95
            filled #2 2@95 (2)
            ended #2 filled
            cancel requested #4: the position that it protected is gone
            cancel requested #3: the position that it protected is gone
            > cancel #4
            > cancel #3

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; ack 3; wait 9 | taken_away 3
            ended #3 cancelled: told to
            alarm protection #3 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #4 protection sell 2 limit 110 reducing
            > submit #4 2 reducing

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | rejected 3
            ended #3 rejected: no
            alarm target #3 of BTCUSDT in paper does not rest: no; the position has no target there

        buy 2 stop 95 targets 110 price 100; filled 1; ack 3 | rejected 2
            ended #2 rejected: no
            alarm protection #2 of 2 BTCUSDT in paper does not rest: no; the position is closed at the market
            plan #4 exit sell 2 reducing
            > submit #4 2 reducing

        buy 2 trail 1.5 targets 110 price 100 | filled 1
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection sell 2 trailing 1.5% reducing
            plan #3 protection sell 2 limit 110 reducing
            ended #1 filled
            > submit #2 2 reducing
            > submit #3 2 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; buy 1 for other price 100 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 filled
        "#,
    );
}

#[test]
fn an_exit_takes_the_place_of_what_holds_the_coins() {
    check(
        &spot(),
        r#"
        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | close
            A2 accepted
            plan #3 exit sell 2 reducing instead of #2
            > submit #3 2 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; close; taken_away 2 | filled 3
            acknowledged #3
            filled #3 2@100 (2)
            ended #3 filled

        buy 2 stop 95 price 100; filled 1; ack 2; close 50% | taken_away 2
            ended #2 cancelled: told to
            plan #4 protection sell 1 stop 95
            > submit #4 1

        buy 2 stop 95 price 100; filled 1; ack 2; close 50%; taken_away 2; filled 3 | ack 4
            acknowledged #4

        buy 2 stop 95 price 100; filled 1; ack 2; close 50% | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 filled
            plan #4 protection sell 1 stop 95 for #2 instead of #2
            > submit #4 1
        "#,
    );
}

#[test]
fn what_another_stop_stands_for_is_not_closed() {
    check(
        &policy(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; buy 2 stop 95 price 100; filled 3; close 25% | rejected 4
            ended #4 rejected: no
            alarm protection #4 of 1 BTCUSDT in paper does not rest: no; the position is closed at the market
            plan #6 exit sell 1 reducing
            > submit #6 1 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; buy 2 stop 95 price 100; filled 3 | outside 7 sell 1@104 S1
            outside 7 1@104 of S1
            alarm the broker or a person closed 1 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows
            plan #5 protection sell 1 stop 95 for #4
            > submit #5 1

        buy 2 stop 95 price 100; filled 1; ack 2; buy 2 stop 95 price 100; filled 3; outside 7 sell 1@104 S1 | rejected 4
            ended #4 rejected: no
        "#,
    );
}

#[test]
fn what_an_exit_has_displaced_comes_back_when_it_fails() {
    check(
        &spot(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; close; taken_away 2 | rejected 3
            ended #3 rejected: no
            alarm exit #3 of BTCUSDT in paper was not executed: no; 2 is still held
            plan #4 protection sell 2 stop 95
            > submit #4 2

        buy 2 stop 95 price 100; filled 1; ack 2; close; unreachable 3; taken_away 2; tick 1 | rejected 3
            ended #3 rejected: no
            alarm exit #3 of BTCUSDT in paper was not executed: no; 2 is still held
            plan #4 protection sell 2 stop 95
            > submit #4 2

        buy 2 stop 95 price 100; filled 1; ack 2; close; taken_away 2 | taken_away 3 1@100
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 cancelled: told to
            alarm exit #3 of BTCUSDT in paper was ended by the broker (told to); 1 is still held
            plan #4 protection sell 1 stop 95
            > submit #4 1

        buy 2 stop 95 targets 110,120 price 100; filled 1; ack 2; ack 3; close; taken_away 2; taken_away 3 | taken_away 4 1@100
            acknowledged #4
            filled #4 1@100 (1)
            ended #4 cancelled: told to
            alarm exit #4 of BTCUSDT in paper was ended by the broker (told to); 1 is still held
            plan #5 protection sell 1 stop 95 or 120
            > submit #5 1

        buy 2 stop 95 targets 110,120 price 100; filled 1; ack 2; ack 3; close 75%; taken_away 2; taken_away 3 | rejected 4
            ended #4 rejected: no
            alarm exit #4 of BTCUSDT in paper was not executed: no; 2 is still held
            plan #6 protection sell 1 stop 95 or 120
            plan #7 protection sell 0.5 stop 95 or 110
            > submit #6 1
            > submit #7 0.5

        buy 2 stop 95 price 100; filled 1; ack 2; close; rejected 3 | taken_away 2
            ended #2 cancelled: told to
            plan #4 protection sell 2 stop 95
            > submit #4 2
        "#,
    );
}

#[test]
fn what_is_in_an_exits_way_is_looked_at_when_it_goes() {
    check(
        &spot(),
        r#"
        buy 2 stop 95 price 100; filled 1 | rejected 2
            ended #2 rejected: no
            alarm protection #2 of 2 BTCUSDT in paper does not rest: no; the position is closed at the market
            plan #3 exit sell 2 reducing
            > submit #3 2 reducing

        buy 2 stop 95 price 100; filled 1; buy 1 stop 94 price 100; filled 3; ack 4 | rejected 2
            ended #2 rejected: no
            alarm protection #2 of 2 BTCUSDT in paper does not rest: no; the position is closed at the market
            plan #5 exit sell 2 reducing
            > submit #5 2 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; close; unreachable 3 | tick 1
            release #3 2 instead of #2
            > submit #3 2 reducing

        buy 3 price 100; filled 1; sell 1; unreachable 2; sell 2; unreachable 3 | tick 1
            release #2 1
            release #3 2
            > submit #2 1 reducing
            > submit #3 2 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; close; unreachable 3; report 2 2@95 | tick 1
            ended #3 abandoned: nothing is left to close

        buy 2 stop 95 targets 110,120 price 100; filled 1; ack 2; ack 3 | close 75%
            A2 accepted
            plan #4 exit sell 1.5 reducing instead of #3 #2
            > submit #4 1.5 reducing
        "#,
    );
}

#[test]
fn an_exit_that_is_late() {
    check(
        &spot(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; close; unreachable 3; taken_away 2; tick 4; unreachable 3 | tick 1
            late #3
            alarm exit #3 of 2 BTCUSDT in paper is late: the stop that it took the place of is gone, and it is not executed (the broker could not take it: refused); it is tried on, look at the account
            release #3 2
            > submit #3 2 reducing

        buy 2 stop 95 price 100; filled 1; ack 2; close; unknown 3; taken_away 2; unanswered 3; tick 4; unanswered 3 | tick 1
            questioned #3
            late #3
            alarm exit #3 of 2 BTCUSDT in paper is late: the stop that it took the place of is gone, and it is not executed (time-out); it is tried on, look at the account
            > find #3

        buy 2 stop 95 price 100; filled 1; ack 2; close; unreachable 3; tick 60 | unreachable 3
            not sent #3 the broker could not take it: refused, again +0.4s

        buy 1; unknown 1; close; wait 900; unanswered 1 | tick
            late #2
            alarm exit #2 of 1 BTCUSDT in paper is late: it waits for order #1, whose fate is not known; it goes when that is

        buy 1; unknown 1; close; wait 900; unanswered 1; tick; tick 9 | filled 1
            acknowledged #1
            filled #1 1@100 (1)
            ended #1 filled
            release #2 1
            > submit #2 1 reducing

        buy 1; unknown 1; close; wait 900; filled 1; unreachable 2; wait 899 | tick
            release #2 1
            > submit #2 1 reducing

        buy 1; unknown 1; close; wait 900; filled 1; unreachable 2; wait 900 | tick
            ended #2 expired: its time was over before it could be sent
            alarm exit #2 of BTCUSDT in paper was not executed: its time was over before it could be sent; 1 is still held
        "#,
    );
}

#[test]
fn a_resting_exit_does_not_take_the_stops_place_when_its_turn_comes() {
    check(
        &spot(),
        r#"
        buy 1 price 100; filled 1; buy 1 stop 95 price 100; sell 1.5 limit 120 | filled 2
            acknowledged #2
            filled #2 1@100 (1)
            plan #5 protection sell 1 stop 95
            ended #2 filled
            ended #4 abandoned: it waits for a price and would have to rest in the place of the position's stop
            alarm exit #4 of BTCUSDT in paper was not executed: it waits for a price and would have to rest in the place of the position's stop; 2 is still held
            > submit #5 1
        "#,
    );
}

#[test]
fn a_fee_that_is_taken_in_what_was_bought() {
    check(
        &spot(),
        r#"
        buy 2 stop 95 price 100 | filled 1 kept=0.002
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection sell 1.9 stop 95
            ended #1 filled
            > submit #2 1.9

        buy 2 stop 95 targets 110,120 price 100 | filled 1 kept=0.002
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection sell 0.9 stop 95 or 110
            plan #3 protection sell 1 stop 95 or 120
            ended #1 filled
            > submit #2 0.9
            > submit #3 1

        buy 2 stop 95 price 100; report 1 1@100 kept=0.001 | report 1 2@100 kept=0.002
            filled #1 1@100 (2)
            plan #3 protection sell 1 stop 95
            ended #1 filled
            > submit #3 1

        buy 2 price 100; filled 1 kept=0.002 | close
            A2 accepted
            plan #2 exit sell 1.9 reducing
            > submit #2 1.9 reducing

        buy 2 price 100; filled 1 kept=0.002; close; filled 2 | close
            A3 accepted: already flat: nothing to close

        buy 2 price 100; filled 1 kept=0.002; close; filled 2 | buy 1
            A3 accepted
            plan #3 entry buy 1
            > submit #3 1

        buy 2 price 100; filled 1 kept=0.002; close; filled 2 | flatten everything
            flatten everything
        "#,
    );
}

#[test]
fn what_an_exit_sold_in_a_stops_place_needs_no_stop_any_more() {
    let policy = spot();
    let mut play = Play::new(&policy);
    play.line("buy 4 stop 95 price 100; filled 1; ack 2; close 3; buy 2 price 100");
    play.line("taken_away 2; ack 5; filled 4; filled 3");
    assert_eq!(naked_positions(&play.state, &policy), []);
}

#[test]
fn naked_positions_are_counted() {
    let policy = policy();
    let naked = |script: &str| {
        let mut play = Play::new(&policy);
        play.line(script);
        naked_positions(&play.state, &policy)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        naked("buy 1 stop 95 price 100; filled 1"),
        ["1 BTCUSDT of S1 in paper without a stop"]
    );
    let covered: [&str; 6] = [
        "buy 1 stop 95 price 100",
        "buy 1 stop 95 price 100; filled 1; ack 2",
        "buy 1 price 100; filled 1",
        "buy 1 stop 95 targets 110 price 100; filled 1; ack 2",
        "buy 1 stop 95 price 100; filled 1; close; filled 3",
        "buy 1 price 100; filled 1; buy 1 stop 95 price 100; filled 2; rejected 3; filled 4",
    ];
    for script in covered {
        assert_eq!(naked(script), [""; 0], "{script}");
    }
    assert_eq!(
        naked("buy 2 stop 95 price 100; report 1 1@100; ack 2; report 1 2@100"),
        ["1 BTCUSDT of S1 in paper without a stop"]
    );
}

#[test]
fn what_is_too_little_to_be_protected_is_not_naked() {
    let naked = |mut policy: ponte_core::policy::Policy, script: &str| {
        let guarded = policy.accounts.get_mut(&account("paper")).unwrap();
        for instrument in guarded.instruments.listed.values_mut() {
            instrument.minimum_notional = 150.into();
        }
        let mut play = Play::new(&policy);
        play.line(script);
        naked_positions(&play.state, &policy).len()
    };
    let dust = "buy 2 stop 95 price 100; report 1 1@100; ack 2; report 1 2@100";
    assert_eq!(naked(spot(), dust), 0, "1 at 100 is below 150");
    assert_eq!(naked(futures(), dust), 1, "what only reduces is taken");
    let enough = "buy 2 stop 95 price 100; filled 1";
    assert_eq!(naked(spot(), enough), 1);
}

/// A position at B3 whose stop the server drops after the close, and the clock until then.
fn dropped_overnight(policy: &Policy) -> Play<'_> {
    let mut play = Play::new(policy);
    play.line(
        "at 2026-11-23 17:00:00; buy 2 in WINZ26 stop 130000 price 131000; filled 1; ack 2; \
         at 2026-11-23 20:00:00; taken_away 2; unreachable 3",
    );
    play
}

/// Ticks until Brasília's clock shows this, while the broker refuses the stop; what was told.
fn refused_until(play: &mut Play<'_>, date_and_time: &str) -> Vec<String> {
    let mut told = Vec::new();
    let begun = play.now;
    play.line(&format!("at {date_and_time}"));
    let until = play.now;
    play.now = begun;
    while play.now < until {
        let tick = play.told("tick 5");
        if tick.iter().any(|line| line.starts_with("> submit #3 ")) {
            play.line("unreachable 3");
        }
        told.extend(tick);
    }
    told
}

fn is_quiet(told: &[String]) -> bool {
    let said = |start: &str| told.iter().any(|line| line.starts_with(start));
    !said("alarm") && !said("plan") && !said("ended")
}

#[test]
fn a_stop_that_is_dropped_overnight_is_placed_at_the_opening() {
    let policy = at_b3(b3::Rules::default(), Rules::default());
    let mut play = dropped_overnight(&policy);
    let told = refused_until(&mut play, "2026-11-24 09:00:20");
    assert!(is_quiet(&told), "{told:#?}");
    play.line("ack 3");
    let told = play.told("tick 60");
    assert!(is_quiet(&told), "{told:#?}");
    assert!(naked_positions(&play.state, &policy).is_empty());
    play.check_replay();
}

#[test]
fn a_stop_that_is_dropped_overnight_and_refused_at_the_opening_closes_the_position() {
    let policy = at_b3(b3::Rules::default(), Rules::default());
    let mut play = dropped_overnight(&policy);
    let told = refused_until(&mut play, "2026-11-24 09:00:30");
    assert!(is_quiet(&told), "{told:#?}");
    let told = refused_until(&mut play, "2026-11-24 09:01:00");
    let closing = |line: &String| line.starts_with("> submit #4 2");
    assert!(told.iter().any(closing), "{told:#?}");
    play.check_replay();
}
