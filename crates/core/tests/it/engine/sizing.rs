//! How large a leg is, by each kind of size.

use ponte_core::policy::Sizing;

use super::check;
use super::world::{decimal, quantity, with_sizing};

#[test]
fn as_the_alert_says() {
    let policy = with_sizing(Sizing::AsAlert);
    check(
        &policy,
        r#"
        | buy 1.5
            A1 accepted
            plan #1 entry buy 1.5
            > submit #1 1.5

        | buy 1.55
            A1 refused: quantity 1.55 is not a whole number of steps of 0.1 of BTCUSDT; the nearest is 1.5, 3.2% away, and fitting_tolerance is 0.1%
            - quantity_step: refuse (1.55 of 0.1)

        | buy
            A1 refused: the alert has no quantity for BTCUSDT and the route takes it from the alert; send one, or give the route a size
            - min_quantity: refuse
        "#,
    );
}

#[test]
fn multiplied() {
    let policy = with_sizing(Sizing::Multiplied(decimal("0.5")));
    check(
        &policy,
        r#"
        | buy 3
            A1 accepted
            plan #1 entry buy 1.5
            > submit #1 1.5

        | buy 0.5
            A1 accepted
            - quantity_step: note (0.25 of 0.1), 0.5 × 0.5 is 0.25, rounded down to 0.2
            plan #1 entry buy 0.2
            > submit #1 0.2

        | buy 0.1
            A1 refused: 0.1 × 0.5 is 0.05 of BTCUSDT, less than one step of 0.1
            - quantity_step: refuse

        | buy
            A1 refused: the alert has no quantity for BTCUSDT and the route takes it from the alert; send one, or give the route a size
            - min_quantity: refuse

        buy 4; filled 1 | close 1
            A2 accepted
            plan #2 exit sell 0.5 reducing
            > submit #2 0.5 reducing

        buy 4; filled 1 | sell 6
            A2 accepted
            plan #2 exit sell 2 reducing
            plan #3 entry sell 1 waits #2
            > submit #2 2 reducing

        buy 4; filled 1 | close 50%
            A2 accepted
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing
        "#,
    );
}

#[test]
fn fixed() {
    let policy = with_sizing(Sizing::Fixed(quantity("0.7")));
    check(
        &policy,
        r#"
        | buy 3
            A1 accepted
            plan #1 entry buy 0.7
            > submit #1 0.7

        | buy
            A1 accepted
            plan #1 entry buy 0.7
            > submit #1 0.7

        buy; filled 1 | sell 3
            A2 accepted
            plan #2 exit sell 0.7 reducing
            > submit #2 0.7 reducing

        buy; filled 1 | reverse
            A2 accepted
            plan #2 exit sell 0.7 reducing
            plan #3 entry sell 0.7 waits #2
            > submit #2 0.7 reducing

        buy; filled 1 | target 5
            A2 accepted: already long 0.7; the route sets its own size and does not change it

        buy; filled 1 | target -5
            A2 accepted
            plan #2 exit sell 0.7 reducing
            plan #3 entry sell 0.7 waits #2
            > submit #2 0.7 reducing
        "#,
    );
}

#[test]
fn for_an_amount_of_money() {
    let policy = with_sizing(Sizing::Notional(decimal("1000")));
    check(
        &policy,
        r#"
        | buy price 300
            A1 accepted
            - quantity_step: note (3.3333333333333333333333333333 of 0.1), 1000 at 300 is 3.333333333333, rounded down to 3.3
            plan #1 entry buy 3.3
            > submit #1 3.3

        | buy price 400
            A1 accepted
            plan #1 entry buy 2.5
            > submit #1 2.5

        | buy
            A1 refused: sizing BTCUSDT for 1000 needs a price, and none is known; send price in the alert
            - price_known: refuse

        | buy limit 250
            A1 accepted
            plan #1 entry buy 4 limit 250
            > submit #1 4

        | buy price 20000
            A1 refused: 1000 at 20000 is 0.05 of BTCUSDT, less than one step of 0.1
            - quantity_step: refuse
        "#,
    );
}

#[test]
fn for_a_share_of_the_equity() {
    let policy = with_sizing(Sizing::PercentOfEquity(decimal("10")));
    check(
        &policy,
        r#"
        | buy price 100
            A1 refused: sizing by 10% of equity needs the account's equity, and the broker has not told it yet
            - price_known: refuse

        equity 5000 | buy price 100
            A1 accepted
            plan #1 entry buy 5
            > submit #1 5

        equity 5000 | buy price 333
            A1 accepted
            - quantity_step: note (1.5015015015015015015015015015 of 0.1), 10% of 5000 at 333 is 1.501501501502, rounded down to 1.5
            plan #1 entry buy 1.5
            > submit #1 1.5

        equity -10 | buy price 100
            A1 refused: 10% of -10 at 100 is -0.01 of BTCUSDT, less than one step of 0.1
            - quantity_step: refuse
        "#,
    );
}
