//! Independent clients, unchanged, trade against the built program's test exchange: what they
//! believe of Binance holds the exchange, and with it our adapter's tests, to the world outside.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{self, Running};
use crate::{Result, root};

/// How long one client's script may take, in seconds.
const SCRIPT_SECONDS_MAX: &str = "180";
/// An account's first money is part of what the scripts expect: each has one of its own.
const SECRET: &str = "SECRET-OF-THE-INTEROP-TESTS";

/// A client with its scripts, all in one folder.
struct Client {
    folder: &'static str,
    scripts: &'static [&'static str],
    language: Language,
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Python,
    Node,
}

const CLIENTS: &[Client] = &[
    Client {
        folder: "ccxt_binance",
        scripts: &["spot.py", "futures.py"],
        language: Language::Python,
    },
    Client {
        folder: "python_binance",
        scripts: &["spot.py", "futures.py"],
        language: Language::Python,
    },
    Client {
        folder: "node_binance",
        scripts: &["spot.mjs", "futures.mjs"],
        language: Language::Node,
    },
];

/// Steps that passed and failed, over all scripts.
pub(crate) struct Steps {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// Builds the program, installs the clients, and has each do what its scripts say.
pub(crate) fn run() -> Result<Steps> {
    let root = root()?;
    let sources = root.join("tests/interop");
    let scratch = process::target_folder(&root).join("interop");
    fs::create_dir_all(&scratch)?;
    let mut build = process::cargo();
    build.args(["build", "--locked", "--package", "ponte", "--bin", "ponte"]);
    process::run(build.current_dir(&root))?;
    let program = process::target_folder(&root).join("debug/ponte");
    let mut steps = Steps {
        passed: 0,
        failed: 0,
    };
    for client in CLIENTS {
        let runner = install(client, &sources, &scratch)?;
        for script in client.scripts {
            println!("   {}/{script}", client.folder);
            let said = trade(client, script, &runner, &sources, &program)?;
            steps.passed += said.passed;
            steps.failed += said.failed;
        }
    }
    Ok(steps)
}

/// What a client's scripts are run by, and where they lie.
struct Runner {
    program: PathBuf,
    scripts: PathBuf,
}

fn install(client: &Client, sources: &Path, scratch: &Path) -> Result<Runner> {
    match client.language {
        Language::Python => install_python(client, sources, scratch),
        Language::Node => install_node(client, sources, scratch),
    }
}

fn install_python(client: &Client, sources: &Path, scratch: &Path) -> Result<Runner> {
    let environment = scratch.join(client.folder);
    let python = environment.join("bin/python");
    let requirements = sources.join(client.folder).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(Runner {
            program: python,
            scripts: sources.join(client.folder),
        });
    }
    println!("   installing {}", client.folder);
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&environment);
    process::run(&mut venv)
        .map_err(|error| format!("{error}: python3 with its venv module is needed"))?;
    let mut pip = Command::new(&python);
    let quietly = ["--quiet", "--disable-pip-version-check"];
    pip.args(["-m", "pip", "install"]).args(quietly);
    process::run(pip.arg("--requirement").arg(&requirements))?;
    fs::write(installed, wanted)?;
    Ok(Runner {
        program: python,
        scripts: sources.join(client.folder),
    })
}

/// Node looks for packages beside the script: the scripts are copied to where those are installed.
fn install_node(client: &Client, sources: &Path, scratch: &Path) -> Result<Runner> {
    let folder = scratch.join(client.folder);
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(sources.join(client.folder))? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    let wanted = fs::read_to_string(folder.join("package-lock.json"))?;
    let installed = folder.join("installed.json");
    if !fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        println!("   installing {}", client.folder);
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        process::run(npm.current_dir(&folder))
            .map_err(|error| format!("{error}: node and npm are needed"))?;
        fs::write(installed, wanted)?;
    }
    Ok(Runner {
        program: PathBuf::from("node"),
        scripts: folder,
    })
}

/// Runs one script against an exchange of its own.
fn trade(
    client: &Client,
    script: &str,
    runner: &Runner,
    sources: &Path,
    program: &Path,
) -> Result<Steps> {
    let key = format!("KEY-OF-{}-{script}", client.folder);
    let mut venue = Command::new(program);
    venue.args(["venue", "binance", "--listen", "127.0.0.1:0", "--key"]);
    venue.arg(format!("{key}:{SECRET}")).stdout(Stdio::piped());
    let mut venue = Running::start(&mut venue)?;
    let url = address(&mut venue)?;
    let mut command = Command::new("timeout");
    command.arg(SCRIPT_SECONDS_MAX).arg(&runner.program);
    command.arg(runner.scripts.join(script));
    command.args([&url, &key, SECRET]).current_dir(sources);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("the script has no output")?;
    let mut steps = Steps {
        passed: 0,
        failed: 0,
    };
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("   {line}");
        steps.passed += u64::from(line.starts_with("ok "));
        steps.failed += u64::from(line.starts_with("FAILED "));
    }
    let status = child.wait()?;
    venue.must_run()?;
    if !status.success() && steps.failed == 0 || steps.passed == 0 {
        steps.failed += 1;
        println!("   {script} ended with {status}");
    }
    Ok(steps)
}

/// Where the exchange says that it listens.
fn address(venue: &mut Running) -> Result<String> {
    let output = venue.take_output().ok_or("the exchange has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        let found = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        if let Some(url) = found {
            return Ok(url.to_owned());
        }
    }
    Err("the exchange ended before it said where it listens".into())
}
