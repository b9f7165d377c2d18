//! Orders as JSON: regular, conditional, and their executions, in the answers' formats.

use super::account::{Account, MarginType, Trade};
use super::events::milliseconds;
use super::exchange::FuturesExchange;
use super::order::{
    AlgoOrder, FuturesOrder, OrderStatus, OrderType, PositionSide, PriceMatch, side_text,
};
use super::refusal::Refusal;
use super::symbols::{FuturesSymbol, fixed};
use crate::order::Side;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// How much of an order a placement answers with (`newOrderRespType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseType {
    /// As it was when it arrived.
    Ack,
    /// As it is after what could be executed was.
    Result,
}

pub(crate) fn price_match_text(price_match: Option<PriceMatch>) -> &'static str {
    price_match.map_or("NONE", PriceMatch::as_str)
}

/// The margin type as events write it.
pub(crate) fn margin_type_stream(margin_type: MarginType) -> &'static str {
    match margin_type {
        MarginType::Crossed => "cross",
        MarginType::Isolated => "isolated",
    }
}

/// The notional values of the open buys and sells of one position.
pub(crate) fn open_notionals(
    books: &Account,
    symbol: &str,
    position_side: PositionSide,
) -> (Decimal, Decimal) {
    let orders = books
        .open_orders()
        .filter(|order| order.symbol == symbol && order.position_side == position_side);
    orders.fold((Decimal::ZERO, Decimal::ZERO), |(bids, asks), order| {
        let notional = order.remaining() * order.price;
        match order.side {
            Side::Buy => (bids + notional, asks),
            Side::Sell => (bids, asks + notional),
        }
    })
}

/// An order as placing, changing and cancelling answer: since 2026-07-15 without `avgPrice` and `cumQuote`.
pub(crate) fn order_answer(
    rules: &FuturesSymbol,
    order: &FuturesOrder,
    response: ResponseType,
) -> Value {
    let is_ack = response == ResponseType::Ack && order.status.is_open_or_done();
    let (status, executed) = if is_ack {
        (OrderStatus::New, Decimal::ZERO)
    } else {
        (order.status, order.executed)
    };
    let mut fields = common_fields(rules, order, status, executed);
    fields.insert("cumQty".to_owned(), json!(rules.quantity_text(executed)));
    Value::Object(fields)
}

/// An order as looking it up answers.
pub(crate) fn order_found(rules: &FuturesSymbol, order: &FuturesOrder) -> Value {
    let mut fields = common_fields(rules, order, order.status, order.executed);
    let average = fixed(order.average_price(), rules.price_precision.max(5));
    fields.insert("avgPrice".to_owned(), json!(average));
    let value = fixed(order.executed_value, 5);
    fields.insert("cumQuote".to_owned(), json!(value));
    fields.insert("time".to_owned(), json!(milliseconds(order.created)));
    Value::Object(fields)
}

impl OrderStatus {
    /// Whether an acknowledgement may show the order as new: a cancelled one it may not.
    fn is_open_or_done(self) -> bool {
        match self {
            OrderStatus::New
            | OrderStatus::PartiallyFilled
            | OrderStatus::Filled
            | OrderStatus::Expired => true,
            OrderStatus::Canceled => false,
        }
    }
}

fn common_fields(
    rules: &FuturesSymbol,
    order: &FuturesOrder,
    status: OrderStatus,
    executed: Decimal,
) -> Map<String, Value> {
    let fields = json!({
        "orderId": order.id.0,
        "symbol": order.symbol,
        "status": status.as_str(),
        "clientOrderId": order.client_order_id,
        "price": rules.price_text(order.price),
        "origQty": rules.quantity_text(order.quantity),
        "executedQty": rules.quantity_text(executed),
        "timeInForce": order.time_in_force.as_str(),
        "type": order.order_type.as_str(),
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": side_text(order.side),
        "positionSide": order.position_side.as_str(),
        "stopPrice": rules.price_text(order.trigger_price),
        "workingType": order.working_type.as_str(),
        "priceProtect": order.price_protect,
        "origType": order.original_type.as_str(),
        "priceMatch": price_match_text(order.price_match),
        "selfTradePreventionMode": order.self_trade.as_str(),
        "goodTillDate": order.good_till_ms,
        "updateTime": milliseconds(order.updated),
    });
    match fields {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// A conditional order as placing answers.
pub(crate) fn algo_placed(rules: &FuturesSymbol, algo: &AlgoOrder) -> Value {
    let mut fields = algo_fields(rules, algo);
    let trailing = algo.trailing;
    let activate = trailing.map_or_else(String::new, |trailing| {
        rules.price_text(trailing.activate_price)
    });
    let callback = trailing.map_or_else(String::new, |trailing| {
        trailing.callback_rate.normalize().to_string()
    });
    fields["activatePrice"] = json!(activate);
    fields["callbackRate"] = json!(callback);
    fields
}

/// A conditional order as looking it up answers; with what its regular order did, once there is one.
pub(crate) fn algo_found(
    rules: &FuturesSymbol,
    algo: &AlgoOrder,
    actual: Option<&FuturesOrder>,
) -> Value {
    let mut fields = algo_fields(rules, algo);
    let average = actual.map_or(Decimal::ZERO, FuturesOrder::average_price);
    let id = actual.map_or_else(String::new, |order| order.id.to_string());
    fields["actualOrderId"] = json!(id);
    fields["actualPrice"] = json!(fixed(average, 5));
    if let Some(order) = actual {
        fields["actualQty"] = json!(rules.quantity_text(order.executed));
        fields["actualType"] = json!(order.order_type.as_str());
    }
    let no_price = rules.price_text(Decimal::ZERO);
    for name in ["tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice"] {
        fields[name] = json!(no_price);
    }
    fields["tpOrderType"] = json!("");
    if let Some(trailing) = algo.trailing {
        fields["activatePrice"] = json!(rules.price_text(trailing.activate_price));
        fields["callbackRate"] = json!(trailing.callback_rate.normalize().to_string());
    }
    fields
}

fn algo_fields(rules: &FuturesSymbol, algo: &AlgoOrder) -> Value {
    json!({
        "algoId": algo.id.0,
        "clientAlgoId": algo.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.order_type.as_str(),
        "symbol": algo.symbol,
        "side": side_text(algo.side),
        "positionSide": algo.position_side.as_str(),
        "timeInForce": algo.time_in_force.as_str(),
        "quantity": rules.quantity_text(algo.quantity),
        "algoStatus": algo.status.as_str(),
        "triggerPrice": rules.price_text(algo.trigger_price),
        "price": rules.price_text(algo.price),
        "icebergQuantity": null,
        "selfTradePreventionMode": algo.self_trade.as_str(),
        "workingType": algo.working_type.as_str(),
        "priceMatch": price_match_text(algo.price_match),
        "closePosition": algo.close_position,
        "priceProtect": algo.price_protect,
        "reduceOnly": algo.reduce_only,
        "createTime": milliseconds(algo.created),
        "updateTime": milliseconds(algo.updated),
        "triggerTime": algo.triggered.map_or(0, milliseconds),
        "goodTillDate": algo.good_till_ms,
    })
}

/// A conditional order as cancelling answers.
pub(crate) fn algo_cancelled(algo: &AlgoOrder) -> Value {
    json!({
        "algoId": algo.id.0,
        "clientAlgoId": algo.client_algo_id,
        "code": "200",
        "msg": "success",
    })
}

/// An execution as `userTrades` answers.
pub(crate) fn trade(rules: &FuturesSymbol, trade: &Trade) -> Value {
    json!({
        "symbol": trade.symbol,
        "id": trade.id,
        "orderId": trade.order.0,
        "side": side_text(trade.side),
        "price": rules.price_text(trade.price),
        "qty": rules.quantity_text(trade.quantity),
        "realizedPnl": fixed(trade.realised_profit, 8),
        "quoteQty": fixed(trade.quantity * trade.price, 5),
        "commission": fixed(trade.commission, 8),
        "commissionAsset": "USDT",
        "time": milliseconds(trade.at),
        "positionSide": trade.position_side.as_str(),
        "maker": trade.is_maker,
        "buyer": trade.side == Side::Buy,
    })
}

impl FuturesExchange {
    /// An order as looking it up answers.
    pub(crate) fn show(&self, order: &FuturesOrder) -> Result<Value, Refusal> {
        Ok(order_found(self.rules(&order.symbol)?, order))
    }

    /// A conditional order as looking it up answers.
    pub(crate) fn show_algo(&self, account: &Account, algo: &AlgoOrder) -> Result<Value, Refusal> {
        let actual = algo.actual_order.and_then(|id| account.orders.get(&id));
        Ok(algo_found(self.rules(&algo.symbol)?, algo, actual))
    }

    /// Everything the account ever did, for an auditor: orders, conditional orders, executions, positions, wallet.
    ///
    /// # Errors
    /// There is no such account.
    pub(crate) fn books_for_audit(&self, account: &str) -> Result<Value, Refusal> {
        let books = self.account(account)?;
        let order = |order: &FuturesOrder| {
            json!({
                "market": "futures",
                "order_id": order.id.0,
                "client_order_id": order.client_order_id,
                "symbol": order.symbol,
                "side": side_text(order.side),
                "position_side": order.position_side.as_str(),
                "type": order.order_type.as_str(),
                "quantity": order.quantity.normalize(),
                "executed_quantity": order.executed.normalize(),
                "average_price": order.average_price().round_dp(8).normalize(),
                "status": order.status.as_str(),
                "reduce_only": order.reduce_only,
                "algo_id": order.parent.map(|parent| parent.0),
                "created_ms": milliseconds(order.created),
            })
        };
        let algo = |algo: &AlgoOrder| {
            json!({
                "market": "futures",
                "algo_id": algo.id.0,
                "client_order_id": algo.client_algo_id,
                "symbol": algo.symbol,
                "side": side_text(algo.side),
                "position_side": algo.position_side.as_str(),
                "type": algo.order_type.as_str(),
                "quantity": algo.quantity.normalize(),
                "trigger_price": algo.trigger_price.normalize(),
                "close_position": algo.close_position,
                "reduce_only": algo.reduce_only,
                "status": algo.status.as_str(),
                "order_id": algo.actual_order.map(|order| order.0),
                "reject_reason": algo.reject_reason,
                "created_ms": milliseconds(algo.created),
            })
        };
        let held = books
            .positions
            .iter()
            .filter(|(_, position)| !position.amount.is_zero());
        let positions = held.map(|((symbol, position_side), position)| {
            json!({
                "symbol": symbol,
                "position_side": position_side.as_str(),
                "quantity": position.amount.normalize(),
                "entry_price": position.entry_price().round_dp(8).normalize(),
            })
        });
        Ok(json!({
            "orders": books.orders.values().map(order).collect::<Vec<_>>(),
            "algo_orders": books.algos.values().map(algo).collect::<Vec<_>>(),
            "positions": positions.collect::<Vec<_>>(),
            "balances": [{"asset": "USDT", "wallet": books.wallet.normalize()}],
            "hedge_mode": books.hedge_mode,
            "forgotten_orders": books.forgotten,
        }))
    }
}

/// Whether a time lies in a window of milliseconds, both ends included.
pub(crate) fn within(at: Micros, window: (Option<i64>, Option<i64>)) -> bool {
    let at = milliseconds(at);
    window.0.is_none_or(|from| at >= from) && window.1.is_none_or(|to| at <= to)
}

/// The kinds of order that the exchange knows, regular and conditional.
pub(crate) fn order_types() -> Vec<&'static str> {
    let all = [
        OrderType::Limit,
        OrderType::Market,
        OrderType::Stop,
        OrderType::StopMarket,
        OrderType::TakeProfit,
        OrderType::TakeProfitMarket,
        OrderType::TrailingStopMarket,
    ];
    all.into_iter().map(OrderType::as_str).collect()
}
