//! What people read when a number, a duration or an address is wrong.

use expect_test::expect;

use super::{PARTS, Parts, account, check, config, source, top};

#[test]
fn numbers() {
    for (value, expected) in [
        (
            "0.1",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: expected a decimal in quotes, found the number 0.1; write it in quotes, "0.1": binary floats lose digits
              12 | balance = 0.1
                 |           ^^^"#]],
        ),
        (
            "\"0,01\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: expected a decimal, found "0,01"; write a point, and nothing between thousands: "1234.5"
              12 | balance = "0,01"
                 |           ^^^^^^"#]],
        ),
        (
            "\"1e3\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: expected a decimal, found "1e3"; write digits with a point: "0.01"
              12 | balance = "1e3"
                 |           ^^^^^"#]],
        ),
        (
            "\"\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: expected a decimal, found ""; write digits with a point: "0.01"
              12 | balance = ""
                 |           ^^"#]],
        ),
        (
            "-5",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: -5 is not above 0
              12 | balance = -5
                 |           ^^"#]],
        ),
        (
            "\"0\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: 0 is not above 0
              12 | balance = "0"
                 |           ^^^"#]],
        ),
        (
            "nan",
            expect![[r#"
                ponte.toml:12:11: accounts.balance: expected a decimal in quotes, found the number nan; write digits with a point: "0.01"
                  12 | balance = nan
                     |           ^^^"#]],
        ),
        (
            "true",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: expected a decimal in quotes, found true
              12 | balance = true
                 |           ^^^^"#]],
        ),
        (
            "\"1000000000001\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: 1000000000001 is above the maximum 1000000000000
              12 | balance = "1000000000001"
                 |           ^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"0.0000000000001\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: 0.0000000000001 has 13 digits after the point, the maximum is 12
              12 | balance = "0.0000000000001"
                 |           ^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"0.00000000000000000000000000001\"",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: "0.00000000000000000000000000001" has more than 28 digits
              12 | balance = "0.00000000000000000000000000001"
                 |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "0x10",
            expect![[r#"
            ponte.toml:12:11: accounts.balance: expected a decimal in quotes, found the number 0x10
              12 | balance = 0x10
                 |           ^^^^"#]],
        ),
    ] {
        check(&account(&format!("balance = {value}\n")), &expected);
    }
    check(
        &account("leverage = \"0.5\"\nseed = -1\n"),
        &expect![[r#"
        ponte.toml:12:12: accounts.leverage: 0.5 is below the minimum 1
          12 | leverage = "0.5"
             |            ^^^^^
        ponte.toml:13:8: accounts.seed: expected a whole number from 0 to 9223372036854775807, found the number -1
          13 | seed = -1
             |        ^^"#]],
    );
    check(
        &account("seed = 99999999999999999999\n"),
        &expect![[r#"
        ponte.toml:12:8: accounts.seed: expected a whole number from 0 to 9223372036854775807, found the number 99999999999999999999
          12 | seed = 99999999999999999999
             |        ^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[webhook]\nfailures_per_minute = 0\n"),
        &expect![[r#"
        ponte.toml:2:23: webhook.failures_per_minute: expected a whole number from 1 to 100000, found the number 0
          2 | failures_per_minute = 0
            |                       ^"#]],
    );
}

#[test]
fn durations() {
    for (value, expected) in [
        (
            "45",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: expected a duration such as "45s", found the number 45; write it with a unit: "45s"
              4 | dedup_window = 45
                |                ^^"#]],
        ),
        (
            "\"45\"",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: expected a duration such as "45s", found "45"; write a whole number and one of the units ms, s, m, h, d
              4 | dedup_window = "45"
                |                ^^^^"#]],
        ),
        (
            "\"45 sec\"",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: expected a duration such as "45s", found "45 sec"; write a whole number and one of the units ms, s, m, h, d
              4 | dedup_window = "45 sec"
                |                ^^^^^^^^"#]],
        ),
        (
            "\"500ms\"",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: 500ms is below the minimum 1s
              4 | dedup_window = "500ms"
                |                ^^^^^^^"#]],
        ),
        (
            "\"2d\"",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: 2d is above the maximum 1d
              4 | dedup_window = "2d"
                |                ^^^^"#]],
        ),
        (
            "\"99999999999999999999d\"",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: expected a duration such as "45s", found "99999999999999999999d"; write a whole number and one of the units ms, s, m, h, d
              4 | dedup_window = "99999999999999999999d"
                |                ^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"10s\"",
            expect![[r#"
            ponte.toml:4:16: warning: sources.dedup_window: 10s is shorter than the 27s after which TradingView may still send again; write "45s", or give each alert an id
              4 | dedup_window = "10s"
                |                ^^^^^"#]],
        ),
        (
            "0.5",
            expect![[r#"
            ponte.toml:4:16: sources.dedup_window: expected a duration such as "45s", found the number 0.5
              4 | dedup_window = 0.5
                |                ^^^"#]],
        ),
    ] {
        check(
            &source(&format!("{}dedup_window = {value}\n", PARTS.source)),
            &expected,
        );
    }
    check(
        &top("[retention]\nevents = \"for ever\"\nrefusals = \"1h\"\n"),
        &expect![[r#"
            ponte.toml:2:10: retention.events: expected a duration such as "45s", found "for ever"; write a whole number and one of the units ms, s, m, h, d
              2 | events = "for ever"
                |          ^^^^^^^^^^
            ponte.toml:3:12: retention.refusals: 1h is below the minimum 1d
              3 | refusals = "1h"
                |            ^^^^"#]],
    );
}

#[test]
fn addresses() {
    check(
        &top("[webhook]\nlisten = \"localhost:9000\"\n"),
        &expect![[r#"
        ponte.toml:2:10: webhook.listen: expected an address with a port, found "localhost:9000"; write numbers: "127.0.0.1:9000", or "0.0.0.0:9000" for every interface
          2 | listen = "localhost:9000"
            |          ^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[admin]\nlisten = \"192.168.1.5:8081\"\n"),
        &expect![[r#"
            ponte.toml:2:10: admin.listen: 192.168.1.5:8081 is not a loopback address, and admin.listen asks for no password; write "127.0.0.1:8081", and for elsewhere add a section [admin.remote]
              2 | listen = "192.168.1.5:8081"
                |          ^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[admin]\nlisten = \"127.0.0.1:8080\"\n"),
        &expect![[r#"
        ponte.toml:2:10: admin.listen: port 8080 is both the webhook's and the admin side's; give each its own port
          2 | listen = "127.0.0.1:8080"
            |          ^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[webhook]\nlisten = \"0.0.0.0:8080\"\nallow_from = [\"any\"]\n"),
        &expect![[r#"
            ponte.toml:2:10: warning: webhook.listen: 0.0.0.0:8080 is not a loopback address, and without TLS everybody on the way reads the alerts' secrets; add [webhook.acme] to get a certificate, or [webhook.tls] with files of your own; behind a proxy with TLS write proxy, or its address in trusted_proxies
              2 | listen = "0.0.0.0:8080"
                |          ^^^^^^^^^^^^^^
            ponte.toml:3:15: warning: webhook.allow_from: anybody who reaches 0.0.0.0:8080 may try secrets; write ["tradingview"], and "any" only for trying
              3 | allow_from = ["any"]
                |               ^^^^^"#]],
    );
    check(
        &top("[webhook]\nlisten = \"127.0.0.1:8080\"\nallow_from = [\"any\"]\n"),
        &expect![],
    );
    check(
        &top("[webhook]\nallow_from = \"any\"\n"),
        &expect![[r#"
            ponte.toml:2:14: webhook.allow_from: expected a list, found "any"; write it in brackets: ["any"]
              2 | allow_from = "any"
                |              ^^^^^"#]],
    );
    check(
        &top(
            "[webhook]\nallow_from = []\ntrusted_proxies = [\"any\", \"tradingview\", \"10.0.0.0/33\"]\n",
        ),
        &expect![[r#"
            ponte.toml:2:14: webhook.allow_from: allows nobody; name who may send: ["tradingview"]
              2 | allow_from = []
                |              ^^
            ponte.toml:3:20: webhook.trusted_proxies: "any" would let everybody claim any address; list the addresses of your proxies
              3 | trusted_proxies = ["any", "tradingview", "10.0.0.0/33"]
                |                    ^^^^^
            ponte.toml:3:27: webhook.trusted_proxies: "tradingview" is no proxy; list the addresses of your proxies
              3 | trusted_proxies = ["any", "tradingview", "10.0.0.0/33"]
                |                           ^^^^^^^^^^^^^
            ponte.toml:3:42: webhook.trusted_proxies: "10.0.0.0/33" has no length from 0 to 32 after the stroke
              3 | trusted_proxies = ["any", "tradingview", "10.0.0.0/33"]
                |                                          ^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[webhook]\nclient_address = \"x-real-ip\"\n"),
        &expect![[r#"
            ponte.toml:2:18: warning: webhook.client_address: has no effect, no proxy is trusted; list the proxies in trusted_proxies
              2 | client_address = "x-real-ip"
                |                  ^^^^^^^^^^^"#]],
    );
    check(
        &top("[webhook]\nclient_address = \"peer\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n"),
        &expect![[r#"
            ponte.toml:3:19: warning: webhook.trusted_proxies: has no effect, client_address is "peer"; name the header that the proxies set
              3 | trusted_proxies = ["10.0.0.0/8"]
                |                   ^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[webhook]\nclient_address = \"x-real-up\"\ntrusted_proxies = [\"private\"]\n"),
        &expect![[r#"
            ponte.toml:2:18: webhook.client_address: expected "peer", "x-forwarded-for", "x-real-ip", "cf-connecting-ip" or "fly-client-ip", found "x-real-up"; did you mean "x-real-ip"?
              2 | client_address = "x-real-up"
                |                  ^^^^^^^^^^^"#]],
    );
}

#[test]
fn public_urls() {
    for (value, expected) in [
        (
            "\"hook.example.com\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "hook.example.com" begins with neither https:// nor http://; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "hook.example.com"
                |              ^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"https://hook.example.com/webhook\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "https://hook.example.com/webhook" says more than a host; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "https://hook.example.com/webhook"
                |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"https://me@hook.example.com\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "https://me@hook.example.com" says more than a host; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "https://me@hook.example.com"
                |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"https://\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "https://" has no host name; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "https://"
                |              ^^^^^^^^^^"#]],
        ),
        (
            "\"https://hook..com\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "https://hook..com" has no host name; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "https://hook..com"
                |              ^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"https://hook.example.com:0\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "https://hook.example.com:0" has no port from 1 to 65535 after its colon; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "https://hook.example.com:0"
                |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "\"HTTPS is good\"",
            expect![[r#"
            ponte.toml:2:14: webhook.public_url: "HTTPS is good" begins with neither https:// nor http://; write the address without a path, such as "https://hook.example.com"
              2 | public_url = "HTTPS is good"
                |              ^^^^^^^^^^^^^^^"#]],
        ),
    ] {
        let top = format!("[webhook]\npublic_url = {value}\n");
        check(&Parts { top: &top, ..PARTS }.text(), &expected);
    }
    for (written, shown, port) in [
        ("https://Hook.example.com", "https://hook.example.com", 443),
        ("http://hook.example.com/", "http://hook.example.com", 80),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", 8080),
    ] {
        let top = format!("[webhook]\npublic_url = \"{written}\"\n");
        let read = config(&Parts { top: &top, ..PARTS }.text());
        let url = read.webhook.public_url.unwrap();
        assert_eq!((url.to_string().as_str(), url.port()), (shown, port));
        assert_eq!(url.is_secure(), written.starts_with("https"));
    }
}
