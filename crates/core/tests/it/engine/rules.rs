//! Every rule, with what it lets through and what it refuses, and the exits that it must not touch.

use ponte_core::policy::{Brackets, Capabilities, Rules};

use super::check;
use super::script::seconds;
use super::world::{CAN_ALL, account, decimal, policy, quantity, symbol, with_rules};

#[test]
fn allowed_symbols() {
    let policy = with_rules(Rules {
        allowed_symbols: Some([symbol("BTCUSDT")].into()),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 1
            A1 accepted
            - allowed_symbols: pass
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 in ETHUSDT
            A1 refused: ETHUSDT is not among the allowed symbols of account paper (BTCUSDT)
            - allowed_symbols: refuse
        "#,
    );
}

#[test]
fn max_order_quantity() {
    let policy = with_rules(Rules {
        max_order_quantity: Some(quantity("2")),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 2
            A1 accepted
            - max_order_quantity: pass (2 of 2)
            plan #1 entry buy 2
            > submit #1 2

        | buy 2.1
            A1 refused: quantity 2.1 is above max_order_quantity 2 of account paper
            - max_order_quantity: refuse (2.1 of 2)

        buy 2; filled 1; buy 2; filled 2 | close
            A3 accepted
            plan #3 exit sell 4 reducing
            > submit #3 4 reducing

        buy 2; filled 1 | sell 5
            A2 accepted: only the close is sent: quantity 3 is above max_order_quantity 2 of account paper
            - max_order_quantity: refuse (3 of 2), quantity 3 is above max_order_quantity 2 of account paper
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing
        "#,
    );
}

#[test]
fn max_order_notional() {
    let policy = with_rules(Rules {
        max_order_notional: Some(decimal("500")),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 5 price 100
            A1 accepted
            - max_order_notional: pass (500 of 500)
            plan #1 entry buy 5
            > submit #1 5

        | buy 5.1 price 100
            A1 refused: 5.1 × 100 is 510 USDT, above max_order_notional 500 USDT of account paper
            - max_order_notional: refuse (510 of 500)

        | buy 1
            A1 refused: max_order_notional needs a price of BTCUSDT, and none is known; send price in the alert
            - price_known: refuse

        | buy 5 limit 99
            A1 accepted
            - max_order_notional: pass (495 of 500)
            plan #1 entry buy 5 limit 99
            > submit #1 5

        buy 5 price 100; filled 1 | close price 1000
            A2 accepted
            plan #2 exit sell 5 reducing
            > submit #2 5 reducing
        "#,
    );
}

#[test]
fn max_position() {
    let policy = with_rules(Rules {
        max_position: Some(quantity("3")),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 3
            A1 accepted
            - max_position: pass (3 of 3)
            plan #1 entry buy 3
            > submit #1 3

        | buy 3.1
            A1 refused: the position in BTCUSDT would be 3.1 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (3.1 of 3)

        buy 2 | buy 1
            A2 accepted
            - max_position: pass (3 of 3)
            plan #2 entry buy 1
            > submit #2 1

        buy 2 | buy 1.1 for S2
            A2 refused: the position in BTCUSDT would be 3.1 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (3.1 of 3)

        buy 2; report 1 1@100 | buy 1.1
            A2 refused: the position in BTCUSDT would be 3.1 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (3.1 of 3)

        buy 3; filled 1 | sell 6
            A2 accepted
            - max_position: pass (3 of 3)
            plan #2 exit sell 3 reducing
            plan #3 entry sell 3 waits #2
            > submit #2 3 reducing

        buy 3; filled 1 | sell 6.1
            A2 accepted: only the close is sent: the position in BTCUSDT would be -3.1 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (3.1 of 3), the position in BTCUSDT would be -3.1 with what is on its way, above max_position 3 of account paper
            plan #2 exit sell 3 reducing
            > submit #2 3 reducing

        buy 3; filled 1 | sell 3.1 for S2
            A2 refused: the position in BTCUSDT would be -3.1 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (3.1 of 3)

        buy 3; filled 1 | sell 3 for S2
            A2 accepted
            - max_position: pass (3 of 3)
            plan #2 entry sell 3
            > submit #2 3

        buy 3 limit 90; ack 1; cancel | buy 1
            A3 refused: the position in BTCUSDT would be 4 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (4 of 3)

        buy 3 limit 90; ack 1; cancel; cancelled 1 | buy 3
            A3 accepted
            - max_position: pass (3 of 3)
            plan #2 entry buy 3
            > submit #2 3

        buy 3; rejected 1 | buy 3
            A2 accepted
            - max_position: pass (3 of 3)
            plan #2 entry buy 3
            > submit #2 3

        buy 3; unknown 1 | buy 1
            A2 refused: the position in BTCUSDT would be 4 with what is on its way, above max_position 3 of account paper
            - max_position: refuse (4 of 3)
        "#,
    );
}

#[test]
fn max_orders_per_minute() {
    let policy = with_rules(Rules {
        max_orders_per_minute: Some(2),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        buy 1 | buy 1
            A2 accepted
            - max_orders_per_minute: pass (2 of 2)
            plan #2 entry buy 1
            > submit #2 1

        buy 1; buy 1 | buy 1
            A3 refused: this would be entry 3 within a minute, above max_orders_per_minute 2 of account paper
            - max_orders_per_minute: refuse (3 of 2)

        buy 1; buy 1; wait 59 | buy 1
            A3 refused: this would be entry 3 within a minute, above max_orders_per_minute 2 of account paper
            - max_orders_per_minute: refuse (3 of 2)

        buy 1; buy 1; wait 60 | buy 1
            A3 accepted
            - max_orders_per_minute: pass (1 of 2)
            plan #3 entry buy 1
            > submit #3 1

        buy 1; buy 1; filled 1; filled 2 | close
            A3 accepted
            plan #3 exit sell 2 reducing
            > submit #3 2 reducing

        buy 1; buy 1; wait -30 | buy 1
            A3 refused: this would be entry 3 within a minute, above max_orders_per_minute 2 of account paper
            - max_orders_per_minute: refuse (3 of 2)
        "#,
    );
}

#[test]
fn max_signal_age() {
    let policy = with_rules(Rules {
        max_signal_age: Some(seconds(30)),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 1 fired -30
            A1 accepted
            - max_signal_age: pass (30 of 30)
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 fired -31
            A1 refused: the alert fired 31 s ago, entries are refused after 30 s; if its time is the bar's, send {{timenow}} as time and {{time}} as bar_time
            - max_signal_age: refuse (31 of 30)

        | buy 1 bar -3600
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 fired 6
            A1 accepted
            - max_signal_age: pass (0 of 30)
            - clock_ahead: note (6 of 5), the alert comes from the future: this machine's clock is behind
            plan #1 entry buy 1
            > submit #1 1

        buy 1; filled 1 | close fired -4000
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 1 fired -20; unreachable 1 | tick 10
            ended #1 expired: its time was over before it could be sent
        "#,
    );
}

#[test]
fn broker_steps() {
    let policy = policy();
    check(
        &policy,
        r#"
        | buy 0.05
            A1 refused: quantity 0.05 is not a whole number of steps of 0.1 of BTCUSDT; the nearest is 0, 100% away, and fitting_tolerance is 0.1%
            - quantity_step: refuse (0.05 of 0.1)

        | buy 0.15
            A1 refused: quantity 0.15 is not a whole number of steps of 0.1 of BTCUSDT; the nearest is 0.1, 33% away, and fitting_tolerance is 0.1%
            - quantity_step: refuse (0.15 of 0.1)

        | buy 1 limit 99.7
            A1 refused: price 99.7 is not a whole number of ticks of 0.5 of BTCUSDT; the nearest is 99.5, 0.2% away, and fitting_tolerance is 0.1%
            - price_tick: refuse (99.7 of 0.5)

        | buy 1 stop 95.2 price 100
            A1 refused: price 95.2 is not a whole number of ticks of 0.5 of BTCUSDT; the nearest is 95, 0.21% away, and fitting_tolerance is 0.1%
            - price_tick: refuse (95.2 of 0.5)
            - protection: pass
        "#,
    );
}

#[test]
fn protection_sides() {
    let policy = policy();
    check(
        &policy,
        r#"
        | buy 1 stop 95 price 100
            A1 accepted
            - protection: pass
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 stop 100 price 100
            A1 refused: stop 100 must lie below the price 100 of a buy; Ponte reads stop and target as prices, not as distances
            - protection: refuse (100 of 100)

        | buy 1 stop 49 price 100
            A1 refused: stop 49 is more than 50% away from the price 100; Ponte reads stop as a price, not as a distance
            - protection: refuse (49 of 100)

        | buy 1 stop 50 price 100
            A1 accepted
            - protection: pass
            plan #1 entry buy 1
            > submit #1 1

        | sell 1 stop 95 price 100
            A1 refused: stop 95 must lie above the price 100 of a sell; Ponte reads stop and target as prices, not as distances
            - protection: refuse (95 of 100)

        | sell 1 stop 105 targets 95 price 100
            A1 accepted
            - protection: pass
            plan #1 entry sell 1
            > submit #1 1

        | buy 1 targets 100 price 100
            A1 refused: target 100 must lie above the price 100 of a buy; Ponte reads stop and target as prices, not as distances
            - protection: refuse (100 of 100)

        | buy 1 stop 95
            A1 accepted
            - protection: note, no price is known to hold the stop and the targets against
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 limit 90 stop 95 price 100
            A1 refused: stop 95 must lie below the price 90 of a buy; Ponte reads stop and target as prices, not as distances
            - protection: refuse (95 of 90)
        "#,
    );
}

#[test]
fn what_the_broker_can_not_do() {
    let cases: [(Capabilities, &str); 4] = [
        (
            Capabilities {
                limit: false,
                ..CAN_ALL
            },
            "buy 1 limit 99",
        ),
        (
            Capabilities {
                stop: false,
                ..CAN_ALL
            },
            "buy 1 stop 95 price 100",
        ),
        (
            Capabilities {
                brackets: Brackets::None,
                ..CAN_ALL
            },
            "buy 1 stop 95 targets 105 price 100",
        ),
        (
            Capabilities {
                short: false,
                ..CAN_ALL
            },
            "sell 1",
        ),
    ];
    let said = cases.map(|(capabilities, line)| {
        let mut policy = policy();
        policy
            .accounts
            .get_mut(&account("paper"))
            .unwrap()
            .capabilities = capabilities;
        super::script::Play::new(&policy).told(line).join(" ")
    });
    assert_eq!(
        said,
        [
            "A1 refused: account paper can't do limit orders in BTCUSDT - capability: refuse",
            "A1 refused: account paper can't do protective stops in BTCUSDT - capability: refuse - protection: pass",
            "A1 refused: account paper can't do a stop and a target together in BTCUSDT - capability: refuse - protection: pass",
            "A1 refused: account paper can't do short positions in BTCUSDT - capability: refuse",
        ]
    );
}
