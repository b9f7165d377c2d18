//! `ponte certificate`.

use std::fmt::Write as _;

use clap::Args;
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, BOLD, DIM, GOOD, SO_SO, styled};
use crate::app;
use crate::config::{Config, Webhook};
use crate::server::{CertificateReport, CertificateSource, NoCertificate, Standing, may_be_plain};

/// Show the listeners' certificates: until when, renewed when, what failed last
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte certificate\n  \
    ponte certificate --json | jq '.[] | {listener, days_left, next_renewal}'\n\n\
    It reads the files and the data directory, whether Ponte runs or not, and asks nobody.\n\
    A listener in plain HTTP has none, and is not in the JSON. Exit status 1 when a certificate is \
    missing, has ended or is about to, when nobody trusts it, or when strangers can read the alerts.")]
pub(super) struct Certificate {}

/// A report as programs read it. Moments are RFC 3339.
#[derive(Serialize)]
struct Shown {
    listener: &'static str,
    standing: Standing,
    source: &'static str,
    directory: Option<String>,
    staging: bool,
    file: Option<String>,
    wanted: Vec<String>,
    names: Vec<String>,
    issuer: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    days_left: Option<u64>,
    fingerprint: Option<String>,
    next_renewal: Option<String>,
    rehearsed_at: Option<String>,
    missing: Option<NoCertificate>,
    last_failure: Option<ShownFailure>,
}

#[derive(Serialize)]
struct ShownFailure {
    at: String,
    why: String,
    cure: String,
    rehearsal: bool,
}

impl Certificate {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let reports = app::certificates(config);
        let is_fine = |report: &CertificateReport| {
            report.standing(context.now) < Standing::Urgent && !is_staging(&report.source)
        };
        if context.json {
            let shown: Vec<Shown> = reports
                .iter()
                .map(|report| Shown::of(report, context.now))
                .collect();
            screen::print_json(&shown)?;
        } else {
            let mut text = String::new();
            if config.webhook.tls.is_none() {
                text.push_str(&plain(config));
            }
            for report in &reports {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&shown(report, context.now));
            }
            screen::print(&text)?;
        }
        if reports.iter().all(is_fine) && !is_open(&config.webhook) {
            return Ok(());
        }
        Err(Failure::silent(REFUSED))
    }
}

impl Shown {
    fn of(report: &CertificateReport, now: Timestamp) -> Self {
        let facts = report.facts.as_ref().ok();
        let (source, directory, staging, file, wanted, rehearsed_at) = match &report.source {
            CertificateSource::Files { certificate } => {
                let file = certificate.display().to_string();
                ("files", None, false, Some(file), Vec::new(), None)
            }
            CertificateSource::Acme {
                directory,
                staging,
                names,
                rehearsed_at,
            } => {
                let (directory, names) = (directory.clone(), names.clone());
                (
                    "acme",
                    Some(directory),
                    *staging,
                    None,
                    names,
                    *rehearsed_at,
                )
            }
        };
        Self {
            listener: report.listener,
            standing: report.standing(now),
            source,
            directory,
            staging,
            file,
            wanted,
            names: facts.map_or_else(Vec::new, |facts| facts.names.clone()),
            issuer: facts.map(|facts| facts.issuer.clone()),
            not_before: facts.map(|facts| facts.not_before.to_string()),
            not_after: facts.map(|facts| facts.not_after.to_string()),
            days_left: facts.map(|facts| days(now, facts.not_after)),
            fingerprint: facts.map(|facts| facts.fingerprint.clone()),
            next_renewal: report.next_renewal.map(|at| at.to_string()),
            rehearsed_at: rehearsed_at.map(|at| at.to_string()),
            missing: report.facts.as_ref().err().cloned(),
            last_failure: report.last_failure.as_ref().map(|failure| ShownFailure {
                at: failure.at.to_string(),
                why: failure.why.clone(),
                cure: failure.cure.clone(),
                rehearsal: failure.rehearsal,
            }),
        }
    }
}

/// Whether strangers can read what is sent.
fn is_open(webhook: &Webhook) -> bool {
    webhook.tls.is_none() && webhook.trusted_proxies.is_empty() && !may_be_plain(webhook.listen)
}

/// A webhook without a certificate.
fn plain(config: &Config) -> String {
    let webhook = &config.webhook;
    let mut text = format!(
        "{}  plain HTTP at {}\n",
        styled(BOLD, "webhook"),
        webhook.listen
    );
    let (sign, said) = if is_open(webhook) {
        let said = "everybody on the way reads the alerts' secrets: add [webhook.acme] or \
                    [webhook.tls], or name the proxy with TLS: proxy, or trusted_proxies";
        (styled(BAD, "✗"), said)
    } else if webhook.trusted_proxies.is_empty() {
        let said = "nobody but this machine reaches it; TradingView needs a proxy or tunnel, or \
                    [webhook.acme] and listen = \"0.0.0.0:443\"";
        (styled(SO_SO, "!"), said)
    } else {
        let said = "the proxies in front of it have the certificate";
        (styled(GOOD, "✓"), said)
    };
    // Writing to a string can't fail.
    let _ = writeln!(text, "  {sign} {said}");
    text
}

fn shown(report: &CertificateReport, now: Timestamp) -> String {
    let source = match &report.source {
        CertificateSource::Files { certificate } => {
            format!("your own files, {}", certificate.display())
        }
        CertificateSource::Acme { directory, .. } => format!("ordered from {directory}"),
    };
    let listener = styled(BOLD, report.listener);
    let mut text = format!("{listener}  {}\n", line(&source));
    match &report.facts {
        Ok(facts) => {
            let (style, sign) = match report.standing(now) {
                Standing::Good => (GOOD, "✓"),
                Standing::Soon => (SO_SO, "!"),
                Standing::Urgent | Standing::Void => (BAD, "✗"),
            };
            push(
                &mut text,
                &styled(style, sign),
                "until",
                &until(facts.not_after, now),
            );
            push(&mut text, " ", "names", &line(&facts.names.join(", ")));
            push(&mut text, " ", "issuer", &line(&facts.issuer));
        }
        Err(missing) => {
            push(&mut text, &styled(BAD, "✗"), "missing", &line(&missing.why));
            push(&mut text, " ", "", &line(&missing.cure));
        }
    }
    if is_staging(&report.source) {
        let said = "nobody trusts it: it is for trying; then write directory = \"letsencrypt\"";
        push(&mut text, &styled(BAD, "✗"), "staging", said);
    }
    if let Some(at) = report.next_renewal {
        let when = if at <= now {
            "due now".to_owned()
        } else {
            format!("in {} ({})", screen::span(at.since(now)), minute(at))
        };
        push(&mut text, " ", "renewal", &when);
    }
    if let Some(failure) = &report.last_failure {
        let where_ = if failure.rehearsal {
            ", at the rehearsal"
        } else {
            ""
        };
        let ago = screen::ago(failure.at, now);
        let said = format!("{ago}{where_}: {}", line(&failure.why));
        push(&mut text, &styled(SO_SO, "!"), "failed", &said);
        push(&mut text, " ", "", &line(&failure.cure));
    }
    text
}

fn push(text: &mut String, sign: &str, subject: &str, said: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "  {sign} {DIM}{subject:<7}{DIM:#}  {said}");
}

/// What comes from elsewhere, in one line.
fn line(text: &str) -> String {
    screen::printable(text).replace('\n', " ")
}

fn is_staging(source: &CertificateSource) -> bool {
    match source {
        CertificateSource::Files { .. } => false,
        CertificateSource::Acme { staging, .. } => *staging,
    }
}

fn days(now: Timestamp, end: Timestamp) -> u64 {
    end.since(now).as_secs() / 86_400
}

fn until(end: Timestamp, now: Timestamp) -> String {
    if end <= now {
        return format!("{}: it has ended", minute(end));
    }
    format!("{}, {} left", minute(end), screen::span(end.since(now)))
}

/// A moment in UTC, to the minute, with its year.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let shown = text.get(..16).map(|text| text.replace('T', " "));
    shown.map_or(text, |shown| format!("{shown} UTC"))
}

#[cfg(test)]
mod tests {
    use crate::server::acme::RenewalFailure;

    use super::*;

    #[test]
    fn what_failed_and_what_is_missing_have_their_cures() {
        let now = Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap();
        let report = CertificateReport {
            listener: "webhook",
            source: CertificateSource::Acme {
                directory: "Let's Encrypt".to_owned(),
                staging: false,
                names: vec!["hook.example.com".to_owned()],
                rehearsed_at: None,
            },
            facts: Err(NoCertificate {
                why: "none has come yet for hook.example.com".to_owned(),
                cure: "ponte run".to_owned(),
            }),
            next_renewal: None,
            last_failure: Some(RenewalFailure {
                at: now.before(std::time::Duration::from_secs(300)),
                why: "no A record\u{1b}[2J".to_owned(),
                cure: "make one".to_owned(),
                rehearsal: true,
            }),
        };
        let plain = anstream::adapter::strip_str(&shown(&report, now)).to_string();
        assert_eq!(
            plain,
            "webhook  ordered from Let's Encrypt\n  \
             ✗ missing  none has come yet for hook.example.com\n             ponte run\n  \
             ! failed   5 min ago, at the rehearsal: no A record\u{fffd}[2J\n             make one\n"
        );
    }
}
