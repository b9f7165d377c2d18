//! What passes the gate: names, forged requests, tokens, headers.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Site, form, whole};

#[tokio::test(flavor = "multi_thread")]
async fn only_our_own_pages_change_anything() {
    let site = Site::running().await;
    let ana = site.signed_in("ana").await;
    let other = site.signed_in("ana").await;
    let halt = [("scope", "global"), ("level", "block_entries")];
    let strange = [
        None,
        Some(String::new()),
        Some("0".repeat(64)),
        Some(other.csrf().await),
    ];
    for csrf in strange {
        let mut fields = halt.to_vec();
        fields.extend(csrf.as_ref().map(|csrf| ("csrf", csrf.as_str())));
        let answer = ana.send("/halt", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{csrf:?}");
        let answer = ana.send("/sign-out", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{csrf:?}");
    }
    let right = ana.csrf().await;
    let body = json!({"scope": "global"}).to_string();
    for (origin, csrf) in [
        (Some("https://evil.example"), Some(&right)),
        (Some("null"), Some(&right)),
        (Some("http://localhost"), Some(&right)),
        (Some("https://localhost.evil.example"), Some(&right)),
        (None, Some(&right)),
        (Some(site.base.as_str()), None),
    ] {
        let mut request = ana
            .request(Method::POST, "/api/halt")
            .header("content-type", "application/json")
            .body(body.clone());
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(csrf) = csrf {
            request = request.header("x-csrf-token", csrf);
        }
        let answer = whole(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?} {csrf:?}");
    }
    let status = ana.get("/api/status").await.json();
    assert_eq!(status["halts"], json!([]));

    let mut fields = halt.to_vec();
    fields.push(("csrf", &right));
    let answer = ana.send("/halt", &fields).await;
    assert_eq!(answer.place(), Some("/?done=halt"), "{}", answer.text);
    let request = ana
        .request(Method::POST, "/api/resume")
        .header("origin", &site.base)
        .header("x-csrf-token", &right)
        .body(body);
    assert_eq!(whole(request).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names_are_turned_away() {
    let site = Site::running().await;
    let token = site.token("watcher", "view");
    let port = site.base.rsplit(':').next().unwrap();
    let ask = |host: &str, path: &str| {
        let request = site.request(Method::GET, path).header("host", host);
        whole(request.bearer_auth(&token))
    };
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1",
        "localhost@evil.example",
        "ponte.example.com.evil.example:8444",
        "",
    ] {
        for path in ["/", "/login", "/healthz", "/api/status", "/nothing"] {
            let answer = ask(host, path).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host:?} {path}");
            assert!(!answer.text.contains("password"), "{}", answer.text);
        }
    }
    for host in ["localhost", "ponte.example.com", "PONTE.example.com:8444"] {
        assert_eq!(
            ask(host, "/api/status").await.status,
            StatusCode::OK,
            "{host}"
        );
    }
    // Two names, of which a proxy may have looked at the other.
    let two = site
        .request(Method::GET, "/healthz")
        .header("host", format!("localhost:{port}"))
        .header("host", "evil.example");
    assert_eq!(whole(two).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_open_until_they_are_revoked_or_expire() {
    let mut site = Site::running().await;
    let token = site.token("grafana", "view");
    assert!(
        token.starts_with("ponte_") && token.len() == 49,
        "{}",
        token.len()
    );
    let ask =
        |path: &'static str, token: &str| whole(site.request(Method::GET, path).bearer_auth(token));
    let metrics = ask("/metrics", &token).await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(metrics.text.contains("ponte_"), "{}", metrics.text);
    let me = ask("/api/session", &token).await.json();
    assert_eq!(
        me,
        json!({"name": "grafana", "kind": "token", "role": "view"})
    );
    for wrong in ["", "ponte_", &token[..48], &token.to_uppercase()] {
        let answer = ask("/metrics", wrong).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", wrong.len());
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    // A token in the address would end up in logs.
    let path = format!("/metrics?token={token}");
    let answer = whole(site.request(Method::GET, &path)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    site.say(&["token", "revoke", "grafana"], "");
    assert_eq!(
        ask("/metrics", &token).await.status,
        StatusCode::UNAUTHORIZED
    );

    let late = site.say(
        &[
            "token",
            "add",
            "late",
            "--role",
            "view",
            "--expires",
            "1h",
            "--json",
        ],
        "",
    );
    let late: serde_json::Value = serde_json::from_str(&late).unwrap();
    let token = late["token"].as_str().unwrap();
    assert_eq!(ask("/metrics", token).await.status, StatusCode::OK);
    let path = site.ponte.folder().join("data/admin/users.json");
    // The use is written down in the background; a change of ours must not cross it.
    let used = || {
        let listed = site.say(&["token", "list", "--json"], "");
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        listed[0]["last_used"]["from"] == "127.0.0.1"
    };
    while !used() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let end = late["expires_at"].to_string();
    let text = text.replace(&end, "1000000");
    std::fs::write(&path, text).unwrap();
    assert_eq!(
        ask("/metrics", token).await.status,
        StatusCode::UNAUTHORIZED
    );
    let listed = site.say(&["token", "list"], "");
    assert!(listed.contains("expired"), "{listed}");
    site.ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers_and_strangers_learn_nothing() {
    let site = Site::running().await;
    let ana = site.signed_in("ana").await;
    let strangers = site.browser();
    for path in [
        "/",
        "/login",
        "/healthz",
        "/style.css",
        "/api/status",
        "/nothing",
        "/halt",
    ] {
        for browser in [&ana, &strangers] {
            let answer = browser.get(path).await;
            let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
            assert_eq!(header("cache-control"), "no-store", "{path}");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!(header("referrer-policy"), "same-origin");
            assert_eq!(header("strict-transport-security"), "max-age=31536000");
            let policy = header("content-security-policy");
            assert!(policy.contains("default-src 'none'"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
            assert!(!answer.text.contains("<script"), "{path}");
        }
        let answer = strangers.get(path).await;
        let version = env!("CARGO_PKG_VERSION");
        assert!(!answer.text.contains(version), "{path}: {}", answer.text);
        assert!(!format!("{:?}", answer.headers).contains(version), "{path}");
    }
    let health = strangers.get("/healthz").await;
    assert_eq!(health.text, r#"{"status":"alive"}"#);
    assert_eq!(
        strangers.get("/metrics").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        strangers.get("/readyz").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_reasons_are_text_on_a_page() {
    let site = Site::running().await;
    let ana = site.signed_in("ana").await;
    let nasty = "<script>alert(1)</script>\"'&";
    let fields = [
        ("scope", "strategy <b>x</b>"),
        ("level", "cancel_working"),
        ("reason", nasty),
    ];
    assert_eq!(
        ana.post("/halt", &fields).await.place(),
        Some("/?done=halt")
    );
    let page = ana.get("/").await.text;
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"),
        "{page}"
    );
    assert!(
        !page.contains("<script") && !page.contains("<b>x"),
        "{page}"
    );
    let asked = ana.get("/resume?scope=strategy+%3Cb%3Ex%3C%2Fb%3E").await;
    assert!(asked.text.contains("strategy &lt;b&gt;x"), "{}", asked.text);
    let answer = ana.post("/resume", &[("scope", "strategy <b>x</b>")]).await;
    assert_eq!(answer.place(), Some("/?done=resume"));
    let body = form(&[("scope", "planet earth"), ("csrf", &ana.csrf().await)]);
    let request = ana
        .request(Method::POST, "/resume")
        .header("origin", &site.base)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    assert_eq!(whole(request).await.status, StatusCode::BAD_REQUEST);
}
