//! The Debian package: made by cargo-deb, judged by lintian, and lived through in a small Debian of its own, from
//! its installation to its purge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::{Place, free_port, read, stop};
use super::{Built, CARGO_DEB, Passed, man, must};
use crate::{Result, process};

const CONFIG: &str = "/etc/ponte/ponte.toml";
const SECRET: &str = "/etc/ponte/secrets/main";
const ROOT: &str = "root:root";
/// What is found in the package's place of the system's manager, which isn't running there.
const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> /var/log/systemctl\n";
/// The oldest Debian that the package is for.
const RELEASE: &str = "bookworm";

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
         -- The Ponte authors <ponte@example.org>  {date}"
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
    place.write("usr/bin/systemctl", SYSTEMCTL)?;
    process::run(
        Command::new("chmod")
            .arg("755")
            .arg(place.path("usr/bin/systemctl")),
    )?;
    fs::create_dir_all(place.path("run/systemd/system"))?;
    for package in [&first, &second] {
        let name = package.file_name().ok_or("a package without a name")?;
        fs::copy(package, place.path("srv").join(name))?;
    }
    let name =
        |package: &Path| format!("/srv/{}", package.file_name().unwrap_or_default().display());
    let (first, second) = (name(&first), name(&second));
    install(&place, &first, passed)?;
    let mut alive = Alive::start(&place, passed)?;
    alive.upgrade(&second, passed)?;
    stop(alive.running)?;
    remove_and_purge(&place, &second, passed)?;
    on_a_platform(built, &place, passed)
}

/// A small Debian, made once and copied for each run.
fn debian(built: &Built) -> Result<PathBuf> {
    let made = built.target.join("package-test/debian-made");
    if !made.exists() {
        let half = built.scratch("debian-half")?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", RELEASE]).arg(&half);
        process::run(&mut debootstrap)?;
        fs::rename(&half, &made)?;
    }
    let folder = built.scratch("debian")?;
    fs::remove_dir(&folder)?;
    process::run(Command::new("cp").arg("-a").arg(&made).arg(&folder))?;
    Ok(folder)
}

fn install(place: &Place, package: &str, passed: &mut Passed) -> Result<()> {
    place.run(ROOT, &["dpkg", "--install", package])?;
    passed.say("the package installs without a question");
    let rights = place.run(
        ROOT,
        &[
            "stat",
            "-c",
            "%U:%G %a %n",
            "/etc/ponte",
            CONFIG,
            SECRET,
            "/var/lib/ponte",
        ],
    )?;
    let wanted = format!(
        "root:ponte 750 /etc/ponte\nroot:ponte 640 {CONFIG}\nponte:ponte 600 {SECRET}\nponte:ponte 700 /var/lib/ponte\n"
    );
    must(
        rights == wanted,
        format!("rights are not as they should be: {rights}"),
    )?;
    let config = place.read(CONFIG)?;
    must(
        !config.contains(place.read(SECRET)?.trim()),
        "the secret is in the configuration",
    )?;
    passed.say("its configuration, secret and folder belong to whom they should");
    let asked = place.read("var/log/systemctl")?;
    must(
        asked.contains("start ponte"),
        format!("the service is not started: {asked}"),
    )?;
    must(
        place
            .path("etc/systemd/system/multi-user.target.wants/ponte.service")
            .is_symlink(),
        "the service is not enabled",
    )?;
    must(
        place
            .path("etc/systemd/system/sockets.target.wants/ponte.socket")
            .is_symlink(),
        "the socket is not enabled",
    )?;
    passed.say("socket and service are enabled and started");
    for file in [
        "usr/share/man/man1/ponte.1.gz",
        "usr/share/bash-completion/completions/ponte",
    ] {
        // Debian's smallest images leave documents out.
        let is_there = place.path(file).exists() || file.contains("/man/");
        must(is_there, format!("{file} is not there"))?;
    }
    Ok(())
}

/// The installed instance, as its unit starts it.
struct Alive<'p> {
    place: &'p Place,
    running: process::Running,
}

impl<'p> Alive<'p> {
    fn start(place: &'p Place, passed: &mut Passed) -> Result<Self> {
        // As an owner changes it: an upgrade must keep it.
        for port in ["127.0.0.1:8080", "127.0.0.1:8081"] {
            place.edit(CONFIG, port, &format!("127.0.0.1:{}", free_port()?))?;
        }
        let unit = place.read("usr/lib/systemd/system/ponte.service")?;
        let start = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let words: Vec<&str> = start
            .ok_or("the unit starts nothing")?
            .split_whitespace()
            .collect();
        must(
            unit.contains("\nUser=ponte\n"),
            "the unit's user is another",
        )?;
        let mut running = place.start(&mut place.command("ponte:ponte", &words))?;
        place.wait(&mut running, ROOT, &["ponte", "status"])?;
        passed.say("what the unit starts runs as the user ponte");
        let sent = place.run(ROOT, &["ponte", "send", "--example", "buy"])?;
        must(
            sent.contains("200"),
            format!("the alert was not taken: {sent}"),
        )?;
        passed.say("it takes an alert and trades on paper");
        Ok(Alive { place, running })
    }

    fn upgrade(&mut self, package: &str, passed: &mut Passed) -> Result<()> {
        let place = self.place;
        let before = (place.read(CONFIG)?, place.read(SECRET)?);
        place.write("var/log/systemctl", "")?;
        place.run(ROOT, &["dpkg", "--install", package])?;
        self.running.must_run()?;
        must(
            before == (place.read(CONFIG)?, place.read(SECRET)?),
            "the upgrade changed the configuration",
        )?;
        let alerts = place.run(ROOT, &["ponte", "alerts", "--json"])?;
        must(
            alerts.matches("\"received_at\"").count() == 1,
            format!("the alert is gone: {alerts}"),
        )?;
        let asked = place.read("var/log/systemctl")?;
        must(
            asked.contains("restart ponte.service"),
            format!("nothing was restarted: {asked}"),
        )?;
        must(
            !asked.contains("stop ponte"),
            format!("it was stopped before the upgrade: {asked}"),
        )?;
        passed.say("an upgrade keeps configuration and journal, and restarts at its end");
        if !place
            .ask(ROOT, &["ponte", "upgrade-check", "--help"])?
            .has_succeeded
        {
            return Ok(());
        }
        place.write("var/log/systemctl", "")?;
        place.edit(CONFIG, "data_dir = ", "data_dirr = ")?;
        let said = place.ask(ROOT, &["dpkg", "--install", package])?;
        must(
            !said.has_succeeded,
            "an upgrade that can't start its program succeeds",
        )?;
        must(
            said.text.contains("dpkg --configure ponte"),
            format!("no cure is told: {}", said.text),
        )?;
        let asked = place.read("var/log/systemctl")?;
        must(
            !asked.contains("restart"),
            "a running program was given up for one that can't start",
        )?;
        self.running.must_run()?;
        place.edit(CONFIG, "data_dirr = ", "data_dir = ")?;
        place.run(ROOT, &["dpkg", "--configure", "ponte"])?;
        passed.say("an upgrade that can't take over leaves the old program running, and says why");
        Ok(())
    }
}

fn remove_and_purge(place: &Place, package: &str, passed: &mut Passed) -> Result<()> {
    let (config, secret) = (place.read(CONFIG)?, place.read(SECRET)?);
    place.write("var/log/systemctl", "")?;
    place.run(ROOT, &["dpkg", "--remove", "ponte"])?;
    must(
        !place.path("usr/bin/ponte").exists(),
        "the program is still there",
    )?;
    must(
        place.read(CONFIG)? == config,
        "a removal takes the configuration",
    )?;
    let asked = place.read("var/log/systemctl")?;
    must(
        asked.contains("stop ponte.service"),
        format!("it was not stopped: {asked}"),
    )?;
    passed.say("a removal stops it and keeps configuration and journal");
    fs::remove_file(place.path(CONFIG))?;
    place.run(ROOT, &["dpkg", "--install", package])?;
    must(
        place.read(SECRET)? == secret,
        "the alerts in use lost their secret",
    )?;
    passed.say("installed again, the alerts in use keep their secret");
    place.write("etc/ponte/secrets/binance-api-key", "a key of its owner\n")?;
    let said = place.ask(ROOT, &["dpkg", "--purge", "ponte"])?;
    must(
        said.has_succeeded,
        format!("the purge failed: {}", said.text),
    )?;
    must(
        !place.path(CONFIG).exists() && !place.path(SECRET).exists(),
        "the purge left what the package made",
    )?;
    must(
        place.path("etc/ponte/secrets/binance-api-key").exists(),
        "the purge took a key of the owner",
    )?;
    let journal = place.path("var/lib/ponte");
    must(
        fs::read_dir(journal)?.next().is_some(),
        "the purge took the journal",
    )?;
    for said_of in ["/var/lib/ponte", "/etc/ponte"] {
        must(
            said.text.contains(said_of),
            format!("it does not say what it kept: {}", said.text),
        )?;
    }
    passed.say("a purge takes what the package made, keeps the journal, and says so");
    Ok(())
}

/// Whether a process has another user than the image's, or could become one.
fn runs_as_ponte_for_good(process: u32) -> Result<()> {
    let status = read(Path::new(&format!("/proc/{process}/status")))?;
    let line = |name: &str| {
        let mut lines = status.lines();
        lines
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
    };
    let users = line("Uid:");
    let is_ponte = users.split_whitespace().skip(1).all(|id| id == "65532");
    must(is_ponte, format!("it runs as another user: {users}"))?;
    let is_bound = line("NoNewPrivs:").ends_with('1');
    must(is_bound, "it may become root again")
}

/// What the image for Fly.io, Render and Railway starts, on a volume that is root's.
fn on_a_platform(built: &Built, place: &Place, passed: &mut Passed) -> Result<()> {
    let context = built.target.join("package-test/context");
    for (file, to) in [
        (built.program(), "ponte"),
        (context.join("deploy/docker/start.sh"), "start-ponte"),
    ] {
        let to = place.path("usr/local/bin").join(to);
        fs::copy(file, &to)?;
        process::run(Command::new("chmod").arg("755").arg(to))?;
    }
    // As the image makes it, without the package's user.
    place.run(ROOT, &["userdel", "ponte"])?;
    place.run(ROOT, &["groupadd", "--system", "--gid", "65532", "ponte"])?;
    place.run(
        ROOT,
        &[
            "useradd",
            "--system",
            "--uid",
            "65532",
            "--gid",
            "ponte",
            "--no-create-home",
            "ponte",
        ],
    )?;
    fs::create_dir_all(place.path("data/lost+found"))?;
    let (port, admin) = (free_port()?, format!("127.0.0.1:{}", free_port()?));
    let with = |words: &[&str]| {
        let mut command = place.command(ROOT, words);
        command
            .env("PORT", port.to_string())
            .env("PONTE_CONFIG", "/data/ponte.toml");
        command.env("PONTE_SECRET", "a-secret-for-the-tests-only-4242");
        command
    };
    process::run(&mut with(&[
        "ponte",
        "init",
        "--platform",
        "railway",
        "--admin-listen",
        &admin,
    ]))?;
    let mut running = place.start(&mut with(&["start-ponte", "railway"]))?;
    let variables = format!("PORT={port}");
    let at = [
        "env",
        &variables,
        "PONTE_CONFIG=/data/ponte.toml",
        "PONTE_SECRET=a-secret-for-the-tests-only-4242",
        "ponte",
    ];
    let words = |more: &[&'static str]| [&at[..], more].concat();
    place.wait(&mut running, ROOT, &words(&["status"]))?;
    runs_as_ponte_for_good(running.id())?;
    passed.say("the platforms' image starts as root and goes on as ponte for good");
    place.run(ROOT, &words(&["send", "--example", "buy"]))?;
    let owner = place.run(ROOT, &["stat", "-c", "%U", "/data", "/data/ponte.toml"])?;
    must(
        owner == "ponte\nponte\n",
        format!("the volume is {owner}'s"),
    )?;
    passed.say("the volume is ponte's, and an alert is taken");
    stop(running)
}
