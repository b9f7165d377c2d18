//! Which adapter serves which account, and how what brokers say reaches the engine.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use ponte_core::decide::Quotes;
use ponte_core::id::{AccountName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, Input};
use ponte_core::number::Price;
use ponte_core::policy::{Capabilities, Route};
use ponte_core::signal::Signal;
use ponte_core::state::State;
use ponte_venue::FillModel;
use ponte_venue::feed::FeedOptions;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::instruments::{AtStart, Memory, RENEW_EVERY, START_PATIENCE};
use super::keys::{self, Looked, Unchecked};
use super::terminals::{self, Terminal};
use crate::brokers::paper::{
    Embedded, EmbeddedOptions, MarketPrices, Precedence, Remembered, Remote,
};
use crate::brokers::{self, Broker, BrokerError, News};
use crate::config::{
    Account, Broker as BrokerConfig, Config, Fills, Mt5Broker, PaperBroker, PriceSource,
};
use crate::engine::{Engine, Prelude};
use crate::execution::Brokers;
use crate::prices::binance::BinancePrices;
use crate::prices::{self, PriceFeed};
use crate::secret::{BinanceSecrets, Secret};

/// How often an account's money is read.
pub(super) const BALANCE_EVERY: Duration = Duration::from_secs(30);
/// A change of equity below this share of it is not worth an event.
const EQUITY_CHANGE_MIN_PERCENT: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// A broker that an account can't be connected to.
#[derive(Debug, thiserror::Error)]
#[error("account {account}: {source}")]
pub struct ConnectError {
    /// The account.
    pub account: AccountName,
    /// What the broker said.
    pub source: BrokerError,
}

/// The brokers of all accounts, and what they say of themselves.
#[derive(Default)]
pub(super) struct Connected {
    pub(super) brokers: Brokers,
    pub(super) facts: BTreeMap<AccountName, (Capabilities, Instruments)>,
    pub(super) quotes: MarketQuotes,
    /// The price feeds, to be run for as long as the process lives.
    pub(super) feeds: Vec<Arc<BinancePrices>>,
    /// The accounts whose instruments are a list that changes, and when it is read next.
    pub(super) with_lists: BTreeMap<AccountName, Duration>,
    /// The accounts whose keys could not be looked at yet.
    pub(super) unchecked: Vec<Unchecked>,
    /// The terminals, each for its account.
    pub(super) terminals: Vec<Terminal>,
}

/// The prices of each account's market.
#[derive(Default)]
pub(super) struct MarketQuotes(BTreeMap<AccountName, Source>);

/// Where an account's prices are known.
enum Source {
    /// In the paper venue.
    Venue(Arc<Embedded>),
    /// At the market, in public.
    Feed(Arc<BinancePrices>),
    /// In the account's terminal.
    Terminal(Terminal),
}

impl Quotes for MarketQuotes {
    fn quote(&self, account: &AccountName, symbol: &Symbol) -> Option<Price> {
        match self.0.get(account)? {
            Source::Venue(venue) => venue.quote(account, symbol),
            Source::Feed(feed) => {
                // Whoever asks once will ask again: the price is there the next time.
                feed.follow(symbol);
                Price::new(feed.last(symbol)?.last).ok()
            }
            Source::Terminal(terminal) => terminal.quote(symbol),
        }
    }
}

/// Learns the price of a symbol that nobody has asked for yet, before its first alert is decided.
pub(super) struct FirstPrices {
    routes: Vec<Route>,
    /// The accounts that are decided by a feed's prices, with what they list.
    markets: BTreeMap<AccountName, (Arc<BinancePrices>, Instruments)>,
    /// The accounts that are decided by their terminal's prices.
    terminals: BTreeMap<AccountName, Terminal>,
}

impl Connected {
    /// Adds an account's terminal. One that is away keeps nothing from starting: it calls when it is there.
    fn add_terminal(
        &mut self,
        account: &Account,
        mt5: &Mt5Broker,
        token: Secret,
        traded: (&[Route], &State),
        remembered: Instruments,
    ) -> Arc<dyn Broker> {
        let name = account.name.clone();
        let terminal = Terminal::new(account, mt5, token, traded, remembered.clone());
        let facts = (terminals::capabilities(mt5), remembered);
        self.facts.insert(name.clone(), facts);
        let source = Source::Terminal(terminal.clone());
        self.quotes.0.insert(name, source);
        self.terminals.push(terminal.clone());
        terminal.adapter
    }

    pub(super) fn first_prices(&self, config: &Config) -> FirstPrices {
        let markets = self.quotes.0.iter().filter_map(|(account, source)| {
            let Source::Feed(feed) = source else {
                return None;
            };
            let (_, instruments) = self.facts.get(account)?;
            Some((account.clone(), (feed.clone(), instruments.clone())))
        });
        FirstPrices {
            routes: config.routes.clone(),
            markets: markets.collect(),
            terminals: self
                .terminals
                .iter()
                .map(|terminal| (terminal.account.clone(), terminal.clone()))
                .collect(),
        }
    }
}

impl Prelude for FirstPrices {
    fn before(&self, signal: &Signal) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        // An exit needs no price, and waits for none.
        let symbol = signal
            .symbol
            .as_ref()
            .filter(|_| signal.intent.may_open())?;
        let mut missing: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
        let routes = self.routes.iter();
        for route in routes.filter(|route| route.strategies.takes(&signal.strategy)) {
            let symbol = route.symbol(symbol);
            for account in &route.accounts {
                // Only a first time is waited for: later there is a price, or there is none.
                if let Some((feed, instruments)) = self.markets.get(account)
                    && instruments.get(&symbol).is_some()
                    && feed.follow(&symbol)
                {
                    missing.push(Box::pin(prices::known(feed.clone(), symbol.clone())));
                }
                let terminal = self.terminals.get(account);
                if let Some(first) = terminal.and_then(|terminal| terminal.first_price(&symbol)) {
                    missing.push(Box::pin(first));
                }
            }
        }
        if missing.is_empty() {
            return None;
        }
        Some(Box::pin(async { drop(join_all(missing).await) }))
    }
}

/// The price feeds by where they come from and how old a price may be, so that accounts share them.
#[derive(Default)]
struct Feeds(Vec<(prices::binance::Hosts, Duration, Arc<BinancePrices>)>);

impl Feeds {
    fn feed(&mut self, hosts: prices::binance::Hosts, age_max: Duration) -> Arc<BinancePrices> {
        let known = self
            .0
            .iter()
            .find(|(at, age, _)| *at == hosts && *age == age_max);
        if let Some((_, _, feed)) = known {
            return feed.clone();
        }
        let feed = Arc::new(BinancePrices::new(&hosts, age_max));
        self.0.push((hosts, age_max, feed.clone()));
        feed
    }
}

/// Connects every account of the configuration; the keys of brokers move into their adapters.
/// Brokers on the internet are asked all at once, so that none waits for another.
pub(super) async fn connect(
    config: &Config,
    state: &State,
    secrets: &mut BTreeMap<AccountName, BinanceSecrets>,
    tokens: &mut BTreeMap<AccountName, Secret>,
) -> Result<Connected, ConnectError> {
    let mut connected = Connected::default();
    let mut feeds = Feeds::default();
    let mut asked = Vec::new();
    let memory = Memory::in_data_dir(&config.data_dir);
    for account in &config.accounts {
        let name = account.name.clone();
        let failed = |source| ConnectError {
            account: account.name.clone(),
            source,
        };
        let broker: Arc<dyn Broker> = match &account.broker {
            BrokerConfig::Paper(paper) => {
                let broker = paper_account(account, paper, state, &mut connected, &mut feeds)
                    .await
                    .map_err(failed)?;
                let instruments = broker.instruments().await.map_err(failed)?;
                let facts = (broker.capabilities(), instruments);
                connected.facts.insert(name.clone(), facts);
                broker
            }
            BrokerConfig::Binance(binance) => {
                let secrets = secrets
                    .remove(&name)
                    .ok_or_else(|| failed(BrokerError::Refused("its keys are not there".into())))?;
                let options = super::binance::options(account, binance, secrets);
                let broker = brokers::binance::connect(options).await.map_err(failed)?;
                let hosts = super::binance::price_hosts(binance);
                let feed = feeds.feed(hosts, super::binance::QUOTE_AGE_MAX);
                follow_symbols(&feed, account, state);
                connected.quotes.0.insert(name.clone(), Source::Feed(feed));
                let may_withdraw = binance.allow_withdrawal_keys;
                asked.push(ask_at_start(
                    account,
                    may_withdraw,
                    broker.clone(),
                    memory.clone(),
                ));
                broker
            }
            BrokerConfig::Mt5(mt5) => {
                let token = tokens
                    .remove(&name)
                    .ok_or_else(|| failed(BrokerError::Refused("its token is not there".into())))?;
                let traded = (config.routes.as_slice(), state);
                let remembered = memory.recall(&name).unwrap_or_default();
                connected.add_terminal(account, mt5, token, traded, remembered)
            }
        };
        connected.brokers.insert(name, broker);
    }
    for told in join_all(asked).await {
        let told = told?;
        let name = told.account;
        connected.with_lists.insert(name.clone(), told.list_again);
        connected.facts.insert(name, told.facts);
        connected.unchecked.extend(told.unchecked);
    }
    connected.feeds = feeds.0.into_iter().map(|(_, _, feed)| feed).collect();
    Ok(connected)
}

/// What a broker on the internet has told a start.
struct ToldAtStart {
    account: AccountName,
    facts: (Capabilities, Instruments),
    /// When its list of instruments is read next.
    list_again: Duration,
    /// Its key, where it is not known yet what it may do.
    unchecked: Option<Unchecked>,
}

/// Asks a broker what its key may do and what it lists. An account that has traded here before does
/// without the answers if they take long: it must not hold up the alerts of all.
async fn ask_at_start(
    account: &Account,
    may_withdraw: bool,
    broker: Arc<dyn Broker>,
    memory: Memory,
) -> Result<ToldAtStart, ConnectError> {
    let failed = |source| ConnectError {
        account: account.name.clone(),
        source,
    };
    let patience = match memory.recall(&account.name) {
        Some(_) => START_PATIENCE,
        None => keys::PATIENCE,
    };
    let looked = keys::check(&account.name, may_withdraw, &*broker, patience);
    let list = memory.at_start(&account.name, &*broker);
    let (looked, list) = tokio::join!(looked, list);
    let looked = looked.map_err(failed)?;
    let (list, list_again) = match list.map_err(failed)? {
        AtStart::Fresh(list) => (list, RENEW_EVERY),
        AtStart::Remembered(list) => (list, Duration::ZERO),
    };
    let facts = (broker.capabilities(), list);
    let unchecked = (looked == Looked::NotYet && !may_withdraw).then(|| Unchecked {
        account: account.name.clone(),
        broker,
    });
    Ok(ToldAtStart {
        account: account.name.clone(),
        facts,
        list_again,
        unchecked,
    })
}

/// What each account's decisions go by, without a connection to any broker on the internet: their
/// instruments are the remembered ones, and there are no prices of their markets.
pub(super) async fn facts_offline(
    config: &Config,
    state: &State,
) -> Result<Connected, ConnectError> {
    let mut connected = Connected::default();
    let memory = Memory::in_data_dir(&config.data_dir);
    for account in &config.accounts {
        let name = account.name.clone();
        let failed = |source| ConnectError {
            account: account.name.clone(),
            source,
        };
        let facts = match &account.broker {
            BrokerConfig::Paper(paper) => {
                let mut feeds = Feeds::default();
                let broker = paper_account(account, paper, state, &mut connected, &mut feeds)
                    .await
                    .map_err(failed)?;
                let instruments = broker.instruments().await.map_err(failed)?;
                (broker.capabilities(), instruments)
            }
            BrokerConfig::Binance(binance) => (
                super::binance::capabilities(binance),
                memory.recall(&name).unwrap_or_default(),
            ),
            BrokerConfig::Mt5(mt5) => (
                terminals::capabilities(mt5),
                memory.recall(&name).unwrap_or_default(),
            ),
        };
        connected.facts.insert(name, facts);
    }
    Ok(connected)
}

async fn paper_account(
    account: &Account,
    paper: &PaperBroker,
    state: &State,
    connected: &mut Connected,
    feeds: &mut Feeds,
) -> Result<Arc<dyn Broker>, BrokerError> {
    let name = account.name.clone();
    if let Some(url) = &paper.url {
        let from_alerts = from_alerts(paper);
        let remote =
            Remote::connect(url, &name, &account.currency, paper.balance, from_alerts).await?;
        return Ok(Arc::new(remote));
    }
    let remembered = Remembered::of(state.account(&name), paper.balance);
    let mut embedded = Embedded::new(embedded(account, paper), remembered)?;
    if let Some(prices) = market_prices(paper, feeds) {
        embedded = embedded.with_market(prices);
    }
    let embedded = Arc::new(embedded);
    connected
        .quotes
        .0
        .insert(name, Source::Venue(embedded.clone()));
    Ok(embedded)
}

/// The market outside that a paper account trades at, if it does.
fn market_prices(paper: &PaperBroker, feeds: &mut Feeds) -> Option<MarketPrices> {
    let place = |source| paper.prices.iter().position(|known| *known == source);
    let market = place(PriceSource::Binance)?;
    let precedence = match place(PriceSource::Alert) {
        Some(alert) if alert < market => Precedence::Alert,
        Some(_) | None => Precedence::Market,
    };
    let feed = feeds.feed(prices::binance::Hosts::live(), paper.price_max_age);
    Some(MarketPrices { feed, precedence })
}

/// Wants the prices of what the account may trade, holds or has orders for.
fn follow_symbols(feed: &BinancePrices, account: &Account, state: &State) {
    for symbol in account.rules.allowed_symbols.iter().flatten() {
        feed.follow(symbol);
    }
    let Some(state) = state.account(&account.name) else {
        return;
    };
    for symbol in state.by_symbol.keys().chain(state.prices.keys()) {
        feed.follow(symbol);
    }
}

fn from_alerts(paper: &PaperBroker) -> bool {
    paper.prices.contains(&PriceSource::Alert)
}

fn embedded(account: &Account, paper: &PaperBroker) -> EmbeddedOptions {
    EmbeddedOptions {
        account: account.name.clone(),
        currency: account.currency.clone(),
        balance: paper.balance,
        fill_model: match paper.fills {
            Fills::Optimistic => FillModel::optimistic(),
            Fills::Pessimistic => FillModel::pessimistic(),
        },
        leverage: paper.leverage,
        instruments: account.instruments.clone(),
        prices_from_alerts: from_alerts(paper),
        feed: paper
            .prices
            .contains(&PriceSource::Seeded)
            .then(|| FeedOptions {
                seed: paper.seed,
                ..FeedOptions::default()
            }),
    }
}

/// Starts to listen to every broker's reports and to read every account's money.
pub(super) fn follow(
    engine: &Engine,
    brokers: &Brokers,
    terminals: &[Terminal],
) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    for (account, broker) in brokers {
        let (into, mut reports) = mpsc::unbounded_channel();
        let source = broker.clone();
        tasks.push(tokio::spawn(async move { source.reports(into).await }));
        let (engine_of_reports, name) = (engine.clone(), account.clone());
        tasks.push(tokio::spawn(async move {
            while let Some(news) = reports.recv().await {
                let account = name.clone();
                engine_of_reports.tell(match news {
                    News::Order(report) => Input::Reported { account, report },
                    News::Outside(fill) => Input::FilledOutside { account, fill },
                    News::Missed => Input::ReportsMissed { account },
                });
            }
        }));
        // A terminal tells its money by itself.
        if !terminals
            .iter()
            .any(|terminal| terminal.account == *account)
        {
            let (engine, account, broker) = (engine.clone(), account.clone(), broker.clone());
            tasks.push(tokio::spawn(read_balance(engine, account, broker)));
        }
    }
    tasks
}

async fn read_balance(engine: Engine, account: AccountName, broker: Arc<dyn Broker>) {
    let mut every = tokio::time::interval(BALANCE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut told: Option<Balance> = None;
    loop {
        every.tick().await;
        match broker.balance().await {
            Ok(balance) => {
                if told
                    .as_ref()
                    .is_none_or(|told| is_worth_telling(told, &balance))
                {
                    told = Some(balance.clone());
                    engine.tell(Input::AccountRead {
                        account: account.clone(),
                        balance,
                    });
                }
            }
            Err(error) => {
                tracing::warn!(account.id = %account, %error, "the account's money could not be read");
            }
        }
    }
}

pub(super) fn is_worth_telling(told: &Balance, now: &Balance) -> bool {
    let change = (now.equity - told.equity)
        .abs()
        .saturating_mul(Decimal::ONE_HUNDRED);
    now.cash != told.cash || change > told.equity.abs().saturating_mul(EQUITY_CHANGE_MIN_PERCENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ponte_core::format::{self, Format};
    use ponte_core::instrument::{Instrument, Limits};
    use ponte_core::policy::{Sizing, StrategyFilter};

    use super::*;

    fn signal(body: &str) -> Signal {
        format::parse(Format::Ponte, body.as_bytes())
            .unwrap()
            .signal
    }

    #[tokio::test]
    async fn only_what_may_open_waits_for_a_first_price_and_only_once() {
        let account = AccountName::new("spot").unwrap();
        let symbol = Symbol::new("BTCUSDT").unwrap();
        let instrument = Instrument {
            symbol: symbol.clone(),
            price_tick: Decimal::ONE,
            quantity_step: Decimal::ONE,
            minimum_quantity: Decimal::ONE,
            minimum_notional: Decimal::ZERO,
            contract_multiplier: Decimal::ONE,
            limits: Limits::default(),
        };
        let instruments = Instruments {
            listed: [(symbol, instrument)].into(),
            any_other: None,
        };
        let hosts = prices::binance::Hosts::live();
        let feed = Arc::new(BinancePrices::new(&hosts, Duration::from_secs(10)));
        let first = FirstPrices {
            routes: vec![Route {
                strategies: StrategyFilter::Named(BTreeSet::from([
                    ponte_core::id::StrategyName::unnamed(),
                ])),
                accounts: vec![account.clone()],
                sizing: Sizing::AsAlert,
                symbols: BTreeMap::new(),
            }],
            markets: [(account, (feed, instruments))].into(),
            terminals: BTreeMap::new(),
        };
        let waits = |body: &str| first.before(&signal(body)).is_some();
        assert!(!waits(r#"{"acao":"fechar","ativo":"BTCUSDT"}"#));
        assert!(!waits(r#"{"position":"flat","ativo":"BTCUSDT"}"#));
        assert!(
            !waits(r#"{"acao":"compra","ativo":"ETHUSDT","qtd":1}"#),
            "not listed"
        );
        assert!(waits(r#"{"acao":"compra","ativo":"BTCUSDT","qtd":1}"#));
        assert!(!waits(r#"{"acao":"compra","ativo":"BTCUSDT","qtd":1}"#));
    }
}
