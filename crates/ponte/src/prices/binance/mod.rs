//! Prices from Binance's public market streams: one connection for spot, one for perpetuals.
//!
//! The stream of best prices (`<symbol>@bookTicker`) is the only one that is read: it tells of
//! every change of the best bid and ask at once. The price is the middle of the two; trades are
//! not followed. A book that does not change is not told, and a silent market and a silent
//! connection look the same: where nothing was heard for a while, the book is asked for over HTTP.

mod connection;
mod snapshot;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ponte_core::id::Symbol;
use ponte_core::retry;
use rustls::ClientConfig;
use tokio::sync::{Notify, broadcast};

use super::board::Board;
use super::{PriceFeed, Tick};
use crate::{clock, tls};

/// Streams of one connection at most (Binance, "WebSocket Limits" of both markets).
const STREAMS_MAX: usize = 1024;
/// What `TradingView` appends to the symbol of a perpetual.
const PERPETUAL_ENDING: &str = ".P";

/// Where the streams are; addresses without a stroke at their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The spot market's; `/ws` is appended.
    pub spot_streams: String,
    /// The public route of the USDⓈ-M perpetuals' streams; `/ws` is appended.
    pub futures_streams: String,
    /// The spot market's HTTP address.
    pub spot_rest: String,
    /// The HTTP address of the USDⓈ-M perpetuals.
    pub futures_rest: String,
}

impl Hosts {
    /// Binance's own: the host that has public data only, for spot, and since the addresses were
    /// split the public route of futures, which carries the book tickers (Binance Spot, "General
    /// WSS information"; USDⓈ-M Futures, "Important WebSocket Change Notice" of 2026-03-06).
    #[must_use]
    pub fn live() -> Self {
        Self {
            spot_streams: "wss://data-stream.binance.vision".to_owned(),
            futures_streams: "wss://fstream.binance.com/public".to_owned(),
            spot_rest: "https://data-api.binance.vision".to_owned(),
            futures_rest: "https://fapi.binance.com".to_owned(),
        }
    }
}

/// How long a connection is waited for and trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands. Default: 10 s.
    pub connect: Duration,
    /// Until a request is answered. Default: 10 s.
    pub answer: Duration,
    /// Without any price, once the market has given some, before a new connection is made.
    /// Default: 60 s.
    pub silence: Duration,
    /// The shortest wait between two connections; it grows to 30 s while none gives a price, and
    /// up to half is added at random. Default: 1 s, which keeps to the limit of 300 connections in
    /// 5 minutes from one address (Binance, "WebSocket Limits").
    pub reconnect: Duration,
    /// Before a connection is replaced. Default: 23 h, as the server ends it after 24.
    pub connection_age: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            reconnect: Duration::from_secs(1),
            connection_age: Duration::from_secs(23 * 60 * 60),
        }
    }
}

/// The prices of Binance's spot market and of its USDⓈ-M perpetuals.
pub struct BinancePrices {
    board: Board,
    spot: Market,
    futures: Market,
    patience: Patience,
    tls: Arc<ClientConfig>,
    http: Option<reqwest::Client>,
}

/// One market with its followed symbols.
struct Market {
    name: &'static str,
    url: String,
    /// Where its books are asked for.
    book_url: String,
    followed: Mutex<Followed>,
    /// Something was added to what is followed, which the connection has to ask for.
    grown: Notify,
    /// The same, for those who ask for its first price.
    unheard: Notify,
    /// It has given a price at some time, so that its silence means something.
    has_spoken: AtomicBool,
}

#[derive(Default)]
struct Followed {
    /// Our symbol by the market's name for it.
    symbols: BTreeMap<String, Symbol>,
    is_full: bool,
}

impl BinancePrices {
    /// A feed that knows nothing yet, and connects when it is run and a symbol is followed.
    /// `age_max` is how old a price may be; ten seconds are enough for the markets that people
    /// trade, a minute for quiet ones.
    #[must_use]
    pub fn new(hosts: &Hosts, age_max: Duration) -> Self {
        Self {
            board: Board::new(age_max),
            spot: Market::new(
                "spot",
                &hosts.spot_streams,
                format!("{}/api/v3/ticker/bookTicker", hosts.spot_rest),
            ),
            futures: Market::new(
                "futures",
                &hosts.futures_streams,
                format!("{}/fapi/v1/ticker/bookTicker", hosts.futures_rest),
            ),
            patience: Patience::default(),
            tls: tls::client_config(),
            http: snapshot::client(),
        }
    }

    /// The same feed with another patience.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Keeps the connections, until it is dropped. To be run once.
    pub async fn run(&self) {
        tokio::join!(
            self.serve(&self.spot),
            self.serve(&self.futures),
            snapshot::keep_young(self, &self.spot),
            snapshot::keep_young(self, &self.futures),
        );
    }

    /// Keeps one market's connection.
    async fn serve(&self, market: &Market) {
        let mut fruitless: u32 = 0;
        loop {
            market.is_wanted().await;
            let (end, was_fruitful) = connection::run(self, market).await;
            fruitless = if was_fruitful {
                0
            } else {
                fruitless.saturating_add(1)
            };
            let wait = self.wait(fruitless);
            let (market, wait_ms) = (market.name, wait.as_millis());
            tracing::info!(market, why = %end, wait_ms, "binance prices: the connection ended");
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait after so many connections in a row that gave nothing.
    fn wait(&self, fruitless: u32) -> Duration {
        let wait = retry::wait_after(fruitless).max(self.patience.reconnect);
        // Where thousands are cut off at once they must not come back at once. The clock's
        // microseconds are random enough for that.
        let share = u32::try_from(clock::now().microseconds().rem_euclid(1000)).unwrap_or(0);
        wait + wait * share / 2000
    }

    /// The market of a symbol and the market's name for it; `None` where it can't be one of
    /// Binance's.
    fn market_of<'a>(&self, symbol: &'a Symbol) -> Option<(&Market, &'a str)> {
        let text = symbol.as_str();
        let (market, name) = match text.strip_suffix(PERPETUAL_ENDING) {
            Some(name) => (&self.futures, name),
            None => (&self.spot, text),
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then_some((market, name))
    }
}

impl PriceFeed for BinancePrices {
    fn follow(&self, symbol: &Symbol) -> bool {
        self.market_of(symbol)
            .is_some_and(|(market, name)| market.follow(name, symbol))
    }

    fn last(&self, symbol: &Symbol) -> Option<Tick> {
        self.board.last(symbol)
    }

    fn changes(&self) -> broadcast::Receiver<Symbol> {
        self.board.changes()
    }
}

impl Market {
    fn new(name: &'static str, streams: &str, book_url: String) -> Self {
        Self {
            name,
            url: format!("{streams}/ws"),
            book_url,
            followed: Mutex::default(),
            grown: Notify::new(),
            unheard: Notify::new(),
            has_spoken: AtomicBool::new(false),
        }
    }

    /// Says whether the symbol is new.
    fn follow(&self, name: &str, symbol: &Symbol) -> bool {
        let mut followed = self.followed();
        if followed.symbols.contains_key(name) {
            return false;
        }
        if followed.symbols.len() >= STREAMS_MAX {
            if !followed.is_full {
                followed.is_full = true;
                tracing::warn!(
                    market = self.name, %symbol,
                    "binance prices: {STREAMS_MAX} symbols are followed, which is all that one \
                     connection takes; this one and further ones have no price"
                );
            }
            return false;
        }
        followed.symbols.insert(name.to_owned(), symbol.clone());
        drop(followed);
        self.grown.notify_one();
        self.unheard.notify_one();
        true
    }

    /// Everything that is followed: the market's name and ours.
    fn all(&self) -> Vec<(String, Symbol)> {
        let followed = self.followed();
        let symbols = followed.symbols.iter();
        symbols
            .map(|(name, symbol)| (name.clone(), symbol.clone()))
            .collect()
    }

    /// Waits until a symbol is followed.
    async fn is_wanted(&self) {
        while self.followed().symbols.is_empty() {
            self.grown.notified().await;
        }
    }

    /// The market's names of what is followed, in their order, without those that `asked` has.
    fn not_in(&self, asked: &BTreeSet<String>) -> Vec<String> {
        let followed = self.followed();
        let names = followed.symbols.keys();
        names
            .filter(|name| !asked.contains(*name))
            .cloned()
            .collect()
    }

    /// Our symbol for the market's name, if it is followed.
    fn symbol(&self, name: &str) -> Option<Symbol> {
        self.followed().symbols.get(name).cloned()
    }

    fn has_spoken(&self) -> bool {
        self.has_spoken.load(Ordering::Relaxed)
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        // The map is whole between any two of its operations.
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_lead_to_their_market() {
        let prices = BinancePrices::new(&Hosts::live(), Duration::from_secs(10));
        let place = |text: &str| {
            let symbol = Symbol::new(text).unwrap();
            let found = prices.market_of(&symbol);
            found.map(|(market, name)| format!("{} {name}", market.url))
        };
        let spot = "wss://data-stream.binance.vision/ws BTCUSDT";
        let futures = "wss://fstream.binance.com/public/ws BTCUSDT";
        assert_eq!(place("BTCUSDT").as_deref(), Some(spot));
        assert_eq!(place("btcusdt.p").as_deref(), Some(futures));
        for other in ["WIN1!", "BRK.B", "EUR/USD", ".P", "BTCUSDT.PS"] {
            assert_eq!(place(other), None, "{other}");
        }
    }

    #[test]
    fn waits_grow_while_nothing_comes_and_stay_below_a_minute() {
        let prices = BinancePrices::new(&Hosts::live(), Duration::from_secs(10));
        assert!(prices.wait(0) >= Duration::from_secs(1));
        assert!(prices.wait(8) > prices.wait(5));
        assert!(prices.wait(u32::MAX) <= Duration::from_secs(45));
    }

    #[test]
    fn no_more_symbols_are_followed_than_a_connection_takes() {
        let prices = BinancePrices::new(&Hosts::live(), Duration::from_secs(10));
        for number in 0..STREAMS_MAX + 5 {
            prices.follow(&Symbol::new(&format!("COIN{number}")).unwrap());
            prices.follow(&Symbol::new("COIN0").unwrap());
        }
        assert_eq!(prices.spot.followed().symbols.len(), STREAMS_MAX);
        assert!(prices.futures.followed().symbols.is_empty());
    }
}
