//! The kill switch that needs no program: a file called `HALT` in the data directory.

use std::path::PathBuf;
use std::time::Duration;

use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::message::{OperatorAction, OperatorRequest};

use crate::admin::HALT_FILE;
use crate::engine::Engine;

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So much of it is read, in bytes.
const READ_BYTES_MAX: usize = 1024;

/// Halts everything as soon as the file is there. Taking it away lifts nothing: a person resumes.
pub(super) async fn watch(engine: Engine, data_dir: PathBuf) {
    let file = data_dir.join(HALT_FILE);
    let mut halted = false;
    loop {
        match tokio::fs::read(&file).await.ok() {
            Some(bytes) if !halted => {
                let (level, reason) = read(&bytes);
                let request = OperatorRequest {
                    by: "HALT file".to_owned(),
                    action: OperatorAction::Halt {
                        scope: Scope::Global,
                        level,
                        reason: Some(reason),
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

/// The level that the first line names, or that working orders are cancelled when it names none; the
/// reason that the other lines give.
fn read(bytes: &[u8]) -> (HaltLevel, String) {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(READ_BYTES_MAX)]);
    let (first, reason) = text.split_once('\n').unwrap_or((&text, ""));
    let word = first.trim().to_lowercase().replace('-', "_");
    let level = [
        HaltLevel::BlockEntries,
        HaltLevel::CancelWorking,
        HaltLevel::ReduceOnly,
        HaltLevel::Flatten,
    ]
    .into_iter()
    .find(|level| level.as_str() == word)
    .unwrap_or(HaltLevel::CancelWorking);
    let words = reason.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        let reason = format!("the file {HALT_FILE} is in the data directory");
        return (level, reason);
    }
    (level, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_level_and_the_others_are_the_reason() {
        for (text, level, reason) in [
            (
                "",
                HaltLevel::CancelWorking,
                "the file HALT is in the data directory",
            ),
            (
                "block-entries",
                HaltLevel::BlockEntries,
                "the file HALT is in the data directory",
            ),
            (
                "flatten\n",
                HaltLevel::Flatten,
                "the file HALT is in the data directory",
            ),
            (
                "REDUCE_ONLY\nrestored\u{7} from\na backup\n",
                HaltLevel::ReduceOnly,
                "restored from a backup",
            ),
            ("what\nelse", HaltLevel::CancelWorking, "else"),
        ] {
            assert_eq!(
                read(text.as_bytes()),
                (level, reason.to_owned()),
                "{text:?}"
            );
        }
    }
}
