//! The door that bridges knock at, over plain HTTP on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use ponte::bridge::protocol::{BODY_BYTES_MAX, SYNC_PATH, SyncRequest};
use ponte::bridge::{Hub, Ran};
use ponte::metrics::Metrics;
use ponte::server::{self, Security};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::scripted::{ScriptedBridge, code};
use super::{Desk, TOKEN};
use crate::program;

const LONG: Duration = Duration::from_secs(60);

/// Serves the desk's hub as the program does, and says where.
async fn served(desk: &Desk) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    assert!(server::may_be_plain(address));
    let router = desk.hub.router();
    let limits = Hub::limits();
    tokio::spawn(async move {
        let never = std::future::pending::<()>();
        server::serve_secured(listener, router, &Security::Plain, limits, never).await
    });
    address
}

async fn post(address: SocketAddr, token: &str, body: Vec<u8>) -> (StatusCode, String) {
    let answer = program::client()
        .post(format!("http://{address}{SYNC_PATH}"))
        .header("authorization", format!("Bearer {token}"))
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_bridge_calls_and_is_counted() {
    let desk = Desk::new();
    let metrics = Metrics::default();
    desk.line.meter(&metrics);
    let address = served(&desk).await;
    let base = format!("http://{address}");
    let mut bridge = ScriptedBridge::posting(program::client(), &base, TOKEN);
    bridge.hello().await;
    assert!(
        metrics
            .text()
            .contains("ponte_terminal_connected{account=\"mt5\"} 1"),
        "{}",
        metrics.text()
    );
    let (fetched, running) = tokio::join!(bridge.poll(20_000), async {
        // The request is held by now, or soon: either way it gets the command.
        tokio::task::yield_now().await;
        desk.run("01", LONG, LONG)
    });
    bridge.done(&fetched[0], vec![code(10009)]).await;
    assert!(matches!(running.ran().await, Ran::Answered(_)));
    bridge.state.connected = false;
    bridge.tell(Vec::new()).await;
    let text = metrics.text();
    for line in [
        "ponte_terminal_connected{account=\"mt5\"} 0",
        "ponte_bridge_session_age_seconds{account=\"mt5\"} 0",
        "ponte_bridge_commands_total{account=\"mt5\",outcome=\"answered\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn a_wrong_token_says_nothing_and_keeps_nobody_out() {
    let desk = Desk::new();
    let address = served(&desk).await;
    let mut seen = Vec::new();
    for number in 0..25 {
        // Neither what is sent nor how much decides: it is not read.
        let body = vec![b'{'; number];
        seen.push(post(address, &format!("wrong-{number}"), body).await);
    }
    assert!(
        seen[..20].iter().all(|answer| *answer == seen[0]),
        "{seen:?}"
    );
    assert_eq!(seen[0].0, StatusCode::UNAUTHORIZED);
    assert_eq!(seen[20].0, StatusCode::TOO_MANY_REQUESTS);
    let no_token = program::client()
        .post(format!("http://{address}{SYNC_PATH}"))
        .send();
    assert_eq!(
        no_token.await.unwrap().status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    let mut bridge = ScriptedBridge::calling(&desk.hub, TOKEN);
    bridge.hello().await;
    let base = format!("http://{address}");
    let mut bridge = ScriptedBridge::posting(program::client(), &base, TOKEN);
    bridge.hello().await;
    assert!(
        ScriptedBridge::calling(&desk.hub, "wrong")
            .send(bridge.facts())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_can_not_be_read_is_refused_with_its_reason() {
    let desk = Desk::new();
    let address = served(&desk).await;
    let deep = "[".repeat(100_000);
    let version = r#"{"protocol":7,"bridge":"another shape"}"#;
    for (body, status, words) in [
        ("no json", 400, "line 1 column"),
        (deep.as_str(), 400, "not_understood"),
        (r#"{"protocol":1}"#, 400, "missing field `bridge`"),
        (version, 426, "version 7"),
    ] {
        let (found, text) = post(address, TOKEN, body.as_bytes().to_vec()).await;
        assert_eq!(found.as_u16(), status, "{text}");
        assert!(text.contains(words), "{text}");
    }
    let (status, text) = post(address, TOKEN, vec![b' '; BODY_BYTES_MAX + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
    // One that doesn't say how long it is.
    let mut endless = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {SYNC_PATH} HTTP/1.1\r\nhost: ponte\r\nauthorization: Bearer {TOKEN}\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    endless.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    for _ in 0..=BODY_BYTES_MAX / 0x8000 {
        endless.write_all(chunk.as_bytes()).await.unwrap();
    }
    let mut answer = [0; 12];
    endless.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let other = program::client().get(format!("http://{address}{SYNC_PATH}"));
    assert_eq!(
        other.send().await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let other = program::client().post(format!("http://{address}/"));
    assert_eq!(other.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

/// Writes a request by hand, and leaves the connection open.
async fn ask(address: SocketAddr, request: &SyncRequest) -> TcpStream {
    let body = serde_json::to_vec(request).unwrap();
    let head = format!(
        "POST {SYNC_PATH} HTTP/1.1\r\nhost: ponte\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    stream
}

#[tokio::test]
async fn a_bridge_that_has_died_is_handed_nothing() {
    let desk = Desk::new();
    let address = served(&desk).await;
    let base = format!("http://{address}");
    let mut bridge = ScriptedBridge::posting(program::client(), &base, TOKEN);
    bridge.hello().await;
    let held = SyncRequest {
        take: true,
        hold_ms: 20_000,
        state: Some(bridge.state.clone()),
        ..bridge.request()
    };
    // The request has arrived when its facts were heard.
    let heard = desk.ear.all().len();
    let dying = ask(address, &held).await;
    while desk.ear.all().len() == heard {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(dying);
    // By the time that this is answered, the end of that connection has been seen.
    bridge.tell(Vec::new()).await;
    let running = desk.run("01", LONG, LONG);
    let fetched = bridge.command().await;
    assert_eq!(fetched.number, 1, "number 1 went nowhere");
    running.abort();
}

#[tokio::test]
async fn what_is_held_is_let_go_at_the_end() {
    let desk = Desk::new();
    let address = served(&desk).await;
    let base = format!("http://{address}");
    let mut bridge = ScriptedBridge::posting(program::client(), &base, TOKEN);
    bridge.hello().await;
    let held = SyncRequest {
        take: true,
        hold_ms: 20_000,
        ..bridge.request()
    };
    let mut stream = ask(address, &held).await;
    desk.hub.close();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}
