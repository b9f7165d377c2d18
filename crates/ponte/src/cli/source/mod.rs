//! `ponte source`: which sources are listened to, and who has sent with their secrets.

mod seen;

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use ponte_core::id::SourceName;
use ponte_core::message::{Event, OperatorAction, OperatorRequest};
use ponte_core::time::Timestamp;

use super::client::{Asked, Client};
use super::context::Context;
use super::control::who;
use super::failure::Failure;
use super::offline;
use super::screen::{self, BAD, BOLD, GOOD, SO_SO, ago, styled};
use super::table::{Cell, left, table};
use crate::admin::wire::{Operated, SourceRequest, SourceStatus};
use crate::admin::{no_such_source, statuses};

/// See which sources are listened to and who sends; switch one off or on again
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte source list\n  \
    ponte source off main --reason \"the laptop was stolen\"\n  \
    ponte source on main\n  \
    ponte source seen              from where alerts came, with which certificates\n\n\
    The alerts of a source that is off are refused and recorded, whatever they say, closes too. \
    Positions stay, with their stops; to close them: ponte flatten.\n\
    It works when Ponte is not running, too.")]
pub(super) struct Source {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(List),
    Off(Off),
    On(On),
    Seen(seen::Seen),
}

/// List the sources: on or off, since when, by whom, until when they hold
#[derive(Args)]
#[command(after_help = "Examples:\n  ponte source list\n  ponte source list --json")]
struct List {}

/// Refuse everything that a source sends, until it is switched on again
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte source off main\n  \
    ponte source off main --reason \"the laptop was stolen\"")]
struct Off {
    /// The source's name in the configuration
    source: String,
    /// Why, for whoever reads the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Take a source's alerts again
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte source on main\n\n\
    After its tripwire was used, make new secrets first: ponte secret rotate main --overlap 0s")]
struct On {
    /// The source's name in the configuration
    source: String,
    /// Why, for whoever reads the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Source {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::List(List {}) => list(context),
            What::Off(Off { source, reason }) => switch(context, source, false, reason.as_ref()),
            What::On(On { source, reason }) => switch(context, source, true, reason.as_ref()),
            What::Seen(seen) => seen.run(context),
        }
    }
}

/// The source of this name in the configuration.
pub(super) fn known(context: &Context, name: &str) -> Result<SourceName, Failure> {
    let name =
        SourceName::new(name).map_err(|error| Failure::usage(format!("the source {error}")))?;
    match no_such_source(context.config()?, &name) {
        None => Ok(name),
        Some(message) => Err(Failure::usage(message)),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let sources: Vec<SourceStatus> = match Client::new(context)?.get("api/sources", &[])? {
        Asked::Answer(sources) => sources,
        Asked::NotRunning => {
            let state = offline::reader(context)?.state(false)?;
            statuses(context.config()?, &state.sources_off)
        }
    };
    if context.json {
        return screen::print_json(&sources);
    }
    screen::print(&shown(&sources, context.now))
}

fn switch(
    context: &Context,
    source: &str,
    on: bool,
    reason: Option<&String>,
) -> Result<(), Failure> {
    let source = known(context, source)?;
    let (by, reason) = (who(), reason.cloned());
    let request = SourceRequest {
        source: source.clone(),
        on,
        reason: reason.clone(),
        by: by.clone(),
    };
    let operated = match Client::new(context)?.post("api/source", &request)? {
        Asked::Answer(operated) => operated,
        Asked::NotRunning => {
            let action = OperatorAction::SwitchSource { source, on, reason };
            offline::operate(context.config()?, OperatorRequest { by, action })?
        }
    };
    if context.json {
        return screen::print_json(&operated);
    }
    screen::print(&switched(&operated))
}

fn switched(operated: &Operated) -> String {
    let mut text = String::new();
    for event in &operated.events {
        let Event::SourceSwitched(switched) = event else {
            continue;
        };
        let (style, word) = if switched.on {
            (GOOD, "on")
        } else {
            (BAD, "off")
        };
        let reason = switched.reason.as_ref();
        let reason = reason.map(|reason| format!(" ({})", screen::printable(reason)));
        let _ = writeln!(
            text,
            "{}: source {}, by {}{}",
            styled(style, word),
            switched.source,
            screen::printable(&switched.by),
            reason.unwrap_or_default()
        );
        if !switched.on {
            text.push_str(
                "its alerts are refused; positions stay, with their stops: ponte flatten closes \
                 them\n",
            );
        }
    }
    if !operated.changed {
        text.push_str("nothing to change\n");
    }
    if !operated.running {
        let _ = writeln!(text, "{}", styled(BOLD, offline::RECORDED));
    }
    text
}

/// The sources as a table.
pub(super) fn shown(sources: &[SourceStatus], now: Timestamp) -> String {
    let columns = [
        left("source"),
        left("state"),
        left("since"),
        left("by"),
        left("reason"),
        left("expires (UTC)"),
    ];
    let rows = sources.iter().map(|source| {
        let off = source.off.as_ref();
        let state = match (source.on, source.expires) {
            (false, _) => Cell::new(BAD, "off"),
            (true, Some(at)) if at <= now => Cell::new(BAD, "expired"),
            (true, _) => Cell::new(GOOD, "on"),
        };
        vec![
            Cell::plain(source.source.as_str()),
            state,
            Cell::dim(off.map_or_else(String::new, |off| ago(off.since, now))),
            Cell::plain(off.map_or("", |off| &off.by)),
            Cell::plain(off.and_then(|off| off.reason.as_deref()).unwrap_or("")),
            end(source.expires, now),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

/// A moment from which on something is not taken any more.
pub(super) fn end(at: Option<Timestamp>, now: Timestamp) -> Cell {
    let Some(at) = at else {
        return Cell::dim("");
    };
    let text = screen::short_time(at, now);
    if at <= now {
        Cell::new(BAD, text)
    } else if at.since(now) <= crate::config::EXPIRY_WARNING {
        Cell::new(SO_SO, text)
    } else {
        Cell::plain(text)
    }
}
