//! The keys of accounts at an exchange that Ponte knows.

use super::{Section, means, optional, required, section};

pub(in crate::config) const B3: Section = Section {
    path: "accounts.b3",
    is_list: false,
    keys: &[
        means("roll_days_before", "whole number", "0", "0 to 10", "1"),
        means(
            "auctions",
            "choice",
            "\"refuse\"",
            "\"refuse\", \"allow\"",
            "\"allow\"",
        ),
        means(
            "out_of_session",
            "choice",
            "\"refuse\"",
            "\"refuse\", \"send\"",
            "\"send\"",
        ),
        optional("no_entries_after", "time", "a time of the day", "\"17:30\""),
        optional(
            "no_entries_before_close",
            "duration",
            "\"1m\" to \"8h\"",
            "\"45m\"",
        ),
        optional("flatten_at", "time", "a time of the day", "\"18:10\""),
        optional(
            "flatten_before_close",
            "duration",
            "\"1m\" to \"8h\"",
            "\"15m\"",
        ),
        means("closed_days", "list", "[]", "days", "[\"2027-01-25\"]"),
        section("products"),
    ],
};

pub(in crate::config) const B3_PRODUCTS: Section = Section {
    path: "accounts.b3.products",
    is_list: true,
    keys: &[
        required(
            "product",
            "choice",
            "\"WIN\", \"WDO\", \"IND\", \"DOL\", \"BIT\", \"stocks\"",
            "\"WIN\"",
        ),
        optional("opens", "time", "a time of the day", "\"09:00\""),
        optional("closes", "time", "a time of the day", "\"18:25\""),
        optional("roll_days_before", "whole number", "0 to 10", "2"),
    ],
};
