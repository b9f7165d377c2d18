//! Public market prices: what a symbol costs now, and how old that knowledge is.
//!
//! A feed never waits and never guesses: a price that is too old is no price. Symbols are named as
//! `TradingView` names them: `BTCUSDT` is a spot market, `BTCUSDT.P` a perpetual.

mod board;

pub mod binance;

use std::sync::Arc;

use ponte_core::id::Symbol;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use tokio::sync::broadcast;

/// A source of market prices, shared by all who need them. Every call answers from memory.
pub trait PriceFeed: Send + Sync {
    /// Wants the prices of a symbol from now on; its first one comes a moment later, or never
    /// where the market does not know the symbol. Says whether nobody had asked for it before; to
    /// ask again changes nothing.
    fn follow(&self, symbol: &Symbol) -> bool;

    /// The newest price of a followed symbol; `None` where none is known or it is too old.
    fn last(&self, symbol: &Symbol) -> Option<Tick>;

    /// The symbols whose price changes from now on, each to be looked up with [`Self::last`]. A
    /// receiver that falls behind is told so, and looks up all of its symbols. A price that grows
    /// too old is not a change.
    fn changes(&self) -> broadcast::Receiver<Symbol>;
}

/// Ends when a price of the symbol is known, or when the feed is gone.
pub async fn known(feed: Arc<dyn PriceFeed>, symbol: Symbol) {
    let mut changes = feed.changes();
    feed.follow(&symbol);
    while feed.last(&symbol).is_none() {
        match changes.recv().await {
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// One price of one symbol, in its quote currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// What the best buyer pays, above zero; `None` where the market doesn't tell.
    pub bid: Option<Decimal>,
    /// What the best seller asks, above zero and not below the bid; `None` where the market
    /// doesn't tell.
    pub ask: Option<Decimal>,
    /// The one number that stands for the market, above zero: the middle of bid and ask where both
    /// are known, else the price of the last trade.
    pub last: Decimal,
    /// When it was received, by this machine's clock.
    pub at: Timestamp,
}
