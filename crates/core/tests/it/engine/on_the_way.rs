//! Leaving and reversing while something is still on its way.

use super::check;
use super::world::{policy, spot};

#[test]
fn close_a_part_of_what_is_in_flight() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2 | close 1
            A2 accepted
            plan #2 exit sell 1 reducing waits #1

        buy 2; filled 1; close 1 | close 50%
            A3 accepted
            plan #3 exit sell 0.5 reducing
            > submit #3 0.5 reducing

        buy 2; filled 1; close | close 50%
            A3 accepted: nothing left to close: exits are on their way

        buy 2; close 50% | report 1 1@100
            acknowledged #1
            filled #1 1@100 (1)

        buy 2; close 50% | filled 1
            acknowledged #1
            filled #1 2@100 (2)
            ended #1 filled
            release #2 1
            > submit #2 1 reducing
        "#,
    );
}

#[test]
fn a_close_while_the_entry_is_in_flight() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; close | ack 1
            acknowledged #1
            > cancel #1

        buy 2; close | filled 1
            acknowledged #1
            filled #1 2@100 (2)
            ended #1 filled
            release #2 2
            > submit #2 2 reducing

        buy 2; close; ack 1 | cancelled 1
            ended #1 cancelled: told to
            ended #2 abandoned: nothing is left to close

        buy 2; close; ack 1 | cancelled 1 0.5@100
            filled #1 0.5@100 (0.5)
            ended #1 cancelled: told to
            release #2 0.5
            > submit #2 0.5 reducing

        buy 2; close | rejected 1
            ended #1 rejected: no
            ended #2 abandoned: nothing is left to close

        buy 2; close | unknown 1
            unknown #1
            > find #1
            > notify nobody knows yet whether paper took order #1: time-out; it is being asked

        buy 2; close; unknown 1 | absent 1
            ended #1 abandoned: taken back; the broker never had it
            ended #2 abandoned: nothing is left to close

        buy 2; close; unknown 1 | found 1 2@100
            acknowledged #1
            filled #1 2@100 (2)
            ended #1 filled
            release #2 2
            > submit #2 2 reducing

        buy 2; close; unknown 1 | found 1 0@0
            acknowledged #1
            > cancel #1
        "#,
    );
}

#[test]
fn a_reversal_opens_when_the_close_is_confirmed() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; filled 1; reverse | filled 2
            acknowledged #2
            filled #2 2@100 (2)
            ended #2 filled
            release #3 2
            > submit #3 2

        buy 2; filled 1; reverse | report 2 1@100
            acknowledged #2
            filled #2 1@100 (1)

        buy 2; filled 1; reverse | rejected 2
            ended #2 rejected: no
            alarm exit #2 of BTCUSDT in paper was not executed: no; 2 is still held
            ended #3 abandoned: the close before it did not complete

        buy 2; filled 1; reverse; unknown 2 | absent 2
            not sent #2 the broker never had it, again +0s
            release #2 2
            > submit #2 2 reducing

        buy 2; filled 1; reverse; wait 61 | filled 2
            acknowledged #2
            filled #2 2@100 (2)
            ended #2 filled
            ended #3 expired: its time was over before it could be sent

        buy 2; filled 1; reverse; halt block_entries | filled 2
            acknowledged #2
            filled #2 2@100 (2)
            ended #2 filled
        "#,
    );
}

#[test]
fn an_exit_that_asked_for_more_than_is_left_goes_for_what_is_left() {
    check(
        &spot(),
        r#"
        buy 2 price 100; filled 1; close; outside 7 sell 1@104 S1 | rejected 2
            ended #2 rejected: no
            alarm exit #2 of BTCUSDT in paper was not executed: no; 1 is still held
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 2 price 100; filled 1; close 50%; outside 7 sell 1@104 S1 | rejected 2
            ended #2 rejected: no
            alarm exit #2 of BTCUSDT in paper was not executed: no; 1 is still held

        buy 2 stop 95 price 100; filled 1; rejected 2; outside 7 sell 1@104 S1 | rejected 3
            ended #3 rejected: no
            alarm exit #3 of BTCUSDT in paper was not executed: no; 1 is still held
            plan #4 exit sell 1 reducing
            > submit #4 1 reducing

        buy 2 stop 95 price 100; filled 1; rejected 2; outside 7 sell 1@104 S1; rejected 3 | rejected 4
            ended #4 rejected: no
            alarm exit #4 of BTCUSDT in paper was not executed: no; 1 is still held

        buy 2 stop 95 price 100; filled 1; rejected 2; outside 7 sell 2@104 S1 | rejected 3
            ended #3 rejected: no
        "#,
    );
}
