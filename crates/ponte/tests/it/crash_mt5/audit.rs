//! The auditor: what was answered, what the journal says and what the terminal has must be one story.

use std::collections::{BTreeMap, BTreeSet};

use ponte::journal::{self, Reader};
use ponte_core::message::Outcome;
use ponte_core::order::{OrderClass, OrderStatus};
use ponte_core::state::State;
use ponte_venue::Decimal;
use serde_json::Value;

use crate::crash_common::record::{Record, Recorded};
use crate::crash_common::sending::Answered;
use crate::program::Ponte;

/// The lower bits of a magic number, which tell the order.
const ORDER_MASK: u64 = (1 << 43) - 1;
/// What a stop or a target made (ENUM_DEAL_REASON).
const REASONS_OF_LEVELS: [u64; 2] = [4, 5];
/// How many stories of orders a failure tells.
const STORIES_MAX: usize = 3;

struct Auditor<'a> {
    record: Record,
    state: State,
    books: &'a Value,
    /// What is wrong, with the order in question.
    findings: Vec<(String, Option<String>)>,
}

/// Compares all, and tells the stories of what differs.
pub(super) fn audit(ponte: &Ponte, books: &Value, sent: &[Answered]) -> String {
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
    auditor.every_order_has_its_last_word();
    auditor.executions_agree();
    auditor.levels_agree();
    auditor.pending_orders_agree();
    auditor.positions_agree();
    auditor.nothing_is_naked();
    auditor.tell(ponte);
    auditor.report(sent.len())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(value: &Value) -> Decimal {
    let text = value.to_string();
    let parsed = text.parse().or_else(|_| Decimal::from_scientific(&text));
    parsed.unwrap()
}

fn volumes<'d>(deals: impl Iterator<Item = &'d Value>) -> Decimal {
    deals.map(|deal| number(&deal["volume"])).sum()
}

fn is_by_level(deal: &Value) -> bool {
    REASONS_OF_LEVELS.map(Value::from).contains(&deal["reason"])
}

/// What a magic number tells of an order.
fn order_bits(magic: &Value) -> u64 {
    magic.as_u64().unwrap() & ORDER_MASK
}

impl Auditor<'_> {
    fn find(&mut self, what: String, order: Option<String>) {
        self.findings.push((what, order));
    }

    /// Each alert was decided once, and whatever it became has its orders or a reason for none.
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
            assert_eq!(decided.signal.explicit_id.as_deref(), id.as_str());
            for leg in &decided.legs {
                let entries = leg.orders.iter().filter(|order| {
                    let recorded = self.record.orders.get(&order.client_order_id.to_string());
                    recorded.is_some_and(|order| order.plan.class == OrderClass::Entry)
                });
                let is_well = entries.count() <= 1
                    && (leg.decision == Outcome::Accepted || leg.orders.is_empty());
                if !is_well {
                    self.findings
                        .push((format!("{} became {leg:?}", answered.body), None));
                }
            }
        }
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
        }
        self.findings.extend(findings);
    }

    /// What was sent: the terminal's deals under an order's number are its fills, and there is no other number.
    fn executions_agree(&mut self) {
        let mut dealt: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        for deal in list(&self.books["deals"]).filter(|deal| !is_by_level(deal)) {
            if deal["magic"] != 0 {
                dealt
                    .entry(order_bits(&deal["magic"]))
                    .or_default()
                    .push(deal);
            }
        }
        let mut findings = Vec::new();
        for (id, order) in self.sent_orders() {
            let deals = dealt.remove(&bits(order)).unwrap_or_default();
            let executed = volumes(deals.iter().copied());
            if executed != order.filled {
                let what = format!(
                    "{id} traded {executed} at the terminal and {} here",
                    order.filled
                );
                findings.push((what, Some(id.clone())));
            }
            if executed > order.plan.quantity.get() {
                let what = format!("{id} traded {executed} of {}", order.plan.quantity);
                findings.push((what, Some(id.clone())));
            }
            let tickets: BTreeSet<_> = deals.iter().map(|deal| deal["order"].as_u64()).collect();
            if tickets.len() > 1 {
                findings.push((
                    format!("{id} is several orders: {tickets:?}"),
                    Some(id.clone()),
                ));
            }
        }
        for deals in dealt.values() {
            findings.push((format!("nobody ordered {deals:?}"), None));
        }
        self.findings.extend(findings);
    }

    fn sent_orders(&self) -> impl Iterator<Item = (&String, &Recorded)> {
        let orders = self.record.orders.iter();
        orders.filter(|(_, order)| order.plan.class != OrderClass::Protection)
    }

    /// What stops and targets traded, by symbol.
    fn levels_agree(&mut self) {
        let mut here: BTreeMap<String, Decimal> = BTreeMap::new();
        for order in self.record.orders.values() {
            if order.plan.class == OrderClass::Protection {
                *here.entry(order.plan.symbol.to_string()).or_default() += order.filled;
            }
        }
        let mut there: BTreeMap<String, Decimal> = BTreeMap::new();
        for deal in list(&self.books["deals"]).filter(|deal| is_by_level(deal)) {
            *there.entry(text(&deal["symbol"])).or_default() += number(&deal["volume"]);
        }
        here.retain(|_, quantity| !quantity.is_zero());
        let (here, there) = (normal(here), normal(there));
        if here != there {
            self.find(
                format!("stops and targets traded {there:?} and {here:?} here"),
                None,
            );
        }
    }

    /// What rests there rests here.
    fn pending_orders_agree(&mut self) {
        let there: BTreeSet<u64> = list(&self.books["orders"])
            .map(|order| order_bits(&order["magic"]))
            .collect();
        let here: BTreeSet<u64> = self
            .sent_orders()
            .filter(|(_, order)| order.end.is_none())
            .map(|(_, order)| bits(order))
            .collect();
        if there != here || list(&self.books["orders"]).count() != there.len() {
            self.find(
                format!("{there:?} rest at the terminal, {here:?} here"),
                None,
            );
        }
    }

    fn positions_agree(&mut self) {
        let mut here: BTreeMap<String, Decimal> = BTreeMap::new();
        for view in self.state.positions() {
            *here.entry(view.key.symbol.to_string()).or_default() += view.quantity;
        }
        let mut there: BTreeMap<String, Decimal> = BTreeMap::new();
        for position in list(&self.books["positions"]) {
            let volume = number(&position["volume"]);
            let held = if position["type"] == 0 {
                volume
            } else {
                -volume
            };
            *there.entry(text(&position["symbol"])).or_default() += held;
        }
        here.retain(|_, quantity| !quantity.is_zero());
        let (here, there) = (normal(here), normal(there));
        if here != there {
            self.find(
                format!("positions: here {here:?}, at the terminal {there:?}"),
                None,
            );
        }
    }

    /// Each position that asked for a stop has it, and the stop is the one of the protection that rests here.
    fn nothing_is_naked(&mut self) {
        let mut findings = Vec::new();
        for position in self.state.accounts.values().flat_map(|account| {
            let symbols = account
                .positions
                .values()
                .flat_map(|symbols| symbols.iter());
            symbols.filter(|(_, position)| !position.guarded.is_zero())
        }) {
            let (symbol, position) = position;
            let there = list(&self.books["positions"]).find(|row| row["symbol"] == symbol.as_str());
            if there.is_none_or(|row| number(&row["sl"]).is_zero()) {
                findings.push((format!("{symbol} is naked: {position:?} {there:?}"), None));
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
        let orders = self.findings.iter().filter_map(|(_, id)| id.as_ref());
        for id in orders.take(STORIES_MAX) {
            told += &format!("\nponte why {id}\n{}", ponte.command(&["why", id]).1);
        }
        panic!("{} findings\n{told}", self.findings.len());
    }

    fn report(&self, answered: usize) -> String {
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        for order in self.record.orders.values() {
            let end = order.end.map_or_else(
                || "resting".to_owned(),
                |end| format!("{end:?}").to_lowercase(),
            );
            *ends
                .entry(format!("{:?} {end}", order.plan.class))
                .or_default() += 1;
        }
        let mut legs: BTreeMap<String, usize> = BTreeMap::new();
        for leg in self
            .record
            .alerts
            .values()
            .flat_map(|decided| &decided.legs)
        {
            *legs.entry(leg.decision.as_str().to_owned()).or_default() += 1;
        }
        let fired = list(&self.books["deals"])
            .filter(|deal| is_by_level(deal))
            .count();
        format!(
            "{answered} alerts answered 200, legs {legs:?}, orders {ends:?}, {fired} stops and targets fired, {} \
             positions, {} alarms",
            list(&self.books["positions"]).count(),
            self.record.alarms.len(),
        )
    }
}

fn bits(order: &Recorded) -> u64 {
    let bytes = order.plan.id.to_bytes();
    u64::from_be_bytes(bytes[8..].try_into().unwrap()) & ORDER_MASK
}

fn normal(numbers: BTreeMap<String, Decimal>) -> BTreeMap<String, Decimal> {
    let numbers = numbers.into_iter();
    numbers
        .map(|(key, number)| (key, number.normalize()))
        .collect()
}
