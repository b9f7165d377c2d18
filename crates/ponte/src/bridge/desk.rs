//! What one line holds, and who has which command: every change under one lock, the moment an argument.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::line::{Presence, Ran, Refused, Seen};
use super::protocol::{
    AWAY_MILLISECONDS, BridgeInfo, Command, CommandResult, PROTOCOL, ResultId, SymbolInfo,
    SyncAnswer, SyncRequest, Task, TerminalState, Tick, Want,
};

/// Silence after which a bridge is away.
pub(super) const AWAY: Duration = Duration::from_millis(AWAY_MILLISECONDS);
/// Most commands that wait to be fetched; one more is not taken.
const QUEUE_MAX: usize = 1000;
/// Most commands in one answer: a bridge carries them out one by one, and each has its time.
const COMMANDS_MAX: usize = 16;
/// Most symbols whose ticks are wanted.
const WATCHED_MAX: usize = 1000;
/// Most symbols whose tick is kept, and most in a list; Market Watch itself has room for 5000.
const SYMBOLS_MAX: usize = 10_000;
/// A wish that was told in an answer is told again after so long, unless it came true.
const WISH_AGAIN: Duration = Duration::from_secs(30);
/// How far back the history is told at the start of a session unless the adapter says otherwise, in hours.
const HISTORY_HOURS: u32 = 48;

/// A task that was handed to the line; the number is the line's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// One line's memory.
pub(super) struct Desk {
    session: Option<Session>,
    state: Option<TerminalState>,
    queue: VecDeque<Queued>,
    handed: BTreeMap<ResultId, Handed>,
    tickets: u64,
    /// With when they were told last; a session begins with none told.
    wishes: BTreeMap<Want, Option<Instant>>,
    watched: BTreeSet<String>,
    /// Counts the changes of `watched`.
    watch_version: u64,
    history_hours: u32,
    /// By their names in capitals.
    ticks: BTreeMap<String, (Tick, Instant)>,
    symbols: Option<Arc<Vec<SymbolInfo>>>,
    /// What was told of a list that is not complete.
    listing: BTreeMap<String, SymbolInfo>,
    closed: bool,
    refusal: Option<(Refused, Instant)>,
}

struct Session {
    name: String,
    bridge: BridgeInfo,
    began_at: Instant,
    heard_at: Instant,
    /// The highest sequence of a request.
    sequence: u64,
    /// The number of its last command.
    number: u64,
    /// Counts the requests that took commands: only the newest may still get some.
    takers: u64,
    /// What the bridge was told of `watch_version`.
    watch_told: Option<u64>,
    /// Whether its silence was told.
    away_told: bool,
}

struct Queued {
    ticket: Ticket,
    task: Task,
    queued_at: Instant,
    expires_at: Instant,
    reply: oneshot::Sender<Ran>,
}

struct Handed {
    ticket: Ticket,
    order: String,
    journal: String,
    reply: oneshot::Sender<Ran>,
}

/// Who was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hearing {
    /// In which session.
    pub(super) session: String,
    /// Whether the session began with this, and then whether the journal is another one than that
    /// of the session before.
    pub(super) began: Option<bool>,
    /// Whether it had been called away.
    pub(super) was_away: bool,
    /// Whether a later request was heard before: what this one tells in full is no longer so.
    pub(super) is_late: bool,
}

/// A request that waits for its answer.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) session: String,
    /// Its place among those of the session that take commands.
    pub(super) taker: Option<u64>,
    pub(super) received_at: Instant,
    pub(super) results_seen: Vec<ResultId>,
    /// It is not held back.
    pub(super) at_once: bool,
}

/// What can be said to a request that waits.
#[derive(Debug)]
pub(super) enum Verdict {
    /// This, now.
    Now(Box<SyncAnswer>),
    /// Nothing yet.
    Wait,
    /// Its session is over.
    Gone,
}

/// What became of a task whose patience is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// It was still here.
    Queued,
    /// The bridge with this journal has it.
    Handed(String),
    /// It has been resolved.
    Resolved,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            session: None,
            state: None,
            queue: VecDeque::new(),
            handed: BTreeMap::new(),
            tickets: 0,
            wishes: BTreeMap::new(),
            watched: BTreeSet::new(),
            watch_version: 0,
            history_hours: HISTORY_HOURS,
            ticks: BTreeMap::new(),
            symbols: None,
            listing: BTreeMap::new(),
            closed: false,
            refusal: None,
        }
    }

    // What is to be done.

    /// Takes a task in, to be fetched within `valid`.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn enqueue(
        &mut self,
        task: Task,
        valid: Duration,
        reply: oneshot::Sender<Ran>,
        now: Instant,
    ) -> Result<Ticket, String> {
        if self.closed {
            return Err("ponte is ending".to_owned());
        }
        if self.queue.len() >= QUEUE_MAX {
            return Err(format!(
                "{QUEUE_MAX} commands wait for the bridge, the maximum"
            ));
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.queue.push_back(Queued {
            ticket,
            task,
            queued_at: now,
            expires_at: now + valid,
            reply,
        });
        Ok(ticket)
    }

    /// Takes a task back, if it was not handed over: then no bridge will ever have it.
    pub(super) fn withdraw(&mut self, ticket: Ticket) -> bool {
        let before = self.queue.len();
        self.queue.retain(|queued| queued.ticket != ticket);
        self.queue.len() < before
    }

    /// Waits for a task no longer. Its result, should it come, is a fact like any other.
    pub(super) fn give_up(&mut self, ticket: Ticket) -> GivenUp {
        if self.withdraw(ticket) {
            return GivenUp::Queued;
        }
        let mut handed = self.handed.iter();
        let found = handed.find_map(|(id, handed)| (handed.ticket == ticket).then(|| id.clone()));
        match found.and_then(|id| self.handed.remove(&id)) {
            Some(handed) => GivenUp::Handed(handed.journal),
            None => GivenUp::Resolved,
        }
    }

    /// Why a task was not fetched, for people.
    pub(super) fn why_not_fetched(&self, waited: Duration, now: Instant) -> String {
        let waited = waited.as_millis();
        match self.presence(now) {
            Presence::NeverSeen => {
                format!("not fetched within {waited} ms: no bridge has called since the start")
            }
            Presence::Present(_) => {
                format!("not fetched within {waited} ms: the bridge is present, but busy")
            }
            Presence::Away(seen) => {
                let silent = seen.heard_ago.as_secs();
                format!(
                    "not fetched within {waited} ms: the bridge has not been heard for {silent} s"
                )
            }
        }
    }

    // What a bridge says.

    /// Takes a request's word for who speaks: in its session, or in a new one by this name.
    ///
    /// # Errors
    /// Why it is not heard.
    pub(super) fn hear(
        &mut self,
        request: &SyncRequest,
        fresh: impl FnOnce() -> String,
        now: Instant,
    ) -> Result<Hearing, Refused> {
        let Some(named) = &request.session else {
            return self.begin(request, fresh, now);
        };
        let session = self
            .session
            .as_mut()
            .filter(|session| session.name == *named)
            .ok_or(Refused::UnknownSession)?;
        if session.bridge.journal != request.bridge.journal {
            let why = "the session is of another journal; a bridge keeps one journal for its life";
            return Err(Refused::NotUnderstood(why.to_owned()));
        }
        session.heard_at = now;
        let is_late = request.sequence != 0 && request.sequence < session.sequence;
        session.sequence = session.sequence.max(request.sequence);
        Ok(Hearing {
            session: named.clone(),
            began: None,
            was_away: std::mem::take(&mut session.away_told),
            is_late,
        })
    }

    fn begin(
        &mut self,
        request: &SyncRequest,
        fresh: impl FnOnce() -> String,
        now: Instant,
    ) -> Result<Hearing, Refused> {
        if request.state.is_none() || request.positions.is_none() || request.orders.is_none() {
            let why = "a session begins with state, positions and orders";
            return Err(Refused::NotUnderstood(why.to_owned()));
        }
        let last = self.session.as_ref();
        let other = last.filter(|last| last.bridge.journal != request.bridge.journal);
        if let Some(other) = other {
            let silent = now.saturating_duration_since(other.heard_at);
            if silent < AWAY {
                return Err(Refused::AnotherBridge {
                    holder: other.bridge.journal.clone(),
                    knocked: request.bridge.journal.clone(),
                });
            }
        }
        let new_journal = other.is_some();
        let was_away = last.is_some_and(|last| last.away_told);
        self.withdraw_if_elsewhere(request);
        let session = Session {
            name: fresh(),
            bridge: request.bridge.clone(),
            began_at: now,
            heard_at: now,
            sequence: request.sequence,
            number: 0,
            takers: 0,
            watch_told: None,
            away_told: false,
        };
        let name = session.name.clone();
        self.session = Some(session);
        self.state = None;
        self.listing.clear();
        for told in self.wishes.values_mut() {
            *told = None;
        }
        self.wish(Want::Symbols);
        Ok(Hearing {
            session: name,
            began: Some(new_journal),
            was_away,
            is_late: false,
        })
    }

    /// What waits was meant for the account that the terminal was logged into when it was handed to
    /// the line: the bridge of another account's session would carry it out there.
    fn withdraw_if_elsewhere(&mut self, request: &SyncRequest) {
        let account = |state: &TerminalState| (state.login, state.server.clone());
        let (was, is) = (self.state.as_ref(), request.state.as_ref());
        if was.is_none() || was.map(account) == is.map(account) {
            return;
        }
        for queued in self.queue.drain(..) {
            let why = "the terminal was logged into another account before it was fetched";
            let _ = queued.reply.send(Ran::NotHandedOver(why.to_owned()));
        }
    }

    /// Keeps what a request tells, except the results.
    pub(super) fn keep(&mut self, request: &SyncRequest, now: Instant) {
        if let Some(state) = &request.state {
            self.state = Some(state.clone());
            self.wishes.remove(&Want::State);
        }
        if request.positions.is_some() {
            self.wishes.remove(&Want::Positions);
        }
        if request.orders.is_some() {
            self.wishes.remove(&Want::Orders);
        }
        for info in &request.symbols {
            if self.listing.len() < SYMBOLS_MAX || self.listing.contains_key(&info.name) {
                self.listing.insert(info.name.clone(), info.clone());
            }
        }
        if request.symbols_complete {
            let listed = std::mem::take(&mut self.listing);
            self.symbols = Some(Arc::new(listed.into_values().collect()));
            self.wishes.remove(&Want::Symbols);
        }
        for tick in &request.ticks {
            let name = in_capitals(&tick.symbol);
            if self.ticks.len() < SYMBOLS_MAX || self.ticks.contains_key(&name) {
                self.ticks.insert(name, (tick.clone(), now));
            }
        }
    }

    /// Gives the results of a request to those who wait for them, and says "no result" to those
    /// whose session is over. Called after everybody has heard of both.
    pub(super) fn settle(&mut self, results: &[CommandResult]) -> Vec<ResultId> {
        for result in results {
            let waits = self.handed.get(&result.id);
            if waits.is_some_and(|handed| handed.order == result.order)
                && let Some(handed) = self.handed.remove(&result.id)
            {
                // Whoever has stopped to wait hears of it as a fact.
                let _ = handed.reply.send(Ran::Answered(result.clone()));
            }
        }
        let current = self.session.as_ref().map(|session| session.name.clone());
        let over = |id: &ResultId| Some(&id.session) != current.as_ref();
        for (_, handed) in self.handed.extract_if(.., |id, _| over(id)) {
            let why = "the session in which it was handed over has ended without a result";
            let _ = handed.reply.send(Ran::NoResult {
                why: why.to_owned(),
                journal: handed.journal,
            });
        }
        results.iter().map(|result| result.id.clone()).collect()
    }

    /// The place of a request among those that take commands; the one before it gets none any more.
    pub(super) fn next_taker(&mut self) -> Option<u64> {
        let session = self.session.as_mut()?;
        session.takers += 1;
        Some(session.takers)
    }

    // What it is answered.

    /// What can be said to a request now; `at_last` when it can't be held any longer. A command
    /// that is in the answer is handed over, whatever becomes of the answer.
    pub(super) fn answer(
        &mut self,
        asking: &Asking,
        at_last: bool,
        now: Instant,
        time_ms: i64,
    ) -> Verdict {
        let watch_version = self.watch_version;
        let current = self.session.as_mut();
        let Some(session) = current.filter(|session| session.name == asking.session) else {
            return Verdict::Gone;
        };
        let may_take = asking.taker == Some(session.takers);
        let superseded = asking.taker.is_some() && !may_take;
        let watch_changed = session.watch_told != Some(watch_version);
        let wish_due = self.wishes.values().any(|told| is_due(*told, now));
        let commands = if may_take {
            self.hand_out(asking.received_at, now)
        } else {
            Vec::new()
        };
        let anything = !commands.is_empty() || watch_changed || wish_due;
        if !(anything || asking.at_once || superseded || at_last || self.closed) {
            return Verdict::Wait;
        }
        if let Some(session) = &mut self.session {
            session.watch_told = Some(watch_version);
        }
        Verdict::Now(Box::new(SyncAnswer {
            protocol: PROTOCOL,
            session: asking.session.clone(),
            commands,
            results_seen: asking.results_seen.clone(),
            watch: self.watched_as_listed(),
            want: self.wishes_due(now),
            history_hours: self.history_hours,
            time_ms,
        }))
    }

    /// From here on these commands belong to the session. Those whose time is over stay here for ever.
    fn hand_out(&mut self, received_at: Instant, now: Instant) -> Vec<Command> {
        let mut commands = Vec::new();
        while !self.closed && commands.len() < COMMANDS_MAX {
            let Some(queued) = self.queue.pop_front() else {
                break;
            };
            let left = queued.expires_at.saturating_duration_since(now);
            if left < Duration::from_millis(1) {
                let waited = now.saturating_duration_since(queued.queued_at);
                let why = self.why_not_fetched(waited, now);
                let _ = queued.reply.send(Ran::NotHandedOver(why));
                continue;
            }
            let Some(session) = &mut self.session else {
                self.queue.push_front(queued);
                break;
            };
            session.number += 1;
            let id = ResultId {
                session: session.name.clone(),
                number: session.number,
            };
            // The bridge counts from when it sent its request, which is no later than when it came.
            let valid = queued.expires_at.saturating_duration_since(received_at);
            commands.push(Command {
                session: id.session.clone(),
                number: id.number,
                valid_ms: u64::try_from(valid.as_millis()).unwrap_or(u64::MAX),
                task: queued.task.clone(),
            });
            let handed = Handed {
                ticket: queued.ticket,
                order: order_of(&queued.task).to_owned(),
                journal: session.bridge.journal.clone(),
                reply: queued.reply,
            };
            let known = self.handed.insert(id, handed);
            assert!(known.is_none(), "a command's number was given twice");
        }
        commands
    }

    // What is known.

    pub(super) fn presence(&self, now: Instant) -> Presence {
        let Some(session) = &self.session else {
            return Presence::NeverSeen;
        };
        let heard_ago = now.saturating_duration_since(session.heard_at);
        let seen = Seen {
            bridge: session.bridge.clone(),
            state: self.state.clone(),
            session_age: now.saturating_duration_since(session.began_at),
            heard_ago,
        };
        if heard_ago < AWAY {
            Presence::Present(Box::new(seen))
        } else {
            Presence::Away(Box::new(seen))
        }
    }

    /// How long until the bridge is away unless it is heard; `None` once that is so, which is said
    /// to be told then.
    pub(super) fn until_away(&mut self, now: Instant) -> Option<Duration> {
        let session = self.session.as_mut()?;
        let left = AWAY.saturating_sub(now.saturating_duration_since(session.heard_at));
        if left.is_zero() {
            session.away_told = true;
            return None;
        }
        Some(left)
    }

    pub(super) fn tick(&self, symbol: &str) -> Option<(Tick, Instant)> {
        self.ticks.get(&in_capitals(symbol)).cloned()
    }

    pub(super) fn symbols(&self) -> Option<Arc<Vec<SymbolInfo>>> {
        self.symbols.clone()
    }

    /// The last refusal, unless it is the same as before.
    pub(super) fn refused(&mut self, refused: &Refused, now: Instant) -> bool {
        let is_new = self
            .refusal
            .as_ref()
            .is_none_or(|(last, _)| last != refused);
        self.refusal = Some((refused.clone(), now));
        is_new
    }

    pub(super) fn last_refusal(&self) -> Option<(Refused, Instant)> {
        self.refusal.clone()
    }

    // What is wished.

    pub(super) fn wish(&mut self, want: Want) {
        self.wishes.insert(want, None);
    }

    pub(super) fn watch(&mut self, symbol: &str) {
        if self.watched.len() < WATCHED_MAX && self.watched.insert(symbol.to_owned()) {
            self.watch_version += 1;
        }
    }

    pub(super) fn set_history_hours(&mut self, hours: u32) {
        self.history_hours = hours;
    }

    /// Hands nothing over any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        for queued in self.queue.drain(..) {
            let why = "ponte is ending".to_owned();
            let _ = queued.reply.send(Ran::NotHandedOver(why));
        }
    }

    fn wishes_due(&mut self, now: Instant) -> Vec<Want> {
        let due = |(want, told): (&Want, &mut Option<Instant>)| {
            is_due(*told, now).then(|| {
                *told = Some(now);
                *want
            })
        };
        self.wishes.iter_mut().filter_map(due).collect()
    }

    /// The watched symbols as the terminal spells them, where its list has them: its names may have
    /// small letters, ours have none.
    fn watched_as_listed(&self) -> Vec<String> {
        let listed = |watched: &String| {
            let symbols = self.symbols.iter().flat_map(|symbols| symbols.iter());
            let mut names = symbols.map(|info| &info.name);
            let same = names.find(|name| in_capitals(name) == in_capitals(watched));
            same.unwrap_or(watched).clone()
        };
        self.watched.iter().map(listed).collect()
    }
}

fn is_due(told: Option<Instant>, now: Instant) -> bool {
    told.is_none_or(|told| now.saturating_duration_since(told) >= WISH_AGAIN)
}

fn in_capitals(symbol: &str) -> String {
    symbol.to_uppercase()
}

fn order_of(task: &Task) -> &str {
    match task {
        Task::Trade { order, .. } | Task::Change { order, .. } | Task::Find { order, .. } => order,
    }
}

#[cfg(test)]
mod tests;
