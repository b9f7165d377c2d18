//! Market and private streams: one stream in the path, several in the query, or subscribed to by message.
//!
//! Source: Binance Spot API, "WebSocket Streams"; Binance USDⓈ-M Futures API, "WebSocket Market Streams" with the split
//! of the addresses of 2026. A futures connection on the wrong address, or with a listen key that is not one, stays
//! silent.

use super::Market;
use super::params::percent_decode;
use super::sockets::{self, Protocol, Seat};
use super::state::{Face, Inside};
use super::streams::{Outgoing, SubscriberId, Topic, Wrap};
use crate::faces::connection::Cutter;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Streams of one connection at most.
const STREAMS_MAX: usize = 1_024;

/// By which address a connection came: what can be listened to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/ws`, `/stream`: spot streams, and by their listen keys and under `/fstream` the futures' old address.
    Plain,
    /// `/fstream/ws`, `/fstream/stream`: all futures streams.
    Futures,
    /// `/public/…`: futures' book tickers and depth.
    FuturesPublic,
    /// `/market/…`: the futures' other market data.
    FuturesMarket,
    /// `/private/…`: futures' private events.
    FuturesPrivate,
}

impl Route {
    fn of(path: &str) -> Route {
        match path.split('/').nth(1) {
            Some("fstream") => Route::Futures,
            Some("public") => Route::FuturesPublic,
            Some("market") => Route::FuturesMarket,
            Some("private") => Route::FuturesPrivate,
            Some(_) | None => Route::Plain,
        }
    }

    /// What a stream's name means here; none for what stays silent.
    fn topic(self, inside: &Inside, name: &str) -> Option<Topic> {
        let public = |market| {
            Some(Topic::Public {
                market,
                stream: name.to_owned(),
            })
        };
        let private = || {
            let account = inside.futures.account_of_listen_key(name)?;
            Some(Topic::User {
                market: Market::Futures,
                account,
            })
        };
        let is_book =
            name.contains("@bookTicker") || name.contains("@depth") || name == "!bookTicker";
        // Undocumented; clients find it beside the book.
        let is_single_trade = name.ends_with("@trade");
        match self {
            Route::Plain => private().or_else(|| public(Market::Spot)),
            Route::Futures => private().or_else(|| public(Market::Futures)),
            Route::FuturesPublic => public(Market::Futures).filter(|_| is_book || is_single_trade),
            Route::FuturesMarket => public(Market::Futures).filter(|_| !is_book),
            Route::FuturesPrivate => private(),
        }
    }
}

/// `…/ws`, `…/ws/<stream>`, `…/stream?streams=<a>/<b>`.
pub(super) async fn open(
    State(face): State<Arc<Face>>,
    Extension(cutter): Extension<Cutter>,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let path = uri.path();
    let route = Route::of(path);
    let query = uri.query().unwrap_or_default();
    let is_combined = path.split('/').any(|part| part == "stream");
    let named = if is_combined {
        parameter(query, "streams")
    } else {
        let in_path = path.split_once("/ws/").map(|(_, names)| names);
        in_path.and_then(percent_decode)
    };
    let names = named
        .or_else(|| parameter(query, "listenKey"))
        .unwrap_or_default();
    let events = parameter(query, "events").map(|kinds| {
        let kinds = kinds.split(['/', ',']).map(str::to_owned);
        kinds.collect::<BTreeSet<String>>()
    });
    let names: Vec<String> = names
        .split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let listener = Listener { route, is_combined };
    let ping_every = match route {
        Route::Plain => face.spot_ping,
        Route::Futures | Route::FuturesPublic | Route::FuturesMarket | Route::FuturesPrivate => {
            face.futures_ping
        }
    };
    let Some(seat) = Seat::take(face.clone()) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    if let Some(mut inside) = face.lock() {
        for name in names.iter().take(STREAMS_MAX) {
            listener.listen(&mut inside, seat.id, name);
        }
        if let Some(kinds) = events {
            inside.streams.choose_events(seat.id, kinds);
        }
    }
    upgrade
        .max_message_size(sockets::MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| sockets::serve(socket, seat, cutter, ping_every, listener))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    found.and_then(|(_, value)| percent_decode(value))
}

/// One connection.
#[derive(Clone, Copy)]
struct Listener {
    route: Route,
    is_combined: bool,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    #[serde(default)]
    params: Vec<Value>,
    #[serde(default)]
    id: Value,
}

impl Listener {
    fn listen(self, inside: &mut Inside, id: SubscriberId, name: &str) {
        if let Some(topic) = self.route.topic(inside, name) {
            let wrap = if self.is_combined {
                Wrap::Stream(name.to_owned())
            } else {
                Wrap::Raw
            };
            inside.streams.subscribe(id, topic, wrap);
        }
    }

    fn answer(&mut self, inside: &mut Inside, id: SubscriberId, request: Request) -> Value {
        let names: Vec<String> = request
            .params
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let invalid =
            |message: &str| json!({"error": {"code": 2, "msg": message}, "id": request.id});
        match request.method.as_str() {
            "SUBSCRIBE" => {
                if inside.streams.topics(id).len() + names.len() > STREAMS_MAX {
                    return invalid("Invalid request: too many streams on this connection");
                }
                for name in &names {
                    self.listen(inside, id, name);
                }
                json!({"result": null, "id": request.id})
            }
            "UNSUBSCRIBE" => {
                for name in &names {
                    inside.streams.unsubscribe(
                        id,
                        |topic, _| matches!(topic, Topic::Public { stream, .. } if stream == name),
                    );
                }
                json!({"result": null, "id": request.id})
            }
            "LIST_SUBSCRIPTIONS" => {
                let topics = inside.streams.topics(id).iter();
                let names: Vec<&String> = topics
                    .filter_map(|(topic, _)| match topic {
                        Topic::Public { stream, .. } => Some(stream),
                        Topic::User { .. } => None,
                    })
                    .collect();
                json!({"result": names, "id": request.id})
            }
            "SET_PROPERTY" => {
                self.is_combined = request.params.get(1) == Some(&Value::Bool(true));
                json!({"result": null, "id": request.id})
            }
            "GET_PROPERTY" => json!({"result": self.is_combined, "id": request.id}),
            other => invalid(&format!("Invalid request: unknown method {other}")),
        }
    }
}

impl Protocol for Listener {
    fn take(
        &mut self,
        face: &Arc<Face>,
        id: SubscriberId,
        text: &str,
        sender: &mpsc::Sender<Outgoing>,
    ) -> bool {
        let answer = match serde_json::from_str::<Request>(text) {
            Ok(request) => {
                let Some(mut inside) = face.lock() else {
                    return false;
                };
                self.answer(&mut inside, id, request)
            }
            Err(error) => {
                json!({"error": {"code": 3, "msg": format!("Invalid JSON: {error}")}, "id": null})
            }
        };
        sender.try_send(Outgoing::Text(answer.to_string())).is_ok()
    }
}
