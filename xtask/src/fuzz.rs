//! `cargo xtask fuzz`: coverage-guided fuzzers of everything that Ponte reads from strangers.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::{Result, process, root};

/// The fuzzers, each with what it is fed.
const TARGETS: &[(&str, &str)] = &[
    ("messages", "an alert's body"),
    ("intake", "bytes on a connection to the webhook"),
    ("configuration", "ponte.toml"),
    ("proxy_header", "the header of the PROXY protocol"),
    ("admin", "what programs send to the admin address"),
    ("certificates", "certificates, PEM files, keys"),
    ("bridge", "what a bridge beside a MetaTrader terminal says"),
    ("backup", "a file that is said to be a backup"),
];
/// How long each one runs, unless told otherwise.
const SECONDS_DEFAULT: u64 = 60;
/// Most memory that one may take, in MiB.
const MEMORY_MIB_MAX: u32 = 2048;
/// Longest time for one input, in seconds.
const INPUT_SECONDS_MAX: u32 = 20;

/// How it was asked for.
#[derive(Debug, PartialEq)]
struct Options<'a> {
    target: Option<&'a str>,
    seconds: u64,
}

/// Runs one fuzzer, or one after the other. What was found lies below `fuzz/artifacts`.
pub(crate) fn run(flags: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = flags.iter().map(String::as_str).collect();
    if words == ["--list"] {
        for (name, about) in TARGETS {
            println!("{name:14} {about}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let options = read(&words)?;
    install()?;
    let root = root()?;
    let mut found = Vec::new();
    for (name, about) in TARGETS {
        if options.target.is_none_or(|target| target == *name) {
            println!("== {name}: {about}");
            if let Err(error) = fuzz(&root, name, options.seconds) {
                println!("{name}: {error}");
                found.push(*name);
            }
        }
    }
    if found.is_empty() {
        println!("nothing was found");
        return Ok(ExitCode::SUCCESS);
    }
    println!("found something, see fuzz/artifacts: {}", found.join(", "));
    Ok(ExitCode::FAILURE)
}

fn read<'a>(words: &[&'a str]) -> Result<Options<'a>> {
    let mut options = Options {
        target: None,
        seconds: SECONDS_DEFAULT,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--seconds" {
            let number = words.next().and_then(|word| word.parse().ok());
            let number = number.filter(|number| *number > 0);
            options.seconds = number.ok_or("--seconds needs a whole number above zero")?;
        } else if TARGETS.iter().any(|(name, _)| name == word) && options.target.is_none() {
            options.target = Some(word);
        } else {
            return Err(format!("no fuzzer is called {word}: --list shows them").into());
        }
    }
    Ok(options)
}

fn install() -> Result<()> {
    if process::succeeds(process::cargo().args(["fuzz", "--version"])) {
        return Ok(());
    }
    println!("cargo-fuzz is missing; installing it: cargo install cargo-fuzz --locked");
    process::run(process::cargo().args(["install", "cargo-fuzz", "--locked"]))
}

fn fuzz(root: &Path, name: &str, seconds: u64) -> Result<()> {
    let corpus = root.join("fuzz/corpus").join(name);
    fs::create_dir_all(&corpus)?;
    let mut fuzz = process::cargo();
    fuzz.current_dir(root)
        // Instrumenting asks for flags that the stable compiler has and keeps to itself; our code is
        // safe Rust, for which coverage without a sanitizer is what counts.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["fuzz", "run", "--fuzz-dir", "fuzz", "--sanitizer", "none"])
        // cargo-fuzz would take one, which builds for half an hour.
        .args(["--codegen-units", "16"])
        .arg("--target-dir")
        .arg(process::target_folder(root).join("fuzz"))
        .arg(name)
        // What is new goes into the first, what is kept stands in the second.
        .arg(corpus)
        .arg(root.join("fuzz/seeds").join(name))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg("-print_final_stats=1")
        // Bare addresses, thousands of them.
        .arg("-print_funcs=0");
    process::run(&mut fuzz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fuzzer_is_known_and_has_seeds() {
        let root = root().unwrap();
        let mut files: Vec<_> = fs::read_dir(root.join("fuzz/fuzz_targets"))
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_owned())
            .collect();
        files.sort();
        let mut known: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(files, known);
        for name in known {
            let seeds = fs::read_dir(root.join("fuzz/seeds").join(name)).unwrap();
            assert!(seeds.count() > 0, "{name}");
        }
    }

    #[test]
    fn one_fuzzer_for_so_long() {
        let options = read(&["intake", "--seconds", "5"]).unwrap();
        let expected = Options {
            target: Some("intake"),
            seconds: 5,
        };
        assert_eq!(options, expected);
        assert!(read(&["nothing"]).is_err());
        assert!(read(&["--seconds", "0"]).is_err());
    }
}
