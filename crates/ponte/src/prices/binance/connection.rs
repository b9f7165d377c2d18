//! One connection to one market: it asks for what is followed, and hears until it ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

use super::wire::{self, Message};
use super::{BinancePrices, Market};
use crate::clock;

/// Streams in one request: about 3 kB.
const BATCH_MAX: usize = 100;
/// Between two requests: 4 in a second, and the fifth message that the spot market takes is left
/// for the answer to a ping (Binance Spot, "WebSocket Limits"; Futures takes 10).
const REQUEST_EVERY: Duration = Duration::from_millis(250);
/// Far above any message that was asked for.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// There was none.
    NotConnected(String),
    /// It broke, or the server closed it.
    Broken(String),
    /// A request had no answer in time.
    Unanswered,
    /// No price came for too long.
    Silent,
    /// The server said that it is about to stop.
    Shutdown,
    /// The server would end it soon.
    Old,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(why) => write!(f, "it could not be made: {why}"),
            Self::Broken(why) => write!(f, "it broke: {why}"),
            Self::Unanswered => f.write_str("a request was not answered in time"),
            Self::Silent => f.write_str("no price came for too long"),
            Self::Shutdown => f.write_str("the server shuts down"),
            Self::Old => f.write_str("the server would end it soon"),
        }
    }
}

/// Connects and stays connected as long as that makes sense; says why it ended, and whether there
/// was a price.
pub(super) async fn run(prices: &BinancePrices, market: &Market) -> (End, bool) {
    let connecting = tokio::time::timeout(prices.patience.connect, connect(prices, market));
    let socket = match connecting.await {
        Ok(Ok(socket)) => socket,
        Ok(Err(problem)) => return (End::NotConnected(problem.to_string()), false),
        Err(_) => return (End::NotConnected("it took too long".to_owned()), false),
    };
    tracing::debug!(market = market.name, "binance prices: connected");
    let now = clock::instant();
    let mut connection = Connection {
        prices,
        market,
        socket,
        asked: BTreeSet::new(),
        unsent: VecDeque::new(),
        unanswered: BTreeMap::new(),
        requests: 0,
        request_at: now,
        last_price_at: now,
        had_price: false,
    };
    let end = connection.listen().await;
    (end, connection.had_price)
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(prices: &BinancePrices, market: &Market) -> Result<Socket, tungstenite::Error> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (socket, _) = tokio_tungstenite::connect_async_tls_with_config(
        market.url.as_str(),
        Some(config),
        true,
        Some(Connector::Rustls(prices.tls.clone())),
    )
    .await?;
    Ok(socket)
}

/// A request that waits for its answer.
struct Request {
    /// The market's names of the symbols in it.
    names: Vec<String>,
    until: Instant,
}

struct Connection<'a> {
    prices: &'a BinancePrices,
    market: &'a Market,
    socket: Socket,
    /// What was asked for on this connection, or waits to be.
    asked: BTreeSet<String>,
    unsent: VecDeque<Vec<String>>,
    unanswered: BTreeMap<u64, Request>,
    /// How many requests were sent.
    requests: u64,
    /// When the next request may be sent.
    request_at: Instant,
    last_price_at: Instant,
    had_price: bool,
}

impl Connection<'_> {
    async fn listen(&mut self) -> End {
        let old_at = self.last_price_at + self.prices.patience.connection_age;
        self.ask_for_more();
        loop {
            let patience_ends_at = self.patience_ends_at();
            tokio::select! {
                frame = self.socket.next() => {
                    if let Err(end) = self.hear(frame) {
                        return end;
                    }
                }
                () = self.market.grown.notified() => self.ask_for_more(),
                () = at(self.request_at), if !self.unsent.is_empty() => {
                    if let Err(end) = self.send().await {
                        return end;
                    }
                }
                () = at(patience_ends_at.unwrap_or(old_at)), if patience_ends_at.is_some() => {
                    let now = clock::instant();
                    let late = self.unanswered.values().any(|request| request.until <= now);
                    return if late { End::Unanswered } else { End::Silent };
                }
                () = at(old_at) => return End::Old,
            }
        }
    }

    /// When this connection will have been patient for long enough, if nothing more comes.
    fn patience_ends_at(&self) -> Option<Instant> {
        let answer = self.unanswered.values().map(|request| request.until).min();
        let price = self
            .market
            .has_spoken()
            .then(|| self.last_price_at + self.prices.patience.silence);
        answer.into_iter().chain(price).min()
    }

    /// Queues what is followed and was not asked for yet.
    fn ask_for_more(&mut self) {
        let new = self.market.not_in(&self.asked);
        for batch in new.chunks(BATCH_MAX) {
            self.asked.extend(batch.iter().cloned());
            self.unsent.push_back(batch.to_vec());
        }
    }

    async fn send(&mut self) -> Result<(), End> {
        let Some(names) = self.unsent.pop_front() else {
            return Ok(());
        };
        self.requests += 1;
        let streams: Vec<_> = names.iter().map(|name| wire::book_stream(name)).collect();
        let text = wire::subscribe(self.requests, &streams);
        let patience = self.prices.patience.answer;
        match tokio::time::timeout(patience, self.socket.send(Frame::text(text))).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => return Err(End::Broken(problem.to_string())),
            Err(_) => return Err(End::Unanswered),
        }
        let now = clock::instant();
        self.request_at = now + REQUEST_EVERY;
        let until = now + patience;
        self.unanswered
            .insert(self.requests, Request { names, until });
        Ok(())
    }

    fn hear(&mut self, frame: Option<Result<Frame, tungstenite::Error>>) -> Result<(), End> {
        match frame {
            Some(Ok(Frame::Text(text))) => self.understand(&text),
            // Pings are answered by the library, with their payload.
            Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Binary(_) | Frame::Frame(_))) => {
                Ok(())
            }
            Some(Ok(Frame::Close(frame))) => {
                let why = frame.map(|frame| format!("{} {}", frame.code, frame.reason));
                let why = why.unwrap_or_default();
                Err(End::Broken(format!("the server closed it {why}")))
            }
            Some(Err(problem)) => Err(End::Broken(problem.to_string())),
            None => Err(End::Broken("the server closed it".to_owned())),
        }
    }

    fn understand(&mut self, text: &str) -> Result<(), End> {
        match wire::read(text) {
            Ok(Message::Book { symbol, top }) => {
                if let Some(symbol) = self.market.symbol(&symbol) {
                    self.prices.board.update(&symbol, top);
                    self.last_price_at = clock::instant();
                    self.had_price = true;
                    self.market.has_spoken.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            Ok(Message::Answer { id, refusal }) => {
                if let Some(request) = self.unanswered.remove(&id)
                    && let Some(why) = refusal
                {
                    self.divide(request.names, &why);
                }
                Ok(())
            }
            Ok(Message::Shutdown) => Err(End::Shutdown),
            Ok(Message::Other) => Ok(()),
            Err(problem) => {
                let market = self.market.name;
                tracing::debug!(market, %problem, "binance prices: a message was not understood");
                Ok(())
            }
        }
    }

    /// A request was refused because of one or more of its symbols: its halves are asked for, until
    /// those stand alone.
    fn divide(&mut self, mut names: Vec<String>, why: &str) {
        if names.len() > 1 {
            let half = names.split_off(names.len() / 2);
            self.unsent.extend([names, half]);
        } else {
            let (market, symbol) = (self.market.name, names.concat());
            tracing::warn!(
                market,
                symbol,
                why,
                "binance prices: a symbol was refused; it has no price"
            );
        }
    }
}

/// Ends at that moment.
async fn at(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}
