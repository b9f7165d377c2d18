//! What is true now: the sum of all events. [`State::apply`] is the only way to change it.

mod account;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::halt::Halt;
use crate::id::{AccountName, AlertId, ClientOrderId, SourceName, StrategyName, Symbol};
use crate::message::{
    AlertDecision, Balance, Event, Outcome, PositionKey, PositionView, SourceOff, SourceSwitched,
};
use crate::number::Price;
use crate::order::{Order, OrderClass, OrderPlan, OrderStatus, Origin};
pub use crate::outside::OutsideDeals;
use crate::outside::ReducedOutside;
pub use crate::position::Position;
use crate::signal::PositionSide;
use crate::time::Timestamp;

/// How many ended orders of an account are remembered, to tell a late report from a foreign one.
pub const CLOSED_ORDERS_MAX: usize = 1024;
/// The span over which entries are counted.
pub const ENTRY_COUNT_SPAN: Duration = Duration::from_secs(60);
/// How many entries are counted at most; no rule may ask for more.
pub const ENTRIES_COUNTED_MAX: usize = 10_000;

/// Into which spans results are booked: the clocks of all places differ from UTC by whole ones.
const RESULT_SPAN: i64 = 15 * 60 * 1_000_000;
/// For how long results are remembered: longer than any trading day that is not over.
pub const RESULTS_SPAN: Duration = Duration::from_secs(2 * 86_400);

/// What is true now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The number of the latest alert; the next one gets the number after it.
    pub last_alert: u64,
    /// The halts in force, at most one per scope.
    pub halts: Vec<Halt>,
    /// The sources whose alerts are not taken, with who said so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources_off: BTreeMap<SourceName, SourceOff>,
    /// The accounts that have had anything happen.
    pub accounts: BTreeMap<AccountName, AccountState>,
    /// When each strategy was last heard of.
    pub heard: BTreeMap<StrategyName, Timestamp>,
    /// When the latest process began to work.
    #[serde(default)]
    pub started_at: Timestamp,
}

/// What is true of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The orders that are not over.
    pub orders: BTreeMap<ClientOrderId, Order>,
    /// The ids of [`Self::orders`] by symbol: a lane may hold few of very many.
    pub by_symbol: BTreeMap<Symbol, BTreeSet<ClientOrderId>>,
    /// The ids of those among [`Self::orders`] about which something has to be done here.
    pub unsettled: BTreeSet<ClientOrderId>,
    /// The ids of those among [`Self::orders`] that protect a position.
    pub protection: BTreeSet<ClientOrderId>,
    /// The last orders that are over.
    pub closed: BTreeMap<ClientOrderId, Order>,
    /// The ids of [`Self::closed`], oldest first.
    pub closed_ids: VecDeque<ClientOrderId>,
    /// What each strategy holds.
    pub positions: BTreeMap<StrategyName, BTreeMap<Symbol, Position>>,
    /// When entries were planned, over the last [`ENTRY_COUNT_SPAN`].
    pub entries: VecDeque<Timestamp>,
    /// The money, when the broker has told it.
    pub balance: Option<Balance>,
    /// The last price that an alert or a fill told, per symbol.
    pub prices: BTreeMap<Symbol, Price>,
    /// What fills have realised, fees taken off, by the quarter of an hour in which they were booked,
    /// over the last [`RESULTS_SPAN`]. Trading days begin at any of them, as the policy says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub results: BTreeMap<Timestamp, Decimal>,
    /// The start of the last trading day on which the cut-off of a symbol came with something open in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cut_offs: BTreeMap<Symbol, Timestamp>,
    /// The deals that a person or the broker has made at our positions.
    #[serde(default, skip_serializing_if = "OutsideDeals::is_empty")]
    pub outside: OutsideDeals,
    /// When the loss of a trading day last reached its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_loss: Option<DailyLoss>,
}

/// That the loss of a trading day has reached its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyLoss {
    /// When.
    pub at: Timestamp,
    /// The loss, in the account's currency.
    pub loss: Decimal,
    /// The limit then.
    pub limit: Decimal,
}

impl State {
    /// The number that the next alert gets.
    #[must_use]
    pub const fn next_alert(&self) -> AlertId {
        AlertId(self.last_alert + 1)
    }

    /// The account's state, if anything has happened there.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&AccountState> {
        self.accounts.get(name)
    }

    /// An order that is not over.
    #[must_use]
    pub fn open_order(&self, id: &ClientOrderId) -> Option<&Order> {
        self.accounts
            .values()
            .find_map(|account| account.orders.get(id))
    }

    /// An order that is not over, or one of the last that are.
    #[must_use]
    pub fn order(&self, id: &ClientOrderId) -> Option<&Order> {
        self.accounts.values().find_map(|account| account.known(id))
    }

    /// The open orders that an order takes over from, the one that it replaces first.
    pub(crate) fn replaced_by(&self, order: &Order) -> impl Iterator<Item = &Order> {
        let account = self.account(&order.plan.account);
        account.into_iter().flat_map(move |account| {
            account
                .replaced_by(order)
                .filter_map(|id| account.orders.get(&id))
        })
    }

    /// All orders that are not over.
    pub fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.accounts
            .values()
            .flat_map(|account| account.orders.values())
    }

    /// The open orders that don't simply work at the broker: they wait, or their fate is open.
    pub fn unsettled_orders(&self) -> impl Iterator<Item = &Order> {
        self.accounts
            .values()
            .flat_map(AccountState::unsettled_orders)
    }

    /// The halts that cover an order, the hardest first.
    #[must_use]
    pub fn halts_on(
        &self,
        account: &AccountName,
        strategy: &StrategyName,
        symbol: &Symbol,
    ) -> Vec<&Halt> {
        let mut halts: Vec<_> = self
            .halts
            .iter()
            .filter(|halt| halt.scope.covers(account, strategy, symbol))
            .collect();
        halts.sort_by_key(|halt| std::cmp::Reverse(halt.level));
        halts
    }

    /// All positions that are open or have been.
    #[must_use]
    pub fn positions(&self) -> Vec<PositionView> {
        let mut views = Vec::new();
        for (account, state) in &self.accounts {
            for (strategy, symbols) in &state.positions {
                for (symbol, position) in symbols {
                    views.push(PositionView {
                        key: PositionKey {
                            account: account.clone(),
                            strategy: strategy.clone(),
                            symbol: symbol.clone(),
                        },
                        side: PositionSide::of(position.quantity),
                        quantity: position.quantity,
                        average_price: position.average_price,
                        realised: position.realised,
                        fees: position.fees,
                    });
                }
            }
        }
        views
    }

    /// Makes an event true. It decides nothing, and never fails: what an event says has happened.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        match event {
            // A new process asks again at once, however often the ones before it asked.
            Event::Started { .. } => {
                self.started_at = at;
                for account in self.accounts.values_mut() {
                    account
                        .orders
                        .values_mut()
                        .for_each(|order| order.questions = 0);
                }
            }
            Event::RequestRefused(_)
            | Event::Alarm { .. }
            | Event::FlattenRequested { .. }
            | Event::OperatorActed { .. } => {}
            Event::SourceSwitched(switched) => self.apply_switch(at, switched),
            Event::AlertDecided(decision) => self.apply_alert(decision),
            Event::OrderPlanned { plan, waits } => self.apply_plan(at, plan, *waits),
            Event::AccountRead { account, balance } => {
                self.account_mut(account).balance = Some(balance.clone());
            }
            Event::HaltSet(halt) => {
                self.halts.retain(|other| other.scope != halt.scope);
                self.halts.push(halt.clone());
            }
            Event::CutOffReached(reached) => {
                let account = self.account_mut(&reached.account);
                account.cut_offs.insert(reached.symbol.clone(), reached.day);
            }
            Event::DailyLossReached {
                account,
                loss,
                limit,
            } => {
                self.account_mut(account).daily_loss = Some(DailyLoss {
                    at,
                    loss: *loss,
                    limit: *limit,
                });
            }
            Event::PositionReducedOutside(reduced) => {
                let account = self.account_mut(&reduced.account);
                account.apply_outside(at, reduced);
            }
            Event::HaltLifted { scope, .. } => self.halts.retain(|halt| halt.scope != *scope),
            Event::OrderReleased { id, .. }
            | Event::OrderAcknowledged { id, .. }
            | Event::OrderFilled { id, .. }
            | Event::OrderNotSent { id, .. }
            | Event::ProtectionLate { id }
            | Event::OrderUnknown { id, .. }
            | Event::OrderQuestioned { id }
            | Event::CancelRequested { id, .. }
            | Event::OrderEnded { id, .. } => {
                let holder = self.accounts.values_mut().find(|account| {
                    account.orders.contains_key(id) || account.closed.contains_key(id)
                });
                if let Some(account) = holder {
                    account.apply_order(at, id, event);
                }
            }
        }
    }

    fn account_mut(&mut self, name: &AccountName) -> &mut AccountState {
        self.accounts.entry(name.clone()).or_default()
    }

    fn apply_switch(&mut self, at: Timestamp, switched: &SourceSwitched) {
        if switched.on {
            self.sources_off.remove(&switched.source);
            return;
        }
        let off = SourceOff {
            by: switched.by.clone(),
            reason: switched.reason.clone(),
            since: at,
        };
        self.sources_off.insert(switched.source.clone(), off);
    }

    fn apply_alert(&mut self, decision: &AlertDecision) {
        self.last_alert = self.last_alert.max(decision.alert.0);
        // Whoever may not speak for a strategy is not heard for it.
        if decision.outcome == Outcome::Duplicate || decision.is_out_of_scope() {
            return;
        }
        self.heard
            .insert(decision.signal.strategy.clone(), decision.received_at);
        let Some(price) = decision.signal.reference_price else {
            return;
        };
        for leg in &decision.legs {
            if let Some(symbol) = &leg.symbol {
                self.account_mut(&leg.account)
                    .prices
                    .insert(symbol.clone(), price);
            }
        }
    }

    fn apply_plan(&mut self, at: Timestamp, plan: &OrderPlan, waits: bool) {
        let account = self.account_mut(&plan.account);
        if plan.class == OrderClass::Entry {
            account.entries.push_back(at);
            while account.entries.len() > ENTRIES_COUNTED_MAX
                || account
                    .entries
                    .front()
                    .is_some_and(|first| at.since(*first) >= ENTRY_COUNT_SPAN)
            {
                account.entries.pop_front();
            }
        }
        let order = Order {
            plan: plan.clone(),
            planned_at: at,
            status: if waits {
                OrderStatus::Waiting
            } else {
                OrderStatus::Submitting
            },
            attempts: u32::from(!waits),
            filled: Decimal::ZERO,
            average_price: Decimal::ZERO,
            fees: Decimal::ZERO,
            withheld: Decimal::ZERO,
            late: false,
            unknown_since: None,
            broker_order_id: None,
            cancel_requested: false,
            questions: 0,
            wake_at: None,
            reason: None,
        };
        account.orders.insert(plan.id, order);
        account
            .by_symbol
            .entry(plan.symbol.clone())
            .or_default()
            .insert(plan.id);
        if waits {
            account.unsettled.insert(plan.id);
        }
        if plan.class == OrderClass::Protection {
            account.protection.insert(plan.id);
        }
    }
}

/// What one report adds to an order.
struct Traded {
    quantity: Decimal,
    price: Decimal,
    fee: Decimal,
    withheld: Decimal,
}

impl AccountState {
    fn apply_order(&mut self, at: Timestamp, id: &ClientOrderId, event: &Event) {
        if let Event::OrderFilled {
            quantity,
            price,
            fee,
            withheld,
            total,
            ..
        } = event
        {
            let fill = Traded {
                quantity: *quantity,
                price: *price,
                fee: *fee,
                withheld: *withheld,
            };
            self.apply_fill(at, id, &fill, *total);
            return;
        }
        if let Event::OrderEnded { end, reason, .. } = event {
            if let Some(order) = self.orders.get_mut(id) {
                order.end(*end, reason);
                self.close(id);
            }
            return;
        }
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        order.become_what(at, event);
        if order.is_unsettled() {
            self.unsettled.insert(*id);
        } else {
            self.unsettled.remove(id);
        }
    }

    fn apply_fill(&mut self, at: Timestamp, id: &ClientOrderId, fill: &Traded, total: Decimal) {
        let in_stead_of_stop = self.is_in_stead_of_stop(id);
        // An order can trade after we took it for over: the position counts, whatever we thought.
        let Some(order) = self.orders.get_mut(id).or_else(|| self.closed.get_mut(id)) else {
            return;
        };
        let cost = order
            .filled
            .saturating_mul(order.average_price)
            .saturating_add(fill.quantity.saturating_mul(fill.price));
        order.average_price = cost.checked_div(total).unwrap_or(fill.price).normalize();
        order.filled = total.normalize();
        order.fees = order.fees.saturating_add(fill.fee).normalize();
        order.withheld = order.withheld.saturating_add(fill.withheld).normalize();
        let plan = &order.plan;
        let change = plan.side.signed(fill.quantity) - fill.withheld;
        if let Ok(price) = Price::new(fill.price) {
            self.prices.insert(plan.symbol.clone(), price);
        }
        let position = self
            .positions
            .entry(plan.strategy.clone())
            .or_default()
            .entry(plan.symbol.clone())
            .or_default();
        let before = PositionSide::of(position.quantity);
        let realised = position.realised;
        position.book(change, fill.price, plan.multiplier, fill.fee);
        let result = position.realised - realised - fill.fee;
        if PositionSide::of(position.quantity) != before {
            position.guarded = Decimal::ZERO;
        }
        match plan.class {
            // An entry against a position that came in between only makes that one smaller.
            OrderClass::Entry if plan.protection.has_stop() => {
                let opened = plan.side.signed(position.quantity).min(change.abs());
                position.guarded = position.guarded.saturating_add(opened.max(Decimal::ZERO));
            }
            // What a stop has sold was what it was there for, also where an exit went in its stead.
            OrderClass::Protection if plan.kind.is_stop() => {
                position.guarded = (position.guarded - change.abs()).max(Decimal::ZERO);
            }
            OrderClass::Exit if in_stead_of_stop => {
                position.guarded = (position.guarded - change.abs()).max(Decimal::ZERO);
            }
            OrderClass::Entry | OrderClass::Exit | OrderClass::Protection => {}
        }
        position.guarded = position.guarded.min(position.quantity.abs()).normalize();
        self.book_result(at, result);
    }

    fn apply_outside(&mut self, at: Timestamp, reduced: &ReducedOutside) {
        self.outside.note(reduced.deal, reduced.owed.as_deref());
        let Some(position) = reduced
            .strategy
            .as_ref()
            .and_then(|strategy| self.positions.get_mut(strategy))
            .and_then(|symbols| symbols.get_mut(&reduced.symbol))
        else {
            return;
        };
        if reduced.quantity.is_zero() {
            return;
        }
        if let Ok(price) = Price::new(reduced.price) {
            self.prices.insert(reduced.symbol.clone(), price);
        }
        let realised = position.realised;
        let change = reduced.side.signed(reduced.quantity);
        position.book(change, reduced.price, position.multiplier, reduced.fee);
        let result = position.realised - realised - reduced.fee;
        position.guarded = position.guarded.min(position.quantity.abs()).normalize();
        self.book_result(at, result);
    }

    /// Books what a fill has realised by the moment of its record, which no broker's clock can move.
    fn book_result(&mut self, at: Timestamp, result: Decimal) {
        if result.is_zero() {
            return;
        }
        let span = Timestamp(at.0 - at.0.rem_euclid(RESULT_SPAN));
        let booked = self.results.entry(span).or_default();
        *booked = booked.saturating_add(result).normalize();
        self.results = self.results.split_off(&at.before(RESULTS_SPAN));
    }

    /// What fills have realised since a moment, fees taken off, in the account's currency. The moment
    /// begins a quarter of an hour and lies less than [`RESULTS_SPAN`] back.
    #[must_use]
    pub fn realised_since(&self, moment: Timestamp) -> Decimal {
        self.results
            .range(moment..)
            .fold(Decimal::ZERO, |sum, (_, result)| {
                sum.saturating_add(*result)
            })
    }

    /// Whether the order closes what a stop should have protected that isn't there, or what was
    /// opened with one and may not stay.
    fn is_in_stead_of_stop(&self, id: &ClientOrderId) -> bool {
        let Some(plan) = self.known(id).map(|order| &order.plan) else {
            return false;
        };
        // It has taken the place of stops that held what it sold.
        if !plan.instead_of.is_empty() {
            return true;
        }
        let Origin::Protects(parent) = &plan.origin else {
            return false;
        };
        self.known(parent)
            .is_some_and(|parent| match parent.plan.class {
                OrderClass::Protection => parent.plan.kind.is_stop(),
                OrderClass::Entry => parent.plan.protection.has_stop(),
                OrderClass::Exit => false,
            })
    }

    fn close(&mut self, id: &ClientOrderId) {
        let Some(order) = self.orders.remove(id) else {
            return;
        };
        self.unsettled.remove(id);
        self.protection.remove(id);
        if let Some(ids) = self.by_symbol.get_mut(&order.plan.symbol) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_symbol.remove(&order.plan.symbol);
            }
        }
        self.closed.insert(*id, order);
        self.closed_ids.push_back(*id);
        while self.closed_ids.len() > CLOSED_ORDERS_MAX {
            if let Some(oldest) = self.closed_ids.pop_front() {
                self.closed.remove(&oldest);
            }
        }
    }
}
