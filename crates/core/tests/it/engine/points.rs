//! The rules that speak points and contracts, as futures are thought of.

use ponte_core::policy::{Rules, SizeWords};

use super::check;
use super::world::{decimal, quantity, with_rules};

#[test]
fn require_stop() {
    let policy = with_rules(Rules {
        require_stop: true,
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 1 price 100
            A1 refused: an entry into BTCUSDT has no stop, and account paper has require_stop; send stop with the alert
            - require_stop: refuse

        | buy 1 targets 110 price 100
            A1 refused: an entry into BTCUSDT has no stop, and account paper has require_stop; send stop with the alert
            - protection: pass
            - require_stop: refuse

        | buy 1 stop 95 price 100
            A1 accepted
            - protection: pass
            - require_stop: pass
            plan #1 entry buy 1
            > submit #1 1

        buy 1 stop 95 price 100; filled 1 | close
            A2 accepted
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing

        buy 1 stop 95 price 100; filled 1; ack 2 | sell 2 price 100
            A2 accepted: only the close is sent: an entry into BTCUSDT has no stop, and account paper has require_stop; send stop with the alert
            - require_stop: refuse, an entry into BTCUSDT has no stop, and account paper has require_stop; send stop with the alert
            plan #3 exit sell 1 reducing
            > submit #3 1 reducing
        "#,
    );
}

#[test]
fn max_stop_points() {
    let mut policy = with_rules(Rules {
        max_stop_points: Some(decimal("5")),
        ..Rules::default()
    });
    let paper = policy.accounts.values_mut().next().unwrap();
    paper.capabilities.trailing_stop = true;
    paper.capabilities.brackets = ponte_core::policy::Brackets::TwoOrders;
    check(
        &policy,
        r#"
        | buy 1 stop 95 price 100
            A1 accepted
            - protection: pass
            - max_stop_points: pass (5 of 5)
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 stop 94.5 price 100
            A1 refused: stop 94.5 is 5.5 points away from the price 100, above max_stop_points 5 of account paper
            - protection: pass
            - max_stop_points: refuse (5.5 of 5)

        | sell 1 stop 105.5 price 100
            A1 refused: stop 105.5 is 5.5 points away from the price 100, above max_stop_points 5 of account paper
            - protection: pass
            - max_stop_points: refuse (5.5 of 5)

        | buy 1 limit 90 stop 85 price 100
            A1 accepted
            - protection: pass
            - max_stop_points: pass (5 of 5)
            plan #1 entry buy 1 limit 90
            > submit #1 1

        | buy 1 price 100
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 stop 95
            A1 refused: max_stop_points needs a price of BTCUSDT, and none is known; send price in the alert
            - protection: note, no price is known to hold the stop and the targets against
            - price_known: refuse

        market 100 | buy 1 stop 94
            A1 refused: stop 94 is 6 points away from the price 100, above max_stop_points 5 of account paper
            - protection: pass
            - max_stop_points: refuse (6 of 5)

        | buy 1 trail 5 price 100
            A1 accepted
            - protection: pass
            - max_stop_points: pass (5 of 5)
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 trail 6 price 100
            A1 refused: a stop 6% behind is 6 points away from the price 100, above max_stop_points 5 of account paper
            - protection: pass
            - max_stop_points: refuse (6 of 5)
        "#,
    );
}

#[test]
fn max_price_deviation_points() {
    let policy = with_rules(Rules {
        max_price_deviation_points: Some(decimal("10")),
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        market 100 | buy 1 price 110
            A1 accepted
            - max_price_deviation_points: pass (10 of 10)
            plan #1 entry buy 1
            > submit #1 1

        market 100 | buy 1 price 89.5
            A1 refused: price 89.5 is 10.5 points away from the market's 100, above max_price_deviation_points 10 of account paper
            - max_price_deviation_points: refuse (10.5 of 10)

        market 100 | buy 1 limit 89 price 100
            A1 refused: price 89 is 11 points away from the market's 100, above max_price_deviation_points 10 of account paper
            - max_price_deviation_points: refuse (11 of 10)

        | buy 1 price 100
            A1 refused: max_price_deviation_points needs the market's price of BTCUSDT, and no fresh one is known
            - max_price_deviation_points: refuse

        market 100 | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        market 100; buy 1; filled 1; market 50 | close price 100
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing
        "#,
    );
}

#[test]
fn contracts() {
    let policy = with_rules(Rules {
        max_order_quantity: Some(quantity("2")),
        max_position: Some(quantity("3")),
        size_words: SizeWords::Contracts,
        ..Rules::default()
    });
    check(
        &policy,
        r#"
        | buy 3
            A1 refused: 3 contracts are above max_order_contracts 2 of account paper
            - max_order_quantity: refuse (3 of 2)
            - max_position: pass (3 of 3)

        buy 2; filled 1 | buy 2
            A2 refused: the position in BTCUSDT would be 4 contracts with what is on its way, above max_position_contracts 3 of account paper
            - max_order_quantity: pass (2 of 2)
            - max_position: refuse (4 of 3)

        sell 2; filled 1 | sell 2
            A2 refused: the position in BTCUSDT would be -4 contracts with what is on its way, above max_position_contracts 3 of account paper
            - max_order_quantity: pass (2 of 2)
            - max_position: refuse (4 of 3)
        "#,
    );
}
