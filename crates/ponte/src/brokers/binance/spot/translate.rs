//! An order's plan in the spot exchange's own terms.

use ponte_core::number::Price;
use ponte_core::order::{OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use rust_decimal::Decimal;

use super::ledger::Shape;
use crate::brokers::binance::ids::Leg;
use crate::brokers::binance::params::Params;

/// One percent in basis points.
const BASIS_POINTS: Decimal = Decimal::ONE_HUNDRED;

/// The exchange's word for a direction.
pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// Whether the order is one order at the exchange or a pair.
pub(super) const fn shape(plan: &OrderPlan) -> Shape {
    match plan.kind {
        OrderKind::Single { .. } | OrderKind::TrailingStop { .. } => Shape::Single,
        OrderKind::OneCancelsOther { .. } => Shape::Pair,
    }
}

/// The parameters that place the order: of `POST /api/v3/order`, or of `POST
/// /api/v3/orderList/oco` for a pair.
///
/// # Errors
/// What the exchange has no order for.
pub(super) fn place(plan: &OrderPlan) -> Result<Params, String> {
    let named = |name| {
        Params::new()
            .with("symbol", plan.symbol.as_str())
            .with(name, plan.id)
    };
    match plan.kind {
        OrderKind::Single { terms } => Ok(single(named("newClientOrderId"), plan, terms)),
        OrderKind::TrailingStop { distance_percent } => {
            let delta = distance_percent.saturating_mul(BASIS_POINTS).normalize();
            if delta.scale() > 0 || delta <= Decimal::ZERO {
                return Err(format!(
                    "a stop that follows at {distance_percent} % can't be placed: binance takes \
                     whole basis points (0.01 %)"
                ));
            }
            let params = named("newClientOrderId")
                .with("side", side(plan.side))
                .with("type", "STOP_LOSS")
                .number("quantity", plan.quantity.get())
                .number("trailingDelta", delta);
            Ok(params.with("newOrderRespType", "FULL"))
        }
        OrderKind::OneCancelsOther { stop, target } => {
            Ok(pair(named("listClientOrderId"), plan, stop, target))
        }
    }
}

fn single(named: Params, plan: &OrderPlan, terms: Terms) -> Params {
    let params = named
        .with("side", side(plan.side))
        .number("quantity", plan.quantity.get());
    let params = match terms {
        Terms::Market => params.with("type", "MARKET"),
        // LIMIT rather than LIMIT_MAKER: a target that the market has passed already must execute.
        Terms::Limit { price } => params
            .with("type", "LIMIT")
            .with("timeInForce", "GTC")
            .number("price", price.get()),
        Terms::Stop { trigger } => params
            .with("type", "STOP_LOSS")
            .number("stopPrice", trigger.get()),
        Terms::StopLimit { trigger, price } => params
            .with("type", "STOP_LOSS_LIMIT")
            .with("timeInForce", "GTC")
            .number("price", price.get())
            .number("stopPrice", trigger.get()),
    };
    params.with("newOrderRespType", "FULL")
}

/// A sell has its target above the market and its stop below; a buy the other way round (Binance
/// Spot API, "New order list - OCO").
fn pair(named: Params, plan: &OrderPlan, stop: Price, target: Price) -> Params {
    let params = named
        .with("side", side(plan.side))
        .number("quantity", plan.quantity.get());
    let (stop_id, target_id) = (Leg::Stop.wire_id(plan.id), Leg::Target.wire_id(plan.id));
    let params = match plan.side {
        Side::Sell => params
            .with("aboveType", "LIMIT_MAKER")
            .with("aboveClientOrderId", target_id)
            .number("abovePrice", target.get())
            .with("belowType", "STOP_LOSS")
            .with("belowClientOrderId", stop_id)
            .number("belowStopPrice", stop.get()),
        Side::Buy => params
            .with("aboveType", "STOP_LOSS")
            .with("aboveClientOrderId", stop_id)
            .number("aboveStopPrice", stop.get())
            .with("belowType", "LIMIT_MAKER")
            .with("belowClientOrderId", target_id)
            .number("belowPrice", target.get()),
    };
    params.with("newOrderRespType", "FULL")
}

#[cfg(test)]
mod tests;
