//! Questions about orders: the bridge looks into its journal and the terminal, and the book has the rest.
//!
//! "Absent" is said only where the bridge's look was conclusive, and where no other bridge can still
//! bring the order.

use ponte_core::id::ClientOrderId;
use ponte_core::message::{FindAnswer, OrderReport, ReportedStatus};
use ponte_core::order::{OrderPlan, Origin};

use super::orders::is_final;
use super::protect::{Met, Sight, unexplained};
use super::retcode::{self, Class};
use super::{APPEARS_WITHIN, Mt5, identity};
use crate::bridge::protocol::{CommandResult, Found, Outcome, Step, Task};
use crate::bridge::{Presence, Ran};
use crate::clock;

/// How far back the terminal's history is searched, in hours.
const FIND_HOURS: u32 = 31 * 24;

impl Mt5 {
    /// Asks what became of an entry or an exit.
    pub(super) async fn find_order(&self, plan: &OrderPlan) -> FindAnswer {
        self.desk().book.expect(plan, clock::now());
        let magic = identity::magic_of(plan);
        let found = match self
            .look_up(plan.id, magic, identity::comment(plan.id))
            .await
        {
            Ok(found) => found,
            Err(why) => {
                // What has ended stays so, whether the terminal can be asked or not.
                let desk = self.desk();
                return match desk.book.report(plan.id) {
                    Some(report) if is_final(&desk.book, plan.id) => FindAnswer::Found(report),
                    Some(_) | None => FindAnswer::Unanswered(why),
                };
            }
        };
        self.judge_found(plan, &found)
    }

    fn judge_found(&self, plan: &OrderPlan, found: &Found) -> FindAnswer {
        let now = clock::now();
        let mut desk = self.desk();
        let clock = desk.clock;
        let changed = desk.book.take_found(plan.id, found, &clock, now);
        // Nothing more can come of it once the look is conclusive, or its requests have their answers.
        let is_answered = !found.steps.is_empty() && found.steps.iter().all(is_definite);
        if found.conclusive || is_answered {
            let words = found
                .steps
                .iter()
                .rev()
                .find_map(|step| refusal(step, plan));
            desk.book
                .settle(plan.id, &words.map(|(text, _)| text).unwrap_or_default());
        }
        let mut touched = desk.follow(&changed, self.options.accounting);
        touched.extend(changed.orders);
        if let Some(report) = desk.book.report(plan.id) {
            desk.tell(touched);
            desk.note(&report);
            let is_owed = desk.book.is_owed(plan.id);
            drop(desk);
            if is_owed && !plan.kind.rests() {
                self.ask_again(plan);
            }
            return FindAnswer::Found(report);
        }
        desk.tell(touched);
        if let Some((reason, is_final)) = found.steps.last().and_then(|step| refusal(step, plan))
            && is_final
            && found.conclusive
        {
            return FindAnswer::Found(refused(plan, reason));
        }
        drop(desk);
        self.absent(plan, found)
    }

    /// Nothing was found: whether that is certain.
    fn absent(&self, plan: &OrderPlan, found: &Found) -> FindAnswer {
        if !found.conclusive {
            let why = "the bridge can't say yet: the terminal has not settled, or a request of the order is under way";
            return FindAnswer::Unanswered(why.to_owned());
        }
        if found.steps.iter().any(is_taken) {
            let why =
                "the terminal has taken the order, says the bridge's journal, and does not show it";
            return FindAnswer::Unanswered(why.to_owned());
        }
        let desk = self.desk();
        let since = desk.one_bridge_since;
        let handed = desk.handed.get(&plan.id);
        let to_this_bridge = handed.is_some_and(|at| *at > since);
        let fence = self.options.valid + APPEARS_WITHIN;
        let passed = clock::instant().saturating_duration_since(since);
        if to_this_bridge || passed >= fence {
            drop(desk);
            self.desk().shields.entry_came_to_nothing(plan.id);
            return FindAnswer::Absent;
        }
        FindAnswer::Unanswered(format!(
            "another bridge may have had the order; that it is absent is certain in {} s",
            (fence - passed).as_secs() + 1
        ))
    }

    /// Asks where a protective order stands: the position's levels tell, or the deals that closed it.
    pub(super) async fn find_protection(&self, plan: &OrderPlan) -> FindAnswer {
        if let Err(why) = self.ready(plan.class) {
            return self.known_end(plan.id, why);
        }
        let was_known = self.desk().shields.levels_of(plan.id).is_some();
        self.recall_protection(plan);
        // Deals of the position bear the magic number of the entry that it protects; and what was
        // asked for before this question is answered before it.
        let entry = match &plan.origin {
            Origin::Protects(entry) => *entry,
            Origin::Alert(_) | Origin::Operator(_) => plan.id,
        };
        let magic = identity::magic(&plan.strategy, entry);
        let found = match self.look_up(plan.id, magic, String::new()).await {
            Ok(found) => found,
            Err(why) => return self.known_end(plan.id, why),
        };
        {
            let mut desk = self.desk();
            let clock = desk.clock;
            let now = clock::now();
            let changed = desk.book.take_found(plan.id, &found, &clock, now);
            let touched = desk.follow(&changed, self.options.accounting);
            desk.tell(touched.into_iter().chain(changed.orders));
            desk.shields.left(plan.id);
        }
        self.judge_protection(plan, was_known).await
    }

    async fn judge_protection(&self, plan: &OrderPlan, was_known: bool) -> FindAnswer {
        // One that is over, or that has its levels still, is as it was judged by the positions.
        let report = {
            let desk = self.desk();
            let report = desk.shields.report(plan.id);
            let is_live = desk.shields.is_live(plan.id);
            report.filter(|report| is_live || report.status != ReportedStatus::Working)
        };
        if let Some(report) = report.filter(|_| was_known) {
            return self.found(report);
        }
        match self.meet_freshly(plan, Sight::Own).await {
            Err(why) => FindAnswer::Unanswered(why),
            Ok(Met::Rests(report) | Met::Fired(report)) => self.found(report),
            // Levels can be set again at any time: whether it never came there, or is not there any
            // more, it is placed anew.
            Ok(Met::Differs(_)) => {
                self.desk().shields.forget(plan.id);
                FindAnswer::Absent
            }
            Ok(Met::Unexplained) => FindAnswer::Unanswered(unexplained(plan)),
            Ok(Met::NoPosition) => {
                let mut desk = self.desk();
                let reason = format!("the position of {} is closed", plan.symbol);
                desk.shields.cancelled(plan.id, &reason);
                let report = desk.shields.report(plan.id);
                drop(desk);
                report.map_or(FindAnswer::Absent, |report| self.found(report))
            }
        }
    }

    fn found(&self, report: OrderReport) -> FindAnswer {
        self.desk().note(&report);
        FindAnswer::Found(report)
    }

    /// What has ended stays so, whether the terminal can be asked or not.
    fn known_end(&self, id: ClientOrderId, why: String) -> FindAnswer {
        match self.desk().shields.report(id) {
            Some(report) if report.status != ReportedStatus::Working => FindAnswer::Found(report),
            Some(_) | None => FindAnswer::Unanswered(why),
        }
    }

    /// Has the bridge look an order up.
    pub(super) async fn look_up(
        &self,
        id: ClientOrderId,
        magic: u64,
        comment: String,
    ) -> Result<Found, String> {
        if !matches!(self.line.presence(), Presence::Present(_)) {
            return Err("the terminal's bridge is not there".to_owned());
        }
        // What another account has not got says nothing of this one.
        if !self.is_ours() {
            return Err("the terminal is logged into another account".to_owned());
        }
        let task = Task::Find {
            order: id.to_string(),
            magic,
            comment,
            history_hours: FIND_HOURS,
        };
        let (valid, patience) = (self.options.valid, self.options.answer_within);
        match self.line.run(task, valid, patience).await {
            Ran::NotHandedOver(why) | Ran::NoResult { why, .. } => Err(why),
            Ran::Answered(result) => looked_up(result),
        }
    }
}

fn looked_up(result: CommandResult) -> Result<Found, String> {
    match (result.outcome, result.found) {
        (Outcome::Answered, Some(found)) => Ok(found),
        (Outcome::Answered, None) => Err("the bridge's answer has nothing in it".to_owned()),
        (Outcome::NotBegun | Outcome::Known | Outcome::Interrupted, _) => {
            Err(format!("the bridge could not look it up: {}", result.why))
        }
    }
}

/// Whether the terminal has said that it carried a request out.
fn is_taken(step: &Step) -> bool {
    retcode::verdict(step, ponte_core::order::OrderClass::Entry).class == Class::Done
}

/// Whether nothing more can come of a request.
fn is_definite(step: &Step) -> bool {
    let verdict = retcode::verdict(step, ponte_core::order::OrderClass::Entry);
    step.answered && verdict.class != Class::Unknown
}

/// Why the terminal has refused a request, and whether that is for good.
fn refusal(step: &Step, plan: &OrderPlan) -> Option<(String, bool)> {
    let verdict = retcode::verdict(step, plan.class);
    match verdict.class {
        Class::Final | Class::Gone => Some((verdict.text, true)),
        Class::ForNow => Some((verdict.text, false)),
        Class::Done | Class::Unknown => None,
    }
}

/// The report of an order that the terminal has refused, found in the bridge's journal.
fn refused(plan: &OrderPlan, reason: String) -> OrderReport {
    OrderReport {
        id: plan.id,
        broker_order_id: "none".to_owned(),
        status: ReportedStatus::Rejected { reason },
        filled: rust_decimal::Decimal::ZERO,
        average_price: rust_decimal::Decimal::ZERO,
        fees: rust_decimal::Decimal::ZERO,
        withheld: rust_decimal::Decimal::ZERO,
        at: clock::now(),
    }
}
