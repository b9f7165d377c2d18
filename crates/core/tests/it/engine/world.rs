//! The small world in which the examples play: accounts, routes, and the names that scripts use.

use std::collections::BTreeMap;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName, StrategyName, Symbol};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::number::Quantity;
use ponte_core::policy::{
    AccountPolicy, Brackets, Capabilities, Mode, Policy, Route, Rules, Sizing, SourcePolicy,
    StrategyFilter,
};
use rust_decimal::Decimal;

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

pub(crate) fn quantity(text: &str) -> Quantity {
    Quantity::new(decimal(text)).unwrap()
}

pub(crate) fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

pub(crate) fn strategy(name: &str) -> StrategyName {
    StrategyName::new(name).unwrap()
}

pub(crate) fn symbol(name: &str) -> Symbol {
    Symbol::new(name).unwrap()
}

pub(crate) fn source() -> SourceName {
    SourceName::new("main").unwrap()
}

pub(crate) fn instrument(name: &str) -> Instrument {
    Instrument {
        symbol: symbol(name),
        price_tick: decimal("0.5"),
        quantity_step: decimal("0.1"),
        minimum_quantity: decimal("0.1"),
        minimum_notional: Decimal::ZERO,
        contract_multiplier: Decimal::ONE,
        limits: Default::default(),
    }
}

pub(crate) const CAN_ALL: Capabilities = Capabilities {
    limit: true,
    stop: true,
    stop_limit: true,
    brackets: Brackets::OneOrder,
    trailing_stop: false,
    short: true,
    reduce_only: true,
    resting_reduce_only: false,
    resting_holds: false,
    one_strategy_per_symbol: false,
};

pub(crate) fn account_policy(rules: Rules) -> AccountPolicy {
    AccountPolicy {
        mode: Mode::Paper,
        currency: "USDT".to_owned(),
        rules,
        instruments: Instruments {
            listed: ["BTCUSDT", "ETHUSDT"]
                .map(|name| (symbol(name), instrument(name)))
                .into(),
            any_other: None,
        },
        capabilities: CAN_ALL,
        fitting: Default::default(),
        unlisted_cure: None,
        guard: Default::default(),
        utc_offset_seconds: 0,
        exchange: None,
    }
}

pub(crate) fn route(accounts: &[&str], sizing: Sizing) -> Route {
    Route {
        strategies: StrategyFilter::Any,
        accounts: accounts.iter().map(|name| account(name)).collect(),
        sizing,
        symbols: BTreeMap::new(),
    }
}

/// One account `paper`, one route for every strategy with the alert's own size, no rules.
pub(crate) fn policy() -> Policy {
    Policy {
        installation: "examples".to_owned(),
        accounts: [(account("paper"), account_policy(Rules::default()))].into(),
        routes: vec![route(&["paper"], Sizing::AsAlert)],
        sources: [(
            source(),
            SourcePolicy {
                dedup_window: Duration::from_secs(45),
                scope: Default::default(),
            },
        )]
        .into(),
    }
}

/// The same with rules.
pub(crate) fn with_rules(rules: Rules) -> Policy {
    let mut policy = policy();
    policy
        .accounts
        .insert(account("paper"), account_policy(rules));
    policy
}

/// The same with another size.
pub(crate) fn with_sizing(sizing: Sizing) -> Policy {
    let mut policy = policy();
    policy.routes = vec![route(&["paper"], sizing)];
    policy
}

/// A futures exchange: stops and targets are orders of their own, and reduce-only may rest.
pub(crate) fn futures() -> Policy {
    with_capabilities(Capabilities {
        brackets: Brackets::TwoOrders,
        trailing_stop: true,
        resting_reduce_only: true,
        ..CAN_ALL
    })
}

/// A spot exchange: nothing below zero, and what rests holds what it would sell.
pub(crate) fn spot() -> Policy {
    with_capabilities(Capabilities {
        trailing_stop: true,
        short: false,
        reduce_only: false,
        resting_holds: true,
        one_strategy_per_symbol: false,
        ..CAN_ALL
    })
}

/// A netting account in a terminal: stop and target are levels of the position, which is one
/// strategy's.
pub(crate) fn terminal() -> Policy {
    with_capabilities(TERMINAL)
}

pub(crate) const TERMINAL: Capabilities = Capabilities {
    brackets: Brackets::OnPosition,
    one_strategy_per_symbol: true,
    ..CAN_ALL
};

/// One account `paper` at a broker that can do this.
pub(crate) fn with_capabilities(capabilities: Capabilities) -> Policy {
    let mut policy = policy();
    policy.accounts.insert(
        account("paper"),
        AccountPolicy {
            capabilities,
            ..account_policy(Rules::default())
        },
    );
    policy
}
