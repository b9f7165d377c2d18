//! What root does with `sudo ponte …` beside the service, which is another user: nothing that the service
//! can't use must be left behind.

use super::installed::CONFIG;
use super::place::{Place, ROOT};
use super::{Passed, must};
use crate::Result;

/// A folder that only root may look into.
const PRIVATE: &str = "/srv/private";

/// The journal, the vault and secrets are made by root before the service has ever run.
pub(super) fn before_the_first_start(place: &Place, passed: &mut Passed) -> Result<()> {
    place.run(ROOT, &["ponte", "check"])?;
    for words in [
        &["ponte", "vault", "init"][..],
        &["ponte", "secret", "tripwire", "main"],
        &[
            "ponte",
            "user",
            "add",
            "ana",
            "--role",
            "operate",
            "--generate",
        ],
        &["ponte", "halt", "--reason", "before the first start"],
        &["ponte", "resume"],
    ] {
        place.run(ROOT, words)?;
    }
    let config = place.read(CONFIG)?;
    let vault = "\n[vault]\nkey = \"file:secrets/vault-key\"\n";
    place.rewrite(CONFIG, &(config + vault))?;
    place.run(ROOT, &["install", "-d", "-m", "700", PRIVATE])?;
    place.write(&format!("{PRIVATE}/key"), "a broker's key of 24 letters\n")?;
    place.run(
        ROOT,
        &[
            "sh",
            "-c",
            &format!("ponte vault set broker-key < {PRIVATE}/key"),
        ],
    )?;
    belongs_to_ponte(place)?;
    passed.say("what root makes before the first start belongs to the service's user");
    // The whole configuration anew, with another secret, as for a public address.
    let config = place.read(CONFIG)?;
    let secret = "another-secret-of-the-owner-4242";
    let mut init = vec!["ponte", "init", "--platform", "vps", "--force", "--yes"];
    init.extend(["--secret", secret]);
    place.run(ROOT, &init)?;
    belongs_to_ponte(place)?;
    let kept = place.read("etc/ponte/secrets/main")?;
    must(kept.trim() == secret, "ponte init kept another secret")?;
    place.rewrite(CONFIG, &config)?;
    passed.say("a configuration that root writes anew has a secret that the service can read");
    Ok(())
}

/// The same beside the service.
pub(super) fn while_it_runs(place: &Place, passed: &mut Passed) -> Result<()> {
    for words in [
        &["ponte", "secret", "rotate", "main"][..],
        &["ponte", "token", "add", "grafana", "--role", "view"],
        &["ponte", "vault", "list"],
        &["ponte", "audit", "verify"],
        &["ponte", "backup", "/var/lib/ponte-backups/", "--keep", "2"],
    ] {
        place.run(ROOT, words)?;
    }
    belongs_to_ponte(place)?;
    // The service has taken the new secret over: what is sent with it is taken.
    place.run(ROOT, &["ponte", "send", "--example", "sell"])?;
    passed.say("what root changes beside the service, the service can use");
    let said = place.ask(ROOT, &["ponte", "run"])?;
    must(
        !said.has_succeeded,
        "a second program ran on the same journal",
    )?;
    belongs_to_ponte(place)?;
    let backup = format!("{PRIVATE}/ponte.tar");
    // Of a backup that only root may read, for a folder that is the service's user's.
    place.run(ROOT, &["ponte", "backup", &backup])?;
    place.run(ROOT, &["install", "-d", "-o", "ponte", "/srv/restored"])?;
    place.run(
        ROOT,
        &["ponte", "restore", &backup, "--to", "/srv/restored"],
    )?;
    belong_to_ponte(place, &["/srv/restored"])?;
    passed.say("what root restores, the service can use");
    Ok(())
}

/// All data and all secrets are the service's user's.
fn belongs_to_ponte(place: &Place) -> Result<()> {
    belong_to_ponte(place, &["/var/lib/ponte", "/etc/ponte/secrets"])
}

fn belong_to_ponte(place: &Place, folders: &[&str]) -> Result<()> {
    let find = [&["find"][..], folders, &["!", "-user", "ponte", "-ls"]].concat();
    let others = place.run(ROOT, &find)?;
    must(
        others.is_empty(),
        format!("the service can't use what isn't its own: {others}"),
    )
}
