//! The file that `ponte init` writes.

use ponte::config::{
    Accounting, BinanceMarket, Broker, InitAnswers, InitMarket, InitTerminal, Listen, SecretPlace,
    parse, template,
};
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
        webhook_listen: Listen::At(SocketAddr::from(([0, 0, 0, 0], 80))),
        allow_this_machine: false,
        secret: SecretPlace::File("my secrets/main".to_owned()),
        currency: "BRL".to_owned(),
        ..InitAnswers::default()
    };
    let parsed = parse(&template(&answers), "home/ponte.toml").unwrap();
    let config = parsed.config;
    assert_eq!(config.data_dir, Path::new("home").join(&answers.data_dir));
    assert_eq!(Listen::At(config.webhook.listen), answers.webhook_listen);
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

fn terminal(at_b3: bool, has_certificate: bool) -> InitTerminal {
    InitTerminal {
        login: 123_456,
        server: "XP \"Demo\"".to_owned(),
        accounting: if at_b3 {
            Accounting::Netting
        } else {
            Accounting::Hedging
        },
        at_b3,
        bridge_listen: SocketAddr::from(if has_certificate {
            ([0, 0, 0, 0], 443)
        } else {
            ([127, 0, 0, 1], 8443)
        }),
        has_certificate,
    }
}

#[test]
fn an_account_in_a_terminal_stands_beside_the_paper_account() {
    for (at_b3, has_certificate) in [(true, true), (true, false), (false, true), (false, false)] {
        let terminal = terminal(at_b3, has_certificate);
        let answers = InitAnswers {
            mt5: Some(terminal.clone()),
            currency: "BRL".to_owned(),
            ..InitAnswers::default()
        };
        let parsed = parse(&template(&answers), "ponte.toml").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(parsed.warnings, []);
        let [paper, mt5] = parsed.config.accounts.as_slice() else {
            panic!("{:?}", parsed.config.accounts);
        };
        assert_eq!((paper.mode, mt5.mode), (Mode::Paper, Mode::Demo));
        let Broker::Mt5(settings) = &mt5.broker else {
            panic!("{:?}", mt5.broker);
        };
        assert_eq!(settings.login, terminal.login);
        assert_eq!(settings.server, terminal.server);
        assert_eq!(settings.accounting, terminal.accounting);
        assert!(mt5.rules.max_order_quantity.is_some(), "something limits");
        let bridge = parsed.config.bridge.unwrap();
        assert_eq!(bridge.listen, terminal.bridge_listen);
        assert_eq!(bridge.tls.is_some(), has_certificate);
        assert_eq!(
            parsed.config.routes[1].accounts,
            std::slice::from_ref(&mt5.name)
        );
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
    let with = |binance, mt5| InitAnswers {
        binance,
        mt5,
        currency: "BRL".to_owned(),
        ..InitAnswers::default()
    };
    let common = 18;
    for (answers, expected) in [
        (with(None, None), common),
        (with(Some(InitMarket::Spot), None), common + 9),
        (with(Some(InitMarket::Futures), None), common + 14),
        (with(None, Some(terminal(true, true))), common + 19),
        (with(None, Some(terminal(false, false))), common + 16),
    ] {
        let text = template(&answers);
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
