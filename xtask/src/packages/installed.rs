//! The installed package: installed, started as its unit starts it, upgraded, removed and purged.

use std::fs;

use super::place::{Place, ROOT, free_port, stop};
use super::{Passed, must, root};
use crate::{Result, process};

pub(super) const CONFIG: &str = "/etc/ponte/ponte.toml";
const SECRET: &str = "/etc/ponte/secrets/main";
/// What the system's manager was asked.
const ASKED: &str = "var/log/systemctl";
const UNIT: &str = "usr/lib/systemd/system/ponte.service";
/// As a person asks apt, without a terminal and without what is merely recommended.
const APT: [&str; 6] = [
    "apt-get",
    "install",
    "-y",
    "--no-install-recommends",
    "-o",
    "Dpkg::Use-Pty=0",
];

/// From the installation of the first package over the upgrade to the second to the purge.
pub(super) fn test(place: &Place, first: &str, second: &str, passed: &mut Passed) -> Result<()> {
    install(place, first, passed)?;
    configure(place)?;
    root::before_the_first_start(place, passed)?;
    let mut alive = Alive::start(place, passed)?;
    root::while_it_runs(place, passed)?;
    alive.upgrade(second, passed)?;
    alive.refused_upgrade(second, passed)?;
    stop(alive.running)?;
    remove_and_purge(place, second, passed)
}

fn install(place: &Place, package: &str, passed: &mut Passed) -> Result<()> {
    place.run(ROOT, &[&APT[..], &[package]].concat())?;
    passed.say("the package installs without a question");
    let folders = ["/etc/ponte", CONFIG, SECRET, "/var/lib/ponte"];
    let rights = [&["stat", "-c", "%U:%G %a %n"][..], &folders].concat();
    let rights = place.run(ROOT, &rights)?;
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
    let asked = place.read(ASKED)?;
    must(
        asked.contains(" start ponte.socket ponte.service"),
        format!("socket and service are not started: {asked}"),
    )?;
    for (unit, wanted) in [
        ("ponte.socket", "enabled"),
        ("ponte.service", "enabled"),
        ("ponte-backup.timer", "disabled"),
    ] {
        // It says so by its status, too.
        let said = place.ask(ROOT, &["systemctl", "is-enabled", unit])?.text;
        must(said.trim() == wanted, format!("{unit} is {said}"))?;
    }
    passed.say("socket and service are enabled and started; backups are the owner's to switch on");
    place.run(
        ROOT,
        &[
            "systemd-analyze",
            "verify",
            "--man=no",
            "ponte.socket",
            "ponte.service",
            "ponte-backup.timer",
        ],
    )?;
    passed.say("this Debian's systemd knows every setting of the units");
    for file in [
        "usr/share/man/man1/ponte.1.gz",
        "usr/share/bash-completion/completions/ponte",
        "usr/share/ponte/systemd/ponte.socket.d/public.conf",
    ] {
        must(place.path(file).exists(), format!("{file} is not there"))?;
    }
    Ok(())
}

/// Other ports, as an owner changes them: an upgrade must keep that.
fn configure(place: &Place) -> Result<()> {
    for address in ["127.0.0.1:8080", "127.0.0.1:8081"] {
        place.edit(CONFIG, address, &format!("127.0.0.1:{}", free_port()?))?;
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
        let unit = place.read(UNIT)?;
        let start = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let words = start.ok_or("the unit starts nothing")?.split_whitespace();
        must(
            unit.contains("\nUser=ponte\n") && unit.contains("\nNoNewPrivileges=yes\n"),
            "the unit's user is another",
        )?;
        // What of the unit holds without a service manager.
        let mut command = vec!["setpriv", "--reuid=ponte", "--regid=ponte", "--init-groups"];
        command.extend([
            "--inh-caps=-all",
            "--bounding-set=-all",
            "--no-new-privs",
            "--",
        ]);
        command.extend([
            "sh",
            "-c",
            r#"umask 077; cd /var/lib/ponte; exec "$@""#,
            "unit",
        ]);
        command.extend(words);
        let mut command = place.command(ROOT, &command);
        let home = [
            ("HOME", "/var/lib/ponte"),
            ("USER", "ponte"),
            ("LOGNAME", "ponte"),
        ];
        let mut running = place.start(command.envs(home))?;
        place.wait(&mut running, ROOT, &["ponte", "status"])?;
        passed.say("what the unit starts runs as the user ponte, without any right of root");
        place.run(ROOT, &["ponte", "send", "--example", "buy"])?;
        let positions = place.run(ROOT, &["ponte", "positions", "--json"])?;
        must(
            positions.contains("BTCUSDT"),
            format!("the alert traded nothing: {positions}"),
        )?;
        passed.say("it takes an alert and trades on paper");
        let said = place.ask(ROOT, &["ponte", "doctor", "--json"])?;
        for group in ["machine", "secrets", "senders", "journal"] {
            must(
                said.text.contains(&format!("\"group\": \"{group}\"")),
                format!("the doctor does not speak of {group}: {}", said.text),
            )?;
        }
        must(
            said.text
                .contains("only root may change /etc/ponte/ponte.toml"),
            format!(
                "the doctor did not ask as the service's user: {}",
                said.text
            ),
        )?;
        must(
            !said.text.contains("\"wrong\""),
            format!(
                "the doctor finds a fault in a new installation: {}",
                said.text
            ),
        )?;
        passed.say("the doctor finds nothing wrong in a new installation");
        Ok(Alive { place, running })
    }

    fn upgrade(&mut self, package: &str, passed: &mut Passed) -> Result<()> {
        let place = self.place;
        let before = (place.read(CONFIG)?, place.read(SECRET)?);
        let alerts_before = place.run(ROOT, &["ponte", "alerts", "--json"])?;
        place.write(ASKED, "")?;
        place.run(ROOT, &[&APT[..], &[package]].concat())?;
        self.running.must_run()?;
        must(
            before == (place.read(CONFIG)?, place.read(SECRET)?),
            "the upgrade changed the configuration",
        )?;
        let alerts = place.run(ROOT, &["ponte", "alerts", "--json"])?;
        must(
            alerts == alerts_before && alerts.contains("\"received_at\""),
            format!("the alert is gone: {alerts}"),
        )?;
        let asked = place.read(ASKED)?;
        must(
            asked.contains(" restart ponte.service"),
            format!("nothing was restarted: {asked}"),
        )?;
        must(
            !asked.contains("stop ponte") && !asked.contains("restart ponte.socket"),
            format!("connections can't wait during the upgrade: {asked}"),
        )?;
        passed.say("an upgrade keeps configuration, secret and journal, and restarts at its end");
        Ok(())
    }

    /// An upgrade whose program can't take over.
    fn refused_upgrade(&mut self, package: &str, passed: &mut Passed) -> Result<()> {
        let place = self.place;
        place.write(ASKED, "")?;
        place.edit(CONFIG, "data_dir = ", "data_dirr = ")?;
        let again = [&APT[..], &["--reinstall", package]].concat();
        let said = place.ask(ROOT, &again)?;
        must(
            !said.has_succeeded,
            "an upgrade that can't start its program succeeds",
        )?;
        must(
            said.text.contains("dpkg --configure ponte"),
            format!("no cure is told: {}", said.text),
        )?;
        let asked = place.read(ASKED)?;
        must(
            !asked.contains("restart"),
            "a running program was given up for one that can't start",
        )?;
        self.running.must_run()?;
        place.edit(CONFIG, "data_dirr = ", "data_dir = ")?;
        place.run(ROOT, &["dpkg", "--configure", "ponte"])?;
        let asked = place.read(ASKED)?;
        must(
            asked.contains(" restart ponte.service"),
            "the cure restarts nothing",
        )?;
        passed.say("an upgrade that can't take over leaves the old program running, and says why");
        Ok(())
    }
}

fn remove_and_purge(place: &Place, package: &str, passed: &mut Passed) -> Result<()> {
    let (config, secret) = (place.read(CONFIG)?, place.read(SECRET)?);
    place.write(ASKED, "")?;
    place.run(ROOT, &["apt-get", "remove", "-y", "ponte"])?;
    must(
        !place.path("usr/bin/ponte").exists(),
        "the program is still there",
    )?;
    must(
        place.read(CONFIG)? == config,
        "a removal takes the configuration",
    )?;
    let asked = place.read(ASKED)?;
    must(
        asked.contains("stop ponte.service"),
        format!("it was not stopped: {asked}"),
    )?;
    passed.say("a removal stops it and keeps configuration and journal");
    fs::remove_file(place.path(CONFIG))?;
    place.run(ROOT, &[&APT[..], &[package]].concat())?;
    must(
        place.read(SECRET)? == secret,
        "the alerts in use lost their secret",
    )?;
    passed.say("installed again, the alerts in use keep their secret");
    place.write("etc/ponte/secrets/binance-api-key", "a key of its owner\n")?;
    let said = place.ask(ROOT, &["apt-get", "purge", "-y", "ponte"])?;
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
