//! MetaTrader 5: an account in a terminal, reached through the bridge that calls from beside it.
//!
//! Plans become trade requests, and deals become reports; all translation is here, and bridges are
//! thin. `book` mirrors the terminal, `shields` keeps protection, which at MetaTrader is a pair of
//! levels of the position.

mod account;
mod book;
mod cancel;
mod find;
mod findings;
mod identity;
mod instruments;
mod listener;
mod options;
mod orders;
mod outside;
mod protect;
mod request;
mod retcode;
#[cfg(test)]
mod samples;
mod server_clock;
mod shields;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};
use ponte_core::policy::Capabilities;
use tokio::sync::{mpsc, watch};

pub use self::options::{
    ANSWER_WITHIN_DEFAULT, Accounting, DEVIATION_POINTS_DEFAULT, Filling, Options, OrderLife,
    VALID_DEFAULT, capabilities,
};

use self::book::Book;
use self::findings::Bars;
use self::identity::Tag;
use self::instruments::Symbols;
use self::server_clock::ServerClock;
use self::shields::{Holding, Shields};
use crate::bridge::protocol::{SymbolInfo, Want};
use crate::bridge::{Line, Listener, Presence};
use crate::brokers::{
    Answer, Broker, BrokerError, BrokerPosition, Credentials, Examination, News, PositionMode,
    Reports,
};
use crate::clock;

/// How far back a session tells deals and ended orders.
const HISTORY_HOURS: u32 = 7 * 24;
/// How long something that was asked for in full may take to be told.
const FRESH_WITHIN: Duration = Duration::from_secs(4);
/// After its time is over, how long a request that was begun may still come through
/// (`bridges/mt5/PROTOCOL.md`, "find").
const APPEARS_WITHIN: Duration = Duration::from_secs(30);

/// One account in a terminal.
pub struct Mt5 {
    options: Options,
    line: Arc<Line>,
    me: Weak<Self>,
    desk: Mutex<Desk>,
    /// How often each thing has been told in full.
    told: watch::Sender<Told>,
}

/// Everything that is known of the account.
struct Desk {
    book: Book,
    shields: Shields,
    clock: ServerClock,
    /// The symbols of the terminal's last complete list.
    symbols: Option<Symbols>,
    /// The list with which the session began, until it is asked for.
    first_list: FirstList,
    news: Option<mpsc::UnboundedSender<News>>,
    /// What was told last of each order.
    reported: BTreeMap<ClientOrderId, OrderReport>,
    /// When this process handed an order over.
    handed: BTreeMap<ClientOrderId, Instant>,
    /// Since when all that was handed over went to the bridge that answers now.
    one_bridge_since: Instant,
    /// Orders that are being asked about until their deals are there.
    asking: BTreeSet<ClientOrderId>,
    is_away: bool,
    /// Whether the terminal is logged into another account: what it tells is not ours.
    is_foreign: bool,
    skew_milliseconds: Option<i64>,
}

/// A session begins with a list of symbols, which whoever asks first need not ask for again.
#[derive(Debug, Clone, Copy)]
enum FirstList {
    /// It is not complete yet.
    Awaited,
    /// It was, at this moment.
    Complete(Instant),
    /// Somebody has had it.
    Taken,
}

/// How often each thing has been told in full.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    state: u64,
    positions: u64,
    symbols: u64,
}

impl Told {
    const fn count(self, want: Want) -> u64 {
        match want {
            Want::State => self.state,
            Want::Positions | Want::Orders => self.positions,
            Want::Symbols => self.symbols,
        }
    }
}

impl Mt5 {
    /// The adapter of the account at the other end of this line. The terminal need not be there.
    #[must_use]
    pub fn new(options: Options, line: Arc<Line>) -> Arc<Self> {
        line.set_history_hours(HISTORY_HOURS);
        let symbols = line.symbols().map(|list| Symbols::of(&list));
        let adapter = Arc::new_cyclic(|me| Self {
            options,
            line,
            me: Weak::clone(me),
            desk: Mutex::new(Desk {
                book: Book::default(),
                shields: Shields::default(),
                clock: ServerClock::default(),
                symbols,
                first_list: FirstList::Awaited,
                news: None,
                reported: BTreeMap::new(),
                handed: BTreeMap::new(),
                one_bridge_since: clock::instant(),
                asking: BTreeSet::new(),
                is_away: false,
                is_foreign: false,
                skew_milliseconds: None,
            }),
            told: watch::Sender::default(),
        });
        let me: Weak<dyn Listener> = Weak::clone(&adapter.me) as Weak<dyn Listener>;
        adapter.line.set_listener(me);
        adapter
    }

    /// It is whole between any two of its operations, and never held over an await.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something of this class may be sent now, as far as the terminal tells.
    ///
    /// # Errors
    /// What is in the way, with its cure.
    fn ready(&self, class: OrderClass) -> Result<(), String> {
        let least = match class {
            OrderClass::Entry => Bars::Entries,
            OrderClass::Exit | OrderClass::Protection => Bars::Everything,
        };
        let looked = findings::look(&self.options, &self.line.presence(), None, None);
        let barred = looked.into_iter().find(|looked| looked.bars >= least);
        barred.map_or(Ok(()), |looked| Err(looked.finding.text))
    }

    /// Asks for something in full, and waits until it has been told.
    async fn fresh(&self, want: Want) -> bool {
        let Presence::Present(_) = self.line.presence() else {
            return false;
        };
        let mut told = self.told.subscribe();
        let before = told.borrow_and_update().count(want);
        self.line.want(want);
        let newer = told.wait_for(|told| told.count(want) > before);
        matches!(tokio::time::timeout(FRESH_WITHIN, newer).await, Ok(Ok(_)))
    }

    /// The positions that an order of this plan closes or protects.
    fn closed_by(&self, plan: &OrderPlan) -> Holding {
        Holding::closed_by(plan.side, &plan.symbol, self.tag(plan))
    }

    /// The positions that an order of this plan opens.
    fn opened_by(&self, plan: &OrderPlan) -> Holding {
        Holding::closed_by(plan.side.opposite(), &plan.symbol, self.tag(plan))
    }

    fn tag(&self, plan: &OrderPlan) -> Option<Tag> {
        match self.options.accounting {
            Accounting::Netting => None,
            Accounting::Hedging => Some(Tag::of(&plan.strategy)),
        }
    }
}

/// Why a symbol can't be traded here.
enum NoSymbol {
    /// The terminal has told no list yet.
    NotListedYet,
    /// The list doesn't have it.
    NotWatched(String),
}

impl Desk {
    fn info(&self, symbol: &Symbol) -> Result<&SymbolInfo, NoSymbol> {
        let symbols = self.symbols.as_ref().ok_or(NoSymbol::NotListedYet)?;
        symbols.get(symbol).ok_or_else(|| {
            NoSymbol::NotWatched(format!(
                "symbol {symbol} is not in the terminal's Market Watch; add it there, and look how this broker \
                 spells it"
            ))
        })
    }

    /// Where an order or a protective order stands, if anything is known of it.
    fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        self.shields.report(id).or_else(|| self.book.report(id))
    }

    /// Tells where these orders stand, if that is news. That an order works and has not traded is
    /// the answer to its submission, or to a question; by itself it is none.
    fn tell(&mut self, ids: impl IntoIterator<Item = ClientOrderId>) {
        for id in ids {
            let Some(report) = self.report(id) else {
                continue;
            };
            let is_quiet = report.status == ReportedStatus::Working
                && report.filled.is_zero()
                && !self.reported.contains_key(&id);
            if !is_quiet
                && self.note(&report)
                && let Some(news) = &self.news
            {
                // Nobody listens any more: the process ends.
                let _ = news.send(News::Order(report));
            }
        }
    }

    /// Remembers what was told of an order; whether it is news.
    fn note(&mut self, report: &OrderReport) -> bool {
        let is_known = self.reported.get(&report.id).is_some_and(|told| {
            (&told.status, told.filled, told.average_price, told.fees)
                == (
                    &report.status,
                    report.filled,
                    report.average_price,
                    report.fees,
                )
        });
        if !is_known {
            self.reported.insert(report.id, report.clone());
        }
        while self.reported.len() > book::ORDERS_MAX {
            self.reported.pop_first();
        }
        while self.handed.len() > book::ORDERS_MAX {
            self.handed.pop_first();
        }
        !is_known
    }

    fn missed(&self) {
        if let Some(news) = &self.news {
            let _ = news.send(News::Missed);
        }
    }
}

impl Broker for Mt5 {
    fn submit<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, Fate> {
        Box::pin(async move {
            match order.class {
                OrderClass::Entry | OrderClass::Exit => self.place(order).await,
                OrderClass::Protection => self.protect(order).await,
            }
        })
    }

    fn find<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, FindAnswer> {
        Box::pin(async move {
            match order.class {
                OrderClass::Entry | OrderClass::Exit => self.find_order(order).await,
                OrderClass::Protection => self.find_protection(order).await,
            }
        })
    }

    fn cancel<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, CancelAnswer> {
        Box::pin(async move {
            match order.class {
                OrderClass::Entry | OrderClass::Exit => self.take_back(order).await,
                OrderClass::Protection => self.unprotect(order).await,
            }
        })
    }

    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>> {
        Box::pin(self.take_back_all(symbol))
    }

    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>> {
        Box::pin(self.read_open_orders())
    }

    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>> {
        Box::pin(self.read_positions())
    }

    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>> {
        Box::pin(self.read_balance())
    }

    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>> {
        Box::pin(self.read_instruments())
    }

    fn reports(&self, into: mpsc::UnboundedSender<News>) -> Answer<'_, ()> {
        Box::pin(async move {
            {
                let mut desk = self.desk();
                desk.news = Some(into.clone());
                // A session that began before has been missed; one that begins later says so itself.
                desk.tell_all_outside();
                if matches!(self.line.presence(), Presence::Present(_)) {
                    desk.missed();
                }
            }
            into.closed().await;
        })
    }

    fn capabilities(&self) -> Capabilities {
        capabilities(self.options.accounting)
    }

    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>> {
        Box::pin(async move { self.read_credentials() })
    }

    fn examine(&self) -> Examination {
        let reports = match self.line.presence() {
            Presence::Present(seen) => Reports::Streamed {
                up_for: seen.session_age,
                heard_ago: Some(seen.heard_ago),
            },
            Presence::NeverSeen => Reports::Down("no bridge has called yet".to_owned()),
            Presence::Away(seen) => Reports::Down(format!(
                "the bridge has not been heard for {} s",
                seen.heard_ago.as_secs()
            )),
        };
        Examination {
            clock_ahead_milliseconds: self.desk().skew_milliseconds,
            budgets: Vec::new(),
            reports,
            positions: Some(match self.options.accounting {
                Accounting::Netting => PositionMode::Net,
                Accounting::Hedging => PositionMode::EachDeal,
            }),
        }
    }
}
