//! The listeners around the core: the public webhook and the owner's admin address.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::select_all;
use ponte_core::format::Format;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Core, RunError};
use crate::bridge::Hub;
use crate::config::{Bridge, Broker, Config, Loaded, SourceFormat};
use crate::intake::{BODY_READ_MAX, Intake};
use crate::secret::SourceSecrets;
use crate::server::{Certificate, Limits, Security};
use crate::{admin, clock, server};

/// A whole Ponte that runs.
pub struct Served {
    /// Where alerts are received.
    pub webhook: SocketAddr,
    /// Where the owner asks.
    pub admin: SocketAddr,
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
    let webhook_listener = listen("webhook.listen", loaded.config.webhook.listen).await?;
    let admin_listener = listen("admin.listen", loaded.config.admin.listen).await?;
    let (bridge_listener, security) = listen_for_bridges(&loaded.config).await?;
    let started_at = clock::now();
    let core = Core::start(&mut loaded).await?;
    let Loaded {
        config, secrets, ..
    } = loaded;
    let config = Arc::new(config);
    let (webhook, admin_address) = (address(&webhook_listener)?, address(&admin_listener)?);
    let bridge = bridge_listener.as_ref().map(address).transpose()?;
    let (stop, stopping) = watch::channel(false);
    let intake = intake(&core, &config, secrets).router();
    let owner = admin::router(admin::Parts {
        engine: core.engine.clone(),
        metrics: core.metrics.clone(),
        config: config.clone(),
        doctor: core.doctor(config),
        started_at,
    });
    let serve = |what, listener, router, security: Security, limits: Limits| {
        let mut stopping = stopping.clone();
        tokio::spawn(async move {
            // An end of the sender is an end as well.
            let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
            server::serve_secured(listener, router, &security, limits, stopped)
                .await
                .map_err(|source| RunError::Serve { what, source })
        })
    };
    let usual = Limits::default();
    let mut listeners = vec![
        serve(
            "webhook.listen",
            webhook_listener,
            intake,
            Security::Plain,
            usual,
        ),
        serve(
            "admin.listen",
            admin_listener,
            owner,
            Security::Plain,
            usual,
        ),
    ];
    if let Some(listener) = bridge_listener {
        let router = core.hub().router();
        listeners.push(serve(
            "bridge.listen",
            listener,
            router,
            security,
            Hub::limits(),
        ));
    }
    Ok(Served {
        webhook,
        admin: admin_address,
        bridge,
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

async fn listen_for_bridges(config: &Config) -> Result<(Option<TcpListener>, Security), RunError> {
    let Some(bridge) = terminals_call_at(config) else {
        return Ok((None, Security::Plain));
    };
    let listener = listen("bridge.listen", bridge.listen).await?;
    Ok((Some(listener), secured(bridge)?))
}

fn secured(bridge: &Bridge) -> Result<Security, RunError> {
    let Some(files) = &bridge.tls else {
        return Ok(Security::Plain);
    };
    Ok(Security::Tls(Certificate::read(files.clone())?))
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen {
            what,
            address,
            source,
        })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, RunError> {
    listener.local_addr().map_err(|source| RunError::Serve {
        what: "listen",
        source,
    })
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
