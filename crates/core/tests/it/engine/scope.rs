//! What a source may do: every limit with what it lets through and what it refuses, for every kind
//! of alert.

use ponte_core::policy::{Mode, Policy, Route, Rules, Sizing, SourcePolicy, SourceScope, Verbs};

use super::check;
use super::world::{
    account, account_policy, decimal, policy, quantity, route, source, strategy, symbol,
    with_sizing,
};

fn scoped(scope: SourceScope) -> Policy {
    in_scope(policy(), scope)
}

fn in_scope(mut policy: Policy, scope: SourceScope) -> Policy {
    let known = SourcePolicy {
        scope,
        ..SourcePolicy::default()
    };
    policy.sources.insert(source(), known);
    policy
}

fn of_verbs(verbs: Verbs) -> Policy {
    scoped(SourceScope {
        verbs,
        ..SourceScope::default()
    })
}

#[test]
fn strategies_hold_every_kind_of_alert() {
    let policy = scoped(SourceScope {
        strategies: Some([strategy("S1"), strategy("S2")].into()),
        ..SourceScope::default()
    });
    check(
        &policy,
        r#"
        | buy 1
            A1 accepted
            - source_strategies: pass
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 for S3
            A1 refused: source main may not speak for strategy S3, only for S1, S2
            - source_strategies: refuse

        | close for S3
            A1 refused: source main may not speak for strategy S3, only for S1, S2
            - source_strategies: refuse

        | cancel for S3
            A1 refused: source main may not speak for strategy S3, only for S1, S2
            - source_strategies: refuse

        | heartbeat for S3
            A1 refused: source main may not speak for strategy S3, only for S1, S2
            - source_strategies: refuse

        | heartbeat for S2
            A1 accepted: heartbeat: nothing to trade
            - source_strategies: pass
        "#,
    );
}

#[test]
fn symbols_are_compared_as_the_alert_writes_them() {
    let mut policy = scoped(SourceScope {
        symbols: Some([symbol("BTCUSDT.P")].into()),
        ..SourceScope::default()
    });
    policy.routes = vec![Route {
        symbols: [(symbol("BTCUSDT.P"), symbol("BTCUSDT"))].into(),
        ..route(&["paper"], Sizing::AsAlert)
    }];
    check(
        &policy,
        r#"
        | buy 1 in BTCUSDT.P
            A1 accepted
            - source_symbols: pass
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 in BTCUSDT
            A1 refused: source main may not trade BTCUSDT, only BTCUSDT.P
            - source_symbols: refuse

        | close in ETHUSDT
            A1 refused: source main may not trade ETHUSDT, only BTCUSDT.P
            - source_symbols: refuse

        | heartbeat
            A1 accepted: heartbeat: nothing to trade
        "#,
    );
}

#[test]
fn accounts_out_of_reach_get_no_leg() {
    let mut policy = scoped(SourceScope {
        accounts: Some([account("paper")].into()),
        ..SourceScope::default()
    });
    policy
        .accounts
        .insert(account("second"), account_policy(Rules::default()));
    policy.routes = vec![route(&["paper", "second"], Sizing::AsAlert)];
    check(
        &policy,
        r#"
        | buy 1
            A1 accepted
            - source_accounts: pass
            second refused: source main may not reach account second, only paper
            - source_accounts: refuse
            plan #1 entry buy 1
            > submit #1 1

        | buy 1 account second
            A1 refused: source main may not reach account second, only paper
            - source_accounts: refuse

        | close account second
            A1 refused: source main may not reach account second, only paper
            - source_accounts: refuse

        | buy 1 account paper
            A1 accepted
            - source_accounts: pass
            plan #1 entry buy 1
            > submit #1 1
        "#,
    );
}

#[test]
fn an_exit_only_source_never_opens() {
    check(
        &of_verbs(Verbs::Exits),
        r#"
        | buy 1
            A1 refused: source main may only close positions, and this opens one: buy
            - source_verbs: refuse

        | enter long 1
            A1 refused: source main may only close positions, and this opens one: enter_long
            - source_verbs: refuse

        | target 1
            A1 refused: source main may only close positions, and this opens one: target
            - source_verbs: refuse

        | target 0
            A1 accepted: already flat
            - source_verbs: pass

        | close
            A1 accepted: already flat: nothing to close
            - source_verbs: pass

        | reverse
            A1 refused: the strategy is flat: there is nothing to reverse; send buy or sell
            - previous_position: refuse

        | cancel
            A1 accepted: no working entry to cancel
            - source_verbs: pass

        | heartbeat
            A1 accepted: heartbeat: nothing to trade
            - source_verbs: pass

        | sell 1 limit 110
            A1 refused: source main may only close positions, and this opens one: sell
            - source_verbs: refuse
        "#,
    );
}

/// A world in which source `all` opens what source `main` may close.
fn two_sources(verbs: Verbs) -> Policy {
    let mut policy = of_verbs(verbs);
    let all = ponte_core::id::SourceName::new("all").unwrap();
    policy.sources.insert(all, SourcePolicy::default());
    policy
}

#[test]
fn an_exit_only_source_closes_what_others_opened() {
    check(
        &two_sources(Verbs::Exits),
        r#"
        buy 2 from all; filled 1 | close
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | close 50%
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 2 from all; filled 1 | sell 2
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | sell 5
            A2 accepted: only the close is sent: source main may only close positions, and this opens one: sell
            - source_verbs: refuse, source main may only close positions, and this opens one: sell
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | buy 1
            A2 refused: source main may only close positions, and this opens one: buy
            - source_verbs: refuse

        buy 2 from all; filled 1 | sell 1 limit 110
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 1 limit 110
            > submit #2 1

        buy 2 from all; filled 1 | reverse
            A2 accepted: only the close is sent: source main may only close positions, and this opens one: reverse
            - source_verbs: refuse, source main may only close positions, and this opens one: reverse
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | reverse 7
            A2 accepted: only the close is sent: source main may only close positions, and this opens one: reverse
            - source_verbs: refuse, source main may only close positions, and this opens one: reverse
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | target 1
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 2 from all; filled 1 | target 3
            A2 refused: source main may only close positions, and this opens one: target
            - source_verbs: refuse

        buy 2 from all; filled 1 | target -1
            A2 accepted: only the close is sent: source main may only close positions, and this opens one: target
            - source_verbs: refuse, source main may only close positions, and this opens one: target
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | target 0
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | enter long 1
            A2 refused: source main may only close positions, and this opens one: enter_long
            - source_verbs: refuse

        buy 2 from all; filled 1 | enter short 1
            A2 refused: source main may only close positions, and this opens one: enter_short
            - source_verbs: refuse

        buy 2 from all; filled 1; close | sell 2
            A3 refused: source main may only close positions, and this opens one: sell
            - source_verbs: refuse

        buy 2 limit 90 from all; ack 1 | sell 2
            A2 refused: source main may only close positions, and this opens one: sell
            - source_verbs: refuse

        buy 2 limit 90 from all; ack 1 | cancel
            A2 accepted: 1 entry is taken back
            - source_verbs: pass
            cancel requested #1: taken back by an alert
            > cancel #1

        buy 2 from all | sell 2
            A2 accepted
            - source_verbs: pass
            cancel requested #1: taken back by an alert that closes the position
            plan #2 exit sell 2 reducing waits #1
        "#,
    );
}

#[test]
fn an_entry_only_source_never_closes() {
    check(
        &of_verbs(Verbs::Entries),
        r#"
        | buy 1
            A1 accepted
            - source_verbs: pass
            plan #1 entry buy 1
            > submit #1 1

        | enter short 1
            A1 accepted
            - source_verbs: pass
            plan #1 entry sell 1
            > submit #1 1

        | target -2
            A1 accepted
            - source_verbs: pass
            plan #1 entry sell 2
            > submit #1 2

        | close
            A1 refused: source main may only open positions, and this closes one: exit
            - source_verbs: refuse

        | close 10%
            A1 refused: source main may only open positions, and this closes one: exit
            - source_verbs: refuse

        | reverse
            A1 refused: source main may only open positions, and this closes one: reverse
            - source_verbs: refuse

        | target 0
            A1 refused: source main may only open positions, and this closes one: target
            - source_verbs: refuse

        | cancel
            A1 accepted: no working entry to cancel
            - source_verbs: pass

        | heartbeat
            A1 accepted: heartbeat: nothing to trade
            - source_verbs: pass

        buy 2; filled 1 | buy 1
            A2 accepted
            - source_verbs: pass
            plan #2 entry buy 1
            > submit #2 1

        buy 2; filled 1 | target 3
            A2 accepted
            - source_verbs: pass
            plan #2 entry buy 1
            > submit #2 1

        buy 2; filled 1 | target 1
            A2 refused: source main may only open positions, and this closes one: target
            - source_verbs: refuse

        buy 2; filled 1 | target -1
            A2 refused: source main may only open positions, and this closes one: target
            - source_verbs: refuse

        buy 2; filled 1 | sell 1
            A2 refused: source main may only open positions, and this closes one: sell
            - source_verbs: refuse

        buy 2; filled 1 | sell 5
            A2 refused: source main may only open positions, and this closes one: sell
            - source_verbs: refuse

        buy 2; filled 1 | sell 1 limit 110
            A2 refused: source main may only open positions, and this closes one: sell
            - source_verbs: refuse

        buy 2; filled 1 | enter short 1
            A2 refused: can't enter short while the strategy holds long 2; close it first, or use reverse
            - source_verbs: pass
            - previous_position: refuse

        buy 2 | sell 2
            A2 refused: source main may only open positions, and this closes one: sell
            - source_verbs: refuse
        "#,
    );
}

#[test]
fn max_quantity_holds_the_entry_that_would_be_sent() {
    let scope = SourceScope {
        max_quantity: Some(quantity("2")),
        ..SourceScope::default()
    };
    check(
        &scoped(scope.clone()),
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
