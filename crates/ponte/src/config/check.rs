//! What the parts of a configuration must agree on among themselves.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::SocketAddr;

use ponte_core::id::{AccountName, StrategyName};
use ponte_core::policy::{LEGS_MAX, StrategyFilter};

use super::bridge::BRIDGE_LISTEN_DEFAULT;
use super::finding::{Notes, Problem};
use super::https;
use super::network::ClientAddress;
use super::proxy::Proxy;
use super::remote::REMOTE_LISTEN_DEFAULT;
use super::secrets;
use super::sections::{Mentions, Mt5Mention};
use super::table::Spot;
use super::value::listed;
use ponte_core::nearest::nearest;

/// Notes contradictions inside the file.
pub(super) fn agreement(notes: &mut Notes<'_>, mentions: &Mentions) {
    listening(notes, mentions);
    terminals(notes, mentions);
    proxies(notes, mentions);
    super::client_certificate::look_at_way(notes, mentions);
    unique(notes, "sources.name", &mentions.sources);
    unique(notes, "accounts.name", &mentions.accounts);
    secrets::same_references(notes, mentions);
    super::scope::agreement(notes, mentions);
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
    ports(notes, mentions);
    https::look_at_plain(notes, mentions);
    https::look_at_handshakes(notes, mentions);
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

/// Notes listeners that would take each other's port.
fn ports(notes: &mut Notes<'_>, mentions: &Mentions) {
    let port = |spot: Option<&Spot<SocketAddr>>, default| {
        spot.map_or(default, |spot: &Spot<SocketAddr>| spot.value.port())
    };
    let written = |spot: Option<&Spot<SocketAddr>>| spot.map(|spot| spot.at.clone());
    let (webhook, admin) = (&mentions.webhook_listen, &mentions.admin_listen);
    let mut listeners = vec![
        (
            "webhook.listen",
            "the webhook's",
            port(webhook.as_ref(), 8080),
            written(webhook.as_ref()),
        ),
        (
            "admin.listen",
            "the admin side's",
            port(admin.as_ref(), 8081),
            written(admin.as_ref()),
        ),
    ];
    if let Some(bridge) = &mentions.bridge {
        let listen = bridge.listen.as_ref();
        let at = written(listen).unwrap_or(bridge.at.clone());
        let default = BRIDGE_LISTEN_DEFAULT.port();
        listeners.push((
            "bridge.listen",
            "the bridges'",
            port(listen, default),
            Some(at),
        ));
    }
    if let Some(http) = &mentions.https.http_listen {
        let (port, at) = (http.value.port(), http.at.clone());
        listeners.push((
            "webhook.acme.http_listen",
            "the authority's questions'",
            port,
            Some(at),
        ));
    }
    if let Some(remote) = &mentions.remote {
        let listen = remote.listen.as_ref();
        let at = written(listen).unwrap_or(remote.at.clone());
        let default = REMOTE_LISTEN_DEFAULT.port();
        listeners.push((
            "admin.remote.listen",
            "the owner's from elsewhere",
            port(listen, default),
            Some(at),
        ));
    }
    for (index, (key, whose, port, at)) in listeners.iter().enumerate() {
        // Port 0 asks the system for any free one.
        let mut earlier = listeners[..index]
            .iter()
            .filter(|other| other.2 == *port && *port != 0);
        let Some((other_key, other_whose, _, other_at)) = earlier.next() else {
            continue;
        };
        let blamed = at.as_ref().map(|at| (key, at));
        if let Some((key, at)) = blamed.or(other_at.as_ref().map(|at| (other_key, at))) {
            let problem = format!("port {port} is both {other_whose} and {whose}");
            let problem = Problem::new(problem).cured_by("give each its own port");
            notes.error(key, at, problem);
        }
    }
}

/// Notes terminals that nobody can reach, and those that are one.
fn terminals(notes: &mut Notes<'_>, mentions: &Mentions) {
    match (&mentions.bridge, mentions.mt5.first()) {
        (None, Some(first)) => {
            let problem = Problem::new("missing, and the bridges of terminals call its address");
            let problem = problem.cured_by(
                "add a section [bridge] with listen, certificate and key: ponte bridge \
                 certificate --host NAME writes the pair",
            );
            notes.error("bridge", &first.at, problem);
        }
        (Some(bridge), None) if !notes.has_errors() => {
            let problem = Problem::new("has no effect, no account's broker is \"mt5\"");
            notes.warning("bridge", &bridge.at, problem.cured_by("take it out"));
        }
        (Some(_), _) | (None, None) => {}
    }
    for (index, mention) in mentions.mt5.iter().enumerate() {
        let (Some(login), Some(server)) = (&mention.login, &mention.server) else {
            continue;
        };
        let is_same = |other: &&Mt5Mention| {
            other.login.as_ref().map(|login| login.value) == Some(login.value)
                && other.server.as_ref() == Some(server)
        };
        if let Some(other) = mentions.mt5[..index].iter().find(is_same) {
            let problem = Problem::new(format!(
                "login {} at {server} is account \"{}\" already",
                login.value, other.account
            ));
            let problem = problem.cured_by(
                "write one account and lead both routes to it: Ponte would count what is one \
                 position in the terminal twice",
            );
            notes.error("accounts.mt5.login", &login.at, problem);
        }
    }
}

fn proxies(notes: &mut Notes<'_>, mentions: &Mentions) {
    let preset = mentions.proxy.as_ref();
    let preset = preset.filter(|spot| spot.value != Proxy::None);
    let is_trusting = match &mentions.trusted_proxies {
        Some(list) => list.value > 0,
        None => preset.is_some(),
    };
    let with_header = mentions.proxy_protocol.as_ref();
    let with_header = with_header.filter(|spot| spot.value);
    if let Some(on) = with_header.filter(|_| !is_trusting) {
        let problem = Problem::new("no proxy is trusted, so that every connection would be closed");
        let problem = problem.cured_by("list the proxies in trusted_proxies");
        notes.error("webhook.proxy_protocol", &on.at, problem);
    }
    let deaf = mentions.webhook_listen.as_ref();
    let deaf = deaf.is_none_or(|spot| spot.value.ip().to_canonical().is_loopback());
    if let Some(preset) = preset.filter(|spot| deaf && spot.value.calls_from_elsewhere()) {
        let problem = Problem::new("this proxy calls from another machine, and listen is loopback");
        let problem = problem.cured_by("write listen = \"0.0.0.0:8080\"");
        notes.warning("webhook.proxy", &preset.at, problem);
    }
    if with_header.is_none() {
        idle_proxy_keys(notes, mentions, is_trusting);
    }
}

/// Notes what is written about proxies and changes nothing.
fn idle_proxy_keys(notes: &mut Notes<'_>, mentions: &Mentions, is_trusting: bool) {
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
            | ClientAddress::XForwardedForNth(_)
            | ClientAddress::XRealIp
            | ClientAddress::CfConnectingIp
            | ClientAddress::FlyClientIp,
            None,
        ) if !is_trusting => {
            let problem = Problem::new("has no effect, no proxy is trusted");
            let problem = problem.cured_by("list the proxies in trusted_proxies");
            notes.warning("webhook.client_address", &header.at, problem);
        }
        (_, Some(_) | None) => {}
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
