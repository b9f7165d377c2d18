//! The keys of accounts in terminals and of the address that their bridges call.

use super::{SECRET_PLACES, Section, means, optional, required};

pub(in crate::config) const BRIDGE: Section = Section {
    path: "bridge",
    is_list: false,
    keys: &[
        means(
            "listen",
            "address",
            "\"127.0.0.1:8443\"",
            "address:port",
            "\"127.0.0.1:9443\"",
        ),
        optional(
            "certificate",
            "path",
            "a PEM file",
            "\"secrets/bridge-certificate.pem\"",
        ),
        optional("key", "path", "a PEM file", "\"secrets/bridge-key.pem\""),
    ],
};

pub(in crate::config) const MT5: Section = Section {
    path: "accounts.mt5",
    is_list: false,
    keys: &[
        required("login", "whole number", "1 or more", "12345678"),
        required("server", "text", "a trade server", "\"MetaQuotes-Demo\""),
        required(
            "token",
            "secret",
            SECRET_PLACES,
            "\"file:secrets/mt5-bridge-token\"",
        ),
        means(
            "accounting",
            "choice",
            "\"netting\"",
            "\"netting\", \"hedging\"",
            "\"hedging\"",
        ),
        means(
            "deviation_points",
            "whole number",
            "20",
            "0 to 100000",
            "50",
        ),
        means(
            "filling",
            "choice",
            "\"auto\"",
            "\"auto\", \"fok\", \"ioc\", \"return\"",
            "\"ioc\"",
        ),
        means(
            "pending_orders_last",
            "choice",
            "\"gtc\"",
            "\"gtc\", \"day\"",
            "\"day\"",
        ),
        means(
            "symbols",
            "list",
            "[]",
            "symbols",
            "[\"EURUSD.a\", \"WINZ26\"]",
        ),
        means(
            "answer_within",
            "duration",
            "\"9s\"",
            "\"1s\" to \"9s\"",
            "\"5s\"",
        ),
        means("valid", "duration", "\"5s\"", "\"1s\" to \"30s\"", "\"3s\""),
    ],
};
