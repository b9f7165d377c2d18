//! The listeners around the core: the public webhook and the owner's admin address.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use futures_util::future::select_all;
use ponte_core::format::Format;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Core, RunError};
use crate::bridge::Hub;
use crate::config::{AdminRemote, Bridge, Broker, Config, Loaded, SourceFormat};
use crate::intake::{BODY_READ_MAX, Intake};
use crate::secret::SourceSecrets;
use crate::server::{Certificate, Limits, Security, Tls};
use crate::{admin, clock, server};

/// Most connections at once where the owner signs in: a few people and their programs.
const OWNER_CONNECTIONS_MAX: u32 = 512;

/// A whole Ponte that runs.
pub struct Served {
    /// Where alerts are received.
    pub webhook: SocketAddr,
    /// Where the owner asks.
    pub admin: SocketAddr,
    /// Where the owner signs in from elsewhere, if anywhere.
    pub remote: Option<SocketAddr>,
    /// Where the bridges beside terminals call, if there are any.
    pub bridge: Option<SocketAddr>,
    /// How many events were replayed at the start.
    pub replayed: u64,
    core: Core,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<Result<(), RunError>>>,
}

/// Starts everything. The addresses are taken first, so that a second Ponte does nothing at all.
///
/// # Errors
/// When an address, the journal or a broker can't be used.
pub async fn serve(mut loaded: Loaded) -> Result<Served, RunError> {
    let webhook = Taken::take("webhook.listen", loaded.config.webhook.listen).await?;
    let admin = Taken::take("admin.listen", loaded.config.admin.listen).await?;
    let remote = match &loaded.config.admin.remote {
        Some(remote) => Some(Taken::for_owner(remote).await?),
        None => None,
    };
    let bridge = match terminals_call_at(&loaded.config) {
        Some(bridge) => Some(Taken::for_bridges(bridge).await?),
        None => None,
    };
    let started_at = clock::now();
    let core = Core::start(&mut loaded).await?;
    let Loaded {
        config, secrets, ..
    } = loaded;
    let config = Arc::new(config);
    let (stop, stopping) = watch::channel(false);
    let intake = intake(&core, &config, secrets).router();
    let owner = admin::Parts {
        engine: core.engine.clone(),
        metrics: core.metrics.clone(),
        config: config.clone(),
        doctor: core.doctor(config.clone()),
        started_at,
    };
    let addresses = (
        webhook.address()?,
        admin.address()?,
        bridge.as_ref().map(Taken::address).transpose()?,
        remote.as_ref().map(Taken::address).transpose()?,
    );
    let from_elsewhere = from_elsewhere(&core, &config, &owner)?;
    let mut listeners = vec![
        webhook.serve(intake, stopping.clone()),
        admin.serve(admin::router(owner), stopping.clone()),
    ];
    if let (Some(remote), Some(router)) = (remote, from_elsewhere) {
        listeners.push(remote.serve(router, stopping.clone()));
    }
    listeners.extend(bridge.map(|bridge| bridge.serve(core.hub().router(), stopping)));
    Ok(Served {
        webhook: addresses.0,
        admin: addresses.1,
        remote: addresses.3,
        bridge: addresses.2,
        replayed: core.replayed,
        core,
        stop,
        listeners,
    })
}

/// Runs until `shutdown` is ready; calls `up` once alerts are taken.
///
/// # Errors
/// When it can't start, or a listener gives up.
pub async fn run(
    loaded: Loaded,
    up: impl FnOnce(&Served),
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let mut served = serve(loaded).await?;
    up(&served);
    let failed = tokio::select! {
        () = shutdown => Ok(()),
        failed = served.listener_gave_up() => failed,
    };
    served.stop().await;
    failed
}

impl Served {
    /// Takes no more alerts, answers those on their way, and ends.
    pub async fn stop(mut self) {
        // The receivers are the listeners, which have ended if nobody listens.
        let _ = self.stop.send(true);
        // What is held for bridges must not hold up the end.
        self.core.hub().close();
        for listener in self.listeners.drain(..) {
            // A failure was told when it happened.
            let _ = listener.await;
        }
        self.core.stop().await;
    }

    /// Waits until a listener ends, which none does by itself while it works.
    async fn listener_gave_up(&mut self) -> Result<(), RunError> {
        let (ended, _, _) = select_all(&mut self.listeners).await;
        self.listeners.retain(|listener| !listener.is_finished());
        ended.unwrap_or(Ok(()))
    }
}

/// Where bridges call; `None` where no account is in a terminal.
fn terminals_call_at(config: &Config) -> Option<&Bridge> {
    let mut accounts = config.accounts.iter();
    let any = accounts.any(|account| matches!(account.broker, Broker::Mt5(_)));
    config.bridge.as_ref().filter(|_| any)
}

/// What is served to whoever signs in from elsewhere; `None` where nobody can.
fn from_elsewhere(
    core: &Core,
    config: &Config,
    owner: &admin::Parts,
) -> Result<Option<Router>, RunError> {
    let Some(remote) = &config.admin.remote else {
        return Ok(None);
    };
    let remote = admin::auth::Remote::new(core.engine.clone(), remote, &config.data_dir)?;
    Ok(Some(admin::remote_router(owner.clone(), remote)))
}

/// An address that was taken, and how it is served.
struct Taken {
    /// The key in the configuration.
    what: &'static str,
    listener: TcpListener,
    security: Security,
    limits: Limits,
}

impl Taken {
    async fn take(what: &'static str, address: SocketAddr) -> Result<Self, RunError> {
        let listener = TcpListener::bind(address).await;
        Ok(Self {
            what,
            listener: listener.map_err(|source| RunError::Listen {
                what,
                address,
                source,
            })?,
            security: Security::Plain,
            limits: Limits::default(),
        })
    }

    async fn for_owner(remote: &AdminRemote) -> Result<Self, RunError> {
        let security = match &remote.tls {
            Some(files) => {
                let certificate = Certificate::read(files.clone());
                Security::Tls(Tls::with_files(
                    certificate.map_err(RunError::AdminCertificate)?,
                ))
            }
            None => Security::Plain,
        };
        Ok(Self {
            security,
            limits: Limits {
                connections_max: OWNER_CONNECTIONS_MAX,
                ..Limits::default()
            },
            ..Self::take("admin.remote.listen", remote.listen).await?
        })
    }

    async fn for_bridges(bridge: &Bridge) -> Result<Self, RunError> {
        let security = match &bridge.tls {
            Some(files) => Security::Tls(Tls::with_files(Certificate::read(files.clone())?)),
            None => Security::Plain,
        };
        Ok(Self {
            security,
            limits: Hub::limits(),
            ..Self::take("bridge.listen", bridge.listen).await?
        })
    }

    fn address(&self) -> Result<SocketAddr, RunError> {
        let what = self.what;
        let address = self.listener.local_addr();
        address.map_err(|source| RunError::Serve { what, source })
    }

    /// Answers requests until it is time to stop.
    fn serve(
        self,
        router: Router,
        mut stopping: watch::Receiver<bool>,
    ) -> JoinHandle<Result<(), RunError>> {
        let what = self.what;
        tokio::spawn(async move {
            // An end of the sender is an end as well.
            let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
            server::serve_secured(self.listener, router, &self.security, self.limits, stopped)
                .await
                .map_err(|source| RunError::Serve { what, source })
        })
    }
}

fn intake(core: &Core, config: &Config, secrets: SourceSecrets) -> Intake {
    let formats = config.sources.iter().map(|source| {
        let format = match source.format {
            SourceFormat::Ponte => Format::Ponte,
        };
        (source.name.clone(), format)
    });
    Intake {
        engine: core.engine.clone(),
        secrets,
        formats: formats.collect(),
        allow_from: config.webhook.allow_from.clone(),
        trusted_proxies: config.webhook.trusted_proxies.clone(),
        client_address: config.webhook.client_address,
        failures_per_minute: config.webhook.failures_per_minute,
        body_read_max: BODY_READ_MAX,
        metrics: core.metrics.clone(),
    }
}
