//! Account `d`: a netting account in a terminal, whose positions carry one stop and one target. Each
//! order of protection stands for its share of them; the venue below knows nothing of any.

use std::collections::BTreeMap;

use ponte_core::id::ClientOrderId;
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::number::Price;
use ponte_core::order::{OrderClass, OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

/// The account.
pub(super) const ACCOUNT: &str = "d";
/// The stream of what becomes of its levels.
pub(super) const STREAM: &str = "d levels";

/// An order of protection, or an exit that found the work done by a level.
#[derive(Debug, Clone)]
pub(super) struct Shield {
    pub(super) plan: OrderPlan,
    pub(super) status: ReportedStatus,
    pub(super) filled: Decimal,
    pub(super) trades: Vec<(u64, Decimal)>,
    pub(super) accepted_at: i64,
    /// Whether a level had closed what it was for before it came.
    pub(super) was_claim: bool,
    cost: Decimal,
    number: usize,
}

impl Shield {
    pub(super) fn is_open(&self) -> bool {
        self.status == ReportedStatus::Working
    }

    pub(super) fn report(&self) -> OrderReport {
        OrderReport {
            id: self.plan.id,
            broker_order_id: format!("d{}", self.number),
            status: self.status.clone(),
            filled: self.filled,
            average_price: self.cost.checked_div(self.filled).unwrap_or_default(),
            fees: Decimal::ZERO,
            withheld: Decimal::ZERO,
            at: Timestamp(self.accepted_at),
        }
    }

    fn take(&mut self, fill: &Closed) {
        self.filled += fill.quantity;
        self.cost += fill.quantity * fill.price;
        self.trades.push((fill.trade, fill.quantity));
        if self.filled >= self.plan.quantity.get() {
            self.status = ReportedStatus::Filled;
        }
    }
}

/// A stop and a target, as far as there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) stop: Option<Price>,
    pub(super) target: Option<Price>,
}

impl Pair {
    pub(super) fn of(plan: &OrderPlan) -> Self {
        match plan.class {
            OrderClass::Entry => Self {
                stop: plan.protection.stop,
                target: plan.protection.targets.first().copied(),
            },
            OrderClass::Protection | OrderClass::Exit => match plan.kind {
                OrderKind::OneCancelsOther { stop, target } => Self {
                    stop: Some(stop),
                    target: Some(target),
                },
                OrderKind::Single {
                    terms: Terms::Stop { trigger },
                } => Self {
                    stop: Some(trigger),
                    target: None,
                },
                OrderKind::Single {
                    terms: Terms::Limit { price },
                } => Self {
                    stop: None,
                    target: Some(price),
                },
                OrderKind::Single { .. } | OrderKind::TrailingStop { .. } => Self::default(),
            },
        }
    }

    /// Whether a position on the side that this closes is to be left at a price: for its stop (true)
    /// or for its target.
    pub(super) fn hit(self, closes: Side, price: Decimal) -> Option<bool> {
        let beyond = |level: Option<Price>, below: bool| {
            level.is_some_and(|level| {
                if below {
                    price <= level.get()
                } else {
                    price >= level.get()
                }
            })
        };
        let falls = closes == Side::Sell;
        if beyond(self.stop, falls) {
            return Some(true);
        }
        beyond(self.target, !falls).then_some(false)
    }
}

/// What a level has closed.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    pub(super) side: Side,
    pub(super) trade: u64,
    pub(super) quantity: Decimal,
    pub(super) price: Decimal,
}

/// What gave a position its levels: a deal, or a later change of them.
#[derive(Debug, Clone)]
struct Given {
    pair: Pair,
    by: Option<ClientOrderId>,
}

/// The levels of one position.
#[derive(Debug, Default)]
struct Held {
    strategy: String,
    is_long: bool,
    given: Vec<Given>,
    /// What a level has closed before anybody had asked for protection.
    unclaimed: Vec<Closed>,
}

/// The levels of all positions of the account, and what stands for them.
#[derive(Default)]
pub(super) struct Levels {
    held: BTreeMap<String, Held>,
    shields: Vec<Shield>,
    reports: Vec<OrderReport>,
    /// How much of each entry's fills has been seen.
    seen: BTreeMap<ClientOrderId, Decimal>,
}

impl Levels {
    pub(super) fn shields(&self) -> &[Shield] {
        &self.shields
    }

    pub(super) fn find(&self, id: &ClientOrderId) -> Option<&Shield> {
        self.shields.iter().find(|shield| shield.plan.id == *id)
    }

    /// The levels that a position has.
    pub(super) fn of(&self, symbol: &str) -> Pair {
        let Some(held) = self.held.get(symbol) else {
            return Pair::default();
        };
        held.given.iter().fold(Pair::default(), |pair, given| {
            let live = given
                .by
                .is_none_or(|id| self.find(&id).is_some_and(Shield::is_open));
            if !live {
                return pair;
            }
            Pair {
                stop: given.pair.stop.or(pair.stop),
                target: given.pair.target.or(pair.target),
            }
        })
    }

    /// A position turned to the other side has nothing of its old levels.
    pub(super) fn now_held(&mut self, symbol: &str, quantity: Decimal) {
        let held = self.held.entry(symbol.to_owned()).or_default();
        let turned = held.is_long != (quantity > Decimal::ZERO);
        held.is_long = quantity > Decimal::ZERO;
        if turned || quantity.is_zero() {
            self.gone(symbol);
        }
    }

    /// An entry has traded so much by now: a deal that enlarges a position gives it its levels.
    pub(super) fn entered(&mut self, plan: &OrderPlan, filled: Decimal) {
        let seen = self.seen.entry(plan.id).or_default();
        if filled <= *seen {
            return;
        }
        *seen = filled;
        let held = self
            .held
            .entry(plan.symbol.as_str().to_owned())
            .or_default();
        plan.strategy.as_str().clone_into(&mut held.strategy);
        let pair = Pair::of(plan);
        held.given.push(Given { pair, by: None });
    }

    /// Takes an order of protection. `None` where there is nothing that it could protect.
    pub(super) fn place(
        &mut self,
        plan: &OrderPlan,
        is_held: bool,
        now: i64,
    ) -> Option<OrderReport> {
        let claimed = self.claim(plan, now);
        if claimed.is_some() || !is_held {
            return claimed;
        }
        let shield = self.shield(plan, now);
        let report = shield.report();
        self.shields.push(shield);
        let held = self
            .held
            .entry(plan.symbol.as_str().to_owned())
            .or_default();
        held.given.push(Given {
            pair: Pair::of(plan),
            by: Some(plan.id),
        });
        Some(report)
    }

    /// What a level closed before the process knew of the position answers its next word about it.
    pub(super) fn claim(&mut self, plan: &OrderPlan, now: i64) -> Option<OrderReport> {
        let held = self.held.get_mut(plan.symbol.as_str())?;
        if held.strategy != plan.strategy.as_str() {
            return None;
        }
        let of_side = |fill: &Closed| fill.side == plan.side;
        let (fills, others) = std::mem::take(&mut held.unclaimed)
            .into_iter()
            .partition(of_side);
        held.unclaimed = others;
        let fills: Vec<Closed> = fills;
        if fills.is_empty() {
            return None;
        }
        let mut shield = self.shield(plan, now);
        shield.was_claim = true;
        fills.iter().for_each(|fill| shield.take(fill));
        if shield.is_open() {
            shield.status = gone();
        }
        let report = shield.report();
        self.shields.push(shield);
        Some(report)
    }

    fn shield(&self, plan: &OrderPlan, now: i64) -> Shield {
        Shield {
            plan: plan.clone(),
            status: ReportedStatus::Working,
            filled: Decimal::ZERO,
            trades: Vec::new(),
            accepted_at: now,
            was_claim: false,
            cost: Decimal::ZERO,
            number: self.shields.len(),
        }
    }

    pub(super) fn cancel(&mut self, id: &ClientOrderId) -> Option<OrderReport> {
        let shield = self
            .shields
            .iter_mut()
            .find(|shield| shield.plan.id == *id)?;
        if shield.is_open() {
            shield.status = cancelled("taken back");
            self.reports.push(shield.report());
        }
        Some(shield.report())
    }

    /// A level has closed all of a position: the fills go to what stands for that level, oldest
    /// first, and the last takes what is over.
    pub(super) fn closed(&mut self, symbol: &str, is_stop: bool, fills: Vec<Closed>) {
        let stands_for = |shield: &&mut Shield| {
            shield.is_open()
                && shield.plan.symbol.as_str() == symbol
                && if is_stop {
                    shield.plan.kind.is_stop()
                } else {
                    shield.plan.kind.is_target()
                }
        };
        let mut takers: Vec<_> = self.shields.iter_mut().filter(stands_for).collect();
        let last = takers.len().saturating_sub(1);
        for fill in fills {
            if takers.is_empty() {
                if let Some(held) = self.held.get_mut(symbol) {
                    held.unclaimed.push(fill);
                }
                continue;
            }
            let mut left = fill.quantity;
            for (number, shield) in takers.iter_mut().enumerate() {
                let most = (shield.plan.quantity.get() - shield.filled).max(Decimal::ZERO);
                let share = if number == last { left } else { left.min(most) };
                if share > Decimal::ZERO {
                    left -= share;
                    shield.take(&Closed {
                        quantity: share,
                        ..fill.clone()
                    });
                }
            }
        }
        let touched: Vec<_> = takers
            .iter()
            .filter(|shield| !shield.trades.is_empty() && !shield.is_open())
            .map(|shield| shield.report())
            .collect();
        self.reports.extend(touched);
    }

    /// A position is over, however it ended: so is what stood for its levels.
    pub(super) fn gone(&mut self, symbol: &str) {
        if let Some(held) = self.held.get_mut(symbol) {
            held.given.clear();
        }
        self.end(symbol, &gone());
    }

    /// The server's day is over: positions lose their levels.
    pub(super) fn new_day(&mut self) {
        let symbols: Vec<_> = self.held.keys().cloned().collect();
        for symbol in symbols {
            self.gone(&symbol);
        }
    }

    fn end(&mut self, symbol: &str, status: &ReportedStatus) {
        for shield in &mut self.shields {
            if shield.is_open() && shield.plan.symbol.as_str() == symbol {
                shield.status = status.clone();
                self.reports.push(shield.report());
            }
        }
    }

    pub(super) fn newest(&self) -> u64 {
        self.reports.len() as u64
    }

    pub(super) fn reports_after(&self, after: u64) -> Vec<OrderReport> {
        self.reports[usize::try_from(after).unwrap()..].to_vec()
    }
}

fn cancelled(reason: &str) -> ReportedStatus {
    ReportedStatus::Cancelled {
        reason: reason.to_owned(),
    }
}

fn gone() -> ReportedStatus {
    cancelled("the position, or its level, is gone")
}
