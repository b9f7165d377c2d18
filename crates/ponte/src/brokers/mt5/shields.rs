//! Protection on the position: which levels it should have, and which order answers for what they close.
//!
//! At MetaTrader there are no protective orders: a position has one stop loss and one take profit.
//! A *shield* is one protective order of the plan, bound to a strategy's position. The levels that
//! are wanted follow from the live shields; what the levels close is allotted to them.

mod levels;

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::OrderPlan;
use ponte_core::signal::Side;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

pub(super) use self::levels::Levels;
use super::book::Dealt;
use super::identity::Tag;
use super::tracked::{Share, Totals};
use crate::bridge::protocol::Position;

/// How many shields are remembered; the oldest that are over are forgotten first.
const SHIELDS_MAX: usize = 10_000;
/// `DEAL_REASON_SL`.
const STOPPED: u32 = 4;

/// The positions that a protective order protects: of a symbol and a side, and where an account has
/// a position for each entry, of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holding {
    pub(super) symbol: Symbol,
    pub(super) tag: Option<Tag>,
    pub(super) is_long: bool,
}

impl Holding {
    /// What this side closes: a sale closes a long position.
    pub(super) fn closed_by(side: Side, symbol: &Symbol, tag: Option<Tag>) -> Self {
        Self {
            symbol: symbol.clone(),
            tag,
            is_long: side == Side::Sell,
        }
    }

    /// `ENUM_POSITION_TYPE`, and the type of the deals that open it.
    pub(super) const fn position_type(&self) -> u32 {
        if self.is_long { 0 } else { 1 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It is only asked about.
    Asked,
    /// It is being asked for, or nobody knows whether that came through.
    Placing,
    /// The position has its levels.
    Live,
    /// The position is gone; what its levels closed may still be told.
    Closed(String),
    /// It was taken back, or its levels were taken away.
    Cancelled(String),
}

/// One protective order.
#[derive(Debug, Clone)]
struct Shield {
    holding: Holding,
    levels: Levels,
    quantity: Decimal,
    /// Newer ones have larger numbers.
    age: u64,
    state: State,
    /// The positions that it has protected, by identifier.
    positions: BTreeSet<u64>,
    /// What it answers for, by deal.
    parts: BTreeMap<u64, Share>,
    at: Timestamp,
}

impl Shield {
    fn filled(&self) -> Decimal {
        Totals::of(self.parts.values()).filled
    }

    /// Whether its levels should be at the position.
    fn counts(&self) -> bool {
        let is_open = matches!(self.state, State::Placing | State::Live);
        is_open && self.filled() < self.quantity
    }

    fn is_live(&self) -> bool {
        self.state == State::Live && self.counts()
    }

    /// Whether it answers for what a deal of this reason has closed.
    fn answers_for(&self, reason: u32, position: u64) -> bool {
        let asked = if reason == STOPPED {
            self.levels.stop
        } else {
            self.levels.target
        };
        let may = match self.state {
            State::Asked | State::Placing | State::Live | State::Closed(_) => true,
            State::Cancelled(_) => false,
        };
        asked.is_some() && may && self.positions.contains(&position)
    }
}

/// The levels that an entry brought along.
#[derive(Debug, Clone)]
struct Brought {
    holding: Holding,
    levels: Levels,
    age: u64,
    /// Whether it has traded: only then its levels are the position's.
    has_traded: bool,
}

/// All protective orders of an account.
#[derive(Debug, Default)]
pub(super) struct Shields {
    shields: BTreeMap<ClientOrderId, Shield>,
    entries: BTreeMap<ClientOrderId, Brought>,
    /// Levels that are being asked for by a cancellation.
    leaving: BTreeMap<ClientOrderId, (Holding, Levels)>,
    /// Deals that some shield answers for.
    allotted: BTreeSet<u64>,
    /// Deals of which orders that this process has not placed may have a part.
    shared: BTreeSet<u64>,
    next_age: u64,
}

impl Shields {
    fn next_age(&mut self) -> u64 {
        self.next_age += 1;
        self.next_age
    }

    /// Notes a protective order that is asked about. One that is known keeps what is known of it.
    pub(super) fn expect(
        &mut self,
        plan: &OrderPlan,
        holding: Holding,
        levels: Levels,
        now: Timestamp,
    ) {
        let age = self.next_age();
        let shield = self.shields.entry(plan.id).or_insert_with(|| Shield {
            holding,
            levels,
            quantity: plan.quantity.get(),
            age,
            state: State::Asked,
            positions: BTreeSet::new(),
            parts: BTreeMap::new(),
            at: now,
        });
        shield.levels = levels;
        self.forget_the_oldest();
    }

    /// It is to be placed (again): the newest levels are its own. It must be noted.
    pub(super) fn place(&mut self, id: ClientOrderId) {
        let age = self.next_age();
        if let Some(shield) = self.shields.get_mut(&id)
            && shield.state != State::Live
        {
            shield.state = State::Placing;
            shield.age = age;
        }
    }

    /// It protects positions of these identifiers from now on.
    pub(super) fn bind(&mut self, id: ClientOrderId, positions: impl Iterator<Item = u64>) {
        if let Some(shield) = self.shields.get_mut(&id) {
            shield.positions.extend(positions);
        }
    }

    /// The position has its levels. What an entry brought along before counts no more.
    pub(super) fn rests(&mut self, id: ClientOrderId) {
        let Some(shield) = self.shields.get_mut(&id) else {
            return;
        };
        if matches!(shield.state, State::Asked | State::Placing) {
            shield.state = State::Live;
        }
        let (holding, age) = (shield.holding.clone(), shield.age);
        self.entries.retain(|_, brought| {
            brought.holding != holding || !brought.has_traded || brought.age > age
        });
    }

    /// It is not at the position and will not be.
    pub(super) fn forget(&mut self, id: ClientOrderId) {
        if self
            .shields
            .get(&id)
            .is_some_and(|shield| shield.parts.is_empty())
        {
            self.shields.remove(&id);
        }
    }

    /// It was taken back.
    pub(super) fn cancelled(&mut self, id: ClientOrderId, reason: &str) {
        if let Some(shield) = self.shields.get_mut(&id)
            && matches!(shield.state, State::Asked | State::Placing | State::Live)
        {
            shield.state = State::Cancelled(reason.to_owned());
        }
    }

    /// Whether it is known here, and the position has its levels.
    pub(super) fn is_live(&self, id: ClientOrderId) -> bool {
        self.shields.get(&id).is_some_and(Shield::is_live)
    }

    /// The positions that an order has protected, by identifier.
    pub(super) fn positions_of(&self, id: ClientOrderId) -> BTreeSet<u64> {
        let shield = self.shields.get(&id);
        shield.map_or_else(BTreeSet::new, |shield| shield.positions.clone())
    }

    /// What a protective order asks for, where it is known.
    pub(super) fn levels_of(&self, id: ClientOrderId) -> Option<Levels> {
        self.shields.get(&id).map(|shield| shield.levels)
    }

    /// The live ones of a symbol, or of all.
    pub(super) fn live(&self, symbol: Option<&Symbol>) -> Vec<(ClientOrderId, Holding)> {
        self.shields
            .iter()
            .filter(|(_, shield)| shield.is_live())
            .filter(|(_, shield)| symbol.is_none_or(|wanted| shield.holding.symbol == *wanted))
            .map(|(id, shield)| (*id, shield.holding.clone()))
            .collect()
    }

    /// The levels that a holding should have: the newest stop and the newest target.
    pub(super) fn wanted(&self, holding: &Holding, without: &[ClientOrderId]) -> Levels {
        let shields = self
            .shields
            .iter()
            .filter(|(id, shield)| shield.counts() && !without.contains(id))
            .map(|(_, shield)| (shield.age, &shield.holding, shield.levels));
        let entries = self
            .entries
            .values()
            .filter(|brought| brought.has_traded)
            .map(|brought| (brought.age, &brought.holding, brought.levels));
        newest(
            shields
                .chain(entries)
                .filter(|(_, of, _)| *of == holding)
                .map(|(age, _, levels)| (age, levels)),
        )
    }

    /// The levels after these orders are taken back. What none of them has asked for stays as it is.
    pub(super) fn without(
        &self,
        holding: &Holding,
        ids: &[ClientOrderId],
        present: Levels,
    ) -> Levels {
        let wanted = self.wanted(holding, ids);
        let leaving = |part: fn(&Levels) -> Option<Decimal>| {
            ids.iter()
                .filter_map(|id| self.shields.get(id))
                .any(|shield| part(&shield.levels).is_some())
        };
        let keep = |part: fn(&Levels) -> Option<Decimal>| {
            let kept = (!leaving(part)).then(|| part(&present)).flatten();
            part(&wanted).or(kept)
        };
        Levels {
            stop: keep(|levels| levels.stop),
            target: keep(|levels| levels.target),
        }
    }

    /// An entry is about to bring these levels along.
    pub(super) fn entry_brings(&mut self, id: ClientOrderId, holding: Holding, levels: Levels) {
        let age = self.next_age();
        let brought = Brought {
            holding,
            levels,
            age,
            has_traded: false,
        };
        self.entries.insert(id, brought);
    }

    /// The entry has traded: its levels are the position's, and newer than all others.
    pub(super) fn entry_has_traded(&mut self, id: ClientOrderId) {
        let age = self.next_age();
        if let Some(brought) = self.entries.get_mut(&id)
            && !brought.has_traded
        {
            brought.has_traded = true;
            brought.age = age;
        }
    }

    /// The entry is over and has traded nothing.
    pub(super) fn entry_came_to_nothing(&mut self, id: ClientOrderId) {
        self.entries.remove(&id);
    }

    /// The entries whose levels are not known to be the position's yet.
    pub(super) fn open_entries(&self) -> Vec<ClientOrderId> {
        let open = self.entries.iter().filter(|(_, found)| !found.has_traded);
        open.map(|(id, _)| *id).collect()
    }

    /// While orders are taken back the position may have these levels already.
    pub(super) fn leave(&mut self, id: ClientOrderId, holding: Holding, levels: Levels) {
        self.leaving.insert(id, (holding, levels));
    }

    /// The taking back has an answer.
    pub(super) fn left(&mut self, id: ClientOrderId) {
        self.leaving.remove(&id);
    }

    /// The holdings that are protected.
    pub(super) fn holdings(&self) -> BTreeSet<Holding> {
        let protected = self.shields.values().filter(|shield| shield.counts());
        protected.map(|shield| shield.holding.clone()).collect()
    }

    /// Holds what protects a holding against the positions that the terminal shows of it, and names
    /// the orders that are over. `is_explained` says whether all deals that closed a position are known,
    /// `rests` whether an entry waits at the terminal.
    pub(super) fn judge(
        &mut self,
        holding: &Holding,
        positions: &[Position],
        is_explained: impl Fn(u64) -> bool,
        rests: impl Fn(ClientOrderId) -> bool,
        now: Timestamp,
    ) -> Vec<ClientOrderId> {
        let here: BTreeSet<u64> = positions.iter().map(|found| found.identifier).collect();
        let stops = self.accepted(holding, &rests, |levels| levels.stop);
        let targets = self.accepted(holding, &rests, |levels| levels.target);
        let mut over = Vec::new();
        for (id, shield) in &mut self.shields {
            if shield.holding != *holding || !shield.is_live() || self.leaving.contains_key(id) {
                continue;
            }
            let is_here = shield.positions.is_empty() || !shield.positions.is_disjoint(&here);
            if here.is_empty() || !is_here {
                if shield
                    .positions
                    .iter()
                    .all(|position| is_explained(*position))
                {
                    let reason = format!("the position of {} is closed", holding.symbol);
                    shield.state = State::Closed(reason);
                    shield.at = now;
                    over.push(*id);
                }
                continue;
            }
            shield.positions.extend(&here);
            let lost = positions.iter().find_map(|position| {
                let present = Levels::of(position);
                let stop = missing(shield.levels.stop, present.stop, &stops, "stop");
                let target = missing(shield.levels.target, present.target, &targets, "target");
                stop.or(target)
            });
            if let Some(lost) = lost {
                let reason = format!("{lost} at the position of {}", holding.symbol);
                shield.state = State::Cancelled(reason);
                shield.at = now;
                over.push(*id);
            }
        }
        if here.is_empty() {
            self.entries
                .retain(|_, brought| brought.holding != *holding || !brought.has_traded);
        }
        over
    }

    /// Every level that some order of the holding's has asked for and that is not over. An entry that
    /// waits at the terminal has set none yet: while it does, what it lacks is no excuse for a lost stop.
    fn accepted(
        &self,
        holding: &Holding,
        rests: &impl Fn(ClientOrderId) -> bool,
        part: fn(&Levels) -> Option<Decimal>,
    ) -> BTreeSet<Option<Decimal>> {
        let shields = self
            .shields
            .values()
            .filter(|shield| shield.counts() && shield.holding == *holding)
            // A shield says nothing of the part that it does not have.
            .filter_map(|shield| part(&shield.levels).map(Some));
        let entries = self
            .entries
            .iter()
            .filter(|(_, brought)| brought.holding == *holding)
            .filter(|(id, brought)| brought.has_traded || !rests(**id))
            .map(|(_, brought)| part(&brought.levels));
        let leaving = self
            .leaving
            .values()
            .filter(|(of, _)| of == holding)
            .map(|(_, levels)| part(levels));
        shields.chain(entries).chain(leaving).collect()
    }

    /// Allots what the server has closed because of a level: oldest order first, each as much as it
    /// is for; the last one answers for what is over, since a report must tell the truth. Names the
    /// orders. `position` is the one that was to be closed. A deal that no order answers for stays to be
    /// asked about.
    ///
    /// Where an order of an earlier process answers, none takes more than its own: the others may not be
    /// known yet, or may have answered for their part before the restart.
    pub(super) fn allot(
        &mut self,
        holding: &Holding,
        position: u64,
        dealt: &Dealt,
    ) -> Vec<ClientOrderId> {
        let deal = &dealt.deal;
        if self.allotted.contains(&deal.ticket) {
            return Vec::new();
        }
        let mut answering: Vec<(u64, ClientOrderId)> = self
            .shields
            .iter()
            .filter(|(_, shield)| shield.holding == *holding)
            .filter(|(_, shield)| shield.answers_for(deal.reason, position))
            .map(|(id, shield)| (shield.age, *id))
            .collect();
        answering.sort_unstable();
        let Some((_, last)) = answering.last().copied() else {
            return Vec::new();
        };
        let is_of_before = |(_, id): &(u64, ClientOrderId)| {
            let shield = self.shields.get(id);
            shield.is_some_and(|shield| shield.state == State::Asked)
        };
        if answering.iter().any(is_of_before) {
            self.shared.insert(deal.ticket);
        }
        let is_shared = self.shared.contains(&deal.ticket);
        let mut left = dealt.share.volume - self.taken_of(deal.ticket);
        let mut touched = Vec::new();
        for (_, id) in answering {
            let Some(shield) = self.shields.get_mut(&id) else {
                continue;
            };
            let own = (shield.quantity - shield.filled()).max(Decimal::ZERO);
            let takes_all = id == last && !is_shared;
            let volume = if takes_all { left } else { own.min(left) };
            if volume > Decimal::ZERO {
                shield.parts.insert(deal.ticket, dealt.share.part(volume));
                left -= volume;
                touched.push(id);
            }
        }
        if left.is_zero() {
            self.allotted.insert(deal.ticket);
        }
        touched
    }

    /// How much of a deal orders answer for already.
    fn taken_of(&self, ticket: u64) -> Decimal {
        let parts = self.shields.values();
        parts
            .filter_map(|shield| shield.parts.get(&ticket))
            .map(|part| part.volume)
            .sum()
    }

    /// Where a protective order stands; `None` where it is not known.
    pub(super) fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        let shield = self.shields.get(&id)?;
        let totals = Totals::of(shield.parts.values());
        let status = if totals.filled >= shield.quantity {
            ReportedStatus::Filled
        } else {
            match &shield.state {
                State::Asked | State::Placing | State::Live => ReportedStatus::Working,
                State::Closed(reason) | State::Cancelled(reason) => ReportedStatus::Cancelled {
                    reason: reason.clone(),
                },
            }
        };
        let positions: Vec<String> = shield.positions.iter().map(u64::to_string).collect();
        Some(OrderReport {
            id,
            broker_order_id: format!("position {}", positions.join("+")),
            status,
            filled: totals.filled.normalize(),
            average_price: totals.average_price(),
            fees: totals.fees.normalize(),
            withheld: Decimal::ZERO,
            at: shield.at.max(totals.at),
        })
    }

    fn forget_the_oldest(&mut self) {
        if self.shields.len() <= SHIELDS_MAX {
            return;
        }
        let oldest = self
            .shields
            .iter()
            .filter(|(_, shield)| !shield.counts())
            .min_by_key(|(_, shield)| shield.age)
            .map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.shields.remove(&id);
        }
    }
}

/// The newest stop and the newest target of all that was asked for.
fn newest(asked: impl Iterator<Item = (u64, Levels)>) -> Levels {
    let mut by_age: Vec<(u64, Levels)> = asked.collect();
    by_age.sort_by_key(|(age, _)| std::cmp::Reverse(*age));
    by_age
        .into_iter()
        .fold(Levels::default(), |newer, (_, older)| newer.or(older))
}

/// What to say where a level that was asked for is neither there nor one that may stand in its place.
fn missing(
    asked: Option<Decimal>,
    present: Option<Decimal>,
    accepted: &BTreeSet<Option<Decimal>>,
    what: &str,
) -> Option<String> {
    let asked = asked?;
    if accepted.contains(&present) {
        return None;
    }
    Some(match present {
        Some(present) => format!("the {what} {asked} was changed to {present}"),
        None => format!("the {what} {asked} was taken away"),
    })
}

#[cfg(test)]
mod tests;
