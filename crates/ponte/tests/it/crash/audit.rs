//! The auditor: what was answered, what the journal says and what the venue has must be one story.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ponte::journal::{self, AlertFilter, OrderFilter, Reader};
use ponte_core::id::AlertId;
use ponte_venue::{Decimal, Venue};
use serde_json::Value;

use super::load::Answered;

#[derive(Debug, Default)]
pub(crate) struct Report {
    answered: usize,
    filled: usize,
    ended_otherwise: BTreeMap<String, usize>,
    resubmitted: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} alerts answered 200, {} orders filled, otherwise {:?}, {} sent more than once",
            self.answered, self.filled, self.ended_otherwise, self.resubmitted
        )
    }
}

pub(crate) fn audit(path: &Path, venue: &Venue, sent: &[Answered], positions: &Value) -> Report {
    let reader = Reader::open(path).unwrap();
    let mut report = Report {
        answered: sent.len(),
        ..Report::default()
    };
    assert!(!sent.is_empty(), "nothing was sent");
    for answered in sent {
        one_order_or_a_reason(&reader, answered, &mut report);
    }
    nobody_was_answered_for_another(sent);
    nothing_beside_the_journal(&reader, venue);
    positions_agree(&reader, venue, positions);
    assert_eq!(
        reader.state(true).unwrap(),
        reader.state(false).unwrap(),
        "a replay from nothing gives another state"
    );
    let verified = journal::verify(path).unwrap();
    assert_eq!(verified.broken, None, "the chain is broken");
    report
}

/// Every alert that was answered 200 has exactly one order, with its last word and a reason
/// wherever it did not fill.
fn one_order_or_a_reason(reader: &Reader, answered: &Answered, report: &mut Report) {
    let alert: AlertId = answered.alert.parse().unwrap();
    let orders = reader.orders(&OrderFilter {
        alert: Some(alert),
        limit: 10,
        ..OrderFilter::default()
    });
    let orders = orders.unwrap();
    assert_eq!(orders.len(), 1, "{answered:?} has the orders {orders:?}");
    let order = &orders[0];
    assert!(
        matches!(answered.status.as_str(), "accepted" | "duplicate"),
        "{answered:?}"
    );
    if order.attempts > 1 {
        report.resubmitted += 1;
    }
    if order.status == "filled" {
        assert_eq!(
            (order.filled.as_str(), order.quantity.as_str()),
            ("1", "1"),
            "{order:?}"
        );
        report.filled += 1;
    } else {
        assert!(order.reason.is_some(), "no reason: {order:?}");
        assert_eq!(order.filled, "0", "{order:?}");
        *report
            .ended_otherwise
            .entry(order.status.clone())
            .or_default() += 1;
    }
}

fn nobody_was_answered_for_another(sent: &[Answered]) {
    let mut alerts: Vec<_> = sent.iter().map(|answered| &answered.alert).collect();
    alerts.sort();
    alerts.dedup();
    assert_eq!(alerts.len(), sent.len(), "two ids share an alert: {sent:?}");
}

/// Each order at the venue is one of the journal's, and no id has traded twice.
fn nothing_beside_the_journal(reader: &Reader, venue: &Venue) {
    let (orders, forgotten) = venue.all_orders("paper").unwrap();
    assert_eq!(forgotten, 0);
    let mut traded: BTreeMap<&str, (usize, Decimal)> = BTreeMap::new();
    for order in orders {
        let entry = traded
            .entry(order.request.client_order_id.as_str())
            .or_default();
        entry.0 += usize::from(!order.filled_quantity.is_zero());
        entry.1 += order.filled_quantity;
    }
    for (id, (times, quantity)) in traded {
        assert!(times <= 1, "order {id} traded {times} times");
        let story = reader.story_of_order(&id.parse().unwrap()).unwrap();
        let story = story.unwrap_or_else(|| panic!("order {id} is not in the journal"));
        let order = story.orders.iter().find(|order| order.id == id).unwrap();
        assert_eq!(order.filled, quantity.normalize().to_string(), "{order:?}");
    }
    let alerts = reader
        .alerts(&AlertFilter {
            limit: 1,
            ..AlertFilter::default()
        })
        .unwrap();
    assert_eq!(alerts.len(), 1);
}

fn positions_agree(reader: &Reader, venue: &Venue, shown: &Value) {
    let state = reader.state(false).unwrap();
    let at_venue: BTreeMap<String, Decimal> = venue
        .positions("paper")
        .unwrap()
        .into_iter()
        .filter(|position| !position.quantity.is_zero())
        .map(|position| (position.symbol, position.quantity))
        .collect();
    let mut here: BTreeMap<String, Decimal> = BTreeMap::new();
    for view in state
        .positions()
        .into_iter()
        .filter(|view| !view.quantity.is_zero())
    {
        *here.entry(view.key.symbol.as_str().to_owned()).or_default() += view.quantity;
    }
    assert_eq!(here, at_venue, "positions differ; shown: {shown}");
}
