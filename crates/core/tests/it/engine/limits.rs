//! What the broker itself would refuse, and numbers that are fitted to its steps.

use ponte_core::instrument::{Limits, MarketLot, PriceBand};
use ponte_core::policy::Fitting;

use super::check;
use super::world::{account, decimal, futures, policy, symbol};

#[test]
fn the_brokers_minimums() {
    let mut policy = policy();
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    let instrument = paper
        .instruments
        .listed
        .get_mut(&symbol("BTCUSDT"))
        .unwrap();
    instrument.minimum_quantity = decimal("0.5");
    instrument.minimum_notional = decimal("60");
    check(
        &policy,
        r#"
        | buy 0.4 price 200
            A1 refused: quantity 0.4 is below the minimum 0.5 of BTCUSDT
            - min_quantity: refuse (0.4 of 0.5)

        | buy 0.5 price 120
            A1 accepted
            plan #1 entry buy 0.5
            > submit #1 0.5

        | buy 0.5 price 100
            A1 refused: value 50 is below the minimum 60 of BTCUSDT
            - min_notional: refuse (50 of 60)

        | buy 0.5
            A1 accepted
            plan #1 entry buy 0.5
            > submit #1 0.5

        buy 1 price 100; filled 1 | close 0.3
            A2 accepted
            plan #2 exit sell 0.3 reducing
            > submit #2 0.3 reducing
        "#,
    );
}

#[test]
fn the_brokers_bounds() {
    let mut policy = futures();
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    let instrument = paper
        .instruments
        .listed
        .get_mut(&symbol("BTCUSDT"))
        .unwrap();
    instrument.limits = Limits {
        maximum_quantity: Some(decimal("9")),
        market: MarketLot {
            minimum: Some(decimal("0.3")),
            maximum: Some(decimal("5")),
            step: Some(decimal("0.2")),
        },
        maximum_notional: Some(decimal("800")),
        price_band: Some(PriceBand {
            buy: (decimal("0.5"), decimal("1.1")),
            sell: (decimal("0.9"), decimal("1.5")),
        }),
        trailing_percent: Some((decimal("0.1"), decimal("10"))),
        closed: None,
    };
    check(
        &policy,
        r#"
        | buy 0.2 price 100
            A1 refused: quantity 0.2 is below the minimum 0.3 of BTCUSDT
            - min_quantity: refuse (0.2 of 0.3)

        | buy 0.5 price 100
            A1 refused: quantity 0.5 is not a whole number of steps of 0.2, which market orders of BTCUSDT have
            - quantity_step: refuse (0.5 of 0.2)

        | buy 6 price 100
            A1 refused: quantity 6 is above the maximum 5 of BTCUSDT
            - max_quantity: refuse (6 of 5)

        | buy 6 limit 100 price 100
            A1 accepted
            plan #1 entry buy 6 limit 100
            > submit #1 6

        | buy 9.5 limit 100 price 100
            A1 refused: quantity 9.5 is above the maximum 9 of BTCUSDT
            - max_quantity: refuse (9.5 of 9)
            - max_notional: refuse (950 of 800), value 950 is above the maximum 800 of BTCUSDT

        | buy 1 limit 111 price 100
            A1 refused: price 111 is above 110, where the broker's band around the market's 100 ends for BTCUSDT
            - price_band: refuse (111 of 110)

        | buy 1 limit 40 price 100
            A1 refused: price 40 is below 50, where the broker's band around the market's 100 ends for BTCUSDT
            - price_band: refuse (40 of 50)

        | buy 1 price 100 targets 110,151
            A1 refused: price 151 is above 150, where the broker's band around the market's 100 ends for BTCUSDT
            - price_band: refuse (151 of 150)
            - protection: pass

        | buy 1 price 100 trail 0.05
            A1 refused: a trailing stop 0.05% behind is not possible for BTCUSDT: the smallest distance is 0.1%
            - protection: refuse (0.05 of 0.1)
            - protection: pass

        | buy 1 price 100 trail 12
            A1 refused: a trailing stop 12% behind is not possible for BTCUSDT: the largest distance is 10%
            - protection: refuse (12 of 10)
            - protection: pass
        "#,
    );
}

#[test]
fn a_closed_market_takes_no_entries() {
    let mut policy = policy();
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    let instrument = paper
        .instruments
        .listed
        .get_mut(&symbol("BTCUSDT"))
        .unwrap();
    instrument.limits.closed = Some("BREAK".to_owned());
    check(
        &policy,
        r#"
        | buy 1 price 100
            A1 refused: BTCUSDT is not open for new positions in paper: BREAK
            - market_open: refuse
        "#,
    );
}

#[test]
fn numbers_are_fitted_by_the_policy() {
    let mut policy = policy();
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    paper.fitting = Fitting::RoundDown;
    check(
        &policy,
        r#"
        | buy 1.55 price 100
            A1 accepted
            - quantity_step: note (1.55 of 0.1), quantity 1.55 is fitted to 1.5, whole steps of 0.1
            plan #1 entry buy 1.5
            > submit #1 1.5

        | buy 0.05 price 100
            A1 refused: quantity 0.05 is not a whole number of steps of 0.1 of BTCUSDT
            - quantity_step: refuse (0.05 of 0.1)

        | buy 1 limit 99.7 stop 90.2 targets 110.3 price 100
            A1 accepted
            - price_tick: note (99.7 of 0.5), price 99.7 is fitted to 99.5, whole ticks of 0.5
            - price_tick: note (90.2 of 0.5), stop 90.2 is fitted to 90.5, whole ticks of 0.5
            - price_tick: note (110.3 of 0.5), target 110.3 is fitted to 110.5, whole ticks of 0.5
            - protection: pass
            plan #1 entry buy 1 limit 99.5
            > submit #1 1

        | sell 1 limit 100.2 stop 110.3 targets 90.2 price 100
            A1 accepted
            - price_tick: note (100.2 of 0.5), price 100.2 is fitted to 100.5, whole ticks of 0.5
            - price_tick: note (110.3 of 0.5), stop 110.3 is fitted to 110, whole ticks of 0.5
            - price_tick: note (90.2 of 0.5), target 90.2 is fitted to 90, whole ticks of 0.5
            - protection: pass
            plan #1 entry sell 1 limit 100.5
            > submit #1 1

        | buy 1 trigger 100.2 price 100
            A1 accepted
            - price_tick: note (100.2 of 0.5), trigger 100.2 is fitted to 100.5, whole ticks of 0.5
            plan #1 entry buy 1 stop 100.5
            > submit #1 1

        buy 2 price 100; filled 1 | close 0.55
            A2 accepted
            - quantity_step: note (0.55 of 0.1), quantity 0.55 is fitted to 0.5, whole steps of 0.1
            plan #2 exit sell 0.5 reducing
            > submit #2 0.5 reducing

        buy 2 price 100; filled 1 | sell 1 limit 110.3
            A2 accepted
            - price_tick: note (110.3 of 0.5), price 110.3 is fitted to 110.5, whole ticks of 0.5
            plan #2 exit sell 1 limit 110.5
            > submit #2 1
        "#,
    );
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    paper.fitting = Fitting::Refuse {
        tolerance_percent: decimal("5"),
    };
    check(
        &policy,
        r#"
        | buy 1.55 price 100
            A1 accepted
            - quantity_step: note (1.55 of 0.1), quantity 1.55 is fitted to 1.5, whole steps of 0.1
            plan #1 entry buy 1.5
            > submit #1 1.5

        | buy 1.19 price 100
            A1 refused: quantity 1.19 is not a whole number of steps of 0.1 of BTCUSDT; the nearest is 1.1, 7.6% away, and fitting_tolerance is 5%
            - quantity_step: refuse (1.19 of 0.1)
        "#,
    );
}

#[test]
fn an_exit_that_is_larger_than_one_order_may_be() {
    let mut policy = futures();
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    let instrument = paper
        .instruments
        .listed
        .get_mut(&symbol("BTCUSDT"))
        .unwrap();
    instrument.limits.market.maximum = Some(decimal("2"));
    check(
        &policy,
        r#"
        buy 2 price 100; filled 1; buy 2 price 100; filled 2; buy 1 price 100; filled 3 | close
            A4 accepted
            plan #4 exit sell 2 reducing
            plan #5 exit sell 2 reducing
            plan #6 exit sell 1 reducing
            > submit #4 2 reducing
            > submit #5 2 reducing
            > submit #6 1 reducing

        buy 2 price 100; filled 1; buy 2 price 100; filled 2 | close 2
            A3 accepted
            plan #3 exit sell 2 reducing
            > submit #3 2 reducing

        buy 2; buy 1; close; filled 1 | filled 2
            acknowledged #2
            filled #2 1@100 (1)
            ended #2 filled
            release #4 1
            release #3 2
            > submit #4 1 reducing
            > submit #3 2 reducing

        | buy 3 limit 100 stop 95
            A1 refused: quantity 3 is above the maximum 2 of BTCUSDT
            - max_quantity: refuse (3 of 2)
            - protection: pass
        "#,
    );
}
