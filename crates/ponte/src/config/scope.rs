//! Reads what a source may do, until when, and its secrets beside the current one.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName, StrategyName};
use ponte_core::number::Quantity;
use ponte_core::policy::{SourceScope, StrategyFilter, Verbs};
use ponte_core::time::Timestamp;

use super::accounts::symbol;
use super::finding::{Notes, Problem, Severity};
use super::keys::SCOPE;
use super::model::{Config, Source};
use super::secrets::secret_reference;
use super::sections::{EndMention, Mentions, ScopeMention, SpareMention};
use super::table::{Spot, Table};
use super::value::{self, DecimalRange, Value, unexpected};
use crate::secret::{Entry, Role, Secret, SecretRef, SourceKeys, SourceSecrets};

/// How long before the end of a source its owner is warned.
pub const EXPIRY_WARNING: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The key of a source's own end.
const EXPIRES: &str = "sources.expires";

/// What a source has beside its secret.
#[derive(Default)]
pub(super) struct Spare {
    pub(super) previous_secret: Option<SecretRef>,
    pub(super) previous_until: Option<Timestamp>,
    pub(super) tripwire: Option<SecretRef>,
    pub(super) expires: Option<Timestamp>,
}

/// Reads a source's secrets beside the current one, and the ends of all.
pub(super) fn spare(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
    name: Option<&Spot<SourceName>>,
) -> Spare {
    let reference = |notes: &mut Notes<'_>, key| {
        let is_there = table.has(key);
        is_there
            .then(|| secret_reference(notes, table, key, base))
            .flatten()
    };
    let previous = reference(notes, "previous_secret");
    let tripwire = reference(notes, "tripwire");
    let until = table.read(notes, "previous_until", moment);
    let expires = table.read(notes, "expires", moment);
    match (table.has("previous_secret"), &until) {
        (true, None) if !table.has("previous_until") => {
            let problem = Problem::new("the previous secret holds for ever")
                .cured_by("add previous_until = \"2027-01-31T12:00:00Z\", or take it out");
            if let Some(value) = table.value("previous_secret") {
                let path = table.section.path_of("previous_secret");
                notes.about_secret(Severity::Warning, &path, &value.span(), problem);
            }
        }
        (false, Some(until)) => {
            let problem = Problem::new("has no effect without previous_secret");
            let problem = problem.cured_by("add previous_secret, or take it out");
            notes.warning(&table.section.path_of("previous_until"), &until.at, problem);
        }
        (true | false, Some(_) | None) => {}
    }
    for (key, at) in [("sources.previous_until", &until), (EXPIRES, &expires)] {
        let at = at.clone();
        mentions.ends.extend(at.map(|at| EndMention { key, at }));
    }
    let value = |spot: &Option<Spot<Timestamp>>| spot.as_ref().map(|spot| spot.value);
    let (until, expires) = (value(&until), value(&expires));
    for (role, until, reference) in [
        (Role::Previous, until, &previous),
        (Role::Tripwire, None, &tripwire),
    ] {
        if let (Some(name), Some(reference)) = (name, reference) {
            mentions.spare_secrets.push(SpareMention {
                source: name.value.clone(),
                role,
                reference: reference.clone(),
                until: until
                    .into_iter()
                    .chain(expires)
                    .min()
                    .filter(|_| role != Role::Tripwire),
            });
        }
    }
    Spare {
        previous_secret: previous.map(|spot| spot.value),
        previous_until: until,
        tripwire: tripwire.map(|spot| spot.value),
        expires,
    }
}

/// Reads what a source may do.
pub(super) fn scope(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    source: &Table<'_, '_>,
) -> SourceScope {
    let table = source.child(notes, "scope", &SCOPE);
    let strategies = names(notes, &table, "strategies", |value| {
        value::name(value, "the name of a strategy", StrategyName::new)
    });
    let symbols = names(notes, &table, "symbols", symbol);
    let accounts = names(notes, &table, "accounts", |value| {
        value::name(value, "the name of an account", AccountName::new)
    });
    let verbs = table.read(notes, "verbs", |value| {
        let choices = [Verbs::All, Verbs::Entries, Verbs::Exits];
        value::choice(value, &choices.map(|verbs| (verbs.as_str(), verbs)))
    });
    let mut amount = |key| value::decimal_at(notes, &table, key, DecimalRange::POSITIVE);
    let max_quantity = amount("max_quantity").and_then(|amount| Quantity::new(amount).ok());
    let max_notional = amount("max_notional");
    let strategies = strategies.map(|list| Spot {
        value: set(&list),
        at: list.at,
    });
    let scope = SourceScope {
        strategies: strategies.as_ref().map(|spot| spot.value.clone()),
        symbols: symbols.as_ref().map(set),
        verbs: verbs.map_or(Verbs::All, |spot| spot.value),
        accounts: accounts.as_ref().map(set),
        max_quantity,
        max_notional,
    };
    mentions.scopes.push(ScopeMention {
        strategies,
        accounts: accounts.map(|list| list.value).unwrap_or_default(),
    });
    scope
}

type Names<T> = Spot<Vec<Spot<T>>>;

fn set<T: Clone + Ord>(list: &Names<T>) -> BTreeSet<T> {
    list.value.iter().map(|spot| spot.value.clone()).collect()
}

/// A list that allows something: an empty one is a mistake.
fn names<T>(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    key: &str,
    read: impl Fn(&Value<'_>) -> Result<T, Problem>,
) -> Option<Names<T>> {
    let list = table.list(notes, key, |value| read(value))?;
    if table.is_empty_list(key) {
        let problem = Problem::new("allows nothing");
        let problem = problem.cured_by("name some, or leave the key out to allow all");
        notes.error(&table.section.path_of(key), &list.at, problem);
    }
    Some(list)
}

/// A date, which means its first moment in UTC, or RFC 3339.
fn moment(value: &Value<'_>) -> Result<Timestamp, Problem> {
    let text = value.as_str().unwrap_or_default();
    let is_date = text.len() == "2027-01-31".len();
    let whole = if is_date {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    Timestamp::parse_rfc3339(&whole).ok_or_else(|| {
        unexpected("a date or a moment in quotes", value)
            .cured_by("write \"2027-01-31\", or \"2027-01-31T12:00:00Z\"")
    })
}

/// Notes scopes that name what is not there, or what no route takes.
pub(super) fn agreement(notes: &mut Notes<'_>, mentions: &Mentions) {
    for scope in &mentions.scopes {
        for account in &scope.accounts {
            let known = mentions.accounts.iter().map(|known| known.value.as_str());
            let is_known = known.clone().any(|known| known == account.value.as_str());
            if !is_known && mentions.accounts_known {
                let problem = Problem::new(format!("there is no account \"{}\"", account.value));
                let problem = match ponte_core::nearest::nearest(account.value.as_str(), known) {
                    Some(near) => problem.cured_by(format!("did you mean \"{near}\"?")),
                    None => problem,
                };
                notes.error("sources.scope.accounts", &account.at, problem);
            }
        }
        for strategy in scope.strategies.iter().flat_map(|spot| &spot.value) {
            let takes = |filter: &StrategyFilter| filter.takes(strategy);
            let at = scope.strategies.as_ref().map(|spot| &spot.at);
            if let Some(at) = at
                && !mentions.routes.is_empty()
                && !mentions.routes.iter().any(|route| takes(&route.strategies))
            {
                let problem = format!("no route takes strategy \"{strategy}\"");
                let problem = Problem::new(problem).cured_by("add it to a route, or take it out");
                notes.warning("sources.scope.strategies", at, problem);
            }
        }
    }
}

/// Notes ends that have come or come soon.
pub(super) fn ends(notes: &mut Notes<'_>, mentions: &Mentions, now: Timestamp) {
    for end in &mentions.ends {
        let (at, is_source) = (end.at.value, end.key == EXPIRES);
        let problem = if at <= now && is_source {
            Problem::new(format!(
                "the source has expired at {at}, its alerts are refused"
            ))
            .cured_by("rotate the secret (ponte secret rotate), then write a later moment")
        } else if at <= now {
            Problem::new(format!("the previous secret has ended at {at}"))
                .cured_by("take previous_secret and previous_until out")
        } else if is_source && at.since(now) <= EXPIRY_WARNING {
            Problem::new(format!("the source expires in {}", days(at.since(now))))
                .cured_by("rotate the secret (ponte secret rotate), then write a later moment")
        } else {
            continue;
        };
        notes.warning(end.key, &end.at.at, problem);
    }
}

/// Takes the secrets in that rotations have left beside secrets in files. One that can't be used is no
/// reason not to start: alerts with the current secret are taken all the same.
pub(super) fn companions(
    notes: &mut Notes<'_>,
    mentions: &Mentions,
    config: &Config,
    current: &SourceSecrets,
    spare: &mut Vec<Entry>,
) {
    for keys in source_keys(config) {
        if keys.previous.is_some() {
            continue;
        }
        let problem = match keys.read_previous(Secret::resolve) {
            Ok(None) => continue,
            Ok(Some((secret, until))) => {
                let is_current = |(name, other): (&SourceName, &Secret)| {
                    *name == keys.source && other.is_same(&secret)
                };
                if current.iter().any(is_current) {
                    continue;
                }
                let elsewhere = current.iter().find(|(_, other)| other.is_same(&secret));
                let elsewhere = elsewhere.map(|(name, _)| name);
                let spared = spare.iter().find(|entry| entry.is_same_secret(&secret));
                if let Some(name) = elsewhere.or(spared.map(|entry| &entry.source)) {
                    format!("it is the same as one of source \"{name}\"")
                } else {
                    let until = keys.expires.into_iter().chain(until).min();
                    spare.push(Entry::new(keys.source, Role::Previous, until, secret));
                    continue;
                }
            }
            Err(problem) => problem,
        };
        let mut known = mentions.secrets.iter();
        if let Some((_, place)) = known.find(|(name, _)| *name == keys.source) {
            let problem = Problem::new(format!(
                "the secret before the last rotation is not taken: {problem}"
            ));
            let problem = problem.cured_by(format!("end it: ponte secret end {}", keys.source));
            notes.about_secret(Severity::Warning, "sources.secret", &place.at, problem);
        }
    }
}

fn days(span: Duration) -> String {
    match span.as_secs() / (24 * 60 * 60) {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// A source whose end has come, or comes soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// The source.
    pub source: SourceName,
    /// From when on its alerts are refused.
    pub at: Timestamp,
    /// Whether that moment is over.
    pub has_expired: bool,
}

/// The sources that have expired, or will within [`EXPIRY_WARNING`], in the order of the file.
#[must_use]
pub fn expiring(config: &Config, now: Timestamp) -> Vec<Expiring> {
    let soon = |at: &Timestamp| at.since(now) <= EXPIRY_WARNING;
    let of = |source: &Source| {
        let at = source.expires.filter(soon)?;
        Some(Expiring {
            source: source.name.clone(),
            at,
            has_expired: at <= now,
        })
    };
    config.sources.iter().filter_map(of).collect()
}

/// Where the secrets of each source are kept.
#[must_use]
pub fn source_keys(config: &Config) -> Vec<SourceKeys> {
    let keys = |source: &Source| SourceKeys {
        source: source.name.clone(),
        secret: source.secret.clone(),
        previous: source
            .previous_secret
            .clone()
            .map(|reference| (reference, source.previous_until)),
        tripwire: source.tripwire.clone(),
        expires: source.expires,
    };
    config.sources.iter().map(keys).collect()
}
