//! The keys of what a sender's certificate must be.

use super::{Section, means};

pub(in crate::config) const CLIENT_CERTIFICATE: Section = Section {
    path: "webhook.client_certificate",
    is_list: false,
    keys: &[
        means(
            "policy",
            "choice",
            "\"observe\"",
            "\"observe\", \"require\", \"pin\"",
            "\"require\"",
        ),
        means(
            "keys",
            "list",
            "[]",
            "SHA-256 of public keys, 64 hex digits",
            "[\"6b1d0a8f4d0e7c3b92a5561f7f1c0d9e8b3a4c5d6e7f80912a3b4c5d6e7f8091\"]",
        ),
    ],
};
