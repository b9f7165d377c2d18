//! Every intent against every position: flat, long, short, and with an entry in flight.

use super::check;
use super::world::policy;

#[test]
fn buy() {
    let policy = policy();
    check(
        &policy,
        r#"
        | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        buy 2; filled 1 | buy 1
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1

        sell 2; filled 1 | buy 1
            A2 accepted
            plan #2 exit buy 1 reducing
            > submit #2 1 reducing

        buy 2 | buy 1
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1
        "#,
    );
}

#[test]
fn sell() {
    let policy = policy();
    check(
        &policy,
        r#"
        | sell 1
            A1 accepted
            plan #1 entry sell 1
            > submit #1 1

        buy 2; filled 1 | sell 1
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        sell 2; filled 1 | sell 1
            A2 accepted
            plan #2 entry sell 1
            > submit #2 1

        buy 2 | sell 1
            A2 accepted
            plan #2 exit sell 1 reducing waits #1
        "#,
    );
}

#[test]
fn sell_as_much_as_there_is() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; filled 1 | sell 2
            A2 accepted
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 | sell 2
            A2 accepted
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1
        "#,
    );
}

#[test]
fn sell_more_than_there_is() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; filled 1 | sell 3
            A2 accepted
            plan #2 exit sell 2 reducing
            plan #3 entry sell 1 waits #2
            > submit #2 2 reducing

        buy 2; filled 1 | sell 3 limit 110
            A2 refused: a resting sell of 3 would close the long of 2 and open the rest at another time; use reverse, or two alerts
            - previous_position: refuse

        buy 2; filled 1 | sell 1 limit 110
            A2 accepted
            plan #2 exit sell 1 limit 110
            > submit #2 1
        "#,
    );
}

#[test]
fn enter_long() {
    let policy = policy();
    check(
        &policy,
        r#"
        | enter long 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        buy 2; filled 1 | enter long 1
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1

        sell 2; filled 1 | enter long 1
            A2 refused: can't enter long while the strategy holds short 2; close it first, or use reverse
            - previous_position: refuse

        buy 2 | enter long 1
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1
        "#,
    );
}

#[test]
fn enter_short() {
    let policy = policy();
    check(
        &policy,
        r#"
        | enter short 1
            A1 accepted
            plan #1 entry sell 1
            > submit #1 1

        buy 2; filled 1 | enter short 1
            A2 refused: can't enter short while the strategy holds long 2; close it first, or use reverse
            - previous_position: refuse

        sell 2; filled 1 | enter short 1
            A2 accepted
            plan #2 entry sell 1
            > submit #2 1

        buy 2 | enter short 1
            A2 refused: can't enter short while the strategy holds long 2; close it first, or use reverse
            - previous_position: refuse
        "#,
    );
}

#[test]
fn enter_at_a_price() {
    let policy = policy();
    check(
        &policy,
        r#"
        | enter long 1 limit 99
            A1 accepted
            plan #1 entry buy 1 limit 99
            > submit #1 1

        | enter short 1 trigger 99
            A1 accepted
            plan #1 entry sell 1 stop 99
            > submit #1 1

        | enter long 1 trigger 101 limit 102
            A1 accepted
            plan #1 entry buy 1 stop 101 limit 102
            > submit #1 1
        "#,
    );
}

#[test]
fn close() {
    let policy = policy();
    check(
        &policy,
        r#"
        | close
            A1 accepted: already flat: nothing to close

        buy 2; filled 1 | close
            A2 accepted
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        sell 2; filled 1 | close
            A2 accepted
            plan #2 exit buy 2 reducing
            > submit #2 2 reducing

        buy 2 | close
            A2 accepted
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1
        "#,
    );
}

#[test]
fn close_one_side_only() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; filled 1 | close long
            A2 accepted
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2; filled 1 | close short
            A2 accepted: the strategy holds long, not short: nothing to close

        buy 2 | close long
            A2 accepted
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1

        buy 2 | close short
            A2 accepted: the strategy holds long, not short: nothing to close
        "#,
    );
}

#[test]
fn close_a_part() {
    let policy = policy();
    check(
        &policy,
        r#"
        | close 50%
            A1 accepted: already flat: nothing to close

        buy 2; filled 1 | close 50%
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        sell 2; filled 1 | close 50%
            A2 accepted
            plan #2 exit buy 1 reducing
            > submit #2 1 reducing

        buy 2 | close 50%
            A2 accepted
            plan #2 exit sell 1 reducing waits #1

        buy 2; filled 1 | close 1
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 2; filled 1 | close 5
            A2 accepted
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 0.1; filled 1 | close 50%
            A2 refused: 50% of 0.1 is 0.05 of BTCUSDT, less than one step of 0.1
            - quantity_step: refuse

        buy 2; filled 1 | close 33%
            A2 accepted
            - quantity_step: note (0.66 of 0.1), 33% of 2 is 0.66, rounded down to 0.6
            plan #2 exit sell 0.6 reducing
            > submit #2 0.6 reducing
        "#,
    );
}

#[test]
fn reverse() {
    let policy = policy();
    check(
        &policy,
        r#"
        | reverse
            A1 refused: the strategy is flat: there is nothing to reverse; send buy or sell
            - previous_position: refuse

        buy 2; filled 1 | reverse
            A2 accepted
            plan #2 exit sell 2 reducing
            plan #3 entry sell 2 waits #2
            > submit #2 2 reducing

        sell 2; filled 1 | reverse
            A2 accepted
            plan #2 exit buy 2 reducing
            plan #3 entry buy 2 waits #2
            > submit #2 2 reducing

        buy 2 | reverse
            A2 accepted
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1
            plan #3 entry sell 2 waits #2

        buy 2; filled 1 | reverse 1
            A2 accepted
            plan #2 exit sell 2 reducing
            plan #3 entry sell 1 waits #2
            > submit #2 2 reducing
        "#,
    );
}

#[test]
fn target_long() {
    let policy = policy();
    check(
        &policy,
        r#"
        | target 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        buy 2; filled 1 | target 1
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        sell 2; filled 1 | target 1
            A2 accepted
            plan #2 exit buy 2 reducing
            plan #3 entry buy 1 waits #2
            > submit #2 2 reducing

        buy 2 | target 1
            A2 accepted
            plan #2 exit sell 1 reducing waits #1

        buy 2; filled 1 | target 2
            A2 accepted: already long 2

        buy 2; filled 1 | target 5
            A2 accepted
            plan #2 entry buy 3
            > submit #2 3
        "#,
    );
}

#[test]
fn target_short() {
    let policy = policy();
    check(
        &policy,
        r#"
        | target -1
            A1 accepted
            plan #1 entry sell 1
            > submit #1 1

        buy 2; filled 1 | target -1
            A2 accepted
            plan #2 exit sell 2 reducing
            plan #3 entry sell 1 waits #2
            > submit #2 2 reducing

        sell 2; filled 1 | target -1
            A2 accepted
            plan #2 exit buy 1 reducing
            > submit #2 1 reducing

        buy 2 | target -1
            A2 accepted
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1
            plan #3 entry sell 1 waits #2
        "#,
    );
}

#[test]
fn target_flat() {
    let policy = policy();
    check(
        &policy,
        r#"
        | target 0
            A1 accepted: already flat

        buy 2; filled 1 | target 0
            A2 accepted
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        sell 2; filled 1 | target 0
            A2 accepted
            plan #2 exit buy 2 reducing
            > submit #2 2 reducing

        buy 2 | target 0
            A2 accepted
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1
        "#,
    );
}

#[test]
fn cancel() {
    let policy = policy();
    check(
        &policy,
        r#"
        | cancel
            A1 accepted: no working entry to cancel

        buy 1 limit 90; ack 1; buy 1 limit 91; sell 1 for S2 limit 120 | cancel
            A4 accepted: 2 entries are taken back
            cancel requested #1: taken back by an alert
            cancel requested #2: taken back by an alert
            > cancel #1

        buy 1 stop 95 price 100; filled 1; ack 2 | cancel
            A2 accepted: no working entry to cancel
        "#,
    );
}

#[test]
fn heartbeat() {
    let policy = policy();
    check(
        &policy,
        r#"
        | heartbeat
            A1 accepted: heartbeat: nothing to trade
        "#,
    );
}

#[test]
fn what_has_no_route_or_symbol() {
    let policy = policy();
    check(
        &policy,
        r#"
        | buy 1 account elsewhere
            A1 refused: no route takes strategy S1 to account elsewhere; add one to [[routes]]

        | buy 1 in BTCUSD
            A1 refused: account paper does not know the symbol BTCUSD; did you mean BTCUSDT?
            - known_symbol: refuse

        | close in BTCUSD
            A1 accepted: already flat: nothing to close
        "#,
    );
}

#[test]
fn the_position_that_the_alert_remembers() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; filled 1 | buy 1 was flat
            A2 accepted
            - previous_position: note, the alert says that the position before was flat, here it is long
            plan #2 entry buy 1
            > submit #2 1

        buy 2; filled 1 | buy 1 was long
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1
        "#,
    );
}

#[test]
fn two_strategies_do_not_see_each_other() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 2; filled 1 | close for S2
            A2 accepted: already flat: nothing to close

        buy 2; filled 1 | sell 2 for S2
            A2 accepted
            plan #2 entry sell 2
            > submit #2 2

        buy 2; filled 1; sell 1 for S2; filled 2 | close
            A3 accepted
            plan #3 exit sell 2
            > submit #3 2
        "#,
    );
}
