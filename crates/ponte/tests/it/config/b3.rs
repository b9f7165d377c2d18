//! Accounts at the Brazilian exchange.

use std::time::Duration;

use expect_test::expect;
use ponte_core::b3::calendar::{parse_day, parse_time};
use ponte_core::b3::{Auctions, CutOff, OwnHours, Product, Root, Rules};
use ponte_core::policy::Exchange;

use super::{PARTS, account, check, config};

/// A configuration with an account at B3; its keys begin in line 12.
fn at_b3(text: &str) -> String {
    account(&format!("[accounts.b3]\n{text}")).replace("\"USDT\"", "\"BRL\"")
}

fn rules(text: &str) -> Rules {
    let account = config(&at_b3(text)).accounts.remove(0);
    assert_eq!(account.utc_offset_seconds, -3 * 3600);
    let Some(Exchange::B3(rules)) = account.exchange else {
        panic!("{:?}", account.exchange);
    };
    *rules
}

#[test]
fn the_section_alone_is_enough() {
    assert_eq!(rules(""), Rules::default());
    let elsewhere = config(&PARTS.text()).accounts.remove(0);
    assert_eq!(
        (elsewhere.exchange, elsewhere.utc_offset_seconds),
        (None, 0)
    );
}

#[test]
fn it_may_say_more() {
    let read = rules(
        "roll_days_before = 2\nauctions = \"allow\"\nno_entries_after = \"17:30\"\n\
         no_entries_before_close = \"45m\"\nflatten_at = \"18:10\"\nflatten_before_close = \"15m\"\n\
         closed_days = [\"2027-01-25\"]\n\
         [[accounts.b3.products]]\nproduct = \"WDO\"\ncloses = \"18:00\"\nroll_days_before = 0\n\
         [[accounts.b3.products]]\nproduct = \"stocks\"\nopens = \"10:30\"\n",
    );
    let minutes = |minutes| Some(Duration::from_mins(minutes));
    let mut expected = Rules {
        roll_days_before: Root::ALL.into_iter().map(|root| (root, 2)).collect(),
        auctions: Auctions::Allow,
        no_entries: CutOff {
            at: parse_time("17:30"),
            before_close: minutes(45),
        },
        flatten: CutOff {
            at: parse_time("18:10"),
            before_close: minutes(15),
        },
        ..Rules::default()
    };
    expected.roll_days_before.insert(Root::Wdo, 0);
    expected.calendar.closed.extend(parse_day("2027-01-25"));
    let own = |opens: &str, closes: &str| OwnHours {
        opens: parse_time(opens),
        closes: parse_time(closes),
    };
    expected
        .hours
        .insert(Product::Future(Root::Wdo), own("", "18:00"));
    expected.hours.insert(Product::Stocks, own("10:30", ""));
    assert_eq!(read, expected);
}

#[test]
fn the_trading_day_may_begin_elsewhere() {
    let text = at_b3("[accounts.rules]\nday_starts_at_utc_offset = \"+00:00\"\n");
    assert_eq!(config(&text).accounts[0].utc_offset_seconds, 0);
}

#[test]
fn what_is_wrong_is_said_with_a_cure() {
    check(
        &at_b3(
            "roll_days_before = 11\nauctions = \"yes\"\nno_entries_after = \"17h30\"\n\
             flatten_at = \"25:00\"\nflatten_before_close = \"30s\"\nclosed_days = [\"25/01/2027\"]\n\
             flaten_at = \"18:00\"\n",
        ),
        &expect![[r#"
            ponte.toml:13:20: accounts.b3.roll_days_before: expected a whole number from 0 to 10, found the number 11
              13 | roll_days_before = 11
                 |                    ^^
            ponte.toml:14:12: accounts.b3.auctions: expected "refuse" or "allow", found "yes"
              14 | auctions = "yes"
                 |            ^^^^^
            ponte.toml:15:20: accounts.b3.no_entries_after: expected a time of the day, found "17h30"; write hours and minutes of Brasília's time: "17:30"
              15 | no_entries_after = "17h30"
                 |                    ^^^^^^^
            ponte.toml:16:14: accounts.b3.flatten_at: expected a time of the day, found "25:00"; write hours and minutes of Brasília's time: "17:30"
              16 | flatten_at = "25:00"
                 |              ^^^^^^^
            ponte.toml:17:24: accounts.b3.flatten_before_close: 30s is below the minimum 1m
              17 | flatten_before_close = "30s"
                 |                        ^^^^^
            ponte.toml:18:16: accounts.b3.closed_days: expected a day, found "25/01/2027"; write year, month and day: "2027-01-25"
              18 | closed_days = ["25/01/2027"]
                 |                ^^^^^^^^^^^^
            ponte.toml:19:1: accounts.b3.flaten_at: unknown key; did you mean "flatten_at"?
              19 | flaten_at …
                 | ^^^^^^^^^"#]],
    );
    check(
        &at_b3(
            "[[accounts.b3.products]]\nproduct = \"WINZ26\"\n\
             [[accounts.b3.products]]\nproduct = \"WIN\"\nopens = \"18:00\"\ncloses = \"09:00\"\n\
             [[accounts.b3.products]]\nproduct = \"WIN\"\n[[accounts.b3.products]]\ncloses = \"9:00\"\n",
        ),
        &expect![[r#"
            ponte.toml:14:11: accounts.b3.products.product: expected "WIN", "WDO", "IND", "DOL", "BIT" or "stocks", found "WINZ26"
              14 | product = "WINZ26"
                 |           ^^^^^^^^
            ponte.toml:18:10: accounts.b3.products.closes: is not after opens
              18 | closes = "09:00"
                 |          ^^^^^^^
            ponte.toml:20:11: accounts.b3.products.product: is described twice; take one of the two out
              20 | product = "WIN"
                 |           ^^^^^
            ponte.toml:21:1: accounts.b3.products.product: missing; add product = "WIN"
              21 | [[accounts.b3.products]]
                 | ^^^^^^^^^^^^^^^^^^^^^^^^
            ponte.toml:22:10: accounts.b3.products.closes: expected a time of the day, found "9:00"; write hours and minutes of Brasília's time: "17:30"
              22 | closes = "9:00"
                 |          ^^^^^^"#]],
    );
}

#[test]
fn what_has_no_effect_is_said() {
    check(
        &at_b3(
            "no_entries_after = \"18:10\"\nflatten_at = \"18:10\"\nno_entries_before_close = \"5m\"\n\
             flatten_before_close = \"15m\"\n\
             [[accounts.b3.products]]\nproduct = \"stocks\"\nroll_days_before = 1\n",
        ),
        &expect![[r#"
            ponte.toml:13:20: warning: accounts.b3.no_entries_after: has no effect: entries end at flatten_at as well; write an earlier one than flatten_at, or take it out
              13 | no_entries_after = "18:10"
                 |                    ^^^^^^^
            ponte.toml:15:27: warning: accounts.b3.no_entries_before_close: has no effect: entries end at flatten_before_close as well; write an earlier one than flatten_before_close, or take it out
              15 | no_entries_before_close = "5m"
                 |                           ^^^^
            ponte.toml:19:20: warning: accounts.b3.products.roll_days_before: has no effect, shares have no contracts; take it out
              19 | roll_days_before = 1
                 |                    ^"#]],
    );
    check(
        &account("[accounts.b3]\n"),
        &expect![[r#"
        ponte.toml:11:12: warning: accounts.currency: B3 trades in BRL, and this account counts in another currency; write "BRL"
          11 | currency = "USDT"
             |            ^^^^^^"#]],
    );
}

#[test]
fn an_exchange_for_coins_is_another_one() {
    let text = account("[accounts.b3]\n")
        .replace(
            "\"paper\"\nmode = \"paper\"",
            "\"binance\"\nmode = \"demo\"",
        )
        .replace("\"USDT\"", "\"BRL\"");
    check(
        &format!(
            "{text}[accounts.binance]\nmarket = \"spot\"\napi_key = \"env:A\"\nsigning_key = \"env:B\"\n"
        ),
        &expect![[r#"
            ponte.toml:12:1: accounts.b3: is an exchange that broker "binance" doesn't trade at; take it out, or write broker = "mt5" or "paper"
              12 | [accounts.b3]
                 | ^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn the_configurations_in_the_guides_are_right() {
    for guide in [
        include_str!("../../../../../docs/b3.md"),
        include_str!("../../../../../docs/b3.pt-BR.md"),
    ] {
        let blocks = guide.split("```toml\n").skip(1);
        let blocks: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(blocks.len(), 2);
        for block in blocks {
            let route = "[[routes]]\nstrategies = [\"*\"]\naccounts = [\"b3\"]\n";
            let route = if block.contains("[[routes]]") {
                ""
            } else {
                route
            };
            let text = format!("{block}\n[[sources]]\n{}{route}", PARTS.source);
            let parsed = ponte::config::parse(&text, "ponte.toml");
            let parsed = parsed.unwrap_or_else(|errors| panic!("{text}\n{errors}"));
            assert_eq!(parsed.warnings, [], "{block}");
            assert!(parsed.config.accounts[0].exchange.is_some());
        }
    }
}
