//! The auditor's second half: fates, positions, protection and caps once everything has come to rest.

use std::collections::BTreeMap;

use ponte_core::message::{Event, OrderEnd};
use ponte_core::order::{OrderClass, OrderKind, OrderStatus};
use ponte_core::signal::Terms;
use rust_decimal::Decimal;

use super::auditor::{Audit, Books, Evidence, hold};
use super::broker::Seen;
use super::levels::{self, Pair};
use super::setting::{ACCOUNTS, MAX_POSITION};

/// Account, strategy, symbol.
type Holding = (String, String, String);

/// No order is left without a fate, and what works here works there.
pub(super) fn fates(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    for order in evidence.state.open_orders() {
        let id = order.plan.id;
        hold(order.status == OrderStatus::Working, || {
            format!(
                "order {id} is still {} when all is quiet",
                order.status.as_str()
            )
        })?;
        hold(!order.cancel_requested, || {
            format!("order {id} was to be taken back and still works")
        })?;
        let there = evidence.broker.orders(order.plan.account.as_str());
        let there = there.iter().find(|there| there.id == id);
        hold(there.is_some_and(|there| there.is_open), || {
            format!("order {id} works here and not at the venue")
        })?;
    }
    for account in ACCOUNTS {
        for order in evidence.broker.orders(account) {
            let id = order.id;
            let here = evidence.state.open_order(&id).is_some();
            hold(here == order.is_open, || {
                format!(
                    "order {id} is open at the venue: {}, and here: {here}",
                    order.is_open
                )
            })?;
            let known = books.traded.get(&id).copied().unwrap_or_default();
            hold(known == order.filled, || {
                format!(
                    "order {id} traded {} at the venue and {known} here",
                    order.filled
                )
            })?;
        }
    }
    Ok(())
}

/// Positions: the state's, the journal's fills and the venue's are the same.
pub(super) fn positions(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let mut by_lane: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for (holding, quantity) in held(books) {
        *by_lane.entry((holding.0, holding.2)).or_default() += quantity;
    }
    let mut by_strategy = held(books);
    for view in evidence.state.positions() {
        let key = (
            view.key.account.as_str().to_owned(),
            view.key.strategy.as_str().to_owned(),
            view.key.symbol.as_str().to_owned(),
        );
        let journal = by_strategy.remove(&key).unwrap_or_default();
        hold(journal == view.quantity, || {
            format!(
                "{key:?} holds {} in the state and {journal} in the journal",
                view.quantity
            )
        })?;
    }
    hold(by_strategy.values().all(Decimal::is_zero), || {
        format!("the state forgets {by_strategy:?}")
    })?;
    for account in ACCOUNTS {
        for position in evidence.broker.venue.positions(account).unwrap() {
            let here = by_lane.remove(&(account.to_owned(), position.symbol.clone()));
            hold(here == Some(position.quantity), || {
                format!(
                    "{account} holds {} {} at the venue and {here:?} here",
                    position.quantity, position.symbol
                )
            })?;
        }
    }
    hold(by_lane.values().all(Decimal::is_zero), || {
        format!("the venue does not hold {by_lane:?}")
    })
}

fn held(books: &Books<'_>) -> BTreeMap<Holding, Decimal> {
    let mut held = BTreeMap::new();
    for (id, quantity) in &books.traded {
        let plan = books.plans[id];
        let key = (
            plan.account.as_str().to_owned(),
            plan.strategy.as_str().to_owned(),
            plan.symbol.as_str().to_owned(),
        );
        *held.entry(key).or_insert(Decimal::ZERO) += plan.side.signed(*quantity);
    }
    held
}

/// No naked position: the strategies that enter with a stop have all of what they hold behind
/// stops that rest at the venue, and not more.
pub(super) fn protection(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let mut resting: BTreeMap<Holding, Decimal> = BTreeMap::new();
    for account in ACCOUNTS {
        let orders = evidence.broker.orders(account);
        for order in orders.iter().filter(|order| order.is_open) {
            let plan = books.plans[&order.id];
            let stops = match plan.kind {
                OrderKind::OneCancelsOther { .. } | OrderKind::TrailingStop { .. } => true,
                OrderKind::Single { terms } => matches!(terms, Terms::Stop { .. }),
            };
            if plan.class == OrderClass::Protection && stops {
                let key = (
                    account.to_owned(),
                    plan.strategy.as_str().to_owned(),
                    plan.symbol.as_str().to_owned(),
                );
                *resting.entry(key).or_default() += plan.side.signed(order.quantity - order.filled);
            }
        }
    }
    // A rejected exit of a person's or a program's is shouted about; nobody can do more.
    let exit_failed = evidence.journal.iter().any(|(_, event)| {
        matches!(event, Event::OrderEnded { id, end: OrderEnd::Rejected | OrderEnd::Expired, .. }
            if books.plans[id].class == OrderClass::Exit)
    });
    let too_large = kept_too_large(evidence, books);
    for (holding, quantity) in held(books) {
        let behind = resting.get(&holding).copied().unwrap_or_default();
        let wanted = if holding.1 == "S2" {
            Decimal::ZERO
        } else {
            -quantity
        };
        let kept = too_large.contains(&holding) && behind.abs() >= wanted.abs();
        hold(behind == wanted || kept || exit_failed, || {
            format!("{holding:?} holds {quantity}, and stops of {behind} rest behind it")
        })?;
    }
    Ok(())
}

/// The holdings whose protection the broker refused to make smaller: the larger one stays, which is
/// too much and not too little.
fn kept_too_large(evidence: &Evidence<'_>, books: &Books<'_>) -> Vec<Holding> {
    let refused = |event: &Event| {
        let Event::OrderEnded {
            id,
            end: OrderEnd::Rejected,
            ..
        } = event
        else {
            return None;
        };
        Some(books.plans[id]).filter(|plan| plan.replaces.is_some())
    };
    evidence
        .journal
        .iter()
        .filter_map(|(_, event)| refused(event))
        .map(|plan| {
            (
                plan.account.as_str().to_owned(),
                plan.strategy.as_str().to_owned(),
                plan.symbol.as_str().to_owned(),
            )
        })
        .collect()
}

/// A position that carries its levels has those that its protection names, all of it the same.
pub(super) fn levels(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let too_large = kept_too_large(evidence, books);
    for shield in evidence.broker.levels.shields() {
        let plan = &shield.plan;
        let holding = (
            plan.account.as_str().to_owned(),
            plan.strategy.as_str().to_owned(),
            plan.symbol.as_str().to_owned(),
        );
        if !shield.is_open() || too_large.contains(&holding) {
            continue;
        }
        let there = evidence.broker.levels.of(plan.symbol.as_str());
        hold(there == Pair::of(plan), || {
            format!(
                "order {} stands for {:?}, the position has {there:?}",
                plan.id, plan.kind
            )
        })?;
    }
    Ok(())
}

/// No entry takes an account past its largest position.
pub(super) fn caps(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let most = Decimal::from(MAX_POSITION);
    for account in ACCOUNTS {
        let mut fills = Vec::new();
        for Seen { id, trades, .. } in evidence.broker.orders(account) {
            fills.extend(trades.into_iter().map(|trade| (trade, id)));
        }
        fills.sort_by_key(|((trade, _), _)| *trade);
        // By side: what one strategy holds long is no credit for what another may hold short.
        let mut held: BTreeMap<(String, String), Decimal> = BTreeMap::new();
        for ((_, quantity), id) in fills {
            let plan = books.plans[&id];
            let symbol = plan.symbol.as_str().to_owned();
            let key = (symbol.clone(), plan.strategy.as_str().to_owned());
            *held.entry(key.clone()).or_default() += plan.side.signed(quantity);
            if plan.class != OrderClass::Entry {
                continue;
            }
            let on_side: Decimal = held
                .iter()
                .filter(|((of, _), _)| *of == symbol)
                .map(|(_, quantity)| plan.side.signed(*quantity).max(Decimal::ZERO))
                .sum();
            hold(on_side <= most, || {
                format!("entry {id} brings {account} to {on_side} {symbol}, above {most}")
            })?;
            if account != levels::ACCOUNT {
                continue;
            }
            let other = held
                .iter()
                .find(|(of, quantity)| of.0 == symbol && of.1 != key.1 && !quantity.is_zero());
            hold(other.is_none(), || {
                format!("entry {id} is of {}, and {other:?} is held already", key.1)
            })?;
        }
    }
    Ok(())
}
