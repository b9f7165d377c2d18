//! The receiver that hobbyists run: FastAPI, one worker, its broker called inline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::load::{Load, SECRET};
use super::{Bench, Results, http, load};
use crate::process::{self, Running};
use crate::{Result, stopwatch::Stopwatch};

/// How long the broker takes to answer, in milliseconds: not at all, and as a near one does.
const DELAYS_MS: [u32; 2] = [0, 50];

/// The receiver under load, with a broker that takes so long.
pub(crate) struct Receiver {
    pub(crate) broker_ms: u32,
    pub(crate) loads: Vec<Load>,
}

/// Measures it with each delay.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let python = prepare(bench)?;
    for broker_ms in DELAYS_MS {
        println!("   a broker that takes {broker_ms} ms");
        let loads = measure(bench, &python, broker_ms)?;
        results.receivers.push(Receiver { broker_ms, loads });
    }
    Ok(())
}

fn measure(bench: &Bench, python: &Path, broker_ms: u32) -> Result<Vec<Load>> {
    let folder = bench.folder("receiver")?;
    let sources = bench.root.join("benches/reference");
    let (broker_port, port) = (http::free_port()?, http::free_port()?);

    let mut broker = Command::new(python);
    broker
        .current_dir(&sources)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    broker.args(["stub_broker.py", "--port", &broker_port.to_string()]);
    broker.args(["--delay-ms", &broker_ms.to_string()]);
    let mut broker = Running::start(&mut broker)?;
    http::wait_for_port(&mut broker, broker_port)?;

    let mut receiver = Command::new(python);
    receiver
        .current_dir(&sources)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    receiver.args([
        "-m",
        "uvicorn",
        "reference_receiver:app",
        "--host",
        "127.0.0.1",
    ]);
    receiver.args(["--port", &port.to_string(), "--workers", "1"]);
    receiver.args(["--no-access-log", "--log-level", "warning"]);
    receiver.env("STYLE", "inline").env("SECRET", SECRET);
    receiver.env("BROKER", format!("http://127.0.0.1:{broker_port}/order"));
    receiver.env("DB", folder.path().join("alerts.db"));
    let mut receiver = Running::start(&mut receiver)?;
    http::wait_for_port(&mut receiver, port)?;
    load::measure(bench, &format!("receiver-{broker_ms}"), port)
}

/// Installs what the receiver needs into an environment of its own; returns its Python.
fn prepare(bench: &Bench) -> Result<PathBuf> {
    let environment = bench.scratch.join("venv");
    let python = environment.join("bin/python");
    let requirements = bench.root.join("benches/reference/requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!(
        "   installing FastAPI and uvicorn into {}",
        environment.display()
    );
    let watch = Stopwatch::start();
    process::run(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
    )
    .map_err(|error| format!("{error}: python3 with its venv module is needed"))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    process::run(pip.arg(&requirements))?;
    fs::write(installed, wanted)?;
    println!("   installed in {:.1} s", watch.elapsed().as_secs_f64());
    Ok(python)
}
