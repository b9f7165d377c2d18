//! What a person asks for: halt, resume, flatten, sources; and what a tripwire asks for by itself.

use std::collections::BTreeSet;

use super::exits::{self, ExitOrigin, Holding};
use super::{Context, Decision, cancel};
use crate::halt::{Halt, HaltLevel, Scope};
use crate::id::{AccountName, AlertId, ClientOrderId, SourceName, StrategyName, Symbol};
use crate::message::{Command, Event, OperatorAction, OperatorRequest, SourceSwitched};
use crate::order::{OrderClass, OrderKind, OrderStatus, Origin};
use crate::source::TRIPWIRE;

/// How many strategies an alarm says how to close.
const FLATTENS_NAMED_MAX: usize = 3;

/// Decides a person's request.
pub(super) fn decide(context: Context<'_>, request: OperatorRequest) -> Decision {
    let by = request.by;
    match request.action {
        OperatorAction::Halt {
            scope,
            level,
            reason,
        } => {
            let halt = Halt {
                scope,
                level,
                by,
                reason,
                since: context.now(),
            };
            let same = |other: &Halt| {
                other.scope == halt.scope && other.level == halt.level && other.by == halt.by
            };
            if context.state.halts.iter().any(same) {
                return Decision::default();
            }
            set_halt(context, halt)
        }
        OperatorAction::Resume { scope } => {
            if !context.state.halts.iter().any(|halt| halt.scope == scope) {
                return Decision::default();
            }
            Decision::event(Event::HaltLifted { scope, by })
        }
        OperatorAction::Flatten { scope } => {
            let mut decision = Decision::event(Event::FlattenRequested {
                scope: scope.clone(),
                by: by.clone(),
            });
            decision.join(flatten(context, &scope, &by));
            decision
        }
        OperatorAction::SwitchSource { source, on, reason } => {
            if on != context.state.sources_off.contains_key(&source) {
                return Decision::default();
            }
            let word = if on { "on" } else { "off" };
            let mut decision = Decision::default();
            decision.command(Command::Notify(format!(
                "source {source} is switched {word} by {by}"
            )));
            decision.push(Event::SourceSwitched(SourceSwitched {
                source,
                on,
                by,
                reason,
            }));
            decision
        }
        OperatorAction::Tripped { source, from } => tripped(context, source, &from),
        OperatorAction::Record { action, detail } => {
            Decision::event(Event::OperatorActed { by, action, detail })
        }
    }
}

/// A secret that nobody uses was used: whoever has it may have others.
fn tripped(context: Context<'_>, source: SourceName, from: &str) -> Decision {
    let known = context.state.sources_off.get(&source);
    if known.is_some_and(|off| off.by == TRIPWIRE) {
        return Decision::default();
    }
    let mut decision = Decision::event(Event::SourceSwitched(SourceSwitched {
        source: source.clone(),
        on: false,
        by: TRIPWIRE.to_owned(),
        reason: Some(format!("its tripwire was used from {from}")),
    }));
    let scope = context.policy.sources.get(&source);
    let strategies = scope.and_then(|policy| policy.scope.strategies.as_ref());
    let message = format!(
        "the tripwire of source {source} was used from {from}: its secrets may be stolen, and its alerts \
         are refused from now on; {}; make new secrets (ponte secret rotate {source} --overlap 0s, \
         ponte secret tripwire {source} --replace), then: ponte source on {source}",
        left_open(context, strategies)
    );
    decision.alarm(message, None);
    decision
}

/// What stays open of a source that is not listened to any more. Which source has opened a position
/// is not in the state; which strategies it may name can be.
fn left_open(context: Context<'_>, strategies: Option<&BTreeSet<StrategyName>>) -> String {
    let accounts = context.state.accounts.values();
    let open: BTreeSet<_> = accounts
        .flat_map(|account| &account.positions)
        .filter(|(strategy, _)| strategies.is_none_or(|known| known.contains(*strategy)))
        .filter(|(_, symbols)| {
            symbols
                .values()
                .any(|position| !position.quantity.is_zero())
        })
        .map(|(strategy, _)| strategy)
        .collect();
    if open.is_empty() {
        return "no position is open".to_owned();
    }
    let names: Vec<_> = open.iter().map(|strategy| strategy.as_str()).collect();
    let flatten = names.iter().take(FLATTENS_NAMED_MAX);
    let flatten: Vec<_> = flatten
        .map(|name| format!("ponte flatten --strategy {name}"))
        .collect();
    let flatten = if names.len() > FLATTENS_NAMED_MAX {
        "ponte flatten".to_owned()
    } else {
        flatten.join(", ")
    };
    format!(
        "positions stay open, with their stops (strategy {}): to close them, {flatten}",
        names.join(", ")
    )
}

fn set_halt(context: Context<'_>, halt: Halt) -> Decision {
    let Halt {
        scope, level, by, ..
    } = halt.clone();
    let mut decision = Decision::default();
    decision.command(Command::Notify(format!(
        "{scope} is halted ({}) by {by}",
        level.as_str()
    )));
    decision.push(Event::HaltSet(halt));
    let reason = format!("halted by {by}");
    let covered = |order: &&crate::order::Order| {
        let plan = &order.plan;
        plan.class == OrderClass::Entry && scope.covers(&plan.account, &plan.strategy, &plan.symbol)
    };
    if level == HaltLevel::Flatten {
        decision.join(flatten(context, &scope, &by));
        return decision;
    }
    for order in context.state.open_orders().filter(covered) {
        // What has not been sent is not sent; what rests stays, until the level that takes it back.
        let unsent = order.status == OrderStatus::Waiting;
        if unsent || level >= HaltLevel::CancelWorking {
            decision.join(cancel::request(order, &reason));
        }
    }
    decision
}

/// Leaves every holding in a scope.
pub(super) fn flatten(context: Context<'_>, scope: &Scope, by: &str) -> Decision {
    leave(context, by, &|account, strategy, symbol| {
        scope.covers(account, strategy, symbol)
    })
}

/// Leaves every holding that is covered, and takes back its entries.
pub(super) fn leave(
    context: Context<'_>,
    by: &str,
    covers: &dyn Fn(&AccountName, &StrategyName, &Symbol) -> bool,
) -> Decision {
    let mut decision = Decision::default();
    let latest = AlertId(context.state.last_alert);
    for (name, account) in &context.state.accounts {
        let mut holdings = BTreeSet::new();
        for (strategy, symbols) in &account.positions {
            for (symbol, position) in symbols {
                if !position.quantity.is_zero() {
                    holdings.insert((strategy, symbol));
                }
            }
        }
        for order in account.orders.values() {
            if order.plan.class == OrderClass::Entry {
                holdings.insert((&order.plan.strategy, &order.plan.symbol));
            }
        }
        for (strategy, symbol) in holdings {
            if !covers(name, strategy, symbol) {
                continue;
            }
            let numbered = |step: &str, number: u32| {
                ClientOrderId::derive(
                    latest,
                    &[
                        context.policy.installation.as_bytes(),
                        b"operator",
                        &context.now().0.to_le_bytes(),
                        name.as_str().as_bytes(),
                        strategy.as_str().as_bytes(),
                        symbol.as_str().as_bytes(),
                        step.as_bytes(),
                        &number.to_le_bytes(),
                    ],
                )
            };
            // Two requests can fall into one moment: all inputs of a batch have the same.
            let is_new = |id: &ClientOrderId| {
                !account.orders.contains_key(id) && !account.closed.contains_key(id)
            };
            let id = |step: &str| {
                (0..)
                    .map(|number| numbered(step, number))
                    .find(is_new)
                    .unwrap_or_else(|| numbered(step, 0))
            };
            let how = ExitOrigin {
                origin: Origin::Operator(by.to_owned()),
                kind: OrderKind::MARKET,
                reason: "flattened",
                id: &id,
                over: None,
            };
            let holding = Holding {
                account: name,
                strategy,
                symbol,
            };
            decision.join(exits::exit(context, holding, None, &how).into_decision());
        }
    }
    decision
}
