//! What the owner can look at.

use std::sync::Arc;

use ponte::admin;
use ponte::app::Core;
use ponte::secret::Keyring;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Owner, answer, installed};

#[tokio::test(flavor = "multi_thread")]
async fn a_ponte_that_works_says_so() {
    let owner = Owner::new().await;
    assert_eq!(
        owner.get("/healthz").await,
        (StatusCode::OK, json!({"status": "alive"}))
    );
    assert_eq!(
        owner.get("/readyz").await,
        (StatusCode::OK, json!({"status": "ready"}))
    );
    owner.buy("0.01").await;
    let (status, body) = owner.get("/api/status").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["process"]["ready"], true);
    assert_eq!(body["last_alert"]["outcome"], "accepted");
    assert_eq!(body["strategies"][0]["strategy"], "default");
    assert_eq!(body["open_orders"], 0);
    assert_eq!(body["accounts"][0]["mode"], "paper");
    assert_eq!(body["accounts"][0]["open_positions"], 1);
    assert!(body["journal"]["events"].as_i64().unwrap() > 3);
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_takes_nothing_is_not_ready() {
    let (_folder, mut loaded) = installed();
    let core = Core::start(&mut loaded).await.unwrap();
    let keys = ponte::config::source_keys(&loaded.config);
    let keyring = Arc::new(Keyring::new(keys, loaded.secrets, loaded.spare_secrets));
    let config = Arc::new(loaded.config);
    let router = admin::router(admin::Parts {
        engine: core.engine.clone(),
        metrics: core.metrics.clone(),
        doctor: core.doctor(config.clone(), keyring.clone(), Vec::new()),
        config,
        keyring,
        started_at: ponte::clock::now(),
        held_open: false,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(ponte::server::serve(listener, router, stopped));
    let http = ponte::tls::http_client().build().unwrap();
    let ask = |path: &str| answer(http.get(format!("{base}{path}")));
    assert_eq!(ask("/readyz").await.0, StatusCode::OK);
    core.engine.stop();
    let (status, body) = ask("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["status"], "not_ready");
    assert!(!body["reason"].as_str().unwrap().is_empty());
    assert_eq!(ask("/healthz").await.0, StatusCode::OK);
    assert_eq!(ask("/metrics").await.0, StatusCode::OK);
    let halt = json!({"scope": "global", "by": "me"});
    let (status, body) = answer(http.post(format!("{base}/api/halt")).json(&halt)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    drop((stop, http));
    server.await.unwrap().unwrap();
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happened() {
    let owner = Owner::new().await;
    owner.buy("0.01").await;
    let (_, text) = answer(owner.request(Method::GET, "/metrics")).await;
    let text = text.as_str().unwrap();
    for line in [
        "ponte_alerts_total{outcome=\"accepted\"} 1",
        "ponte_orders_submitted_total{outcome=\"acknowledged\"} 1",
        "ponte_halts 0",
        "ponte_lane_depth 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    let events = text
        .lines()
        .find_map(|line| line.strip_prefix("ponte_journal_events "));
    assert!(events.unwrap().parse::<u64>().unwrap() > 3);
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered() {
    let owner = Owner::new().await;
    let first = owner.buy("0.01").await;
    let refused = owner.buy("1").await;
    let ids = |body: &serde_json::Value| {
        let rows = body.as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (_, all) = owner.get("/api/alerts").await;
    assert_eq!(ids(&all), [refused.clone(), first.clone()]);
    let (_, some) = owner.get("/api/alerts?outcome=refused").await;
    assert_eq!(ids(&some), [refused]);
    let (_, some) = owner
        .get("/api/alerts?symbol=btcusdt&since=1h&limit=1")
        .await;
    assert_eq!(some.as_array().unwrap().len(), 1);
    let (_, none) = owner.get("/api/alerts?strategy=other").await;
    assert_eq!(none, json!([]));
    let (_, orders) = owner
        .get(&format!("/api/orders?alert={first}&account=paper"))
        .await;
    assert_eq!(orders[0]["status"], "filled");
    for path in [
        "/api/alerts?limt=1",
        "/api/alerts?since=yesterday",
        "/api/orders?alert=x",
        "/api/orders?open=perhaps",
    ] {
        let (status, body) = owner.get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}");
        assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    }
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_have_a_price_and_a_gain() {
    let owner = Owner::new().await;
    owner.buy("0.01").await;
    let alert = r#""action":"buy","symbol":"BTCUSDT","quantity":0.01,"price":66000"#;
    owner.alert(alert).await;
    owner.settle().await;
    let (_, positions) = owner.get("/api/positions").await;
    assert_eq!(positions[0]["account"], "paper");
    assert_eq!(positions[0]["side"], "long");
    assert_eq!(positions[0]["quantity"], "0.02");
    assert_eq!(positions[0]["average_price"], "65500");
    assert_eq!(positions[0]["unrealised"], "10");
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_found_by_alert_and_by_the_start_of_an_order() {
    let owner = Owner::new().await;
    let id = owner.buy("0.01").await;
    let (status, story) = owner.get(&format!("/api/why/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    let kinds: Vec<_> = story["events"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "alert_decided",
            "order_planned",
            "order_acknowledged",
            "order_filled",
            "order_ended"
        ]
    );
    let order = story["orders"][0]["id"].as_str().unwrap();
    for start in [order, &order[..6], &order[..31].to_uppercase()] {
        assert_eq!(
            owner.get(&format!("/api/why/{start}")).await.1,
            story,
            "{start}"
        );
    }
    for (id, expected) in [
        ("A99", StatusCode::NOT_FOUND),
        ("ffffffffffffffffffffffffffffffff", StatusCode::NOT_FOUND),
        ("abc", StatusCode::BAD_REQUEST),
        ("zzzzzzzz", StatusCode::BAD_REQUEST),
    ] {
        let (status, body) = owner.get(&format!("/api/why/{id}")).await;
        assert_eq!(status, expected, "{id} {body}");
    }
    owner.end().await;
}
