//! `ponte audit`: whether the journal is whole, and who did what.

use std::path::PathBuf;

use anstyle::Style;
use clap::{Args, Subcommand};
use ponte_core::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, GOOD, PLAIN, SO_SO, facts, short_time, styled};
use super::table::{Cell, left, table};
use crate::admin::moment;
use crate::journal::{EventRow, Reader, Verified, path_in, verify};

/// Check that the journal is as it was written, and see who did what
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte audit verify\n  \
    ponte audit log")]
pub(super) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Read every event and check that its hash follows from its content and the one before
    #[command(after_help = "Examples:\n  \
        ponte audit verify\n  \
        ponte audit verify --json | jq -r .hash   note the hash elsewhere: nobody can then rewrite the end\n\n\
        It may run beside a running Ponte. Exit status 1 when the chain is broken.")]
    Verify,
    Log(Log),
}

/// Show who did what: sign-ins, halts, users, tokens, secrets; newest first
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte audit log\n  \
    ponte audit log --since 7d --by ana\n  \
    ponte audit log --json | jq '.[] | select(.action == \"sign_in_failed\")'\n\n\
    This reads the journal beside a running Ponte. Secrets are never in it.")]
struct Log {
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only from this moment on: 2h, 7d, 2026-11-23, 2026-11-23T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only what this user, token or address did
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// One act.
#[derive(Serialize)]
struct Act {
    seq: i64,
    at: Timestamp,
    time: String,
    by: String,
    action: String,
    detail: String,
}

impl Audit {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Verify => run_verify(context),
            What::Log(log) => log.run(context),
        }
    }
}

/// The kinds of events that a person stands behind.
const KINDS: [&str; 5] = [
    "operator_acted",
    "halt_set",
    "halt_lifted",
    "flatten_requested",
    "source_switched",
];

impl Log {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let since = self.since.as_ref();
        let since = since.map(|text| moment(text, context.now)).transpose()?;
        let reader = Reader::open(&journal(context)?)?;
        let mut acts = Vec::new();
        reader.latest(&KINDS, since, |row| {
            let act = Act::of(&row);
            if self.by.as_ref().is_none_or(|by| act.by == *by) {
                acts.push(act);
            }
            acts.len() < self.limit as usize
        })?;
        if context.json {
            return screen::print_json(&acts);
        }
        if acts.is_empty() {
            let is_part = self.by.is_some() || self.since.is_some();
            return screen::print(match is_part {
                true => "nothing of that is on record\n",
                false => "nobody did anything yet\n",
            });
        }
        let columns = ["time", "by", "action", "detail"].map(left);
        let rows = acts.iter().map(|act| {
            vec![
                Cell::dim(short_time(act.at, context.now)),
                Cell::plain(&act.by),
                Cell::new(style_of(&act.action), &act.action),
                Cell::plain(&act.detail),
            ]
        });
        screen::print(&table(&columns, &rows.collect::<Vec<_>>()))
    }
}

fn style_of(action: &str) -> Style {
    match action {
        "halt_set" | "flatten_requested" | "locked_out" => BAD,
        "sign_in_failed" | "second_factor_failed" | "token_refused" => SO_SO,
        "signed_in" | "halt_lifted" => GOOD,
        _ => PLAIN,
    }
}

impl Act {
    fn of(row: &EventRow) -> Self {
        let event = &row.event;
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
        let scope = || match event.get("scope") {
            Some(Value::Object(named)) => named
                .iter()
                .map(|(kind, name)| format!("{kind} {}", name.as_str().unwrap_or_default()))
                .collect(),
            Some(_) => "everything".to_owned(),
            None => String::new(),
        };
        let action = match text("action") {
            "" => row.kind.as_str(),
            action => action,
        };
        let switched = event.get("on").and_then(Value::as_bool);
        let switched = switched.map(|on| if on { "on" } else { "off" });
        let parts = [
            scope(),
            text("source").to_owned(),
            switched.unwrap_or_default().to_owned(),
            text("level").replace('_', "-"),
            text("detail").to_owned(),
            text("reason").to_owned(),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            seq: row.seq,
            at: row.at,
            time: row.at.to_string(),
            by: text("by").to_owned(),
            action: action.to_owned(),
            detail: parts.join(", "),
        }
    }
}

/// The journal of the configuration.
fn journal(context: &Context) -> Result<PathBuf, Failure> {
    let path = path_in(&context.config()?.data_dir);
    if path.exists() {
        return Ok(path);
    }
    let text = format!("there is no journal at {}", path.display());
    Err(Failure::unreachable(text).cured_by("ponte run writes one"))
}

fn run_verify(context: &Context) -> Result<(), Failure> {
    let path = journal(context)?;
    let verified = verify(&path)?;
    if context.json {
        screen::print_json(&verified)?;
    } else {
        screen::print(&shown(&verified))?;
    }
    if verified.broken.is_some() {
        return Err(Failure::silent(REFUSED));
    }
    Ok(())
}

fn shown(verified: &Verified) -> String {
    let verdict = match &verified.broken {
        None => styled(GOOD, "the chain holds"),
        Some(broken) => {
            let place = format!("broken at event {}: {}", broken.seq, broken.problem);
            styled(BAD, &place)
        }
    };
    let range = match (verified.first, verified.last) {
        (Some(first), Some(last)) => format!("{} ({first} to {last})", verified.events),
        (None, _) | (_, None) => verified.events.to_string(),
    };
    let mut rows = vec![("journal", verdict), ("events", range)];
    if verified.retired > 0 {
        rows.push(("retired", verified.retired.to_string()));
    }
    rows.push(("last hash", verified.hash.to_string()));
    facts(&rows)
}
