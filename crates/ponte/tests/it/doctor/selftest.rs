//! The signed test alert: through proxies, past the routes, and in strangers' hands.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use reqwest::Client;
use serde_json::{Value, json};

use super::{PAPER, Server, ask, binance, exchange, set_webhook};
use crate::program::{Ponte, client};

/// A proxy in front of a webhook.
#[derive(Clone)]
struct Proxy {
    client: Client,
    to: String,
    /// Whom it says that it speaks for.
    says: Option<&'static str>,
    /// A header that it takes away.
    drops: Option<&'static str>,
}

async fn pass_on(
    State(proxy): State<Proxy>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    headers.remove("host");
    headers.remove("connection");
    if let Some(name) = proxy.drops {
        headers.remove(name);
    }
    if let Some(address) = proxy.says {
        headers.insert("x-forwarded-for", address.parse().unwrap());
    }
    let url = format!("{}{}", proxy.to, uri.path());
    let sent = proxy
        .client
        .request(method, url)
        .headers(headers)
        .body(body)
        .send();
    let Ok(answer) = sent.await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let status = answer.status();
    (status, answer.bytes().await.unwrap()).into_response()
}

async fn proxy(ponte: &Ponte, says: Option<&'static str>, drops: Option<&'static str>) -> Server {
    let proxy = Proxy {
        client: client(),
        to: ponte.webhook().replace("/webhook", ""),
        says,
        drops,
    };
    Server::plain(Router::new().fallback(any(pass_on)).with_state(proxy)).await
}

async fn post(ponte: &Ponte, path: &str, body: Value) -> (StatusCode, Value) {
    let port = ponte.admin_port();
    let url = format!("http://127.0.0.1:{port}/api/{path}");
    let answer = client().post(url).json(&body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_the_whole_way_and_leaves_nothing_open() {
    let mut ponte = Ponte::install("");
    let url = ponte
        .webhook()
        .replace("/webhook", "")
        .replace("127.0.0.1", "localhost");
    set_webhook(&ponte, &format!("public_url = \"{url}\""));
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "arrives",
        "fine",
        &format!("this ponte took a test from {url}"),
    );
    report.says("selftest", "durable", "fine", "A1 was on disk after");
    report.says("selftest", "trades", "fine", "in paper: bought after");
    report.says("selftest", "trades", "fine", "its stop rested after");
    report.says("selftest", "trades", "fine", "closed again after");
    report.says(
        "selftest",
        "sender",
        "look",
        "127.0.0.1, an address of an internal network",
    );
    let orders = ponte.ask("orders").await;
    let orders = orders.as_array().unwrap();
    assert_eq!(orders.len(), 3, "{orders:#?}");
    assert!(
        orders
            .iter()
            .all(|order| order["strategy"] == "ponte-selftest")
    );
    let positions = ponte.positions().await;
    assert_eq!(positions[0]["quantity"], "0", "{positions}");
    let alerts = ponte.ask("alerts").await;
    assert!(
        alerts
            .as_array()
            .unwrap()
            .iter()
            .all(|alert| alert["source"] == "ponte-selftest")
    );
    // Ponte's own alerts are nobody's who sends.
    let again = ask(&ponte, &["--no-selftest"]).await;
    again.says(
        "senders",
        "source main",
        "look",
        "no alert has come from it yet",
    );
    assert!(again.parts.iter().all(|part| part["group"] != "selftest"));
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_nobody_trusts_is_found_by_its_header() {
    let mut ponte = Ponte::install("");
    let proxy = proxy(&ponte, Some("203.0.113.9"), None).await;
    set_webhook(
        &ponte,
        &format!("public_url = \"http://{}\"", proxy.address),
    );
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "sender",
        "wrong",
        "127.0.0.1 sends x-forwarded-for and is no trusted proxy: all alerts seem to come from it",
    );
    ponte.stop().await;
    set_webhook(&ponte, "trusted_proxies = [\"loopback\"]");
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "sender",
        "fine",
        "203.0.113.9 through the proxy 127.0.0.1, which allow_from rightly keeps out",
    );
    report.says("selftest", "trades", "fine", "closed again");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_that_keeps_its_sender_to_itself_is_wrong() {
    let mut ponte = Ponte::install("");
    let proxy = proxy(&ponte, None, None).await;
    set_webhook(&ponte, "trusted_proxies = [\"loopback\"]");
    set_webhook(
        &ponte,
        &format!("public_url = \"http://{}\"", proxy.address),
    );
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "sender",
        "wrong",
        "the proxy 127.0.0.1 does not say for whom it speaks",
    );
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_takes_the_signature_away_is_said_to_be_another() {
    let mut ponte = Ponte::install("");
    let proxy = proxy(&ponte, None, Some("x-ponte-selftest")).await;
    set_webhook(
        &ponte,
        &format!("public_url = \"http://{}\"", proxy.address),
    );
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "arrives",
        "wrong",
        "is not this ponte: it said 403 to a test",
    );
    let alerts = ponte.ask("alerts").await;
    assert!(alerts.as_array().unwrap().is_empty(), "{alerts}");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_reaches_the_paper_account_whatever_the_routes_say() {
    let exchange = exchange(|_| ()).await;
    let accounts = format!("{}{PAPER}", binance("spot", &exchange, "", ""));
    let mut ponte = Ponte::install_accounts(&accounts);
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("selftest", "trades", "fine", "in paper: bought");
    let orders = ponte.ask("orders").await;
    let orders = orders.as_array().unwrap();
    assert!(
        !orders.is_empty() && orders.iter().all(|order| order["account"] == "paper"),
        "{orders:#?}"
    );
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_paper_account_a_test_ends_on_the_disk() {
    let exchange = exchange(|_| ()).await;
    let mut ponte = Ponte::install_accounts(&binance("spot", &exchange, "", ""));
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("selftest", "durable", "fine", "A1 was on disk");
    report.says("selftest", "trades", "fine", "no account is simulated here");
    let orders = ponte.ask("orders").await;
    assert!(orders.as_array().unwrap().is_empty(), "{orders}");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_is_why_a_test_does_not_trade() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    ponte.command(&["halt", "--yes"]);
    let report = ask(&ponte, &[]).await;
    report.says("selftest", "trades", "look", "halted");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_can_speak_for_the_test() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let secret = crate::program::SECRET;
    for strategy in ["ponte-selftest", "ponte-trystop"] {
        let body = format!(
            r#"{{"secret":"{secret}","action":"buy","symbol":"BTCUSDT","quantity":1,"price":60000,"strategy":"{strategy}"}}"#
        );
        let (status, answer) = ponte.send(&body).await;
        assert_eq!(
            (status, answer["status"].as_str()),
            (200, Some("refused")),
            "{answer}"
        );
        assert!(
            answer["reason"]
                .as_str()
                .unwrap()
                .contains("is Ponte's own"),
            "{answer}"
        );
    }
    let orders = ponte.ask("orders").await;
    assert!(orders.as_array().unwrap().is_empty(), "{orders}");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_or_repeated_is_turned_away_like_any_stranger() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let mut other = Ponte::install("");
    other.start().await;
    let (status, test) = post(&ponte, "selftest", json!({})).await;
    assert_eq!(status, StatusCode::OK, "{test}");
    let (_, foreign) = post(&other, "selftest", json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (value, body) = (text(&test["value"]), text(&test["body"]));
    let send = async |value: &str, body: &str| {
        let request = client().post(ponte.webhook()).body(body.to_owned());
        let request = request.header("x-ponte-selftest", value);
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
        (status, headers, answer.bytes().await.unwrap())
    };
    let stranger = {
        let answer = client()
            .post(ponte.webhook())
            .body(body.clone())
            .send()
            .await
            .unwrap();
        let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
        (status, headers, answer.bytes().await.unwrap())
    };
    assert_eq!(stranger.0, StatusCode::FORBIDDEN);
    let forged = value.rsplit_once('.').unwrap().0;
    let forged = format!("{forged}.{}", "ab".repeat(32));
    assert_eq!(send(&forged, &body).await, stranger, "another signature");
    assert_eq!(
        send(&value, &body.replace("PONTETEST", "BTCUSDT")).await,
        stranger,
        "another body"
    );
    let (value_there, body_there) = (text(&foreign["value"]), text(&foreign["body"]));
    assert_eq!(
        send(&value_there, &body_there).await,
        stranger,
        "another process's"
    );
    assert_eq!(send("", &body).await, stranger, "no signature");
    let (status, ..) = send(&value, &body).await;
    assert_eq!(
        status,
        StatusCode::OK,
        "the test itself was not used up by all that"
    );
    assert_eq!(send(&value, &body).await, stranger, "the same again");
    let orders = ponte.ask("orders").await;
    let entries = orders
        .as_array()
        .unwrap()
        .iter()
        .filter(|order| order["class"] == "entry");
    assert_eq!(entries.count(), 1, "{orders}");
    ponte.wait_until_settled().await;
    ponte.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_tests_a_minute_and_no_more() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    for _ in 0..ponte::intake::selftest::PER_MINUTE_MAX {
        let (status, _) = post(&ponte, "selftest", json!({})).await;
        assert_eq!(status, StatusCode::OK);
    }
    let (status, answer) = post(&ponte, "selftest", json!({})).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "arrives",
        "look",
        "tests were made within the last minute",
    );
    ponte.stop().await;
}

/// Only the proxy's connections are taken; that this machine's are not is no fault.
#[tokio::test(flavor = "multi_thread")]
async fn where_only_a_proxy_connects_no_test_is_posted_past_it() {
    let mut ponte = Ponte::install("");
    set_webhook(
        &ponte,
        "proxy_protocol = true\ntrusted_proxies = [\"10.0.0.0/8\"]",
    );
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("selftest", "arrives", "look", "proxy_protocol is on");
    assert_eq!(report.of("selftest").len(), 1);
    assert_eq!(report.status, 0, "{:#?}", report.parts);
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_that_alerts_need_a_certificate_which_it_did_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut ponte = Ponte::install("");
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["hook.example.com".to_owned()]).unwrap();
    let made = params.self_signed(&key).unwrap();
    let file = |name: &str| ponte.folder().join(name);
    std::fs::write(file("c.pem"), made.pem()).unwrap();
    std::fs::write(file("k.pem"), key.serialize_pem()).unwrap();
    std::fs::set_permissions(file("k.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    set_webhook(
        &ponte,
        "client_certificate = { policy = \"require\" }\ntls = { certificate = \"c.pem\", key = \"k.pem\" }",
    );
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("selftest", "arrives", "fine", "this ponte took a test");
    report.says("selftest", "certificate", "fine", "policy is \"require\"");
    report.says(
        "senders",
        "keys",
        "look",
        "no alert has come with such a certificate yet",
    );
    ponte.stop().await;
}
