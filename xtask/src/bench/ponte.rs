//! Ponte under load: the released program, a paper account rich enough, no rules.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::load::{self, SECRET, template};
use super::{Bench, Folder, Results, disk, http};
use crate::Result;
use crate::process::{self, Running};

/// A running Ponte with the folder it lives in.
pub(crate) struct Ponte {
    pub(crate) running: Running,
    pub(crate) webhook: u16,
    pub(crate) admin: u16,
}

/// Loads it, and measures the disk once more, since a disk shared
/// with others changes its speed from one minute to the next.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let program = bench.build("ponte")?;
    let folder = bench.folder("ponte")?;
    let ponte = ready(&program, &folder)?;
    require_accepted(&ponte)?;
    results.ponte =
        load::measure(bench, "ponte", ponte.webhook).map_err(|error| with_log(error, &folder))?;
    if results.disk.is_empty() {
        return Ok(());
    }
    println!("   the disk once more");
    disk::run(bench, results)
}

/// Asks the core's example how many decisions it makes in a second.
pub(crate) fn run_engine(bench: &Bench, results: &mut Results) -> Result<()> {
    let mut example = process::cargo();
    example.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "ponte-core",
    ]);
    let output = process::capture(
        example
            .args(["--example", "decisions"])
            .current_dir(&bench.root),
    )?;
    let line = output.lines().rev().find(|line| line.starts_with('{'));
    let line: Value = serde_json::from_str(line.ok_or("the example printed no line of JSON")?)?;
    let number = line["decisions_per_second"].as_f64();
    let number = number.ok_or_else(|| format!("no decisions_per_second in {line}"))?;
    println!("   {number:.0} decisions per second");
    results.decisions_per_second = Some(number);
    Ok(())
}

/// Starts Ponte in a folder and waits until it is ready.
pub(crate) fn ready(program: &Path, folder: &Folder) -> Result<Ponte> {
    let mut ponte = start(program, folder)?;
    http::wait_for_ok(&mut ponte.running, ponte.admin, "/readyz")
        .map_err(|error| with_log(error, folder))?;
    Ok(ponte)
}

/// Starts Ponte in a folder, with its configuration there; its log goes to a file beside it.
pub(crate) fn start(program: &Path, folder: &Folder) -> Result<Ponte> {
    let (webhook, admin) = (http::free_port()?, http::free_port()?);
    fs::write(
        folder.path().join("ponte.toml"),
        configuration(webhook, admin),
    )?;
    let log = File::create(log_of(folder))?;
    let mut run = command(program, folder);
    run.arg("run").stdout(log.try_clone()?).stderr(log);
    Ok(Ponte {
        running: Running::start(&mut run)?,
        webhook,
        admin,
    })
}

/// Ponte with the folder's configuration and data.
pub(crate) fn command(program: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder.path())
        .env("WEBHOOK_SECRET", SECRET);
    command
}

fn configuration(webhook: u16, admin: u16) -> String {
    format!(
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
[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
balance = "1000000000000"
prices = ["alert", "seeded"]
[[routes]]
strategies = ["*"]
accounts = ["paper"]
"#
    )
}

/// Without this, a fast refusal could pass for a fast order.
fn require_accepted(ponte: &Ponte) -> Result<()> {
    let (status, body) = alert(ponte, "first")?;
    let answer: Value = serde_json::from_str(&body).unwrap_or_default();
    if status == 200 && answer["status"] == "accepted" {
        return Ok(());
    }
    Err(format!("Ponte answered the alert with {status} {body}").into())
}

fn alert(ponte: &Ponte, id: &str) -> Result<(u16, String)> {
    http::Connection::open(ponte.webhook)?.post("/webhook", &template().replace("%s", id))
}

/// Where a program of the folder logs.
pub(crate) fn log_of(folder: &Folder) -> PathBuf {
    folder.path().join("ponte.log")
}

/// Adds the last lines that the folder's program logged to an error.
pub(crate) fn with_log(
    error: Box<dyn std::error::Error>,
    folder: &Folder,
) -> Box<dyn std::error::Error> {
    let log = fs::read_to_string(log_of(folder)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().rev().take(10).collect();
    let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n   ");
    format!("{error}; the program's last words:\n   {tail}").into()
}
