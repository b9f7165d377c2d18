//! Totals from single events, and what happens when one was missed.

use ponte_core::id::AlertId;

use super::*;
use crate::brokers::binance::spot::wire::{Envelope, Event};

fn id(number: u64) -> ClientOrderId {
    ClientOrderId::derive(AlertId(number), &[b"x"])
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn ledger() -> Ledger {
    Ledger::new("USDT".to_owned())
}

/// An event as the documentation shows it ("Order update"), with what differs.
struct Says<'a> {
    wire: &'a str,
    kind: &'a str,
    status: &'a str,
    last: &'a str,
    filled: &'a str,
    fee: (&'a str, &'a str),
}

fn event(says: &Says<'_>) -> Execution {
    let Says {
        wire,
        kind,
        status,
        last,
        filled,
        fee,
    } = says;
    let quote = decimal(filled) * decimal("100");
    // Cancellations carry an id of their own.
    let (own, orig) = if *kind == "CANCELED" {
        ("cancel1", *wire)
    } else {
        (*wire, "")
    };
    let text = format!(
        r#"{{"subscriptionId":0,"event":{{"e":"executionReport","E":1499405658658,"s":"BTCUSDT",
        "c":"{own}","S":"BUY","o":"LIMIT","f":"GTC","q":"1.00000000","p":"100.0","P":"0.00000000",
        "F":"0.00000000","g":-1,"C":"{orig}","x":"{kind}","X":"{status}","r":"NONE","i":4293153,
        "l":"{last}","z":"{filled}","L":"100.0","n":"{}","N":{},"T":1499405658657,"t":-1,
        "v":3,"I":8641984,"w":true,"m":false,"M":false,"O":1499405658657,"Z":"{quote}",
        "Y":"0.00000000","Q":"0.00000000","W":1499405658657,"V":"NONE"}}}}"#,
        fee.0,
        if fee.1.is_empty() {
            "null".to_owned()
        } else {
            format!("\"{}\"", fee.1)
        },
    );
    match serde_json::from_str::<Envelope>(&text).unwrap().event {
        Event::Execution(event) => *event,
        Event::Terminated | Event::Shutdown | Event::Other => panic!("not an order's event"),
    }
}

fn trade<'a>(wire: &'a str, status: &'a str, last: &'a str, filled: &'a str) -> Says<'a> {
    Says {
        wire,
        kind: "TRADE",
        status,
        last,
        filled,
        fee: ("0.001", "BTC"),
    }
}

fn simple<'a>(wire: &'a str, kind: &'a str, status: &'a str, filled: &'a str) -> Says<'a> {
    Says {
        wire,
        kind,
        status,
        last: "0",
        filled,
        fee: ("0", ""),
    }
}

fn report(told: Told) -> OrderReport {
    match told {
        Told::Report(report) => report,
        Told::Nothing | Told::Missed(_) => panic!("no report: {told:?}"),
    }
}

#[test]
fn trades_add_up() {
    let (ledger, wire) = (ledger(), id(1).to_string());
    let working = report(ledger.take(&event(&simple(&wire, "NEW", "NEW", "0"))));
    assert_eq!(
        (working.id, working.status),
        (id(1), ReportedStatus::Working)
    );
    assert_eq!(working.broker_order_id, "4293153");
    assert_eq!(ledger.ended(&id(1)), None);
    report(ledger.take(&event(&trade(&wire, "PARTIALLY_FILLED", "0.4", "0.4"))));
    let filled = report(ledger.take(&event(&trade(&wire, "FILLED", "0.6", "1.0"))));
    assert_eq!(filled.status, ReportedStatus::Filled);
    assert_eq!(
        (filled.filled, filled.average_price),
        (decimal("1"), decimal("100"))
    );
    // Paid in the bought asset: worth 0.002 × 100, and withheld.
    assert_eq!(
        (filled.fees, filled.withheld),
        (decimal("0.2"), decimal("0.002"))
    );
    assert!(ledger.heard(&id(1)));
    assert_eq!(ledger.ended(&id(1)), Some(filled));
}

#[test]
fn fees_count_in_the_accounts_money() {
    let cases = [
        ("SELL", "USDT", "0.001", "0"),
        ("SELL", "BTC", "0.1", "0"),
        ("BUY", "BTC", "0.1", "0.001"),
        ("BUY", "BNB", "0", "0"),
    ];
    for (side, asset, fees, withheld) in cases {
        let trade = Trade {
            id: None,
            price: decimal("100"),
            qty: decimal("1"),
            commission: decimal("0.001"),
            commission_asset: asset.to_owned(),
        };
        let mut costs = Costs::default();
        costs.add(&trade, "BTCUSDT", side, "USDT");
        let wanted = Costs {
            fees: decimal(fees),
            withheld: decimal(withheld),
        };
        assert_eq!(costs, wanted, "{side} {asset}");
    }
}

#[test]
fn repeated_and_late_events_change_nothing() {
    let (ledger, wire) = (ledger(), id(1).to_string());
    let first = trade(&wire, "PARTIALLY_FILLED", "0.4", "0.4");
    let second = trade(&wire, "FILLED", "0.6", "1.0");
    ledger.take(&event(&first));
    let filled = report(ledger.take(&event(&second)));
    assert_eq!(report(ledger.take(&event(&second))), filled);
    assert_eq!(ledger.take(&event(&first)), Told::Nothing);
    let late = report(ledger.take(&event(&simple(&wire, "NEW", "NEW", "1.0"))));
    assert_eq!(late, filled);
}

#[test]
fn a_gap_is_noticed() {
    let (ledger, wire) = (ledger(), id(1).to_string());
    let event_after_gap = event(&trade(&wire, "FILLED", "0.6", "1.0"));
    assert_eq!(ledger.take(&event_after_gap), Told::Missed(id(1)));
    // An end that tells of trades nobody heard of is a gap too.
    let end = event(&simple(&wire, "CANCELED", "CANCELED", "0.4"));
    assert_eq!(ledger.take(&end), Told::Missed(id(1)));
    let standing = Standing {
        broker_order_id: "4293153".to_owned(),
        status: ReportedStatus::Working,
        filled: decimal("0.4"),
        quote: decimal("40"),
        costs: Costs::default(),
        at: Timestamp(1),
    };
    ledger.settle(id(1), vec![(Leg::Whole, standing)]);
    let filled = report(ledger.take(&event_after_gap));
    assert_eq!(
        (filled.filled, filled.fees),
        (decimal("1"), decimal("0.06") + decimal("0.04"))
    );
}

#[test]
fn a_cancellation_is_about_the_order_it_cancels() {
    let (ledger, wire) = (ledger(), id(1).to_string());
    let cancelled = report(ledger.take(&event(&simple(&wire, "CANCELED", "CANCELED", "0"))));
    assert!(matches!(cancelled.status, ReportedStatus::Cancelled { .. }));
    assert_eq!(cancelled.id, id(1));
}

#[test]
fn refused_requests_and_orders_of_others_are_no_reports() {
    let (ledger, wire) = (ledger(), id(1).to_string());
    let refused = event(&simple(&wire, "REJECTED", "REJECTED", "0"));
    assert_eq!(ledger.take(&refused), Told::Nothing);
    let foreign = event(&simple("web_8a3f", "NEW", "NEW", "0"));
    assert_eq!(ledger.take(&foreign), Told::Nothing);
}

#[test]
fn a_pair_is_the_sum_of_its_legs() {
    let ledger = ledger();
    let (stop, target) = (Leg::Stop.wire_id(id(2)), Leg::Target.wire_id(id(2)));
    let first = event(&simple(&stop, "NEW", "NEW", "0"));
    assert_eq!(ledger.take(&first), Told::Nothing);
    let both = report(ledger.take(&event(&simple(&target, "NEW", "NEW", "0"))));
    assert_eq!(both.status, ReportedStatus::Working);
    // The target begins to trade: the stop goes, and the pair still works.
    report(ledger.take(&event(&trade(&target, "PARTIALLY_FILLED", "0.4", "0.4"))));
    let one = report(ledger.take(&event(&simple(&stop, "EXPIRED", "EXPIRED", "0"))));
    assert_eq!(
        (one.status, one.filled),
        (ReportedStatus::Working, decimal("0.4"))
    );
    let done = report(ledger.take(&event(&trade(&target, "FILLED", "0.6", "1.0"))));
    assert_eq!(
        (done.status, done.filled),
        (ReportedStatus::Filled, decimal("1"))
    );
}

#[test]
fn a_pair_is_over_when_both_legs_are() {
    let ledger = ledger();
    let (stop, target) = (Leg::Stop.wire_id(id(2)), Leg::Target.wire_id(id(2)));
    for wire in [&stop, &target] {
        ledger.take(&event(&simple(wire, "NEW", "NEW", "0")));
    }
    let half = report(ledger.take(&event(&simple(&stop, "CANCELED", "CANCELED", "0"))));
    assert_eq!(half.status, ReportedStatus::Working);
    let whole = report(ledger.take(&event(&simple(&target, "CANCELED", "CANCELED", "0"))));
    assert!(matches!(whole.status, ReportedStatus::Cancelled { .. }));
}

#[test]
fn one_leg_of_an_unknown_pair_is_not_the_whole() {
    let ledger = ledger();
    let target = Leg::Target.wire_id(id(2));
    let told = ledger.take(&event(&trade(&target, "FILLED", "1.0", "1.0")));
    assert_eq!(told, Told::Missed(id(2)));
}

#[test]
fn only_what_is_over_is_forgotten() {
    let ledger = ledger();
    for number in 0..ORDERS_MAX as u64 {
        let wire = id(number).to_string();
        let says = if number == 0 {
            simple(&wire, "NEW", "NEW", "0")
        } else {
            simple(&wire, "CANCELED", "CANCELED", "0")
        };
        ledger.take(&event(&says));
    }
    let symbol = Symbol::new("BTCUSDT").unwrap();
    ledger.note(id(u64::from(u32::MAX)), &symbol, Shape::Single);
    assert!(ledger.shape(&id(0)).is_some());
    assert!(ledger.shape(&id(1)).is_none());
    assert!(ledger.shape(&id(ORDERS_MAX as u64 - 1)).is_some());
}
