//! The engine's inbox: bounded for what can be sent again, unbounded for what must not be lost.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ponte_core::id::AccountName;
use ponte_core::instrument::Instruments;
use ponte_core::message::{AlertDecision, Event, Input, OperatorRequest, RefusedRequest};
use ponte_core::policy::Policy;
use ponte_core::state::State;
use tokio::sync::oneshot;

use super::{Alert, Unavailable};

/// Most requests that wait before alerts are answered 503.
const WAITING_MAX: usize = 16_384;
/// Most requests that are decided in one transaction.
pub(super) const BATCH_MAX: usize = 256;

/// A look at the state and at what it is decided by.
pub(super) type View = Box<dyn FnOnce(&State, &Policy) + Send>;

/// One thing for the engine to do.
pub(super) enum Request {
    Alert {
        alert: Box<Alert>,
        reply: oneshot::Sender<Result<AlertDecision, Unavailable>>,
    },
    Refused(RefusedRequest),
    Operate {
        request: OperatorRequest,
        reply: oneshot::Sender<Result<Vec<Event>, Unavailable>>,
    },
    Tell(Input),
    Explain {
        alert: Box<Alert>,
        reply: oneshot::Sender<Result<Vec<Event>, Unavailable>>,
    },
    Look(View),
    /// A broker has told its instruments anew.
    Instruments(AccountName, Box<Instruments>),
}

impl Request {
    /// Whether somebody waits for it to be on disk.
    pub(super) const fn is_answered(&self) -> bool {
        match self {
            Self::Alert { .. } | Self::Operate { .. } => true,
            Self::Tell(input) => matches!(input, Input::Operator(_) | Input::Started { .. }),
            Self::Refused(_) | Self::Explain { .. } | Self::Look(_) | Self::Instruments(..) => {
                false
            }
        }
    }
}

/// What waits for the engine's thread.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    not_ready: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    closed: bool,
    /// Whether the engine sleeps, so that somebody has to wake it.
    asleep: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // The queue is whole after every push and drain, whoever panicked while holding it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in what may be turned away when too much waits.
    pub(super) fn push_bounded(&self, request: Request) -> Result<(), Unavailable> {
        let mut waiting = self.lock();
        if waiting.requests.len() >= WAITING_MAX {
            return Err(Unavailable::Busy);
        }
        self.put(&mut waiting, request)
    }

    /// Puts in what must not be lost.
    pub(super) fn push(&self, request: Request) -> Result<(), Unavailable> {
        self.put(&mut self.lock(), request)
    }

    fn put(&self, waiting: &mut Waiting, request: Request) -> Result<(), Unavailable> {
        if waiting.closed {
            return Err(Unavailable::Stopping);
        }
        waiting.requests.push_back(request);
        if waiting.asleep {
            waiting.asleep = false;
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Takes up to [`BATCH_MAX`] requests; waits at most `patience` for the first. `None` once the
    /// inbox is closed and empty.
    pub(super) fn take(&self, patience: Duration) -> Option<Vec<Request>> {
        let mut waiting = self.lock();
        if waiting.requests.is_empty() && !waiting.closed {
            waiting.asleep = true;
            let (woken, _) = self
                .arrived
                .wait_timeout(waiting, patience)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            waiting.asleep = false;
        }
        if waiting.requests.is_empty() && waiting.closed {
            return None;
        }
        let count = waiting.requests.len().min(BATCH_MAX);
        Some(waiting.requests.drain(..count).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().requests.len()
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.not_ready.load(Ordering::Relaxed)
    }

    pub(super) fn set_ready(&self, ready: bool) {
        self.not_ready.store(!ready, Ordering::Relaxed);
    }
}
