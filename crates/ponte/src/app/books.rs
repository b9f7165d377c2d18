//! What is known of an account: by Ponte's books, and by its broker's word.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ponte_core::decide::naked_positions;
use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::instrument::Instrument;
use ponte_core::message::{Balance, OrderReport};
use ponte_core::order::OrderStatus;
use ponte_core::policy::Policy;
use ponte_core::state::{AccountState, State};
use rust_decimal::Decimal;

use crate::brokers::{Answer, Broker, BrokerError, BrokerPosition, Credentials};

/// How long a broker may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Ponte knows of an account at one moment.
pub(super) struct Books {
    pub(super) halts: Vec<String>,
    pub(super) listed: BTreeSet<Symbol>,
    pub(super) any_symbol: bool,
    pub(super) positions: BTreeMap<Symbol, Decimal>,
    pub(super) orders: BTreeSet<ClientOrderId>,
    pub(super) unknown: usize,
    pub(super) naked: Vec<String>,
    /// The orders at the broker that protect a position.
    pub(super) stops: BTreeMap<ClientOrderId, Symbol>,
    /// The instruments, by the broker's symbol, of those that are wanted or held.
    pub(super) instruments: BTreeMap<Symbol, Instrument>,
}

impl Books {
    pub(super) fn of(account: &AccountName, state: &State, policy: &Policy) -> Self {
        let known = state.account(account);
        let mut positions = BTreeMap::<Symbol, Decimal>::new();
        for (symbol, position) in known
            .iter()
            .flat_map(|known| known.positions.values())
            .flatten()
        {
            *positions.entry(symbol.clone()).or_default() += position.quantity;
        }
        positions.retain(|_, quantity| !quantity.is_zero());
        let orders = known.iter().flat_map(|known| known.orders.values());
        let unknown = orders
            .clone()
            .filter(|order| order.status == OrderStatus::Unknown)
            .count();
        let of_account = policy.accounts.get(account);
        let covers = |halt: &&ponte_core::halt::Halt| match &halt.scope {
            ponte_core::halt::Scope::Global
            | ponte_core::halt::Scope::Strategy(_)
            | ponte_core::halt::Scope::Symbol(_) => true,
            ponte_core::halt::Scope::Account(name) => name == account,
        };
        let halts = state.halts.iter().filter(covers).map(|halt| {
            let level = halt.level.as_str().replace('_', " ");
            format!("{} ({level}, by {})", halt.scope, halt.by)
        });
        let naked = naked_positions(state, policy).into_iter();
        Self {
            halts: halts.collect(),
            listed: of_account.map_or_else(BTreeSet::new, |policy| {
                policy.instruments.listed.keys().cloned().collect()
            }),
            any_symbol: of_account.is_some_and(|policy| policy.instruments.any_other.is_some()),
            positions,
            orders: orders.map(|order| order.plan.id).collect(),
            unknown,
            naked: naked
                .filter(|naked| naked.position.account == *account)
                .map(|naked| naked.to_string())
                .collect(),
            stops: resting_stops(known),
            instruments: of_account
                .map_or_else(BTreeMap::new, |policy| policy.instruments.listed.clone()),
        }
    }

    pub(super) fn knows(&self, symbol: &Symbol) -> bool {
        self.any_symbol || self.listed.contains(symbol)
    }
}

/// What the broker says.
pub(super) struct Answers {
    pub(super) credentials: Result<Credentials, BrokerError>,
    pub(super) balance: Result<Balance, BrokerError>,
    pub(super) positions: Result<Vec<BrokerPosition>, BrokerError>,
    pub(super) orders: Result<Vec<OrderReport>, BrokerError>,
}

impl Answers {
    pub(super) async fn of(broker: &dyn Broker) -> Self {
        let (credentials, balance, positions, orders) = tokio::join!(
            patiently(broker.check_credentials()),
            patiently(broker.balance()),
            patiently(broker.positions()),
            patiently(broker.open_orders()),
        );
        Self {
            credentials,
            balance,
            positions,
            orders,
        }
    }
}

pub(super) async fn patiently<T>(
    answer: Answer<'_, Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    let late = || BrokerError::Unanswered(format!("not within {} s", PATIENCE.as_secs()));
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| Err(late()))
}

/// The orders that rest at the broker for a position that is held.
fn resting_stops(known: Option<&AccountState>) -> BTreeMap<ClientOrderId, Symbol> {
    let orders = known.into_iter().flat_map(|known| {
        let is_held = |strategy, symbol| !known.held(strategy, symbol).is_zero();
        known.protection_orders().filter(move |order| {
            let plan = &order.plan;
            order.status == OrderStatus::Working
                && plan.kind.is_stop()
                && is_held(&plan.strategy, &plan.symbol)
        })
    });
    orders
        .map(|order| (order.plan.id, order.plan.symbol.clone()))
        .collect()
}
