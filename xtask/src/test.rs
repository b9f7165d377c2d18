//! `cargo xtask test`: everything that must hold before a change lands, cheapest first.

use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use crate::stopwatch::Stopwatch;
use crate::{Result, bridges, deploy, interop, packages, process, root, tidy};

/// How many tests passed and failed. A test that was skipped has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<Tally>,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "the sources are formatted",
        run: check_format,
    },
    Step {
        name: "clippy",
        about: "the compiler and clippy have no warning",
        run: check_clippy,
    },
    Step {
        name: "deny",
        about: "licences, bans and sources of the dependencies",
        run: check_dependencies,
    },
    Step {
        name: "tidy",
        about: "imports, lengths, links, pairs of languages",
        run: check_tidy,
    },
    Step {
        name: "tests",
        about: "unit, property, simulation, end-to-end and crash tests",
        run: run_tests,
    },
    Step {
        name: "interop",
        about: "other people's clients trade against the test exchange",
        run: run_clients,
    },
    Step {
        name: "bridges",
        about: "the bridges of MetaTrader 5 between a stand-in terminal and a scripted Ponte",
        run: run_bridges,
    },
    Step {
        name: "deploy",
        about: "linters and schemas on the files that platforms read",
        run: check_deploy,
    },
    Step {
        name: "packages",
        about: "the static program and the Debian package, installed and run",
        run: run_packages,
    },
];

/// What became of a step: what it counted, or why it could not be carried out.
struct Report {
    name: &'static str,
    elapsed: Duration,
    outcome: std::result::Result<Tally, String>,
}

impl Report {
    fn failure(&self) -> Option<String> {
        match &self.outcome {
            Ok(Tally {
                failed: 0,
                ignored: 0,
                ..
            }) => None,
            Ok(Tally {
                failed, ignored, ..
            }) => Some(format!("{failed} failed, {ignored} were skipped")),
            Err(error) => Some(error.clone()),
        }
    }
}

/// Runs the steps up to the first that fails, and prints what became of each. The last line counts.
pub(crate) fn run(flags: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = flags.iter().map(String::as_str).collect();
    let steps: Vec<&Step> = match words.as_slice() {
        [] => STEPS.iter().collect(),
        ["--list"] => {
            STEPS
                .iter()
                .for_each(|step| println!("{:8} {}", step.name, step.about));
            return Ok(ExitCode::SUCCESS);
        }
        ["--only", name] => {
            let step = STEPS.iter().find(|step| step.name == *name);
            vec![step.ok_or_else(|| format!("no step is called {name}: --list shows them"))?]
        }
        _ => return Err("usage: cargo xtask test [--only STEP] [--list]".into()),
    };
    let mut reports = Vec::new();
    for step in &steps {
        println!("== {}: {}", step.name, step.about);
        let watch = Stopwatch::start();
        let outcome = (step.run)().map_err(|error| error.to_string());
        let elapsed = watch.elapsed();
        println!("== {}: {:.1} s\n", step.name, elapsed.as_secs_f64());
        let report = Report {
            name: step.name,
            elapsed,
            outcome,
        };
        let has_failed = report.failure().is_some();
        reports.push(report);
        if has_failed {
            break;
        }
    }
    Ok(summarize(&steps, &reports))
}

fn summarize(steps: &[&Step], reports: &[Report]) -> ExitCode {
    for step in steps {
        let Some(report) = reports.iter().find(|report| report.name == step.name) else {
            println!("{:8}         -  not run", step.name);
            continue;
        };
        let failure = report.failure();
        let said = failure.as_deref().unwrap_or("ok");
        println!(
            "{:8} {:>7.1} s  {said}",
            report.name,
            report.elapsed.as_secs_f64()
        );
    }
    let total = total(reports);
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The sum over all test programs. A skipped test has failed, and so has a step that could not be
/// carried out. Where no test was asked for, the steps themselves are what passed.
fn total(reports: &[Report]) -> Tally {
    let mut total = Tally::default();
    let has_tests = reports.iter().any(|report| report.name == "tests");
    for report in reports {
        match &report.outcome {
            Ok(tally) => {
                total.passed += tally.passed.max(u64::from(!has_tests));
                total.failed += tally.failed + tally.ignored;
            }
            Err(_) => total.failed += 1,
        }
    }
    total
}

fn check_format() -> Result<Tally> {
    require_component("fmt", "rustfmt")?;
    process::run(
        process::cargo()
            .current_dir(root()?)
            .args(["fmt", "--all", "--", "--check"]),
    )?;
    Ok(Tally::default())
}

fn check_clippy() -> Result<Tally> {
    require_component("clippy", "clippy")?;
    let mut clippy = process::cargo();
    clippy.args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
    ]);
    process::run(clippy.current_dir(root()?).args(["--", "-D", "warnings"]))?;
    Ok(Tally::default())
}

fn require_component(command: &str, component: &str) -> Result<()> {
    if process::succeeds(process::cargo().args([command, "--version"])) {
        return Ok(());
    }
    Err(
        format!("cargo {command} is missing: run `rustup component add {component}` and try again")
            .into(),
    )
}

fn check_dependencies() -> Result<Tally> {
    if !process::succeeds(process::cargo().args(["deny", "--version"])) {
        println!(
            "cargo-deny is missing; installing it takes some minutes: cargo install cargo-deny --locked"
        );
        let install = ["install", "cargo-deny", "--locked", "--version", "^0.20"];
        process::run(process::cargo().args(install))?;
    }
    let mut deny = process::cargo();
    deny.args([
        "deny",
        "--locked",
        "--all-features",
        "check",
        "--hide-inclusion-graph",
    ]);
    process::run(
        deny.current_dir(root()?)
            .args(["licenses", "bans", "sources"]),
    )?;
    Ok(Tally::default())
}

fn check_tidy() -> Result<Tally> {
    let findings = tidy::check(&root()?)?;
    findings.iter().for_each(|finding| println!("{finding}"));
    match findings.len() {
        0 => Ok(Tally::default()),
        count => Err(format!("tidy found {count}").into()),
    }
}

/// Counts what other people's clients could and could not do; a client that can't be had is an error.
fn run_clients() -> Result<Tally> {
    let steps = interop::run()?;
    Ok(Tally {
        passed: steps.passed,
        failed: steps.failed,
        ignored: 0,
    })
}

/// Counts what the bridges' tests say.
fn run_bridges() -> Result<Tally> {
    counted(bridges::run()?)
}

/// Counts what the checks of `deploy/` say.
fn check_deploy() -> Result<Tally> {
    counted(deploy::run()?)
}

/// Builds what people install, installs and runs it.
fn run_packages() -> Result<Tally> {
    Ok(Tally {
        passed: packages::test()?,
        ..Tally::default()
    })
}

/// Runs every test of the workspace, shows its output while it comes and adds up the results.
fn run_tests() -> Result<Tally> {
    let mut tests = process::cargo();
    tests
        .args(["test", "--locked", "--workspace", "--no-fail-fast"])
        .current_dir(root()?);
    let mut child = tests.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("cargo test has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally = tally.plus(Tally::read(&line));
    }
    let status = child.wait()?;
    complete(tally, status.success())
}

/// What pytest counted.
fn counted(counts: bridges::Counts) -> Result<Tally> {
    complete(
        Tally {
            passed: counts.passed,
            failed: counts.failed,
            ignored: counts.skipped,
        },
        true,
    )
}

/// A test program that died or didn't compile counted nothing, but has failed.
fn complete(tally: Tally, has_succeeded: bool) -> Result<Tally> {
    match tally {
        Tally { failed: 0, .. } if !has_succeeded => Ok(Tally { failed: 1, ..tally }),
        Tally {
            passed: 0,
            failed: 0,
            ..
        } => Err("no test was run".into()),
        counted => Ok(counted),
    }
}

impl Tally {
    /// Reads `test result: ok. 5 passed; 0 failed; 0 ignored; …`; any other line counts nothing.
    fn read(line: &str) -> Tally {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return Tally::default();
        };
        let words: Vec<&str> = counts
            .split([' ', ';'])
            .filter(|word| !word.is_empty())
            .collect();
        let count = |name: &str| {
            let pair = words.windows(2).find(|pair| pair[1] == name);
            pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
        };
        Tally {
            passed: count("passed"),
            failed: count("failed"),
            ignored: count("ignored"),
        }
    }

    fn plus(self, other: Tally) -> Tally {
        Tally {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: std::result::Result<Tally, String>) -> Report {
        Report {
            name: "tests",
            elapsed: Duration::ZERO,
            outcome,
        }
    }

    #[test]
    fn reads_the_results_of_a_test_program() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(
            Tally::read(line),
            Tally {
                passed: 12,
                failed: 3,
                ignored: 1
            }
        );
        assert_eq!(Tally::read("test reads_results ... ok"), Tally::default());
    }

    #[test]
    fn a_skipped_test_has_failed() {
        let skipped = report(Ok(Tally {
            passed: 4,
            failed: 0,
            ignored: 2,
        }));
        assert_eq!(
            skipped.failure(),
            Some("0 failed, 2 were skipped".to_owned())
        );
        assert_eq!(
            total(&[skipped]),
            Tally {
                passed: 4,
                failed: 2,
                ignored: 0
            }
        );
    }

    #[test]
    fn a_test_program_that_died_has_failed() {
        let tally = complete(
            Tally {
                passed: 4,
                ..Tally::default()
            },
            false,
        );
        assert_eq!(
            tally.ok(),
            Some(Tally {
                passed: 4,
                failed: 1,
                ignored: 0
            })
        );
    }

    #[test]
    fn running_no_test_is_a_failure() {
        assert!(complete(Tally::default(), true).is_err());
        assert_eq!(
            total(&[report(Err("no test was run".to_owned()))]).failed,
            1
        );
    }
}
