//! Takes over the sources' secrets when their files or the vault change, without a restart.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ponte_core::message::{OperatorAction, OperatorRequest};

use crate::engine::Engine;
use crate::secret::{Keyring, Reloaded};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who is on record for a change that nobody has announced.
const BY: &str = "secret files";

/// What a file's change shows in: which file it is, when it or its rights were changed, in seconds and
/// nanoseconds since 1970, and its length; `None` while it is not there.
type Stamp = Option<(u64, i64, i64, u64)>;

/// Reads the secrets again whenever one of their files is another one, once it has stayed so for one
/// look: who changes two of them is done by then, and a command that has announced its change is on
/// record alone.
pub(super) async fn watch(engine: Engine, keyring: Arc<Keyring>) {
    let files = keyring.files();
    let mut known = stamps(&files).await;
    let mut before = known.clone();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = stamps(&files).await;
        let is_settled = now == before;
        before.clone_from(&now);
        if now == known || !is_settled {
            continue;
        }
        known = now;
        let reading = keyring.clone();
        // A panic there leaves the secrets as they were.
        let Ok(reloaded) = tokio::task::spawn_blocking(move || reading.reload()).await else {
            continue;
        };
        let Reloaded { changed, problems } = reloaded;
        for problem in problems {
            tracing::error!("{problem}");
        }
        for change in changed {
            tracing::info!("{change}");
            let action = OperatorAction::Record {
                action: "secret_taken_over".to_owned(),
                detail: change,
            };
            let by = BY.to_owned();
            // What the journal can't take now is in the log.
            let _ = engine.operate(OperatorRequest { by, action }).await;
        }
    }
}

async fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let mut stamps = Vec::with_capacity(files.len());
    for file in files {
        let metadata = tokio::fs::metadata(file).await.ok();
        stamps.push(metadata.map(|known| {
            let (seconds, rest) = (known.ctime(), known.ctime_nsec());
            (known.ino(), seconds, rest, known.len())
        }));
    }
    stamps
}
