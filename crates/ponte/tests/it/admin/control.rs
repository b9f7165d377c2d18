//! What the owner can ask for.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Owner, answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_holds_until_it_is_lifted() {
    let owner = Owner::new().await;
    let halt = json!({
        "scope": {"symbol": "BTCUSDT"}, "level": "cancel_working", "reason": "news", "by": "ana"
    });
    let (status, done) = owner.post("/api/halt", halt.clone()).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["changed"], true);
    assert_eq!(done["running"], true);
    assert_eq!(done["halts"][0]["by"], "ana");
    assert_eq!(done["halts"][0]["reason"], "news");
    let (_, again) = owner.post("/api/halt", halt).await;
    assert_eq!(again["changed"], false);
    owner.buy("0.01").await;
    let (_, alerts) = owner.get("/api/alerts?limit=1").await;
    assert_eq!(alerts[0]["outcome"], "halted");
    let resume = json!({"scope": {"symbol": "BTCUSDT"}, "by": "ana"});
    let (_, done) = owner.post("/api/resume", resume).await;
    assert_eq!(done["halts"], json!([]));
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_says_who_asks() {
    let owner = Owner::new().await;
    for body in [
        json!({"scope": "global"}),
        json!({"scope": "global", "by": " "}),
        json!({"scope": "global", "by": "a\nb"}),
        json!({"scope": "global", "by": "x".repeat(65)}),
        json!({"scope": "globe", "by": "ana"}),
        json!({"scope": "global", "by": "ana", "levle": "flatten"}),
        json!({"scope": "global", "by": "ana", "level": "everything"}),
        json!([]),
    ] {
        let (status, answer) = owner.post("/api/halt", body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {answer}");
    }
    assert_eq!(owner.get("/api/status").await.1["halts"], json!([]));
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_halt_file_outlasts_a_resume() {
    let owner = Owner::new().await;
    let file = owner
        .folder
        .path()
        .join("data")
        .join(ponte::admin::HALT_FILE);
    std::fs::write(&file, "").unwrap();
    let resume = json!({"scope": "global", "by": "ana"});
    let (status, body) = owner.post("/api/resume", resume.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("remove it")
    );
    let other = json!({"scope": {"account": "paper"}, "by": "ana"});
    assert_eq!(owner.post("/api/resume", other).await.0, StatusCode::OK);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(owner.post("/api/resume", resume).await.0, StatusCode::OK);
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flatten_closes_what_is_open() {
    let owner = Owner::new().await;
    owner.buy("0.01").await;
    let (_, done) = owner
        .post("/api/flatten", json!({"scope": "global", "by": "ana"}))
        .await;
    assert_eq!(done["events"][0]["event"], "flatten_requested");
    owner.settle().await;
    let (_, positions) = owner.get("/api/positions").await;
    assert_eq!(positions[0]["side"], "flat");
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explaining_changes_nothing() {
    let owner = Owner::new().await;
    let explain = |path: &str, body: &'static str| {
        answer(
            owner
                .request(Method::POST, path)
                .header("x-ponte", "1")
                .body(body),
        )
    };
    let body = r#"{"action":"buy","symbol":"BTCUSDT","quantity":1,"price":65000}"#;
    let (status, explained) = explain("/api/explain?source=main", body).await;
    assert_eq!(status, StatusCode::OK, "{explained}");
    assert_eq!(explained["sent"], false);
    assert_eq!(explained["decision"]["outcome"], "refused");
    let (status, error) = explain("/api/explain", r#"{"action":"bye"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(error["error"]["code"], "E_UNKNOWN_ACTION");
    let (status, error) = explain("/api/explain?source=other", body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error["error"]["message"].as_str().unwrap().contains("main"));
    assert_eq!(owner.get("/api/alerts").await.1, json!([]));
    assert_eq!(owner.get("/api/orders").await.1, json!([]));
    assert_eq!(owner.get("/api/status").await.1["last_alert"], json!(null));
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_switched_and_its_secrets_are_told_of() {
    let owner = Owner::new().await;
    let (_, sources) = owner.get("/api/sources").await;
    assert_eq!(sources, json!([{"source": "main", "on": true}]));
    let off = json!({"source": "main", "on": false, "reason": "lost", "by": "ana"});
    let (status, done) = owner.post("/api/source", off.clone()).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["events"][0]["event"], "source_switched");
    let (_, again) = owner.post("/api/source", off).await;
    assert_eq!(again["changed"], false);
    let (_, sources) = owner.get("/api/sources").await;
    assert_eq!(sources[0]["off"]["by"], "ana");
    let (_, status) = owner.get("/api/status").await;
    assert_eq!(status["sources"], sources);
    let text = owner.request(Method::GET, "/metrics").send().await.unwrap();
    let text = text.text().await.unwrap();
    assert!(text.contains("\nponte_sources_off 1\n"), "{text}");
    for body in [
        json!({"source": "other", "on": false, "by": "ana"}),
        json!({"source": "main", "on": false}),
        json!({"source": "main", "on": "no", "by": "ana"}),
        json!({"source": "main", "on": false, "by": "a\nb"}),
    ] {
        let (status, answer) = owner.post("/api/source", body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {answer}");
    }
    let (_, secrets) = owner.get("/api/secrets").await;
    assert_eq!(secrets[0]["kept"], "env:SECRET");
    assert_eq!(secrets[0]["role"], "current");
    let reload = json!({"action": "secret_rotated", "detail": "source main", "by": "ana"});
    let (status, reloaded) = owner.post("/api/secrets/reload", reload).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(reloaded, json!({"changed": [], "problems": []}));
    let (status, _) = owner
        .post("/api/secrets/reload", json!({"action": "x", "by": " "}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    owner.end().await;
}
