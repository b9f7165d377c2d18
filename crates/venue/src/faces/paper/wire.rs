//! The JSON of the paper face. Decimals are strings, times are microseconds.

use crate::order::{
    CancelReason, ExpiryReason, Fill, Order, OrderKind, OrderRequest, OrderStatus, Side,
    TimeInForce,
};
use crate::rejection::{RejectCode, Rejection};
use crate::report::{Report, ReportEvent};
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A decimal as requests write it: a string of digits, with a point perhaps, never with an exponent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PlainDecimal(pub(super) Decimal);

impl TryFrom<String> for PlainDecimal {
    type Error = String;

    fn try_from(text: String) -> Result<PlainDecimal, String> {
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let is_plain = digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.ends_with(|last: char| last.is_ascii_digit())
            && digits
                .chars()
                .all(|character| character.is_ascii_digit() || character == '.');
        let decimal = Decimal::from_str_exact(&text).ok().filter(|_| is_plain);
        decimal
            .map(PlainDecimal)
            .ok_or_else(|| "not a decimal such as \"12.5\"".to_owned())
    }
}

/// The body of `PUT /v1/{account}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenBody {
    pub(super) currency: String,
    pub(super) balance: PlainDecimal,
}

/// The body of `POST /v1/ticks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TickBody {
    pub(super) symbol: String,
    pub(super) price: PlainDecimal,
}

/// The body of `POST /v1/{account}/orders`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderBody {
    client_order_id: String,
    symbol: String,
    side: Side,
    #[serde(rename = "type")]
    kind: OrderType,
    quantity: PlainDecimal,
    #[serde(default)]
    price: Option<PlainDecimal>,
    #[serde(default)]
    stop_price: Option<PlainDecimal>,
    #[serde(default)]
    target_price: Option<PlainDecimal>,
    #[serde(default)]
    callback_bps: Option<PlainDecimal>,
    #[serde(default)]
    time_in_force: TimeInForce,
    #[serde(default)]
    reduce_only: bool,
    #[serde(default)]
    reference_price: Option<PlainDecimal>,
    #[serde(default)]
    valid_until: Option<Micros>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrderType {
    Market,
    Limit,
    Stop,
    StopLimit,
    TakeProfit,
    TakeProfitLimit,
    TrailingStop,
    Oco,
}

impl OrderType {
    fn name(self) -> &'static str {
        match self {
            OrderType::Market => "market",
            OrderType::Limit => "limit",
            OrderType::Stop => "stop",
            OrderType::StopLimit => "stop_limit",
            OrderType::TakeProfit => "take_profit",
            OrderType::TakeProfitLimit => "take_profit_limit",
            OrderType::TrailingStop => "trailing_stop",
            OrderType::Oco => "oco",
        }
    }
}

impl OrderBody {
    /// The request the body stands for; refused if a price is missing or has no place in the type.
    pub(super) fn into_request(self) -> Result<OrderRequest, Rejection> {
        let plain = |number: Option<PlainDecimal>| number.map(|number| number.0);
        let prices = (
            plain(self.price),
            plain(self.stop_price),
            plain(self.target_price),
            plain(self.callback_bps),
        );
        let kind = match (self.kind, prices) {
            (OrderType::Market, (None, None, None, None)) => OrderKind::Market,
            (OrderType::Limit, (Some(price), None, None, None)) => OrderKind::Limit { price },
            (OrderType::Stop, (None, Some(stop_price), None, None)) => {
                OrderKind::Stop { stop_price }
            }
            (OrderType::StopLimit, (Some(price), Some(stop_price), None, None)) => {
                OrderKind::StopLimit { stop_price, price }
            }
            (OrderType::TakeProfit, (None, Some(stop_price), None, None)) => {
                OrderKind::TakeProfit { stop_price }
            }
            (OrderType::TakeProfitLimit, (Some(price), Some(stop_price), None, None)) => {
                OrderKind::TakeProfitLimit { stop_price, price }
            }
            (OrderType::TrailingStop, (None, activation_price, None, Some(callback_bps))) => {
                OrderKind::TrailingStop {
                    callback_bps,
                    activation_price,
                }
            }
            (OrderType::Oco, (None, Some(stop_price), Some(target_price), None)) => {
                OrderKind::OneCancelsOther {
                    stop_price,
                    target_price,
                }
            }
            (kind, _) => {
                let message = format!(
                    "prices of a {} order are not the ones it needs: {}",
                    kind.name(),
                    needed(kind)
                );
                return Err(Rejection::new(RejectCode::InvalidRequest, message));
            }
        };
        Ok(OrderRequest {
            client_order_id: self.client_order_id,
            symbol: self.symbol,
            side: self.side,
            quantity: self.quantity.0,
            kind,
            time_in_force: self.time_in_force,
            reduce_only: self.reduce_only,
            reference_price: plain(self.reference_price),
            valid_until: self.valid_until,
        })
    }
}

fn needed(kind: OrderType) -> &'static str {
    match kind {
        OrderType::Market => "none",
        OrderType::Limit => "price",
        OrderType::Stop => "stop_price",
        OrderType::StopLimit | OrderType::TakeProfitLimit => "stop_price and price",
        OrderType::TakeProfit => "stop_price",
        OrderType::TrailingStop => "callback_bps, and stop_price to wait for before it trails",
        OrderType::Oco => "stop_price and target_price",
    }
}

/// An order as answers show it.
#[derive(Debug, Serialize)]
pub(super) struct OrderView {
    client_order_id: String,
    venue_order_id: u64,
    symbol: String,
    side: Side,
    #[serde(rename = "type")]
    kind: OrderType,
    quantity: Decimal,
    price: Option<Decimal>,
    stop_price: Option<Decimal>,
    target_price: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_bps: Option<Decimal>,
    time_in_force: TimeInForce,
    reduce_only: bool,
    status: &'static str,
    reason: Option<&'static str>,
    filled_quantity: Decimal,
    remaining_quantity: Decimal,
    average_price: Option<Decimal>,
    fills: Vec<Fill>,
    accepted_at: Micros,
    changed_at: Micros,
}

impl OrderView {
    pub(super) fn of(order: &Order) -> OrderView {
        let request = &order.request;
        let (kind, price, stop_price, target_price) = match request.kind {
            OrderKind::Market => (OrderType::Market, None, None, None),
            OrderKind::Limit { price } => (OrderType::Limit, Some(price), None, None),
            OrderKind::Stop { stop_price } => (OrderType::Stop, None, Some(stop_price), None),
            OrderKind::StopLimit { stop_price, price } => {
                (OrderType::StopLimit, Some(price), Some(stop_price), None)
            }
            OrderKind::TakeProfit { stop_price } => {
                (OrderType::TakeProfit, None, Some(stop_price), None)
            }
            OrderKind::TakeProfitLimit { stop_price, price } => (
                OrderType::TakeProfitLimit,
                Some(price),
                Some(stop_price),
                None,
            ),
            OrderKind::TrailingStop {
                activation_price, ..
            } => (OrderType::TrailingStop, None, activation_price, None),
            OrderKind::OneCancelsOther {
                stop_price,
                target_price,
            } => (OrderType::Oco, None, Some(stop_price), Some(target_price)),
        };
        let (status, reason) = match order.status {
            OrderStatus::Open if order.filled_quantity.is_zero() => ("open", None),
            OrderStatus::Open => ("partially_filled", None),
            OrderStatus::Filled => ("filled", None),
            OrderStatus::Cancelled(reason) => ("cancelled", Some(cancel_reason(reason))),
            OrderStatus::Expired(reason) => ("expired", Some(expiry_reason(reason))),
        };
        OrderView {
            client_order_id: request.client_order_id.clone(),
            venue_order_id: order.venue_order_id.0,
            symbol: request.symbol.clone(),
            side: request.side,
            kind,
            quantity: request.quantity,
            price,
            stop_price,
            target_price,
            callback_bps: match request.kind {
                OrderKind::TrailingStop { callback_bps, .. } => Some(callback_bps),
                OrderKind::Market
                | OrderKind::Limit { .. }
                | OrderKind::Stop { .. }
                | OrderKind::StopLimit { .. }
                | OrderKind::TakeProfit { .. }
                | OrderKind::TakeProfitLimit { .. }
                | OrderKind::OneCancelsOther { .. } => None,
            },
            time_in_force: request.time_in_force,
            reduce_only: request.reduce_only,
            status,
            reason,
            filled_quantity: order.filled_quantity,
            remaining_quantity: order.remaining_quantity(),
            average_price: order.average_price(),
            fills: order.fills.clone(),
            accepted_at: order.accepted_at,
            changed_at: order.changed_at,
        }
    }
}

/// A report as answers show it: flat, with `fill`, `reason` or `reject` where its kind has one.
#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    number: u64,
    kind: &'static str,
    at: Micros,
    client_order_id: String,
    venue_order_id: Option<u64>,
    symbol: String,
    side: Side,
    quantity: Decimal,
    cumulative_quantity: Decimal,
    average_price: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fill: Option<Fill>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject: Option<Rejection>,
}

impl ReportView {
    pub(super) fn of(report: &Report) -> ReportView {
        let (kind, fill, reason, reject) = match &report.event {
            ReportEvent::Accepted => ("accepted", None, None, None),
            ReportEvent::Filled {
                fill,
                complete: true,
            } => ("filled", Some(fill.clone()), None, None),
            ReportEvent::Filled {
                fill,
                complete: false,
            } => ("partially_filled", Some(fill.clone()), None, None),
            ReportEvent::Cancelled { reason } => {
                ("cancelled", None, Some(cancel_reason(*reason)), None)
            }
            ReportEvent::Expired { reason } => {
                ("expired", None, Some(expiry_reason(*reason)), None)
            }
            ReportEvent::Rejected { rejection } => {
                ("rejected", None, None, Some(rejection.clone()))
            }
        };
        ReportView {
            number: report.number,
            kind,
            at: report.at,
            client_order_id: report.client_order_id.clone(),
            venue_order_id: report.venue_order_id.map(|id| id.0),
            symbol: report.symbol.clone(),
            side: report.side,
            quantity: report.quantity,
            cumulative_quantity: report.cumulative_quantity,
            average_price: report.average_price,
            fill,
            reason,
            reject,
        }
    }
}

fn cancel_reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Requested => "requested",
        CancelReason::NothingToReduce => "nothing_to_reduce",
        CancelReason::OutOfRange => "out_of_range",
    }
}

fn expiry_reason(reason: ExpiryReason) -> &'static str {
    match reason {
        ExpiryReason::ImmediateOrCancel => "immediate_or_cancel",
        ExpiryReason::FillOrKill => "fill_or_kill",
    }
}
