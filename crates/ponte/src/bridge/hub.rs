//! Where bridges call: whose token it is, whether the request can be read, and what it is answered.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::line::{Line, Refused};
use super::protocol::{BODY_BYTES_MAX, PROTOCOL, SYNC_PATH, SyncAnswer, SyncRequest};
use crate::clock;
use crate::secret;
use crate::server::Limits;
use crate::server::body::{self, BodyError};
use crate::server::failures::{Failures, Standing};

/// Most connections at once: a bridge has two or three.
const CONNECTIONS_MAX: u32 = 512;
/// How long a body may take to arrive.
const BODY_READ_MAX: Duration = Duration::from_secs(10);
/// Most larger bodies that are read at once, over all lines.
const LARGE_BODIES_MAX: usize = 32;
/// Wrong tokens that one address may show within a minute before it is answered `429`.
const WRONG_TOKENS_MAX: u32 = 20;
/// What stands before the token.
const BEARER: &[u8] = b"bearer ";
/// Most bytes of a refusal's text: it may repeat what the bridge sent.
const TEXT_BYTES_MAX: usize = 512;

/// All lines, and the door to them.
pub struct Hub {
    lines: Vec<Arc<Line>>,
    failures: Failures,
    large_bodies: Semaphore,
}

impl Hub {
    /// The door to these lines. Of two with the same token the last one is found, which the
    /// configuration doesn't let happen.
    #[must_use]
    pub fn new(lines: Vec<Arc<Line>>) -> Arc<Self> {
        Arc::new(Self {
            lines,
            failures: Failures::new(WRONG_TOKENS_MAX),
            large_bodies: Semaphore::new(LARGE_BODIES_MAX),
        })
    }

    /// What the listener has to hold connections to: a request whose bridge has gone away is dropped,
    /// so that no command is handed to nobody.
    #[must_use]
    pub fn limits() -> Limits {
        Limits {
            connections_max: CONNECTIONS_MAX,
            half_close: false,
            ..Limits::default()
        }
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Arc<Line>] {
        &self.lines
    }

    /// `POST` [`SYNC_PATH`] and nothing else.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route(SYNC_PATH, post(sync))
            .with_state(Arc::clone(self))
    }

    /// Ends all lines: nothing is handed over any more, and what is held is answered.
    pub fn close(&self) {
        for line in &self.lines {
            line.close();
        }
    }

    /// Answers a request that was read, from whoever shows this token.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn sync(&self, token: &[u8], request: SyncRequest) -> Result<SyncAnswer, Refused> {
        let line = self.line(token).ok_or(Refused::WrongToken)?;
        if request.protocol != PROTOCOL {
            let refused = Refused::OtherProtocol(request.protocol);
            line.note(&refused);
            return Err(refused);
        }
        line.sync(request, clock::instant()).await
    }

    /// The line whose token this is. Every one is compared, and a wrong one takes the time of a right one.
    fn line(&self, token: &[u8]) -> Option<&Arc<Line>> {
        let tokens = self.lines.iter().map(|line| line.token());
        self.lines.get(secret::place_of(tokens, token)?)
    }

    async fn answer(&self, request: Request) -> Result<SyncAnswer, Refused> {
        let received_at = clock::instant();
        let (head, body) = request.into_parts();
        let token = bearer(&head.headers).unwrap_or_default();
        let Some(line) = self.line(token) else {
            body::skip_in_background(body);
            let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
            let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
            return Err(self.stranger(peer, received_at));
        };
        let request = match self.read(body).await {
            Ok(body) => understand(&body),
            Err(refused) => Err(refused),
        };
        let request = request.inspect_err(|refused| line.note(refused))?;
        line.sync(request, received_at).await
    }

    /// Counts a wrong token. A right one is never counted, nor kept out by others from its address.
    fn stranger(&self, peer: IpAddr, now: Instant) -> Refused {
        match self.failures.count(peer, now) {
            Standing::Within { recorded: true } => {
                tracing::warn!(%peer, "a bridge showed a token that is no account's");
                Refused::WrongToken
            }
            Standing::Within { recorded: false } => Refused::WrongToken,
            Standing::Limited { first } => {
                if first {
                    tracing::warn!(
                        %peer,
                        "more than {WRONG_TOKENS_MAX} wrong tokens within a minute: further ones are answered \
                         429 and not logged until that is over"
                    );
                }
                Refused::Limited
            }
        }
    }

    async fn read(&self, body: Body) -> Result<Bytes, Refused> {
        let read = body::read(body, BODY_BYTES_MAX, BODY_READ_MAX, &self.large_bodies).await;
        read.map_err(|error| match error {
            BodyError::TooLarge => {
                Refused::TooLarge(format!("the maximum is {BODY_BYTES_MAX} bytes"))
            }
            BodyError::Slow | BodyError::Incomplete => Refused::Incomplete,
            BodyError::NoRoom => Refused::Busy,
        })
    }
}

async fn sync(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    match hub.answer(request).await {
        // Our own structures can't fail to be written.
        Ok(answer) => respond(
            StatusCode::OK,
            serde_json::to_vec(&answer).unwrap_or_default(),
        ),
        Err(refused) => refuse(&refused),
    }
}

/// Only the version is read of what may be another protocol.
#[derive(Deserialize)]
struct Version {
    protocol: u32,
}

fn understand(body: &[u8]) -> Result<SyncRequest, Refused> {
    let error = match serde_json::from_slice::<SyncRequest>(body) {
        Ok(request) if request.protocol == PROTOCOL => return Ok(request),
        Ok(request) => return Err(Refused::OtherProtocol(request.protocol)),
        Err(error) => error,
    };
    if let Ok(Version { protocol }) = serde_json::from_slice(body)
        && protocol != PROTOCOL
    {
        return Err(Refused::OtherProtocol(protocol));
    }
    let mut text = error.to_string();
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    Err(Refused::NotUnderstood(text))
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(BEARER.len())?;
    scheme
        .eq_ignore_ascii_case(BEARER)
        .then(|| token.trim_ascii())
}

fn refuse(refused: &Refused) -> Response {
    let (status, code) = match refused {
        Refused::NotUnderstood(_) => (StatusCode::BAD_REQUEST, "not_understood"),
        Refused::Incomplete => (StatusCode::SERVICE_UNAVAILABLE, "incomplete_body"),
        Refused::WrongToken => (StatusCode::UNAUTHORIZED, "wrong_token"),
        Refused::AnotherBridge { .. } => (StatusCode::CONFLICT, "another_bridge"),
        Refused::UnknownSession => (StatusCode::GONE, "unknown_session"),
        Refused::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Refused::OtherProtocol(_) => (StatusCode::UPGRADE_REQUIRED, "other_protocol"),
        Refused::Limited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
        Refused::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        Refused::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "broken"),
    };
    let body = json!({ "error": { "code": code, "message": refused.to_string() } });
    let mut response = respond(status, body.to_string().into_bytes());
    let headers = response.headers_mut();
    match refused {
        Refused::Limited => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        // What is left of such a body is of no use.
        Refused::TooLarge(_) | Refused::Incomplete | Refused::WrongToken => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Refused::NotUnderstood(_)
        | Refused::AnotherBridge { .. }
        | Refused::UnknownSession
        | Refused::OtherProtocol(_)
        | Refused::Busy
        | Refused::Broken => {}
    }
    response
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
