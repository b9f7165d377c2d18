//! Accounts at each broker: what belongs to which, and when real money moves.

use std::time::Duration;

use expect_test::expect;
use ponte::config::{
    BinanceBroker, BinanceFutures, BinanceHosts, BinanceMarket, Broker, MarginType, OrderTransport,
    PriceSource, StopSize, TriggerPrice,
};
use ponte::secret::SecretRef;
use ponte_core::policy::{Fitting, Guard, Mode, Unprotected};
use rust_decimal::Decimal;

use super::{PARTS, account, check, config, rendered};

/// A configuration with an account at Binance; the account's part begins in line 8.
fn binance(mode: &str, more: &str, section: &str) -> String {
    format!(
        "[[routes]]\n{}[[sources]]\n{}[[accounts]]\nname = \"paper\"\nbroker = \"binance\"\n\
         mode = \"{mode}\"\ncurrency = \"USDT\"\n{more}[accounts.binance]\n\
         api_key = \"env:API_KEY\"\nsigning_key = \"file:key.pem\"\n{section}",
        PARTS.route, PARTS.source
    )
}

fn broker(text: &str) -> BinanceBroker {
    match config(text).accounts.remove(0).broker {
        Broker::Binance(binance) => binance,
        other @ (Broker::Paper(_) | Broker::Mt5(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_spot_account_needs_little() {
    let read = broker(&binance("demo", "", "market = \"spot\"\n"));
    let expected = BinanceBroker {
        market: BinanceMarket::Spot,
        api_key: SecretRef::Env("API_KEY".to_owned()),
        signing_key: SecretRef::File("key.pem".into()),
        hosts: BinanceHosts::Demo,
        receive_window: Duration::from_secs(5),
        processing_limit: Duration::from_secs(10),
        orders: OrderTransport::Rest,
        allow_withdrawal_keys: false,
    };
    assert_eq!(read, expected);
}

#[test]
fn a_futures_account_may_say_more() {
    let read = broker(&binance(
        "demo",
        "",
        "market = \"futures\"\nurl = \"http://localhost:9010/\"\nreceive_window = \"1s\"\n\
         processing_limit = \"1s\"\norders = \"websocket\"\nstops = \"close_position\"\n\
         trigger = \"mark\"\nleverage = 3\nmargin = \"isolated\"\napply_settings = true\n\
         dead_mans_switch = \"2m\"\nallow_withdrawal_keys = true\n",
    ));
    let expected = BinanceBroker {
        market: BinanceMarket::Futures(BinanceFutures {
            stops: StopSize::ClosePosition,
            trigger: TriggerPrice::Mark,
            leverage: Some(3),
            margin: Some(MarginType::Isolated),
            apply_settings: true,
            dead_mans_switch: Some(Duration::from_mins(2)),
        }),
        api_key: SecretRef::Env("API_KEY".to_owned()),
        signing_key: SecretRef::File("key.pem".into()),
        hosts: BinanceHosts::Venue("http://localhost:9010".to_owned()),
        receive_window: Duration::from_secs(1),
        processing_limit: Duration::from_secs(1),
        orders: OrderTransport::WebSocket,
        allow_withdrawal_keys: true,
    };
    assert_eq!(read, expected);
    let read = broker(&binance("demo", "", "market = \"futures\"\n"));
    let expected = BinanceFutures {
        stops: StopSize::Quantity,
        trigger: TriggerPrice::Last,
        leverage: None,
        margin: None,
        apply_settings: false,
        dead_mans_switch: None,
    };
    assert_eq!(read.market, BinanceMarket::Futures(expected));
}

#[test]
fn hosts_follow_the_mode() {
    let hosts = |mode, more, section: &str| {
        let section = format!("market = \"spot\"\n{section}");
        broker(&binance(mode, more, &section)).hosts
    };
    let real = "trade_real_money = true\n";
    assert_eq!(hosts("demo", "", ""), BinanceHosts::Demo);
    assert_eq!(
        hosts("demo", "", "hosts = \"testnet\"\n"),
        BinanceHosts::Testnet
    );
    assert_eq!(hosts("live", real, ""), BinanceHosts::Live);
    assert_eq!(
        hosts("live", real, "hosts = \"live\"\n"),
        BinanceHosts::Live
    );
    for (mode, more, section, expected) in [
        (
            "demo",
            "",
            "hosts = \"live\"\n",
            expect![[r#"
            ponte.toml:16:9: accounts.binance.hosts: "live" is the real exchange, and mode is "demo"; write "demo" or "testnet", or mode = "live"
              16 | hosts = "live"
                 |         ^^^^^^"#]],
        ),
        (
            "live",
            real,
            "hosts = \"demo\"\n",
            expect![[r#"
            ponte.toml:17:9: accounts.binance.hosts: these hosts move no real money, and mode is "live"; take it out, or write mode = "demo"
              17 | hosts = "demo"
                 |         ^^^^^^"#]],
        ),
        (
            "live",
            real,
            "hosts = \"testnet\"\n",
            expect![[r#"
            ponte.toml:17:9: accounts.binance.hosts: these hosts move no real money, and mode is "live"; take it out, or write mode = "demo"
              17 | hosts = "testnet"
                 |         ^^^^^^^^^"#]],
        ),
        (
            "live",
            real,
            "url = \"http://127.0.0.1:9010\"\n",
            expect![[r#"
            ponte.toml:17:7: accounts.binance.url: is a test venue's, and mode "live" moves real money; take it out, or write mode = "demo"
              17 | url = "http://127.0.0.1:9010"
                 |       ^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "demo",
            "",
            "url = \"https://api.binance.com\"\n",
            expect![[r#"
            ponte.toml:16:7: accounts.binance.url: expected http, a loopback address and a port, found "https://api.binance.com"; write it like "http://127.0.0.1:9010"
              16 | url = "https://api.binance.com"
                 |       ^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "demo",
            "",
            "url = \"http://127.0.0.1:9010\"\nhosts = \"demo\"\n",
            expect![[r#"
                ponte.toml:16:7: accounts.binance.url: is written beside hosts, expected one of the two; take one of the two out
                  16 | url = "http://127.0.0.1:9010"
                     |       ^^^^^^^^^^^^^^^^^^^^^^^"#]],
        ),
    ] {
        let section = format!("market = \"spot\"\n{section}");
        check(&binance(mode, more, &section), &expected);
    }
}

#[test]
fn real_money_moves_only_where_it_is_written() {
    let text = binance("live", "trade_real_money = true\n", "market = \"spot\"\n");
    let account = config(&text).accounts.remove(0);
    assert_eq!(account.mode, Mode::Live);
    for (mode, more, expected) in [
        (
            "live",
            "",
            expect![[r#"
            ponte.toml:10:8: accounts.trade_real_money: missing in mode "live": orders of this account move real money; add trade_real_money = true, or write mode = "demo"
              10 | mode = "live"
                 |        ^^^^^^"#]],
        ),
        (
            "live",
            "trade_real_money = false\n",
            expect![[r#"
            ponte.toml:12:20: accounts.trade_real_money: is false in mode "live", in which orders of this account move real money; write true, or mode = "demo"
              12 | trade_real_money = false
                 |                    ^^^^^"#]],
        ),
        (
            "live",
            "trade_real_money = \"true\"\n",
            expect![[r#"
            ponte.toml:12:20: accounts.trade_real_money: expected true or false, found "true"; write it without quotes
              12 | trade_real_money = "true"
                 |                    ^^^^^^"#]],
        ),
        (
            "demo",
            "trade_real_money = true\n",
            expect![[r#"
            ponte.toml:12:20: accounts.trade_real_money: is true, but only mode "live" moves real money; take it out
              12 | trade_real_money = true
                 |                    ^^^^"#]],
        ),
        ("demo", "trade_real_money = false\n", expect![]),
        (
            "paper",
            "",
            expect![[r#"
            ponte.toml:10:8: accounts.mode: broker "binance" has no mode "paper", its orders reach the exchange; write mode = "demo"; broker = "paper" with prices = ["binance"] simulates on Binance's prices
              10 | mode = "paper"
                 |        ^^^^^^^"#]],
        ),
    ] {
        check(&binance(mode, more, "market = \"spot\"\n"), &expected);
    }
    check(
        &account_of("paper", "trade_real_money = true\n"),
        &expect![[r#"
            ponte.toml:12:20: accounts.trade_real_money: is true, but only mode "live" moves real money; take it out
              12 | trade_real_money = true
                 |                    ^^^^"#]],
    );
    check(
        &account_of("live", "trade_real_money = true\n"),
        &expect![[r#"
        ponte.toml:10:8: accounts.mode: broker "paper" has no other mode than "paper", its orders never leave this machine; write mode = "paper", or another broker
          10 | mode = "live"
             |        ^^^^^^"#]],
    );
    check(
        &account_of("demo", ""),
        &expect![[r#"
        ponte.toml:10:8: accounts.mode: broker "paper" has no other mode than "paper", its orders never leave this machine; write mode = "paper", or another broker
          10 | mode = "demo"
             |        ^^^^^^"#]],
    );
}

/// A paper account in this mode.
fn account_of(mode: &str, more: &str) -> String {
    account(more).replace("mode = \"paper\"", &format!("mode = \"{mode}\""))
}

#[test]
fn a_live_account_says_what_it_means() {
    let notice = |more: &str, rules: &str| {
        let section = format!("market = \"futures\"\n{rules}");
        config(&binance("live", more, &section)).accounts[0].real_money_notice()
    };
    let real = "trade_real_money = true\n";
    expect![[r#"account "paper" is live: its orders move real money at Binance (futures); no max_order_notional limits the value of an entry"#]].assert_eq(&notice(real, "").unwrap());
    let rules = "[accounts.rules]\nmax_order_notional = \"500\"\n";
    expect![[r#"account "paper" is live: its orders move real money at Binance (futures); one entry is worth up to 500 USDT"#]].assert_eq(&notice(real, rules).unwrap());
    let demo = binance("demo", "", "market = \"spot\"\n");
    assert_eq!(config(&demo).accounts[0].real_money_notice(), None);
    assert_eq!(config(&account("")).accounts[0].real_money_notice(), None);
}

#[test]
fn each_key_belongs_to_its_broker() {
    check(
        &binance(
            "demo",
            "balance = \"5\"\nfills = \"pessimistic\"\nleverage = \"2\"\nseed = 7\n\
             url = \"http://127.0.0.1:9000\"\nprices = [\"alert\"]\nprice_max_age = \"5s\"\n",
            "market = \"spot\"\n[[accounts.instruments]]\nsymbol = \"A\"\nprice_tick = \"1\"\nquantity_step = \"1\"\n",
        ),
        &expect![[r#"
            ponte.toml:12:11: accounts.balance: belongs to broker "paper", this account's is "binance"; take it out
              12 | balance = "5"
                 |           ^^^
            ponte.toml:13:9: accounts.fills: belongs to broker "paper", this account's is "binance"; take it out
              13 | fills = "pessimistic"
                 |         ^^^^^^^^^^^^^
            ponte.toml:14:12: accounts.leverage: belongs to broker "paper", this account's is "binance"; take it out; that of futures is written below [accounts.binance]
              14 | leverage = "2"
                 |            ^^^
            ponte.toml:15:8: accounts.seed: belongs to broker "paper", this account's is "binance"; take it out
              15 | seed = 7
                 |        ^
            ponte.toml:16:7: accounts.url: belongs to broker "paper", this account's is "binance"; take it out; a test venue's url is written below [accounts.binance]
              16 | url = "http://127.0.0.1:9000"
                 |       ^^^^^^^^^^^^^^^^^^^^^^^
            ponte.toml:17:10: accounts.prices: belongs to broker "paper", this account's is "binance"; take it out
              17 | prices = ["alert"]
                 |          ^^^^^^^^^
            ponte.toml:18:17: accounts.price_max_age: belongs to broker "paper", this account's is "binance"; take it out
              18 | price_max_age = "5s"
                 |                 ^^^^
            ponte.toml:23:1: accounts.instruments: belongs to broker "paper", this account's is "binance"; take it out; Binance says itself what its instruments are
              23 | [[accounts.instruments]]
                 | ^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &account("[accounts.binance]\nmarket = \"spot\"\napi_key = \"CANARY\"\n"),
        &expect![[r#"
            ponte.toml:12:1: accounts.binance: belongs to broker "binance", this account's is "paper"; take it out, or write broker = "binance"
              12 | [accounts.binance]
                 | ^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &account("binance = { market = \"spot\", api_key = \"CANARY\" }\n"),
        &expect![[r#"
            ponte.toml:12:11: accounts.binance: belongs to broker "binance", this account's is "paper"; take it out, or write broker = "binance"
              12 | binance = …
                 |           ^"#]],
    );
    check(
        &binance(
            "demo",
            "",
            "market = \"spot\"\nstops = \"quantity\"\ntrigger = \"last\"\nleverage = 2\n\
             margin = \"cross\"\napply_settings = false\ndead_mans_switch = \"1m\"\n",
        ),
        &expect![[r#"
            ponte.toml:16:9: accounts.binance.stops: belongs to market "futures", this account's is "spot"; take it out, or write market = "futures"
              16 | stops = "quantity"
                 |         ^^^^^^^^^^
            ponte.toml:17:11: accounts.binance.trigger: belongs to market "futures", this account's is "spot"; take it out, or write market = "futures"
              17 | trigger = "last"
                 |           ^^^^^^
            ponte.toml:18:12: accounts.binance.leverage: belongs to market "futures", this account's is "spot"; take it out, or write market = "futures"
              18 | leverage = 2
                 |            ^
            ponte.toml:19:10: accounts.binance.margin: belongs to market "futures", this account's is "spot"; take it out, or write market = "futures"
              19 | margin = "cross"
                 |          ^^^^^^^
            ponte.toml:20:18: accounts.binance.apply_settings: belongs to market "futures", this account's is "spot"; take it out, or write market = "futures"
              20 | apply_settings = false
                 |                  ^^^^^
            ponte.toml:21:20: accounts.binance.dead_mans_switch: belongs to market "futures", this account's is "spot"; take it out, or write market = "futures"
              21 | dead_mans_switch = "1m"
                 |                    ^^^^"#]],
    );
}

#[test]
fn a_section_that_is_missing_or_wrong() {
    check(
        &account("").replace(
            "broker = \"paper\"\nmode = \"paper\"",
            "broker = \"binance\"\nmode = \"demo\"",
        ),
        &expect![[r#"
            ponte.toml:7:1: accounts.binance: missing, and an account at Binance needs its keys; add a section [accounts.binance] with market, api_key and signing_key
              7 | [[accounts]]
                | ^^^^^^^^^^^^"#]],
    );
    check(
        &account("binance = \"CANARY\"\n").replace(
            "broker = \"paper\"\nmode = \"paper\"",
            "broker = \"binance\"\nmode = \"demo\"",
        ),
        &expect![[r#"
            ponte.toml:12:11: accounts.binance: expected a section, found a text; write [accounts.binance] above its keys
              12 | binance = …
                 |           ^"#]],
    );
    let text = binance("demo", "", "market = \"spots\"\n").replace("env:API_KEY", "CANARY");
    check(
        &text.replace("file:key.pem", "-----BEGIN CANARY"),
        &expect![[r#"
            ponte.toml:13:11: accounts.binance.api_key: expected "env:NAME", "file:PATH", "credential:NAME" or "vault:NAME", found a text that begins with none of them; write "env:BINANCE_API_KEY" or "file:secrets/binance-api-key" and keep the secret itself there
              13 | api_key = …
                 |           ^
            ponte.toml:14:15: accounts.binance.signing_key: expected "env:NAME", "file:PATH", "credential:NAME" or "vault:NAME", found a text that begins with none of them; write "env:BINANCE_SIGNING_KEY" or "file:secrets/binance-signing-key.pem" and keep the secret itself there
              14 | signing_key = …
                 |               ^
            ponte.toml:15:10: accounts.binance.market: expected "spot" or "futures", found "spots"; did you mean "spot"?
              15 | market = "spots"
                 |          ^^^^^^^"#]],
    );
    let text = binance("demo", "", "").replace("api_key = \"env:API_KEY\"\n", "");
    check(
        &text.replace("signing_key", "secret_key"),
        &expect![[r#"
            ponte.toml:12:1: accounts.binance.market: missing; add market = "spot"
              12 | [accounts.binance]
                 | ^^^^^^^^^^^^^^^^^^
            ponte.toml:12:1: accounts.binance.api_key: missing; add api_key = "file:secrets/binance-api-key"
              12 | [accounts.binance]
                 | ^^^^^^^^^^^^^^^^^^
            ponte.toml:12:1: accounts.binance.signing_key: missing; add signing_key = "file:secrets/binance-signing-key.pem"
              12 | [accounts.binance]
                 | ^^^^^^^^^^^^^^^^^^
            ponte.toml:13:1: accounts.binance.secret_key: unknown key; known here: market, api_key, signing_key, hosts, url, receive_window, processing_limit, orders, stops, trigger, leverage, margin, apply_settings, dead_mans_switch, allow_withdrawal_keys
              13 | secret_key …
                 | ^^^^^^^^^^"#]],
    );
}

#[test]
fn timing_and_settings() {
    check(
        &binance(
            "demo",
            "",
            "market = \"futures\"\nreceive_window = \"61s\"\nprocessing_limit = \"9s\"\n\
             leverage = 126\nmargin = \"crossed\"\ndead_mans_switch = \"5s\"\napply_settings = 1\n",
        ),
        &expect![[r#"
            ponte.toml:16:18: accounts.binance.receive_window: 61s is above the maximum 1m
              16 | receive_window = "61s"
                 |                  ^^^^^
            ponte.toml:17:20: accounts.binance.processing_limit: 9s is shorter than the 10s that Binance may work on a request, so that an order which is still to come could be taken for lost; write "10s" or more; less is for a test venue's url only
              17 | processing_limit = "9s"
                 |                    ^^^^
            ponte.toml:18:12: accounts.binance.leverage: expected a whole number from 1 to 125, found the number 126
              18 | leverage = 126
                 |            ^^^
            ponte.toml:19:10: accounts.binance.margin: expected "cross" or "isolated", found "crossed"; did you mean "cross"?
              19 | margin = "crossed"
                 |          ^^^^^^^^^
            ponte.toml:20:20: accounts.binance.dead_mans_switch: 5s is below the minimum 10s
              20 | dead_mans_switch = "5s"
                 |                    ^^^^
            ponte.toml:21:18: accounts.binance.apply_settings: expected true or false, found the number 1
              21 | apply_settings = 1
                 |                  ^"#]],
    );
    check(
        &binance("demo", "", "market = \"futures\"\napply_settings = true\n"),
        &expect![[r#"
            ponte.toml:16:18: warning: accounts.binance.apply_settings: has no effect, neither leverage nor margin is written; write one of them, or take this out
              16 | apply_settings = true
                 |                  ^^^^"#]],
    );
}

#[test]
fn prices_of_a_paper_account() {
    let read = |more: &str| match config(&account(more)).accounts.remove(0).broker {
        Broker::Paper(paper) => (paper.prices, paper.price_max_age),
        other @ (Broker::Binance(_) | Broker::Mt5(_)) => panic!("{other:?}"),
    };
    assert_eq!(
        read("prices = [\"alert\", \"binance\"]\n"),
        (
            vec![PriceSource::Alert, PriceSource::Binance],
            Duration::from_secs(10)
        )
    );
    assert_eq!(
        read("prices = [\"binance\"]\nprice_max_age = \"5m\"\n"),
        (vec![PriceSource::Binance], Duration::from_mins(5))
    );
    check(
        &account("prices = [\"binance\", \"seeded\"]\nprice_max_age = \"0s\"\n"),
        &expect![[r#"
            ponte.toml:13:17: accounts.price_max_age: 0s is below the minimum 1s
              13 | price_max_age = "0s"
                 |                 ^^^^
            ponte.toml:12:10: warning: accounts.prices: mixes Binance's prices with invented ones; take "seeded" out
              12 | prices = ["binance", "seeded"]
                 |          ^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &account("price_max_age = \"5s\"\n"),
        &expect![[r#"
        ponte.toml:12:17: warning: accounts.price_max_age: has no effect, prices don't come from "binance"; take it out, or add "binance" to prices
          12 | price_max_age = "5s"
             |                 ^^^^"#]],
    );
}

#[test]
fn what_does_not_fit_and_what_is_not_protected() {
    let read = |more: &str| {
        let account = config(&account(more)).accounts.remove(0);
        (account.fitting, account.guard)
    };
    assert_eq!(read(""), (Fitting::default(), Guard::default()));
    let exact = Fitting::Refuse {
        tolerance_percent: Decimal::ZERO,
    };
    let told = Guard {
        within: Duration::from_secs(90),
        otherwise: Unprotected::Tell,
    };
    assert_eq!(
        read("fitting_tolerance = 0\nprotect_within = \"90s\"\nunprotected = \"tell\"\n"),
        (exact, told)
    );
    assert_eq!(read("fitting = \"round_down\"\n").0, Fitting::RoundDown);
    let rules = config(&account(
        "[accounts.rules]\nmax_price_deviation = \"1.50\"\n",
    ));
    assert_eq!(
        rules.accounts[0].rules.max_price_deviation,
        Some(Decimal::new(15, 1))
    );
    check(
        &account("fitting = \"round_down\"\nfitting_tolerance = \"0.2\"\n"),
        &expect![[r#"
            ponte.toml:13:21: warning: accounts.fitting_tolerance: has no effect, fitting is "round_down"; take one of the two out
              13 | fitting_tolerance = "0.2"
                 |                     ^^^^^"#]],
    );
    check(
        &account(
            "fitting = \"round\"\nfitting_tolerance = \"5.1\"\nprotect_within = \"6m\"\n\
             unprotected = \"hope\"\n[accounts.rules]\nmax_price_deviation = \"51\"\n",
        ),
        &expect![[r#"
            ponte.toml:12:11: accounts.fitting: expected "refuse" or "round_down", found "round"
              12 | fitting = "round"
                 |           ^^^^^^^
            ponte.toml:13:21: accounts.fitting_tolerance: 5.1 is above the maximum 5
              13 | fitting_tolerance = "5.1"
                 |                     ^^^^^
            ponte.toml:14:18: accounts.protect_within: 6m is above the maximum 5m
              14 | protect_within = "6m"
                 |                  ^^^^
            ponte.toml:15:15: accounts.unprotected: expected "close" or "tell", found "hope"
              15 | unprotected = "hope"
                 |               ^^^^^^
            ponte.toml:17:23: accounts.rules.max_price_deviation: 51 is above the maximum 50
              17 | max_price_deviation = "51"
                 |                       ^^^^"#]],
    );
}

#[test]
fn a_key_in_the_file_is_never_shown() {
    for value in [
        "\"CANARY\"",
        "\"CANARY",
        "'CANARY",
        "CANARY",
        "[\"CANARY\"]",
        "{ pem = \"CANARY\" }",
        "\"\"\"-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n\"\"\"",
        "\"\"\"-----BEGIN PRIVATE KEY-----\nCANARY = \"\n-----END",
        "'''-----BEGIN PRIVATE KEY-----\nCANARY\n",
    ] {
        for key in ["api_key", "signing_key", "secret_key", "private_key"] {
            let section = format!("market = \"spot\"\n{key} = {value}\n");
            let references = "api_key = \"env:API_KEY\"\nsigning_key = \"file:key.pem\"\n";
            let text = binance("demo", "", &section).replace(references, "");
            let said = rendered(&text);
            assert!(
                !said.is_empty() && !said.contains("CANARY"),
                "{text}\n{said}"
            );
        }
    }
}
