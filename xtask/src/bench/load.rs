//! Load from `wrk`: a number of connections, each sending its next alert when the last is answered.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::Bench;
use crate::{Result, process};

/// How many connections are measured.
pub(crate) const CONNECTIONS: [u32; 3] = [1, 16, 128];

/// The secret of the alerts, known to every receiver measured.
pub(crate) const SECRET: &str = "S3cret-of-the-bench-0123456789";

/// How long the receiver is left alone between two runs, so that none works off the queue of the
/// one before.
const PAUSE: Duration = Duration::from_secs(1);

/// What one run of the load told.
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) per_second: f64,
    /// Latencies in microseconds.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    /// Answers other than 2xx, broken connections, time-outs.
    pub(crate) errors: u64,
}

/// The alert that everything is measured with; `%s` stands for its id.
pub(crate) fn template() -> String {
    format!(r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"id":"%s"}}"#)
}

/// Loads the webhook at a port of this machine, once for each number of connections.
pub(crate) fn measure(bench: &Bench, name: &str, port: u16) -> Result<Vec<Load>> {
    require_wrk()?;
    // What is measured has met its first alerts already.
    wrk(bench, &format!("{name}-warm"), port, 16, 1)?;
    let mut loads = Vec::new();
    for connections in CONNECTIONS {
        thread::sleep(PAUSE);
        let load = wrk(bench, name, port, connections, bench.seconds)?;
        let Load {
            per_second,
            p50,
            p99,
            p999,
            errors,
            ..
        } = load;
        println!(
            "   {connections:>3} connections: {per_second:>9.1}/s  \
             p50 {p50} µs  p99 {p99} µs  p999 {p999} µs  errors {errors}"
        );
        loads.push(load);
    }
    Ok(loads)
}

fn wrk(bench: &Bench, name: &str, port: u16, connections: u32, seconds: u64) -> Result<Load> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", if connections == 1 { "1" } else { "2" }]);
    wrk.args([
        "--connections",
        &connections.to_string(),
        "--timeout",
        "30s",
    ]);
    wrk.args(["--duration", &format!("{seconds}s"), "--script"]);
    wrk.arg(bench.root.join("benches/reference/alert.lua"));
    wrk.arg(format!("http://127.0.0.1:{port}"));
    wrk.env(
        "RUN",
        format!("{name}-{connections}-{}", std::process::id()),
    );
    wrk.env("TEMPLATE", template()).env("TARGET", "/webhook");
    read(&process::capture(&mut wrk)?, connections)
}

fn read(output: &str, connections: u32) -> Result<Load> {
    let line = output.lines().find_map(|line| line.strip_prefix("RESULT "));
    let line = line.ok_or_else(|| format!("wrk printed no result:\n{output}"))?;
    let result: Value = serde_json::from_str(line)?;
    let number = |name: &str| {
        result[name]
            .as_u64()
            .ok_or_else(|| format!("wrk's result has no whole number {name}: {line}"))
    };
    Ok(Load {
        connections,
        per_second: result["rps"].as_f64().ok_or("wrk's result has no rps")?,
        p50: number("p50")?,
        p99: number("p99")?,
        p999: number("p999")?,
        errors: number("non2xx")? + number("sock")? + number("timeout")?,
    })
}

/// Makes sure that `wrk` is there.
fn require_wrk() -> Result<()> {
    if process::find("wrk").is_some() {
        return Ok(());
    }
    if process::find("apt-get").is_none() || !process::is_root() {
        return Err("wrk is missing: install the package wrk and try again".into());
    }
    println!("   wrk is missing; installing it: apt-get install wrk");
    process::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    process::run(Command::new("apt-get").args(["install", "--yes", "--quiet", "wrk"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_result_line() {
        let output = "Running\nRESULT {\"n\":10,\"secs\":2.0,\"rps\":5.5,\"p50\":1,\"p90\":2,\"p99\":3,\
            \"p999\":4,\"max\":5,\"mean\":1.5,\"non2xx\":1,\"sock\":2,\"timeout\":3}\n";
        let load = read(output, 16).unwrap();
        assert_eq!(
            (load.connections, load.p50, load.p99, load.p999, load.errors),
            (16, 1, 3, 4, 6)
        );
        assert!(read("Running\n", 16).is_err());
    }
}
