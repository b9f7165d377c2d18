//! The auditor: what was answered, what the journal says and what the exchange has must be one story.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ponte::journal::{self, Reader};
use ponte_core::message::{OrderEnd, Outcome};
use ponte_core::order::{OrderClass, OrderStatus, Origin};
use ponte_core::signal::Side;
use ponte_core::state::State;
use ponte_venue::Decimal;
use serde_json::Value;

use super::books::{Accepted, Books};
use crate::crash_common::record::{Record, Recorded};
use crate::crash_common::sending::Answered;
use crate::program::Ponte;

/// The smallest value that the spot market takes an order for. On futures, orders that only reduce are free of it.
const SPOT_NOTIONAL_MIN: Decimal = Decimal::from_parts(5, 0, 0, false, 0);
/// How many stories of orders a failure tells.
const STORIES_MAX: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Report {
    answered: usize,
    legs: BTreeMap<&'static str, usize>,
    orders: BTreeMap<String, usize>,
    sent_again: usize,
    resting: usize,
    open: usize,
    alarms: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} alerts answered 200, legs {:?}, orders {:?}, {} sent more than once, {} resting, {} positions, {} alarms",
            self.answered,
            self.legs,
            self.orders,
            self.sent_again,
            self.resting,
            self.open,
            self.alarms
        )
    }
}

/// Everything that is compared, and what was found to differ.
struct Auditor<'a> {
    record: Record,
    state: State,
    books: &'a Books,
    /// What is wrong, with the order in question.
    findings: Vec<(String, Option<String>)>,
}

/// Compares all, and tells the stories of what differs.
pub(super) fn audit(ponte: &Ponte, books: &Books, sent: &[Answered], shown: &Value) -> Report {
    let reader = Reader::open(&ponte.journal()).unwrap();
    let state = reader.state(false).unwrap();
    assert!(
        state == reader.state(true).unwrap(),
        "a replay from nothing gives another state"
    );
    let verified = journal::verify(&ponte.journal()).unwrap();
    assert_eq!(verified.broken, None, "the chain is broken");
    let mut auditor = Auditor {
        record: Record::read(&reader),
        state,
        books,
        findings: Vec::new(),
    };
    auditor.every_alert_is_kept(sent);
    auditor.every_leg_has_what_it_planned();
    auditor.every_order_has_its_last_word();
    auditor.nothing_beside_the_journal();
    auditor.positions_agree(shown);
    auditor.nothing_is_naked();
    auditor.nothing_rests_for_nobody();
    auditor.tell(ponte);
    auditor.report(sent.len())
}

impl Auditor<'_> {
    fn find(&mut self, what: String, order: Option<&str>) {
        self.findings.push((what, order.map(str::to_owned)));
    }

    fn every_alert_is_kept(&mut self, sent: &[Answered]) {
        assert!(!sent.is_empty(), "nothing was sent");
        let mut seen = BTreeSet::new();
        for answered in sent {
            assert!(
                seen.insert(&answered.alert),
                "two alerts were answered {}",
                answered.alert
            );
            let decided = self.record.alerts.get(&answered.alert);
            let decided = decided.unwrap_or_else(|| panic!("{answered:?} is not in the journal"));
            let id = serde_json::from_str::<Value>(&answered.body).unwrap()["id"].clone();
            assert_eq!(
                decided.signal.explicit_id.as_deref(),
                id.as_str(),
                "{answered:?}"
            );
        }
    }

    /// The orders that answer to an alert are those that its decision names, and at most one of them enters.
    fn every_leg_has_what_it_planned(&mut self) {
        let mut planned: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for (id, order) in &self.record.orders {
            if let Origin::Alert(alert) = &order.plan.origin {
                let leg = (alert.to_string(), order.plan.account.to_string());
                planned.entry(leg).or_default().insert(id.clone());
            }
        }
        let mut findings = Vec::new();
        for (alert, decided) in &self.record.alerts {
            if decided.outcome == Outcome::Duplicate {
                continue;
            }
            assert_eq!(decided.legs.len(), 2, "{decided:?}");
            for leg in &decided.legs {
                let named: BTreeSet<_> = leg
                    .orders
                    .iter()
                    .map(|order| order.client_order_id.to_string())
                    .collect();
                let have = planned
                    .remove(&(alert.clone(), leg.account.to_string()))
                    .unwrap_or_default();
                let entries = have
                    .iter()
                    .filter(|id| self.record.orders[*id].plan.class == OrderClass::Entry)
                    .count();
                if named != have
                    || entries > 1
                    || (leg.decision != Outcome::Accepted && !have.is_empty())
                {
                    let what = format!(
                        "{alert} in {} names {named:?} and has {have:?}",
                        leg.account
                    );
                    findings.push((what, have.first().cloned()));
                }
            }
        }
        self.findings.extend(findings);
        assert!(
            planned.is_empty(),
            "orders of alerts that were not decided: {planned:?}"
        );
    }

    fn every_order_has_its_last_word(&mut self) {
        let mut findings = Vec::new();
        for (id, order) in &self.record.orders {
            let open = self.state.open_order(&order.plan.id);
            let rests = open
                .is_some_and(|open| open.status == OrderStatus::Working && !open.cancel_requested);
            if order.end.is_some() == open.is_some() || (open.is_some() && !rests) {
                findings.push((
                    format!("{id} is neither over nor at rest: {open:?}"),
                    Some(id.clone()),
                ));
            }
            let filled = order.filled == order.plan.quantity.get();
            if (order.end == Some(OrderEnd::Filled)) != filled {
                let what = format!(
                    "{id} ended {:?} and traded {} of {}",
                    order.end, order.filled, order.plan.quantity
                );
                findings.push((what, Some(id.clone())));
            }
        }
        self.findings.extend(findings);
    }

    /// Each order at the exchange is one of the journal's with the same trades; no id has traded twice.
    fn nothing_beside_the_journal(&mut self) {
        let mut findings = Vec::new();
        let mut traded: BTreeMap<&str, Vec<&Accepted>> = BTreeMap::new();
        let mut resting: BTreeMap<&str, usize> = BTreeMap::new();
        for order in &self.books.orders {
            *resting.entry(&order.id).or_default() += usize::from(order.rests());
            if let Some(ours) = self.record.orders.get(&order.id)
                && (ours.plan.account.as_str(), ours.plan.symbol.as_str())
                    != (order.market, order.symbol.as_str())
            {
                let what = format!("{} is elsewhere in the journal: {order:?}", order.id);
                findings.push((what, Some(order.id.clone())));
            }
            if !order.executed.is_zero() {
                traded.entry(&order.id).or_default().push(order);
            }
        }
        for (id, count) in &resting {
            let Some(order) = self.record.orders.get(*id) else {
                findings.push((
                    format!("the exchange has {id}, which the journal hasn't"),
                    None,
                ));
                continue;
            };
            let is_pair = self
                .books
                .orders
                .iter()
                .any(|order| order.id == *id && order.wire_id != *id);
            let expected = usize::from(order.end.is_none()) * if is_pair { 2 } else { 1 };
            if *count != expected {
                let what = format!("{id} rests {count} times at the exchange, expected {expected}");
                findings.push((what, Some((*id).to_owned())));
            }
        }
        for (id, order) in &self.record.orders {
            let trades = traded.remove(id.as_str()).unwrap_or_default();
            let executed: Decimal = trades.iter().map(|order| order.executed).sum();
            if trades.len() > 1 {
                findings.push((
                    format!("{id} traded as more than one order: {trades:?}"),
                    Some(id.clone()),
                ));
            }
            if executed != order.filled {
                let what = format!(
                    "{id} traded {executed} at the exchange and {} here",
                    order.filled
                );
                findings.push((what, Some(id.clone())));
            }
            if !resting.contains_key(id.as_str()) && order.end.is_none() {
                findings.push((
                    format!("{id} rests here and was never at the exchange"),
                    Some(id.clone()),
                ));
            }
        }
        self.findings.extend(findings);
    }

    fn positions_agree(&mut self, shown: &Value) {
        let mut here: BTreeMap<(String, String), Decimal> = BTreeMap::new();
        for view in self.state.positions() {
            let key = (view.key.account.to_string(), view.key.symbol.to_string());
            *here.entry(key).or_default() += view.quantity;
        }
        let mut told: BTreeMap<(String, String), Decimal> = BTreeMap::new();
        for row in shown.as_array().unwrap() {
            let text = |key: &str| {
                row[key]
                    .as_str()
                    .unwrap_or_else(|| panic!("no {key}: {row}"))
                    .to_owned()
            };
            let quantity = text("quantity").parse::<Decimal>().unwrap();
            *told.entry((text("account"), text("symbol"))).or_default() += quantity;
        }
        for positions in [&mut here, &mut told] {
            positions.retain(|_, quantity| !quantity.is_zero());
            positions
                .values_mut()
                .for_each(|quantity| *quantity = quantity.normalize());
        }
        if here != self.books.held || told != here {
            let what = format!(
                "positions: here {here:?}, shown {told:?}, at the exchange {:?}",
                self.books.held
            );
            self.find(what, None);
        }
    }

    /// What rests at the exchange for a strategy's position in a symbol.
    fn resting(&self) -> impl Iterator<Item = (&Accepted, &Recorded)> {
        let resting = self.books.orders.iter().filter(|order| order.rests());
        resting.filter_map(|order| Some((order, self.record.orders.get(&order.id)?)))
    }

    /// Each position has the stops at the exchange that it was asked to have.
    fn nothing_is_naked(&mut self) {
        let mut findings = Vec::new();
        for (account, state) in &self.state.accounts {
            for (strategy, symbol, position) in
                state.positions.iter().flat_map(|(strategy, symbols)| {
                    symbols
                        .iter()
                        .map(move |(symbol, position)| (strategy, symbol, position))
                })
            {
                let stops = self.resting().filter(|(at, order)| {
                    at.is_stop()
                        && order.plan.account == *account
                        && order.plan.strategy == *strategy
                        && order.plan.symbol == *symbol
                        && at.side == closing(position.quantity)
                });
                let covered: Decimal = stops.map(|(at, _)| at.quantity - at.executed).sum();
                let naked = position.guarded - covered;
                let price = state
                    .prices
                    .get(symbol)
                    .map_or(Decimal::ZERO, |price| price.get());
                let is_dust = naked < step(account.as_str(), symbol.as_str())
                    || account.as_str() == "spot" && naked * price < SPOT_NOTIONAL_MIN;
                if !is_dust {
                    let last = self.last_stop(account.as_str(), strategy.as_str(), symbol.as_str());
                    let what = format!(
                        "{symbol} of {strategy} in {account}: {covered} is covered: {position:?}"
                    );
                    findings.push((what, last));
                }
            }
        }
        self.findings.extend(findings);
    }

    fn last_stop(&self, account: &str, strategy: &str, symbol: &str) -> Option<String> {
        let mut stops: Vec<_> = self
            .record
            .orders
            .values()
            .filter(|order| {
                let plan = &order.plan;
                plan.class == OrderClass::Protection
                    && (
                        plan.account.as_str(),
                        plan.strategy.as_str(),
                        plan.symbol.as_str(),
                    ) == (account, strategy, symbol)
            })
            .collect();
        stops.sort_by_key(|order| order.plan.expires_at);
        stops.last().map(|order| order.plan.id.to_string())
    }

    /// Stops and targets that rest are not larger than the position that they are for.
    fn nothing_rests_for_nobody(&mut self) {
        let mut resting: BTreeMap<_, (Decimal, String)> = BTreeMap::new();
        for (at, order) in self
            .resting()
            .filter(|(_, order)| order.plan.class == OrderClass::Protection)
        {
            let plan = &order.plan;
            let key = (
                plan.account.clone(),
                plan.strategy.clone(),
                plan.symbol.clone(),
                at.is_stop(),
            );
            let entry = resting.entry(key).or_insert((Decimal::ZERO, at.id.clone()));
            entry.0 += signed(plan.side.opposite(), at.quantity - at.executed);
        }
        let mut findings = Vec::new();
        for ((account, strategy, symbol, is_stop), (for_position, id)) in resting {
            let held = self
                .state
                .account(&account)
                .map_or(Decimal::ZERO, |state| state.held(&strategy, &symbol));
            if for_position.is_sign_negative() != held.is_sign_negative()
                || for_position.abs() > held.abs()
            {
                let role = if is_stop { "stops" } else { "targets" };
                let what = format!(
                    "{role} for {for_position} {symbol} of {strategy} in {account} rest, {held} is held"
                );
                findings.push((what, Some(id)));
            }
        }
        self.findings.extend(findings);
    }

    fn tell(&self, ponte: &Ponte) {
        if self.findings.is_empty() {
            return;
        }
        let mut told = String::new();
        for (what, _) in &self.findings {
            told += &format!("* {what}\n");
        }
        for id in self
            .findings
            .iter()
            .filter_map(|(_, id)| id.as_ref())
            .take(STORIES_MAX)
        {
            told += &format!("\nponte why {id}\n{}", ponte.command(&["why", id]).1);
            for order in self.books.orders.iter().filter(|order| order.id == *id) {
                told += &format!("at the exchange: {order:?}\n");
            }
        }
        panic!("{} findings\n{told}", self.findings.len());
    }

    fn report(&self, answered: usize) -> Report {
        let mut report = Report {
            answered,
            resting: self.resting().count(),
            open: self.books.held.len(),
            alarms: self.record.alarms.len(),
            ..Report::default()
        };
        for leg in self
            .record
            .alerts
            .values()
            .flat_map(|decided| &decided.legs)
        {
            *report.legs.entry(leg.decision.as_str()).or_default() += 1;
        }
        for order in self.record.orders.values() {
            let end = order.end.map_or_else(
                || "resting".to_owned(),
                |end| format!("{end:?}").to_lowercase(),
            );
            *report.orders.entry(end).or_default() += 1;
            report.sent_again += usize::from(order.sent > 1);
        }
        report
    }
}

fn closing(position: Decimal) -> &'static str {
    if position.is_sign_positive() {
        "sell"
    } else {
        "buy"
    }
}

fn signed(side: Side, quantity: Decimal) -> Decimal {
    match side {
        Side::Buy => quantity,
        Side::Sell => -quantity,
    }
}

/// The exchange's quantity steps, as its two markets list them.
fn step(account: &str, symbol: &str) -> Decimal {
    let decimals = match (account, symbol) {
        ("spot", "BTCUSDT") => 5,
        ("spot", "ETHUSDT") => 4,
        ("spot", _) | ("futures", "BTCUSDT.P" | "ETHUSDT.P") => 3,
        _ => 2,
    };
    Decimal::new(1, decimals)
}
