//! The plain address beside a webhook with TLS: it answers the certificate authority's HTTP-01
//! questions (RFC 8555, 8.3) and nothing else, and tells the owner of alerts that were sent there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use ponte_core::message::RefusedRequest;

use super::answer;
use crate::clock;
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::server::acme::Acme;
use crate::server::failures::{Failures, Standing};

/// Longest token that is looked up, in bytes; those of Let's Encrypt have 43.
const TOKEN_BYTES_MAX: usize = 256;

/// What the plain address is made of.
pub struct PlainSide {
    /// Whose questions are answered.
    pub acme: Arc<Acme>,
    /// Where what was sent in the clear is recorded.
    pub engine: Engine,
    /// Requests that one address may make per minute before they are no longer recorded.
    pub failures_per_minute: u32,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

struct Desk {
    acme: Arc<Acme>,
    engine: Engine,
    failures: Failures,
    metrics: Arc<Metrics>,
}

impl PlainSide {
    /// `GET /.well-known/acme-challenge/{token}` and nothing else: a redirect would make a sender say
    /// its secret first in the clear and then again.
    pub fn router(self) -> Router {
        let desk = Desk {
            acme: self.acme,
            engine: self.engine,
            failures: Failures::new(self.failures_per_minute),
            metrics: self.metrics,
        };
        Router::new()
            .route("/.well-known/acme-challenge/{token}", get(question))
            .fallback(anything_else)
            .method_not_allowed_fallback(anything_else)
            .with_state(Arc::new(desk))
    }
}

async fn question(State(desk): State<Arc<Desk>>, token: Option<Path<String>>) -> Response {
    let file = token.and_then(|Path(token)| {
        let known = (token.len() <= TOKEN_BYTES_MAX).then(|| desk.acme.file(&token));
        known.flatten()
    });
    let Some(file) = file else {
        desk.metrics.refused("not_found");
        return answer::bare(StatusCode::NOT_FOUND);
    };
    let mut response = Response::new(Body::from(file));
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

async fn anything_else(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    if request.method() == Method::POST {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        desk.posted(peer.to_canonical());
    } else {
        desk.metrics.refused("not_found");
    }
    // The body is not read: whatever secret is in it, Ponte shall not have it from here.
    answer::last(StatusCode::NOT_FOUND)
}

impl Desk {
    /// Records that something was posted in the clear; neither its path nor its body, which may hold
    /// a secret.
    fn posted(&self, peer: IpAddr) {
        const MESSAGE: &str =
            "posted over plain HTTP: change the URL to https and rotate the secret";
        self.metrics.refused("plain_http");
        match self.failures.count(peer, clock::instant()) {
            Standing::Limited { .. } | Standing::Within { recorded: false } => {}
            Standing::Within { recorded: true } => {
                tracing::warn!(%peer, "{MESSAGE}");
                self.engine.refused(RefusedRequest {
                    received_at: clock::now(),
                    peer: peer.to_string(),
                    source: None,
                    http_status: StatusCode::NOT_FOUND.as_u16(),
                    code: "plain_http".to_owned(),
                    message: MESSAGE.to_owned(),
                    excerpt: None,
                    certificate: None,
                });
            }
        }
    }
}
