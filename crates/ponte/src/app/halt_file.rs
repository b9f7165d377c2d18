//! The kill switch that needs no program: a file called `HALT` in the data directory.

use std::path::PathBuf;
use std::time::Duration;

use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::message::{OperatorAction, OperatorRequest};

use crate::admin::HALT_FILE;
use crate::engine::Engine;

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Halts everything as soon as the file is there. Taking it away lifts nothing: a person resumes.
pub(super) async fn watch(engine: Engine, data_dir: PathBuf) {
    let file = data_dir.join(HALT_FILE);
    let mut halted = false;
    loop {
        let level = tokio::fs::read_to_string(&file)
            .await
            .ok()
            .map(|text| level_of(&text));
        match level {
            Some(level) if !halted => {
                let request = OperatorRequest {
                    by: "HALT file".to_owned(),
                    action: OperatorAction::Halt {
                        scope: Scope::Global,
                        level,
                        reason: Some(format!("the file {HALT_FILE} is in the data directory")),
                    },
                };
                // When the journal can't take it now, the next look tries again.
                halted = engine.operate(request).await.is_ok();
            }
            Some(_) => {}
            None => halted = false,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The level that the file names, or that working orders are cancelled when it names none.
fn level_of(text: &str) -> HaltLevel {
    let word = text.trim().to_lowercase().replace('-', "_");
    [
        HaltLevel::BlockEntries,
        HaltLevel::CancelWorking,
        HaltLevel::ReduceOnly,
        HaltLevel::Flatten,
    ]
    .into_iter()
    .find(|level| level.as_str() == word)
    .unwrap_or(HaltLevel::CancelWorking)
}
