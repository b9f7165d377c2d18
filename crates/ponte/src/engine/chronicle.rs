//! The log's lines about what has become of orders, each with the alert behind it.

use ponte_core::id::{AlertId, ClientOrderId};
use ponte_core::message::{Event, OrderEnd, ReducedOutside};
use ponte_core::order::OrderClass;
use ponte_core::state::State;

/// One line, written once its event is durable.
pub(super) struct Line {
    alert: Option<AlertId>,
    order: Option<ClientOrderId>,
    text: String,
    is_alarm: bool,
}

impl Line {
    /// The line about an event, if it is one that people want to read. What is usual has its line
    /// where it is done: the answer in intake, the acknowledgement in execution.
    pub(super) fn about(event: &Event, state: &State) -> Option<Self> {
        let (text, is_alarm) = match event {
            Event::OrderUnknown { why, .. } => (format!("fate unknown: {why}"), true),
            Event::OrderNotSent { why, .. } => (format!("tried again later: {why}"), false),
            Event::OrderQuestioned { .. } => ("the broker is asked about it".to_owned(), false),
            Event::CancelRequested { reason, .. } => (format!("taken back: {reason}"), false),
            Event::ProtectionLate { .. } => (
                "it was not seen where it should be in time".to_owned(),
                true,
            ),
            Event::OrderReleased { .. } => return None,
            Event::OrderEnded {
                end: OrderEnd::Filled,
                ..
            } => return None,
            Event::OrderEnded {
                id, end, reason, ..
            } => (
                format!("{}: {reason}", word(*end)),
                !was_expected(*id, *end, state),
            ),
            Event::Alarm { message, .. } => (message.clone(), true),
            // What is counted has its alarm.
            Event::PositionReducedOutside(reduced) if reduced.quantity.is_zero() => {
                let ReducedOutside {
                    account,
                    symbol,
                    deal,
                    reason,
                    ..
                } = reduced;
                let said =
                    format!("deal {deal} in {symbol} at {account} ({reason}) changes no position");
                (said, false)
            }
            Event::Started { .. }
            | Event::RequestRefused(_)
            | Event::AlertDecided(_)
            | Event::OperatorActed { .. }
            | Event::SourceSwitched(_)
            | Event::OrderPlanned { .. }
            | Event::OrderAcknowledged { .. }
            | Event::OrderFilled { .. }
            | Event::AccountRead { .. }
            | Event::HaltSet(_)
            | Event::HaltLifted { .. }
            | Event::FlattenRequested { .. }
            | Event::CutOffReached(_)
            | Event::DailyLossReached { .. }
            | Event::PositionReducedOutside(_) => return None,
        };
        let order = event.order_id();
        let behind = order
            .and_then(|id| state.order(&id))
            .and_then(|order| order.plan.alert);
        let named = if let Event::Alarm { alert, .. } = event {
            *alert
        } else {
            None
        };
        let alert = named.or(behind);
        Some(Self {
            alert,
            order,
            text,
            is_alarm,
        })
    }

    /// Writes it.
    pub(super) fn write(self) {
        let alert = self.alert.map(tracing::field::display);
        let order = self.order.map(tracing::field::display);
        if self.is_alarm {
            tracing::warn!(alert.id = alert, order.id = order, "{}", self.text);
        } else {
            tracing::info!(alert.id = alert, order.id = order, "{}", self.text);
        }
    }
}

/// Whether an end is what was asked for here. What a broker takes away of protection has an alarm of
/// its own, unless it made way for an exit.
fn was_expected(id: ClientOrderId, end: OrderEnd, state: &State) -> bool {
    match end {
        OrderEnd::Filled | OrderEnd::Abandoned => true,
        OrderEnd::Rejected | OrderEnd::Expired => false,
        OrderEnd::Cancelled => state
            .order(&id)
            .is_some_and(|order| match order.plan.class {
                OrderClass::Protection => true,
                OrderClass::Entry | OrderClass::Exit => order.cancel_requested,
            }),
    }
}

const fn word(end: OrderEnd) -> &'static str {
    match end {
        OrderEnd::Filled => "filled",
        OrderEnd::Cancelled => "cancelled",
        OrderEnd::Rejected => "rejected",
        OrderEnd::Expired => "expired",
        OrderEnd::Abandoned => "not sent",
    }
}
