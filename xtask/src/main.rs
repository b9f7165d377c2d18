//! The project's chores: `cargo xtask test`, `tidy`, `package`, `fuzz`, `advisories` and `bench`.

mod advisories;
mod bench;
mod bridges;
mod deploy;
mod fuzz;
mod interop;
mod packages;
mod process;
mod stopwatch;
mod test;
mod tidy;

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a chore returns: its value, or a sentence that says what went wrong.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask CHORE

  test [--only STEP] [--list]
      everything that must hold before a change lands: format, clippy, deny, tidy, tests,
      and other people's clients against the test exchange
  tidy
      the checks on the sources alone: imports, lengths, links, pairs of languages
  package
      the static program and the Debian package, as they are given to people
  fuzz [FUZZER] [--seconds N] [--list]
      coverage-guided fuzzers of what is read from strangers, a minute each; installs cargo-fuzz
  advisories
      asks the RustSec database about every dependency; exits with 3 where it can't be reached
  bench [--only PART] [--list] [--quick] [--seconds N] [--write]
      measures the way of an alert and writes the table into docs/performance.md
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let Some((chore, flags)) = words.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match chore.as_str() {
        "test" => test::run(flags),
        "tidy" => run_tidy(),
        "package" => packages::make(flags),
        "fuzz" => fuzz::run(flags),
        "advisories" => advisories::run(flags),
        "bench" => bench::run(flags).map(|()| ExitCode::SUCCESS),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(format!("no chore is called {chore}\n\n{USAGE}").into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_tidy() -> Result<ExitCode> {
    let findings = tidy::check(&root()?)?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The root of the repository. Cargo says it when it runs us; what was true at compile time may be
/// another checkout that shares the target folder.
fn root() -> Result<PathBuf> {
    let xtask =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = PathBuf::from(xtask);
    let root = xtask.parent().ok_or("xtask has no parent folder")?;
    Ok(root.to_owned())
}
