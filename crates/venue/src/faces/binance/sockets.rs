//! Web sockets: one loop for every connection that takes what the client says to its protocol, sends what it is told,
//! pings, and ends when it is cut.

use super::state::Face;
use super::streams::{MESSAGES_WAITING_MAX, Outgoing, SubscriberId};
use crate::faces::connection::Cutter;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The close code of a server that goes away.
const GOING_AWAY: u16 = 1001;
/// The largest message of a client.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What a connection does with what its client says.
pub(super) trait Protocol: Send {
    /// Takes one message; answers go through `sender`. False cuts the connection.
    fn take(
        &mut self,
        face: &Arc<Face>,
        id: SubscriberId,
        text: &str,
        sender: &mpsc::Sender<Outgoing>,
    ) -> bool;
}

/// A connection's place among the listeners: taken before the handshake is answered, so that nothing is lost
/// that happens as soon as the client knows that it is connected; given up when dropped.
pub(super) struct Seat {
    face: Arc<Face>,
    pub(super) id: SubscriberId,
    outgoing: mpsc::Receiver<Outgoing>,
    /// Only the streams and answers under way hold the other end, so that it closes when the client is too slow.
    answers: mpsc::WeakSender<Outgoing>,
}

impl Seat {
    /// `None` where the exchange is broken.
    pub(super) fn take(face: Arc<Face>) -> Option<Self> {
        let (sender, outgoing) = mpsc::channel(MESSAGES_WAITING_MAX);
        let answers = sender.downgrade();
        let id = face.lock()?.streams.connect(sender);
        Some(Self {
            face,
            id,
            outgoing,
            answers,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(mut inside) = self.face.lock() {
            inside.streams.disconnect(self.id);
        }
    }
}

/// Serves one connection until it ends.
pub(super) async fn serve(
    mut socket: WebSocket,
    mut seat: Seat,
    cutter: Cutter,
    ping_every: Duration,
    mut protocol: impl Protocol,
) {
    let face = seat.face.clone();
    let mut stopping = face.stopping.subscribe();
    let mut pings = tokio::time::interval(ping_every.max(Duration::from_millis(1)));
    pings.tick().await;
    loop {
        tokio::select! {
            () = cutter.wait_for_cut() => break,
            () = until_stopped(&mut stopping) => {
                close(&mut socket).await;
                break;
            }
            _ = pings.tick() => {
                let payload = face.lock().map(|inside| (inside.now().0 / 1_000).to_string()).unwrap_or_default();
                if socket.send(Message::Ping(payload.into())).await.is_err() {
                    break;
                }
            }
            message = seat.outgoing.recv() => match message {
                Some(Outgoing::Text(text)) => {
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
                Some(Outgoing::Close) => {
                    close(&mut socket).await;
                    break;
                }
                Some(Outgoing::Cut) | None => break,
            },
            received = socket.recv() => {
                let Some(sender) = seat.answers.upgrade() else {
                    break;
                };
                match received {
                    Some(Ok(Message::Text(text))) => {
                        if !protocol.take(&face, seat.id, &text, &sender) {
                            break;
                        }
                    }
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                }
            }
        }
    }
}

/// Waits until the server stops.
async fn until_stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn close(socket: &mut WebSocket) {
    let frame = CloseFrame {
        code: GOING_AWAY,
        reason: "".into(),
    };
    // A client that is gone already needs no farewell.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
