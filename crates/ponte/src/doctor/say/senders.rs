//! What is said about those who send.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ponte_core::id::SourceName;
use ponte_core::source::SourceOff;

use super::{count, some, span};
use crate::admin::wire::Finding;
use crate::config::{AllowFrom, ClientCertificatePolicy, Config, TRADINGVIEW_EMAIL};
use crate::doctor::senders::{Seen, Senders};
use crate::journal::{Refused, SeenAddress, SeenKey};

/// A source that was silent for so long may have lost its alerts: TradingView lets them expire.
const SILENT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Everything that is said about those who send. `off` are the sources that a Ponte that runs has
/// switched off.
pub(crate) fn all(
    config: &Config,
    seen: &Senders,
    off: Option<&BTreeMap<SourceName, SourceOff>>,
) -> Vec<Finding> {
    let known = match &seen.seen {
        None => {
            return vec![Finding::fine(
                "alerts",
                "none has come yet: there is no journal",
            )];
        }
        Some(Err(error)) => return vec![Finding::wrong("alerts", error.to_string())],
        Some(Ok(known)) => known,
    };
    let mut all = vec![tradingview(config, known)];
    all.extend(addresses(config, known, seen));
    all.extend(keys(known, seen));
    all.extend(wanted_keys(config, known));
    all.extend(sources(config, known, seen));
    all.extend(off.unwrap_or(&known.sources_off).iter().map(switched_off));
    all.push(refusals(&known.refused));
    all
}

fn address(sender: &SeenAddress) -> Option<IpAddr> {
    sender.address.parse().ok()
}

fn tradingview(config: &Config, known: &Seen) -> Finding {
    const SUBJECT: &str = "tradingview";
    let webhook = &config.webhook;
    let theirs = |address: IpAddr| {
        webhook
            .tradingview
            .iter()
            .any(|range| range.contains(address))
    };
    let from_there = known
        .senders
        .addresses
        .iter()
        .filter(|sender| address(sender).is_some_and(theirs));
    let alerts: u64 = from_there.map(|sender| sender.alerts).sum();
    if alerts > 0 {
        let text = format!(
            "{} came from TradingView's addresses",
            count(alerts, "alert", "alerts")
        );
        return Finding::fine(SUBJECT, text);
    }
    let allows =
        |address: &std::net::Ipv4Addr| config.webhook.allow_from.allows(IpAddr::V4(*address));
    if !crate::config::TRADINGVIEW_ADDRESSES.iter().all(allows) {
        let text = "webhook.allow_from lets none of its alerts in";
        return Finding::look(SUBJECT, text).cured_by("write allow_from = [\"tradingview\"]");
    }
    Finding::look(
        SUBJECT,
        "no alert has come from TradingView's addresses yet",
    )
    .cured_by("fire one: an alert that triggers once, on a symbol that trades now")
}

/// The addresses beside TradingView's.
fn addresses(config: &Config, known: &Seen, seen: &Senders) -> Vec<Finding> {
    const SUBJECT: &str = "addresses";
    let allow_from = &config.webhook.allow_from;
    let is_allowed = |sender: &SeenAddress| match address(sender) {
        Some(address) => allow_from.allows(address),
        None => *allow_from == AllowFrom::Any,
    };
    let shown = |sender: &SeenAddress| {
        let ago = span(seen.at.since(sender.last_at));
        format!(
            "{} ({}, {ago} ago)",
            sender.address,
            count(sender.alerts, "alert", "alerts")
        )
    };
    let (now_in, now_out): (Vec<_>, Vec<_>) = known
        .senders
        .addresses
        .iter()
        .partition(|sender| is_allowed(sender));
    let mut said = Vec::new();
    if !now_in.is_empty() {
        let names: Vec<String> = now_in.into_iter().map(shown).collect();
        said.push(Finding::fine(
            SUBJECT,
            format!("alerts came from {}", some(&names)),
        ));
    }
    if !now_out.is_empty() {
        let names: Vec<String> = now_out.into_iter().map(shown).collect();
        let text = format!("allowed once and not any more: {}", some(&names));
        said.push(
            Finding::look(SUBJECT, text).cured_by("add what is missing to webhook.allow_from"),
        );
    }
    said
}

/// The client certificates' keys that came with right secrets.
fn keys(known: &Seen, seen: &Senders) -> Option<Finding> {
    let shown = known.senders.keys.iter().map(|key| {
        let short = key.key.get(..12).unwrap_or(&key.key);
        let proof = if key.proven { "" } else { ", not proven" };
        let whose = key.email.as_deref().unwrap_or(&key.subject);
        let ago = span(seen.at.since(key.last_at));
        format!(
            "{short}… ({whose}{proof}, {}, {ago} ago)",
            count(key.alerts, "alert", "alerts")
        )
    });
    let shown: Vec<String> = shown.collect();
    let text = || format!("client certificates came with keys {}", some(&shown));
    (!shown.is_empty()).then(|| Finding::fine("keys", text()))
}

/// Whether an alert has ever come with a certificate such as is asked for.
fn wanted_keys(config: &Config, known: &Seen) -> Option<Finding> {
    let rules = &config.webhook.client_certificate;
    let is_wanted = |key: &SeenKey| match rules.policy {
        ClientCertificatePolicy::Observe => true,
        ClientCertificatePolicy::Require => {
            let email = key.email.as_deref();
            email.is_some_and(|email| email.eq_ignore_ascii_case(TRADINGVIEW_EMAIL))
        }
        ClientCertificatePolicy::Pin => rules.keys.contains(&key.key),
    };
    let mut came = known.senders.keys.iter();
    if rules.policy == ClientCertificatePolicy::Observe
        || came.any(|key| key.proven && key.alerts > 0 && is_wanted(key))
    {
        return None;
    }
    let text = format!(
        "webhook.client_certificate.policy is \"{}\", and no alert has come with such a certificate yet: \
         others are refused",
        rules.policy.name()
    );
    let cure =
        "write \"observe\" until ponte source seen shows that TradingView's alerts bring one";
    Some(Finding::look("keys", text).cured_by(cure))
}

fn sources(config: &Config, known: &Seen, seen: &Senders) -> Vec<Finding> {
    let one = |source: &crate::config::Source| {
        let subject = format!("source {}", source.name);
        let last = known
            .sources
            .iter()
            .find(|last| last.source == source.name.as_str());
        match last {
            None => Finding::look(&subject, "no alert has come from it yet").cured_by(
                "ponte send fires one from this machine, TradingView's alert the real one",
            ),
            Some(last) => {
                let silent = seen.at.since(last.last_at);
                let text = format!(
                    "{}, the last one {} ago",
                    count(last.alerts, "alert", "alerts"),
                    span(silent)
                );
                if silent >= SILENT {
                    Finding::look(&subject, text).cured_by(
                        "look in TradingView whether the alert is still active: it expires, and is \
                         stopped after 15 triggers in 3 minutes",
                    )
                } else {
                    Finding::fine(&subject, text)
                }
            }
        }
    };
    config.sources.iter().map(one).collect()
}

fn switched_off((source, off): (&SourceName, &SourceOff)) -> Finding {
    let subject = format!("source {source}");
    let reason = off.reason.as_ref();
    let why = reason
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let text = format!(
        "it was switched off by {}{why}, and its alerts are refused",
        off.by
    );
    Finding::wrong(&subject, text)
        .cured_by(format!("ponte source on {source}, once the reason is gone"))
}

fn refusals(refused: &[Refused]) -> Finding {
    const SUBJECT: &str = "refused";
    let Some(commonest) = refused.first() else {
        return Finding::fine(SUBJECT, "nothing was refused in the last day");
    };
    let kinds: Vec<String> = refused
        .iter()
        .map(|kind| format!("{} {}", kind.count, kind.code))
        .collect();
    let text = format!(
        "in the last day: {}, the last one from {}",
        some(&kinds),
        commonest.last_peer
    );
    Finding::look(SUBJECT, text).cured_by(cure(&commonest.code))
}

/// What helps against the commonest kind.
fn cure(code: &str) -> String {
    match code {
        "address" => "if it was an alert of yours, its address is missing in webhook.allow_from, or its \
                      proxy in trusted_proxies; strangers need no cure",
        "wrong_secret" | "no_secret" => {
            "if it was an alert of yours, put the source's secret into its message; strangers need no cure"
        }
        "not_found" => "if it was an alert of yours, its webhook URL must end in /webhook",
        "E_PLACEHOLDER" => "alert() replaces no {{placeholder}}: build the text in Pine",
        "E_EMPTY" => "give every order call its alert_message, strategy.close too",
        "slow_body" | "incomplete_body" => "look at the proxy in front of ponte",
        _ => return format!("ponte export --kind request_refused shows each of them ({code})"),
    }
    .to_owned()
}
