//! Tripwires: a stolen secret that nobody uses switches its source off.
//!
//! Whoever shows one is answered like everybody who shows a wrong secret, and not a moment later:
//! what follows from it happens beside the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ponte_core::id::SourceName;
use ponte_core::message::{OperatorAction, OperatorRequest};
use ponte_core::source::TRIPWIRE;

use crate::clock;
use crate::engine::{Engine, Unavailable};
use crate::metrics::Metrics;

/// How often the log shouts about one source: who shows a tripwire may show it very often.
const SHOUT_EVERY: Duration = Duration::from_secs(60);
/// The wait before a switch that the journal could not take is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// What happens when a tripwire is used.
#[derive(Clone)]
pub(super) struct Tripwires {
    engine: Engine,
    metrics: Arc<Metrics>,
    state: Arc<Mutex<Ringing>>,
}

#[derive(Default)]
struct Ringing {
    /// The sources that are being switched off.
    switching: BTreeSet<SourceName>,
    /// When the log last shouted about each.
    shouted: BTreeMap<SourceName, Instant>,
}

impl Tripwires {
    pub(super) fn new(engine: Engine, metrics: Arc<Metrics>) -> Self {
        Self {
            engine,
            metrics,
            state: Arc::default(),
        }
    }

    /// Has a source switched off, if its tripwire was shown. Returns at once, and does the same where none
    /// was: nothing of it is in the time of an answer.
    pub(super) fn heard(&self, shown: Option<SourceName>, from: String) {
        tokio::spawn(self.clone().ring(shown, from));
    }

    async fn ring(self, shown: Option<SourceName>, from: String) {
        let Some(source) = shown else {
            return;
        };
        self.metrics.tripwire_used(&source);
        if self.is_time_to_shout(&source) {
            tracing::error!(
                %source, peer = %from,
                "TRIPWIRE: a secret that nobody uses was shown; whoever has it may have the true one: \
                 the source is switched off"
            );
        }
        if !self.begins(&source) {
            return;
        }
        loop {
            let request = OperatorRequest {
                by: TRIPWIRE.to_owned(),
                action: OperatorAction::Tripped {
                    source: source.clone(),
                    from: from.clone(),
                },
            };
            match self.engine.operate(request).await {
                Ok(_) | Err(Unavailable::Stopping) => break,
                // Until it is on disk no alert is taken either.
                Err(Unavailable::Journal | Unavailable::Busy) => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
        self.lock().switching.remove(&source);
    }

    fn is_time_to_shout(&self, source: &SourceName) -> bool {
        let now = clock::instant();
        let mut state = self.lock();
        let last = state.shouted.get(source);
        let is_time = last.is_none_or(|last| now.saturating_duration_since(*last) >= SHOUT_EVERY);
        if is_time {
            state.shouted.insert(source.clone(), now);
        }
        is_time
    }

    /// Whether nobody else is switching it off right now.
    fn begins(&self, source: &SourceName) -> bool {
        self.lock().switching.insert(source.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ringing> {
        // Both collections are whole after every step, whoever panicked while holding them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
