//! The paper face over real loopback connections, each fault shown.

use ponte_venue::faces::paper::{BODY_BYTES_MAX, PaperFace, PaperOptions};
use ponte_venue::feed::FeedOptions;
use ponte_venue::{FillModel, VenueOptions};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server with an account `demo` of 100000 USD, and a client.
struct Server {
    address: SocketAddr,
    client: Client,
    face: PaperFace,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start() -> Server {
        Server::start_with(PaperOptions::paper()).await
    }

    async fn start_with(options: PaperOptions) -> Server {
        let face = PaperFace::new(options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = face.clone();
        let running = tokio::spawn(async move {
            let stop = async move { drop(stopped.await) };
            serving.serve_until(listener, stop).await
        });
        // Another crate of the workspace asks reqwest for TLS without a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .retry(reqwest::retry::never())
            .build()
            .unwrap();
        let server = Server {
            address,
            client,
            face,
            stop: Some(stop),
            running,
        };
        let (status, _) = server
            .put("/v1/demo", json!({"currency": "USD", "balance": "100000"}))
            .await;
        assert_eq!(status, StatusCode::OK);
        server
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = self
            .client
            .request(method, format!("http://{}{path}", self.address));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.json().await?))
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.try_send(Method::GET, path, None).await.unwrap()
    }

    async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.try_send(Method::PUT, path, Some(body)).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.try_send(Method::POST, path, Some(body)).await.unwrap()
    }

    async fn delete(&self, path: &str) -> (StatusCode, Value) {
        self.try_send(Method::DELETE, path, None).await.unwrap()
    }

    async fn place(&self, id: &str) -> reqwest::Result<(StatusCode, Value)> {
        self.try_send(Method::POST, "/v1/demo/orders", Some(market(id)))
            .await
    }

    async fn fault(&self, rule: Value) {
        let (status, answer) = self.post("/admin/faults", rule).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    /// The numbers of the reports in an answer.
    async fn report_numbers(&self, query: &str) -> Vec<u64> {
        let (status, answer) = self.get(&format!("/v1/demo/reports?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["reports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|report| report["number"].as_u64().unwrap())
            .collect()
    }

    async fn stop(mut self) {
        drop(self.stop.take());
        self.running.await.unwrap().unwrap();
    }
}

fn market(id: &str) -> Value {
    json!({"client_order_id": id, "symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": "0.1", "reference_price": "60000"})
}

fn waiting(id: &str) -> Value {
    json!({"client_order_id": id, "symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.1", "price": "50000"})
}

#[tokio::test]
async fn an_order_from_placing_to_the_audit() {
    let server = Server::start().await;
    let (status, order) = server.place("a").await.unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (
            &order["status"],
            &order["filled_quantity"],
            &order["average_price"]
        ),
        (&json!("filled"), &json!("0.1"), &json!("60000"))
    );
    assert_eq!(
        server.get("/v1/demo/orders/a").await,
        (StatusCode::OK, order.clone())
    );
    assert_eq!(
        server.get("/v1/demo/orders/b").await,
        (StatusCode::NOT_FOUND, json!({"absent": true}))
    );
    let (_, positions) = server.get("/v1/demo/positions").await;
    assert_eq!(
        (
            &positions["positions"][0]["symbol"],
            &positions["positions"][0]["quantity"]
        ),
        (&json!("BTCUSDT"), &json!("0.1"))
    );
    server
        .post("/v1/ticks", json!({"symbol": "BTCUSDT", "price": "61000"}))
        .await;
    let (_, balance) = server.get("/v1/demo/balance").await;
    assert_eq!(balance["equity"], json!("100100"));
    // Opening it again leaves it as it is.
    let (_, again) = server
        .put("/v1/demo", json!({"currency": "EUR", "balance": "7"}))
        .await;
    assert_eq!(again, balance);
    let (_, audit) = server.get("/v1/demo/audit").await;
    assert_eq!(
        (&audit["orders"], &audit["forgotten_orders"]),
        (&json!([order]), &json!(0))
    );
    let (_, instruments) = server.get("/v1/demo/instruments").await;
    assert!(instruments["instruments"].as_array().unwrap().len() > 5);
    assert!(
        server.get("/v1/time").await.1["time_micros"]
            .as_i64()
            .unwrap()
            > 1_700_000_000_000_000
    );
    server.stop().await;
}

#[tokio::test]
async fn waiting_orders_are_listed_and_cancelled() {
    let server = Server::start().await;
    for id in ["a", "b", "c"] {
        assert_eq!(
            server.post("/v1/demo/orders", waiting(id)).await.0,
            StatusCode::OK
        );
    }
    assert_eq!(
        server.get("/v1/demo/orders").await.1["orders"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let (status, order) = server.delete("/v1/demo/orders/a").await;
    assert_eq!(
        (status, &order["status"], &order["reason"]),
        (StatusCode::OK, &json!("cancelled"), &json!("requested"))
    );
    assert_eq!(
        server.delete("/v1/demo/orders/a").await.0,
        StatusCode::CONFLICT
    );
    assert_eq!(
        server.delete("/v1/demo/orders/z").await,
        (StatusCode::NOT_FOUND, json!({"absent": true}))
    );
    assert_eq!(
        server.delete("/v1/demo/orders?symbol=ETHUSDT").await.1,
        json!({"orders": []})
    );
    let (_, cancelled) = server.delete("/v1/demo/orders?symbol=BTCUSDT").await;
    assert_eq!(cancelled["orders"].as_array().unwrap().len(), 2);
    assert_eq!(server.get("/v1/demo/orders").await.1, json!({"orders": []}));
    assert_eq!(server.report_numbers("").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(server.report_numbers("after=4").await, [5, 6]);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let server = Server::start().await;
    let with = |key: &str, value: Value| {
        let mut body = market("a");
        body[key] = value;
        body
    };
    let cases = [
        (
            with("quantity", json!("0.000001")),
            "below_minimum_quantity",
        ),
        (with("quantity", json!(0.5)), "malformed"),
        (with("quantity", json!("1e-1")), "malformed"),
        (with("surprise", json!(1)), "malformed"),
        (with("price", json!("1")), "invalid_request"),
        (with("type", json!("limit")), "invalid_request"),
        (with("valid_until", json!(5)), "expired"),
        (with("quantity", json!("100")), "insufficient_funds"),
        (json!([]), "malformed"),
    ];
    for (body, code) in cases {
        let (status, answer) = server.post("/v1/demo/orders", body.clone()).await;
        assert_eq!(
            (status, &answer["reject"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{body} {answer}"
        );
        assert!(!answer["reject"]["message"].as_str().unwrap().is_empty());
    }
    let (status, answer) = server.get("/v1/nobody/orders/a").await;
    assert_eq!(
        (status, &answer["error"]["code"], &answer["absent"]),
        (
            StatusCode::NOT_FOUND,
            &json!("unknown_account"),
            &Value::Null
        )
    );
    let (status, answer) = server.get("/v1/demo/reports?wait_ms=30001").await;
    assert_eq!(
        (status, &answer["error"]["message"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("wait_ms 30001 is above 30000")
        )
    );
    assert_eq!(
        server.get("/v1/demo/reports?before=1").await.0,
        StatusCode::BAD_REQUEST
    );
    let long = json!({"client_order_id": "x".repeat(BODY_BYTES_MAX)});
    assert_eq!(
        server.post("/v1/demo/orders", long).await.1["reject"]["code"],
        json!("malformed")
    );
    assert_eq!(server.get("/v1/demo/audit").await.1["orders"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_long_poll_wakes_when_something_happens_and_when_the_server_stops() {
    let server = Server::start().await;
    assert_eq!(server.report_numbers("wait_ms=1").await, [] as [u64; 0]);
    let (reports, placed) = tokio::join!(
        server.report_numbers("after=0&wait_ms=30000"),
        server.post("/v1/demo/orders", waiting("a"))
    );
    assert_eq!((reports, placed.0), (vec![1], StatusCode::OK));
    let url = format!(
        "http://{}/v1/demo/reports?after=1&wait_ms=30000",
        server.address
    );
    let poll = tokio::spawn(server.client.get(url).send());
    // Until the server has it, the poll could meet a closed door.
    while !server.face.is_somebody_waiting() {
        tokio::task::yield_now().await;
    }
    server.stop().await;
    let answer: Value = poll.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(
        (&answer["reports"], &answer["newest"]),
        (&json!([]), &json!(1))
    );
}

/// Sends the request and gives all bytes that come back before the connection ends.
async fn raw(address: SocketAddr, method: &str, path: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
    let mut received = Vec::new();
    // A reset is as good an end as a close.
    let _ = stream.read_to_end(&mut received).await;
    received
}

#[tokio::test]
async fn accept_then_disconnect_executes_and_says_nothing() {
    let server = Server::start().await;
    server.fault(json!({"fault": "accept_then_disconnect", "trigger": {"next": 2}, "operation": "place"})).await;
    let received = raw(
        server.address,
        "POST",
        "/v1/demo/orders",
        &market("a").to_string(),
    )
    .await;
    assert_eq!(received, b"");
    assert_eq!(
        server.get("/v1/demo/orders/a").await.1["status"],
        json!("filled")
    );
    // A usual client sees an error too, and doesn't try again by itself.
    assert!(server.place("b").await.is_err());
    assert_eq!(
        server.get("/v1/demo/audit").await.1["orders"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(server.get("/admin/faults").await.1, json!({"faults": []}));
    server.stop().await;
}

#[tokio::test]
async fn disconnect_before_executes_nothing() {
    let server = Server::start().await;
    server
        .fault(json!({"fault": "disconnect_before", "trigger": {"next": 1}, "operation": "place"}))
        .await;
    assert_eq!(
        raw(
            server.address,
            "POST",
            "/v1/demo/orders",
            &market("a").to_string()
        )
        .await,
        b""
    );
    assert_eq!(
        server.get("/v1/demo/orders/a").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(server.place("a").await.unwrap().0, StatusCode::OK);
    server.stop().await;
}

#[tokio::test]
async fn every_operation_can_be_struck() {
    let server = Server::start().await;
    server.post("/v1/demo/orders", waiting("a")).await;
    let paths = [
        ("find", "GET", "/v1/demo/orders/a"),
        ("cancel", "DELETE", "/v1/demo/orders/a"),
        ("reports", "GET", "/v1/demo/reports"),
    ];
    for (operation, method, path) in paths {
        server.fault(json!({"fault": "accept_then_disconnect", "trigger": {"next": 1}, "operation": operation})).await;
        assert_eq!(
            raw(server.address, method, path, "").await,
            b"",
            "{operation}"
        );
    }
    assert_eq!(
        server.get("/v1/demo/orders/a").await.1["status"],
        json!("cancelled")
    );
    server.stop().await;
}

#[tokio::test]
async fn answers_can_lie_about_what_was_done() {
    let server = Server::start().await;
    server
        .fault(json!({"fault": "error_after_accept", "trigger": {"next": 1}}))
        .await;
    assert_eq!(
        server.place("a").await.unwrap().0,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    server
        .fault(json!({"fault": "pretend_absent", "trigger": {"next": 1}}))
        .await;
    assert_eq!(
        server.get("/v1/demo/orders/a").await.1,
        json!({"absent": true})
    );
    assert_eq!(
        server.get("/v1/demo/orders/a").await.1["status"],
        json!("filled")
    );
    server
        .fault(json!({"fault": "reject", "trigger": {"per_mille": 1000}}))
        .await;
    let (status, answer) = server.place("b").await.unwrap();
    assert_eq!(
        (status, &answer["reject"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("injected"))
    );
    assert_eq!(
        server.get("/v1/demo/orders/b").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(server.delete("/admin/faults").await.0, StatusCode::OK);
    assert_eq!(server.place("b").await.unwrap().0, StatusCode::OK);
    let (status, answer) = server
        .post(
            "/admin/faults",
            json!({"fault": "explode", "trigger": {"next": 1}}),
        )
        .await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("malformed"))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_delayed_order_meets_its_time_fence() {
    let server = Server::start().await;
    server.fault(json!({"fault": {"delay": {"milliseconds": 40}}, "trigger": {"next": 1}, "operation": "place"})).await;
    let now = server.get("/v1/time").await.1["time_micros"]
        .as_i64()
        .unwrap();
    let mut body = market("a");
    body["valid_until"] = json!(now + 1_000);
    let (status, answer) = server.post("/v1/demo/orders", body).await;
    assert_eq!(
        (status, &answer["reject"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("expired"))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_delayed_order_arrives_though_the_client_has_gone() {
    let server = Server::start().await;
    server.fault(json!({"fault": {"delay": {"milliseconds": 40}}, "trigger": {"next": 1}, "operation": "place"})).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let body = market("a").to_string();
    let head = format!(
        "POST /v1/demo/orders HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
    // The fault is spent once the server has the request.
    while server.get("/admin/faults").await.1 != json!({"faults": []}) {
        tokio::task::yield_now().await;
    }
    drop(stream);
    while server.get("/v1/demo/orders/a").await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn live_reports_come_twice_late_or_never_and_a_gap_can_be_read() {
    let server = Server::start().await;
    server
        .fault(json!({"fault": "lose_report", "trigger": {"next": 1}}))
        .await;
    server.place("a").await.unwrap();
    assert_eq!(server.report_numbers("wait_ms=30000").await, [2]);
    assert_eq!(
        server.report_numbers("wait_ms=1").await,
        [2],
        "what is lost stays lost to the live delivery"
    );
    assert_eq!(server.report_numbers("after=0").await, [1, 2]);
    server
        .fault(json!({"fault": "duplicate_report", "trigger": {"next": 1}}))
        .await;
    server.place("b").await.unwrap();
    assert_eq!(
        server.report_numbers("after=2&wait_ms=30000").await,
        [3, 3, 4]
    );
    server
        .fault(json!({"fault": {"late_report": {"milliseconds": 150}}, "trigger": {"next": 1}}))
        .await;
    server.place("c").await.unwrap();
    assert_eq!(server.report_numbers("after=4&wait_ms=30000").await, [6]);
    assert_eq!(server.report_numbers("after=6&wait_ms=30000").await, [5]);
    // The last one lost: the answer to the next poll shows that there is a newer one.
    server
        .fault(json!({"fault": "lose_report", "trigger": {"next": 2}}))
        .await;
    server.place("d").await.unwrap();
    let (_, answer) = server.get("/v1/demo/reports?after=6&wait_ms=1").await;
    assert_eq!(
        (&answer["reports"], &answer["newest"], &answer["oldest"]),
        (&json!([]), &json!(8), &json!(1))
    );
    server.stop().await;
}

#[tokio::test]
async fn the_feed_makes_prices_for_what_is_held() {
    let options = PaperOptions {
        venue: VenueOptions {
            fill_model: FillModel::pessimistic(),
            ..VenueOptions::paper()
        },
        feed: Some(FeedOptions {
            step_micros: 1_000,
            ..FeedOptions::default()
        }),
        ..PaperOptions::paper()
    };
    let server = Server::start_with(options).await;
    let mut body = market("a");
    body.as_object_mut().unwrap().remove("reference_price");
    assert_eq!(
        server.post("/v1/demo/orders", body).await.1["status"],
        json!("filled")
    );
    // With a reference price the walk goes on from there.
    let (_, order) = server.place("b").await.unwrap();
    assert_eq!(order["average_price"], json!("60030"));
    let price = || {
        server
            .face
            .venue()
            .unwrap()
            .last_price("BTCUSDT")
            .unwrap()
            .price
    };
    let first = price();
    while price() == first {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn only_loopback_unless_told_otherwise() {
    let anywhere = || TcpListener::bind("0.0.0.0:0");
    let error = ponte_venue::faces::paper::serve(anywhere().await.unwrap(), PaperOptions::paper())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is not a loopback address, and remote access is not allowed"),
        "{error}"
    );
    let options = PaperOptions {
        allow_remote: true,
        ..PaperOptions::paper()
    };
    let stop = std::future::ready(());
    ponte_venue::faces::paper::serve_until(anywhere().await.unwrap(), options, stop)
        .await
        .unwrap();
}
