//! The auditor's second half: fates, positions, protection and caps once everything has come to rest.

use std::collections::BTreeMap;

use ponte_core::id::ClientOrderId;
use ponte_core::message::{Event, OrderEnd};
use ponte_core::order::{OrderClass, OrderKind, OrderStatus};
use ponte_core::signal::Terms;
use rust_decimal::Decimal;

use super::auditor::{Audit, Books, Evidence, hold};
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
        let account = order.plan.account.as_str();
        let there = evidence.venue.find(account, &id.to_string()).unwrap();
        hold(there.is_some_and(ponte_venue::Order::is_open), || {
            format!("order {id} works here and not at the venue")
        })?;
    }
    for account in ACCOUNTS {
        let (orders, _) = evidence.venue.all_orders(account).unwrap();
        for order in orders {
            let id: ClientOrderId = order.request.client_order_id.parse().unwrap();
            let here = evidence.state.open_order(&id).is_some();
            hold(here == order.is_open(), || {
                format!(
                    "order {id} is {:?} at the venue and open here: {here}",
                    order.status
                )
            })?;
            let known = books.traded.get(&id).copied().unwrap_or_default();
            hold(known == order.filled_quantity, || {
                format!(
                    "order {id} traded {} at the venue and {known} here",
                    order.filled_quantity
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
        for position in evidence.venue.positions(account).unwrap() {
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
        for order in evidence.venue.open_orders(account).unwrap() {
            let id: ClientOrderId = order.request.client_order_id.parse().unwrap();
            let plan = books.plans[&id];
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
                *resting.entry(key).or_default() += plan.side.signed(order.remaining_quantity());
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

/// No entry takes an account past its largest position.
pub(super) fn caps(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let most = Decimal::from(MAX_POSITION);
    for account in ACCOUNTS {
        let (orders, _) = evidence.venue.all_orders(account).unwrap();
        let mut fills: Vec<_> = orders
            .iter()
            .flat_map(|order| {
                order
                    .fills
                    .iter()
                    .map(move |fill| (fill.trade_id, order, fill))
            })
            .collect();
        fills.sort_by_key(|(trade, _, _)| *trade);
        // By side: what one strategy holds long is no credit for what another may hold short.
        let mut held: BTreeMap<(String, String), Decimal> = BTreeMap::new();
        for (_, order, fill) in fills {
            let id: ClientOrderId = order.request.client_order_id.parse().unwrap();
            let plan = books.plans[&id];
            let symbol = plan.symbol.as_str().to_owned();
            let key = (symbol.clone(), plan.strategy.as_str().to_owned());
            *held.entry(key).or_default() += plan.side.signed(fill.quantity);
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
        }
    }
    Ok(())
}
