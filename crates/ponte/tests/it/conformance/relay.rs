//! A wire between an adapter and its venue, which counts what the adapter sends.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Longer than any answer to a ping.
const PONG_BYTES_MAX: usize = 150;
/// How much is passed on at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Passes bytes on in both directions until it is cut.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    running: JoinHandle<()>,
}

struct State {
    /// Where new connections lead to.
    venue: Mutex<SocketAddr>,
    sent: AtomicU64,
    /// Whether new connections are let in.
    is_open: AtomicBool,
    /// Whether the next answer is to be lost.
    loses_an_answer: AtomicBool,
    /// Rung to cut the connections that there are.
    severed: watch::Sender<()>,
}

impl Relay {
    /// A wire to a venue's address.
    pub(crate) async fn to(venue: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            venue: Mutex::new(venue),
            sent: AtomicU64::new(0),
            is_open: AtomicBool::new(true),
            loses_an_answer: AtomicBool::new(false),
            severed: watch::Sender::new(()),
        });
        let shared = Arc::clone(&state);
        let running = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((adapter, _)) = listener.accept().await {
                if shared.is_open.load(Ordering::SeqCst) {
                    connections.spawn(connect(adapter, Arc::clone(&shared)));
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            state,
            running,
        }
    }

    /// New connections lead to another address; those that there are, are cut.
    pub(crate) fn lead_to(&self, venue: SocketAddr) {
        *self.state.venue.lock().unwrap() = venue;
        self.sever();
    }

    /// Cuts the connections that there are; new ones are taken.
    pub(crate) fn sever(&self) {
        self.state.severed.send_replace(());
    }

    /// Cuts the connections that there are, and lets none through until [`Relay::mend`].
    pub(crate) fn break_off(&self) {
        self.state.is_open.store(false, Ordering::SeqCst);
        self.sever();
    }

    /// Lets connections through again.
    pub(crate) fn mend(&self) {
        self.state.is_open.store(true, Ordering::SeqCst);
    }

    /// The next answer is lost, with its connection.
    pub(crate) fn lose_an_answer(&self) {
        self.state.loses_an_answer.store(true, Ordering::SeqCst);
    }

    /// Whether an answer that is to be lost has not come yet.
    pub(crate) fn has_answer_to_lose(&self) -> bool {
        self.state.loses_an_answer.load(Ordering::SeqCst)
    }

    /// How many pieces of requests have left the adapter; answers to pings are none.
    pub(crate) fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// Cuts every connection, and takes no new one.
    pub(crate) fn cut(&self) {
        self.running.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn connect(adapter: TcpStream, state: Arc<State>) {
    let venue = *state.venue.lock().unwrap();
    let mut severed = state.severed.subscribe();
    let Ok(venue) = TcpStream::connect(venue).await else {
        return;
    };
    let _ = (adapter.set_nodelay(true), venue.set_nodelay(true));
    let (from_adapter, to_adapter) = adapter.into_split();
    let (from_venue, to_venue) = venue.into_split();
    // A connection that ends on one side ends on both.
    tokio::select! {
        _ = pass_on(from_adapter, to_venue, Some(&state.sent), None) => {}
        _ = pass_on(from_venue, to_adapter, None, Some(&state.loses_an_answer)) => {}
        _ = severed.changed() => {}
    }
}

async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    counter: Option<&AtomicU64>,
    loses: Option<&AtomicBool>,
) -> io::Result<()> {
    let mut is_socket = false;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        if loses.is_some_and(|loses| loses.swap(false, Ordering::SeqCst)) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&piece[..length]).to_lowercase();
        let is_request = !is_socket || length > PONG_BYTES_MAX;
        is_socket |= text.contains("upgrade: websocket");
        if let Some(counter) = counter.filter(|_| is_request) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        to.write_all(&piece[..length]).await?;
    }
}
