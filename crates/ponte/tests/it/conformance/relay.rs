//! A wire between an adapter and its venue, which counts what the adapter sends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longer than any answer to a ping.
const PONG_BYTES_MAX: usize = 150;
/// How much is passed on at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Passes bytes on in both directions until it is cut.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    sent: Arc<AtomicU64>,
    running: JoinHandle<()>,
}

impl Relay {
    /// A wire to a venue's address.
    pub(super) async fn to(venue: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let running = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((adapter, _)) = listener.accept().await {
                connections.spawn(connect(adapter, venue, Arc::clone(&counter)));
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            sent,
            running,
        }
    }

    /// How many pieces of requests have left the adapter; answers to pings are none.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Cuts every connection, and takes no new one.
    pub(super) fn cut(&self) {
        self.running.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn connect(adapter: TcpStream, venue: SocketAddr, sent: Arc<AtomicU64>) {
    let Ok(venue) = TcpStream::connect(venue).await else {
        return;
    };
    let _ = (adapter.set_nodelay(true), venue.set_nodelay(true));
    let (from_adapter, to_adapter) = adapter.into_split();
    let (from_venue, to_venue) = venue.into_split();
    // A connection that ends on one side ends on both.
    tokio::select! {
        _ = pass_on(from_adapter, to_venue, Some(sent)) => {}
        _ = pass_on(from_venue, to_adapter, None) => {}
    }
}

async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    counter: Option<Arc<AtomicU64>>,
) -> io::Result<()> {
    let mut is_socket = false;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&piece[..length]).to_lowercase();
        let is_request = !is_socket || length > PONG_BYTES_MAX;
        is_socket |= text.contains("upgrade: websocket");
        if let Some(counter) = counter.as_ref().filter(|_| is_request) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        to.write_all(&piece[..length]).await?;
    }
}
