//! Keys, signatures and time stamps: the documentation's own vectors, and what each mistake is answered with.

use super::{Exchange, hmac_hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ponte_venue::faces::binance::{BinanceOptions, KeyOptions, REHEARSAL_KEY, REHEARSAL_SECRET};
use reqwest::Method;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// Key and secret of the examples in Binance's documentation ("SIGNED Endpoint Examples").
const KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const REST_TIME: i64 = 1_499_827_319_559;

async fn exchange_of_the_documentation() -> Exchange {
    let mut options = BinanceOptions::rehearsal();
    options
        .keys
        .push(KeyOptions::hmac(KEY, SECRET, "documentation"));
    Exchange::start_with(options).await
}

/// Sets the exchange's clock to a moment of the past.
async fn set_time(exchange: &Exchange, millis: i64) {
    let clock = exchange.get("/admin/clock").await;
    let skew = clock["skew_ms"].as_i64().unwrap();
    let now = clock["server_time_ms"].as_i64().unwrap();
    let body = json!({"skew_ms": skew + millis - now});
    exchange.admin("clock", body).await;
}

/// What a recorded REST request is answered with in its time; a late answer is asked for again.
async fn replay(exchange: &Exchange, query: &str, body: &str) -> Value {
    loop {
        set_time(exchange, REST_TIME - 900).await;
        let path = format!("/api/v3/order?{query}");
        let sent = exchange.send(Method::POST, &path, Some(KEY), Some(body.to_owned()));
        let answer: Value = sent.await.unwrap().json().await.unwrap();
        if answer["code"] != -1021 {
            return answer;
        }
    }
}

#[tokio::test]
async fn the_published_signatures_of_rest_verify() {
    let exchange = exchange_of_the_documentation().await;
    let plain = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    let wide = plain.replace(
        "LTCBTC",
        "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
    );
    let (half, other_half) = plain.split_once("&quantity").unwrap();
    let other_half = format!("quantity{other_half}");
    let (a, b, f) = (
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
    );
    // A signature that verifies lets the request come as far as its symbol, which is not traded here.
    let table = [
        (String::new(), format!("{plain}&signature={a}"), -1121),
        (format!("{plain}&signature={a}"), String::new(), -1121),
        (
            format!("signature={}&{plain}", a.to_uppercase()),
            String::new(),
            -1121,
        ),
        (String::new(), format!("{wide}&signature={b}"), -1100),
        (
            half.to_owned(),
            format!("{other_half}&signature={f}"),
            -1121,
        ),
        // In any other split or order the signature is another one.
        (String::new(), format!("{plain}&signature={f}"), -1022),
        (
            plain.replace("price=0.1", "price=0.2"),
            format!("signature={a}"),
            -1022,
        ),
    ];
    for (query, body, code) in table {
        let answer = replay(&exchange, &query, &body).await;
        assert_eq!(answer["code"], code, "{query} {body}: {answer}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn the_published_signatures_of_the_web_socket_api_verify() {
    let exchange = exchange_of_the_documentation().await;
    let mut socket = exchange.connect("/ws-api/v3").await;
    let order = |fields: Value| {
        let mut order = json!({"apiKey": KEY, "timeInForce": "GTC", "type": "LIMIT"});
        for (name, value) in fields.as_object().unwrap() {
            order[name.as_str()] = value.clone();
        }
        order
    };
    let c = order(json!({
        "price": "52000.00", "quantity": "0.01000000", "recvWindow": 100, "side": "SELL", "symbol": "BTCUSDT",
        "timestamp": 1_645_423_376_532_i64,
        "signature": "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
    }));
    let d = order(json!({
        "price": "0.10000000", "quantity": "1.00000000", "recvWindow": 5000, "side": "BUY", "symbol": "１２３４５６",
        "timestamp": 1_645_423_376_532_i64,
        "signature": "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
    }));
    let e = order(json!({
        "price": "23416.10000000", "quantity": "0.00847000", "side": "SELL", "symbol": "BTCUSDT",
        "timestamp": 1_660_801_715_431_i64,
        "signature": "15af09e41c36f3cc61378c2fbe2c33719a03dd5eba8d0f9206fbda44de717c88",
    }));
    let g = json!({
        "apiKey": KEY, "timestamp": 1_649_729_878_532_i64,
        "signature": "1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed",
    });
    // The last one's arithmetic is right, but only Ed25519 keys log on.
    let table = [
        ("order.place", c, Value::Null),
        ("order.place", d, json!(-1100)),
        ("order.place", e, Value::Null),
        ("session.logon", g, json!(-4056)),
    ];
    for (method, params, code) in table {
        let answer = loop {
            set_time(&exchange, params["timestamp"].as_i64().unwrap() - 900).await;
            let answer = socket.ask(method, params.clone()).await;
            if answer["error"]["code"] != -1021 {
                break answer;
            }
        };
        assert_eq!(answer["error"]["code"], code, "{params}: {answer}");
        let mut forged = params.clone();
        forged["timestamp"] = json!(1);
        let answer = socket.ask(method, forged).await;
        assert_eq!(answer["error"]["code"], -1022, "{answer}");
    }
    exchange.stop().await;
}

/// PEM of a public key from its DER.
fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
}

fn percent_encoded(base64: &str) -> String {
    base64
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[tokio::test]
async fn ed25519_and_rsa_keys_sign() {
    // The seed of RFC 8032, test 1.
    let seed: Vec<u8> = (0..32)
        .map(|index| {
            let hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
            u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).unwrap()
        })
        .collect();
    let ed25519 = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let mut der = vec![
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    der.extend_from_slice(ed25519.public_key().as_ref());
    let mut options = BinanceOptions::rehearsal();
    let key = |name: &str, pem: &str| KeyOptions::hmac(name, "", "other").with_public_key(pem);
    options.keys.push(key("ed25519-key", &pem(&der)));
    options.keys.push(key(
        "rsa-key",
        &pem(&STANDARD.decode(RSA_PUBLIC_KEY).unwrap()),
    ));
    let exchange = Exchange::start_with(options).await;
    let sign = |payload: &str| STANDARD.encode(ed25519.sign(payload.as_bytes()));
    let payload = format!("timestamp={REST_TIME}");
    let signatures = [
        ("ed25519-key", sign(&payload)),
        ("rsa-key", RSA_SIGNATURE.to_owned()),
    ];
    for (name, signature) in signatures {
        let signature = percent_encoded(&signature);
        for (signed, code) in [
            (payload.clone(), Value::Null),
            (format!("{payload}&x=1"), json!(-1022)),
        ] {
            let path = format!("/api/v3/account?{signed}&signature={signature}");
            let answer = loop {
                set_time(&exchange, REST_TIME - 900).await;
                let sent = exchange.send(Method::GET, &path, Some(name), None);
                let answer: Value = sent.await.unwrap().json().await.unwrap();
                if answer["code"] != -1021 {
                    break answer;
                }
            };
            assert_eq!(answer["code"], code, "{name} {signed}");
        }
    }
    log_on(&exchange, sign).await;
    exchange.stop().await;
}

/// An Ed25519 session signs once; then neither key nor signature is needed.
async fn log_on(exchange: &Exchange, sign: impl Fn(&str) -> String) {
    let mut socket = exchange.connect("/ws-api/v3").await;
    let time = exchange.server_time().await;
    let early = socket.ask("userDataStream.subscribe", json!({})).await;
    assert_eq!(early["error"]["code"], -2015);
    let signature = sign(&format!("apiKey=ed25519-key&timestamp={time}"));
    let params = json!({"apiKey": "ed25519-key", "timestamp": time, "signature": signature});
    let answer = socket.ask("session.logon", params).await;
    assert_eq!(answer["result"]["apiKey"], "ed25519-key", "{answer}");
    let account = socket
        .ask("account.status", json!({"timestamp": time}))
        .await;
    assert_eq!(account["result"]["canTrade"], true, "{account}");
    let subscribed = socket.ask("userDataStream.subscribe", json!({})).await;
    assert_eq!(subscribed["result"]["subscriptionId"], 0);
    let again = socket.ask("userDataStream.subscribe", json!({})).await;
    assert_eq!(again["error"]["code"], -2035);
    let status = socket.ask("session.logout", json!({})).await;
    assert_eq!(status["result"]["apiKey"], Value::Null);
    let late = socket
        .ask("account.status", json!({"timestamp": time}))
        .await;
    assert_eq!(late["error"]["code"], -2014, "{late}");
}

/// The query with the rehearsal account's signature.
fn with_signature(payload: &str) -> String {
    let signature = hmac_hex(REHEARSAL_SECRET, payload);
    format!("{payload}&signature={signature}")
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let exchange = Exchange::start().await;
    let now = exchange.server_time().await;
    let at = |time: i64| with_signature(&format!("timestamp={time}"));
    let also = |more: String| with_signature(&format!("timestamp={now}&{more}"));
    let key = Some(REHEARSAL_KEY);
    let table = [
        (None, at(now), 401, -2014),
        (Some("no-such-key"), at(now), 401, -2015),
        (key, format!("timestamp={now}"), 400, -1102),
        (key, format!("timestamp={now}&signature=00"), 400, -1022),
        (key, with_signature("recvWindow=5000"), 400, -1102),
        (key, at(now - 60_000), 400, -1021),
        (key, at(now + 60_000), 400, -1021),
        (key, also("recvWindow=60001".to_owned()), 400, -1131),
        (key, also("recvWindow=x".to_owned()), 400, -1100),
        (key, also(format!("timestamp={now}")), 400, -1101),
        (key, at(now * 1_000), 200, 0),
    ];
    for (key, query, status, code) in table {
        let path = format!("/api/v3/account?{query}");
        let response = exchange.send(Method::GET, &path, key, None).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let answer: Value = response.json().await.unwrap();
        let seen = answer["code"].as_i64().unwrap_or_default();
        assert_eq!(seen, code, "{path}: {answer}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_key_that_may_not_trade_reads_only() {
    let mut options = BinanceOptions::rehearsal();
    let mut reader = KeyOptions::hmac("reader-key", REHEARSAL_SECRET, "rehearsal");
    reader.can_trade = false;
    options.keys.push(reader);
    let exchange = Exchange::start_with(options).await;
    let now = exchange.server_time().await;
    let query = with_signature(&format!("timestamp={now}"));
    let path = format!("/api/v3/account?{query}");
    let sent = exchange.send(Method::GET, &path, Some("reader-key"), None);
    assert_eq!(sent.await.unwrap().status(), 200);
    let order = format!("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&timestamp={now}");
    let body = Some(with_signature(&order));
    let sent = exchange.send(Method::POST, "/api/v3/order", Some("reader-key"), body);
    assert_eq!(sent.await.unwrap().status(), 401);
    exchange.stop().await;
}

#[tokio::test]
async fn account_checks_show_what_a_key_may_do() {
    let exchange = Exchange::start().await;
    let path = "/sapi/v1/account/apiRestrictions";
    let shown = exchange.ok(Method::GET, path, "").await;
    let flags = [
        "enableSpotAndMarginTrading",
        "enableWithdrawals",
        "ipRestrict",
    ];
    assert_eq!(
        flags.map(|flag| shown[flag].as_bool().unwrap()),
        [true, false, true]
    );
    exchange.stop().await;
}

/// A public key of 2048 bits, in base64; its private half was made for the next line and thrown away.
const RSA_PUBLIC_KEY: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAt7x8TgyJXLC/gvXO9HqQlLuciFVz9n03EEV9vEy8ZuR1rfCILxHmgxnN\
    lu4CWmr0J8HWUsA5e3cuL0dUi+v/izVjDnVHzPQYKb6XpgWCm8BG7rTXPmArGz8LDEmNTKs/QgbW8oUUFfbb9D/XbBb3doD4jBax\
    ew6eQGB8aehsauSlAkNUsvGcxR2T9Y2V91j/lTIZtcdLin1jwhYao/n7LyRiRv6t/tc4ubnycg8clsvpvDnzWfKjKmJS5ss/yUun\
    APqV4vu1dsQhBvfGDOFbnAywvUAaVM+asiNhCjwLbwHdRs2D7v6WxSVXH3ASuo6QWWsGCX519K4sgOaMgxDiBQIDAQAB\
";
/// Its signature over `timestamp=1499827319559`.
const RSA_SIGNATURE: &str = "\
    UXM1vNFTG8EUW/vH3cXAT/5uvb7+L6j1nEiRaKsO52Qxihf6IRfyMYYGXZysEOKQFhqVjSDRpz9pxa2cz3EkybBYilUJdnCyC2sE\
    3YjeaeyFOPDLDKLCW+Wl8xGtRK5LgPEWnIrwH48+R7DL2AU1CqCTbO7fXpRbbR4l2sR8K4TyCzdBHaACrVykdnU7ZHO0q4UCcaCc\
    mnLNWJUHQt3LL+H3fZMpdl0rtVspJYkgy6zodP+ArE3f8zAOnEzPwrlBMP6GdXoMY4NcBLXNkvplPqfoGqX8V1XWzx0zVSs8nZs7\
    OGKGTgPGiIydO6hY9SmJ782IRqlWVB2ttwjk3Ue/ew==\
";
