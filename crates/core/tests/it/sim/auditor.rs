//! The auditor: reads what TradingView sent and heard, what the journal says, what left on the
//! wire and what the venue did, and holds them against each other. It shares no code with `decide`.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::halt::Halt;
use ponte_core::id::{ClientOrderId, Digest};
use ponte_core::message::{AlertDecision, Event, Outcome};
use ponte_core::order::{Lane, OrderClass, OrderPlan, Origin};
use ponte_core::signal::Intent;
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use ponte_core::verdict::{Rule, Ruling};
use rust_decimal::Decimal;

use super::Summary;
use super::audit_fates;
use super::broker::Broker;
use super::execution::Sent;
use super::sender::{Answer, SentAlert};
use super::setting::{ACCOUNTS, MAX_ORDER_QUANTITY, S3_FACTOR};

/// Everything there is to know of a run that has come to rest.
pub(super) struct Evidence<'a> {
    pub(super) alerts: &'a [SentAlert],
    pub(super) journal: &'a [(Timestamp, Event)],
    pub(super) wire: &'a [Sent],
    pub(super) broker: &'a Broker,
    pub(super) state: &'a State,
    pub(super) crashes: usize,
}

pub(super) type Audit = Result<(), String>;

/// Fails with a sentence unless something holds.
pub(super) fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Audit {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// The journal, as the auditor reads it.
pub(super) struct Books<'a> {
    pub(super) decisions: BTreeMap<u64, &'a AlertDecision>,
    pub(super) plans: BTreeMap<ClientOrderId, &'a OrderPlan>,
    /// What was traded by the journal, per order.
    pub(super) traded: BTreeMap<ClientOrderId, Decimal>,
    pub(super) alarms: usize,
    pub(super) unknown: usize,
}

pub(super) fn audit(evidence: &Evidence<'_>) -> Result<Summary, String> {
    let books = read(evidence.journal)?;
    answers(evidence, &books)?;
    one_decision_per_alert(evidence, &books)?;
    wire(evidence)?;
    venue_orders(evidence, &books)?;
    sizes(evidence, &books)?;
    exits_pass(&books)?;
    audit_fates::fates(evidence, &books)?;
    audit_fates::positions(evidence, &books)?;
    audit_fates::protection(evidence, &books)?;
    audit_fates::levels(evidence, &books)?;
    audit_fates::caps(evidence, &books)?;
    replay(evidence)?;
    let answers = evidence
        .alerts
        .iter()
        .flat_map(|alert| &alert.deliveries)
        .filter(|delivery| matches!(delivery.answer, Some(Answer::Ok(..))));
    let shields = || evidence.broker.levels.shields().iter();
    let plans = || books.plans.values();
    let legs = books.decisions.values().flat_map(|decision| &decision.legs);
    let verdicts = legs.flat_map(|leg| &leg.verdicts);
    Ok(Summary {
        closed_by_levels: evidence.broker.closings,
        moved: plans()
            .filter(|plan| {
                let old = plan.replaces.map(|old| books.plans[&old]);
                old.is_some_and(|old| old.kind != plan.kind)
            })
            .count(),
        exceeded: shields()
            .filter(|shield| shield.filled > shield.plan.quantity.get())
            .count(),
        claimed: shields().filter(|shield| shield.was_claim).count(),
        second_strategies: verdicts
            .filter(|verdict| {
                verdict.rule == Rule::OneStrategyPerSymbol && verdict.ruling == Ruling::Refuse
            })
            .count(),
        alerts: evidence.alerts.len(),
        answered: answers.count(),
        orders: books.plans.len(),
        fills: books.traded.len(),
        crashes: evidence.crashes,
        unknown: books.unknown,
    })
}

fn read(journal: &[(Timestamp, Event)]) -> Result<Books<'_>, String> {
    let mut books = Books {
        decisions: BTreeMap::new(),
        plans: BTreeMap::new(),
        traded: BTreeMap::new(),
        alarms: 0,
        unknown: 0,
    };
    for (_, event) in journal {
        match event {
            Event::AlertDecided(decision) => {
                let twice = books.decisions.insert(decision.alert.0, decision);
                hold(twice.is_none(), || {
                    format!("{} is decided twice", decision.alert)
                })?;
            }
            Event::OrderPlanned { plan, .. } => {
                let twice = books.plans.insert(plan.id, plan);
                hold(twice.is_none(), || {
                    format!("order {} is planned twice", plan.id)
                })?;
            }
            Event::OrderFilled { id, quantity, .. } => {
                *books.traded.entry(*id).or_default() += *quantity;
            }
            Event::Alarm { .. } => books.alarms += 1,
            Event::OrderUnknown { .. } => books.unknown += 1,
            Event::Started { .. }
            | Event::RequestRefused(_)
            | Event::OrderReleased { .. }
            | Event::OrderAcknowledged { .. }
            | Event::OrderNotSent { .. }
            | Event::ProtectionLate { .. }
            | Event::OrderQuestioned { .. }
            | Event::CancelRequested { .. }
            | Event::OrderEnded { .. }
            | Event::AccountRead { .. }
            | Event::HaltSet(_)
            | Event::HaltLifted { .. }
            | Event::FlattenRequested { .. }
            | Event::SourceSwitched(_)
            | Event::OperatorActed { .. }
            | Event::CutOffReached(_)
            | Event::DailyLossReached { .. }
            | Event::PositionReducedOutside(_) => {}
        }
    }
    Ok(books)
}

/// Never lose: what was answered 200 is in the journal, about this alert, with this word.
fn answers(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    for (number, alert) in evidence.alerts.iter().enumerate() {
        for delivery in &alert.deliveries {
            let Some(Answer::Ok(id, outcome)) = delivery.answer else {
                continue;
            };
            let decision = books.decisions.get(&id.0);
            hold(decision.is_some(), || {
                format!("alert {number} was answered 200 as {id}, which is not in the journal")
            })?;
            let decision = decision.unwrap();
            let same = decision.signal == alert.signal && decision.outcome == outcome;
            hold(same, || {
                format!(
                    "alert {number} was answered {outcome:?} as {id}; the journal says otherwise"
                )
            })?;
            for order in decision.legs.iter().flat_map(|leg| &leg.orders) {
                hold(books.plans.contains_key(&order.client_order_id), || {
                    format!(
                        "{id} promises order {}, which has no plan",
                        order.client_order_id
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Never double: however often an alert came, it was decided once, and the rest are duplicates of that.
fn one_decision_per_alert(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let mut first: BTreeMap<Digest, &AlertDecision> = BTreeMap::new();
    for decision in books.decisions.values() {
        let known = evidence
            .alerts
            .iter()
            .any(|alert| alert.signal.digest == decision.signal.digest);
        hold(known, || format!("{} was never sent", decision.alert))?;
        if decision.outcome == Outcome::Duplicate {
            let of = first.get(&decision.signal.digest).map(|first| first.alert);
            hold(of.is_some() && decision.first == of, || {
                format!(
                    "{} is called a duplicate of {:?}",
                    decision.alert, decision.first
                )
            })?;
        } else if let Some(other) = first.insert(decision.signal.digest, decision) {
            return Err(format!(
                "{} and {} are the same alert, and both were decided",
                other.alert, decision.alert
            ));
        }
    }
    Ok(())
}

/// What is true at a point of the journal, as far as sending is concerned.
#[derive(Default)]
struct Standing {
    read: usize,
    halts: Vec<Halt>,
    lanes: BTreeMap<ClientOrderId, Lane>,
    unknown: BTreeSet<ClientOrderId>,
    taken_back: BTreeSet<ClientOrderId>,
    granted: BTreeMap<ClientOrderId, (usize, Decimal)>,
}

impl Standing {
    fn read_to(&mut self, journal: &[(Timestamp, Event)], end: usize) {
        for (_, event) in &journal[self.read..end] {
            match event {
                Event::HaltSet(halt) => {
                    self.halts.retain(|other| other.scope != halt.scope);
                    self.halts.push(halt.clone());
                }
                Event::HaltLifted { scope, .. } => self.halts.retain(|halt| halt.scope != *scope),
                Event::OrderPlanned { plan, waits } => {
                    self.lanes.insert(plan.id, plan.lane());
                    let grants = usize::from(!waits);
                    self.granted.insert(plan.id, (grants, plan.quantity.get()));
                }
                Event::OrderReleased { id, quantity, .. } => {
                    self.unknown.remove(id);
                    let grants = self.granted.get(id).map_or(0, |(grants, _)| *grants);
                    self.granted.insert(*id, (grants + 1, *quantity));
                }
                Event::OrderUnknown { id, .. } => {
                    self.unknown.insert(*id);
                }
                Event::OrderAcknowledged { id, .. }
                | Event::OrderNotSent { id, .. }
                | Event::OrderEnded { id, .. } => {
                    self.unknown.remove(id);
                }
                Event::Started { .. }
                | Event::RequestRefused(_)
                | Event::AlertDecided(_)
                | Event::Alarm { .. }
                | Event::OrderFilled { .. }
                | Event::ProtectionLate { .. }
                | Event::OrderQuestioned { .. }
                | Event::AccountRead { .. }
                | Event::FlattenRequested { .. }
                | Event::SourceSwitched(_)
                | Event::OperatorActed { .. }
                | Event::CutOffReached(_)
                | Event::DailyLossReached { .. }
                | Event::PositionReducedOutside(_) => {}
                Event::CancelRequested { id, .. } => {
                    self.taken_back.insert(*id);
                }
            }
        }
        self.read = end;
    }
}

/// What left the process was allowed to, at that moment, by what was durable then.
fn wire(evidence: &Evidence<'_>) -> Audit {
    let mut standing = Standing::default();
    let mut sent: BTreeMap<ClientOrderId, usize> = BTreeMap::new();
    for record in evidence.wire {
        standing.read_to(evidence.journal, record.journal);
        let plan = &record.plan;
        let id = plan.id;
        let times = sent.entry(id).or_default();
        *times += 1;
        let (grants, quantity) = standing.granted.get(&id).copied().unwrap_or_default();
        hold(*times <= grants, || {
            format!("order {id} was sent {times} times and granted {grants} times")
        })?;
        hold(plan.quantity.get() == quantity, || {
            format!(
                "order {id} was sent for {} and granted for {quantity}",
                plan.quantity
            )
        })?;
        hold(!standing.taken_back.contains(&id), || {
            format!("order {id} left after it had been taken back")
        })?;
        if plan.class != OrderClass::Entry {
            continue;
        }
        let halted = standing.halts.iter().find(|halt| {
            halt.scope
                .covers(&plan.account, &plan.strategy, &plan.symbol)
        });
        hold(halted.is_none(), || {
            format!("entry {id} left under a halt of {halted:?}")
        })?;
        let frozen = standing
            .unknown
            .iter()
            .any(|other| standing.lanes[other] == plan.lane());
        hold(!frozen, || {
            format!("entry {id} left while its lane was frozen")
        })?;
        hold(record.at < plan.expires_at, || {
            format!(
                "entry {id} left at {}, its time was over at {}",
                record.at, plan.expires_at
            )
        })?;
    }
    Ok(())
}

/// Nothing at the venue without a plan, nothing twice, nothing larger or other than planned.
fn venue_orders(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    let mut ids = BTreeSet::new();
    for account in ACCOUNTS {
        for order in evidence.broker.orders(account) {
            let id = order.id;
            hold(ids.insert(id), || {
                format!("order {id} is twice at the venue")
            })?;
            let Some(plan) = books.plans.get(&id) else {
                return Err(format!("order {id} is at the venue and in no journal"));
            };
            let as_planned = plan.account.as_str() == account
                && plan.symbol.as_str() == order.symbol
                && plan.side == order.side
                && order.quantity <= plan.quantity.get();
            hold(as_planned, || {
                format!("order {id} at the venue is not the one that was planned")
            })?;
        }
    }
    Ok(())
}

/// An alert enters at most as much as it says, per account.
fn sizes(evidence: &Evidence<'_>, books: &Books<'_>) -> Audit {
    for account in ACCOUNTS {
        let mut entered: BTreeMap<u64, Decimal> = BTreeMap::new();
        for order in evidence.broker.orders(account) {
            let plan = books.plans[&order.id];
            if let (OrderClass::Entry, Origin::Alert(alert)) = (plan.class, &plan.origin) {
                *entered.entry(alert.0).or_default() += order.filled;
            }
        }
        for (alert, quantity) in entered {
            let signal = &books.decisions[&alert].signal;
            let factor = if signal.strategy.as_str() == "S3" {
                Decimal::from(S3_FACTOR)
            } else {
                Decimal::ONE
            };
            let said = match signal.intent {
                Intent::Trade { quantity, .. } | Intent::Enter { quantity, .. } => {
                    quantity.unwrap().get()
                }
                Intent::Reverse { quantity } => {
                    quantity.map_or(Decimal::from(MAX_ORDER_QUANTITY), |quantity| quantity.get())
                }
                Intent::Target { position } => position.abs(),
                Intent::Exit { .. } | Intent::Cancel | Intent::Heartbeat => Decimal::ZERO,
            };
            let most = (said * factor).min(Decimal::from(MAX_ORDER_QUANTITY));
            hold(quantity <= most, || {
                format!("A{alert} entered {quantity} in {account} and allows {most}")
            })?;
        }
    }
    Ok(())
}

/// No rule and no halt stands in the way of an exit.
fn exits_pass(books: &Books<'_>) -> Audit {
    for decision in books.decisions.values() {
        let leaves = matches!(decision.signal.intent, Intent::Exit { .. });
        if !leaves || decision.outcome == Outcome::Duplicate {
            continue;
        }
        for leg in &decision.legs {
            // Half of one unit is no unit: the only refusal an exit can meet here.
            let passes = leg.decision == Outcome::Accepted || leg.reason.contains("one step");
            hold(passes, || {
                format!(
                    "{}: an exit met {:?}: {}",
                    decision.alert, leg.decision, leg.reason
                )
            })?;
        }
    }
    Ok(())
}

/// The journal alone gives the state that the process lives with.
fn replay(evidence: &Evidence<'_>) -> Audit {
    let mut state = State::default();
    for (at, event) in evidence.journal {
        let text = serde_json::to_string(event).unwrap();
        state.apply(*at, &serde_json::from_str(&text).unwrap());
    }
    hold(state == *evidence.state, || {
        "the journal replayed from nothing is not the live state".to_owned()
    })
}
