//! `ponte status`.

use std::fmt::Write as _;

use clap::Args;
use ponte_core::policy::Mode;
use ponte_core::time::Timestamp;

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::Failure;
use super::offline;
use super::screen::{self, BAD, BOLD, DIM, GOOD, PLAIN, SO_SO, ago, bytes, facts, span, styled};
use super::table::{Cell, left, right, table};
use crate::admin::wire::{AccountStatus, Presence, Status as Answer, Terminal};

/// Show how Ponte is: running, halted, waiting; accounts and their money
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte status\n  \
    ponte status --json | jq .halts\n\n\
    When Ponte is not running this is read from the journal. Exit status 0 either way.")]
pub(super) struct Status {}

impl Status {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let status: Answer = match Client::new(context)?.get("api/status", &[])? {
            Asked::Answer(status) => status,
            Asked::NotRunning => Answer::offline(context.config()?, &offline::reader(context)?)?,
        };
        if context.json {
            return screen::print_json(&status);
        }
        screen::print(&shown(&status, context.now))
    }
}

fn shown(status: &Answer, now: Timestamp) -> String {
    let mut rows = vec![("ponte", process(status))];
    rows.push(("webhook", status.webhook.clone()));
    let halts = if status.halts.is_empty() {
        styled(GOOD, "none")
    } else {
        styled(BAD, &screen::count(status.halts.len(), "halt", "halts"))
    };
    let file = if status.halt_file {
        styled(BAD, ", a HALT file is in the data directory")
    } else {
        String::new()
    };
    rows.push(("halted", format!("{halts}{file}")));
    let off = status.sources.iter().filter(|source| !source.on);
    let off: Vec<_> = off.map(|source| source.source.as_str()).collect();
    if !off.is_empty() {
        let text = format!("{}: its alerts are refused", off.join(", "));
        rows.push(("sources off", styled(BAD, &text)));
    }
    rows.push(("open orders", open_orders(status)));
    if let Some(process) = &status.process {
        let waiting = format!(
            "{} to be decided, {} to be sent",
            process.inbox, process.lanes
        );
        rows.push(("waiting", waiting));
        for naked in &process.naked {
            rows.push(("naked", styled(BAD, &naked.to_string())));
        }
    }
    let events = usize::try_from(status.journal.events).unwrap_or(0);
    let journal = format!(
        "{}, {}",
        screen::count(events, "event", "events"),
        bytes(status.journal.bytes)
    );
    rows.push(("journal", journal));
    let last = status.last_alert.as_ref().map_or_else(
        || styled(DIM, "none yet"),
        |alert| {
            let outcome = styled(screen::style_of(&alert.outcome), &alert.outcome);
            format!("{} {outcome}, {}", alert.id, ago(alert.received_at, now))
        },
    );
    rows.push(("last alert", last));
    for account in &status.accounts {
        if let Some(terminal) = &account.terminal {
            rows.push(("terminal", self::terminal(account, terminal)));
        }
    }
    let mut text = facts(&rows);
    push_halts(&mut text, status, now);
    if !off.is_empty() {
        let _ = write!(text, "\n{}", super::source::shown(&status.sources, now));
    }
    let _ = write!(text, "\n{}", accounts(&status.accounts));
    push_strategies(&mut text, status, now);
    text
}

fn process(status: &Answer) -> String {
    let version = &status.version;
    match &status.process {
        None => format!(
            "{} {}",
            styled(SO_SO, "not running"),
            styled(DIM, "(read from the journal)")
        ),
        Some(process) => {
            let up = span(std::time::Duration::from_secs(process.uptime_seconds));
            let ready = if process.ready {
                styled(GOOD, "running")
            } else {
                styled(BAD, "running, and the journal can't be written")
            };
            format!("{version} {ready} for {up}")
        }
    }
}

/// Where an account's terminal stands.
fn terminal(account: &AccountStatus, terminal: &Terminal) -> String {
    let (style, word) = match terminal.presence {
        Presence::Present => (GOOD, "present"),
        Presence::Away => (BAD, "away"),
        Presence::Never => (BAD, "not heard yet"),
    };
    let since = terminal.for_seconds.map_or_else(String::new, |seconds| {
        format!(" for {}", span(std::time::Duration::from_secs(seconds)))
    });
    let bridge = terminal.bridge.as_ref().map_or_else(String::new, |bridge| {
        styled(DIM, &format!(" ({})", screen::printable(bridge)))
    });
    let why = if terminal.ready {
        String::new()
    } else {
        let why = screen::printable(&terminal.why);
        styled(BAD, &format!(", can't trade: {why}"))
    };
    let name = screen::printable(account.name.as_str());
    format!("{name} {}{since}{bridge}{why}", styled(style, word))
}

fn open_orders(status: &Answer) -> String {
    let unknown = match status.unknown_orders {
        0 => String::new(),
        number => format!(", {}", styled(BAD, &format!("{number} of unknown fate"))),
    };
    format!("{}{unknown}", status.open_orders)
}

fn push_halts(text: &mut String, status: &Answer, now: Timestamp) {
    if status.halts.is_empty() {
        return;
    }
    let columns = [
        left("halted"),
        left("level"),
        left("since"),
        left("by"),
        left("reason"),
    ];
    let cells = status.halts.iter().map(|halt| {
        vec![
            Cell::new(BAD, halt.scope.to_string()),
            Cell::plain(halt.level.as_str().replace('_', "-")),
            Cell::dim(ago(halt.since, now)),
            Cell::plain(&halt.by),
            Cell::plain(halt.reason.as_deref().unwrap_or("")),
        ]
    });
    let _ = write!(text, "\n{}", table(&columns, &cells.collect::<Vec<_>>()));
}

fn accounts(accounts: &[AccountStatus]) -> String {
    let columns = [
        left("account"),
        left("mode"),
        right("equity"),
        right("cash"),
        left("currency"),
        right("open orders"),
        right("positions"),
    ];
    let cells = accounts.iter().map(|account| {
        let (word, style) = match account.mode {
            Mode::Paper => ("paper", PLAIN),
            Mode::Demo => ("demo", PLAIN),
            Mode::Live => ("LIVE", BOLD),
        };
        let money = |amount: Option<rust_decimal::Decimal>| {
            amount.map_or_else(
                || Cell::dim("?"),
                |amount| Cell::plain(amount.round_dp(2).to_string()),
            )
        };
        let balance = account.balance.as_ref();
        vec![
            Cell::plain(account.name.as_str()),
            Cell::new(style, word),
            money(balance.map(|balance| balance.equity)),
            money(balance.map(|balance| balance.cash)),
            Cell::plain(&account.currency),
            Cell::plain(account.open_orders.to_string()),
            Cell::plain(account.open_positions.to_string()),
        ]
    });
    table(&columns, &cells.collect::<Vec<_>>())
}

fn push_strategies(text: &mut String, status: &Answer, now: Timestamp) {
    if status.strategies.is_empty() {
        return;
    }
    let cells = status.strategies.iter().map(|heard| {
        vec![
            Cell::plain(heard.strategy.as_str()),
            Cell::dim(ago(heard.at, now)),
        ]
    });
    let columns = [left("strategy"), left("last heard")];
    let _ = write!(text, "\n{}", table(&columns, &cells.collect::<Vec<_>>()));
}
