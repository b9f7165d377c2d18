//! The keys of how long records are kept.

use super::{Key, Section, means};

pub(in crate::config) const RETENTION: Section = Section {
    path: "retention",
    is_list: false,
    keys: &[
        keep("refusals", "\"90d\"", "\"14d\""),
        keep("events", "\"forever\"", "\"3650d\""),
    ],
};

const fn keep(name: &'static str, default: &'static str, example: &'static str) -> Key {
    means(
        name,
        "duration",
        default,
        "\"1d\" to \"36500d\", \"forever\"",
        example,
    )
}
