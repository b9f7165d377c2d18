//! The package's structures as JSON: the same fields in the same order, doubles where it has floats.

use super::book::{Book, Deal, DealKind, Order, Position};
use super::codes::Retcode;
use super::number::double;
use super::placing::Sent;
use super::request::{RequestView, TradeRequest};
use rust_decimal::Decimal;
use serde::Serialize;

/// `TradePosition`.
#[derive(Debug, Serialize)]
pub(super) struct PositionView {
    ticket: u64,
    time: i64,
    time_msc: i64,
    time_update: i64,
    time_update_msc: i64,
    #[serde(rename = "type")]
    kind: u32,
    magic: u64,
    identifier: u64,
    reason: u32,
    volume: f64,
    price_open: f64,
    sl: f64,
    tp: f64,
    price_current: f64,
    swap: f64,
    profit: f64,
    symbol: String,
    comment: String,
    external_id: String,
}

impl PositionView {
    pub(super) fn of(book: &Book, position: &Position) -> PositionView {
        PositionView {
            ticket: position.ticket,
            time: position.opened_at / 1_000,
            time_msc: position.opened_at,
            time_update: position.changed_at / 1_000,
            time_update_msc: position.changed_at,
            kind: position.side.code(),
            magic: position.magic,
            identifier: position.identifier,
            reason: position.reason.code(),
            volume: double(position.volume),
            price_open: double(position.price_open),
            sl: double(position.sl),
            tp: double(position.tp),
            price_current: double(book.price_of(position)),
            swap: 0.0,
            profit: double(book.profit_of(position)),
            symbol: position.symbol.clone(),
            comment: position.comment.clone(),
            external_id: String::new(),
        }
    }
}

/// `TradeOrder`.
#[derive(Debug, Serialize)]
pub(super) struct OrderView {
    ticket: u64,
    time_setup: i64,
    time_setup_msc: i64,
    time_done: i64,
    time_done_msc: i64,
    time_expiration: i64,
    #[serde(rename = "type")]
    kind: u32,
    type_time: u32,
    type_filling: u32,
    state: u32,
    magic: u64,
    position_id: u64,
    position_by_id: u64,
    reason: u32,
    volume_initial: f64,
    volume_current: f64,
    price_open: f64,
    sl: f64,
    tp: f64,
    price_current: f64,
    price_stoplimit: f64,
    symbol: String,
    comment: String,
    external_id: String,
}

impl OrderView {
    pub(super) fn of(book: &Book, order: &Order) -> OrderView {
        let market = book.symbols.get(&order.symbol);
        let price = market.and_then(|symbol| symbol.market_price(order.side()));
        OrderView {
            ticket: order.ticket,
            time_setup: order.placed_at / 1_000,
            time_setup_msc: order.placed_at,
            time_done: order.done_at / 1_000,
            time_done_msc: order.done_at,
            time_expiration: order.expiration,
            kind: order.kind.code(),
            type_time: order.lifetime.code(),
            type_filling: order.filling.code(),
            state: order.state.code(),
            magic: order.magic,
            position_id: order.position_id,
            position_by_id: order.position_by_id,
            reason: order.reason.code(),
            volume_initial: double(order.volume_initial),
            volume_current: double(order.volume_current),
            price_open: double(order.price_open),
            sl: double(order.sl),
            tp: double(order.tp),
            price_current: double(price.unwrap_or_default()),
            price_stoplimit: double(order.price_stoplimit),
            symbol: order.symbol.clone(),
            comment: order.comment.clone(),
            external_id: String::new(),
        }
    }
}

/// `TradeDeal`.
#[derive(Debug, Serialize)]
pub(super) struct DealView {
    ticket: u64,
    order: u64,
    time: i64,
    time_msc: i64,
    #[serde(rename = "type")]
    kind: u32,
    entry: u32,
    magic: u64,
    position_id: u64,
    reason: u32,
    volume: f64,
    price: f64,
    commission: f64,
    swap: f64,
    profit: f64,
    fee: f64,
    symbol: String,
    comment: String,
    external_id: String,
}

impl DealView {
    pub(super) fn of(deal: &Deal) -> DealView {
        let kind = match deal.kind {
            DealKind::Trade(side) => side.code(),
            DealKind::Balance => 2,
        };
        DealView {
            ticket: deal.ticket,
            order: deal.order,
            time: deal.at / 1_000,
            time_msc: deal.at,
            kind,
            entry: deal.entry.code(),
            magic: deal.magic,
            position_id: deal.position_id,
            reason: deal.reason.code(),
            volume: double(deal.volume),
            price: double(deal.price),
            commission: double(deal.commission),
            swap: 0.0,
            profit: double(deal.profit),
            fee: 0.0,
            symbol: deal.symbol.clone(),
            comment: deal.comment.clone(),
            external_id: String::new(),
        }
    }
}

/// `OrderSendResult`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SendResult {
    pub(super) retcode: Retcode,
    pub(super) deal: u64,
    pub(super) order: u64,
    pub(super) volume: f64,
    pub(super) price: f64,
    pub(super) bid: f64,
    pub(super) ask: f64,
    pub(super) comment: String,
    pub(super) request_id: u32,
    pub(super) retcode_external: i32,
    pub(super) request: RequestView,
}

impl SendResult {
    pub(super) fn of(
        book: &Book,
        sent: &Sent,
        request_id: u32,
        request: &TradeRequest,
    ) -> SendResult {
        // The prices of the moment come with answers that depend on them.
        let shows_prices = matches!(
            sent.retcode,
            Retcode::DONE | Retcode::DONE_PARTIAL | Retcode::REQUOTE | Retcode::PRICE_CHANGED
        );
        let market = book.symbols.get(&request.symbol).filter(|_| shows_prices);
        SendResult {
            retcode: sent.retcode,
            deal: sent.deal,
            order: sent.order,
            volume: double(sent.volume),
            price: double(sent.price),
            bid: market.map(|symbol| double(symbol.bid)).unwrap_or_default(),
            ask: market.map(|symbol| double(symbol.ask)).unwrap_or_default(),
            comment: sent.retcode.comment().to_owned(),
            request_id,
            retcode_external: 0,
            request: request.view(),
        }
    }
}

/// `OrderCheckResult`.
#[derive(Debug, Serialize)]
pub(super) struct CheckResult {
    retcode: Retcode,
    balance: f64,
    equity: f64,
    profit: f64,
    margin: f64,
    margin_free: f64,
    margin_level: f64,
    comment: &'static str,
    request: RequestView,
}

impl CheckResult {
    /// The account as it would be after the request.
    pub(super) fn of(
        before: &Book,
        request: &TradeRequest,
        retcode: Retcode,
        after: &Book,
    ) -> CheckResult {
        let shown = if retcode == Retcode::CHECKED {
            after
        } else {
            before
        };
        let (equity, margin) = (shown.equity(), shown.margin());
        CheckResult {
            retcode,
            balance: double(shown.balance),
            equity: double(equity),
            profit: double(shown.floating_profit()),
            margin: double(margin),
            margin_free: double(equity - margin),
            margin_level: double(margin_level(equity, margin)),
            comment: retcode.comment(),
            request: request.view(),
        }
    }
}

/// Equity in percent of the margin; zero without positions.
pub(super) fn margin_level(equity: Decimal, margin: Decimal) -> Decimal {
    let part = equity.checked_div(margin).unwrap_or_default();
    (part * Decimal::ONE_HUNDRED).round_dp(2)
}
