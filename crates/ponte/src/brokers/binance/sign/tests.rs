//! Signatures against what the exchange publishes.

use super::*;

const SPOT_KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const SPOT_SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const FUTURES_SECRET: &str = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9";
/// The first test key of RFC 8032.
const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY----- \
     MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g \
     -----END PRIVATE KEY-----";

fn signer(key: &str) -> Signer {
    Signer::new(&Secret::new(key.to_owned()).unwrap()).unwrap()
}

fn limit_order(symbol: &'static str) -> Params {
    Params::new()
        .with("symbol", symbol)
        .with("side", "BUY")
        .with("type", "LIMIT")
        .with("timeInForce", "GTC")
        .with("quantity", "1")
        .with("price", "0.1")
        .with("recvWindow", "5000")
        .with("timestamp", "1499827319559")
}

#[test]
fn rest_requests_are_signed_as_published() {
    let cases = [
        (
            "LTCBTC",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        ),
        (
            "１２３４５６",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
    ];
    for (symbol, signature) in cases {
        let query = signer(SPOT_SECRET)
            .signed_query(&limit_order(symbol))
            .unwrap();
        assert!(query.ends_with(&format!("&timestamp=1499827319559&signature={signature}")));
    }
}

#[test]
fn a_query_and_a_body_are_signed_without_a_separator() {
    let payload = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC\
                   quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    assert_eq!(
        signer(SPOT_SECRET).sign(payload).unwrap(),
        "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    );
}

#[test]
fn futures_requests_are_signed_as_published() {
    let payload = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC\
                   &recvWindow=5000&timestamp=1591702613943";
    assert_eq!(
        signer(FUTURES_SECRET).sign(payload).unwrap(),
        "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
    );
}

#[test]
fn web_socket_requests_are_signed_as_published() {
    let order = |symbol: &'static str, quantity: &str, price: &str, side: &str| {
        Params::new()
            .with("symbol", symbol)
            .with("side", side)
            .with("type", "LIMIT")
            .with("timeInForce", "GTC")
            .with("price", price)
            .with("quantity", quantity)
            .with("apiKey", SPOT_KEY)
    };
    let cases = [
        (
            order("BTCUSDT", "0.01000000", "52000.00", "SELL")
                .with("recvWindow", "100")
                .with("timestamp", "1645423376532"),
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            order("１２３４５６", "1.00000000", "0.10000000", "BUY")
                .with("recvWindow", "5000")
                .with("timestamp", "1645423376532"),
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        ),
        (
            order("BTCUSDT", "0.00847000", "23416.10000000", "SELL")
                .with("timestamp", "1660801715431"),
            "15af09e41c36f3cc61378c2fbe2c33719a03dd5eba8d0f9206fbda44de717c88",
        ),
        (
            Params::new()
                .with("timestamp", "1649729878532")
                .with("apiKey", SPOT_KEY),
            "1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed",
        ),
    ];
    for (params, signature) in cases {
        assert_eq!(signer(SPOT_SECRET).sign_sorted(&params).unwrap(), signature);
    }
}

#[test]
fn ed25519_signs_the_same_payloads() {
    let signer = signer(ED25519_PEM);
    assert_eq!(
        signer.sign(&limit_order("LTCBTC").encoded()).unwrap(),
        "3fhuDZ9nYMviDQ5OEtJBJS11jUZDTRzRQ+TQMarm+LErFiJvUiVPQjTzDoWZQe4miPX+yHk1v/Z7TWLYjIbmCA=="
    );
    let logon = Params::new()
        .with("timestamp", "1649729878532")
        .with("apiKey", SPOT_KEY);
    assert_eq!(
        signer.sign_sorted(&logon).unwrap(),
        "763GJeFgG09B/06V/dq24cLu6f0R57whgDMyOCubDex4CTTElmDgPSIQqLdOsvW5TBxyaaFotVCI8tUmQMChAA=="
    );
    let query = signer.signed_query(&limit_order("LTCBTC")).unwrap();
    assert!(query.ends_with("TWLYjIbmCA%3D%3D"));
}

#[test]
fn keys_of_other_forms_are_refused_with_the_cure() {
    let refusal = |pem: &str| match Signer::new(&Secret::new(pem.to_owned()).unwrap()) {
        Err(BrokerError::Refused(why)) => why,
        Err(BrokerError::Unanswered(_) | BrokerError::Unreadable(_)) | Ok(_) => String::new(),
    };
    assert!(refusal("-----BEGIN RSA PRIVATE KEY----- AAAA -----END").contains("-topk8"));
    assert!(refusal("-----BEGIN ENCRYPTED PRIVATE KEY----- AAAA -----END").contains("decrypt"));
    let broken = refusal("-----BEGIN PRIVATE KEY----- AAAA -----END PRIVATE KEY-----");
    assert!(broken.contains("neither") && !broken.contains("AAAA"));
}

/// A key made for this test only, and what another implementation of RSA signs with it.
const RSA_PEM: &str = "PRIVATE KEY-----\
     MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCrIW0Ecw55KqY9\
     k/Evr9nHNSqPRITWTkwA9f5tbv6GSzhXWk5nJ4Hh9ePZddgdSZ6tYcd88njSdYtc\
     d7Cdyc1tJ0AC4Hgt7RezXjieZ6XFrya1RZnZMavwb4cYmsBv5gIkZf6Murgtky+7\
     4iOw6ss3CmO49abwXX5VnIEJIea4ImtiyP8+2LcLBplKLDaQ4Mrhn4n1P58kVwDn\
     PzFW1chWit9jaFUmPqb765OjRTth4UelUQzG+92clUJ2ZWQHAJfbAnaVpoqQu/D8\
     8VujIclS+wtRAN/fpjuPLJIMcbegJhgFXW/17BQbY1y00I+lvHLfQQ63BBkreFjT\
     RgXRQtbtAgMBAAECggEAGQ91zMVBnRZVDmb0FrDoki7TuvPEhTKlmC1t8x4iOU3a\
     JBamLR6Au3OcCIwkmBNgIJFVWpOShHVwsVuYul6jTeUFz3YKO2WBR0PYxD+267Zc\
     04ZsA32t6XGXpc+Bt1FGRojGKFsungP0JU42PlH/7OFBXcRhjEkQt15KGimEBTpN\
     NRG65Co9pXrrj/4rukMUeLbjy6LAsdy6T96QGDojsO61NUvGs9JWpP8OeAgCGoK7\
     NOCHxhbbCCv8K+wuuXKfuCrtfLkMAz3sO/hZOZPyBFCiJs28N/6b68MHA2ooepxw\
     ugh7VvoD1D9l4Z0mtnL1u/R1dmsWcUgzpLlkguptiQKBgQDxV6qjaBFC2LiVLeq0\
     ZGNTSNd3XYNKVgxgQUSt69AGNRRnQ9IjAtbGNRF/qXkrIyLgV/mxUvj5neYokf8i\
     HWpqEwU7skhvnl7+c2lvfGsYMGOMuP/q/4fWsNsnX9fCYT+rUKz6Gv0hIP59RDGy\
     m4l4DEkYKF23MVnLNiW/rRrkJQKBgQC1hh9F/SWGn1/MzbNUG+rK0cgUO4V0ElwY\
     NOjV/nVfWpTyklpzvbxNmVjIK/Vx7r0TzU4OpeHTFttst+dnZJ6HtLMhn6JKtnRN\
     KM0QUR8KD3E5dKSuzyv66+jz6I3S8t38je0MO5QKprXuvnZFD2+gJ1qzRJSpTr8U\
     xkN4m4MJKQKBgQC1fXuxDp2Ma3XDmZgauDOJegmulgAZcsQzzmFbeS4ivN/vGC16\
     brQcsePK4SNhsTaVBxOaqg7ZiEiA0enPOdfAlTUmQ1f9uFcvepMbZ7ERq7HxLV4m\
     1qrMZIsp/QVAA+nhZvXtz0X0F9/JS/MjoZurT3HYXOK81Lv1+W5BymeikQKBgBAM\
     VYN4h/LI8E1I+ku7VByuQ0QWpwvF+8JgGx2gK3xMo9J2Qeztn1I09nZr/H0gIDM5\
     +WauH7Lr2GZaM+keKi3ROe0FEfINA2c27jo9EcNv7hCoUU7rHfZHGQdHThKSSjHj\
     0ks8kTAH4RnEWOxuGu5LzGcA7yuwvI/3n0twZDtRAoGAB8e/vi4rRYF4LcOOoTmc\
     GWyPLQcT+4quxGXe+VMhNz39nK1rtx8BToPldF03+cUyRIkfRxC4i9uwDkdT8Ard\
     N0dVZpRabUHNCjl3jue9pMIidbLdeRbe+R+/25Ud+SqVnpr4yh+jScpehhjAsRrn\
     UDeUHNQ4Y+A3Lwympg4geBc=\
     -----END PRIVATE KEY-----";
const RSA_SIGNATURE: &str = "\
     GMJqcwe5/YN9ypgcjIj9mEbSFzaYh7f3xMNTCl1G5I2eBASej63XXccRlc5suJI+Lr4GnAXfQSJnFYXvzWrTa69q5uSdcD8x+/l6\
     HpPokG78r8DGwr1g3VYOBZDnfyTJniCD8MPeUUrtRHWv3Rsyyf+tAZKFGSvGwea9P1g8beTQZuiIKeP8Y38vesjWAr5yqxmILBSg\
     cL6pvlNt5GyAvDMpD9Z+G9xqppUN3rptXHqIfFxEXpMqOA4fNq5j3/GvJwo45oB4RoYLlqXlPxO3zkNTqkcVvDUBqTyJd7RwEkh3\
     UCda+nrxoKqdsW02WrhaNCC6WdI+uXf4vHOex1L80A==";

#[test]
fn rsa_signs_as_another_implementation_does() {
    let Ok(signer) = Signer::from_pem(RSA_PEM) else {
        panic!("the key was refused");
    };
    let signature = signer.sign(&limit_order("LTCBTC").encoded()).unwrap();
    assert_eq!(signature, RSA_SIGNATURE);
}
