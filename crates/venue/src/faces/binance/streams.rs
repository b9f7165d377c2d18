//! Who listens to what: subscribers of private events and market data, and the faults of their delivery.

use super::Market;
use super::faults::{BinanceFault, Faults, Operation};
use crate::time::Micros;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// Messages that may wait for one connection; a client that reads slower than that is cut.
pub(super) const MESSAGES_WAITING_MAX: usize = 10_000;
/// Events of all accounts that can be held back at a time; further ones are delivered.
const HELD_MAX: usize = 10_000;

/// What is sent to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// A message.
    Text(String),
    /// The connection is cut without a word.
    Cut,
    /// The connection is closed as the protocol wants it.
    Close,
}

/// The number of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SubscriberId(u64);

/// Something one can listen to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The private events of an account.
    User {
        /// On which market.
        market: Market,
        /// Whose.
        account: String,
    },
    /// A public stream such as `btcusdt@bookTicker`.
    Public {
        /// On which market.
        market: Market,
        /// Its name.
        stream: String,
    },
}

/// How an event looks on a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrap {
    /// As it is.
    Raw,
    /// `{"stream": …, "data": event}`.
    Stream(String),
    /// `{"subscriptionId": …, "event": event}`.
    Subscription(u64),
}

impl Wrap {
    fn text(&self, event: &Value) -> String {
        match self {
            Wrap::Raw => event.to_string(),
            Wrap::Stream(name) => json!({"stream": name, "data": event}).to_string(),
            Wrap::Subscription(id) => json!({"subscriptionId": id, "event": event}).to_string(),
        }
    }
}

/// A private event of an account.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UserEvent {
    /// Whose.
    pub(super) account: String,
    /// What.
    pub(super) event: Value,
}

/// A public event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PublicEvent {
    /// The stream's name.
    pub(super) stream: String,
    /// What.
    pub(super) event: Value,
}

#[derive(Debug)]
struct Subscriber {
    sender: mpsc::Sender<Outgoing>,
    topics: Vec<(Topic, Wrap)>,
    /// The kinds of private events it wants; all without a choice.
    chosen_events: Option<BTreeSet<String>>,
    is_silent: bool,
}

impl Subscriber {
    /// Whether it wants that event. The end of a stream is told to everybody who listens to it.
    fn wants(&self, topic: &Topic, event: &Value) -> bool {
        let kind = event["e"].as_str().unwrap_or_default();
        match (topic, &self.chosen_events) {
            (Topic::User { .. }, Some(chosen)) => {
                chosen.contains(kind) || kind == "listenKeyExpired"
            }
            (Topic::User { .. } | Topic::Public { .. }, _) => true,
        }
    }
}

/// When a held event is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Moment(Micros),
    NextEvent,
}

#[derive(Debug)]
struct Held {
    until: Until,
    topic: Topic,
    event: Value,
}

/// All subscribers and what is held back from them.
#[derive(Debug, Default)]
pub(super) struct Streams {
    next_id: u64,
    subscribers: BTreeMap<SubscriberId, Subscriber>,
    held: Vec<Held>,
    /// Private events so far, by market and account.
    numbers: BTreeMap<(Market, String), u64>,
}

impl Streams {
    /// A new connection, which listens to nothing yet.
    pub(super) fn connect(&mut self, sender: mpsc::Sender<Outgoing>) -> SubscriberId {
        self.next_id += 1;
        let id = SubscriberId(self.next_id);
        let subscriber = Subscriber {
            sender,
            topics: Vec::new(),
            chosen_events: None,
            is_silent: false,
        };
        self.subscribers.insert(id, subscriber);
        id
    }

    /// The connection has ended.
    pub(super) fn disconnect(&mut self, id: SubscriberId) {
        self.subscribers.remove(&id);
    }

    /// The connection listens to that from now on.
    pub(super) fn subscribe(&mut self, id: SubscriberId, topic: Topic, wrap: Wrap) {
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            let entry = (topic, wrap);
            if !subscriber.topics.contains(&entry) {
                subscriber.topics.push(entry);
            }
        }
    }

    /// The connection wants only these kinds of private events.
    pub(super) fn choose_events(&mut self, id: SubscriberId, kinds: BTreeSet<String>) {
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.chosen_events = Some(kinds);
        }
    }

    /// The connection listens no more to that; says whether it did.
    pub(super) fn unsubscribe(
        &mut self,
        id: SubscriberId,
        of: impl Fn(&Topic, &Wrap) -> bool,
    ) -> bool {
        let Some(subscriber) = self.subscribers.get_mut(&id) else {
            return false;
        };
        let before = subscriber.topics.len();
        subscriber.topics.retain(|(topic, wrap)| !of(topic, wrap));
        subscriber.topics.len() < before
    }

    /// What a connection listens to.
    pub(super) fn topics(&self, id: SubscriberId) -> &[(Topic, Wrap)] {
        self.subscribers
            .get(&id)
            .map_or(&[], |subscriber| &subscriber.topics)
    }

    /// Delivers a private event, with the faults that strike it.
    pub(super) fn publish_user(
        &mut self,
        market: Market,
        event: UserEvent,
        faults: &mut Faults,
        now: Micros,
    ) {
        let key = (market, event.account.clone());
        *self.numbers.entry(key).or_default() += 1;
        let topic = Topic::User {
            market,
            account: event.account,
        };
        let mut copies = 1;
        for fault in faults.next(market, Operation::Stream) {
            copies = match self.apply(fault, &topic, &event.event, now) {
                Some(more) => copies + more,
                None => 0,
            };
            if copies == 0 {
                break;
            }
        }
        for _ in 0..copies {
            self.send(&topic, &event.event);
        }
        if copies > 0 {
            self.release(|held| held.until == Until::NextEvent && held.topic == topic);
        }
    }

    /// Delivers a public event.
    pub(super) fn publish(&mut self, market: Market, event: &PublicEvent) {
        let topic = Topic::Public {
            market,
            stream: event.stream.clone(),
        };
        self.send(&topic, &event.event);
    }

    /// Delivers what was held back until now.
    pub(super) fn release_due(&mut self, now: Micros) {
        self.release(|held| match held.until {
            Until::Moment(moment) => moment <= now,
            Until::NextEvent => false,
        });
    }

    /// How many private events an account has had.
    pub(super) fn events_so_far(&self, market: Market, account: &str) -> u64 {
        let key = (market, account.to_owned());
        self.numbers.get(&key).copied().unwrap_or_default()
    }

    /// Sends something to every connection that listens to private events that `chosen` picks; says to how many.
    pub(super) fn tell(
        &mut self,
        chosen: impl Fn(Market, &str) -> bool,
        message: impl Fn(&Wrap) -> Option<Value>,
        then: Option<Outgoing>,
    ) -> usize {
        let mut told = 0;
        for subscriber in self.subscribers.values_mut() {
            let mut concerned = false;
            for (topic, wrap) in &subscriber.topics {
                let Topic::User { market, account } = topic else {
                    continue;
                };
                if !chosen(*market, account) {
                    continue;
                }
                concerned = true;
                if let Some(event) = message(wrap) {
                    let _ = subscriber
                        .sender
                        .try_send(Outgoing::Text(wrap.text(&event)));
                }
            }
            if concerned {
                told += 1;
                if let Some(last) = &then {
                    let _ = subscriber.sender.try_send(last.clone());
                }
            }
        }
        told
    }

    /// Keeps the connections that listen to these private events open, but sends them nothing any more.
    pub(super) fn silence(&mut self, chosen: impl Fn(Market, &str) -> bool) -> usize {
        let mut silenced = 0;
        for subscriber in self.subscribers.values_mut() {
            let concerned = subscriber.topics.iter().any(|(topic, _)| match topic {
                Topic::User { market, account } => chosen(*market, account),
                Topic::Public { .. } => false,
            });
            subscriber.is_silent |= concerned;
            silenced += usize::from(concerned);
        }
        silenced
    }

    /// Ends the subscriptions to these private events; the connections stay.
    pub(super) fn drop_users(&mut self, chosen: impl Fn(Market, &str) -> bool) {
        for subscriber in self.subscribers.values_mut() {
            subscriber.topics.retain(|(topic, _)| match topic {
                Topic::User { market, account } => !chosen(*market, account),
                Topic::Public { .. } => true,
            });
        }
    }

    /// How many more copies of the event a fault makes; none if the event is withheld.
    fn apply(
        &mut self,
        fault: BinanceFault,
        topic: &Topic,
        event: &Value,
        now: Micros,
    ) -> Option<usize> {
        let until = match fault {
            BinanceFault::DuplicateReport => return Some(1),
            BinanceFault::LoseReport => return None,
            BinanceFault::CutStream => {
                self.tell_topic(topic, Some(&Outgoing::Cut));
                return None;
            }
            BinanceFault::SilenceStream => {
                self.tell_topic(topic, None);
                return None;
            }
            BinanceFault::LateReport { milliseconds } => {
                let wait = i64::try_from(milliseconds).unwrap_or(i64::MAX);
                Until::Moment(now.plus_milliseconds(wait))
            }
            BinanceFault::ReorderReport => Until::NextEvent,
            // The others never strike an event.
            BinanceFault::Delay { .. }
            | BinanceFault::TimeoutBefore { .. }
            | BinanceFault::AcceptThenTimeout { .. }
            | BinanceFault::DisconnectBefore
            | BinanceFault::AcceptThenDisconnect
            | BinanceFault::Reject
            | BinanceFault::ErrorAfterAccept
            | BinanceFault::UnknownError { .. }
            | BinanceFault::ServiceUnavailable
            | BinanceFault::InternalError
            | BinanceFault::BackendTimeout { .. }
            | BinanceFault::UnexpectedResponse { .. }
            | BinanceFault::Overloaded
            | BinanceFault::RateLimited { .. }
            | BinanceFault::Banned { .. }
            | BinanceFault::HtmlBody { .. }
            | BinanceFault::TruncatedBody
            | BinanceFault::PretendAbsent
            | BinanceFault::PartialFill { .. } => return Some(0),
        };
        if self.held.len() >= HELD_MAX {
            return Some(0);
        }
        self.held.push(Held {
            until,
            topic: topic.clone(),
            event: event.clone(),
        });
        None
    }

    /// Cuts the connections that listen to the topic, or else silences them.
    fn tell_topic(&mut self, topic: &Topic, word: Option<&Outgoing>) {
        for subscriber in self.subscribers.values_mut() {
            if subscriber.topics.iter().any(|(own, _)| own == topic) {
                match word {
                    Some(word) => drop(subscriber.sender.try_send(word.clone())),
                    None => subscriber.is_silent = true,
                }
            }
        }
    }

    fn release(&mut self, due: impl Fn(&Held) -> bool) {
        let held = std::mem::take(&mut self.held);
        let (ready, kept): (Vec<Held>, Vec<Held>) = held.into_iter().partition(due);
        self.held = kept;
        for held in ready {
            self.send(&held.topic, &held.event);
        }
    }

    /// Sends to all who listen; those who can't keep up are gone.
    fn send(&mut self, topic: &Topic, event: &Value) {
        self.subscribers.retain(|_, subscriber| {
            let listened = subscriber.topics.iter().filter(|(own, _)| own == topic);
            let mut keeps_up = true;
            for (_, wrap) in listened {
                if !subscriber.is_silent && subscriber.wants(topic, event) {
                    let message = Outgoing::Text(wrap.text(event));
                    keeps_up &= subscriber.sender.try_send(message).is_ok();
                }
            }
            keeps_up
        });
    }
}
