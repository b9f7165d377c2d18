//! Orders of ours and the events of the stream: what adds up is told, what does not is asked about.

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
    assert!(book.has_open(), "it waits for its trigger");
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
    assert!(!book.has_open());
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
        ("er", "9".into()),
    ]);
    let Effect::Report(report) = book.on_order(&expired, "USDT") else {
        panic!("it has ended");
    };
    let reason = "expired at the exchange: the book could not fill a market order".to_owned();
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
