//! Gauges that somebody has to read off.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ponte_core::decide::naked_positions;

use crate::engine::Engine;
use crate::journal::Reader;
use crate::metrics::Metrics;

/// How often the gauges are read.
const READ_EVERY: Duration = Duration::from_secs(5);

/// Reads the gauges for ever.
pub(super) async fn gauges(engine: Engine, metrics: Arc<Metrics>, journal: PathBuf) {
    loop {
        metrics
            .inbox
            .set(i64::try_from(engine.waiting()).unwrap_or(i64::MAX));
        metrics
            .halts
            .set(i64::try_from(engine.gate().halts.len()).unwrap_or(i64::MAX));
        let naked = engine.look_by_policy(|state, policy| naked_positions(state, policy).len());
        if let Ok(naked) = naked.await {
            metrics
                .naked_positions
                .set(i64::try_from(naked).unwrap_or(i64::MAX));
        }
        let path = journal.clone();
        let size =
            tokio::task::spawn_blocking(move || Reader::open(&path).and_then(|r| r.size())).await;
        if let Ok(Ok((events, bytes))) = size {
            metrics.journal_events.set(events);
            metrics.journal_bytes.set(bytes);
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}
