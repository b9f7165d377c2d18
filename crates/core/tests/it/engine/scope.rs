//! What a source may do: every limit with what it lets through and what it refuses, for every kind
//! of alert.

use ponte_core::policy::{Policy, Route, Rules, Sizing, SourcePolicy, SourceScope, Verbs};

use super::check;
use super::world::{account, account_policy, policy, route, source, strategy, symbol};

/// One account, and one source of this scope.
pub(super) fn scoped(scope: SourceScope) -> Policy {
    in_scope(policy(), scope)
}

pub(super) fn in_scope(mut policy: Policy, scope: SourceScope) -> Policy {
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
            A1 refused: source main may only close positions, and this opens one (buy)
            - source_verbs: refuse

        | enter long 1
            A1 refused: source main may only close positions, and this opens one (enter long)
            - source_verbs: refuse

        | target 1
            A1 refused: source main may only close positions, and this opens one (target)
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
            A1 refused: source main may only close positions, and this opens one (sell)
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
            A2 accepted: only the close is sent: source main may only close positions, and this opens one (sell)
            - source_verbs: refuse, source main may only close positions, and this opens one (sell)
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | buy 1
            A2 refused: source main may only close positions, and this opens one (buy)
            - source_verbs: refuse

        buy 2 from all; filled 1 | sell 1 limit 110
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 1 limit 110
            > submit #2 1
        "#,
    );
}

#[test]
fn of_a_reversal_an_exit_only_source_has_the_close() {
    check(
        &two_sources(Verbs::Exits),
        r#"
        buy 2 from all; filled 1 | reverse
            A2 accepted: only the close is sent: source main may only close positions, and this opens one (reverse)
            - source_verbs: refuse, source main may only close positions, and this opens one (reverse)
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | reverse 7
            A2 accepted: only the close is sent: source main may only close positions, and this opens one (reverse)
            - source_verbs: refuse, source main may only close positions, and this opens one (reverse)
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | target 1
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 1 reducing
            > submit #2 1 reducing

        buy 2 from all; filled 1 | target 3
            A2 refused: source main may only close positions, and this opens one (target)
            - source_verbs: refuse

        buy 2 from all; filled 1 | target -1
            A2 accepted: only the close is sent: source main may only close positions, and this opens one (target)
            - source_verbs: refuse, source main may only close positions, and this opens one (target)
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | target 0
            A2 accepted
            - source_verbs: pass
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 2 from all; filled 1 | enter long 1
            A2 refused: source main may only close positions, and this opens one (enter long)
            - source_verbs: refuse

        buy 2 from all; filled 1 | enter short 1
            A2 refused: source main may only close positions, and this opens one (enter short)
            - source_verbs: refuse

        buy 2 from all; filled 1; close | sell 2
            A3 refused: source main may only close positions, and this opens one (sell)
            - source_verbs: refuse

        buy 2 limit 90 from all; ack 1 | sell 2
            A2 refused: source main may only close positions, and this opens one (sell)
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
            A1 refused: source main may only open positions, and this closes one (exit)
            - source_verbs: refuse

        | close 10%
            A1 refused: source main may only open positions, and this closes one (exit)
            - source_verbs: refuse

        | reverse
            A1 refused: source main may only open positions, and this closes one (reverse)
            - source_verbs: refuse

        | target 0
            A1 refused: source main may only open positions, and this closes one (target)
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
            A2 refused: source main may only open positions, and this closes one (target)
            - source_verbs: refuse

        buy 2; filled 1 | target -1
            A2 refused: source main may only open positions, and this closes one (target)
            - source_verbs: refuse

        buy 2; filled 1 | sell 1
            A2 refused: source main may only open positions, and this closes one (sell)
            - source_verbs: refuse

        buy 2; filled 1 | sell 5
            A2 refused: source main may only open positions, and this closes one (sell)
            - source_verbs: refuse

        buy 2; filled 1 | sell 1 limit 110
            A2 refused: source main may only open positions, and this closes one (sell)
            - source_verbs: refuse

        buy 2; filled 1 | enter short 1
            A2 refused: can't enter short while the strategy holds long 2; close it first, or use reverse
            - source_verbs: pass
            - previous_position: refuse

        buy 2 | sell 2
            A2 refused: source main may only open positions, and this closes one (sell)
            - source_verbs: refuse
        "#,
    );
}
