//! Why there is no new certificate, and what its owner can do about it.

use std::time::Duration;

use instant_acme::{Error, Problem};
use ponte_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::schedule::Cost;
use super::settings::{AcmeSettings, ChallengeKind};

/// Longest text of an authority that is repeated, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// The last attempt for a certificate, which failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalFailure {
    /// When.
    pub at: Timestamp,
    /// Why, for people; the authority's words where it said something.
    pub why: String,
    /// What to do about it.
    pub cure: String,
    /// Whether it was the rehearsal, which costs nothing.
    pub rehearsal: bool,
}

/// A failed step on the way to a certificate.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) cure: String,
    pub(super) cost: Cost,
    pub(super) then: Then,
}

/// What the next attempt does otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The same.
    Same,
    /// It makes a new account.
    NewAccount,
    /// It does not say which certificate it replaces.
    WithoutReplacing,
}

impl Trouble {
    /// One of this machine, or one that never reached a limit.
    pub(super) fn cheap(why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            why: shown(&why.into()),
            cure: cure.into(),
            cost: Cost::Cheap,
            then: Then::Same,
        }
    }

    /// One that the authority may count.
    pub(super) fn counted(why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            cost: Cost::Counted,
            ..Self::cheap(why, cure)
        }
    }

    /// With the name that it is about.
    pub(super) fn about(self, name: &str) -> Self {
        let why = format!("{name}: {}", self.why);
        Self { why, ..self }
    }

    /// What the library or the authority said.
    pub(super) fn of(error: &Error, settings: &AcmeSettings) -> Self {
        if let Error::Api(problem) = error {
            return Self::told(problem, settings);
        }
        if let Error::Unsupported(_) = error {
            return Self {
                then: Then::WithoutReplacing,
                ..Self::cheap(error.to_string(), AGAIN)
            };
        }
        if let Error::Crypto | Error::KeyRejected = error {
            return Self {
                then: Then::NewAccount,
                ..Self::cheap("the account's key can't be used", AGAIN)
            };
        }
        if let Error::Timeout(_) = error {
            let why = "the authority has not come to a result in time";
            return Self::counted(why, "nothing to do: it is tried again");
        }
        if let Error::Json(_) = error {
            return Self::cheap(
                "what answers is no ACME directory, or one that broke off",
                "look at webhook.acme.directory, and at what stands between it and this machine",
            );
        }
        // The library may gain kinds; none of them is a word of the authority.
        Self::cheap(chain(error), REACH)
    }

    /// What the authority said (RFC 8555, 6.7).
    pub(super) fn told(problem: &Problem, settings: &AcmeSettings) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or("");
        let kind = kind
            .strip_prefix("urn:ietf:params:acme:error:")
            .unwrap_or(kind);
        let mut why = problem.detail.clone().unwrap_or_else(|| kind.to_owned());
        for part in problem.subproblems.iter().take(4) {
            why.push_str("; ");
            why.push_str(&part.to_string());
        }
        let then = match kind {
            "accountDoesNotExist" => Then::NewAccount,
            "alreadyReplaced" => Then::WithoutReplacing,
            _ => Then::Same,
        };
        Self {
            then,
            ..Self::counted(why, cure(kind, settings))
        }
    }
}

const AGAIN: &str = "nothing to do: it is tried again, another way";
const REACH: &str = "look at this machine's way out: its DNS, its firewall, and webhook.acme.root \
                     where the directory has a root of its own";

/// What to do about a kind of problem (RFC 8555, 6.7; RFC 9773, 7.4; the profiles' draft).
fn cure(kind: &str, settings: &AcmeSettings) -> String {
    let port = settings.challenge.port();
    let reach = match settings.challenge {
        ChallengeKind::TlsAlpn01 => {
            "port 443 of each name has to lead to webhook.listen, without a proxy that ends TLS \
             before it; behind such a proxy take challenge = \"http-01\", or let the proxy have the \
             certificate"
        }
        ChallengeKind::Http01 => "port 80 of each name has to lead to webhook.acme.http_listen",
    };
    match kind {
        "dns" => "let the A record of each name (and the AAAA record, if there is one) lead to this \
                  machine; a new record takes a while to be seen everywhere"
            .to_owned(),
        "connection" => format!(
            "let port {port} through the firewall, here and at the hoster; {reach}; take away an AAAA \
             record that leads elsewhere"
        ),
        "tls" | "unauthorized" | "incorrectResponse" => format!(
            "nothing or something else answered there: let the A and AAAA records of each name lead \
             to this machine and no other; {reach}"
        ),
        "caa" => "the domain's CAA records forbid this authority: add one that allows it".to_owned(),
        "rateLimited" => "wait: the authority says until when; Ponte tries again by itself. Keep \
                          data_dir, so that certificates are not ordered anew at each start"
            .to_owned(),
        "rejectedIdentifier" | "unsupportedIdentifier" | "malformed" => {
            "look at webhook.acme.domains: this authority gives no certificate for one of them; for an \
             IP address Let's Encrypt wants profile = \"shortlived\""
                .to_owned()
        }
        "invalidProfile" => "take another webhook.acme.profile, or none".to_owned(),
        "invalidContact" | "unsupportedContact" => {
            "look at webhook.acme.contact: real e-mail addresses, or none".to_owned()
        }
        "userActionRequired" => {
            "the authority has new terms: read them at its site and agree to them".to_owned()
        }
        "externalAccountRequired" => {
            "this authority wants an account made at its site first, which Ponte can't use: take \
             another directory, or certificate files of your own"
                .to_owned()
        }
        "accountDoesNotExist" | "alreadyReplaced" => AGAIN.to_owned(),
        _ => "it is tried again by itself; if it stays, look at the authority's status page".to_owned(),
    }
}

/// When the authority will take orders again, if it said so in the header of a refusal.
pub(super) fn blocked_until(now: Timestamp, retry_after: Option<Duration>) -> Option<Timestamp> {
    /// Longer ones are taken for a mistake, or for a clock that is wrong.
    const MOST: Duration = Duration::from_secs(7 * 86_400);
    retry_after.map(|wait| now.after(wait.min(MOST)))
}

/// An error with what it comes from: the outer ones say little.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut inner = std::error::Error::source(error);
    while let Some(error) = inner {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        inner = error.source();
    }
    text
}

/// A text that may come from anywhere: no control characters, and not too long.
fn shown(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut shown: String = text.chars().map(plain).take(TEXT_CHARS_MAX).collect();
    if text.chars().count() > TEXT_CHARS_MAX {
        shown.push('…');
    }
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::settings::Directory;
    use super::*;

    fn settings(challenge: ChallengeKind) -> AcmeSettings {
        AcmeSettings {
            names: vec!["hook.example.com".to_owned()],
            contact: Vec::new(),
            directory: Directory::LetsEncrypt,
            rehearsal: None,
            root: None,
            challenge,
            http_listen: SocketAddr::from(([0, 0, 0, 0], 80)),
            profile: None,
        }
    }

    fn problem(kind: &str, detail: &str) -> Problem {
        Problem {
            r#type: Some(format!("urn:ietf:params:acme:error:{kind}")),
            detail: Some(detail.to_owned()),
            status: None,
            subproblems: Vec::new(),
        }
    }

    #[test]
    fn a_cure_names_the_port_that_the_challenge_needs() {
        let told = |challenge| {
            let problem = problem("connection", "192.0.2.7: Timeout during connect");
            Trouble::told(&problem, &settings(challenge))
        };
        assert!(told(ChallengeKind::TlsAlpn01).cure.contains("port 443"));
        let http = told(ChallengeKind::Http01);
        assert!(http.cure.contains("port 80"));
        assert_eq!(http.why, "192.0.2.7: Timeout during connect");
        assert_eq!(http.cost, Cost::Counted);
    }

    #[test]
    fn what_the_authority_says_changes_the_next_attempt() {
        for (kind, then) in [
            ("accountDoesNotExist", Then::NewAccount),
            ("alreadyReplaced", Then::WithoutReplacing),
            ("dns", Then::Same),
        ] {
            let told = Trouble::told(&problem(kind, "no"), &settings(ChallengeKind::Http01));
            assert_eq!(told.then, then, "{kind}");
            assert!(!told.cure.is_empty());
        }
    }

    #[test]
    fn an_authoritys_words_are_made_harmless() {
        let detail = format!("a\u{1b}[2J\nb{}", "x".repeat(1000));
        let told = Trouble::told(&problem("dns", &detail), &settings(ChallengeKind::Http01));
        assert!(told.why.starts_with("a [2J bx"));
        assert_eq!(told.why.chars().count(), TEXT_CHARS_MAX + 1);
    }
}
