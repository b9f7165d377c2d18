//! A listener for any router, plain or with TLS: connections, their limits in number, bytes and
//! time, and their end.

pub(crate) mod body;
mod certificate;
mod drain;
pub(crate) mod failures;
mod pem;
mod self_signed;
mod tls;
mod x509;

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

pub use certificate::{
    Certificate, CertificateError, CertificateFiles, LOOK_EVERY, Look, fingerprint_of_file,
};
pub use self_signed::{SelfSigned, SelfSignedError, Written};
pub use tls::Tls;
pub use x509::{Facts, NotACertificate};

use crate::clock;
use drain::{Drain, Draining};

/// Most connections at once; when they are reached, the next one waits to be accepted.
pub const CONNECTIONS_MAX: u32 = 16_384;
/// Most bytes of a request's line and headers, past which it is answered `431`.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long the line and the headers may take to arrive, and how long a connection may lie idle.
pub const HEADER_READ_MAX: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// How long requests that are under way may take after the end was asked for: with the start that
/// follows it must stay well below the three seconds after which `TradingView` gives up.
pub const DRAIN_MAX: Duration = Duration::from_millis(800);

/// Most bytes that are read ahead of the one who wants them.
const READ_AHEAD_BYTES_MAX: usize = 64 * 1024;
/// The pause after the system could give no connection: most often it has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After so many such failures in a row, one minute of them, the listener is given up.
const ACCEPT_FAILURES_MAX: u32 = 600;
/// How long a connection that is cut at the end may take to say so.
const FAREWELL_MAX: Duration = Duration::from_millis(50);
/// Handshakes that fail are told once in so long: any stranger can make them fail.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// What connections are held to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// See [`CONNECTIONS_MAX`].
    pub connections_max: u32,
    /// See [`HEADER_BYTES_MAX`].
    pub header_bytes_max: usize,
    /// See [`HEADER_READ_MAX`].
    pub header_read_max: Duration,
    /// See [`HANDSHAKE_MAX`].
    pub handshake_max: Duration,
    /// See [`DRAIN_MAX`].
    pub drain_max: Duration,
    /// Whether the socket lives on without this process, so that the system keeps new connections for
    /// the next one. Where it does not, they are answered `503` for as long as the end takes.
    pub held_open: bool,
    /// Whether a sender that has closed its side still gets its answer. Where it does not, a request
    /// that is waiting is dropped when its sender goes away.
    pub half_close: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            header_bytes_max: HEADER_BYTES_MAX,
            header_read_max: HEADER_READ_MAX,
            handshake_max: HANDSHAKE_MAX,
            drain_max: DRAIN_MAX,
            held_open: false,
            half_close: true,
        }
    }
}

/// How a listener speaks.
#[derive(Debug, Clone)]
pub enum Security {
    /// As it is. Only for loopback, or behind a proxy that speaks TLS: see [`may_be_plain`].
    Plain,
    /// TLS, and with whose certificate.
    Tls(Tls),
}

/// Whether nobody can listen on the way to this address: it is one of this machine's own.
#[must_use]
pub fn may_be_plain(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Serves a router until `shutdown`, then lets requests that are under way come to their end, and
/// answers those that come meanwhile `503`.
///
/// # Errors
/// When the listener can't accept any more.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future) -> io::Result<()> {
    serve_within(listener, router, Limits::default(), shutdown).await
}

/// [`serve`] with other limits.
///
/// # Errors
/// When the listener can't accept any more.
pub async fn serve_within(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future,
) -> io::Result<()> {
    serve_secured(listener, router, &Security::Plain, limits, shutdown).await
}

/// [`serve_within`], with TLS or without.
///
/// # Errors
/// When the listener can't accept any more.
pub async fn serve_secured(
    listener: TcpListener,
    router: Router,
    security: &Security,
    limits: Limits,
    shutdown: impl Future,
) -> io::Result<()> {
    let drain = Drain::new(limits.drain_max);
    let server = Arc::new(Server {
        http: http(limits),
        tls: acceptor(security),
        limits,
        complained: Mutex::default(),
    });
    let slots = Arc::new(Semaphore::new(limits.connections_max as usize));
    let router = TowerToHyperService::new(router);
    let welcome = |(stream, peer, slot)| {
        let (server, draining) = (server.clone(), drain.of_connection());
        let router = router.clone();
        tokio::spawn(async move {
            let service = FromPeer {
                router,
                peer,
                draining: draining.clone(),
            };
            server.welcome(stream, service, draining).await;
            drop(slot);
        });
    };
    let mut shutdown = pin!(shutdown);
    let mut fresh = pin!(keep_fresh(security));
    let outcome = loop {
        let accepted = tokio::select! {
            biased;
            _ = shutdown.as_mut() => break Ok(()),
            accepted = accept(&listener, &slots) => accepted,
            () = fresh.as_mut() => continue,
        };
        match accepted {
            Ok(accepted) => welcome(accepted),
            Err(error) => break Err(error),
        }
    };
    drain.begin();
    if outcome.is_ok() && !limits.held_open {
        // Refused connections are alerts lost; a 503 is sent again.
        loop {
            tokio::select! {
                biased;
                () = drain.over() => break,
                Ok(accepted) = accept(&listener, &slots) => welcome(accepted),
                () = drain.finished() => break,
            }
        }
    }
    drop(listener);
    drain.finished().await;
    outcome
}

fn acceptor(security: &Security) -> Option<TlsAcceptor> {
    match security {
        Security::Plain => None,
        Security::Tls(tls) => Some(TlsAcceptor::from(tls.config())),
    }
}

/// Looks after the certificate, for ever.
async fn keep_fresh(security: &Security) {
    match security {
        Security::Plain => std::future::pending().await,
        Security::Tls(tls) => tls.keep_fresh().await,
    }
}

fn http(limits: Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_max)
        .max_header_size(limits.header_bytes_max)
        .max_buf_size(READ_AHEAD_BYTES_MAX)
        // A sender of an alert that has closed its side still gets its answer, and its alert its line
        // in the log.
        .half_close(limits.half_close)
        // The same refusal is the same bytes at any time.
        .auto_date_header(false);
    http
}

/// Waits for a slot, then for a connection.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await;
    let slot = slot.map_err(io::Error::other)?;
    let mut failures = 0;
    loop {
        let error = match listener.accept().await {
            Ok((stream, peer)) => return Ok((stream, peer, slot)),
            Err(error) => error,
        };
        if is_the_other_ends(&error) {
            continue;
        }
        failures += 1;
        if failures == 1 {
            tracing::warn!(%error, "no connection can be accepted; it is tried again");
        }
        if failures >= ACCEPT_FAILURES_MAX {
            return Err(error);
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Whether a connection was gone before it was accepted, which says nothing about the listener.
fn is_the_other_ends(error: &io::Error) -> bool {
    [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::Interrupted,
    ]
    .contains(&error.kind())
}

/// What all connections of a listener share.
struct Server {
    http: http1::Builder,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    /// When a failed handshake was told last.
    complained: Mutex<Option<Instant>>,
}

impl Server {
    /// Answers a connection, after the handshake where there is one. No memory of HTTP is taken before.
    async fn welcome(&self, stream: TcpStream, service: FromPeer, draining: Draining) {
        // Without it an answer waits for the acknowledgement of the one before; it is no condition.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.converse(stream, service, draining).await;
        };
        let handshake = timeout(self.limits.handshake_max, tls.accept(stream));
        let secured = tokio::select! {
            secured = handshake => secured,
            () = draining.over() => return,
        };
        match secured {
            Ok(Ok(stream)) => self.converse(stream, service, draining).await,
            Ok(Err(error)) => self.complain(service.peer, &error.to_string()),
            Err(_) => self.complain(service.peer, "it took too long"),
        }
    }

    /// Answers the requests of one connection until it ends, or until the server does.
    async fn converse<S>(&self, stream: S, service: FromPeer, draining: Draining)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = draining.over() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                let Ok(ended) = timeout(FAREWELL_MAX, connection).await else {
                    tracing::debug!("a connection was cut at the end");
                    return;
                };
                ended
            }
        };
        if let Err(error) = ended {
            // What a sender does to its connection is no failure of ours.
            tracing::debug!(%error, "a connection broke");
        }
    }

    /// Tells of a handshake that failed, now and then: a bridge with another certificate pinned can't
    /// say so to anybody else.
    fn complain(&self, peer: SocketAddr, why: &str) {
        let now = clock::instant();
        let mut last = self
            .complained
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < COMPLAIN_EVERY) {
            tracing::debug!(%peer, why, "a TLS handshake failed");
            return;
        }
        *last = Some(now);
        tracing::info!(
            %peer, why,
            "a TLS handshake failed; if it was a bridge, look at its --pin and at the https in its address"
        );
    }
}

/// The router, told who is at the other end, for as long as it is not the end.
struct FromPeer {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    draining: Draining,
}

impl Service<Request<Incoming>> for FromPeer {
    type Response = Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if self.draining.has_begun() {
            return Box::pin(ready(Ok(drain::come_again())));
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let answer = self.router.call(request);
        let draining = self.draining.clone();
        Box::pin(async move {
            let mut answer = tokio::select! {
                biased;
                answer = answer => answer?,
                () = draining.last_word() => return Ok(drain::come_again()),
            };
            if draining.has_begun() {
                drain::close_after(&mut answer);
            }
            Ok(answer)
        })
    }
}
