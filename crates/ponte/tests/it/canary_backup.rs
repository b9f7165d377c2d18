//! What opens the vault and backups, and keys that come by the environment, are in nothing that Ponte writes
//! or prints.

use std::path::Path;

use crate::program::{Ponte, SECRET, client};

const VAULT_PASSPHRASE: &str = "CANARY vault passphrase 0001";
const BACKUP_PASSPHRASE: &str = "CANARY backup passphrase 0002";
const WRONG_PASSPHRASE: &str = "CANARY wrong passphrase 0003";
/// The secret of a source, in the vault.
const KEPT: &str = "CANARY-KEPT-IN-THE-VAULT-000000000000000004";

fn keep(folder: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("secrets").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn assert_silent(what: &str, bytes: &[u8], canaries: &[String]) {
    for canary in canaries {
        assert!(canary.len() >= 16, "{} bytes prove nothing", canary.len());
        let mut parts = bytes.windows(canary.len());
        let found = parts.any(|part| part == canary.as_bytes());
        assert!(!found, "{canary} is in {what}");
    }
}

/// Every file below a folder; how many there are.
fn silent_files(folder: &Path, canaries: &[String]) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += silent_files(&path, canaries);
        } else {
            assert_silent(
                &path.display().to_string(),
                &std::fs::read(&path).unwrap(),
                canaries,
            );
            files += 1;
        }
    }
    files
}

/// What was printed.
#[derive(Default)]
struct Seen(String);

impl Seen {
    fn say(&mut self, ponte: &Ponte, expected: i32, arguments: &[&str]) {
        let (status, said) = ponte.command(arguments);
        assert_eq!(status, expected, "{arguments:?}: {said}");
        self.0 += &said;
    }

    /// Makes a vault that a passphrase opens, with the source's secret in it.
    fn vault(&mut self, ponte: &Ponte) {
        let file = ponte.folder().join("ponte.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace(
            "[webhook]",
            "[vault]\npassphrase = \"file:secrets/vault-passphrase\"\n[webhook]",
        );
        let in_a_file = text.replace("env:WEBHOOK_SECRET", "file:secrets/main");
        std::fs::write(&file, in_a_file).unwrap();
        self.say(ponte, 0, &["vault", "init"]);
        self.say(ponte, 0, &["vault", "import", "--all"]);
        std::fs::write(&file, text.replace("env:WEBHOOK_SECRET", "vault:main")).unwrap();
        std::fs::remove_file(ponte.folder().join("secrets/main")).unwrap();
        self.say(ponte, 0, &["check"]);
        self.say(ponte, 0, &["vault", "list", "--json"]);
    }

    /// Makes backups, sealed and open.
    fn backups(&mut self, ponte: &Ponte) {
        let with = ["--passphrase-from", "secrets/backup-passphrase"];
        self.say(ponte, 0, &["backup", "sealed.age", with[0], with[1]]);
        let verify = ["backup", "--verify", "sealed.age", with[0]];
        self.say(ponte, 0, &[&verify[..], &[with[1]]].concat());
        self.say(
            ponte,
            1,
            &[&verify[..], &["secrets/wrong-passphrase"]].concat(),
        );
        self.say(ponte, 0, &["backup", "--new-key", "secrets/backup-key"]);
        self.say(ponte, 0, &["backup", "open.tar"]);
    }
}

#[tokio::test]
async fn what_opens_the_vault_and_backups_stays_inside() {
    let mut ponte = Ponte::install("prices = [\"alert\"]");
    ponte.set_log_filter("trace");
    for (name, text) in [
        ("vault-passphrase", VAULT_PASSPHRASE),
        ("backup-passphrase", BACKUP_PASSPHRASE),
        ("wrong-passphrase", WRONG_PASSPHRASE),
        ("main", KEPT),
    ] {
        keep(ponte.folder(), name, text);
    }
    let mut seen = Seen::default();
    seen.vault(&ponte);
    ponte.start().await;
    let alert = |secret: &str| {
        format!(
            r#"{{"secret":"{secret}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"price":60000}}"#
        )
    };
    assert_eq!(ponte.send(&alert(KEPT)).await.0, 200);
    assert_eq!(ponte.send(&alert(SECRET)).await.0, 403);
    let url = format!("{}/{KEPT}", ponte.webhook());
    let answer = client().post(&url).body("{").send().await.unwrap();
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("E_"), "{answer}");
    seen.backups(&ponte);
    seen.say(&ponte, 0, &["status", "--json"]);
    seen.say(&ponte, 0, &["secret", "list", "--json"]);
    seen.say(&ponte, 0, &["export"]);
    let pages = ponte.page("metrics").await;
    ponte.stop().await;
    // The vault does not open any more.
    keep(ponte.folder(), "vault-passphrase", WRONG_PASSPHRASE);
    let (status, said) = ponte.command(&["check"]);
    assert_ne!(status, 0, "{said}");
    let (status, shut) = ponte.command(&["run"]);
    assert_ne!(status, 0, "{shut}");

    let key = std::fs::read_to_string(ponte.folder().join("secrets/backup-key")).unwrap();
    let key = key.lines().last().unwrap().to_owned();
    assert!(key.starts_with("AGE-SECRET-KEY-"));
    let mut canaries = [VAULT_PASSPHRASE, BACKUP_PASSPHRASE, WRONG_PASSPHRASE, KEPT]
        .map(str::to_owned)
        .to_vec();
    canaries.push(key);
    let seen = seen.0 + &said + &shut + &pages + &answer;
    assert_silent("what was printed", seen.as_bytes(), &canaries);
    let log = ponte.whole_log();
    assert!(log.contains("alert not understood") && log.contains("alert decided"));
    assert_silent("the log", log.as_bytes(), &canaries);
    assert!(silent_files(&ponte.folder().join("data"), &canaries) >= 2);
    for backup in ["sealed.age", "open.tar"] {
        let bytes = std::fs::read(ponte.folder().join(backup)).unwrap();
        assert_silent(backup, &bytes, &canaries);
    }
}
