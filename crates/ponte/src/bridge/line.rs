//! One account's line to its terminal: tasks go out, results and facts come in.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use ponte_core::id::{AccountName, Symbol};
use ponte_core::number::Price;
use rust_decimal::Decimal;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use super::bounds;
use super::desk::{AWAY, Asking, Desk, GivenUp, Hearing, Ticket, Verdict};
use super::protocol::{
    BridgeInfo, CommandResult, HOLD_MILLISECONDS_MAX, PROTOCOL, SymbolInfo, SyncAnswer,
    SyncRequest, Task, TerminalState, Tick, Want,
};
use crate::metrics::{LineMeter, Metrics};
use crate::secret::Secret;
use crate::{clock, random};

/// Longest that an answer is held: a bridge that speaks only so is never called away.
const HELD_MAX: Duration = Duration::from_secs(10);
/// Random bytes in the name of a session.
const SESSION_BYTES: usize = 12;

// The protocol's promise to bridges, and ours to ourselves.
const _: () = assert!(HELD_MAX.as_millis() <= HOLD_MILLISECONDS_MAX as u128);
const _: () = assert!(HELD_MAX.as_millis() < AWAY.as_millis());

/// A task's way to its end; dropped, it withdraws the task if no bridge has it yet.
pub type Running<'a> = Pin<Box<dyn Future<Output = Ran> + Send + 'a>>;

/// One account's line to its terminal.
pub struct Line {
    account: AccountName,
    token: Secret,
    desk: Mutex<Desk>,
    /// Held while a request is taken in: everybody hears in the order in which things were said.
    telling: Mutex<Telling>,
    /// Rung when a request that is held may have an answer.
    bell: Notify,
    meter: OnceLock<LineMeter>,
}

#[derive(Default)]
struct Telling {
    listener: Option<Weak<dyn Listener>>,
    /// Whether somebody waits for the bridge's silence.
    is_watched: bool,
}

/// Whoever is told what a bridge says.
///
/// It is called in the request's handler, one request after the other, before anybody who waits
/// for a result of the same request has it. It must be quick, may call the line, and must not wait.
pub trait Listener: Send + Sync {
    /// Something was said.
    fn heard(&self, heard: Heard<'_>);
}

/// What was said.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// A session began: what follows is told in full.
    Session {
        /// By this bridge.
        bridge: &'a BridgeInfo,
        /// By another one than the last since Ponte's start.
        new_journal: bool,
    },
    /// Positions, orders, history, deals, symbols, late results of one request, in one piece.
    Facts(&'a SyncRequest),
    /// The bridge has not been heard for [`super::protocol::AWAY_MILLISECONDS`].
    Away,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// The bridge has told the result.
    Answered(CommandResult),
    /// Certain that no bridge has it and none will: why, for people.
    NotHandedOver(String),
    /// Handed out, and no result has come. It may come later, as a fact.
    NoResult {
        /// For people.
        why: String,
        /// The journal of the bridge that it was handed to.
        journal: String,
    },
}

/// Whether a bridge is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// None has called since Ponte's start.
    NeverSeen,
    /// It was heard within [`super::protocol::AWAY_MILLISECONDS`].
    Present(Box<Seen>),
    /// It was not.
    Away(Box<Seen>),
}

/// What is known of the bridge that was heard last, and of its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The bridge.
    pub bridge: BridgeInfo,
    /// The terminal, as it was told last.
    pub state: Option<TerminalState>,
    /// Since when its session is.
    pub session_age: Duration,
    /// Since when nothing was heard.
    pub heard_ago: Duration,
}

/// Why a request of a bridge has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token is no account's.
    #[error("the token is no account's")]
    WrongToken,
    /// The address has shown wrong tokens too often.
    #[error("too many wrong tokens from this address")]
    Limited,
    /// The bridge holds to another version of the protocol.
    #[error(
        "the bridge speaks version {0} of the protocol, ponte version {PROTOCOL}; \
         install the bridge that came with this ponte"
    )]
    OtherProtocol(u32),
    /// It breaks the protocol.
    #[error("not understood: {0}")]
    NotUnderstood(String),
    /// There is too much in it.
    #[error("too large: {0}")]
    TooLarge(String),
    /// Another bridge holds the session.
    #[error(
        "another bridge (journal {holder}) holds this account; journal {knocked} has to wait until it \
         has been silent for {} s: stop one of them", AWAY.as_secs()
    )]
    AnotherBridge {
        /// The journal of the one that holds it.
        holder: String,
        /// The journal of the one that was refused.
        knocked: String,
    },
    /// Ponte does not know the session.
    #[error("the session is not known; say hello anew")]
    UnknownSession,
    /// The body did not come in time, or not to its end.
    #[error("the body did not arrive")]
    Incomplete,
    /// Too many requests of this line at once.
    #[error("too many requests at once")]
    Busy,
    /// Something broke in Ponte.
    #[error("something broke; tell it again")]
    Broken,
}

impl Line {
    /// A line that a bridge with this token may call.
    #[must_use]
    pub fn new(account: AccountName, token: Secret) -> Arc<Self> {
        Arc::new(Self {
            account,
            token,
            desk: Mutex::new(Desk::new()),
            telling: Mutex::default(),
            bell: Notify::new(),
            meter: OnceLock::new(),
        })
    }

    /// Whose line it is.
    #[must_use]
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// Names who is told everything a bridge says. Set once, before the first request.
    pub fn set_listener(&self, listener: Weak<dyn Listener>) {
        lock(&self.telling).listener = Some(listener);
    }

    /// Counts and times from here on.
    pub fn meter(&self, metrics: &Metrics) {
        // The first one stays.
        let _ = self.meter.set(metrics.line(&self.account));
    }

    /// Hands a task over and waits for its result: it is fetched and begun within `valid`, or never;
    /// the result is waited for until `patience` is over, counted from now as well.
    ///
    /// A task that is still here when either is over, or when the future is dropped, is withdrawn.
    pub fn run(&self, task: Task, valid: Duration, patience: Duration) -> Running<'_> {
        Box::pin(async move {
            let ran = self.run_unmetered(task, valid, patience).await;
            if let Some(meter) = self.meter.get() {
                meter.ran(match &ran {
                    Ran::Answered(_) => "answered",
                    Ran::NotHandedOver(_) => "not_handed_over",
                    Ran::NoResult { .. } => "no_result",
                });
            }
            ran
        })
    }

    async fn run_unmetered(&self, task: Task, valid: Duration, patience: Duration) -> Ran {
        let (reply, mut ran) = oneshot::channel();
        let queued = self.desk().enqueue(task, valid, reply, clock::instant());
        let ticket = match queued {
            Ok(ticket) => ticket,
            Err(why) => return Ran::NotHandedOver(why),
        };
        let _withdrawn_when_dropped = Waiting { line: self, ticket };
        self.bell.notify_waiters();
        let fetched_within = valid.min(patience);
        let silent =
            |_: oneshot::error::RecvError| Ran::NotHandedOver("ponte is ending".to_owned());
        tokio::select! {
            biased;
            ran = &mut ran => return ran.unwrap_or_else(silent),
            () = sleep(fetched_within) => {}
        }
        {
            let mut desk = self.desk();
            if desk.withdraw(ticket) {
                return Ran::NotHandedOver(desk.why_not_fetched(fetched_within, clock::instant()));
            }
        }
        tokio::select! {
            biased;
            ran = &mut ran => return ran.unwrap_or_else(silent),
            () = sleep(patience.saturating_sub(fetched_within)) => {}
        }
        let given_up = self.desk().give_up(ticket);
        match given_up {
            GivenUp::Queued => Ran::NotHandedOver("not fetched".to_owned()),
            GivenUp::Handed(journal) => Ran::NoResult {
                why: format!("no result within {} ms", patience.as_millis()),
                journal,
            },
            GivenUp::Resolved => ran.await.unwrap_or_else(silent),
        }
    }

    /// Whether a bridge is there, and what is known of it.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.desk().presence(clock::instant())
    }

    /// The last refusal that a bridge with the right token was given, and how long ago that was.
    #[must_use]
    pub fn last_refusal(&self) -> Option<(Refused, Duration)> {
        let (refused, at) = self.desk().last_refusal()?;
        Some((refused, clock::instant().saturating_duration_since(at)))
    }

    /// Asks for the ticks of a symbol from here on; the bridge puts it into Market Watch.
    pub fn watch(&self, symbol: &str) {
        self.desk().watch(symbol);
        self.bell.notify_waiters();
    }

    /// The newest prices of a symbol, and when they were heard. Capital and small letters are the same.
    #[must_use]
    pub fn tick(&self, symbol: &str) -> Option<(Tick, Instant)> {
        self.desk().tick(symbol)
    }

    /// The price of a symbol, if it was told within `age_max`: the middle of bid and ask, or else
    /// that of the last deal. A bridge tells a price when it changes, so that one of a quiet market
    /// is old and true.
    #[must_use]
    pub fn quote(&self, symbol: &Symbol, age_max: Duration) -> Option<Price> {
        let (tick, heard_at) = self.tick(symbol.as_str())?;
        if clock::instant().saturating_duration_since(heard_at) > age_max {
            return None;
        }
        middle(&tick)
    }

    /// The symbols in Market Watch, as they were listed last; `None` before a list was complete.
    #[must_use]
    pub fn symbols(&self) -> Option<Arc<Vec<SymbolInfo>>> {
        self.desk().symbols()
    }

    /// Asks for something in full with the next answer; one that is held is sent at once. Every
    /// session begins with a wish for the symbols.
    pub fn want(&self, want: Want) {
        self.desk().wish(want);
        self.bell.notify_waiters();
    }

    /// How far back deals and ended orders are told at the start of a session, in hours.
    pub fn set_history_hours(&self, hours: u32) {
        self.desk().set_history_hours(hours);
    }

    /// Ends the line: nothing is handed over any more, and what is held is answered.
    pub fn close(&self) {
        self.desk().close();
        self.bell.notify_waiters();
    }

    /// Answers one request.
    pub(super) async fn sync(
        self: &Arc<Self>,
        request: SyncRequest,
        received_at: Instant,
    ) -> Result<SyncAnswer, Refused> {
        let hold = Duration::from_millis(request.hold_ms).min(HELD_MAX);
        let asking = self.take_in(request);
        let asking = asking.map(|asking| Asking {
            received_at,
            ..asking
        });
        let asking = asking.inspect_err(|refused| self.note(refused))?;
        let mut held = pin!(sleep(hold));
        let mut at_last = false;
        let mut woken = false;
        loop {
            let mut rung = pin!(self.bell.notified());
            rung.as_mut().enable();
            let verdict = {
                let time_ms = clock::now().0 / 1000;
                self.desk()
                    .answer(&asking, at_last, clock::instant(), time_ms)
            };
            match verdict {
                Verdict::Now(answer) => {
                    if woken && let Some(meter) = self.meter.get() {
                        meter.woken();
                    }
                    return Ok(*answer);
                }
                Verdict::Gone => return Err(Refused::UnknownSession),
                Verdict::Wait => {}
            }
            tokio::select! {
                biased;
                () = rung => woken = true,
                () = held.as_mut() => {
                    at_last = true;
                    woken = false;
                }
            }
        }
    }

    /// Takes in what a request tells: first everybody hears, then those who wait for results have them.
    fn take_in(self: &Arc<Self>, mut request: SyncRequest) -> Result<Asking, Refused> {
        bounds::check(&request)?;
        let mut telling = lock(&self.telling);
        let now = clock::instant();
        let hearing = {
            let mut desk = self.desk();
            let hearing = desk.hear(&request, || random::hex_token(SESSION_BYTES), now)?;
            if hearing.is_late {
                forget_what_was(&mut request);
            }
            desk.keep(&request, now);
            hearing
        };
        self.log(&hearing, &request);
        self.measure();
        if !telling.is_watched {
            telling.is_watched = true;
            tokio::spawn(tell_silence(Arc::downgrade(self)));
        }
        tell(&telling, &request, &hearing)?;
        let mut desk = self.desk();
        let results_seen = desk.settle(&request.results);
        let asking = Asking {
            session: hearing.session,
            taker: request.take.then(|| desk.next_taker()).flatten(),
            received_at: now,
            results_seen,
            at_once: hearing.began.is_some() || !request.take || !request.results.is_empty(),
        };
        drop(desk);
        // Those who waited before this one have to go.
        self.bell.notify_waiters();
        Ok(asking)
    }

    fn log(&self, hearing: &Hearing, request: &SyncRequest) {
        let account = &self.account;
        if let Some(new_journal) = hearing.began {
            let bridge = &request.bridge;
            let terminal = request.state.as_ref();
            tracing::info!(
                account.id = %account, session = %hearing.session, kind = %bridge.kind,
                version = %bridge.version, journal = %bridge.journal, new_journal,
                login = terminal.map(|state| state.login),
                server = terminal.map(|state| state.server.as_str()),
                "a session of the terminal's bridge began"
            );
        } else if hearing.was_away {
            tracing::info!(account.id = %account, session = %hearing.session, "the terminal's bridge is heard again");
        }
    }

    /// Remembers a refusal; the same one over and over is logged once.
    pub(super) fn note(&self, refused: &Refused) {
        let is_new = self.desk().refused(refused, clock::instant());
        if *refused == Refused::UnknownSession {
            // Whoever checks a token asks so, and so does every bridge after a start of ponte.
            tracing::debug!(account.id = %self.account, "a request of the terminal's bridge was refused: {refused}");
        } else if is_new {
            tracing::warn!(account.id = %self.account, "a request of the terminal's bridge was refused: {refused}");
        } else {
            tracing::debug!(account.id = %self.account, "a request of the terminal's bridge was refused again");
        }
    }

    fn measure(&self) {
        let Some(meter) = self.meter.get() else {
            return;
        };
        match self.presence() {
            Presence::Present(seen) => {
                let connected = seen.state.is_some_and(|state| state.connected);
                meter.seen(connected, seen.session_age);
            }
            Presence::NeverSeen | Presence::Away(_) => meter.seen(false, Duration::ZERO),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl From<bounds::OutOfBounds> for Refused {
    fn from(error: bounds::OutOfBounds) -> Self {
        if error.unit == "items" {
            Self::TooLarge(error.to_string())
        } else {
            Self::NotUnderstood(error.to_string())
        }
    }
}

/// Leaves of a request that comes too late what is true at any time: results, deals, ended orders.
fn forget_what_was(request: &mut SyncRequest) {
    request.state = None;
    request.positions = None;
    request.orders = None;
    request.symbols.clear();
    request.symbols_complete = false;
    request.ticks.clear();
}

/// Takes its task back when the one who waits goes away.
struct Waiting<'a> {
    line: &'a Line,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let _ = self.line.desk().give_up(self.ticket);
    }
}

/// Tells the listener of one request. A listener that panics has heard nothing: the bridge tells it again.
fn tell(telling: &Telling, request: &SyncRequest, hearing: &Hearing) -> Result<(), Refused> {
    let Some(listener) = telling.listener.as_ref().and_then(Weak::upgrade) else {
        return Ok(());
    };
    let told = catch_unwind(AssertUnwindSafe(|| {
        if let Some(new_journal) = hearing.began {
            listener.heard(Heard::Session {
                bridge: &request.bridge,
                new_journal,
            });
        }
        listener.heard(Heard::Facts(request));
    }));
    told.map_err(|_| Refused::Broken)
}

/// Waits until the bridge has not been heard for too long, tells it, and ends.
async fn tell_silence(line: Weak<Line>) {
    loop {
        let Some(line) = line.upgrade() else {
            return;
        };
        let left = {
            let mut telling = lock(&line.telling);
            let left = line.desk().until_away(clock::instant());
            if left.is_none() {
                telling.is_watched = false;
                line.measure();
                tracing::warn!(
                    account.id = %line.account,
                    "the terminal's bridge has not been heard for {} s: commands wait and expire",
                    AWAY.as_secs()
                );
                if let Some(listener) = telling.listener.as_ref().and_then(Weak::upgrade) {
                    listener.heard(Heard::Away);
                }
            }
            left
        };
        drop(line);
        let Some(left) = left else {
            return;
        };
        sleep(left).await;
    }
}

fn middle(tick: &Tick) -> Option<Price> {
    let price = if tick.bid > Decimal::ZERO && tick.ask > Decimal::ZERO {
        tick.bid.checked_add(tick.ask)? / Decimal::TWO
    } else {
        tick.last
    };
    Price::new(price).ok()
}

/// What is behind these locks is whole after every step, whoever panicked while holding them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
