//! The keys of the webhook's own HTTPS.

use super::{Section, means, optional, required};

pub(in crate::config) const WEBHOOK_TLS: Section = Section {
    path: "webhook.tls",
    is_list: false,
    keys: &[
        required(
            "certificate",
            "path",
            "a PEM file",
            "\"/etc/letsencrypt/live/hook.example.com/fullchain.pem\"",
        ),
        required(
            "key",
            "path",
            "a PEM file",
            "\"/etc/letsencrypt/live/hook.example.com/privkey.pem\"",
        ),
    ],
};

pub(in crate::config) const WEBHOOK_ACME: Section = Section {
    path: "webhook.acme",
    is_list: false,
    keys: &[
        optional(
            "domains",
            "list",
            "names and IP addresses, 1 to 100",
            "[\"hook.example.com\"]",
        ),
        means(
            "contact",
            "list",
            "[]",
            "e-mail addresses, up to 10",
            "[\"owner@example.com\"]",
        ),
        required("accept_terms", "true or false", "true", "true"),
        means(
            "directory",
            "text",
            "\"letsencrypt\"",
            "\"letsencrypt\", \"letsencrypt-staging\", an https URL",
            "\"letsencrypt-staging\"",
        ),
        optional("root", "path", "a PEM file", "\"secrets/acme-root.pem\""),
        means(
            "challenge",
            "choice",
            "\"tls-alpn-01\"",
            "\"tls-alpn-01\", \"http-01\"",
            "\"http-01\"",
        ),
        means(
            "http_listen",
            "address",
            "\"0.0.0.0:80\"",
            "address:port",
            "\"0.0.0.0:8000\"",
        ),
        optional(
            "profile",
            "text",
            "letters, digits and hyphens, up to 64",
            "\"shortlived\"",
        ),
    ],
};
