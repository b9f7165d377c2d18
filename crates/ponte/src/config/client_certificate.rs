//! Reads `[webhook.client_certificate]`: what a sender's TLS certificate must be.

use std::collections::BTreeSet;

use super::finding::{Notes, Problem};
use super::proxy::Proxy;
use super::sections::Mentions;
use super::table::{Spot, Table};
use super::value::{self, Value, quoted};

/// The e-mail address in TradingView's certificate.
///
/// Source: TradingView's help centre, article 43000680459. Copies of it differ in the common name, not
/// in this.
pub const TRADINGVIEW_EMAIL: &str = "webhook-server@tradingview.com";

/// What a sender's TLS certificate must be, where TLS ends in Ponte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateRules {
    /// What is asked of it. Default: nothing, it is recorded.
    pub policy: ClientCertificatePolicy,
    /// The keys that are known, each as the SHA-256 of its `SubjectPublicKeyInfo`: 64 hexadecimal
    /// digits in small letters. Default: none.
    pub keys: BTreeSet<String>,
}

/// What is asked of a sender's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificatePolicy {
    /// Nothing: what is presented is recorded.
    Observe,
    /// It must be there and bear TradingView's e-mail address. That alone proves nothing, since
    /// anybody can write that address into a certificate.
    Require,
    /// Its key must be one of [`ClientCertificateRules::keys`].
    Pin,
}

impl ClientCertificatePolicy {
    /// All of them, by the names that the configuration knows.
    pub const ALL: [(&'static str, Self); 3] = [
        ("observe", Self::Observe),
        ("require", Self::Require),
        ("pin", Self::Pin),
    ];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Require => "require",
            Self::Pin => "pin",
        }
    }
}

/// Reads the section.
pub(super) fn client_certificate(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
) -> ClientCertificateRules {
    let policy = table.read(notes, "policy", |value| {
        value::choice(value, &ClientCertificatePolicy::ALL)
    });
    let keys = table.list(notes, "keys", key);
    let is_pin = |spot: &&Spot<_>| spot.value == ClientCertificatePolicy::Pin;
    let nothing_pinned = !table.has("keys") || table.is_empty_list("keys");
    if let Some(pin) = policy.as_ref().filter(is_pin).filter(|_| nothing_pinned) {
        let problem = Problem::new("no key is pinned, so that every alert would be refused");
        let problem = problem.cured_by(
            "write \"observe\" until the first alerts have come, and then the key that \
             ponte source seen shows",
        );
        notes.error("webhook.client_certificate.policy", &pin.at, problem);
    }
    mentions.client_certificate.clone_from(&policy);
    ClientCertificateRules {
        policy: policy.map_or(ClientCertificatePolicy::Observe, |spot| spot.value),
        keys: keys
            .into_iter()
            .flat_map(|list| list.value)
            .map(|spot| spot.value)
            .collect(),
    }
}

/// Notes a policy that can't work: certificates come where TLS ends, and no further.
pub(super) fn look_at_way(notes: &mut Notes<'_>, mentions: &Mentions) {
    let asks = |spot: &&Spot<_>| spot.value != ClientCertificatePolicy::Observe;
    let Some(policy) = mentions.client_certificate.as_ref().filter(asks) else {
        return;
    };
    let key = "webhook.client_certificate.policy";
    if !mentions.https.any {
        let problem = Problem::new(
            "no certificate comes where TLS doesn't end, so that every alert would be refused",
        );
        let problem = problem.cured_by("add [webhook.acme] or [webhook.tls], or write \"observe\"");
        notes.error(key, &policy.at, problem);
        return;
    }
    let proxy = mentions.proxy.as_ref().map(|spot| spot.value);
    if proxy.is_some_and(Proxy::ends_tls) {
        let problem = Problem::new(
            "the proxy in front ends TLS itself, so that TradingView's certificate stays there and \
             every alert would be refused",
        );
        let problem = problem.cured_by(
            "have the proxy pass TLS on as it is, with proxy_protocol = true, or write \"observe\"",
        );
        notes.warning(key, &policy.at, problem);
    }
}

fn key(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let is_key = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_key {
        return Ok(text.to_ascii_lowercase());
    }
    let problem = format!(
        "{} is not the SHA-256 of a key, 64 hexadecimal digits",
        quoted(&text)
    );
    Err(Problem::new(problem).cured_by("ponte source seen shows the keys that came so far"))
}
