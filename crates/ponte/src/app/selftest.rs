//! The test of the webhook: what it trades, and how far it has come.

use std::time::Duration;

use ponte_core::id::{AccountName, StrategyName, Symbol};
use ponte_core::instrument::Instrument;
use ponte_core::number::floor_to_step;
use ponte_core::policy::{AccountPolicy, Policy};
use ponte_core::state::State;
use rust_decimal::Decimal;
use serde_json::json;

use super::doctor::Examiner;
use crate::admin::NotTried;
use crate::admin::wire::{Arrival, SelfTest, SelfTestCourse, Stage};
use crate::config::{Account, Broker as BrokerConfig, PriceSource};
use crate::intake::selftest::{self, Messages, Step};

/// What is traded where the account takes every symbol: no strategy's orders can be moved by it.
const TEST_SYMBOL: &str = "PONTETEST";
/// What it costs, where nobody knows better.
const TEST_PRICE: Decimal = Decimal::TEN;
/// What is traded at a market's prices.
const MARKET_SYMBOL: &str = "BTCUSDT";
/// How long a price is waited for that nobody has asked for before.
const PRICE_WITHIN: Duration = Duration::from_secs(3);
const PRICE_LOOK: Duration = Duration::from_millis(20);
/// How far the stop of the test lies below the price, as a share of it.
const STOP_SHARE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

/// What is known of an account's market in a symbol.
pub(super) struct Market {
    pub(super) account: AccountPolicy,
    pub(super) instrument: Option<Instrument>,
    /// The last price that an alert or a fill told.
    pub(super) last: Option<Decimal>,
}

/// What is to be traded.
struct Trade {
    account: AccountName,
    symbol: Symbol,
    quantity: Decimal,
    price: Option<Decimal>,
    stop: Option<Decimal>,
}

impl Examiner {
    pub(super) async fn new_self_test(&self) -> Result<SelfTest, NotTried> {
        let account = self.config.self_test_account();
        let trade = match account {
            Some(account) => Some(self.trade(account).await?),
            None => None,
        };
        let made = self
            .self_tests
            .make(|number| messages(trade.as_ref(), number));
        let ticket = made.map_err(|error| NotTried::TooMany(error.to_string()))?;
        Ok(SelfTest {
            number: ticket.number,
            path: "/webhook".to_owned(),
            header: selftest::HEADER.to_owned(),
            value: ticket.header,
            body: ticket.body,
            expires_at: ticket.expires_at,
            account: account.map(|account| account.name.clone()),
        })
    }

    async fn trade(&self, account: &Account) -> Result<Trade, NotTried> {
        let symbol = symbol(account);
        let market = self.market(&account.name, &symbol).await?;
        let is_ours = symbol.as_str() == TEST_SYMBOL;
        let price = match (is_ours, &market) {
            (true, _) => Some(TEST_PRICE),
            (false, _) => self.price(&account.name, &symbol).await,
        };
        let last = market.as_ref().and_then(|market| market.last);
        let rules = market.as_ref().map(|market| &market.account.rules);
        let instrument = market
            .as_ref()
            .and_then(|market| market.instrument.as_ref());
        let quantity = match instrument {
            _ if is_ours => Decimal::ONE,
            Some(instrument) => smallest(instrument, price.or(last)),
            None => Decimal::ONE,
        };
        let most = rules.and_then(|rules| rules.max_order_quantity);
        let quantity = most.map_or(quantity, |most| quantity.min(most.get()));
        let tick = instrument.map_or(Decimal::ZERO, |instrument| instrument.price_tick);
        let within = rules.and_then(|rules| rules.max_stop_points);
        let stop = price.or(last).and_then(|price| {
            let distance = price.checked_mul(STOP_SHARE)?;
            let distance = within.map_or(distance, |most| distance.min(most));
            floor_to_step(price - distance, tick).filter(|stop| *stop > Decimal::ZERO)
        });
        Ok(Trade {
            account: account.name.clone(),
            symbol,
            quantity,
            // A price that nobody told would move what others have resting there.
            price: is_ours.then_some(TEST_PRICE),
            stop,
        })
    }

    /// What is known of a symbol in an account; `None` where there is no such account.
    pub(super) async fn market(
        &self,
        account: &AccountName,
        symbol: &Symbol,
    ) -> Result<Option<Market>, NotTried> {
        let (account, symbol) = (account.clone(), symbol.clone());
        let look = move |state: &State, policy: &Policy| {
            let known = policy.accounts.get(&account)?;
            let prices = state.account(&account).map(|known| &known.prices);
            Some(Market {
                account: known.clone(),
                instrument: known.instruments.get(&symbol).cloned(),
                last: prices.and_then(|prices| Some(prices.get(&symbol)?.get())),
            })
        };
        Ok(self.engine.look_by_policy(look).await?)
    }

    /// The market's price of a symbol; waited for if nobody has asked before.
    pub(super) async fn price(&self, account: &AccountName, symbol: &Symbol) -> Option<Decimal> {
        let known = async {
            loop {
                if let Some(price) = self.quotes.quote(account, symbol) {
                    return price.get();
                }
                tokio::time::sleep(PRICE_LOOK).await;
            }
        };
        tokio::time::timeout(PRICE_WITHIN, known).await.ok()
    }

    pub(super) fn course_of(&self, number: &str) -> Option<SelfTestCourse> {
        let course = self.self_tests.course(number)?;
        let mut stages = Vec::new();
        stages.extend(course.durable_after.map(|after| stage("durable", after)));
        for (step, after) in &course.steps {
            let name = match step {
                Step::Traded => "traded",
                Step::Protected => "protected",
                Step::Closed => "closed",
            };
            stages.push(stage(name, *after));
        }
        let (decision, reason) = course.decision.unzip();
        Some(SelfTestCourse {
            arrival: course.arrival.map(|arrival| Arrival {
                peer: arrival.peer.to_string(),
                address: arrival.address.map(|address| address.to_string()),
                allowed: arrival.is_allowed,
                by_proxy: arrival.by_proxy,
                forwarded: arrival.forwarded.into_iter().map(str::to_owned).collect(),
            }),
            alert: course.alert.map(|alert| alert.to_string()),
            closing: course.closing.map(|alert| alert.to_string()),
            decision: decision.map(|outcome| outcome.as_str().to_owned()),
            reason: reason.filter(|reason| !reason.is_empty()),
            stages,
            ended: course.end.is_some(),
            problem: course.end.and_then(Result::err),
        })
    }
}

pub(super) fn stage(name: &str, after: Duration) -> Stage {
    Stage {
        stage: name.to_owned(),
        after_microseconds: u64::try_from(after.as_micros()).unwrap_or(u64::MAX),
    }
}

/// What is traded in the account: something that nobody else trades, where the account takes that.
fn symbol(account: &Account) -> Symbol {
    let allowed = account.rules.allowed_symbols.iter().flatten().next();
    if let Some(symbol) = allowed {
        return symbol.clone();
    }
    let at_market = match &account.broker {
        BrokerConfig::Paper(paper) => paper.prices.contains(&PriceSource::Binance),
        BrokerConfig::Binance(_) | BrokerConfig::Mt5(_) => true,
    };
    let name = if at_market {
        MARKET_SYMBOL
    } else {
        TEST_SYMBOL
    };
    // Both are symbols.
    #[allow(clippy::expect_used)]
    Symbol::new(name).expect("a symbol")
}

/// The smallest quantity that a broker takes, with some room for the price to fall.
pub(super) fn smallest(instrument: &Instrument, price: Option<Decimal>) -> Decimal {
    let step = instrument.quantity_step;
    let by_value = price.and_then(|price| {
        let value = price.checked_mul(instrument.contract_multiplier)?;
        let room = Decimal::from_parts(12, 0, 0, false, 1);
        instrument
            .minimum_notional
            .checked_mul(room)?
            .checked_div(value)
    });
    let least = by_value
        .unwrap_or_default()
        .max(instrument.minimum_quantity)
        .max(step);
    let floor = floor_to_step(least, step).unwrap_or(least);
    if floor < least { floor + step } else { floor }
}

fn messages(trade: Option<&Trade>, number: &str) -> Messages {
    let strategy = StrategyName::self_test();
    let strategy = strategy.as_str();
    let Some(trade) = trade else {
        let test = json!({"action": "heartbeat", "strategy": strategy, "id": number});
        return Messages {
            test: test.to_string(),
            closing: None,
        };
    };
    let (account, symbol) = (trade.account.as_str(), trade.symbol.as_str());
    let mut test = json!({
        "action": "enter_long", "symbol": symbol, "quantity": trade.quantity,
        "strategy": strategy, "account": account, "id": number,
    });
    let mut closing = json!({
        "action": "close", "symbol": symbol, "strategy": strategy, "account": account,
        "id": format!("{number} close"),
    });
    if let Some(price) = trade.price {
        test["price"] = json!(price);
        closing["price"] = json!(price);
    }
    if let Some(stop) = trade.stop {
        test["stop"] = json!(stop);
    }
    Messages {
        test: test.to_string(),
        closing: Some(closing.to_string()),
    }
}
