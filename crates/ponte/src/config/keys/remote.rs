//! The keys of the owner's side beyond loopback.

use super::{Section, means, optional, required};

pub(in crate::config) const ADMIN_REMOTE: Section = Section {
    path: "admin.remote",
    is_list: false,
    keys: &[
        means(
            "listen",
            "address",
            "\"127.0.0.1:8444\"",
            "address:port",
            "\"0.0.0.0:8444\"",
        ),
        required(
            "names",
            "list",
            "host names, addresses",
            "[\"ponte.example.com\"]",
        ),
        optional(
            "certificate",
            "path",
            "a PEM file",
            "\"secrets/admin-certificate.pem\"",
        ),
        optional("key", "path", "a PEM file", "\"secrets/admin-key.pem\""),
        means(
            "behind_proxy",
            "true or false",
            "false",
            "true, false",
            "true",
        ),
        means(
            "trusted_proxies",
            "list",
            "[]",
            "\"loopback\", \"private\", addresses, CIDRs",
            "[\"loopback\"]",
        ),
        means(
            "session_idle",
            "duration",
            "\"12h\"",
            "\"5m\" to \"30d\"",
            "\"1h\"",
        ),
        means(
            "session_max",
            "duration",
            "\"7d\"",
            "\"5m\" to \"90d\"",
            "\"1d\"",
        ),
    ],
};
