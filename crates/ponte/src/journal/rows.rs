//! The rows that queries read, written beside the events.

use ponte_core::id::AlertId;
use ponte_core::message::{AlertDecision, Outcome};
use ponte_core::order::Order;
use ponte_core::time::Timestamp;
use rusqlite::{Connection, params};

/// What an order's present state does not tell.
#[derive(Default, Clone, Copy)]
pub(super) struct Times {
    pub(super) sent_at: Option<Timestamp>,
    pub(super) answered_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// The number of its latest event.
    pub(super) last_seq: i64,
}

/// The first eight bytes as the signed number that SQLite indexes, in the order of the bytes.
pub(super) fn short(bytes: &[u8]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    i64::from_be_bytes(first)
}

/// The range of [`short`] in which the orders of an alert lie.
pub(super) fn short_ids_of(alert: AlertId) -> (i64, i64) {
    let first = i64::try_from(alert.0).unwrap_or(i64::MAX) << 24;
    (first, first | 0xFF_FFFF)
}

/// Writes an alert; a repeat, and one whose id was taken, claim no identity.
pub(super) fn insert_alert(
    connection: &Connection,
    decision: &AlertDecision,
    seq: i64,
    at: Timestamp,
) -> Result<(), rusqlite::Error> {
    let claims = decision.outcome != Outcome::Duplicate && decision.first.is_none();
    let signal = &decision.signal;
    connection
        .prepare_cached(
            "INSERT INTO alerts (id, seq, received_at, decided_at, source, strategy, symbol,
                                 intent, outcome, first, identity, identity_key, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            decision.alert.0,
            seq,
            decision.received_at.0,
            at.0,
            decision.source.as_str(),
            signal.strategy.as_str(),
            signal.symbol.as_ref().map(ponte_core::id::Symbol::as_str),
            signal.intent.name(),
            decision.outcome.as_str(),
            decision.first.map(|first| first.0),
            claims.then(|| short(&decision.identity.key.0)),
            decision.identity.key.0,
            signal.digest.0,
        ])?;
    Ok(())
}

/// Writes an order that was planned in this batch, as it stands at its end.
pub(super) fn insert_order(
    connection: &Connection,
    seq: i64,
    order: &Order,
    times: Times,
) -> Result<(), rusqlite::Error> {
    let plan = &order.plan;
    connection
        .prepare_cached(
            "INSERT INTO orders (seq, last_seq, short_id, id, alert, account, strategy, symbol, class,
                side, quantity, status, is_open, filled, average_price, fees, planned_at,
                sent_at, answered_at, ended_at, attempts, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                ?17, ?18, ?19, ?20, ?21, ?22)",
        )?
        .execute(params![
            seq,
            times.last_seq,
            short(&plan.id.to_bytes()),
            plan.id.to_bytes(),
            plan.alert.map(|alert| alert.0),
            plan.account.as_str(),
            plan.strategy.as_str(),
            plan.symbol.as_str(),
            plan.class.as_str(),
            plan.side.as_str(),
            plan.quantity.to_string(),
            order.status.as_str(),
            !order.status.is_final(),
            order.filled.to_string(),
            order.average_price.to_string(),
            order.fees.to_string(),
            order.planned_at.0,
            times.sent_at.map(|at| at.0),
            times.answered_at.map(|at| at.0),
            times.ended_at.map(|at| at.0),
            order.attempts,
            order.reason,
        ])?;
    Ok(())
}

/// Writes where an order stands now.
pub(super) fn update_order(
    connection: &Connection,
    seq: i64,
    order: &Order,
    times: Times,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "UPDATE orders SET quantity = ?2, status = ?3, is_open = ?4, filled = ?5,
                average_price = ?6, fees = ?7, sent_at = COALESCE(?8, sent_at),
                answered_at = COALESCE(answered_at, ?9), ended_at = COALESCE(ended_at, ?10),
                attempts = ?11, reason = ?12, last_seq = ?13
             WHERE seq = ?1",
        )?
        .execute(params![
            seq,
            order.plan.quantity.to_string(),
            order.status.as_str(),
            !order.status.is_final(),
            order.filled.to_string(),
            order.average_price.to_string(),
            order.fees.to_string(),
            times.sent_at.map(|at| at.0),
            times.answered_at.map(|at| at.0),
            times.ended_at.map(|at| at.0),
            order.attempts,
            order.reason,
            times.last_seq,
        ])?;
    Ok(())
}
