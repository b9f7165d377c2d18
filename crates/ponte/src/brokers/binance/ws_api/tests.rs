//! Requests and answers over a web socket that does what each test tells it.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::tls::client_config;

type Peer = WebSocketStream<TcpStream>;

async fn listen() -> (TcpListener, WsApi) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws-api/v3", listener.local_addr().unwrap());
    let api = WsApi::start(url, client_config(), Duration::from_secs(60));
    (listener, api)
}

async fn accept(listener: &TcpListener) -> Peer {
    let (stream, _) = listener.accept().await.unwrap();
    tokio_tungstenite::accept_async(stream).await.unwrap()
}

async fn opened(events: &mut mpsc::UnboundedReceiver<SocketEvent>) {
    while !matches!(events.recv().await, Some(SocketEvent::Opened)) {}
}

async fn request(peer: &mut Peer) -> Value {
    loop {
        if let Message::Text(text) = peer.next().await.unwrap().unwrap() {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

async fn say(peer: &mut Peer, value: Value) {
    peer.send(Message::text(value.to_string())).await.unwrap();
}

#[tokio::test]
async fn answers_find_their_requests_whatever_their_order() {
    let (listener, api) = listen().await;
    let mut events = api.take_events().unwrap();
    let mut peer = accept(&listener).await;
    opened(&mut events).await;
    let exchange = async {
        let first = request(&mut peer).await;
        let second = request(&mut peer).await;
        assert_eq!(first["method"], "one");
        say(
            &mut peer,
            serde_json::json!({"subscriptionId": 0, "event": {"e": "x"}}),
        )
        .await;
        for (asked, status) in [(&second, 200), (&first, 400)] {
            let field = if status == 200 { "result" } else { "error" };
            let mut answer = serde_json::json!({"id": asked["id"], "status": status,
                "rateLimits": [{"rateLimitType": "ORDERS", "interval": "SECOND",
                    "intervalNum": 10, "limit": 50, "count": 1}]});
            answer[field] = serde_json::json!({"method": asked["method"]});
            say(&mut peer, answer).await;
        }
    };
    let (one, two, ()) = tokio::join!(
        api.call("one", Value::Null),
        api.call("two", Value::Null),
        exchange
    );
    for (answer, wanted, method) in [(one, 400, "one"), (two, 200, "two")] {
        let SocketAnswer::Answered {
            status,
            body,
            limits,
        } = answer
        else {
            panic!("{method} was not answered");
        };
        assert_eq!(status, wanted);
        assert_eq!(body, format!("{{\"method\":\"{method}\"}}").into_bytes());
        assert_eq!(limits.len(), 1);
    }
    let Some(SocketEvent::Message(event)) = events.recv().await else {
        panic!("the event was lost");
    };
    assert!(event.contains("subscriptionId"));
}

#[tokio::test]
async fn a_request_that_was_written_is_unknown_when_the_connection_breaks() {
    let (listener, api) = listen().await;
    let mut events = api.take_events().unwrap();
    let mut peer = accept(&listener).await;
    opened(&mut events).await;
    let cut = async {
        request(&mut peer).await;
        drop(peer);
    };
    let (answer, ()) = tokio::join!(api.call("order.place", Value::Null), cut);
    assert!(matches!(answer, SocketAnswer::Broken(_)), "{answer:?}");
    assert!(matches!(events.recv().await, Some(SocketEvent::Closed(_))));
    // It comes back by itself.
    accept(&listener).await;
    opened(&mut events).await;
}

#[tokio::test]
async fn a_request_without_a_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let api = WsApi::start(url, client_config(), Duration::from_secs(60));
    let answer = api.call("order.place", Value::Null).await;
    assert!(matches!(answer, SocketAnswer::NotSent(_)), "{answer:?}");
}

#[tokio::test]
async fn a_renewal_waits_for_open_requests() {
    let (listener, api) = listen().await;
    let mut events = api.take_events().unwrap();
    let mut peer = accept(&listener).await;
    opened(&mut events).await;
    let exchange = async {
        let asked = request(&mut peer).await;
        api.renew();
        // The next connection is made only after the answer on this one.
        say(
            &mut peer,
            serde_json::json!({"id": asked["id"], "status": 200, "result": {}}),
        )
        .await;
        accept(&listener).await;
    };
    let (answer, ()) = tokio::join!(api.call("x", Value::Null), exchange);
    assert!(matches!(answer, SocketAnswer::Answered { status: 200, .. }));
}
