//! What a page in the owner's browser tries, and does not get.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Owner, answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_name_is_turned_away() {
    let owner = Owner::new().await;
    let port = owner.served.admin.port();
    for host in [
        "evil.example",
        "evil.example:8081",
        "10.0.0.1",
        "localhost.evil.example",
    ] {
        for path in ["/api/status", "/healthz", "/metrics", "/nothing"] {
            let request = owner.request(Method::GET, path).header("host", host);
            let (status, body) = answer(request).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{host} {path}");
            assert_eq!(body["error"]["code"], "foreign_origin");
        }
    }
    for host in [
        "localhost".to_owned(),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
    ] {
        let request = owner.request(Method::GET, "/healthz").header("host", &host);
        assert_eq!(answer(request).await.0, StatusCode::OK, "{host}");
    }
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_is_turned_away() {
    let owner = Owner::new().await;
    for (origin, expected) in [
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        ("http://127.0.0.1.evil.example", StatusCode::FORBIDDEN),
        ("http://localhost:5173", StatusCode::OK),
        ("http://127.0.0.1:8081", StatusCode::OK),
    ] {
        let request = owner
            .request(Method::GET, "/api/status")
            .header("origin", origin);
        assert_eq!(answer(request).await.0, expected, "{origin}");
    }
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_can_send_without_asking_changes_nothing() {
    let owner = Owner::new().await;
    let halt = json!({"scope": "global", "by": "a page"}).to_string();
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = owner.request(Method::POST, "/api/halt").body(halt.clone());
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        assert_eq!(
            answer(request).await.0,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{kind:?}"
        );
    }
    let explain = owner.request(Method::POST, "/api/explain").body("{}");
    assert_eq!(answer(explain).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = owner.request(Method::GET, "/api/halt");
    assert_eq!(answer(get).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let (_, status) = owner.get("/api/status").await;
    assert_eq!(status["halts"], json!([]));
    owner.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_past_the_limit_is_refused() {
    let owner = Owner::new().await;
    let limit = ponte::admin::BODY_BYTES_MAX;
    let request = owner
        .request(Method::POST, "/api/explain")
        .header("x-ponte", "1")
        .body(" ".repeat(limit + 1));
    let (status, body) = answer(request).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body["error"]["code"], "too_large");
    owner.end().await;
}
