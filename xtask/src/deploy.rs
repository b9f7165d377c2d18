//! The files that platforms read: linters, parsers and the settings without which alerts are lost.

use std::fs;
use std::process::Command;

use crate::bridges::{self, Counts};
use crate::{Result, process, root};

/// How long the checks may take in all, in seconds.
const SECONDS_MAX: &str = "300";

/// Installs the linters, and runs the checks of `deploy/tests`.
pub(crate) fn run() -> Result<Counts> {
    let root = root()?;
    let sources = root.join("deploy/tests");
    let scratch = process::target_folder(&root).join("deploy");
    fs::create_dir_all(&scratch)?;
    let python = bridges::environment(&scratch, &sources.join("requirements.txt"))?;
    let mut tests = Command::new("timeout");
    tests.arg(SECONDS_MAX).arg(&python);
    tests.args([
        "-m",
        "pytest",
        "--color=no",
        "--tb=short",
        "-rf",
        "-p",
        "no:cacheprovider",
    ]);
    tests.arg(&sources).current_dir(&root);
    tests.env("PYTHONDONTWRITEBYTECODE", "1");
    bridges::count(&mut tests)
}
