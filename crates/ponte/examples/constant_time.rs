//! Whether the time of an answer tells how near a guess was: two classes of requests in random order,
//! Welch's t on their times, in the way of Reparaz, Balasch and Verbauwhede, "dude, is my code constant
//! time?" (2017). Prints one line for each pair; `cargo xtask bench --only timing` runs it.
//!
//! Below 4.5 nothing was seen. The first line is a comparison that stops at the first difference: it shows
//! what would be seen, and by how much. The webhook's control shows one wrong secret again and again: what is
//! seen there comes from repeating it, not from the secrets.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use ponte::admin::auth::{password, totp};
use ponte::config::{
    AllowFrom, ClientAddress, ClientCertificatePolicy, ClientCertificateRules, NamedSet,
};
use ponte::engine::{Engine, Parts, Retention};
use ponte::intake::selftest::SelfTests;
use ponte::intake::{BODY_READ_MAX, Intake};
use ponte::journal::Writer;
use ponte::metrics::Metrics;
use ponte::secret::{Entry, Keyring, Role, Secret, SourceSecrets};
use ponte_core::decide::NoQuotes;
use ponte_core::format::Format;
use ponte_core::id::SourceName;
use ponte_core::policy::{Policy, SourcePolicy};
use ponte_core::time::Timestamp;

/// Its last letter is none of a guess, so that what is nearly right is never right.
const RIGHT: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9x";
const SECOND: &str = "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259";
const PREVIOUS: &str = "6512bd43d9caa6e02c990b0a82652dca1f0e3dad99908345";
const TRIPWIRE: &str = "c20ad4d76fe97759aa27a0c99bff6710f7177163c833dff4";
/// What nobody has.
const WRONG: &str = "a87ff679a2f3e71d9181a67b7542122c63b4a0f3d2c94ce5";
/// Inputs that are made at once.
const BLOCK: usize = 512;
/// A moment that is over.
const PAST: Timestamp = Timestamp(1_000_000);

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let times: usize = arguments.next().unwrap_or(400_000);
    println!(
        "{:<66} {:>9} {:>10} {:>12} {:>8}",
        "two classes", "times", "median", "difference", "t"
    );
    comparisons(times);
    admin(times);
    webhook(times / 4);
}

/// Random enough to mix two classes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// As long as a secret, and none.
    fn guess(&mut self) -> String {
        let words = [self.next(), self.next(), self.next()];
        words.map(|word| format!("{word:016x}")).concat()
    }

    /// All of a secret but its last letter.
    fn nearly(&mut self, secret: &str) -> String {
        self.mostly(secret, secret.len() - 1)
    }

    /// A secret itself.
    fn exactly(&mut self, secret: &str) -> String {
        self.mostly(secret, secret.len())
    }

    /// A guess in whose place the start of a secret stands: made like every other one, so that the way
    /// of making it is not what is measured.
    fn mostly(&mut self, secret: &str, bytes: usize) -> String {
        let mut guess = self.guess();
        guess.replace_range(..bytes, &secret[..bytes]);
        guess
    }
}

/// The times of two classes, in nanoseconds.
#[derive(Default)]
struct Times([Vec<f64>; 2]);

impl Times {
    fn add(&mut self, class: usize, took: Duration) {
        self.0[class].push(took.as_secs_f64() * 1e9);
    }

    fn count(&self) -> usize {
        self.0[0].len() + self.0[1].len()
    }

    /// Prints the line. What other programs did to the machine lies in the longest times; they are left
    /// out at several places, and the worst t counts.
    fn tell(self, what: &str) {
        let mut all: Vec<f64> = self.0.concat();
        all.sort_by(f64::total_cmp);
        let at = |hundredths: usize| all[(all.len() - 1) * hundredths / 100];
        let worst = [50, 75, 90, 95, 99, 100]
            .map(|hundredths| self.welch(at(hundredths)).1)
            .into_iter()
            .fold(
                0.0_f64,
                |worst, t| if t.abs() > worst.abs() { t } else { worst },
            );
        let (difference, _) = self.welch(at(90));
        println!(
            "{what:<66} {:>9} {:>7.0} ns {difference:>9.1} ns {worst:>8.1}",
            all.len(),
            at(50),
        );
    }

    /// The difference of the means of what took at most so long, and Welch's t.
    fn welch(&self, most: f64) -> (f64, f64) {
        let [first, second] = [0, 1].map(|class: usize| {
            let kept = self.0[class].iter().copied().filter(|took| *took <= most);
            let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
            for took in kept {
                count += 1.0;
                let delta = took - mean;
                mean += delta / count;
                squares += delta * (took - mean);
            }
            (mean, squares / (count - 1.0) / count)
        });
        let difference = first.0 - second.0;
        (
            difference,
            difference / (first.1 + second.1).sqrt().max(f64::MIN_POSITIVE),
        )
    }
}

/// Measures `run` on inputs of two classes in random order.
fn measure<T, R>(
    what: &str,
    times: usize,
    mut input: impl FnMut(usize, &mut Random) -> T,
    mut run: impl FnMut(&T) -> R,
) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut taken = Times::default();
    // The first ones warm the machine up.
    let mut warming = times / 20;
    while taken.count() < times {
        // Made in blocks, so that what made an input has left no traces when it is used.
        let inputs: Vec<(usize, T)> = (0..BLOCK)
            .map(|_| {
                let class = usize::from(random.next() & 1 == 1);
                (class, input(class, &mut random))
            })
            .collect();
        for (class, input) in &inputs {
            let start = now();
            let outcome = run(black_box(input));
            let took = now().duration_since(start);
            black_box(&outcome);
            if warming == 0 {
                taken.add(*class, took);
            }
            warming = warming.saturating_sub(1);
        }
    }
    taken.tell(what);
}

fn now() -> Instant {
    ponte::clock::instant()
}

fn source(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned()).unwrap()
}

fn secrets() -> SourceSecrets {
    let mut secrets = SourceSecrets::default();
    secrets.insert(source("main"), secret(RIGHT));
    secrets.insert(source("second"), secret(SECOND));
    secrets
}

fn keyring() -> Keyring {
    let spare = [
        (Role::Previous, Some(PAST), PREVIOUS),
        (Role::Tripwire, None, TRIPWIRE),
    ];
    let spare =
        spare.map(|(role, until, text)| Entry::new(source("main"), role, until, secret(text)));
    Keyring::new(Vec::new(), secrets(), spare.into())
}

/// The comparison alone.
fn comparisons(times: usize) {
    let nearly_or_not = |class: usize, random: &mut Random| match class {
        0 => random.nearly(RIGHT),
        _ => random.guess(),
    };
    measure(
        "control, a comparison that stops early: nearly right / a guess",
        times,
        nearly_or_not,
        |guess| {
            let mut pairs = guess.bytes().zip(RIGHT.bytes());
            pairs.all(|(one, other)| black_box(one) == black_box(other))
        },
    );
    let known = secrets();
    let matching = |guess: &String| known.matching(guess.as_bytes()).is_some();
    measure(
        "SourceSecrets::matching: nearly right / a guess",
        times,
        nearly_or_not,
        matching,
    );
    let ring = keyring().ring();
    let find = |guess: &String| ring.find(guess.as_bytes()).is_some();
    for (what, shown) in [
        ("Ring::find: right / a guess", RIGHT),
        ("Ring::find: a tripwire / a guess", TRIPWIRE),
        ("Ring::find: one that has ended / a guess", PREVIOUS),
    ] {
        let input = |class: usize, random: &mut Random| match class {
            0 => random.exactly(shown),
            _ => random.guess(),
        };
        measure(what, times, input, find);
    }
    measure(
        "Ring::find: nearly right / a guess",
        times,
        nearly_or_not,
        find,
    );
}

/// What signs people in.
fn admin(times: usize) {
    let seed = totp::new_secret();
    let at = Timestamp(1_800_000_000_000_000);
    let right = totp::code_at(&seed, at).unwrap();
    let input = |class: usize, random: &mut Random| match class {
        0 => format!("{}x", &right[..5]),
        _ => format!("{:06}", random.next() % 1_000_000),
    };
    measure(
        "the second factor: five digits right / a guess",
        times / 4,
        input,
        |code| totp::matching_step(&seed, code, at, u64::MAX),
    );
    let kept = password::hash("correct horse battery staple").unwrap();
    let input = |class: usize, random: &mut Random| match class {
        0 => "correct horse battery stapl?".to_owned(),
        _ => random.guess()[..28].to_owned(),
    };
    measure(
        "a password: nearly right / a guess",
        (times / 500).max(BLOCK),
        input,
        |word| password::is_of(word, &kept),
    );
}

/// The webhook as it is, from the request to the answer, without a socket.
fn webhook(times: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(folder.path()).unwrap();
    let state = writer.load().unwrap().state;
    let metrics = Arc::new(Metrics::default());
    let (commands, _keep) = tokio::sync::mpsc::unbounded_channel();
    let sources = ["main", "second"].map(|name| (source(name), SourcePolicy::default()));
    let (engine, running) = Engine::start(Parts {
        writer,
        state,
        policy: Policy {
            installation: "timing".to_owned(),
            accounts: Default::default(),
            routes: Vec::new(),
            sources: sources.into(),
        },
        quotes: Arc::new(NoQuotes),
        commands,
        metrics: metrics.clone(),
        retention: Retention::default(),
    })
    .unwrap();
    let service = TowerToHyperService::new(intake(engine.clone(), metrics).router());
    let here = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 40_000));
    for (what, shown, peer) in [
        (
            "control, the webhook: one wrong secret / a guess",
            Some(WRONG),
            here,
        ),
        ("the webhook: nearly right / a guess", None, here),
        ("the webhook: a tripwire / a guess", Some(TRIPWIRE), here),
        (
            "the webhook: one that has ended / a guess",
            Some(PREVIOUS),
            here,
        ),
        (
            "the webhook, from elsewhere: right / a guess",
            Some(RIGHT),
            elsewhere,
        ),
        (
            "the webhook, from elsewhere: a tripwire / a guess",
            Some(TRIPWIRE),
            elsewhere,
        ),
    ] {
        refusals(times, &service, peer, shown).tell(what);
    }
    drop(service);
    engine.stop();
    running.join();
}

fn intake(engine: Engine, metrics: Arc<Metrics>) -> Intake {
    let names = ["main", "second"].map(source);
    Intake {
        engine,
        keyring: Arc::new(keyring()),
        formats: names.map(|name| (name, Format::Ponte)).into(),
        allow_from: AllowFrom::Ranges(NamedSet::Loopback.ranges()),
        trusted_proxies: Vec::new(),
        client_address: ClientAddress::Peer,
        client_certificate: ClientCertificateRules {
            policy: ClientCertificatePolicy::Observe,
            keys: Default::default(),
        },
        failures_per_minute: u32::MAX,
        body_read_max: BODY_READ_MAX,
        self_tests: Arc::new(SelfTests::new()),
        metrics,
    }
}

/// The times of refusals: of what is shown, or else of what is nearly right, and of guesses.
fn refusals(
    times: usize,
    service: &TowerToHyperService<axum::Router>,
    peer: SocketAddr,
    shown: Option<&str>,
) -> Times {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut taken = Times::default();
    for number in 0..times + times / 20 {
        let class = usize::from(random.next() & 1 == 1);
        let guess = match (class, shown) {
            (0, Some(shown)) => random.exactly(shown),
            (0, None) => random.nearly(RIGHT),
            _ => random.guess(),
        };
        let took = runtime.block_on(refused(service, peer, &guess));
        if number >= times / 20 {
            taken.add(class, took);
        }
    }
    taken
}

/// How long a `403` takes; what follows from a tripwire comes after it.
async fn refused(
    service: &TowerToHyperService<axum::Router>,
    peer: SocketAddr,
    guess: &str,
) -> Duration {
    let body =
        format!(r#"{{"secret":"{guess}","action":"buy","symbol":"BTCUSDT","quantity":0.01}}"#);
    let mut request = Request::post("/webhook").body(Body::from(body)).unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let start = now();
    let answer = service.call(request).await.unwrap();
    let took = now().duration_since(start);
    assert_eq!(answer.status().as_u16(), 403);
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    took
}
