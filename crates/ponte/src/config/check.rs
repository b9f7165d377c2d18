//! What the parts of a configuration must agree on among themselves.

use std::collections::BTreeSet;
use std::fmt::Display;

use ponte_core::id::{AccountName, StrategyName};
use ponte_core::policy::{LEGS_MAX, StrategyFilter};

use super::finding::{Notes, Problem};
use super::network::ClientAddress;
use super::secrets;
use super::sections::Mentions;
use super::table::Spot;
use super::value::listed;
use ponte_core::nearest::nearest;

/// Notes contradictions inside the file.
pub(super) fn agreement(notes: &mut Notes<'_>, mentions: &Mentions) {
    listening(notes, mentions);
    proxies(notes, mentions);
    unique(notes, "sources.name", &mentions.sources);
    unique(notes, "accounts.name", &mentions.accounts);
    secrets::same_references(notes, mentions);
    if mentions.accounts.len() > LEGS_MAX {
        let at = &mentions.accounts[LEGS_MAX].at;
        let count = mentions.accounts.len();
        let problem = format!("there are {count} accounts, the maximum is {LEGS_MAX}");
        notes.error("accounts", at, Problem::new(problem));
    }
    known_accounts(notes, mentions);
    overlaps(notes, mentions);
}

fn listening(notes: &mut Notes<'_>, mentions: &Mentions) {
    let webhook = mentions.webhook_listen.as_ref();
    let admin = mentions.admin_listen.as_ref();
    let webhook_port = webhook.map_or(8080, |spot| spot.value.port());
    let admin_port = admin.map_or(8081, |spot| spot.value.port());
    // Port 0 asks the system for any free one.
    if webhook_port == admin_port && webhook_port != 0 {
        let blamed = admin.map(|spot| ("admin.listen", spot));
        let blamed = blamed.or(webhook.map(|spot| ("webhook.listen", spot)));
        if let Some((key, spot)) = blamed {
            let problem = format!("port {webhook_port} is both the webhook's and the admin side's");
            let problem = Problem::new(problem).cured_by("give each its own port");
            notes.error(key, &spot.at, problem);
        }
    }
    let public = webhook.filter(|spot| !spot.value.ip().to_canonical().is_loopback());
    if let (Some(at), Some(public)) = (&mentions.allow_any, public) {
        let problem = Problem::new(format!(
            "anybody who reaches {} may try secrets",
            public.value
        ));
        let problem = problem.cured_by("write [\"tradingview\"], and \"any\" only for trying");
        notes.warning("webhook.allow_from", at, problem);
    }
}

fn proxies(notes: &mut Notes<'_>, mentions: &Mentions) {
    let proxies = mentions.trusted_proxies.as_ref();
    let proxies = proxies.filter(|spot| spot.value > 0);
    let Some(header) = &mentions.client_address else {
        return;
    };
    match (header.value, proxies) {
        (ClientAddress::Peer, Some(proxies)) => {
            let problem = Problem::new("has no effect, client_address is \"peer\"");
            let problem = problem.cured_by("name the header that the proxies set");
            notes.warning("webhook.trusted_proxies", &proxies.at, problem);
        }
        (
            ClientAddress::XForwardedFor
            | ClientAddress::XRealIp
            | ClientAddress::CfConnectingIp
            | ClientAddress::FlyClientIp,
            None,
        ) => {
            let problem = Problem::new("has no effect, no proxy is trusted");
            let problem = problem.cured_by("list the proxies in trusted_proxies");
            notes.warning("webhook.client_address", &header.at, problem);
        }
        (_, Some(_)) | (ClientAddress::Peer, None) => {}
    }
}

fn unique<N: Ord + Display>(notes: &mut Notes<'_>, key: &str, names: &[Spot<N>]) {
    let mut seen = BTreeSet::new();
    for Spot { value: name, at } in names {
        if !seen.insert(name) {
            let problem = Problem::new(format!("\"{name}\" is there twice"));
            notes.error(key, at, problem.cured_by("give each its own name"));
        }
    }
}

fn known_accounts(notes: &mut Notes<'_>, mentions: &Mentions) {
    let names = || mentions.accounts.iter().map(|spot| spot.value.as_str());
    if !mentions.accounts_known || mentions.accounts.is_empty() {
        return;
    }
    for account in mentions.routes.iter().flat_map(|route| &route.accounts) {
        if names().any(|name| name == account.value.as_str()) {
            continue;
        }
        let problem = Problem::new(format!("there is no account \"{}\"", account.value));
        let problem = match nearest(account.value.as_str(), names()) {
            Some(name) => problem.cured_by(format!("did you mean \"{name}\"?")),
            None => problem.cured_by(format!("known: {}", listed(names()))),
        };
        notes.error("routes.accounts", &account.at, problem);
    }
}

/// Notes the places in routes that can never take effect, because an earlier route takes the same
/// strategy to the same account.
fn overlaps(notes: &mut Notes<'_>, mentions: &Mentions) {
    let mut taken: Vec<(&AccountName, &StrategyFilter)> = Vec::new();
    for route in &mentions.routes {
        let mut here = BTreeSet::new();
        for account in &route.accounts {
            if !here.insert(&account.value) {
                let problem = format!("account \"{}\" is named twice", account.value);
                notes.warning("routes.accounts", &account.at, Problem::new(problem));
                continue;
            }
            let earlier = taken.iter().filter(|(name, _)| *name == &account.value);
            let shadowed: Vec<_> = earlier
                .filter_map(|(_, filter)| common(filter, &route.strategies))
                .collect();
            if let Some(strategies) = shadowed.first() {
                let problem = format!(
                    "an earlier route takes {strategies} to \"{}\" already, the first one wins",
                    account.value
                );
                let problem = Problem::new(problem).cured_by("put the more special route first");
                notes.warning("routes.accounts", &account.at, problem);
            }
        }
        let accounts = route.accounts.iter();
        taken.extend(accounts.map(|account| (&account.value, &route.strategies)));
    }
}

/// What the later filter names that the earlier one has taken. A named strategy before a later
/// `*` is the usual way to make an exception, and nothing to warn of.
fn common(earlier: &StrategyFilter, later: &StrategyFilter) -> Option<String> {
    match (earlier, later) {
        (StrategyFilter::Any, StrategyFilter::Any) => Some("every strategy".to_owned()),
        (StrategyFilter::Any, StrategyFilter::Named(names)) => Some(names_listed(names.iter())),
        (StrategyFilter::Named(_), StrategyFilter::Any) => None,
        (StrategyFilter::Named(earlier), StrategyFilter::Named(later)) => {
            let mut both = earlier.intersection(later).peekable();
            both.peek()?;
            Some(names_listed(both))
        }
    }
}

fn names_listed<'n>(names: impl Iterator<Item = &'n StrategyName>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}
