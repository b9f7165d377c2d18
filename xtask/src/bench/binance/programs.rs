//! The programs that are measured, each with an ear on its line to the exchange.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use super::tap::Tap;
use super::{Market, Orders, Who};
use crate::Result;
use crate::bench::load::SECRET;
use crate::bench::{Bench, Folder, http, ponte};
use crate::process::Running;
use crate::stopwatch::Stopwatch;

/// What signs at the test exchange, and nowhere else.
const KEY: &str = "KEY-OF-THE-BENCH-AT-THE-TEST-EXCHANGE-ONLY";
const SIGNING_KEY: &str = "SECRET-OF-THE-BENCH-AT-THE-TEST-EXCHANGE-ONLY";

/// A running bridge.
pub(super) struct Bridge {
    pub(super) who: Who,
    pub(super) orders: Orders,
    pub(super) webhook: u16,
    /// Where metrics are asked for; the plain client has none.
    pub(super) admin: Option<u16>,
    pub(super) tap: Tap,
    running: Running,
    folder: Folder,
    /// Ends after the bridge.
    _exchange: Running,
}

/// Builds the programs and starts four bridges: each kind of program with each way of orders.
pub(super) fn start(bench: &Bench, watch: Stopwatch) -> Result<Vec<Bridge>> {
    let (ponte, plain) = (bench.build("ponte")?, bench.build("bench-plain-binance")?);
    let kinds = [
        (Who::Ponte, Orders::Rest),
        (Who::Plain, Orders::Rest),
        (Who::Ponte, Orders::WebSocket),
        (Who::Plain, Orders::WebSocket),
    ];
    let mut bridges = Vec::new();
    for (who, orders) in kinds {
        let program = match who {
            Who::Ponte => &ponte,
            Who::Plain => &plain,
        };
        let (exchange, port) = exchange(&ponte)?;
        let tap = Tap::open(port, watch)?;
        let folder = bench.folder(&format!("binance-{}-{}", who.word(), orders.word()))?;
        let (webhook, admin) = (http::free_port()?, http::free_port()?);
        let mut command = Command::new(program);
        match who {
            Who::Ponte => {
                let text = configuration(webhook, admin, tap.port, orders);
                fs::write(folder.path().join("ponte.toml"), text)?;
                command.arg("run").env("WEBHOOK_SECRET", SECRET);
            }
            Who::Plain => {
                command.args([&at(webhook), &at(tap.port), orders.word()]);
            }
        }
        command.current_dir(folder.path());
        command.env("API_KEY", KEY).env("SIGNING_KEY", SIGNING_KEY);
        let log = File::create(ponte::log_of(&folder))?;
        command.stdout(log.try_clone()?).stderr(log);
        let mut bridge = Bridge {
            who,
            orders,
            webhook,
            admin: (who == Who::Ponte).then_some(admin),
            tap,
            running: Running::start(&mut command)?,
            folder,
            _exchange: exchange,
        };
        bridge.wait().map_err(|error| bridge.explained(error))?;
        bridges.push(bridge);
    }
    Ok(bridges)
}

/// Starts an exchange and says where it listens. Every bridge has its own, so that none uses up another's limits.
fn exchange(ponte: &Path) -> Result<(Running, u16)> {
    let port = http::free_port()?;
    let mut command = Command::new(ponte);
    command.args(["venue", "binance", "--listen", &at(port)]);
    command.args(["--key", &format!("{KEY}:{SIGNING_KEY}")]);
    // Its greeting would stand in the middle of the numbers.
    let mut exchange = Running::start(command.stdout(Stdio::null()))?;
    http::wait_for_ok(&mut exchange, port, "/api/v3/ping")?;
    Ok((exchange, port))
}

impl Bridge {
    fn wait(&mut self) -> Result<()> {
        match self.admin {
            Some(admin) => http::wait_for_ok(&mut self.running, admin, "/readyz"),
            None => http::wait_for_port(&mut self.running, self.webhook),
        }
    }

    /// Adds the last lines of the program's log to an error.
    pub(super) fn explained(
        &self,
        error: Box<dyn std::error::Error>,
    ) -> Box<dyn std::error::Error> {
        let what = format!("{} over {}: {error}", self.who.name(), self.orders.name());
        ponte::with_log(what.into(), &self.folder)
    }
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn configuration(webhook: u16, admin: u16, exchange: u16, orders: Orders) -> String {
    let mut text = format!(
        r#"data_dir = "data"
[webhook]
listen = "127.0.0.1:{webhook}"
allow_from = ["any"]
[admin]
listen = "127.0.0.1:{admin}"
[[sources]]
name = "main"
secret = "env:WEBHOOK_SECRET"
format = "ponte"
"#
    );
    for market in [Market::Spot, Market::Futures] {
        let (name, orders) = (market.word(), orders.word());
        text.push_str(&format!(
            r#"[[accounts]]
name = "{name}"
broker = "binance"
mode = "demo"
currency = "USDT"
[accounts.binance]
market = "{name}"
url = "http://127.0.0.1:{exchange}"
api_key = "env:API_KEY"
signing_key = "env:SIGNING_KEY"
orders = "{orders}"
[[routes]]
strategies = ["{name}"]
accounts = ["{name}"]
"#
        ));
    }
    text
}
