//! The real binary: it trades, is backed up under load, dies, and lives again elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::program::{Ponte, SECRET, client};

/// Senders at the same time.
const SENDERS: u64 = 4;
/// Backups while they send.
const BACKUPS: usize = 6;

fn alert(action: &str, quantity: &str, id: &str) -> String {
    format!(
        r#"{{"secret":"{SECRET}","action":"{action}","symbol":"BTCUSDT","quantity":"{quantity}","price":"60000","strategy":"s","id":"{id}"}}"#
    )
}

/// Sends alerts until told to stop; says how many were answered, and panics at any that was not.
async fn send(webhook: String, sender: u64, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    let client = client();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let body = alert("buy", "0.001", &format!("load-{sender}-{number}"));
        let answer = client.post(&webhook).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "alert {number} of sender {sender}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs a command of the binary beside everything else.
async fn command(ponte: &Arc<Ponte>, arguments: Vec<String>) -> Value {
    let ponte = ponte.clone();
    let done = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ponte.command(&arguments)
    });
    let (status, text) = done.await.unwrap();
    assert_eq!(status, 0, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn positions(asked: &Value) -> Vec<(String, String)> {
    let rows = asked.as_array().unwrap().iter();
    rows.map(|row| {
        (
            row["symbol"].as_str().unwrap().to_owned(),
            row["quantity"].to_string(),
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_backed_up_under_load_lives_again_elsewhere() {
    let mut ponte = Ponte::install("balance = \"1000000\"\n");
    ponte.start().await;
    let ponte = Arc::new(ponte);
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            tokio::spawn(send(
                ponte.webhook(),
                sender,
                stop.clone(),
                answered.clone(),
            ))
        })
        .collect();
    let mut during = 0;
    let mut tips = Vec::new();
    for number in 0..BACKUPS {
        let before = answered.load(Ordering::Relaxed);
        let report = command(&ponte, words(&format!("backup load-{number}.tar --json"))).await;
        during += answered.load(Ordering::Relaxed) - before;
        tips.push(report["manifest"]["journal"]["last"].as_i64().unwrap());
    }
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    assert!(
        during > 0,
        "no alert was answered while {BACKUPS} backups were made"
    );
    assert!(tips.is_sorted() && tips[0] < tips[BACKUPS - 1], "{tips:?}");
    // Each is whole, and is the beginning of the journal as it is now.
    for (number, tip) in tips.iter().enumerate() {
        let file = format!("load-{number}.tar");
        let verified = command(&ponte, words(&format!("backup --verify {file} --json"))).await;
        assert_eq!(verified["manifest"]["journal"]["last"], *tip);
        let hash = verified["manifest"]["journal"]["hash"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(hash, hash_of(&ponte, *tip), "{file}");
    }

    ponte.wait_until_settled().await;
    let then = positions(&ponte.ask("positions").await);
    assert_eq!(then.len(), 1, "{then:?}");
    command(&ponte, words("backup last.tar --json")).await;
    // What happens now the backup does not know.
    let (status, answer) = ponte.send(&alert("buy", "5", "after")).await;
    assert_eq!(status, 200, "{answer}");
    ponte.wait_until_settled().await;
    assert_ne!(positions(&ponte.ask("positions").await), then);
    let mut ponte = Arc::into_inner(ponte).unwrap();
    ponte.kill();
    live_again(ponte, then).await;
}

async fn live_again(mut ponte: Ponte, then: Vec<(String, String)>) {
    let (status, text) = ponte.command(&["restore", "last.tar", "--to", "elsewhere", "--json"]);
    assert_eq!(status, 0, "{text}");
    let restored: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(restored["halt"], "block_entries");
    let toml = ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("\"data\"", "\"elsewhere\"")).unwrap();
    let (status, text) = ponte.command(&["audit", "verify"]);
    assert_eq!(status, 0, "{text}");

    ponte.start().await;
    assert_eq!(positions(&ponte.ask("positions").await), then);
    let status = ponte.ask("status").await;
    assert!(
        status["halts"]
            .to_string()
            .contains("restored from a backup"),
        "{status}"
    );
    // Entries are blocked, exits pass.
    let (_, blocked) = ponte.send(&alert("buy", "1", "blocked")).await;
    assert_eq!(blocked["status"], "halted", "{blocked}");
    assert_eq!(positions(&ponte.ask("positions").await), then);
    let (code, text) = ponte.command(&["resume"]);
    assert_eq!(code, 1, "{text}");
    std::fs::remove_file(ponte.folder().join("elsewhere/HALT")).unwrap();
    let (code, text) = ponte.command(&["resume"]);
    assert_eq!(code, 0, "{text}");
    // The alert that the backup does not know: its number was given before, its orders' ids are new.
    let (_, taken) = ponte.send(&alert("buy", "1", "resumed")).await;
    assert_eq!(taken["status"], "accepted", "{taken}");
    ponte.wait_until_settled().await;
    assert_ne!(positions(&ponte.ask("positions").await), then);
    let (_, known) = ponte.send(&alert("buy", "0.001", "load-0-0")).await;
    assert_eq!(known["status"], "duplicate", "{known}");
    ponte.stop().await;
    let (status, text) = ponte.command(&["audit", "verify"]);
    assert_eq!(status, 0, "{text}");
}

fn hash_of(ponte: &Ponte, seq: i64) -> String {
    let journal = rusqlite::Connection::open(ponte.journal()).unwrap();
    let sql = "SELECT lower(hex(hash)) FROM events WHERE seq = ?1";
    journal.query_row(sql, [seq], |row| row.get(0)).unwrap()
}

/// A backup that can't be made does not disturb the one that trades.
#[tokio::test]
async fn a_ponte_that_runs_is_not_restored_over() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let (status, text) = ponte.command(&["backup", "b.tar"]);
    assert_eq!(status, 0, "{text}");
    let (status, text) = ponte.command(&["restore", "b.tar", "--to", "data"]);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("a Ponte runs on data"), "{text}");
    let (status, answer) = ponte.send(&alert("buy", "1", "a")).await;
    assert_eq!((status, &answer["status"]), (200, &json!("accepted")));
    ponte.stop().await;
}
