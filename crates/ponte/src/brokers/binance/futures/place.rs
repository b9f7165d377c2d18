//! A plan as the exchange wants to read it: which service takes it, and with which parameters.

use ponte_core::order::{OrderClass, OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};

use super::symbols;
use crate::brokers::binance::options::{StopSize, TriggerPrice};
use crate::brokers::binance::params::Params;

/// Whether the account holds one net position for each symbol or a long and a short one side by
/// side (USDⓈ-M Futures, "Change Position Mode").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PositionMode {
    /// One net position.
    OneWay,
    /// A long and a short one.
    Hedge,
}

/// Which of the exchange's two services has an order. Since December 2025 everything that waits
/// for a trigger goes to the algo service (USDⓈ-M Futures, "New Algo Order").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// The order book: market and limit orders.
    Regular,
    /// Orders that wait for a trigger and then become regular ones.
    Conditional,
}

impl Service {
    /// The service that an order belongs to. Targets wait for their price as conditional orders: in
    /// the book they would count as orders that close the position, and the exchange refuses a close
    /// of what they have claimed already (`-2022` in hedge mode; `-4118` has been reported).
    pub(super) const fn of(plan: &OrderPlan) -> Self {
        let protects = match plan.class {
            OrderClass::Protection => true,
            OrderClass::Exit | OrderClass::Entry => false,
        };
        match plan.kind {
            OrderKind::Single {
                terms: Terms::Limit { .. },
            } if protects => Self::Conditional,
            OrderKind::Single {
                terms: Terms::Market | Terms::Limit { .. },
            } => Self::Regular,
            OrderKind::Single {
                terms: Terms::Stop { .. } | Terms::StopLimit { .. },
            }
            | OrderKind::OneCancelsOther { .. }
            | OrderKind::TrailingStop { .. } => Self::Conditional,
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Regular => Self::Conditional,
            Self::Conditional => Self::Regular,
        }
    }

    /// The path of its orders over REST.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Regular => "/fapi/v1/order",
            Self::Conditional => "/fapi/v1/algoOrder",
        }
    }

    /// The method that places an order over the WebSocket API.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Regular => "order.place",
            Self::Conditional => "algoOrder.place",
        }
    }
}

/// An order, ready to be signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    /// Who takes it.
    pub(super) service: Service,
    /// Everything but the time stamp and the signature.
    pub(super) params: Params,
}

/// What the owner chose about stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopStyle {
    /// What protective stops carry.
    pub(super) size: StopSize,
    /// Which price triggers.
    pub(super) trigger: TriggerPrice,
}

/// Translates a plan.
///
/// # Errors
/// One sentence, where the plan can't be said in the exchange's words.
pub(super) fn placement(
    plan: &OrderPlan,
    mode: PositionMode,
    style: StopStyle,
) -> Result<Placement, String> {
    placement_with(Service::of(plan), plan, mode, style)
}

/// Translates a target as an order of the book, for a market that has reached its price already.
///
/// # Errors
/// As [`placement`].
pub(super) fn target_in_book(
    plan: &OrderPlan,
    mode: PositionMode,
    style: StopStyle,
) -> Result<Placement, String> {
    placement_with(Service::Regular, plan, mode, style)
}

fn placement_with(
    service: Service,
    plan: &OrderPlan,
    mode: PositionMode,
    style: StopStyle,
) -> Result<Placement, String> {
    let Some(symbol) = symbols::to_wire(&plan.symbol) else {
        return Err(format!(
            "{} is not a perpetual contract, whose names end in .P",
            plan.symbol
        ));
    };
    let mut params = match service {
        Service::Regular => Params::new(),
        Service::Conditional => Params::new().with("algoType", "CONDITIONAL"),
    }
    .with("symbol", symbol)
    .with("side", side(plan.side));
    if mode == PositionMode::Hedge {
        params = params.with("positionSide", position_side(plan));
    }
    params = with_terms(params, plan, service, style)?;
    params = with_size(params, plan, mode, style);
    let params = match service {
        Service::Regular => params
            .with("newClientOrderId", plan.id.to_string())
            .with("newOrderRespType", "RESULT"),
        Service::Conditional => params.with("clientAlgoId", plan.id.to_string()),
    };
    Ok(Placement { service, params })
}

fn with_terms(
    params: Params,
    plan: &OrderPlan,
    service: Service,
    style: StopStyle,
) -> Result<Params, String> {
    let working_type = working_type(style.trigger);
    Ok(match plan.kind {
        OrderKind::Single {
            terms: Terms::Market,
        } => params.with("type", "MARKET"),
        OrderKind::Single {
            terms: Terms::Limit { price },
        } => {
            let params = match service {
                Service::Regular => params.with("type", "LIMIT"),
                Service::Conditional => params
                    .with("type", "TAKE_PROFIT")
                    .number("triggerPrice", price.get())
                    .with("workingType", working_type),
            };
            params
                .with("timeInForce", "GTC")
                .number("price", price.get())
        }
        OrderKind::Single {
            terms: Terms::Stop { trigger },
        } => params
            .with("type", "STOP_MARKET")
            .number("triggerPrice", trigger.get())
            .with("workingType", working_type),
        OrderKind::Single {
            terms: Terms::StopLimit { trigger, price },
        } => params
            .with("type", "STOP")
            .with("timeInForce", "GTC")
            .number("triggerPrice", trigger.get())
            .number("price", price.get())
            .with("workingType", working_type),
        OrderKind::TrailingStop { distance_percent } => params
            .with("type", "TRAILING_STOP_MARKET")
            .number("callbackRate", distance_percent)
            .with("workingType", working_type),
        OrderKind::OneCancelsOther { .. } => {
            return Err(
                "the futures exchange has no order of which one side cancels the other".to_owned(),
            );
        }
    })
}

fn with_size(params: Params, plan: &OrderPlan, mode: PositionMode, style: StopStyle) -> Params {
    if closes_position(plan, style.size) {
        // It takes neither a quantity nor reduceOnly, which it implies.
        return params.with("closePosition", "true");
    }
    let params = params.number("quantity", plan.quantity.get());
    // In hedge mode the side of the position says it, and the flag is refused.
    if plan.reduce_only && mode == PositionMode::OneWay {
        params.with("reduceOnly", "true")
    } else {
        params
    }
}

/// Whether the order is a stop that closes whatever the position then is. Only a stop at the market
/// can be one, and only where the whole position is Ponte's to close.
pub(super) const fn closes_position(plan: &OrderPlan, size: StopSize) -> bool {
    let wanted = match size {
        StopSize::ClosePosition => true,
        StopSize::Quantity => false,
    };
    let protects = match plan.class {
        OrderClass::Protection => true,
        OrderClass::Exit | OrderClass::Entry => false,
    };
    let stops_at_market = match plan.kind {
        OrderKind::Single {
            terms: Terms::Stop { .. },
        } => true,
        OrderKind::Single {
            terms: Terms::Market | Terms::Limit { .. } | Terms::StopLimit { .. },
        }
        | OrderKind::OneCancelsOther { .. }
        | OrderKind::TrailingStop { .. } => false,
    };
    wanted && protects && stops_at_market && plan.reduce_only
}

/// The side of a hedge account's position that an order changes.
const fn position_side(plan: &OrderPlan) -> &'static str {
    match (plan.class.reduces(), plan.side) {
        (false, Side::Buy) | (true, Side::Sell) => "LONG",
        (false, Side::Sell) | (true, Side::Buy) => "SHORT",
    }
}

/// The exchange's word for a side.
pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

const fn working_type(trigger: TriggerPrice) -> &'static str {
    match trigger {
        TriggerPrice::Last => "CONTRACT_PRICE",
        TriggerPrice::Mark => "MARK_PRICE",
    }
}

#[cfg(test)]
mod tests;
