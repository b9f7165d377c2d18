//! What a behaviour works with: an account at a venue, a listener, and the auditor's comparison.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ponte::brokers::{Answer, Broker, BrokerError};
use ponte::clock;
use ponte_core::fate::Fate;
use ponte_core::id::{AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::message::{CancelAnswer, FindAnswer, OrderReport};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::policy::Capabilities;
use ponte_core::signal::{Protection, Side, Terms};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use std::time::Duration;
use tokio::sync::Semaphore;

use super::follower::{Follower, PATIENCE, has_ended};
use super::subject::{AuditedOrder, Depth, Facts, Fault, Operation, Stage, Subject};
use super::words::Why;

/// The pause between two looks at something that nobody announces.
const STEP: Duration = Duration::from_millis(20);
/// How many accounts are opened at a time: it is most of the work, and orders that are under way
/// meanwhile must not run into their time-outs.
static OPENING: Semaphore = Semaphore::const_new(2);
/// Decimals to which averages and sums of money are compared: more than any venue pays out.
const COMPARED_DECIMALS: u32 = 7;

/// One account at one venue, listened to.
pub(super) struct Desk {
    pub(super) stage: Arc<dyn Stage>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) follower: Follower,
    pub(super) facts: Facts,
    pub(super) abilities: Capabilities,
    /// When the adapter was there: what came before it was sent by an earlier process.
    pub(super) opened_at: Timestamp,
    next_alert: AtomicU64,
}

impl Desk {
    /// A fresh account in a market whose prices are told; the stream of reports is established.
    pub(super) async fn open(subject: &dyn Subject, depth: Depth) -> Self {
        let opening = OPENING.acquire().await;
        let opened_at = clock::now();
        let stage = subject.open(depth).await;
        let facts = stage.facts().clone();
        stage.tell_price(&facts.symbol, facts.price).await;
        stage.tell_price(&facts.other, facts.other_price).await;
        let broker = stage.broker();
        let follower = Follower::start(&broker);
        let desk = Self {
            abilities: broker.capabilities(),
            stage,
            broker,
            follower,
            facts,
            opened_at,
            next_alert: AtomicU64::new(1),
        };
        // An adapter says so when its stream begins: what came before may have been missed.
        desk.follower
            .wait_for("the stream of reports", |heard| heard.missed > 0)
            .await;
        drop(opening);
        desk
    }

    /// Waits for something that nobody announces.
    pub(super) async fn wait<F: Future<Output = bool>>(&self, what: &str, is_true: impl Fn() -> F) {
        let looking = async {
            while !is_true().await {
                tokio::time::sleep(STEP).await;
            }
        };
        if tokio::time::timeout(PATIENCE, looking).await.is_err() {
            panic!(
                "{what} never came; the venue knows {:#?}",
                self.stage.audit().await
            );
        }
    }

    /// The first price moved by so many hundredths of a percent.
    pub(super) fn price(&self, basis_points: i64) -> Price {
        let moved = self.facts.price * (Decimal::ONE + Decimal::new(basis_points, 4));
        Price::new(moved.round()).unwrap()
    }

    /// Moves the market to the first price moved by so many hundredths of a percent.
    pub(super) async fn move_to(&self, basis_points: i64) {
        let price = self.price(basis_points);
        self.stage.tell_price(&self.facts.symbol, price.get()).await;
    }

    pub(super) fn lots(&self, count: u32) -> Decimal {
        self.facts.lot * Decimal::from(count)
    }

    /// An order of an id of its own.
    pub(super) fn order(
        &self,
        class: OrderClass,
        side: Side,
        lots: u32,
        kind: OrderKind,
    ) -> OrderPlan {
        let alert = AlertId(self.next_alert.fetch_add(1, Ordering::Relaxed));
        let account = self.facts.account.clone();
        let plan = OrderPlan {
            id: ClientOrderId::derive(
                alert,
                &[account.as_str().as_bytes(), &alert.0.to_be_bytes()],
            ),
            account,
            strategy: StrategyName::unnamed(),
            symbol: self.facts.symbol.clone(),
            side,
            quantity: Quantity::new(self.lots(lots)).unwrap(),
            kind,
            class,
            protection: Protection::default(),
            reference_price: Some(Price::new(self.facts.price).unwrap()),
            origin: Origin::Alert(alert),
            alert: Some(alert),
            expires_at: clock::now().after(Duration::from_secs(600)),
            after: Vec::new(),
            replaces: None,
            instead_of: Vec::new(),
            multiplier: Decimal::ONE,
            reduce_only: false,
        };
        self.stage.intends(&plan);
        plan
    }

    pub(super) fn buy(&self, lots: u32) -> OrderPlan {
        self.order(OrderClass::Entry, Side::Buy, lots, OrderKind::MARKET)
    }

    pub(super) fn exit(&self, lots: u32) -> OrderPlan {
        self.order(OrderClass::Exit, Side::Sell, lots, OrderKind::MARKET)
    }

    pub(super) fn buy_limit(&self, lots: u32, basis_points: i64) -> OrderPlan {
        let price = self.price(basis_points);
        let kind = single(Terms::Limit { price });
        self.order(OrderClass::Entry, Side::Buy, lots, kind)
    }

    /// What protects a long position, by whichever kind.
    pub(super) fn protect(&self, lots: u32, kind: OrderKind) -> OrderPlan {
        let plan = self.order(OrderClass::Protection, Side::Sell, lots, kind);
        OrderPlan {
            reduce_only: self.abilities.resting_reduce_only,
            ..plan
        }
    }

    pub(super) fn stop(&self, lots: u32, basis_points: i64) -> OrderPlan {
        let trigger = self.price(basis_points);
        self.protect(lots, single(Terms::Stop { trigger }))
    }

    pub(super) fn bracket(&self, lots: u32, stop: i64, target: i64) -> OrderPlan {
        let (stop, target) = (self.price(stop), self.price(target));
        self.protect(lots, OrderKind::OneCancelsOther { stop, target })
    }

    /// Hands an order over.
    pub(super) async fn submit(&self, plan: &OrderPlan) -> Fate {
        self.follower.expect(plan);
        self.stage.intends(plan);
        let fate = self.broker.submit(plan).await;
        if let Fate::Acknowledged { report } = &fate {
            assert_eq!(
                report.id, plan.id,
                "the acknowledgement names another order"
            );
            self.follower.note(report);
        }
        fate
    }

    /// Hands an order over, which must be acknowledged; one that was certainly not sent is handed
    /// over again, as the engine does.
    pub(super) async fn acknowledged(&self, plan: &OrderPlan) -> OrderReport {
        let sending = async {
            loop {
                match self.submit(plan).await {
                    Fate::Acknowledged { report } => return report,
                    Fate::NotSent { .. } => tokio::time::sleep(STEP).await,
                    fate @ (Fate::Rejected { .. } | Fate::Unknown { .. }) => {
                        panic!("expected an acknowledgement of {plan:?}, got {fate:?}")
                    }
                }
            }
        };
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(report) => report,
            Err(_) => panic!(
                "{plan:?} is never sent: {:?}",
                self.broker.submit(plan).await
            ),
        }
    }

    /// Hands an order over that must be filled, and agrees with the auditor about it.
    pub(super) async fn filled(&self, plan: &OrderPlan) -> OrderReport {
        self.acknowledged(plan).await;
        self.ends_filled(plan).await
    }

    /// Waits until an order is filled, and agrees with the auditor about it.
    pub(super) async fn ends_filled(&self, plan: &OrderPlan) -> OrderReport {
        let report = self.follower.end_of(plan.id).await;
        assert_eq!(
            report.filled,
            plan.quantity.get(),
            "not all of it was filled: {report:?}"
        );
        self.agree(plan, &report).await;
        report
    }

    /// Hands over an order that must rest untouched.
    pub(super) async fn resting(&self, plan: &OrderPlan) -> OrderReport {
        let report = self.acknowledged(plan).await;
        assert!(
            !has_ended(&report) && report.filled.is_zero(),
            "it doesn't rest: {report:?}"
        );
        assert!(
            self.audited(plan).await.is_open,
            "the venue doesn't have it"
        );
        report
    }

    /// Cancels an order, which the adapter must be certain about.
    pub(super) async fn cancelled(&self, plan: &OrderPlan) {
        match self.broker.cancel(plan).await {
            CancelAnswer::Done(report) => self.follower.note(&report),
            CancelAnswer::NotOpen => {}
            CancelAnswer::Unanswered(why) => panic!("the cancellation has no answer: {why}"),
        }
        self.wait("the end of a cancelled order", || async {
            !self.audited(plan).await.is_open
        })
        .await;
    }

    /// Lets prices below a resting purchase come until all of it is filled, a piece with each.
    pub(super) async fn fill_by_pieces(&self, plan: &OrderPlan) {
        self.wait("the whole order's fill", || async {
            self.move_to(-200).await;
            self.move_to(-210).await;
            !self.audited(plan).await.is_open
        })
        .await;
    }

    /// Asks about an order until the answer is definite.
    pub(super) async fn truth(&self, plan: &OrderPlan) -> FindAnswer {
        let last = std::sync::Mutex::new(String::new());
        let asking = async {
            loop {
                match self.broker.find(plan).await {
                    FindAnswer::Unanswered(why) => {
                        *last.lock().unwrap() = why;
                        tokio::time::sleep(10 * STEP).await;
                    }
                    answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => return answer,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer,
            Err(_) => panic!(
                "no definite answer about {}: {}",
                plan.id,
                last.lock().unwrap()
            ),
        }
    }

    /// Asks about an order until it is found.
    pub(super) async fn found(&self, plan: &OrderPlan) -> OrderReport {
        match self.truth(plan).await {
            FindAnswer::Found(report) => {
                assert_eq!(report.id, plan.id, "the answer is about another order");
                self.follower.note(&report);
                report
            }
            answer @ (FindAnswer::Absent | FindAnswer::Unanswered(_)) => {
                panic!("expected to find {plan:?}, got {answer:?}")
            }
        }
    }

    /// The one order that the venue has under a plan's id.
    pub(super) async fn audited(&self, plan: &OrderPlan) -> AuditedOrder {
        let audit = self.stage.audit().await;
        match audit.of(plan.id).as_slice() {
            [order] => (*order).clone(),
            orders => panic!(
                "the venue has {} orders under {}: {orders:#?}",
                orders.len(),
                plan.id
            ),
        }
    }

    /// How many orders the venue ever had under a plan's id.
    pub(super) async fn count(&self, plan: &OrderPlan) -> usize {
        self.stage.audit().await.of(plan.id).len()
    }

    pub(super) async fn position(&self) -> Decimal {
        self.stage.audit().await.position(&self.facts.symbol)
    }

    /// A report says exactly what the venue knows.
    pub(super) async fn agree(&self, plan: &OrderPlan, report: &OrderReport) {
        let audited = self.audited(plan).await;
        let compared = |number: Decimal| number.round_dp(COMPARED_DECIMALS).normalize();
        assert_eq!(audited.symbol, plan.symbol);
        assert_eq!(report.id, plan.id);
        assert_eq!(report.filled, audited.executed, "filled: {report:?}");
        let value = report.average_price * report.filled;
        assert_eq!(
            compared(value),
            compared(audited.value),
            "value: {report:?} {audited:?}"
        );
        assert_eq!(
            compared(report.fees),
            compared(audited.fees),
            "fees: {report:?} {audited:?}"
        );
        assert_eq!(
            report.withheld, audited.withheld,
            "withheld: {report:?} {audited:?}"
        );
        assert_eq!(
            has_ended(report),
            !audited.is_open,
            "{report:?} {audited:?}"
        );
        assert!(
            !report.broker_order_id.is_empty(),
            "no id of the broker: {report:?}"
        );
    }

    /// Has the venue misbehave once.
    pub(super) async fn fault(&self, operation: Operation, fault: Fault) -> Result<(), Why> {
        self.stage.order_fault(operation, fault, 1).await
    }
}

/// What the broker tells in the end: that it has not in time is no wrong answer, and is asked again.
pub(super) async fn answered<T, F>(ask: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, BrokerError>>,
{
    let asking = async {
        loop {
            match ask().await {
                Err(BrokerError::Unanswered(_)) => tokio::time::sleep(10 * STEP).await,
                told => return told.unwrap(),
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, asking).await;
    told.expect("the broker tells")
}

pub(super) const fn single(terms: Terms) -> OrderKind {
    OrderKind::Single { terms }
}

/// How a behaviour went; it panics where the adapter does not behave.
pub(super) type Outcome = Result<(), Why>;
/// A behaviour under way.
pub(super) type Run = Answer<'static, Outcome>;

/// The symbol of a plan, changed.
pub(super) fn in_symbol(plan: OrderPlan, symbol: &Symbol) -> OrderPlan {
    OrderPlan {
        symbol: symbol.clone(),
        ..plan
    }
}
