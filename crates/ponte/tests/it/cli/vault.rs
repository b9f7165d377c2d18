//! `ponte vault`, with the real binary.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::secret::{alert, status_of};
use super::{Done, Home};

const VALUE: &str = "a-secret-that-nobody-may-see-7781";

impl Home {
    /// Runs a command that reads `input`.
    fn feed(&self, arguments: &[&str], input: &str) -> Done {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever refuses before it reads closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Done {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn with_vault() -> Self {
        Self::with_vault_in(|_| ())
    }

    /// One whose data directory was prepared before anything was put there.
    pub(super) fn with_vault_in(prepare: impl FnOnce(&Path)) -> Self {
        let home = Self::installed();
        prepare(&home.path("data"));
        let made = home.run(&["vault", "init", "--json"]).json();
        home.append(made["section"].as_str().unwrap());
        home
    }

    fn append(&self, text: &str) {
        let toml = format!("{}\n{text}\n", self.read("ponte.toml"));
        fs::write(self.path("ponte.toml"), toml).unwrap();
    }

    fn replace(&self, from: &str, to: &str) {
        let before = self.read("ponte.toml");
        assert!(before.contains(from), "{before}");
        fs::write(self.path("ponte.toml"), before.replace(from, to)).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_secret_of_a_file_moves_into_the_vault() {
    let mut home = Home::with_vault();
    assert_eq!(mode(&home.path("secrets/vault-key")), 0o600);
    assert_eq!(mode(&home.path("data/vault.age")), 0o600);
    let secret = home.read("secrets/main");
    let imported = home.run(&["vault", "import", "file:secrets/main", "--json"]);
    let imported = imported.json();
    assert_eq!(imported[0]["name"], "main");
    let line = usize::try_from(imported[0]["lines"][0]["line"].as_u64().unwrap()).unwrap();
    let text = imported[0]["lines"][0]["text"].as_str().unwrap();
    // What it says to change is what has to be changed.
    let toml = home.read("ponte.toml");
    let mut lines: Vec<&str> = toml.lines().collect();
    assert_eq!(lines[line - 1], "secret = \"file:secrets/main\"");
    lines[line - 1] = text;
    fs::write(home.path("ponte.toml"), lines.join("\n")).unwrap();
    fs::remove_file(home.path("secrets/main")).unwrap();
    home.run(&["check"]).ok();
    home.start();
    home.run(&["send", "--example", "buy"]).ok();
    home.stop();
    let listed = home.run(&["vault", "list"]).ok();
    assert!(listed.contains("the secret of source \"main\""), "{listed}");
    assert!(!listed.contains(secret.trim()), "{listed}");
    // Twice is once.
    fs::write(home.path("secrets/main"), &secret).unwrap();
    fs::set_permissions(home.path("secrets/main"), Permissions::from_mode(0o600)).unwrap();
    home.run(&["vault", "import", "file:secrets/main"]).ok();
    let other = home.feed(&["vault", "set", "main"], "another-secret-of-this-name");
    assert!(other.ok().starts_with("replaced main"));
    let refused = home.run(&["vault", "import", "file:secrets/main"]);
    assert!(refused.complaint(1).contains("has another secret main"));
}

#[test]
fn a_running_ponte_takes_over_what_changes_in_the_vault() {
    let mut home = Home::with_vault();
    let old = home.read("secrets/main").trim().to_owned();
    home.run(&["vault", "import", "file:secrets/main"]).ok();
    home.replace("file:secrets/main", "vault:main");
    home.start();
    assert_eq!(status_of(&home, &alert(&old, "1")), 200);
    // As ponte secret rotate says.
    let done = home.run(&["secret", "rotate", "main", "--json"]);
    assert_eq!(done.status, 1);
    let rotated: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let steps = rotated["steps"].as_array().unwrap();
    let place = |what: &str| {
        let mut steps = steps.iter();
        steps.position(|step| step.as_str().unwrap().contains(what))
    };
    let restart = place("restart Ponte");
    assert!(
        restart.is_some() && restart < place("ponte vault set main, with the new"),
        "{steps:?}"
    );
    let copy = steps[0].as_str().unwrap().strip_prefix("ponte ").unwrap();
    let copied = home.run(&copy.split(' ').collect::<Vec<_>>()).ok();
    assert_eq!(copied, "put main_BEFORE  48 bytes from vault:main\n");
    home.run(&["vault", "import", "vault:main"]).complaint(2);
    home.replace(
        "secret = \"vault:main\"",
        "secret = \"vault:main\"\nprevious_secret = \"vault:main_BEFORE\"\n\
         previous_until = \"2099-01-01T00:00:00Z\"",
    );
    home.stop();
    home.start();
    let set = home.feed(&["vault", "set", "main", "--json"], VALUE).json();
    assert_eq!(set["running"], true);
    assert_eq!(status_of(&home, &alert(VALUE, "2")), 200);
    assert_eq!(status_of(&home, &alert(&old, "3")), 200);
    // What is in the vault under that name and is no secret of one line changes nothing.
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAAAAAA\n-----END PRIVATE KEY-----\n";
    let refused = home.feed(&["vault", "set", "main"], pem).complaint(1);
    assert!(refused.contains("stays as it was"), "{refused}");
    assert_eq!(status_of(&home, &alert(VALUE, "4")), 200);
    // Nor does a vault that does not open.
    let sealed = fs::read(home.path("data/vault.age")).unwrap();
    fs::write(home.path("data/vault.age"), &sealed[..100]).unwrap();
    home.wait_for("the secrets in the vault stay as they were");
    assert_eq!(status_of(&home, &alert(VALUE, "5")), 200);
    home.stop();
    let acts = home.run(&["audit", "log"]).ok();
    assert!(acts.contains("vault_secret_set"), "{acts}");
    let seen = acts + &home.read("log");
    assert!(!seen.contains(&old) && !seen.contains(VALUE), "{seen}");
}

#[test]
fn a_secret_is_set_and_never_shown() {
    let home = Home::with_vault();
    let mut seen = home
        .feed(&["vault", "set", "binance-key"], &format!("{VALUE}\n"))
        .ok();
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAAAAAA\n-----END PRIVATE KEY-----\n";
    seen += &home.feed(&["vault", "set", "key.pem", "--json"], pem).ok();
    seen += &home.run(&["vault", "list"]).ok();
    let listed = home.run(&["vault", "list", "--json"]).json();
    assert_eq!(listed["secrets"][0]["name"], "binance-key");
    assert_eq!(listed["secrets"][0]["bytes"], VALUE.len());
    assert_eq!(listed["secrets"][0]["used_for"], serde_json::json!([]));
    assert_eq!(listed["secrets"].as_array().unwrap().len(), 2);
    seen += &listed.to_string();
    for (input, complaint) in [
        ("short\n", "the minimum is 8"),
        ("", "has 0 bytes"),
        ("tab\tinside\n", "control"),
    ] {
        let refused = home.feed(&["vault", "set", "x"], input).complaint(1);
        assert!(refused.contains(complaint), "{refused}");
    }
    let long = "x".repeat(9000);
    let refused = home.feed(&["vault", "set", "x"], &long).complaint(1);
    assert!(refused.contains("more than 8192 bytes"), "{refused}");
    for name in ["", "../main", ".hidden", "a b", &"n".repeat(65)] {
        home.feed(&["vault", "set", name], VALUE).complaint(2);
    }
    home.run(&["vault", "set", "x", VALUE]).complaint(2);
    let sealed = fs::read(home.path("data/vault.age")).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains(VALUE));
    assert!(
        !seen.contains(VALUE) && !seen.contains("AAAAAAAA"),
        "{seen}"
    );
}

#[test]
fn what_is_typed_is_not_echoed() {
    let home = Home::with_vault();
    // A terminal of its own, in which a person answers the question.
    let script = r#"
import os, pty, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "vault", "set", "typed"])
seen = b""
while b"typed: " not in seen:
    seen += os.read(terminal, 1024)
# A person begins to type when the question is there: by then the echo is off.
assert not termios.tcgetattr(terminal)[3] & termios.ECHO
os.write(terminal, b"wrong\x15" + sys.argv[2].encode() + "\u00e7".encode() + b"\x7f\n")
try:
    while True:
        more = os.read(terminal, 1024)
        if not more:
            break
        seen += more
except OSError:
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
"#;
    let output = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_ponte"), VALUE])
        .current_dir(home.folder.path())
        .output()
        .unwrap();
    let seen = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{seen}");
    assert!(seen.contains("the secret for typed:"), "{seen}");
    assert!(!seen.contains(VALUE), "{seen}");
    let listed = home.run(&["vault", "list", "--json"]).json();
    assert_eq!(listed["secrets"][0]["bytes"], VALUE.len());
}

#[test]
fn who_gives_up_at_a_question_has_a_terminal_that_shows_again() {
    let home = Home::with_vault();
    let script = r#"
import os, pty, signal, sys, termios
# The terminal's side of it is ours too, so that it is there when the program is gone.
terminal, own = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    # Who runs tests in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    controlling = os.open(os.ttyname(own), os.O_RDWR)
    for number in range(3):
        os.dup2(controlling, number)
    os.execv(sys.argv[1], [sys.argv[1], "vault", "set", "typed"])
seen = b""
while b"typed: " not in seen:
    seen += os.read(terminal, 1024)
os.write(terminal, b"half\x03")
_, status = os.waitpid(pid, 0)
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, status
assert termios.tcgetattr(own)[3] & termios.ECHO
"#;
    let output = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_ponte")])
        .current_dir(home.folder.path())
        .output()
        .unwrap();
    let seen = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{seen}");
    let listed = home.run(&["vault", "list", "--json"]).json();
    assert_eq!(listed["secrets"], serde_json::json!([]));
}

#[test]
fn the_key_does_not_lie_beside_what_it_opens() {
    let home = Home::installed();
    for path in ["data/vault-key", "data/keys/vault-key", "secrets/../data/k"] {
        let refused = home
            .run(&["vault", "init", "--key-file", path])
            .complaint(1);
        assert!(
            refused.contains("whoever copies the one would have the other"),
            "{refused}"
        );
        assert!(!home.path("data/vault.age").exists());
    }
    home.run(&["vault", "init", "--key-file", "elsewhere/key"])
        .ok();
    let again = home.run(&["vault", "init", "--key-file", "elsewhere/key"]);
    assert!(
        again
            .complaint(1)
            .contains("there is a vault at data/vault.age already")
    );
    // Whoever puts it there by hand is told.
    fs::rename(home.path("elsewhere/key"), home.path("data/key")).unwrap();
    home.append("[vault]\nkey = \"file:data/key\"");
    let checked = home.run(&["check"]).ok();
    assert!(
        checked.contains("is in the data directory, beside the vault"),
        "{checked}"
    );
}

#[test]
fn what_is_wrong_with_the_vault_is_said_with_the_cure() {
    let home = Home::with_vault();
    home.run(&["vault", "import", "--all"]).ok();
    home.replace("file:secrets/main", "vault:mian");
    let said = |expected: &[&str]| {
        let done = home.run(&["check"]);
        assert_eq!(done.status, 1, "{}", done.stdout);
        for expected in expected {
            assert!(done.stdout.contains(expected), "{}", done.stdout);
        }
        assert!(done.stdout.contains("1 error"), "{}", done.stdout);
    };
    said(&["the vault has no secret mian", "did you mean vault:main?"]);
    home.replace("vault:mian", "vault:other");
    said(&["no secret other", "ponte vault set other"]);
    home.replace("vault:other", "vault:main");
    home.run(&["check"]).ok();

    let whole = fs::read(home.path("data/vault.age")).unwrap();
    let key = home.read("secrets/vault-key");
    fs::remove_file(home.path("secrets/vault-key")).unwrap();
    said(&["the key in file:secrets/vault-key", "can't be read"]);
    home.run(&["backup", "--new-key", "secrets/vault-key"]).ok();
    said(&[
        "does not open with file:secrets/vault-key",
        "sealed for another key",
        "take vault and key from one",
    ]);
    fs::write(home.path("secrets/vault-key"), "not a key at all\n").unwrap();
    said(&["holds no key:", "AGE-SECRET-KEY-1"]);
    fs::write(home.path("secrets/vault-key"), &key).unwrap();
    fs::set_permissions(
        home.path("secrets/vault-key"),
        Permissions::from_mode(0o644),
    )
    .unwrap();
    said(&["has mode 644", "chmod 600"]);
    fs::set_permissions(
        home.path("secrets/vault-key"),
        Permissions::from_mode(0o600),
    )
    .unwrap();
    home.run(&["check"]).ok();

    let damaged = |bytes: &[u8]| {
        fs::write(home.path("data/vault.age"), bytes).unwrap();
        said(&["vault data/vault.age does not open", "from a backup"]);
    };
    damaged(&whole[..whole.len() - 1]);
    damaged(&whole[..20]);
    damaged(b"");
    let mut flipped = whole.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    damaged(&flipped);
    fs::remove_file(home.path("data/vault.age")).unwrap();
    said(&["there is no vault at data/vault.age", "ponte vault init"]);
    fs::write(home.path("data/vault.age"), &whole).unwrap();
    home.replace("[vault]\nkey = \"file:secrets/vault-key\"", "");
    said(&["nothing says what opens the vault", "ponte vault init"]);
    let refused = home.run(&["vault", "list"]).complaint(1);
    assert!(refused.contains("has no section [vault]"), "{refused}");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let home = Home::with_vault();
    home.run(&["vault", "import", "--all"]).ok();
    home.replace("file:secrets/main", "vault:main");
    let old = home.read("secrets/vault-key");
    // What an interrupted one left is in nobody's way.
    fs::write(home.path("secrets/vault-key.new"), "half").unwrap();
    home.run(&["vault", "rekey"]).ok();
    let new = home.read("secrets/vault-key");
    assert_ne!(old, new);
    assert!(!home.path("secrets/vault-key.new").exists());
    home.run(&["check"]).ok();
    fs::write(home.path("secrets/vault-key"), &old).unwrap();
    home.run(&["check"]).complaint(1);
    fs::write(home.path("secrets/vault-key"), &new).unwrap();

    // Elsewhere than in a file Ponte can't write, so it says what to do.
    let line = new.lines().last().unwrap().to_owned();
    home.replace("file:secrets/vault-key", "env:VAULT_KEY");
    let with = |arguments: &[&str], key: &str| {
        let mut command = home.command(arguments);
        let output = command.env("VAULT_KEY", key).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    };
    assert_eq!(with(&["check"], &line).0, 0);
    let (status, said) = with(&["vault", "rekey"], &line);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("--key-file"), "{said}");
    let (status, said) = with(&["vault", "rekey", "--key-file", "new-key"], &line);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("before the next start"), "{said}");
    assert_eq!(with(&["check"], &line).0, 1);
    let newer = home.read("new-key").lines().last().unwrap().to_owned();
    assert_eq!(with(&["check"], &newer).0, 0);
}

#[test]
fn a_passphrase_locks_it_as_well() {
    let home = Home::installed();
    home.append("[vault]\npassphrase = \"env:VAULT_PASSPHRASE\"");
    let with = |arguments: &[&str], passphrase: &str| {
        let mut command = home.command(arguments);
        let output = command
            .env("VAULT_PASSPHRASE", passphrase)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    };
    let (status, said) = with(&["vault", "init"], "too short");
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("the minimum is 12"), "{said}");
    let passphrase = "five words are good enough";
    assert_eq!(with(&["vault", "init"], passphrase).0, 0);
    let (status, said) = with(&["vault", "import", "--all"], passphrase);
    assert_eq!(status, 0, "{said}");
    home.replace("file:secrets/main", "vault:main");
    assert_eq!(with(&["check"], passphrase).0, 0);
    let (status, said) = with(&["check"], "five words are not these");
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("does not open with env:VAULT_PASSPHRASE"),
        "{said}"
    );
    assert!(!said.contains("words"), "{said}");
}

#[test]
fn a_secret_in_use_is_not_taken_out_by_mistake() {
    let home = Home::with_vault();
    home.run(&["vault", "import", "--all"]).ok();
    home.replace("file:secrets/main", "vault:main");
    let refused = home.run(&["vault", "remove", "main"]).complaint(1);
    assert!(
        refused.contains("main is the secret of source \"main\""),
        "{refused}"
    );
    let missing = home.run(&["vault", "remove", "mein"]).complaint(1);
    assert!(missing.contains("did you mean vault:main?"), "{missing}");
    home.run(&["vault", "remove", "main", "--force"]).ok();
    home.run(&["check"]).complaint(1);
}

#[test]
fn one_at_a_time_changes_the_vault() {
    let home = Home::with_vault();
    let lock = fs::File::create(home.path("data/vault.lock")).unwrap();
    lock.lock().unwrap();
    let busy = home.feed(&["vault", "set", "main"], VALUE).complaint(3);
    assert!(
        busy.contains("is being changed by another ponte vault"),
        "{busy}"
    );
    // Whoever only reads does not wait.
    home.run(&["vault", "list"]).ok();
    drop(lock);
    home.feed(&["vault", "set", "main"], VALUE).ok();
}

#[test]
fn credentials_are_read_as_systemd_writes_them() {
    let home = Home::installed();
    let secret = home.read("secrets/main");
    home.replace("file:secrets/main", "credential:main");
    let folder = home.path("credentials");
    let check = |folder: Option<&Path>| {
        let mut command = home.command(&["check"]);
        if let Some(folder) = folder {
            command.env("CREDENTIALS_DIRECTORY", folder);
        }
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    };
    let (status, said) = check(None);
    assert_eq!(status, 1);
    assert!(said.contains("CREDENTIALS_DIRECTORY is not set"), "{said}");
    assert!(said.contains("LoadCredential="), "{said}");
    fs::create_dir(&folder).unwrap();
    let (status, said) = check(Some(&folder));
    assert_eq!(status, 1);
    assert!(said.contains("there is no credential main"), "{said}");
    let file = folder.join("main");
    fs::write(&file, &secret).unwrap();
    for (mode, expected) in [
        (0o400, 0),
        (0o440, 0),
        (0o600, 1),
        (0o644, 1),
        (0o444, 1),
        (0o640, 1),
    ] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let (status, said) = check(Some(&folder));
        assert_eq!(status, expected, "{mode:o} {said}");
        assert_eq!(
            said.contains("systemd has not written it"),
            expected == 1,
            "{said}"
        );
    }
    // A link leads out of the folder that systemd guards.
    fs::rename(&file, home.path("away")).unwrap();
    fs::set_permissions(home.path("away"), Permissions::from_mode(0o400)).unwrap();
    std::os::unix::fs::symlink(home.path("away"), &file).unwrap();
    assert_eq!(check(Some(&folder)).0, 1);
}
