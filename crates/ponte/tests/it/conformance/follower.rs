//! A listener as the engine is one: it takes what the adapter says by itself, and asks about what
//! is open when something may have been missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ponte::brokers::{Broker, News};
use ponte_core::id::ClientOrderId;
use ponte_core::message::{FindAnswer, OrderReport, ReportedStatus};
use ponte_core::order::OrderPlan;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// The pause between two questions about one order.
const PAUSE: Duration = Duration::from_millis(200);
/// How long something that must happen is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// All that was heard so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What came by itself, in its order.
    pub(super) streamed: Vec<OrderReport>,
    /// How often something may have been missed.
    pub(super) missed: usize,
    /// The orders that somebody placed and that have not ended.
    open: BTreeMap<ClientOrderId, OrderPlan>,
    /// Where each order stands by the farthest report.
    standing: BTreeMap<ClientOrderId, OrderReport>,
    /// Reports that went back behind earlier ones.
    regressions: Vec<String>,
}

pub(super) fn has_ended(report: &OrderReport) -> bool {
    match report.status {
        ReportedStatus::Working => false,
        ReportedStatus::Filled
        | ReportedStatus::Cancelled { .. }
        | ReportedStatus::Rejected { .. } => true,
    }
}

impl Heard {
    fn stream(&mut self, report: OrderReport) {
        let earlier = self.streamed.iter().filter(|told| told.id == report.id);
        let goes_back = earlier.into_iter().any(|told| {
            report.filled < told.filled
                || report.fees < told.fees
                || (has_ended(told) && !has_ended(&report))
        });
        if goes_back {
            self.regressions.push(format!("{report:?}"));
        }
        self.streamed.push(report.clone());
        self.note(report);
    }

    /// Notes a report, unless one that goes farther is known.
    fn note(&mut self, report: OrderReport) {
        if has_ended(&report) {
            self.open.remove(&report.id);
        }
        let farther = |told: &OrderReport| {
            (has_ended(told), told.filled) > (has_ended(&report), report.filled)
        };
        if !self.standing.get(&report.id).is_some_and(farther) {
            self.standing.insert(report.id, report);
        }
    }

    /// Where an order stands by the farthest report.
    pub(super) fn standing(&self, id: ClientOrderId) -> Option<&OrderReport> {
        self.standing.get(&id)
    }
}

/// The listener and what it heard.
pub(super) struct Follower {
    heard: Arc<watch::Sender<Heard>>,
    /// Ends with the follower.
    _tasks: JoinSet<()>,
}

impl Follower {
    /// Begins to listen.
    pub(super) fn start(broker: &Arc<dyn Broker>) -> Self {
        let heard = Arc::new(watch::Sender::new(Heard::default()));
        let (into, news) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let speaker = Arc::clone(broker);
        tasks.spawn(async move { speaker.reports(into).await });
        tasks.spawn(listen(Arc::clone(broker), news, Arc::clone(&heard)));
        Self {
            heard,
            _tasks: tasks,
        }
    }

    /// An order is about to be placed.
    pub(super) fn expect(&self, plan: &OrderPlan) {
        self.heard.send_modify(|heard| {
            heard.open.insert(plan.id, plan.clone());
        });
    }

    /// The adapter answered with a report.
    pub(super) fn note(&self, report: &OrderReport) {
        self.heard.send_modify(|heard| heard.note(report.clone()));
    }

    /// Waits until what was heard fulfils a condition; panics with all that was heard otherwise.
    pub(super) async fn wait_for(&self, what: &str, is_true: impl Fn(&Heard) -> bool) {
        let mut heard = self.heard.subscribe();
        let waited = tokio::time::timeout(PATIENCE, heard.wait_for(|heard| is_true(heard)));
        if waited.await.is_err() {
            panic!("{what} never came; heard: {:#?}", *self.heard.borrow());
        }
    }

    /// Waits until an order has ended, and gives where it stands then.
    pub(super) async fn end_of(&self, id: ClientOrderId) -> OrderReport {
        self.wait_for(&format!("the end of {id}"), |heard| {
            heard.standing(id).is_some_and(has_ended)
        })
        .await;
        self.read(|heard| heard.standing(id).cloned()).unwrap()
    }

    /// Reads what was heard so far; no report may have gone back behind an earlier one.
    pub(super) fn read<T>(&self, question: impl FnOnce(&Heard) -> T) -> T {
        let heard = self.heard.borrow();
        assert_eq!(
            heard.regressions,
            Vec::<String>::new(),
            "reports went back behind earlier ones: {:#?}",
            heard.streamed
        );
        question(&heard)
    }
}

async fn listen(
    broker: Arc<dyn Broker>,
    mut news: mpsc::UnboundedReceiver<News>,
    heard: Arc<watch::Sender<Heard>>,
) {
    let mut owed: BTreeSet<ClientOrderId> = BTreeSet::new();
    loop {
        tokio::select! {
            told = news.recv() => match told {
                Some(News::Order(report)) => heard.send_modify(|heard| heard.stream(report)),
                // Nobody but us trades in these accounts.
                Some(News::Outside(fill)) => panic!("{fill:?}"),
                Some(News::Missed) => {
                    owed.extend(heard.borrow().open.keys());
                    heard.send_modify(|heard| heard.missed += 1);
                }
                None => return,
            },
            () = tokio::time::sleep(PAUSE), if !owed.is_empty() => {
                for id in std::mem::take(&mut owed) {
                    let plan = heard.borrow().open.get(&id).cloned();
                    let Some(plan) = plan else { continue };
                    match broker.find(&plan).await {
                        FindAnswer::Found(report) => heard.send_modify(|heard| heard.note(report)),
                        FindAnswer::Absent => {}
                        FindAnswer::Unanswered(_) => drop(owed.insert(id)),
                    }
                }
            }
        }
    }
}
