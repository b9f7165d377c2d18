//! What is said about the test of the webhook and about a stop that was tried.

use std::net::IpAddr;
use std::time::Duration;

use ponte_core::policy::Mode;

use super::public_side::in_time;
use super::span;
use crate::admin::wire::{Arrival, Finding, SelfTestCourse, Stage, TriedStop};
use crate::config::{ClientCertificatePolicy, Config, NamedSet};
use crate::doctor::public_side::Met;

/// A test that was posted.
pub(crate) struct Posted {
    /// Where to: `https://hook.example.com`.
    pub(crate) to: String,
    /// Whether that is the public address.
    pub(crate) is_public: bool,
    /// What was met there.
    pub(crate) met: Met,
    /// How far this Ponte says that it has come.
    pub(crate) course: Option<SelfTestCourse>,
    /// The paper account; none where it trades nothing.
    pub(crate) account: Option<String>,
}

/// Everything that is said about a test.
pub(crate) fn all(posted: &Posted) -> Vec<Finding> {
    const SUBJECT: &str = "arrives";
    let arrived = posted
        .course
        .as_ref()
        .and_then(|course| Some((course, course.arrival.as_ref()?)));
    let Some((course, arrival)) = arrived else {
        return vec![lost(posted)];
    };
    let took = match &posted.met.answer {
        Some(Ok(answer)) => answer.took,
        Some(Err(why)) => {
            let text = format!("the test reached ponte, and its answer was lost on the way: {why}");
            return vec![
                Finding::wrong(SUBJECT, text).cured_by("look at the proxy in front of ponte"),
            ];
        }
        None => Duration::ZERO,
    };
    let to = &posted.to;
    let mut all = vec![if posted.is_public {
        Finding::fine(
            SUBJECT,
            format!(
                "this ponte took a test from {to}, answered in {}",
                span(took)
            ),
        )
    } else {
        let text = format!(
            "this ponte took a test at {to} in {}, which says nothing of the way from TradingView",
            span(took)
        );
        Finding::fine(SUBJECT, text)
    }];
    all.extend(in_time(took));
    if posted.is_public {
        all.push(sender(arrival));
    }
    all.extend(stages(posted, course));
    all
}

/// Where no test is posted: this machine would be turned away like every stranger.
pub(crate) fn behind_a_proxy(config: &Config) -> Finding {
    let webhook = &config.webhook;
    let text = format!(
        "no test was posted: proxy_protocol is on, so that only the proxy's connections are taken at {}",
        webhook.listen
    );
    let cure = match &webhook.public_url {
        None => "write webhook.public_url: the test goes through the proxy then",
        Some(_) => "see what is said of the public side: the test goes that way",
    };
    Finding::look("arrives", text).cured_by(cure)
}

/// What a test does not try: it is signed by Ponte itself, and needs no certificate.
pub(crate) fn without_certificate(config: &Config) -> Option<Finding> {
    let policy = config.webhook.client_certificate.policy;
    let text = format!(
        "a test needs no client certificate, and alerts do: webhook.client_certificate.policy is \"{}\"",
        policy.name()
    );
    (policy != ClientCertificatePolicy::Observe).then(|| Finding::fine("certificate", text))
}

/// A test that this Ponte has not seen.
fn lost(posted: &Posted) -> Finding {
    const SUBJECT: &str = "arrives";
    let to = &posted.to;
    let answer = match (&posted.met.connected, &posted.met.answer) {
        (_, Some(Ok(answer))) => answer,
        (Err(why), _) | (_, Some(Err(why))) => {
            let text = format!("the test could not be posted to {to}: {why}");
            return Finding::wrong(SUBJECT, text).cured_by("see what is said of the public side");
        }
        (Ok(_), None) => {
            let text = format!("the test could not be posted to {to}: no TLS handshake");
            return Finding::wrong(SUBJECT, text).cured_by("see what is said of the public side");
        }
    };
    let text = format!(
        "what answers at {to} is not this ponte: it said {} to a test",
        answer.status
    );
    let cure = match answer.status {
        300..=399 => "write the address at the end of the redirection into public_url",
        502..=504 => "let the proxy lead to webhook.listen",
        403 | 429 => {
            "another ponte may run there, or what is in front takes the header x-ponte-selftest away"
        }
        _ => "look where public_url leads: to another program, machine or folder",
    };
    Finding::wrong(SUBJECT, text).cured_by(cure)
}

/// From where it seemed to come, and what that says of the proxies.
fn sender(arrival: &Arrival) -> Finding {
    const SUBJECT: &str = "sender";
    let Arrival {
        peer,
        address,
        allowed,
        by_proxy,
        forwarded,
    } = arrival;
    let headers = forwarded.join(", ");
    let Some(address) = address else {
        let text = format!(
            "the proxy {peer} does not say for whom it speaks in the header that client_address names{}",
            if headers.is_empty() {
                String::new()
            } else {
                format!(" (it sends {headers})")
            }
        );
        return Finding::wrong(SUBJECT, text)
            .cured_by("let it set that header, or name another one in webhook.client_address");
    };
    if !*by_proxy && !forwarded.is_empty() {
        let text = format!(
            "{peer} sends {headers} and is no trusted proxy: all alerts seem to come from it"
        );
        return Finding::wrong(SUBJECT, text).cured_by(format!(
            "add {peer} to webhook.trusted_proxies, if it is your proxy"
        ));
    }
    let sets = [NamedSet::Loopback, NamedSet::Private];
    let ranges: Vec<_> = sets.into_iter().flat_map(NamedSet::ranges).collect();
    let is_internal = address
        .parse::<IpAddr>()
        .is_ok_and(|address| ranges.iter().any(|range| range.contains(address)));
    let through = if *by_proxy {
        format!(" through the proxy {peer}")
    } else {
        String::new()
    };
    if is_internal {
        let text =
            format!("ponte saw it come from {address}{through}, an address of an internal network");
        return Finding::look(SUBJECT, text).cured_by(
            "fine where this machine calls itself; if a proxy stands there that hides the sender, let it \
             tell, and trust it",
        );
    }
    // The owner's machine need not be let in; TradingView must be, which is said of the senders.
    let whether = if *allowed {
        "which allow_from lets in"
    } else {
        "which allow_from rightly keeps out"
    };
    Finding::fine(
        SUBJECT,
        format!("ponte saw it come from {address}{through}, {whether}"),
    )
}

fn after(stage: &Stage) -> String {
    span(Duration::from_micros(stage.after_microseconds))
}

fn stages(posted: &Posted, course: &SelfTestCourse) -> Vec<Finding> {
    let find = |name: &str| course.stages.iter().find(|stage| stage.stage == name);
    let mut all = Vec::new();
    if let Some(stage) = find("durable") {
        let alert = course.alert.as_deref().unwrap_or("it");
        let text = format!("{alert} was on disk after {}", after(stage));
        all.push(Finding::fine("durable", text));
    }
    let Some(account) = &posted.account else {
        let text = "no account is simulated here, so that nothing was traded";
        all.push(Finding::fine("trades", text));
        return all;
    };
    if let (Some(problem), _) | (None, Some(problem)) = (&course.problem, &not_accepted(course)) {
        let text = format!("the test did not trade through in {account}: {problem}");
        let cure = course
            .alert
            .as_deref()
            .map_or("ponte alerts".to_owned(), |alert| {
                format!("ponte why {alert}")
            });
        all.push(Finding::look("trades", text).cured_by(cure));
        return all;
    }
    if !course.ended {
        let text = format!("the test had not traded through in {account} when the doctor left");
        all.push(Finding::look("trades", text).cured_by("ponte orders --open"));
        return all;
    }
    let told = [
        ("traded", "bought"),
        ("protected", "its stop rested"),
        ("closed", "closed again"),
    ];
    let told = told
        .iter()
        .filter_map(|(name, words)| Some(format!("{words} after {}", after(find(name)?))));
    let told: Vec<String> = told.collect();
    all.push(Finding::fine(
        "trades",
        format!("in {account}: {}", told.join(", ")),
    ));
    all
}

fn not_accepted(course: &SelfTestCourse) -> Option<String> {
    let decision = course
        .decision
        .as_deref()
        .filter(|decision| *decision != "accepted")?;
    let reason = course.reason.as_deref().unwrap_or("no reason was given");
    Some(format!("{decision}, {reason}"))
}

/// What is said about a stop that was tried.
pub(crate) fn tried_stop(tried: &TriedStop) -> Finding {
    const SUBJECT: &str = "try_stop";
    let TriedStop {
        symbol,
        quantity,
        trigger,
        price,
        ..
    } = tried;
    let mode = match tried.mode {
        Mode::Paper => "paper",
        Mode::Demo => "demo",
        Mode::Live => "LIVE",
    };
    let what = format!(
        "a stop to buy {quantity} {symbol} at {trigger} (the price is {price}) in {} ({mode})",
        tried.account
    );
    if let Some(problem) = &tried.problem {
        return Finding::wrong(SUBJECT, format!("{what}: {problem}"))
            .cured_by("look at the broker whether it is still there, and take it back");
    }
    let words = [
        ("resting", "rested at the broker"),
        ("taken_back", "was taken back"),
    ];
    let told = words.iter().filter_map(|(name, words)| {
        let stage = tried.stages.iter().find(|stage| stage.stage == *name)?;
        Some(format!("{words} after {}", after(stage)))
    });
    Finding::fine(
        SUBJECT,
        format!("{what} {}", told.collect::<Vec<_>>().join(" and ")),
    )
}
