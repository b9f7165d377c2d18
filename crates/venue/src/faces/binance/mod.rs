//! Binance on the wire: its spot and USDⓈ-M futures markets behind one listener, for rehearsals and tests. Written from
//! Binance's documentation, not from our adapter.
//!
//! | path | what |
//! |---|---|
//! | `/api/v3/*`, `/sapi/*` | spot, REST |
//! | `/fapi/*` | futures, REST |
//! | `/ws-api/v3`, `/ws-fapi/v1` | the web socket APIs |
//! | `/ws`, `/ws/<stream>`, `/stream?streams=` | spot market streams; a futures listen key works here too |
//! | `/public/…`, `/market/…`, `/private/…`, `/fstream/…` | futures streams, each with `ws` and `stream` below it |
//! | `POST /admin/ticks` `{symbol, price, market?}` | tells a price |
//! | `POST /admin/mark` `{symbol, price}` | holds a futures mark price apart from the last price; null for no more |
//! | `POST /admin/deposits` `{key, asset, amount}` | adds to a spot balance, or takes from it |
//! | `POST`, `GET`, `DELETE /admin/faults` | adds a rule, shows what is left of the rules, removes all |
//! | `POST`, `GET /admin/clock` `{skew_ms}` | how far the exchange's clock is ahead |
//! | `POST /admin/streams` `{do, key?, market?}` | cuts, closes, silences or ends private streams |
//! | `GET /admin/audit?key=` | all orders ever accepted, positions and balances, so that a double shows |
//!
//! What is not modelled: other clients' orders, margin, iceberg parts in the book, self-trade, symbols out of trading.

mod admin;
mod auth;
mod error;
mod faults;
mod futures;
mod keys;
mod limits;
mod market_streams;
mod params;
mod rest;
mod service;
mod sockets;
mod spot;
mod state;
mod streams;
mod ws_api;

pub use faults::{BinanceFault, BinanceFaultRule, Operation};
pub use keys::{KeyOptions, KeySecret};
pub use limits::MarketLimits;

use crate::faces::connection;
use crate::feed::FeedOptions;
use crate::fill_model::FillModel;
use crate::rejection::Rejection;
use axum::Router;
use axum::routing::any;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use state::Face;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The API key of the rehearsal account. Nobody can take it for a real one.
pub const REHEARSAL_KEY: &str = "REHEARSAL-KEY-OF-THE-PONTE-TEST-EXCHANGE-NO-REAL-MONEY-HERE-0001";
/// The secret that belongs to it.
pub const REHEARSAL_SECRET: &str =
    "REHEARSAL-SECRET-OF-THE-PONTE-TEST-EXCHANGE-NOT-A-REAL-SECRET-01";

/// One of the two markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// Spot.
    Spot,
    /// USDⓈ-M futures.
    Futures,
}

/// How the face is set up.
#[derive(Clone, Debug)]
pub struct BinanceOptions {
    /// The API keys with their accounts.
    pub keys: Vec<KeyOptions>,
    /// What each account has on the spot market at first: asset and amount, at most eight decimals.
    pub spot_balances: Vec<(String, Decimal)>,
    /// What each account has on the futures market at first.
    pub futures_balances: Vec<(String, Decimal)>,
    /// Starting prices of both markets.
    pub prices: Vec<(String, Decimal)>,
    /// How orders execute. Its fees are not used: spot takes [`BinanceOptions::spot_commission`] in the asset received.
    pub fill_model: FillModel,
    /// The spot market's commission on what an order receives, as a fraction; 0 to 0.1.
    pub spot_commission: Decimal,
    /// Whether a cancelled spot order takes the name of its cancel, so that a search for its own finds nothing any
    /// more. Binance's web socket API says that the cancel's name replaces the order's; how searches then behave is not
    /// documented.
    pub spot_cancel_renames: bool,
    /// Makes prices for every symbol; without it they come by `POST /admin/ticks`.
    pub feed: Option<FeedOptions>,
    /// Rate limits of the spot market.
    pub spot_limits: MarketLimits,
    /// Rate limits of the futures market.
    pub futures_limits: MarketLimits,
    /// How often web sockets of the spot market are pinged; above zero.
    pub spot_ping: Duration,
    /// How often web sockets of the futures market are pinged; above zero.
    pub futures_ping: Duration,
    /// Decides what the probabilities of faults will say.
    pub fault_seed: u64,
    /// Whether it may listen on an address that other machines reach.
    pub allow_remote: bool,
}

impl BinanceOptions {
    /// An exchange to rehearse with: one account with the rehearsal key, four symbols, plausible prices and balances, a
    /// narrow spread, no feed, on loopback only.
    #[must_use]
    pub fn rehearsal() -> BinanceOptions {
        let amounts = |rows: &[(&str, i64, u32)]| {
            rows.iter()
                .map(|(name, digits, scale)| ((*name).to_owned(), Decimal::new(*digits, *scale)))
                .collect()
        };
        BinanceOptions {
            keys: vec![KeyOptions::hmac(
                REHEARSAL_KEY,
                REHEARSAL_SECRET,
                "rehearsal",
            )],
            spot_balances: amounts(&[
                ("USDT", 100_000, 0),
                ("BTC", 1, 0),
                ("ETH", 10, 0),
                ("BNB", 20, 0),
                ("SOL", 100, 0),
            ]),
            futures_balances: amounts(&[("USDT", 100_000, 0)]),
            prices: amounts(&[
                ("BTCUSDT", 60_000, 0),
                ("ETHUSDT", 3_000, 0),
                ("BNBUSDT", 600, 0),
                ("SOLUSDT", 150, 0),
            ]),
            fill_model: FillModel {
                half_spread_bps: Decimal::new(5, 1),
                ..FillModel::optimistic()
            },
            spot_commission: Decimal::new(1, 3),
            spot_cancel_renames: false,
            feed: None,
            spot_limits: MarketLimits::spot(),
            futures_limits: MarketLimits::futures(),
            spot_ping: Duration::from_secs(20),
            futures_ping: Duration::from_secs(180),
            fault_seed: 1,
            allow_remote: false,
        }
    }
}

/// The test exchange. Clones share it.
#[derive(Clone, Debug)]
pub struct BinanceFace {
    face: Arc<Face>,
    allow_remote: bool,
}

impl BinanceFace {
    /// A face in front of two markets where nothing has happened yet.
    ///
    /// # Errors
    /// An option that makes no sense.
    pub fn new(options: &BinanceOptions) -> Result<BinanceFace, Rejection> {
        Ok(BinanceFace {
            face: Arc::new(Face::new(options)?),
            allow_remote: options.allow_remote,
        })
    }

    /// Serves until `stop` is there.
    ///
    /// # Errors
    /// The listener's address is not a loopback address though only those are allowed.
    pub async fn serve_until(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        connection::check_address(&listener, self.allow_remote)?;
        let router = router(Arc::clone(&self.face));
        let stopping = self.face.stopping.clone();
        tokio::select! {
            () = connection::serve(listener, router, stopping, stop) => {}
            () = Arc::clone(&self.face).run_forever() => {}
        }
        Ok(())
    }
}

fn router(face: Arc<Face>) -> Router {
    let mut router = admin::router()
        .route("/ws-api/v3", any(ws_api::spot))
        .route("/ws-fapi/v1", any(ws_api::futures));
    for prefix in ["", "/fstream", "/public", "/market", "/private"] {
        for path in ["/ws", "/ws/{*streams}", "/stream"] {
            router = router.route(&format!("{prefix}{path}"), any(market_streams::open));
        }
    }
    router.fallback(rest::answer).with_state(face)
}
