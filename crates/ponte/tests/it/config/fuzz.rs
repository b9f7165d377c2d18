//! No text makes the parser panic.

use ponte::config::{Accounting, InitAnswers, InitMarket, InitTerminal, parse, template};
use proptest::prelude::*;

use super::rendered;

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..6),
    ) {
        let mut text: Vec<char> = everything().replace("# ", "").chars().collect();
        if changes.len() % 2 == 0 {
            text = everything().chars().collect();
        }
        for (place, (removed, inserted)) in changes {
            let at = place.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, inserted.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(errors) = parse(&text, "ponte.toml") {
            prop_assert!(!errors.errors.is_empty());
            prop_assert!(!errors.to_string().is_empty());
        }
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}\n?\\PC{0,60}") {
        rendered(&text);
    }
}

/// The template with every section that it can have.
fn everything() -> String {
    template(&InitAnswers {
        binance: Some(InitMarket::Futures),
        mt5: Some(InitTerminal {
            login: 1,
            server: "Demo".to_owned(),
            accounting: Accounting::Netting,
            at_b3: true,
            bridge_listen: std::net::SocketAddr::from(([0, 0, 0, 0], 8443)),
            has_certificate: true,
        }),
        ..InitAnswers::default()
    })
}

fn change() -> impl Strategy<Value = (usize, &'static str)> {
    let inserted = prop::sample::select(vec![
        "",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        "0",
        "-1",
        "5.5",
        "\"*\"",
        "[[",
        "]]",
        "é",
        "\u{1b}",
        "[]",
        "{}",
        "true",
        "1979-05-27",
        "'''",
        "\r",
        "secret",
        "nan",
        "\0",
        "[[routes]]\n",
    ]);
    (
        prop_oneof![Just(0_usize), 0..4_usize, 0..40_usize],
        inserted,
    )
}
