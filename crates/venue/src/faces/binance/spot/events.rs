//! Private events of the spot market, and the auditor's view.
//!
//! Source: Binance Spot API, "User Data Streams".

use super::exchange::SpotExchange;
use super::order::{SpotOrder, Trade};
use super::symbols::decimal;
use super::wire;
use crate::faces::binance::streams::UserEvent;
use crate::order::{Liquidity, Side};
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl SpotExchange {
    /// Tells what happened to an order: `NEW`, `TRADE` (its last one), `EXPIRED` or `REPLACED`.
    pub(super) fn tell_order(&mut self, id: u64, what: &str, now: Micros) {
        let execution = self.next_execution;
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let event = execution_report(order, what, &order.client_id, "", execution, now);
        self.tell(order.account.clone(), event);
        self.next_execution += 1;
    }

    /// Tells that an order was cancelled by a request of that name.
    pub(super) fn tell_cancel(&mut self, id: u64, cancel_id: &str, now: Micros) {
        let execution = self.next_execution;
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let name = if cancel_id.is_empty() {
            super::placing::generated_id(execution)
        } else {
            cancel_id.to_owned()
        };
        let event = execution_report(order, "CANCELED", &name, &order.client_id, execution, now);
        self.tell(order.account.clone(), event);
        self.next_execution += 1;
    }

    /// Tells how a list stands: `EXEC_STARTED`, `UPDATED` or `ALL_DONE`.
    pub(super) fn tell_list(&mut self, id: u64, what: &str, now: Micros) {
        let Some(list) = self.lists.get(&id) else {
            return;
        };
        let orders: Vec<Value> = list
            .orders
            .iter()
            .filter_map(|order| self.orders.get(order))
            .map(|order| json!({"s": order.request.symbol, "i": order.id, "c": order.client_id}))
            .collect();
        let event = json!({
            "e": "listStatus", "E": wire::millis(now), "s": list.symbol, "g": list.id,
            "c": list.contingency.name(), "l": what, "L": wire::list_status(list), "r": "NONE",
            "C": list.client_id, "T": wire::millis(now), "O": orders,
        });
        self.tell(list.account.clone(), event);
    }

    /// Tells the balances of both assets of a symbol.
    pub(super) fn tell_balances(&mut self, account: &str, symbol: &str, now: Micros) {
        let Some((symbol, wallet)) = self.symbols.get(symbol).zip(self.wallets.get(account)) else {
            return;
        };
        let balances = [symbol.base, symbol.quote].map(|asset| {
            let holding = wallet.holding(asset);
            json!({"a": asset, "f": decimal(holding.free), "l": decimal(holding.locked)})
        });
        let event = json!({
            "e": "outboundAccountPosition", "E": wire::millis(now), "u": wire::millis(now), "B": balances,
        });
        self.tell(account.to_owned(), event);
    }

    /// Tells that an amount came or went without an order.
    pub(super) fn tell_deposit(
        &mut self,
        account: &str,
        asset: &str,
        amount: Decimal,
        now: Micros,
    ) {
        let holding = self
            .wallets
            .get(account)
            .map(|wallet| wallet.holding(asset));
        let holding = holding.unwrap_or_default();
        let moment = wire::millis(now);
        let update = json!({
            "e": "balanceUpdate", "E": moment, "a": asset, "d": decimal(amount), "T": moment,
        });
        let position = json!({
            "e": "outboundAccountPosition", "E": moment, "u": moment,
            "B": [{"a": asset, "f": decimal(holding.free), "l": decimal(holding.locked)}],
        });
        self.tell(account.to_owned(), update);
        self.tell(account.to_owned(), position);
    }

    fn tell(&mut self, account: String, event: Value) {
        self.user_events.push(UserEvent { account, event });
    }
}

fn execution_report(
    order: &SpotOrder,
    what: &str,
    name: &str,
    original_name: &str,
    execution: u64,
    now: Micros,
) -> Value {
    let trade = order.trades.last().filter(|_| what == "TRADE");
    let number = |of: fn(&Trade) -> Decimal| decimal(trade.map_or(Decimal::ZERO, of));
    let request = &order.request;
    let zero_or = |price: Option<Decimal>| decimal(price.unwrap_or_default());
    let mut event = json!({
        "e": "executionReport", "E": wire::millis(now), "s": request.symbol, "c": name,
        "S": wire::side(request.side), "o": request.kind.name(), "f": request.time_in_force.name(),
        "q": decimal(request.quantity), "p": zero_or(request.price), "P": zero_or(request.stop_price),
        "F": zero_or(request.iceberg_quantity), "g": wire::list_id(order), "C": original_name, "x": what,
        "X": order.status.name(), "r": "NONE", "i": order.id, "l": number(|trade| trade.quantity),
        "z": decimal(order.executed), "L": number(|trade| trade.price),
        "n": trade.map_or("0".to_owned(), |trade| decimal(trade.commission)),
        "N": trade.map(|trade| trade.commission_asset.clone()), "T": wire::millis(now),
        "t": trade.map_or(-1, |trade| trade.id.cast_signed()), "I": execution, "w": order.works(),
        "m": trade.is_some_and(|trade| trade.liquidity == Liquidity::Maker), "M": trade.is_some(),
        "O": wire::millis(order.created_at), "Z": decimal(order.quote_executed), "Y": number(Trade::value),
        "Q": zero_or(request.quote_quantity), "V": request.self_trade_prevention,
    });
    let optional = [
        ("W", order.working_since.map(wire::millis)),
        ("d", request.trailing_delta.map(i64::from)),
        ("D", order.trailing_since.map(wire::millis)),
        ("j", request.strategy_id),
        ("J", request.strategy_type),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            event[key] = json!(value);
        }
    }
    if let Some(expiry) = order.expiry {
        event["eR"] = json!(expiry.name());
    }
    event
}

/// All orders ever accepted and all balances of an account; its position is what it has of each asset.
pub(super) fn audit(exchange: &SpotExchange, account: &str) -> Value {
    let orders: Vec<Value> = exchange
        .orders_of(account)
        .map(|order| {
            let list = order.list_id.and_then(|id| exchange.lists.get(&id));
            json!({
                "order_id": order.id, "client_id": order.client_id, "symbol": order.request.symbol,
                "side": wire::side(order.request.side), "type": order.request.kind.name(),
                "quantity": decimal(order.request.quantity), "executed_quantity": decimal(order.executed),
                "executed_value": decimal(order.quote_executed), "status": order.status.name(),
                "list_client_id": list.map(|list| list.client_id.clone()),
                "created_ms": wire::millis(order.created_at),
            })
        })
        .collect();
    let bought = |order: &SpotOrder| match order.request.side {
        Side::Buy => order.executed,
        Side::Sell => -order.executed,
    };
    let mut net = std::collections::BTreeMap::<&str, Decimal>::new();
    for order in exchange.orders_of(account) {
        *net.entry(order.request.symbol.as_str()).or_default() += bought(order);
    }
    let net: serde_json::Map<String, Value> = net
        .into_iter()
        .map(|(symbol, quantity)| (symbol.to_owned(), json!(decimal(quantity))))
        .collect();
    json!({"orders": orders, "net_traded": net, "balances": wire::balances(exchange, account, false)})
}
