//! Which adapter serves which account, and how what brokers say reaches the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ponte_core::decide::Quotes;
use ponte_core::id::{AccountName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, Input};
use ponte_core::number::Price;
use ponte_core::policy::Capabilities;
use ponte_core::state::State;
use ponte_venue::FillModel;
use ponte_venue::feed::FeedOptions;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::brokers::paper::{Embedded, EmbeddedOptions, Remembered, Remote};
use crate::brokers::{Broker, BrokerError, News};
use crate::config::{Account, Broker as BrokerConfig, Config, Fills, PaperBroker, PriceSource};
use crate::engine::Engine;
use crate::execution::Brokers;

/// How often an account's money is read.
const BALANCE_EVERY: Duration = Duration::from_secs(30);
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
pub(super) struct Connected {
    pub(super) brokers: Brokers,
    pub(super) facts: BTreeMap<AccountName, (Capabilities, Instruments)>,
    pub(super) quotes: MarketQuotes,
}

/// The prices of each account's market.
#[derive(Default)]
pub(super) struct MarketQuotes(BTreeMap<AccountName, Arc<Embedded>>);

impl Quotes for MarketQuotes {
    fn quote(&self, account: &AccountName, symbol: &Symbol) -> Option<Price> {
        self.0.get(account)?.quote(account, symbol)
    }
}

/// Connects every account of the configuration.
pub(super) async fn connect(config: &Config, state: &State) -> Result<Connected, ConnectError> {
    let mut connected = Connected {
        brokers: Brokers::new(),
        facts: BTreeMap::new(),
        quotes: MarketQuotes::default(),
    };
    for account in &config.accounts {
        let name = account.name.clone();
        let failed = |source| ConnectError {
            account: account.name.clone(),
            source,
        };
        let broker: Arc<dyn Broker> = match &account.broker {
            BrokerConfig::Paper(paper) => match &paper.url {
                Some(url) => Arc::new(
                    Remote::connect(
                        url,
                        &name,
                        &account.currency,
                        paper.balance,
                        from_alerts(paper),
                    )
                    .await
                    .map_err(failed)?,
                ),
                None => {
                    let remembered = Remembered::of(state.account(&name), paper.balance);
                    let options = embedded(account, paper);
                    let embedded = Arc::new(Embedded::new(options, remembered).map_err(failed)?);
                    connected.quotes.0.insert(name.clone(), embedded.clone());
                    embedded
                }
            },
            BrokerConfig::Binance(_) => {
                let why = "orders can't be sent to Binance yet".to_owned();
                return Err(failed(BrokerError::Refused(why)));
            }
        };
        let instruments = broker.instruments().await.map_err(failed)?;
        connected
            .facts
            .insert(name.clone(), (broker.capabilities(), instruments));
        connected.brokers.insert(name, broker);
    }
    Ok(connected)
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
pub(super) fn follow(engine: &Engine, brokers: &Brokers) -> Vec<JoinHandle<()>> {
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
                    News::Missed => Input::ReportsMissed { account },
                });
            }
        }));
        tasks.push(tokio::spawn(read_balance(
            engine.clone(),
            account.clone(),
            broker.clone(),
        )));
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

fn is_worth_telling(told: &Balance, now: &Balance) -> bool {
    let change = (now.equity - told.equity)
        .abs()
        .saturating_mul(Decimal::ONE_HUNDRED);
    now.cash != told.cash || change > told.equity.abs().saturating_mul(EQUITY_CHANGE_MIN_PERCENT)
}
