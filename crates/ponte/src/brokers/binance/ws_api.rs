//! The WebSocket API: requests and answers matched by id over one connection that comes back by itself.
//!
//! Beside answers the connection carries events (the user data stream of spot). What was written
//! when a connection breaks has an unknown outcome; what was not is certainly not sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::limits::RateLimit;
use super::socket::Socket;

/// The pause after the first connection that could not be had; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// The longest pause between two connections.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// The exchange ends connections after 24 h (Binance Spot WebSocket API, "General information");
/// they are renewed before, at a moment when no request is open.
const AGE_MAX: Duration = Duration::from_secs(23 * 60 * 60);
/// How long requests that are open may delay the renewal of a connection.
const RETIRE_MAX: Duration = Duration::from_secs(15);

/// A connection to the WebSocket API. It ends with the last handle.
pub(super) struct WsApi {
    requests: mpsc::UnboundedSender<Request>,
    events: Mutex<Option<mpsc::UnboundedReceiver<SocketEvent>>>,
    renew: Arc<Notify>,
    next_id: AtomicU64,
    patience: Duration,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum SocketAnswer {
    /// Certain that no byte of it was sent.
    NotSent(String),
    /// Some of it may have been sent, and no answer will come.
    Broken(String),
    /// The exchange's answer.
    Answered {
        /// As HTTP's.
        status: u16,
        /// The result, or the error: the same JSON as over REST.
        body: Vec<u8>,
        /// The limits and what has been used of them.
        limits: Vec<RateLimit>,
    },
}

/// What the connection says by itself.
#[derive(Debug)]
pub(super) enum SocketEvent {
    /// A connection is up; nothing is subscribed on it.
    Opened,
    /// The connection is gone, or could not be had.
    Closed(String),
    /// A message that answers no request.
    Message(String),
}

struct Request {
    id: u64,
    text: String,
    answer: oneshot::Sender<SocketAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerView<'a> {
    /// `null` where the exchange could not read the request's.
    #[serde(default)]
    id: Option<Value>,
    status: u16,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(default)]
    rate_limits: Vec<RateLimit>,
}

impl WsApi {
    /// Begins to connect, and goes on connecting. An answer is waited for as long as `patience`.
    pub(super) fn start(url: String, tls: Arc<ClientConfig>, patience: Duration) -> Self {
        let (requests, taken) = mpsc::unbounded_channel();
        let (told, events) = mpsc::unbounded_channel();
        let renew = Arc::new(Notify::new());
        let connection = Connection {
            url,
            tls,
            requests: taken,
            events: told,
            renew: renew.clone(),
            pending: BTreeMap::new(),
        };
        tokio::spawn(connection.run());
        Self {
            requests,
            events: Mutex::new(Some(events)),
            renew,
            next_id: AtomicU64::new(1),
            patience,
        }
    }

    /// Sends a request whose parameters are signed already.
    pub(super) async fn call(&self, method: &str, params: Value) -> SocketAnswer {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        // The exchange takes text, whole numbers and null as ids.
        let text = serde_json::json!({ "id": id, "method": method, "params": params }).to_string();
        let (answer, answered) = oneshot::channel();
        let request = Request { id, text, answer };
        if self.requests.send(request).is_err() {
            return SocketAnswer::NotSent("the web socket is closed".to_owned());
        }
        match timeout(self.patience, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => SocketAnswer::Broken("the web socket was closed".to_owned()),
            Err(_) => SocketAnswer::Broken(format!(
                "no answer over the web socket within {} s",
                self.patience.as_secs()
            )),
        }
    }

    /// What the connection says by itself; `None` when it was taken before.
    pub(super) fn take_events(&self) -> Option<mpsc::UnboundedReceiver<SocketEvent>> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Asks for a new connection, as soon as no request is open on the old one.
    pub(super) fn renew(&self) {
        self.renew.notify_one();
    }
}

struct Connection {
    url: String,
    tls: Arc<ClientConfig>,
    requests: mpsc::UnboundedReceiver<Request>,
    events: mpsc::UnboundedSender<SocketEvent>,
    renew: Arc<Notify>,
    pending: BTreeMap<u64, oneshot::Sender<SocketAnswer>>,
}

/// Why the connection's work is over.
enum End {
    /// Nobody holds the handle any more.
    Released,
    /// The connection broke, with the reason.
    Broken(String),
}

impl Connection {
    async fn run(mut self) {
        let mut pause = PAUSE_FIRST;
        loop {
            let opening = Socket::open(&self.url, self.tls.clone());
            let Some(opened) = refusing(&mut self.requests, opening).await else {
                return;
            };
            let why = match opened {
                Ok(socket) => {
                    pause = PAUSE_FIRST;
                    self.tell(SocketEvent::Opened);
                    match self.serve(socket).await {
                        End::Released => return,
                        End::Broken(why) => why,
                    }
                }
                Err(why) => why,
            };
            self.give_up(&why);
            self.tell(SocketEvent::Closed(why));
            if refusing(&mut self.requests, sleep(pause)).await.is_none() {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Carries requests, answers and events until the connection ends.
    async fn serve(&mut self, mut socket: Socket) -> End {
        let aged = sleep(AGE_MAX);
        tokio::pin!(aged);
        let mut retiring = false;
        loop {
            self.pending.retain(|_, answer| !answer.is_closed());
            if retiring && self.pending.is_empty() {
                return End::Broken("the connection was renewed".to_owned());
            }
            tokio::select! {
                request = self.requests.recv() => {
                    let Some(request) = request else {
                        return End::Released;
                    };
                    // Whoever asked has given up, and said that nobody knows: it is not sent late.
                    if request.answer.is_closed() {
                        continue;
                    }
                    // From here on some of it may have been sent.
                    self.pending.insert(request.id, request.answer);
                    if let Err(why) = socket.send(request.text).await {
                        return End::Broken(why);
                    }
                }
                text = socket.receive() => match text {
                    Ok(text) => self.heard(text),
                    Err(why) => return End::Broken(why),
                },
                () = self.renew.notified(), if !retiring => {
                    retiring = true;
                    aged.as_mut().set(sleep(RETIRE_MAX));
                }
                () = &mut aged => {
                    if retiring {
                        return End::Broken("the connection was renewed".to_owned());
                    }
                    retiring = true;
                    aged.as_mut().set(sleep(RETIRE_MAX));
                }
            }
        }
    }

    fn heard(&mut self, text: String) {
        let Some((id, answer)) = read_answer(&text) else {
            self.tell(SocketEvent::Message(text));
            return;
        };
        if let Some(waiting) = self.pending.remove(&id) {
            // Whoever asked may have gone; the answer is then nobody's.
            let _ = waiting.send(answer);
        }
    }

    fn give_up(&mut self, why: &str) {
        for (_, waiting) in std::mem::take(&mut self.pending) {
            let _ = waiting.send(SocketAnswer::Broken(why.to_owned()));
        }
    }

    fn tell(&self, event: SocketEvent) {
        // Nobody may be listening: requests need no events.
        let _ = self.events.send(event);
    }
}

/// Waits for something while there is no connection: requests that come meanwhile are not sent.
/// `None` when the last handle is gone.
async fn refusing<T>(
    requests: &mut mpsc::UnboundedReceiver<Request>,
    wait: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(wait);
    loop {
        tokio::select! {
            // Requests first: an open connection must not take one that is refused here.
            biased;
            request = requests.recv() => {
                let why = "the web socket to binance is not up".to_owned();
                let _ = request?.answer.send(SocketAnswer::NotSent(why));
            }
            done = &mut wait => return Some(done),
        }
    }
}

/// Reads an answer to a request of ours; `None` for anything else.
fn read_answer(text: &str) -> Option<(u64, SocketAnswer)> {
    let view: AnswerView<'_> = serde_json::from_str(text).ok()?;
    let id = match view.id? {
        Value::Number(id) => id.as_u64()?,
        Value::String(id) => id.parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let body = view.result.or(view.error).map(RawValue::get);
    let answer = SocketAnswer::Answered {
        status: view.status,
        body: body.unwrap_or("null").as_bytes().to_vec(),
        limits: view.rate_limits,
    };
    Some((id, answer))
}

#[cfg(test)]
mod tests;
