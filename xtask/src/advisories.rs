//! `cargo xtask advisories`: known holes in what Ponte depends on. No answer is no good answer.

use std::process::ExitCode;

use crate::{Result, process, root};

/// cargo-deny's words for a database that it could not get.
const UNREACHABLE: &[&str] = &[
    "failed to fetch advisory database",
    "failed to open advisory database",
];

/// What became of the question.
#[derive(Debug, PartialEq)]
enum Answer {
    Clean,
    Found,
    Unreachable,
}

impl Answer {
    /// Reads what cargo-deny has said.
    fn of(has_succeeded: bool, said: &str) -> Self {
        if has_succeeded {
            return Self::Clean;
        }
        if said.contains("advisories FAILED")
            && !UNREACHABLE.iter().any(|words| said.contains(words))
        {
            return Self::Found;
        }
        Self::Unreachable
    }
}

/// Asks the RustSec database about every dependency.
pub(crate) fn run(flags: &[String]) -> Result<ExitCode> {
    if !flags.is_empty() {
        return Err("usage: cargo xtask advisories".into());
    }
    if !process::succeeds(process::cargo().args(["deny", "--version"])) {
        return Err("cargo-deny is missing: cargo install cargo-deny --locked".into());
    }
    let mut deny = process::cargo();
    deny.args(["deny", "--locked", "--all-features", "check", "advisories"]);
    let output = deny.current_dir(root()?).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    print!("{said}");
    Ok(match Answer::of(output.status.success(), &said) {
        Answer::Clean => {
            println!("no known hole in any dependency");
            ExitCode::SUCCESS
        }
        Answer::Found => {
            println!("there are known holes, see above");
            ExitCode::FAILURE
        }
        Answer::Unreachable => {
            println!(
                "NOT CHECKED: the database of advisories could not be had, so nothing is known about \
                 holes; ask again from where github.com/rustsec/advisory-db can be reached"
            );
            ExitCode::from(3)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_not_taken_for_consent() {
        for (has_succeeded, said, expected) in [
            (true, "advisories ok", Answer::Clean),
            (
                false,
                "error[vulnerability]: …\nadvisories FAILED",
                Answer::Found,
            ),
            (
                false,
                "[ERROR] failed to fetch advisory database https://…",
                Answer::Unreachable,
            ),
            (false, "", Answer::Unreachable),
        ] {
            assert_eq!(Answer::of(has_succeeded, said), expected, "{said}");
        }
    }
}
