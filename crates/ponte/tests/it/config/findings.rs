//! What people read when something is wrong with the file as a whole, its keys or its secrets.

use expect_test::expect;

use super::{account, check, rendered, route, top};

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    check(
        &account("[accounts.rules]\nmax_order_notionl = \"5000\"\nMax_Position = \"1\"\nxyz = 1\n"),
        &expect![[r#"
            ponte.toml:13:1: accounts.rules.max_order_notionl: unknown key; did you mean "max_order_notional"?
              13 | max_order_notionl …
                 | ^^^^^^^^^^^^^^^^^
            ponte.toml:14:1: accounts.rules.Max_Position: unknown key; did you mean "max_position"?
              14 | Max_Position …
                 | ^^^^^^^^^^^^
            ponte.toml:15:1: accounts.rules.xyz: unknown key; known here: allowed_symbols, max_order_quantity, max_order_notional, max_order_contracts, max_position, max_position_contracts, max_orders_per_minute, max_signal_age, max_price_deviation, max_price_deviation_points, require_stop, max_stop_points, max_daily_loss, daily_loss_action, day_starts_at_utc_offset
              15 | xyz …
                 | ^^^"#]],
    );
    check(
        &top("data_dirr = \"x\"\nwebhok.listen = \"127.0.0.1:80\"\n[log]\nlevle = \"info\"\n"),
        &expect![[r#"
            ponte.toml:1:1: data_dirr: unknown key; did you mean "data_dir"?
              1 | data_dirr …
                | ^^^^^^^^^
            ponte.toml:2:1: webhok: unknown key; did you mean "webhook"?
              2 | webhok …
                | ^^^^^^
            ponte.toml:4:1: log.levle: unknown key; did you mean "level"?
              4 | levle …
                | ^^^^^"#]],
    );
    check(
        &route("strategies = [\"*\"]\naccounts = [\"paper\"]\nsize = { multiplied = \"2\" }\n"),
        &expect![[r#"
            ponte.toml:12:10: routes.size.multiplied: unknown key; did you mean "multiply"?
              12 | size = { multiplied …
                 |          ^^^^^^^^^^"#]],
    );
}

#[test]
fn everything_is_found_at_once() {
    check(
        r#"
data_dir = ""
[webhook]
listen = "8080"
allow_from = ["tradingvew", "10.0.0.1/8", 5]
[admin]
listen = "0.0.0.0:8081"
[[sources]]
name = "main"
secret = "PLAIN-CANARY-SECRET"
dedup_window = "45"
[[accounts]]
name = "paper"
broker = "binanse"
mode = "lve"
currency = "$"
balance = 10000.5
[[routes]]
strategies = []
accounts = ["papr"]
"#,
        &expect![[r#"
            ponte.toml:2:12: data_dir: "" is not a path
              2 | data_dir = ""
                |            ^^
            ponte.toml:4:10: webhook.listen: expected an address with a port, found "8080"; write numbers: "127.0.0.1:8080", or "0.0.0.0:8080" for every interface
              4 | listen = "8080"
                |          ^^^^^^
            ponte.toml:5:15: webhook.allow_from: expected an address, a range or a named set, found "tradingvew"; did you mean "tradingview"?
              5 | allow_from = ["tradingvew", "10.0.0.1/8", 5]
                |               ^^^^^^^^^^^^
            ponte.toml:5:29: webhook.allow_from: "10.0.0.1/8" has bits set past its length, the range begins at 10.0.0.0/8
              5 | allow_from = ["tradingvew", "10.0.0.1/8", 5]
                |                             ^^^^^^^^^^^^
            ponte.toml:5:43: webhook.allow_from: expected an address, a range or a named set, found the number 5
              5 | allow_from = ["tradingvew", "10.0.0.1/8", 5]
                |                                           ^
            ponte.toml:7:10: admin.listen: 0.0.0.0:8081 is not a loopback address, and admin.listen asks for no password; write "127.0.0.1:8081", and for elsewhere add a section [admin.remote]
              7 | listen = "0.0.0.0:8081"
                |          ^^^^^^^^^^^^^^
            ponte.toml:10:10: sources.secret: expected "env:NAME", "file:PATH", "credential:NAME" or "vault:NAME", found a text that begins with none of them; write "env:WEBHOOK_SECRET" or "file:secrets/main" and keep the secret itself there
              10 | secret = …
                 |          ^
            ponte.toml:11:16: sources.dedup_window: expected a duration such as "45s", found "45"; write a whole number and one of the units ms, s, m, h, d
              11 | dedup_window = "45"
                 |                ^^^^
            ponte.toml:14:10: accounts.broker: expected "paper", "binance" or "mt5", found "binanse"; did you mean "binance"?
              14 | broker = "binanse"
                 |          ^^^^^^^^^
            ponte.toml:15:8: accounts.mode: expected "paper", "demo" or "live", found "lve"; did you mean "live"?
              15 | mode = "lve"
                 |        ^^^^^
            ponte.toml:16:12: accounts.currency: expected 2 to 12 letters and digits, found "$"; write it like "USDT" or "BRL"
              16 | currency = "$"
                 |            ^^^
            ponte.toml:17:11: accounts.balance: expected a decimal in quotes, found the number 10000.5; write it in quotes, "10000.5": binary floats lose digits
              17 | balance = 10000.5
                 |           ^^^^^^^
            ponte.toml:19:14: routes.strategies: takes no strategy; write ["*"] for all, or name some
              19 | strategies = []
                 |              ^^
            ponte.toml:20:13: routes.accounts: there is no account "papr"; did you mean "paper"?
              20 | accounts = ["papr"]
                 |             ^^^^^^"#]],
    );
}

#[test]
fn what_is_missing() {
    check(
        "",
        &expect![[r#"
        ponte.toml: sources: there is none; add a section [[sources]]
        ponte.toml: accounts: there is none; add a section [[accounts]]
        ponte.toml: routes: there is none; add a section [[routes]]"#]],
    );
    check(
        "[[sources]]\n[[accounts]]\n[[routes]]\n",
        &expect![[r#"
        ponte.toml:1:1: sources.name: missing; add name = "main"
          1 | [[sources]]
            | ^^^^^^^^^^^
        ponte.toml:1:1: sources.secret: missing; add secret = "env:WEBHOOK_SECRET"
          1 | [[sources]]
            | ^^^^^^^^^^^
        ponte.toml:2:1: accounts.name: missing; add name = "paper"
          2 | [[accounts]]
            | ^^^^^^^^^^^^
        ponte.toml:2:1: accounts.broker: missing; add broker = "paper"
          2 | [[accounts]]
            | ^^^^^^^^^^^^
        ponte.toml:2:1: accounts.mode: missing; add mode = "paper"
          2 | [[accounts]]
            | ^^^^^^^^^^^^
        ponte.toml:2:1: accounts.currency: missing; add currency = "USDT"
          2 | [[accounts]]
            | ^^^^^^^^^^^^
        ponte.toml:3:1: routes.strategies: missing; add strategies = ["*"]
          3 | [[routes]]
            | ^^^^^^^^^^
        ponte.toml:3:1: routes.accounts: missing; add accounts = ["paper"]
          3 | [[routes]]
            | ^^^^^^^^^^"#]],
    );
    check(
        &account("[[accounts.instruments]]\nsymbol = \"WINZ2026\"\n"),
        &expect![[r#"
            ponte.toml:12:1: accounts.instruments.price_tick: missing; add price_tick = "5"
              12 | [[accounts.instruments]]
                 | ^^^^^^^^^^^^^^^^^^^^^^^^
            ponte.toml:12:1: accounts.instruments.quantity_step: missing; add quantity_step = "1"
              12 | [[accounts.instruments]]
                 | ^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn errors_of_the_toml_itself() {
    check(
        "data_dir = \n[webhook\nlisten = \"a\"\n",
        &expect![[r#"
        ponte.toml:1:12: string values must be quoted, expected literal string
          1 | data_dir =
            |            ^
        ponte.toml:2:9: unclosed table, expected `]`
          2 | [webhook
            |         ^"#]],
    );
    check(
        "[log]\nlevel = \"info\"\nlevel = \"warn\"\n",
        &expect![[r#"
        ponte.toml:3:1: duplicate key
          3 | level = "warn"
            | ^^^^^"#]],
    );
    check(
        "secret = \"PLAIN-CANARY-SECRET\n",
        &expect![[r#"ponte.toml:1:30: invalid basic string, expected `"`"#]],
    );
}

#[test]
fn sections_in_the_wrong_brackets() {
    check(
        "[sources]\nname = \"main\"\n[[webhook]]\nlisten = \"127.0.0.1:1\"\n",
        &expect![[r#"
            ponte.toml: accounts: there is none; add a section [[accounts]]
            ponte.toml: routes: there is none; add a section [[routes]]
            ponte.toml:1:1: sources: expected a list of sections, found a table; write [[sources]] with double brackets above each
              1 | [sources]
                | ^^^^^^^^^
            ponte.toml:3:1: webhook: expected a section, found a list; write [webhook] above its keys
              3 | [[webhook]]
                | ^^^^^^^^^^^"#]],
    );
    check(
        "webhook = 5\nsources = [1]\n",
        &expect![[r#"
            ponte.toml: accounts: there is none; add a section [[accounts]]
            ponte.toml: routes: there is none; add a section [[routes]]
            ponte.toml:1:11: webhook: expected a section, found a number; write [webhook] above its keys
              1 | webhook = …
                |           ^
            ponte.toml:2:12: sources: expected a section, found a number; write [[sources]] with double brackets above each
              2 | sources = […
                |            ^"#]],
    );
}

#[test]
fn a_plain_secret_is_never_repeated() {
    for text in [
        "[[sources]]\nname = \"main\"\nsecret = \"CANARY\"\n",
        "[[sources]]\nname = \"main\"\nsecret = CANARY\n",
        "[[sources]]\nname = \"main\"\nsecret = \"CANARY\n",
        "[[sources]]\nname = \"main\"\nsecret = 'CANARY\n",
        "[[sources]]\nname = \"main\"\nsecret = \"\"\"\nCANARY",
        "[[sources]]\nname = \"main\"\nsecret = [\"CANARY\"]\n",
        "[[sources]]\nname = \"main\"\nsecret = { env = \"CANARY\" }\n",
        "[[sources]]\nname = \"main\"\nsecret = \"env:A\" \"CANARY\"\n",
        "[[sources]]\nname = \"main\"\nsecret = \"env:CANARY \"\n",
        "[[sources]]\nname = \"main\"\nsecrt = \"CANARY\"\n",
        "[[sources]]\nname = \"main\"\nsegredo = \"CANARY\"\n",
        "secret = \"CANARY\"\n",
        "sources = [{ name = 5, secret = \"CANARY\", dedup_window = 5, x = 1 }]\n",
        "sources = [{ secret = \"env:A\", name = \"b\" }, { secret = \"CANARY\", nme = 1 }]\n",
        "sources = { secret = \"CANARY\" }\n",
        "sources = \"CANARY\"\n",
        "[sources]\nsecret = \"CANARY\"\nsecret = \"CANARY\"\n",
        "[[sources]]\nsecret == \"CANARY\"\n",
        "[[sources]]\nsecret: \"CANARY\"\n",
    ] {
        let rendered = rendered(text);
        assert!(!rendered.is_empty(), "{text}");
        assert!(!rendered.contains("CANARY"), "{text}\n{rendered}");
    }
}

#[test]
fn control_characters_and_tabs_do_not_reach_the_terminal() {
    check(
        "\tdata_dir\t=\t5 # \u{1b}[31m\n\"a\\u001b[31m\" = 1\n",
        &expect![[r#"
            ponte.toml:1:17: invalid comment character, expected printable characters
              1 |  data_dir = 5 # �[31m
                |                 ^"#]],
    );
    check(
        "é = 1\r\ndata_dir = \"é\" x\r\n",
        &expect![[r#"
        ponte.toml:1:1: invalid unquoted key, expected letters, numbers, `-`, `_`
          1 | é = 1
            | ^
        ponte.toml:2:16: unexpected key or value, expected newline, `#`
          2 | data_dir = "é" x
            |                ^"#]],
    );
    check(
        &format!("{}a = 1\n", "x.".repeat(200)),
        &expect![[r#"
        ponte.toml:1:1: recursion limit
          1 | x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.
            | ^"#]],
    );
}
