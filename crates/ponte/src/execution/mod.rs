//! Execution: committed commands are carried out, and what the broker says becomes an input.
//!
//! It decides nothing. There is one lane per account and symbol: exits go before entries, and a
//! slow answer holds up nobody else. Before each order leaves, the gate is looked at once more.

mod lane;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ponte_core::id::{AccountName, ClientOrderId};
use ponte_core::message::{CancelAnswer, Command, FindAnswer, Input};
use ponte_core::order::{Lane, OrderPlan};
use ponte_core::time::Timestamp;
use tokio::sync::mpsc;

use crate::brokers::Broker;
use crate::engine::{Committed, Engine};
use crate::metrics::Metrics;

/// How long a broker may take to answer before the fate of an order counts as unknown.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(10);
/// How long a broker may take to answer a question or a cancellation.
const ASK_PATIENCE: Duration = Duration::from_secs(10);

/// The brokers by account.
pub type Brokers = BTreeMap<AccountName, Arc<dyn Broker>>;

/// An order on its way, with the moment of its commit.
struct Ticket {
    plan: Box<OrderPlan>,
    committed_at: Timestamp,
}

/// What all lanes share.
struct Shared {
    engine: Engine,
    brokers: Brokers,
    metrics: Arc<Metrics>,
    /// Orders that are queued or being sent here. While an order is in hand, a broker's "I don't
    /// have it" means nothing, and a second submission of it would be a second order.
    in_hand: Mutex<BTreeSet<ClientOrderId>>,
}

impl Shared {
    fn in_hand(&self) -> MutexGuard<'_, BTreeSet<ClientOrderId>> {
        // The set is whole between any two of its operations.
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out commands until their sender is gone.
pub async fn run(
    engine: Engine,
    brokers: Brokers,
    metrics: Arc<Metrics>,
    mut commands: mpsc::UnboundedReceiver<Committed>,
) {
    let shared = Arc::new(Shared {
        engine,
        brokers,
        metrics,
        in_hand: Mutex::new(BTreeSet::new()),
    });
    let mut lanes: BTreeMap<Lane, mpsc::UnboundedSender<Ticket>> = BTreeMap::new();
    while let Some(committed) = commands.recv().await {
        for command in committed.commands {
            match command {
                Command::Submit(plan) => {
                    let ticket = Ticket {
                        plan,
                        committed_at: committed.at,
                    };
                    submit(&shared, &mut lanes, ticket);
                }
                Command::Find(plan) => {
                    tokio::spawn(find(shared.clone(), plan));
                }
                Command::Cancel(plan) => {
                    tokio::spawn(cancel(shared.clone(), plan));
                }
                Command::Notify(message) => tracing::warn!(target: "ponte::notice", "{message}"),
            }
        }
    }
}

fn submit(
    shared: &Arc<Shared>,
    lanes: &mut BTreeMap<Lane, mpsc::UnboundedSender<Ticket>>,
    ticket: Ticket,
) {
    if !shared.in_hand().insert(ticket.plan.id) {
        tracing::error!(order.id = %ticket.plan.id, "an order was handed over twice; it is sent once");
        return;
    }
    shared.metrics.lanes.inc();
    let lane = ticket.plan.lane();
    let sender = lanes.entry(lane).or_insert_with(|| {
        let (sender, tickets) = mpsc::unbounded_channel();
        tokio::spawn(lane::run(shared.clone(), tickets));
        sender
    });
    // A lane ends only with its sender.
    let _ = sender.send(ticket);
}

async fn find(shared: Arc<Shared>, plan: Box<OrderPlan>) {
    let id = plan.id;
    let answer = match shared.brokers.get(&plan.account) {
        _ if shared.in_hand().contains(&id) => {
            FindAnswer::Unanswered("it is still being sent".to_owned())
        }
        Some(broker) => tokio::time::timeout(ASK_PATIENCE, broker.find(&plan))
            .await
            .unwrap_or_else(|_| FindAnswer::Unanswered("the broker did not answer".to_owned())),
        None => FindAnswer::Unanswered(not_configured(&plan.account)),
    };
    // It may have been handed over while the broker was asked.
    let overtaken = answer == FindAnswer::Absent && shared.in_hand().contains(&id);
    let answer = if overtaken {
        FindAnswer::Unanswered("it is still being sent".to_owned())
    } else {
        answer
    };
    shared.engine.tell(Input::Found { id, answer });
}

async fn cancel(shared: Arc<Shared>, plan: Box<OrderPlan>) {
    let id = plan.id;
    let answer = match shared.brokers.get(&plan.account) {
        Some(broker) => tokio::time::timeout(ASK_PATIENCE, broker.cancel(&plan))
            .await
            .unwrap_or_else(|_| CancelAnswer::Unanswered("the broker did not answer".to_owned())),
        None => CancelAnswer::Unanswered(not_configured(&plan.account)),
    };
    shared.engine.tell(Input::CancelAnswered { id, answer });
}

fn not_configured(account: &AccountName) -> String {
    format!("account {account} is not in the configuration any more")
}
