//! The configuration file: what is found wrong, what is meant, and what the reference says.

// A table of cases is one thing, however long; and a helper that fails is a failed test.
#![allow(clippy::too_many_lines, clippy::unwrap_used)]

mod b3;
mod brokers;
mod findings;
mod fuzz;
mod https;
mod meaning;
mod network;
mod reference;
mod remote;
mod rules;
mod scope;
mod secrets;
mod sections;
mod template;
mod terminals;
mod values;

use expect_test::Expect;
use ponte::config::{Config, parse};

/// A configuration with nothing but what it must have, in which each part can be replaced.
struct Parts<'t> {
    top: &'t str,
    source: &'static str,
    account: &'static str,
    route: &'static str,
}

const PARTS: Parts<'static> = Parts {
    top: "",
    source: "name = \"main\"\nsecret = \"env:WEBHOOK_SECRET\"\n",
    account: "name = \"paper\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"USDT\"\n",
    route: "strategies = [\"*\"]\naccounts = [\"paper\"]\n",
};

impl Parts<'_> {
    fn text(&self) -> String {
        let Self {
            top,
            source,
            account,
            route,
        } = self;
        format!("{top}[[sources]]\n{source}[[accounts]]\n{account}[[routes]]\n{route}")
    }
}

/// Every finding about a text, errors first, as its owner reads them.
fn rendered(text: &str) -> String {
    match parse(text, "ponte.toml") {
        Ok(parsed) => {
            let warnings = parsed.warnings.iter().map(ToString::to_string);
            warnings.collect::<Vec<_>>().join("\n")
        }
        Err(errors) => errors.to_string(),
    }
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&rendered(text));
}

fn config(text: &str) -> Config {
    match parse(text, "ponte.toml") {
        Ok(parsed) => parsed.config,
        Err(errors) => panic!("{errors}"),
    }
}

fn top(text: &str) -> String {
    Parts { top: text, ..PARTS }.text()
}

fn source(more: &str) -> String {
    format!(
        "[[sources]]\n{more}[[accounts]]\n{}[[routes]]\n{}",
        PARTS.account, PARTS.route
    )
}

fn account(more: &str) -> String {
    format!(
        "[[routes]]\n{}[[sources]]\n{}[[accounts]]\n{}{more}",
        PARTS.route, PARTS.source, PARTS.account
    )
}

fn route(text: &'static str) -> String {
    Parts {
        route: text,
        ..PARTS
    }
    .text()
}
