//! One lane: exits and protection before entries, one of each on its way at a time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ponte_core::message::{Fate, Input, NotSent};
use ponte_core::order::OrderClass;
use tokio::sync::mpsc;

use super::{SUBMIT_PATIENCE, Shared, Ticket, not_configured};
use crate::clock;

type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One class of orders in a lane: those that wait, and the one on its way.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Ticket>,
    sending: Option<Sending>,
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.sending.is_none()
    }

    /// Sends the next one, unless one is on its way.
    fn send_next(&mut self, shared: &Arc<Shared>) {
        if self.sending.is_none()
            && let Some(ticket) = self.waiting.pop_front()
        {
            self.sending = Some(Box::pin(send(shared.clone(), ticket)));
        }
    }
}

/// Sends the lane's orders until its sender is gone and all are sent. Exits wait for exits only,
/// protection for protection only: neither may stand in the way of the other. Entries start when
/// nothing of both waits or is on its way.
pub(super) async fn run(shared: Arc<Shared>, mut tickets: mpsc::UnboundedReceiver<Ticket>) {
    let mut exits = Queue::default();
    let mut protection = Queue::default();
    let mut entries = Queue::default();
    let mut open = true;
    loop {
        exits.send_next(&shared);
        protection.send_next(&shared);
        if exits.is_idle() && protection.is_idle() {
            entries.send_next(&shared);
        }
        if !open && exits.is_idle() && protection.is_idle() && entries.is_idle() {
            return;
        }
        tokio::select! {
            biased;
            ticket = tickets.recv(), if open => match ticket {
                Some(ticket) => match ticket.plan.class {
                    OrderClass::Exit => exits.waiting.push_back(ticket),
                    OrderClass::Protection => protection.waiting.push_back(ticket),
                    OrderClass::Entry => entries.waiting.push_back(ticket),
                },
                None => open = false,
            },
            () = done(&mut exits.sending) => exits.sending = None,
            () = done(&mut protection.sending) => protection.sending = None,
            () = done(&mut entries.sending) => entries.sending = None,
        }
    }
}

/// Ends when what is on its way has an answer; never, when nothing is.
async fn done(sending: &mut Option<Sending>) {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

/// Looks at the gate once more, sends, and tells the engine what became of it.
async fn send(shared: Arc<Shared>, ticket: Ticket) {
    let Ticket { plan, committed_at } = ticket;
    let id = plan.id;
    let sent_at = clock::now();
    let fate = match shared.engine.gate().check(&plan, sent_at) {
        Err(why) => Fate::NotSent { why },
        Ok(()) => match shared.brokers.get(&plan.account) {
            Some(broker) => tokio::time::timeout(SUBMIT_PATIENCE, broker.submit(&plan))
                .await
                .unwrap_or_else(|_| Fate::Unknown {
                    why: format!("no answer within {} s", SUBMIT_PATIENCE.as_secs()),
                }),
            None => Fate::NotSent {
                why: NotSent::Unreachable(not_configured(&plan.account)),
            },
        },
    };
    let answered_at = clock::now();
    shared.metrics.lanes.dec();
    shared
        .metrics
        .submitted(&fate, committed_at, sent_at, answered_at);
    log(&plan, &fate);
    // The order leaves the hand before the engine hears of it: its next command may follow at once.
    shared.in_hand().remove(&id);
    shared.engine.tell(Input::Submitted {
        id,
        fate,
        sent_at,
        answered_at,
    });
}

fn log(plan: &ponte_core::order::OrderPlan, fate: &Fate) {
    let alert = plan.alert.map(|alert| alert.to_string());
    let (order, account, symbol) = (plan.id, &plan.account, &plan.symbol);
    match fate {
        Fate::Acknowledged { report } => tracing::info!(
            alert.id = alert, order.id = %order, account.id = %account, %symbol,
            broker.id = report.broker_order_id, filled = %report.filled.normalize(), "order acknowledged"
        ),
        Fate::Rejected { reason } => tracing::warn!(
            alert.id = alert, order.id = %order, account.id = %account, %symbol,
            reason, "order rejected"
        ),
        Fate::NotSent { why } => tracing::warn!(
            alert.id = alert, order.id = %order, account.id = %account, %symbol,
            reason = %why, "order not sent"
        ),
        Fate::Unknown { why } => tracing::warn!(
            alert.id = alert, order.id = %order, account.id = %account, %symbol,
            reason = why, "order's fate unknown"
        ),
    }
}
