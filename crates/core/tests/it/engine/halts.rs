//! Halts at each level and scope, what they stop, and what they never stop.

use super::check;
use super::world::policy;

#[test]
fn a_halt_turns_entries_away() {
    let policy = policy();
    check(
        &policy,
        r#"
        halt block_entries | buy 1
            A1 halted: everything is halted (block_entries) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse

        halt cancel_working account paper | buy 1
            A1 halted: account paper is halted (cancel_working) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse

        halt reduce_only strategy S1 | buy 1
            A1 halted: strategy S1 is halted (reduce_only) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse

        halt flatten symbol BTCUSDT | buy 1
            A1 halted: symbol BTCUSDT is halted (flatten) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse

        halt block_entries strategy S2 | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        halt block_entries symbol ETHUSDT | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        halt block_entries account other | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        halt block_entries symbol ETHUSDT; halt flatten | buy 1
            A1 halted: everything is halted (flatten) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse
        "#,
    );
}

#[test]
fn an_exit_passes_every_level() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; filled 1; halt block_entries | close
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 1; filled 1; halt cancel_working | close
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 1; filled 1; halt reduce_only | close
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 2; filled 1; halt reduce_only | sell 1
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 1; filled 1; halt flatten; rejected 2 | close
            A2 accepted
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing
        "#,
    );
}

#[test]
fn only_the_close_of_a_reversal_passes() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; filled 1; halt block_entries | reverse
            A2 accepted: only the close is sent: everything is halted (block_entries) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse, everything is halted (block_entries) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 1; filled 1; halt block_entries | sell 3
            A2 accepted: only the close is sent: everything is halted (block_entries) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse, everything is halted (block_entries) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing
        "#,
    );
}

#[test]
fn what_each_level_takes_back() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 limit 90; ack 1; buy 1; buy 1; unreachable 3 | halt block_entries
            halt everything block_entries
            ended #3 abandoned: halted by cli
            > notify everything is halted (block_entries) by cli

        buy 1 limit 90; ack 1; buy 1; buy 1; unreachable 3 | halt cancel_working
            halt everything cancel_working
            cancel requested #1: halted by cli
            cancel requested #2: halted by cli
            ended #3 abandoned: halted by cli
            > notify everything is halted (cancel_working) by cli
            > cancel #1

        buy 1 stop 95 price 100; filled 1; ack 2; buy 1 limit 90; ack 3 | halt cancel_working
            halt everything cancel_working
            cancel requested #3: halted by cli
            > notify everything is halted (cancel_working) by cli
            > cancel #3

        buy 1 stop 95 price 100; filled 1; ack 2; buy 1 limit 90; ack 3 | halt flatten
            halt everything flatten
            cancel requested #3: flattened
            plan #4 exit sell 1 reducing
            plan #5 exit sell 1 reducing waits #3
            > notify everything is halted (flatten) by cli
            > cancel #3
            > submit #4 1 reducing

        buy 1; filled 1; buy 1 for S2; filled 2 | halt flatten strategy S2
            halt strategy S2 flatten
            plan #3 exit sell 1
            > notify strategy S2 is halted (flatten) by cli
            > submit #3 1
        "#,
    );
}

#[test]
fn an_entry_in_flight_meets_a_halt() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1; halt block_entries | gate_halted 1
            ended #1 abandoned: a halt was in force at the last check

        buy 1 stop 95 price 100; halt block_entries | filled 1
            acknowledged #1
            filled #1 1@100 (1)
            plan #2 protection sell 1 stop 95
            ended #1 filled
            > submit #2 1

        buy 1; halt reduce_only | filled 1
            acknowledged #1
            filled #1 1@100 (1)
            alarm 1 BTCUSDT of order #1 in paper is traded back at the market: filled while only exits are allowed
            plan #2 exit sell 1 reducing
            ended #1 filled
            > submit #2 1 reducing

        buy 1; halt flatten | filled 1
            acknowledged #1
            filled #1 1@100 (1)
            alarm 1 BTCUSDT of order #1 in paper is traded back at the market: filled while only exits are allowed
            plan #3 exit sell 1 reducing
            ended #1 filled
            ended #2 abandoned: nothing is left to close
            > submit #3 1 reducing

        buy 1; unknown 1; halt block_entries | absent 1
            ended #1 abandoned: a halt is in force, and the broker never had it
        "#,
    );
}

#[test]
fn the_same_halt_twice() {
    let policy = policy();
    check(
        &policy,
        r#"
        halt block_entries | halt block_entries

        halt block_entries | halt flatten
            halt everything flatten
            > notify everything is halted (flatten) by cli

        halt block_entries symbol BTCUSDT | halt block_entries
            halt everything block_entries
            > notify everything is halted (block_entries) by cli
        "#,
    );
}

#[test]
fn resume() {
    let policy = policy();
    check(
        &policy,
        r#"
        halt block_entries | resume
            halt lifted everything

        halt block_entries symbol BTCUSDT | resume

        halt block_entries; resume | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        halt block_entries; halt block_entries symbol BTCUSDT; resume | buy 1
            A1 halted: symbol BTCUSDT is halted (block_entries) by cli since 2027-01-15T08:00:00.000000Z; lift it with ponte resume
            - halt: refuse
        "#,
    );
}

#[test]
fn flatten() {
    let policy = policy();
    check(
        &policy,
        r#"
        | flatten
            flatten everything

        buy 1 stop 95 price 100; filled 1; ack 2; sell 1 for S2 in ETHUSDT; filled 3 | flatten
            flatten everything
            plan #4 exit sell 1 reducing
            plan #5 exit buy 1 of ETHUSDT reducing
            > submit #4 1 reducing
            > submit #5 1 reducing

        buy 1; filled 1; sell 1 for S2 in ETHUSDT; filled 2 | flatten symbol ETHUSDT
            flatten symbol ETHUSDT
            plan #3 exit buy 1 of ETHUSDT reducing
            > submit #3 1 reducing

        buy 1 limit 90; ack 1 | flatten
            flatten everything
            cancel requested #1: flattened
            plan #2 exit sell 1 reducing waits #1
            > cancel #1

        buy 1; filled 1; flatten | flatten
            flatten everything

        buy 1; filled 1; flatten | buy 1
            A2 accepted
            plan #3 entry buy 1
            > submit #3 1
        "#,
    );
}
