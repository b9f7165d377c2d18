//! What people read when sources, accounts or routes are wrong, or do not fit each other.

use expect_test::expect;

use super::{PARTS, account, check, route, source, top};

#[test]
fn names_and_secrets_are_unique() {
    check(
        &top(
            "[[sources]]\nname = \"main\"\nsecret = \"env:WEBHOOK_SECRET\"\n[[accounts]]\nname = \"paper\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"BRL\"\n",
        ),
        &expect![[r#"
            ponte.toml:10:8: sources.name: "main" is there twice; give each its own name
              10 | name = "main"
                 |        ^^^^^^
            ponte.toml:11:10: sources.secret: source "main" has the same secret as "main"; give each source its own
              11 | secret = …
                 |          ^
            ponte.toml:13:8: accounts.name: "paper" is there twice; give each its own name
              13 | name = "paper"
                 |        ^^^^^^^"#]],
    );
    check(
        &source("name = \" \"\nsecret = \"env:\"\n"),
        &expect![[r#"
        ponte.toml:2:8: sources.name: " " is empty
          2 | name = " "
            |        ^^^
        ponte.toml:3:10: sources.secret: expected the name of a variable after "env:": letters, digits and "_"; write "env:WEBHOOK_SECRET" or "file:secrets/main" and keep the secret itself there
          3 | secret = …
            |          ^"#]],
    );
    check(
        &source("name = 5\nsecret = 12345\n"),
        &expect![[r#"
        ponte.toml:2:8: sources.name: expected a name, found the number 5
          2 | name = 5
            |        ^
        ponte.toml:3:10: sources.secret: expected "env:NAME", "file:PATH", "credential:NAME" or "vault:NAME", found a text that begins with none of them; write "env:WEBHOOK_SECRET" or "file:secrets/main" and keep the secret itself there
          3 | secret = …
            |          ^"#]],
    );
}

#[test]
fn accounts() {
    check(
        &account("prices = []\n"),
        &expect![[r#"
            ponte.toml:12:10: accounts.prices: names no source, so that no order could ever be filled; write ["alert"] or ["alert", "binance"]
              12 | prices = []
                 |          ^^"#]],
    );
    check(
        &account("prices = [\"seeded\", \"seeded\", \"live\"]\nfills = \"optimist\"\n"),
        &expect![[r#"
            ponte.toml:12:21: accounts.prices: named twice
              12 | prices = ["seeded", "seeded", "live"]
                 |                     ^^^^^^^^
            ponte.toml:12:31: accounts.prices: expected "alert", "binance" or "seeded", found "live"
              12 | prices = ["seeded", "seeded", "live"]
                 |                               ^^^^^^
            ponte.toml:13:9: accounts.fills: expected "optimistic" or "pessimistic", found "optimist"; did you mean "optimistic"?
              13 | fills = "optimist"
                 |         ^^^^^^^^^^"#]],
    );
    for (value, expected) in [
        (
            "https://127.0.0.1:9000",
            expect![[r#"
            ponte.toml:12:7: accounts.url: expected http, a loopback address and a port, found "https://127.0.0.1:9000"; write it like "http://127.0.0.1:9000"
              12 | url = "https://127.0.0.1:9000"
                 |       ^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "http://10.0.0.1:9000",
            expect![[r#"
            ponte.toml:12:7: accounts.url: 10.0.0.1 is not a loopback address, and a venue is reached on its own machine only; write it like "http://127.0.0.1:9000"
              12 | url = "http://10.0.0.1:9000"
                 |       ^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "http://127.0.0.1:9000/x",
            expect![[r#"
            ponte.toml:12:7: accounts.url: expected http, a loopback address and a port, found "http://127.0.0.1:9000/x"; write it like "http://127.0.0.1:9000"
              12 | url = "http://127.0.0.1:9000/x"
                 |       ^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        ("http://localhost:9000/", expect![]),
    ] {
        check(&account(&format!("url = \"{value}\"\n")), &expected);
    }
    check(
        &account(
            "[accounts.rules]\nallowed_symbols = []\nmax_signal_age = \"0s\"\nmax_orders_per_minute = \"5\"\n",
        ),
        &expect![[r#"
            ponte.toml:13:19: accounts.rules.allowed_symbols: allows no symbol; name some, or leave the key out to allow all
              13 | allowed_symbols = []
                 |                   ^^
            ponte.toml:14:18: accounts.rules.max_signal_age: 0s is below the minimum 1s
              14 | max_signal_age = "0s"
                 |                  ^^^^
            ponte.toml:15:25: accounts.rules.max_orders_per_minute: expected a whole number from 1 to 100000, found "5"
              15 | max_orders_per_minute = "5"
                 |                         ^^^"#]],
    );
    check(
        &account("[accounts.rules]\nallowed_symbols = [\"BINANCE:BTCUSDT\", \"BTC USDT\"]\n"),
        &expect![[r#"
            ponte.toml:13:20: accounts.rules.allowed_symbols: "BINANCE:BTCUSDT" has an exchange in front, which is taken off before symbols are compared; write "BTCUSDT" without "BINANCE:"
              13 | allowed_symbols = ["BINANCE:BTCUSDT", "BTC USDT"]
                 |                    ^^^^^^^^^^^^^^^^^
            ponte.toml:13:39: accounts.rules.allowed_symbols: "BTC USDT" has white space in it
              13 | allowed_symbols = ["BINANCE:BTCUSDT", "BTC USDT"]
                 |                                       ^^^^^^^^^^"#]],
    );
    check(
        &account(
            "[[accounts.instruments]]\nsymbol = \"A\"\nprice_tick = \"0.01\"\nquantity_step = \"2\"\nminimum_quantity = \"3\"\n[[accounts.instruments]]\nsymbol = \"a\"\nprice_tick = \"0\"\nquantity_step = \"1\"\n[[accounts.instruments]]\nsymbol = \"a\"\nprice_tick = \"1\"\nquantity_step = \"1\"\n",
        ),
        &expect![[r#"
            ponte.toml:16:20: accounts.instruments.minimum_quantity: minimum_quantity 3 is not a multiple of quantity_step 2
              16 | minimum_quantity = "3"
                 |                    ^^^
            ponte.toml:19:14: accounts.instruments.price_tick: 0 is not above 0
              19 | price_tick = "0"
                 |              ^^^
            ponte.toml:22:10: accounts.instruments.symbol: "A" is described twice
              22 | symbol = "a"
                 |          ^^^"#]],
    );
}

#[test]
fn routes() {
    check(
        &route("strategies = [\"*\"]\naccounts = [\"papr\", \"binance\"]\n"),
        &expect![[r#"
            ponte.toml:11:13: routes.accounts: there is no account "papr"; did you mean "paper"?
              11 | accounts = ["papr", "binance"]
                 |             ^^^^^^
            ponte.toml:11:21: routes.accounts: there is no account "binance"; known: "paper"
              11 | accounts = ["papr", "binance"]
                 |                     ^^^^^^^^^"#]],
    );
    check(
        &route("strategies = \"*\"\naccounts = []\n"),
        &expect![[r#"
        ponte.toml:10:14: routes.strategies: expected a list, found "*"; write it in brackets: ["*"]
          10 | strategies = "*"
             |              ^^^
        ponte.toml:11:12: routes.accounts: leads to no account; name one or more accounts
          11 | accounts = []
             |            ^^"#]],
    );
    check(
        &route("strategies = [\"*\", \"a\"]\naccounts = [\"paper\", \"paper\"]\n"),
        &expect![[r#"
            ponte.toml:10:20: warning: routes.strategies: "a" adds nothing beside "*"; take one of the two out
              10 | strategies = ["*", "a"]
                 |                    ^^^
            ponte.toml:11:22: warning: routes.accounts: account "paper" is named twice
              11 | accounts = ["paper", "paper"]
                 |                      ^^^^^^^"#]],
    );
    for (value, expected) in [
        (
            "\"half\"",
            expect![[r#"
            ponte.toml:12:8: routes.size: expected a size, found "half"; write "alert", or one of multiply, fixed, notional, percent_of_equity: { multiply = "0.5" }
              12 | size = "half"
                 |        ^^^^^^"#]],
        ),
        (
            "{}",
            expect![[r#"
            ponte.toml:12:8: routes.size: has 0 sizes, expected one; write "alert", or one of multiply, fixed, notional, percent_of_equity: { multiply = "0.5" }
              12 | size = {}
                 |        ^^"#]],
        ),
        (
            "{ multiply = \"2\", fixed = \"1\" }",
            expect![[r#"
            ponte.toml:12:8: routes.size: has 2 sizes, expected one; write "alert", or one of multiply, fixed, notional, percent_of_equity: { multiply = "0.5" }
              12 | size = { multiply = "2", fixed = "1" }
                 |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "{ percent_of_equity = \"1001\" }",
            expect![[r#"
            ponte.toml:12:30: routes.size.percent_of_equity: 1001 is above the maximum 1000
              12 | size = { percent_of_equity = "1001" }
                 |                              ^^^^^^"#]],
        ),
        (
            "{ notional = 100.0 }",
            expect![[r#"
            ponte.toml:12:21: routes.size.notional: expected a decimal in quotes, found the number 100.0; write it in quotes, "100.0": binary floats lose digits
              12 | size = { notional = 100.0 }
                 |                     ^^^^^"#]],
        ),
        (
            "{ fixed = \"0\" }",
            expect![[r#"
            ponte.toml:12:18: routes.size.fixed: 0 is not above 0
              12 | size = { fixed = "0" }
                 |                  ^^^"#]],
        ),
    ] {
        let text = format!("{}size = {value}\n", PARTS.text());
        check(&text, &expected);
    }
    for (value, expected) in [
        (
            "5",
            expect![[r#"
            ponte.toml:12:11: routes.symbols: expected a table of symbols, found the number 5; write { "BTCUSDT.P" = "BTCUSDT" }
              12 | symbols = 5
                 |           ^"#]],
        ),
        (
            "{ BTCUSDT.P = \"BTCUSDT\" }",
            expect![[r#"
            ponte.toml:12:13: routes.symbols: expected a symbol, found a table; a symbol with a point needs quotes: "BTCUSDT.P" = "BTCUSDT"
              12 | symbols = { BTCUSDT.P = "BTCUSDT" }
                 |             ^^^^^^^"#]],
        ),
        (
            "{ \"btcusdt\" = \"A\", \"BTCUSDT\" = \"\" }",
            expect![[r#"
            ponte.toml:12:42: routes.symbols: "" is empty
              12 | symbols = { "btcusdt" = "A", "BTCUSDT" = "" }
                 |                                          ^^"#]],
        ),
        (
            "{ \"btcusdt\" = \"A\", \"BTCUSDT\" = \"B\" }",
            expect![[r#"
            ponte.toml:12:13: routes.symbols: "BTCUSDT" is mapped twice
              12 | symbols = { "btcusdt" = "A", "BTCUSDT" = "B" }
                 |             ^^^^^^^^^"#]],
        ),
    ] {
        check(&format!("{}symbols = {value}\n", PARTS.text()), &expected);
    }
}

#[test]
fn routes_that_come_too_late() {
    let routes = |routes: &[&str]| {
        let mut text = format!(
            "[[sources]]\n{}[[accounts]]\n{}",
            PARTS.source, PARTS.account
        );
        for strategies in routes {
            text += &format!("[[routes]]\nstrategies = {strategies}\naccounts = [\"paper\"]\n");
        }
        text
    };
    check(&routes(&["[\"a\"]", "[\"*\"]"]), &expect![]);
    check(
        &routes(&["[\"*\"]", "[\"a\", \"b\"]"]),
        &expect![[r#"
        ponte.toml:14:13: warning: routes.accounts: an earlier route takes "a", "b" to "paper" already, the first one wins; put the more special route first
          14 | accounts = ["paper"]
             |             ^^^^^^^"#]],
    );
    check(
        &routes(&["[\"*\"]", "[\"*\"]"]),
        &expect![[r#"
        ponte.toml:14:13: warning: routes.accounts: an earlier route takes every strategy to "paper" already, the first one wins; put the more special route first
          14 | accounts = ["paper"]
             |             ^^^^^^^"#]],
    );
    check(
        &routes(&["[\"a\", \"b\"]", "[\"b\", \"c\"]"]),
        &expect![[r#"
        ponte.toml:14:13: warning: routes.accounts: an earlier route takes "b" to "paper" already, the first one wins; put the more special route first
          14 | accounts = ["paper"]
             |             ^^^^^^^"#]],
    );
}

#[test]
fn limits() {
    let account = |n| {
        format!(
            "[[accounts]]\nname = \"p{n}\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"USDT\"\n"
        )
    };
    let accounts: String = (0..65).map(account).collect();
    check(
        &format!(
            "[[sources]]\n{}{accounts}[[routes]]\nstrategies = [\"*\"]\naccounts = [\"p1\"]\n",
            PARTS.source
        ),
        &expect![[r#"
            ponte.toml:325:8: accounts: there are 65 accounts, the maximum is 64
              325 | name = "p64"
                  |        ^^^^^"#]],
    );
    let many = vec!["\"a\""; 1025].join(",");
    check(
        &route_of(&many),
        &expect![[r#"
        ponte.toml:11:14: routes.strategies: has 1025 entries, the maximum is 1024
          11 | strategies = ["a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a
             |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}

fn route_of(strategies: &str) -> String {
    format!(
        "[[sources]]\n{}[[accounts]]\n{}[[routes]]\naccounts = [\"paper\"]\nstrategies = [{strategies}]\n",
        PARTS.source, PARTS.account
    )
}
