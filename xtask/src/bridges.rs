//! The bridges beside a `MetaTrader` terminal: the Python bridge is installed as a user would, and
//! their tests run them against the built program's stand-in terminal.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process;
use crate::{Result, root};

/// How long the tests may take in all, in seconds.
const SECONDS_MAX: &str = "1200";

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// Builds the program, installs the bridge and its test tools, and runs pytest.
pub(crate) fn run() -> Result<Counts> {
    let root = root()?;
    let sources = root.join("bridges/mt5");
    let target = process::target_folder(&root);
    let mut build = process::cargo();
    build.args(["build", "--locked", "--package", "ponte", "--bin", "ponte"]);
    process::run(build.current_dir(&root))?;
    let scratch = target.join("bridges");
    fs::create_dir_all(&scratch)?;
    let python = install(&sources, &scratch)?;
    let mut tests = Command::new("timeout");
    tests.arg(SECONDS_MAX).arg(&python);
    tests.args(["-m", "pytest", "--color=no", "--tb=short", "-rf"]);
    tests.arg("--basetemp").arg(scratch.join("tests"));
    tests.current_dir(&sources);
    tests
        .env("PONTE_BIN", target.join("debug/ponte"))
        .env("PONTE_WHEELS", scratch.join("wheels"))
        .env("PONTE_SCRATCH", &scratch)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    count(&mut tests)
}

/// Runs pytest, shows what it says while it comes, and reads the summary.
pub(crate) fn count(tests: &mut Command) -> Result<Counts> {
    let mut child = tests.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("pytest has no output")?;
    let mut counts = Counts::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("   {line}");
        // The last line that counts is the summary.
        counts = Counts::read(&line).unwrap_or(counts);
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        counts.failed += 1;
        println!("   pytest ended with {status}");
    }
    Ok(counts)
}

/// Makes an environment with the test tools, once, and installs the bridge into it, each time.
fn install(sources: &Path, scratch: &Path) -> Result<PathBuf> {
    let python = environment(scratch, &sources.join("tests/requirements.txt"))?;
    // From a copy: building leaves files beside the sources.
    let copy = scratch.join("source");
    let _ = fs::remove_dir_all(&copy);
    let mut copying = Command::new("cp");
    copying.arg("-R").arg(sources).arg(&copy);
    process::run(&mut copying)?;
    process::run(
        pip(&python)
            .args(["--force-reinstall", "--no-deps"])
            .arg(&copy),
    )?;
    Ok(python)
}

/// Makes an environment with these requirements, once for each list of them: its Python.
pub(crate) fn environment(scratch: &Path, requirements: &Path) -> Result<PathBuf> {
    let environment = scratch.join("python");
    let python = environment.join("bin/python");
    let wanted = fs::read_to_string(requirements)?;
    let installed = environment.join("installed.txt");
    if !fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        println!("   installing the test tools");
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&environment);
        process::run(&mut venv)
            .map_err(|error| format!("{error}: python3 with its venv module is needed"))?;
        process::run(pip(&python).arg("--requirement").arg(requirements))?;
        fs::write(installed, wanted)?;
    }
    Ok(python)
}

fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    pip
}

impl Counts {
    /// Reads `= 3 failed, 120 passed, 1 skipped in 61.20s =`; any other line counts nothing. A test
    /// that could not be set up has failed.
    fn read(line: &str) -> Option<Counts> {
        let words: Vec<&str> = line
            .trim_matches(['=', ' '])
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect();
        // `in 61.20s`, and for long runs `(0:01:01)` behind it.
        let at = words.iter().rposition(|word| *word == "in")?;
        let seconds = words.get(at + 1)?.strip_suffix('s')?;
        seconds.parse::<f64>().ok()?;
        let count = |names: &[&str]| {
            let pairs = words.windows(2).filter(|pair| names.contains(&pair[1]));
            pairs
                .filter_map(|pair| pair[0].parse::<u64>().ok())
                .sum::<u64>()
        };
        let counts = Counts {
            passed: count(&["passed"]),
            failed: count(&["failed", "error", "errors", "xpassed"]),
            skipped: count(&["skipped", "xfailed", "deselected"]),
        };
        (counts != Counts::default()).then_some(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_summary_of_pytest() {
        let read = |line| Counts::read(line).map(|c| (c.passed, c.failed, c.skipped));
        let long = "============ 120 passed in 61.20s (0:01:01) ============";
        assert_eq!(read(long), Some((120, 0, 0)));
        assert_eq!(read("==== 120 passed in 6.20s ===="), Some((120, 0, 0)));
        assert_eq!(read("120 passed in 6.20s"), Some((120, 0, 0)));
        assert_eq!(
            read("= 3 failed, 120 passed, 1 skipped, 2 errors in 6.20s ="),
            Some((120, 5, 1))
        );
        assert_eq!(read("tests/test_bridge.py .....  [ 12%]"), None);
        assert_eq!(read("collected 5 items"), None);
        assert_eq!(read("E   waited 20 s for it in vain"), None);
    }
}
