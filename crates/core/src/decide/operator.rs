//! What a person asks for: halt, resume, flatten.

use std::collections::BTreeSet;

use super::exits::{self, ExitOrigin, Holding};
use super::{Context, Decision, cancel};
use crate::halt::{Halt, HaltLevel, Scope};
use crate::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use crate::message::{Command, Event, OperatorAction, OperatorRequest, SourceSwitched};
use crate::order::{OrderClass, OrderKind, OrderStatus, Origin};

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
            Decision::event(Event::SourceSwitched(SourceSwitched {
                source,
                on,
                by,
                reason,
            }))
        }
        OperatorAction::Record { action, detail } => {
            Decision::event(Event::OperatorActed { by, action, detail })
        }
    }
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
