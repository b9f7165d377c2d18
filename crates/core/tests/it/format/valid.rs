//! Bodies that are understood, in three languages, and what each means.

use ponte_core::number::Price;
use ponte_core::signal::{ExitAmount, Intent, Signal, Terms};

use super::{digest, read};

/// A signal in one line: what is there, in a fixed order.
fn describe(signal: &Signal) -> String {
    let mut words = vec![intent(&signal.intent)];
    let mut add = |tag: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{tag}={value}")));
    };
    add("symbol", signal.symbol.as_ref().map(ToString::to_string));
    add("exchange", signal.exchange.clone());
    add("ref", signal.reference_price.map(|price| price.to_string()));
    add(
        "stop",
        signal.protection.stop.map(|price| price.to_string()),
    );
    let targets: Vec<String> = signal
        .protection
        .targets
        .iter()
        .map(Price::to_string)
        .collect();
    add("targets", (!targets.is_empty()).then(|| targets.join("/")));
    add(
        "trail",
        signal
            .protection
            .trail_percent
            .map(|percent| format!("{percent}%")),
    );
    add(
        "before",
        signal
            .previous_position
            .map(|side| side.as_str().to_owned()),
    );
    let strategy = signal.strategy.as_str();
    add(
        "strategy",
        (strategy != "default").then(|| strategy.to_owned()),
    );
    add("account", signal.account.as_ref().map(ToString::to_string));
    add("id", signal.explicit_id.clone());
    add("fired", signal.fired_at.map(|moment| moment.to_string()));
    add("bar", signal.bar_at.map(|moment| moment.to_string()));
    add("comment", signal.comment.clone());
    words.join(" ")
}

fn intent(intent: &Intent) -> String {
    let size = |quantity: &Option<_>| quantity.map_or_else(String::new, |q| format!(" {q}"));
    match intent {
        Intent::Trade {
            side,
            quantity,
            terms,
        } => {
            format!(
                "{}{}{}",
                side.as_str(),
                size(&quantity.map(|q| q.get())),
                at(terms)
            )
        }
        Intent::Enter {
            side,
            quantity,
            terms,
        } => {
            format!(
                "enter {}{}{}",
                side.as_str(),
                size(&quantity.map(|q| q.get())),
                at(terms)
            )
        }
        Intent::Exit { side, amount } => {
            let amount = match amount {
                ExitAmount::All => "all".to_owned(),
                ExitAmount::Percent(percent) => format!("{percent}%"),
                ExitAmount::Quantity(quantity) => quantity.to_string(),
            };
            format!("exit {} {amount}", side.map_or("any", |side| side.as_str()))
        }
        Intent::Reverse { quantity } => format!("reverse{}", size(&quantity.map(|q| q.get()))),
        Intent::Target { position } => format!("target {position}"),
        Intent::Cancel => "cancel".to_owned(),
        Intent::Heartbeat => "heartbeat".to_owned(),
    }
}

fn at(terms: &Terms) -> String {
    match terms {
        Terms::Market => String::new(),
        Terms::Limit { price } => format!(" limit {price}"),
        Terms::Stop { trigger } => format!(" stop {trigger}"),
        Terms::StopLimit { trigger, price } => format!(" stop {trigger} limit {price}"),
    }
}

fn check_all(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        match read(body) {
            Ok(parsed) => assert_eq!(describe(&parsed.signal), *expected, "{body}"),
            Err(error) => panic!("{body}: {error}"),
        }
    }
}

#[test]
fn the_message_of_the_readme() {
    let body = r#"{"segredo":"MEU_SEGREDO","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#;
    let parsed = read(body).unwrap();
    assert_eq!(describe(&parsed.signal), "buy 0.01 symbol=BTCUSDT");
    let secret = parsed.secret.unwrap();
    assert_eq!(secret.expose(), "MEU_SEGREDO");
    assert_eq!(format!("{secret:?} {secret}"), "«redacted» «redacted»");
    assert_eq!(
        parsed.signal.digest.to_string(),
        "58aa81b19a3e03f1cea90cee3e8a5b3609c2c734175ef27fed1382cac9d8e506"
    );
}

#[test]
fn idioms_of_three_languages() {
    check_all(&[
        (
            r#"{"segredo":"k7","acao":"COMPRA","ativo":"WINZ2026","qtd":1,"stop":150,"alvo":300,"conta":"mesa1"}"#,
            "buy 1 symbol=WINZ2026 stop=150 targets=300 account=mesa1",
        ),
        (
            r#"{"token":"k7","action":"buy","ticker":"BTCUSDT","exchange":"BINANCE","qty":"0.01","price":"64000.5","time":"2026-11-23T12:00:00Z"}"#,
            "buy 0.01 symbol=BTCUSDT exchange=BINANCE ref=64000.5 fired=2026-11-23T12:00:00.000000Z",
        ),
        (
            r#"{"token":"k7","symbol":"BYBIT:ETHUSDT.P","action":"sell","contracts":2,"position":"short","position_size":1,"prev":"long","prev_size":1,"order_id":"S","price":2500.25,"tf":"60","bar":"2026-11-23T12:00:00Z","sent":"2026-11-23T13:00:01Z"}"#,
            "target -1 symbol=ETHUSDT.P exchange=BYBIT ref=2500.25 before=long fired=2026-11-23T13:00:01.000000Z bar=2026-11-23T12:00:00.000000Z",
        ),
        (
            r#"{"clave":"k7","acción":"Vender","símbolo":"PETR4","cantidad":"100","bolsa":"BMFBOVESPA","precio":"38,45","estrategia":"ruptura"}"#,
            "sell 100 symbol=PETR4 exchange=BMFBOVESPA ref=38.45 strategy=ruptura",
        ),
        (
            r#"{"v":1,"token":"k","account":"main","action":"buy","symbol":"WINZ2026","qty":1,"stop":127000,"bar":1795435200000,"tf":"5","sent":1795435500123}"#,
            "buy 1 symbol=WINZ2026 stop=127000 account=main fired=2026-11-23T12:05:00.123000Z bar=2026-11-23T12:00:00.000000Z",
        ),
        (
            "\u{feff} {\"Ação \" : \" Comprado \",\"ATIVO\":\" btcusdt \"}\r\n",
            "buy symbol=BTCUSDT",
        ),
        (
            r#"{"acao":"zerar","papel":"PETR4","motivo":"","_tela":"nota","id":17}"#,
            "exit any all symbol=PETR4 id=17",
        ),
    ]);
}

#[test]
fn every_kind_of_intent() {
    check_all(&[
        (r#"{"action":"long","symbol":"X"}"#, "buy symbol=X"),
        (
            r#"{"action":"bearish","symbol":"X","qty":3}"#,
            "sell 3 symbol=X",
        ),
        (
            r#"{"action":"enter_long","symbol":"X","qty":3}"#,
            "enter long 3 symbol=X",
        ),
        (
            r#"{"action":"goShort","symbol":"X"}"#,
            "enter short symbol=X",
        ),
        (
            r#"{"action":"sell to close","symbol":"X"}"#,
            "exit long all symbol=X",
        ),
        (
            r#"{"action":"buy-to-cover","symbol":"X","qty":2}"#,
            "exit short 2 symbol=X",
        ),
        (
            r#"{"acao":"sair da compra","symbol":"X","qtd":"50%"}"#,
            "exit long 50% symbol=X",
        ),
        (
            r#"{"acao":"fechar","symbol":"X","percentual":"33,3"}"#,
            "exit any 33.3% symbol=X",
        ),
        (
            r#"{"acao":"fechar","symbol":"X","pct":"100 %"}"#,
            "exit any 100% symbol=X",
        ),
        (
            r#"{"acao":"compra","symbol":"X","stop_movel":"1,5%","alvo":9}"#,
            "buy symbol=X targets=9 trail=1.5%",
        ),
        (
            r#"{"acao":"virar mão","symbol":"X","qtd":2}"#,
            "reverse 2 symbol=X",
        ),
        (
            r#"{"acao":"inverter","symbol":"X","alvo":["5,5",6,7.25]}"#,
            "reverse symbol=X targets=5.5/6/7.25",
        ),
        (r#"{"acao":"cancelar","symbol":"X"}"#, "cancel symbol=X"),
        (r#"{"acao":"ping"}"#, "heartbeat"),
        (r#"{"acao":"aguardar","ativo":"X"}"#, "heartbeat symbol=X"),
    ]);
}

#[test]
fn positions_are_targets() {
    check_all(&[
        (r#"{"symbol":"X","position":-3}"#, "target -3 symbol=X"),
        (
            r#"{"symbol":"X","position":"-3,5"}"#,
            "target -3.5 symbol=X",
        ),
        (r#"{"symbol":"X","position":"+2"}"#, "target 2 symbol=X"),
        (r#"{"symbol":"X","position":0.0}"#, "target 0 symbol=X"),
        (r#"{"symbol":"X","position":"flat"}"#, "target 0 symbol=X"),
        (
            r#"{"symbol":"X","action":"sell","contracts":3,"position":"flat","position_size":0,"prev":"long"}"#,
            "target 0 symbol=X before=long",
        ),
        (
            r#"{"symbol":"X","action":"buy","qty":5,"position":2}"#,
            "target 2 symbol=X",
        ),
        (
            r#"{"symbol":"X","position":"vendido","tamanho_posicao":3}"#,
            "target -3 symbol=X",
        ),
        (
            r#"{"symbol":"X","position":"short","position_size":-3}"#,
            "target -3 symbol=X",
        ),
        (
            r#"{"symbol":"X","position":-3,"position_size":3}"#,
            "target -3 symbol=X",
        ),
        (
            r#"{"symbol":"X","posición":"largo","cantidad":4}"#,
            "target 4 symbol=X",
        ),
        (
            r#"{"symbol":"X","position":"short","qty":4,"stop":9}"#,
            "target -4 symbol=X stop=9",
        ),
        // Partial exits.
        (
            r#"{"symbol":"X","action":"buy","qty":1,"position":"short","position_size":2}"#,
            "target -2 symbol=X",
        ),
        (
            r#"{"symbol":"X","action":"exit","position":"long","position_size":2}"#,
            "target 2 symbol=X",
        ),
        // A side without a size, where the quantity can't be a reversal's.
        (
            r#"{"symbol":"X","action":"buy","qty":1,"position":"long"}"#,
            "enter long 1 symbol=X",
        ),
        (
            r#"{"symbol":"X","action":"sell","qty":1,"position":"short","prev":"flat"}"#,
            "enter short 1 symbol=X before=flat",
        ),
        (
            r#"{"symbol":"X","action":"sell","position":"short","prev":-2}"#,
            "enter short symbol=X before=short",
        ),
    ]);
}

#[test]
fn terms_and_their_prices() {
    check_all(&[
        (
            r#"{"action":"buy","symbol":"X","price":5}"#,
            "buy symbol=X ref=5",
        ),
        (
            r#"{"action":"buy","symbol":"X","type":"a mercado"}"#,
            "buy symbol=X",
        ),
        (
            r#"{"action":"buy","symbol":"X","tipo":"Limite","preço":"5,5"}"#,
            "buy limit 5.5 symbol=X",
        ),
        (
            r#"{"action":"buy","symbol":"X","type":"limit","limit_price":5}"#,
            "buy limit 5 symbol=X",
        ),
        (
            r#"{"action":"buy","symbol":"X","type":"stop","price":5}"#,
            "buy stop 5 symbol=X",
        ),
        (
            r#"{"action":"buy","symbol":"X","type":"stop","stop_price":5,"price":4}"#,
            "buy stop 5 symbol=X ref=4",
        ),
        (
            r#"{"action":"enter_short","symbol":"X","type":"stop-limit","gatilho":5,"preco":4}"#,
            "enter short stop 5 limit 4 symbol=X",
        ),
    ]);
}

#[test]
fn moments_in_every_unit() {
    let moment = "2026-11-23T12:00:00.000000Z";
    for time in [
        r#""2026-11-23T12:00:00Z""#,
        r#""2026-11-23T09:00:00-03:00""#,
        "1795435200",
        "1795435200000",
        r#""1795435200000000""#,
        "1.7954352e9",
    ] {
        let body = format!(r#"{{"action":"ping","time":{time},"bar_time":{time}}}"#);
        check_all(&[(&body, &format!("heartbeat fired={moment} bar={moment}"))]);
    }
}

#[test]
fn other_writings_of_one_meaning_have_one_digest() {
    let same = [
        r#"{"acao":"COMPRA","ativo":"BINANCE:BTCUSDT","qtd":0.01,"preco":"64.000,50","tipo":"mercado","hora":"2026-11-23T12:00:00Z"}"#,
        r#"{ "exchange":"binance", "ticker":"btcusdt", "quantity":"0,010", "side":"buy", "price":64000.5, "time":1795435200000 }"#,
        r#"{"token":"abc","id":"another","cantidad":1e-2,"activo":"BTCUSDT","bolsa":"BINANCE","accion":"long","precio":"64,000.50","timenow":1795435200,"strategy":"default"}"#,
    ];
    for body in same {
        assert_eq!(digest(body), digest(same[0]), "{body}");
    }
    assert_eq!(
        digest(r#"{"acao":"fechar","ativo":"X","qtd":"50%"}"#),
        digest(r#"{"action":"close","symbol":"X","pct":50.0}"#)
    );
    assert_eq!(
        digest(r#"{"acao":"ping","v":1.0,"_a":1,"_b":true}"#),
        digest(r#"{"_B":true,"v":1,"_a":1.00,"acao":"ping"}"#)
    );
}

#[test]
fn other_meanings_have_other_digests() {
    let bodies = [
        r#"{"acao":"compra","ativo":"X"}"#,
        r#"{"acao":"venda","ativo":"X"}"#,
        r#"{"acao":"compra","ativo":"Y"}"#,
        r#"{"acao":"compra","ativo":"E:X"}"#,
        r#"{"acao":"compra","ativo":"X","qtd":1}"#,
        r#"{"acao":"compra","ativo":"X","qtd":10}"#,
        r#"{"acao":"compra","ativo":"X","preco":1}"#,
        r#"{"acao":"compra","ativo":"X","preco":1,"tipo":"limit"}"#,
        r#"{"acao":"compra","ativo":"X","preco":1,"tipo":"stop"}"#,
        r#"{"acao":"compra","ativo":"X","preco":1,"gatilho":1,"tipo":"stop_limit"}"#,
        r#"{"acao":"compra","ativo":"X","stop":1}"#,
        r#"{"acao":"compra","ativo":"X","alvo":1}"#,
        r#"{"acao":"compra","ativo":"X","alvo":[1,2]}"#,
        r#"{"acao":"compra","ativo":"X","alvo":[2,1]}"#,
        r#"{"acao":"compra","ativo":"X","position":"long"}"#,
        r#"{"acao":"compra","ativo":"X","position":"long","prev":"flat"}"#,
        r#"{"acao":"compra","ativo":"X","position":"long","position_size":1}"#,
        r#"{"acao":"compra","ativo":"X","prev_size":1}"#,
        r#"{"acao":"fechar","ativo":"X"}"#,
        r#"{"acao":"fechar","ativo":"X","pct":1}"#,
        r#"{"acao":"fechar","ativo":"X","qtd":1}"#,
        r#"{"acao":"compra","ativo":"X","hora":1795435200}"#,
        r#"{"acao":"compra","ativo":"X","bar":1795435200}"#,
        r#"{"acao":"compra","ativo":"X","conta":"a"}"#,
        r#"{"acao":"compra","ativo":"X","estrategia":"a"}"#,
        r#"{"acao":"compra","ativo":"X","motivo":"a"}"#,
        r#"{"acao":"compra","ativo":"X","order_id":"a"}"#,
        r#"{"acao":"compra","ativo":"X","tf":"a"}"#,
        r#"{"acao":"compra","ativo":"X","currency":"a"}"#,
        r#"{"acao":"compra","ativo":"X","v":"a"}"#,
        r#"{"acao":"compra","ativo":"X","_v":"a"}"#,
    ];
    let digests: std::collections::BTreeSet<String> =
        bodies.iter().map(|body| digest(body)).collect();
    assert_eq!(digests.len(), bodies.len());
}
