//! Requests of every shape: what a sender, a proxy or a liar could put on a connection, and bytes that
//! are none of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Secrets of which a generated request may hold some: right ones first, then wrong ones.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    /// Of the source that the requests speak for.
    pub(crate) right: &'static str,
    /// Of another source.
    pub(crate) second: &'static str,
}

/// What stands on one connection.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) bytes: Vec<u8>,
    /// Whether it was built to be a right alert, and nothing was changed of it.
    pub(crate) is_right: bool,
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = self.bytes.escape_ascii().to_string();
        write!(f, "b\"{text}\"")
    }
}

/// One to three requests over one connection, or none at all.
pub(crate) fn talk(secrets: Secrets) -> impl Strategy<Value = Talk> {
    let changes = prop_oneof![2 => Just(Vec::new()), 1 => vec(change(), 1..4)];
    let spoiled = (vec(request(secrets.clone()), 1..4), changes);
    let spoiled = spoiled.prop_map(|(requests, changes)| Talk {
        bytes: changed(requests.concat(), changes),
        is_right: false,
    });
    let noise = vec(any::<u8>(), 0..300).prop_map(|bytes| Talk {
        bytes,
        is_right: false,
    });
    let right = any::<u64>().prop_map(move |id| {
        let body = format!(
            r#"{{"segredo":"{}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"id":"right-{id}"}}"#,
            secrets.right
        );
        Talk {
            bytes: framed(
                "POST",
                "/webhook",
                "HTTP/1.1",
                &[],
                Framing::Length,
                body.as_bytes(),
            ),
            is_right: true,
        }
    });
    prop_oneof![20 => spoiled, 2 => noise, 1 => right]
}

/// How the body's end is told.
#[derive(Debug, Clone, Copy)]
enum Framing {
    Length,
    /// So many bytes more than there are.
    LengthMore(u16),
    /// Fewer than there are.
    LengthFewer(u16),
    Chunked(usize),
    /// Chunks that end without the last one.
    ChunkedCut(usize),
    Both,
    None,
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        12 => Just(Framing::Length),
        4 => (1_usize..40).prop_map(Framing::Chunked),
        1 => (1_u16..2000).prop_map(Framing::LengthMore),
        1 => (1_u16..200).prop_map(Framing::LengthFewer),
        1 => (1_usize..40).prop_map(Framing::ChunkedCut),
        1 => Just(Framing::Both),
        1 => Just(Framing::None),
    ]
}

fn request(secrets: Secrets) -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![
        20 => Just("POST"),
        1 => select(vec!["GET", "HEAD", "PUT", "OPTIONS", "CONNECT", "TRACE", "post", "P\0ST", ""]),
    ];
    let version = prop_oneof![
        20 => Just("HTTP/1.1"),
        2 => Just("HTTP/1.0"),
        1 => select(vec!["HTTP/2.0", "HTTP/0.9", "HTTP/1.", "http/1.1", "", "HTTP/1.1 x"]),
    ];
    (
        method,
        path(secrets.clone()),
        version,
        vec(header(secrets.clone()), 0..5),
        framing(),
        body(secrets),
    )
        .prop_map(|(method, path, version, headers, framing, body)| {
            framed(method, &path, version, &headers, framing, &body)
        })
}

/// A secret, as right as it may be.
fn secret(secrets: Secrets) -> impl Strategy<Value = String> {
    let Secrets { right, second } = secrets;
    prop_oneof![
        8 => Just(right.to_owned()),
        2 => Just(second.to_owned()),
        1 => Just(right[..right.len() - 1].to_owned()),
        1 => Just(format!("{right}x")),
        1 => Just(right.to_lowercase()),
        1 => Just(format!(" {right}")),
        1 => Just(right.replace('_', "%5F")),
        1 => Just(right.replace('_', "\\u005f")),
        1 => Just(String::new()),
        1 => Just("x".repeat(2000)),
        1 => "[a-zA-Z0-9_-]{1,40}",
    ]
}

fn path(secrets: Secrets) -> impl Strategy<Value = String> {
    prop_oneof![
        12 => Just("/webhook".to_owned()),
        4 => secret(secrets).prop_map(|secret| format!("/webhook/{secret}")),
        1 => select(vec![
            "/", "", "*", "//webhook", "/webhook/", "/webhook/a/b", "/webhook?a=b", "/webhook#a", "/webhook/%",
            "/webhook/%ff%fe", "/webhook/..", "http://x/webhook", "/healthz", "/readyz", "/metrics",
            "/api/halt", "/.well-known/acme-challenge/x", "/WEBHOOK", "/webhook%00", "x:443",
        ])
        .prop_map(str::to_owned),
        1 => "[ -~]{0,60}",
    ]
}

fn header(secrets: Secrets) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => secret(secrets.clone()).prop_map(|secret| format!("x-ponte-secret: {secret}")),
        4 => secret(secrets).prop_map(|secret| format!("Authorization: Bearer {secret}")),
        4 => select(vec![
            "content-type: application/json", "content-type: text/plain; charset=utf-8",
            "content-encoding: gzip", "content-encoding: identity", "content-encoding:",
            "transfer-encoding: gzip, chunked", "transfer-encoding: identity", "connection: close",
            "connection: upgrade\r\nupgrade: h2c", "expect: 100-continue", "expect: 200-ok",
            "x-forwarded-for: 52.89.214.238", "forwarded: for=52.89.214.238", "host: a\r\nhost: b",
            "authorization: Basic eDp5", "authorization: bearer", "authorization: Bearer",
            "x-ponte-test: 1", "cookie: a=b", "x: \u{e9}", "content-length: 0", "content-length: 5, 5",
            "trailer: x", "te: trailers", " folded: yes", "no colon", ":", "range: bytes=0-1",
        ])
        .prop_map(str::to_owned),
        1 => "[ -~]{0,80}",
        1 => (1_usize..20_000).prop_map(|length| format!("x-long: {}", "y".repeat(length))),
    ]
}

/// A body in one of the forms that people and liars write.
fn body(secrets: Secrets) -> impl Strategy<Value = Vec<u8>> {
    let members = || vec((key(), value(secrets.clone())), 0..8);
    let json = members().prop_map(|members| {
        let members = members
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    let form = members().prop_map(|members| {
        let members = members
            .iter()
            .map(|(key, value)| format!("{key}={}", value.trim_matches('"')));
        members.collect::<Vec<_>>().join("&")
    });
    let lines = members().prop_map(|members| {
        let members = members.iter().map(|(key, value)| format!("{key}: {value}"));
        members.collect::<Vec<_>>().join("\n")
    });
    let alert = (secret(secrets.clone()), key(), value(secrets.clone())).prop_map(|(secret, key, value)| {
        format!(
            r#"{{"segredo":"{secret}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"{key}":{value}}}"#
        )
    });
    let deep = (1_usize..40)
        .prop_map(|depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)));
    prop_oneof![
        8 => alert.prop_map(String::into_bytes),
        4 => json.prop_map(String::into_bytes),
        1 => form.prop_map(String::into_bytes),
        1 => lines.prop_map(String::into_bytes),
        1 => deep.prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..200),
        1 => (0_usize..300_000).prop_map(|length| vec![b'{'; length]),
        1 => Just(Vec::new()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let known = select(vec![
        "segredo",
        "secret",
        "_secret",
        "token",
        "acao",
        "action",
        "ativo",
        "symbol",
        "ticker",
        "qtd",
        "quantity",
        "id",
        "estrategia",
        "strategy",
        "comentario",
        "comment",
        "conta",
        "account",
        "stop",
        "alvo",
        "price",
        "preco",
        "time",
        "timenow",
        "market_position",
        "position_size",
        "order",
        "exchange",
        "bolsa",
        "a\\u0061",
        "",
        "\u{feff}segredo",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "[a-zA-Z_ ]{0,20}"]
}

/// A value as JSON writes it.
fn value(secrets: Secrets) -> impl Strategy<Value = String> {
    let known = select(vec![
        "\"COMPRA\"",
        "\"VENDA\"",
        "\"buy\"",
        "\"sell\"",
        "\"exit\"",
        "\"close\"",
        "\"cancel\"",
        "\"heartbeat\"",
        "\"BTCUSDT\"",
        "\"BINANCE:BTCUSDT\"",
        "\"WIN1!\"",
        "0.01",
        "\"0,01\"",
        "-1",
        "1e400",
        "1e-400",
        "\"NaN\"",
        "null",
        "true",
        "[]",
        "{}",
        "[1]",
        "\"\"",
        "\"{{close}}\"",
        "\"2026-01-01T00:00:00Z\"",
        "1767225600000",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "99999999999999999999999999",
        "\"main\"",
        "\"paper\"",
        "\"\u{202e}x\"",
        "0.0000000000000000000000000001",
    ]);
    prop_oneof![
        6 => known.prop_map(str::to_owned),
        2 => secret(secrets).prop_map(|secret| format!("\"{secret}\"")),
        1 => "[ -~]{0,30}".prop_map(|text| format!("\"{text}\"")),
        1 => (0_usize..3000).prop_map(|length| format!("\"{}\"", "x".repeat(length))),
    ]
}

fn framed(
    method: &str,
    path: &str,
    version: &str,
    headers: &[String],
    framing: Framing,
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {path} {version}\r\nhost: ponte\r\n");
    for header in headers {
        head += header;
        head += "\r\n";
    }
    let length = body.len();
    let (line, body) = match framing {
        Framing::Length => (format!("content-length: {length}\r\n"), body.to_vec()),
        Framing::LengthMore(more) => (
            format!("content-length: {}\r\n", length + usize::from(more)),
            body.to_vec(),
        ),
        Framing::LengthFewer(fewer) => {
            let told = length.saturating_sub(usize::from(fewer));
            (format!("content-length: {told}\r\n"), body.to_vec())
        }
        Framing::Chunked(size) => (
            "transfer-encoding: chunked\r\n".to_owned(),
            [chunks(body, size), b"0\r\n\r\n".to_vec()].concat(),
        ),
        Framing::ChunkedCut(size) => (
            "transfer-encoding: chunked\r\n".to_owned(),
            chunks(body, size),
        ),
        Framing::Both => (
            format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
            [chunks(body, 64), b"0\r\n\r\n".to_vec()].concat(),
        ),
        Framing::None => (String::new(), body.to_vec()),
    };
    head += &line;
    head += "\r\n";
    [head.into_bytes(), body].concat()
}

fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    // So many that a large body is not all framing.
    let size = size.max(body.len() / 1000).max(1);
    let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    body.chunks(size).flat_map(chunk).collect()
}

/// A place, how many bytes go from there, and what comes in their place.
type Change = (Index, usize, Vec<u8>);

fn change() -> impl Strategy<Value = Change> {
    let removed = prop_oneof![4 => 0_usize..3, 1 => 0_usize..200];
    let inserted = prop_oneof![
        2 => vec(any::<u8>(), 0..3),
        2 => select(vec![
            &b"\r\n"[..], b"\n", b"\r", b"\0", b"\"", b"}", b"{", b":", b"\r\n\r\n", b"\xff\xfe", b"\xef\xbb\xbf",
            b"\\", b"POST /webhook HTTP/1.1\r\n", b"0\r\n\r\n", b",", b" ", b"%", b"\x16\x03\x01",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    (any::<Index>(), removed, inserted)
}

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for (place, removed, inserted) in changes {
        let at = place.index(bytes.len() + 1);
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, inserted);
    }
    bytes
}
