//! Entries and exits on their way out, and what the answers make of them.

use std::time::Duration;

use ponte_core::id::ClientOrderId;
use ponte_core::message::{Fate, NotSent, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};
use rust_decimal::Decimal;

use super::book::Book;
use super::listener::is_explained;
use super::options::Accounting;
use super::retcode::{self, Class, Verdict};
use super::shields::Levels;
use super::{Desk, Mt5, NoSymbol, identity, request};
use crate::bridge::protocol::{CommandResult, Outcome, SymbolInfo, Task, TradeRequest, Want};
use crate::bridge::{Presence, Ran};
use crate::clock;

/// The pauses after which the terminal is asked how an order ended that it has not told yet.
const ASK_AGAIN_AFTER: [Duration; 8] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// How old a session is when the terminal has certainly told its positions and deals
/// (`bridges/mt5/PROTOCOL.md`, "find").
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// What is to be sent for a plan.
struct Prepared {
    requests: Vec<TradeRequest>,
    /// Why less is asked for than was planned; empty where it isn't.
    short: String,
}

/// What a result's steps say together.
pub(super) enum Carried {
    /// Every request was carried out.
    Out,
    /// Some were; why the rest was not.
    Partly(Verdict),
    /// None was, because of this.
    NotAtAll(Verdict),
}

impl Mt5 {
    /// Sends an entry or an exit.
    pub(super) async fn place(&self, plan: &OrderPlan) -> Fate {
        if let Err(why) = self.ready(plan.class) {
            return unreachable(why);
        }
        let prepared = match self.prepare_freshly(plan).await {
            Ok(prepared) => prepared,
            Err(fate) => return *fate,
        };
        let count = prepared.requests.len();
        let task = Task::Trade {
            order: plan.id.to_string(),
            magic: identity::magic_of(plan),
            comment: identity::comment(plan.id),
            reduces: plan.class.reduces(),
            requests: prepared.requests,
        };
        {
            let mut desk = self.desk();
            desk.book.sending(plan.id, prepared.short);
            desk.handed.insert(plan.id, clock::instant());
        }
        let (valid, patience) = (self.valid_for(plan), self.options.answer_within);
        match self.line.run(task, valid, patience).await {
            Ran::NotHandedOver(why) => self.never_sent(plan, why),
            Ran::NoResult { why, .. } => Fate::Unknown { why },
            Ran::Answered(result) => self.placed(plan, &result, count),
        }
    }

    /// How long its requests may be begun: an entry not after its own time is over.
    fn valid_for(&self, plan: &OrderPlan) -> Duration {
        match plan.class {
            OrderClass::Entry => self.options.valid.min(plan.expires_at.since(clock::now())),
            OrderClass::Exit | OrderClass::Protection => self.options.valid,
        }
    }

    /// What is to be sent. Where an exit finds nothing to close, or an entry the other side open, the
    /// positions are asked for anew before that is believed.
    async fn prepare_freshly(&self, plan: &OrderPlan) -> Result<Prepared, Box<Fate>> {
        let is_refused_exit =
            |fate: &Fate| plan.class == OrderClass::Exit && matches!(fate, Fate::Rejected { .. });
        match self.prepare(plan) {
            Ok(prepared) if self.other_side(plan).is_none() => return Ok(prepared),
            Err(fate) if !is_refused_exit(&fate) => return Err(fate),
            Ok(_) | Err(_) => {}
        }
        if !self.fresh(Want::Positions).await {
            let why = "the terminal's positions could not be read before the order";
            return Err(Box::new(unreachable(why.to_owned())));
        }
        let prepared = self.prepare(plan);
        if let Some(why) = self.other_side(plan) {
            self.desk().shields.entry_came_to_nothing(plan.id);
            return Err(Box::new(unreachable(why)));
        }
        let is_refused = prepared.as_ref().is_err_and(|fate| is_refused_exit(fate));
        if is_refused && self.may_not_have_told_all(plan).await {
            let why = "the terminal shows no position to close, and has only just begun to tell";
            return Err(Box::new(unreachable(why.to_owned())));
        }
        prepared
    }

    /// Why an entry at the market would not open a position: in an account with one position for each
    /// symbol it would close the other side's, which is nobody's that is known here.
    fn other_side(&self, plan: &OrderPlan) -> Option<String> {
        let opens_now = plan.class == OrderClass::Entry && !plan.kind.rests();
        if !opens_now || self.options.accounting == Accounting::Hedging {
            return None;
        }
        let against = self.closed_by(plan);
        let positions = self.desk().book.positions_of(&against);
        let volume = positions.first()?.volume.normalize();
        let side = if against.is_long { "long" } else { "short" };
        Some(format!(
            "the terminal holds {volume} {side} of {}, which an entry to the other side would close; close it first, \
             or let its strategy do so",
            plan.symbol
        ))
    }

    /// Whether a terminal that shows no position may simply not have told it yet: it has just begun,
    /// nothing is known of any position of the strategy's, and the bridge is not certain either.
    async fn may_not_have_told_all(&self, plan: &OrderPlan) -> bool {
        let holding = self.closed_by(plan);
        if self.desk().book.latest_position(&holding).is_some() {
            return false;
        }
        let is_young = !matches!(
            self.line.presence(),
            Presence::Present(seen) if seen.session_age >= SETTLED_AFTER
        );
        if !is_young {
            return false;
        }
        let magic = identity::magic_of(plan);
        let looked = self.look_up(plan.id, magic, String::new()).await;
        !looked.is_ok_and(|found| found.conclusive)
    }

    fn prepare(&self, plan: &OrderPlan) -> Result<Prepared, Box<Fate>> {
        let mut desk = self.desk();
        let now = clock::now();
        let info = desk.info(&plan.symbol).cloned();
        let info = info.map_err(|missing| Box::new(no_symbol(missing, plan.class)))?;
        if plan.class == OrderClass::Entry
            && let Some(other) = desk.book.namesake(&plan.strategy)
        {
            return Err(refuse(format!(
                "the strategies {} and {other} have the same 20 bits in magic numbers, so that their positions \
                 could not be told apart; rename one of them",
                plan.strategy
            )));
        }
        desk.book.expect(plan, now);
        match plan.class {
            OrderClass::Entry => self.prepare_entry(&mut desk, plan, &info),
            OrderClass::Exit | OrderClass::Protection => self.prepare_exit(&desk, plan, &info),
        }
    }

    /// An entry brings the levels that its position should have, so that it is never naked. On
    /// netting accounts what it adds to a position replaces that one's levels (MetaTrader 5 Help,
    /// "Stop Loss and Take Profit"), so that they are always told.
    fn prepare_entry(
        &self,
        desk: &mut Desk,
        plan: &OrderPlan,
        info: &SymbolInfo,
    ) -> Result<Prepared, Box<Fate>> {
        let holding = self.opened_by(plan);
        let present = match self.options.accounting {
            Accounting::Netting => desk.book.positions_of(&holding).first().map(Levels::of),
            Accounting::Hedging => None,
        };
        let own = Levels {
            stop: plan.protection.stop.map(|price| price.get()),
            target: plan.protection.targets.first().map(|price| price.get()),
        };
        let levels = own
            .or(desk.shields.wanted(&holding, &[]))
            .or(present.unwrap_or_default());
        let request = request::entry(plan, info, &self.options, levels).map_err(refuse)?;
        let brought = Levels {
            stop: request.sl,
            target: request.tp,
        };
        desk.shields.entry_brings(plan.id, holding, brought);
        Ok(Prepared {
            requests: vec![request],
            short: String::new(),
        })
    }

    fn prepare_exit(
        &self,
        desk: &Desk,
        plan: &OrderPlan,
        info: &SymbolInfo,
    ) -> Result<Prepared, Box<Fate>> {
        let holding = self.closed_by(plan);
        let tickets = desk.book.positions_of(&holding);
        let latest = desk.book.latest_position(&holding);
        let is_open = |position| !is_explained(&desk.book, position, &holding);
        if tickets.is_empty() && latest.is_some_and(is_open) {
            let why =
                "the terminal shows no position to close, and has not told yet how it was closed";
            return Err(Box::new(unreachable(why.to_owned())));
        }
        let closing = match self.options.accounting {
            Accounting::Netting => {
                let held = tickets.iter().fold(Decimal::ZERO, |sum, p| sum + p.volume);
                request::close_netting(plan, info, &self.options, held)
            }
            Accounting::Hedging => request::close_hedging(plan, info, &self.options, &tickets),
        };
        let closing = closing.map_err(refuse)?;
        let short = if closing.volume < plan.quantity.get() {
            format!(
                "{} was to be closed, and the position of {} at the terminal is only {}",
                plan.quantity, plan.symbol, closing.volume
            )
        } else {
            String::new()
        };
        Ok(Prepared {
            requests: closing.requests,
            short,
        })
    }

    /// Certain that nothing of it was begun.
    fn never_sent(&self, plan: &OrderPlan, why: String) -> Fate {
        self.desk().shields.entry_came_to_nothing(plan.id);
        unreachable(why)
    }

    /// What the result of an order's requests makes of it.
    fn placed(&self, plan: &OrderPlan, result: &CommandResult, count: usize) -> Fate {
        match result.outcome {
            Outcome::NotBegun => return self.never_sent(plan, result.why.clone()),
            Outcome::Known => {
                let why = format!("the bridge knows of an earlier request: {}", result.why);
                return Fate::Unknown { why };
            }
            Outcome::Interrupted => {
                let why = format!("a request was begun and has no answer: {}", result.why);
                return Fate::Unknown { why };
            }
            Outcome::Answered => {}
        }
        self.desk().book.take_steps(plan.id, result.steps.iter());
        match carried(result, count, plan.class) {
            Some(Carried::Out) => self.acknowledged(plan, ""),
            Some(Carried::Partly(verdict)) if verdict.class == Class::Unknown => {
                Fate::Unknown { why: verdict.text }
            }
            Some(Carried::Partly(verdict)) => self.acknowledged(plan, &verdict.text),
            Some(Carried::NotAtAll(verdict)) => self.refused(plan, verdict),
            None => Fate::Unknown {
                why: "the bridge's result has no answer of the terminal in it".to_owned(),
            },
        }
    }

    fn refused(&self, plan: &OrderPlan, verdict: Verdict) -> Fate {
        let mut desk = self.desk();
        match verdict.class {
            Class::Done | Class::Unknown => {}
            Class::Final | Class::ForNow | Class::Gone => {
                desk.shields.entry_came_to_nothing(plan.id);
            }
        }
        // One ticket is gone; what other tickets hold is still to be closed.
        let is_left = !desk.book.positions_of(&self.closed_by(plan)).is_empty();
        drop(desk);
        if verdict.class == Class::Gone && is_left {
            return unreachable(verdict.text);
        }
        retcode::fate(verdict)
    }

    /// The terminal has taken the order: where it stands, as far as deals have been told.
    fn acknowledged(&self, plan: &OrderPlan, left: &str) -> Fate {
        let mut desk = self.desk();
        desk.book.settle(plan.id, left);
        let Some(report) = desk.book.report(plan.id) else {
            return Fate::Unknown {
                why: "the terminal has taken the order and named no ticket; it is being looked up"
                    .to_owned(),
            };
        };
        desk.note(&report);
        let is_owed = desk.book.is_owed(plan.id);
        drop(desk);
        if is_owed {
            self.ask_again(plan);
        }
        Fate::Acknowledged { report }
    }

    /// The terminal's history can lag behind its answers. An order that must be over is asked about
    /// until its deals are there; in the end the engine is made to ask.
    pub(super) fn ask_again(&self, plan: &OrderPlan) {
        if !self.desk().asking.insert(plan.id) {
            return;
        }
        let me = self.me.clone();
        let plan = plan.clone();
        tokio::spawn(async move {
            for pause in ASK_AGAIN_AFTER {
                tokio::time::sleep(pause).await;
                let Some(adapter) = me.upgrade() else {
                    return;
                };
                if !adapter.desk().book.is_owed(plan.id) {
                    adapter.desk().asking.remove(&plan.id);
                    return;
                }
                // What it brings is told to whoever listens.
                drop(adapter.find_order(&plan).await);
            }
            let Some(adapter) = me.upgrade() else {
                return;
            };
            let mut desk = adapter.desk();
            desk.asking.remove(&plan.id);
            if desk.book.is_owed(plan.id) {
                desk.missed();
            }
        });
    }
}

/// What a result's steps say; `None` where there is none.
pub(super) fn carried(result: &CommandResult, count: usize, class: OrderClass) -> Option<Carried> {
    let mut done = 0;
    for step in &result.steps {
        let verdict = retcode::verdict(step, class);
        if verdict.class == Class::Done {
            done += 1;
            continue;
        }
        return Some(if done == 0 {
            Carried::NotAtAll(verdict)
        } else {
            Carried::Partly(verdict)
        });
    }
    if done == 0 {
        return None;
    }
    Some(if done >= count {
        Carried::Out
    } else {
        let text = format!("only {done} of {count} requests were begun: {}", result.why);
        Carried::Partly(Verdict {
            class: Class::ForNow,
            text,
        })
    })
}

/// Whether the book has nothing more to learn of an order.
pub(super) fn is_final(book: &Book, id: ClientOrderId) -> bool {
    book.report(id)
        .is_some_and(|report| report.status != ReportedStatus::Working)
}

pub(super) fn unreachable(why: String) -> Fate {
    Fate::NotSent {
        why: NotSent::Unreachable(why),
    }
}

fn refuse(reason: String) -> Box<Fate> {
    Box::new(rejected(reason))
}

pub(super) fn rejected(reason: String) -> Fate {
    Fate::Rejected { reason }
}

/// An entry is refused where the symbol isn't there; what closes or protects waits for it.
pub(super) fn no_symbol(missing: NoSymbol, class: OrderClass) -> Fate {
    match missing {
        NoSymbol::NotListedYet => {
            unreachable("the terminal has not listed its symbols yet".to_owned())
        }
        NoSymbol::NotWatched(text) => match class {
            OrderClass::Entry => rejected(text),
            OrderClass::Exit | OrderClass::Protection => unreachable(text),
        },
    }
}
