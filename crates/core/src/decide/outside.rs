//! A person or the broker has closed something of a position: the book follows what is true.

use std::time::Duration;

use rust_decimal::Decimal;

use super::{Context, Decision};
use crate::id::{AccountName, StrategyName, StrategyTag};
use crate::message::Event;
use crate::order::{Lane, OrderClass};
use crate::outside::{OutsideFill, ReducedOutside};
use crate::state::AccountState;

/// By how much the broker's clock and ours may differ.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(60);

/// A deal that nobody here has ordered has made a position smaller. One that is told again changes
/// nothing.
pub(super) fn filled(context: Context<'_>, account: &AccountName, fill: &OutsideFill) -> Decision {
    let known = context.state.account(account);
    if fill.quantity <= Decimal::ZERO
        || known.is_some_and(|known| known.outside.is_known(fill.deal))
    {
        return Decision::default();
    }
    reduce(context, account, fill, true)
}

/// What deals have closed of entries whose fills were not known yet, by what is known now.
pub(super) fn settle(context: Context<'_>, account: &AccountState, lane: &Lane) -> Decision {
    let mut decision = Decision::default();
    // One at a time: what it takes is not among the facts yet.
    for fill in account.outside.owed_in(&lane.symbol) {
        decision.join(reduce(context, &lane.account, fill, false));
        if !decision.events.is_empty() {
            break;
        }
    }
    decision
}

fn reduce(
    context: Context<'_>,
    account: &AccountName,
    fill: &OutsideFill,
    is_new: bool,
) -> Decision {
    let state = context.state.account(account);
    let owner = state.and_then(|state| owner(state, fill));
    let held = match (state, owner) {
        (Some(state), Some(owner)) => {
            let held = state.held(owner, &fill.symbol);
            fill.side.opposite().signed(held).max(Decimal::ZERO)
        }
        (None | Some(_), None) | (None, Some(_)) => Decimal::ZERO,
    };
    let quantity = fill.quantity.min(held);
    let rest = fill.quantity - quantity;
    let awaits = match (state, owner) {
        (Some(state), Some(owner)) => may_bring_more(state, owner, fill),
        (None | Some(_), None) | (None, Some(_)) => false,
    };
    let is_owed = rest > Decimal::ZERO && awaits;
    let mut decision = Decision::default();
    if quantity.is_zero() && is_owed && !is_new {
        return decision;
    }
    let fee = fill
        .fee
        .saturating_mul(quantity)
        .checked_div(fill.quantity)
        .unwrap_or_default()
        .normalize();
    let owed = is_owed.then(|| {
        Box::new(OutsideFill {
            quantity: rest.normalize(),
            fee: (fill.fee - fee).normalize(),
            ..fill.clone()
        })
    });
    decision.push(Event::PositionReducedOutside(ReducedOutside {
        account: account.clone(),
        strategy: owner.cloned(),
        symbol: fill.symbol.clone(),
        deal: fill.deal,
        side: fill.side,
        quantity: quantity.normalize(),
        price: fill.price,
        fee,
        reason: fill.reason.clone(),
        owed,
        at: fill.at,
    }));
    let Some(owner) = owner else {
        return decision;
    };
    let too_much = if is_owed { Decimal::ZERO } else { rest };
    if let Some(message) = words(account, owner, fill, quantity, too_much) {
        decision.alarm(message, None);
    }
    decision
}

fn words(
    account: &AccountName,
    owner: &StrategyName,
    fill: &OutsideFill,
    quantity: Decimal,
    too_much: Decimal,
) -> Option<String> {
    let OutsideFill {
        symbol,
        deal,
        price,
        reason,
        ..
    } = fill;
    let closed = |quantity: Decimal| {
        let quantity = quantity.normalize();
        format!(
            "the broker or a person closed {quantity} {symbol} of {owner} in {account} at {price} \
             (deal {deal}, {reason})"
        )
    };
    match (quantity.is_zero(), too_much.is_zero()) {
        (true, true) => None,
        (false, true) => Some(format!("{}: Ponte's position follows", closed(quantity))),
        (is_none, false) => {
            let too_much = too_much.normalize();
            let said = closed(quantity + too_much);
            let rest = if is_none {
                "Ponte held none of it".to_owned()
            } else {
                format!(
                    "Ponte's position follows with {}, the other {too_much} was not held",
                    quantity.normalize()
                )
            };
            Some(format!(
                "{said}: {rest}; compare the account's positions with ponte doctor"
            ))
        }
    }
}

/// The strategy whose position a deal has made smaller: of those with the tag, one that holds it.
fn owner<'a>(account: &'a AccountState, fill: &OutsideFill) -> Option<&'a StrategyName> {
    let has_tag = |name: &&StrategyName| StrategyTag::of(name) == fill.owner;
    let holders = account
        .positions
        .iter()
        .filter(|(_, symbols)| symbols.contains_key(&fill.symbol))
        .map(|(name, _)| name);
    let traders = account
        .orders_in(&fill.symbol)
        .map(|order| &order.plan.strategy);
    let mut all: Vec<_> = holders.chain(traders).filter(has_tag).collect();
    all.sort_by_key(|name| account.held(name, &fill.symbol).is_zero());
    all.first().copied()
}

/// Whether an entry is open that may have traded before the deal: what it brought may be what was
/// closed.
fn may_bring_more(account: &AccountState, owner: &StrategyName, fill: &OutsideFill) -> bool {
    account.orders_in(&fill.symbol).any(|order| {
        order.plan.strategy == *owner
            && order.plan.class == OrderClass::Entry
            && order.plan.side == fill.side.opposite()
            && order.status.may_be_at_broker()
            && order.planned_at <= fill.at.after(CLOCKS_DIFFER_MAX)
    })
}
