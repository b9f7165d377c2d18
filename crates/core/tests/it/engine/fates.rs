//! What became of an order: unknown, not sent, late, twice, never; and what a restart makes of each status.

use super::check;
use super::world::policy;

#[test]
fn unknown() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 | unknown 1
            unknown #1
            > find #1
            > notify nobody knows yet whether paper took order #1: time-out; it is being asked

        buy 1; unknown 1 | found 1
            acknowledged #1

        buy 1; unknown 1 | found 1 1@100
            acknowledged #1
            filled #1 1@100 (1)
            ended #1 filled

        buy 1; unknown 1 | unanswered 1
            unknown #1, ask +0.2s

        buy 1; unknown 1; unanswered 1 | tick 0.1

        buy 1; unknown 1; unanswered 1 | tick 0.2
            questioned #1
            > find #1

        buy 1; unknown 1; unanswered 1; tick 0.2; unanswered 1 | tick 0.3

        buy 1; unknown 1 | report 1
            acknowledged #1
            questioned #1
            > find #1

        buy 1; unknown 1 | rejected 1
            ended #1 rejected: no
        "#,
    );
}

#[test]
fn absent() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; unknown 1 | absent 1
            not sent #1 the broker never had it, again +0s
            release #1 1
            > submit #1 1

        buy 1; unknown 1; wait 60 | absent 1
            ended #1 expired: its time was over when the broker said that it never had it

        buy 1; filled 1; close; unknown 2; wait 60 | absent 2
            not sent #2 the broker never had it, again +0s
            release #2 1
            > submit #2 1 reducing

        buy 1; filled 1; close; unknown 2; wait 900 | absent 2
            ended #2 expired: its time was over when the broker said that it never had it
            alarm exit #2 of BTCUSDT in paper was not executed: its time was over when the broker said that it never had it; 1 is still held

        buy 1 limit 90; ack 1; restart | absent 1
            ended #1 cancelled: the broker no longer knows it
            alarm paper no longer knows order #1, which it had taken; look at the account

        buy 1; filled 1 | absent 1
        "#,
    );
}

#[test]
fn an_unknown_order_freezes_the_entries_of_its_lane() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; unknown 1 | buy 1
            A2 accepted
            - lane_frozen: note, waits until the fate of another order of BTCUSDT is known
            plan #2 entry buy 1 waits

        buy 1; unknown 1 | buy 1 in ETHUSDT
            A2 accepted
            plan #2 entry buy 1 of ETHUSDT
            > submit #2 1

        buy 1; unknown 1 | buy 1 for S2
            A2 accepted
            - lane_frozen: note, waits until the fate of another order of BTCUSDT is known
            plan #2 entry buy 1 waits

        buy 1; filled 1; buy 1; unknown 2 | close
            A3 accepted
            cancel requested #2: taken back by an alert that closes the position
            plan #3 exit sell 1 reducing
            plan #4 exit sell 1 reducing waits #2
            > submit #3 1 reducing

        buy 1; unknown 1; buy 1 | found 1 1@100
            acknowledged #1
            filled #1 1@100 (1)
            ended #1 filled
            release #2 1
            > submit #2 1

        buy 1; unknown 1; buy 1; wait 61 | found 1 1@100
            acknowledged #1
            filled #1 1@100 (1)
            ended #1 filled
            ended #2 expired: its time was over before it could be sent

        buy 1; buy 1; unknown 1 | gate_frozen 2
            not sent #2 the lane is frozen until the fate of another order is known, again +1.6s
        "#,
    );
}

#[test]
fn not_sent() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 | unreachable 1
            not sent #1 the broker could not take it: refused, again +0.2s

        buy 1; unreachable 1 | tick 0.1

        buy 1; unreachable 1 | tick 0.2
            release #1 1
            > submit #1 1

        buy 1; unreachable 1; tick 0.2 | unreachable 1
            not sent #1 the broker could not take it: refused, again +0.4s

        buy 1; unreachable 1; wait 60 | tick
            ended #1 expired: its time was over before it could be sent

        buy 1 | gate_expired 1
            ended #1 expired: its time was over at the last check

        buy 1; filled 1; close; unreachable 2; wait 100 | tick
            release #2 1
            > submit #2 1 reducing

        buy 1; filled 1; close; unreachable 2; wait 899; tick; unreachable 2 | tick 30
            ended #2 expired: its time was over before it could be sent
            alarm exit #2 of BTCUSDT in paper was not executed: its time was over before it could be sent; 1 is still held

        buy 1; filled 1; close | rejected 2
            ended #2 rejected: no
            alarm exit #2 of BTCUSDT in paper was not executed: no; 1 is still held
        "#,
    );
}

#[test]
fn an_entry_is_given_up_after_eight_attempts() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; unreachable 1; tick 0.2; unreachable 1; tick 0.4; unreachable 1; tick 0.8; unreachable 1; tick 1.6; unreachable 1; tick 3.2; unreachable 1; tick 6.4; unreachable 1; tick 12.8 | unreachable 1
            ended #1 expired: the broker could not take it: refused
        "#,
    );
}

#[test]
fn reports_are_totals() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 3; ack 1 | report 1 1@100
            filled #1 1@100 (1)

        buy 3; ack 1; report 1 1@100 | report 1 1@100

        buy 3; ack 1; report 1 1@100 | report 1 2@101
            filled #1 1@102 (2)

        buy 3; ack 1; report 1 2@101 | report 1 1@100

        buy 3; ack 1; report 1 2@101 | report 1 3@102
            filled #1 1@104 (3)
            ended #1 filled

        buy 3 | report 1 3@100
            acknowledged #1
            filled #1 3@100 (3)
            ended #1 filled

        buy 3; report 1 3@100 | ack 1

        buy 3; filled 1 | report 1 1@100

        buy 3; ack 1 | report 1 4@100
            filled #1 4@100 (4)
            alarm order #1 traded 4 and was for 3; look at account paper
            ended #1 filled
        "#,
    );
}

#[test]
fn late_fills_count() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2 stop 95 price 100; ack 1; cancel; cancelled 1 | report 1 1@100
            filled #1 1@100 (1)
            plan #2 protection sell 1 stop 95
            > submit #2 1

        buy 2; unknown 1; wait 61; absent 1 | report 1 2@100
            filled #1 2@100 (2)
        "#,
    );
}

#[test]
fn the_start_asks_about_everything_that_is_open() {
    let policy = policy();
    check(
        &policy,
        r#"
        | restart
            started

        buy 1 | restart
            started
            unknown #1
            > find #1

        buy 1; unknown 1 | restart
            started
            questioned #1
            > find #1

        buy 1; unreachable 1 | restart
            started

        buy 1 limit 90; ack 1 | restart
            started
            questioned #1
            > find #1

        buy 1 limit 90; ack 1; cancel | restart
            started
            questioned #1
            > find #1

        buy 1; filled 1 | restart
            started

        buy 1; rejected 1 | restart
            started
        "#,
    );
}

#[test]
fn the_answers_after_a_start() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; restart | found 1 1@100
            acknowledged #1
            filled #1 1@100 (1)
            ended #1 filled

        buy 1; restart | absent 1
            not sent #1 the broker never had it, again +0s
            release #1 1
            > submit #1 1

        buy 1; restart; wait 61 | absent 1
            ended #1 expired: its time was over when the broker said that it never had it

        buy 1; restart | unanswered 1
            unknown #1, ask +0.2s

        buy 1 limit 90; ack 1; cancel; restart | found 1
            > cancel #1

        buy 1 limit 90; ack 1; restart | unanswered 1
            unknown #1, ask +0.4s

        buy 1 limit 90; ack 1; restart; unanswered 1 | found 1
            acknowledged #1
        "#,
    );
}

#[test]
fn cancelling() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 limit 90; ack 1; cancel | cancelled 1
            ended #1 cancelled: told to

        buy 1 limit 90; ack 1; cancel | cancelled 1 0.5@90
            filled #1 0.5@90 (0.5)
            ended #1 cancelled: told to

        buy 1 limit 90; ack 1; cancel | not_open 1
            questioned #1
            > find #1

        buy 1 limit 90; ack 1; cancel; not_open 1 | found 1 1@90
            filled #1 1@90 (1)
            ended #1 filled

        buy 1 limit 90; ack 1; cancel | cancel_unanswered 1
            unknown #1, ask +0.2s

        buy 1 limit 90; ack 1; cancel; cancel_unanswered 1; tick 0.2 | found 1
            acknowledged #1
            > cancel #1

        buy 1 limit 90; cancel | ack 1
            acknowledged #1
            > cancel #1

        buy 1 limit 90; cancel | unreachable 1
            ended #1 abandoned: taken back before it was sent
        "#,
    );
}

#[test]
fn a_cancellation_that_the_broker_denies_is_not_asked_for_without_end() {
    check(
        &policy(),
        r#"
        buy 1 limit 90; ack 1; cancel; not_open 1 | found 1
            > cancel #1

        buy 1 limit 90; ack 1; cancel; not_open 1; found 1 | not_open 1
            questioned #1
            > find #1

        buy 1 limit 90; ack 1; cancel; not_open 1; found 1; not_open 1; found 1 | not_open 1
            unknown #1, ask +0.4s

        buy 1 limit 90; ack 1; cancel; not_open 1; found 1; not_open 1; found 1; not_open 1; tick 1; found 1 | not_open 1
            unknown #1, ask +0.8s

        buy 1 limit 90; ack 1; cancel; not_open 1; found 1; not_open 1; found 1; not_open 1; tick 1; found 1 | cancelled 1
            ended #1 cancelled: told to

        buy 1 limit 90; ack 1; missed; found 1; missed; found 1; missed; found 1; cancel | not_open 1
            questioned #1
            > find #1
        "#,
    );
}
