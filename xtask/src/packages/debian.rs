//! The Debian package: made by cargo-deb, judged by lintian, and lived through in a small Debian of its own, from
//! its installation to its purge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::Place;
use super::{Built, CARGO_DEB, Passed, QUICK, installed, man, platform};
use crate::{Result, process};

/// Stands before the real systemctl: it writes down what is asked of the system's manager, which isn't
/// running there, and leaves to the real one what needs none, as what is enabled.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >> /var/log/systemctl
for word in "$@"; do
    case "$word" in
        is-active) exit 3 ;;
        start | stop | restart | daemon-reload) exit 0 ;;
    esac
done
exec /usr/bin/systemctl.real --root=/ "$@"
"#;
/// The oldest Debian that the package is for.
const RELEASE: &str = "bookworm";
/// What every server has and the smallest Debian has not.
const INCLUDED: &str = "--include=adduser,systemd";

/// Makes the package, of another revision than the first if one is given.
pub(super) fn build(built: &Built, revision: Option<&str>) -> Result<PathBuf> {
    if !process::succeeds(process::cargo().args(["deb", "--version"])) {
        println!(
            "cargo-deb is missing; installing it takes some minutes: cargo install cargo-deb --locked"
        );
        let install = ["install", "cargo-deb", "--locked", "--version", CARGO_DEB];
        process::run(process::cargo().args(install).arg("--no-default-features"))?;
    }
    write_beside(built)?;
    // Not target/debian, from which cargo-deb takes older packages away.
    let folder = built.target.join("package");
    fs::create_dir_all(&folder)?;
    let mut deb = process::cargo();
    deb.args([
        "deb",
        "--quiet",
        "--locked",
        "--package",
        "ponte",
        "--no-build",
        "--target",
        &built.triple,
    ]);
    deb.args([
        "--profile",
        built.profile,
        "--deb-revision",
        revision.unwrap_or("1"),
    ]);
    if built.profile == QUICK {
        // Nobody downloads it.
        deb.arg("--fast");
    }
    deb.arg("--output").arg(&folder).current_dir(&built.root);
    let said = process::capture(deb.env("CARGO_TARGET_DIR", &built.target))?;
    let path = said
        .lines()
        .last()
        .map(str::trim)
        .filter(|path| path.ends_with(".deb"));
    Ok(PathBuf::from(path.ok_or_else(|| {
        format!("cargo deb names no package: {said}")
    })?))
}

/// What belongs into the package and is made by the program: completions, its page, its changes.
fn write_beside(built: &Built) -> Result<()> {
    let folder = built.folder().join("package");
    fs::create_dir_all(folder.join("completions"))?;
    let program = built.program();
    for (shell, file) in [("bash", "ponte"), ("zsh", "_ponte"), ("fish", "ponte.fish")] {
        let text = process::capture(Command::new(&program).args(["completions", shell]))?;
        fs::write(folder.join("completions").join(file), text)?;
    }
    let version = process::capture(Command::new(&program).arg("--version"))?;
    let version = version.split_whitespace().last().unwrap_or("0");
    let date = process::capture(Command::new("date").args(["-R"]))?;
    let changes = format!(
        "ponte ({version}-1) unstable; urgency=medium\n\n  * See CHANGELOG.md of the sources.\n\n \
         -- The Ponte authors <nobody@ponte.invalid>  {date}"
    );
    for (name, text) in [
        ("ponte.1", man::page(&program)?),
        ("changelog.Debian", changes),
    ] {
        let path = folder.join(name);
        fs::write(&path, text)?;
        process::run(Command::new("gzip").args(["-9nf"]).arg(path))?;
    }
    Ok(())
}

/// From the installation to the purge.
pub(super) fn test(built: &Built, passed: &mut Passed) -> Result<()> {
    let first = build(built, None)?;
    let second = build(built, Some("2"))?;
    let mut lintian = Command::new("lintian");
    lintian
        .args([
            "--fail-on",
            "error,warning",
            "--tag-display-limit",
            "0",
            "--allow-root",
        ])
        .arg(&first);
    process::run(&mut lintian)?;
    passed.say("lintian has neither an error nor a warning");
    let place = Place {
        folder: debian(built)?,
    };
    let manager = place.path("usr/bin/systemctl");
    fs::rename(&manager, place.path("usr/bin/systemctl.real"))?;
    place.write("usr/bin/systemctl", SYSTEMCTL)?;
    process::run(Command::new("chmod").arg("755").arg(manager))?;
    fs::create_dir_all(place.path("run/systemd/system"))?;
    for package in [&first, &second] {
        let name = package.file_name().ok_or("a package without a name")?;
        fs::copy(package, place.path("srv").join(name))?;
    }
    let name =
        |package: &Path| format!("/srv/{}", package.file_name().unwrap_or_default().display());
    let (first, second) = (name(&first), name(&second));
    installed::test(&place, &first, &second, passed)?;
    platform::test(built, &place, passed)
}

/// A small Debian, made once and copied for each run.
fn debian(built: &Built) -> Result<PathBuf> {
    let made = built.target.join("package-test/debian-made");
    if !made.exists() {
        let half = built.scratch("debian-half")?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", INCLUDED, RELEASE]);
        // It names hundreds of packages; what fails goes to its other output.
        process::capture(debootstrap.arg(&half))?;
        fs::rename(&half, &made)?;
    }
    let folder = built.scratch("debian")?;
    fs::remove_dir(&folder)?;
    process::run(Command::new("cp").arg("-a").arg(&made).arg(&folder))?;
    Ok(folder)
}
