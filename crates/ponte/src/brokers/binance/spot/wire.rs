//! What the spot exchange's answers and events look like, and what of them is used.

use ponte_core::message::ReportedStatus;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use super::ledger::Costs;
use crate::brokers::binance::ids::Leg;

/// An order as placing, cancelling and look-ups answer (Binance Spot API, "New order", "Query order").
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    pub(super) symbol: String,
    pub(super) order_id: u64,
    /// -1 where it belongs to no list.
    #[serde(default = "no_list")]
    pub(super) order_list_id: i64,
    pub(super) client_order_id: String,
    /// In answers to cancellations: the order's id; `client_order_id` is then the cancellation's.
    #[serde(default)]
    pub(super) orig_client_order_id: Option<String>,
    pub(super) side: String,
    #[serde(rename = "type")]
    kind: String,
    pub(super) orig_qty: Decimal,
    pub(super) executed_qty: Decimal,
    /// Negative where the exchange doesn't know it (orders of before 2018).
    #[serde(rename = "cummulativeQuoteQty")]
    pub(super) quote_qty: Decimal,
    pub(super) status: String,
    #[serde(default)]
    pub(super) expiry_reason: Option<String>,
    #[serde(default)]
    transact_time: Option<i64>,
    /// When it was created; look-ups only.
    #[serde(default)]
    time: Option<i64>,
    #[serde(default)]
    update_time: Option<i64>,
    /// Its trades, where the answer is a full one.
    #[serde(default)]
    pub(super) fills: Option<Vec<Trade>>,
}

const fn no_list() -> i64 {
    -1
}

impl OrderView {
    /// The id that we gave the order.
    pub(super) fn wire_id(&self) -> &str {
        match &self.orig_client_order_id {
            Some(id) if !id.is_empty() => id,
            Some(_) | None => &self.client_order_id,
        }
    }

    /// Which side of a pair it is; `None` for a kind that we don't place in pairs.
    pub(super) fn side_of_pair(&self) -> Option<Leg> {
        match self.kind.as_str() {
            "STOP_LOSS" | "STOP_LOSS_LIMIT" => Some(Leg::Stop),
            "LIMIT_MAKER" | "TAKE_PROFIT" | "TAKE_PROFIT_LIMIT" => Some(Leg::Target),
            _ => None,
        }
    }

    /// When what it says became so.
    pub(super) fn at(&self) -> Timestamp {
        let at = self.update_time.or(self.transact_time).or(self.time);
        Timestamp::from_milliseconds(at.unwrap_or_default())
    }

    /// When the order was created, where that is told.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.time.map(Timestamp::from_milliseconds)
    }

    /// What its trades have cost; `None` unless they are all there.
    pub(super) fn costs(&self, trades: &[Trade], currency: &str) -> Option<Costs> {
        let mut costs = Costs::default();
        let mut traded = Decimal::ZERO;
        for trade in trades {
            traded = traded.saturating_add(trade.qty);
            costs.add(trade, &self.symbol, &self.side, currency);
        }
        (traded == self.executed_qty).then_some(costs)
    }

    /// Where it stands; `None` for a word that this version doesn't know.
    pub(super) fn status(&self) -> Option<ReportedStatus> {
        read_status(&self.status, self.expiry_reason.as_deref())
    }
}

/// A list of orders as look-ups answer (Binance Spot API, "Query order list").
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ListedOrders {
    pub(super) orders: Vec<ListedOrder>,
}

/// One order of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedOrder {
    pub(super) order_id: u64,
}

/// A trade of an order: one of an answer's fills, or of the account's trades.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trade {
    /// Its number within the symbol; lists of trades only.
    #[serde(default)]
    pub(super) id: Option<u64>,
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) commission: Decimal,
    pub(super) commission_asset: String,
}

/// A list of orders as placing and cancelling it answer (Binance Spot API, "New order list - OCO").
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListView {
    pub(super) order_reports: Vec<OrderView>,
}

/// A message over the web socket that is no answer.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) event: Event,
}

/// What the user data stream says (Binance Spot API, "User data stream").
#[derive(Debug, Deserialize)]
#[serde(tag = "e")]
pub(super) enum Event {
    /// Something happened to an order.
    #[serde(rename = "executionReport")]
    Execution(Box<Execution>),
    /// The subscription is over.
    #[serde(rename = "eventStreamTerminated")]
    Terminated,
    /// The server is about to go; a new connection leads to another.
    #[serde(rename = "serverShutdown")]
    Shutdown,
    /// Something that orders don't need.
    #[serde(other)]
    Other,
}

/// Something that happened to an order ("Order update").
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Execution {
    #[serde(rename = "s")]
    pub(super) symbol: String,
    #[serde(rename = "c")]
    client_order_id: String,
    #[serde(rename = "C", default)]
    orig_client_order_id: String,
    #[serde(rename = "S")]
    pub(super) side: String,
    /// What happened: `NEW`, `CANCELED`, `REPLACED`, `REJECTED`, `TRADE`, `EXPIRED`, `TRADE_PREVENTION`.
    #[serde(rename = "x")]
    pub(super) kind: String,
    #[serde(rename = "X")]
    status: String,
    #[serde(rename = "i")]
    pub(super) order_id: i64,
    #[serde(rename = "g", default = "no_list")]
    pub(super) order_list_id: i64,
    #[serde(rename = "l")]
    pub(super) last_qty: Decimal,
    #[serde(rename = "L")]
    pub(super) last_price: Decimal,
    #[serde(rename = "z")]
    pub(super) filled: Decimal,
    #[serde(rename = "Z")]
    pub(super) quote: Decimal,
    #[serde(rename = "n", default, deserialize_with = "zero_for_null")]
    pub(super) commission: Decimal,
    #[serde(rename = "N", default)]
    pub(super) commission_asset: Option<String>,
    #[serde(rename = "T")]
    at: i64,
    #[serde(rename = "eR", default)]
    expiry_reason: Option<String>,
}

impl Execution {
    /// The id that we gave the order: events of cancellations carry their own beside it.
    pub(super) fn wire_id(&self) -> &str {
        if self.orig_client_order_id.is_empty() {
            &self.client_order_id
        } else {
            &self.orig_client_order_id
        }
    }

    /// When it happened.
    pub(super) fn at(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.at)
    }

    /// Where the order stands after it.
    pub(super) fn status(&self) -> Option<ReportedStatus> {
        read_status(&self.status, self.expiry_reason.as_deref())
    }
}

fn zero_for_null<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
    Ok(Option::<Decimal>::deserialize(from)?.unwrap_or_default())
}

/// Reads an order's status (Binance Spot API, "Order status").
fn read_status(status: &str, expiry_reason: Option<&str>) -> Option<ReportedStatus> {
    let reason = |text: &str| text.to_owned();
    Some(match status {
        "NEW" | "PENDING_NEW" | "PARTIALLY_FILLED" | "PENDING_CANCEL" => ReportedStatus::Working,
        "FILLED" => ReportedStatus::Filled,
        "CANCELED" => ReportedStatus::Cancelled {
            reason: reason("cancelled at the exchange"),
        },
        "EXPIRED" => ReportedStatus::Cancelled {
            reason: match expiry_reason {
                Some(why) if why != "NONE" => format!("expired at the exchange: {why}"),
                Some(_) | None => reason("expired at the exchange"),
            },
        },
        "EXPIRED_IN_MATCH" => ReportedStatus::Cancelled {
            reason: reason("expired: it would have traded with the account's own order"),
        },
        "REJECTED" => ReportedStatus::Rejected {
            reason: reason("rejected by the exchange"),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_is_known() {
        let reason = |status, why| match read_status(status, why) {
            Some(ReportedStatus::Cancelled { reason }) => reason,
            other => panic!("{status} is {other:?}"),
        };
        for status in ["NEW", "PENDING_NEW", "PARTIALLY_FILLED", "PENDING_CANCEL"] {
            assert_eq!(read_status(status, None), Some(ReportedStatus::Working));
        }
        assert_eq!(read_status("FILLED", None), Some(ReportedStatus::Filled));
        assert!(reason("CANCELED", None).contains("cancelled"));
        assert!(reason("EXPIRED", Some("OCO_TRIGGER")).ends_with("OCO_TRIGGER"));
        assert_eq!(reason("EXPIRED", Some("NONE")), reason("EXPIRED", None));
        assert!(reason("EXPIRED_IN_MATCH", None).contains("own order"));
        let rejected = read_status("REJECTED", None);
        assert!(matches!(rejected, Some(ReportedStatus::Rejected { .. })));
        assert_eq!(read_status("HALTED", None), None);
    }

    #[test]
    fn events_that_orders_do_not_need_are_read_over() {
        let event = |text: &str| serde_json::from_str::<Envelope>(text).unwrap().event;
        let position =
            r#"{"subscriptionId":0,"event":{"e":"outboundAccountPosition","E":1,"u":1,"B":[]}}"#;
        assert!(matches!(event(position), Event::Other));
        let over =
            r#"{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1728973001334}}"#;
        assert!(matches!(event(over), Event::Terminated));
        let shutdown = r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#;
        assert!(matches!(event(shutdown), Event::Shutdown));
    }
}
