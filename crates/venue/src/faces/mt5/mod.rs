//! A stand-in for a MetaTrader 5 terminal with its trade server: what the official `MetaTrader5` package for Python
//! would say, over HTTP and JSON on loopback, for tests and rehearsals. Written from MetaQuotes' documentation (MQL5
//! Reference; MetaTrader 5 help) and from the package, version 5.0.6231; where they are silent the stricter reading is
//! taken and marked as an assumption beside the code.
//!
//! | request | what |
//! |---|---|
//! | `POST /terminal/call` `{function, arguments}` | `{"value", "error": [code, text]}`: a function of the package |
//! | `POST /admin/price` `{symbol, bid, ask}` or `{symbol, price, spread_points?}` | moves the market |
//! | `POST /admin/depth` `{symbol, volume}` | how much it takes with each price; null for any volume |
//! | `POST /admin/symbol` `{symbol, …}` | session, trade mode, filling, execution, levels, Market Watch |
//! | `POST /admin/terminal` `{connected?, logged_in?, trade_allowed?, …}` | the terminal's and the account's state |
//! | `POST /admin/manual` `{symbol, side, volume, position?, sl?, tp?}` | a person trades |
//! | `POST /admin/levels` `{position, sl, tp}` | a person changes a position's levels |
//! | `POST /admin/force_close` `{symbol}` | the broker closes |
//! | `POST /admin/new_day` | the server's day ends |
//! | `POST /admin/clock` `{skew_ms}` | moves the server's clock |
//! | `POST`, `GET`, `DELETE /admin/faults` (or `fault`) | adds a fault, shows what is left of them, removes all |
//! | `GET /admin/audit` | everything that is and ever was |
//!
//! The whole wire with its faults is on the page `bridges/mt5/TERMINAL.md`. Nothing is remembered after the end.
//!
//! What is not modelled: swaps, several accounts, conversion between currencies, stop out by margin, sessions by the
//! clock, a symbol's life by its dates, the book's depth beyond one volume.

mod admin;
mod book;
mod calls;
mod checks;
mod codes;
mod faults;
mod history;
mod kinds;
mod matching;
mod number;
mod placing;
mod request;
mod service;
mod state;
mod symbols;
mod terminal;
#[cfg(test)]
mod tests;
mod transactions;
mod wire;
mod wire_symbol;

pub use symbols::SymbolList;

use crate::faces::connection;
use crate::rejection::{RejectCode, Rejection};
use axum::Router;
use axum::routing::post;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use state::Face;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The largest balance an account starts with.
const BALANCE_MAX: i64 = 1_000_000_000;
/// The furthest a server's clock is from UTC, in hours.
const UTC_OFFSET_HOURS_MAX: i32 = 14;

/// How an account keeps positions (ENUM_ACCOUNT_MARGIN_MODE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginMode {
    /// One position in each symbol.
    Netting,
    /// The same with an exchange's rules, as at B3: levels don't outlive the day.
    Exchange,
    /// Every deal may open a position of its own.
    Hedging,
}

/// How the face is set up.
#[derive(Clone, Debug)]
pub struct Mt5Options {
    /// How the account keeps positions.
    pub margin_mode: MarginMode,
    /// The account's currency; it is only shown.
    pub currency: String,
    /// What the account has at first; above zero, at most a billion.
    pub balance: Decimal,
    /// The account's leverage; at least 1.
    pub leverage: u32,
    /// The account's number.
    pub login: u64,
    /// The trade server's name.
    pub server: String,
    /// Whether the account says of itself that its money is real. It is not.
    pub real: bool,
    /// The symbols on offer.
    pub symbols: SymbolList,
    /// How far the server's clock is ahead of UTC, in hours; -14 to 14.
    pub server_utc_offset: i32,
    /// Whether it may listen on an address that other machines reach.
    pub allow_remote: bool,
}

impl Mt5Options {
    /// A demo account at a Brazilian broker: exchange margin, 100 000 BRL, B3's symbols, on loopback only.
    #[must_use]
    pub fn b3() -> Mt5Options {
        Mt5Options {
            margin_mode: MarginMode::Exchange,
            currency: "BRL".to_owned(),
            balance: Decimal::from(100_000),
            leverage: 1,
            login: 12_345_678,
            server: "Standin-Demo".to_owned(),
            real: false,
            symbols: SymbolList::B3,
            server_utc_offset: 3,
            allow_remote: false,
        }
    }

    /// A demo account at a broker of currency pairs: 100 000 USD, leverage 100, on loopback only.
    #[must_use]
    pub fn forex(margin_mode: MarginMode) -> Mt5Options {
        Mt5Options {
            margin_mode,
            currency: "USD".to_owned(),
            leverage: 100,
            symbols: SymbolList::Forex,
            ..Mt5Options::b3()
        }
    }

    fn check(&self) -> Result<(), Rejection> {
        let refused = |message| Err(Rejection::new(RejectCode::InvalidRequest, message));
        if self.balance <= Decimal::ZERO || self.balance > Decimal::from(BALANCE_MAX) {
            return refused(format!(
                "balance {} is not above zero and at most {BALANCE_MAX}",
                self.balance
            ));
        }
        if self.server_utc_offset.abs() > UTC_OFFSET_HOURS_MAX {
            return refused(format!(
                "server clock {} hours from UTC is more than {UTC_OFFSET_HOURS_MAX}",
                self.server_utc_offset
            ));
        }
        if self.leverage == 0 {
            return refused("leverage 0 is below 1".to_owned());
        }
        Ok(())
    }
}

/// The stand-in terminal. Clones share it.
#[derive(Clone, Debug)]
pub struct Mt5Face {
    face: Arc<Face>,
    allow_remote: bool,
}

impl Mt5Face {
    /// A terminal of an account on which nothing has happened yet.
    ///
    /// # Errors
    /// An option that makes no sense.
    pub fn new(options: &Mt5Options) -> Result<Mt5Face, Rejection> {
        options.check()?;
        Ok(Mt5Face {
            face: Arc::new(Face::new(options)),
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
    admin::router()
        .route("/terminal/call", post(service::answer))
        .with_state(face)
}
