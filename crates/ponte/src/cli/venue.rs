//! `ponte venue`: test venues in a process of their own.

use std::net::SocketAddr;

use clap::{Args, Subcommand, ValueEnum};
use ponte_venue::faces::binance::{
    BinanceFace, BinanceOptions, KeyOptions, REHEARSAL_KEY, REHEARSAL_SECRET,
};
use ponte_venue::faces::mt5::{MarginMode, Mt5Face, Mt5Options, SymbolList};
use ponte_venue::faces::paper::{PaperFace, PaperOptions};
use ponte_venue::feed::FeedOptions;
use rust_decimal::Decimal;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::context::Context;
use super::failure::Failure;
use super::run::stop_signal;
use super::screen;

/// Run a venue to trade against, for tests and rehearsals
#[derive(Args)]
pub(super) struct Venue {
    #[command(subcommand)]
    which: Which,
}

#[derive(Subcommand)]
enum Which {
    Paper(Paper),
    Binance(Binance),
    Mt5(Mt5),
}

/// Run the paper broker in a process of its own, over HTTP
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte venue paper\n  \
    ponte venue paper --listen 127.0.0.1:9000 --seed 7\n\n\
    Point an account at it: url = \"http://127.0.0.1:9000\". It remembers nothing after its end.\n\
    Faults can be ordered at POST /admin/faults.")]
struct Paper {
    /// Where to listen, a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Make prices from this seed; without it prices come from the orders and POST /v1/ticks
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// Run a test exchange that speaks like Binance: spot and USD-M futures, REST and web sockets
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte venue binance\n  \
    ponte venue binance --listen 127.0.0.1:9010 --seed 7\n  \
    ponte venue binance --key MYTESTKEY:MYTESTSECRET\n\n\
    Any Binance client can trade here once its addresses point at it. No money moves, and nothing is remembered\n\
    after its end. Never give it a real key.")]
struct Binance {
    /// Where to listen, a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9010")]
    listen: SocketAddr,
    /// Make prices from this seed; without it prices come from POST /admin/ticks
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// One more API key with its secret, for an account of its own (HMAC); may be given several times
    #[arg(long = "key", value_name = "KEY:SECRET")]
    keys: Vec<String>,
}

/// Run a stand-in for a MetaTrader 5 terminal with its trade server
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte venue mt5\n  \
    ponte venue mt5 --symbols forex --margin-mode hedging\n  \
    ponte venue mt5 --listen 127.0.0.1:9020 --balance 5000 --login 777\n\n\
    The bridges' tests trade here in place of a terminal. No money moves, and nothing is remembered after its end.")]
struct Mt5 {
    /// Where to listen, a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9020")]
    listen: SocketAddr,
    /// The symbols on offer
    #[arg(long, value_name = "LIST", default_value = "b3")]
    symbols: Symbols,
    /// How the account keeps positions; without it exchange for B3's symbols, hedging for currency pairs
    #[arg(long, value_name = "MODE")]
    margin_mode: Option<Margins>,
    /// The account's currency; without it BRL for B3's symbols, USD for currency pairs
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// What the account has at first
    #[arg(long, value_name = "AMOUNT", default_value = "100000")]
    balance: Decimal,
    /// The account's number
    #[arg(long, value_name = "NUMBER", default_value = "12345678")]
    login: u64,
    /// The trade server's name
    #[arg(long, value_name = "NAME", default_value = "Standin-Demo")]
    server: String,
    /// Have the account say that its money is real; it is not
    #[arg(long)]
    real: bool,
    /// How many hours the server's clock is ahead of UTC
    #[arg(
        long,
        value_name = "HOURS",
        default_value = "3",
        allow_negative_numbers = true
    )]
    server_utc_offset: i32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Symbols {
    B3,
    Forex,
}

#[derive(Clone, Copy, ValueEnum)]
enum Margins {
    Netting,
    Exchange,
    Hedging,
}

impl Venue {
    pub(super) fn run(&self, _: &Context) -> Result<(), Failure> {
        match &self.which {
            Which::Paper(paper) => paper.run(),
            Which::Binance(binance) => binance.run(),
            Which::Mt5(mt5) => mt5.run(),
        }
    }
}

impl Paper {
    fn run(&self) -> Result<(), Failure> {
        let mut options = PaperOptions::paper();
        options.feed = self.seed.map(|seed| FeedOptions {
            seed,
            ..FeedOptions::default()
        });
        let face = PaperFace::new(options).map_err(|error| Failure::refused(error.to_string()))?;
        let failed = |error| cannot_serve(self.listen, &error);
        let runtime = Runtime::new().map_err(failed)?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            screen::print(&format!("paper venue at http://{address}\n"))?;
            let stop = stop_signal()?;
            face.serve_until(listener, stop).await.map_err(failed)
        })
    }
}

impl Binance {
    /// The rehearsal exchange with the feed and the keys that were asked for.
    fn options(&self) -> Result<BinanceOptions, Failure> {
        let mut options = BinanceOptions::rehearsal();
        options.feed = self.seed.map(|seed| FeedOptions {
            seed,
            ..FeedOptions::default()
        });
        for (index, pair) in self.keys.iter().enumerate() {
            let number = index + 1;
            let (key, secret) = pair.split_once(':').ok_or_else(|| {
                // The text may be a secret: it is not shown.
                Failure::refused(format!(
                    "--key number {number} is not KEY:SECRET, write both with a colon between them"
                ))
            })?;
            let account = format!("account-{number}");
            options.keys.push(KeyOptions::hmac(key, secret, &account));
        }
        Ok(options)
    }

    fn run(&self) -> Result<(), Failure> {
        let options = self.options()?;
        let face =
            BinanceFace::new(&options).map_err(|error| Failure::refused(error.to_string()))?;
        let failed = |error| cannot_serve(self.listen, &error);
        let runtime = Runtime::new().map_err(failed)?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            screen::print(&introduction(address, self.seed.is_some()))?;
            let stop = stop_signal()?;
            face.serve_until(listener, stop).await.map_err(failed)
        })
    }
}

impl Mt5 {
    /// The account and the symbols that were asked for.
    fn options(&self) -> Mt5Options {
        let usual = match self.symbols {
            Symbols::B3 => Mt5Options::b3(),
            Symbols::Forex => Mt5Options::forex(MarginMode::Hedging),
        };
        let margin_mode = self.margin_mode.map(|mode| match mode {
            Margins::Netting => MarginMode::Netting,
            Margins::Exchange => MarginMode::Exchange,
            Margins::Hedging => MarginMode::Hedging,
        });
        Mt5Options {
            margin_mode: margin_mode.unwrap_or(usual.margin_mode),
            currency: self.currency.clone().unwrap_or(usual.currency),
            balance: self.balance,
            login: self.login,
            server: self.server.clone(),
            real: self.real,
            server_utc_offset: self.server_utc_offset,
            ..usual
        }
    }

    fn run(&self) -> Result<(), Failure> {
        let options = self.options();
        let face = Mt5Face::new(&options).map_err(|error| Failure::refused(error.to_string()))?;
        let failed = |error| cannot_serve(self.listen, &error);
        let runtime = Runtime::new().map_err(failed)?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            screen::print(&terminal_introduction(address, &options))?;
            let stop = stop_signal()?;
            face.serve_until(listener, stop).await.map_err(failed)
        })
    }
}

/// What a user has to know to trade at the stand-in terminal.
fn terminal_introduction(address: SocketAddr, options: &Mt5Options) -> String {
    let (symbol, price) = match options.symbols {
        SymbolList::B3 => ("WINZ26", "128500"),
        SymbolList::Forex => ("EURUSD", "1.0950"),
    };
    format!(
        "MetaTrader 5 stand-in terminal at http://{address}: no real money, nothing is remembered after its end\n\
         \n  \
         account       {login} at {server}\n  \
         prices        stand still until you move one:\n                \
         curl http://{address}/admin/price -d '{{\"symbol\":\"{symbol}\",\"price\":\"{price}\"}}'\n  \
         faults        curl http://{address}/admin/faults -d \
         '{{\"function\":\"order_send\",\"fault\":\"drop_after\"}}'\n  \
         what happened curl http://{address}/admin/audit\n",
        login = options.login,
        server = options.server,
    )
}

fn cannot_serve(listen: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::unreachable(format!("the venue can't serve on {listen}: {error}"))
        .cured_by("--listen with another port, or stop what listens there")
}

/// What a user has to know to trade at the test exchange.
fn introduction(address: SocketAddr, has_feed: bool) -> String {
    let prices = if has_feed {
        "walk from the seed; POST /admin/ticks moves one".to_owned()
    } else {
        format!(
            "stand still until you move one:\n                \
             curl http://{address}/admin/ticks -d '{{\"symbol\":\"BTCUSDT\",\"price\":\"61000\"}}'"
        )
    };
    format!(
        "Binance test exchange: no real money, nothing is remembered after its end\n\
         \n  \
         spot          http://{address}\n                \
         ws://{address}/ws-api/v3\n                \
         ws://{address}/ws/<stream>\n  \
         futures       http://{address}\n                \
         ws://{address}/ws-fapi/v1\n                \
         ws://{address}/private/ws/<listenKey>\n  \
         API key       {REHEARSAL_KEY}\n  \
         secret        {REHEARSAL_SECRET}\n  \
         prices        {prices}\n  \
         faults        curl http://{address}/admin/faults -d \
         '{{\"fault\":\"accept_then_disconnect\",\"trigger\":{{\"next\":1}},\"operation\":\"place\"}}'\n  \
         what happened curl 'http://{address}/admin/audit?key={REHEARSAL_KEY}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binance(keys: &[&str]) -> Binance {
        Binance {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: Some(7),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    #[test]
    fn each_key_has_an_account_of_its_own() {
        let options = binance(&["a:1", "b:2"]).options().ok().unwrap();
        let accounts: Vec<&str> = options
            .keys
            .iter()
            .map(|key| key.account.as_str())
            .collect();
        assert_eq!(accounts, ["rehearsal", "account-1", "account-2"]);
        assert_eq!(options.feed.map(|feed| feed.seed), Some(7));
        assert!(binance(&["a:1", "only-a-secret"]).options().is_err());
    }

    #[test]
    fn the_list_of_symbols_brings_the_account_that_goes_with_it() {
        let mut mt5 = Mt5 {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            symbols: Symbols::Forex,
            margin_mode: None,
            currency: None,
            balance: Decimal::from(500),
            login: 777,
            server: "Elsewhere-Demo".to_owned(),
            real: true,
            server_utc_offset: -5,
        };
        let options = mt5.options();
        assert_eq!(options.margin_mode, MarginMode::Hedging);
        assert_eq!(options.currency, "USD");
        assert_eq!((options.login, options.real), (777, true));
        assert_eq!(options.server_utc_offset, -5);
        mt5.symbols = Symbols::B3;
        mt5.margin_mode = Some(Margins::Netting);
        let options = mt5.options();
        assert_eq!(options.margin_mode, MarginMode::Netting);
        assert_eq!(options.currency, "BRL");
        let address = SocketAddr::from(([127, 0, 0, 1], 9020));
        let text = terminal_introduction(address, &options);
        assert!(
            text.contains("http://127.0.0.1:9020") && text.contains("777"),
            "{text}"
        );
    }

    #[test]
    fn the_introduction_names_what_a_client_needs() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9010));
        for has_feed in [false, true] {
            let text = introduction(address, has_feed);
            for needed in [
                "http://127.0.0.1:9010",
                "ws://127.0.0.1:9010/ws-api/v3",
                REHEARSAL_KEY,
                REHEARSAL_SECRET,
                "/admin/faults",
                "/admin/ticks",
            ] {
                assert!(text.contains(needed), "{needed} is missing");
            }
        }
    }
}
