//! What the client says of connections that fail at different moments.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::tls::client_config;

/// Answers each connection's first request with these bytes and closes it.
async fn server(answer: &'static [u8]) -> (Http, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(answer).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let http = Http::new(&base, &client_config(), Duration::from_secs(1)).unwrap();
    (http, seen)
}

fn key() -> Secret {
    Secret::new("a-key-for-tests".to_owned()).unwrap()
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let http = Http::new(&base, &client_config(), Duration::from_secs(1)).unwrap();
    let exchange = http
        .exchange(Method::POST, "/x", "signature=abc".to_owned(), None)
        .await;
    let Exchange::NotSent(why) = exchange else {
        panic!("a connection that never was counts as sent");
    };
    assert!(!why.contains("abc"));
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_is_broken() {
    let (http, seen) = server(b"").await;
    let query = "symbol=BTCUSDT&signature=abc".to_owned();
    let exchange = http.exchange(Method::GET, "/x", query, Some(&key())).await;
    let Exchange::Broken(why) = exchange else {
        panic!("half an exchange counts as a whole one");
    };
    assert!(!why.contains("abc") && !why.contains("BTCUSDT"), "{why}");
    let request = seen.await.unwrap();
    assert!(request.starts_with("GET /x?symbol=BTCUSDT&signature=abc HTTP/1.1"));
    assert!(
        request
            .to_lowercase()
            .contains("x-mbx-apikey: a-key-for-tests")
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_broken() {
    let (http, _seen) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":").await;
    let exchange = http.exchange(Method::GET, "/x", String::new(), None).await;
    assert!(matches!(exchange, Exchange::Broken(_)));
}

#[tokio::test]
async fn a_whole_answer_comes_with_its_headers() {
    let (http, seen) =
        server(b"HTTP/1.1 429 Too Many\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\n{}").await;
    let exchange = http
        .exchange(Method::POST, "/x", "a=1".to_owned(), None)
        .await;
    let Exchange::Answered(answer) = exchange else {
        panic!("no answer");
    };
    assert_eq!((answer.status, answer.body.as_slice()), (429, &b"{}"[..]));
    assert_eq!(answer.headers["retry-after"], "7");
    let request = seen.await.unwrap();
    assert!(request.ends_with("\r\n\r\na=1"));
}

#[tokio::test]
async fn a_redirection_is_an_answer_and_is_not_followed() {
    let (http, _seen) =
        server(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .await;
    let exchange = http.exchange(Method::GET, "/x", String::new(), None).await;
    assert!(matches!(
        exchange,
        Exchange::Answered(Answer { status: 302, .. })
    ));
}
