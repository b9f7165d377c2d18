//! The assembly: the only room that knows all parts and puts them together.

mod binance;
mod books;
mod brokers;
mod certificates;
mod doctor;
mod gate;
mod halt_file;
mod housekeeping;
mod inherited;
mod instruments;
mod keys;
mod secrets;
mod selftest;
mod serve;
mod service_manager;
mod terminals;
mod trystop;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use ponte_core::decide::Quotes;
use ponte_core::order::OrderStatus;
use ponte_core::policy::Policy;
use ponte_core::state::State;
use tokio::sync::mpsc;

use terminals::Terminal;

use crate::admin;
use crate::bridge::Hub;
use crate::config::{self, Keep, Loaded, UnknownAccount};
use crate::doctor::secrets::AccountSecret;
use crate::engine::{Engine, Parts, Retention, Running, StartError};
use crate::execution;
use crate::intake::selftest::SelfTests;
use crate::journal::{JournalError, Writer};
use crate::metrics::Metrics;
use crate::secret::{Entry, Keyring, SourceSecrets};

pub use brokers::ConnectError;
pub use certificates::certificates;
pub use inherited::Inherited;
pub use serve::{Served, run, serve};

/// The wait between two looks at the orders that are on their way at the end.
const SETTLE_STEP: Duration = Duration::from_millis(5);

/// What can keep Ponte from starting.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The engine's thread can't be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A broker can't be used.
    #[error(transparent)]
    Broker(#[from] ConnectError),
    /// The configuration and the brokers don't fit.
    #[error(transparent)]
    Policy(#[from] UnknownAccount),
    /// An address can't be listened on.
    #[error("{what} can't listen on {address}: {source}")]
    Listen {
        /// The key in the configuration.
        what: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A socket that was handed over can't be used; in whole sentences, with what to do.
    #[error("{0}")]
    Inherited(String),
    /// A listener's certificate can't be used.
    #[error("{section}: {source}")]
    Certificate {
        /// The section in the configuration.
        section: &'static str,
        /// Why.
        source: crate::server::CertificateError,
    },
    /// No certificate can be ordered.
    #[error("webhook.acme: {0}")]
    Acme(#[from] crate::server::acme::AcmeError),
    /// Nobody can sign in from elsewhere.
    #[error(transparent)]
    Remote(#[from] admin::auth::RemoteError),
    /// A listener gave up.
    #[error("{what} can't accept connections any more: {source}")]
    Serve {
        /// The key in the configuration.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl RunError {
    /// What to do about it, as a sentence's end, where it doesn't say so itself.
    #[must_use]
    pub fn cure(&self) -> Option<String> {
        match self {
            Self::Listen { what, source, .. } => Some(cure_of_listening(what, source.kind())),
            Self::Certificate { source, .. } => Some(source.cure()),
            Self::Remote(error) => error.cure().map(str::to_owned),
            Self::Journal(_)
            | Self::Start(_)
            | Self::Broker(_)
            | Self::Policy(_)
            | Self::Inherited(_)
            | Self::Acme(_)
            | Self::Serve { .. } => None,
        }
    }
}

fn cure_of_listening(what: &str, kind: ErrorKind) -> String {
    if kind == ErrorKind::PermissionDenied {
        return "ports below 1024 need a right: let systemd hold the socket (ponte.socket), or setcap \
                cap_net_bind_service=+ep on the program's file"
            .to_owned();
    }
    if kind == ErrorKind::AddrNotAvailable {
        return format!(
            "no interface of this machine has that address: write {what} = \"0.0.0.0:PORT\" for all of them"
        );
    }
    "choose another port, or stop what uses this one".to_owned()
}

/// The running core: everything but the listeners.
pub struct Core {
    /// The way to the engine.
    pub engine: Engine,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How many events were replayed at the start.
    pub replayed: u64,
    /// The tests with which it is asked from outside whether it works.
    pub self_tests: Arc<SelfTests>,
    quotes: Arc<dyn Quotes + Send + Sync>,
    brokers: execution::Brokers,
    terminals: Vec<Terminal>,
    hub: Arc<Hub>,
    running: Running,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Core {
    /// Reads the journal, connects the brokers and starts the engine and execution. The brokers'
    /// keys are taken out of `loaded`.
    ///
    /// # Errors
    /// When one of them can't be used.
    pub async fn start(loaded: &mut Loaded) -> Result<Self, RunError> {
        let config = &loaded.config;
        let mut writer = Writer::open(&config.data_dir)?;
        let journal = writer.load_reporting(|events| {
            service_manager::starting(&format!("reads the journal: {events} events"));
        })?;
        let secrets = &mut loaded.broker_secrets;
        let tokens = &mut loaded.terminal_tokens;
        let connected = brokers::connect(config, &journal.state, secrets, tokens).await?;
        let policy = config::policy(config, &journal.installation, &connected.facts)?;
        let first_prices = Arc::new(connected.first_prices(config));
        let metrics = Arc::new(Metrics::default());
        let quotes: Arc<dyn Quotes + Send + Sync> = Arc::new(connected.quotes);
        let (commands, received) = mpsc::unbounded_channel();
        let (engine, running) = Engine::start(Parts {
            writer,
            state: journal.state,
            policy,
            quotes: quotes.clone(),
            commands,
            metrics: metrics.clone(),
            retention: retention(config),
        })
        .map_err(StartError::from)?;
        let engine = engine.with_prelude(first_prices);
        let terminals = connected.terminals;
        let mut tasks = brokers::follow(&engine, &connected.brokers, &terminals);
        let feeds = connected.feeds.into_iter();
        tasks.extend(feeds.map(|feed| tokio::spawn(async move { feed.run().await })));
        for unchecked in connected.unchecked {
            tasks.push(tokio::spawn(keys::keep_asking(engine.clone(), unchecked)));
        }
        let memory = instruments::Memory::in_data_dir(&config.data_dir);
        for terminal in &terminals {
            tasks.extend(terminal.follow(&engine, &memory, &metrics));
        }
        tasks.extend(instruments::keep_fresh(
            &engine,
            &memory,
            &connected.brokers,
            &connected.with_lists,
        ));
        tasks.push(tokio::spawn(execution::run(
            engine.clone(),
            connected.brokers.clone(),
            metrics.clone(),
            received,
        )));
        tasks.push(tokio::spawn(halt_file::watch(
            engine.clone(),
            config.data_dir.clone(),
        )));
        tasks.push(tokio::spawn(housekeeping::gauges(
            engine.clone(),
            metrics.clone(),
            crate::journal::path_in(&config.data_dir),
        )));
        Ok(Self {
            engine,
            metrics,
            replayed: journal.replayed,
            self_tests: Arc::new(SelfTests::new()),
            quotes,
            brokers: connected.brokers,
            hub: Hub::new(terminals.iter().map(|known| known.line.clone()).collect()),
            terminals,
            running,
            tasks,
        })
    }

    /// Who looks at the accounts.
    #[must_use]
    pub fn doctor(
        &self,
        config: Arc<config::Config>,
        keyring: Arc<Keyring>,
        account_secrets: Vec<AccountSecret>,
    ) -> Arc<dyn admin::Doctor> {
        Arc::new(doctor::Examiner {
            engine: self.engine.clone(),
            config,
            keyring,
            account_secrets,
            self_tests: self.self_tests.clone(),
            quotes: self.quotes.clone(),
            one_stop_at_a_time: tokio::sync::Mutex::default(),
            brokers: self.brokers.clone(),
            terminals: self.terminals.clone(),
        })
    }

    /// Keeps the sources' secrets as their files and the vault are, from now on.
    fn keep(
        &mut self,
        config: &config::Config,
        secrets: SourceSecrets,
        spare: Vec<Entry>,
    ) -> Arc<Keyring> {
        let keyring = Keyring::new(config::source_keys(config), secrets, spare);
        let keyring = keyring.with_vault(&config.data_dir, config.vault.as_ref());
        let keyring = Arc::new(keyring);
        let watch = secrets::watch(self.engine.clone(), keyring.clone());
        self.tasks.push(tokio::spawn(watch));
        keyring
    }

    /// Where the bridges beside terminals call.
    #[must_use]
    pub fn hub(&self) -> Arc<Hub> {
        self.hub.clone()
    }

    /// Waits until no order is on its way to a broker, at most for so long: an order whose answer
    /// nobody hears has an unknown fate, which the next start must ask about.
    pub async fn settle(&self, patience: Duration) {
        let on_its_way = |state: &State| {
            let mut orders = state.unsettled_orders();
            orders.any(|order| order.status == OrderStatus::Submitting)
        };
        let settled = async {
            while let Ok(true) = self.engine.look(on_its_way).await {
                tokio::time::sleep(SETTLE_STEP).await;
            }
        };
        if tokio::time::timeout(patience, settled).await.is_err() {
            tracing::warn!("orders are on their way to a broker; the next start asks about them");
        }
    }

    /// Decides what waits, writes a snapshot and ends everything.
    pub async fn stop(self) {
        self.engine.stop();
        let running = self.running;
        // The thread writes its last snapshot; a join must not hold up the runtime.
        let _ = tokio::task::spawn_blocking(move || running.join()).await;
        for task in self.tasks {
            task.abort();
        }
    }
}

/// What the engine would decide by, now and here: the policy and the market's prices. Nothing is
/// written and nothing is sent.
///
/// # Errors
/// When a broker can't be asked what it can do.
pub async fn outlook(
    config: &config::Config,
    journal: &crate::journal::Loaded,
) -> Result<(Policy, Arc<dyn Quotes + Send + Sync>), RunError> {
    let connected = brokers::facts_offline(config, &journal.state).await?;
    let policy = config::policy(config, &journal.installation, &connected.facts)?;
    Ok((policy, Arc::new(connected.quotes)))
}

fn retention(config: &config::Config) -> Retention {
    let span = |keep: Keep| match keep {
        Keep::Forever => None,
        Keep::For(span) => Some(span),
    };
    Retention {
        requests: span(config.retention.refusals),
        events: span(config.retention.events),
    }
}
