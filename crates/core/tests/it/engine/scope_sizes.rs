//! How large an entry of a source may be, and what happens to a source that is off.

use ponte_core::policy::{Mode, Sizing, SourceScope};

use super::check;
use super::scope::{in_scope, scoped};
use super::world::{account, decimal, policy, quantity, strategy, with_sizing};

#[test]
fn max_quantity_holds_the_entry_that_would_be_sent() {
    let scope = SourceScope {
        max_quantity: Some(quantity("2")),
        ..SourceScope::default()
    };
    check(
        &scoped(scope),
        r#"
        | buy 2
            A1 accepted
            - source_max_quantity: pass (2 of 2)
            plan #1 entry buy 2
            > submit #1 2

        | buy 2.1
            A1 refused: quantity 2.1 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (2.1 of 2)

        | buy
            A1 refused: the alert has no quantity for BTCUSDT and the route takes it from the alert; send one, or give the route a size
            - min_quantity: refuse

        | target 3
            A1 refused: quantity 3 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (3 of 2)

        buy 2; filled 1; buy 2; filled 2 | close
            A3 accepted
            plan #3 exit sell 4 reducing
            > submit #3 4 reducing

        buy 2; filled 1; buy 2; filled 2 | close 75%
            A3 accepted
            plan #3 exit sell 3 reducing
            > submit #3 3 reducing

        buy 2; filled 1 | sell 5
            A2 accepted: only the close is sent: quantity 3 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (3 of 2), quantity 3 in paper is above max_quantity 2 of source main
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2; filled 1 | reverse 3
            A2 accepted: only the close is sent: quantity 3 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (3 of 2), quantity 3 in paper is above max_quantity 2 of source main
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2; filled 1 | target 4
            A2 accepted
            - source_max_quantity: pass (2 of 2)
            plan #2 entry buy 2
            > submit #2 2

        buy 2; filled 1 | target 5
            A2 refused: quantity 3 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (3 of 2)
        "#,
    );
}

#[test]
fn max_quantity_holds_the_routes_size_too() {
    let scope = SourceScope {
        max_quantity: Some(quantity("2")),
        ..SourceScope::default()
    };
    check(
        &in_scope(with_sizing(Sizing::Fixed(quantity("3"))), scope.clone()),
        r#"
        | buy
            A1 refused: quantity 3 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (3 of 2)

        | buy 1
            A1 refused: quantity 3 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (3 of 2)
        "#,
    );
    check(
        &in_scope(with_sizing(Sizing::Multiplied(decimal("0.5"))), scope),
        r#"
        | buy 4
            A1 accepted
            - source_max_quantity: pass (2 of 2)
            plan #1 entry buy 2
            > submit #1 2

        | buy 5
            A1 refused: quantity 2.5 in paper is above max_quantity 2 of source main
            - source_max_quantity: refuse (2.5 of 2)
        "#,
    );
}

#[test]
fn max_notional_takes_nobodys_word_for_the_price() {
    let scope = SourceScope {
        max_notional: Some(decimal("500")),
        ..SourceScope::default()
    };
    check(
        &scoped(scope.clone()),
        r#"
        | buy 5 price 100
            A1 accepted
            - source_max_notional: pass (500 of 500)
            plan #1 entry buy 5
            > submit #1 5

        | buy 6 price 100
            A1 refused: 6 × 100 is 600 USDT, above max_notional 500 of source main
            - source_max_notional: refuse (600 of 500)

        market 100 | buy 6 price 0.5
            A1 refused: 6 × 100 is 600 USDT, above max_notional 500 of source main
            - source_max_notional: refuse (600 of 500)

        market 100 | sell 6 limit 0.5
            A1 refused: 6 × 100 is 600 USDT, above max_notional 500 of source main
            - source_max_notional: refuse (600 of 500)

        market 100 | buy 5
            A1 accepted
            - source_max_notional: pass (500 of 500)
            plan #1 entry buy 5
            > submit #1 5

        | buy 1
            A1 refused: max_notional of source main needs the market's price of BTCUSDT, and no fresh one is known
            - source_max_notional: refuse

        market 100; buy 5; filled 1; market 1000 | close
            A2 accepted
            plan #2 exit sell 5 reducing
            > submit #2 5 reducing
        "#,
    );
    let mut real = scoped(scope);
    let paper = real.accounts.get_mut(&account("paper")).unwrap();
    paper.mode = Mode::Live;
    check(
        &real,
        r#"
        | buy 5 price 100
            A1 refused: max_notional of source main needs the market's price of BTCUSDT, and no fresh one is known
            - source_max_notional: refuse

        market 100 | buy 5 price 0.5
            A1 accepted
            - source_max_notional: pass (500 of 500)
            plan #1 entry buy 5
            > submit #1 5
        "#,
    );
}

#[test]
fn a_source_that_is_off_is_refused_everything() {
    check(
        &policy(),
        r#"
        source off main left the office | buy 1
            A1 refused: source main was switched off by cli at 2027-01-15T08:00:00.000000Z (left the office); take its alerts again with ponte source on main
            - source_on: refuse

        buy 1; filled 1; source off main | close
            A2 refused: source main was switched off by cli at 2027-01-15T08:00:00.000000Z; take its alerts again with ponte source on main
            - source_on: refuse

        source off main | heartbeat
            A1 refused: source main was switched off by cli at 2027-01-15T08:00:00.000000Z; take its alerts again with ponte source on main
            - source_on: refuse

        source off main; source on main | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        source off main | source off main

        source off other | buy 1
            A1 accepted
            plan #1 entry buy 1
            > submit #1 1

        buy 1 id a; source off main | buy 1 id a
            A2 refused of A1: source main was switched off by cli at 2027-01-15T08:00:00.000000Z; take its alerts again with ponte source on main
            - source_on: refuse

        buy 1 id a digest x; source off main | buy 2 id a digest y
            A2 refused of A1: source main was switched off by cli at 2027-01-15T08:00:00.000000Z; take its alerts again with ponte source on main
            - source_on: refuse

        | source off main
            source main off by cli
            > notify source main is switched off by cli
        "#,
    );
}

#[test]
fn a_tripwire_switches_off_and_shouts_once() {
    check(
        &policy(),
        r#"
        | trip main
            source main off by tripwire
            alarm the tripwire of source main was used from 203.0.113.9: its secrets may be stolen, and its alerts are refused from now on; no position is open; make new secrets (ponte secret rotate main --overlap 0s, ponte secret tripwire main --replace), then: ponte source on main

        buy 1; filled 1; buy 1 for S2; filled 2 | trip main
            source main off by tripwire
            alarm the tripwire of source main was used from 203.0.113.9: its secrets may be stolen, and its alerts are refused from now on; positions stay open, with their stops (strategy S1, S2): to close them, ponte flatten --strategy S1, ponte flatten --strategy S2; make new secrets (ponte secret rotate main --overlap 0s, ponte secret tripwire main --replace), then: ponte source on main

        trip main | trip main

        source off main | trip main
            source main off by tripwire
            alarm the tripwire of source main was used from 203.0.113.9: its secrets may be stolen, and its alerts are refused from now on; no position is open; make new secrets (ponte secret rotate main --overlap 0s, ponte secret tripwire main --replace), then: ponte source on main

        trip main; source on main | trip main
            source main off by tripwire
            alarm the tripwire of source main was used from 203.0.113.9: its secrets may be stolen, and its alerts are refused from now on; no position is open; make new secrets (ponte secret rotate main --overlap 0s, ponte secret tripwire main --replace), then: ponte source on main

        trip main | close
            A1 refused: source main was switched off by tripwire at 2027-01-15T08:00:00.000000Z (its tripwire was used from 203.0.113.9); take its alerts again with ponte source on main
            - source_on: refuse
        "#,
    );
    let few = scoped(SourceScope {
        strategies: Some([strategy("S2")].into()),
        ..SourceScope::default()
    });
    check(
        &few,
        r#"
        buy 1 for S2; filled 1 | trip main
            source main off by tripwire
            alarm the tripwire of source main was used from 203.0.113.9: its secrets may be stolen, and its alerts are refused from now on; positions stay open, with their stops (strategy S2): to close them, ponte flatten --strategy S2; make new secrets (ponte secret rotate main --overlap 0s, ponte secret tripwire main --replace), then: ponte source on main
        "#,
    );
}
