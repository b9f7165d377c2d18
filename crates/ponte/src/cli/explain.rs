//! `ponte explain`.

use std::fmt::Write as _;

use clap::Args;
use ponte_core::message::{AlertDecision, Event, LegDecision};
use ponte_core::signal::{Intent, Signal};
use ponte_core::verdict::{Ruling, Verdict};

use super::body::{self, Body};
use super::client::{Asked, Client};
use super::context::Context;
use super::failure::Failure;
use super::screen::{self, BOLD, DIM, GOOD, facts, style_of, styled};
use super::table::{Cell, left, right, table};
use super::{examples, offline, words};
use crate::admin::wire::Explanation;
use crate::admin::{self, imagined};

/// What stands in for the secret, which explaining does not look at.
const STAND_IN: &str = "explained-without-secret";

/// Say what an alert would do now; nothing is recorded and nothing is sent
#[derive(Args)]
#[command(after_help = after_help())]
pub(super) struct Explain {
    #[command(flatten)]
    body: Body,
    /// The source that it would come from; the first of the configuration when not named
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

fn after_help() -> String {
    format!(
        "Examples:\n  \
         ponte explain --example reverse\n  \
         ponte explain alert.json\n  \
         ponte explain '{{\"action\":\"buy\",\"symbol\":\"BTCUSDT\",\"quantity\":0.01,\"price\":65000}}'\n\n\
         The secret in it is not looked at and may be missing. When Ponte is not running, the \
         journal's state is taken.\n\n\
         Ready examples:\n{}",
        examples::list()
    )
}

impl Explain {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let body = self.body.bytes()?;
        let body = match std::str::from_utf8(&body) {
            Ok(text) => body::fill(text, STAND_IN).into_bytes(),
            Err(_) => body,
        };
        let config = context.config()?;
        let source = admin::source(config, self.source.as_deref()).map_err(Failure::usage)?;
        let parameters = [("source", source.name.to_string())];
        let client = Client::new(context)?;
        let explanation = match client.post_bytes("api/explain", &parameters, body.clone())? {
            Asked::Answer(explanation) => explanation,
            Asked::NotRunning => {
                context.verbosely("Ponte is not running: by the journal's state");
                let alert =
                    imagined(source, &body).map_err(|error| Failure::refused(error.to_string()))?;
                let runtime = tokio::runtime::Runtime::new().map_err(|error| {
                    Failure::unreachable(format!("no threads to run on: {error}"))
                })?;
                runtime.block_on(offline::explain(config, alert))?
            }
        };
        if context.json {
            return screen::print_json(&explanation);
        }
        screen::print(&shown(&explanation))
    }
}

fn shown(explanation: &Explanation) -> String {
    let decision = &explanation.decision;
    let signal = &decision.signal;
    let word = decision.outcome.as_str();
    let mut rows = vec![
        (
            "alert",
            styled(BOLD, &screen::printable(&words::signal(signal))),
        ),
        ("strategy", screen::printable(signal.strategy.as_str())),
        ("source", decision.source.to_string()),
        ("price", price(signal)),
    ];
    if let Some(id) = &signal.explicit_id {
        rows.push(("id", screen::printable(id)));
    }
    rows.push(("decision", styled(style_of(word), word)));
    if let Some(reason) = why(decision) {
        rows.push(("", screen::printable(&reason)));
    }
    let mut text = facts(&rows);
    if !decision.verdicts.is_empty() {
        let reason = decision.reason.as_deref().unwrap_or_default();
        let _ = write!(text, "\n{}", verdicts(&decision.verdicts, reason));
    }
    for leg in &decision.legs {
        let _ = write!(text, "\n{}", shown_leg(leg));
    }
    push_orders(&mut text, &explanation.consequences);
    let _ = writeln!(
        text,
        "\n{}",
        styled(GOOD, "Nothing was recorded, nothing was sent.")
    );
    text
}

fn why(decision: &AlertDecision) -> Option<String> {
    match (&decision.reason, decision.first) {
        (Some(reason), _) => Some(reason.clone()),
        (None, Some(first)) => Some(format!("it repeats {first}")),
        (None, None) => None,
    }
}

/// The price that sizes and rules are told, as far as the alert has one.
fn price(signal: &Signal) -> String {
    let named = match &signal.intent {
        Intent::Trade { terms, .. } | Intent::Enter { terms, .. } => terms.named_price(),
        Intent::Exit { .. }
        | Intent::Reverse { .. }
        | Intent::Target { .. }
        | Intent::Cancel
        | Intent::Heartbeat => None,
    };
    match (named, signal.reference_price) {
        (Some(price), _) => format!("{price}, the order's own"),
        (None, Some(price)) => format!("{price}, from the alert"),
        (None, None) => "the market's, where one is known; the alert has none".to_owned(),
    }
}

fn shown_leg(leg: &LegDecision) -> String {
    let word = leg.decision.as_str();
    let symbol = leg.symbol.as_ref().map_or("", |symbol| symbol.as_str());
    let mut text = format!(
        "{} {symbol} {}: {}\n",
        styled(BOLD, &format!("account {}", leg.account)),
        styled(style_of(word), word),
        screen::printable(&leg.reason)
    );
    if leg.verdicts.is_empty() {
        return text;
    }
    for line in verdicts(&leg.verdicts, &leg.reason).lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// What rules said, as a table.
fn verdicts(verdicts: &[Verdict], said: &str) -> String {
    let columns = [
        left("rule"),
        left("verdict"),
        right("measured"),
        right("limit"),
        left("why"),
    ];
    let rows: Vec<_> = verdicts.iter().map(|verdict| row(verdict, said)).collect();
    table(&columns, &rows)
}

/// A verdict's row; what the leg has said already is not said again.
fn row(verdict: &Verdict, said: &str) -> Vec<Cell> {
    let word = match verdict.ruling {
        Ruling::Pass => "pass",
        Ruling::Refuse => "refuse",
        Ruling::Note => "note",
    };
    let number = |number: Option<rust_decimal::Decimal>| {
        number.map_or_else(String::new, |number| number.normalize().to_string())
    };
    vec![
        Cell::plain(verdict.rule.as_str()),
        Cell::word(word),
        Cell::plain(number(verdict.measured)),
        Cell::plain(number(verdict.limit)),
        Cell::dim(if verdict.detail == said {
            ""
        } else {
            &verdict.detail
        }),
    ]
}

fn push_orders(text: &mut String, consequences: &[Event]) {
    let mut lines = String::new();
    for event in consequences {
        if let Event::OrderPlanned { plan, waits } = event {
            let line = screen::printable(&words::plan(plan));
            let waits = if *waits {
                styled(DIM, ", waits for what goes before it")
            } else {
                String::new()
            };
            let _ = writeln!(lines, "  {line}{waits}");
        } else if let Event::CancelRequested { id, reason } = event {
            let _ = writeln!(lines, "  cancel {id}: {}", screen::printable(reason));
        } else if let Event::OrderEnded {
            id, end, reason, ..
        } = event
        {
            let reason = screen::printable(reason);
            let _ = writeln!(lines, "  {} {id}: {reason}", words::end(*end));
        } else if let Event::Alarm { message, .. } = event {
            let _ = writeln!(lines, "  alarm: {}", screen::printable(message));
        }
    }
    if lines.is_empty() {
        lines.push_str("  none\n");
    }
    let _ = write!(
        text,
        "\n{}\n{lines}",
        styled(BOLD, "orders that would be sent")
    );
}
