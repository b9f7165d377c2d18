//! The trade server's books, without any wire: tables of cases and random histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod checks;
mod hedging;
mod matching;
mod netting;
mod properties;

use super::book::{Book, Deal, Order, Position};
use super::codes::Retcode;
use super::kinds::{Entry, Filling, Lifetime, OrderKind, Reason};
use super::placing::{Handling, Sent};
use super::request::{Action, TradeRequest};
use super::symbols::Symbol;
use super::{MarginMode, Mt5Options};
use rust_decimal::Decimal;

/// A moment on the server's clock, in milliseconds: 23 November 2026, 12:00.
const NOON: i64 = 1_795_435_200_000;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Books with all symbols in the Market Watch, and a clock that goes on by a second with each request.
#[derive(Clone, Debug)]
struct Bench {
    book: Book,
    now: i64,
}

impl Bench {
    fn new(options: &Mt5Options) -> Bench {
        let mut book = Book::new(options, NOON);
        for symbol in book.symbols.values_mut() {
            symbol.selected = true;
        }
        Bench { book, now: NOON }
    }

    fn b3() -> Bench {
        Bench::new(&Mt5Options::b3())
    }

    fn hedging() -> Bench {
        Bench::new(&Mt5Options::forex(MarginMode::Hedging))
    }

    fn send(&mut self, request: &TradeRequest) -> Sent {
        self.send_with(request, None)
    }

    fn send_with(&mut self, request: &TradeRequest, share: Option<Decimal>) -> Sent {
        self.now += 1_000;
        let handling = Handling {
            reason: Reason::Expert,
            share,
        };
        self.book.send(request, handling, self.now)
    }

    /// Sends a request that has to be taken.
    fn done(&mut self, request: &TradeRequest) -> Sent {
        let sent = self.send(request);
        let taken = [Retcode::DONE, Retcode::PLACED, Retcode::DONE_PARTIAL];
        assert!(taken.contains(&sent.retcode), "{sent:?} for {request:?}");
        sent
    }

    /// Sends a request that has to be refused, and changes nothing.
    fn refused(&mut self, request: &TradeRequest) -> Retcode {
        let before = (
            self.book.positions.clone(),
            self.book.orders.clone(),
            self.book.deals.len(),
        );
        let sent = self.send(request);
        let after = (
            self.book.positions.clone(),
            self.book.orders.clone(),
            self.book.deals.len(),
        );
        assert_eq!(before, after, "{sent:?} for {request:?}");
        assert_eq!((sent.deal, sent.volume), (0, Decimal::ZERO));
        sent.retcode
    }

    /// Bid and ask at once.
    fn price(&mut self, symbol: &str, price: &str) {
        self.prices(symbol, price, price);
    }

    fn prices(&mut self, symbol: &str, bid: &str, ask: &str) {
        self.now += 1_000;
        self.book.quote(symbol, (d(bid), d(ask), d(bid)), self.now);
    }

    fn symbol(&mut self, name: &str) -> &mut Symbol {
        self.book.symbols.get_mut(name).unwrap()
    }

    /// The only position there is.
    fn position(&self) -> &Position {
        assert_eq!(self.book.positions.len(), 1, "{:?}", self.book.positions);
        self.book.positions.values().next().unwrap()
    }

    fn deal(&self) -> &Deal {
        self.book.deals.last().unwrap()
    }

    fn ended(&self) -> &Order {
        self.book.ended_orders.last().unwrap()
    }

    /// Side, entry and volume of all deals that traded.
    fn traded(&self) -> Vec<(u32, Entry, Decimal)> {
        let trades = self.book.deals.iter().skip(1);
        trades
            .map(|deal| {
                let super::book::DealKind::Trade(side) = deal.kind else {
                    panic!("{deal:?} is no trade");
                };
                (side.code(), deal.entry, deal.volume)
            })
            .collect()
    }
}

fn market(kind: OrderKind, symbol: &str, volume: &str) -> TradeRequest {
    TradeRequest {
        action: Action::Deal as u32,
        symbol: symbol.to_owned(),
        volume: d(volume),
        kind: kind.code(),
        filling: Filling::ImmediateOrCancel.code(),
        magic: 7,
        comment: "Pabc".to_owned(),
        ..TradeRequest::default()
    }
}

fn buy(symbol: &str, volume: &str) -> TradeRequest {
    market(OrderKind::Buy, symbol, volume)
}

fn sell(symbol: &str, volume: &str) -> TradeRequest {
    market(OrderKind::Sell, symbol, volume)
}

fn pending(kind: OrderKind, symbol: &str, volume: &str, price: &str) -> TradeRequest {
    TradeRequest {
        action: Action::Pending as u32,
        price: d(price),
        filling: Filling::Return.code(),
        lifetime: Lifetime::UntilCancelled.code(),
        ..market(kind, symbol, volume)
    }
}

fn levels(position: u64, sl: &str, tp: &str) -> TradeRequest {
    TradeRequest {
        action: Action::Levels as u32,
        position,
        ..with_levels(TradeRequest::default(), sl, tp)
    }
}

fn remove(order: u64) -> TradeRequest {
    TradeRequest {
        action: Action::Remove as u32,
        order,
        ..TradeRequest::default()
    }
}

fn with_levels(request: TradeRequest, sl: &str, tp: &str) -> TradeRequest {
    TradeRequest {
        sl: d(sl),
        tp: d(tp),
        ..request
    }
}

fn with_filling(request: TradeRequest, filling: Filling) -> TradeRequest {
    TradeRequest {
        filling: filling.code(),
        ..request
    }
}

fn closing(request: TradeRequest, position: u64) -> TradeRequest {
    TradeRequest {
        position,
        ..request
    }
}
