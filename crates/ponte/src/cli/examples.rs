//! Ready alerts to send and to explain: one table.

use super::failure::Failure;

/// Where the secret goes in an example, and in any body that `ponte send` sends.
pub(super) const SECRET_BLANKS: [&str; 2] = ["{{secret}}", "{{segredo}}"];

/// A ready alert.
pub(super) struct Example {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it shows.
    pub(super) about: &'static str,
    /// Its body with a blank for the secret.
    body: &'static str,
}

/// Every example, in the order of the help.
pub(super) const EXAMPLES: &[Example] = &[
    Example {
        name: "buy",
        about: "buy 0.01 BTCUSDT at the market",
        body: r#"{"secret":"{{secret}}","action":"buy","symbol":"BTCUSDT","quantity":0.01}"#,
    },
    Example {
        name: "sell",
        about: "sell 0.01 BTCUSDT at the market",
        body: r#"{"secret":"{{secret}}","action":"sell","symbol":"BTCUSDT","quantity":0.01}"#,
    },
    Example {
        name: "limit",
        about: "buy 0.01 BTCUSDT at 60000 or better",
        body: concat!(
            r#"{"secret":"{{secret}}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"#,
            r#""type":"limit","price":60000}"#,
        ),
    },
    Example {
        name: "bracket",
        about: "buy 0.01 BTCUSDT near 65000 with a stop at 63000 and a target at 69000",
        body: concat!(
            r#"{"secret":"{{secret}}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"#,
            r#""price":65000,"stop":63000,"target":69000}"#,
        ),
    },
    Example {
        name: "close",
        about: "close the whole position in BTCUSDT",
        body: r#"{"secret":"{{secret}}","action":"close","symbol":"BTCUSDT"}"#,
    },
    Example {
        name: "half",
        about: "close half of the position in BTCUSDT",
        body: r#"{"secret":"{{secret}}","action":"close","symbol":"BTCUSDT","percent":50}"#,
    },
    Example {
        name: "reverse",
        about: "close the position in BTCUSDT and open the other side",
        body: r#"{"secret":"{{secret}}","action":"reverse","symbol":"BTCUSDT"}"#,
    },
    Example {
        name: "target",
        about: "bring the position in BTCUSDT to 0.02 long",
        body: r#"{"secret":"{{secret}}","symbol":"BTCUSDT","position":"long","position_size":0.02}"#,
    },
    Example {
        name: "cancel",
        about: "take back the working entries in BTCUSDT",
        body: r#"{"secret":"{{secret}}","action":"cancel","symbol":"BTCUSDT"}"#,
    },
    Example {
        name: "heartbeat",
        about: "the strategy is alive; nothing is traded",
        body: r#"{"secret":"{{secret}}","action":"heartbeat","strategy":"breakout"}"#,
    },
    Example {
        name: "pt",
        about: "compra de 0,01 BTCUSDT a mercado, in Portuguese",
        body: r#"{"segredo":"{{segredo}}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    },
    Example {
        name: "es",
        about: "compra de 0,01 BTCUSDT a mercado, in Spanish",
        body: r#"{"secreto":"{{secret}}","accion":"COMPRAR","simbolo":"BTCUSDT","cantidad":"0.01"}"#,
    },
];

/// The names of all examples, for clap.
pub(super) fn names() -> Vec<&'static str> {
    EXAMPLES.iter().map(|example| example.name).collect()
}

/// The list for the help.
pub(super) fn list() -> String {
    let width = EXAMPLES
        .iter()
        .map(|example| example.name.len())
        .max()
        .unwrap_or(0);
    EXAMPLES
        .iter()
        .map(|example| format!("  {:<width$}  {}\n", example.name, example.about))
        .collect()
}

/// The body of an example, with the blank.
pub(super) fn body(name: &str) -> Result<&'static str, Failure> {
    EXAMPLES
        .iter()
        .find(|example| example.name == name)
        .map(|example| example.body)
        .ok_or_else(|| Failure::usage(format!("there is no example {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_understood() {
        for example in EXAMPLES {
            let body = super::super::body::fill(example.body, "a-long-enough-secret");
            let parsed =
                ponte_core::format::parse(ponte_core::format::Format::Ponte, body.as_bytes());
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", example.name));
            let secret = parsed.secret.map(|secret| secret.expose().to_owned());
            assert_eq!(secret.as_deref(), Some("a-long-enough-secret"));
        }
    }
}
