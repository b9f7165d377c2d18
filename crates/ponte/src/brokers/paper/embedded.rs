//! The venue in this process. It has no memory but the journal: whatever it had not told before a
//! crash has not happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ponte_core::decide::Quotes;
use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport};
use ponte_core::number::Price;
use ponte_core::order::{Order, OrderPlan};
use ponte_core::policy::Capabilities;
use ponte_core::state::AccountState;
use ponte_core::time::Timestamp;
use ponte_venue::feed::{FeedOptions, SeededFeed};
use ponte_venue::{
    self as venue, AccountSeed, FillModel, Micros, PositionSeed, Venue, VenueOptions,
};
use rust_decimal::Decimal;
use tokio::sync::{broadcast, mpsc};

use super::market::{Market, MarketPrices};
use super::translate;
use crate::brokers::{
    Answer, Broker, BrokerError, BrokerPosition, Credentials, Examination, News, PositionMode,
    Reports,
};
use crate::clock;

/// What an embedded paper account is made of.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The account.
    pub account: AccountName,
    /// Its currency.
    pub currency: String,
    /// What it began with.
    pub balance: Decimal,
    /// How kindly orders are filled.
    pub fill_model: FillModel,
    /// Exposure per unit of equity.
    pub leverage: Decimal,
    /// Instruments of the configuration, which come before the venue's own.
    pub instruments: Instruments,
    /// Whether the price in an alert is a price.
    pub prices_from_alerts: bool,
    /// The walk that gives a price where no alert does.
    pub feed: Option<FeedOptions>,
}

/// What the journal remembers of a paper account.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    cash: Decimal,
    realised: Decimal,
    fees: Decimal,
    positions: BTreeMap<Symbol, (Decimal, Decimal)>,
    resting: Vec<Order>,
    prices: BTreeMap<Symbol, Price>,
    highest_order: u64,
}

impl Remembered {
    /// Takes from the engine's state what the venue has to know.
    #[must_use]
    pub fn of(state: Option<&AccountState>, opening: Decimal) -> Self {
        let Some(state) = state else {
            return Self {
                cash: opening,
                ..Self::default()
            };
        };
        let mut remembered = Self {
            prices: state.prices.clone(),
            ..Self::default()
        };
        for symbols in state.positions.values() {
            for (symbol, position) in symbols {
                remembered.realised += position.realised;
                remembered.fees += position.fees;
                let (quantity, cost) = remembered.positions.entry(symbol.clone()).or_default();
                *quantity += position.quantity;
                *cost += position.quantity * position.average_price;
            }
        }
        remembered.cash = opening + remembered.realised - remembered.fees;
        let ids = |order: &Order| order.broker_order_id.as_ref()?.parse::<u64>().ok();
        remembered.highest_order = state
            .orders
            .values()
            .chain(state.closed.values())
            .filter_map(ids)
            .max()
            .unwrap_or(0);
        remembered.resting = state
            .orders
            .values()
            .filter(|order| order.broker_order_id.is_some())
            .cloned()
            .collect();
        remembered
            .resting
            .sort_by_key(|order| (order.planned_at, order.plan.id));
        remembered
    }
}

/// A paper account whose venue lives in this process.
pub struct Embedded {
    options: EmbeddedOptions,
    market: Mutex<Market>,
    /// Symbols that had a price before this start.
    met: Vec<Symbol>,
    reports: Mutex<Option<mpsc::UnboundedSender<News>>>,
}

impl Embedded {
    /// Rebuilds the account from what the journal remembers.
    ///
    /// # Errors
    /// When the options or the memory contradict the venue's rules.
    pub fn new(options: EmbeddedOptions, remembered: Remembered) -> Result<Self, BrokerError> {
        let refused = |problem: venue::Rejection| BrokerError::Refused(problem.to_string());
        let mut instruments: Vec<_> = options
            .instruments
            .listed
            .values()
            .map(translate::to_venue_instrument)
            .collect();
        let named =
            |known: &[venue::Instrument], symbol: &str| known.iter().any(|i| i.symbol == symbol);
        let own = venue::Instrument::for_rehearsal();
        let (others, _): (Vec<_>, Vec<_>) = own
            .into_iter()
            .partition(|instrument| !named(&instruments, &instrument.symbol));
        instruments.extend(others);
        let any_other = options
            .instruments
            .any_other
            .as_deref()
            .map(translate::to_venue_instrument);
        let mut venue = Venue::new(VenueOptions {
            instruments,
            default_instrument: Some(any_other.unwrap_or_else(venue::Instrument::permissive)),
            fill_model: options.fill_model.clone(),
            leverage: options.leverage,
            first_order_id: remembered.highest_order + 1,
            ..VenueOptions::paper()
        })
        .map_err(refused)?;
        let name = options.account.as_str();
        venue
            .restore(name, seed(&options, &remembered))
            .map_err(refused)?;
        let mut feed = options
            .feed
            .as_ref()
            .map(SeededFeed::new)
            .transpose()
            .map_err(refused)?;
        let now = micros(clock::now());
        for (symbol, price) in &remembered.prices {
            if let Some(feed) = &mut feed {
                feed.anchor(symbol.as_str(), price.get(), now);
            }
        }
        let market = Mutex::new(Market {
            venue,
            outside: None,
            feed,
            told: 0,
            alert_at: BTreeMap::new(),
        });
        Ok(Self {
            options,
            market,
            met: remembered.prices.into_keys().collect(),
            reports: Mutex::new(None),
        })
    }

    /// Trades at the prices of a market outside. What is held, what rests, what the configuration
    /// names and what was traded before is followed from now on; other symbols are once they are
    /// met.
    #[must_use]
    pub fn with_market(self, prices: MarketPrices) -> Self {
        let mut market = self.market();
        let in_use = market.venue.symbols_in_use().into_iter();
        for symbol in in_use.filter_map(|symbol| Symbol::new(&symbol).ok()) {
            prices.feed.follow(&symbol);
        }
        let others = self.options.instruments.listed.keys().chain(&self.met);
        for symbol in others {
            prices.feed.follow(symbol);
        }
        market.outside = Some(prices);
        drop(market);
        self
    }

    fn market(&self) -> MutexGuard<'_, Market> {
        // The venue asserts its invariants before it changes anything.
        self.market.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> &str {
        self.options.account.as_str()
    }

    /// The venue as it is now: a copy, for an auditor.
    #[must_use]
    pub fn venue(&self) -> Venue {
        self.market().venue.clone()
    }

    fn place(&self, plan: &OrderPlan) -> Fate {
        let now = clock::now();
        let mut market = self.market();
        let mut request = translate::request(plan);
        let told = plan
            .reference_price
            .filter(|_| self.options.prices_from_alerts);
        market.follow(&plan.symbol);
        request.reference_price = market.reference(&plan.symbol, told.map(Price::get), now);
        if request.reference_price.is_none()
            && let Some(fate) = market.without_price(plan, now)
        {
            return fate;
        }
        let placed = market.venue.place(self.name(), request, micros(now));
        // The price that came along moves what rests, also when the order is refused.
        self.pass_on(&mut market, Some(&plan.id));
        match placed {
            Ok(order) => match translate::report(&order) {
                Some(report) => Fate::Acknowledged { report },
                None => Fate::Unknown {
                    why: "the venue lost the order's name".to_owned(),
                },
            },
            // An order of that name is there: the venue is asked which.
            Err(rejection) if rejection.code == venue::RejectCode::DuplicateClientOrderId => {
                Fate::Unknown {
                    why: rejection.message,
                }
            }
            Err(rejection) => Fate::Rejected {
                reason: rejection.message,
            },
        }
    }

    fn find_now(&self, id: &ClientOrderId) -> FindAnswer {
        match self.market().venue.find(self.name(), &id.to_string()) {
            Ok(Some(order)) => match translate::report(order) {
                Some(report) => FindAnswer::Found(report),
                None => FindAnswer::Unanswered("the venue lost the order's name".to_owned()),
            },
            Ok(None) => FindAnswer::Absent,
            Err(rejection) => FindAnswer::Unanswered(rejection.to_string()),
        }
    }

    fn cancel_now(&self, id: &ClientOrderId) -> CancelAnswer {
        let now = micros(clock::now());
        let mut market = self.market();
        let answer = market.venue.cancel(self.name(), &id.to_string(), now);
        let order = match answer {
            Ok(order) => order,
            Err(venue::CancelError::AlreadyClosed(order)) => *order,
            Err(venue::CancelError::UnknownOrder | venue::CancelError::UnknownAccount) => {
                return CancelAnswer::NotOpen;
            }
        };
        self.pass_on(&mut market, Some(id));
        translate::report(&order).map_or(CancelAnswer::NotOpen, CancelAnswer::Done)
    }

    /// Lets the sources move the market, and with it what rests; only the symbols in `changed`,
    /// where that is known.
    fn step(&self, changed: Option<&BTreeSet<Symbol>>) {
        let mut market = self.market();
        market.move_prices(changed, clock::now());
        self.pass_on(&mut market, None);
    }

    /// Follows the walk, step by step; without one, waits for ever.
    async fn follow_walk(&self) {
        let Some(feed) = &self.options.feed else {
            return std::future::pending().await;
        };
        let step = Duration::from_micros(u64::try_from(feed.step_micros).unwrap_or(250_000));
        let mut steps = tokio::time::interval(step);
        steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            steps.tick().await;
            self.step(None);
        }
    }

    /// Follows the market outside, change by change; without one, waits for ever. Changes that
    /// come faster than the venue takes them are taken together, at the newest price.
    async fn follow_outside(&self) {
        let feed = self.market().outside.as_ref().map(|it| it.feed.clone());
        let Some(feed) = feed else {
            return std::future::pending().await;
        };
        let mut changes = feed.changes();
        // What moved before anybody listened.
        self.step(None);
        loop {
            match changes.recv().await {
                Ok(symbol) => {
                    let mut changed = BTreeSet::from([symbol]);
                    while let Ok(symbol) = changes.try_recv() {
                        changed.insert(symbol);
                    }
                    self.step(Some(&changed));
                }
                Err(broadcast::error::RecvError::Lagged(_)) => self.step(None),
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    /// Passes on where orders stand that have moved, except the one that the caller answers for.
    fn pass_on(&self, market: &mut Market, except: Option<&ClientOrderId>) {
        let Ok(page) = market.venue.reports_after(self.name(), market.told) else {
            return;
        };
        let Some(last) = page.reports.last() else {
            return;
        };
        market.told = last.number;
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(into) = reports.as_ref() else {
            return;
        };
        let mut ids: Vec<_> = page
            .reports
            .iter()
            .map(|report| &report.client_order_id)
            .collect();
        ids.dedup();
        for id in ids {
            let found = market.venue.find(self.name(), id).ok().flatten();
            let report = found.and_then(translate::report);
            if let Some(report) = report.filter(|report| Some(&report.id) != except) {
                // Nobody listens any more only when the process ends.
                let _ = into.send(News::Order(report));
            }
        }
    }
}

pub(super) fn micros(at: Timestamp) -> Micros {
    Micros(at.0)
}

fn seed(options: &EmbeddedOptions, remembered: &Remembered) -> AccountSeed {
    let positions = remembered
        .positions
        .iter()
        .filter(|(_, (quantity, _))| !quantity.is_zero())
        .map(|(symbol, (quantity, cost))| PositionSeed {
            symbol: symbol.as_str().to_owned(),
            quantity: *quantity,
            average_price: mean_price(*quantity, *cost, remembered.prices.get(symbol)),
        })
        .collect();
    AccountSeed {
        cash: remembered.cash.round_dp(venue::MONEY_DECIMALS),
        realised_profit: remembered.realised.round_dp(venue::MONEY_DECIMALS),
        fees_paid: remembered.fees.round_dp(venue::MONEY_DECIMALS),
        positions,
        open_orders: remembered.resting.iter().map(translate::seed).collect(),
        ..AccountSeed::empty(&options.currency, remembered.cash)
    }
}

/// Strategies on both sides of a symbol can leave a net position whose mean price makes no sense;
/// the last price stands in then.
fn mean_price(quantity: Decimal, cost: Decimal, last: Option<&Price>) -> Decimal {
    let mean = cost
        .checked_div(quantity)
        .unwrap_or_default()
        .round_dp(venue::MONEY_DECIMALS);
    if mean > Decimal::ZERO {
        mean
    } else {
        last.map_or(Decimal::ONE, |price| price.get())
    }
}

impl Quotes for Embedded {
    fn quote(&self, _: &AccountName, symbol: &Symbol) -> Option<Price> {
        let price = self.market().quote(symbol, clock::now());
        price.and_then(|price| Price::new(price).ok())
    }
}

impl Broker for Embedded {
    fn submit<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, Fate> {
        Box::pin(async { self.place(order) })
    }

    fn find<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, FindAnswer> {
        Box::pin(async { self.find_now(&order.id) })
    }

    fn cancel<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, CancelAnswer> {
        Box::pin(async { self.cancel_now(&order.id) })
    }

    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>> {
        Box::pin(async {
            let now = micros(clock::now());
            let mut market = self.market();
            let done = market
                .venue
                .cancel_all(self.name(), Some(symbol.as_str()), now);
            self.pass_on(&mut market, None);
            done.map(drop)
                .map_err(|problem| BrokerError::Refused(problem.to_string()))
        })
    }

    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>> {
        Box::pin(async {
            let market = self.market();
            let orders = market.venue.open_orders(self.name());
            orders
                .map(|orders| orders.into_iter().filter_map(translate::report).collect())
                .map_err(|problem| BrokerError::Refused(problem.to_string()))
        })
    }

    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>> {
        Box::pin(async {
            let positions = self.market().venue.positions(self.name());
            positions
                .map(|positions| {
                    let translated = positions.into_iter().filter_map(|position| {
                        let symbol = Symbol::new(&position.symbol).ok()?;
                        Some(BrokerPosition {
                            symbol,
                            quantity: position.quantity,
                        })
                    });
                    translated
                        .filter(|position| !position.quantity.is_zero())
                        .collect()
                })
                .map_err(|problem| BrokerError::Refused(problem.to_string()))
        })
    }

    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>> {
        Box::pin(async {
            let balance = self.market().venue.balance(self.name());
            balance
                .map(|balance| Balance {
                    cash: balance.cash,
                    equity: balance.equity,
                })
                .map_err(|problem| BrokerError::Refused(problem.to_string()))
        })
    }

    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>> {
        Box::pin(async {
            let market = self.market();
            let listed: Vec<_> = market.venue.instruments().cloned().collect();
            let any_other = self.options.instruments.any_other.clone();
            let mut instruments =
                translate::instruments(&listed, Some(&venue::Instrument::permissive()));
            instruments.any_other = any_other.or(instruments.any_other);
            Ok(instruments)
        })
    }

    fn reports(&self, into: mpsc::UnboundedSender<News>) -> Answer<'_, ()> {
        Box::pin(async move {
            let closed = into.clone();
            // What moved before anybody listened was told to nobody.
            let _ = into.send(News::Missed);
            *self.reports.lock().unwrap_or_else(PoisonError::into_inner) = Some(into);
            tokio::select! {
                () = self.follow_walk() => {}
                () = self.follow_outside() => {}
                () = closed.closed() => {}
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        super::capabilities()
    }

    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>> {
        Box::pin(async {
            Ok(Credentials {
                can_trade: true,
                can_withdraw: Some(false),
                bound_to_address: None,
                warnings: Vec::new(),
            })
        })
    }

    fn examine(&self) -> Examination {
        Examination {
            clock_ahead_milliseconds: None,
            budgets: Vec::new(),
            reports: Reports::Within,
            positions: Some(PositionMode::Net),
        }
    }
}
