//! What the doctor finds with accounts that trade, and with one that was traded by somebody else.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Owner;

/// Each finding's subject and health.
fn healths(diagnosis: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| (text(&finding["subject"]), text(&finding["health"])))
        .collect()
}

fn of<'f>(diagnosis: &'f Value, subject: &str) -> &'f Value {
    let findings = diagnosis["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["subject"] == subject)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_trades_is_fine() {
    let owner = Owner::new().await;
    owner.buy("0.01").await;
    let (status, body) = owner.get("/api/doctor").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let diagnosis = &body[0];
    assert_eq!(diagnosis["account"], "paper");
    assert_eq!(diagnosis["broker"], "paper");
    let healths = healths(diagnosis);
    let subjects: Vec<&str> = healths
        .iter()
        .map(|(subject, _)| subject.as_str())
        .collect();
    assert_eq!(
        subjects,
        [
            "route",
            "halts",
            "credentials",
            "position_mode",
            "balance",
            "instruments",
            "symbols",
            "positions",
            "orders"
        ]
    );
    for (subject, health) in &healths {
        assert_eq!(health, "fine", "{subject}: {diagnosis}");
    }
    let (_, one) = owner.get("/api/doctor?account=paper").await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_is_worth_a_look() {
    let owner = Owner::new().await;
    let halt = json!({"scope": {"account": "paper"}, "reason": "lunch", "by": "ana"});
    owner.post("/api/halt", halt).await;
    let (_, body) = owner.get("/api/doctor").await;
    let halted = of(&body[0], "halts");
    assert_eq!(halted["health"], "look");
    assert_eq!(
        halted["text"],
        "halted: account paper (block entries, by ana)"
    );
    assert!(!halted["cure"].as_str().unwrap().is_empty());
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_there_is_not_is_named_with_those_there_are() {
    let owner = Owner::new().await;
    let (status, body) = owner.get("/api/doctor?account=papper").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(
        body["error"]["message"],
        "there is no account \"papper\"; there is paper"
    );
    let (status, _) = owner.get("/api/doctor?acount=paper").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    owner.end().await;
}
