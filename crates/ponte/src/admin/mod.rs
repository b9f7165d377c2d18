//! The owner's side: a JSON API, health and metrics. On a loopback address without a login, for programs
//! of this machine; on another one, with pages, for whoever signs in ([`auth`]).
//!
//! | request | answer |
//! |---|---|
//! | `GET /healthz` | `200` while the process lives |
//! | `GET /readyz` | `200` while alerts would be taken, else `503` with the reason |
//! | `GET /metrics` | counts and times in the text format of Prometheus |
//! | `GET /api/status` | [`wire::Status`] |
//! | `GET /api/version` | [`wire::Version`]: what runs, for what is to replace it |
//! | `GET /api/alerts?limit&outcome&strategy&symbol&since` | a list of alerts, newest first |
//! | `GET /api/orders?limit&open&account&symbol&alert` | a list of orders, newest first |
//! | `GET /api/positions` | what each strategy holds and has held |
//! | `GET /api/doctor?account` | [`wire::Diagnosis`] of the account, or of each: brokers are asked |
//! | `GET /api/doctor/here` | a list of [`wire::Group`]: the machine, secrets, senders, the journal, seen from inside |
//! | `POST /api/selftest` | [`wire::SelfTest`]: an alert that can be posted to the webhook, once |
//! | `GET /api/selftest/{number}` | [`wire::SelfTestCourse`]: how far it has come |
//! | `POST /api/try-stop` [`wire::TryStopRequest`] | [`wire::TriedStop`]: a stop was placed and taken back |
//! | `GET /api/why/{id}` | the story of an alert (`A17`) or of an order (its id, or the start of it) |
//! | `GET /api/sources/seen?since` | [`Senders`](crate::journal::Senders): who sent with a right secret |
//! | `POST /api/halt` [`wire::HaltRequest`] | [`wire::Operated`] |
//! | `POST /api/resume`, `/api/flatten` [`wire::ScopeRequest`] | [`wire::Operated`] |
//! | `GET /api/sources` | a list of [`wire::SourceStatus`] |
//! | `POST /api/source` [`wire::SourceRequest`] | [`wire::Operated`] |
//! | `GET /api/secrets` | a list of [`SecretFacts`](crate::secret::SecretFacts), never a secret |
//! | `POST /api/secrets/reload` [`wire::ReloadRequest`] | [`Reloaded`](crate::secret::Reloaded) |
//! | `POST /api/explain?source` with an alert's bytes | [`wire::Explanation`]; nothing happens |
//! | `POST /api/record` [`wire::RecordRequest`] | [`wire::Operated`]; on the loopback address only |
//! | `GET /api/session` | [`wire::Me`] |
//!
//! What goes wrong is `{"error":{"code","message","field"}}`. A web page in the owner's browser
//! must not reach any of this: the `Host` header must name this machine, `Origin` too where there
//! is one, and a request that changes something must be one that a foreign page can't send. The same
//! routes are served to users and tokens from elsewhere, behind the gate of [`auth`].

pub mod auth;
mod control;
mod doctor;
mod error;
mod examination;
mod guard;
mod moment;
mod pages;
mod query;
mod readers;
mod sources;
mod status;
mod version;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use ponte_core::time::Timestamp;

pub(crate) use control::{held_by_file, imagined, source};
pub use doctor::{Doctor, Trying};
pub use error::{ApiError, ErrorBody, ErrorDetail};
pub use examination::NotTried;
pub use moment::{NotAMoment, moment};
pub(crate) use query::{NoStory, find_story};
pub(crate) use sources::{no_such_source, statuses, with_last_uses};
pub(crate) use status::positions;

use auth::{Access, Gate, Role, RouteAccess, Routes};

use crate::config::Config;
use crate::engine::Engine;
use crate::journal;
use crate::metrics::Metrics;
use crate::secret::Keyring;
use readers::Readers;

/// The largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// The file in the data directory that halts everything while it is there.
pub const HALT_FILE: &str = "HALT";
/// The header that every answer carries, with the program's version; `POST /api/explain` must bring it.
pub const PONTE_HEADER: &str = "x-ponte";
/// Longest name of whoever asks for something, in bytes.
pub const BY_BYTES_MAX: usize = 64;
/// Longest reason of a halt, in bytes.
pub const REASON_BYTES_MAX: usize = 500;

/// What the admin address is made of.
#[derive(Clone)]
pub struct Parts {
    /// The way to the engine.
    pub engine: Engine,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What the running process was configured with.
    pub config: Arc<Config>,
    /// Who looks at accounts.
    pub doctor: Arc<dyn Doctor>,
    /// The sources' secrets.
    pub keyring: Arc<Keyring>,
    /// When the process started.
    pub started_at: Timestamp,
    /// Whether the socket for alerts lives on without this process.
    pub held_open: bool,
}

/// What every handler can reach.
#[derive(Clone)]
struct Admin {
    engine: Engine,
    metrics: Arc<Metrics>,
    config: Arc<Config>,
    doctor: Arc<dyn Doctor>,
    keyring: Arc<Keyring>,
    started_at: Timestamp,
    held_open: bool,
    readers: Arc<Readers>,
}

impl Admin {
    fn halt_file(&self) -> PathBuf {
        self.config.data_dir.join(HALT_FILE)
    }
}

impl From<Parts> for Admin {
    fn from(parts: Parts) -> Self {
        let Parts {
            engine,
            metrics,
            config,
            doctor,
            keyring,
            started_at,
            held_open,
        } = parts;
        let readers = Arc::new(Readers::new(journal::path_in(&config.data_dir)));
        Self {
            engine,
            metrics,
            config,
            doctor,
            keyring,
            started_at,
            held_open,
            readers,
        }
    }
}

/// The routes of the loopback address, with their protection.
pub fn router(parts: Parts) -> Router {
    let (routes, _) = api().finish(Admin::from(parts));
    bounded(routes).layer(middleware::from_fn(guard::check))
}

/// The routes of the address beyond loopback: the same, and pages, behind the gate.
pub fn remote_router(parts: Parts, remote: auth::Remote) -> Router {
    let admin = Admin::from(parts);
    let remote = Arc::new(remote);
    let (routes, mut list) = api().finish(admin.clone());
    let (pages, of_pages) = pages::routes().finish(pages::Pages {
        admin,
        remote: remote.clone(),
    });
    list.extend(of_pages);
    let gate = Arc::new(Gate::new(remote, &list));
    bounded(routes.merge(pages)).layer(middleware::from_fn_with_state(gate, auth::check))
}

/// Every route of the address beyond loopback, with who may call it.
#[must_use]
pub fn routes() -> Vec<RouteAccess> {
    let mut list = api().list();
    list.extend(pages::routes().list());
    list
}

fn bounded(router: Router) -> Router {
    router
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// What both addresses serve.
fn api() -> Routes<Admin> {
    const VIEW: Access = Access::Api(Role::View);
    const OPERATE: Access = Access::Api(Role::Operate);
    Routes::new()
        .get("/healthz", Access::Open, status::healthz)
        .get("/readyz", VIEW, status::readyz)
        .get("/metrics", VIEW, status::metrics)
        .get("/api/session", VIEW, status::me)
        .get("/api/status", VIEW, status::status)
        .get("/api/version", VIEW, version::version)
        .get("/api/alerts", VIEW, query::alerts)
        .get("/api/orders", VIEW, query::orders)
        .get("/api/positions", VIEW, status::list_positions)
        .get("/api/doctor", VIEW, doctor::doctor)
        .get("/api/doctor/here", VIEW, examination::here)
        .post("/api/selftest", Access::Local, examination::make_self_test)
        .get(
            "/api/selftest/{number}",
            Access::Local,
            examination::self_test,
        )
        .post("/api/try-stop", Access::Local, examination::try_stop)
        .get("/api/why/{id}", VIEW, query::why)
        .get("/api/sources", VIEW, sources::sources)
        .get("/api/sources/seen", VIEW, query::senders)
        .get("/api/secrets", OPERATE, sources::secrets)
        .post("/api/source", OPERATE, sources::switch)
        .post("/api/secrets/reload", Access::Local, sources::reload)
        .post("/api/halt", OPERATE, control::halt)
        .post("/api/resume", OPERATE, control::resume)
        .post("/api/flatten", OPERATE, control::flatten)
        .post("/api/explain", OPERATE, control::explain)
        .post("/api/record", Access::Local, control::record)
}
