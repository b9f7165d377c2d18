//! One request's way: address, allowlist, size, secret, message, engine, answer.

use std::fmt;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::header::CONTENT_ENCODING;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use ponte_core::format::{self, BODY_BYTES_MAX, FormatError};
use ponte_core::id::{AlertId, SourceName};
use ponte_core::message::{AlertDecision, Delivery, RefusedRequest};
use ponte_core::signal::Signal;
use ponte_core::time::Timestamp;
use tokio::sync::Semaphore;

use super::answer;
use super::certificate::{self, Certificates};
use super::door::{Admitted, Door, Stranger};
use super::selftest::{self, Arrival, Claim, SelfTests};
use super::tripwire::Tripwires;
use crate::clock;
use crate::config::{AllowFrom, Cidr, ClientAddress};
use crate::engine::{Alert, Engine};
use crate::metrics::Metrics;
use crate::server::ClientCertificate;
use crate::server::body::{self, BodyError};
use crate::server::failures::{Failures, Standing};

/// How much of a body is kept, its secrets taken out, in bytes.
const KEPT_BYTES_MAX: usize = 2048;

/// Everything that a request meets.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) door: Door,
    pub(super) tripwires: Tripwires,
    pub(super) allow_from: AllowFrom,
    pub(super) trusted_proxies: Vec<Cidr>,
    pub(super) client_address: ClientAddress,
    pub(super) certificates: Certificates,
    pub(super) failures: Failures,
    pub(super) body_read_max: Duration,
    pub(super) large_bodies: Semaphore,
    pub(super) strangers_large_bodies: Semaphore,
    pub(super) self_tests: Arc<SelfTests>,
    pub(super) metrics: Arc<Metrics>,
}

/// Why a request is turned away before its sender is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Path,
    Address,
    Encoding,
    TooLarge,
    Slow,
    Incomplete,
    NoSecret,
    WrongSecret,
    Certificate,
    ExpiredSecret,
    Tripwire,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
struct Client<'a> {
    /// The other end of the connection.
    peer: IpAddr,
    /// Who speaks through it; `None` when a trusted proxy doesn't say.
    address: Option<IpAddr>,
    /// The certificate that it has presented.
    certificate: Option<&'a ClientCertificate>,
}

impl Desk {
    /// Answers one request to the webhook.
    pub(super) async fn receive(&self, request: Request, token: Option<String>) -> Response {
        let (head, body) = request.into_parts();
        self.guarded(self.answer(&head, token.as_deref(), body))
            .await
    }

    /// Answers a request to a path that is not ours.
    pub(super) async fn misdirected(&self, head: &Parts) -> Response {
        // What is posted may be an alert whose owner wonders where it went; the rest passes by.
        self.look_for_tripwire(head, last_segment(head), &[]);
        if head.method == Method::POST {
            let refuse = async { self.refuse(self.client(head), clock::now(), Refusal::Path) };
            return self.guarded(refuse).await;
        }
        self.metrics.refused(Refusal::Path.code());
        answer::bare(StatusCode::NOT_FOUND)
    }

    /// Answers a request to the webhook that is no `POST`.
    pub(super) fn wrong_method(&self, head: &Parts) -> Response {
        self.look_for_tripwire(head, last_segment(head), &[]);
        self.metrics.refused("method");
        answer::bare(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// An answer, whatever happens on the way to it: what broke here is sent again.
    async fn guarded(&self, answer: impl Future<Output = Response>) -> Response {
        caught(answer).await.unwrap_or_else(|Panicked| {
            tracing::error!("a request broke; it was answered 503, please report this");
            self.metrics.refused("panic");
            answer::unavailable("something broke; send again")
        })
    }

    async fn answer(&self, head: &Parts, token: Option<&str>, body: Body) -> Response {
        let client = self.client(head);
        if let Some(claim) = self.self_tests.claim(&head.headers) {
            self.look_for_tripwire(head, token, &[]);
            return self.self_test(client, head, claim, body).await;
        }
        if !self.allows(client) {
            // Read like any other, so that nobody learns from when the answer comes.
            let body = self.strangers_body(body).await;
            self.look_for_tripwire(head, token, &body);
            return self.refuse(client, clock::now(), Refusal::Address);
        }
        if is_encoded(&head.headers) {
            body::skip_in_background(body);
            self.look_for_tripwire(head, token, &[]);
            return self.refuse(client, clock::now(), Refusal::Encoding);
        }
        let room = &self.large_bodies;
        let body = body::read(body, BODY_BYTES_MAX, self.body_read_max, room).await;
        let received_at = clock::now();
        let error = match body {
            Ok(body) => return self.judge(client, head, token, &body, received_at).await,
            Err(error) => error,
        };
        self.look_for_tripwire(head, token, &[]);
        let refusal = match error {
            BodyError::NoRoom => {
                self.metrics.refused("unavailable");
                return answer::unavailable("too many large alerts at once; nothing was done");
            }
            BodyError::TooLarge => Refusal::TooLarge,
            BodyError::Slow => Refusal::Slow,
            BodyError::Incomplete => Refusal::Incomplete,
        };
        self.refuse(client, received_at, refusal)
    }

    /// The body of somebody who may not send, where it is worth a look.
    async fn strangers_body(&self, body: Body) -> Bytes {
        if !self.door.has_tripwires() {
            body::skip(body, BODY_BYTES_MAX, self.body_read_max).await;
            return Bytes::new();
        }
        let room = &self.strangers_large_bodies;
        let read = body::read(body, BODY_BYTES_MAX, self.body_read_max, room).await;
        read.unwrap_or_default()
    }

    /// A tripwire is heard wherever it is shown, whatever the answer is.
    fn look_for_tripwire(&self, head: &Parts, token: Option<&str>, body: &[u8]) {
        let shown = self.door.tripwire_in(token, &head.headers, body);
        self.hear(self.client(head), shown);
    }

    /// Whoever shows a tripwire and whoever doesn't cost the same.
    fn hear(&self, client: Client<'_>, tripwire_of: Option<SourceName>) {
        if tripwire_of.is_some() || self.door.has_tripwires() {
            self.tripwires.heard(tripwire_of, client.to_string());
        }
    }

    /// Answers what claims to be a test of Ponte's own; one that is forged is a stranger's.
    async fn self_test(
        &self,
        client: Client<'_>,
        head: &Parts,
        claim: Claim,
        body: Body,
    ) -> Response {
        let (most, room) = (selftest::BODY_BYTES_MAX, &self.large_bodies);
        let body = body::read(body, most, self.body_read_max, room).await;
        let received_at = clock::now();
        let test = body
            .ok()
            .and_then(|body| self.self_tests.recognise(claim, &body));
        let Some(test) = test else {
            return self.refuse(client, received_at, Refusal::WrongSecret);
        };
        let is_allowed = self.allows(client);
        let peer = client.peer.to_canonical();
        let mut proxies = self.trusted_proxies.iter();
        let arrival = Arrival {
            peer,
            address: client.address.map(|address| address.to_canonical()),
            is_allowed,
            by_proxy: proxies.any(|range| range.contains(peer)),
            forwarded: selftest::forwarding(&head.headers),
        };
        self.self_tests.arrived(&test.number, arrival);
        let carried_out =
            self.self_tests
                .carry_out(&self.engine, test, received_at, client.to_string());
        match carried_out.await {
            Ok(decision) => {
                log(&decision);
                answer::decided(&decision)
            }
            Err(unavailable) => answer::unavailable(&unavailable.to_string()),
        }
    }

    async fn judge(
        &self,
        client: Client<'_>,
        head: &Parts,
        token: Option<&str>,
        body: &[u8],
        received_at: Timestamp,
    ) -> Response {
        let admitted = self.door.admit(token, &head.headers, body, received_at);
        let Admitted {
            source,
            previous_secret,
            signal,
        } = match admitted {
            Ok(admitted) => admitted,
            Err(stranger) => return self.turn_away(client, received_at, stranger),
        };
        if !self.certificates.accepts(client.certificate) {
            self.tell_of_new_key(client, None);
            return self.refuse_known(client, received_at, Refusal::Certificate, Some(source));
        }
        if previous_secret {
            self.metrics.previous_secret_used(&source);
        }
        let kept = format::redact(body, KEPT_BYTES_MAX);
        let delivery = Delivery {
            peer: client.to_string(),
            body: self.door.scrubbed(kept),
            certificate: certificate::remembered(client.certificate),
            previous_secret,
        };
        match signal.and_then(|signal| self.door.cleared(signal)) {
            Ok(signal) => {
                self.hand_over(client, source, signal, delivery, received_at)
                    .await
            }
            Err(error) => self.not_understood(source, error, delivery, received_at),
        }
    }

    /// The same answer for everybody; only the record knows more.
    fn turn_away(
        &self,
        client: Client<'_>,
        received_at: Timestamp,
        stranger: Stranger,
    ) -> Response {
        let (refusal, source) = match stranger {
            Stranger::NoSecret => (Refusal::NoSecret, None),
            Stranger::WrongSecret => (Refusal::WrongSecret, None),
            Stranger::Expired(source) => (Refusal::ExpiredSecret, Some(source)),
            Stranger::Tripwire(source) => (Refusal::Tripwire, Some(source)),
        };
        let tripwire_of = source.clone().filter(|_| refusal == Refusal::Tripwire);
        self.hear(client, tripwire_of);
        self.refuse_known(client, received_at, refusal, source)
    }

    async fn hand_over(
        &self,
        client: Client<'_>,
        source: SourceName,
        signal: Signal,
        delivery: Delivery,
        received_at: Timestamp,
    ) -> Response {
        let alert = Alert {
            source: source.clone(),
            received_at,
            signal,
            delivery,
        };
        match self.engine.alert(alert).await {
            Ok(decision) => {
                log(&decision);
                self.tell_of_new_key(client, Some(decision.alert));
                answer::decided(&decision)
            }
            Err(unavailable) => {
                // The engine has said why in the log, once and not for each alert.
                tracing::debug!(%source, status = 503, "alert not taken: {unavailable}");
                self.metrics.refused("unavailable");
                answer::unavailable(&unavailable.to_string())
            }
        }
    }

    /// The owner's own message, broken: recorded always, and no failure of the address.
    fn not_understood(
        &self,
        source: SourceName,
        mut error: FormatError,
        delivery: Delivery,
        received_at: Timestamp,
    ) -> Response {
        let Delivery {
            peer,
            body,
            certificate,
            ..
        } = delivery;
        error.message = self.door.scrubbed(error.message);
        error.field = error.field.map(|field| self.door.scrubbed(field));
        tracing::debug!(%source, %peer, status = 400, code = error.code, "alert not understood");
        self.metrics.refused(error.code);
        self.engine.refused(RefusedRequest {
            received_at,
            peer,
            source: Some(source),
            http_status: StatusCode::BAD_REQUEST.as_u16(),
            code: error.code.to_owned(),
            message: error.to_string(),
            excerpt: Some(body),
            certificate,
        });
        answer::malformed(&error)
    }

    /// Raises the alarm about a key that is new, when the secret was right.
    fn tell_of_new_key(&self, client: Client<'_>, alert: Option<AlertId>) {
        let who = client.to_string();
        if let Some(message) = self.certificates.alarm(client.certificate, &who) {
            self.engine.alarm(message, alert);
        }
    }

    /// Turns a stranger away.
    fn refuse(&self, client: Client<'_>, received_at: Timestamp, refusal: Refusal) -> Response {
        self.refuse_known(client, received_at, refusal, None)
    }

    /// Turns away who has shown something of a source's.
    fn refuse_known(
        &self,
        client: Client<'_>,
        received_at: Timestamp,
        refusal: Refusal,
        source: Option<SourceName>,
    ) -> Response {
        let (code, status) = (refusal.code(), refusal.status());
        match self.failures.count(client.key(), clock::instant()) {
            Standing::Limited { first } => {
                if first {
                    tracing::warn!(
                        peer = %client,
                        "failed too often within a minute: its failures are answered 429 and \
                         not recorded until that is over, its right secrets are taken"
                    );
                }
                self.metrics.refused("rate_limited");
                return answer::limited();
            }
            Standing::Within { recorded } => {
                tracing::debug!(peer = %client, status = status.as_u16(), code, "request refused");
                self.metrics.refused(code);
                if recorded {
                    self.engine.refused(RefusedRequest {
                        received_at,
                        peer: client.to_string(),
                        source,
                        http_status: status.as_u16(),
                        code: code.to_owned(),
                        message: refusal.message().to_owned(),
                        excerpt: None,
                        certificate: certificate::remembered(client.certificate),
                    });
                }
            }
        }
        if refusal.ends_connection() {
            answer::last(status)
        } else {
            answer::bare(status)
        }
    }

    fn allows(&self, client: Client<'_>) -> bool {
        match client.address {
            Some(address) => self.allow_from.allows(address),
            None => self.allow_from == AllowFrom::Any,
        }
    }

    fn client<'a>(&self, head: &'a Parts) -> Client<'a> {
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        // Without a peer nobody is trusted and no list allows: 0.0.0.0 is no host's address.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let lines = self.client_address.header().into_iter();
        let lines = lines.flat_map(|name| head.headers.get_all(name));
        // What isn't text can't be read as an address either.
        let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("")).collect();
        let address = self
            .client_address
            .resolve(peer, &self.trusted_proxies, &lines);
        Client {
            peer,
            address,
            certificate: certificate::presented(head),
        }
    }
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Address
            | Self::NoSecret
            | Self::WrongSecret
            | Self::Certificate
            | Self::ExpiredSecret
            | Self::Tripwire => StatusCode::FORBIDDEN,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Incomplete => StatusCode::BAD_REQUEST,
        }
    }

    /// The stable word in the journal and the metrics.
    fn code(self) -> &'static str {
        match self {
            Self::Path => "not_found",
            Self::Address => "address",
            Self::Encoding => "content_encoding",
            Self::TooLarge => "too_large",
            Self::Slow => "slow_body",
            Self::Incomplete => "incomplete_body",
            Self::NoSecret => "no_secret",
            Self::WrongSecret => "wrong_secret",
            Self::Certificate => "client_certificate",
            Self::ExpiredSecret => "expired_secret",
            Self::Tripwire => "tripwire",
        }
    }

    /// The sentence in the journal, for the owner alone.
    fn message(self) -> &'static str {
        match self {
            Self::Path => "posted to a path other than /webhook; check the URL in the alert",
            Self::Address => "the address is not in allow_from, or its proxy does not tell it",
            Self::Encoding => "the body is compressed or otherwise encoded; send it as it is",
            Self::TooLarge => "the body is larger than an alert can be",
            Self::Slow => "the body did not arrive in time",
            Self::Incomplete => "the body broke off, or its framing is broken",
            Self::NoSecret => "no secret was found in the body, the path or a header",
            Self::WrongSecret => "a secret is no source's, or two secrets are different sources'",
            Self::Certificate => {
                "the secret was right, and its client certificate is missing or not one that \
                 webhook.client_certificate takes"
            }
            Self::ExpiredSecret => {
                "the source's secret has ended: its expires has passed, or a rotation's overlap"
            }
            Self::Tripwire => "the source's tripwire was shown, a secret that nobody uses",
        }
    }

    /// Whether the rest of the request is of no use. Never for a `403`: all are the same.
    fn ends_connection(self) -> bool {
        match self {
            Self::Encoding | Self::TooLarge | Self::Slow | Self::Incomplete => true,
            Self::Path
            | Self::Address
            | Self::NoSecret
            | Self::WrongSecret
            | Self::Certificate
            | Self::ExpiredSecret
            | Self::Tripwire => false,
        }
    }
}

impl Client<'_> {
    /// What its failures are counted under.
    fn key(self) -> IpAddr {
        self.address.unwrap_or(self.peer)
    }
}

impl fmt::Display for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}"),
            None => write!(f, "unknown, through {}", self.peer.to_canonical()),
        }
    }
}

/// The alert's one line.
fn log(decision: &AlertDecision) {
    let latency = clock::now().since(decision.received_at);
    tracing::info!(
        alert.id = %decision.alert,
        alert.first = decision.first.map(tracing::field::display),
        source = %decision.source,
        status = decision.outcome.as_str(),
        latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX),
        "alert decided"
    );
}

/// Where a path that is not ours may have a token in it.
fn last_segment(head: &Parts) -> Option<&str> {
    head.uri
        .path()
        .rsplit('/')
        .next()
        .filter(|segment| !segment.is_empty())
}

/// Whether the body is anything but the message itself.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|encoding| {
        !encoding
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    })
}

/// A future panicked.
#[derive(Debug, PartialEq, Eq)]
struct Panicked;

/// Runs a future to its end or its panic.
async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // After a panic the future is not polled again, and the desk holds nothing half-done.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_wherever_it_comes() {
        assert_eq!(caught(async { 1 }).await, Ok(1));
        let at_once = caught(async { panic!("at once") });
        assert_eq!(at_once.await, Err::<(), _>(Panicked));
        let later = caught(async {
            tokio::task::yield_now().await;
            panic!("after a wait")
        });
        assert_eq!(later.await, Err::<(), _>(Panicked));
    }
}
