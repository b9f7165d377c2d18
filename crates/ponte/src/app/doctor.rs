//! Looks at an account from all sides: what its broker says, and whether that is what Ponte knows.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ponte_core::decide::Quotes;
use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::instrument::Instrument;
use ponte_core::message::OrderReport;
use ponte_core::policy::{Policy, Sizing};
use ponte_core::state::State;
use rust_decimal::Decimal;

use super::books::{Answers, Books};
use super::terminals::Terminal;
use crate::admin::wire::{self, Diagnosis, Finding, Health};
use crate::admin::{Doctor, Trying, with_last_uses};
use crate::brokers::{Broker, BrokerError};
use crate::clock;
use crate::config::{Account, Broker as BrokerConfig, Config};
use crate::doctor::say::account as say;
use crate::doctor::say::some;
use crate::doctor::secrets::{AccountSecret, Secrets};
use crate::engine::{Engine, Unavailable};
use crate::execution::Brokers;
use crate::intake::selftest::SelfTests;
use crate::journal::Reader;
use crate::secret::Keyring;

/// The subject of what could not be asked, until all is together.
const UNANSWERED: &str = "unanswered";

/// Looks at the accounts of a running Ponte.
pub(super) struct Examiner {
    pub(super) engine: Engine,
    pub(super) config: Arc<Config>,
    pub(super) brokers: Brokers,
    pub(super) terminals: Vec<Terminal>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) account_secrets: Vec<AccountSecret>,
    pub(super) self_tests: Arc<SelfTests>,
    pub(super) quotes: Arc<dyn Quotes + Send + Sync>,
    pub(super) one_stop_at_a_time: tokio::sync::Mutex<()>,
}

impl Doctor for Examiner {
    fn examine<'a>(
        &'a self,
        account: &'a AccountName,
    ) -> Pin<Box<dyn Future<Output = Option<Diagnosis>> + Send + 'a>> {
        Box::pin(async move {
            let known = self.config.accounts.iter();
            let account = known.into_iter().find(|known| known.name == *account)?;
            let broker = self.brokers.get(&account.name)?;
            Some(self.look_at(account, &**broker).await)
        })
    }

    fn terminal(&self, account: &AccountName) -> Option<wire::Terminal> {
        Some(self.terminal_of(account)?.standing())
    }

    fn here(&self) -> Pin<Box<dyn Future<Output = Vec<wire::Group>> + Send + '_>> {
        Box::pin(async move {
            let seen = crate::doctor::Running {
                sources_off: self
                    .engine
                    .look(|state| state.sources_off.clone())
                    .await
                    .ok(),
                clocks: self.clocks(),
            };
            crate::doctor::here(&self.config, &self.secrets().await, Some(seen)).await
        })
    }

    fn make_self_test(&self) -> Trying<'_, wire::SelfTest> {
        Box::pin(self.new_self_test())
    }

    fn self_test(&self, number: &str) -> Option<wire::SelfTestCourse> {
        self.course_of(number)
    }

    fn try_stop(&self, request: wire::TryStopRequest) -> Trying<'_, wire::TriedStop> {
        Box::pin(self.try_a_stop(request))
    }
}

impl Examiner {
    async fn look_at(&self, account: &Account, broker: &dyn Broker) -> Diagnosis {
        let before = self.books(account).await;
        let answers = Answers::of(broker).await;
        // What changed while the broker was asked is right either way.
        let books = match (before, self.books(account).await) {
            (Ok(before), Ok(after)) => Ok([before, after]),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        let mut findings = vec![routed(account, &self.config)];
        match books {
            Ok(books) => {
                findings.push(halts(&books[1]));
                findings.extend(self.told(account, &answers, &books).await);
            }
            Err(error) => findings.push(Finding::wrong("engine", error.to_string())),
        }
        Diagnosis {
            account: account.name.clone(),
            broker: match account.broker {
                BrokerConfig::Paper(_) => "paper",
                BrokerConfig::Binance(_) => "binance",
                BrokerConfig::Mt5(_) => "mt5",
            }
            .to_owned(),
            mode: account.mode,
            findings,
        }
    }

    /// What the broker has told, held against the books.
    async fn told(&self, account: &Account, answers: &Answers, books: &[Books; 2]) -> Vec<Finding> {
        let wanted = wanted(account, &self.config, &books[1]);
        let mut findings = match self.terminal_of(&account.name) {
            // What its credentials allow is among what a terminal says of itself.
            Some(terminal) => terminal.findings(&wanted).await,
            None => credentials(answers)
                .into_iter()
                .chain(self.way(account))
                .collect(),
        };
        let is_explained = findings
            .iter()
            .any(|finding| finding.health == Health::Wrong);
        let mut more = vec![money(account, answers), instruments(account, &books[1])];
        if self.terminal_of(&account.name).is_none() {
            more.extend(symbols(&wanted, &books[1]));
        }
        let instruments: Vec<&Instrument> = wanted
            .iter()
            .filter_map(|symbol| books[1].instruments.get(symbol))
            .collect();
        more.extend(say::closed(&instruments));
        more.extend(say::sizes(&sizings(account, &self.config), &instruments));
        more.extend(positions(answers, books));
        more.extend(stops(answers, books));
        more.extend(orders(answers, books));
        // A broker that can't be asked is said once.
        more.retain(|finding| finding.subject != UNANSWERED || !is_explained);
        for finding in &mut more {
            if finding.subject == UNANSWERED {
                "answers".clone_into(&mut finding.subject);
            }
        }
        more.dedup();
        findings.extend(more);
        findings
    }

    /// What is known of the secrets now.
    async fn secrets(&self) -> Secrets {
        let keyring = self.keyring.clone();
        let journal = crate::journal::path_in(&self.config.data_dir);
        let facts = tokio::task::spawn_blocking(move || {
            let facts = keyring.facts();
            let reader = Reader::open(&journal).ok();
            // Without the journal it is only not known who used what.
            let used = reader.and_then(|reader| with_last_uses(facts.clone(), &reader).ok());
            used.unwrap_or(facts)
        });
        Secrets {
            sources: facts.await.unwrap_or_default(),
            accounts: self.account_secrets.clone(),
        }
    }

    /// What the way to an account's broker is like.
    fn way(&self, account: &Account) -> Vec<Finding> {
        let broker = self.brokers.get(&account.name);
        broker.map_or_else(Vec::new, |broker| say::way(&broker.examine()))
    }

    /// How far the exchanges' clocks are ahead of this machine's; a terminal's machine is no judge.
    fn clocks(&self) -> Vec<(AccountName, i64)> {
        let brokers = self.brokers.iter();
        let brokers = brokers.filter(|(account, _)| self.terminal_of(account).is_none());
        brokers
            .filter_map(|(account, broker)| {
                Some((account.clone(), broker.examine().clock_ahead_milliseconds?))
            })
            .collect()
    }

    fn terminal_of(&self, account: &AccountName) -> Option<&Terminal> {
        let mut terminals = self.terminals.iter();
        terminals.find(|terminal| terminal.account == *account)
    }

    pub(super) async fn books(&self, account: &Account) -> Result<Books, Unavailable> {
        let name = account.name.clone();
        let look = move |state: &State, policy: &Policy| Books::of(&name, state, policy);
        self.engine.look_by_policy(look).await
    }
}

fn routed(account: &Account, config: &Config) -> Finding {
    let routes = config.routes.iter();
    let count = routes
        .filter(|route| route.accounts.contains(&account.name))
        .count();
    match count {
        0 => Finding::look(
            "route",
            "no route leads to the account, so that no alert reaches it",
        )
        .cured_by("add its name to accounts of a [[routes]] section"),
        1 => Finding::fine("route", "1 route leads to the account"),
        _ => Finding::fine("route", format!("{count} routes lead to the account")),
    }
}

fn credentials(answers: &Answers) -> Vec<Finding> {
    const SUBJECT: &str = "credentials";
    let credentials = match &answers.credentials {
        Ok(credentials) => credentials,
        Err(error) => return vec![failed(SUBJECT, error)],
    };
    let mut findings = vec![if credentials.can_trade {
        Finding::fine(SUBJECT, "orders may be placed")
    } else {
        Finding::wrong(
            SUBJECT,
            "no order may be placed with what the account logs in with",
        )
    }];
    if credentials.can_withdraw == Some(true) {
        let finding = Finding::look(
            SUBJECT,
            "the key may take money out, which Ponte never needs",
        );
        findings.push(finding.cured_by("take that permission away at the broker"));
    }
    if credentials.bound_to_address == Some(false) {
        let finding = Finding::look(SUBJECT, "the key works from any address");
        findings.push(finding.cured_by("bind it to this machine's at the broker"));
    }
    let warnings = credentials.warnings.iter();
    findings.extend(warnings.map(|warning| Finding::look(SUBJECT, warning)));
    findings
}

fn money(account: &Account, answers: &Answers) -> Finding {
    match &answers.balance {
        Ok(balance) => say::money(balance.equity, &account.currency),
        Err(error) => failed("balance", error),
    }
}

fn halts(books: &Books) -> Finding {
    const SUBJECT: &str = "halts";
    if books.halts.is_empty() {
        return Finding::fine(SUBJECT, "nothing is halted");
    }
    let finding = Finding::look(SUBJECT, format!("halted: {}", some(&books.halts)));
    finding.cured_by("ponte resume, once the reason is gone")
}

/// The symbols that the account is meant to trade, or holds, as the broker names them now.
pub(super) fn wanted(account: &Account, config: &Config, books: &Books) -> BTreeSet<Symbol> {
    let allowed = account.rules.allowed_symbols.iter().flatten();
    let routes = config.routes.iter();
    let mapped = routes
        .filter(|route| route.accounts.contains(&account.name))
        .flat_map(|route| route.symbols.values());
    let named: &[String] = match &account.broker {
        BrokerConfig::Mt5(mt5) => &mt5.symbols,
        BrokerConfig::Paper(_) | BrokerConfig::Binance(_) => &[],
    };
    let named = named.iter().filter_map(|name| Symbol::new(name).ok());
    let held = books.positions.keys();
    let meant = |symbol: Symbol| match &account.exchange {
        Some(exchange) => exchange.watched(&symbol, clock::now()).into_iter().next(),
        None => Some(symbol),
    };
    let written = allowed.chain(mapped).cloned().chain(named);
    written.filter_map(meant).chain(held.cloned()).collect()
}

fn instruments(account: &Account, books: &Books) -> Finding {
    const SUBJECT: &str = "instruments";
    if books.any_symbol {
        return Finding::fine(SUBJECT, "every symbol is taken");
    }
    match (books.listed.len(), &account.broker) {
        (0, BrokerConfig::Mt5(_)) => {
            Finding::look(SUBJECT, "no symbol is in the terminal's Market Watch yet").cured_by(
                "add what is traded to symbols of [accounts.mt5], or to allowed_symbols; otherwise \
                 the first alert for a symbol asks for it",
            )
        }
        (0, BrokerConfig::Paper(_) | BrokerConfig::Binance(_)) => Finding::wrong(
            SUBJECT,
            "no instrument is known, so that nothing can be entered",
        ),
        (1, _) => Finding::fine(SUBJECT, "1 instrument is known"),
        (count, _) => Finding::fine(SUBJECT, format!("{count} instruments are known")),
    }
}

/// Whether what is to be traded is listed.
fn symbols(wanted: &BTreeSet<Symbol>, books: &Books) -> Option<Finding> {
    const SUBJECT: &str = "symbols";
    if wanted.is_empty() || books.listed.is_empty() && !books.any_symbol {
        return None;
    }
    let unknown = wanted.iter().filter(|symbol| !books.knows(symbol));
    let unknown: Vec<String> = unknown.map(ToString::to_string).collect();
    Some(if unknown.is_empty() {
        let count = wanted.len();
        let text = format!("{count} wanted, and the broker lists them all");
        Finding::fine(SUBJECT, text)
    } else {
        let text = format!("the broker does not list {}", some(&unknown));
        Finding::wrong(SUBJECT, text)
    })
}

/// Whether the broker holds what Ponte holds.
fn positions(answers: &Answers, books: &[Books; 2]) -> Vec<Finding> {
    const SUBJECT: &str = "positions";
    let told = match &answers.positions {
        Ok(told) => told,
        Err(error) => return vec![failed(SUBJECT, error)],
    };
    let mut held = BTreeMap::<&Symbol, Decimal>::new();
    for position in told {
        *held.entry(&position.symbol).or_default() += position.quantity;
    }
    let symbols: BTreeSet<&Symbol> = held
        .keys()
        .copied()
        .chain(books.iter().flat_map(|books| books.positions.keys()))
        .collect();
    let (mut differ, mut foreign) = (Vec::new(), Vec::new());
    for symbol in symbols {
        let there = held.get(symbol).copied().unwrap_or_default();
        let ours = |books: &Books| books.positions.get(symbol).copied().unwrap_or_default();
        if books.iter().any(|books| ours(books) == there) {
            continue;
        }
        let here = ours(&books[1]);
        if here.is_zero() {
            foreign.push(format!("{} {symbol}", there.normalize()));
        } else {
            let (here, there) = (here.normalize(), there.normalize());
            differ.push(format!("{symbol} (Ponte {here}, broker {there})"));
        }
    }
    let mut findings = Vec::new();
    if differ.is_empty() {
        let count = books[1].positions.len();
        let text = match count {
            0 => "Ponte holds nothing".to_owned(),
            1 => "the broker holds the one that Ponte knows".to_owned(),
            _ => format!("the broker holds the {count} that Ponte knows"),
        };
        findings.push(Finding::fine(SUBJECT, text));
    } else {
        let text = format!("Ponte and the broker differ: {}", some(&differ));
        let finding = Finding::wrong(SUBJECT, text);
        findings.push(finding.cured_by(
            "somebody else has traded the account, or the broker has closed by itself: trade the \
             difference by hand, so that both hold the same",
        ));
    }
    if !foreign.is_empty() {
        let text = format!(
            "the broker holds what Ponte has not bought: {}",
            some(&foreign)
        );
        findings.push(Finding::look(SUBJECT, text));
    }
    if !books[1].naked.is_empty() {
        findings.push(Finding::wrong("stops", some(&books[1].naked)));
    }
    findings
}

/// How the routes to an account size.
fn sizings(account: &Account, config: &Config) -> Vec<Sizing> {
    let routes = config.routes.iter();
    let routes = routes.filter(|route| route.accounts.contains(&account.name));
    routes.map(|route| route.sizing).collect()
}

/// Whether the stops that Ponte counts on are at the broker: those that were there before and after
/// the broker was asked.
fn stops(answers: &Answers, books: &[Books; 2]) -> Option<Finding> {
    let resting = answers.orders.as_ref().ok()?;
    let lasting = books[0]
        .stops
        .iter()
        .filter(|(id, _)| books[1].stops.contains_key(*id));
    let lasting: Vec<_> = lasting.collect();
    let is_there = |id: &ClientOrderId| resting.iter().any(|report| report.id == *id);
    let missing = lasting.iter().filter(|(id, _)| !is_there(id));
    let missing: Vec<Symbol> = missing.map(|(_, symbol)| (*symbol).clone()).collect();
    say::stops(lasting.len(), &missing)
}

/// Whether Ponte knows the orders of its own that rest at the broker.
fn orders(answers: &Answers, books: &[Books; 2]) -> Vec<Finding> {
    const SUBJECT: &str = "orders";
    let mut findings = Vec::new();
    match &answers.orders {
        Err(error) => findings.push(failed(SUBJECT, error)),
        Ok(resting) => {
            let is_known =
                |report: &&OrderReport| books.iter().any(|books| books.orders.contains(&report.id));
            let unknown = resting.iter().filter(|report| !is_known(report));
            let unknown: Vec<String> = unknown
                .map(|report| format!("{} (the broker's {})", report.id, report.broker_order_id))
                .collect();
            findings.push(if unknown.is_empty() {
                let count = resting.len();
                Finding::fine(
                    SUBJECT,
                    format!("{count} rest at the broker, Ponte knows them"),
                )
            } else {
                let text = format!(
                    "these rest at the broker, and to Ponte they are over: {}",
                    some(&unknown)
                );
                Finding::wrong(SUBJECT, text).cured_by("cancel them at the broker")
            });
        }
    }
    if books[1].unknown > 0 {
        let count = books[1].unknown;
        let text = format!("{count} of unknown fate, about which the broker is being asked");
        findings.push(Finding::look(SUBJECT, text));
    }
    findings
}

/// A question without an answer; where the broker is silent it is not the question's fault.
fn failed(subject: &str, error: &BrokerError) -> Finding {
    match error {
        BrokerError::Unanswered(_) => Finding::wrong(UNANSWERED, error.to_string()),
        BrokerError::Refused(_) | BrokerError::Unreadable(_) => {
            Finding::wrong(subject, error.to_string())
        }
    }
}
