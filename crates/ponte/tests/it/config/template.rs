//! The file that `ponte init` writes.

use ponte::config::{Broker, InitAnswers, SecretPlace, parse, template};
use ponte::secret::SecretRef;
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
fn the_keys_in_its_comments_are_right_too() {
    let text = template(&InitAnswers::default());
    let is_key = |line: &&str| {
        line.strip_prefix("# ").is_some_and(|rest| {
            rest.split_once(" = ")
                .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        })
    };
    let commented = text.lines().filter(is_key).count();
    assert_eq!(commented, 12, "{text}");
    let lines = text
        .lines()
        .map(|line| if is_key(&line) { &line[2..] } else { line });
    let uncommented = lines.collect::<Vec<_>>().join("\n");
    let parsed = parse(&uncommented, "ponte.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let warnings: Vec<_> = parsed.warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(warnings, ["webhook.client_address"]);
}
