//! Accounts in `MetaTrader` 5 terminals: from what the configuration says to a line with its adapter,
//! and what is done when a terminal speaks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ponte_core::id::{AccountName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::Input;
use ponte_core::number::Price;
use ponte_core::policy::{Capabilities, Exchange, Route};
use ponte_core::state::State;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::brokers::{BALANCE_EVERY, is_worth_telling};
use super::instruments::{Memory, RENEW_EVERY};

use crate::admin::wire::{self, Finding};
use crate::bridge::{Heard, Line, Listener, Presence};
use crate::brokers::Broker as _;
use crate::brokers::mt5::{self, Mt5, Options};
use crate::clock;
use crate::config::{self, Account, Mt5Broker};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::secret::Secret;

/// How old a terminal's price may be that entries are decided by. A bridge tells a price when it
/// changes, so that one of a quiet market is old and true.
const QUOTE_AGE_MAX: Duration = Duration::from_secs(60);
/// The wait after a list of symbols that did not come.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How often it is looked whether a first price has come.
const FIRST_PRICE_LOOK: Duration = Duration::from_millis(20);

/// An account's terminal: the line to it, and the adapter that speaks over the line.
#[derive(Clone)]
pub(super) struct Terminal {
    pub(super) account: AccountName,
    pub(super) line: Arc<Line>,
    pub(super) adapter: Arc<Mt5>,
    ears: Arc<Ears>,
    exchange: Option<Exchange>,
    /// The symbols that the account may trade, holds or has orders for, as they are written.
    wanted: Vec<String>,
    /// The symbols that somebody has asked for.
    asked: Arc<Mutex<BTreeSet<Symbol>>>,
    /// What the engine was told of symbols last.
    listed: Arc<watch::Sender<Instruments>>,
}

/// Hears a line: the adapter first, then whoever keeps the engine up to date.
struct Ears {
    adapter: Arc<Mt5>,
    /// Rung when a session has begun, for whoever reads symbols: everything may be another.
    session: Notify,
    /// Rung with it, for whoever reads money.
    money: Notify,
    /// Rung when a symbol is wanted that may not be in Market Watch yet.
    wanted: Notify,
}

impl Listener for Ears {
    fn heard(&self, heard: Heard<'_>) {
        self.adapter.heard(heard);
        match heard {
            Heard::Session { .. } => {
                self.session.notify_one();
                self.money.notify_one();
            }
            Heard::Facts(_) | Heard::Away => {}
        }
    }
}

/// What orders can be in the account, known without asking its terminal.
pub(super) const fn capabilities(mt5: &Mt5Broker) -> Capabilities {
    mt5::capabilities(accounting(mt5))
}

const fn accounting(mt5: &Mt5Broker) -> mt5::Accounting {
    match mt5.accounting {
        config::Accounting::Netting => mt5::Accounting::Netting,
        config::Accounting::Hedging => mt5::Accounting::Hedging,
    }
}

fn options(account: &Account, mt5: &Mt5Broker) -> Options {
    Options {
        account: account.name.clone(),
        mode: account.mode,
        login: mt5.login,
        server: mt5.server.clone(),
        currency: account.currency.clone(),
        accounting: accounting(mt5),
        deviation_points: mt5.deviation_points,
        filling: mt5.filling.map(|filling| match filling {
            config::VolumeFilling::FillOrKill => mt5::Filling::Fok,
            config::VolumeFilling::ImmediateOrCancel => mt5::Filling::Ioc,
            config::VolumeFilling::Return => mt5::Filling::Return,
        }),
        pending_orders_last: match mt5.pending_orders_last {
            config::OrderLife::UntilCancelled => mt5::OrderLife::Gtc,
            config::OrderLife::Day => mt5::OrderLife::Day,
        },
        answer_within: mt5.answer_within,
        valid: mt5.valid,
    }
}

/// The symbols that the account may trade, holds or has orders for, as they are written.
fn wanted(account: &Account, mt5: &Mt5Broker, routes: &[Route], state: &State) -> Vec<String> {
    let allowed = account.rules.allowed_symbols.iter().flatten();
    let routes = routes.iter();
    let mapped = routes
        .filter(|route| route.accounts.contains(&account.name))
        .flat_map(|route| route.symbols.values());
    let known = state.account(&account.name);
    let traded = known.iter().flat_map(|known| known.by_symbol.keys());
    let held = known.iter().flat_map(|known| known.positions.values());
    let held = held.flat_map(|positions| positions.keys());
    let symbols = allowed.chain(mapped).chain(traded).chain(held);
    let symbols = symbols.map(ToString::to_string);
    mt5.symbols.iter().cloned().chain(symbols).collect()
}

impl Terminal {
    /// The account's line and adapter. No terminal is waited for: one calls when it is there.
    ///
    /// `routes` and `state` say what is traded; `remembered` is what an earlier process knew of its symbols.
    pub(super) fn new(
        account: &Account,
        mt5: &Mt5Broker,
        token: Secret,
        (routes, state): (&[Route], &State),
        remembered: Instruments,
    ) -> Self {
        let line = Line::new(account.name.clone(), token);
        let adapter = Mt5::new(options(account, mt5), line.clone());
        let ears = Arc::new(Ears {
            adapter: adapter.clone(),
            session: Notify::new(),
            money: Notify::new(),
            wanted: Notify::new(),
        });
        let heard_by: Arc<dyn Listener> = ears.clone();
        line.set_listener(Arc::downgrade(&heard_by));
        let terminal = Self {
            account: account.name.clone(),
            exchange: account.exchange.clone(),
            wanted: wanted(account, mt5, routes, state),
            line,
            adapter,
            ears,
            asked: Arc::default(),
            listed: Arc::new(watch::Sender::new(remembered)),
        };
        terminal.watch();
        terminal
    }

    /// Has everything put into Market Watch that is meant now by what is wanted: at an exchange with
    /// contracts that is another one from time to time.
    fn watch(&self) {
        for name in &self.wanted {
            let Ok(symbol) = Symbol::new(name) else {
                continue;
            };
            let meant = self.meant(&symbol);
            if meant.as_slice() == [symbol] {
                // As it is written: the terminal tells upper from lower case.
                self.line.watch(name);
                continue;
            }
            for symbol in meant {
                self.line.watch(symbol.as_str());
            }
        }
    }

    /// What a symbol of the configuration or of an alert means to the broker: the one that is meant
    /// now first, then the one that will be.
    fn meant(&self, symbol: &Symbol) -> Vec<Symbol> {
        match &self.exchange {
            Some(exchange) => exchange.watched(symbol, clock::now()),
            None => vec![symbol.clone()],
        }
    }

    /// The price of a symbol now. Whoever asks once will ask again: it is watched from then on.
    pub(super) fn quote(&self, symbol: &Symbol) -> Option<Price> {
        let price = self.line.quote(symbol, QUOTE_AGE_MAX);
        if price.is_none() {
            self.ask_for(symbol);
        }
        price
    }

    /// Has a symbol put into Market Watch. Says whether nobody had asked for it before.
    fn ask_for(&self, symbol: &Symbol) -> bool {
        // The set is whole between any two of its operations.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = asked.insert(symbol.clone());
        if is_new {
            self.line.watch(symbol.as_str());
            self.ears.wanted.notify_one();
        }
        is_new
    }

    /// Waits until a symbol is listed and has a price, where a terminal is there to tell it. `None`
    /// where both are known, or where it was waited for once.
    pub(super) fn first_price(
        &self,
        symbol: &Symbol,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let symbol = &self.meant(symbol).into_iter().next()?;
        let is_listed = self.listed.borrow().get(symbol).is_some();
        if is_listed && self.line.quote(symbol, QUOTE_AGE_MAX).is_some() {
            return None;
        }
        match self.line.presence() {
            Presence::Present(_) => {}
            Presence::NeverSeen | Presence::Away(_) => return None,
        }
        if !self.ask_for(symbol) {
            return None;
        }
        let mut listed = self.listed.subscribe();
        let (line, symbol) = (self.line.clone(), symbol.clone());
        Some(async move {
            let known = listed.wait_for(|listed| listed.get(&symbol).is_some());
            if known.await.is_err() {
                return;
            }
            while line.quote(&symbol, QUOTE_AGE_MAX).is_none() {
                tokio::time::sleep(FIRST_PRICE_LOOK).await;
            }
        })
    }

    /// Keeps the engine up to date with what the terminal tells, for as long as the process runs, and
    /// has it counted how the line is used.
    pub(super) fn follow(
        &self,
        engine: &Engine,
        memory: &Memory,
        metrics: &Metrics,
    ) -> [JoinHandle<()>; 2] {
        self.line.meter(metrics);
        let symbols = self.clone().follow_symbols(engine.clone(), memory.clone());
        let money = self.clone().follow_money(engine.clone());
        [tokio::spawn(symbols), tokio::spawn(money)]
    }

    /// Asks for the list of symbols when it may be another one.
    async fn follow_symbols(self, engine: Engine, memory: Memory) {
        let mut wait = RENEW_EVERY;
        loop {
            tokio::select! {
                () = self.ears.session.notified() => {}
                () = self.ears.wanted.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
            self.watch();
            wait = match self.line.presence() {
                Presence::Present(_) => self.renew_instruments(&engine, &memory).await,
                Presence::NeverSeen | Presence::Away(_) => RENEW_EVERY,
            };
        }
    }

    /// Asks for the list of symbols; gives the wait until it is asked for again.
    async fn renew_instruments(&self, engine: &Engine, memory: &Memory) -> Duration {
        let instruments = match self.adapter.instruments().await {
            Ok(instruments) => instruments,
            Err(error) => {
                tracing::debug!(account.id = %self.account, %error, "the terminal's symbols could not be read");
                return RETRY_AFTER;
            }
        };
        if *self.listed.borrow() == instruments {
            return RENEW_EVERY;
        }
        let symbols = instruments.listed.len();
        tracing::info!(account.id = %self.account, symbols, "the terminal has told its symbols");
        memory.remember(&self.account, &instruments);
        engine.renew_instruments(self.account.clone(), instruments.clone());
        self.listed.send_replace(instruments);
        RENEW_EVERY
    }

    /// Tells the engine the account's money: when a session begins, and from time to time.
    async fn follow_money(self, engine: Engine) {
        let mut told = None;
        loop {
            let begun = self.ears.money.notified();
            let begun = tokio::time::timeout(BALANCE_EVERY, begun).await.is_ok();
            // While the terminal can't say it, it is said elsewhere why.
            if let Ok(balance) = self.adapter.balance().await
                && (begun
                    || told
                        .as_ref()
                        .is_none_or(|told| is_worth_telling(told, &balance)))
            {
                told = Some(balance.clone());
                engine.tell(Input::AccountRead {
                    account: self.account.clone(),
                    balance,
                });
            }
        }
    }

    /// What is fine and what is wrong with the terminal, and with what is to be traded in it.
    pub(super) async fn findings(&self, symbols: &BTreeSet<Symbol>) -> Vec<Finding> {
        // Whether a symbol can be traded changes during a session.
        self.adapter.renew_symbols().await;
        let findings = self.adapter.findings().into_iter();
        let findings = findings.chain(self.adapter.symbol_findings(symbols));
        let shown = findings.map(|finding| {
            if finding.is_fine {
                Finding::fine(finding.subject, finding.text)
            } else {
                Finding::wrong(finding.subject, finding.text)
            }
        });
        shown.collect()
    }

    /// Where it stands now.
    pub(super) fn standing(&self) -> wire::Terminal {
        let (presence, seen) = match self.line.presence() {
            Presence::NeverSeen => (wire::Presence::Never, None),
            Presence::Present(seen) => (wire::Presence::Present, Some(seen)),
            Presence::Away(seen) => (wire::Presence::Away, Some(seen)),
        };
        let barred = self.adapter.barred();
        let since = seen.as_ref().map(|seen| match presence {
            wire::Presence::Present => seen.session_age,
            wire::Presence::Never | wire::Presence::Away => seen.heard_ago,
        });
        wire::Terminal {
            presence,
            for_seconds: since.map(|since| since.as_secs()),
            bridge: seen.map(|seen| format!("{} {}", seen.bridge.kind, seen.bridge.version)),
            ready: barred.is_none(),
            why: barred.unwrap_or_default(),
        }
    }
}
