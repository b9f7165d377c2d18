//! Lives of orders: fates that are unknown, late words, and what must not be done twice.

use super::check;
use super::world::{policy, terminal};

#[test]
fn a_second_absent_does_not_send_an_order_again_that_is_on_its_way() {
    check(
        &policy(),
        r#"
        buy 1; unknown 1; absent 1 | absent 1
        "#,
    );
}

#[test]
fn a_late_unanswered_question_leaves_an_attempt_alone() {
    check(
        &policy(),
        r#"
        buy 1; unknown 1; absent 1 | unanswered 1
        "#,
    );
}

#[test]
fn an_order_that_the_broker_has_after_all_is_not_sent_again() {
    check(
        &policy(),
        r#"
        buy 1; unreachable 1 | report 1
            acknowledged #1
        "#,
    );
}

#[test]
fn an_order_that_was_given_up_and_rests_is_taken_back() {
    check(
        &policy(),
        r#"
        buy 1 limit 90; unknown 1; wait 70; absent 1 | report 1
            alarm paper has order #1, which was expired here; it is taken back
            > cancel #1
        "#,
    );
}

#[test]
fn a_rejection_of_an_order_that_rests_is_asked_about() {
    check(
        &policy(),
        r#"
        buy 1 limit 90; report 1 | rejected 1
            questioned #1
            > find #1
        "#,
    );
}

#[test]
fn protection_that_can_not_be_made_smaller_is_tried_once() {
    check(
        &policy(),
        r#"
        buy 3 stop 95 price 100; ack 1; report 1 3@100; ack 2; sell 1; wait 1; ack 3; filled 3; rejected 4 | tick 1
        "#,
    );
}

#[test]
fn protection_whose_time_is_over_becomes_an_exit() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; unreachable 2; wait 899; unreachable 2 | tick 10
            late #2
            alarm protection #2 of 1 BTCUSDT in paper does not rest: waiting for 909 s; the position is closed at the market
            plan #3 exit sell 1 reducing
            ended #2 expired: its time was over before it could be sent
            > submit #3 1 reducing
        "#,
    );
}

#[test]
fn rejected_protection_does_not_close_what_is_being_closed() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; close | rejected 2
            ended #2 rejected: no
        "#,
    );
}

#[test]
fn an_exit_and_a_stop_that_both_trade_are_set_right() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2; close; filled 3 | filled 2
            filled #2 1@100 (1)
            alarm 1 BTCUSDT of order #2 in paper is traded back at the market: S1 had 0 left to close
            plan #4 exit buy 1 reducing
            ended #2 filled
            > submit #4 1 reducing
        "#,
    );
}

#[test]
fn a_new_opening_waits_for_the_close_that_is_on_its_way() {
    check(
        &policy(),
        r#"
        buy 1; filled 1; close | sell 1
            A3 accepted
            plan #3 entry sell 1 waits #2
        "#,
    );
}

#[test]
fn a_sell_takes_a_resting_exit_along() {
    check(
        &policy(),
        r#"
        buy 1; filled 1; sell 1 limit 110; ack 2 | sell 1
            A3 accepted
            cancel requested #2: taken back by an alert that closes the position
            plan #3 exit sell 1 reducing waits #2
            > cancel #2
        "#,
    );
}

#[test]
fn a_part_is_not_left_to_wait_for_an_entry_that_may_never_trade() {
    check(
        &policy(),
        r#"
        buy 4 trigger 110; ack 1 | sell 2
            A2 accepted
            plan #2 entry sell 2
            > submit #2 2
        "#,
    );
}

#[test]
fn protection_is_made_smaller_again_after_a_smaller_one_was_taken_back() {
    check(
        &policy(),
        r#"
        buy 3 stop 95 price 100; filled 1; ack 2; sell 2; filled 3; unknown 4; sell 1; filled 5; wait 1; buy 1 stop 94 price 100; filled 6; ack 7 | absent 4
            ended #4 abandoned: taken back; the broker never had it
        "#,
    );
}

#[test]
fn protection_that_waits_for_its_replacement_goes_when_the_position_goes() {
    check(
        &policy(),
        r#"
        buy 3 stop 95 price 100; filled 1; ack 2; sell 2; filled 3; unknown 4; sell 1 | filled 5
            acknowledged #5
            filled #5 1@100 (1)
            ended #5 filled
            cancel requested #4: the position that it protected is gone
            cancel requested #2: the position that it protected is gone
            > cancel #2
        "#,
    );
}

#[test]
fn an_exit_that_never_arrived_is_sent_for_what_is_left() {
    check(
        &policy(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; close; unknown 3; report 2 1@95 | absent 3
            not sent #3 the broker never had it, again +0s
            release #3 1
            > submit #3 1 reducing
        "#,
    );
}

#[test]
fn protection_that_waits_and_is_too_large_is_not_let_go() {
    check(
        &policy(),
        r#"
        buy 2 stop 95 price 100; filled 1; unreachable 2; sell 1; wait 1 | filled 3
            acknowledged #3
            filled #3 1@100 (1)
            ended #3 filled
            plan #4 protection sell 1 stop 95 for #2
            > submit #4 1
        "#,
    );
}

#[test]
fn a_trade_back_on_the_other_side_leaves_a_close_its_size() {
    check(
        &policy(),
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2; close; filled 3; filled 2; buy 1; filled 5 | close
            A4 accepted: already flat: nothing to close
        "#,
    );
}

#[test]
fn two_requests_of_one_moment_make_two_orders() {
    check(
        &policy(),
        r#"
        buy 1; filled 1; flatten; filled 2; buy 1; filled 3 | flatten
            flatten everything
            plan #4 exit sell 1 reducing
            > submit #4 1 reducing
        "#,
    );
}

#[test]
fn only_exits_of_a_lone_strategy_are_told_to_reduce() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 stop 95 price 100; filled 1; ack 2 | close
            A2 accepted
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1; filled 1 | sell 1 limit 110
            A2 accepted
            plan #2 exit sell 1 limit 110
            > submit #2 1

        buy 1; filled 1; sell 1 for S2; filled 2 | close
            A3 accepted
            plan #3 exit sell 1
            > submit #3 1

        buy 1; filled 1; sell 1 for S2 limit 120; ack 2 | close
            A3 accepted
            plan #3 exit sell 1
            > submit #3 1

        buy 1; filled 1; sell 1 for S2 in ETHUSDT; filled 2 | close
            A3 accepted
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1; filled 1; close; unreachable 2; sell 1 for S2 | tick 1
            release #2 1
            > submit #2 1

        buy 1; filled 1; close | taken_away 2
            acknowledged #2
            ended #2 cancelled: told to
            alarm exit #2 of BTCUSDT in paper was ended by the broker (told to); 1 is still held
        "#,
    );
}

#[test]
fn an_exit_that_waits_for_a_price_goes_with_its_position() {
    for policy in [policy(), terminal()] {
        check(
            &policy,
            r#"
            buy 2 stop 95 price 100; filled 1; ack 2; sell 2 limit 110; ack 3 | filled 2
                filled #2 2@100 (2)
                ended #2 filled
                cancel requested #3: the position that it was to close is gone
                > cancel #3

            buy 2 stop 95 price 100; filled 1; ack 2; sell 2 limit 110; filled 2 | ack 3
                acknowledged #3
                > cancel #3

            buy 4 stop 95 price 100; filled 1; ack 2; sell 4 limit 110; ack 3 | report 2 3@95
                filled #2 3@95 (3)
                cancel requested #3: the position that it was to close is smaller now
                plan #4 exit sell 1 limit 110 waits #3
                > cancel #3

            buy 4 stop 95 price 100; filled 1; ack 2; sell 4 limit 110; ack 3; report 2 3@95 | cancelled 3
                ended #3 cancelled: told to
                release #4 1
                > submit #4 1

            buy 4 stop 95 price 100; filled 1; ack 2; sell 4 limit 110; ack 3; report 2 3@95; filled 2 | cancelled 3
                ended #3 cancelled: told to
                ended #4 abandoned: nothing is left to close

            buy 4 price 100; filled 1; sell 2 limit 110; ack 2; sell 2 limit 112; ack 3 | report 2 1@110
                filled #2 1@110 (1)
            "#,
        );
    }
}
