//! x
#[test]
fn timing() {
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
        "a",
        "abcde1:\"abcd\" ",
        "\u{a0}",
        "secret:'aaaa",
        "key:abcdefgh1 ",
    ] {
        let body = unit.repeat(size / unit.len());
        let t = std::time::Instant::now();
        let _ = super::read(&body);
        let a = t.elapsed();
        let _ = ponte_core::format::secret_in(body.as_bytes());
        let b = t.elapsed();
        let _ = ponte_core::format::redact(body.as_bytes(), 500);
        println!(
            "{unit:?} parse {:?} secret_in {:?} redact {:?}",
            a,
            b - a,
            t.elapsed() - b
        );
    }
    let body = r#"{"token":"k7","symbol":"BYBIT:ETHUSDT.P","action":"sell","contracts":2,"position":"short","position_size":1,"prev":"long","prev_size":1,"order_id":"S","price":2500.25,"tf":"60","bar":"2026-11-23T12:00:00Z","sent":"2026-11-23T13:00:01Z"}"#;
    let t = std::time::Instant::now();
    for _ in 0..10000 {
        let _ = std::hint::black_box(super::read(std::hint::black_box(body)));
    }
    println!("big {:?}", t.elapsed() / 10000);
    let body = r#"{"segredo":"MEU_SEGREDO","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#;
    let t = std::time::Instant::now();
    for _ in 0..10000 {
        let _ = std::hint::black_box(super::read(std::hint::black_box(body)));
    }
    println!("small {:?}", t.elapsed() / 10000);
}
