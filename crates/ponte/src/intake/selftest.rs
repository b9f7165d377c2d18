//! The test alert with which Ponte is asked from outside whether it is there and works.
//!
//! It is an alert like any other, except that no source sends it: a header carries its number, until
//! when it holds, and an HMAC-SHA-256 over both and the body, by a key that this process has drawn and
//! never tells. Each is taken once. What it trades, it trades in a paper account, because the engine
//! leads its strategy nowhere else, and it is closed as soon as it is open.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use ponte_core::format::{self, Format};
use ponte_core::id::{AlertId, ClientOrderId, SourceName, StrategyName};
use ponte_core::message::{AlertDecision, Delivery, Outcome};
use ponte_core::order::{OrderClass, OrderStatus};
use ponte_core::signal::Signal;
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use ring::hmac;

use crate::clock;
use crate::engine::{Alert, Engine, Unavailable};
use crate::random;

/// The header that makes an alert a test.
pub const HEADER: &str = "x-ponte-selftest";
/// How long a test may be posted after it was made.
pub const VALID_FOR: Duration = Duration::from_secs(60);
/// Most tests that are made within a minute.
pub const PER_MINUTE_MAX: usize = 6;
/// The largest body of a test, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 2048;
/// Random bytes in a test's number.
const NUMBER_BYTES: usize = 16;
/// Most tests whose course is remembered.
const REMEMBERED_MAX: usize = 16;
/// The headers with which proxies tell whom they speak for.
const FORWARDING: [&str; 5] = [
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
    "cf-connecting-ip",
    "fly-client-ip",
];
/// How long each step of the trade may take.
const STEP_MAX: Duration = Duration::from_secs(5);
/// How often it is looked how far the trade is.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The messages of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// What is posted: an alert in Ponte's own format, without a secret.
    pub test: String,
    /// What closes what it has opened; `None` where it opens nothing.
    pub closing: Option<String>,
}

/// A test that can be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its number, 32 hexadecimal digits.
    pub number: String,
    /// The value of [`HEADER`].
    pub header: String,
    /// What is to be posted, to the byte.
    pub body: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Why no test is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{PER_MINUTE_MAX} tests were made within the last minute; wait a minute")]
pub struct TooMany;

/// How far a test has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// How it arrived; `None` while it has not.
    pub arrival: Option<Arrival>,
    /// The alert that it is on record as.
    pub alert: Option<AlertId>,
    /// The alert that closes what it has opened.
    pub closing: Option<AlertId>,
    /// From its last byte until it was on disk.
    pub durable_after: Option<Duration>,
    /// What was decided, in a word, and why.
    pub decision: Option<(Outcome, String)>,
    /// The steps of the trade that are done, with their time since the alert's last byte.
    pub steps: Vec<(Step, Duration)>,
    /// Whether nothing more happens; with what went wrong.
    pub end: Option<Result<(), String>>,
}

/// A step of the trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The entry has traded.
    Traded,
    /// The stop of the position rests.
    Protected,
    /// The position is closed and no order is left.
    Closed,
}

/// How a test arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The sender's address, as Ponte sees it; `None` where a trusted proxy doesn't say.
    pub address: Option<IpAddr>,
    /// Whether an alert from there would be let in.
    pub is_allowed: bool,
    /// Whether the other end of the connection is one of `trusted_proxies`.
    pub by_proxy: bool,
    /// The headers that were there with which proxies tell an address.
    pub forwarded: Vec<&'static str>,
}

/// The headers of a request with which proxies tell whom they speak for.
pub(super) fn forwarding(headers: &HeaderMap) -> Vec<&'static str> {
    let all = FORWARDING.into_iter();
    all.filter(|name| headers.contains_key(*name)).collect()
}

/// The tests of this process.
pub struct SelfTests {
    key: hmac::Key,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    made: VecDeque<Instant>,
    tests: VecDeque<Test>,
}

struct Test {
    number: String,
    expires: Instant,
    is_used: bool,
    closing: Option<String>,
    course: Course,
}

/// What a request's header says, of a test that was made here and waits.
#[derive(Debug)]
pub(super) struct Claim {
    number: String,
    expires_at: i64,
    signature: Vec<u8>,
}

/// A test that was recognised.
pub(super) struct Recognised {
    pub(super) number: String,
    pub(super) signal: Signal,
    closing: Option<Signal>,
}

impl Default for SelfTests {
    fn default() -> Self {
        Self::new()
    }
}

impl SelfTests {
    /// A new key, and no tests.
    #[must_use]
    pub fn new() -> Self {
        let drawn = random::hex_token(32);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, drawn.as_bytes()),
            inside: Mutex::default(),
        }
    }

    /// Makes a test; `messages` is given its number.
    ///
    /// # Errors
    /// When too many were made.
    pub fn make(&self, messages: impl FnOnce(&str) -> Messages) -> Result<Ticket, TooMany> {
        let now = clock::instant();
        let mut inside = self.inside();
        inside
            .made
            .retain(|at| now.saturating_duration_since(*at) < VALID_FOR);
        if inside.made.len() >= PER_MINUTE_MAX {
            return Err(TooMany);
        }
        inside.made.push_back(now);
        let number = random::hex_token(NUMBER_BYTES);
        let Messages { test, closing } = messages(&number);
        let expires_at = clock::now().after(VALID_FOR);
        let signature = hmac::sign(&self.key, &signed(&number, expires_at.0, test.as_bytes()));
        let header = format!("{number}.{}.{}", expires_at.0, hex(signature.as_ref()));
        inside.tests.push_back(Test {
            number: number.clone(),
            expires: now + VALID_FOR,
            is_used: false,
            closing,
            course: Course::default(),
        });
        while inside.tests.len() > REMEMBERED_MAX {
            inside.tests.pop_front();
        }
        Ok(Ticket {
            number,
            header,
            body: test,
            expires_at,
        })
    }

    /// How far a test has come; `None` where there is no such test any more.
    #[must_use]
    pub fn course(&self, number: &str) -> Option<Course> {
        let inside = self.inside();
        let test = inside.tests.iter().find(|test| test.number == number)?;
        Some(test.course.clone())
    }

    /// Whether a request claims to be a test that waits here. Nothing is proved by that yet, but
    /// nobody can guess the number.
    pub(super) fn claim(&self, headers: &HeaderMap) -> Option<Claim> {
        let value = headers.get(HEADER)?.to_str().ok()?;
        let (number, rest) = value.split_once('.')?;
        let (expires_at, signature) = rest.split_once('.')?;
        let waits =
            |test: &Test| test.number == number && !test.is_used && clock::instant() < test.expires;
        if !self.inside().tests.iter().any(waits) {
            return None;
        }
        Some(Claim {
            number: number.to_owned(),
            expires_at: expires_at.parse().ok()?,
            signature: from_hex(signature)?,
        })
    }

    /// Holds a claim against the body. It is right once: whoever repeats it is a stranger.
    pub(super) fn recognise(&self, claim: Claim, body: &[u8]) -> Option<Recognised> {
        let Claim {
            number,
            expires_at,
            signature,
        } = claim;
        // The library compares in constant time.
        hmac::verify(&self.key, &signed(&number, expires_at, body), &signature).ok()?;
        let closing = {
            let mut inside = self.inside();
            let waits = |test: &&mut Test| {
                test.number == number && !test.is_used && clock::instant() < test.expires
            };
            let test = inside.tests.iter_mut().find(waits)?;
            test.is_used = true;
            test.closing.take()
        };
        let signal = |body: &[u8]| Some(format::parse(Format::Ponte, body).ok()?.signal);
        Some(Recognised {
            signal: signal(body)?,
            closing: closing.and_then(|body| signal(body.as_bytes())),
            number,
        })
    }

    /// Notes how a test arrived.
    pub(super) fn arrived(&self, number: &str, arrival: Arrival) {
        self.change(number, |course| course.arrival = Some(arrival));
    }

    /// Hands a test over to the engine, and has what it opens closed.
    ///
    /// # Errors
    /// When nothing could be made durable.
    pub(super) async fn carry_out(
        self: &Arc<Self>,
        engine: &Engine,
        test: Recognised,
        received_at: Timestamp,
        peer: String,
    ) -> Result<AlertDecision, Unavailable> {
        let Recognised {
            number,
            signal,
            closing,
        } = test;
        let body = format!("a test of the webhook ({number})");
        let delivery = delivery(peer, body);
        let decided = engine.alert(alert(signal, received_at, delivery)).await;
        let decided = match decided {
            Ok(decided) => decided,
            Err(unavailable) => {
                let why = unavailable.to_string();
                self.change(&number, |course| course.end = Some(Err(why)));
                return Err(unavailable);
            }
        };
        let why = decided.legs.iter().map(|leg| leg.reason.clone());
        let why = decided.reason.clone().or_else(|| why.into_iter().next());
        let trades = decided.legs.iter().any(|leg| !leg.orders.is_empty());
        self.change(&number, |course| {
            course.alert = Some(decided.alert);
            course.durable_after = Some(clock::now().since(received_at));
            course.decision = Some((decided.outcome, why.unwrap_or_default()));
            course.end = (!trades).then_some(Ok(()));
        });
        if trades {
            let (tests, engine) = (self.clone(), engine.clone());
            let protects = decided.signal.protection.has_stop();
            let entries = decided.legs.iter().flat_map(|leg| &leg.orders);
            let entries: Vec<_> = entries.map(|order| order.client_order_id).collect();
            tokio::spawn(async move {
                let trade = Trade {
                    tests: &tests,
                    engine: &engine,
                    number: &number,
                    received_at,
                };
                let end = trade.run(entries, protects, closing).await;
                tests.change(&number, |course| course.end = Some(end));
            });
        }
        Ok(decided)
    }

    fn change(&self, number: &str, change: impl FnOnce(&mut Course)) {
        let mut inside = self.inside();
        let test = inside.tests.iter_mut().find(|test| test.number == number);
        if let Some(test) = test {
            change(&mut test.course);
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // The lists are whole between any two of their operations.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A test's trade, from the entry to the close.
struct Trade<'a> {
    tests: &'a SelfTests,
    engine: &'a Engine,
    number: &'a str,
    received_at: Timestamp,
}

impl Trade<'_> {
    async fn run(
        &self,
        entries: Vec<ClientOrderId>,
        protects: bool,
        closing: Option<Signal>,
    ) -> Result<(), String> {
        let looked = entries.clone();
        let over = move |state: &State| {
            let over = looked.iter().map(|id| {
                let order = state.order(id)?;
                let reason = order.reason.clone().unwrap_or_default();
                order.status.is_final().then_some((order.filled, reason))
            });
            over.collect::<Option<Vec<_>>>()
        };
        let Some(entries) = self.until(over).await? else {
            self.close(closing).await?;
            return Err(format!(
                "the entry was not over within {} s",
                STEP_MAX.as_secs()
            ));
        };
        if let Some((_, reason)) = entries.iter().find(|(filled, _)| filled.is_zero()) {
            return Err(format!("the entry did not trade: {reason}"));
        }
        self.done(Step::Traded);
        let mut problem = None;
        if protects {
            match self.until(|state| rests(state).then_some(())).await? {
                Some(()) => self.done(Step::Protected),
                None => {
                    problem = Some(format!(
                        "its stop did not rest within {} s",
                        STEP_MAX.as_secs()
                    ))
                }
            }
        }
        self.close(closing).await?;
        problem.map_or(Ok(()), Err)
    }

    async fn close(&self, closing: Option<Signal>) -> Result<(), String> {
        let Some(signal) = closing else {
            return Ok(());
        };
        let body = format!("the end of a test of the webhook ({})", self.number);
        let peer = "ponte".to_owned();
        let closing = alert(signal, clock::now(), delivery(peer, body));
        let decided = self.engine.alert(closing).await;
        let decided = decided.map_err(|unavailable| unavailable.to_string())?;
        self.tests
            .change(self.number, |course| course.closing = Some(decided.alert));
        match self.until(|state| is_flat(state).then_some(())).await? {
            Some(()) => {
                self.done(Step::Closed);
                Ok(())
            }
            None => Err(format!(
                "what it opened was not closed within {} s; ponte flatten --strategy {} closes it",
                STEP_MAX.as_secs(),
                StrategyName::self_test()
            )),
        }
    }

    /// Looks at the state until something is there, or the time for a step is over.
    async fn until<T: Send + 'static>(
        &self,
        look: impl Fn(&State) -> Option<T> + Clone + Send + 'static,
    ) -> Result<Option<T>, String> {
        let began = clock::instant();
        while clock::instant().saturating_duration_since(began) < STEP_MAX {
            let look = look.clone();
            let seen = self.engine.look(move |state| look(state)).await;
            match seen.map_err(|unavailable| unavailable.to_string())? {
                Some(seen) => return Ok(Some(seen)),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        Ok(None)
    }

    fn done(&self, step: Step) {
        let after = clock::now().since(self.received_at);
        self.tests
            .change(self.number, |course| course.steps.push((step, after)));
    }
}

fn delivery(peer: String, body: String) -> Delivery {
    Delivery {
        peer,
        body,
        ..Delivery::default()
    }
}

fn alert(signal: Signal, received_at: Timestamp, delivery: Delivery) -> Alert {
    Alert {
        source: SourceName::self_test(),
        received_at,
        signal,
        delivery,
    }
}

fn rests(state: &State) -> bool {
    let ours = StrategyName::self_test();
    let mut orders = state.open_orders();
    orders.any(|order| {
        order.plan.strategy == ours
            && order.plan.class == OrderClass::Protection
            && order.status == OrderStatus::Working
    })
}

fn is_flat(state: &State) -> bool {
    let ours = StrategyName::self_test();
    let mut held = state
        .accounts
        .values()
        .flat_map(|account| account.positions.get(&ours));
    let is_open = |order: &ponte_core::order::Order| order.plan.strategy == ours;
    held.all(|symbols| symbols.values().all(|position| position.quantity.is_zero()))
        && !state.open_orders().any(is_open)
}

/// What is signed: the parts with their lengths, so that none can grow into the next.
fn signed(number: &str, expires_at: i64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 128);
    for part in [
        b"ponte selftest".as_slice(),
        number.as_bytes(),
        &expires_at.to_le_bytes(),
        body,
    ] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() || text.len() > 128 {
        return None;
    }
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests;
