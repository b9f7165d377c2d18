//! The file that `ponte init` writes.

use ponte::config::{BinanceMarket, Broker, InitAnswers, InitMarket, SecretPlace, parse, template};
use ponte::secret::SecretRef;
use ponte_core::id::Symbol;
use ponte_core::policy::Mode;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

#[test]
fn it_parses_without_findings() {
    for secret in [
        SecretPlace::File("secrets/main".to_owned()),
        SecretPlace::Env("WEBHOOK_SECRET".to_owned()),
    ] {
        let text = template(&InitAnswers {
            secret,
            ..InitAnswers::default()
        });
        let parsed = parse(&text, "ponte.toml").unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(parsed.warnings, []);
        assert!(
            parsed
                .config
                .webhook
                .allow_from
                .allows(Ipv4Addr::LOCALHOST.into())
        );
    }
}

#[test]
fn the_answers_stand_in_it() {
    let answers = InitAnswers {
        data_dir: "C:\\ponte \"1\" <<currency>>".to_owned(),
        webhook_listen: SocketAddr::from(([0, 0, 0, 0], 80)),
        allow_this_machine: false,
        secret: SecretPlace::File("my secrets/main".to_owned()),
        currency: "BRL".to_owned(),
        ..InitAnswers::default()
    };
    let parsed = parse(&template(&answers), "home/ponte.toml").unwrap();
    let config = parsed.config;
    assert_eq!(config.data_dir, Path::new("home").join(&answers.data_dir));
    assert_eq!(config.webhook.listen, answers.webhook_listen);
    assert!(!config.webhook.allow_from.allows(Ipv4Addr::LOCALHOST.into()));
    assert_eq!(
        config.sources[0].secret,
        SecretRef::File("home/my secrets/main".into())
    );
    assert_eq!(config.accounts[0].currency, "BRL");
    let Broker::Paper(paper) = &config.accounts[0].broker else {
        panic!("{:?}", config.accounts[0].broker);
    };
    assert_eq!(paper.balance, answers.balance);
}

#[test]
fn an_account_at_binance_stands_beside_the_paper_account() {
    for market in [InitMarket::Spot, InitMarket::Futures] {
        let answers = InitAnswers {
            binance: Some(market),
            currency: "USDC".to_owned(),
            ..InitAnswers::default()
        };
        let parsed = parse(&template(&answers), "ponte.toml").unwrap();
        assert_eq!(parsed.warnings, []);
        let [paper, binance] = parsed.config.accounts.as_slice() else {
            panic!("{:?}", parsed.config.accounts);
        };
        assert_eq!((paper.mode, binance.mode), (Mode::Paper, Mode::Demo));
        assert_eq!(binance.currency, "USDC");
        let limit = Some(answers.max_order_notional);
        assert_eq!(binance.rules.max_order_notional, limit);
        let Broker::Binance(settings) = &binance.broker else {
            panic!("{:?}", binance.broker);
        };
        let symbol = |text| Symbol::new(text).unwrap();
        let route = &parsed.config.routes[1];
        assert_eq!(route.accounts, std::slice::from_ref(&binance.name));
        match (market, &settings.market) {
            (InitMarket::Spot, BinanceMarket::Spot) => {
                assert_eq!(route.symbol(&symbol("BTCUSDT")), symbol("BTCUSDT"));
            }
            (InitMarket::Futures, BinanceMarket::Futures(_)) => {
                assert_eq!(route.symbol(&symbol("BTCUSDT")), symbol("BTCUSDT.P"));
            }
            (InitMarket::Spot | InitMarket::Futures, read) => panic!("{read:?}"),
        }
    }
}

#[test]
fn the_keys_in_its_comments_are_right_too() {
    let is_key = |line: &&str| {
        line.strip_prefix("# ").is_some_and(|rest| {
            rest.split_once(" = ")
                .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        })
    };
    for (binance, expected) in [
        (None, 17),
        (Some(InitMarket::Spot), 17 + 9),
        (Some(InitMarket::Futures), 17 + 14),
    ] {
        let text = template(&InitAnswers {
            binance,
            ..InitAnswers::default()
        });
        let commented = text.lines().filter(is_key).count();
        assert_eq!(commented, expected, "{text}");
        let lines = text
            .lines()
            .map(|line| if is_key(&line) { &line[2..] } else { line });
        let uncommented = lines.collect::<Vec<_>>().join("\n");
        let parsed = parse(&uncommented, "ponte.toml").unwrap_or_else(|errors| panic!("{errors}"));
        let warnings: Vec<_> = parsed.warnings.iter().map(|w| w.key.as_str()).collect();
        assert_eq!(warnings, ["webhook.client_address"]);
    }
}
