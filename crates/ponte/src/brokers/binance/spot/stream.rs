//! What the exchange says by itself: the user data stream over the WebSocket API.
//!
//! Source: Binance Spot API, "User data stream requests". The stream has no replay: whenever it
//! begins, and every few seconds while it can't be had, what is open has to be asked about.

use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ponte_core::id::ClientOrderId;
use tokio::sync::mpsc;

use super::Spot;
use super::ledger::Told;
use super::wire::{Envelope, Event};
use crate::brokers::News;
use crate::brokers::binance::code::Class;
use crate::brokers::binance::limits::Purpose;
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;
use crate::brokers::binance::ws_api::SocketEvent;
use crate::clock;

/// How often the account is polled while the stream can't be had, and the stream looked after.
const POLL: Duration = Duration::from_secs(5);
/// How long the stream may take to speak of an order that the exchange has taken.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// What stands in every event of an order.
const ORDER_EVENT: &str = "executionReport";

/// Whether the stream flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// There is no connection.
    Down,
    /// There is a connection without a subscription.
    Silent,
    /// Events come.
    Flowing,
}

impl Spot {
    /// Tells what the exchange says, until nobody listens.
    pub(super) async fn follow(&self, into: mpsc::UnboundedSender<News>) {
        let (Some(mut events), Some(mut owed)) = (self.socket.take_events(), self.take_owed())
        else {
            return;
        };
        let mut stream = Stream::Down;
        let mut is_first = true;
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        polls.reset();
        let mut look_ups = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = into.closed() => return,
                event = events.recv() => match event {
                    Some(SocketEvent::Opened) => stream = self.subscribe(stream, &into).await,
                    Some(SocketEvent::Closed(why)) => {
                        if stream != Stream::Down || is_first {
                            tracing::warn!(account.id = %self.account, reason = why,
                                "order reports can't be streamed; the account is polled meanwhile");
                        }
                        self.pulse.down(&why);
                        is_first = false;
                        stream = Stream::Down;
                        tell(&into, News::Missed);
                    }
                    Some(SocketEvent::Message(text)) => {
                        self.pulse.heard();
                        stream = self.heard(&text, stream, &into).await;
                    }
                    None => return,
                },
                Some(id) = owed.recv() => look_ups.push(self.answer(id, &into)),
                Some(()) = look_ups.next(), if !look_ups.is_empty() => {}
                _ = polls.tick() => match stream {
                    Stream::Flowing => self.look_after(&into),
                    Stream::Silent => stream = self.subscribe(stream, &into).await,
                    Stream::Down => tell(&into, News::Missed),
                },
            }
        }
    }

    /// Subscribes on the present connection. Whether or not it works, something may have been missed.
    async fn subscribe(&self, before: Stream, into: &mpsc::UnboundedSender<News>) -> Stream {
        let method = "userDataStream.subscribe.signature";
        let question = Purpose::Question;
        let reply = self
            .client
            .call_socket(&self.socket, method, &Params::new(), question, None)
            .await;
        let failed = match reply {
            Reply::Done(_) => None,
            // It is subscribed already.
            Reply::Refused(refusal) if refusal.class == Class::Benign => None,
            Reply::Refused(refusal) => Some(refusal.to_string()),
            Reply::NotSent(why) | Reply::Unknown(why) => Some(why),
        };
        self.forget_expected();
        tell(into, News::Missed);
        match failed {
            None => {
                self.pulse.up();
                Stream::Flowing
            }
            Some(why) => {
                self.pulse.down(&why);
                // Said once, not with every attempt.
                if before != Stream::Silent {
                    tracing::warn!(account.id = %self.account, reason = why,
                        "order reports can't be subscribed to; the account is polled meanwhile");
                }
                Stream::Silent
            }
        }
    }

    async fn heard(
        &self,
        text: &str,
        stream: Stream,
        into: &mpsc::UnboundedSender<News>,
    ) -> Stream {
        let event = match read_event(text) {
            Ok(event) => event,
            Err(problem) => {
                // An event of an order that can't be read is one that was missed.
                if text.contains(ORDER_EVENT) {
                    tracing::warn!(account.id = %self.account, %problem,
                        "an order report could not be read; the orders are asked about");
                    tell(into, News::Missed);
                }
                return stream;
            }
        };
        match event {
            Event::Execution(event) => {
                self.forget_expected();
                match self.ledger.take(&event) {
                    Told::Report(report) => tell(into, News::Order(report)),
                    Told::Missed(id) => self.owe(id),
                    Told::Nothing => {}
                }
                stream
            }
            Event::Terminated => self.subscribe(stream, into).await,
            Event::Shutdown => {
                self.socket.renew();
                stream
            }
            Event::Other => stream,
        }
    }

    /// Looks an order up and reports where it stands. Where that fails, the engine asks.
    async fn answer(&self, id: ClientOrderId, into: &mpsc::UnboundedSender<News>) {
        let Some((symbol, shape)) = self.ledger.shape(&id) else {
            return;
        };
        match self.look_up(id, &symbol, shape).await {
            Ok(Some(report)) => tell(into, News::Order(report)),
            Ok(None) | Err(_) => tell(into, News::Missed),
        }
    }

    /// A subscription can be dead without a word: an order that the exchange took and the stream
    /// never spoke of tells it.
    fn look_after(&self, into: &mpsc::UnboundedSender<News>) {
        let expected = *self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((id, since)) = expected else {
            return;
        };
        if clock::instant().duration_since(since) < SILENCE_MAX {
            return;
        }
        self.forget_expected();
        if !self.ledger.heard(&id) {
            tracing::warn!(account.id = %self.account, order.id = %id,
                "the stream of order reports does not speak of an order; it is begun anew");
            self.socket.renew();
            tell(into, News::Missed);
        }
    }

    fn forget_expected(&self) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Events come in an envelope; what concerns the whole connection may come bare.
fn read_event(text: &str) -> Result<Event, serde_json::Error> {
    match serde_json::from_str::<Envelope>(text) {
        Ok(message) => Ok(message.event),
        Err(problem) => serde_json::from_str(text).map_err(|_| problem),
    }
}

fn tell(into: &mpsc::UnboundedSender<News>, news: News) {
    // A listener that is gone is noticed by the loop.
    let _ = into.send(news);
}
