//! A web socket to the exchange: opened in time, kept alive, and given up when it falls silent.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Interval, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

/// How long a connection may take to come up.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a frame may take to be written.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the exchange is pinged. It pings itself every 20 s on spot and every 3 min on futures.
const PING_EVERY: Duration = Duration::from_secs(15);
/// After so many pings without any frame from the exchange the connection is dead.
const QUIET_PINGS_MAX: u32 = 3;
/// The largest message that is read.
const MESSAGE_BYTES_MAX: usize = 8 << 20;

/// An open web socket.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pings: Interval,
    quiet_pings: u32,
}

impl Socket {
    /// Opens a web socket.
    ///
    /// # Errors
    /// What went wrong, without the address: it can hold a listen key.
    pub(super) async fn open(url: &str, tls: Arc<ClientConfig>) -> Result<Self, String> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let connector = if url.starts_with("wss://") {
            Connector::Rustls(tls)
        } else {
            Connector::Plain
        };
        let opening = tokio_tungstenite::connect_async_tls_with_config(
            url,
            Some(config),
            true,
            Some(connector),
        );
        match timeout(OPEN_TIMEOUT, opening).await {
            Ok(Ok((stream, _))) => {
                let mut pings = interval(PING_EVERY);
                pings.reset();
                Ok(Self {
                    stream,
                    pings,
                    quiet_pings: 0,
                })
            }
            Ok(Err(problem)) => Err(problem.to_string()),
            Err(_) => Err(format!(
                "the web socket did not open within {} s",
                OPEN_TIMEOUT.as_secs()
            )),
        }
    }

    /// Writes a message. After an error some of it may have been sent.
    ///
    /// # Errors
    /// What went wrong; the socket is of no more use.
    pub(super) async fn send(&mut self, text: String) -> Result<(), String> {
        self.write(Message::text(text)).await
    }

    async fn write(&mut self, message: Message) -> Result<(), String> {
        match timeout(SEND_TIMEOUT, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|problem| problem.to_string()),
            Err(_) => Err(format!(
                "a message could not be written within {} s",
                SEND_TIMEOUT.as_secs()
            )),
        }
    }

    /// The next text from the exchange. May be dropped at any time without losing one.
    ///
    /// # Errors
    /// Why no more will come.
    pub(super) async fn receive(&mut self) -> Result<String, String> {
        loop {
            tokio::select! {
                frame = self.stream.next() => {
                    self.quiet_pings = 0;
                    match frame {
                        Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                        Some(Ok(Message::Close(_))) | None => {
                            return Err("binance closed the web socket".to_owned());
                        }
                        // Pings are answered by the library.
                        Some(Ok(
                            Message::Binary(_)
                            | Message::Ping(_)
                            | Message::Pong(_)
                            | Message::Frame(_),
                        )) => {}
                        Some(Err(problem)) => return Err(problem.to_string()),
                    }
                }
                _ = self.pings.tick() => {
                    self.quiet_pings += 1;
                    if self.quiet_pings > QUIET_PINGS_MAX {
                        let quiet = PING_EVERY.as_secs() * u64::from(QUIET_PINGS_MAX);
                        return Err(format!("the web socket was silent for {quiet} s"));
                    }
                    self.write(Message::Ping(Vec::new().into())).await?;
                }
            }
        }
    }
}
