//! One order of ours as the terminal's facts make it: what its deals add up to, and whether more can come.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};
use ponte_core::signal::Side;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use crate::bridge::protocol::{Deal, TradeOrder};

const STATE_CANCELLED: u32 = 2;
const STATE_REJECTED: u32 = 5;
const STATE_EXPIRED: u32 = 6;

/// What a deal contributes to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// In lots.
    pub(super) volume: Decimal,
    /// Price times volume.
    pub(super) value: Decimal,
    /// What it cost, in the account's currency.
    pub(super) fees: Decimal,
    /// When it happened.
    pub(super) at: Timestamp,
}

impl Share {
    /// A deal's. Fees are its commission and its fee, which the terminal tells below zero where they
    /// cost. The swap is left out: it is the price of having held the position over nights, not of
    /// this order, and the position's profit in the terminal contains it.
    pub(super) fn of(deal: &Deal, at: Timestamp) -> Self {
        Self {
            volume: deal.volume,
            value: deal.volume.saturating_mul(deal.price),
            fees: -(deal.commission + deal.fee),
            at,
        }
    }

    /// The part of it that so much of its volume makes.
    pub(super) fn part(self, volume: Decimal) -> Self {
        let part = |whole: Decimal| {
            whole
                .saturating_mul(volume)
                .checked_div(self.volume)
                .unwrap_or(whole)
        };
        Self {
            volume,
            value: part(self.value),
            fees: part(self.fees),
            at: self.at,
        }
    }
}

/// What all shares of an order make together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) filled: Decimal,
    pub(super) value: Decimal,
    pub(super) fees: Decimal,
    pub(super) at: Timestamp,
}

impl Totals {
    pub(super) fn of<'a>(shares: impl Iterator<Item = &'a Share>) -> Self {
        shares.fold(Self::default(), |sum, share| Self {
            filled: sum.filled + share.volume,
            value: sum.value.saturating_add(share.value),
            fees: sum.fees + share.fees,
            at: sum.at.max(share.at),
        })
    }

    pub(super) fn average_price(&self) -> Decimal {
        self.value
            .checked_div(self.filled)
            .unwrap_or_default()
            .normalize()
    }
}

/// One order at the terminal: an order of the plan can be several there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ticket {
    /// The last state that was told, once it is over.
    over: Option<u32>,
    /// What has traded of it, by the order's own word.
    executed: Decimal,
}

/// Whether more requests of an order may come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sending {
    /// The answer is open.
    UnderWay,
    /// Every request has its answer; why what has not traded then never will.
    Over(String),
}

/// An order of the plan, and all that is known of it.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub(super) symbol: Symbol,
    pub(super) side: Side,
    pub(super) class: OrderClass,
    quantity: Decimal,
    tickets: BTreeMap<u64, Ticket>,
    deals: BTreeMap<u64, Share>,
    /// The positions that its deals belong to.
    pub(super) positions: BTreeSet<u64>,
    sending: Sending,
    /// Why less was asked for than was planned.
    short: String,
    at: Timestamp,
}

impl Tracked {
    /// An order of which nothing is known yet.
    pub(super) fn new(plan: &OrderPlan, now: Timestamp) -> Self {
        Self {
            symbol: plan.symbol.clone(),
            side: plan.side,
            class: plan.class,
            quantity: plan.quantity.get(),
            tickets: BTreeMap::new(),
            deals: BTreeMap::new(),
            positions: BTreeSet::new(),
            sending: Sending::UnderWay,
            short: String::new(),
            at: now,
        }
    }

    /// It is handed over (again): the answer is open. `short` says why less is asked for than was
    /// planned, if so.
    pub(super) fn sending(&mut self, short: String) {
        self.sending = Sending::UnderWay;
        self.short = short;
    }

    /// Every request has its answer. What has not traded and does not rest never will, because of
    /// `left`.
    pub(super) fn settle(&mut self, left: &str) {
        if self.sending == Sending::UnderWay {
            let why = if left.is_empty() {
                self.short.clone()
            } else {
                left.to_owned()
            };
            self.sending = Sending::Over(why);
        }
    }

    /// The terminal has an order of this ticket for it.
    pub(super) fn has_ticket(&mut self, ticket: u64) {
        self.tickets.entry(ticket).or_default();
    }

    /// A pending order of it was just taken back, before the terminal has told that it is over.
    pub(super) fn taken_back(&mut self, ticket: u64) {
        let known = self.tickets.entry(ticket).or_default();
        known.over = known.over.or(Some(STATE_CANCELLED));
    }

    /// Takes what the terminal says of one of its orders; whether that is news.
    pub(super) fn take_order(&mut self, order: &TradeOrder, is_over: bool, at: Timestamp) -> bool {
        let known = self.tickets.entry(order.ticket).or_default();
        // What is left of a rejected order is not told the same by all servers; nothing has traded.
        let executed = if is_over && order.state == STATE_REJECTED {
            Decimal::ZERO
        } else {
            (order.volume_initial - order.volume_current).max(Decimal::ZERO)
        };
        let told = Ticket {
            // An order that was over stays so: a list of pending ones can be older.
            over: if is_over {
                Some(order.state)
            } else {
                known.over
            },
            executed: executed.max(known.executed),
        };
        if *known == told {
            return false;
        }
        *known = told;
        self.at = self.at.max(at);
        true
    }

    /// Takes one of its deals; whether that is news.
    pub(super) fn take_deal(&mut self, deal: &Deal, share: Share) -> bool {
        if deal.order != 0 {
            self.has_ticket(deal.order);
        }
        self.positions.insert(deal.position_id);
        self.deals.insert(deal.ticket, share) != Some(share)
    }

    /// Whether anything of it has traded.
    pub(super) fn has_traded(&self) -> bool {
        !self.deals.is_empty()
    }

    /// Where it stands; `None` while nothing is known.
    pub(super) fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        if self.tickets.is_empty() && self.deals.is_empty() {
            return None;
        }
        let totals = Totals::of(self.deals.values());
        let tickets: Vec<String> = self.tickets.keys().map(u64::to_string).collect();
        Some(OrderReport {
            id,
            broker_order_id: tickets.join("+"),
            status: self.status(totals.filled),
            filled: totals.filled.normalize(),
            average_price: totals.average_price(),
            fees: totals.fees.normalize(),
            withheld: Decimal::ZERO,
            at: self.at.max(totals.at),
        })
    }

    fn status(&self, filled: Decimal) -> ReportedStatus {
        if filled >= self.quantity {
            return ReportedStatus::Filled;
        }
        let left = match &self.sending {
            Sending::UnderWay => return ReportedStatus::Working,
            Sending::Over(left) => left,
        };
        let executed = self
            .tickets
            .values()
            .fold(Decimal::ZERO, |sum, ticket| sum + ticket.executed);
        let is_open = self.tickets.values().any(|ticket| ticket.over.is_none());
        // While deals are owed nothing is final: the last word must have all that was traded.
        if is_open || executed > filled {
            return ReportedStatus::Working;
        }
        let has = |state| {
            self.tickets
                .values()
                .any(|ticket| ticket.over == Some(state))
        };
        if has(STATE_REJECTED) && filled.is_zero() {
            return ReportedStatus::Rejected {
                reason: "the exchange or the broker rejected the order after taking it".to_owned(),
            };
        }
        let reason = if !left.is_empty() {
            left.clone()
        } else if has(STATE_EXPIRED) {
            "the order's time was over at the terminal".to_owned()
        } else if has(STATE_CANCELLED) && filled.is_zero() {
            "cancelled at the terminal".to_owned()
        } else {
            "only a part could be filled, and the rest was cancelled".to_owned()
        };
        ReportedStatus::Cancelled { reason }
    }
}
