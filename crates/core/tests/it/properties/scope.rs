//! No order of things lets a source pass its scope.

use std::collections::BTreeMap;

use ponte_core::id::SourceName;
use ponte_core::message::Event;
use ponte_core::order::{OrderClass, OrderPlan, Origin};
use ponte_core::policy::{Policy, SourcePolicy, SourceScope, Verbs};
use proptest::prelude::*;

use super::happenings::{Happening, happenings};
use super::{Watch, four_brokers};
use crate::engine::world::{account, decimal, quantity, strategy, symbol};

const MAX_QUANTITY: &str = "2";
const MAX_NOTIONAL: &str = "300";
/// The market's prices are the alerts': all of them say so.
const PRICE: &str = "100";

fn name(text: &str) -> SourceName {
    SourceName::new(text).unwrap()
}

fn limited_sources() -> Policy {
    let mut policy = four_brokers();
    let verbs = |verbs| SourceScope {
        verbs,
        ..SourceScope::default()
    };
    let narrow = SourceScope {
        strategies: Some([strategy("S1")].into()),
        symbols: Some([symbol("BTCUSDT")].into()),
        accounts: Some([account("paper"), account("third")].into()),
        ..SourceScope::default()
    };
    let small = SourceScope {
        max_quantity: Some(quantity(MAX_QUANTITY)),
        max_notional: Some(decimal(MAX_NOTIONAL)),
        ..SourceScope::default()
    };
    for (source, scope) in [
        ("exits", verbs(Verbs::Exits)),
        ("entries", verbs(Verbs::Entries)),
        ("narrow", narrow),
        ("small", small),
    ] {
        let known = SourcePolicy {
            scope,
            ..SourcePolicy::default()
        };
        policy.sources.insert(name(source), known);
    }
    policy
}

/// What is planned for an alert of a source, whenever that was.
fn within_scope(source: &str, plan: &OrderPlan) {
    let class = plan.class;
    match source {
        "exits" => assert_eq!(class, OrderClass::Exit, "an exit-only source opens"),
        "entries" => assert_eq!(class, OrderClass::Entry, "an entry-only source closes"),
        "narrow" => {
            assert_eq!(plan.strategy, strategy("S1"));
            assert_eq!(plan.symbol, symbol("BTCUSDT"));
            let reached = ["paper", "third"].map(account);
            assert!(reached.contains(&plan.account), "{}", plan.account);
        }
        "small" if class == OrderClass::Entry => {
            assert!(plan.quantity <= quantity(MAX_QUANTITY));
            let value = plan.quantity.get() * decimal(PRICE);
            assert!(value <= decimal(MAX_NOTIONAL));
        }
        _ => {}
    }
}

fn audit(watch: &Watch<'_>) {
    let mut sources = BTreeMap::new();
    let mut off = Vec::new();
    for (_, event) in &watch.play.journal {
        if let Event::SourceSwitched(switched) = event {
            off.retain(|source| *source != switched.source);
            if !switched.on {
                off.push(switched.source.clone());
            }
        } else if let Event::AlertDecided(decided) = event {
            let is_off = off.contains(&decided.source);
            sources.insert(decided.alert, (decided.source.clone(), is_off));
        } else if let Event::OrderPlanned { plan, .. } = event
            && let Origin::Alert(alert) = plan.origin
        {
            let (source, was_off) = &sources[&alert];
            assert!(!was_off, "a source that is off has an order");
            within_scope(source.as_str(), plan);
        }
    }
}

/// An alert's line with the source that it comes from.
fn from(happening: Happening, source: &str) -> Happening {
    let Happening::Line(line) = &happening else {
        return happening;
    };
    if line.contains(" price ") {
        return Happening::Line(format!("{line} from {source}"));
    }
    happening
}

fn sources() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        2 => Just("main"), 2 => Just("exits"), 1 => Just("entries"), 1 => Just("narrow"),
        1 => Just("small"),
    ]
}

fn switches() -> impl Strategy<Value = Option<String>> {
    let source = prop_oneof![Just("exits"), Just("narrow"), Just("main")];
    let word = prop_oneof![Just("source off"), Just("source on"), Just("trip")];
    let line = (word, source).prop_map(|(word, source)| Some(format!("{word} {source}")));
    prop_oneof![9 => Just(None), 1 => line]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_source_passes_its_scope(
        happenings in happenings(),
        from_whom in prop::collection::vec((sources(), switches()), 70),
    ) {
        let policy = limited_sources();
        let mut watch = Watch::new(&policy);
        for (happening, (source, switch)) in happenings.into_iter().zip(from_whom) {
            if let Some(line) = switch {
                watch.play.line(&line);
            }
            if let Some(line) = watch.line(&from(happening, source)) {
                watch.play.line(&line);
            }
        }
        watch.play.check_replay();
        audit(&watch);
    }
}
