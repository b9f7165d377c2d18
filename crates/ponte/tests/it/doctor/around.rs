//! The machine, the secrets, the senders and the journal.

use std::os::unix::fs::PermissionsExt as _;

use super::ask;
use crate::program::{Ponte, SECRET, client};

fn set_mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_too_wide_are_found() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "machine",
        "data_dir",
        "fine",
        "is its owner's alone (mode 700)",
    );
    report.says("machine", "disk", "fine", "a write is on disk after");
    assert_eq!(report.status, 0, "{:#?}", report.parts);
    set_mode(&ponte.folder().join("data"), 0o755);
    let report = ask(&ponte, &[]).await;
    report.says(
        "machine",
        "data_dir",
        "look",
        "mode 755: others on this machine may look into it",
    );
    set_mode(&ponte.folder().join("data"), 0o777);
    set_mode(&ponte.folder().join("ponte.toml"), 0o666);
    let report = ask(&ponte, &[]).await;
    report.says(
        "machine",
        "data_dir",
        "wrong",
        "everybody on this machine may change it",
    );
    report.says(
        "machine",
        "configuration",
        "wrong",
        "everybody on this machine may change it",
    );
    assert_eq!(report.status, 1);
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_can_be_guessed_is_wrong_and_never_shown() {
    let ponte = Ponte::install("");
    let path = ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(ponte.folder().join("secret"), "MEU_SEGREDO123456").unwrap();
    set_mode(&ponte.folder().join("secret"), 0o600);
    std::fs::write(&path, text.replace("env:WEBHOOK_SECRET", "file:secret")).unwrap();
    let (status, text) = ponte.command(&["doctor"]);
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("can be guessed"), "{text}");
    assert!(!text.contains("MEU_SEGREDO"), "{text}");
    std::fs::write(ponte.folder().join("secret"), "aqua-lemon-77").unwrap();
    ask(&ponte, &[])
        .await
        .says("secrets", "source main", "look", "bits, 80 are safe");
    // One that can't be read keeps nothing else from being looked at.
    std::fs::remove_file(ponte.folder().join("secret")).unwrap();
    let report = ask(&ponte, &[]).await;
    report.says("secrets", "configuration", "wrong", "can't be read");
    report.says("machine", "configuration", "fine", "nobody else may change");
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_and_what_was_refused_are_told() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let heartbeat = format!(r#"{{"secret":"{SECRET}","action":"heartbeat"}}"#);
    assert_eq!(ponte.send(&heartbeat).await.0, 200);
    for _ in 0..2 {
        assert_eq!(
            ponte
                .send(r#"{"secret":"not-the-secret","action":"heartbeat"}"#)
                .await
                .0,
            403
        );
    }
    let elsewhere = ponte.webhook().replace("/webhook", "/hook");
    client()
        .post(elsewhere)
        .body(heartbeat)
        .send()
        .await
        .unwrap();
    // A refusal is on record a moment after its answer.
    let report = loop {
        let report = ask(&ponte, &["--no-selftest"]).await;
        let refused = report.all("senders", "refused");
        if refused.iter().any(|(_, text)| text.contains("1 not_found")) {
            break report;
        }
    };
    report.says(
        "senders",
        "addresses",
        "fine",
        "alerts came from 127.0.0.1 (1 alert, ",
    );
    report.says("senders", "source main", "fine", "1 alert, the last one");
    report.says(
        "senders",
        "refused",
        "look",
        "2 wrong_secret, 1 not_found, the last one from 127.0.0.1",
    );
    report.says(
        "senders",
        "tradingview",
        "look",
        "lets none of its alerts in",
    );
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_tampered_with_is_found() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    ask(&ponte, &[])
        .await
        .says("journal", "chain", "fine", "it holds over all of its");
    ponte.stop().await;
    let journal = rusqlite::Connection::open(ponte.journal()).unwrap();
    let changed = journal.execute(
        "UPDATE events SET data = replace(data, '10', '11') WHERE seq = 2",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(journal);
    let report = ask(&ponte, &[]).await;
    report.says(
        "journal",
        "chain",
        "wrong",
        "the chain is broken at event 2",
    );
    let (_, text) = ponte.command(&["doctor"]);
    assert!(text.contains("✗ chain"), "{text}");
}
