//! The last check before an order leaves: halts, frozen lanes and what was taken back, as of the latest commit.

use std::collections::BTreeSet;

use crate::halt::Halt;
use crate::id::ClientOrderId;
use crate::message::NotSent;
use crate::order::{Lane, OrderClass, OrderPlan, OrderStatus};
use crate::state::State;
use crate::time::Timestamp;

/// What execution looks at just before it sends. The engine has looked before; this is the second path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// The halts in force.
    pub halts: Vec<Halt>,
    /// The lanes with an order of unknown fate.
    pub frozen: BTreeSet<Lane>,
    /// The orders that were taken back while they were on their way here.
    pub taken_back: BTreeSet<ClientOrderId>,
}

impl Gate {
    /// Whether an order may leave now. Exits and protection pass whatever is halted or frozen; what
    /// was taken back does not leave at all.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, plan: &OrderPlan, now: Timestamp) -> Result<(), NotSent> {
        if now >= plan.expires_at {
            return Err(NotSent::Expired);
        }
        if self.taken_back.contains(&plan.id) {
            return Err(NotSent::TakenBack);
        }
        match plan.class {
            OrderClass::Exit | OrderClass::Protection => return Ok(()),
            OrderClass::Entry => {}
        }
        let covered = |halt: &Halt| {
            halt.scope
                .covers(&plan.account, &plan.strategy, &plan.symbol)
        };
        if self.halts.iter().any(covered) {
            return Err(NotSent::Halted);
        }
        if self.frozen.contains(&plan.lane()) {
            return Err(NotSent::LaneFrozen);
        }
        Ok(())
    }
}

impl State {
    /// What execution looks at just before it sends.
    #[must_use]
    pub fn gate(&self) -> Gate {
        let mut gate = Gate {
            halts: self.halts.clone(),
            ..Gate::default()
        };
        for order in self.unsettled_orders() {
            if order.status == OrderStatus::Unknown {
                gate.frozen.insert(order.plan.lane());
            }
            if order.status == OrderStatus::Submitting && order.cancel_requested {
                gate.taken_back.insert(order.plan.id);
            }
        }
        gate
    }
}
