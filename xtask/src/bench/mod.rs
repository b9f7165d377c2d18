//! `cargo xtask bench`: the whole way of an alert, beside what the same machine can do at best
//! (axum alone, the disk alone) and beside the receiver that hobbyists run, all in one run.

mod binance;
mod burst;
mod disk;
mod hello;
mod http;
mod load;
mod machine;
mod ponte;
mod receiver;
mod report;
mod start;
mod timing;

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, process, root};
use load::Load;

/// How the bench was asked for.
#[derive(Default)]
struct Options {
    only: Option<String>,
    is_quick: bool,
    writes: bool,
    seconds: Option<u64>,
}

/// What every part needs to know.
pub(crate) struct Bench {
    root: PathBuf,
    /// Where data is kept while measuring; the disk that counts.
    scratch: PathBuf,
    seconds: u64,
    is_quick: bool,
}

/// All that was measured. A part that was not run, or failed, leaves its field empty.
#[derive(Default)]
pub(crate) struct Results {
    disk: Vec<disk::Syncs>,
    hello: Vec<Load>,
    receivers: Vec<receiver::Receiver>,
    ponte: Vec<Load>,
    burst: Option<burst::Burst>,
    latency: Option<binance::Latency>,
    decisions_per_second: Option<f64>,
    starts: Vec<start::Start>,
}

struct Part {
    name: &'static str,
    about: &'static str,
    run: fn(&Bench, &mut Results) -> Result<()>,
}

/// The yardsticks stand right before Ponte: a shared machine changes from minute to minute.
const PARTS: &[Part] = &[
    Part {
        name: "receiver",
        about: "the FastAPI receiver with its broker inline",
        run: receiver::run,
    },
    Part {
        name: "hello",
        about: "a hello-world on axum",
        run: hello::run,
    },
    Part {
        name: "disk",
        about: "the disk's own append and fdatasync",
        run: disk::run,
    },
    Part {
        name: "ponte",
        about: "Ponte, every alert durable and its order planned",
        run: ponte::run,
    },
    Part {
        name: "burst",
        about: "ten thousand alerts in the same second",
        run: burst::run,
    },
    Part {
        name: "binance",
        about: "from the alert's bytes to the order's bytes, beside a client that only signs and sends",
        run: binance::run,
    },
    Part {
        name: "engine",
        about: "the engine's decisions alone",
        run: ponte::run_engine,
    },
    Part {
        name: "start",
        about: "start-up and memory, without and with a million alerts",
        run: start::run,
    },
    Part {
        name: "timing",
        about: "whether the time of a refusal tells how near a guess was",
        run: timing::run,
    },
];

/// Runs the parts that were asked for, prints the table and, after a whole run, writes it.
pub(crate) fn run(flags: &[String]) -> Result<()> {
    if flags.iter().any(|flag| flag == "--list") {
        PARTS
            .iter()
            .for_each(|part| println!("{:9} {}", part.name, part.about));
        return Ok(());
    }
    let options = read(flags)?;
    let bench = prepare(&options)?;
    let mut results = Results::default();
    let mut failures = Vec::new();
    for part in PARTS {
        if options
            .only
            .as_deref()
            .is_some_and(|only| only != part.name)
        {
            continue;
        }
        println!("== {}: {}", part.name, part.about);
        if let Err(error) = (part.run)(&bench, &mut results) {
            println!("   {} could not be measured: {error}", part.name);
            failures.push(part.name);
        }
    }
    let command = command(&options);
    // Parts with a section or a table of their own bring nothing to this one.
    let has_table = !matches!(options.only.as_deref(), Some("binance" | "timing"));
    let table = has_table
        .then(|| report::table(&bench, &results, &command))
        .transpose()?;
    let latency = results.latency.as_ref();
    let latency = latency
        .map(|latency| binance::report::section(&bench, latency, &results.disk, &command))
        .transpose()?;
    for section in [&table, &latency].into_iter().flatten() {
        println!("\n{section}");
    }
    if !failures.is_empty() {
        return Err(format!(
            "not measured: {}; the document stays as it was",
            failures.join(", ")
        )
        .into());
    }
    let is_whole = options.only.is_none() && !options.is_quick;
    if is_whole || options.writes {
        report::write(&bench.root, table.as_deref(), latency.as_deref())
    } else {
        Ok(())
    }
}

fn read(flags: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => options.is_quick = true,
            "--write" => options.writes = true,
            "--seconds" => {
                let number = words
                    .next()
                    .and_then(|word| word.parse().ok())
                    .filter(|&number| number > 0);
                options.seconds = Some(number.ok_or("--seconds needs a whole number above zero")?);
            }
            "--only" => {
                let name = words.next().ok_or("--only needs the name of a part")?;
                if !PARTS.iter().any(|part| part.name == name) {
                    return Err(format!("no part is called {name}: --list shows them").into());
                }
                options.only = Some(name.clone());
            }
            _ => {
                return Err(format!("the bench does not know {word}: see cargo xtask help").into());
            }
        }
    }
    Ok(options)
}

fn prepare(options: &Options) -> Result<Bench> {
    let root = root()?;
    let scratch = process::target_folder(&root).join("bench");
    fs::create_dir_all(&scratch)?;
    let seconds = options
        .seconds
        .unwrap_or(if options.is_quick { 2 } else { 8 });
    Ok(Bench {
        root,
        scratch,
        seconds,
        is_quick: options.is_quick,
    })
}

/// The command that repeats this run.
fn command(options: &Options) -> String {
    let mut command = "cargo xtask bench".to_owned();
    if let Some(only) = &options.only {
        command.push_str(&format!(" --only {only}"));
    }
    if options.is_quick {
        command.push_str(" --quick");
    }
    if let Some(seconds) = options.seconds {
        command.push_str(&format!(" --seconds {seconds}"));
    }
    command
}

impl Bench {
    /// Builds a program of the workspace as it is released and returns where it is.
    fn build(&self, name: &str) -> Result<PathBuf> {
        let mut build = process::cargo();
        build.args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            name,
            "--bin",
            name,
        ]);
        process::run(build.current_dir(&self.root))?;
        Ok(process::target_folder(&self.root)
            .join("release")
            .join(name))
    }

    /// A folder on the measured disk that is removed when the value goes away.
    fn folder(&self, name: &str) -> Result<Folder> {
        let path = self.scratch.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

/// A folder that lives as long as this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays below target/.
        let _ = fs::remove_dir_all(&self.0);
    }
}
