//! The listeners around the core: the public webhook and the owner's admin address.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::{join_all, select_all};
use ponte_core::format::Format;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::inherited::{Addresses, Inherited};
use super::{Core, RunError, certificates, gate, service_manager};
use crate::bridge::Hub;
use crate::config::{self, AdminRemote, Bridge, Broker, Config, Loaded, SourceFormat};
use crate::doctor::secrets::of_accounts;
use crate::intake::{BODY_READ_MAX, Intake, PlainSide};
use crate::secret::Keyring;
use crate::server::acme::Acme;
use crate::server::{Certificate, Gate, Limits, Security, Tls};
use crate::{admin, clock, server};

/// How long orders on their way to a broker are waited for at least, after the listeners' end.
const SETTLE_MIN: Duration = Duration::from_millis(100);
/// Most connections at once where the owner signs in: a few people and their programs.
const OWNER_CONNECTIONS_MAX: u32 = 512;
/// Most of them from one address.
const OWNER_CONNECTIONS_PER_ADDRESS_MAX: u32 = 64;

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
    /// Where the certificate authority's questions are answered, if they come over HTTP.
    pub challenges: Option<SocketAddr>,
    /// Whether the socket for alerts lives on without this process, so that a restart loses none.
    pub held_open: bool,
    /// How many events were replayed at the start.
    pub replayed: u64,
    core: Core,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<Result<(), RunError>>>,
    upkeep: Vec<JoinHandle<()>>,
}

/// Starts everything. The addresses are taken first, so that a second Ponte does nothing at all.
///
/// # Errors
/// When an address, the journal or a broker can't be used.
pub async fn serve(loaded: Loaded) -> Result<Served, RunError> {
    serve_inheriting(loaded, Inherited::none()).await
}

/// [`serve`] at sockets that were handed over, where they are the configuration's addresses.
async fn serve_inheriting(mut loaded: Loaded, inherited: Inherited) -> Result<Served, RunError> {
    let (security, acme) = certificates::of_webhook(&loaded.config)?;
    let Doors {
        webhook,
        plain,
        admin,
        remote,
        bridge,
    } = Doors::take(&loaded.config, inherited, security, acme.as_deref()).await?;
    let held_open = webhook.limits.held_open;
    let started_at = clock::now();
    let account_secrets = of_accounts(&loaded);
    let mut core = Core::start(&mut loaded).await?;
    let Loaded {
        config,
        secrets,
        spare_secrets,
        ..
    } = loaded;
    let keys = config::source_keys(&config);
    let keyring = core.keep(Keyring::new(keys, secrets, spare_secrets));
    let config = Arc::new(config);
    let (stop, stopping) = watch::channel(false);
    let alerts = alerts(&core, &config, keyring.clone());
    let owner = admin::Parts {
        engine: core.engine.clone(),
        metrics: core.metrics.clone(),
        config: config.clone(),
        doctor: core.doctor(config.clone(), keyring.clone(), account_secrets),
        keyring,
        started_at,
        held_open,
    };
    let addresses = (
        webhook.address()?,
        admin.address()?,
        bridge.as_ref().map(Taken::address).transpose()?,
        plain.as_ref().map(Taken::address).transpose()?,
        remote.as_ref().map(Taken::address).transpose()?,
    );
    let from_elsewhere = from_elsewhere(&core, &config, &owner)?;
    let mut listeners = vec![
        webhook.serve(alerts, stopping.clone()),
        admin.serve(admin::router(owner), stopping.clone()),
    ];
    if let (Some(plain), Some(acme)) = (plain, &acme) {
        let router = plain_side(&core, &config, acme.clone()).router();
        listeners.push(plain.serve(router, stopping.clone()));
    }
    if let (Some(remote), Some(router)) = (remote, from_elsewhere) {
        listeners.push(remote.serve(router, stopping.clone()));
    }
    listeners.extend(bridge.map(|bridge| bridge.serve(core.hub().router(), stopping)));
    let watch = certificates::watch(config, core.metrics.clone());
    let mut upkeep = vec![tokio::spawn(watch)];
    upkeep.extend(acme.map(|acme| tokio::spawn(acme.keep_fresh())));
    Ok(Served {
        webhook: addresses.0,
        admin: addresses.1,
        remote: addresses.4,
        bridge: addresses.2,
        challenges: addresses.3,
        held_open,
        replayed: core.replayed,
        core,
        stop,
        listeners,
        upkeep,
    })
}

/// Runs until `shutdown` is ready; calls `up` once alerts are taken. The service manager, if there is
/// one, is told.
///
/// # Errors
/// When it can't start, or a listener gives up.
pub async fn run(
    loaded: Loaded,
    inherited: Inherited,
    up: impl FnOnce(&Served),
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    service_manager::starting("starts");
    let mut served = serve_inheriting(loaded, inherited).await?;
    served.tell_service_manager();
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
        self.stop.closed().await;
        service_manager::stopping();
        for task in self.upkeep.drain(..) {
            task.abort();
        }
        // What is held for bridges must not hold up the end.
        self.core.hub().close();
        let began = clock::instant();
        // A failure of a listener was told when it happened.
        let _ = join_all(self.listeners.drain(..)).await;
        let left = server::DRAIN_MAX.saturating_sub(began.elapsed());
        self.core.settle(left.max(SETTLE_MIN)).await;
        self.core.stop().await;
    }

    /// Tells the service manager from now on how it goes, if there is one.
    fn tell_service_manager(&mut self) {
        if service_manager::listens() {
            let place = self.webhook.to_string();
            let attend = service_manager::attend(self.core.engine.clone(), place);
            self.core.tasks.push(tokio::spawn(attend));
        }
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

/// Every address that Ponte listens at.
struct Doors {
    webhook: Taken,
    /// Where the certificate authority asks over HTTP.
    plain: Option<Taken>,
    admin: Taken,
    /// Where the owner signs in from elsewhere.
    remote: Option<Taken>,
    bridge: Option<Taken>,
}

impl Doors {
    /// Takes all addresses of the configuration, each from what was handed over, or else anew.
    async fn take(
        config: &Config,
        inherited: Inherited,
        security: Security,
        acme: Option<&Acme>,
    ) -> Result<Self, RunError> {
        let mut addresses = Addresses::new(inherited);
        let webhook = Taken {
            security,
            gate: gate::of_webhook(&config.webhook),
            ..Taken::take(&mut addresses, "webhook.listen", config.webhook.listen).await?
        };
        let plain = match acme.and_then(Acme::http_listen) {
            Some(at) => Some(Taken {
                gate: gate::of_plain_side(&config.webhook),
                ..Taken::take(&mut addresses, "webhook.acme.http_listen", at).await?
            }),
            None => None,
        };
        let admin = Taken::take(&mut addresses, "admin.listen", config.admin.listen).await?;
        let remote = match &config.admin.remote {
            Some(remote) => Some(Taken::for_owner(&mut addresses, remote).await?),
            None => None,
        };
        let bridge = match terminals_call_at(config) {
            Some(bridge) => Some(Taken::for_bridges(&mut addresses, bridge).await?),
            None => None,
        };
        addresses.all_claimed()?;
        Ok(Self {
            webhook,
            plain,
            admin,
            remote,
            bridge,
        })
    }
}

/// An address that was taken, and how it is served.
struct Taken {
    /// The key in the configuration.
    what: &'static str,
    listener: TcpListener,
    security: Security,
    gate: Gate,
    limits: Limits,
}

impl Taken {
    async fn take(
        addresses: &mut Addresses,
        what: &'static str,
        address: SocketAddr,
    ) -> Result<Self, RunError> {
        let (listener, held_open) = addresses.take(what, address).await?;
        Ok(Self {
            what,
            listener,
            security: Security::Plain,
            gate: Gate::default(),
            limits: Limits {
                held_open,
                ..Limits::default()
            },
        })
    }

    async fn for_owner(addresses: &mut Addresses, remote: &AdminRemote) -> Result<Self, RunError> {
        let security = match &remote.tls {
            Some(files) => {
                let read = Certificate::read(files.clone());
                let certificate = read.map_err(|source| RunError::Certificate {
                    section: "admin.remote",
                    source,
                })?;
                Security::Tls(Tls::with_files(certificate))
            }
            None => Security::Plain,
        };
        let taken = Self::take(addresses, "admin.remote.listen", remote.listen).await?;
        let proxies = remote.trusted_proxies.clone();
        let gate = Gate {
            is_known: Arc::new(|_| false),
            is_proxy: Arc::new(move |peer| proxies.iter().any(|range| range.contains(peer))),
            connections_per_address_max: OWNER_CONNECTIONS_PER_ADDRESS_MAX,
            ..Gate::default()
        };
        Ok(Self {
            security,
            limits: Limits {
                connections_max: OWNER_CONNECTIONS_MAX,
                ..taken.limits
            },
            gate,
            ..taken
        })
    }

    async fn for_bridges(addresses: &mut Addresses, bridge: &Bridge) -> Result<Self, RunError> {
        let security = match &bridge.tls {
            Some(files) => {
                let read = Certificate::read(files.clone());
                let certificate = read.map_err(|source| RunError::Certificate {
                    section: "bridge",
                    source,
                })?;
                Security::Tls(Tls::with_files(certificate))
            }
            None => Security::Plain,
        };
        let taken = Self::take(addresses, "bridge.listen", bridge.listen).await?;
        let limits = Limits {
            held_open: taken.limits.held_open,
            ..Hub::limits()
        };
        Ok(Self {
            security,
            limits,
            ..taken
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
            // An end of the sender is an end as well. Once the receiver is dropped, the drain has begun.
            let stopped = async move {
                drop(stopping.wait_for(|stop| *stop).await);
                stopping
            };
            let Self {
                listener,
                security,
                gate,
                limits,
                ..
            } = self;
            server::serve_gated(listener, router, &security, gate, limits, stopped)
                .await
                .map_err(|source| RunError::Serve { what, source })
        })
    }
}

fn plain_side(core: &Core, config: &Config, acme: Arc<Acme>) -> PlainSide {
    PlainSide {
        acme,
        engine: core.engine.clone(),
        failures_per_minute: config.webhook.failures_per_minute,
        metrics: core.metrics.clone(),
    }
}

/// The public side: the webhook, and what a platform asks to see whether Ponte is well.
fn alerts(core: &Core, config: &Config, keyring: Arc<Keyring>) -> Router {
    let router = intake(core, config, keyring).router();
    match &config.webhook.health_path {
        Some(path) => router.merge(crate::intake::health(path, core.engine.clone())),
        None => router,
    }
}

fn intake(core: &Core, config: &Config, keyring: Arc<Keyring>) -> Intake {
    let formats = config.sources.iter().map(|source| {
        let format = match source.format {
            SourceFormat::Ponte => Format::Ponte,
        };
        (source.name.clone(), format)
    });
    Intake {
        engine: core.engine.clone(),
        keyring,
        formats: formats.collect(),
        allow_from: config.webhook.allow_from.clone(),
        trusted_proxies: config.webhook.trusted_proxies.clone(),
        client_address: config.webhook.client_address,
        client_certificate: config.webhook.client_certificate.clone(),
        failures_per_minute: config.webhook.failures_per_minute,
        body_read_max: BODY_READ_MAX,
        self_tests: core.self_tests.clone(),
        metrics: core.metrics.clone(),
    }
}
