//! What an expert's `OnTradeTransaction` would be told: a numbered list, the oldest of which are forgotten.

use super::book::{Deal, DealKind, Order, Position};
use super::number::double;
use serde::Serialize;
use std::collections::VecDeque;

/// How many are kept (MQL5 Reference, "OnTradeTransaction": the queue's length).
const KEPT_MAX: usize = 1_024;

/// ENUM_TRADE_TRANSACTION_TYPE, those that occur here.
const ORDER_ADD: u32 = 0;
const ORDER_UPDATE: u32 = 1;
const ORDER_DELETE: u32 = 2;
const HISTORY_ADD: u32 = 3;
const DEAL_ADD: u32 = 6;
const POSITION: u32 = 9;

/// One of them, with the fields of `MqlTradeTransaction` and its number.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Transaction {
    pub(super) number: u64,
    #[serde(rename = "type")]
    kind: u32,
    deal: u64,
    order: u64,
    symbol: String,
    order_type: u32,
    order_state: u32,
    deal_type: u32,
    time_type: u32,
    time_expiration: i64,
    price: f64,
    price_trigger: f64,
    price_sl: f64,
    price_tp: f64,
    volume: f64,
    position: u64,
    position_by: u64,
}

/// The newest of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    kept: VecDeque<Transaction>,
    newest: u64,
}

impl Transactions {
    /// Those after that number, oldest first.
    pub(super) fn after(&self, number: u64) -> Vec<Transaction> {
        let newer = self.kept.iter().filter(|one| one.number > number);
        newer.cloned().collect()
    }

    pub(super) fn order_added(&mut self, order: &Order) {
        self.push(of_order(ORDER_ADD, order));
    }

    pub(super) fn order_updated(&mut self, order: &Order) {
        self.push(of_order(ORDER_UPDATE, order));
    }

    pub(super) fn order_ended(&mut self, order: &Order) {
        self.push(of_order(ORDER_DELETE, order));
        self.push(of_order(HISTORY_ADD, order));
    }

    pub(super) fn deal_added(&mut self, deal: &Deal, position: u64) {
        let deal_type = match deal.kind {
            DealKind::Trade(side) => side.code(),
            DealKind::Balance => 2,
        };
        self.push(Transaction {
            kind: DEAL_ADD,
            deal: deal.ticket,
            order: deal.order,
            symbol: deal.symbol.clone(),
            deal_type,
            price: double(deal.price),
            volume: double(deal.volume),
            position,
            ..Transaction::default()
        });
    }

    pub(super) fn position_changed(&mut self, position: &Position) {
        self.push(Transaction {
            kind: POSITION,
            symbol: position.symbol.clone(),
            price: double(position.price_open),
            price_sl: double(position.sl),
            price_tp: double(position.tp),
            volume: double(position.volume),
            position: position.ticket,
            ..Transaction::default()
        });
    }

    fn push(&mut self, mut transaction: Transaction) {
        self.newest += 1;
        transaction.number = self.newest;
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(transaction);
    }
}

fn of_order(kind: u32, order: &Order) -> Transaction {
    Transaction {
        kind,
        order: order.ticket,
        symbol: order.symbol.clone(),
        order_type: order.kind.code(),
        order_state: order.state.code(),
        time_type: order.lifetime.code(),
        time_expiration: order.expiration,
        price: double(order.price_open),
        price_trigger: double(order.price_stoplimit),
        price_sl: double(order.sl),
        price_tp: double(order.tp),
        volume: double(order.volume_current),
        position: order.position_id,
        ..Transaction::default()
    }
}
