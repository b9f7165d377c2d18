//! Where connections come in: they are accepted through whatever the system says in between, and each
//! waits for its slot or is closed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::connection::Connections;
use super::slots::{NoSlot, Slot, Slots};

/// The pause after the system could give no connection: most often it has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After so many such failures in a row, one minute of them, the listener is given up.
const ACCEPT_FAILURES_MAX: u32 = 600;

/// A connection that may come in, who is at its other end, and its slot.
pub(super) type Admitted = (TcpStream, SocketAddr, Slot);

/// A listener with what it takes to come in.
pub(super) struct Entrance {
    /// None once nobody new comes in.
    listener: Option<TcpListener>,
    connections: Arc<Connections>,
    slots: Arc<Slots>,
    /// One that is accepted and waits for its slot.
    first: Option<(TcpStream, SocketAddr)>,
}

impl Entrance {
    pub(super) fn new(
        listener: TcpListener,
        connections: Arc<Connections>,
        slots: Arc<Slots>,
    ) -> Self {
        Self {
            listener: Some(listener),
            connections,
            slots,
            first: None,
        }
    }

    /// Accepts nothing more: what comes stays in the socket, for whoever else holds it. Only the one that
    /// is accepted already still comes in.
    pub(super) fn close(&mut self) {
        self.listener = None;
    }

    /// Waits for the next connection that may come in; for ever where none will. Whoever stops waiting
    /// loses none.
    ///
    /// # Errors
    /// When none could be accepted for a minute.
    pub(super) async fn next(&mut self) -> io::Result<Admitted> {
        loop {
            let (stream, peer) = match (self.first.take(), &self.listener) {
                (Some(first), _) => first,
                (None, Some(listener)) => accept(listener, &self.slots).await?,
                (None, None) => std::future::pending().await,
            };
            match self.slot(peer) {
                Ok(slot) => return Ok((stream, peer, slot)),
                Err(Closed::ForGood) => {}
                Err(Closed::ForNow) => {
                    self.first = Some((stream, peer));
                    self.slots.freed().await;
                }
            }
        }
    }

    fn slot(&self, peer: SocketAddr) -> Result<Slot, Closed> {
        let Connections {
            gate, complaints, ..
        } = &*self.connections;
        let address = peer.ip().to_canonical();
        if gate.proxy_protocol && !(gate.is_proxy)(address) {
            complaints.tell_of_stranger_without_proxy(peer);
            return Err(Closed::ForGood);
        }
        self.slots
            .enter(gate.guest(address))
            .map_err(|none| match none {
                NoSlot::Yet => Closed::ForNow,
                NoSlot::TooManyOfOne => {
                    complaints.tell_of_too_many(address);
                    Closed::ForGood
                }
            })
    }
}

/// Why a connection does not come in.
enum Closed {
    ForNow,
    ForGood,
}

/// Waits for a connection.
///
/// # Errors
/// When none could be accepted for a minute.
async fn accept(listener: &TcpListener, slots: &Slots) -> io::Result<(TcpStream, SocketAddr)> {
    let mut failures = 0;
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
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
        // Handles may be what is missing, and a stranger's is the first to be spared.
        slots.make_room();
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
