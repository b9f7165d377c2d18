//! A story as a timeline: what happened when, counted from the moment the alert was there.

use std::fmt::Write as _;

use anstyle::Style;
use ponte_core::id::{AccountName, ClientOrderId, short_order_id};
use ponte_core::message::{
    AlertDecision, CutOffReached, Event, OrderEnd, ReducedOutside, SourceSwitched,
};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::screen::{
    BAD, BOLD, DIM, GOOD, PLAIN, SO_SO, clock_time, printable, short_time, span, style_of, styled,
};
use super::words;
use crate::journal::{AlertRow, Story};

/// One line of a timeline.
struct Moment {
    at: Timestamp,
    word: &'static str,
    style: Style,
    text: String,
}

impl Moment {
    fn new(at: Timestamp, style: Style, word: &'static str, text: impl Into<String>) -> Self {
        Self {
            at,
            word,
            style,
            text: text.into(),
        }
    }
}

/// Lays a story out as a timeline.
pub(super) fn timeline(story: &Story, now: Timestamp) -> String {
    let moments = moments(story);
    let mut text = String::new();
    if let Some(alert) = &story.alert {
        let word = styled(style_of(&alert.outcome), &alert.outcome);
        let _ = writeln!(
            text,
            "{} {word} {}",
            styled(BOLD, &alert.id),
            styled(DIM, &format!("{} UTC", short_time(alert.received_at, now)))
        );
    } else if let Some(order) = story.orders.first() {
        let _ = writeln!(
            text,
            "{} {}",
            styled(BOLD, &format!("order {}", order.id)),
            styled(DIM, &format!("{} UTC", short_time(order.planned_at, now)))
        );
    }
    let Some(first) = moments.first().map(|moment| moment.at) else {
        return text;
    };
    let width = moments
        .iter()
        .map(|moment| moment.word.chars().count())
        .max()
        .unwrap_or(0);
    for moment in &moments {
        let after = if moment.at <= first {
            String::new()
        } else {
            format!("+{}", span(moment.at.since(first)))
        };
        let word = format!("{:<width$}", moment.word);
        let _ = writeln!(
            text,
            "  {} {}  {}  {}",
            styled(DIM, &clock_time(moment.at)),
            styled(DIM, &format!("{after:>9}")),
            styled(moment.style, &word),
            printable(&moment.text).replace('\n', " ")
        );
    }
    text
}

/// Everything of a story in the order in which it happened.
fn moments(story: &Story) -> Vec<Moment> {
    let mut moments = Vec::new();
    for row in &story.events {
        let at = row.at;
        match serde_json::from_value::<Event>(row.event.clone()) {
            Ok(event) => push_event(&mut moments, at, &event),
            Err(_) => {
                let text = format!("{} (its content was retired)", row.kind);
                moments.push(Moment::new(at, DIM, "retired", text));
            }
        }
    }
    for repeat in &story.repeats {
        let text = format!("again, as {}", repeat.id);
        moments.push(Moment::new(repeat.received_at, SO_SO, "came", text));
    }
    if let Some(alert) = &story.alert {
        push_missing_alert(&mut moments, alert);
    }
    // What happened at the same moment stays in the order of its record.
    moments.sort_by_key(|moment| moment.at);
    moments
}

/// The alert's own moments, when its event is there no more.
fn push_missing_alert(moments: &mut Vec<Moment>, alert: &AlertRow) {
    if moments.iter().any(|moment| moment.word == "received") {
        return;
    }
    let what = format!(
        "{} {}",
        alert.intent.replace('_', " "),
        alert.symbol.as_deref().unwrap_or("")
    );
    let at = alert.received_at;
    let text = format!("{} from {}", what.trim(), alert.source);
    moments.insert(0, Moment::new(at, PLAIN, "received", text));
}

fn push_event(moments: &mut Vec<Moment>, at: Timestamp, event: &Event) {
    let mut push = |style, word, text: String| {
        moments.push(Moment::new(at, style, word, text));
    };
    match event {
        Event::AlertDecided(decision) => push_decision(moments, at, decision),
        Event::OrderPlanned { plan, waits } => {
            let word = if *waits { "waits" } else { "planned" };
            push(PLAIN, word, about(&plan.id, words::plan(plan)));
        }
        Event::OrderReleased { id, quantity, .. } => push(PLAIN, "released", about(id, quantity)),
        Event::OrderAcknowledged {
            id,
            broker_order_id,
            sent_at,
            answered_at,
        } => {
            push_sent(moments, *sent_at, id);
            let text = about(id, format!("by the broker as {broker_order_id}"));
            moments.push(Moment::new(*answered_at, GOOD, "acknowledged", text));
        }
        Event::OrderFilled {
            id,
            quantity,
            price,
            fee,
            ..
        } => {
            let text = format!("{quantity} at {price}, fee {fee}");
            push(GOOD, "filled", about(id, text));
        }
        Event::OrderNotSent { id, why, .. } => push(SO_SO, "not sent", about(id, why)),
        Event::ProtectionLate { id } => push(BAD, "late", about(id, LATE)),
        Event::OrderUnknown {
            id, why, sent_at, ..
        } => {
            push_sent(moments, *sent_at, id);
            let text = about(id, format!("{why}; the broker is asked"));
            moments.push(Moment::new(at, BAD, "unknown", text));
        }
        Event::OrderQuestioned { id } => push(SO_SO, "asked", about(id, "the broker")),
        Event::CancelRequested { id, reason } => push(SO_SO, "cancel", about(id, reason)),
        Event::OrderEnded {
            id,
            end,
            reason,
            sent_at,
        } => {
            push_sent(moments, *sent_at, id);
            moments.push(over(at, id, *end, reason));
        }
        Event::Alarm { message, .. } => push(BAD, "alarm", message.clone()),
        Event::HaltSet(halt) => push(BAD, "halted", format!("{} by {}", halt.scope, halt.by)),
        Event::HaltLifted { scope, by } => push(GOOD, "resumed", format!("{scope} by {by}")),
        Event::FlattenRequested { scope, by } => push(SO_SO, "flatten", format!("{scope} by {by}")),
        Event::SourceSwitched(switched) => push(SO_SO, "source", switched_text(switched)),
        Event::OperatorActed { by, action, detail } => {
            push(PLAIN, "by hand", format!("{by}: {action} {detail}"));
        }
        Event::CutOffReached(reached) => push(SO_SO, "cut-off", cut_off(reached)),
        Event::DailyLossReached {
            account,
            loss,
            limit,
        } => push(BAD, "daily loss", lost(account, *loss, *limit)),
        Event::PositionReducedOutside(reduced) => push(BAD, "outside", outside(reduced)),
        Event::Started { version } => push(DIM, "started", version.clone()),
        Event::RequestRefused(request) => push(BAD, "refused", request.message.clone()),
        Event::AccountRead { account, .. } => push(DIM, "read", account.to_string()),
    }
}

fn lost(account: &AccountName, loss: Decimal, limit: Decimal) -> String {
    format!("{account} has lost {loss} today, max_daily_loss is {limit}")
}

fn switched_text(switched: &SourceSwitched) -> String {
    let SourceSwitched {
        source,
        on,
        by,
        reason,
    } = switched;
    let word = if *on { "on" } else { "off" };
    let reason = reason.as_deref().map(|reason| format!(": {reason}"));
    format!("{source} {word} by {by}{}", reason.unwrap_or_default())
}

/// What is said of a stop that the guard has looked for.
const LATE: &str = "it was not seen where it should be in time";

fn outside(reduced: &ReducedOutside) -> String {
    let ReducedOutside {
        account,
        symbol,
        deal,
        quantity,
        price,
        reason,
        ..
    } = reduced;
    format!("{quantity} {symbol} in {account} closed at {price} (deal {deal}, {reason})")
}

fn cut_off(reached: &CutOffReached) -> String {
    let what = if reached.in_time {
        "closed"
    } else {
        "too late"
    };
    format!("{} in {}: {what}", reached.symbol, reached.account)
}

fn push_decision(moments: &mut Vec<Moment>, at: Timestamp, decision: &AlertDecision) {
    let peer = match decision.delivery.peer.as_str() {
        "" => String::new(),
        peer => format!(" ({peer})"),
    };
    let previous = if decision.delivery.previous_secret {
        ", with the previous secret"
    } else {
        ""
    };
    let text = format!(
        "{}, for {} from {}{peer}{previous}",
        words::signal(&decision.signal),
        decision.signal.strategy,
        decision.source
    );
    moments.push(Moment::new(decision.received_at, PLAIN, "received", text));
    if let Some(certificate) = &decision.delivery.certificate {
        let proof = if certificate.proven {
            ""
        } else {
            ", whose key the sender has not shown to have"
        };
        let name = certificate.email.as_ref().unwrap_or(&certificate.subject);
        let text = format!(
            "a client certificate that says {name}, key {}{proof}",
            certificate.key
        );
        moments.push(Moment::new(decision.received_at, DIM, "presented", text));
    }
    let word = decision.outcome.as_str();
    let reason = match (&decision.reason, decision.first) {
        (Some(reason), _) => reason.clone(),
        (None, Some(first)) => format!("it repeats {first}"),
        (None, None) => String::from("and committed before any order leaves"),
    };
    moments.push(Moment::new(at, style_of(word), word, reason));
    for verdict in &decision.verdicts {
        moments.push(Moment::new(at, DIM, "rule", format!("  {verdict}")));
    }
    for leg in &decision.legs {
        let word = leg.decision.as_str();
        let text = format!("in {}: {}", leg.account, leg.reason);
        moments.push(Moment::new(at, style_of(word), "leg", text));
        for verdict in &leg.verdicts {
            let text = format!("  {verdict}");
            moments.push(Moment::new(at, DIM, "rule", text));
        }
    }
}

/// The last word about an order.
fn over(at: Timestamp, id: &ClientOrderId, end: OrderEnd, reason: &str) -> Moment {
    let word = words::end(end);
    let reason = if reason.is_empty() { "" } else { ": " }.to_owned() + reason;
    Moment::new(
        at,
        style_of(word),
        "over",
        about(id, format!("{word}{reason}")),
    )
}

fn push_sent(moments: &mut Vec<Moment>, sent_at: Option<Timestamp>, id: &ClientOrderId) {
    if let Some(sent_at) = sent_at {
        moments.push(Moment::new(
            sent_at,
            PLAIN,
            "sent",
            about(id, "to the broker"),
        ));
    }
}

/// A text with the start of an order's id, by which its lines can be told from another's.
fn about(id: &ClientOrderId, text: impl std::fmt::Display) -> String {
    format!("{text} [{}]", short_order_id(&id.to_string()))
}
