//! One sentence, one cure, one exit status.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use expect_test::expect;

use super::Home;
use crate::program::Ponte;

#[test]
fn findings_are_shown_like_a_compilers() {
    let home = Home::new();
    let config = r#"data_dir = "data"
[webhook]
listen = "127.0.0.1:x"
[[sources]]
name = "main"
secret = "file:secret"
[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
[accounts.rules]
max_order_notionl = "5000"
[[routes]]
strategies = ["*"]
accounts = ["papr"]
"#;
    std::fs::write(home.path("ponte.toml"), config).unwrap();
    let done = home.run(&["check"]);
    assert_eq!(done.status, 1);
    expect![[r#"
        ponte.toml:3:10: error: webhook.listen: expected an address with a port, found "127.0.0.1:x"
          3 | listen = "127.0.0.1:x"
            |          ^^^^^^^^^^^^^
          write numbers: "127.0.0.1:8080", or "0.0.0.0:8080" for every interface
    "#]]
    .assert_eq(
        done.stdout
            .split("\n\n")
            .next()
            .map(|first| format!("{first}\n"))
            .as_deref()
            .unwrap(),
    );
    assert!(
        done.stdout.contains("did you mean \"max_order_notional\"?"),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.ends_with("errors; Ponte does not start\n"),
        "{}",
        done.stdout
    );
    let json = home.run(&["check", "--json"]);
    assert_eq!(json.status, 1);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["errors"][0]["place"]["line"], 3);
    for command in ["run", "status", "halt"] {
        let complaint = home.run(&[command]).complaint(1);
        assert!(complaint.contains("ponte check"), "{complaint}");
    }
}

#[test]
fn no_configuration_has_a_cure() {
    let home = Home::new();
    for command in ["run", "status", "alerts", "halt", "export"] {
        let complaint = home.run(&[command]).complaint(3);
        assert!(complaint.contains("ponte init"), "{complaint}");
    }
    let complaint = home.run(&["status", "--json"]).complaint(3);
    let error: serde_json::Value = serde_json::from_str(&complaint).unwrap();
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("ponte.toml")
    );
}

#[test]
fn the_configuration_can_be_named_by_a_variable() {
    let home = Home::installed();
    std::fs::rename(home.path("ponte.toml"), home.path("other.toml")).unwrap();
    let output = home
        .command(&["check"])
        .env("PONTE_CONFIG", "other.toml")
        .output()
        .unwrap();
    assert!(output.status.success());
}

#[test]
fn wrong_usage_is_told_apart() {
    let home = Home::installed();
    for arguments in [
        &["sttatus"][..],
        &["alerts", "--outcome", "fine"],
        &["alerts", "--since", "yesterday"],
        &["alerts", "--limit", "0"],
        &["halt", "--account", "paper", "--symbol", "X"],
        &["halt", "--account", "other"],
        &["flatten"],
        &["halt", "--level", "flatten"],
        &["send"],
        &["send", "--example", "nothing"],
        &[
            "send",
            "--example",
            "buy",
            "--url",
            "ftp://example.com/webhook",
        ],
        &["send", "--example", "buy", "--source", "other"],
        &["export", "--kind", "order_fild"],
    ] {
        let complaint = home.run(arguments).complaint(2);
        assert!(!complaint.is_empty(), "{arguments:?}");
    }
}

#[test]
fn another_program_at_the_address_is_not_taken_for_ponte() {
    let home = Home::installed();
    let listener = TcpListener::bind(("127.0.0.1", home.admin)).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            .unwrap();
    });
    let complaint = home.run(&["halt"]).complaint(3);
    other.join().unwrap();
    assert!(complaint.contains("not Ponte"), "{complaint}");
    assert!(
        !home.path("data/journal.sqlite").exists(),
        "nothing was done behind its back"
    );
}

#[test]
fn an_address_that_can_t_be_had_is_named_with_what_to_do() {
    let home = Home::installed();
    let taken = TcpListener::bind(("127.0.0.1", home.webhook)).unwrap();
    let complaint = home.run(&["run"]).complaint(3);
    assert!(
        complaint.contains("webhook.listen can't listen on 127.0.0.1")
            && complaint.contains("stop what uses this one"),
        "{complaint}"
    );
    drop(taken);
    let text = home.read("ponte.toml");
    let written = format!("127.0.0.1:{}", home.webhook);
    // No interface has an address of the documentation's (RFC 5737).
    let text = text.replace(&written, "192.0.2.7:8080");
    std::fs::write(home.path("ponte.toml"), text).unwrap();
    let json = home.run(&["run", "--json"]).complaint(3);
    let report: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    let cure = report["error"]["cure"].as_str().unwrap();
    assert!(cure.contains("no interface of this machine"), "{cure}");
}

/// As composed files set variables that nobody has given a value.
#[tokio::test]
async fn a_variable_that_is_set_to_nothing_does_not_silence_the_log() {
    let mut ponte = Ponte::install("");
    ponte.set_log_filter("");
    ponte.start().await;
    ponte.stop().await;
    let log = ponte.whole_log();
    assert!(log.contains("Ponte takes alerts"), "{log}");
}

#[test]
fn nobody_at_the_webhook_is_said_so() {
    let home = Home::installed();
    let complaint = home.run(&["send", "--example", "buy"]).complaint(3);
    assert!(complaint.contains("ponte run"), "{complaint}");
    let complaint = home.run(&["send", "no/such/file.json"]).complaint(3);
    assert!(complaint.contains("there is no file"), "{complaint}");
}
