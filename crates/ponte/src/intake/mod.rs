//! Intake: from the bytes of a request to an alert in the engine's hands, or to a refusal.
//!
//! It knows HTTP, addresses, secrets and message formats, and nothing of accounts. The order of
//! work is fixed: the client's address, the allowlist, the size, the secret, the message. Until
//! the secret was right nobody is told why a request was turned away: every `403` has the same
//! bytes.
//!
//! The limit on failures never stands between a right secret and the engine. TradingView sends
//! everybody's alerts from the same few addresses, and a proxy everybody's from one: whoever
//! fails there could else lock out the owner, whose alert would be lost, since TradingView does
//! not send again after a `429`. What the limit takes away from an address is the record that its
//! failures leave in the journal and in the log, and the `403`.

mod answer;
mod certificate;
mod door;
mod health;
mod plain;
mod receive;
pub mod selftest;
mod stray;
mod tripwire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use ponte_core::format::Format;
use ponte_core::id::SourceName;
use tokio::sync::Semaphore;

use crate::config::{AllowFrom, Cidr, ClientAddress, ClientCertificateRules};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::secret::Keyring;
use crate::server::failures::Failures;
use certificate::Certificates;
use door::Door;
pub use health::health;
pub use plain::PlainSide;
use receive::Desk;
use selftest::SelfTests;
use tripwire::Tripwires;

/// How long the whole body may take to arrive. TradingView gives up after three seconds.
pub const BODY_READ_MAX: Duration = Duration::from_secs(10);
/// Most larger bodies that are held at once, so that 64 MiB is the most that they take.
const LARGE_BODIES_MAX: usize = 256;
/// The same for those who may not send, in which only tripwires are looked for: 4 MiB.
const STRANGERS_LARGE_BODIES_MAX: usize = 16;

/// What the webhook is made of.
pub struct Intake {
    /// Where alerts go.
    pub engine: Engine,
    /// The sources' secrets.
    pub keyring: Arc<Keyring>,
    /// How each of these sources writes its messages.
    pub formats: BTreeMap<SourceName, Format>,
    /// The addresses that may send.
    pub allow_from: AllowFrom,
    /// The proxies whose forwarding header is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Which header of a trusted proxy names the client.
    pub client_address: ClientAddress,
    /// What a sender's TLS certificate must be.
    pub client_certificate: ClientCertificateRules,
    /// Failed requests that one address may make per minute before it is answered `429`.
    pub failures_per_minute: u32,
    /// How long a body may take; [`BODY_READ_MAX`] outside of tests.
    pub body_read_max: Duration,
    /// The tests with which Ponte is asked from outside whether it works.
    pub self_tests: Arc<SelfTests>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Intake {
    /// The webhook's routes: `POST /webhook` and `POST /webhook/{token}`, nothing else.
    pub fn router(self) -> Router {
        let desk = Desk {
            engine: self.engine.clone(),
            door: Door::new(self.keyring, self.formats),
            tripwires: Tripwires::new(self.engine.clone(), self.metrics.clone()),
            allow_from: self.allow_from,
            trusted_proxies: self.trusted_proxies,
            client_address: self.client_address,
            certificates: Certificates::new(self.client_certificate),
            failures: Failures::new(self.failures_per_minute),
            body_read_max: self.body_read_max,
            large_bodies: Semaphore::new(LARGE_BODIES_MAX),
            strangers_large_bodies: Semaphore::new(STRANGERS_LARGE_BODIES_MAX),
            self_tests: self.self_tests,
            metrics: self.metrics,
        };
        Router::new()
            .route("/webhook", post(webhook))
            .route("/webhook/{token}", post(webhook_with_token))
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method)
            .with_state(Arc::new(desk))
    }
}

async fn webhook(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    desk.receive(request, None).await
}

async fn webhook_with_token(
    State(desk): State<Arc<Desk>>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What can't be decoded is a token all the same, and a wrong one.
    let token = token.map_or_else(|_| String::new(), |Path(token)| token);
    desk.receive(request, Some(token)).await
}

async fn no_such_path(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    desk.misdirected(&request.into_parts().0).await
}

async fn no_such_method(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    desk.wrong_method(&request.into_parts().0)
}
