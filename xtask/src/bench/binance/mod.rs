//! The time from the alert's bytes to the order's bytes, at the test exchange that speaks like
//! Binance, beside a plain client that does no more than sign and send. The programs take turns, alert by alert, so
//! that a machine that changes its mood does it to all of them.

mod programs;
pub(in crate::bench) mod report;
mod stages;
mod tap;
mod wire;

use std::fs;
use std::thread;
use std::time::Duration;

use self::programs::Bridge;
use self::stages::Reading;
pub(in crate::bench) use self::stages::Stages;
use self::wire::normal;
use super::http::Connection;
use super::load::SECRET;
use super::{Bench, Results, disk};
use crate::Result;
use crate::stopwatch::Stopwatch;

/// How many alerts come at once: one after the other, and as when many charts close a bar.
const AT_ONCE: [usize; 2] = [1, 16];

/// How long a turn takes for each alert in it. Four bridges take turns at two markets, so this sends some five alerts a
/// second through each. An address may use a weight of 2400 in a minute (Binance USDⓈ-M Futures, "LIMITS"), of which
/// Ponte leaves a tenth to exits, and beside the orders it reads the trades that they made.
const SLOT_OF_ONE: Duration = Duration::from_millis(24);

/// Symbols of both markets with the smallest quantity measured, as digits and decimals. It is above
/// the smallest order of either market.
const SYMBOLS: [(&str, usize, usize); 4] = [
    ("BTCUSDT", 1, 3),
    ("ETHUSDT", 7, 3),
    ("BNBUSDT", 1, 2),
    ("SOLUSDT", 4, 2),
];

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Who {
    Ponte,
    Plain,
}

/// Which way orders go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Orders {
    Rest,
    WebSocket,
}

/// Which of the two markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Market {
    Spot,
    Futures,
}

/// The spans of one bridge at one market, sorted.
pub(in crate::bench) struct Spans {
    pub(in crate::bench) who: Who,
    pub(in crate::bench) orders: Orders,
    pub(in crate::bench) market: Market,
    pub(in crate::bench) at_once: usize,
    pub(in crate::bench) samples: Vec<Duration>,
}

/// All that was measured here.
pub(in crate::bench) struct Latency {
    /// How many processes wanted to run before and after: the mean over a minute, as the kernel tells it.
    pub(in crate::bench) machine_load: (String, String),
    pub(in crate::bench) spans: Vec<Spans>,
    pub(in crate::bench) stages: Vec<Stages>,
}

/// A market of a bridge, with the connections of its sender.
struct Target<'a> {
    bridge: &'a Bridge,
    market: Market,
    connections: Vec<Connection>,
    rounds: usize,
    samples: Vec<Duration>,
}

/// Measures every series.
pub(super) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let watch = Stopwatch::start();
    let bridges = programs::start(bench, watch)?;
    let before = machine_load();
    let (mut spans, mut stages) = (Vec::new(), Vec::new());
    for at_once in AT_ONCE {
        let series = Series::new(bench, at_once);
        series.measure(&bridges, watch, &mut spans, &mut stages)?;
    }
    let after = machine_load();
    println!("   the disk alone");
    disk::run(bench, results)?;
    results.latency = Some(Latency {
        machine_load: (before, after),
        spans,
        stages,
    });
    Ok(())
}

/// How a series goes.
struct Series {
    at_once: usize,
    warm_up: usize,
    rounds: usize,
}

impl Series {
    fn new(bench: &Bench, at_once: usize) -> Series {
        let (warm_up, alerts) = if bench.is_quick { (10, 50) } else { (50, 500) };
        Series {
            at_once,
            warm_up: usize::div_ceil(warm_up, at_once),
            rounds: usize::div_ceil(alerts, at_once),
        }
    }

    fn measure(
        &self,
        bridges: &[Bridge],
        watch: Stopwatch,
        spans: &mut Vec<Spans>,
        stages: &mut Vec<Stages>,
    ) -> Result<()> {
        let mut targets = Vec::new();
        for market in [Market::Spot, Market::Futures] {
            for bridge in bridges {
                targets.push(Target::open(bridge, market, self.at_once)?);
            }
        }
        let cold = readings(bridges)?;
        self.turns(&mut targets, self.warm_up, watch)?;
        let warming = u64::try_from(2 * self.warm_up * self.at_once)?;
        let mut warm = Vec::new();
        for (bridge, cold) in bridges.iter().zip(cold) {
            let pair = bridge.admin.zip(cold);
            warm.push(
                pair.map(|(admin, cold)| cold.after(admin, warming))
                    .transpose()?,
            );
        }
        targets.iter_mut().for_each(|target| target.samples.clear());
        self.turns(&mut targets, self.rounds, watch)?;
        for (bridge, before) in bridges.iter().zip(warm) {
            if let Some((admin, before)) = bridge.admin.zip(before) {
                stages.push(self.stages(bridge, admin, before, &targets)?);
            }
        }
        for target in targets {
            let mut samples = target.samples;
            samples.sort_unstable();
            let spanned = Spans {
                who: target.bridge.who,
                orders: target.bridge.orders,
                market: target.market,
                at_once: self.at_once,
                samples,
            };
            println!("   {}", spanned.line());
            spans.push(spanned);
        }
        Ok(())
    }

    /// Lets every target have so many rounds, in turn.
    fn turns(&self, targets: &mut [Target<'_>], rounds: usize, watch: Stopwatch) -> Result<()> {
        let slot = SLOT_OF_ONE * u32::try_from(self.at_once)?;
        for _ in 0..rounds {
            for target in &mut *targets {
                let begin = watch.elapsed();
                target
                    .round(watch)
                    .map_err(|error| target.bridge.explained(error))?;
                thread::sleep((begin + slot).saturating_sub(watch.elapsed()));
            }
        }
        Ok(())
    }

    fn stages(
        &self,
        bridge: &Bridge,
        admin: u16,
        before: Reading,
        targets: &[Target<'_>],
    ) -> Result<Stages> {
        let own = targets
            .iter()
            .filter(|target| std::ptr::eq(target.bridge, bridge));
        let samples: Vec<Duration> = own.flat_map(|target| target.samples.clone()).collect();
        let orders = u64::try_from(samples.len())?;
        let (alerts, receive_to_commit, commit_to_sent) =
            before.after(admin, orders)?.since(before);
        if alerts != orders {
            return Err(format!("{alerts} alerts were committed, expected {orders}").into());
        }
        Ok(Stages {
            orders: bridge.orders,
            at_once: self.at_once,
            alerts,
            whole: mean(&samples),
            receive_to_commit,
            commit_to_sent,
        })
    }
}

impl<'a> Target<'a> {
    fn open(bridge: &'a Bridge, market: Market, at_once: usize) -> Result<Target<'a>> {
        let connections = (0..at_once).map(|_| Connection::open(bridge.webhook));
        Ok(Target {
            bridge,
            market,
            connections: connections.collect::<Result<_>>()?,
            rounds: 0,
            samples: Vec::new(),
        })
    }

    /// Writes one alert on every connection, one right after the other, and waits for all orders and answers.
    fn round(&mut self, watch: Stopwatch) -> Result<()> {
        let at_once = self.connections.len();
        let mut open = Vec::new();
        for (place, connection) in self.connections.iter_mut().enumerate() {
            // Alone, each round takes the next symbol.
            let place = if at_once == 1 { self.rounds } else { place };
            let (name, digits, decimals) = SYMBOLS[place % SYMBOLS.len()];
            let step = if at_once == 1 {
                0
            } else {
                place / SYMBOLS.len()
            };
            let quantity = format!("0.{:0decimals$}", digits + step);
            let id = format!("{}-{at_once}-{}-{place}", self.market.word(), self.rounds);
            let body = alert(self.market, name, &quantity, &id);
            // The moment before the one write that carries the whole alert.
            let written = watch.elapsed();
            connection.write_post("/webhook", &body)?;
            open.push((name, normal(&quantity).to_owned(), written));
        }
        self.rounds += 1;
        while !open.is_empty() {
            let order = self.bridge.tap.next()?;
            let found = open.iter().position(|(name, quantity, _)| {
                order.symbol == *name && order.quantity == *quantity
            });
            let found =
                found.ok_or_else(|| format!("an order that no alert asked for: {order:?}"))?;
            let (_, _, written) = open.swap_remove(found);
            self.samples.push(order.at.saturating_sub(written));
        }
        for connection in &mut self.connections {
            let (status, answer) = connection.read_answer()?;
            let is_good = match self.bridge.who {
                Who::Ponte => answer.contains(r#""accepted""#),
                Who::Plain => answer.contains("orderId"),
            };
            if status != 200 || !is_good {
                return Err(format!("the alert was answered with {status} {answer}").into());
            }
        }
        Ok(())
    }
}

/// An alert in Ponte's format.
fn alert(market: Market, name: &str, quantity: &str, id: &str) -> String {
    let symbol = match market {
        Market::Spot => name.to_owned(),
        Market::Futures => format!("{name}.P"),
    };
    let strategy = market.word();
    format!(
        r#"{{"segredo":"{SECRET}","estrategia":"{strategy}","acao":"COMPRA","ativo":"{symbol}","#
    ) + &format!(r#""qtd":{quantity},"id":"{id}"}}"#)
}

impl Who {
    /// The program's name for people.
    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Who::Ponte => "Ponte",
            Who::Plain => "plain client",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Who::Ponte => "ponte",
            Who::Plain => "plain",
        }
    }
}

impl Orders {
    /// As Ponte's configuration has it.
    fn word(self) -> &'static str {
        match self {
            Orders::Rest => "rest",
            Orders::WebSocket => "websocket",
        }
    }

    /// As people write it.
    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Orders::Rest => "REST",
            Orders::WebSocket => "WebSocket",
        }
    }
}

impl Market {
    /// As Ponte's configuration has it; accounts and strategies are called the same.
    pub(in crate::bench) fn word(self) -> &'static str {
        match self {
            Market::Spot => "spot",
            Market::Futures => "futures",
        }
    }
}

impl Spans {
    /// The sample below which the given share of the samples lies.
    pub(in crate::bench) fn quantile(&self, share: f64) -> Duration {
        disk::quantile(&self.samples, share)
    }

    fn line(&self) -> String {
        format!(
            "{:>2} at once, {:12} {:7} {:9}: p50 {} µs  p90 {} µs  p99 {} µs  max {} µs",
            self.at_once,
            self.who.name(),
            self.market.word(),
            self.orders.name(),
            self.quantile(0.50).as_micros(),
            self.quantile(0.90).as_micros(),
            self.quantile(0.99).as_micros(),
            self.quantile(1.0).as_micros(),
        )
    }
}

/// The metrics of those bridges that have some.
fn readings(bridges: &[Bridge]) -> Result<Vec<Option<Reading>>> {
    bridges
        .iter()
        .map(|bridge| bridge.admin.map(Reading::take).transpose())
        .collect()
}

fn mean(samples: &[Duration]) -> Duration {
    let count = u32::try_from(samples.len()).unwrap_or(u32::MAX).max(1);
    samples.iter().sum::<Duration>() / count
}

/// The first of `/proc/loadavg`: processes that run or want to, over the last minute.
fn machine_load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_says_what_its_order_must_be() {
        let text = alert(Market::Futures, "BTCUSDT", "0.001", "a-1");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["ativo"], "BTCUSDT.P");
        assert_eq!(json["estrategia"], "futures");
        assert_eq!(json["id"], "a-1");
    }

    #[test]
    fn the_mean_of_nothing_is_nothing() {
        assert_eq!(mean(&[]), Duration::ZERO);
        let two = [Duration::from_micros(10), Duration::from_micros(30)];
        assert_eq!(mean(&two), Duration::from_micros(20));
    }
}
