//! Senders that take their time: with the headers, with the body, with the handshake.

use super::{BOTH, Connection, Speaks, Target, post, stranger};

/// What a slow sender has said so far, and would say more of.
const HEADERS: &[u8] = b"POST /webhook HTTP/1.1\r\nhost: ponte\r\nx-a: b";

#[tokio::test]
async fn slow_headers_and_bodies_hold_up_nobody() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let body = post("/webhook", "", &[b' '; 1000]);
        let mut held: Vec<Connection> = Vec::new();
        for start in [HEADERS, &body[..body.len() - 900], b"", b"P"] {
            for number in 0..4 {
                for _ in 0..50 / 4 {
                    let mut connection = target.connect(stranger(number)).await.unwrap();
                    connection.write(start).await;
                    held.push(connection);
                }
            }
            target.owner_passes("while slow senders wait").await;
        }
        // A byte now and then gains no time.
        for connection in &mut held {
            connection.write(b"a").await;
        }
        target.is_unharmed("192 slow senders").await;
        // All of them are over by themselves.
        for connection in held {
            let said = connection.rest().await;
            let is_refusal = ["", "HTTP/1.1 403", "HTTP/1.1 400", "HTTP/1.1 429"];
            let is_one = |refusal: &&str| !refusal.is_empty() && said.starts_with(*refusal);
            assert!(said.is_empty() || is_refusal.iter().any(is_one), "{said}");
        }
        target.is_unharmed("after they were closed").await;
    }
}

#[tokio::test]
async fn slow_and_broken_handshakes_hold_up_nobody() {
    let mut target = Target::start(Speaks::Tls).await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let huge = [&b"\x16\x03\x01\x40\x00\x01\x00\xff\xff"[..], &[0; 60]].concat();
    let mut held = Vec::new();
    for start in [&b""[..], b"\x16", hello, &huge] {
        for number in 0..30 {
            for _ in 0..10 {
                let mut connection =
                    Connection(Box::new(target.touch(stranger(number)).await.unwrap()));
                connection.write(start).await;
                held.push(connection);
            }
        }
        target.owner_passes("while handshakes hang").await;
    }
    target.is_unharmed("1,200 handshakes under way").await;
    for connection in held {
        connection.rest().await;
    }
    target.is_unharmed("after they were closed").await;
    let zeros = vec![0; 100_000];
    let ones = vec![0xFF; 100_000];
    let alert = post("/webhook", "", target.alert("in-the-clear").as_bytes());
    for (case, bytes) in [
        ("HTTP in the clear", &alert[..]),
        ("zeros", &zeros),
        ("ones", &ones),
        (
            "an SSLv2 hello",
            b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10",
        ),
        ("an alert record", b"\x15\x03\x03\x00\x02\x02\x28"),
        ("application data", b"\x17\x03\x03\x00\x05hello"),
    ] {
        for _ in 0..20 {
            let mut connection = Connection(Box::new(target.touch(stranger(1)).await.unwrap()));
            connection.write(bytes).await;
            let said = connection.rest().await;
            assert!(!said.contains("HTTP/"), "{case}: {said}");
        }
        target.owner_passes(case).await;
    }
    target.is_unharmed("garbage in place of TLS").await;
}
