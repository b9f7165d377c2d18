//! `ponte upgrade-check` and `ponte health`: the real program beside the one that runs, and on journals
//! that other versions have left.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use super::manager::{Holds, Manager};
use super::{alert, connect, read_answer};
use tokio::io::AsyncWriteExt as _;

fn journal(manager: &Manager) -> PathBuf {
    ponte::journal::path_in(&manager.data_dir())
}

/// What the check found, by subject, and its exit status.
fn checked(manager: &Manager) -> (i32, Value) {
    let (status, text) = manager.command(&["upgrade-check", "--json"]);
    let found = serde_json::from_str(&text);
    (status, found.unwrap_or_else(|_| panic!("{text}")))
}

/// Health and text of the one finding about this.
fn finding(found: &Value, subject: &str) -> (String, String) {
    let all = found["findings"].as_array().unwrap();
    let of_it: Vec<_> = all.iter().filter(|it| it["subject"] == subject).collect();
    assert_eq!(of_it.len(), 1, "{subject}: {found:#}");
    let word = |key: &str| of_it[0][key].as_str().unwrap().to_owned();
    (word("health"), word("text"))
}

async fn send(manager: &Manager, count: u32) {
    let mut stream = connect(manager).await;
    for number in 0..count {
        let id = format!("{number}");
        stream.write_all(alert(&id).as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn beside_a_running_ponte_everything_is_looked_at_and_nothing_changed() {
    let mut manager = Manager::install(Holds::Webhook);
    for _ in 0..2 {
        manager.start_ready().await;
        send(&manager, 5).await;
        manager.stop().await;
    }
    manager.start_ready().await;
    let (status, found) = checked(&manager);
    assert_eq!(status, 0, "{found:#}");
    assert_eq!(found["ok"], true);
    assert_eq!(found["running"], env!("CARGO_PKG_VERSION"));
    for subject in [
        "version",
        "configuration",
        "secrets",
        "schema",
        "state",
        "space",
        "restart",
    ] {
        let (health, text) = finding(&found, subject);
        assert_eq!(health, "fine", "{subject}: {text}");
    }
    let (_, text) = finding(&found, "state");
    assert!(text.contains("give the snapshot exactly"), "{text}");
    let (_, text) = finding(&found, "open");
    assert!(text.contains("1 position"), "{text}");
    let (_, text) = finding(&found, "restart");
    assert!(text.contains("held open"), "{text}");
    manager.stop().await;

    let before = fs::read(journal(&manager)).unwrap();
    let (status, found) = checked(&manager);
    assert_eq!(status, 0, "{found:#}");
    assert_eq!(found["running"], Value::Null);
    assert_eq!(fs::read(journal(&manager)).unwrap(), before);
    let (status, text) = manager.command(&["upgrade-check"]);
    assert_eq!(status, 0);
    assert!(text.contains("ready: start it"), "{text}");
}

/// An older schema: that of a Ponte which had made the file and none of the steps to the present one.
#[tokio::test]
async fn an_older_schema_is_migrated_on_a_copy_only() {
    let manager = Manager::install(Holds::Webhook);
    fs::create_dir(manager.data_dir()).unwrap();
    let old = Connection::open(journal(&manager)).unwrap();
    old.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE of_old (x); DROP TABLE of_old;")
        .unwrap();
    drop(old);
    let before = fs::read(journal(&manager)).unwrap();
    let (status, found) = checked(&manager);
    assert_eq!(status, 0, "{found:#}");
    let (health, text) = finding(&found, "schema");
    let known = ponte::journal::schema_version();
    assert_eq!(health, "look");
    assert!(
        text.contains(&format!("from version 0 to {known}")),
        "{text}"
    );
    assert_eq!(fs::read(journal(&manager)).unwrap(), before);
    let mut manager = manager;
    manager.start_ready().await;
    manager.stop().await;
    let (_, found) = checked(&manager);
    assert_eq!(finding(&found, "schema").0, "fine");
}

#[tokio::test]
async fn a_schema_whose_steps_fail_is_found_before_anything_is_stopped() {
    let manager = Manager::install(Holds::Webhook);
    fs::create_dir(manager.data_dir()).unwrap();
    let old = Connection::open(journal(&manager)).unwrap();
    old.execute_batch("CREATE TABLE events (other TEXT)")
        .unwrap();
    drop(old);
    let before = fs::read(journal(&manager)).unwrap();
    let (status, found) = checked(&manager);
    assert_eq!(status, 1, "{found:#}");
    let (health, text) = finding(&found, "schema");
    assert_eq!(health, "wrong");
    assert!(text.contains("table events already exists"), "{text}");
    assert_eq!(fs::read(journal(&manager)).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_a_changed_snapshot_and_a_wrong_configuration_are_wrong() {
    let mut manager = Manager::install(Holds::Webhook);
    for _ in 0..2 {
        manager.start_ready().await;
        send(&manager, 2).await;
        manager.stop().await;
    }
    let path = journal(&manager);
    let change = |sql: &str| {
        let changed = Connection::open(&path).unwrap();
        changed.execute_batch(sql).unwrap();
    };
    change(
        "UPDATE snapshots SET data = json_set(data, '$.last_alert', 99)
         WHERE seq = (SELECT MAX(seq) FROM snapshots)",
    );
    let (status, found) = checked(&manager);
    assert_eq!(status, 1);
    let (health, text) = finding(&found, "state");
    assert_eq!(health, "wrong");
    assert!(text.contains("is not what this version makes"), "{text}");

    change("UPDATE snapshots SET data = '{\"of\":\"another version\"}'");
    let (status, found) = checked(&manager);
    assert_eq!(status, 0, "the events say the same: {found:#}");
    let all = found["findings"].as_array().unwrap();
    let state: Vec<_> = all.iter().filter(|it| it["subject"] == "state").collect();
    assert_eq!(state.len(), 3, "{found:#}");
    // And so it is.
    manager.start_ready().await;
    send(&manager, 1).await;
    manager.stop().await;
    let sent = manager.decided().len();
    assert_eq!(sent, 2, "the third start knew the first two's alerts");

    change("PRAGMA user_version = 999");
    let (status, found) = checked(&manager);
    assert_eq!(status, 1);
    let (health, text) = finding(&found, "schema");
    assert_eq!(health, "wrong");
    assert!(text.contains("has version 999"), "{text}");

    let config = manager.folder().join("ponte.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("allow_from", "allow_of_old")).unwrap();
    let (status, found) = checked(&manager);
    assert_eq!(status, 1);
    let (health, text) = finding(&found, "configuration");
    assert_eq!(health, "wrong");
    assert!(text.contains("allow_of_old"), "{text}");
    fs::remove_file(config).unwrap();
    let (status, text) = manager.command(&["upgrade-check"]);
    assert_eq!(status, 3, "{text}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_wrong() {
    let manager = Manager::install(Holds::Webhook);
    let config = manager.folder().join("ponte.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("env:WEBHOOK_SECRET", "env:OF_OLD")).unwrap();
    let (status, found) = checked(&manager);
    assert_eq!(status, 1, "{found:#}");
    let all = found["findings"].as_array().unwrap();
    let wrong = all.iter().find(|it| it["health"] == "wrong").unwrap();
    assert_eq!(wrong["subject"], "secrets");
    assert!(wrong["text"].as_str().unwrap().contains("OF_OLD"));
}

#[tokio::test]
async fn health_tells_by_its_exit_status() {
    let mut manager = Manager::install(Holds::Webhook);
    let (status, text) = manager.command(&["health"]);
    assert_eq!(status, 3, "{text}");
    manager.start_ready().await;
    assert_eq!(manager.command(&["health"]), (0, "alive\n".to_owned()));
    let (status, text) = manager.command(&["health", "--ready", "--json"]);
    assert_eq!(status, 0);
    let said: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(said["status"], "ready");

    // Stopped as it is, nobody answers.
    manager.signal("STOP");
    let (status, text) = manager.command(&["health", "--timeout", "1"]);
    assert_eq!(status, 3, "{text}");
    manager.signal("CONT");

    // The journal is locked by somebody else, so that nothing can be made durable.
    let lock = Connection::open(journal(&manager)).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut stream = connect(&manager).await;
    stream.write_all(alert("1").as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 503"));
    let (status, text) = manager.command(&["health", "--ready", "--timeout", "10"]);
    assert_eq!(status, 1, "{text}");
    assert!(text.starts_with("not ready: "), "{text}");
    lock.execute_batch("ROLLBACK").unwrap();
    drop(stream);
    manager.stop().await;

    fs::write(manager.folder().join("ponte.toml"), "data_dir = 1").unwrap();
    let (status, text) = manager.command(&["health"]);
    assert_eq!(status, 1, "{text}");
    fs::remove_file(manager.folder().join("ponte.toml")).unwrap();
    let (status, text) = manager.command(&["health"]);
    assert_eq!(status, 3);
    assert!(text.contains("there is no configuration"), "{text}");
}
