//! A plan in MetaTrader's own terms: one trade request, or several where several tickets are closed.
//!
//! Fields and rules are those of MQL5 Reference, "Trade Request Structure", "Order Properties" and
//! "Symbol Properties".

use ponte_core::number::{floor_to_step, is_multiple_of};
use ponte_core::order::{OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use rust_decimal::Decimal;

use super::instruments::{fit_level, fit_price};
use super::options::{Filling, Options, OrderLife};
use super::shields::Levels;
use crate::bridge::protocol::{Position, SymbolInfo, TradeOrder, TradeRequest};

/// `TRADE_ACTION_DEAL`.
const DEAL: u32 = 1;
/// `TRADE_ACTION_PENDING`.
const PENDING: u32 = 5;
/// `TRADE_ACTION_SLTP`.
const SLTP: u32 = 6;
/// `TRADE_ACTION_REMOVE`.
const REMOVE: u32 = 8;

/// `SYMBOL_TRADE_EXECUTION_MARKET`.
const MARKET_EXECUTION: u32 = 2;
/// `SYMBOL_TRADE_EXECUTION_EXCHANGE`.
const EXCHANGE_EXECUTION: u32 = 3;

/// Most requests in one command: more tickets than that are closed by the next one.
const REQUESTS_MAX: usize = 64;

/// What an exit asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    /// The requests, one after the other.
    pub(super) requests: Vec<TradeRequest>,
    /// What they close together; less than the plan where there is less to close.
    pub(super) volume: Decimal,
}

/// An entry, at the market or pending, that brings its levels along.
///
/// # Errors
/// Why the symbol does not take it, with the numbers.
pub(super) fn entry(
    plan: &OrderPlan,
    info: &SymbolInfo,
    options: &Options,
    levels: Levels,
) -> Result<TradeRequest, String> {
    let volume = whole_volume(plan, info)?;
    let request = by_terms(plan, info, options, volume)?;
    Ok(TradeRequest {
        sl: levels.stop.map(|level| fit_level(level, info)),
        tp: levels.target.map(|level| fit_level(level, info)),
        ..request
    })
}

/// An exit in an account with one position for each symbol: an opposite deal, never for more than
/// there is, since that would turn the position over.
///
/// # Errors
/// Why there is nothing to close.
pub(super) fn close_netting(
    plan: &OrderPlan,
    info: &SymbolInfo,
    options: &Options,
    held: Decimal,
) -> Result<Closing, String> {
    let volume = closing_volume(plan.quantity.get().min(held), plan, info)?;
    let requests = portions(volume, info)
        .into_iter()
        .map(|portion| by_terms(plan, info, options, portion))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Closing {
        volume: sum(&requests),
        requests,
    })
}

/// An exit in an account with a position for each entry: the strategy's tickets on the other side,
/// oldest first, each closed by its own request.
///
/// # Errors
/// Why nothing can be closed so.
pub(super) fn close_hedging(
    plan: &OrderPlan,
    info: &SymbolInfo,
    options: &Options,
    tickets: &[Position],
) -> Result<Closing, String> {
    if plan.kind.rests() {
        return Err(format!(
            "an exit of {} can't rest in a hedging account, where a pending order would open another position; \
             exit at the market, or use a target",
            plan.symbol
        ));
    }
    let mut left = plan.quantity.get();
    let mut requests = Vec::new();
    for position in tickets {
        let Ok(volume) = closing_volume(left.min(position.volume), plan, info) else {
            continue;
        };
        left -= volume;
        for portion in portions(volume, info) {
            requests.push(TradeRequest {
                position: Some(position.ticket),
                ..by_terms(plan, info, options, portion)?
            });
        }
    }
    requests.truncate(REQUESTS_MAX);
    if requests.is_empty() {
        return Err(nothing_to_close(plan));
    }
    Ok(Closing {
        volume: sum(&requests),
        requests,
    })
}

/// Changes a position's levels; an absent one is taken away.
pub(super) fn change_levels(position: &Position, levels: Levels) -> TradeRequest {
    TradeRequest {
        action: SLTP,
        symbol: position.symbol.clone(),
        sl: levels.stop,
        tp: levels.target,
        position: Some(position.ticket),
        ..TradeRequest::default()
    }
}

/// Takes a pending order back.
pub(super) fn remove(order: &TradeOrder) -> TradeRequest {
    TradeRequest {
        action: REMOVE,
        symbol: order.symbol.clone(),
        order: Some(order.ticket),
        ..TradeRequest::default()
    }
}

/// What is said where the position is not there (any more).
pub(super) fn nothing_to_close(plan: &OrderPlan) -> String {
    let position = match plan.side {
        Side::Buy => "short",
        Side::Sell => "long",
    };
    format!(
        "the terminal has no {position} position of {} to close: it was closed by its stop, by its target, by a \
         person or by the broker",
        plan.symbol
    )
}

fn sum(requests: &[TradeRequest]) -> Decimal {
    requests
        .iter()
        .filter_map(|request| request.volume)
        .fold(Decimal::ZERO, |sum, volume| sum + volume)
}

/// The volume of an entry, which is never changed here: what does not fit is refused.
fn whole_volume(plan: &OrderPlan, info: &SymbolInfo) -> Result<Decimal, String> {
    let volume = plan.quantity.get();
    let symbol = &plan.symbol;
    if volume < info.volume_min {
        return Err(format!(
            "volume {volume} is below the minimum {} lots of {symbol}",
            info.volume_min.normalize()
        ));
    }
    if !is_multiple_of(volume, info.volume_step) {
        return Err(format!(
            "volume {volume} is not a multiple of the step {} lots of {symbol}",
            info.volume_step.normalize()
        ));
    }
    if info.volume_max > Decimal::ZERO && volume > info.volume_max {
        return Err(format!(
            "volume {volume} is above the maximum {} lots of {symbol}",
            info.volume_max.normalize()
        ));
    }
    Ok(volume)
}

/// The volume of an exit in whole steps.
fn closing_volume(wanted: Decimal, plan: &OrderPlan, info: &SymbolInfo) -> Result<Decimal, String> {
    if wanted <= Decimal::ZERO {
        return Err(nothing_to_close(plan));
    }
    match floor_to_step(wanted, info.volume_step) {
        Some(volume) if volume > Decimal::ZERO => Ok(volume),
        Some(_) | None => Err(format!(
            "volume {wanted} is below one step of {} lots of {}",
            info.volume_step.normalize(),
            plan.symbol
        )),
    }
}

/// An exit is never refused for being large: it goes in several requests.
fn portions(volume: Decimal, info: &SymbolInfo) -> Vec<Decimal> {
    let most = floor_to_step(info.volume_max, info.volume_step)
        .filter(|most| *most > Decimal::ZERO)
        .unwrap_or(volume);
    let mut left = volume;
    let mut portions = Vec::new();
    while left > Decimal::ZERO && portions.len() < REQUESTS_MAX {
        let portion = left.min(most);
        portions.push(portion);
        left -= portion;
    }
    portions
}

fn by_terms(
    plan: &OrderPlan,
    info: &SymbolInfo,
    options: &Options,
    volume: Decimal,
) -> Result<TradeRequest, String> {
    let terms = match plan.kind {
        OrderKind::Single { terms } => terms,
        OrderKind::OneCancelsOther { .. } | OrderKind::TrailingStop { .. } => {
            return Err(format!(
                "an order of {} that is a bracket or trails is not known to the terminal",
                plan.symbol
            ));
        }
    };
    let (buy, flag, what) = match terms {
        Terms::Market => (0, 1, "market"),
        Terms::Limit { .. } => (2, 2, "limit"),
        Terms::Stop { .. } => (4, 4, "stop"),
        Terms::StopLimit { .. } => (6, 8, "stop-limit"),
    };
    if info.order_mode & flag == 0 {
        return Err(format!(
            "{} takes no {what} orders at this broker (its specification's order mode is {})",
            info.name, info.order_mode
        ));
    }
    let request = TradeRequest {
        action: DEAL,
        symbol: info.name.clone(),
        volume: Some(volume),
        order_type: buy + u32::from(plan.side == Side::Sell),
        ..TradeRequest::default()
    };
    let fitted = |price: Decimal| Some(fit_price(price, plan.side, info));
    let triggered = |price: Decimal| Some(fit_price(price, plan.side.opposite(), info));
    let (price, stoplimit) = match terms {
        Terms::Market => {
            return Ok(TradeRequest {
                deviation: Some(options.deviation_points),
                type_filling: market_filling(info, options.filling).number(),
                type_time: market_life(info),
                ..request
            });
        }
        Terms::Limit { price } => (fitted(price.get()), None),
        Terms::Stop { trigger } => (triggered(trigger.get()), None),
        Terms::StopLimit { trigger, price } => (triggered(trigger.get()), fitted(price.get())),
    };
    Ok(TradeRequest {
        action: PENDING,
        price,
        stoplimit,
        // What rests keeps its rest in every execution mode.
        type_filling: Filling::Return.number(),
        type_time: pending_life(info, options.pending_orders_last)?,
        ..request
    })
}

/// How a market order is filled. By request and at instant prices it is all or nothing. Else what
/// the symbol's flags allow, "immediate or cancel" first: nothing may rest that was meant for now.
/// `RETURN` is what remains, and always allowed at exchanges (MQL5 Reference, `SYMBOL_FILLING_MODE`).
fn market_filling(info: &SymbolInfo, configured: Option<Filling>) -> Filling {
    if let Some(filling) = configured {
        return filling;
    }
    match info.execution_mode {
        MARKET_EXECUTION | EXCHANGE_EXECUTION if info.filling_mode & 2 != 0 => Filling::Ioc,
        MARKET_EXECUTION | EXCHANGE_EXECUTION if info.filling_mode & 1 == 0 => Filling::Return,
        _ => Filling::Fok,
    }
}

/// A market order lasts an instant; it only has to name a life that the symbol allows.
const fn market_life(info: &SymbolInfo) -> u32 {
    if info.expiration_mode & 1 == 0 && info.expiration_mode & 2 != 0 {
        1
    } else {
        0
    }
}

/// How long a pending order lasts: as configured, else the other of the two.
fn pending_life(info: &SymbolInfo, configured: OrderLife) -> Result<u32, String> {
    let (gtc, day) = (info.expiration_mode & 1 != 0, info.expiration_mode & 2 != 0);
    match configured {
        OrderLife::Gtc if gtc => Ok(0),
        OrderLife::Day if day => Ok(1),
        OrderLife::Gtc | OrderLife::Day if day => Ok(1),
        OrderLife::Gtc | OrderLife::Day if gtc => Ok(0),
        OrderLife::Gtc | OrderLife::Day => Err(format!(
            "pending orders of {} need a date of expiry at this broker (expiration mode {}), which ponte does not set; \
             use market orders",
            info.name, info.expiration_mode
        )),
    }
}

#[cfg(test)]
mod tests;
