//! One lane: exits before entries, one of each on its way at a time.

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

/// Sends the lane's orders until its sender is gone and all are sent. Exits wait for exits only;
/// entries start when no exit waits or is on its way.
pub(super) async fn run(shared: Arc<Shared>, mut tickets: mpsc::UnboundedReceiver<Ticket>) {
    let mut exits: VecDeque<Ticket> = VecDeque::new();
    let mut entries: VecDeque<Ticket> = VecDeque::new();
    let mut exit_on_its_way: Option<Sending> = None;
    let mut entry_on_its_way: Option<Sending> = None;
    let mut open = true;
    loop {
        if exit_on_its_way.is_none()
            && let Some(ticket) = exits.pop_front()
        {
            exit_on_its_way = Some(Box::pin(send(shared.clone(), ticket)));
        }
        if exit_on_its_way.is_none()
            && entry_on_its_way.is_none()
            && let Some(ticket) = entries.pop_front()
        {
            entry_on_its_way = Some(Box::pin(send(shared.clone(), ticket)));
        }
        if !open && exit_on_its_way.is_none() && entry_on_its_way.is_none() {
            return;
        }
        tokio::select! {
            biased;
            ticket = tickets.recv(), if open => match ticket {
                Some(ticket) => match ticket.plan.class {
                    OrderClass::Exit | OrderClass::Protection => exits.push_back(ticket),
                    OrderClass::Entry => entries.push_back(ticket),
                },
                None => open = false,
            },
            () = done(&mut exit_on_its_way) => exit_on_its_way = None,
            () = done(&mut entry_on_its_way) => entry_on_its_way = None,
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
            broker.id = report.broker_order_id, filled = %report.filled, "order acknowledged"
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
