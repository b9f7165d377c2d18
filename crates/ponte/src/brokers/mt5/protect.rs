//! Protective orders: the levels of a position are changed where they differ, and looked at where it matters.

use std::collections::BTreeSet;

use ponte_core::id::ClientOrderId;
use ponte_core::message::{CancelAnswer, Fate, OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan, Origin};

use super::listener::is_explained;
use super::orders::{Carried, carried, no_symbol, rejected, unreachable};
use super::retcode::{self, Class, Verdict};
use super::shields::{Holding, Levels};
use super::{Desk, Mt5, identity, request};
use crate::bridge::Ran;
use crate::bridge::protocol::{CommandResult, Outcome, Position, Task, TradeRequest, Want};
use crate::clock;

/// `SYMBOL_ORDER_SL` and `SYMBOL_ORDER_TP` (MQL5 Reference, `SYMBOL_ORDER_MODE`).
const TAKES_STOP: u32 = 16;
const TAKES_TARGET: u32 = 32;

/// What a protective order meets at the terminal.
pub(super) enum Met {
    /// The position has its levels.
    Rests(OrderReport),
    /// The position has other levels.
    Differs(Vec<TradeRequest>),
    /// The position is gone, and this is what became of the order.
    Fired(OrderReport),
    /// There is no position.
    NoPosition,
    /// There is none, and the terminal has not told yet how it was closed.
    Unexplained,
}

/// Which levels a position is held against.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sight {
    /// Those that all protective orders together want.
    Wanted,
    /// The order's own.
    Own,
}

/// What became of a change of levels.
enum Changed {
    /// The positions have the levels.
    Yes,
    /// Certain that nothing was changed, or that it may be tried again.
    NotNow(String),
    /// Refused for good.
    Refused(String),
    /// There is no position any more.
    Gone(String),
    /// Nobody knows.
    Unknown(String),
}

/// While it lives, levels may be as a cancellation asks for.
struct Leaving<'a>(&'a Mt5, ClientOrderId);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.desk().shields.left(self.1);
    }
}

impl Mt5 {
    /// Sees to it that the position has a protective order's levels.
    pub(super) async fn protect(&self, plan: &OrderPlan) -> Fate {
        if let Err(fate) = self.expect_protection(plan) {
            return *fate;
        }
        self.desk().shields.place(plan.id);
        if let Err(why) = self.ready(plan.class) {
            // The entry has brought the levels: what may be asked of the terminal now changes nothing of that.
            let met = self.meet(plan, Sight::Wanted);
            if matches!(met, Met::Rests(_)) {
                return self.settled(plan, met);
            }
            self.desk().shields.forget(plan.id);
            return unreachable(why);
        }
        let met = match self.meet_freshly(plan, Sight::Wanted).await {
            Ok(met) => met,
            Err(why) => {
                self.desk().shields.forget(plan.id);
                return unreachable(why);
            }
        };
        let requests = match met {
            Met::Differs(requests) => requests,
            met @ (Met::Rests(_) | Met::Fired(_) | Met::NoPosition | Met::Unexplained) => {
                return self.settled(plan, met);
            }
        };
        self.desk().handed.insert(plan.id, clock::instant());
        match self.change(plan, requests).await {
            Changed::Yes => {
                let mut desk = self.desk();
                desk.shields.rests(plan.id);
                acknowledged(&mut desk, plan.id)
            }
            Changed::NotNow(why) => {
                self.desk().shields.forget(plan.id);
                unreachable(why)
            }
            Changed::Refused(why) => {
                self.desk().shields.forget(plan.id);
                rejected(why)
            }
            Changed::Unknown(why) => Fate::Unknown { why },
            Changed::Gone(why) => match self.meet(plan, Sight::Wanted) {
                // One of several positions is gone; the others are still to be protected.
                Met::Differs(_) => {
                    self.desk().shields.forget(plan.id);
                    unreachable(why)
                }
                met @ (Met::Rests(_) | Met::Fired(_) | Met::NoPosition | Met::Unexplained) => {
                    self.settled(plan, met)
                }
            },
        }
    }

    /// What follows without asking the terminal for anything.
    fn settled(&self, plan: &OrderPlan, met: Met) -> Fate {
        let mut desk = self.desk();
        match met {
            Met::Rests(report) | Met::Fired(report) => {
                desk.note(&report);
                Fate::Acknowledged { report }
            }
            Met::NoPosition => {
                desk.shields.forget(plan.id);
                rejected(format!(
                    "the terminal has no position of {} to protect: it was closed by its stop, by its target, by a \
                     person or by the broker",
                    plan.symbol
                ))
            }
            Met::Unexplained | Met::Differs(_) => {
                desk.shields.forget(plan.id);
                unreachable(unexplained(plan))
            }
        }
    }

    /// Notes a protective order with its levels on the symbol's tick.
    ///
    /// # Errors
    /// The fate of one that the symbol can't have.
    pub(super) fn expect_protection(&self, plan: &OrderPlan) -> Result<(), Box<Fate>> {
        let asked = Levels::asked_by(plan).map_err(|reason| Box::new(rejected(reason)))?;
        let mut desk = self.desk();
        let info = desk.info(&plan.symbol);
        let info = info.map_err(|missing| Box::new(no_symbol(missing, plan.class)))?;
        let refused = [
            (asked.stop, TAKES_STOP, "stop loss"),
            (asked.target, TAKES_TARGET, "take profit"),
        ]
        .into_iter()
        .find(|(level, flag, _)| level.is_some() && info.order_mode & flag == 0);
        if let Some((_, _, what)) = refused {
            let reason = format!("positions of {} take no {what} at this broker", info.name);
            return Err(Box::new(rejected(reason)));
        }
        let levels = asked.on_tick(info);
        let holding = self.closed_by(plan);
        desk.shields.expect(plan, holding, levels, clock::now());
        Ok(())
    }

    /// Notes a protective order that is asked about. Whatever the terminal lists by now, its levels
    /// are what they were when it was placed.
    pub(super) fn recall_protection(&self, plan: &OrderPlan) {
        let Ok(asked) = Levels::asked_by(plan) else {
            return;
        };
        let mut desk = self.desk();
        let levels = match desk.info(&plan.symbol) {
            Ok(info) => asked.on_tick(info),
            // Prices were fitted to the tick when they were planned.
            Err(_) => asked,
        };
        let holding = self.closed_by(plan);
        desk.shields.expect(plan, holding, levels, clock::now());
    }

    /// Looks at the position; where there is none, once more after it has been told anew.
    pub(super) async fn meet_freshly(&self, plan: &OrderPlan, sight: Sight) -> Result<Met, String> {
        match self.meet(plan, sight) {
            Met::NoPosition | Met::Unexplained => {}
            met @ (Met::Rests(_) | Met::Differs(_) | Met::Fired(_)) => return Ok(met),
        }
        if !self.fresh(Want::Positions).await {
            return Err("the terminal's positions could not be read".to_owned());
        }
        Ok(self.meet(plan, sight))
    }

    /// Looks at what is known of the position. The protective order must be noted.
    pub(super) fn meet(&self, plan: &OrderPlan, sight: Sight) -> Met {
        let mut desk = self.desk();
        let holding = self.closed_by(plan);
        let positions = desk.book.positions_of(&holding);
        if positions.is_empty() {
            return desk.meet_closed(plan, &holding);
        }
        let here: BTreeSet<u64> = positions.iter().map(|found| found.identifier).collect();
        if let Some(report) = desk.fired_before(plan, &holding, &here) {
            return Met::Fired(report);
        }
        desk.shields.bind(plan.id, here.into_iter());
        let levels = match sight {
            Sight::Wanted => desk.shields.wanted(&holding, &[]),
            Sight::Own => desk.shields.levels_of(plan.id).unwrap_or_default(),
        };
        let requests = differing(&positions, |present| levels.or(present));
        if !requests.is_empty() {
            return Met::Differs(requests);
        }
        desk.shields.rests(plan.id);
        match desk.shields.report(plan.id) {
            Some(report) => Met::Rests(report),
            None => Met::Unexplained,
        }
    }

    /// Takes a protective order back: the levels are changed only if they then differ.
    pub(super) async fn unprotect(&self, plan: &OrderPlan) -> CancelAnswer {
        if let Err(why) = self.ready(plan.class) {
            return CancelAnswer::Unanswered(why);
        }
        let requests = {
            let mut desk = self.desk();
            match desk.shields.report(plan.id) {
                None => return CancelAnswer::NotOpen,
                Some(report) if report.status != ReportedStatus::Working => {
                    return CancelAnswer::Done(report);
                }
                Some(_) => {}
            }
            let holding = self.closed_by(plan);
            let positions = desk.book.positions_of(&holding);
            if positions.is_empty() {
                // How it was closed decides what became of the order: that is asked about.
                return CancelAnswer::NotOpen;
            }
            let requests = desk.departures(&positions, &holding, &[plan.id]);
            if requests.is_empty() {
                return taken_back(&mut desk, plan.id);
            }
            requests
        };
        let leaving = Leaving(self, plan.id);
        let changed = self.change(plan, requests).await;
        drop(leaving);
        match changed {
            Changed::Yes => taken_back(&mut self.desk(), plan.id),
            Changed::Gone(_) => CancelAnswer::NotOpen,
            Changed::NotNow(why) | Changed::Refused(why) | Changed::Unknown(why) => {
                CancelAnswer::Unanswered(why)
            }
        }
    }

    /// Has levels changed.
    async fn change(&self, plan: &OrderPlan, requests: Vec<TradeRequest>) -> Changed {
        let count = requests.len();
        let task = Task::Change {
            order: plan.id.to_string(),
            magic: identity::magic_of(plan),
            requests,
        };
        let (valid, patience) = (self.options.valid, self.options.answer_within);
        match self.line.run(task, valid, patience).await {
            Ran::NotHandedOver(why) => Changed::NotNow(why),
            Ran::NoResult { why, .. } => Changed::Unknown(why),
            Ran::Answered(result) => changed(&result, count),
        }
    }
}

impl Desk {
    /// What has to be asked for so that these orders' levels are gone; until that is answered the
    /// positions may have them or not.
    pub(super) fn departures(
        &mut self,
        positions: &[Position],
        holding: &Holding,
        ids: &[ClientOrderId],
    ) -> Vec<TradeRequest> {
        let requests = differing(positions, |present| {
            self.shields.without(holding, ids, present)
        });
        for request in &requests {
            let levels = Levels {
                stop: request.sl,
                target: request.tp,
            };
            for id in ids {
                self.shields.leave(*id, holding.clone(), levels);
            }
        }
        requests
    }

    /// Another position can be there by now than the one that the order was to protect: where that
    /// was closed by its levels, this is the order's end, and the new position is none of its.
    fn fired_before(
        &mut self,
        plan: &OrderPlan,
        holding: &Holding,
        here: &BTreeSet<u64>,
    ) -> Option<OrderReport> {
        let Origin::Protects(entry) = &plan.origin else {
            return None;
        };
        let mut own = self.book.positions_by(*entry);
        let magic = identity::magic(&plan.strategy, *entry);
        own.extend(self.book.positions_opened_with(magic, holding));
        own.extend(self.shields.positions_of(*entry));
        let gone: BTreeSet<u64> = own.difference(here).copied().collect();
        if gone.is_empty() {
            return None;
        }
        self.shields.bind(plan.id, gone.iter().copied());
        let touched = self.allot_fired(holding, &gone);
        self.tell(touched.into_iter().filter(|id| *id != plan.id));
        let report = self.shields.report(plan.id);
        report.filter(|report| report.status == ReportedStatus::Filled)
    }

    /// The position is gone: what its levels have closed is the order's, if it was this position.
    fn meet_closed(&mut self, plan: &OrderPlan, holding: &Holding) -> Met {
        let mut positions = match &plan.origin {
            Origin::Protects(entry) => self.book.positions_by(*entry),
            Origin::Alert(_) | Origin::Operator(_) => BTreeSet::new(),
        };
        if positions.is_empty() {
            positions.extend(self.book.latest_position(holding));
        }
        self.shields.bind(plan.id, positions.iter().copied());
        let touched = self.allot_fired(holding, &positions);
        self.tell(touched.into_iter().filter(|id| *id != plan.id));
        let report = self.shields.report(plan.id);
        if let Some(report) = report.filter(|report| !report.filled.is_zero()) {
            return Met::Fired(report);
        }
        let open = positions
            .iter()
            .any(|position| !is_explained(&self.book, *position, holding));
        if open {
            Met::Unexplained
        } else {
            Met::NoPosition
        }
    }
}

/// Changes of the positions whose levels are not as they should be.
fn differing(positions: &[Position], should: impl Fn(Levels) -> Levels) -> Vec<TradeRequest> {
    positions
        .iter()
        .filter_map(|position| {
            let present = Levels::of(position);
            let levels = should(present);
            (levels != present).then(|| request::change_levels(position, levels))
        })
        .collect()
}

fn changed(result: &CommandResult, count: usize) -> Changed {
    match result.outcome {
        Outcome::NotBegun => return Changed::NotNow(result.why.clone()),
        Outcome::Known | Outcome::Interrupted => return Changed::Unknown(result.why.clone()),
        Outcome::Answered => {}
    }
    match carried(result, count, OrderClass::Protection) {
        Some(Carried::Out) => Changed::Yes,
        Some(Carried::Partly(verdict) | Carried::NotAtAll(verdict)) => of_verdict(verdict),
        None => Changed::Unknown("the bridge's result has no answer in it".to_owned()),
    }
}

fn of_verdict(verdict: Verdict) -> Changed {
    let Verdict { class, text } = verdict;
    match class {
        retcode::Class::Done | Class::Unknown => Changed::Unknown(text),
        Class::Final => Changed::Refused(text),
        Class::ForNow => Changed::NotNow(text),
        Class::Gone => Changed::Gone(text),
    }
}

fn acknowledged(desk: &mut Desk, id: ClientOrderId) -> Fate {
    match desk.shields.report(id) {
        Some(report) => {
            desk.note(&report);
            Fate::Acknowledged { report }
        }
        None => Fate::Unknown {
            why: "the levels were set for an order that is not remembered".to_owned(),
        },
    }
}

fn taken_back(desk: &mut Desk, id: ClientOrderId) -> CancelAnswer {
    desk.shields.cancelled(id, "taken back");
    match desk.shields.report(id) {
        Some(report) => {
            desk.note(&report);
            CancelAnswer::Done(report)
        }
        None => CancelAnswer::NotOpen,
    }
}

/// What is said while the end of a position is not told.
pub(super) fn unexplained(plan: &OrderPlan) -> String {
    format!(
        "the position of {} is gone, and the terminal has not told yet how it was closed",
        plan.symbol
    )
}
