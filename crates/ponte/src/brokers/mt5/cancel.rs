//! Pending orders that are taken back, one or all of a symbol.

use std::collections::BTreeMap;

use ponte_core::id::{ClientOrderId, StrategyName, Symbol};
use ponte_core::message::{CancelAnswer, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};

use super::orders::{Carried, carried};
use super::shields::Holding;
use super::{Mt5, identity, request};
use crate::bridge::Ran;
use crate::bridge::protocol::{CommandResult, Outcome, Task, TradeRequest};
use crate::brokers::BrokerError;

impl Mt5 {
    /// Takes a pending order back.
    pub(super) async fn take_back(&self, plan: &OrderPlan) -> CancelAnswer {
        if let Err(why) = self.ready(OrderClass::Exit) {
            return CancelAnswer::Unanswered(why);
        }
        let (tickets, requests) = {
            let desk = self.desk();
            let pending = desk.book.pending_of(plan.id);
            if pending.is_empty() {
                return match desk.book.report(plan.id) {
                    Some(report) if report.status != ReportedStatus::Working => {
                        CancelAnswer::Done(report)
                    }
                    Some(_) | None => CancelAnswer::NotOpen,
                };
            }
            let tickets: Vec<u64> = pending.iter().map(|order| order.ticket).collect();
            let requests: Vec<_> = pending.into_iter().map(request::remove).collect();
            (tickets, requests)
        };
        let count = requests.len();
        let task = Task::Change {
            order: plan.id.to_string(),
            magic: identity::magic_of(plan),
            requests,
        };
        let (valid, patience) = (self.options.valid, self.options.answer_within);
        let result = match self.line.run(task, valid, patience).await {
            Ran::NotHandedOver(why) | Ran::NoResult { why, .. } => {
                return CancelAnswer::Unanswered(why);
            }
            Ran::Answered(result) => result,
        };
        match removed(&result, count) {
            Removed::Yes => self.removed(plan, &tickets),
            Removed::NotThere => CancelAnswer::NotOpen,
            Removed::Unclear(why) => CancelAnswer::Unanswered(why),
        }
    }

    /// The terminal has taken it back: where it stands, once all that had traded is told.
    fn removed(&self, plan: &OrderPlan, tickets: &[u64]) -> CancelAnswer {
        let mut desk = self.desk();
        for ticket in tickets {
            desk.book.taken_back(*ticket);
        }
        desk.book.settle(plan.id, "");
        match desk.book.report(plan.id) {
            Some(report) if report.status != ReportedStatus::Working => {
                desk.note(&report);
                CancelAnswer::Done(report)
            }
            Some(_) => {
                drop(desk);
                self.ask_again(plan);
                let why = "it was taken back, and what had traded of it before is not told yet";
                CancelAnswer::Unanswered(why.to_owned())
            }
            None => CancelAnswer::NotOpen,
        }
    }

    /// Takes back every order of ours in a symbol: what rests, and what protects.
    pub(super) async fn take_back_all(&self, symbol: &Symbol) -> Result<(), BrokerError> {
        self.ready(OrderClass::Exit)
            .map_err(BrokerError::Unanswered)?;
        let (ids, tickets, requests) = self.everything_in(symbol);
        let Some(first) = ids.first() else {
            return Ok(());
        };
        if !requests.is_empty() {
            let count = requests.len();
            // A name of its own: under that of one order its answers, which name the tickets of all,
            // would be taken for that order's.
            let all = first.child(&[b"all of a symbol"]);
            let task = Task::Change {
                order: all.to_string(),
                // A bridge takes no other than a whole number above zero.
                magic: identity::magic(&StrategyName::unnamed(), all),
                requests,
            };
            let (valid, patience) = (self.options.valid, self.options.answer_within);
            let result = match self.line.run(task, valid, patience).await {
                Ran::Answered(result) => result,
                Ran::NotHandedOver(why) | Ran::NoResult { why, .. } => {
                    self.no_longer_leaving(&ids);
                    return Err(BrokerError::Unanswered(why));
                }
            };
            self.no_longer_leaving(&ids);
            match removed(&result, count) {
                Removed::Yes => {}
                Removed::NotThere => {
                    let why = "an order was over already; the rest is to be taken back again";
                    return Err(BrokerError::Unanswered(why.to_owned()));
                }
                Removed::Unclear(why) => return Err(BrokerError::Unanswered(why)),
            }
        }
        let mut desk = self.desk();
        for ticket in tickets {
            desk.book.taken_back(ticket);
        }
        for id in &ids {
            desk.shields.cancelled(*id, "taken back");
            desk.book.settle(*id, "");
        }
        desk.tell(ids);
        Ok(())
    }

    fn no_longer_leaving(&self, ids: &[ClientOrderId]) {
        let mut desk = self.desk();
        for id in ids {
            desk.shields.left(*id);
        }
    }

    /// The orders of ours in a symbol, the tickets of those that rest, and what takes them back.
    fn everything_in(&self, symbol: &Symbol) -> (Vec<ClientOrderId>, Vec<u64>, Vec<TradeRequest>) {
        let mut desk = self.desk();
        let mut ids = Vec::new();
        let mut tickets = Vec::new();
        let mut requests = Vec::new();
        for (id, of, order) in desk.book.resting() {
            if of == symbol {
                ids.push(id);
                tickets.push(order.ticket);
                requests.push(request::remove(order));
            }
        }
        let mut protecting: BTreeMap<Holding, Vec<ClientOrderId>> = BTreeMap::new();
        for (id, holding) in desk.shields.live(Some(symbol)) {
            protecting.entry(holding).or_default().push(id);
        }
        for (holding, shields) in protecting {
            let positions = desk.book.positions_of(&holding);
            requests.extend(desk.departures(&positions, &holding, &shields));
            ids.extend(shields);
        }
        (ids, tickets, requests)
    }

    /// The orders of ours that rest, and the protective ones whose levels positions have.
    pub(super) async fn read_open_orders(
        &self,
    ) -> Result<Vec<ponte_core::message::OrderReport>, BrokerError> {
        self.told_positions().await?;
        let desk = self.desk();
        let mut ids: Vec<ClientOrderId> = desk.book.resting().iter().map(|(id, ..)| *id).collect();
        ids.extend(desk.shields.live(None).into_iter().map(|(id, _)| id));
        ids.sort_unstable();
        ids.dedup();
        let open = ids.into_iter().filter_map(|id| desk.report(id));
        Ok(open
            .filter(|report| report.status == ReportedStatus::Working)
            .collect())
    }
}

/// What became of a taking back.
enum Removed {
    Yes,
    /// The terminal has no such order any more.
    NotThere,
    Unclear(String),
}

fn removed(result: &CommandResult, count: usize) -> Removed {
    use super::retcode::Class;
    match result.outcome {
        Outcome::NotBegun | Outcome::Known | Outcome::Interrupted => {
            return Removed::Unclear(result.why.clone());
        }
        Outcome::Answered => {}
    }
    match carried(result, count, OrderClass::Exit) {
        Some(Carried::Out) => Removed::Yes,
        Some(Carried::Partly(verdict) | Carried::NotAtAll(verdict)) => match verdict.class {
            // The server calls it invalid once it is gone.
            Class::Final | Class::Gone => Removed::NotThere,
            Class::Done | Class::ForNow | Class::Unknown => Removed::Unclear(verdict.text),
        },
        None => Removed::Unclear("the bridge's result has no answer in it".to_owned()),
    }
}
