//! Connections: an HTTP/1 server whose handlers can cut the connection they came by.

use axum::Extension;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Connections served at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: u32 = 256;
/// How long the head of a request may take.
const HEADER_READ_MAX: Duration = Duration::from_secs(30);
/// How long requests under way may take after the server was asked to stop.
const STOP_MAX: Duration = Duration::from_secs(5);
/// The pause after a failed accept (out of file handles, most likely).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Cuts one connection. Each request carries that of its own connection as an extension; what takes the connection over
/// (a web socket) keeps it, and with it the connection's place among those that are served at a time.
#[derive(Clone, Debug)]
pub(crate) struct Cutter {
    cut: Arc<Notify>,
    _slot: Arc<Option<OwnedSemaphorePermit>>,
}

impl Cutter {
    /// Has the connection closed without another byte; the calling handler goes with it and never returns.
    pub(crate) async fn cut<T>(&self) -> T {
        self.cut.notify_one();
        std::future::pending().await
    }

    /// Waits until somebody cuts the connection: for what has taken it over.
    pub(crate) async fn wait_for_cut(&self) {
        self.cut.notified().await;
    }
}

/// Refuses to listen on an address that others can reach, unless that is allowed.
///
/// # Errors
/// The address is not a loopback address, or can't be read.
pub(crate) fn check_address(listener: &TcpListener, allow_remote: bool) -> io::Result<()> {
    let address = listener.local_addr()?;
    if allow_remote || address.ip().is_loopback() {
        return Ok(());
    }
    let message =
        format!("address {address} is not a loopback address, and remote access is not allowed");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// Serves the router until `stop` is there, then lets requests under way end, for five seconds at most. `stopping`
/// becomes true at once, so that handlers that wait can give up.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stopping: watch::Sender<bool>,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            (accepted, slot) = accepted => match accepted {
                Ok((stream, _)) => {
                    let cutter = Cutter {
                        cut: Arc::default(),
                        _slot: Arc::new(slot.ok()),
                    };
                    let router = router.clone();
                    connections.spawn(serve_connection(stream, router, cutter, stopping.subscribe()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let all_ended = async {
        while connections.join_next().await.is_some() {}
        // Connections that were taken over have left the set but keep their slots.
        let _ = slots.acquire_many(CONNECTIONS_MAX).await;
    };
    // What has not ended by then is aborted when the set is dropped.
    let _ = tokio::time::timeout(STOP_MAX, all_ended).await;
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    cutter: Cutter,
    mut stopping: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(router.layer(Extension(cutter.clone())));
    // Small answers must not wait for the acknowledgement of the one before; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_MAX);
    let mut connection = std::pin::pin!(
        server
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // A client that breaks off is nothing to tell anybody about.
            _ = connection.as_mut() => return,
            () = cutter.cut.notified() => return,
            _ = stopping.wait_for(|stopping| *stopping), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
