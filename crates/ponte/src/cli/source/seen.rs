//! `ponte source seen`: from where alerts came, and with which certificates.

use clap::Args;
use ponte_core::time::Timestamp;

use super::super::client::{Asked, Client};
use super::super::context::Context;
use super::super::failure::Failure;
use super::super::offline;
use super::super::screen::{self, BAD, DIM, GOOD, SO_SO, short_time, styled};
use super::super::table::{Cell, left, right, table};
use crate::admin::moment;
use crate::config::Webhook;
use crate::journal::{SeenKey, Senders};

/// List the addresses and the client certificates' keys that came with a right secret
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte source seen\n  \
    ponte source seen --since 7d\n  \
    ponte source seen --json | jq -r .keys[0].key   the key that came last\n\n\
    To let in one key alone, write it into the configuration and restart:\n  \
    [webhook.client_certificate]\n  \
    policy = \"pin\"\n  \
    keys = [\"...\"]\n\n\
    The last 200,000 events are looked through. Times are UTC; in JSON they are microseconds \
    since 1970.")]
pub(super) struct Seen {
    /// Only since this moment: 2h, 7d, 2026-11-23, 2026-11-23T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
}

impl Seen {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let since = self.since.as_ref();
        let since = since.map(|text| moment(text, context.now)).transpose()?;
        let parameters = since.map(|since| ("since", since.to_string()));
        let parameters: Vec<_> = parameters.into_iter().collect();
        let senders = match Client::new(context)?.get("api/sources/seen", &parameters)? {
            Asked::Answer(senders) => senders,
            Asked::NotRunning => offline::reader(context)?.senders(since)?,
        };
        if context.json {
            return screen::print_json(&senders);
        }
        screen::print(&shown(&senders, &context.config()?.webhook, context.now))
    }
}

fn shown(senders: &Senders, webhook: &Webhook, now: Timestamp) -> String {
    if senders.addresses.is_empty() {
        return "nobody has sent with a right secret yet\n".to_owned();
    }
    let mut text = addresses(senders, webhook, now);
    text.push('\n');
    if senders.keys.is_empty() {
        let none = "no client certificate came with them: TLS must end in Ponte for that";
        text.push_str(&styled(DIM, none));
        text.push('\n');
        return text;
    }
    text.push_str(&keys(senders, webhook, now));
    let is_new = |seen: &&SeenKey| seen.proven && !is_pinned(webhook, seen);
    if senders.keys.iter().any(|seen| is_new(&seen)) {
        let hint = "\na name in a certificate proves nothing; a key that keeps coming from \
                    TradingView's addresses is TradingView's\nto let in one key alone: policy = \
                    \"pin\" and keys = [\"…\"] under [webhook.client_certificate]\n";
        text.push_str(&styled(DIM, hint));
    }
    text
}

fn addresses(senders: &Senders, webhook: &Webhook, now: Timestamp) -> String {
    let columns = [
        left("address"),
        left("who"),
        left("sources"),
        right("alerts"),
        right("refused"),
        left("first (UTC)"),
        left("last (UTC)"),
    ];
    let rows = senders.addresses.iter().map(|seen| {
        let sources: Vec<&str> = seen.sources.iter().map(String::as_str).collect();
        vec![
            Cell::plain(&seen.address),
            who(webhook, &seen.address),
            Cell::plain(sources.join(", ")),
            Cell::plain(seen.alerts.to_string()),
            refused(seen.refused),
            Cell::dim(short_time(seen.first_at, now)),
            Cell::dim(short_time(seen.last_at, now)),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

fn who(webhook: &Webhook, address: &str) -> Cell {
    let Ok(address) = address.parse() else {
        return Cell::new(SO_SO, "not told by the proxy");
    };
    if webhook
        .tradingview
        .iter()
        .any(|range| range.contains(address))
    {
        Cell::new(GOOD, "TradingView")
    } else if address.is_loopback() {
        Cell::dim("this machine")
    } else {
        Cell::plain("another")
    }
}

fn keys(senders: &Senders, webhook: &Webhook, now: Timestamp) -> String {
    let columns = [
        left("client key (SHA-256)"),
        left("standing"),
        left("says it is for"),
        right("alerts"),
        right("refused"),
        left("last (UTC)"),
    ];
    let rows = senders.keys.iter().map(|seen| {
        let standing = if is_pinned(webhook, seen) {
            Cell::new(GOOD, "pinned")
        } else if seen.proven {
            Cell::plain("not pinned")
        } else {
            Cell::new(BAD, "not proven")
        };
        let name = seen.email.as_deref().unwrap_or(&seen.subject);
        vec![
            Cell::plain(&seen.key),
            standing,
            Cell::plain(screen::printable(name)),
            Cell::plain(seen.alerts.to_string()),
            refused(seen.refused),
            Cell::dim(short_time(seen.last_at, now)),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

fn is_pinned(webhook: &Webhook, seen: &SeenKey) -> bool {
    webhook.client_certificate.keys.contains(&seen.key)
}

fn refused(count: u64) -> Cell {
    match count {
        0 => Cell::dim("0"),
        count => Cell::new(BAD, count.to_string()),
    }
}
