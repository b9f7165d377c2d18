//! Requests that are turned away: what is answered, recorded and counted.

use std::time::Duration;

use ponte::config::{AllowFrom, ClientAddress, NamedSet};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::{MESSAGE, SECOND_SECRET, SECRET, Setup, World, alert, post, refusals};

const BODY_BYTES_MAX: usize = 256 * 1024;

fn bare() -> &'static str {
    r#"{"acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#
}

fn tradingview_only() -> AllowFrom {
    AllowFrom::Ranges(NamedSet::TradingView.ranges())
}

/// A request for each cause of a `403`, from an address that may send.
fn strangers() -> Vec<(&'static str, Vec<u8>)> {
    let right_path = format!("/webhook/{SECRET}");
    let second_header = format!("x-ponte-secret: {SECOND_SECRET}\r\n");
    vec![
        ("no secret", alert(bare())),
        ("no body", alert("")),
        (
            "wrong in the body",
            alert(MESSAGE.replace(SECRET, "WRONG_SECRET")),
        ),
        (
            "nearly right",
            alert(MESSAGE.replace(SECRET, "MEU_SEGREDO2")),
        ),
        (
            "wrong in the path",
            post("/webhook/WRONG_SECRET", "", bare()),
        ),
        (
            "wrong in the path, right in the body",
            post("/webhook/WRONG_SECRET", "", MESSAGE),
        ),
        ("not text in the path", post("/webhook/%FF%FE", "", MESSAGE)),
        (
            "wrong in a header",
            post("/webhook", "x-ponte-secret: WRONG\r\n", MESSAGE),
        ),
        (
            "empty header",
            post("/webhook", "x-ponte-secret:\r\n", MESSAGE),
        ),
        (
            "wrong bearer",
            post("/webhook", "authorization: Bearer WRONG\r\n", MESSAGE),
        ),
        (
            "right path, wrong body",
            post(&right_path, "", MESSAGE.replace(SECRET, "WRONG_SECRET")),
        ),
        (
            "right path, another's header",
            post(&right_path, &second_header, bare()),
        ),
        (
            "right path, another's body",
            post(&right_path, "", MESSAGE.replace(SECRET, SECOND_SECRET)),
        ),
        (
            "right path, wrong in a broken body",
            post(&right_path, "", r#"{"secret":"WRONG","#),
        ),
        ("broken, no secret", alert(r#"{"acao":"#)),
        (
            "broken, wrong secret",
            alert(r#"{"segredo":"WRONG_SECRET","acao":"#),
        ),
        ("not text", alert(b"\xff\xfe\x00")),
        (
            "in the query",
            post(&format!("/webhook?secret={SECRET}"), "", bare()),
        ),
    ]
}

#[tokio::test]
async fn every_403_is_the_same_bytes() {
    let mut world = World::start(Setup::default()).await;
    let requests = strangers();
    let count = requests.len();
    let mut first: Option<Vec<u8>> = None;
    for (cause, request) in requests {
        let reply = world.ask(request).await;
        assert_eq!(reply.status, 403, "{cause}");
        assert_eq!(reply.body(), "", "{cause}");
        let expected = first.get_or_insert_with(|| reply.raw.clone());
        assert_eq!(&reply.raw, expected, "{cause}");
    }
    assert!(world.submitted().await.is_empty());
    let directory = world.finish().await;
    let refused = refusals(directory.path());
    assert_eq!(refused.len(), count);
    for request in refused {
        assert!(["no_secret", "wrong_secret"].contains(&request.code.as_str()));
        assert_eq!(
            (request.http_status, request.peer.as_str()),
            (403, "127.0.0.1")
        );
        assert_eq!((request.source, request.excerpt), (None, None));
    }

    let elsewhere = World::start(Setup {
        allow_from: tradingview_only(),
        ..Setup::default()
    })
    .await;
    for request in [alert(MESSAGE), alert(bare()), alert("")] {
        let reply = elsewhere.ask(request).await;
        assert_eq!(Some(reply.raw), first, "wrong address");
    }
    let directory = elsewhere.finish().await;
    assert!(
        refusals(directory.path())
            .iter()
            .all(|request| request.code == "address")
    );
}

#[tokio::test]
async fn whoever_knows_the_secret_learns_what_is_wrong() {
    let mut world = World::start(Setup::default()).await;
    let path = format!("/webhook/{SECRET}");
    for (request, code, field) in [
        (
            alert(r#"{"segredo":"MEU_SEGREDO","acao":"COMPRA","ativo":"BTCUSDT","qtd":"{{x}}"}"#),
            "E_PLACEHOLDER",
            json!("qtd"),
        ),
        (
            alert(r#"{"segredo":"MEU_SEGREDO","acao":"#),
            "E_TRUNCATED",
            Value::Null,
        ),
        (post(&path, "", ""), "E_EMPTY", Value::Null),
        (
            post(
                &path,
                "",
                r#"{"acao":"COMPRA","ativo":"BTCUSDT","qtd":NaN}"#,
            ),
            "E_NO_NUMBER",
            json!("qtd"),
        ),
    ] {
        let reply = world.ask(request).await;
        let error = &reply.json()["error"];
        assert_eq!(
            (reply.status, &error["code"]),
            (400, &json!(code)),
            "{error}"
        );
        assert_eq!(error["field"], field, "{error}");
        assert_ne!(error["message"], "");
        if code != "E_EMPTY" {
            assert!(error["position"]["line"].is_u64(), "{error}");
        }
    }
    assert!(world.submitted().await.is_empty());
    let directory = world.finish().await;
    let refused = refusals(directory.path());
    assert_eq!(refused.len(), 4);
    assert_eq!(refused[0].code, "E_PLACEHOLDER");
    assert_eq!(refused[0].http_status, 400);
    assert_eq!(refused[0].source.as_ref().unwrap().as_str(), "main");
    let excerpt = refused[0].excerpt.as_ref().unwrap();
    assert!(
        excerpt.contains("«redacted»") && excerpt.contains("{{x}}"),
        "{excerpt}"
    );
}

#[tokio::test]
async fn too_large_is_413_by_length_and_by_stream() {
    let world = World::start(Setup::default()).await;
    // By its word alone, before a byte of it is there.
    let mut connection = world.connect().await;
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: ponte\r\ncontent-length: {}\r\n\r\n",
        BODY_BYTES_MAX + 1
    );
    connection.send(head).await;
    assert_eq!(connection.reply().await.status, 413);
    // With all of it under way, the answer still arrives.
    let large = vec![b' '; BODY_BYTES_MAX + 1];
    let mut connection = world.connect().await;
    connection.send(alert(&large)).await;
    let reply = connection.reply().await;
    assert_eq!((reply.status, reply.body()), (413, ""));
    assert!(reply.head().contains("connection: close\r\n"));
    assert!(connection.end().await.is_empty());
    // In pieces, without a word about the length.
    let mut connection = world.connect().await;
    connection
        .send("POST /webhook HTTP/1.1\r\nhost: ponte\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..BODY_BYTES_MAX / 4096 + 1 {
        connection
            .send(format!("1000\r\n{}\r\n", " ".repeat(4096)))
            .await;
    }
    assert_eq!(connection.reply().await.status, 413);
    // The largest that is taken, in one piece and in many.
    let mut largest = MESSAGE.as_bytes().to_vec();
    largest.resize(BODY_BYTES_MAX, b' ');
    assert_eq!(world.ask(alert(&largest)).await.status, 200);
    let mut connection = world.connect().await;
    connection
        .send("POST /webhook HTTP/1.1\r\nhost: ponte\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for piece in largest.chunks(1000) {
        connection.send(format!("{:x}\r\n", piece.len())).await;
        connection.send(piece).await;
        connection.send("\r\n").await;
    }
    connection.send("0\r\n\r\n").await;
    assert_eq!(connection.reply().await.json()["status"], "duplicate");
    let directory = world.finish().await;
    let refused = refusals(directory.path());
    assert_eq!(refused.len(), 3);
    assert!(
        refused
            .iter()
            .all(|r| r.code == "too_large" && r.http_status == 413)
    );
}

#[tokio::test]
async fn an_encoded_body_is_415() {
    let world = World::start(Setup::default()).await;
    for headers in [
        "content-encoding: gzip\r\n",
        "content-encoding: identity, br\r\n",
        "content-encoding: identity\r\ncontent-encoding: deflate\r\n",
    ] {
        let reply = world.ask(post("/webhook", headers, MESSAGE)).await;
        assert_eq!((reply.status, reply.body()), (415, ""), "{headers}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_address_that_fails_too_often_is_429_and_its_right_secret_is_taken() {
    let mut world = World::start(Setup {
        failures_per_minute: 3,
        ..Setup::default()
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let reply = world.ask(alert(bare())).await;
        statuses.push(reply.status);
        if reply.status == 429 {
            assert!(reply.head().contains("retry-after: 60\r\n"));
            assert_eq!(reply.body(), "");
        }
    }
    assert_eq!(statuses, [403, 403, 403, 429, 429]);
    // Whoever shares an address with somebody who fails must not lose an alert by it.
    assert_eq!(world.ask(alert(MESSAGE)).await.status, 200);
    assert_eq!(world.submitted().await.len(), 1);
    assert_eq!(world.ask(alert(bare())).await.status, 429);
    // A broken message of the owner is no failure of the address.
    let broken = r#"{"segredo":"MEU_SEGREDO","acao":"#;
    assert_eq!(world.ask(alert(broken)).await.status, 400);
    let text = world.metrics.text();
    assert!(text.contains("outcome=\"rate_limited\"} 3"), "{text}");
    let directory = world.finish().await;
    let codes: Vec<String> = refusals(directory.path())
        .into_iter()
        .map(|r| r.code)
        .collect();
    assert_eq!(
        codes,
        ["no_secret", "no_secret", "no_secret", "E_TRUNCATED"]
    );
}

#[tokio::test]
async fn a_forwarded_address_is_believed_from_trusted_proxies_only() {
    const GENUINE: &str = "52.89.214.238";
    let forwarded = |lines: &str| post("/webhook", lines, MESSAGE);
    let named = |address: &str| forwarded(&format!("x-forwarded-for: {address}\r\n"));
    let direct = World::start(Setup {
        allow_from: tradingview_only(),
        client_address: ClientAddress::XForwardedFor,
        ..Setup::default()
    })
    .await;
    assert_eq!(
        direct.ask(named(GENUINE)).await.status,
        403,
        "nobody is trusted"
    );
    direct.finish().await;

    let behind = World::start(Setup {
        allow_from: tradingview_only(),
        trusted_proxies: Some(NamedSet::Loopback),
        client_address: ClientAddress::XForwardedFor,
        failures_per_minute: 3,
        ..Setup::default()
    })
    .await;
    let two_lines = format!("x-forwarded-for: 1.2.3.4\r\nx-forwarded-for: {GENUINE}\r\n");
    for (case, request, status) in [
        ("genuine", named(GENUINE), 200),
        (
            "forged in front",
            named(&format!("1.2.3.4, {GENUINE}")),
            200,
        ),
        ("forged in a line before", forwarded(&two_lines), 200),
        (
            "forged, real one behind",
            named(&format!("{GENUINE}, 203.0.113.7")),
            403,
        ),
        ("missing", forwarded(""), 403),
        ("not an address", named("unknown"), 403),
        ("not text", forwarded("x-forwarded-for: \u{fc}\r\n"), 403),
        (
            "another header",
            forwarded(&format!("x-real-ip: {GENUINE}\r\n")),
            429,
        ),
        ("another client, not yet limited", named("203.0.113.8"), 403),
    ] {
        assert_eq!(behind.ask(request).await.status, status, "{case}");
    }
    let directory = behind.finish().await;
    let peers: Vec<String> = refusals(directory.path())
        .into_iter()
        .map(|r| r.peer)
        .collect();
    let unknown = "unknown, through 127.0.0.1";
    assert_eq!(
        peers,
        ["203.0.113.7", unknown, unknown, unknown, "203.0.113.8"]
    );
}

#[tokio::test]
async fn there_is_one_door_and_nothing_beside_it() {
    let world = World::start(Setup::default()).await;
    let length = "content-length: 0\r\n";
    for (line, status) in [
        ("GET /webhook", 405),
        ("PUT /webhook", 405),
        ("OPTIONS /webhook", 405),
        ("DELETE /webhook/MEU_SEGREDO", 405),
        ("GET /webhook/MEU_SEGREDO", 405),
        ("GET /", 404),
        ("GET /healthz", 404),
        ("GET /metrics", 404),
        ("POST /", 404),
        ("POST /webhook/", 404),
        ("POST //webhook", 404),
        ("POST /webhook/MEU_SEGREDO/", 404),
        ("POST /WEBHOOK", 404),
    ] {
        let request = format!("{line} HTTP/1.1\r\nhost: ponte\r\n{length}\r\n");
        let reply = world.ask(request).await;
        assert_eq!((reply.status, reply.body()), (status, ""), "{line}");
        assert_eq!(
            reply.head().contains("allow: POST\r\n"),
            status == 405,
            "{line}"
        );
    }
    let text = world.metrics.text();
    assert!(text.contains("outcome=\"method\"} 5"), "{text}");
    assert!(text.contains("outcome=\"not_found\"} 8"), "{text}");
    let directory = world.finish().await;
    // What was posted may have been an alert; the rest is only counted.
    let refused = refusals(directory.path());
    assert_eq!(refused.len(), 5);
    assert!(
        refused
            .iter()
            .all(|r| r.code == "not_found" && r.http_status == 404)
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::start(Setup {
        body_read_max: Duration::from_millis(50),
        ..Setup::default()
    })
    .await;
    let head = "POST /webhook HTTP/1.1\r\nhost: ponte\r\ncontent-length: 100\r\n\r\n";
    let mut connection = world.connect().await;
    connection.send(head).await;
    connection.send(&MESSAGE[..20]).await;
    let reply = connection.reply().await;
    assert_eq!((reply.status, reply.body()), (408, ""));
    assert!(connection.end().await.is_empty());
    let directory = world.finish().await;
    let refused = refusals(directory.path());
    assert_eq!((refused.len(), refused[0].code.as_str()), (1, "slow_body"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_recorded() {
    let world = World::start(Setup::default()).await;
    let head = "POST /webhook HTTP/1.1\r\nhost: ponte\r\ncontent-length: 100\r\n\r\n";
    let mut connection = world.connect().await;
    connection.send(head).await;
    connection.stream.shutdown().await.unwrap();
    connection.end().await;
    let mut connection = world.connect().await;
    connection
        .send("POST /webhook HTTP/1.1\r\nhost: ponte\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")
        .await;
    assert_eq!(connection.reply().await.status, 400);
    let directory = world.finish().await;
    let refused = refusals(directory.path());
    let codes: Vec<&str> = refused.iter().map(|r| r.code.as_str()).collect();
    assert_eq!(codes, ["incomplete_body", "incomplete_body"]);
}
