//! A stand-in for an exchange's public streams: it answers subscriptions and says what a test says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use ponte::prices::binance::Hosts;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::within_reason;

/// How it treats its clients.
#[derive(Debug, Default)]
pub(super) struct Manners {
    /// Streams for which a whole request is refused.
    pub(super) refuses: BTreeSet<String>,
    /// The first client's requests are not answered.
    pub(super) is_mute_at_first: bool,
    /// The first client is cut off before it is heard.
    pub(super) is_out_at_first: bool,
    /// What every client but the first is told after its request.
    pub(super) greeting: Option<Value>,
}

/// One client's connection.
pub(super) struct Line {
    /// The path by which it came.
    pub(super) path: String,
    asked: UnboundedReceiver<Vec<String>>,
    say: UnboundedSender<Say>,
}

enum Say {
    Text(String),
    /// The connection ends without a word.
    Cut,
}

/// The exchange; it ends with this value.
pub(super) struct Exchange {
    address: String,
    lines: UnboundedReceiver<Line>,
    _tasks: JoinSet<()>,
}

impl Exchange {
    pub(super) async fn open(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("ws://{}", listener.local_addr().unwrap());
        let (came, lines) = mpsc::unbounded_channel();
        let manners = Arc::new(manners);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            let mut is_first = true;
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(serve(stream, manners.clone(), is_first, came.clone()));
                is_first = false;
            }
        });
        Self {
            address,
            lines,
            _tasks: tasks,
        }
    }

    pub(super) fn hosts(&self) -> Hosts {
        Hosts {
            spot_streams: self.address.clone(),
            futures_streams: format!("{}/public", self.address),
            // Nobody there: what is told here comes by the streams.
            spot_rest: "http://127.0.0.1:1".to_owned(),
            futures_rest: "http://127.0.0.1:1".to_owned(),
        }
    }

    /// The next client that connects.
    pub(super) async fn line(&mut self) -> Line {
        within_reason("a connection", self.lines.recv())
            .await
            .unwrap()
    }
}

impl Line {
    /// The streams of the next request.
    pub(super) async fn asked(&mut self) -> Vec<String> {
        within_reason("a request", self.asked.recv()).await.unwrap()
    }

    pub(super) fn book(&self, update: u64, symbol: &str, bid: &str, ask: &str) {
        self.text(&book(update, symbol, bid, ask));
    }

    pub(super) fn text(&self, value: &Value) {
        // The client may have left by now.
        let _ = self.say.send(Say::Text(value.to_string()));
    }

    pub(super) fn cut(&self) {
        let _ = self.say.send(Say::Cut);
    }
}

/// A book ticker as the spot market tells it.
pub(super) fn book(update: u64, symbol: &str, bid: &str, ask: &str) -> Value {
    json!({"u": update, "s": symbol, "b": bid, "B": "1.5", "a": ask, "A": "2"})
}

async fn serve(
    stream: TcpStream,
    manners: Arc<Manners>,
    is_first: bool,
    came: UnboundedSender<Line>,
) {
    if is_first && manners.is_out_at_first {
        return;
    }
    // Otherwise two words in a row would wait for the client's system to confirm the first.
    stream.set_nodelay(true).unwrap();
    let path = Arc::new(Mutex::new(String::new()));
    let seen = path.clone();
    #[allow(clippy::result_large_err, reason = "the library's signature")]
    let look = move |request: &Request, response: Response| {
        *seen.lock().unwrap() = request.uri().path().to_owned();
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else {
        return;
    };
    let (ask, asked) = mpsc::unbounded_channel();
    let (say, mut said) = mpsc::unbounded_channel();
    let path = path.lock().unwrap().clone();
    // Nobody looks at a line that the test does not wait for.
    let _ = came.send(Line {
        path,
        asked,
        say: say.clone(),
    });
    loop {
        tokio::select! {
            word = said.recv() => match word {
                Some(Say::Text(text)) => if socket.send(Message::text(text)).await.is_err() { return },
                Some(Say::Cut) | None => return,
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    let request: Value = serde_json::from_str(&text).unwrap();
                    let streams = streams(&request);
                    if !(is_first && manners.is_mute_at_first) {
                        let _ = say.send(Say::Text(manners.answer(&request, &streams).to_string()));
                    }
                    if let Some(greeting) = manners.greeting.as_ref().filter(|_| !is_first) {
                        let _ = say.send(Say::Text(greeting.to_string()));
                    }
                    let _ = ask.send(streams);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

fn streams(request: &Value) -> Vec<String> {
    assert_eq!(request["method"], "SUBSCRIBE");
    serde_json::from_value(request["params"].clone()).unwrap()
}

impl Manners {
    fn answer(&self, request: &Value, streams: &[String]) -> Value {
        if streams.iter().any(|stream| self.refuses.contains(stream)) {
            let error = json!({"code": 2, "msg": "Invalid request: unknown stream"});
            json!({"error": error, "id": request["id"]})
        } else {
            json!({"result": null, "id": request["id"]})
        }
    }
}
