//! A listener for any router: connections, their limits in number, bytes and time, and their end.

pub(crate) mod body;
pub(crate) mod failures;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Most connections at once; when they are reached, the next one waits to be accepted.
pub const CONNECTIONS_MAX: u32 = 16_384;
/// Most bytes of a request's line and headers, past which it is answered `431`.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long the line and the headers may take to arrive, and how long a connection may lie idle.
pub const HEADER_READ_MAX: Duration = Duration::from_secs(10);
/// How long requests that are under way may take after the end was asked for.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Most bytes that are read ahead of the one who wants them.
const READ_AHEAD_BYTES_MAX: usize = 64 * 1024;
/// The pause after the system could give no connection: most often it has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After so many such failures in a row, one minute of them, the listener is given up.
const ACCEPT_FAILURES_MAX: u32 = 600;

/// What connections are held to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// See [`CONNECTIONS_MAX`].
    pub connections_max: u32,
    /// See [`HEADER_BYTES_MAX`].
    pub header_bytes_max: usize,
    /// See [`HEADER_READ_MAX`].
    pub header_read_max: Duration,
    /// See [`DRAIN_MAX`].
    pub drain_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            header_bytes_max: HEADER_BYTES_MAX,
            header_read_max: HEADER_READ_MAX,
            drain_max: DRAIN_MAX,
        }
    }
}

/// Serves a router until `shutdown`, then lets requests that are under way come to their end.
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
    let (stop, stopping) = watch::channel(());
    let http = Arc::new(http(limits));
    let slots = Arc::new(Semaphore::new(limits.connections_max as usize));
    let router = TowerToHyperService::new(router);
    let mut shutdown = pin!(shutdown);
    let outcome = loop {
        let accepted = tokio::select! {
            biased;
            _ = shutdown.as_mut() => break Ok(()),
            accepted = accept(&listener, &slots) => accepted,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => break Err(error),
        };
        let (http, router, stopping) = (http.clone(), router.clone(), stopping.clone());
        tokio::spawn(async move {
            let service = FromPeer { router, peer };
            converse(&http, stream, service, stopping, limits.drain_max).await;
            drop(slot);
        });
    };
    drop(listener);
    drop(stop);
    // Each connection ends by itself within `drain_max`, and gives its slot back.
    let _ = slots.acquire_many(limits.connections_max).await;
    outcome
}

fn http(limits: Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_max)
        .max_header_size(limits.header_bytes_max)
        .max_buf_size(READ_AHEAD_BYTES_MAX)
        // A sender that has closed its side still gets its answer, and its alert its line in the log.
        .half_close(true)
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

/// Answers the requests of one connection until it ends, or until the server does.
async fn converse(
    http: &http1::Builder,
    stream: TcpStream,
    service: FromPeer,
    mut stopping: watch::Receiver<()>,
    drain_max: Duration,
) {
    // Without it an answer waits for the acknowledgement of the one before; it is no condition.
    let _ = stream.set_nodelay(true);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopping.changed() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            let Ok(ended) = timeout(drain_max, connection).await else {
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

/// The router, told who is at the other end.
struct FromPeer {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for FromPeer {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.call(request)
    }
}
