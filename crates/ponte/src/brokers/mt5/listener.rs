//! What the bridge says, taken in: the mirror first, then what closes positions, then what protects them.

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::ReportedStatus;
use ponte_core::time::Timestamp;

use super::book::{Changed, side_of};
use super::identity::Tag;
use super::instruments::Symbols;
use super::options::Accounting;
use super::retcode::{self, Class};
use super::shields::Holding;
use super::{Desk, FirstList, Mt5};
use crate::bridge::protocol::{CommandResult, Deal, Outcome, SyncRequest, Want};
use crate::bridge::{Heard, Listener, Presence};
use crate::clock;

impl Listener for Mt5 {
    fn heard(&self, heard: Heard<'_>) {
        match heard {
            Heard::Session { new_journal, .. } => {
                let mut desk = self.desk();
                if new_journal {
                    desk.one_bridge_since = clock::instant();
                }
                desk.is_away = false;
                desk.first_list = FirstList::Awaited;
                desk.missed();
            }
            Heard::Facts(facts) => self.take(facts),
            Heard::Away => self.desk().is_away = true,
        }
    }
}

impl Mt5 {
    fn take(&self, facts: &SyncRequest) {
        let now = clock::now();
        {
            let mut desk = self.desk();
            if std::mem::take(&mut desk.is_away) {
                desk.missed();
            }
            if let Some(state) = &facts.state {
                desk.clock.note(state.server_time_ms, now);
                desk.skew_milliseconds = (state.time_ms > 0)
                    .then(|| state.time_ms.saturating_sub(now.microseconds() / 1000));
            }
            if !self.is_ours() {
                // Positions and deals of another account say nothing of this one's.
                desk.is_foreign = true;
                return;
            }
            if std::mem::take(&mut desk.is_foreign) {
                desk.missed();
                self.line.want(Want::Positions);
                self.line.want(Want::Orders);
            }
            if facts.symbols_complete {
                desk.symbols = self.line.symbols().map(|list| Symbols::of(&list));
                if matches!(desk.first_list, FirstList::Awaited) {
                    desk.first_list = FirstList::Complete(clock::instant());
                }
            }
            desk.take(facts, self.options.accounting, now);
        }
        self.told.send_modify(|told| {
            told.state += u64::from(facts.state.is_some());
            told.positions += u64::from(facts.positions.is_some());
            told.symbols += u64::from(facts.symbols_complete);
        });
    }
}

impl Mt5 {
    /// Whether the terminal is logged into the account that this adapter is for.
    pub(super) fn is_ours(&self) -> bool {
        match self.line.presence() {
            Presence::NeverSeen => false,
            Presence::Present(seen) | Presence::Away(seen) => seen.state.is_some_and(|state| {
                state.login == self.options.login && state.server == self.options.server
            }),
        }
    }
}

impl Desk {
    /// Takes what one request tells, and tells what is news.
    fn take(&mut self, facts: &SyncRequest, accounting: Accounting, now: Timestamp) {
        for result in &facts.results {
            self.take_result(result);
        }
        let clock = self.clock;
        let changed = self.book.take(facts, &clock, now);
        let fired = self.follow(&changed, accounting);
        // What has traded is told before what is over because of it.
        let mut touched: Vec<ClientOrderId> = changed.orders.into_iter().collect();
        let answered = facts.results.iter();
        touched.extend(answered.filter_map(|result| result.order.parse::<ClientOrderId>().ok()));
        touched.extend(fired);
        if facts.positions.is_some() || !changed.deals.is_empty() {
            touched.extend(self.judge(now));
        }
        self.tell(touched);
    }

    /// Notes a result's tickets before the deals of the same request are counted, and that nothing
    /// more of the order will come. Those who wait for the result read the rest from it.
    fn take_result(&mut self, result: &CommandResult) {
        let Ok(id) = result.order.parse::<ClientOrderId>() else {
            return;
        };
        let Some(class) = self.book.class_of(id) else {
            return;
        };
        if result.steps.is_empty() {
            return;
        }
        self.book.take_steps(id, result.steps.iter());
        if result.outcome == Outcome::Answered && result.steps.iter().all(|step| step.answered) {
            let verdicts = result
                .steps
                .iter()
                .map(|step| retcode::verdict(step, class));
            let mut refusals = verdicts.filter(|verdict| verdict.class != Class::Done);
            let words = refusals.next().map(|verdict| verdict.text);
            self.book.settle(id, &words.unwrap_or_default());
        }
    }

    /// What new deals and orders mean for the levels of positions: an entry that has traded has set
    /// them, and what they have closed is answered for.
    pub(super) fn follow(
        &mut self,
        changed: &Changed,
        accounting: Accounting,
    ) -> Vec<ClientOrderId> {
        for id in self.shields.open_entries() {
            if self.book.has_traded(id) {
                self.shields.entry_has_traded(id);
                continue;
            }
            let is_over = self
                .book
                .report(id)
                .is_some_and(|report| report.status != ReportedStatus::Working);
            if is_over {
                self.shields.entry_came_to_nothing(id);
            }
        }
        // Before what is over because of it: what is gone needs no protection anew.
        self.tell_outside(&changed.deals);
        let mut touched = Vec::new();
        for ticket in &changed.deals {
            let Some(dealt) = self.book.deal(*ticket) else {
                continue;
            };
            if let Some(holding) = fired_of(&dealt.deal, accounting, |position| {
                self.book.tag_of_position(position)
            }) {
                let position = self.book.position_closed_by(&dealt.deal);
                touched.extend(self.shields.allot(&holding, position, dealt));
            }
        }
        touched
    }

    /// Holds protection against the positions that are there.
    pub(super) fn judge(&mut self, now: Timestamp) -> Vec<ClientOrderId> {
        let mut over = Vec::new();
        for holding in self.shields.holdings() {
            let positions = self.book.positions_of(&holding);
            let book = &self.book;
            let is_explained = |position| is_explained(book, position, &holding);
            let rests = |entry| !book.pending_of(entry).is_empty();
            let judged = self
                .shields
                .judge(&holding, &positions, is_explained, rests, now);
            over.extend(judged);
        }
        over
    }

    /// Allots what the server has closed of these positions because of a level.
    pub(super) fn allot_fired(
        &mut self,
        holding: &Holding,
        positions: &std::collections::BTreeSet<u64>,
    ) -> Vec<ClientOrderId> {
        let mut touched = Vec::new();
        for dealt in self.book.fired() {
            let position = self.book.position_closed_by(&dealt.deal);
            if positions.contains(&position) {
                touched.extend(self.shields.allot(holding, position, dealt));
            }
        }
        touched
    }
}

/// Whether the deals that closed a position are known. Where its opening is too old to be known, any
/// closing will do: what comes later is counted all the same.
pub(super) fn is_explained(book: &super::book::Book, position: u64, holding: &Holding) -> bool {
    let (opened, closed) = book.turnover(position, holding.position_type());
    closed > rust_decimal::Decimal::ZERO && closed >= opened
}

/// The holding that a deal has closed (a part of) because of a stop loss or a take profit.
fn fired_of(
    deal: &Deal,
    accounting: Accounting,
    tag_of_position: impl Fn(u64) -> Option<Tag>,
) -> Option<Holding> {
    if !matches!(deal.reason, 4 | 5) {
        return None;
    }
    let symbol = Symbol::new(&deal.symbol).ok()?;
    let tag = match accounting {
        Accounting::Netting => None,
        Accounting::Hedging => {
            Some(tag_of_position(deal.position_id).or_else(|| Tag::in_magic(deal.magic))?)
        }
    };
    Some(Holding::closed_by(side_of(deal.deal_type), &symbol, tag))
}
