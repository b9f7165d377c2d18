//! The user's stream: what the exchange says by itself, and what is done when it says nothing.
//!
//! A connection with a bad listen key, or on the wrong route, stays silent instead of failing, so
//! that silence after an order of our own counts as a broken connection.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::OrderReport;
use ponte_core::time::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;

use super::Futures;
use super::book::Effect;
use super::lookup::Looked;
use super::place::Service;
use super::wire::{AlgoEvent, Event, ListenKeyView, OrderEvent};
use crate::brokers::News;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;
use crate::brokers::binance::socket::Socket;
use crate::clock;

const LISTEN_KEY: &str = "/fapi/v1/listenKey";
/// A listen key lives for 60 minutes and is extended after half of them (USDⓈ-M Futures, "User Data Streams").
const EXTEND_EVERY: Duration = Duration::from_secs(30 * 60);
/// The pause before a listen key is extended again when that failed.
const EXTEND_AGAIN: Duration = Duration::from_secs(60);
/// The exchange ends each connection after 24 hours; it is renewed before that.
const CONNECTION_LIFE: Duration = Duration::from_secs(23 * 60 * 60);
/// The exchange may begin to speak a little after it has opened the connection: what happens in
/// between is asked about once more after this time.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// How long the stream may take to tell of an order that the exchange has acknowledged.
const HEARD_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const LISTEN_EVERY: Duration = Duration::from_secs(1);
/// A stream can fall silent without a sign. While orders are open, they are asked about this often,
/// so that a stop that has executed is known of even then.
const RECHECK_EVERY: Duration = Duration::from_secs(60);
/// The first pauses before the stream is opened again; later ones are as long as [`POLL_EVERY`].
const PAUSES: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// How often missed news is spoken of while the stream can't be had.
const POLL_EVERY: Duration = Duration::from_secs(5);

/// What a message of the stream asks for.
enum Step {
    /// Nothing.
    Nothing,
    /// Tell where an order stands.
    Tell(OrderReport),
    /// Ask where an order stands.
    Ask(ClientOrderId, Symbol, Service),
    /// A message could not be read: ask about everything.
    Missed,
    /// Read the account's settings anew.
    Settings,
    /// The listen key is over.
    Expired,
}

impl Futures {
    /// Follows the stream until the receiver is gone; opens it again whenever it ends.
    pub(super) async fn follow(&self, into: &UnboundedSender<News>) {
        let mut failures = 0;
        let mut told = String::new();
        while !into.is_closed() {
            let why = match self.open_meanwhile_polling(into).await {
                Ok((socket, key)) => {
                    failures = 0;
                    told.clear();
                    self.listen(socket, &key, into).await
                }
                Err(why) => why,
            };
            self.pulse.down(&why);
            if told != why {
                tracing::warn!(
                    account.id = %self.name, reason = why,
                    "the stream of the account's orders ended; it is opened again, and orders are asked about meanwhile"
                );
                told = why;
            }
            tell(into, News::Missed);
            let pause = PAUSES.get(failures).copied();
            tokio::time::sleep(pause.unwrap_or(POLL_EVERY)).await;
            failures += 1;
        }
    }

    /// Opens the stream. However long that takes, orders are asked about.
    async fn open_meanwhile_polling(
        &self,
        into: &UnboundedSender<News>,
    ) -> Result<(Socket, String), String> {
        let mut opening = pin!(self.open());
        loop {
            tokio::select! {
                opened = &mut opening => return opened,
                () = tokio::time::sleep(POLL_EVERY) => tell(into, News::Missed),
            }
        }
    }

    async fn open(&self) -> Result<(Socket, String), String> {
        let call = Call::keyed(Method::POST, LISTEN_KEY, Params::new());
        let view: ListenKeyView = self
            .client
            .read(&call)
            .await
            .map_err(|problem| format!("no listen key: {problem}"))?;
        // Without a list of events the stream brings all of them, its own expiry too.
        let url = format!("{}/private/ws/{}", self.streams, view.listen_key);
        let socket = Socket::open(&url, self.client.tls()).await?;
        Ok((socket, view.listen_key))
    }

    /// Reads a connection's messages until it ends, and says why it did.
    async fn listen(&self, mut socket: Socket, key: &str, into: &UnboundedSender<News>) -> String {
        self.awaited().clear();
        self.pulse.up();
        // What happened before this connection has not been told.
        tell(into, News::Missed);
        let mut key_ends = pin!(self.keep_key(key));
        let mut life_ends = pin!(tokio::time::sleep(CONNECTION_LIFE));
        let mut settling = pin!(tokio::time::sleep(SETTLED_AFTER));
        let mut settled = false;
        let mut every = tokio::time::interval(LISTEN_EVERY);
        let mut recheck = tokio::time::interval(RECHECK_EVERY);
        recheck.reset();
        let mut questions = FuturesUnordered::new();
        let mut settings = FuturesUnordered::new();
        loop {
            tokio::select! {
                message = socket.receive() => match message {
                    Ok(text) => match self.heard(&text) {
                        Step::Nothing => {}
                        Step::Tell(report) => tell(into, News::Order(report)),
                        Step::Ask(id, symbol, service) => questions.push(self.ask(id, symbol, service)),
                        Step::Missed => tell(into, News::Missed),
                        Step::Settings => settings.push(self.refresh()),
                        Step::Expired => return "the listen key has expired".to_owned(),
                    },
                    Err(why) => return why,
                },
                Some(news) = questions.next() => tell(into, news),
                Some(()) = settings.next() => {}
                () = self.missed.notified() => tell(into, News::Missed),
                () = &mut settling, if !settled => {
                    settled = true;
                    tell(into, News::Missed);
                }
                _ = every.tick() => if let Some(id) = self.not_heard_of() {
                    return format!("the stream did not tell of order {id} within {} s", HEARD_WITHIN.as_secs());
                },
                _ = recheck.tick() => if self.book().has_open() {
                    tell(into, News::Missed);
                },
                why = &mut key_ends => return why,
                () = &mut life_ends => return "the connection is renewed once a day".to_owned(),
            }
        }
    }

    /// Extends the listen key as long as it lives; ends with the reason when it doesn't.
    async fn keep_key(&self, key: &str) -> String {
        let mut pause = EXTEND_EVERY;
        loop {
            tokio::time::sleep(pause).await;
            // It extends the account's only key, and names it.
            let call = Call::keyed(Method::PUT, LISTEN_KEY, Params::new());
            pause = match self.client.call(&call).await {
                Reply::Done(body) => match serde_json::from_slice::<ListenKeyView>(&body) {
                    Ok(view) if view.listen_key != key => {
                        return "the account has another listen key now".to_owned();
                    }
                    Ok(_) | Err(_) => EXTEND_EVERY,
                },
                // -1125: this listen key does not exist.
                Reply::Refused(refusal) if refusal.code == Some(-1125) => {
                    return format!("the listen key could not be extended: {refusal}");
                }
                Reply::Refused(_) | Reply::NotSent(_) | Reply::Unknown(_) => EXTEND_AGAIN,
            };
        }
    }

    /// Notes that the stream should tell of an order soon.
    pub(super) fn await_stream(&self, id: ClientOrderId) {
        if !self.book().has_streamed(id) {
            let until = clock::instant() + HEARD_WITHIN;
            self.awaited().insert(id, until);
        }
    }

    /// An order that the exchange has acknowledged, and that the stream should have told of by now.
    fn not_heard_of(&self) -> Option<ClientOrderId> {
        let now = clock::instant();
        let mut awaited = self.awaited();
        {
            let book = self.book();
            awaited.retain(|id, _| !book.has_streamed(*id));
        }
        awaited
            .iter()
            .find_map(|(id, until)| (*until <= now).then_some(*id))
    }

    fn heard(&self, text: &str) -> Step {
        self.pulse.heard();
        self.understand(text)
    }

    fn understand(&self, text: &str) -> Step {
        let Ok(event) = serde_json::from_str::<Event>(text) else {
            // Answers to nothing that was asked, and greetings.
            return Step::Nothing;
        };
        let at = event.at.as_i64().unwrap_or_default();
        let effect = match event.kind.as_str() {
            "ORDER_TRADE_UPDATE" => read::<OrderEvent>(event.order)
                .map(|order| self.book().on_order(&order, &self.currency)),
            "ALGO_UPDATE" => read::<AlgoEvent>(event.order)
                .map(|algo| self.book().on_algo(&algo, Timestamp::from_milliseconds(at))),
            "ACCOUNT_CONFIG_UPDATE" => return Step::Settings,
            "listenKeyExpired" => return Step::Expired,
            _ => return Step::Nothing,
        };
        match effect {
            Some(Effect::Report(report)) => Step::Tell(report),
            Some(Effect::LookUp {
                id,
                symbol,
                service,
            }) => Step::Ask(id, symbol, service),
            Some(Effect::Nothing) => Step::Nothing,
            None => Step::Missed,
        }
    }

    /// Asks where an order stands that an event did not fit.
    async fn ask(&self, id: ClientOrderId, symbol: Symbol, service: Service) -> News {
        match self.look_up(&symbol, id, service).await {
            Looked::Seen(seen) => {
                let report = self.book().absorb(id, &symbol, seen.snapshot);
                report.map_or(News::Missed, News::Order)
            }
            Looked::Missing | Looked::Unclear(_) => {
                // Look-ups can be behind the stream: the engine's question comes after a while.
                tokio::time::sleep(LISTEN_EVERY).await;
                News::Missed
            }
        }
    }

    /// Reads position mode and settings anew; what can't be read now is read before the next order.
    pub(super) async fn refresh(&self) {
        // Both leave a trace of their own where an order depends on them.
        let _ = self.read_position_mode().await;
        let _ = self.read_settings().await;
    }
}

fn read<T: DeserializeOwned>(order: serde_json::Value) -> Option<T> {
    serde_json::from_value(order).ok()
}

/// The receiver may be gone: then nobody wants to know.
fn tell(into: &UnboundedSender<News>, news: News) {
    let _ = into.send(news);
}
