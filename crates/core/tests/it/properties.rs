//! What holds whatever comes in whatever order: alerts, answers and reports that are late, twice,
//! or contradict each other, ticks, halts and restarts.

mod happenings;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::decide::{Decision, Facts, NoQuotes, handle};
use ponte_core::id::{ClientOrderId, StrategyName, Symbol};
use ponte_core::message::{Command, Event, Fate, FindAnswer, Input, Outcome};
use ponte_core::order::{Order, OrderClass, OrderKind, OrderPlan, OrderStatus};
use ponte_core::policy::{AccountPolicy, Policy, Rules, Sizing};
use ponte_core::signal::{ExitAmount, Intent, Side};
use ponte_core::state::AccountState;
use ponte_core::time::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use self::happenings::{Happening, happenings};
use crate::engine::script::{Play, seconds};
use crate::engine::world::{
    account, account_policy, decimal, futures, policy, quantity, route, spot, terminal,
};

const MAX_POSITION: &str = "8";
const MAX_ORDER_QUANTITY: &str = "4";
const MAX_ORDERS_PER_MINUTE: u32 = 6;
const TERMINAL_ACCOUNT: &str = "fourth";

fn two_accounts() -> Policy {
    let rules = Rules {
        max_position: Some(quantity(MAX_POSITION)),
        max_order_quantity: Some(quantity(MAX_ORDER_QUANTITY)),
        max_orders_per_minute: Some(MAX_ORDERS_PER_MINUTE),
        max_signal_age: Some(seconds(60)),
        ..Rules::default()
    };
    let mut policy = policy();
    for name in ["paper", "second"] {
        policy
            .accounts
            .insert(account(name), account_policy(rules.clone()));
    }
    policy.routes = vec![route(&["paper", "second"], Sizing::AsAlert)];
    policy
}

/// The same at four brokers: one order for stop and target, two orders, a spot exchange where what
/// rests holds what it would sell, and a terminal whose positions carry their levels.
fn four_brokers() -> Policy {
    let mut policy = two_accounts();
    let template = policy.accounts[&account("paper")].clone();
    let at = |broker: Policy| AccountPolicy {
        capabilities: broker.accounts[&account("paper")].capabilities.clone(),
        ..template.clone()
    };
    policy.accounts.insert(account("second"), at(futures()));
    policy.accounts.insert(account("third"), at(spot()));
    policy
        .accounts
        .insert(account(TERMINAL_ACCOUNT), at(terminal()));
    let all = ["paper", "second", "third", TERMINAL_ACCOUNT];
    policy.routes = vec![route(&all, Sizing::AsAlert)];
    policy
}

/// Plays on, and knows what must hold.
struct Watch<'a> {
    play: Play<'a>,
    /// Submitted, and not yet certain that the broker does not have it.
    sent: BTreeSet<ClientOrderId>,
    ended: BTreeSet<ClientOrderId>,
    /// Questions that execution has not answered yet.
    asked: BTreeSet<ClientOrderId>,
    entries: BTreeMap<String, Vec<Timestamp>>,
    /// Accounts about which somebody was told something.
    alarmed: BTreeSet<String>,
}

impl<'a> Watch<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self {
            play: Play::new(policy),
            sent: BTreeSet::new(),
            ended: BTreeSet::new(),
            asked: BTreeSet::new(),
            entries: BTreeMap::new(),
            alarmed: BTreeSet::new(),
        }
    }

    fn line(&self, happening: &Happening) -> Option<String> {
        match happening {
            Happening::Line(line) => Some(line.clone()),
            Happening::Word(word, which, quarters) => {
                let known = self.play.orders.len();
                if known == 0 {
                    return None;
                }
                let index = known - 1 - which % known;
                let order = self.play.state.order(&self.play.orders[index])?;
                // Exits and protection pass the gate whatever is halted or frozen.
                let is_entry = order.plan.class == OrderClass::Entry;
                if !is_entry && matches!(*word, "gate_halted" | "gate_frozen") {
                    return None;
                }
                let whole = order.plan.quantity.get();
                // Only a level at a position closes more than its order was for.
                let is_level = order.plan.account.as_str() == TERMINAL_ACCOUNT
                    && order.plan.class == OrderClass::Protection;
                let quarters = if is_level {
                    *quarters
                } else {
                    4.min(*quarters)
                };
                let traded = (whole * Decimal::from(quarters) / Decimal::from(4)).round_dp(1);
                Some(format!("{word} {} {traded}@100", index + 1))
            }
        }
    }

    fn happens(&mut self, happening: &Happening) {
        let Some(line) = self.line(happening) else {
            return;
        };
        let Some(input) = self.play.input(&line) else {
            return;
        };
        self.before(&input);
        let decision = self.decide_twice(&input);
        self.submissions(&decision);
        self.questions();
        self.ends();
        self.alert(&input, &decision);
        self.caps(&decision);
        self.stops(&decision);
        self.protection();
        self.levels();
        self.one_strategy(&decision);
    }

    /// What the input makes certain.
    fn before(&mut self, input: &Input) {
        match input {
            Input::Submitted {
                id,
                fate: Fate::NotSent { .. },
                ..
            } if self.status(id) == OrderStatus::Submitting => {
                self.sent.remove(id);
            }
            Input::Found { id, answer } => {
                self.asked.remove(id);
                if *answer == FindAnswer::Absent && self.status(id) == OrderStatus::Unknown {
                    self.sent.remove(id);
                }
            }
            // What was on its way in the old process is answered by nobody.
            Input::Started { .. } => self.asked.clear(),
            Input::Alert(_)
            | Input::RequestRefused(_)
            | Input::Operator(_)
            | Input::Noticed { .. }
            | Input::Submitted { .. }
            | Input::CancelAnswered { .. }
            | Input::Reported { .. }
            | Input::ReportsMissed { .. }
            | Input::FilledOutside { .. }
            | Input::AccountRead { .. }
            | Input::Tick
            | Input::Settle(_) => {}
        }
    }

    fn status(&self, id: &ClientOrderId) -> OrderStatus {
        self.play.state.order(id).unwrap().status.clone()
    }

    fn decide_twice(&mut self, input: &Input) -> Decision {
        let mut other = self.play.state.clone();
        let facts = Facts {
            now: self.play.now,
            quotes: &NoQuotes,
        };
        let again = handle(&mut other, self.play.policy, facts, input.clone());
        let decision = self.play.handle(input.clone());
        assert_eq!(decision, again, "the same input is decided in two ways");
        assert_eq!(other, self.play.state);
        decision
    }

    fn submissions(&mut self, decision: &Decision) {
        for command in &decision.commands {
            match command {
                Command::Submit(plan) => {
                    assert!(
                        self.sent.insert(plan.id),
                        "order {} is sent again, and nobody knows that the broker does not have it",
                        plan.id
                    );
                    let order = self.play.state.open_order(&plan.id).unwrap();
                    assert_eq!(order.plan.quantity, plan.quantity);
                    if plan.class == OrderClass::Exit {
                        let held = held(&self.play, plan);
                        let closes = plan.side.opposite().signed(held);
                        assert!(
                            plan.quantity.get() <= closes,
                            "an exit of {} leaves {held}",
                            plan.quantity
                        );
                    }
                }
                Command::Find(plan) => {
                    self.asked.insert(plan.id);
                }
                Command::Cancel(_) | Command::Notify(_) => {}
            }
        }
    }

    /// Whoever is unknown is being asked about, or will be.
    fn questions(&self) {
        for order in self.play.state.open_orders() {
            let id = order.plan.id;
            if order.status == OrderStatus::Unknown {
                let is_cared_for = self.asked.contains(&id) || order.wake_at.is_some();
                assert!(is_cared_for, "nobody asks about order {id}");
            }
        }
    }

    fn ends(&mut self) {
        for account in self.play.state.accounts.values() {
            for (id, order) in &account.closed {
                assert!(order.status.is_final());
                self.ended.insert(*id);
            }
            for (id, order) in &account.orders {
                assert!(!order.status.is_final());
                assert!(!self.ended.contains(id), "order {id} came back to life");
            }
        }
    }

    fn alert(&self, input: &Input, decision: &Decision) {
        let decided: Vec<_> = decision
            .events
            .iter()
            .filter_map(|event| {
                if let Event::AlertDecided(decided) = event {
                    Some(decided)
                } else {
                    None
                }
            })
            .collect();
        let Input::Alert(alert) = input else {
            assert!(decided.is_empty());
            return;
        };
        assert_eq!(decided.len(), 1, "an alert has one decision");
        let Intent::Exit { amount, .. } = &alert.signal.intent else {
            return;
        };
        if decided[0].outcome == Outcome::Duplicate || decided[0].first.is_some() {
            return;
        }
        for leg in &decided[0].legs {
            let too_small =
                matches!(amount, ExitAmount::Percent(_)) && leg.reason.contains("one step");
            assert!(
                leg.decision == Outcome::Accepted || too_small,
                "an exit was {:?}: {}",
                leg.decision,
                leg.reason
            );
        }
    }

    fn caps(&mut self, decision: &Decision) {
        for event in &decision.events {
            let Event::OrderPlanned { plan, .. } = event else {
                continue;
            };
            if plan.class != OrderClass::Entry {
                continue;
            }
            assert!(plan.quantity.get() <= decimal(MAX_ORDER_QUANTITY));
            let account = &self.play.state.accounts[&plan.account];
            let reach = reach(account, plan);
            assert!(
                reach <= decimal(MAX_POSITION),
                "{reach} may be held in {}",
                plan.symbol
            );
            let times = self
                .entries
                .entry(plan.account.as_str().to_owned())
                .or_default();
            times.push(self.play.now);
            let recent = times
                .iter()
                .filter(|at| self.play.now.since(**at) < seconds(60))
                .count();
            assert!(
                recent <= MAX_ORDERS_PER_MINUTE as usize,
                "{recent} entries in a minute"
            );
        }
    }

    /// Stops and targets never add up to more than what they protect.
    fn protection(&self) {
        for account in self.play.state.accounts.values() {
            let refused = account.closed.values().any(|order| {
                order.plan.replaces.is_some() && order.status == OrderStatus::Rejected
            });
            if refused {
                continue;
            }
            for has_role in [
                OrderKind::is_stop as fn(OrderKind) -> bool,
                OrderKind::is_target,
            ] {
                for (holding, (size, side)) in covers(account, has_role) {
                    let held = account.held(&holding.0, &holding.1);
                    let closes = side.opposite().signed(held);
                    assert!(size <= closes, "protection of {size} behind {held}");
                }
            }
        }
    }

    /// All protection of a position that carries its levels names the same ones, unless the broker
    /// would not move some of it.
    fn levels(&self) {
        let account = self.play.state.accounts.get(&account(TERMINAL_ACCOUNT));
        let Some(account) = account else {
            return;
        };
        let is_refused = |order: &Order| {
            let is_over_unasked = match order.status {
                OrderStatus::Rejected | OrderStatus::Expired => true,
                OrderStatus::Cancelled => !order.cancel_requested,
                OrderStatus::Waiting
                | OrderStatus::Submitting
                | OrderStatus::Unknown
                | OrderStatus::Working
                | OrderStatus::Filled
                | OrderStatus::Abandoned => false,
            };
            order.plan.replaces.is_some() && is_over_unasked
        };
        if account.closed.values().any(is_refused) {
            return;
        }
        let replaced = account.replaced();
        let mut kinds: BTreeMap<_, OrderKind> = BTreeMap::new();
        for order in account.protection_orders() {
            let plan = &order.plan;
            if order.cancel_requested || replaced.contains(&plan.id) {
                continue;
            }
            let kind = *kinds
                .entry((&plan.strategy, &plan.symbol))
                .or_insert(plan.kind);
            assert_eq!(plan.kind, kind, "one position, two pairs of levels");
        }
    }

    /// Where all strategies share a position, nobody enters beside another one.
    fn one_strategy(&self, decision: &Decision) {
        for event in &decision.events {
            let Event::OrderPlanned { plan, .. } = event else {
                continue;
            };
            if plan.class != OrderClass::Entry || plan.account.as_str() != TERMINAL_ACCOUNT {
                continue;
            }
            let account = &self.play.state.accounts[&plan.account];
            let holds = account.positions.iter().any(|(strategy, symbols)| {
                let position = symbols.get(&plan.symbol);
                *strategy != plan.strategy
                    && position.is_some_and(|position| !position.quantity.is_zero())
            });
            let orders = account.orders_in(&plan.symbol);
            let waits = orders.filter(|order| order.plan.strategy != plan.strategy);
            assert!(!holds && waits.count() == 0, "two strategies in a position");
        }
    }

    /// What was asked to have a stop has one, resting or on its way, or somebody was told.
    fn stops(&mut self, decision: &Decision) {
        for event in &decision.events {
            if let Event::Alarm { message, .. } = event {
                let names = self.play.state.accounts.keys();
                let named = names.filter(|name| message.contains(&format!("in {name}")));
                self.alarmed
                    .extend(named.map(|name| name.as_str().to_owned()));
            }
        }
        for (name, account) in &self.play.state.accounts {
            if self.alarmed.contains(name.as_str()) {
                continue;
            }
            let covered = covers(account, OrderKind::is_stop);
            for (strategy, symbols) in &account.positions {
                for (symbol, position) in symbols {
                    let leaving: Decimal = account
                        .orders_in(symbol)
                        .filter(|order| {
                            order.plan.strategy == *strategy && order.plan.class == OrderClass::Exit
                        })
                        .map(Order::remaining)
                        .sum();
                    let key = (strategy.clone(), symbol.clone());
                    let (covered, _) = covered
                        .get(&key)
                        .copied()
                        .unwrap_or((Decimal::ZERO, Side::Buy));
                    assert!(
                        position.guarded <= covered + leaving,
                        "{} {symbol} of {strategy} in {name} need a stop, {covered} have one",
                        position.guarded
                    );
                }
            }
        }
    }

    /// Nothing more comes from the broker but "I can't say": still every unknown order is asked about.
    fn questions_go_on(&mut self) {
        for _ in 0..3 {
            for id in std::mem::take(&mut self.asked) {
                let why = "no answer".to_owned();
                self.play.handle(Input::Found {
                    id,
                    answer: FindAnswer::Unanswered(why),
                });
            }
            self.play.now = self.play.now.after(seconds(31));
            let decision = self.play.handle(Input::Tick);
            for command in &decision.commands {
                if let Command::Find(plan) = command {
                    self.asked.insert(plan.id);
                }
            }
            for order in self.play.state.open_orders() {
                let asked =
                    order.status != OrderStatus::Unknown || self.asked.contains(&order.plan.id);
                assert!(
                    asked,
                    "order {} is unknown and not asked about",
                    order.plan.id
                );
            }
        }
    }
}

/// What the protection of one role covers, by holding: what is being taken back or replaced does not count.
fn covers(
    account: &AccountState,
    has_role: fn(OrderKind) -> bool,
) -> BTreeMap<(StrategyName, Symbol), (Decimal, Side)> {
    let replaced = account.replaced();
    let mut sums = BTreeMap::new();
    for order in account.orders.values() {
        let plan = &order.plan;
        let counts = plan.class == OrderClass::Protection
            && has_role(plan.kind)
            && !order.cancel_requested
            && !replaced.contains(&plan.id);
        if counts {
            let key = (plan.strategy.clone(), plan.symbol.clone());
            let sum = sums.entry(key).or_insert((Decimal::ZERO, plan.side));
            sum.0 += order.remaining();
        }
    }
    sums
}

fn held(play: &Play<'_>, plan: &OrderPlan) -> Decimal {
    play.state.accounts[&plan.account].held(&plan.strategy, &plan.symbol)
}

/// What may be held on the plan's side if everything that is open trades.
fn reach(account: &AccountState, plan: &OrderPlan) -> Decimal {
    let held: Decimal = account
        .positions
        .values()
        .filter_map(|symbols| symbols.get(&plan.symbol))
        .map(|position| plan.side.signed(position.quantity).max(Decimal::ZERO))
        .sum();
    let coming: Decimal = account
        .orders
        .values()
        .filter(|order| {
            let other = &order.plan;
            other.class == OrderClass::Entry
                && other.symbol == plan.symbol
                && other.side == plan.side
        })
        .map(Order::remaining)
        .sum();
    held + coming
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_in_any_order(happenings in happenings()) {
        let policy = four_brokers();
        let mut watch = Watch::new(&policy);
        for (index, happening) in happenings.iter().enumerate() {
            watch.happens(happening);
            if index % 16 == 0 {
                watch.play.check_replay();
            }
        }
        watch.play.check_replay();
        watch.questions_go_on();
    }
}

#[test]
fn a_hundred_alerts_at_once_pass_no_cap_together() {
    let policy = two_accounts();
    for verbs in [["buy", "buy"], ["sell", "sell"], ["buy", "sell"]] {
        let mut watch = Watch::new(&policy);
        let mut approved = 0;
        for number in 0..100 {
            let line = format!(
                "{} 3 id n{number} for S{number} price 100",
                verbs[number % 2]
            );
            watch.happens(&Happening::Line(line));
            approved = watch.play.orders.len();
        }
        // Two of three a side make 6 of 8 in each of two accounts.
        let sides = if verbs[0] == verbs[1] { 1 } else { 2 };
        assert_eq!(approved, 2 * 2 * sides, "{verbs:?}");
        let side = |order: &&Order| order.plan.side == Side::Buy;
        assert!(watch.play.state.open_orders().filter(side).count() <= 4);
    }
}
