//! A listener for any router, plain or with TLS: connections, their limits in number, bytes and
//! time, and their end.

pub mod acme;
pub(crate) mod body;
mod certificate;
mod client_certificate;
mod connection;
mod drain;
mod entrance;
mod expiry;
pub(crate) mod failures;
mod gate;
mod handles;
mod pem;
mod proxy_protocol;
mod self_signed;
mod slots;
mod tls;
mod x509;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub use certificate::{
    Certificate, CertificateError, CertificateFiles, LOOK_EVERY, Look, fingerprint_of_file,
};
pub use client_certificate::ClientCertificate;
pub use expiry::{CertificateReport, CertificateSource, NoCertificate, Standing, standing};
pub(crate) use gate::network;
pub use gate::{AddressTest, Gate};
pub use self_signed::{SelfSigned, SelfSignedError, Written};
pub use tls::Tls;
pub use x509::{Facts, NotACertificate};

use connection::Connections;
use drain::Drain;
use entrance::Entrance;
use slots::Slots;

/// Most connections at once, where the system has as many file handles; when they are reached, a known
/// sender waits to be accepted, and a stranger takes the place of another one. One that has begun to
/// speak takes some 40 KiB, so that all of them stay below 200 MiB.
pub const CONNECTIONS_MAX: u32 = 4096;
/// Most bytes of a request's line and headers, past which it is answered `431`.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long the line and the headers may take to arrive, and how long a connection may lie idle.
pub const HEADER_READ_MAX: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take, and before it a header of the PROXY protocol.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// How long requests that are under way may take after the end was asked for: with the start that
/// follows it must stay well below the three seconds after which `TradingView` gives up.
pub const DRAIN_MAX: Duration = Duration::from_millis(800);

/// Most bytes that are read ahead of the one who wants them.
const READ_AHEAD_BYTES_MAX: usize = 64 * 1024;
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
    serve_gated(
        listener,
        router,
        security,
        Gate::default(),
        limits,
        shutdown,
    )
    .await
}

/// [`serve_secured`], with strangers and known senders told apart. What `shutdown` gives is dropped once
/// the end has begun: from then on every request is answered `503`, and nothing is taken from a socket
/// that is held open elsewhere.
///
/// # Errors
/// When the listener can't accept any more.
pub async fn serve_gated(
    listener: TcpListener,
    router: Router,
    security: &Security,
    gate: Gate,
    limits: Limits,
    shutdown: impl Future,
) -> io::Result<()> {
    let drain = Drain::new(limits.drain_max);
    let connections_max = limits.connections_max.min(handles::connections_max());
    let slots = Slots::new(connections_max, gate.connections_per_address_max);
    let connections = Arc::new(Connections {
        http: http(limits),
        tls: acceptor(security),
        gate,
        limits,
        complaints: connection::Complaints::default(),
    });
    let router = TowerToHyperService::new(router);
    let welcome = |(stream, peer, slot)| {
        let (connections, router) = (connections.clone(), router.clone());
        tokio::spawn(connections.welcome(stream, peer, slot, router, drain.of_connection()));
    };
    let mut entrance = Entrance::new(listener, connections.clone(), slots);
    let mut shutdown = pin!(shutdown);
    let mut fresh = pin!(keep_fresh(security));
    let outcome = loop {
        let accepted = tokio::select! {
            biased;
            token = shutdown.as_mut() => break Ok(token),
            accepted = entrance.next() => accepted,
            () = fresh.as_mut() => continue,
        };
        match accepted {
            Ok(accepted) => welcome(accepted),
            Err(error) => break Err(error),
        }
    };
    drain.begin();
    let entrance = (!limits.held_open).then_some(entrance);
    // Lets go of what `shutdown` gave.
    let outcome = outcome.map(drop);
    if let (Ok(()), Some(mut entrance)) = (&outcome, entrance) {
        // Refused connections are alerts lost; a 503 is sent again.
        loop {
            tokio::select! {
                biased;
                () = drain.over() => break,
                Ok(accepted) = entrance.next() => welcome(accepted),
                () = drain.finished() => break,
            }
        }
    }
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
