//! The engine's orders as the venue reads them, and the venue's as the engine reads reports.

use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::{OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use ponte_core::time::Timestamp;
use ponte_venue::Micros;
use rust_decimal::Decimal;

pub(super) fn translate(plan: &OrderPlan, valid_until: i64) -> ponte_venue::OrderRequest {
    let kind = match plan.kind {
        OrderKind::Single { terms } => match terms {
            Terms::Market => ponte_venue::OrderKind::Market,
            Terms::Limit { price } => ponte_venue::OrderKind::Limit { price: price.get() },
            Terms::Stop { trigger } => ponte_venue::OrderKind::Stop {
                stop_price: trigger.get(),
            },
            Terms::StopLimit { trigger, price } => ponte_venue::OrderKind::StopLimit {
                stop_price: trigger.get(),
                price: price.get(),
            },
        },
        OrderKind::OneCancelsOther { stop, target } => ponte_venue::OrderKind::OneCancelsOther {
            stop_price: stop.get(),
            target_price: target.get(),
        },
        OrderKind::TrailingStop { .. } => panic!("the simulated broker can't trail"),
    };
    let side = match plan.side {
        Side::Buy => ponte_venue::Side::Buy,
        Side::Sell => ponte_venue::Side::Sell,
    };
    ponte_venue::OrderRequest {
        valid_until: Some(Micros(valid_until)),
        reduce_only: plan.reduce_only,
        ..ponte_venue::OrderRequest::market(
            &plan.id.to_string(),
            plan.symbol.as_str(),
            side,
            plan.quantity.get(),
        )
        .with_kind(kind)
    }
}

pub(super) fn report_of(order: &ponte_venue::Order) -> OrderReport {
    let status = match order.status {
        ponte_venue::OrderStatus::Open => ReportedStatus::Working,
        ponte_venue::OrderStatus::Filled => ReportedStatus::Filled,
        ponte_venue::OrderStatus::Cancelled(reason) => ReportedStatus::Cancelled {
            reason: format!("{reason:?}"),
        },
        ponte_venue::OrderStatus::Expired(reason) => ReportedStatus::Cancelled {
            reason: format!("{reason:?}"),
        },
    };
    OrderReport {
        id: order.request.client_order_id.parse().unwrap(),
        broker_order_id: order.venue_order_id.to_string(),
        status,
        filled: order.filled_quantity,
        average_price: order.average_price().unwrap_or_default(),
        fees: order.fills.iter().map(|fill| fill.fee).sum(),
        withheld: Decimal::ZERO,
        at: Timestamp(order.changed_at.0),
    }
}
