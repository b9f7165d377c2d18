//! The trader's own rules: which accounts there are, who is routed where, and what may be sent.
//!
//! A policy is what the configuration means. It decides new things only: replaying the journal
//! never asks it, so that a changed policy can't rewrite history.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::b3::{self, Meant};
use crate::id::{AccountName, SourceName, StrategyName, Symbol};
use crate::instrument::Instruments;
use crate::number::Quantity;
pub use crate::source::{SourceScope, Verbs};
use crate::time::Timestamp;

/// How long after the first delivery a body without id and time counts as a resend.
///
/// TradingView's last resend can come about 27 s after the first; the shortest honest repeat of
/// such a body is a one-minute bar.
pub const DEDUP_WINDOW_DEFAULT: Duration = Duration::from_secs(45);
/// How old an entry may be when no rule says otherwise.
pub const SIGNAL_AGE_DEFAULT: Duration = Duration::from_secs(60);
/// How long an exit is tried before it is given up and shouted about.
pub const EXIT_LIFE: Duration = Duration::from_secs(15 * 60);
/// Most legs that one signal may have.
pub const LEGS_MAX: usize = 64;

/// Everything that [`crate::decide`] is told by the configuration and the brokers' lists.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// A random text made once per data directory; part of every client order id.
    pub installation: String,
    /// The accounts by name.
    pub accounts: BTreeMap<AccountName, AccountPolicy>,
    /// The routes in the order of the configuration.
    pub routes: Vec<Route>,
    /// The sources by name.
    pub sources: BTreeMap<SourceName, SourcePolicy>,
}

/// What a source's alerts are held to.
#[derive(Debug, Clone)]
pub struct SourcePolicy {
    /// How long a body without id and time counts as a resend of the first.
    pub dedup_window: Duration,
    /// What they may do.
    pub scope: SourceScope,
}

impl Default for SourcePolicy {
    fn default() -> Self {
        Self {
            dedup_window: DEDUP_WINDOW_DEFAULT,
            scope: SourceScope::default(),
        }
    }
}

/// Whether real money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Simulated here.
    Paper,
    /// The broker's demo or test environment.
    Demo,
    /// Real money.
    Live,
}

/// One account and what may be done in it.
#[derive(Debug, Clone)]
pub struct AccountPolicy {
    /// Whether real money moves.
    pub mode: Mode,
    /// The currency of balances and of the notional rules.
    pub currency: String,
    /// The trader's rules for it.
    pub rules: Rules,
    /// The broker's instruments.
    pub instruments: Instruments,
    /// What the broker can do.
    pub capabilities: Capabilities,
    /// What is done with numbers that don't fit the broker's steps.
    pub fitting: Fitting,
    /// How long a position may be without the stop that it was asked to have.
    pub guard: Guard,
    /// What its owner can do where the broker does not list a symbol, for people.
    pub unlisted_cure: Option<String>,
    /// Where its trading day begins: at midnight of the clock that is so many seconds ahead of UTC
    /// (−10800 for B3, where no clock has been moved for summer since 2019). From −50400 to 50400.
    pub utc_offset_seconds: i32,
    /// The exchange whose symbols, contracts and hours hold for it; none where the broker's list is all.
    pub exchange: Option<Exchange>,
}

/// An exchange that is known here beyond what brokers tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// The Brazilian one.
    B3(Box<b3::Rules>),
}

impl Exchange {
    /// What a symbol of an alert means at a moment, to a strategy that holds or has orders open in the
    /// symbols `in_hand`. What `only_enters` does not mean contracts that have expired.
    #[must_use]
    pub fn meant(
        &self,
        symbol: &Symbol,
        at: Timestamp,
        in_hand: &[Symbol],
        only_enters: bool,
    ) -> Meant {
        match self {
            Self::B3(rules) => {
                rules.meant(symbol, b3::calendar::local(at).date(), in_hand, only_enters)
            }
        }
    }

    /// The broker's symbols whose prices an alert for this symbol may soon ask for: of a future the
    /// contract that is meant and the one after it.
    #[must_use]
    pub fn watched(&self, symbol: &Symbol, at: Timestamp) -> Vec<Symbol> {
        match self {
            Self::B3(rules) => rules.watched(symbol, b3::calendar::local(at).date()),
        }
    }

    /// Whether a name that people write for a symbol stands for it.
    #[must_use]
    pub fn stands_for(&self, name: &Symbol, symbol: &Symbol) -> bool {
        match self {
            Self::B3(_) => b3::stands_for(name, symbol),
        }
    }
}

impl AccountPolicy {
    /// What a symbol of an alert, as the route calls it, means in this account at a moment; see
    /// [`Exchange::meant`].
    #[must_use]
    pub fn meant(
        &self,
        symbol: &Symbol,
        at: Timestamp,
        in_hand: &[Symbol],
        only_enters: bool,
    ) -> Meant {
        match &self.exchange {
            Some(exchange) => exchange.meant(symbol, at, in_hand, only_enters),
            None => Meant::plainly(symbol.clone()),
        }
    }

    /// Whether a name in the account's rules stands for a symbol of the broker's.
    #[must_use]
    pub fn stands_for(&self, name: &Symbol, symbol: &Symbol) -> bool {
        name == symbol
            || self
                .exchange
                .as_ref()
                .is_some_and(|exchange| exchange.stands_for(name, symbol))
    }
}

/// What is done with a quantity or a price that is not a whole number of the broker's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitting {
    /// Fitted while the change is at most this share of the number, in percent; refused beyond.
    Refuse {
        /// 0 refuses every change.
        tolerance_percent: Decimal,
    },
    /// Always fitted: quantities down, prices to the side that is not more aggressive.
    RoundDown,
}

/// The share of a number, in percent, that fitting may change without being asked to round.
pub const FITTING_TOLERANCE_DEFAULT: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

impl Default for Fitting {
    fn default() -> Self {
        Self::Refuse {
            tolerance_percent: FITTING_TOLERANCE_DEFAULT,
        }
    }
}

/// How long a position may be without the stop that it was asked to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The time that a protective stop has to come to rest at the broker, from its planning.
    pub within: Duration,
    /// What is done when it does not.
    pub otherwise: Unprotected,
}

/// What is done with a position whose stop does not rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unprotected {
    /// It is closed at the market, and the owner is told.
    Close,
    /// The owner is told.
    Tell,
}

/// How long a protective stop may take to rest when the configuration doesn't say.
pub const GUARD_WITHIN_DEFAULT: Duration = Duration::from_secs(5);

impl Default for Guard {
    fn default() -> Self {
        Self {
            within: GUARD_WITHIN_DEFAULT,
            otherwise: Unprotected::Close,
        }
    }
}

/// What a broker can do; anything else is refused before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct Capabilities {
    /// Limit orders.
    pub limit: bool,
    /// Stop orders that become market orders.
    pub stop: bool,
    /// Stop orders that become limit orders.
    pub stop_limit: bool,
    /// How a stop and a target of one position rest together.
    pub brackets: Brackets,
    /// Stops that follow the price at a distance.
    pub trailing_stop: bool,
    /// Positions below zero.
    pub short: bool,
    /// A flag that keeps a market order from opening a position.
    pub reduce_only: bool,
    /// The same for orders that rest: the broker keeps them within the position, or takes them away.
    pub resting_reduce_only: bool,
    /// A resting sell holds what it would sell (a spot exchange): nothing else can sell that
    /// meanwhile, so that an exit has to take the place of what protects.
    pub resting_holds: bool,
    /// One strategy at a time in a symbol: the broker has one position, with one stop, for all.
    pub one_strategy_per_symbol: bool,
}

/// How a stop and a target of one position can rest together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brackets {
    /// Not at all.
    None,
    /// As one order of which one side executes; the broker ends the other.
    OneOrder,
    /// As two orders that know nothing of each other; Ponte holds each to the position.
    TwoOrders,
    /// As the levels of the position itself (`MetaTrader`): one stop and one target for all that a
    /// strategy holds of a symbol. Each order of protection stands for its share of them.
    OnPosition,
}

/// In which words the rules of size speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SizeWords {
    /// `max_order_quantity`, `max_position`.
    #[default]
    Quantity,
    /// `max_order_contracts`, `max_position_contracts`: the same rules where futures are traded.
    Contracts,
}

impl SizeWords {
    /// What the largest size of one entry is called in the configuration.
    #[must_use]
    pub const fn max_order(self) -> &'static str {
        match self {
            Self::Quantity => "max_order_quantity",
            Self::Contracts => "max_order_contracts",
        }
    }

    /// What the largest position in a symbol is called in the configuration.
    #[must_use]
    pub const fn max_position(self) -> &'static str {
        match self {
            Self::Quantity => "max_position",
            Self::Contracts => "max_position_contracts",
        }
    }
}

/// What is done when a trading day's loss has reached its limit. Entries are refused in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DailyLossAction {
    /// Working entries are taken back; positions stay, behind their stops.
    #[default]
    Block,
    /// And the account's positions are closed at the market.
    Flatten,
}

/// The pre-trade rules of one account. An absent rule does not limit.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Only these symbols may be entered.
    pub allowed_symbols: Option<BTreeSet<Symbol>>,
    /// The largest quantity of one entry order.
    pub max_order_quantity: Option<Quantity>,
    /// The largest value of one entry order, in the account's currency.
    pub max_order_notional: Option<Decimal>,
    /// The largest position in one symbol over all strategies, working entries included, in units.
    pub max_position: Option<Quantity>,
    /// The most entry orders in any 60 s.
    pub max_orders_per_minute: Option<u32>,
    /// The oldest entry that is still sent; [`SIGNAL_AGE_DEFAULT`] when absent.
    pub max_signal_age: Option<Duration>,
    /// How far an entry's price may be from the market's, in percent.
    pub max_price_deviation: Option<Decimal>,
    /// The same in points: units of the price. Above 0.
    pub max_price_deviation_points: Option<Decimal>,
    /// How far an entry's stop may be from its price, in points. Above 0. Says nothing of entries
    /// without a stop.
    pub max_stop_points: Option<Decimal>,
    /// Whether an entry must have a stop.
    pub require_stop: bool,
    /// The loss of one trading day, in the account's currency, from which on nothing is entered.
    /// Above 0.
    pub max_daily_loss: Option<Decimal>,
    /// What else is done when it is reached.
    pub daily_loss_action: DailyLossAction,
    /// In which words [`Self::max_order_quantity`] and [`Self::max_position`] were given.
    pub size_words: SizeWords,
}

/// Strategies → accounts, with the size and the symbols of each leg.
#[derive(Debug, Clone)]
pub struct Route {
    /// Which strategies take it.
    pub strategies: StrategyFilter,
    /// Where they go; each account gets its own leg.
    pub accounts: Vec<AccountName>,
    /// How large a leg is.
    pub sizing: Sizing,
    /// Symbols that have another name in these accounts.
    pub symbols: BTreeMap<Symbol, Symbol>,
}

/// Which strategies a route takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrategyFilter {
    /// All of them.
    Any,
    /// The named ones.
    Named(BTreeSet<StrategyName>),
}

impl StrategyFilter {
    /// Whether the route takes this strategy. Ponte's own go where they are named only: what tests
    /// the webhook reaches no account by a route of the trader's.
    #[must_use]
    pub fn takes(&self, strategy: &StrategyName) -> bool {
        match self {
            Self::Any => !strategy.is_reserved(),
            Self::Named(names) => names.contains(strategy),
        }
    }
}

/// How the size of a leg follows from the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizing {
    /// As the alert says.
    AsAlert,
    /// The alert's quantity times this factor, above zero.
    Multiplied(Decimal),
    /// Always this quantity, whatever the alert says.
    Fixed(Quantity),
    /// For so much money in the account's currency.
    Notional(Decimal),
    /// For this share of the account's equity, above 0 and up to 1000 percent.
    PercentOfEquity(Decimal),
}

impl Policy {
    /// The legs of a strategy: each account once, by the first route that takes it there.
    #[must_use]
    pub fn legs(&self, strategy: &StrategyName) -> Vec<(&AccountName, &Route)> {
        let mut taken = BTreeSet::new();
        self.routes
            .iter()
            .filter(|route| route.strategies.takes(strategy))
            .flat_map(|route| route.accounts.iter().map(move |account| (account, route)))
            .filter(|(account, _)| taken.insert(*account))
            .take(LEGS_MAX)
            .collect()
    }
}

impl Route {
    /// What a symbol is called in this route's accounts.
    #[must_use]
    pub fn symbol(&self, symbol: &Symbol) -> Symbol {
        self.symbols.get(symbol).unwrap_or(symbol).clone()
    }
}
