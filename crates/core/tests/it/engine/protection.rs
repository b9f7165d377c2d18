//! Stops and targets: planned for each fill, held to the size of the position, never cancelled first.

use super::check;
use super::world::{futures, policy, spot};

#[test]
fn each_fill_is_protected() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 3 stop 95 price 100 | report 1 1@100
            acknowledged #1
            filled #1 1@100 (1)
            plan #2 protection sell 1 stop 95
            > submit #2 1

        buy 3 stop 95 price 100; report 1 1@100 | filled 1
            filled #1 2@100 (3)
            plan #3 protection sell 2 stop 95
            ended #1 filled
            > submit #3 2

        buy 3 stop 95 price 100; report 1 1@100 | report 1 1@100

        sell 2 targets 90 price 100 | filled 1
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection buy 2 limit 90
            ended #1 filled
            > submit #2 2
        "#,
    );
}

#[test]
fn what_was_too_little_for_a_stop_is_protected_with_the_next_fill() {
    check(
        &spot(),
        r#"
        buy 2 limit 100 stop 95; ack 1; report 1 0.1@100; rejected 2; rejected 3; report 1 0.2@100; rejected 4; rejected 5 | filled 1
            filled #1 1.8@100 (2)
            plan #6 protection sell 2 stop 95
            ended #1 filled
            > submit #6 2

        buy 2 limit 100 stop 95 targets 110,120; ack 1; report 1 0.1@100; rejected 2; rejected 3 | filled 1
            filled #1 1.9@100 (2)
            plan #4 protection sell 1 stop 95 or 110
            plan #5 protection sell 1 stop 95 or 120
            ended #1 filled
            > submit #4 1
            > submit #5 1

        buy 2 limit 100 stop 95; ack 1; report 1 0.1@100; rejected 2 | filled 1
            filled #1 1.9@100 (2)
            plan #4 protection sell 1.9 stop 95
            ended #1 filled
            > submit #4 1.9

        buy 1 stop 95 price 100; filled 1; rejected 2; rejected 3; buy 1 stop 94 price 100 | filled 4
            acknowledged #4
            filled #4 1@100 (1)
            plan #5 protection sell 1 stop 94
            ended #4 filled
            > submit #5 1
        "#,
    );
}

#[test]
fn targets_share_the_entry() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 3 stop 95 targets 105,110,115 price 100 | filled 1
            acknowledged #1
            filled #1 3@100 (3)
            plan #2 protection sell 1 stop 95 or 105
            plan #3 protection sell 1 stop 95 or 110
            plan #4 protection sell 1 stop 95 or 115
            ended #1 filled
            > submit #2 1
            > submit #3 1
            > submit #4 1

        buy 1 stop 95 targets 105,110,115 price 100 | filled 1
            acknowledged #1
            filled #1 1@100 (1)
            plan #2 protection sell 0.3 stop 95 or 105
            plan #3 protection sell 0.3 stop 95 or 110
            plan #4 protection sell 0.4 stop 95 or 115
            ended #1 filled
            > submit #2 0.3
            > submit #3 0.3
            > submit #4 0.4

        buy 3 stop 95 targets 105,110,115 price 100 | report 1 1.5@100
            acknowledged #1
            filled #1 1.5@100 (1.5)
            plan #2 protection sell 1 stop 95 or 105
            plan #3 protection sell 0.5 stop 95 or 110
            > submit #2 1
            > submit #3 0.5

        buy 3 stop 95 targets 105,110,115 price 100; report 1 1.5@100 | filled 1
            filled #1 1.5@100 (3)
            plan #4 protection sell 0.5 stop 95 or 110
            plan #5 protection sell 1 stop 95 or 115
            ended #1 filled
            > submit #4 0.5
            > submit #5 1

        buy 0.1 stop 95 targets 105,110 price 100 | filled 1
            acknowledged #1
            filled #1 0.1@100 (0.1)
            plan #2 protection sell 0.1 stop 95 or 110
            ended #1 filled
            > submit #2 0.1
        "#,
    );
}

#[test]
fn a_smaller_position_keeps_its_stop_until_the_smaller_one_rests() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 3 stop 95 price 100; filled 1; ack 2; sell 1 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 filled
            plan #4 protection sell 2 stop 95 for #2
            > submit #4 2

        buy 3 stop 95 price 100; filled 1; ack 2; sell 1; filled 3 | ack 4
            acknowledged #4
            cancel requested #2: replaced by protection of the right size
            > cancel #2

        buy 3 stop 95 price 100; filled 1; ack 2; sell 1; filled 3 | rejected 4
            ended #4 rejected: no
            alarm protection #4 of BTCUSDT in paper could not be resized: no; the old one stays

        buy 3 stop 95 price 100; filled 1; ack 2; sell 1; filled 3 | unknown 4
            unknown #4
            > find #4
            > notify nobody knows yet whether paper took order #4: time-out; it is being asked

        buy 3 stop 95 price 100; filled 1; ack 2; sell 1; filled 3; ack 4 | cancelled 2
            ended #2 cancelled: told to

        buy 3 stop 95 price 100; filled 1; ack 2; sell 1; filled 3; ack 4 | not_open 2
            questioned #2
            > find #2

        buy 3 stop 95 targets 105,110,115 price 100; filled 1; ack 2; ack 3; ack 4; sell 1.5 | filled 5
            acknowledged #5
            filled #5 1.5@100 (1.5)
            ended #5 filled
            cancel requested #3: the position is smaller now
            plan #6 protection sell 0.5 stop 95 or 115 for #4
            > cancel #3
            > submit #6 0.5
        "#,
    );
}

/// A target that stayed too large, because the broker would not have it smaller.
#[test]
fn no_stop_is_given_up_for_a_target_that_is_too_large() {
    check(
        &policy(),
        r#"
        buy 1 targets 105 price 100; filled 1; ack 2; sell 0.8; filled 3; rejected 4; buy 1 stop 90 targets 110 price 100 | report 5 0.5@100
            acknowledged #5
            filled #5 0.5@100 (0.5)
            plan #6 protection sell 0.5 stop 90 or 110
            > submit #6 0.5
        "#,
    );
}

#[test]
fn a_target_that_trades_makes_nothing_else_smaller() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2 stop 95 targets 105,110 price 100; filled 1; ack 2; ack 3 | report 2 1@105
            filled #2 1@105 (1)
            ended #2 filled

        buy 2 stop 95 targets 105,110 price 100; filled 1; ack 2; ack 3 | report 2 0.5@105
            filled #2 0.5@105 (0.5)
        "#,
    );
}

#[test]
fn the_close_takes_protection_along() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2 | close
            A2 accepted
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1 stop 95 price 100; filled 1; ack 2; close | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 filled
            cancel requested #2: the position that it protected is gone
            > cancel #2

        buy 1 stop 95 price 100; filled 1; ack 2; close; filled 3 | cancelled 2
            ended #2 cancelled: told to

        buy 1 stop 95 price 100; filled 1; close; filled 3 | ack 2
            acknowledged #2
            > cancel #2
        "#,
    );
}

#[test]
fn protection_that_fails() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 stop 95 price 100; filled 1 | rejected 2
            ended #2 rejected: no
            alarm protection #2 of 1 BTCUSDT in paper does not rest: no; the position is closed at the market
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1 stop 95 price 100; filled 1 | unreachable 2
            not sent #2 the broker could not take it: refused, again +0.2s

        buy 1 stop 95 price 100; filled 1 | gate_expired 2
            ended #2 expired: its time was over at the last check
            alarm protection #2 of 1 BTCUSDT in paper does not rest: its time was over at the last check; the position is closed at the market
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1 stop 95 price 100; filled 1; unknown 2 | absent 2
            not sent #2 the broker never had it, again +0s
            release #2 1
            > submit #2 1

        buy 1 stop 95 price 100; filled 1; ack 2 | taken_away 2
            ended #2 cancelled: told to
            alarm protection #2 of BTCUSDT in paper was taken away at the broker (told to); it is placed again
            plan #3 protection sell 1 stop 95
            > submit #3 1

        buy 1 stop 95 price 100; filled 1; ack 2; restart | absent 2
            ended #2 cancelled: the broker no longer knows it
            alarm paper no longer knows order #2, which it had taken; look at the account
            alarm protection #2 of BTCUSDT in paper was taken away at the broker (the broker no longer knows it); it is placed again
            plan #3 protection sell 1 stop 95
            > submit #3 1
        "#,
    );
}

#[test]
fn a_stop_that_trades_ends_what_was_left() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2 | report 2 1@95
            filled #2 1@95 (1)
            ended #2 filled

        buy 1 stop 95 price 100; filled 1; ack 2; buy 1 limit 90 stop 85 price 100; ack 3 | report 2 1@95
            filled #2 1@95 (1)
            ended #2 filled
        "#,
    );
}

#[test]
fn protection_that_fails_beside_an_exit_that_waits_for_a_price() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2 stop 95 price 100; filled 1; sell 2 limit 110; ack 3 | rejected 2
            ended #2 rejected: no
            alarm protection #2 of 2 BTCUSDT in paper does not rest: no; the position is closed at the market
            cancel requested #3: taken back to close a position without protection
            plan #4 exit sell 2 reducing waits #3
            > cancel #3

        buy 2 stop 95 price 100; filled 1; sell 2 limit 110; ack 3; rejected 2 | cancelled 3
            ended #3 cancelled: told to
            release #4 2
            > submit #4 2 reducing

        buy 2 stop 95 price 100; filled 1; sell 2 limit 110; ack 3; buy 1; unknown 4 | close
            A4 accepted
            cancel requested #3: taken back by an alert that closes the position
            cancel requested #4: taken back by an alert that closes the position
            plan #5 exit sell 2 reducing waits #3
            plan #6 exit sell 1 reducing waits #4
            > cancel #3
        "#,
    );
}

/// Each must not take the other for what still covers the position.
#[test]
fn two_stops_that_are_given_up_at_once() {
    check(
        &futures(),
        r#"
        sell 4 trail 2 price 100; filled 1; sell 1 stop 110 price 100; filled 3; unreachable 2; unreachable 4; buy 4 | tick 1000
            late #2
            ended #2 expired: its time was over before it could be sent
            ended #4 expired: its time was over before it could be sent
            alarm protection #4 of 1 BTCUSDT in paper does not rest: its time was over before it could be sent; the position is closed at the market
            plan #6 exit buy 1 reducing
            > submit #6 1 reducing
        "#,
    );
}
