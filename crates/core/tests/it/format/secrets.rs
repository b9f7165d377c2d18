//! The secret: found for its owner in bodies that are broken, never to be read in a journal.

use ponte_core::format::{redact, secret_in};
use proptest::prelude::*;

use super::read;

const SECRET: &str = "s3nh4-D0-Bot";

/// Broken, whole and foreign bodies that carry a secret, each with `{}` for it.
const SHAPES: &[&str] = &[
    r#"{"segredo":"{}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    r#"{"segredo":"{}","acao":"buy",}"#,
    r#"{“segredo”:“{}”,“acao”:“COMPRA”}"#,
    r#"{"segredo":"{}”,"acao":"COMPRA"}"#,
    r#"{"segredo”:“{}","acao":"COMPRA"}"#,
    r#"{„segredo“:„{}“,„acao“:„COMPRA“}"#,
    r#"{«segredo»:«{}»,«acao»:«COMPRA»}"#,
    r"{'segredo':'{}','acao':'COMPRA'}",
    r"{‘segredo’:‘{}’,‘acao’:‘COMPRA’}",
    r#"{segredo:"{}",acao:"COMPRA"}"#,
    r"{segredo:{},acao:COMPRA}",
    r#"{"acao":"COMPRA","comment":"TP "1"","token":"{}"}"#,
    r#"{"acao":"COMPRA","token":"{}"#,
    r#"{"acao":"COMPRA","token": "{}","qtd":NaN}"#,
    r#"{"acao":"COMPRA","token" : "{}","qtd":0,01}"#,
    r#"{"acao":"COMPRA","Contraseña":"{}","qtd":{{strategy.order.contracts}}}"#,
    r#""segredo":"{}","acao":"COMPRA""#,
    r#"{"segredo":"{}"}{"segredo":"{}"}"#,
    r#"[{"segredo":"{}","acao":"COMPRA"},{"segredo":"{}","acao":"VENDA"}]"#,
    r#""{\"secret\":\"{}\",\"action\":\"buy\"}""#,
    r#"{\"secret\":\"{}\",\"action\":\"buy\"}"#,
    r"secret={}&action=buy",
    r"payload=%7B%22secret%22%3A%22{}%22%2C%22action%22%3A%22buy%22%7D",
    r"{&quot;secret&quot;:&quot;{}&quot;,&quot;action&quot;:&quot;buy&quot;}",
    r"{&#34;secret&#34;:&#34;{}&#34;,&#34;action&#34;:&#34;buy&#34;}",
    "{\"segredo\":\u{a0}\"{}\",\u{200b}\"acao\":\"COMPRA\"}",
    "{\"acao\":\"two\nlines\",\"segredo\":\"{}\"}",
    "EXCHANGE=KUCOIN;TOKEN={};SIGNAL=sell",
    "Sinal WDO1!\nSenha: {}\nPreço: 5.412,50",
    r#"{"segr\u0065do":"{}","acao":"compra","ativo":"X"}"#,
    r#"{"segr\u0065do":"{}","acao":"compra",}"#,
    r#"{"segrdo":"{}","acao":"compra","ativo":"X"}"#,
    r#"{"webhook_secret":"{}","acao":"compra","ativo":"X"}"#,
    r#"{"a":{"b":{"secret":"{}"}}}"#,
    r#"{"_token":"not the secret","segredo":"{}","acao":"compra"}"#,
    r#"{"_token":"not the secret","segredo":"{}","acao":"compra",}"#,
    r#"{"segredo":"{}","acao":"COMPAR","comentario":"senha {} de novo"}"#,
];

fn in_shape(shape: &str, secret: &str) -> String {
    shape.replace("{}", secret)
}

#[test]
fn the_owner_is_recognised_in_every_shape() {
    for shape in SHAPES {
        let body = in_shape(shape, SECRET);
        let found = secret_in(body.as_bytes());
        assert_eq!(
            found.as_ref().map(|text| text.expose()),
            Some(SECRET),
            "{body}"
        );
    }
}

#[test]
fn the_secret_is_neither_in_the_journal_nor_in_a_message() {
    for shape in SHAPES {
        let body = in_shape(shape, SECRET);
        let line = redact(body.as_bytes(), 4096);
        assert!(!line.contains(SECRET), "{body}\n{line}");
        assert!(line.contains("«redacted»"), "{line}");
        if let Err(error) = read(&body) {
            assert!(!format!("{error:?} {error}").contains(SECRET), "{error}");
        }
    }
}

#[test]
fn bodies_are_redacted_like_this() {
    let cases: &[(&[u8], &str)] = &[
        (
            br#"{"segredo":"abc","acao":"COMPRA"}"#,
            r#"{"segredo":"«redacted»","acao":"COMPRA"}"#,
        ),
        (
            b"{\"segredo\":123,\n\"a\":\"\x00\xe7\"}",
            "{\"segredo\":«redacted»,\\n\"a\":\"\\u{0}\u{fffd}\"}",
        ),
        (
            br#"{"segredo":["abcd"],"b":"abcd"}"#,
            r#"{"segredo":«redacted»,"b":"abcd"}"#,
        ),
        (b"secret=a%2Fbc&x=a/bc", "secret=«redacted»&x=«redacted»"),
        (
            b"k7Jd82hsk29dkJs8a COMPRA PETR4 100",
            "«redacted» COMPRA PETR4 100",
        ),
        (b"PETR4 Crossing 38.50", "PETR4 Crossing 38.50"),
        (
            b"\xff\xfe{\x00\"\x00k\x00e\x00y\x00\"\x00:\x00\"\x00a\x00b\x00\"\x00}\x00",
            "{\"key\":\"«redacted»\"}",
        ),
        (b"", ""),
    ];
    for (body, expected) in cases {
        assert_eq!(redact(body, 1000), *expected);
    }
    assert_eq!(redact("ação".as_bytes(), 4), "aç…");
    assert_eq!(redact("ação".as_bytes(), 6), "ação");
    assert_eq!(redact(br#"{"key":"abcdefgh"}"#, 10), "{\"key\":\"…");
}

#[test]
fn a_body_without_a_secret_has_none() {
    for body in [
        "",
        "{}",
        "PETR4 Crossing 38.50",
        r#"{"acao":"compra"}"#,
        r#"{"segredo":""}"#,
    ] {
        assert!(secret_in(body.as_bytes()).is_none(), "{body}");
    }
}

#[test]
fn hostile_bodies_take_no_time() {
    let size = 256 * 1024;
    for unit in [
        "secret:",
        "xecret:",
        "secret:\"a\"x ",
        "\\",
        "\"",
        ":",
        "%3a",
        "secret=\\\\\"",
        "[",
        "{\"a\":",
    ] {
        let body = unit.repeat(size / unit.len());
        let _ = read(&body);
        let _ = secret_in(body.as_bytes());
        let _ = redact(body.as_bytes(), 500);
    }
}

proptest! {
    #[test]
    fn no_shape_gives_its_secret_away(
        shape in 0..SHAPES.len(),
        secret in "[A-Za-z0-9_.~-]{12,40}",
        limit in 0_usize..600,
    ) {
        let body = in_shape(SHAPES[shape], &secret);
        let line = redact(body.as_bytes(), limit);
        prop_assert!(!line.contains(&secret), "{body}\n{line}");
        prop_assert!(line.len() <= limit + '…'.len_utf8());
        let found = secret_in(body.as_bytes());
        prop_assert_eq!(found.as_ref().map(|text| text.expose()), Some(secret.as_str()));
    }

    #[test]
    fn any_text_can_be_a_secret_in_good_json(secret in "\\PC{8,40}", limit in 0_usize..600) {
        let written = serde_json::to_string(&secret).unwrap();
        let body = format!(r#"{{"acao":"compra","secret":{written},"ativo":"X","motivo":"q"}}"#);
        let line = redact(body.as_bytes(), limit);
        prop_assert!(!line.contains(&secret), "{body}\n{line}");
        prop_assert!(!line.contains(&written[1..written.len() - 1]), "{body}\n{line}");
        let found = secret_in(body.as_bytes());
        prop_assert_eq!(found.as_ref().map(|text| text.expose()), Some(secret.as_str()));
    }

    #[test]
    fn redaction_takes_any_bytes(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        limit in 0_usize..300,
    ) {
        let line = redact(&body, limit);
        prop_assert!(line.len() <= limit + '…'.len_utf8());
        prop_assert!(!line.contains(char::is_control));
        let _ = secret_in(&body);
    }
}
