//! Taking orders back, wherever they are on their way.

use super::Decision;
use crate::message::{Command, Event, OrderEnd};
use crate::order::{Order, OrderStatus};

/// Takes one order back: before it is sent by forgetting it, at the broker by asking, and where
/// nobody knows, as soon as it is known to rest.
pub(super) fn request(order: &Order, reason: &str) -> Decision {
    let id = order.plan.id;
    let mut decision = Decision::default();
    match order.status {
        OrderStatus::Waiting => decision.push(Event::OrderEnded {
            id,
            end: OrderEnd::Abandoned,
            reason: reason.to_owned(),
            sent_at: None,
        }),
        OrderStatus::Submitting | OrderStatus::Unknown | OrderStatus::Working => {
            if !order.cancel_requested {
                decision.push(Event::CancelRequested {
                    id,
                    reason: reason.to_owned(),
                });
                if order.status == OrderStatus::Working {
                    decision.command(Command::Cancel(Box::new(order.plan.clone())));
                }
            }
        }
        OrderStatus::Filled
        | OrderStatus::Cancelled
        | OrderStatus::Rejected
        | OrderStatus::Expired
        | OrderStatus::Abandoned => {}
    }
    decision
}
