//! The futures exchange without a wire: tables of what it refuses, and stories of orders, triggers and positions.

mod algos;
mod orders;
mod properties;
mod settings;

use super::exchange::{FuturesExchange, FuturesOptions};
use super::order::{
    AlgoId, AlgoStatus, AlgoTicket, OrderId, OrderStatus, OrderTicket, OrderType, PositionSide,
    SelfTrade, TimeInForce, WorkingType,
};
use crate::fill_model::FillModel;
use crate::order::Side;
use crate::time::Micros;
use rust_decimal::Decimal;

const NOW: Micros = Micros(1_790_000_000_000_000);

/// A decimal from its digits.
fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// An exchange with an account `a` of 100000 USDT and BTCUSDT at 60000, without spread.
struct Bench {
    exchange: FuturesExchange,
    now: Micros,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(FuturesOptions {
            fill_model: FillModel {
                maker_fee_bps: d("2"),
                taker_fee_bps: d("5"),
                ..FillModel::optimistic()
            },
            ..FuturesOptions::rehearsal()
        })
    }

    fn with(options: FuturesOptions) -> Bench {
        let mut exchange = FuturesExchange::with_options(options, NOW).unwrap();
        exchange.open_account("a", NOW).unwrap();
        Bench { exchange, now: NOW }
    }

    fn hedged() -> Bench {
        let mut bench = Bench::new();
        bench.exchange.set_hedge_mode("a", true).unwrap();
        bench
    }

    fn tick(&mut self, price: &str) {
        self.now = self.now.plus_milliseconds(1);
        self.exchange.tick("BTCUSDT", d(price), self.now).unwrap();
    }

    fn place(&mut self, ticket: &OrderTicket) -> OrderId {
        self.exchange.place("a", ticket, self.now).unwrap()
    }

    fn refusal(&mut self, ticket: &OrderTicket) -> i32 {
        self.exchange.place("a", ticket, self.now).unwrap_err().code
    }

    fn place_algo(&mut self, ticket: &AlgoTicket) -> AlgoId {
        self.exchange.place_algo("a", ticket, self.now).unwrap()
    }

    fn algo_refusal(&mut self, ticket: &AlgoTicket) -> i32 {
        let outcome = self.exchange.place_algo("a", ticket, self.now);
        outcome.unwrap_err().code
    }

    fn status(&self, id: OrderId) -> (OrderStatus, Decimal) {
        let order = &self.exchange.account("a").unwrap().orders[&id];
        (order.status, order.executed)
    }

    fn algo_status(&self, id: AlgoId) -> AlgoStatus {
        self.exchange.account("a").unwrap().algos[&id].status
    }

    fn position(&self) -> Decimal {
        self.leg(PositionSide::Both)
    }

    fn leg(&self, side: PositionSide) -> Decimal {
        self.exchange.account("a").unwrap().amount("BTCUSDT", side)
    }

    fn wallet(&self) -> Decimal {
        self.exchange.account("a").unwrap().wallet
    }

    /// The names of the events since the last call, those of orders with what happened, of algos with their status.
    fn events(&mut self) -> Vec<String> {
        let events = self.exchange.take_events();
        let name = |event: &super::events::Outgoing| {
            let body = &event.body["o"];
            match event.name {
                "ORDER_TRADE_UPDATE" => format!(
                    "{}/{}",
                    body["x"].as_str().unwrap(),
                    body["X"].as_str().unwrap()
                ),
                "ALGO_UPDATE" => format!("ALGO {}", body["X"].as_str().unwrap()),
                other => other.to_owned(),
            }
        };
        events.iter().map(name).collect()
    }
}

fn market(side: Side, quantity: &str) -> OrderTicket {
    OrderTicket {
        symbol: "BTCUSDT".to_owned(),
        side,
        order_type: OrderType::Market,
        position_side: None,
        time_in_force: None,
        quantity: Some(d(quantity)),
        price: None,
        price_match: None,
        reduce_only: None,
        client_order_id: None,
        good_till_ms: None,
        self_trade: SelfTrade::ExpireMaker,
    }
}

fn limit(side: Side, quantity: &str, price: &str) -> OrderTicket {
    OrderTicket {
        order_type: OrderType::Limit,
        time_in_force: Some(TimeInForce::Gtc),
        price: Some(d(price)),
        ..market(side, quantity)
    }
}

fn stop_market(side: Side, trigger: &str) -> AlgoTicket {
    AlgoTicket {
        symbol: "BTCUSDT".to_owned(),
        side,
        order_type: OrderType::StopMarket,
        position_side: None,
        time_in_force: None,
        quantity: Some(d("0.1")),
        price: None,
        price_match: None,
        trigger_price: Some(d(trigger)),
        working_type: WorkingType::Contract,
        close_position: false,
        price_protect: false,
        reduce_only: None,
        activate_price: None,
        callback_rate: None,
        client_algo_id: None,
        good_till_ms: None,
        self_trade: SelfTrade::ExpireMaker,
    }
}

/// A stop that closes whatever the position is.
fn closing_stop(side: Side, trigger: &str) -> AlgoTicket {
    AlgoTicket {
        quantity: None,
        close_position: true,
        ..stop_market(side, trigger)
    }
}

/// A ticket with one thing changed.
fn but<T>(mut ticket: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut ticket);
    ticket
}
