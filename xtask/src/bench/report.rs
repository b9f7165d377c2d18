//! The numbers as a table, and its place in `docs/performance.md`.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::load::Load;
use super::{Bench, Results, machine};
use crate::Result;

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";
const LATENCY_BEGIN: &str = "<!-- bench-binance:begin -->";
const LATENCY_END: &str = "<!-- bench-binance:end -->";
const DOCUMENT: &str = "docs/performance.md";

/// The connections at which throughput is compared.
const MANY: u32 = 128;

/// What is aimed at, beside what was measured.
struct Aim {
    what: String,
    measured: String,
    wanted: String,
    is_met: bool,
}

/// The whole section between the markers.
pub(crate) fn table(bench: &Bench, results: &Results, command: &str) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "{}.", machine::describe(&bench.scratch))?;
    writeln!(
        text,
        "Repeat it with `{command}`. Load and receiver share the cores; each line of load"
    )?;
    writeln!(text, "took {} s on the loopback.\n", bench.seconds)?;
    write_loads(&mut text, results)?;
    write_rest(&mut text, results)?;
    let aims = aims(results);
    if !aims.is_empty() {
        writeln!(
            text,
            "\n| aim | measured | wanted | met |\n|---|---|---|---|"
        )?;
    }
    for Aim {
        what,
        measured,
        wanted,
        is_met,
    } in aims
    {
        writeln!(
            text,
            "| {what} | {measured} | {wanted} | {} |",
            if is_met { "yes" } else { "**no**" }
        )?;
    }
    Ok(text)
}

fn write_loads(text: &mut String, results: &Results) -> Result<()> {
    let receivers = results.receivers.iter();
    let receivers = receivers.map(|receiver| {
        (
            format!("FastAPI, broker {} ms", receiver.broker_ms),
            &receiver.loads,
        )
    });
    let hello = [("axum hello-world".to_owned(), &results.hello)].into_iter();
    let groups = hello
        .chain(receivers)
        .chain([("Ponte".to_owned(), &results.ponte)]);
    let lines: Vec<_> = groups
        .flat_map(|(name, loads)| loads.iter().map(move |load| (name.clone(), load)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "| receiver | connections | alerts/s | p50 µs | p99 µs | p999 µs | errors |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|")?;
    for (name, load) in lines {
        let Load {
            connections,
            per_second,
            p50,
            p99,
            p999,
            errors,
        } = load;
        writeln!(
            text,
            "| {name} | {connections} | {per_second:.0} | {p50} | {p99} | {p999} | {errors} |"
        )?;
    }
    text.push('\n');
    Ok(())
}

fn write_rest(text: &mut String, results: &Results) -> Result<()> {
    let has_rows = !results.disk.is_empty()
        || results.burst.is_some()
        || results.decisions_per_second.is_some()
        || !results.starts.is_empty();
    if has_rows {
        writeln!(text, "| what | measured |\n|---|---|")?;
    }
    for syncs in &results.disk {
        let (p50, p99) = (micros(syncs.p50), micros(syncs.p99));
        writeln!(text, "| {} | p50 {p50}, p99 {p99} |", syncs.way.name())?;
    }
    if let Some(burst) = &results.burst {
        let (answered, alerts) = (burst.answered, burst.alerts);
        let (p50, p99, max) = (millis(burst.p50), millis(burst.p99), millis(burst.max));
        writeln!(
            text,
            "| {alerts} alerts in one second | {answered} answered, p50 {p50}, p99 {p99}, max {max} |"
        )?;
    }
    if let Some(number) = results.decisions_per_second {
        writeln!(
            text,
            "| the engine alone | {number:.0} decisions per second |"
        )?;
    }
    for start in &results.starts {
        let (alerts, ready, ended, memory) = (
            start.alerts,
            millis(start.ready),
            millis(start.ended),
            mebibytes(start.resident_kib),
        );
        writeln!(
            text,
            "| start with {alerts} alerts in the journal | ready in {ready}, ended in {ended}, {memory} resident |"
        )?;
    }
    Ok(())
}

fn aims(results: &Results) -> Vec<Aim> {
    let mut aims = Vec::new();
    let pages = results.disk.iter().filter(|syncs| syncs.way.bytes == 4096);
    for (syncs, one) in pages.zip(at(&results.ponte, 1).into_iter().cycle()) {
        let limit = syncs.p50.mul_f64(1.3) + Duration::from_micros(150);
        aims.push(Aim {
            what: format!("p50 at one connection, against: {}", syncs.way.name()),
            measured: format!("{} µs", one.p50),
            wanted: format!("1.3 × {} + 150 µs = {}", micros(syncs.p50), micros(limit)),
            is_met: Duration::from_micros(one.p50) <= limit,
        });
    }
    if let Some(ratio) = ratio(&results.ponte, &results.hello) {
        aims.push(at_least(
            format!("Ponte / hello-world at {MANY} connections"),
            ratio,
            0.15,
        ));
    }
    for receiver in &results.receivers {
        if let Some(ratio) = ratio(&results.ponte, &receiver.loads) {
            let what = format!(
                "Ponte / FastAPI (broker {} ms) at {MANY} connections",
                receiver.broker_ms
            );
            aims.push(at_least(what, ratio, 20.0));
        }
    }
    aims.extend(aims_of_burst_and_start(results));
    aims
}

fn aims_of_burst_and_start(results: &Results) -> Vec<Aim> {
    let mut aims = Vec::new();
    if let Some(burst) = &results.burst {
        aims.push(Aim {
            what: format!("{} alerts in one second", burst.alerts),
            measured: format!(
                "{} answered, the last after {}",
                burst.answered,
                millis(burst.max)
            ),
            wanted: "all, within 3 s".to_owned(),
            is_met: burst.answered == burst.alerts && burst.max <= Duration::from_secs(3),
        });
    }
    if let Some(start) = results.starts.last() {
        aims.push(Aim {
            what: format!("start with {} alerts", start.alerts),
            measured: millis(start.ready),
            wanted: "below 1 s".to_owned(),
            is_met: start.ready < Duration::from_secs(1),
        });
    }
    if let Some(start) = results.starts.last() {
        aims.push(Aim {
            what: format!("end with {} alerts", start.alerts),
            measured: millis(start.ended),
            wanted: "below 1 s".to_owned(),
            is_met: start.ended < Duration::from_secs(1),
        });
    }
    for start in &results.starts {
        aims.push(Aim {
            what: format!("memory when idle, {} alerts", start.alerts),
            measured: mebibytes(start.resident_kib),
            wanted: "below 40 MiB".to_owned(),
            is_met: start.resident_kib < 40 * 1024,
        });
    }
    aims
}

fn at_least(what: String, ratio: f64, wanted: f64) -> Aim {
    let (measured, is_met) = (format!("{ratio:.2}"), ratio >= wanted);
    Aim {
        what,
        measured,
        wanted: format!("at least {wanted}"),
        is_met,
    }
}

fn at(loads: &[Load], connections: u32) -> Option<&Load> {
    loads.iter().find(|load| load.connections == connections)
}

/// How much more the first carries. Errors are no throughput: with any, there is no ratio.
fn ratio(ours: &[Load], theirs: &[Load]) -> Option<f64> {
    let (ours, theirs) = (at(ours, MANY)?, at(theirs, MANY)?);
    Some(if ours.errors > 0 {
        0.0
    } else {
        ours.per_second / theirs.per_second
    })
}

fn micros(duration: Duration) -> String {
    format!("{} µs", duration.as_micros())
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

fn mebibytes(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// Puts what was measured between its markers in the document, which is made if it is not there. The time to the order
/// has markers of its own, so that it can be measured alone.
pub(crate) fn write(root: &Path, table: Option<&str>, latency: Option<&str>) -> Result<()> {
    let path = root.join(DOCUMENT);
    let mut text = if path.exists() {
        fs::read_to_string(&path)?
    } else {
        format!("# Performance\n\n{BEGIN}\n{END}\n\n{LATENCY_BEGIN}\n{LATENCY_END}\n")
    };
    let sections = [(BEGIN, table, END), (LATENCY_BEGIN, latency, LATENCY_END)];
    for (begin, section, end) in sections {
        if let Some(section) = section {
            text = replace(&text, begin, section, end)?;
        }
    }
    fs::create_dir_all(root.join("docs"))?;
    fs::write(&path, text)?;
    println!("written to {DOCUMENT}");
    Ok(())
}

fn replace(text: &str, begin: &str, section: &str, end: &str) -> Result<String> {
    let missing = || format!("{DOCUMENT} has no {begin} with {end} after it");
    let (before, rest) = text.split_once(begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{section}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(per_second: f64, errors: u64) -> Vec<Load> {
        vec![Load {
            connections: MANY,
            per_second,
            p50: 1,
            p99: 2,
            p999: 3,
            errors,
        }]
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(
            replace(&text, BEGIN, "new\n", END).unwrap(),
            format!("a\n{BEGIN}\nnew\n{END}\nb\n")
        );
        assert!(replace("a\n", BEGIN, "new\n", END).is_err());
        assert!(replace(&text, LATENCY_BEGIN, "new\n", LATENCY_END).is_err());
    }

    #[test]
    fn errors_are_no_throughput() {
        assert_eq!(ratio(&load(50.0, 0), &load(100.0, 0)), Some(0.5));
        assert_eq!(ratio(&load(50.0, 1), &load(100.0, 0)), Some(0.0));
        assert_eq!(ratio(&[], &load(100.0, 0)), None);
    }

    #[test]
    fn aims_say_whether_they_are_met() {
        let results = Results {
            hello: load(100.0, 0),
            ponte: load(10.0, 0),
            ..Results::default()
        };
        let aims = aims(&results);
        assert_eq!(aims.len(), 1);
        assert!(!aims[0].is_met);
    }
}
