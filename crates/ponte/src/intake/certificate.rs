//! What a sender's certificate is worth: whether its request may pass, and whether its key is news.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use ponte_core::message::SenderCertificate;

use crate::config::{ClientCertificatePolicy, ClientCertificateRules, TRADINGVIEW_EMAIL};
use crate::server::ClientCertificate;

/// Most characters of a subject that are kept.
const SUBJECT_CHARS_MAX: usize = 160;
/// Most characters of an e-mail address that are kept.
const EMAIL_CHARS_MAX: usize = 80;
/// Most keys that are told, so that a sender with ever new keys can't fill the journal with alarms.
const TOLD_MAX: usize = 64;

/// What is asked of certificates, and which keys were told already.
pub(super) struct Certificates {
    rules: ClientCertificateRules,
    told: Mutex<BTreeSet<String>>,
}

impl Certificates {
    pub(super) fn new(rules: ClientCertificateRules) -> Self {
        Self {
            rules,
            told: Mutex::default(),
        }
    }

    /// Whether a request with this certificate may pass. What is absent is not verified.
    pub(super) fn accepts(&self, presented: Option<&ClientCertificate>) -> bool {
        let proven = presented.filter(|presented| presented.proven);
        match self.rules.policy {
            ClientCertificatePolicy::Observe => true,
            ClientCertificatePolicy::Require => proven.is_some_and(bears_tradingviews_address),
            ClientCertificatePolicy::Pin => proven.is_some_and(|presented| self.knows(presented)),
        }
    }

    /// The alarm about a key that is not pinned where others are; once for each.
    pub(super) fn alarm(&self, presented: Option<&ClientCertificate>, who: &str) -> Option<String> {
        let presented = presented.filter(|presented| presented.proven)?;
        if self.rules.keys.is_empty() || self.knows(presented) {
            return None;
        }
        let key = &presented.facts.key;
        // The set is whole whoever panicked while holding it.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= TOLD_MAX || !told.insert(key.clone()) {
            return None;
        }
        let outcome = match self.rules.policy {
            ClientCertificatePolicy::Pin => "was refused",
            ClientCertificatePolicy::Observe | ClientCertificatePolicy::Require => "was let in",
        };
        Some(format!(
            "an alert with a right secret from {who} came with the client certificate key {key}, \
             which is not pinned, and {outcome}; if TradingView has changed its certificate, add the \
             key to webhook.client_certificate.keys, else change the secret"
        ))
    }

    fn knows(&self, presented: &ClientCertificate) -> bool {
        self.rules.keys.contains(&presented.facts.key)
    }
}

fn bears_tradingviews_address(presented: &ClientCertificate) -> bool {
    let mut emails = presented.facts.emails.iter();
    emails.any(|email| email.eq_ignore_ascii_case(TRADINGVIEW_EMAIL))
}

/// The certificate that a request's connection brought.
pub(super) fn presented(head: &Parts) -> Option<&ClientCertificate> {
    let presented = head.extensions.get::<Arc<ClientCertificate>>();
    presented.map(AsRef::as_ref)
}

/// What is remembered of a certificate.
pub(super) fn remembered(presented: Option<&ClientCertificate>) -> Option<SenderCertificate> {
    let ClientCertificate { facts, proven } = presented?;
    let emails = &facts.emails;
    let is_theirs = |email: &&String| email.eq_ignore_ascii_case(TRADINGVIEW_EMAIL);
    let email = emails.iter().find(is_theirs).or(emails.first());
    Some(SenderCertificate {
        key: facts.key.clone(),
        subject: short(&facts.subject, SUBJECT_CHARS_MAX),
        email: email.map(|email| short(email, EMAIL_CHARS_MAX)),
        proven: *proven,
    })
}

/// The start of a stranger's words, without anything that is no character of a text.
fn short(text: &str, chars_max: usize) -> String {
    let printable = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    let mut short: String = text.chars().take(chars_max).map(printable).collect();
    if text.chars().nth(chars_max).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use ponte_core::time::Timestamp;

    use super::*;
    use crate::server::Facts;

    const PINNED: &str = "aaaa";

    fn certificate(key: &str, email: &str, proven: bool) -> ClientCertificate {
        let facts = Facts {
            subject: "CN=webhook-server@tradingview.com, O=TradingView\\, Inc.".to_owned(),
            issuer: "CN=anybody".to_owned(),
            names: Vec::new(),
            emails: vec![email.to_owned()],
            not_before: Timestamp(0),
            not_after: Timestamp(1),
            fingerprint: "ffff".to_owned(),
            key: key.to_owned(),
        };
        ClientCertificate { facts, proven }
    }

    fn certificates(policy: ClientCertificatePolicy, keys: &[&str]) -> Certificates {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Certificates::new(ClientCertificateRules { policy, keys })
    }

    #[test]
    fn each_policy_asks_for_its_own() {
        use ClientCertificatePolicy::{Observe, Pin, Require};
        let theirs = Some(certificate("bbbb", "Webhook-Server@TradingView.com", true));
        let pinned = Some(certificate(PINNED, "me@example.com", true));
        let other = Some(certificate("cccc", "me@example.com", true));
        let borrowed = Some(certificate(PINNED, TRADINGVIEW_EMAIL, false));
        for (policy, presented, expected) in [
            (Observe, &None, true),
            (Observe, &other, true),
            (Observe, &borrowed, true),
            (Require, &None, false),
            (Require, &theirs, true),
            (Require, &other, false),
            (Require, &borrowed, false),
            (Pin, &None, false),
            (Pin, &pinned, true),
            (Pin, &theirs, false),
            (Pin, &borrowed, false),
        ] {
            let certificates = certificates(policy, &[PINNED]);
            let accepted = certificates.accepts(presented.as_ref());
            assert_eq!(accepted, expected, "{policy:?} {presented:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_pinned_is_told_once() {
        let certificates = certificates(ClientCertificatePolicy::Observe, &[PINNED]);
        let tell =
            |certificate: ClientCertificate| certificates.alarm(Some(&certificate), "1.2.3.4");
        assert_eq!(tell(certificate(PINNED, "", true)), None);
        assert_eq!(
            tell(certificate("bbbb", "", false)),
            None,
            "it is nobody's word"
        );
        let told = tell(certificate("bbbb", "", true)).unwrap();
        assert!(told.contains("1.2.3.4") && told.contains("bbbb"), "{told}");
        assert_eq!(tell(certificate("bbbb", "", true)), None);
        let more = (0..1000).filter_map(|key| tell(certificate(&key.to_string(), "", true)));
        assert_eq!(more.count(), TOLD_MAX - 1);
        assert_eq!(certificates.alarm(None, "1.2.3.4"), None);
    }

    #[test]
    fn without_pins_no_key_is_an_alarm() {
        let certificates = certificates(ClientCertificatePolicy::Observe, &[]);
        assert_eq!(
            certificates.alarm(Some(&certificate("bbbb", "", true)), "x"),
            None
        );
    }

    #[test]
    fn a_strangers_words_are_short_and_have_one_line() {
        let mut presented = certificate("bbbb", &"é".repeat(1000), true);
        presented.facts.subject = "CN=\u{1b}[31m\nred".to_owned();
        let remembered = remembered(Some(&presented)).unwrap();
        assert_eq!(remembered.subject, "CN=\u{FFFD}[31m\u{FFFD}red");
        assert_eq!(
            remembered.email.unwrap().chars().count(),
            EMAIL_CHARS_MAX + 1
        );
    }
}
