//! Requests that are none: framing that two programs could read in two ways, paths that mean another,
//! bombs, and headers without end. All come from the owner's own address and with its secret, as they
//! would through a proxy; none may be decided, and none may bring a second one along.

// Tables are read best in one piece.
#![allow(clippy::too_many_lines)]

use super::{BOTH, OWNER, Target, post, stranger};

/// Most bytes of the line and the headers.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// The statuses of the answers, in their order.
fn statuses(said: &str) -> Vec<u16> {
    let answers = said.split("HTTP/1.1 ").skip(1);
    answers.map(|answer| answer[..3].parse().unwrap()).collect()
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // a table: one entry for each shape
async fn framing_is_read_in_one_way_only() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let alert = target.alert("smuggled");
        let inner = String::from_utf8(post("/webhook", "", alert.as_bytes())).unwrap();
        let (length, inner_length) = (alert.len(), inner.len());
        let head = "POST /webhook HTTP/1.1\r\nhost: ponte\r\n";
        let chunk = format!("{length:x}\r\n{alert}\r\n0\r\n\r\n");
        for (case, request, expected) in [
            (
                "a length and chunks: the chunks count, and the connection ends",
                format!(
                    "{head}content-length: {inner_length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
                ),
                &[403][..],
            ),
            (
                "chunks and a length: the same",
                format!(
                    "{head}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{inner}"
                ),
                &[403],
            ),
            (
                "two lengths that differ",
                format!("{head}content-length: 0\r\ncontent-length: {length}\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "two lengths in one",
                format!("{head}content-length: 0, {length}\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "a length with a sign",
                format!("{head}content-length: +{length}\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "a length below nothing",
                format!("{head}content-length: -1\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "a length in hexadecimal",
                format!("{head}content-length: 0x10\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "a length past every number",
                format!("{head}content-length: 99999999999999999999\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "another encoding of the transfer",
                format!("{head}transfer-encoding: identity\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "chunked, but not last",
                format!("{head}transfer-encoding: chunked, gzip\r\n\r\n{chunk}"),
                &[400],
            ),
            (
                "chunks in HTTP/1.0",
                format!("POST /webhook HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n{chunk}"),
                &[400],
            ),
            (
                "a header's name with a space",
                format!("{head}transfer-encoding : chunked\r\n\r\n{chunk}"),
                &[400],
            ),
            (
                "a folded header",
                format!("{head}x-folded: a\r\n transfer-encoding: chunked\r\n\r\n{chunk}"),
                &[400],
            ),
            (
                "a line that ends in CR alone",
                format!("{head}x-a: b\rx-c: d\r\n\r\n"),
                &[400],
            ),
            (
                "a NUL in a header",
                format!("{head}x-a: b\0c\r\n\r\n"),
                &[400],
            ),
            (
                "another version",
                format!("POST /webhook HTTP/3.0\r\n\r\n{alert}"),
                &[400],
            ),
            (
                "no version",
                format!("POST /webhook\r\n\r\n{alert}"),
                &[400],
            ),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[]),
            (
                "a proxy's request",
                "CONNECT ponte:443 HTTP/1.1\r\nhost: ponte:443\r\nconnection: close\r\n\r\n"
                    .to_owned(),
                &[404],
            ),
        ] {
            let said = target.say(OWNER, request.as_bytes()).await;
            assert_eq!(statuses(&said), expected, "{speaks:?}: {case}: {said}");
            target.owner_passes(case).await;
        }
        target.is_unharmed("framing").await;
    }
}

#[tokio::test]
async fn chunks_are_read_to_the_letter() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let alert = target.alert("chunked");
        let length = alert.len();
        let head = "POST /webhook HTTP/1.1\r\nhost: ponte\r\ntransfer-encoding: chunked\r\n\r\n";
        let extension = "x".repeat(100_000);
        for (case, chunks) in [
            ("no number", format!("{alert}\r\n0\r\n\r\n")),
            ("a sign", format!("+{length:x}\r\n{alert}\r\n0\r\n\r\n")),
            (
                "below nothing",
                format!("-{length:x}\r\n{alert}\r\n0\r\n\r\n"),
            ),
            ("a prefix", format!("0x{length:x}\r\n{alert}\r\n0\r\n\r\n")),
            (
                "past every number",
                format!("fffffffffffffffff\r\n{alert}\r\n0\r\n\r\n"),
            ),
            (
                "shorter than it says",
                format!("{:x}\r\n{alert}\r\n0\r\n\r\n", length + 1),
            ),
            (
                "longer than it says",
                format!("{:x}\r\n{alert}\r\n0\r\n\r\n", length - 1),
            ),
            ("no end of line", format!("{length:x}\n{alert}\n0\n\n")),
            (
                "an extension without end",
                format!("{length:x};{extension}\r\n{alert}\r\n0\r\n\r\n"),
            ),
            (
                "a trailer without end",
                format!("{length:x}\r\n{alert}\r\n0\r\nx: {extension}\r\n\r\n"),
            ),
        ] {
            let said = target
                .say(OWNER, format!("{head}{chunks}").as_bytes())
                .await;
            assert_eq!(statuses(&said), [400], "{speaks:?}: {case}: {said}");
            target.owner_passes(case).await;
        }
        // As small as they may be.
        let mut small: String = alert.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
        small = small.replace("chunked", "in-pieces") + "0\r\n\r\n";
        let request = head.replace("host", "connection: close\r\nhost") + &small;
        let said = target.say(stranger(0), request.as_bytes()).await;
        assert_eq!(statuses(&said), [403], "{speaks:?}: {said}");
        target.is_unharmed("chunks").await;
    }
}

#[tokio::test]
async fn no_path_means_another() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let alert = target.alert("by-a-trick");
        let secret = crate::program::SECRET;
        for (path, expected) in [
            ("//webhook", 404),
            ("/webhook/", 404),
            ("/webhook//", 404),
            ("/webhook/../webhook", 404),
            ("/./webhook", 404),
            ("/x/../webhook", 404),
            ("/%77ebhook", 404),
            ("/webhook%00", 404),
            ("/webhook%2f", 404),
            ("/WEBHOOK", 404),
            ("/webhook;a=b", 404),
            ("/webhook/a/b", 404),
            ("/healthz", 404),
            ("/api/halt", 404),
            ("/", 404),
            ("http://ponte/api/halt", 404),
            ("*", 404),
            // A token is a secret, and this one is wrong; the right one in the body does not heal it.
            ("/webhook/..", 403),
            ("/webhook/.", 403),
            ("/webhook/%2e%2e", 403),
            ("/webhook/%2e%2e%2fapi%2fhalt", 403),
            ("/webhook/%ff", 403),
            ("/webhook/%", 403),
            ("/webhook/%00", 403),
            ("/webhook/a;b", 403),
            ("webhook", 404),
            ("", 400),
        ] {
            let request = post(path, "connection: close\r\n", alert.as_bytes());
            let said = target.say(OWNER, &request).await;
            assert_eq!(statuses(&said), [expected], "{speaks:?}: {path:?}: {said}");
        }
        target.owner_passes("paths").await;
        // The one path in other words: the whole address, and with a question behind it.
        for path in ["http://another.example/webhook", "/webhook?a=b"] {
            let request = post(path, "connection: close\r\n", b"{}");
            let said = target.say(OWNER, &request).await;
            assert_eq!(statuses(&said), [403], "{speaks:?}: {path:?}: {said}");
        }
        for method in [
            "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD", "BREW",
        ] {
            for path in ["/webhook".to_owned(), format!("/webhook/{secret}")] {
                let request = post(&path, "connection: close\r\n", alert.as_bytes());
                let request = [method.as_bytes(), &request[4..]].concat();
                let said = target.say(OWNER, &request).await;
                assert_eq!(
                    statuses(&said),
                    [405],
                    "{speaks:?}: {method} {path}: {said}"
                );
            }
        }
        target.is_unharmed("methods").await;
    }
}

/// So many zeros, compressed as far as they can be.
fn bomb(mebibytes: u32) -> Vec<u8> {
    let zeros = format!("head -c {mebibytes}M /dev/zero | gzip -9");
    let output = std::process::Command::new("sh")
        .args(["-c", &zeros])
        .output();
    output.unwrap().stdout
}

#[tokio::test]
async fn nothing_is_inflated() {
    let bomb = bomb(200);
    assert!((100_000..300_000).contains(&bomb.len()), "{}", bomb.len());
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        for encoding in [
            "gzip",
            "x-gzip",
            "deflate",
            "br",
            "zstd",
            "gzip, gzip",
            "identity, gzip",
            "\"\"",
        ] {
            for _ in 0..5 {
                let headers = format!("content-encoding: {encoding}\r\n");
                let said = target.say(OWNER, &post("/webhook", &headers, &bomb)).await;
                assert_eq!(statuses(&said), [415], "{speaks:?}: {encoding}: {said}");
            }
            target.owner_passes(encoding).await;
        }
        target.is_unharmed("bombs").await;
    }
}

#[tokio::test]
async fn headers_have_an_end() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let head = "POST /webhook HTTP/1.1\r\nhost: ponte\r\n";
        let large = "x".repeat(HEADER_BYTES_MAX);
        let endless = "x".repeat(4 * 1024 * 1024);
        let many = |count: usize| {
            (0..count)
                .map(|n| format!("x-{n}: y\r\n"))
                .collect::<String>()
        };
        for (case, request, expected) in [
            ("a large header", format!("{head}x: {large}\r\n\r\n"), 431),
            ("an endless header", format!("{head}x: {endless}"), 431),
            ("an endless name", format!("{head}{endless}"), 431),
            ("an endless path", format!("POST /{endless}"), 431),
            (
                "a large path",
                format!("POST /{large} HTTP/1.1\r\nhost: ponte\r\n\r\n"),
                431,
            ),
            ("many headers", format!("{head}{}\r\n", many(200)), 431),
            (
                "headers without end",
                format!("{head}{}", many(100_000)),
                431,
            ),
            ("an endless method", endless.clone(), 431),
        ] {
            for _ in 0..3 {
                let said = target.say(OWNER, request.as_bytes()).await;
                // Whoever still writes when it is answered may see the end of the connection alone.
                let statuses = statuses(&said);
                assert!(
                    statuses.is_empty() || statuses == [expected],
                    "{speaks:?}: {case}: {said}"
                );
            }
            target.owner_passes(case).await;
        }
        target.is_unharmed("headers").await;
    }
}

#[tokio::test]
async fn many_requests_ahead_of_their_answers() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let wrong = post("/webhook", "", b"{}").repeat(4999);
        let last = post("/webhook", "connection: close\r\n", b"{}");
        for sender in [OWNER, stranger(0)] {
            let mut connection = target.connect(sender).await.unwrap();
            assert!(connection.write(&[&wrong[..], &last].concat()).await);
            let statuses = statuses(&connection.rest().await);
            assert_eq!(statuses.len(), 5000, "{speaks:?}: {sender}");
            assert!(
                statuses.iter().all(|status| *status == 403),
                "{speaks:?}: {sender}"
            );
            target.owner_passes("5,000 requests at once").await;
        }
        let mut ahead = Vec::new();
        for number in 0..50 {
            let headers = if number == 49 {
                "connection: close\r\n"
            } else {
                ""
            };
            let alert = target.alert(&format!("ahead-{number}"));
            ahead.extend(post("/webhook", headers, alert.as_bytes()));
        }
        let said = target.say(OWNER, &ahead).await;
        assert_eq!(statuses(&said), [200; 50], "{speaks:?}");
        target.alerts += 50;
        target.is_unharmed("requests ahead").await;
    }
}

#[tokio::test]
async fn bodies_have_an_end() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let large = vec![b' '; 2 * 1024 * 1024];
        let head = "POST /webhook HTTP/1.1\r\nhost: ponte\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = [format!("{:x}\r\n", large.len()).as_bytes(), &large, b"\r\n"].concat();
        for sender in [OWNER, stranger(0)] {
            for _ in 0..10 {
                let expected = if sender == OWNER { 413 } else { 403 };
                let requests = [
                    post("/webhook", "connection: close\r\n", &large),
                    [head.as_bytes(), &chunk, &chunk, &chunk].concat(),
                ];
                for request in requests {
                    let said = target.say(sender, &request).await;
                    let statuses = statuses(&said);
                    assert!(
                        statuses.is_empty() || statuses == [expected],
                        "{speaks:?}: {said}"
                    );
                }
            }
            target.owner_passes("large bodies").await;
        }
        target.is_unharmed("large bodies").await;
    }
}
