//! The keys of sources, and of what a source may do.

use super::{SECRET_PLACES, Section, means, optional, required, section};

pub(in crate::config) const SOURCES: Section = Section {
    path: "sources",
    is_list: true,
    keys: &[
        required("name", "name", "1 to 64 bytes, unique", "\"main\""),
        required("secret", "secret", SECRET_PLACES, "\"env:WEBHOOK_SECRET\""),
        optional(
            "previous_secret",
            "secret",
            SECRET_PLACES,
            "\"env:WEBHOOK_SECRET_BEFORE\"",
        ),
        optional(
            "previous_until",
            "moment",
            "a date or RFC 3339",
            "\"2027-01-31T12:00:00Z\"",
        ),
        optional(
            "tripwire",
            "secret",
            SECRET_PLACES,
            "\"file:secrets/main-tripwire\"",
        ),
        optional(
            "expires",
            "moment",
            "a date or RFC 3339",
            "\"2027-01-31T00:00:00Z\"",
        ),
        means("format", "choice", "\"ponte\"", "\"ponte\"", "\"ponte\""),
        means(
            "dedup_window",
            "duration",
            "\"45s\"",
            "\"1s\" to \"1d\"",
            "\"2m\"",
        ),
        section("scope"),
    ],
};

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
