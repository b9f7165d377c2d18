//! What a new version looks at before it takes over, each thing a finding.

use std::path::Path;

use ponte_core::order::OrderStatus;
use ponte_core::state::State;

use super::{Context, Failure, Running, count, screen};
use crate::admin::wire::{Finding, Version};
use crate::clock;
use crate::config::{self, Config, ConfigErrors, Place, key_paths};
use crate::journal::{
    Compared, JournalError, StateOutlook, path_in, schema_outlook, state_outlook,
};

/// This program's version.
const OURS: &str = env!("CARGO_PKG_VERSION");
/// Most findings of the configuration that are told; `ponte check` tells them all.
const TOLD_MAX: usize = 10;
/// Most keys that are named.
const KEYS_MAX: usize = 12;
/// What a start needs on the disk in any case, in bytes.
const SPACE_MIN: u64 = 64 * 1024 * 1024;

/// Looks at everything; what can't be looked at without the configuration is left out.
pub(super) fn all(context: &Context) -> Result<(Running, Vec<Finding>), Failure> {
    let mut findings = Vec::new();
    let file = context.path.display().to_string();
    let text = context.text()?;
    let parsed = match config::parse(&text, &file) {
        Ok(parsed) => parsed,
        Err(errors) => {
            findings.extend(told(&errors, "configuration"));
            return Ok((Running::No, findings));
        }
    };
    let running = Running::ask(context)?;
    findings.push(versions(&running));
    let good = format!("{file} can be used as it is");
    findings.push(Finding::fine("configuration", good));
    findings.extend(keys(&running));
    findings.extend(secrets(context));
    findings.extend(journal(&parsed.config, &running)?);
    Ok((running, findings))
}

/// What is wrong with a configuration, and what its owner should look at.
fn told(errors: &ConfigErrors, subject: &'static str) -> Vec<Finding> {
    let wrong = errors.errors.iter().map(|it| (true, it));
    let look = errors.warnings.iter().map(|it| (false, it));
    let told = wrong.chain(look).take(TOLD_MAX).map(|(is_wrong, it)| {
        let place = it
            .place
            .map_or_else(String::new, |Place { line, .. }| format!("line {line}: "));
        let key = if it.key.is_empty() {
            String::new()
        } else {
            format!("{}: ", it.key)
        };
        let text = format!("{place}{key}{}", it.message);
        let finding = if is_wrong {
            Finding::wrong(subject, text)
        } else {
            Finding::look(subject, text)
        };
        match &it.cure {
            Some(cure) => finding.cured_by(cure.clone()),
            None => finding,
        }
    });
    let mut told: Vec<_> = told.collect();
    let left = (errors.errors.len() + errors.warnings.len()).saturating_sub(told.len());
    if left > 0 {
        told.push(
            Finding::look(subject, format!("{left} more"))
                .cured_by("ponte check shows all of them"),
        );
    }
    told
}

fn versions(running: &Running) -> Finding {
    let subject = "version";
    let theirs = match running {
        Running::No => {
            return Finding::fine(subject, format!("this is {OURS}, and no Ponte runs here"));
        }
        Running::Silent(why) => {
            let text =
                format!("this is {OURS}, and what runs does not say which version it is: {why}");
            return Finding::look(subject, text);
        }
        Running::Told(Version { version, .. }) | Running::Older(version) => version,
    };
    if theirs == OURS {
        return Finding::fine(subject, format!("{OURS} runs, and this is {OURS} too"));
    }
    if numbers(theirs) > numbers(OURS) {
        return Finding::look(
            subject,
            format!("{theirs} runs, and this is the older {OURS}"),
        )
        .cured_by("going back works as long as the journal's schema is the same");
    }
    Finding::fine(subject, format!("{theirs} runs, and this is {OURS}"))
}

fn numbers(version: &str) -> Vec<u64> {
    let numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    numbers.collect()
}

/// The keys that came with this version, and those that went.
fn keys(running: &Running) -> Vec<Finding> {
    let Running::Told(Version {
        version,
        config_keys: theirs,
        ..
    }) = running
    else {
        return Vec::new();
    };
    let ours = key_paths();
    let missing = |these: &[String], from: &[String]| -> Vec<String> {
        let all = these.iter().filter(|key| !from.contains(key));
        all.cloned().collect()
    };
    let (new, gone) = (missing(&ours, theirs), missing(theirs, &ours));
    let mut findings = Vec::new();
    if !new.is_empty() {
        let text = format!(
            "{version} did not know {}, whose defaults hold",
            named(&new)
        );
        findings.push(Finding::look("new_keys", text).cured_by("docs/configuration.md"));
    }
    if !gone.is_empty() {
        let text = format!(
            "{} went away with this version, and the configuration does not use them",
            named(&gone)
        );
        findings.push(Finding::look("gone_keys", text));
    }
    findings
}

fn named(keys: &[String]) -> String {
    let shown = keys.iter().take(KEYS_MAX).cloned().collect::<Vec<_>>();
    let shown = shown.join(", ");
    match keys.len().saturating_sub(KEYS_MAX) {
        0 => shown,
        left => format!("{shown} and {left} more"),
    }
}

/// Whether every secret that the configuration names is there, for whoever runs this.
fn secrets(context: &Context) -> Vec<Finding> {
    match config::load(&context.path) {
        Ok(loaded) => {
            let warned = ConfigErrors {
                errors: Vec::new(),
                warnings: loaded.warnings,
            };
            let mut findings = told(&warned, "configuration");
            findings.push(Finding::fine("secrets", "every secret is there"));
            findings
        }
        Err(errors) => {
            let mut findings = told(&errors, "secrets");
            findings.push(
                Finding::look("secrets", "they were looked for as the one who runs this")
                    .cured_by("run it as Ponte's user, with Ponte's environment and credentials"),
            );
            findings
        }
    }
}

/// The journal from all sides, and what a restart meets.
fn journal(config: &Config, running: &Running) -> Result<Vec<Finding>, Failure> {
    let path = path_in(&config.data_dir);
    if !path.exists() {
        let text = format!(
            "there is none at {} yet, and the first start makes one",
            path.display()
        );
        return Ok(vec![Finding::fine("journal", text)]);
    }
    let mut findings = Vec::new();
    let migrates = match schema(&path, &mut findings)? {
        Schema::Same => false,
        Schema::Migrates => true,
        Schema::Unusable => return Ok(findings),
    };
    findings.push(space(&path, migrates)?);
    let began = clock::instant();
    match state_outlook(&path) {
        Ok(outlook) => {
            let took = screen::span(began.elapsed());
            findings.extend(state(&outlook, &took));
            findings.push(open(&outlook.state));
        }
        Err(JournalError::Unreadable { seq, message, .. }) => findings.push(
            Finding::wrong("state", format!("event {seq} can't be read: {message}"))
                .cured_by("keep the old version, and please report this"),
        ),
        // An empty file has no tables yet.
        Err(JournalError::Database { .. }) if migrates => findings.push(Finding::look(
            "state",
            "it can't be read before the schema has been migrated",
        )),
        Err(error) => return Err(error.into()),
    }
    findings.push(restart(running));
    Ok(findings)
}

enum Schema {
    Same,
    Migrates,
    Unusable,
}

fn schema(path: &Path, findings: &mut Vec<Finding>) -> Result<Schema, Failure> {
    let subject = "schema";
    let outlook = match schema_outlook(path) {
        Ok(outlook) => outlook,
        Err(JournalError::TooNew { found, known, .. }) => {
            findings.push(
                Finding::wrong(
                    subject,
                    format!("the journal has version {found}, and this Ponte knows only {known}"),
                )
                .cured_by("use the newer Ponte; a journal is never taken back to an older schema"),
            );
            return Ok(Schema::Unusable);
        }
        Err(error) => return Err(error.into()),
    };
    let (found, known) = (outlook.found, outlook.known);
    if let Some(failure) = outlook.failure {
        let text = format!("the journal can't be taken from version {found} to {known}: {failure}");
        let cure = "keep the old version, and please report this";
        findings.push(Finding::wrong(subject, text).cured_by(cure));
        return Ok(Schema::Unusable);
    }
    if found == known {
        let text = format!("the journal has version {found}, which this Ponte writes too");
        findings.push(Finding::fine(subject, text));
        return Ok(Schema::Same);
    }
    findings.push(
        Finding::look(
            subject,
            format!(
                "the first start takes the journal from version {found} to {known} (the steps \
                 succeed on an empty copy), and the older Ponte can't use it afterwards"
            ),
        )
        .cured_by("make a backup first"),
    );
    Ok(Schema::Migrates)
}

/// Whether the disk has room for a migration, which may write everything anew.
fn space(path: &Path, migrates: bool) -> Result<Finding, Failure> {
    let failed = |error: std::io::Error| {
        Failure::unreachable(format!("{} can't be looked at: {error}", path.display()))
    };
    let folder = path.parent().unwrap_or(path);
    let disk = rustix::fs::statvfs(folder).map_err(|error| failed(error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let journal = std::fs::metadata(path).map_err(failed)?.len();
    let needed = if migrates {
        journal.saturating_mul(2).saturating_add(SPACE_MIN)
    } else {
        SPACE_MIN
    };
    let (free_told, needed_told) = (screen::bytes(free), screen::bytes(needed));
    if free < needed {
        let text = format!("{free_told} are free, and a start may need {needed_told}");
        return Ok(Finding::wrong("space", text).cured_by("make room on the disk of data_dir"));
    }
    let text = format!("{free_told} are free, of which a start may need {needed_told}");
    Ok(Finding::fine("space", text))
}

fn state(outlook: &StateOutlook, took: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let subject = "state";
    for (seq, problem) in &outlook.unreadable {
        findings.push(Finding::look(
            subject,
            format!("this version can't read the snapshot after event {seq}: {problem} (it replays instead)"),
        ));
    }
    let number = usize::try_from(outlook.replayed).unwrap_or(usize::MAX);
    let replays = format!("a start replays {}", count(number, "event", "events"));
    findings.push(match outlook.compared {
        Compared::Equal(replayed) => Finding::fine(
            subject,
            format!(
                "{replays}, and {replayed} older ones, replayed by this version, give the snapshot \
                 exactly ({took})"
            ),
        ),
        Compared::Different(seq) => Finding::wrong(
            subject,
            format!("the snapshot after event {seq} is not what this version makes of the events"),
        )
        .cured_by("keep the old version, and please report this"),
        Compared::Nothing => Finding::fine(
            subject,
            format!("{replays}, and there is no snapshot to compare with"),
        ),
    });
    findings
}

/// What a restart meets at the brokers.
fn open(state: &State) -> Finding {
    let positions = state.positions();
    let held = positions
        .iter()
        .filter(|position| !position.quantity.is_zero());
    let held = held.count();
    let orders = |wanted: OrderStatus| {
        let open = state.open_orders();
        open.filter(|order| order.status == wanted).count()
    };
    let (waiting, on_their_way, resting, unknown) = (
        orders(OrderStatus::Waiting),
        orders(OrderStatus::Submitting),
        orders(OrderStatus::Working),
        orders(OrderStatus::Unknown),
    );
    let mut parts = Vec::new();
    let mut add = |number: usize, one: &str, many: &str| {
        if number > 0 {
            parts.push(count(number, one, many));
        }
    };
    add(held, "position", "positions");
    add(resting, "order rests", "orders rest");
    add(waiting, "order waits", "orders wait");
    add(
        on_their_way,
        "order is on its way",
        "orders are on their way",
    );
    add(
        unknown,
        "order has an unknown fate",
        "orders have an unknown fate",
    );
    if parts.is_empty() {
        return Finding::fine("open", "no position and no open order meets the restart");
    }
    let text = format!("the restart meets what is open: {}", parts.join(", "));
    if on_their_way + unknown > 0 {
        return Finding::look("open", text)
            .cured_by("the start asks the brokers about them; a calmer moment has less to ask");
    }
    Finding::fine(
        "open",
        format!("{text}, and what rests at a broker stays there"),
    )
}

/// What a restart does to the alerts that come meanwhile.
fn restart(running: &Running) -> Finding {
    let subject = "restart";
    match running {
        Running::No => Finding::fine(subject, "nothing runs that would have to be stopped"),
        Running::Told(Version {
            held_open: true, ..
        }) => Finding::fine(
            subject,
            "the socket for alerts is held open meanwhile: what comes waits, and none is lost",
        ),
        Running::Told(_) => Finding::look(
            subject,
            "Ponte binds its own socket: alerts that come between two processes are refused and lost",
        )
        .cured_by("use ponte.socket: docs/operations.md"),
        Running::Older(_) | Running::Silent(_) => Finding::look(
            subject,
            "what runs does not say whether its socket is held open while it restarts",
        )
        .cured_by("systemctl status ponte.socket"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("0.10.0") > numbers("0.9.9"));
        assert!(numbers("1.0.0") > numbers("0.99.99"));
        assert_eq!(numbers("0.1.0"), numbers("0.1.0"));
    }

    #[test]
    fn keys_that_came_and_went_are_named() {
        let mut theirs = key_paths();
        let new = theirs.remove(0);
        theirs.push("webhook.of_old".to_owned());
        let running = Running::Told(Version {
            version: "0.0.9".to_owned(),
            schema: 1,
            held_open: true,
            config_keys: theirs,
        });
        let found = keys(&running);
        assert_eq!(
            found[0].text,
            format!("0.0.9 did not know {new}, whose defaults hold")
        );
        assert_eq!(
            found[1].text,
            "webhook.of_old went away with this version, and the configuration does not use them"
        );
    }
}
