//! The setting of every run: accounts, symbols, strategies and rules.
//!
//! `S1` always enters with a stop, `S3` with a stop and targets, `S2` with neither; so the auditor
//! knows from the name alone what must rest at the venue.

use std::collections::BTreeMap;

use ponte_core::id::{AccountName, SourceName, StrategyName, Symbol};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::number::Quantity;
use ponte_core::policy::{
    AccountPolicy, Brackets, Capabilities, Mode, Policy, Route, Rules, Sizing, SourcePolicy,
    StrategyFilter,
};
use rust_decimal::Decimal;

/// `a` has one order for stop and target, `b` two that know nothing of each other, at `c` what rests
/// holds what it would sell, and at `d` the position carries its levels and is one strategy's.
pub(super) const ACCOUNTS: [&str; 4] = ["a", "b", "c", "d"];
/// What reports are read from.
pub(super) const STREAMS: [&str; 5] = ["a", "b", "c", "d", super::levels::STREAM];
pub(super) const SYMBOLS: [&str; 2] = ["XXX", "YYY"];
pub(super) const STRATEGIES: [&str; 3] = ["S1", "S2", "S3"];
/// S3's route takes the alert's quantity so many times.
pub(super) const S3_FACTOR: i64 = 2;
pub(super) const MAX_POSITION: i64 = 20;
pub(super) const MAX_ORDER_QUANTITY: i64 = 10;

pub(super) fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

pub(super) fn strategy(name: &str) -> StrategyName {
    StrategyName::new(name).unwrap()
}

pub(super) fn symbol(name: &str) -> Symbol {
    Symbol::new(name).unwrap()
}

pub(super) fn source() -> SourceName {
    SourceName::new("main").unwrap()
}

fn route(strategies: &[&str], accounts: &[&str], sizing: Sizing) -> Route {
    Route {
        strategies: StrategyFilter::Named(strategies.iter().map(|name| strategy(name)).collect()),
        accounts: accounts.iter().map(|name| account(name)).collect(),
        sizing,
        symbols: BTreeMap::new(),
    }
}

fn account_policy(name: &str) -> AccountPolicy {
    let quantity = |value: i64| Quantity::new(Decimal::from(value)).unwrap();
    let instrument = |name: &str| Instrument {
        symbol: symbol(name),
        price_tick: Decimal::ONE,
        quantity_step: Decimal::ONE,
        minimum_quantity: Decimal::ONE,
        minimum_notional: Decimal::ZERO,
        contract_multiplier: Decimal::ONE,
        limits: Default::default(),
    };
    AccountPolicy {
        mode: Mode::Paper,
        currency: "USDT".to_owned(),
        rules: Rules {
            max_position: Some(quantity(MAX_POSITION)),
            max_order_quantity: Some(quantity(MAX_ORDER_QUANTITY)),
            max_orders_per_minute: Some(60),
            ..Rules::default()
        },
        instruments: Instruments {
            listed: SYMBOLS.map(|name| (symbol(name), instrument(name))).into(),
            any_other: None,
        },
        capabilities: Capabilities {
            limit: true,
            stop: true,
            stop_limit: true,
            brackets: match name {
                "b" => Brackets::TwoOrders,
                "d" => Brackets::OnPosition,
                _ => Brackets::OneOrder,
            },
            trailing_stop: false,
            short: name != "c",
            reduce_only: false,
            resting_reduce_only: false,
            resting_holds: name == "c",
            one_strategy_per_symbol: name == "d",
        },
        fitting: Default::default(),
        unlisted_cure: None,
        guard: Default::default(),
        utc_offset_seconds: 0,
        exchange: None,
    }
}

pub(super) fn policy() -> Policy {
    Policy {
        installation: "simulation".to_owned(),
        accounts: ACCOUNTS
            .map(|name| (account(name), account_policy(name)))
            .into(),
        routes: vec![
            route(&["S1"], &ACCOUNTS, Sizing::AsAlert),
            route(&["S2"], &["a", "d"], Sizing::AsAlert),
            route(
                &["S3"],
                &["b", "c", "d"],
                Sizing::Multiplied(Decimal::from(S3_FACTOR)),
            ),
        ],
        sources: [(source(), SourcePolicy::default())].into(),
    }
}
