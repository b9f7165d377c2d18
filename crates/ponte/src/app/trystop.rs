//! A stop that is placed far from the market and taken back, to see that stops rest at the broker.
//!
//! It goes the way of every order: decided, committed, carried out. Its strategy is one of Ponte's own,
//! so that no position of the trader's is touched.

use std::time::{Duration, Instant};

use ponte_core::format::{self, Format};
use ponte_core::id::{AccountName, ClientOrderId, SourceName, StrategyName, Symbol};
use ponte_core::message::{AlertDecision, Delivery, OperatorAction, OperatorRequest};
use ponte_core::number::floor_to_step;
use ponte_core::order::OrderStatus;
use ponte_core::policy::{Mode, Rules};
use ponte_core::state::State;
use rust_decimal::Decimal;
use serde_json::json;

use super::books::patiently;
use super::doctor::Examiner;
use super::selftest::{Market, smallest, stage};
use crate::admin::NotTried;
use crate::admin::wire::{Stage, TriedStop, TryStopRequest};
use crate::brokers::Broker;
use crate::clock;
use crate::config::Account;
use crate::engine::Alert;
use crate::random;

/// How far above the market the stop lies, in percent; nearer where a rule or the broker wants it.
const DISTANCE_PERCENT: Decimal = Decimal::TEN;
/// How long the stop may take to rest, and to be gone.
const STEP_MAX: Duration = Duration::from_secs(8);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A stop that is meant.
struct Plan {
    symbol: Symbol,
    price: Decimal,
    trigger: Decimal,
    quantity: Decimal,
    /// What a rule wants below it.
    stop: Option<Decimal>,
}

impl Examiner {
    pub(super) async fn try_a_stop(&self, request: TryStopRequest) -> Result<TriedStop, NotTried> {
        let mut accounts = self.config.accounts.iter();
        let account = accounts.find(|known| known.name.as_str() == request.account);
        let Some(account) = account else {
            let names = self.config.accounts.iter().map(|known| known.name.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            let name = &request.account;
            return Err(NotTried::Refused(format!(
                "there is no account {name:?}; there is {names}"
            )));
        };
        if account.mode == Mode::Live && !request.live {
            return Err(NotTried::Refused(format!(
                "account {} is live, and a stop there is an order with real money; say --live",
                account.name
            )));
        }
        let Some(broker) = self.brokers.get(&account.name) else {
            return Err(NotTried::Refused(format!(
                "account {} has no broker",
                account.name
            )));
        };
        let Ok(_one) = self.one_stop_at_a_time.try_lock() else {
            return Err(NotTried::TooMany(
                "a stop is being tried; wait until it is over".to_owned(),
            ));
        };
        let plan = self.plan(account, request.symbol.as_deref()).await?;
        let action = OperatorAction::Record {
            action: "stop_tried".to_owned(),
            detail: format!("{} of {} in {}", plan.quantity, plan.symbol, account.name),
        };
        let by = request.by;
        self.engine.operate(OperatorRequest { by, action }).await?;
        let mut trial = Trial {
            examiner: self,
            account: &account.name,
            broker: &**broker,
            plan: &plan,
            began: clock::instant(),
            stages: Vec::new(),
        };
        let problem = trial.run().await.err();
        let stages = trial.stages;
        Ok(TriedStop {
            account: account.name.clone(),
            mode: account.mode,
            symbol: plan.symbol,
            quantity: plan.quantity,
            trigger: plan.trigger,
            price: plan.price,
            stages,
            problem,
        })
    }

    async fn plan(&self, account: &Account, symbol: Option<&str>) -> Result<Plan, NotTried> {
        let refused = |why: String| NotTried::Refused(why);
        let symbol = match symbol {
            Some(symbol) => Symbol::new(symbol)
                .map_err(|error| refused(format!("{symbol:?} {error}, so that it is no symbol")))?,
            None => self.any_symbol(account).await?.ok_or_else(|| {
                refused(format!(
                    "no symbol of account {} is known; name one with --symbol",
                    account.name
                ))
            })?,
        };
        let market = self.market(&account.name, &symbol).await?;
        let Some(Market {
            account: policy,
            instrument: Some(instrument),
            last,
        }) = market
        else {
            return Err(refused(format!(
                "account {} does not know {symbol}",
                account.name
            )));
        };
        if !policy.capabilities.stop {
            return Err(refused(format!(
                "the broker of account {} has no stops",
                account.name
            )));
        }
        let price = self
            .price(&account.name, &symbol)
            .await
            .or(last)
            .ok_or_else(|| {
                refused(format!(
                    "no price of {symbol} is known in account {}",
                    account.name
                ))
            })?;
        let band = instrument.limits.price_band.map(|band| band.buy.1);
        let distance = distance(price, &policy.rules, band);
        let tick = instrument.price_tick;
        let trigger = floor_to_step(price + distance, tick).filter(|trigger| *trigger > price);
        let trigger = trigger.ok_or_else(|| {
            refused(format!(
                "no stop of {symbol} fits above its price {price} within the rules"
            ))
        })?;
        let stop = policy
            .rules
            .require_stop
            .then(|| floor_to_step(price, tick))
            .flatten();
        Ok(Plan {
            quantity: smallest(&instrument, Some(price)),
            symbol,
            price,
            trigger,
            stop,
        })
    }

    /// A symbol that the account trades.
    async fn any_symbol(&self, account: &Account) -> Result<Option<Symbol>, NotTried> {
        let books = self.books(account).await?;
        let wanted = super::doctor::wanted(account, &self.config, &books);
        let mut wanted = wanted.into_iter().filter(|symbol| books.knows(symbol));
        let usual = || {
            Symbol::new("BTCUSDT")
                .ok()
                .filter(|usual| books.knows(usual))
        };
        Ok(wanted
            .next()
            .or_else(usual)
            .or_else(|| books.listed.first().cloned()))
    }

    /// Has an alert of Ponte's own decided.
    async fn own_alert(&self, body: String) -> Result<AlertDecision, String> {
        let parsed = format::parse(Format::Ponte, body.as_bytes());
        let alert = Alert {
            source: SourceName::self_test(),
            received_at: clock::now(),
            signal: parsed.map_err(|error| error.to_string())?.signal,
            delivery: Delivery {
                peer: "ponte".to_owned(),
                body,
                ..Delivery::default()
            },
        };
        let decided = self.engine.alert(alert).await;
        decided.map_err(|unavailable| unavailable.to_string())
    }
}

/// How far above the price the stop may lie: nearer than every limit, in units of the price.
fn distance(price: Decimal, rules: &Rules, band: Option<Decimal>) -> Decimal {
    let nine_tenths = Decimal::from_parts(9, 0, 0, false, 1);
    let mut percent = DISTANCE_PERCENT;
    if let Some(limit) = rules.max_price_deviation {
        percent = percent.min(limit * nine_tenths);
    }
    if let Some(most) = band {
        let above = (most - Decimal::ONE) * Decimal::ONE_HUNDRED;
        percent = percent.min(above * nine_tenths);
    }
    let distance = price * percent / Decimal::ONE_HUNDRED;
    match rules.max_price_deviation_points {
        Some(limit) => distance.min(limit * nine_tenths),
        None => distance,
    }
}

/// A stop on its way.
struct Trial<'a> {
    examiner: &'a Examiner,
    account: &'a AccountName,
    broker: &'a dyn Broker,
    plan: &'a Plan,
    began: Instant,
    stages: Vec<Stage>,
}

impl Trial<'_> {
    async fn run(&mut self) -> Result<(), String> {
        let id = self.place().await?;
        let rested = self.rest(id).await;
        // Whatever was seen: nothing of it may stay.
        let taken_back = self.take_back(id).await;
        rested.and(taken_back)
    }

    async fn place(&mut self) -> Result<ClientOrderId, String> {
        let Plan {
            symbol,
            trigger,
            quantity,
            stop,
            ..
        } = self.plan;
        let mut body = json!({
            "action": "enter_long", "type": "stop", "symbol": symbol.as_str(),
            "quantity": quantity, "trigger": trigger, "strategy": StrategyName::try_stop().as_str(),
            "account": self.account.as_str(), "id": random::hex_token(16),
        });
        if let Some(stop) = stop {
            body["stop"] = json!(stop);
        }
        let decided = self.examiner.own_alert(body.to_string()).await?;
        let leg = decided.legs.first();
        let order = leg.and_then(|leg| leg.orders.first());
        let Some(order) = order else {
            let why = leg.map(|leg| leg.reason.clone()).or(decided.reason);
            return Err(why.unwrap_or_else(|| "nothing was decided".to_owned()));
        };
        self.done("placed");
        Ok(order.client_order_id)
    }

    async fn rest(&mut self, id: ClientOrderId) -> Result<(), String> {
        let standing = self
            .until(id, |status| *status == OrderStatus::Working)
            .await?;
        if standing.status != OrderStatus::Working {
            return Err(match standing.status.is_final() {
                true => format!(
                    "the stop is {}: {}",
                    standing.status.as_str(),
                    standing.reason
                ),
                false => format!("the stop did not rest within {} s", STEP_MAX.as_secs()),
            });
        }
        let resting = patiently(self.broker.open_orders()).await;
        let resting = resting.map_err(|error| error.to_string())?;
        if !resting.iter().any(|report| report.id == id) {
            return Err("the broker acknowledged the stop and does not list it".to_owned());
        }
        self.done("resting");
        Ok(())
    }

    async fn take_back(&mut self, id: ClientOrderId) -> Result<(), String> {
        let body = json!({
            "action": "cancel", "symbol": self.plan.symbol.as_str(),
            "strategy": StrategyName::try_stop().as_str(),
            "account": self.account.as_str(), "id": random::hex_token(16),
        });
        self.examiner.own_alert(body.to_string()).await?;
        let standing = self.until(id, OrderStatus::is_final).await?;
        if !standing.status.is_final() {
            return Err(format!(
                "the stop was not taken back within {} s; look at the broker, and take it back there",
                STEP_MAX.as_secs()
            ));
        }
        if !standing.filled.is_zero() {
            return Err(format!(
                "the stop has traded {}; ponte flatten --strategy {} closes it",
                standing.filled,
                StrategyName::try_stop()
            ));
        }
        self.done("taken_back");
        Ok(())
    }

    /// Where the order stands, once it stands as wanted, is over, or has had its time.
    async fn until(
        &self,
        id: ClientOrderId,
        wanted: impl Fn(&OrderStatus) -> bool,
    ) -> Result<Standing, String> {
        let began = clock::instant();
        loop {
            let look = move |state: &State| {
                let order = state.order(&id);
                order.map(|order| Standing {
                    status: order.status.clone(),
                    filled: order.filled,
                    reason: order.reason.clone().unwrap_or_default(),
                })
            };
            let seen = self.examiner.engine.look(look).await;
            let seen = seen.map_err(|unavailable| unavailable.to_string())?;
            let standing = seen.ok_or("the order is not on record")?;
            let is_late = clock::instant().saturating_duration_since(began) >= STEP_MAX;
            if is_late || wanted(&standing.status) || standing.status.is_final() {
                return Ok(standing);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn done(&mut self, name: &str) {
        let after = clock::instant().saturating_duration_since(self.began);
        self.stages.push(stage(name, after));
    }
}

/// Where an order stands.
struct Standing {
    status: OrderStatus,
    filled: Decimal,
    reason: String,
}
