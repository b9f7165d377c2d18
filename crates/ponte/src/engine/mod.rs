//! The one thread that decides and commits: waiting inputs become decisions, and one transaction.
//!
//! Everybody else holds an [`Engine`] and puts inputs into its inbox. An alert's answer comes back
//! only after its events are on disk; the commands that follow go to execution after that.

mod chronicle;
mod inbox;
mod worker;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ponte_core::decide::Quotes;
use ponte_core::gate::Gate;
use ponte_core::id::{AccountName, AlertId, SourceName};
use ponte_core::instrument::Instruments;
use ponte_core::message::{
    AlertDecision, Command, Delivery, Event, Input, OperatorRequest, RefusedRequest,
};
use ponte_core::policy::Policy;
use ponte_core::signal::Signal;
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::journal::{JournalError, Writer};
use crate::metrics::Metrics;
use inbox::{Inbox, Request};

/// An alert on its way to a decision.
pub struct Alert {
    /// Where it came from.
    pub source: SourceName,
    /// When its last byte was there.
    pub received_at: Timestamp,
    /// What it says.
    pub signal: Signal,
    /// From where and in which words.
    pub delivery: Delivery,
}

/// Commands of one commit, on their way to execution.
pub struct Committed {
    /// When they became durable.
    pub at: Timestamp,
    /// What must be done.
    pub commands: Vec<Command>,
}

/// Why the engine could not take something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The journal can't commit; nothing has happened.
    #[error("the journal can't be written; nothing was done")]
    Journal,
    /// More waits than may wait.
    #[error("too much is waiting to be decided; nothing was done")]
    Busy,
    /// The process is stopping.
    #[error("Ponte is stopping; nothing was done")]
    Stopping,
}

/// The way to the engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inbox: Arc<Inbox>,
    gate: Arc<ArcSwap<Gate>>,
    prelude: Option<Arc<dyn Prelude>>,
}

/// What is done for an alert before it is decided, because deciding can't wait.
pub trait Prelude: Send + Sync {
    /// Makes known what the decision will want to know, as far as that is a matter of a moment;
    /// `None` where nothing is missing.
    fn before(&self, signal: &Signal) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>>;
}

/// How long an alert waits for what it needs: `TradingView` gives up after three seconds.
const PRELUDE_PATIENCE: Duration = Duration::from_millis(800);

/// What the engine is made of.
pub struct Parts {
    /// The journal's writer.
    pub writer: Writer,
    /// The state that the journal gave.
    pub state: State,
    /// The trader's rules.
    pub policy: Policy,
    /// What the market costs.
    pub quotes: Arc<dyn Quotes + Send + Sync>,
    /// Where commands go.
    pub commands: mpsc::UnboundedSender<Committed>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How long things are kept.
    pub retention: Retention,
}

/// How long the journal keeps things; `None` is for ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retention {
    /// The content of refused requests.
    pub requests: Option<std::time::Duration>,
    /// Events; the identities of alerts stay for ever.
    pub events: Option<std::time::Duration>,
}

/// A running engine's thread; it ends after [`Engine::stop`].
pub struct Running {
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    /// Waits until the engine has written its last snapshot.
    pub fn join(self) {
        // A panic of the thread has been logged where it happened.
        let _ = self.thread.join();
    }
}

impl Engine {
    /// Starts the engine's thread: settles what a crash left open, then takes inputs.
    ///
    /// # Errors
    /// When the thread can't be made.
    pub fn start(parts: Parts) -> std::io::Result<(Self, Running)> {
        let inbox = Arc::new(Inbox::default());
        let gate = Arc::new(ArcSwap::from_pointee(parts.state.gate()));
        let engine = Self {
            inbox: inbox.clone(),
            gate: gate.clone(),
            prelude: None,
        };
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || worker::Worker::new(parts, inbox, gate).run())?;
        Ok((engine, Running { thread }))
    }

    /// This way to the engine, with something done before each alert.
    #[must_use]
    pub fn with_prelude(self, prelude: Arc<dyn Prelude>) -> Self {
        Self {
            prelude: Some(prelude),
            ..self
        }
    }

    async fn prepare(&self, signal: &Signal) {
        let prelude = self.prelude.as_ref();
        if let Some(known) = prelude.and_then(|prelude| prelude.before(signal)) {
            // Without it the alert is decided by what is known.
            let _ = tokio::time::timeout(PRELUDE_PATIENCE, known).await;
        }
    }

    /// Decides an alert. The answer comes after the commit.
    ///
    /// # Errors
    /// When nothing could be made durable; the sender must try again.
    pub async fn alert(&self, alert: Alert) -> Result<AlertDecision, Unavailable> {
        self.prepare(&alert.signal).await;
        let (reply, answer) = oneshot::channel();
        self.inbox.push_bounded(Request::Alert {
            alert: Box::new(alert),
            reply,
        })?;
        answer.await.map_err(|_| Unavailable::Stopping)?
    }

    /// Records a request that was turned away, if there is room; nobody waits for it.
    pub fn refused(&self, request: RefusedRequest) {
        let _ = self.inbox.push_bounded(Request::Refused(request));
    }

    /// Carries out a person's request; gives what became fact.
    ///
    /// # Errors
    /// When nothing could be made durable.
    pub async fn operate(&self, request: OperatorRequest) -> Result<Vec<Event>, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.inbox.push(Request::Operate { request, reply })?;
        answer.await.map_err(|_| Unavailable::Stopping)?
    }

    /// Raises an alarm about something at the edge: it is recorded, logged and told to the owner. Who
    /// calls it bounds how often a stranger can make it called.
    pub fn alarm(&self, message: String, alert: Option<AlertId>) {
        self.tell(Input::Noticed { message, alert });
    }

    /// Tells the engine what a broker said. Never lost: it is kept until it is durable.
    pub fn tell(&self, input: Input) {
        let _ = self.inbox.push(Request::Tell(input));
    }

    /// What this alert would do now; nothing happens.
    ///
    /// # Errors
    /// When the journal can't be read or the process is stopping.
    pub async fn explain(&self, alert: Alert) -> Result<Vec<Event>, Unavailable> {
        self.prepare(&alert.signal).await;
        let (reply, answer) = oneshot::channel();
        self.inbox.push(Request::Explain {
            alert: Box::new(alert),
            reply,
        })?;
        answer.await.map_err(|_| Unavailable::Stopping)?
    }

    /// Looks at the state between two decisions.
    ///
    /// # Errors
    /// When the process is stopping.
    pub async fn look<T: Send + 'static>(
        &self,
        view: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        self.look_by_policy(move |state, _| view(state)).await
    }

    /// Looks at the state and at what it is decided by, between two decisions.
    ///
    /// # Errors
    /// When the process is stopping.
    pub async fn look_by_policy<T: Send + 'static>(
        &self,
        view: impl FnOnce(&State, &Policy) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let look = Box::new(move |state: &State, policy: &Policy| {
            let _ = reply.send(view(state, policy));
        });
        self.inbox.push(Request::Look(look))?;
        answer.await.map_err(|_| Unavailable::Stopping)
    }

    /// Has everything from now on decided by a broker's new list of instruments.
    pub fn renew_instruments(&self, account: AccountName, instruments: Instruments) {
        let _ = self
            .inbox
            .push(Request::Instruments(account, Box::new(instruments)));
    }

    /// Whether the last commit succeeded, so that an alert would be taken now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.inbox.is_ready()
    }

    /// How many requests wait to be decided.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inbox.len()
    }

    /// What execution looks at just before it sends.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        self.gate.load_full()
    }

    /// Takes nothing more, decides what waits, writes a snapshot and ends.
    pub fn stop(&self) {
        self.inbox.close();
    }
}

/// What can keep an engine from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system gave no thread.
    #[error("the engine's thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}
