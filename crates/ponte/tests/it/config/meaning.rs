//! What a configuration means.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use ponte::config::{
    AllowFrom, Broker, ClientAddress, Fills, Keep, LogFormat, LogLevel, PriceSource,
    TRADINGVIEW_ADDRESSES, parse, policy,
};
use ponte::secret::SecretRef;
use ponte_core::id::{AccountName, SourceName, StrategyName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::policy::{Brackets, Capabilities, Mode, Sizing, StrategyFilter};
use rust_decimal::Decimal;

use super::{PARTS, Parts, config};

/// The sample that guides and tools rely on.
const SAMPLE: &str = r#"
data_dir = "data"
[webhook]
listen = "127.0.0.1:8080"        # path is /webhook
allow_from = ["tradingview"]     # named sets, CIDRs, or "any"
trusted_proxies = []
[admin]
listen = "127.0.0.1:8081"
[[sources]]
name = "main"
secret = "env:WEBHOOK_SECRET"
format = "ponte"
dedup_window = "45s"
[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
balance = "10000"
prices = ["alert", "seeded"]     # where the paper venue takes prices from, first that knows
[accounts.rules]
max_order_notional = "5000"
[[routes]]
strategies = ["*"]
accounts = ["paper"]
"#;

#[test]
fn the_sample_means_what_it_says() {
    let parsed = parse(SAMPLE, "/etc/ponte/ponte.toml").unwrap();
    assert_eq!(parsed.warnings, []);
    let config = parsed.config;
    assert_eq!(config.data_dir, Path::new("/etc/ponte/data"));
    assert_eq!(config.webhook.listen.port(), 8080);
    assert_eq!(config.webhook.failures_per_minute, 30);
    assert_eq!(config.webhook.client_address, ClientAddress::XForwardedFor);
    for address in TRADINGVIEW_ADDRESSES {
        assert!(config.webhook.allow_from.allows(address.into()));
        assert!(
            config
                .webhook
                .allow_from
                .allows(address.to_ipv6_mapped().into())
        );
    }
    assert!(!config.webhook.allow_from.allows(Ipv4Addr::LOCALHOST.into()));
    assert_eq!(config.retention.events, Keep::Forever);
    assert_eq!(config.log.format, LogFormat::Human);
    assert_eq!(config.log.level, LogLevel::Info);
    assert_eq!(
        config.sources[0].secret,
        SecretRef::Env("WEBHOOK_SECRET".to_owned())
    );
    let account = &config.accounts[0];
    let Broker::Paper(paper) = &account.broker else {
        panic!("{:?}", account.broker);
    };
    assert_eq!(account.mode, Mode::Paper);
    assert_eq!(paper.balance, Decimal::from(10_000));
    assert_eq!(paper.prices, [PriceSource::Alert, PriceSource::Seeded]);
    assert_eq!(paper.fills, Fills::Optimistic);
    assert_eq!(account.rules.max_order_notional, Some(Decimal::from(5000)));
    assert_eq!(config.routes[0].strategies, StrategyFilter::Any);
    assert_eq!(config.routes[0].sizing, Sizing::AsAlert);
}

#[test]
fn sizes() {
    let percent = Sizing::PercentOfEquity(Decimal::from(5));
    for (text, expected) in [
        ("\"alert\"", Sizing::AsAlert),
        (
            "{ multiply = \"0.50\" }",
            Sizing::Multiplied(Decimal::new(5, 1)),
        ),
        (
            "{ fixed = 2 }",
            Sizing::Fixed(Decimal::from(2).try_into().unwrap()),
        ),
        (
            "{ notional = \"100\" }",
            Sizing::Notional(Decimal::from(100)),
        ),
        ("{ percent_of_equity = \"5\" }", percent),
    ] {
        let config = config(&format!("{}size = {text}\n", PARTS.text()));
        assert_eq!(config.routes[0].sizing, expected, "{text}");
    }
    let table = config(&format!(
        "{}[routes.size]\npercent_of_equity = 5\n",
        PARTS.text()
    ));
    assert_eq!(table.routes[0].sizing, percent);
}

#[test]
fn symbols_are_upper_case_on_both_sides() {
    let config = config(&format!(
        "{}symbols = {{ \"btcusdt.p\" = \"btcusdt\" }}\n",
        PARTS.text()
    ));
    let symbol = |text| Symbol::new(text).unwrap();
    assert_eq!(
        config.routes[0].symbol(&symbol("BTCUSDT.P")),
        symbol("BTCUSDT")
    );
}

#[test]
fn durations_in_every_unit() {
    for (text, seconds) in [
        ("1000ms", 1),
        ("30s", 30),
        ("2m", 120),
        ("1h", 3600),
        ("1d", 86_400),
    ] {
        let source = format!("[[sources]]\n{}dedup_window = \"{text}\"\n", PARTS.source);
        let text = format!(
            "{source}[[accounts]]\n{}[[routes]]\n{}",
            PARTS.account, PARTS.route
        );
        assert_eq!(
            config(&text).sources[0].dedup_window,
            Duration::from_secs(seconds)
        );
    }
}

#[test]
fn the_instrument_for_every_symbol() {
    let top = "[[accounts]]\nname = \"b3\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"BRL\"\n[[accounts.instruments]]\nsymbol = \"*\"\nprice_tick = \"0.01\"\nquantity_step = \"1\"\n[[accounts.instruments]]\nsymbol = \"WINZ2026\"\nprice_tick = 5\nquantity_step = 1\nminimum_quantity = 1\ncontract_multiplier = \"0.20\"\n";
    let config = config(&Parts { top, ..PARTS }.text());
    let symbol = |text| Symbol::new(text).unwrap();
    let get = |text| config.accounts[0].instruments.get(&symbol(text)).unwrap();
    assert_eq!(get("WINZ2026").contract_multiplier, Decimal::new(2, 1));
    assert_eq!(get("PETR4").price_tick, Decimal::new(1, 2));
    assert_eq!(config.accounts[1].instruments, Instruments::default());
}

#[test]
fn any_beside_ranges_is_any() {
    let top = "[webhook]\nallow_from = [\"10.0.0.0/8\", \"any\"]\n";
    assert_eq!(
        config(&Parts { top, ..PARTS }.text()).webhook.allow_from,
        AllowFrom::Any
    );
}

#[test]
fn the_policy_takes_what_brokers_can_from_the_brokers() {
    let config = config(SAMPLE);
    let name = AccountName::new("paper").unwrap();
    let missing = policy(&config, "abc", &BTreeMap::new()).unwrap_err();
    assert_eq!(missing.0, name);
    let capabilities = Capabilities {
        limit: true,
        stop: true,
        stop_limit: false,
        brackets: Brackets::OneOrder,
        trailing_stop: false,
        short: true,
        reduce_only: true,
        resting_reduce_only: false,
        resting_holds: false,
        one_strategy_per_symbol: false,
    };
    let brokers = BTreeMap::from([(name.clone(), (capabilities.clone(), Instruments::default()))]);
    let policy = policy(&config, "abc", &brokers).unwrap();
    assert_eq!(policy.installation, "abc");
    assert_eq!(policy.accounts[&name].capabilities, capabilities);
    assert_eq!(policy.accounts[&name].currency, "USDT");
    let source = SourceName::new("main").unwrap();
    assert_eq!(
        policy.sources[&source].dedup_window,
        Duration::from_secs(45)
    );
    assert_eq!(policy.legs(&StrategyName::unnamed()).len(), 1);
}
