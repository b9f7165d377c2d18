//! Looks at everything around the accounts: the machine, the public side, the secrets, who sends, the
//! journal. What is seen is gathered here; what is said about it is in `say`, in one place, so that it
//! can be translated.
//!
//! Nothing here changes anything, and every question has a time limit.

pub mod journal;
pub mod machine;
pub mod public_side;
pub(crate) mod say;
pub mod secrets;
pub mod senders;

use std::collections::BTreeMap;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName};
use ponte_core::source::SourceOff;

use crate::admin::wire::{Finding, Group};
use crate::clock;
use crate::config::Config;
use secrets::Secrets;

/// How long each look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What only a Ponte that runs can tell.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// The sources that are switched off; `None` where the engine did not say it.
    pub sources_off: Option<BTreeMap<SourceName, SourceOff>>,
    /// How far the brokers' clocks are ahead of this machine's, in milliseconds.
    pub clocks: Vec<(AccountName, i64)>,
}

/// Looks at the machine, the secrets, the senders and the journal. `running` is what the process knows
/// that takes alerts; without it they are looked at from outside, while none runs.
pub async fn here(config: &Config, secrets: &Secrets, running: Option<Running>) -> Vec<Group> {
    let data_dir = config.data_dir.clone();
    let is_running = running.is_some();
    let machine = look(move || machine::look(&data_dir, is_running));
    let data_dir = config.data_dir.clone();
    let journal = look(move || journal::look(&data_dir));
    let data_dir = config.data_dir.clone();
    let senders = look(move || senders::look(&data_dir));
    let (machine, journal, senders) = tokio::join!(machine, journal, senders);
    let said = |seen: Result<Vec<Finding>, String>, subject: &str| {
        seen.unwrap_or_else(|why| vec![Finding::wrong(subject, why)])
    };
    let running = running.unwrap_or_default();
    vec![
        Group::new(
            "machine",
            said(
                machine.map(|seen| say::machine::all(&seen, &running.clocks)),
                "machine",
            ),
        ),
        Group::new("secrets", say::secrets::all(secrets, clock::now())),
        Group::new(
            "senders",
            said(
                senders.map(|seen| say::senders::all(config, &seen, running.sources_off.as_ref())),
                "senders",
            ),
        ),
        Group::new(
            "journal",
            said(
                journal.map(|seen| say::journal::all(config, &seen)),
                "journal",
            ),
        ),
    ]
}

/// Looks at something that takes a thread of its own.
///
/// # Errors
/// When it took too long, or broke.
async fn look<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let looking = tokio::task::spawn_blocking(look);
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(Ok(seen)) => Ok(seen),
        Ok(Err(error)) => Err(format!("the look at it broke: {error}")),
        Err(_) => Err(format!(
            "the look at it took more than {} s",
            PATIENCE.as_secs()
        )),
    }
}
