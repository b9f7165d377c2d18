//! Accepting connections, through whatever the system says in between.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::slots::Slots;

/// The pause after the system could give no connection: most often it has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After so many such failures in a row, one minute of them, the listener is given up.
const ACCEPT_FAILURES_MAX: u32 = 600;

/// Waits for a connection.
///
/// # Errors
/// When none could be accepted for a minute.
pub(super) async fn accept(
    listener: &TcpListener,
    slots: &Slots,
) -> io::Result<(TcpStream, SocketAddr)> {
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
