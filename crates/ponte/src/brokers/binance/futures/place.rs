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
    /// The service that a kind of order belongs to.
    pub(super) const fn of(kind: OrderKind) -> Self {
        match kind {
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
    let Some(symbol) = symbols::to_wire(&plan.symbol) else {
        return Err(format!(
            "{} is not a perpetual contract, whose names end in .P",
            plan.symbol
        ));
    };
    let service = Service::of(plan.kind);
    let mut params = match service {
        Service::Regular => Params::new(),
        Service::Conditional => Params::new().with("algoType", "CONDITIONAL"),
    }
    .with("symbol", symbol)
    .with("side", side(plan.side));
    if mode == PositionMode::Hedge {
        params = params.with("positionSide", position_side(plan));
    }
    params = with_terms(params, plan, style)?;
    params = with_size(params, plan, mode, style);
    let params = match service {
        Service::Regular => params
            .with("newClientOrderId", plan.id.to_string())
            .with("newOrderRespType", "RESULT"),
        Service::Conditional => params.with("clientAlgoId", plan.id.to_string()),
    };
    Ok(Placement { service, params })
}

fn with_terms(params: Params, plan: &OrderPlan, style: StopStyle) -> Result<Params, String> {
    let working_type = working_type(style.trigger);
    Ok(match plan.kind {
        OrderKind::Single {
            terms: Terms::Market,
        } => params.with("type", "MARKET"),
        OrderKind::Single {
            terms: Terms::Limit { price },
        } => params
            .with("type", "LIMIT")
            .with("timeInForce", "GTC")
            .number("price", price.get()),
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
mod tests {
    use super::super::samples::{market, plan_of, price};
    use super::*;
    use rust_decimal::Decimal;

    const QUANTITY: StopStyle = StopStyle {
        size: StopSize::Quantity,
        trigger: TriggerPrice::Last,
    };
    const CLOSING: StopStyle = StopStyle {
        size: StopSize::ClosePosition,
        trigger: TriggerPrice::Mark,
    };

    fn stop() -> OrderKind {
        OrderKind::Single {
            terms: Terms::Stop {
                trigger: price(58_000),
            },
        }
    }

    fn query(plan: &OrderPlan, mode: PositionMode, style: StopStyle) -> String {
        let placement = placement(plan, mode, style).expect("a plan that can be sent");
        format!(
            "{} {}",
            placement.service.path(),
            placement.params.encoded()
        )
    }

    #[test]
    fn every_kind_has_its_parameters() {
        let entry = OrderClass::Entry;
        let cases = [
            (
                market(),
                "/fapi/v1/order symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.5&newClientOrderId=ID&newOrderRespType=RESULT",
            ),
            (
                OrderKind::Single {
                    terms: Terms::Limit {
                        price: price(60_000),
                    },
                },
                "/fapi/v1/order symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=60000&quantity=0.5\
                 &newClientOrderId=ID&newOrderRespType=RESULT",
            ),
            (
                stop(),
                "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=STOP_MARKET&triggerPrice=58000\
                 &workingType=CONTRACT_PRICE&quantity=0.5&clientAlgoId=ID",
            ),
            (
                OrderKind::Single {
                    terms: Terms::StopLimit {
                        trigger: price(58_000),
                        price: price(57_900),
                    },
                },
                "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=STOP&timeInForce=GTC\
                 &triggerPrice=58000&price=57900&workingType=CONTRACT_PRICE&quantity=0.5&clientAlgoId=ID",
            ),
            (
                OrderKind::TrailingStop {
                    distance_percent: Decimal::new(150, 2),
                },
                "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=TRAILING_STOP_MARKET\
                 &callbackRate=1.5&workingType=CONTRACT_PRICE&quantity=0.5&clientAlgoId=ID",
            ),
        ];
        for (kind, expected) in cases {
            let plan = plan_of(kind, Side::Buy, entry);
            let expected = expected.replace("ID", &plan.id.to_string());
            assert_eq!(query(&plan, PositionMode::OneWay, QUANTITY), expected);
        }
    }

    #[test]
    fn a_hedge_account_is_told_the_side_of_the_position_and_never_reduce_only() {
        let cases = [
            (OrderClass::Entry, Side::Buy, "LONG"),
            (OrderClass::Entry, Side::Sell, "SHORT"),
            (OrderClass::Exit, Side::Sell, "LONG"),
            (OrderClass::Exit, Side::Buy, "SHORT"),
            (OrderClass::Protection, Side::Sell, "LONG"),
            (OrderClass::Protection, Side::Buy, "SHORT"),
        ];
        for (class, side, expected) in cases {
            let mut plan = plan_of(market(), side, class);
            plan.reduce_only = class.reduces();
            let hedge = query(&plan, PositionMode::Hedge, QUANTITY);
            assert!(
                hedge.contains(&format!("positionSide={expected}")),
                "{hedge}"
            );
            assert!(!hedge.contains("reduceOnly"), "{hedge}");
            let one_way = query(&plan, PositionMode::OneWay, QUANTITY);
            assert!(!one_way.contains("positionSide"), "{one_way}");
            assert_eq!(one_way.contains("reduceOnly=true"), class.reduces());
        }
    }

    #[test]
    fn only_a_protective_stop_of_the_whole_position_closes_it() {
        let mut plan = plan_of(stop(), Side::Sell, OrderClass::Protection);
        plan.reduce_only = true;
        let text = query(&plan, PositionMode::OneWay, CLOSING);
        assert!(
            text.contains("workingType=MARK_PRICE&closePosition=true&clientAlgoId"),
            "{text}"
        );
        assert!(
            !text.contains("quantity") && !text.contains("reduceOnly"),
            "{text}"
        );

        let with_quantity = |plan: &OrderPlan, style| {
            let text = query(plan, PositionMode::OneWay, style);
            text.contains("quantity=0.5") && !text.contains("closePosition")
        };
        assert!(with_quantity(&plan, QUANTITY));
        plan.reduce_only = false;
        assert!(
            with_quantity(&plan, CLOSING),
            "another strategy holds the symbol too"
        );
        plan.reduce_only = true;
        plan.class = OrderClass::Exit;
        assert!(with_quantity(&plan, CLOSING));
        plan.class = OrderClass::Protection;
        plan.kind = OrderKind::TrailingStop {
            distance_percent: Decimal::ONE,
        };
        assert!(with_quantity(&plan, CLOSING));
    }

    #[test]
    fn what_the_exchange_has_no_words_for_is_not_sent() {
        let oco = OrderKind::OneCancelsOther {
            stop: price(1),
            target: price(2),
        };
        let plan = plan_of(oco, Side::Sell, OrderClass::Protection);
        assert!(placement(&plan, PositionMode::OneWay, QUANTITY).is_err());
        let mut plan = plan_of(market(), Side::Buy, OrderClass::Entry);
        plan.symbol = ponte_core::id::Symbol::new("BTCUSDT").expect("a symbol");
        let refusal = placement(&plan, PositionMode::OneWay, QUANTITY);
        assert_eq!(
            refusal,
            Err("BTCUSDT is not a perpetual contract, whose names end in .P".to_owned())
        );
    }
}
