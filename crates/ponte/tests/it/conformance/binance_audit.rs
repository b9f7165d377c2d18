//! What the test exchange knows of an account, put as a trader counts.

use std::collections::BTreeMap;

use ponte_core::id::{ClientOrderId, Symbol};
use rust_decimal::Decimal;
use serde_json::Value;

use super::subject::{Audit, AuditedOrder};

/// The executions of an account by the exchange's number of the order.
pub(super) type Trades = BTreeMap<u64, Vec<Value>>;

fn number(value: &Value) -> Decimal {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}

/// Our id in a client order id; `None` for orders of others.
fn our_id(value: &Value) -> Option<ClientOrderId> {
    let text = value.as_str()?;
    text.split('-').next()?.parse().ok()
}

fn perpetual(value: &Value) -> Symbol {
    Symbol::new(&format!("{}.P", value.as_str().unwrap())).unwrap()
}

fn sum(trades: &Trades, order: u64, of: impl Fn(&Value) -> Decimal) -> Decimal {
    trades.get(&order).into_iter().flatten().map(of).sum()
}

fn is_open(status: &Value) -> bool {
    match status.as_str().unwrap() {
        "NEW" | "PARTIALLY_FILLED" | "PENDING_NEW" | "TRIGGERING" => true,
        "FILLED" | "CANCELED" | "EXPIRED" | "EXPIRED_IN_MATCH" | "REJECTED" | "TRIGGERED"
        | "FINISHED" => false,
        other => panic!("no such status: {other}"),
    }
}

/// The books of the futures market: a conditional order and what it triggered are one.
pub(super) fn futures(books: &Value, trades: &Trades) -> Audit {
    let regular: BTreeMap<u64, &Value> = books["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| (order["order_id"].as_u64().unwrap(), order))
        .collect();
    let audited = |order: &Value, executing: Option<&Value>| {
        let executing_id = executing.map_or(0, |order| order["order_id"].as_u64().unwrap());
        Some(AuditedOrder {
            id: our_id(&order["client_order_id"])?,
            symbol: perpetual(&order["symbol"]),
            is_open: is_open(&order["status"])
                || executing.is_some_and(|order| is_open(&order["status"])),
            executed: executing.map_or(Decimal::ZERO, |order| number(&order["executed_quantity"])),
            value: sum(trades, executing_id, |trade| {
                number(&trade["price"]) * number(&trade["qty"])
            }),
            fees: sum(trades, executing_id, |trade| number(&trade["commission"])),
            withheld: Decimal::ZERO,
        })
    };
    let placed = regular
        .values()
        .filter(|order| order["algo_id"].is_null())
        .filter_map(|order| audited(order, Some(order)));
    let conditional = books["algo_orders"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|algo| {
            let triggered = algo["order_id"].as_u64().map(|id| regular[&id]);
            audited(algo, triggered)
        });
    let mut positions: BTreeMap<Symbol, Decimal> = BTreeMap::new();
    for position in books["positions"].as_array().unwrap() {
        let held = positions.entry(perpetual(&position["symbol"])).or_default();
        *held += number(&position["quantity"]);
    }
    positions.retain(|_, held| !held.is_zero());
    Audit {
        orders: placed.chain(conditional).collect(),
        positions,
        cash: number(&books["balances"][0]["wallet"]),
    }
}

/// The commission of an execution, if it was taken in that asset.
fn commission_in(trade: &Value, asset: &str) -> Decimal {
    if trade["commissionAsset"] == asset {
        number(&trade["commission"])
    } else {
        Decimal::ZERO
    }
}

/// The books of the spot market: the legs of a list are one order.
pub(super) fn spot(books: &Value, trades: &Trades) -> Audit {
    let mut orders: BTreeMap<String, AuditedOrder> = BTreeMap::new();
    for leg in books["orders"].as_array().unwrap() {
        let number_of = leg["order_id"].as_u64().unwrap();
        let list = &leg["list_client_id"];
        let name = if list.is_null() {
            &leg["client_id"]
        } else {
            list
        };
        let Some(id) = our_id(name) else { continue };
        // An id that was used twice on its own is two orders.
        let key = if list.is_null() {
            number_of.to_string()
        } else {
            format!("list {name}")
        };
        let symbol = Symbol::new(leg["symbol"].as_str().unwrap()).unwrap();
        let base = symbol.as_str().trim_end_matches("USDT").to_owned();
        let withheld = sum(trades, number_of, |trade| commission_in(trade, &base));
        let fees = sum(trades, number_of, |trade| {
            commission_in(trade, "USDT") + commission_in(trade, &base) * number(&trade["price"])
        });
        let order = orders.entry(key).or_insert(AuditedOrder {
            id,
            symbol,
            is_open: false,
            executed: Decimal::ZERO,
            value: Decimal::ZERO,
            fees: Decimal::ZERO,
            withheld: Decimal::ZERO,
        });
        order.is_open |= is_open(&leg["status"]);
        order.executed += number(&leg["executed_quantity"]);
        order.value += number(&leg["executed_value"]);
        order.fees += fees;
        order.withheld += withheld;
    }
    let mut audit = Audit {
        orders: orders.into_values().collect(),
        ..Audit::default()
    };
    for balance in books["balances"].as_array().unwrap() {
        let held = number(&balance["free"]) + number(&balance["locked"]);
        match balance["asset"].as_str().unwrap() {
            "USDT" => audit.cash = held,
            asset if !held.is_zero() => {
                let symbol = Symbol::new(&format!("{asset}USDT")).unwrap();
                audit.positions.insert(symbol, held);
            }
            _ => {}
        }
    }
    audit
}
