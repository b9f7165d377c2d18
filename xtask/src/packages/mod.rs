//! What people install: the static program, the Debian package and what the images are made of. `cargo xtask
//! package` makes the package; the step `packages` of `cargo xtask test` installs it and runs it.

mod context;
mod debian;
mod installed;
mod man;
mod names;
mod place;
mod platform;
mod root;
mod static_program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{Result, process, root};

/// The version of the tool that makes the Debian package.
const CARGO_DEB: &str = "^3.8";
/// The profile of the workspace that builds quickly, for the test alone.
const QUICK: &str = "packages";

/// The built program, and where packages are put together.
struct Built {
    root: PathBuf,
    /// Where cargo builds.
    target: PathBuf,
    /// What the compiler calls this machine.
    triple: String,
    profile: &'static str,
}

impl Built {
    fn program(&self) -> PathBuf {
        self.folder().join("ponte")
    }

    /// Where the program is, and what is made beside it.
    fn folder(&self) -> PathBuf {
        self.target.join(&self.triple).join(self.profile)
    }

    /// A folder for things that may be thrown away.
    fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("package-test").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// `cargo xtask package`: builds the static program and the Debian package, as they are given to people.
pub(crate) fn make(flags: &[String]) -> Result<ExitCode> {
    if !flags.is_empty() {
        return Err("usage: cargo xtask package".into());
    }
    let root = root()?;
    let built = build(&root, &root, "release")?;
    let package = debian::build(&built, None)?;
    println!("{}", built.program().display());
    println!("{}", package.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds, installs and runs everything; counts what held.
pub(crate) fn test() -> Result<u64> {
    if !process::is_root() {
        return Err("a package is installed into a folder of its own, which needs root".into());
    }
    let root = root()?;
    let context = context::copy(&root)?;
    let built = build(&root, &context, QUICK)?;
    let mut passed = Passed(0);
    static_program::test(&built, &mut passed)?;
    debian::test(&built, &mut passed)?;
    Ok(passed.0)
}

/// How many things held so far.
struct Passed(u64);

impl Passed {
    fn say(&mut self, what: &str) {
        self.0 += 1;
        println!("   ok {what}");
    }
}

/// Builds the static program by the script that the images are built by.
fn build(root: &Path, sources: &Path, profile: &'static str) -> Result<Built> {
    let target = process::target_folder(root);
    let mut script = Command::new("sh");
    script.arg(sources.join("deploy/static.sh")).arg(profile);
    script.env("CARGO_TARGET_DIR", &target).current_dir(sources);
    // What cargo told this chore is not meant for the build.
    for name in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_MANIFEST_DIR"] {
        script.env_remove(name);
    }
    process::run(&mut script)?;
    let said = process::capture(Command::new("rustc").arg("-vV"))?;
    let triple = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(Built {
        root: root.to_owned(),
        target,
        triple: triple
            .ok_or("rustc does not say what it runs on")?
            .to_owned(),
        profile,
    })
}

/// Fails with this sentence unless it holds.
fn must(holds: bool, otherwise: impl Into<String>) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(otherwise.into().into())
}
