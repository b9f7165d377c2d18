//! What brokers list, kept fresh while running and remembered for a start without the broker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ponte_core::id::AccountName;
use ponte_core::instrument::{Instrument, Instruments};
use tokio::task::JoinHandle;

use crate::brokers::{Broker, BrokerError};
use crate::engine::Engine;

/// How long a broker may take to list its instruments at a start, where no list is remembered.
const LIST_PATIENCE: Duration = Duration::from_secs(20);
/// How long a start waits for a broker that it could do without: alerts wait meanwhile, and
/// `TradingView` gives up on them after three seconds.
pub(super) const START_PATIENCE: Duration = Duration::from_millis(700);
/// How often a broker without an answer is asked for its list at a start.
const LIST_ATTEMPTS: u32 = 4;
/// The wait before it is asked again.
const LIST_PAUSE: Duration = Duration::from_millis(500);
/// How often lists are read anew: steps and minimums change rarely, a market's state more often.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(15 * 60);
/// The wait after a list that could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Where the lists of accounts are remembered, inside the data directory.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    folder: PathBuf,
}

impl Memory {
    pub(super) fn in_data_dir(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("instruments"),
        }
    }

    fn path(&self, account: &AccountName) -> PathBuf {
        // Names are free text: their bytes make a file's name that any system takes.
        let name: String = account
            .as_str()
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(format!("{name}.json"))
    }

    /// What was remembered of an account, if it can be read.
    pub(super) fn recall(&self, account: &AccountName) -> Option<Instruments> {
        let bytes = std::fs::read(self.path(account)).ok()?;
        let listed: Vec<Instrument> = serde_json::from_slice(&bytes).ok()?;
        Some(Instruments {
            listed: listed
                .into_iter()
                .map(|instrument| (instrument.symbol.clone(), instrument))
                .collect(),
            any_other: None,
        })
    }

    /// Remembers a list; without it a start needs the broker, and nothing else is lost.
    pub(super) fn remember(&self, account: &AccountName, instruments: &Instruments) {
        let listed: Vec<_> = instruments.listed.values().collect();
        let path = self.path(account);
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| {
            let bytes = serde_json::to_vec(&listed)?;
            let draft = path.with_extension("new");
            std::fs::write(&draft, bytes)?;
            std::fs::rename(&draft, &path)
        });
        if let Err(error) = written {
            tracing::warn!(account.id = %account, %error, "the list of instruments could not be kept");
        }
    }

    /// The broker's list; the remembered one where the broker can't be asked, or does not answer soon.
    pub(super) async fn at_start(
        &self,
        account: &AccountName,
        broker: &dyn Broker,
    ) -> Result<AtStart, BrokerError> {
        let remembered = self.recall(account);
        let patience = match remembered {
            Some(_) => START_PATIENCE,
            None => LIST_PATIENCE,
        };
        let asked = tokio::time::timeout(patience, list(broker)).await;
        let problem = match asked {
            Ok(Ok(instruments)) => {
                self.remember(account, &instruments);
                return Ok(AtStart::Fresh(instruments));
            }
            Ok(Err(problem)) => problem,
            Err(_) => BrokerError::Unanswered(format!(
                "no list of instruments within {} ms",
                patience.as_millis()
            )),
        };
        let Some(remembered) = remembered else {
            return Err(problem);
        };
        tracing::warn!(
            account.id = %account, error = %problem,
            "the broker could not be asked for its instruments; the remembered ones count until it can"
        );
        Ok(AtStart::Remembered(remembered))
    }
}

/// What a start knows of an account's instruments.
pub(super) enum AtStart {
    /// The broker has just told them.
    Fresh(Instruments),
    /// They are what it told an earlier process.
    Remembered(Instruments),
}

/// The broker's list. A broker that gives no answer is asked again a few times.
async fn list(broker: &dyn Broker) -> Result<Instruments, BrokerError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match broker.instruments().await {
            Err(BrokerError::Unanswered(_)) if attempts < LIST_ATTEMPTS => {
                tokio::time::sleep(LIST_PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// Reads lists anew from time to time, for as long as the process runs.
pub(super) fn keep_fresh(
    engine: &Engine,
    memory: &Memory,
    brokers: &BTreeMap<AccountName, Arc<dyn Broker>>,
    with_lists: &BTreeMap<AccountName, Duration>,
) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    for (account, broker) in brokers {
        if let Some(first) = with_lists.get(account) {
            let (engine, memory) = (engine.clone(), memory.clone());
            let (account, broker) = (account.clone(), broker.clone());
            tasks.push(tokio::spawn(renew(engine, memory, account, broker, *first)));
        }
    }
    tasks
}

/// Reads a list anew after this wait, and then from time to time.
async fn renew(
    engine: Engine,
    memory: Memory,
    account: AccountName,
    broker: Arc<dyn Broker>,
    mut wait: Duration,
) {
    loop {
        tokio::time::sleep(wait).await;
        match broker.instruments().await {
            Ok(instruments) => {
                memory.remember(&account, &instruments);
                engine.renew_instruments(account.clone(), instruments);
                wait = RENEW_EVERY;
            }
            Err(error) => {
                tracing::warn!(account.id = %account, %error, "the broker could not be asked for its instruments");
                wait = RETRY_AFTER;
            }
        }
    }
}
