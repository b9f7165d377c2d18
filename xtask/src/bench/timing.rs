//! Whether the time of an answer tells how near a guess was; asked of Ponte's own example, in one process.

use super::{Bench, Results};
use crate::{Result, process};

/// Times each pair is measured, where it is quick.
const QUICK: &str = "40000";

/// Prints the example's table; it brings nothing to the document of the speeds.
pub(crate) fn run(bench: &Bench, _: &mut Results) -> Result<()> {
    let mut example = process::cargo();
    example.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "ponte",
    ]);
    example.args(["--example", "constant_time"]);
    if bench.is_quick {
        example.args(["--", QUICK]);
    }
    process::run(example.current_dir(&bench.root))
}
