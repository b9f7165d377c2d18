//! What the journal says that has happened, added up from its events without the program's own state.

use std::collections::BTreeMap;

use ponte::journal::{ExportFilter, Reader};
use ponte_core::id::ClientOrderId;
use ponte_core::message::{AlertDecision, Event, OrderEnd};
use ponte_core::order::OrderPlan;
use ponte_venue::Decimal;

/// One order, by its events.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) plan: OrderPlan,
    pub(crate) filled: Decimal,
    pub(crate) acknowledged: bool,
    pub(crate) sent: u32,
    pub(crate) end: Option<OrderEnd>,
}

/// The whole journal.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) alerts: BTreeMap<String, AlertDecision>,
    pub(crate) orders: BTreeMap<String, Recorded>,
    /// Alarms, in their order.
    pub(crate) alarms: Vec<String>,
    pub(crate) starts: usize,
}

impl Record {
    pub(crate) fn read(reader: &Reader) -> Self {
        let mut record = Self::default();
        let each = |row: ponte::journal::EventRow| {
            record.take(serde_json::from_value(row.event).unwrap());
            true
        };
        reader.export(&ExportFilter::default(), each).unwrap();
        record
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::AlertDecided(decision) => {
                let earlier = self.alerts.insert(decision.alert.to_string(), *decision);
                assert!(earlier.is_none(), "decided twice: {earlier:?}");
            }
            Event::OrderPlanned { plan, waits } => {
                let recorded = Recorded {
                    filled: Decimal::ZERO,
                    acknowledged: false,
                    sent: u32::from(!waits),
                    end: None,
                    plan: *plan,
                };
                let earlier = self.orders.insert(recorded.plan.id.to_string(), recorded);
                assert!(earlier.is_none(), "planned twice: {earlier:?}");
            }
            Event::OrderReleased { id, quantity, .. } => {
                let order = self.order(id);
                order.sent += 1;
                order.plan.quantity = quantity.try_into().unwrap();
            }
            Event::OrderAcknowledged { id, .. } => self.order(id).acknowledged = true,
            Event::OrderFilled {
                id,
                quantity,
                total,
                ..
            } => {
                let order = self.order(id);
                order.filled += quantity;
                assert_eq!(
                    order.filled.normalize(),
                    total.normalize(),
                    "{id}: parts and total differ"
                );
            }
            Event::OrderEnded { id, end, .. } => {
                let order = self.order(id);
                assert!(order.end.is_none(), "{id} ended twice");
                order.end = Some(end);
            }
            Event::Alarm { message, .. } => self.alarms.push(message),
            Event::Started { .. } => self.starts += 1,
            Event::OperatorActed { .. } | Event::SourceSwitched(_) => {}
            Event::RequestRefused(_)
            | Event::OrderNotSent { .. }
            | Event::ProtectionLate { .. }
            | Event::OrderUnknown { .. }
            | Event::OrderQuestioned { .. }
            | Event::CancelRequested { .. }
            | Event::AccountRead { .. }
            | Event::HaltSet(_)
            | Event::HaltLifted { .. }
            | Event::FlattenRequested { .. }
            | Event::CutOffReached(_)
            | Event::DailyLossReached { .. }
            | Event::PositionReducedOutside(_) => {}
        }
    }

    fn order(&mut self, id: ClientOrderId) -> &mut Recorded {
        let order = self.orders.get_mut(&id.to_string());
        order.unwrap_or_else(|| panic!("{id} was never planned"))
    }
}
