//! Rotations and tripwires with the real binary: no alert is lost, nothing is printed twice.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;
use serde_json::Value;

use super::{Home, PATIENCE_STEPS, STEP};

pub(super) fn alert(secret: &str, id: &str) -> String {
    format!(
        r#"{{"secret":"{secret}","action":"buy","symbol":"BTCUSDT","quantity":"0.01","price":65000,"id":"{id}"}}"#
    )
}

fn secret_of(home: &Home, file: &str) -> String {
    let text = home.read(file);
    text.lines().next().unwrap().to_owned()
}

/// What is told of a secret of this role.
fn told(home: &Home, role: &str) -> Value {
    let facts = home.run(&["secret", "list", "--json"]).json();
    let mut facts = facts.as_array().unwrap().iter();
    let fact = facts.find(|fact| fact["role"] == role).cloned();
    fact.unwrap_or(Value::Null)
}

#[track_caller]
pub(super) fn status_of(home: &Home, body: &str) -> u64 {
    let done = home.run(&["send", body, "--json"]);
    let sent: Value = serde_json::from_str(&done.stdout).unwrap();
    sent[0]["http_status"].as_u64().unwrap()
}

#[test]
fn a_rotation_loses_no_alert_and_needs_no_restart() {
    let mut home = Home::installed();
    home.start();
    let old = secret_of(&home, "secrets/main");
    assert_eq!(status_of(&home, &alert(&old, "1")), 200);
    let rotated = home.run(&["secret", "rotate", "main", "--json"]).json();
    let new = secret_of(&home, "secrets/main");
    assert_ne!(old, new);
    assert_eq!(rotated["rotated"], true);
    assert_eq!(rotated["running"], true);
    let message = rotated["messages"][0].as_str().unwrap();
    assert!(message.contains(&new));
    // Both are taken, at once.
    assert_eq!(status_of(&home, &alert(&new, "2")), 200);
    assert_eq!(status_of(&home, &alert(&old, "3")), 200);
    let previous = told(&home, "previous");
    assert_eq!(previous["uses"], 1, "{previous}");
    assert!(previous["until"].is_i64(), "{previous}");
    assert_eq!(told(&home, "current")["uses"], 1);
    let story = home.run(&["why", "A3"]).ok();
    assert!(story.contains("with the previous secret"), "{story}");
    // A second one in the overlap would end the first one's without a word.
    let complaint = home.run(&["secret", "rotate", "main"]).complaint(1);
    assert!(complaint.contains("ponte secret end main"), "{complaint}");
    // It is still known after a restart who was used when.
    home.stop();
    home.start();
    let previous = told(&home, "previous");
    assert_eq!(previous["uses"], 0);
    assert!(previous["last_used"].is_i64(), "{previous}");
    assert_eq!(status_of(&home, &alert(&old, "4")), 200);
    let ended = home.run(&["secret", "end", "main"]).ok();
    assert_eq!(ended, "ended the previous secret of source main\n");
    assert_eq!(status_of(&home, &alert(&old, "5")), 403);
    assert_eq!(status_of(&home, &alert(&new, "6")), 200);
    assert_eq!(told(&home, "previous"), Value::Null);
    home.stop();
    let acted = home.run(&["export", "--kind", "operator_acted"]).ok();
    for word in ["secret_rotated", "previous_secret_ended", "ana (cli)"] {
        assert!(acted.contains(word), "{acted}");
    }
    let seen = acted + &home.read("log");
    assert!(!seen.contains(&old) && !seen.contains(&new));
}

#[test]
fn a_stolen_secret_ends_at_once() {
    let mut home = Home::installed();
    home.start();
    let old = secret_of(&home, "secrets/main");
    let text = home.run(&["secret", "rotate", "main", "--overlap", "0s"]);
    let text = text.ok();
    assert!(text.contains("the secret before it has ended"), "{text}");
    assert_eq!(status_of(&home, &alert(&old, "1")), 403);
    let new = secret_of(&home, "secrets/main");
    assert_eq!(status_of(&home, &alert(&new, "2")), 200);
    assert!(!home.path("secrets/main.previous").exists());
    home.stop();
}

#[test]
fn a_secret_that_is_changed_by_hand_is_taken_over() {
    let mut home = Home::installed();
    home.start();
    let old = secret_of(&home, "secrets/main");
    // What can't be read leaves in force what was there.
    std::fs::write(home.path("secrets/main"), "short\n").unwrap();
    let wait_for = |what: &str| home.wait_for(what);
    wait_for("the current secret of source main stays as it was");
    assert_eq!(status_of(&home, &alert(&old, "1")), 200);
    let new = "written-by-hand-0123456789";
    std::fs::write(home.path("secrets/main"), new).unwrap();
    wait_for("the current secret of source main is another one");
    assert_eq!(status_of(&home, &alert(new, "2")), 200);
    assert_eq!(status_of(&home, &alert(&old, "3")), 403);
    home.stop();
    let acted = home.run(&["export", "--kind", "operator_acted"]).ok();
    assert!(acted.contains("secret_taken_over"), "{acted}");
}

#[test]
fn a_secret_whose_rights_are_mended_is_taken_over() {
    let mut home = Home::installed();
    home.start();
    let open_to = |mode: u32| {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.path("secrets/main"), rights).unwrap();
    };
    let new = "written-by-hand-0123456789";
    open_to(0o644);
    std::fs::write(home.path("secrets/main"), new).unwrap();
    home.wait_for("the current secret of source main stays as it was");
    open_to(0o600);
    home.wait_for("the current secret of source main is another one");
    assert_eq!(status_of(&home, &alert(new, "1")), 200);
    home.stop();
}

#[test]
fn a_new_secret_is_shown_whatever_the_running_ponte_says() {
    let mut home = Home::installed();
    home.run(&["secret", "tripwire", "main"]).ok();
    let text = home.read("ponte.toml").replacen(
        "name = \"main\"",
        "name = \"main\"\ntripwire = \"file:secrets/main-tripwire\"",
        1,
    );
    std::fs::write(home.path("ponte.toml"), text).unwrap();
    home.start();
    std::fs::remove_file(home.path("secrets/main-tripwire")).unwrap();
    let done = home.run(&["secret", "rotate", "main"]);
    assert_eq!(done.status, 1, "{}", done.stderr);
    assert!(done.stderr.contains("tripwire"), "{}", done.stderr);
    let new = secret_of(&home, "secrets/main");
    assert!(done.stdout.contains(&new), "{}", done.stdout);
    home.stop();
}

#[test]
fn a_change_is_on_record_once() {
    let mut home = Home::installed();
    home.start();
    home.run(&["secret", "rotate", "main"]).ok();
    home.run(&["secret", "end", "main"]).ok();
    // A later change by hand has been looked at: what came before it has been, too.
    std::fs::write(home.path("secrets/main"), "written-by-hand-0123456789").unwrap();
    let actions = || -> Vec<String> {
        let acts = home.run(&["audit", "log", "--json"]).json();
        let acts = acts.as_array().unwrap().iter().rev();
        acts.map(|act| act["action"].as_str().unwrap().to_owned())
            .collect()
    };
    for _ in 0..PATIENCE_STEPS {
        if actions().iter().any(|action| action == "secret_taken_over") {
            break;
        }
        std::thread::sleep(STEP);
    }
    let all = [
        "secret_rotated",
        "previous_secret_ended",
        "secret_taken_over",
    ];
    assert_eq!(actions(), all);
    home.stop();
}

#[test]
fn a_rotation_is_seen_by_the_next_start() {
    let mut home = Home::installed();
    home.start();
    home.stop();
    let old = secret_of(&home, "secrets/main");
    let text = home.run(&["secret", "rotate", "main"]).ok();
    assert!(text.contains("the next start takes it"), "{text}");
    let listed = home.run(&["secret", "list"]).ok();
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(!listed.contains(&old), "{listed}");
    home.start();
    let new = secret_of(&home, "secrets/main");
    assert_eq!(status_of(&home, &alert(&new, "1")), 200);
    assert_eq!(status_of(&home, &alert(&old, "2")), 200);
    home.stop();
}

#[test]
fn a_variable_is_rotated_by_its_owner() {
    let home = Home::installed();
    let text = home.read("ponte.toml");
    let text = text.replace("file:secrets/main", "env:WEBHOOK_SECRET");
    std::fs::write(home.path("ponte.toml"), text).unwrap();
    let done = home.run(&["secret", "rotate", "main"]);
    assert_eq!(done.status, 1, "{}", done.stderr);
    for word in [
        "where Ponte can't change it",
        "env:WEBHOOK_SECRET_BEFORE",
        "previous_until",
        "restart",
    ] {
        assert!(done.stdout.contains(word), "{}", done.stdout);
    }
    let complaint = home.run(&["secret", "end", "main"]).complaint(1);
    assert!(complaint.contains("no previous secret"), "{complaint}");
}

#[test]
fn a_tripwire_is_laid_used_and_laid_again() {
    let mut home = Home::installed();
    let laid = home.run(&["secret", "tripwire", "main"]).ok();
    expect![[r#"
        wrote secrets/main-tripwire, readable by its owner only

        In ponte.toml, at the source main, and then restart:
          tripwire = "file:secrets/main-tripwire"

        Copy it to where a thief would look and you never do: an old alert's message, notes, a repository.
        Whoever shows it to the webhook switches the source off; you are told at once.
    "#]]
    .assert_eq(&laid);
    let complaint = home.run(&["secret", "tripwire", "main"]).complaint(1);
    assert!(complaint.contains("--replace"), "{complaint}");
    let text = home.read("ponte.toml").replacen(
        "name = \"main\"",
        "name = \"main\"\ntripwire = \"file:secrets/main-tripwire\"",
        1,
    );
    std::fs::write(home.path("ponte.toml"), text).unwrap();
    home.run(&["check"]).ok();
    home.start();
    let secret = secret_of(&home, "secrets/main");
    let tripwire = secret_of(&home, "secrets/main-tripwire");
    assert_eq!(status_of(&home, &alert(&secret, "1")), 200);
    home.settle();
    assert_eq!(status_of(&home, &alert(&tripwire, "2")), 403);
    for _ in 0..PATIENCE_STEPS {
        let listed = home.run(&["source", "list", "--json"]).json();
        if listed[0]["on"] == false {
            break;
        }
        std::thread::sleep(STEP);
    }
    let listed = home.run(&["source", "list", "--json"]).json();
    assert_eq!(listed[0]["off"]["by"], "tripwire");
    let sent = home.run(&["send", &alert(&secret, "3"), "--json"]).json();
    assert_eq!(sent[0]["answer"]["status"], "refused");
    assert_eq!(told(&home, "tripwire")["uses"], 1);
    let alarm = home.run(&["export", "--kind", "alarm"]).ok();
    for word in [
        "127.0.0.1",
        "ponte flatten --strategy default",
        "--overlap 0s",
    ] {
        assert!(alarm.contains(word), "{alarm}");
    }
    assert!(home.read("log").contains("TRIPWIRE"));
    // What the alarm says to do.
    home.run(&["secret", "rotate", "main", "--overlap", "0s"])
        .ok();
    let laid = home.run(&["secret", "tripwire", "main", "--replace"]).ok();
    assert!(laid.contains("has taken it over"), "{laid}");
    home.run(&["source", "on", "main"]).ok();
    let secret = secret_of(&home, "secrets/main");
    assert_eq!(status_of(&home, &alert(&secret, "4")), 200);
    assert_eq!(status_of(&home, &alert(&tripwire, "5")), 403);
    let listed = home.run(&["source", "list", "--json"]).json();
    assert_eq!(listed[0]["on"], true, "the old one is nobody's any more");
    home.stop();
}
