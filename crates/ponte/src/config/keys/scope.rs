//! The keys of what a source may do.

use super::{Section, means, optional};

pub(in crate::config) const SCOPE: Section = Section {
    path: "sources.scope",
    is_list: false,
    keys: &[
        optional(
            "strategies",
            "list",
            "names, at least one",
            "[\"breakout\", \"trend\"]",
        ),
        optional(
            "symbols",
            "list",
            "symbols, at least one",
            "[\"BTCUSDT\", \"BTCUSDT.P\"]",
        ),
        means(
            "verbs",
            "choice",
            "\"all\"",
            "\"all\", \"entries\", \"exits\"",
            "\"exits\"",
        ),
        optional("accounts", "list", "names of accounts", "[\"paper\"]"),
        optional("max_quantity", "decimal", "above 0", "\"0.5\""),
        optional("max_notional", "decimal", "above 0", "\"1000\""),
    ],
};
