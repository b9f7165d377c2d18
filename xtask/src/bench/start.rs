//! Start, end and memory: from the start of the process to the first `200` of `/readyz`, and from
//! `SIGTERM` to its end, with an empty journal and with long ones.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{Bench, Folder, Results, disk, ponte};
use crate::stopwatch::Stopwatch;
use crate::{Result, process};

/// How long Ponte is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// How a start went with so many alerts in the journal.
pub(crate) struct Start {
    pub(crate) alerts: u32,
    /// The median of some starts.
    pub(crate) ready: Duration,
    /// From `SIGTERM` to the end of the process, the median of some.
    pub(crate) ended: Duration,
    /// Resident memory when idle, in KiB.
    pub(crate) resident_kib: u64,
}

/// Measures both.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let program = bench.build("ponte")?;
    let filled: &[u32] = match bench.is_quick {
        true => &[0, 10_000],
        false => &[0, 100_000, 1_000_000],
    };
    for &alerts in filled {
        let folder = bench.folder("start")?;
        if alerts > 0 {
            fill(&program, &folder, alerts)?;
        }
        let start = measure(bench, &program, &folder, alerts)?;
        println!(
            "   {alerts} alerts: ready in {:?}, ended in {:?}, {} KiB resident",
            start.ready, start.ended, start.resident_kib
        );
        results.starts.push(start);
    }
    Ok(())
}

/// Writes a journal of so many alerts, each with its order, as if they had come in.
fn fill(program: &Path, folder: &Folder, alerts: u32) -> Result<()> {
    let watch = Stopwatch::start();
    let mut fill = ponte::command(program, folder);
    fill.args([
        "bench-fill",
        "--alerts",
        &alerts.to_string(),
        "--data-dir",
        "data",
    ]);
    process::run(&mut fill)?;
    println!(
        "   filled the journal with {alerts} alerts in {:.1} s",
        watch.elapsed().as_secs_f64()
    );
    Ok(())
}

fn measure(bench: &Bench, program: &Path, folder: &Folder, alerts: u32) -> Result<Start> {
    let count = if bench.is_quick { 1 } else { 5 };
    let (mut samples, mut ends) = (Vec::new(), Vec::new());
    let mut resident_kib = 0;
    for _ in 0..count {
        let watch = Stopwatch::start();
        let mut ponte = ponte::ready(program, folder)?;
        samples.push(watch.elapsed());
        thread::sleep(IDLE);
        resident_kib = resident_kib.max(resident(ponte.running.id())?);
        let watch = Stopwatch::start();
        ponte.running.end()?;
        ends.push(watch.elapsed());
    }
    samples.sort_unstable();
    ends.sort_unstable();
    Ok(Start {
        alerts,
        ready: disk::quantile(&samples, 0.5),
        ended: disk::quantile(&ends, 0.5),
        resident_kib,
    })
}

/// The resident memory of a process in KiB.
fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .ok_or("the process has no VmRSS")?;
    Ok(number.parse()?)
}
