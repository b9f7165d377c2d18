//! The network between a terminal's machine and Ponte, which can be cut, and can hold back what it carries.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How much is passed on at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// What the network does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// What is sent stays on its way until the network is open again, as TCP does over an outage.
    Holding,
    /// Connections break, and no new one comes about.
    Cut,
}

/// Passes bytes on in both directions.
pub(super) struct Wire {
    pub(super) address: SocketAddr,
    way: Arc<watch::Sender<Way>>,
    running: JoinHandle<()>,
}

impl Wire {
    /// A network that leads to this address.
    pub(super) async fn to(ponte: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(watch::Sender::new(Way::Open));
        let shared = Arc::clone(&way);
        let running = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((bridge, _)) = listener.accept().await {
                if *shared.borrow() != Way::Cut {
                    connections.spawn(connect(bridge, ponte, shared.subscribe()));
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            way,
            running,
        }
    }

    /// Breaks every connection, and lets none come about.
    pub(super) fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Keeps what is sent on its way.
    pub(super) fn hold(&self) {
        self.way.send_replace(Way::Holding);
    }

    /// Lets everything through again, first of all what was held.
    pub(super) fn mend(&self) {
        self.way.send_replace(Way::Open);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn connect(bridge: TcpStream, ponte: SocketAddr, mut way: watch::Receiver<Way>) {
    let Ok(ponte) = TcpStream::connect(ponte).await else {
        return;
    };
    let (from_bridge, to_bridge) = bridge.into_split();
    let (from_ponte, to_ponte) = ponte.into_split();
    // A connection that ends on one side ends on both.
    tokio::select! {
        _ = pass_on(from_bridge, to_ponte, way.clone()) => {}
        _ = pass_on(from_ponte, to_bridge, way.clone()) => {}
        _ = way.wait_for(|way| *way == Way::Cut) => {}
    }
}

async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = from.read(&mut piece).await?;
        if way.wait_for(|way| *way == Way::Open).await.is_err() {
            return Ok(());
        }
        if length == 0 {
            return Ok(());
        }
        to.write_all(&piece[..length]).await?;
    }
}
