//! The rules of an account: their words, their ranges, and what contradicts itself.

use expect_test::expect;
use ponte::config::policy;
use ponte_core::policy::{DailyLossAction, Rules, SizeWords};
use rust_decimal::Decimal;

use super::{account, check, config};

fn rules(lines: &str) -> Rules {
    let config = config(&account(&format!("[accounts.rules]\n{lines}")));
    config.accounts[0].rules.clone()
}

#[test]
fn points_contracts_and_a_daily_loss() {
    let read = rules(
        "max_order_contracts = 2\nmax_position_contracts = \"4\"\nrequire_stop = true\n\
         max_stop_points = \"300\"\nmax_price_deviation_points = \"50.5\"\n\
         max_daily_loss = \"500.00\"\ndaily_loss_action = \"flatten\"\n",
    );
    assert_eq!(read.size_words, SizeWords::Contracts);
    let quantity = |found: Option<ponte_core::number::Quantity>| found.unwrap().get();
    assert_eq!(quantity(read.max_order_quantity), Decimal::from(2));
    assert_eq!(quantity(read.max_position), Decimal::from(4));
    assert!(read.require_stop);
    assert_eq!(read.max_stop_points, Some(Decimal::from(300)));
    assert_eq!(read.max_price_deviation_points, Some(Decimal::new(505, 1)));
    assert_eq!(read.max_daily_loss, Some(Decimal::from(500)));
    assert_eq!(read.daily_loss_action, DailyLossAction::Flatten);

    let quantities = rules("max_order_quantity = \"1\"\n");
    assert_eq!(quantities.size_words, SizeWords::Quantity);
    let none = rules("");
    assert!(!none.require_stop && none.max_daily_loss.is_none());
    assert_eq!(none.daily_loss_action, DailyLossAction::Block);
}

#[test]
fn the_day_begins_at_a_clocks_midnight() {
    let offset = |line: &str| {
        let config = config(&account(&format!("[accounts.rules]\n{line}")));
        config.accounts[0].utc_offset_seconds
    };
    assert_eq!(offset(""), 0);
    assert_eq!(offset("day_starts_at_utc_offset = \"-03:00\"\n"), -10_800);
    assert_eq!(offset("day_starts_at_utc_offset = \"+05:30\"\n"), 19_800);
    for wrong in [
        "\"-3\"",
        "\"03:00\"",
        "\"+14:15\"",
        "\"+05:20\"",
        "\"-03:60\"",
        "\"−03:00\"",
        "-3",
    ] {
        let text = account(&format!(
            "[accounts.rules]\nday_starts_at_utc_offset = {wrong}\n"
        ));
        let errors = ponte::config::parse(&text, "ponte.toml").unwrap_err();
        let text = errors.to_string();
        assert!(
            text.contains("expected hours and minutes"),
            "{wrong}: {text}"
        );
    }
}

#[test]
fn the_policy_has_the_days_beginning() {
    let config = config(&account(
        "[accounts.rules]\nday_starts_at_utc_offset = \"-03:00\"\n",
    ));
    let name = config.accounts[0].name.clone();
    let capabilities = ponte::brokers::paper::capabilities();
    let brokers = [(name.clone(), (capabilities, Default::default()))].into();
    let policy = policy(&config, "abc", &brokers).unwrap();
    assert_eq!(policy.accounts[&name].utc_offset_seconds, -10_800);
}

#[test]
fn an_account_speaks_of_quantities_or_of_contracts() {
    check(
        &account("[accounts.rules]\nmax_order_contracts = 2\nmax_order_quantity = 2\n"),
        &expect![[r#"
            ponte.toml:14:22: accounts.rules.max_order_quantity: is max_order_contracts in other words; take one of the two out
              14 | max_order_quantity = 2
                 |                      ^"#]],
    );
    check(
        &account("[accounts.rules]\nmax_order_contracts = 2\nmax_position = 2\n"),
        &expect![[r#"
            ponte.toml:14:16: accounts.rules.max_position: speaks of quantities, and max_order_contracts of contracts; write max_position_contracts
              14 | max_position = 2
                 |                ^"#]],
    );
    check(
        &account("[accounts.rules]\ndaily_loss_action = \"flatten\"\n"),
        &expect![[r#"
            ponte.toml:13:21: warning: accounts.rules.daily_loss_action: has no effect without max_daily_loss; add max_daily_loss, or take it out
              13 | daily_loss_action = "flatten"
                 |                     ^^^^^^^^^"#]],
    );
    check(
        &account(
            "[accounts.rules]\nday_starts_at_utc_offset = \"3\"\ndaily_loss_action = \"close\"\nmax_stop_points = 0\n",
        ),
        &expect![[r#"
            ponte.toml:13:28: accounts.rules.day_starts_at_utc_offset: expected hours and minutes from "-14:00" to "+14:00", found "3"; write the clock of the exchange, "-03:00" for São Paulo
              13 | day_starts_at_utc_offset = "3"
                 |                            ^^^
            ponte.toml:14:21: accounts.rules.daily_loss_action: expected "block" or "flatten", found "close"
              14 | daily_loss_action = "close"
                 |                     ^^^^^^^
            ponte.toml:15:19: accounts.rules.max_stop_points: 0 is not above 0
              15 | max_stop_points = 0
                 |                   ^"#]],
    );
}
