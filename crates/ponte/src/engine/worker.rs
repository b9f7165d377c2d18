//! The engine's thread: take what waits, decide it, commit it once, then answer and act.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use ponte_core::decide::{Decision, Facts, Quotes, decide, handle};
use ponte_core::gate::Gate;
use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::id::AccountName;
use ponte_core::identity::Identity;
use ponte_core::instrument::Instruments;
use ponte_core::message::{
    AlertDecision, AlertInput, Command, Event, Input, OperatorAction, OperatorRequest,
};
use ponte_core::policy::Policy;
use ponte_core::state::State;
use tokio::sync::{mpsc, oneshot};

use super::chronicle::Line;
use super::inbox::{Inbox, Request};
use super::{Alert, Committed, Parts, Retention, Unavailable};
use crate::clock;
use crate::journal::{JournalError, Writer, prune};
use crate::metrics::Metrics;

/// How long the engine sleeps at most; timers are as exact as this.
const TICK: Duration = Duration::from_millis(100);
/// How long what brokers said waits for an alert to share a commit with, when nothing follows from
/// it. One commit less for each alert; a crash in between only means that the broker is asked again.
const LINGER: Duration = Duration::from_millis(2);
/// How often old things are let go of.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Who waits for a decision.
enum Reply {
    Alert(
        oneshot::Sender<Result<AlertDecision, Unavailable>>,
        Box<AlertDecision>,
    ),
    Operate(oneshot::Sender<Result<Vec<Event>, Unavailable>>, Vec<Event>),
}

/// What a batch has gathered for after its commit.
#[derive(Default)]
struct Gathered {
    replies: Vec<Reply>,
    commands: Vec<Command>,
    lines: Vec<Line>,
    /// What brokers said, kept in case the commit fails.
    told: Vec<Input>,
    /// Whether a transaction is open.
    begun: bool,
    /// Whether somebody waits for its commit.
    awaited: bool,
}

impl Gathered {
    /// Whether the transaction may stay open for what comes next: nobody waits for its commit, and
    /// nothing follows from it.
    fn may_linger(&self) -> bool {
        self.begun && !self.awaited && self.commands.is_empty()
    }
}

/// Why a batch could not be completed.
enum Failure {
    Journal(JournalError),
    /// Deciding panicked.
    Panic {
        /// What it was about.
        scope: Scope,
        /// Whether a broker had told it, so that it would be told again.
        told: bool,
    },
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// Whether the input that broke is the one that was told last.
fn same_kind(told: &Input, broke: &Input) -> bool {
    std::mem::discriminant(told) == std::mem::discriminant(broke)
}

pub(super) struct Worker {
    writer: Writer,
    state: State,
    policy: Policy,
    quotes: Arc<dyn Quotes + Send + Sync>,
    commands: mpsc::UnboundedSender<Committed>,
    metrics: Arc<Metrics>,
    retention: Retention,
    inbox: Arc<Inbox>,
    gate: Arc<ArcSwap<Gate>>,
    /// What brokers said and is not durable yet.
    owed: Vec<Input>,
    /// Whether the last commit failed; the state is then read again before anything is decided.
    degraded: bool,
    /// A transaction with what brokers said, which waits a moment for an alert to share its commit.
    open: Gathered,
    opened: Instant,
    ticked: Instant,
    pruned: Instant,
}

impl Worker {
    pub(super) fn new(parts: Parts, inbox: Arc<Inbox>, gate: Arc<ArcSwap<Gate>>) -> Self {
        let Parts {
            writer,
            state,
            policy,
            quotes,
            commands,
            metrics,
            retention,
        } = parts;
        let now = clock::instant();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            writer,
            state,
            policy,
            quotes,
            commands,
            metrics,
            retention,
            inbox,
            gate,
            owed: vec![Input::Started { version }],
            degraded: false,
            open: Gathered::default(),
            opened: now,
            ticked: now,
            pruned: now,
        }
    }

    /// Works until the inbox is closed and empty.
    pub(super) fn run(mut self) {
        while let Some(requests) = self.inbox.take(self.patience()) {
            if self.degraded && !self.recovered() {
                self.turn_away(requests);
                continue;
            }
            self.batch(requests);
            self.keep_house();
        }
        self.open.awaited = true;
        self.batch(Vec::new());
        if let Err(error) = self.writer.take_snapshot(&self.state, clock::now()) {
            tracing::warn!(%error, "no snapshot at the end; the next start replays more");
        }
    }

    /// How long to wait for the next request.
    fn patience(&self) -> Duration {
        if self.degraded {
            TICK
        } else if !self.owed.is_empty() {
            Duration::ZERO
        } else if self.open.begun {
            LINGER.saturating_sub(self.opened.elapsed())
        } else {
            TICK
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now: clock::now(),
            quotes: &*self.quotes,
        }
    }

    /// Decides requests and what is owed, in one transaction.
    fn batch(&mut self, requests: Vec<Request>) {
        let mut gathered = std::mem::take(&mut self.open);
        let owed = std::mem::take(&mut self.owed);
        let mut requests: VecDeque<_> = owed
            .into_iter()
            .map(Request::Tell)
            .chain(requests)
            .collect();
        gathered.awaited |= requests.iter().any(Request::is_answered);
        let mut result = Ok(());
        while let Some(request) = requests.pop_front() {
            result = self.request(request, &mut gathered);
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() && self.ticked.elapsed() >= TICK {
            self.ticked = clock::instant();
            result = self.decide(Input::Tick, &mut gathered).map(drop);
        }
        if result.is_ok() && gathered.may_linger() && self.opened.elapsed() < LINGER {
            self.open = gathered;
            return;
        }
        let committed = result.and_then(|()| {
            if gathered.begun {
                self.writer.commit(&self.state)?;
            }
            Ok(())
        });
        match committed {
            Ok(()) => self.answer(gathered),
            Err(failure) => self.fail(failure, gathered, requests.into()),
        }
    }

    fn request(&mut self, request: Request, gathered: &mut Gathered) -> Result<(), Failure> {
        match request {
            Request::Alert { alert, reply } => {
                self.begin(gathered)?;
                let input = self.alert_input(*alert)?;
                let decision = self.decide(Input::Alert(Box::new(input)), gathered);
                let decided = decision.map(|decision| {
                    decision.events.into_iter().find_map(|event| {
                        if let Event::AlertDecided(decided) = event {
                            Some(decided)
                        } else {
                            None
                        }
                    })
                });
                match decided {
                    Ok(Some(decided)) => gathered.replies.push(Reply::Alert(reply, decided)),
                    Ok(None) => {}
                    Err(failure) => {
                        let _ = reply.send(Err(Unavailable::Journal));
                        return Err(failure);
                    }
                }
            }
            Request::Refused(request) => {
                self.decide(Input::RequestRefused(request), gathered)?;
            }
            Request::Operate { request, reply } => {
                let decision = self.decide(Input::Operator(request), gathered)?;
                gathered
                    .replies
                    .push(Reply::Operate(reply, decision.events));
            }
            Request::Tell(input) => {
                if self.is_old_news(&input)? {
                    return Ok(());
                }
                gathered.told.push(input.clone());
                self.decide(input, gathered)?;
            }
            Request::Explain { alert, reply } => {
                let input = self.alert_input(*alert)?;
                let facts = self.facts();
                let input = Input::Alert(Box::new(input));
                let _ = reply.send(Ok(decide(&self.state, &self.policy, facts, input).events));
            }
            Request::Look(look) => look(&self.state, &self.policy),
            Request::Instruments(account, instruments) => self.renew(&account, *instruments),
        }
        Ok(())
    }

    /// Decides by a broker's new list from now on.
    fn renew(&mut self, account: &AccountName, instruments: Instruments) {
        if let Some(policy) = self.policy.accounts.get_mut(account) {
            policy.instruments = instruments;
        }
    }

    /// Whether a report only says again what the journal has long known of an order that is too
    /// old to be in the state. What it says beyond that is decided, and raises an alarm.
    fn is_old_news(&self, input: &Input) -> Result<bool, JournalError> {
        let Input::Reported { report, .. } = input else {
            return Ok(false);
        };
        if self.state.order(&report.id).is_some() {
            return Ok(false);
        }
        let traded = self.writer.traded(&report.id)?;
        Ok(traded.is_some_and(|traded| report.filled <= traded))
    }

    fn alert_input(&self, alert: Alert) -> Result<AlertInput, JournalError> {
        let identity = Identity::of(&alert.source, &alert.signal);
        Ok(AlertInput {
            seen: self.writer.seen(&identity)?,
            source: alert.source,
            received_at: alert.received_at,
            signal: alert.signal,
            delivery: alert.delivery,
        })
    }

    fn begin(&mut self, gathered: &mut Gathered) -> Result<(), JournalError> {
        if !gathered.begun {
            self.writer.begin()?;
            self.opened = clock::instant();
            gathered.begun = true;
        }
        Ok(())
    }

    /// Decides one input and writes its events into the open transaction.
    fn decide(&mut self, input: Input, gathered: &mut Gathered) -> Result<Decision, Failure> {
        let scope = self.scope_of(&input);
        let told = gathered
            .told
            .last()
            .is_some_and(|last| same_kind(last, &input));
        let facts = Facts {
            now: clock::now(),
            quotes: &*self.quotes,
        };
        let decided = catch_unwind(AssertUnwindSafe(|| {
            handle(&mut self.state, &self.policy, facts, input)
        }));
        let now = facts.now;
        let mut decision = decided.map_err(|_| Failure::Panic { scope, told })?;
        if !decision.events.is_empty() {
            self.begin(gathered)?;
            self.writer.append(now, &decision.events)?;
        }
        gathered.commands.append(&mut decision.commands);
        let lines = decision.events.iter();
        gathered
            .lines
            .extend(lines.filter_map(|event| Line::about(event, &self.state)));
        Ok(decision)
    }

    /// What a panic over this input halts.
    fn scope_of(&self, input: &Input) -> Scope {
        let id = match input {
            Input::Submitted { id, .. }
            | Input::Found { id, .. }
            | Input::CancelAnswered { id, .. } => id,
            Input::Reported { account, .. }
            | Input::ReportsMissed { account }
            | Input::FilledOutside { account, .. }
            | Input::AccountRead { account, .. } => {
                return Scope::Account(account.clone());
            }
            Input::Settle(lane) => return Scope::Account(lane.account.clone()),
            Input::Alert(_)
            | Input::RequestRefused(_)
            | Input::Operator(_)
            | Input::Noticed { .. }
            | Input::Tick
            | Input::Started { .. } => return Scope::Global,
        };
        let account = self.state.order(id).map(|order| order.plan.account.clone());
        account.map_or(Scope::Global, Scope::Account)
    }

    /// The batch is durable: the gate first, then the senders' answers, then the brokers.
    fn answer(&mut self, gathered: Gathered) {
        let at = clock::now();
        if gathered.begun {
            let gate = self.state.gate();
            if **self.gate.load() != gate {
                self.gate.store(Arc::new(gate));
            }
            self.metrics.batch(gathered.replies.len());
        }
        for reply in gathered.replies {
            match reply {
                Reply::Alert(reply, decided) => {
                    self.metrics.alert(&decided, at);
                    let _ = reply.send(Ok(*decided));
                }
                Reply::Operate(reply, events) => {
                    let _ = reply.send(Ok(events));
                }
            }
        }
        gathered.lines.into_iter().for_each(Line::write);
        if !gathered.commands.is_empty() {
            // Execution ends only with the process.
            let _ = self.commands.send(Committed {
                at,
                commands: gathered.commands,
            });
        }
    }

    /// Nothing of the batch has happened: senders try again, what brokers said is owed.
    fn fail(&mut self, failure: Failure, gathered: Gathered, rest: Vec<Request>) {
        self.metrics.commit_failures.inc();
        for reply in gathered.replies {
            match reply {
                Reply::Alert(reply, _) => drop(reply.send(Err(Unavailable::Journal))),
                Reply::Operate(reply, _) => drop(reply.send(Err(Unavailable::Journal))),
            }
        }
        self.owed = gathered.told;
        match failure {
            Failure::Journal(error) => {
                tracing::error!(%error, "the journal can't be written: alerts are answered 503 until it can");
            }
            Failure::Panic { scope, told } => {
                // What was told last is what broke; it is not told again.
                if told {
                    self.owed.pop();
                }
                tracing::error!(%scope, "a decision broke; its scope is halted, please report this");
                self.owed.push(Input::Operator(OperatorRequest {
                    by: "Ponte".to_owned(),
                    action: OperatorAction::Halt {
                        scope,
                        level: HaltLevel::BlockEntries,
                        reason: Some("a decision broke; see the log".to_owned()),
                    },
                }));
            }
        }
        self.degraded = true;
        self.inbox.set_ready(false);
        self.reload();
        self.turn_away(rest);
    }

    /// Reads the state of the last commit again.
    fn reload(&mut self) -> bool {
        match self.writer.load() {
            Ok(loaded) => {
                self.state = loaded.state;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the journal can't be read");
                false
            }
        }
    }

    /// Whether the journal can be written again; if so, the state is read again and whatever was
    /// in flight is asked about.
    fn recovered(&mut self) -> bool {
        if self.writer.probe().is_err() || !self.reload() {
            return false;
        }
        tracing::info!("the journal can be written again");
        self.degraded = false;
        self.inbox.set_ready(true);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.owed.insert(0, Input::Started { version });
        true
    }

    fn turn_away(&mut self, requests: Vec<Request>) {
        for request in requests {
            match request {
                Request::Alert { reply, .. } => drop(reply.send(Err(Unavailable::Journal))),
                Request::Operate { reply, .. } | Request::Explain { reply, .. } => {
                    drop(reply.send(Err(Unavailable::Journal)));
                }
                Request::Tell(input) => self.owed.push(input),
                Request::Look(look) => look(&self.state, &self.policy),
                Request::Instruments(account, instruments) => self.renew(&account, *instruments),
                Request::Refused(_) => {}
            }
        }
    }

    /// What can wait until nobody does.
    fn keep_house(&mut self) {
        if self.degraded || self.open.begun {
            return;
        }
        if self.writer.wants_snapshot()
            && let Err(error) = self.writer.take_snapshot(&self.state, clock::now())
        {
            tracing::warn!(%error, "no snapshot; it is tried again later");
        }
        if self.pruned.elapsed() >= PRUNE_EVERY {
            self.pruned = clock::instant();
            let now = clock::now();
            let before = |span: Option<Duration>| span.map(|span| now.before(span));
            let (requests, events) = (
                before(self.retention.requests),
                before(self.retention.events),
            );
            if (requests.is_some() || events.is_some())
                && let Err(error) = prune(&mut self.writer, requests, events)
            {
                tracing::warn!(%error, "old events could not be let go of; it is tried again");
            }
        }
    }
}
