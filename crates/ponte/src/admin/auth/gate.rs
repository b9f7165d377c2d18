//! The gate of the address beyond loopback: what every request passes before it reaches a handler.

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::access::{Access, Rights, RouteAccess};
use super::actor::Actor;
use super::remote::{Remote, Unknown, Visit};
use crate::admin::guard::only;
use crate::admin::{ApiError, BODY_BYTES_MAX, pages};
use crate::server::body::{self, BodyError};

/// Longest form, in bytes.
const FORM_BYTES_MAX: usize = 8 * 1024;
/// How long a body may take to arrive.
const BODY_READ_MAX: Duration = Duration::from_secs(10);
/// The header in which a script brings what a form brings in its field `csrf`.
const CSRF_HEADER: &str = "x-csrf-token";
/// A browser that has been here by TLS comes by nothing else for a year (RFC 6797).
const HSTS: &str = "max-age=31536000";
/// Nothing but our own style sheet and our own forms: no script, no frame, no foreign picture.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the gate knows.
pub(in crate::admin) struct Gate {
    remote: Arc<Remote>,
    rights: Rights,
}

impl Gate {
    pub(in crate::admin) fn new(remote: Arc<Remote>, list: &[RouteAccess]) -> Self {
        Self {
            remote,
            rights: Rights::of(list),
        }
    }
}

/// Lets a request through with its actor, or answers it.
pub(in crate::admin) async fn check(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let path = request.extensions().get::<MatchedPath>();
    let access = path.and_then(|path| gate.rights.find(request.method(), path.as_str()));
    let mut response = match gate.examine(request, access).await {
        Ok(request) => next.run(request).await,
        Err(error) => refuse(error, access, &headers),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        // Not no-referrer: with that a browser says "Origin: null" for our own forms (Fetch, 3.1).
        // To other sites neither says anything.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if gate.remote.ends_tls {
        let always = HeaderValue::from_static(HSTS);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    response
}

/// The answer to what is not let through: a page where a person waits for one.
fn refuse(error: ApiError, access: Option<Access>, headers: &HeaderMap) -> Response {
    match access {
        Some(Access::Page(_)) if matches!(error, ApiError::NotSignedIn) => pages::to_sign_in(),
        Some(Access::Page(_) | Access::Open) => pages::refused(&error, headers),
        Some(Access::Api(_) | Access::Local) | None => error.into_response(),
    }
}

impl Gate {
    async fn examine(
        &self,
        mut request: Request,
        access: Option<Access>,
    ) -> Result<Request, ApiError> {
        let remote = &self.remote;
        self.right_name(&request)?;
        let visit = remote.visit(&request);
        let known = remote.who(&visit, request.headers());
        let (actor, problem) = match known {
            Ok(actor) => (actor, None),
            Err(Unknown::Nobody) => (Actor::Nobody, None),
            Err(Unknown::WrongToken) => (Actor::Nobody, Some(ApiError::NotSignedIn)),
            Err(Unknown::TooOften(wait)) => (Actor::Nobody, Some(ApiError::TooOften(wait))),
        };
        remote.rate(&actor, &visit).map_err(ApiError::TooOften)?;
        if let Some(problem) = problem {
            remote
                .record_failure(&visit, "token_refused", "a token that opens nothing")
                .await;
            return Err(problem);
        }
        allowed(access, &actor, request.uri().path())?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            request = self.whole(request, access).await?;
            request = self.wanted(request, access, &actor).await?;
        }
        request.extensions_mut().insert(actor);
        request.extensions_mut().insert::<Visit>(visit);
        Ok(request)
    }

    /// The name that the client believes to speak to is one of ours, and it came by TLS.
    fn right_name(&self, request: &Request) -> Result<(), ApiError> {
        let foreign = |text: &str| Err(ApiError::Foreign(text.to_owned()));
        let headers = request.headers();
        let Some(host) = only(headers, &header::HOST)? else {
            return foreign("the request names no host");
        };
        let written = request.uri().authority().map(|name| name.as_str());
        for name in [Some(host), written].into_iter().flatten() {
            if !self.remote.answers_to(name) {
                return foreign("the request came by a name that is not in admin.remote.names");
            }
        }
        if self.remote.came_in_the_clear(headers) {
            return foreign("the request came to the proxy without TLS");
        }
        Ok(())
    }

    /// The request with its whole body, bounded in bytes and time.
    async fn whole(&self, request: Request, access: Option<Access>) -> Result<Request, ApiError> {
        let bytes_max = match access {
            Some(Access::Api(_)) => BODY_BYTES_MAX,
            Some(Access::Open | Access::Page(_) | Access::Local) | None => FORM_BYTES_MAX,
        };
        let (parts, body) = request.into_parts();
        let read = body::read(body, bytes_max, BODY_READ_MAX, &self.remote.room).await;
        let bytes = read.map_err(|error| match error {
            BodyError::TooLarge => ApiError::TooLarge,
            BodyError::Slow | BodyError::Incomplete => ApiError::Bad {
                message: "the body did not arrive whole and in time".to_owned(),
                field: None,
            },
            BodyError::NoRoom => ApiError::TooOften(BODY_READ_MAX),
        })?;
        Ok(Request::from_parts(parts, Body::from(bytes)))
    }

    /// What changes anything was meant by whoever is signed in: a page of another site can't say where it
    /// comes from, nor what only our own pages know. A token is proof enough: no browser adds it by itself.
    async fn wanted(
        &self,
        request: Request,
        access: Option<Access>,
        actor: &Actor,
    ) -> Result<Request, ApiError> {
        match actor {
            Actor::Local | Actor::Token { .. } => return Ok(request),
            Actor::Nobody | Actor::User(_) => {}
        }
        let origin = only(request.headers(), &header::ORIGIN)?.unwrap_or_default();
        let host = origin.strip_prefix("https://");
        if !host.is_some_and(|host| self.remote.answers_to(host)) {
            let text = "the request does not say that it comes from a page of this address";
            return Err(ApiError::Foreign(text.to_owned()));
        }
        let signed_in = match (actor, access) {
            // A sign-in rests on no session, whatever the browser carries.
            (Actor::User(_), Some(Access::Open)) => return Ok(request),
            (Actor::User(signed_in), _) => signed_in,
            (Actor::Local | Actor::Nobody | Actor::Token { .. }, _) => return Ok(request),
        };
        let (parts, body) = request.into_parts();
        // It is in memory already.
        let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await;
        let bytes = bytes.map_err(|_| ApiError::TooLarge)?;
        let brought = brought(&parts, &bytes).await.unwrap_or_default();
        if !bool::from(brought.as_bytes().ct_eq(signed_in.csrf.as_bytes())) {
            return Err(ApiError::Forged);
        }
        Ok(Request::from_parts(parts, Body::from(bytes)))
    }
}

#[derive(Deserialize)]
struct CsrfField {
    csrf: String,
}

/// What only our own pages know, from the header or from the form's field.
async fn brought(parts: &Parts, bytes: &Bytes) -> Option<String> {
    if let Some(header) = parts.headers.get(CSRF_HEADER) {
        return header.to_str().ok().map(str::to_owned);
    }
    let mut copy = Request::new(Body::from(bytes.clone()));
    *copy.method_mut() = Method::POST;
    *copy.headers_mut() = parts.headers.clone();
    let form = Form::<CsrfField>::from_request(copy, &()).await;
    form.ok().map(|Form(field)| field.csrf)
}

/// Whether somebody may call what asks for this.
fn allowed(access: Option<Access>, actor: &Actor, path: &str) -> Result<(), ApiError> {
    let role = match access {
        Some(Access::Open) => return Ok(()),
        Some(Access::Api(role)) => role,
        Some(Access::Page(role)) => match actor {
            Actor::User(_) => role,
            Actor::Local | Actor::Nobody | Actor::Token { .. } => {
                return Err(ApiError::NotSignedIn);
            }
        },
        Some(Access::Local) | None => {
            return Err(match actor {
                Actor::Nobody => ApiError::NotSignedIn,
                Actor::Local | Actor::User(_) | Actor::Token { .. } => {
                    ApiError::NotFound(format!("there is nothing for you at {path}"))
                }
            });
        }
    };
    match actor.role() {
        None => Err(ApiError::NotSignedIn),
        Some(held) if held >= role => Ok(()),
        Some(held) => Err(ApiError::NotAllowed(format!(
            "this needs the role {role}, yours is {held}"
        ))),
    }
}
