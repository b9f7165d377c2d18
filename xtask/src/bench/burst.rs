//! Ten thousand alerts in the same second. Each has its moment in that second, and what is measured
//! is the time from that moment to its answer, so that waiting for a free connection counts too.

use std::thread;
use std::time::Duration;

use super::http::Connection;
use super::{Bench, Results, disk, load, ponte};
use crate::Result;
use crate::stopwatch::Stopwatch;

const CONNECTIONS: u32 = 256;

/// How long the connections have to be open before the burst begins.
const PREPARATION: Duration = Duration::from_secs(1);

/// What became of the burst.
pub(crate) struct Burst {
    pub(crate) alerts: u32,
    /// Those answered with 200.
    pub(crate) answered: u32,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// Fires at a Ponte of its own.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let program = bench.build("ponte")?;
    let folder = bench.folder("burst")?;
    let ponte = ponte::ready(&program, &folder)?;
    let burst = fire(ponte.webhook, if bench.is_quick { 1_000 } else { 10_000 })?;
    println!(
        "   {} of {} answered with 200; p50 {:?}  p99 {:?}  max {:?}",
        burst.answered, burst.alerts, burst.p50, burst.p99, burst.max
    );
    results.burst = Some(burst);
    Ok(())
}

fn fire(port: u16, alerts: u32) -> Result<Burst> {
    let watch = Stopwatch::start();
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|first| {
            thread::spawn(move || fire_share(port, first, alerts, watch).map_err(|e| e.to_string()))
        })
        .collect();
    let mut samples = Vec::new();
    for thread in threads {
        let outcome = thread
            .join()
            .map_err(|_| "a connection of the burst panicked")?;
        match outcome {
            Ok(answered) => samples.extend(answered),
            Err(error) => println!("   a connection of the burst failed: {error}"),
        }
    }
    samples.sort_unstable();
    Ok(Burst {
        alerts,
        answered: u32::try_from(samples.len())?,
        p50: disk::quantile(&samples, 0.50),
        p99: disk::quantile(&samples, 0.99),
        max: samples.last().copied().unwrap_or_default(),
    })
}

/// Fires every alert of one connection at its moment; returns how long each good answer took.
fn fire_share(port: u16, first: u32, alerts: u32, watch: Stopwatch) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(port)?;
    let mut answered = Vec::new();
    let mut number = first;
    while number < alerts {
        let moment = PREPARATION + Duration::from_secs(1) * number / alerts;
        thread::sleep(moment.saturating_sub(watch.elapsed()));
        let body = load::template().replace("%s", &format!("burst-{number}"));
        let (status, _) = connection.post("/webhook", &body)?;
        if status == 200 {
            answered.push(watch.elapsed().saturating_sub(moment));
        }
        number += CONNECTIONS;
    }
    Ok(answered)
}
