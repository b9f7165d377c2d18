//! A mirror of the terminal: positions, pending orders and deals, and what they make of each order of ours.
//!
//! Deals are the truth about what has traded; an order's state tells whether more can come. Both are
//! known by their tickets, so that what is told twice, late or out of order changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{ClientOrderId, StrategyName, Symbol};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};
use ponte_core::signal::Side;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::identity::{self, Tag};
use super::retcode::{DONE, DONE_PARTIAL, PLACED};
use super::server_clock::ServerClock;
use super::shields::Holding;
use super::tracked::{Share, Tracked};
use crate::bridge::protocol::{Deal, Found, Position, Step, SyncRequest, TradeOrder};

/// How many deals, and how many ended orders, are remembered; the oldest tickets are forgotten first.
const REMEMBERED_MAX: usize = 10_000;
/// How many orders of ours are remembered; those with the smallest ids, the oldest, are forgotten first.
pub(super) const ORDERS_MAX: usize = 10_000;
/// The last of the reasons of what somebody has asked for: client, mobile, web, expert. What the
/// server does by itself (stop loss, take profit, stop out) comes after it, and bears the magic
/// number of the position that it closes.
const ASKED_FOR_REASON_MAX: u32 = 3;

/// A deal with the moment at which it happened.
#[derive(Debug, Clone)]
pub(super) struct Dealt {
    pub(super) deal: Deal,
    pub(super) share: Share,
}

/// The mirror.
#[derive(Debug, Default)]
pub(super) struct Book {
    positions: BTreeMap<u64, Position>,
    pending: BTreeMap<u64, TradeOrder>,
    ended: BTreeMap<u64, TradeOrder>,
    deals: BTreeMap<u64, Dealt>,
    orders: BTreeMap<ClientOrderId, Tracked>,
    by_magic: BTreeMap<i64, ClientOrderId>,
    by_comment: BTreeMap<String, ClientOrderId>,
    by_ticket: BTreeMap<u64, ClientOrderId>,
    /// Whose a position is or was.
    tags: BTreeMap<u64, Tag>,
    strategies: BTreeMap<Tag, StrategyName>,
    /// Whether the terminal has told its positions at all.
    pub(super) has_positions: bool,
}

/// What one request of a bridge has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// Orders of ours.
    pub(super) orders: BTreeSet<ClientOrderId>,
    /// Deals that were not known before, by ticket.
    pub(super) deals: Vec<u64>,
}

impl Book {
    /// Notes an order that is about to be sent, or asked about, and what is known of it already.
    pub(super) fn expect(&mut self, plan: &OrderPlan, now: Timestamp) {
        let magic = i64::try_from(identity::magic_of(plan)).unwrap_or(i64::MAX);
        self.by_magic.insert(magic, plan.id);
        self.by_comment.insert(identity::comment(plan.id), plan.id);
        self.strategies
            .entry(Tag::of(&plan.strategy))
            .or_insert_with(|| plan.strategy.clone());
        if self.orders.contains_key(&plan.id) {
            return;
        }
        self.orders.insert(plan.id, Tracked::new(plan, now));
        let orders: Vec<TradeOrder> = self
            .ended
            .values()
            .chain(self.pending.values())
            .cloned()
            .collect();
        for order in &orders {
            let is_over = !self.pending.contains_key(&order.ticket);
            self.take_order(order, is_over, now);
        }
        let deals: Vec<u64> = self.deals.keys().copied().collect();
        for ticket in deals {
            self.count(ticket);
        }
        self.forget_the_oldest();
    }

    /// Another strategy that has the same 20 bits as this one.
    pub(super) fn namesake(&self, strategy: &StrategyName) -> Option<&StrategyName> {
        self.strategies
            .get(&Tag::of(strategy))
            .filter(|known| *known != strategy)
    }

    /// What a noted order does to the position.
    pub(super) fn class_of(&self, id: ClientOrderId) -> Option<OrderClass> {
        self.orders.get(&id).map(|tracked| tracked.class)
    }

    /// An order is handed over (again): the answer is open. `short` says why less is asked for than
    /// was planned, if so.
    pub(super) fn sending(&mut self, id: ClientOrderId, short: String) {
        if let Some(tracked) = self.orders.get_mut(&id) {
            tracked.sending(short);
        }
    }

    /// Every request of the order has its answer. What has not traded and does not rest never will,
    /// because of `left`.
    pub(super) fn settle(&mut self, id: ClientOrderId, left: &str) {
        if let Some(tracked) = self.orders.get_mut(&id) {
            tracked.settle(left);
        }
    }

    /// Notes the tickets that the terminal's answers have named.
    pub(super) fn take_steps<'a>(
        &mut self,
        id: ClientOrderId,
        steps: impl Iterator<Item = &'a Step>,
    ) {
        let Some(tracked) = self.orders.get_mut(&id) else {
            return;
        };
        let taken = steps.filter(|step| step.order != 0 && is_success(step));
        for step in taken {
            tracked.has_ticket(step.order);
            self.by_ticket.insert(step.order, id);
        }
        let deals: Vec<u64> = self.deals.keys().copied().collect();
        for ticket in deals {
            self.count(ticket);
        }
    }

    /// Takes what a bridge tells in one request.
    pub(super) fn take(
        &mut self,
        facts: &SyncRequest,
        clock: &ServerClock,
        now: Timestamp,
    ) -> Changed {
        let mut changed = Changed::default();
        if let Some(positions) = &facts.positions {
            self.has_positions = true;
            self.positions = positions.iter().map(|p| (p.ticket, p.clone())).collect();
            for position in positions {
                if let Some(tag) = Tag::in_magic(position.magic) {
                    self.tags.insert(position.identifier, tag);
                }
            }
        }
        if let Some(orders) = &facts.orders {
            self.pending = orders.iter().map(|o| (o.ticket, o.clone())).collect();
            for order in orders {
                changed.orders.extend(self.take_order(order, false, now));
            }
        }
        for order in &facts.history {
            changed.orders.extend(self.take_ended(order, clock, now));
        }
        for deal in &facts.deals {
            let is_new = !self.deals.contains_key(&deal.ticket);
            changed.orders.extend(self.take_deal(deal, clock, now));
            if is_new && self.deals.contains_key(&deal.ticket) {
                changed.deals.push(deal.ticket);
            }
        }
        self.forget_the_oldest();
        changed
    }

    /// Takes what was found of an order; deals that were not known before are named.
    pub(super) fn take_found(
        &mut self,
        id: ClientOrderId,
        found: &Found,
        clock: &ServerClock,
        now: Timestamp,
    ) -> Changed {
        self.take_steps(id, found.steps.iter());
        let mut changed = Changed::default();
        for order in &found.orders {
            changed.orders.extend(self.take_order(order, false, now));
        }
        for order in &found.history {
            changed.orders.extend(self.take_ended(order, clock, now));
        }
        for deal in &found.deals {
            let is_new = !self.deals.contains_key(&deal.ticket);
            changed.orders.extend(self.take_deal(deal, clock, now));
            if is_new && self.deals.contains_key(&deal.ticket) {
                changed.deals.push(deal.ticket);
            }
        }
        changed
    }

    fn take_ended(
        &mut self,
        order: &TradeOrder,
        clock: &ServerClock,
        now: Timestamp,
    ) -> Option<ClientOrderId> {
        self.pending.remove(&order.ticket);
        self.ended.insert(order.ticket, order.clone());
        self.take_order(order, true, clock.utc(order.time_done_ms, now))
    }

    fn take_order(
        &mut self,
        order: &TradeOrder,
        is_over: bool,
        at: Timestamp,
    ) -> Option<ClientOrderId> {
        let id = self.owner_of_order(order)?;
        self.by_ticket.insert(order.ticket, id);
        let tracked = self.orders.get_mut(&id)?;
        tracked.take_order(order, is_over, at).then_some(id)
    }

    fn take_deal(
        &mut self,
        deal: &Deal,
        clock: &ServerClock,
        now: Timestamp,
    ) -> Option<ClientOrderId> {
        if deal.deal_type > 1 || deal.symbol.is_empty() {
            return None;
        }
        // A deal that is told again keeps its moment: what was heard first is nearest to it.
        let at = match self.deals.get(&deal.ticket) {
            Some(known) => known.share.at,
            None => clock.utc(deal.time_ms, now),
        };
        if let Some(tag) = Tag::in_magic(deal.magic) {
            self.tags.entry(deal.position_id).or_insert(tag);
        }
        self.deals.insert(
            deal.ticket,
            Dealt {
                deal: deal.clone(),
                share: Share::of(deal, at),
            },
        );
        self.count(deal.ticket)
    }

    /// Counts a deal for the order whose it is.
    fn count(&mut self, ticket: u64) -> Option<ClientOrderId> {
        let Dealt { deal, share } = self.deals.get(&ticket)?;
        let id = self.owner_of_deal(deal)?;
        if deal.order != 0 {
            self.by_ticket.insert(deal.order, id);
        }
        let tracked = self.orders.get_mut(&id)?;
        tracked.take_deal(deal, *share).then_some(id)
    }

    fn owner_of_order(&self, order: &TradeOrder) -> Option<ClientOrderId> {
        let side = side_of(order.order_type);
        self.owner(
            order.ticket,
            order.magic,
            &order.comment,
            order.reason,
            side,
        )
    }

    pub(super) fn owner_of_deal(&self, deal: &Deal) -> Option<ClientOrderId> {
        let side = side_of(deal.deal_type);
        self.owner(deal.order, deal.magic, &deal.comment, deal.reason, side)
    }

    /// Whose something is: by its ticket where that is known, else by magic number or comment. What
    /// the server does by itself is nobody's order, and an order trades on its own side only: the
    /// closing of a position bears the magic number of whoever touched it last.
    fn owner(
        &self,
        ticket: u64,
        magic: i64,
        comment: &str,
        reason: u32,
        side: Side,
    ) -> Option<ClientOrderId> {
        if reason > ASKED_FOR_REASON_MAX {
            return None;
        }
        let id = self
            .by_ticket
            .get(&ticket)
            .or_else(|| self.by_magic.get(&magic))
            .or_else(|| self.by_comment.get(comment))?;
        let is_its_side = self.orders.get(id).is_some_and(|found| found.side == side);
        is_its_side.then_some(*id)
    }

    /// Where an order stands; `None` while nothing of it is known.
    pub(super) fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        self.orders.get(&id)?.report(id)
    }

    /// Whether the order should be over, and the terminal has not told yet how: nothing of it rests,
    /// and what it has traded is not all there.
    pub(super) fn is_owed(&self, id: ClientOrderId) -> bool {
        let rests = !self.pending_of(id).is_empty();
        let works = self
            .report(id)
            .is_some_and(|report| report.status == ReportedStatus::Working);
        works && !rests
    }

    /// The pending orders that an order of ours is.
    pub(super) fn pending_of(&self, id: ClientOrderId) -> Vec<&TradeOrder> {
        self.pending
            .values()
            .filter(|order| self.owner_of_order(order) == Some(id))
            .collect()
    }

    /// The orders of ours that rest, with what the terminal says of them.
    pub(super) fn resting(&self) -> Vec<(ClientOrderId, &Symbol, &TradeOrder)> {
        self.pending
            .values()
            .filter_map(|order| {
                let id = self.owner_of_order(order)?;
                Some((id, &self.orders.get(&id)?.symbol, order))
            })
            .collect()
    }

    /// A pending order that was just taken back, before the terminal has told that it is over.
    pub(super) fn taken_back(&mut self, ticket: u64) {
        if let Some(order) = self.pending.remove(&ticket)
            && let Some(id) = self.owner_of_order(&order)
            && let Some(tracked) = self.orders.get_mut(&id)
        {
            tracked.taken_back(ticket);
        }
    }

    /// The open positions of a holding, oldest first.
    pub(super) fn positions_of(&self, holding: &Holding) -> Vec<Position> {
        let mut found: Vec<Position> = self
            .positions
            .values()
            .filter(|position| {
                position.position_type == holding.position_type()
                    && is_named(&position.symbol, &holding.symbol)
                    && holding
                        .tag
                        .is_none_or(|tag| self.tag_of(position) == Some(tag))
            })
            .cloned()
            .collect();
        found.sort_by_key(|position| (position.time_ms, position.ticket));
        found
    }

    fn tag_of(&self, position: &Position) -> Option<Tag> {
        let known = self.tags.get(&position.identifier).copied();
        Tag::in_magic(position.magic).or(known)
    }

    /// The net position of each symbol in which there is one.
    pub(super) fn net_positions(&self) -> BTreeMap<Symbol, Decimal> {
        let mut net: BTreeMap<Symbol, Decimal> = BTreeMap::new();
        for position in self.positions.values() {
            if let Ok(symbol) = Symbol::new(&position.symbol) {
                let signed = side_of(position.position_type).signed(position.volume);
                *net.entry(symbol).or_default() += signed;
            }
        }
        net.retain(|_, quantity| !quantity.is_zero());
        net
    }

    /// A deal that is known.
    pub(super) fn deal(&self, ticket: u64) -> Option<&Dealt> {
        self.deals.get(&ticket)
    }

    /// Every deal that is known, oldest first.
    pub(super) fn deals(&self) -> impl Iterator<Item = &Dealt> {
        self.deals.values()
    }

    /// Every deal that the server has made by itself, because of a stop loss or a take profit.
    pub(super) fn fired(&self) -> impl Iterator<Item = &Dealt> {
        self.deals
            .values()
            .filter(|dealt| matches!(dealt.deal.reason, 4 | 5))
    }

    /// The position that the server's order was to close. Where an exit was quicker, the deal of a stop
    /// that had left for the exchange already opens another one.
    pub(super) fn position_closed_by(&self, deal: &Deal) -> u64 {
        let order = self.ended.get(&deal.order);
        let position = order.map(|order| order.position_id);
        position.filter(|id| *id != 0).unwrap_or(deal.position_id)
    }

    /// The positions that an order's deals belong to.
    pub(super) fn positions_by(&self, id: ClientOrderId) -> BTreeSet<u64> {
        self.orders
            .get(&id)
            .map(|tracked| tracked.positions.clone())
            .unwrap_or_default()
    }

    /// The positions of a holding that deals with this magic number have opened or added to.
    pub(super) fn positions_opened_with(&self, magic: u64, holding: &Holding) -> BTreeSet<u64> {
        let magic = i64::try_from(magic).unwrap_or(i64::MAX);
        let deals = self.deals.values().map(|dealt| &dealt.deal);
        deals
            .filter(|deal| deal.magic == magic && deal.deal_type == holding.position_type())
            .map(|deal| deal.position_id)
            .collect()
    }

    /// Whether an order of ours has traded anything.
    pub(super) fn has_traded(&self, id: ClientOrderId) -> bool {
        self.orders.get(&id).is_some_and(Tracked::has_traded)
    }

    /// The holding's latest position, open or closed, by its deals.
    pub(super) fn latest_position(&self, holding: &Holding) -> Option<u64> {
        if let Some(open) = self.positions_of(holding).last() {
            return Some(open.identifier);
        }
        let mut opened = self.deals.values().rev().filter(|dealt| {
            let deal = &dealt.deal;
            deal.deal_type == holding.position_type()
                && is_named(&deal.symbol, &holding.symbol)
                && match (holding.tag, self.tags.get(&deal.position_id)) {
                    (Some(wanted), Some(known)) => wanted == *known,
                    (None, Some(_)) => true,
                    (_, None) => false,
                }
        });
        opened.next().map(|dealt| dealt.deal.position_id)
    }

    /// Whose a position is or was, by what is known of it.
    pub(super) fn tag_of_position(&self, position_id: u64) -> Option<Tag> {
        self.tags.get(&position_id).copied()
    }

    /// What deals have opened and closed of a position on one side, in lots.
    pub(super) fn turnover(&self, position_id: u64, position_type: u32) -> (Decimal, Decimal) {
        self.deals
            .values()
            .filter(|dealt| dealt.deal.position_id == position_id)
            .fold((Decimal::ZERO, Decimal::ZERO), |(opened, closed), dealt| {
                if dealt.deal.deal_type == position_type {
                    (opened + dealt.deal.volume, closed)
                } else {
                    (opened, closed + dealt.deal.volume)
                }
            })
    }

    fn forget_the_oldest(&mut self) {
        while self.deals.len() > REMEMBERED_MAX {
            self.deals.pop_first();
        }
        while self.ended.len() > REMEMBERED_MAX {
            self.ended.pop_first();
        }
        while self.tags.len() > REMEMBERED_MAX {
            self.tags.pop_first();
        }
        while self.orders.len() > ORDERS_MAX {
            let Some((id, _)) = self.orders.pop_first() else {
                return;
            };
            self.by_magic.retain(|_, owner| *owner != id);
            self.by_comment.retain(|_, owner| *owner != id);
            self.by_ticket.retain(|_, owner| *owner != id);
        }
    }
}

/// Whether a step's answer names an order that is ours.
fn is_success(step: &Step) -> bool {
    step.answered && matches!(step.retcode, PLACED | DONE | DONE_PARTIAL)
}

/// The side of an order's, a deal's or a position's type: even numbers buy.
pub(super) const fn side_of(number: u32) -> Side {
    if number.is_multiple_of(2) {
        Side::Buy
    } else {
        Side::Sell
    }
}

/// Whether a terminal's name is ours in another case.
pub(super) fn is_named(name: &str, symbol: &Symbol) -> bool {
    name == symbol.as_str() || Symbol::new(name).is_ok_and(|found| found == *symbol)
}

#[cfg(test)]
mod tests;
