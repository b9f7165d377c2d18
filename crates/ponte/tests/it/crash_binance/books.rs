//! What the exchange says that has happened, read from its audit.

use std::collections::BTreeMap;

use ponte_venue::Decimal;
use serde_json::Value;

/// An order that the exchange has accepted, or one that a conditional order became.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) market: &'static str,
    /// Its id on the wire.
    pub(super) wire_id: String,
    /// The journal's id: the wire's without the suffix that tells the sides of a pair apart.
    pub(super) id: String,
    pub(super) symbol: String,
    pub(super) side: String,
    pub(super) kind: String,
    pub(super) quantity: Decimal,
    pub(super) executed: Decimal,
    pub(super) status: String,
}

impl Accepted {
    /// Whether it may still trade.
    pub(super) fn rests(&self) -> bool {
        matches!(
            self.status.as_str(),
            "NEW" | "PARTIALLY_FILLED" | "PENDING_NEW"
        )
    }

    /// Whether it cuts a loss.
    pub(super) fn is_stop(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "STOP_LOSS" | "STOP_MARKET" | "TRAILING_STOP_MARKET"
        )
    }
}

/// Both markets' books of the account.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) orders: Vec<Accepted>,
    /// What the account has of each symbol, in Ponte's words: account and symbol.
    pub(super) held: BTreeMap<(String, String), Decimal>,
}

impl Books {
    pub(super) fn read(audit: &Value) -> Self {
        let spot = &audit["spot"];
        let futures = &audit["futures"];
        assert!(futures["hedge_mode"] == false, "{futures}");
        let mut orders: Vec<_> = list(&spot["orders"])
            .map(|order| accepted("spot", order))
            .collect();
        orders.extend(list(&futures["orders"]).map(|order| accepted("futures", order)));
        orders.extend(list(&futures["algo_orders"]).map(|order| accepted("futures", order)));
        let mut held = BTreeMap::new();
        // The account began without coins: all that it has was traded.
        for balance in list(&spot["balances"]).filter(|balance| balance["asset"] != "USDT") {
            let symbol = format!("{}USDT", text(&balance["asset"]));
            let amount = decimal(&balance["free"]) + decimal(&balance["locked"]);
            held.insert(("spot".to_owned(), symbol), amount.normalize());
        }
        for position in list(&futures["positions"]) {
            let symbol = format!("{}.P", text(&position["symbol"]));
            held.insert(
                ("futures".to_owned(), symbol),
                decimal(&position["quantity"]),
            );
        }
        held.retain(|_, amount| !amount.is_zero());
        Self { orders, held }
    }
}

fn accepted(market: &'static str, order: &Value) -> Accepted {
    let own_id = order["client_id"].as_str();
    let wire_id = own_id.map_or_else(|| text(&order["client_order_id"]), str::to_owned);
    let id = wire_id
        .trim_end_matches("-s")
        .trim_end_matches("-t")
        .to_owned();
    // A conditional order trades as the order that it becomes.
    let executed = order.get("executed_quantity");
    let executed = executed.map_or(Decimal::ZERO, decimal);
    let symbol = match market {
        "futures" => format!("{}.P", text(&order["symbol"])),
        _ => text(&order["symbol"]),
    };
    Accepted {
        market,
        wire_id,
        id,
        symbol,
        side: text(&order["side"]).to_lowercase(),
        kind: text(&order["type"]),
        quantity: decimal(&order["quantity"]),
        executed,
        status: text(&order["status"]),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
        .iter()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

fn decimal(value: &Value) -> Decimal {
    text(value).parse::<Decimal>().unwrap().normalize()
}
