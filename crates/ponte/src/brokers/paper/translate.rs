//! Between the core's words and the venue's.

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::instrument::{Instrument, Instruments, Limits};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::{Order, OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use ponte_core::time::Timestamp;
use ponte_venue as venue;
use rust_decimal::Decimal;

pub(super) fn side(side: Side) -> venue::Side {
    match side {
        Side::Buy => venue::Side::Buy,
        Side::Sell => venue::Side::Sell,
    }
}

fn kind(kind: OrderKind) -> venue::OrderKind {
    match kind {
        OrderKind::Single {
            terms: Terms::Market,
        } => venue::OrderKind::Market,
        OrderKind::Single {
            terms: Terms::Limit { price },
        } => venue::OrderKind::Limit { price: price.get() },
        OrderKind::Single {
            terms: Terms::Stop { trigger },
        } => venue::OrderKind::Stop {
            stop_price: trigger.get(),
        },
        OrderKind::Single {
            terms: Terms::StopLimit { trigger, price },
        } => venue::OrderKind::StopLimit {
            stop_price: trigger.get(),
            price: price.get(),
        },
        OrderKind::OneCancelsOther { stop, target } => venue::OrderKind::OneCancelsOther {
            stop_price: stop.get(),
            target_price: target.get(),
        },
        OrderKind::TrailingStop { distance_percent } => venue::OrderKind::TrailingStop {
            callback_bps: basis_points(distance_percent),
            activation_price: None,
        },
    }
}

/// A percentage as the venue counts.
pub(super) fn basis_points(percent: Decimal) -> Decimal {
    percent * Decimal::ONE_HUNDRED
}

pub(super) fn request(plan: &OrderPlan) -> venue::OrderRequest {
    venue::OrderRequest {
        client_order_id: plan.id.to_string(),
        symbol: plan.symbol.as_str().to_owned(),
        side: side(plan.side),
        quantity: plan.quantity.get(),
        kind: kind(plan.kind),
        time_in_force: venue::TimeInForce::Gtc,
        reduce_only: plan.reduce_only,
        reference_price: None,
        valid_until: None,
    }
}

/// An order of the journal as the venue is told to remember it.
pub(super) fn seed(order: &Order) -> venue::OpenOrderSeed {
    venue::OpenOrderSeed {
        request: request(&order.plan),
        filled_quantity: order.filled,
        average_price: (!order.filled.is_zero()).then_some(order.average_price),
        venue_order_id: order
            .broker_order_id
            .as_ref()
            .and_then(|id| id.parse().ok())
            .map(venue::VenueOrderId),
        phase: None,
        accepted_at: venue::Micros(order.planned_at.0),
    }
}

/// Where an order stands; `None` for an order that isn't one of ours.
pub(super) fn report(order: &venue::Order) -> Option<OrderReport> {
    let id: ClientOrderId = order.request.client_order_id.parse().ok()?;
    let status = match order.status {
        venue::OrderStatus::Open => ReportedStatus::Working,
        venue::OrderStatus::Filled => ReportedStatus::Filled,
        venue::OrderStatus::Cancelled(reason) => ReportedStatus::Cancelled {
            reason: match reason {
                venue::CancelReason::Requested => "as requested".to_owned(),
                venue::CancelReason::NothingToReduce => "no position left to reduce".to_owned(),
                venue::CancelReason::OutOfRange => "numbers out of range".to_owned(),
            },
        },
        venue::OrderStatus::Expired(_) => ReportedStatus::Cancelled {
            reason: "expired at the venue".to_owned(),
        },
    };
    Some(OrderReport {
        id,
        broker_order_id: order.venue_order_id.0.to_string(),
        status,
        filled: order.filled_quantity,
        average_price: order.average_price().unwrap_or_default(),
        fees: order
            .fills
            .iter()
            .fold(Decimal::ZERO, |sum, fill| sum + fill.fee),
        withheld: Decimal::ZERO,
        at: Timestamp(order.changed_at.0),
    })
}

pub(super) fn instrument(from: &venue::Instrument) -> Option<Instrument> {
    Some(Instrument {
        symbol: Symbol::new(&from.symbol).ok()?,
        price_tick: from.price_tick,
        quantity_step: from.quantity_step,
        minimum_quantity: from.minimum_quantity,
        minimum_notional: from.minimum_notional,
        contract_multiplier: from.contract_multiplier,
        limits: Limits::default(),
    })
}

/// The venue's instruments as an adapter lists them.
pub(super) fn instruments(
    listed: &[venue::Instrument],
    any_other: Option<&venue::Instrument>,
) -> Instruments {
    Instruments {
        listed: listed
            .iter()
            .filter_map(instrument)
            .map(|instrument| (instrument.symbol.clone(), instrument))
            .collect(),
        any_other: any_other.and_then(instrument).map(Box::new),
    }
}

pub(super) fn to_venue_instrument(from: &Instrument) -> venue::Instrument {
    venue::Instrument {
        symbol: from.symbol.as_str().to_owned(),
        price_tick: from.price_tick,
        quantity_step: from.quantity_step,
        minimum_quantity: from.minimum_quantity,
        minimum_notional: from.minimum_notional,
        contract_multiplier: from.contract_multiplier,
    }
}
