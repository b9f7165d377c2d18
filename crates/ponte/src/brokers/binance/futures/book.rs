//! What this process knows of its orders: which orders they are at the exchange, and their totals.
//!
//! The stream's events are differences and can be lost, doubled or late. They count only where
//! they fit what is known; where they don't, the exchange is asked.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::OrderPlan;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::place::Service;
use super::snapshot::{AlgoStatus, Snapshot, Standing, Totals, fee};
use super::symbols;
use super::wire::{AlgoEvent, OrderEvent};

/// How many orders are remembered. When there are more, those that ended longest ago are forgotten.
const ORDERS_MAX: usize = 10_000;

/// One order of ours.
#[derive(Debug)]
struct Tracked {
    symbol: Symbol,
    /// As planned; not known of an order that only the stream told of.
    quantity: Option<Decimal>,
    /// Whether it may rest in the book as it is.
    rests: bool,
    /// Whether the stream has told of it.
    streamed: bool,
    service: Option<Service>,
    algo_id: Option<u64>,
    order_id: Option<u64>,
    standing: Option<Standing>,
    totals: Totals,
    trades: BTreeSet<i64>,
    at: Timestamp,
}

/// The orders by our id.
#[derive(Debug, Default)]
pub(super) struct Book {
    orders: BTreeMap<ClientOrderId, Tracked>,
    /// Whose order a number of the exchange's is; finds what conditional orders have become.
    owners: BTreeMap<u64, ClientOrderId>,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The order stands so.
    Report(OrderReport),
    /// The event doesn't fit what is known: the exchange must be asked where the order stands.
    LookUp {
        /// Our id.
        id: ClientOrderId,
        /// Where it trades.
        symbol: Symbol,
        /// Which service most likely has it.
        service: Service,
    },
    /// It is not about an order of ours, or it is old.
    Nothing,
}

impl Book {
    /// Notes an order that is about to be sent, or asked about.
    pub(super) fn expect(&mut self, plan: &OrderPlan) {
        let tracked = self
            .orders
            .entry(plan.id)
            .or_insert_with(|| Tracked::new(plan.symbol.clone()));
        tracked.quantity = Some(plan.quantity.get());
        tracked.rests = plan.kind.rests();
        tracked.service = Some(Service::of(plan.kind));
        self.forget_the_oldest();
    }

    /// Whether the stream has told anything of the order.
    pub(super) fn has_streamed(&self, id: ClientOrderId) -> bool {
        self.orders.get(&id).is_some_and(|tracked| tracked.streamed)
    }

    /// What is known of an order, if the exchange has said anything of it.
    pub(super) fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        self.orders.get(&id)?.report(id)
    }

    /// The number of the regular order that an order is or has become, where known.
    pub(super) fn order_id(&self, id: ClientOrderId) -> Option<u64> {
        self.orders.get(&id)?.order_id
    }

    /// Whose order a number of the exchange's is.
    pub(super) fn owner(&self, order_id: u64) -> Option<ClientOrderId> {
        self.owners.get(&order_id).copied()
    }

    /// The exchange's names of the contracts in whose books orders of ours rest.
    pub(super) fn resting(&self) -> BTreeSet<String> {
        self.orders
            .values()
            .filter(|tracked| {
                let in_the_book = tracked.order_id.is_some() && tracked.rests;
                in_the_book && tracked.standing == Some(Standing::Working)
            })
            .filter_map(|tracked| symbols::to_wire(&tracked.symbol).map(str::to_owned))
            .collect()
    }

    /// Takes what the exchange answered to a question, unless more is known already.
    pub(super) fn absorb(
        &mut self,
        id: ClientOrderId,
        symbol: &Symbol,
        seen: Snapshot,
    ) -> Option<OrderReport> {
        let tracked = self
            .orders
            .entry(id)
            .or_insert_with(|| Tracked::new(symbol.clone()));
        if let Some(order_id) = seen.order_id {
            self.owners.insert(order_id, id);
            tracked.order_id = Some(order_id);
        }
        tracked.algo_id = seen.algo_id.or(tracked.algo_id);
        let ended = tracked.standing.as_ref().is_some_and(Standing::is_final);
        let older =
            seen.totals.quantity < tracked.totals.quantity || (ended && !seen.standing.is_final());
        if !older {
            tracked.totals = seen.totals;
            tracked.trades = seen.trades;
            tracked.at = tracked.at.max(seen.at);
            // The stream tells reasons; an answer to a question does not.
            if !ended || seen.standing == Standing::Filled {
                tracked.standing = Some(seen.standing);
            }
        }
        let report = tracked.report(id);
        self.forget_the_oldest();
        report
    }

    /// An event of a regular order, `ORDER_TRADE_UPDATE`.
    pub(super) fn on_order(&mut self, event: &OrderEvent, currency: &str) -> Effect {
        let ours = event.client_order_id.parse().ok();
        let Some(id) = ours.or_else(|| self.owner(event.order_id)) else {
            return Effect::Nothing;
        };
        let Some(symbol) = symbols::from_wire(&event.symbol) else {
            return Effect::Nothing;
        };
        let Some(tracked) = self.orders.get_mut(&id) else {
            return look_up(id, symbol, Service::Regular);
        };
        tracked.streamed = true;
        tracked.order_id = Some(event.order_id);
        self.owners.insert(event.order_id, id);
        tracked.on_order(id, event, currency)
    }

    /// An event of a conditional order, `ALGO_UPDATE`.
    pub(super) fn on_algo(&mut self, event: &AlgoEvent, at: Timestamp) -> Effect {
        let Ok(id) = event.client_algo_id.parse() else {
            return Effect::Nothing;
        };
        let Some(symbol) = symbols::from_wire(&event.symbol) else {
            return Effect::Nothing;
        };
        let Some(tracked) = self.orders.get_mut(&id) else {
            return look_up(id, symbol, Service::Conditional);
        };
        tracked.streamed = true;
        tracked.algo_id = Some(event.algo_id);
        if let Some(order_id) = event.actual_order_id {
            tracked.order_id = Some(order_id);
            self.owners.insert(order_id, id);
        }
        tracked.on_algo(id, event, at)
    }

    fn forget_the_oldest(&mut self) {
        if self.orders.len() <= ORDERS_MAX {
            return;
        }
        // Ids begin with the number of their alert: the smallest are the oldest.
        let ended = |tracked: &Tracked| tracked.standing.as_ref().is_some_and(Standing::is_final);
        let excess = self.orders.len() - ORDERS_MAX / 2;
        let old: Vec<ClientOrderId> = self
            .orders
            .iter()
            .filter(|(_, tracked)| ended(tracked))
            .map(|(id, _)| *id)
            .take(excess)
            .collect();
        for id in old {
            self.orders.remove(&id);
        }
        self.owners
            .retain(|_, owner| self.orders.contains_key(owner));
    }
}

const fn look_up(id: ClientOrderId, symbol: Symbol, service: Service) -> Effect {
    Effect::LookUp {
        id,
        symbol,
        service,
    }
}

impl Tracked {
    const fn new(symbol: Symbol) -> Self {
        Self {
            symbol,
            quantity: None,
            rests: true,
            streamed: false,
            service: None,
            algo_id: None,
            order_id: None,
            standing: None,
            totals: Totals {
                quantity: Decimal::ZERO,
                cost: Decimal::ZERO,
                fees: Decimal::ZERO,
            },
            trades: BTreeSet::new(),
            at: Timestamp::EPOCH,
        }
    }

    fn on_order(&mut self, id: ClientOrderId, event: &OrderEvent, currency: &str) -> Effect {
        let service = self.service.unwrap_or(Service::Regular);
        let why = event.expiry_reason.as_str().filter(|why| !why.is_empty());
        let Some(standing) = Standing::of_regular(&event.status, why) else {
            return look_up(id, self.symbol.clone(), service);
        };
        if event.execution == "TRADE" {
            if self.trades.contains(&event.trade_id) || event.filled <= self.totals.quantity {
                return Effect::Nothing;
            }
            if event.filled != self.totals.quantity + event.last_quantity {
                return look_up(id, self.symbol.clone(), service);
            }
            let asset = event.commission_asset.as_deref().unwrap_or_default();
            let (symbol, price) = (&event.symbol, event.last_price);
            let fee = fee(symbol, event.commission, asset, price, currency);
            self.totals.add(event.last_quantity, price, fee);
            self.trades.insert(event.trade_id);
        } else if event.filled > self.totals.quantity {
            return look_up(id, self.symbol.clone(), service);
        } else if event.filled < self.totals.quantity {
            return Effect::Nothing;
        }
        self.settle(standing, Timestamp::from_milliseconds(event.at));
        self.report(id).map_or(Effect::Nothing, Effect::Report)
    }

    fn on_algo(&mut self, id: ClientOrderId, event: &AlgoEvent, at: Timestamp) -> Effect {
        let ended = self.standing.as_ref().is_some_and(Standing::is_final);
        let alone = AlgoStatus::read(&event.status)
            .and_then(|status| status.alone(event.reason.as_deref()));
        match alone {
            _ if ended => Effect::Nothing,
            // Its regular order's own events are better: what this one says is said of the whole.
            Some(Standing::Working) if self.order_id.is_some() => Effect::Nothing,
            Some(standing) if self.order_id.is_none() && self.totals.quantity.is_zero() => {
                self.settle(standing, at);
                self.report(id).map_or(Effect::Nothing, Effect::Report)
            }
            Some(_) | None => look_up(id, self.symbol.clone(), Service::Conditional),
        }
    }

    fn settle(&mut self, standing: Standing, at: Timestamp) {
        let ended = self.standing.as_ref().is_some_and(Standing::is_final);
        if !ended || standing == Standing::Filled {
            self.standing = Some(standing);
        }
        self.at = self.at.max(at);
    }

    fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        let status = match self.standing.clone()? {
            Standing::Working => ReportedStatus::Working,
            Standing::Filled => self.filled(),
            Standing::Cancelled(reason) => ReportedStatus::Cancelled { reason },
            Standing::Rejected(reason) => ReportedStatus::Rejected { reason },
        };
        Some(OrderReport {
            id,
            broker_order_id: self
                .algo_id
                .or(self.order_id)
                .map(|number| number.to_string())?,
            status,
            filled: self.totals.quantity.normalize(),
            average_price: self.totals.average_price(),
            fees: self.totals.fees.normalize(),
            withheld: Decimal::ZERO,
            at: self.at,
        })
    }

    /// All of it has traded, in the exchange's words: of a stop that closes the position, or of an
    /// order that the exchange made as small as the position, that can be less than was planned.
    fn filled(&self) -> ReportedStatus {
        match self.quantity {
            Some(planned) if self.totals.quantity < planned => ReportedStatus::Cancelled {
                reason: format!(
                    "the exchange closed the {} that there were, the order was for {}",
                    self.totals.quantity.normalize(),
                    planned.normalize()
                ),
            },
            Some(_) | None => ReportedStatus::Filled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{id, plan_of, price};
    use super::*;
    use ponte_core::order::{OrderClass, OrderKind};
    use ponte_core::signal::{Side, Terms};

    /// As the stream brings it (USDⓈ-M Futures, "Event: Order Update"), with our id.
    fn order_event(changes: &[(&str, serde_json::Value)]) -> OrderEvent {
        let mut event = serde_json::json!({
            "s": "BTCUSDT", "c": id().to_string(), "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.5",
            "p": "60000", "ap": "0", "sp": "0", "x": "NEW", "X": "NEW", "i": 8_886_774, "l": "0",
            "z": "0", "L": "0", "n": "0", "N": "USDT", "T": 1_568_879_465_650_i64, "t": 0, "b": "0", "a": "9.91",
            "m": false, "R": false, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": false,
            "rp": "0", "pP": false, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0"
        });
        for (name, value) in changes {
            event[name] = value.clone();
        }
        serde_json::from_value(event).expect("the documented event")
    }

    fn trade(number: i64, quantity: &str, price: &str, filled: &str, status: &str) -> OrderEvent {
        order_event(&[
            ("x", "TRADE".into()),
            ("X", status.into()),
            ("t", number.into()),
            ("l", quantity.into()),
            ("L", price.into()),
            ("z", filled.into()),
            ("n", "0.5".into()),
        ])
    }

    fn algo_event(status: &str, actual: &str) -> AlgoEvent {
        serde_json::from_value(serde_json::json!({
            "caid": id().to_string(), "aid": 2_148_719, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT",
            "S": "SELL", "ps": "BOTH", "f": "GTC", "q": "0.5", "X": status, "ai": actual, "ap": "0", "aq": "0",
            "act": "0", "tp": "58000", "p": "0", "V": "EXPIRE_MAKER", "wt": "CONTRACT_PRICE", "pm": "NONE",
            "cp": false, "pP": false, "R": false, "tt": 0, "gtd": 0, "rm": "Reduce Only reject"
        }))
        .expect("the documented event")
    }

    fn limit() -> OrderPlan {
        let terms = Terms::Limit {
            price: price(60_000),
        };
        plan_of(OrderKind::Single { terms }, Side::Buy, OrderClass::Entry)
    }

    fn stop() -> OrderPlan {
        let terms = Terms::Stop {
            trigger: price(58_000),
        };
        let mut plan = plan_of(
            OrderKind::Single { terms },
            Side::Sell,
            OrderClass::Protection,
        );
        plan.reduce_only = true;
        plan
    }

    fn book_with(plan: &OrderPlan) -> Book {
        let mut book = Book::default();
        book.expect(plan);
        book
    }

    fn snapshot(standing: Standing, quantity: &str, trades: &[i64]) -> Snapshot {
        let quantity: Decimal = quantity.parse().expect("a decimal");
        Snapshot {
            algo_id: None,
            order_id: Some(8_886_774),
            standing,
            totals: Totals {
                quantity,
                cost: quantity * Decimal::from(60_000),
                fees: quantity,
            },
            trades: trades.iter().copied().collect(),
            at: Timestamp(5),
        }
    }

    /// Status, filled, average price, fees.
    fn told(effect: Effect) -> (&'static str, String, String, String) {
        let Effect::Report(report) = effect else {
            panic!("expected a report, got {effect:?}");
        };
        let status = match report.status {
            ReportedStatus::Working => "working",
            ReportedStatus::Filled => "filled",
            ReportedStatus::Cancelled { .. } => "cancelled",
            ReportedStatus::Rejected { .. } => "rejected",
        };
        let [filled, price, fees] =
            [report.filled, report.average_price, report.fees].map(|number| number.to_string());
        (status, filled, price, fees)
    }

    fn line(status: &'static str, numbers: [&str; 3]) -> (&'static str, String, String, String) {
        let [filled, price, fees] = numbers.map(str::to_owned);
        (status, filled, price, fees)
    }

    #[test]
    fn trades_add_up_and_count_once() {
        let mut book = book_with(&limit());
        let mut on = |event: &OrderEvent| book.on_order(event, "USDT");
        assert_eq!(
            told(on(&order_event(&[]))),
            line("working", ["0", "0", "0"])
        );
        let first = trade(1, "0.2", "60000", "0.2", "PARTIALLY_FILLED");
        assert_eq!(told(on(&first)), line("working", ["0.2", "60000", "0.5"]));
        assert_eq!(on(&first), Effect::Nothing, "the same trade again");
        assert_eq!(
            on(&order_event(&[])),
            Effect::Nothing,
            "an event that comes late"
        );
        let last = trade(2, "0.3", "60010", "0.5", "FILLED");
        assert_eq!(told(on(&last)), line("filled", ["0.5", "60006", "1"]));
        assert_eq!(on(&first), Effect::Nothing);
    }

    #[test]
    fn a_missed_trade_is_asked_about_and_never_guessed() {
        let mut book = book_with(&limit());
        let gap = trade(2, "0.1", "60000", "0.3", "PARTIALLY_FILLED");
        let Effect::LookUp { id: asked, .. } = book.on_order(&gap, "USDT") else {
            panic!("the first trade is missing");
        };
        assert_eq!(asked, id());
        let symbol = limit().symbol;
        let seen = snapshot(Standing::Working, "0.3", &[1, 2]);
        let report = book.absorb(id(), &symbol, seen).expect("it is there");
        assert_eq!(report.filled.to_string(), "0.3");
        assert_eq!(book.on_order(&gap, "USDT"), Effect::Nothing);
        // Cancelled after a trade that nobody told of.
        let cancelled = order_event(&[("X", "CANCELED".into()), ("z", "0.4".into())]);
        assert!(matches!(
            book.on_order(&cancelled, "USDT"),
            Effect::LookUp { .. }
        ));
        let cancelled = order_event(&[("X", "CANCELED".into()), ("z", "0.3".into())]);
        assert_eq!(
            told(book.on_order(&cancelled, "USDT")),
            line("cancelled", ["0.3", "60000", "0.3"])
        );
    }

    #[test]
    fn an_old_answer_takes_nothing_back() {
        let mut book = book_with(&limit());
        book.on_order(&trade(1, "0.5", "60000", "0.5", "FILLED"), "USDT");
        let symbol = limit().symbol;
        let report = book.absorb(id(), &symbol, snapshot(Standing::Working, "0.2", &[1]));
        let report = report.expect("it is known");
        assert_eq!(report.status, ReportedStatus::Filled);
        assert_eq!(report.filled.to_string(), "0.5");
        assert_eq!(report.fees.to_string(), "0.5");
    }

    #[test]
    fn orders_of_others_are_not_ours() {
        let mut book = book_with(&limit());
        for name in ["web_abc", "autoclose-123", "adl_autoclose", ""] {
            let event = order_event(&[("c", name.into()), ("i", 5.into())]);
            assert_eq!(book.on_order(&event, "USDT"), Effect::Nothing, "{name}");
        }
    }

    #[test]
    fn an_order_that_only_the_stream_knows_is_looked_up() {
        let mut book = Book::default();
        let effect = book.on_order(&order_event(&[]), "USDT");
        assert_eq!(effect, look_up(id(), limit().symbol, Service::Regular));
        let effect = book.on_algo(&algo_event("NEW", ""), Timestamp(1));
        assert_eq!(effect, look_up(id(), limit().symbol, Service::Conditional));
    }

    #[test]
    fn a_conditional_order_lives_on_in_the_order_that_it_becomes() {
        let mut book = book_with(&stop());
        let waiting = book.on_algo(&algo_event("NEW", ""), Timestamp(1));
        assert_eq!(told(waiting), line("working", ["0", "0", "0"]));
        assert!(book.resting().is_empty(), "no regular order rests");
        let triggered = book.on_algo(&algo_event("TRIGGERED", "8886774"), Timestamp(2));
        assert!(matches!(triggered, Effect::LookUp { .. }));
        // Its regular order may have an id of the exchange's own.
        let mut filled = trade(9, "0.5", "57990", "0.5", "FILLED");
        filled.client_order_id = "x-exchange".to_owned();
        assert_eq!(
            told(book.on_order(&filled, "USDT")),
            line("filled", ["0.5", "57990", "0.5"])
        );
        let finished = book.on_algo(&algo_event("FINISHED", "8886774"), Timestamp(3));
        assert_eq!(finished, Effect::Nothing);
        let report = book.report(id()).expect("it is known");
        assert_eq!(report.broker_order_id, "2148719");
    }

    #[test]
    fn a_conditional_order_that_never_triggers_ends_with_its_reason() {
        for (status, expected) in [
            ("CANCELED", "cancelled"),
            ("EXPIRED", "cancelled"),
            ("REJECTED", "rejected"),
        ] {
            let mut book = book_with(&stop());
            let effect = book.on_algo(&algo_event(status, ""), Timestamp(1));
            let Effect::Report(report) = effect.clone() else {
                panic!("expected a report, got {effect:?}");
            };
            assert_eq!(told(effect).0, expected);
            let (ReportedStatus::Cancelled { reason } | ReportedStatus::Rejected { reason }) =
                report.status
            else {
                panic!("it has ended");
            };
            assert!(reason.contains("Reduce Only reject"), "{reason}");
        }
    }

    #[test]
    fn a_triggered_order_that_the_book_refuses_ends_so() {
        let mut book = book_with(&stop());
        book.on_algo(&algo_event("NEW", ""), Timestamp(1));
        book.on_algo(&algo_event("TRIGGERED", "8886774"), Timestamp(2));
        let expired = order_event(&[
            ("x", "EXPIRED".into()),
            ("X", "EXPIRED".into()),
            ("er", "no liquidity".into()),
        ]);
        let Effect::Report(report) = book.on_order(&expired, "USDT") else {
            panic!("it has ended");
        };
        let reason = "expired at the exchange: no liquidity".to_owned();
        assert_eq!(report.status, ReportedStatus::Cancelled { reason });
    }

    #[test]
    fn a_stop_that_closed_less_than_planned_says_so() {
        let mut book = book_with(&stop());
        let smaller = trade(9, "0.2", "57990", "0.2", "FILLED");
        let Effect::Report(report) = book.on_order(&smaller, "USDT") else {
            panic!("it has ended");
        };
        let reason = "the exchange closed the 0.2 that there were, the order was for 0.5";
        assert_eq!(
            report.status,
            ReportedStatus::Cancelled {
                reason: reason.to_owned()
            }
        );
        assert_eq!(report.filled.to_string(), "0.2");
    }

    #[test]
    fn only_what_rests_in_the_book_counts_as_resting() {
        let mut book = book_with(&limit());
        assert!(book.resting().is_empty(), "nobody has said that it rests");
        book.on_order(&order_event(&[]), "USDT");
        assert_eq!(book.resting(), BTreeSet::from(["BTCUSDT".to_owned()]));
        book.on_order(&order_event(&[("X", "CANCELED".into())]), "USDT");
        assert!(book.resting().is_empty());
    }

    #[test]
    fn what_ended_longest_ago_is_forgotten_first() {
        use ponte_core::id::{AlertId, ClientOrderId};
        let mut book = Book::default();
        let count = u64::try_from(ORDERS_MAX).expect("a count") + 1;
        for number in 1..=count {
            let mut plan = limit();
            plan.id = ClientOrderId::derive(AlertId(number), &[b"x"]);
            book.expect(&plan);
            if number > 1 {
                let event = order_event(&[
                    ("c", plan.id.to_string().into()),
                    ("i", number.into()),
                    ("X", "CANCELED".into()),
                ]);
                book.on_order(&event, "USDT");
            }
        }
        assert!(book.orders.len() <= ORDERS_MAX);
        let known = |number| {
            let id = ClientOrderId::derive(AlertId(number), &[b"x"]);
            book.orders.contains_key(&id)
        };
        assert!(known(1), "it has not ended");
        assert!(!known(2) && known(count));
        assert_eq!(book.owner(2), None);
    }
}
