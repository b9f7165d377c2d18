//! A flood of wrong secrets, hundreds to thousands a second, beside which right ones go through.
//!
//! The flood is bounded in numbers, not in time: so many wrong ones for each right one. How fast that was,
//! and what the right ones had to wait, is printed and not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ponte::journal::{ExportFilter, Reader};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Connection, OWNER, PATIENCE, Speaks, Target, post, stranger};
use crate::program::{Ponte, SECRET};

/// Right alerts while the flood lasts.
const RIGHT: usize = 250;
/// Wrong ones for each of them.
const WRONG_PER_RIGHT: usize = 40;
/// Connections over which the wrong ones come.
const FLOODERS: usize = 8;
/// Wrong ones over one connection before the next one is opened.
const PER_CONNECTION: usize = 100;
/// Failures of one address that are answered `403` and recorded in a minute, by default.
const FAILURES_PER_MINUTE: usize = 30;
/// Failures that are recorded in a minute, over all addresses.
const RECORDED_PER_MINUTE: usize = 1200;
/// More minutes than a flood lasts on a slow machine.
const MINUTES: usize = 3;

/// Where the flood comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Origin {
    /// The owner's own address: a proxy stands in front, or TradingView itself is used for it.
    Owner,
    /// Sixty addresses, all of which may send.
    Many,
    /// Sixty addresses, none of which may send.
    Outside,
}

impl Origin {
    fn addresses(self) -> usize {
        match self {
            Self::Owner => 1,
            Self::Many | Self::Outside => 60,
        }
    }

    fn address(self, number: usize) -> Ipv4Addr {
        match self {
            Self::Owner => OWNER,
            Self::Many | Self::Outside => stranger(u8::try_from(number % 60).unwrap()),
        }
    }
}

/// Every place for a wrong secret, and every way to be wrong.
fn wrong(number: usize) -> Vec<u8> {
    let nearly = format!("{}3", &SECRET[..SECRET.len() - 1]);
    let alert = |secret: &str| {
        format!(
            r#"{{"secret":"{secret}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"id":"flood-{number}"}}"#
        )
    };
    let bare = r#"{"action":"buy","symbol":"BTCUSDT","quantity":0.01}"#;
    match number % 10 {
        0 => post("/webhook", "", alert(&nearly).as_bytes()),
        1 => post(
            "/webhook",
            "",
            alert(&format!("guess-{number:032}")).as_bytes(),
        ),
        2 => post(&format!("/webhook/{nearly}"), "", bare.as_bytes()),
        3 => post(
            &format!("/webhook/guess-{number}"),
            "",
            alert(SECRET).as_bytes(),
        ),
        4 => post(
            "/webhook",
            &format!("x-ponte-secret: {nearly}\r\n"),
            bare.as_bytes(),
        ),
        5 => post(
            "/webhook",
            &format!("authorization: Bearer guess-{number}\r\n"),
            bare.as_bytes(),
        ),
        6 => post("/webhook", "", bare.as_bytes()),
        7 => post("/webhook", "", b"\xff\xfe not text at all"),
        8 => post("/webhook", "", alert(&"x".repeat(1000)).as_bytes()),
        _ => post(
            "/webhook",
            "",
            format!("{{\"secret\":\"{nearly}\",").as_bytes(),
        ),
    }
}

/// What the flood has met.
#[derive(Debug, Default)]
struct Met {
    statuses: BTreeMap<u16, usize>,
    /// One answer of each status, without its date.
    answers: BTreeMap<u16, String>,
}

/// One connection's share of the flood: as fast as the answers come, for as long as there are permits.
async fn flood(
    target: Arc<Target>,
    from: Origin,
    permits: Arc<Semaphore>,
    sent: Arc<AtomicUsize>,
) -> Met {
    let mut met = Met::default();
    let mut open: Option<(Connection, usize)> = None;
    while let Ok(permit) = permits.acquire().await {
        permit.forget();
        let number = sent.fetch_add(1, Ordering::Relaxed);
        let (mut connection, used) = match open.take() {
            Some((connection, used)) if used < PER_CONNECTION => (connection, used),
            Some(_) | None => (target.connect(from.address(number)).await.unwrap(), 0),
        };
        assert!(connection.write(&wrong(number)).await, "it was cut");
        met.note(&connection.answer().await);
        open = Some((connection, used + 1));
    }
    met
}

impl Met {
    fn note(&mut self, answer: &str) {
        let status: u16 = answer["HTTP/1.1 ".len()..][..3].parse().unwrap();
        assert!([403, 429].contains(&status), "{answer}");
        *self.statuses.entry(status).or_default() += 1;
        let timeless = answer.lines().filter(|line| !line.starts_with("date:"));
        let timeless = timeless.collect::<Vec<_>>().join("\n");
        let first = self
            .answers
            .entry(status)
            .or_insert_with(|| timeless.clone());
        assert_eq!(*first, timeless, "every {status} has the same bytes");
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (status, answer) in other.answers {
            let first = self.answers.entry(status).or_insert_with(|| answer.clone());
            assert_eq!(*first, answer, "every {status} has the same bytes");
        }
    }
}

impl Connection {
    /// The next answer, which has no body.
    async fn answer(&mut self) -> String {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.unwrap();
            read.push(byte.unwrap());
        }
        let answer = String::from_utf8(read).unwrap();
        assert!(answer.contains("content-length: 0\r\n"), "{answer}");
        answer
    }
}

/// Sends the owner's alert over a connection of its own, as TradingView does; how long it took.
async fn right(target: &Target, id: &str) -> Duration {
    let request = post(
        "/webhook",
        "connection: close\r\n",
        target.alert(id).as_bytes(),
    );
    let start = ponte::clock::instant();
    let reply = target.say(OWNER, &request).await;
    let took = ponte::clock::instant().saturating_duration_since(start);
    let is_accepted = reply.starts_with("HTTP/1.1 200") && reply.contains(r#""accepted""#);
    assert!(is_accepted, "{id}: {reply:?}");
    took
}

/// The middle and the ninety-ninth hundredth.
fn quantiles(mut took: Vec<Duration>) -> [Duration; 2] {
    took.sort_unstable();
    [took[took.len() / 2], took[took.len() * 99 / 100]]
}

/// Right alerts alone, then the same number while the flood lasts; what the flood has met.
async fn under_a_flood(target: &Arc<Target>, from: Origin) -> Met {
    let mut alone = Vec::new();
    for number in 0..RIGHT {
        alone.push(right(target, &format!("alone-{number}")).await);
    }
    let permits = Arc::new(Semaphore::new(0));
    let sent = Arc::new(AtomicUsize::new(0));
    let mut flooders = JoinSet::new();
    for _ in 0..FLOODERS {
        flooders.spawn(flood(target.clone(), from, permits.clone(), sent.clone()));
    }
    let start = ponte::clock::instant();
    let mut beside = Vec::new();
    for number in 0..RIGHT {
        permits.add_permits(WRONG_PER_RIGHT);
        beside.push(right(target, &format!("beside-{number}")).await);
        // The flood keeps up: there are as many wrong ones beside the last right one as beside the first.
        while permits.available_permits() > WRONG_PER_RIGHT / 2 {
            tokio::task::yield_now().await;
        }
    }
    while permits.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let lasted = ponte::clock::instant().saturating_duration_since(start);
    permits.close();
    let mut met = Met::default();
    while let Some(share) = flooders.join_next().await {
        met.add(share.unwrap());
    }
    let wrong: usize = met.statuses.values().sum();
    assert_eq!(wrong, RIGHT * WRONG_PER_RIGHT);
    let (alone, beside) = (quantiles(alone), quantiles(beside));
    let ratio = |place: usize| beside[place].as_secs_f64() / alone[place].as_secs_f64();
    println!(
        "{from:?}, {:?}: {wrong} wrong ones, {:.0} a second; {:?}; a right one takes {alone:?} alone and \
         {beside:?} beside them (median and p99), {:.1} and {:.1} times as long",
        target.speaks,
        f64::from(u32::try_from(wrong).unwrap()) / lasted.as_secs_f64(),
        met.statuses,
        ratio(0),
        ratio(1),
    );
    met
}

async fn right_ones_go_through(from: Origin, speaks: Speaks) {
    let mut ponte = Ponte::install("");
    ponte.set_log_filter("info");
    // The default of failures_per_minute, on which the bounds stand.
    let webhook = match from {
        Origin::Owner | Origin::Many => "allow_from = [\"loopback\"]",
        Origin::Outside => "allow_from = [\"127.0.0.1\"]",
    };
    let target = Arc::new(Target::start_configured(speaks, ponte, webhook).await);
    let lines_before = target.ponte.whole_log().lines().count();
    let met = under_a_flood(&target, from).await;
    let Ok(mut target) = Arc::try_unwrap(target) else {
        panic!("the flood is over");
    };
    // What the address may still fail is told as at any time, the rest only that it is too often.
    let told = from.addresses() * FAILURES_PER_MINUTE;
    assert!(
        (1..=told * MINUTES).contains(&met.statuses[&403]),
        "{met:?}"
    );
    assert!(met.statuses[&429] > 0, "{met:?}");

    let twice_as_many = u32::try_from(2 * RIGHT).unwrap();
    target.alerts += twice_as_many;
    target.is_unharmed(&format!("{from:?}")).await;
    target.ponte.wait_until_settled().await;
    let alerts = usize::try_from(target.alerts).unwrap();
    let orders = target.ponte.ask("orders?limit=10000").await;
    let orders = orders.as_array().unwrap();
    let names: BTreeSet<_> = orders
        .iter()
        .map(|order| order["alert"].to_string())
        .collect();
    assert_eq!(
        (orders.len(), names.len()),
        (alerts, alerts),
        "one order each"
    );

    target.ponte.stop().await;
    let lines = target.ponte.whole_log().lines().count() - lines_before;
    // Decided, acknowledged and filled; one for each address and minute that fails too often; a few of its end.
    let lines_max = 3 * alerts + from.addresses() * MINUTES + 50;
    assert!(lines <= lines_max, "{lines} lines for {alerts} alerts");
    let recorded = refused(&target);
    let recorded_max = told.min(RECORDED_PER_MINUTE) * MINUTES;
    assert!(
        (1..=recorded_max).contains(&recorded),
        "{recorded} recorded"
    );
    println!(
        "{from:?}: {recorded} of the wrong ones are in the journal, {lines} lines in the log for {alerts} alerts"
    );
}

/// How many requests are on record as refused.
fn refused(target: &Target) -> usize {
    let reader = Reader::open(&target.ponte.journal()).unwrap();
    let filter = ExportFilter {
        kinds: vec!["request_refused".to_owned()],
        ..ExportFilter::default()
    };
    let mut count = 0;
    let count_one = |_| {
        count += 1;
        true
    };
    reader.export(&filter, count_one).unwrap();
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_wrong_ones_from_the_owners_own_address() {
    right_ones_go_through(Origin::Owner, Speaks::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_wrong_ones_from_many_addresses() {
    right_ones_go_through(Origin::Many, Speaks::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_wrong_ones_from_addresses_that_may_not_send() {
    right_ones_go_through(Origin::Outside, Speaks::Tls).await;
}
