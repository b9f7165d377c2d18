//! How the spot market writes orders, lists, trades and balances: decimals as strings with eight decimals, times in
//! milliseconds.
//!
//! Source: Binance Spot API, "Trading endpoints" and "Account endpoints".

use super::exchange::SpotExchange;
use super::order::{OrderList, SpotOrder, Trade};
use super::symbols::decimal;
use crate::order::{Liquidity, Side};
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// How much an answer to a new order tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    Ack,
    Result,
    Full,
}

pub(super) fn millis(moment: Micros) -> i64 {
    moment.0.div_euclid(1_000)
}

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// The number of the order's list, -1 without one.
pub(super) fn list_id(order: &SpotOrder) -> i64 {
    order.list_id.map_or(-1, u64::cast_signed)
}

pub(super) fn list_status(list: &OrderList) -> &'static str {
    if list.is_done {
        "ALL_DONE"
    } else {
        "EXECUTING"
    }
}

/// The answer to a new order.
pub(super) fn placed(order: &SpotOrder, detail: Detail, now: Micros) -> Value {
    let mut answer = json!({
        "symbol": order.request.symbol,
        "orderId": order.id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_id,
        "transactTime": millis(now),
    });
    if detail == Detail::Ack {
        return answer;
    }
    add_state(&mut answer, order);
    if detail == Detail::Full {
        answer["fills"] = order.trades.iter().map(fill).collect();
    }
    answer
}

/// The answer to a cancel that had that name.
pub(super) fn cancelled(order: &SpotOrder, cancel_id: &str, now: Micros) -> Value {
    let mut answer = json!({
        "symbol": order.request.symbol,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": list_id(order),
        "clientOrderId": cancel_id,
        "transactTime": millis(now),
    });
    add_state(&mut answer, order);
    answer
}

/// An order as a search shows it.
pub(super) fn found(order: &SpotOrder) -> Value {
    let request = &order.request;
    let mut answer = json!({
        "symbol": request.symbol,
        "orderId": order.id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_id,
        "time": millis(order.created_at),
        "updateTime": millis(order.updated_at),
        "isWorking": order.trigger.is_none() && order.working_since.is_some(),
    });
    add_state(&mut answer, order);
    answer["stopPrice"] = json!(decimal(request.stop_price.unwrap_or_default()));
    answer["icebergQty"] = json!(decimal(request.iceberg_quantity.unwrap_or_default()));
    answer
}

/// What answers to new orders, cancels and searches have in common.
fn add_state(answer: &mut Value, order: &SpotOrder) {
    let request = &order.request;
    let fields = json!({
        "price": decimal(request.price.unwrap_or_default()),
        "origQty": decimal(request.quantity),
        "executedQty": decimal(order.executed),
        "origQuoteOrderQty": decimal(request.quote_quantity.unwrap_or_default()),
        "cummulativeQuoteQty": decimal(order.quote_executed),
        "status": order.status.name(),
        "timeInForce": request.time_in_force.name(),
        "type": request.kind.name(),
        "side": side(request.side),
        "workingTime": order.working_since.map_or(-1, millis),
        "selfTradePreventionMode": request.self_trade_prevention,
    });
    let optional = [
        (
            "stopPrice",
            request.stop_price.map(|price| json!(decimal(price))),
        ),
        (
            "icebergQty",
            request.iceberg_quantity.map(|part| json!(decimal(part))),
        ),
        (
            "trailingDelta",
            request.trailing_delta.map(|delta| json!(delta)),
        ),
        (
            "trailingTime",
            order.trailing_since.map(|since| json!(millis(since))),
        ),
        ("strategyId", request.strategy_id.map(|id| json!(id))),
        (
            "strategyType",
            request.strategy_type.map(|kind| json!(kind)),
        ),
        (
            "expiryReason",
            order.expiry.map(|expiry| json!(expiry.name())),
        ),
    ];
    let Value::Object(fields) = fields else {
        return;
    };
    for (key, value) in fields {
        answer[key.as_str()] = value;
    }
    for (key, value) in optional {
        if let Some(value) = value {
            answer[key] = value;
        }
    }
}

fn fill(trade: &Trade) -> Value {
    json!({
        "price": decimal(trade.price),
        "qty": decimal(trade.quantity),
        "commission": decimal(trade.commission),
        "commissionAsset": trade.commission_asset,
        "tradeId": trade.id,
    })
}

/// A trade as `myTrades` shows it.
pub(super) fn trade(order: &SpotOrder, trade: &Trade) -> Value {
    json!({
        "symbol": order.request.symbol,
        "id": trade.id,
        "orderId": trade.order_id,
        "orderListId": list_id(order),
        "price": decimal(trade.price),
        "qty": decimal(trade.quantity),
        "quoteQty": decimal(trade.value()),
        "commission": decimal(trade.commission),
        "commissionAsset": trade.commission_asset,
        "time": millis(trade.at),
        "isBuyer": order.request.side == Side::Buy,
        "isMaker": trade.liquidity == Liquidity::Maker,
        "isBestMatch": true,
    })
}

/// A list without reports of its orders.
pub(super) fn list(exchange: &SpotExchange, list: &OrderList) -> Value {
    let orders: Vec<Value> = list
        .orders
        .iter()
        .filter_map(|id| exchange.orders.get(id))
        .map(|order| {
            json!({"symbol": order.request.symbol, "orderId": order.id, "clientOrderId": order.client_id})
        })
        .collect();
    json!({
        "orderListId": list.id,
        "contingencyType": list.contingency.name(),
        "listStatusType": if list.is_done { "ALL_DONE" } else { "EXEC_STARTED" },
        "listOrderStatus": list_status(list),
        "listClientOrderId": list.client_id,
        "transactionTime": millis(list.at),
        "symbol": list.symbol,
        "orders": orders,
    })
}

/// The balances of an account.
pub(super) fn balances(exchange: &SpotExchange, account: &str, omits_zero: bool) -> Value {
    let holdings = exchange
        .wallets
        .get(account)
        .into_iter()
        .flat_map(|wallet| wallet.holdings());
    let shown = holdings
        .filter(|(_, holding)| !omits_zero || holding.free + holding.locked > Decimal::ZERO);
    let rows = shown.map(|(asset, holding)| {
        json!({"asset": asset, "free": decimal(holding.free), "locked": decimal(holding.locked)})
    });
    rows.collect()
}
