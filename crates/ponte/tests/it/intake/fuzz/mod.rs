//! Whatever comes over a connection: no panic, known answers only, the same `403` for all, no alert
//! without its secret, and no secret on record.
//!
//! The listener, the router, the engine and the journal are the real ones; bytes come over real sockets.

mod requests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestError, TestRunner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PATIENCE, SECOND_SECRET, SECRET, Setup, World, events};
pub(crate) use requests::{Secrets, Talk, talk};

/// Connections in one run of the test.
const CASES: u32 = 2000;
/// The statuses that a sender can see; `100` is an answer on the way to another one.
const KNOWN: &[u16] = &[100, 200, 400, 403, 404, 405, 408, 413, 415, 431];
/// The name of the threads on which a panic is a finding.
const THREADS: &str = "fuzzed-webhook";

/// Panics of the threads that serve.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some(THREADS) {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        before(info);
    }));
}

/// One answer: its status, its head without what depends on how it was asked, its body.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// All answers of a connection.
pub(crate) fn answers(mut said: &[u8]) -> Result<Vec<Answer>, String> {
    let mut answers = Vec::new();
    while !said.is_empty() {
        let shown = || String::from_utf8_lossy(said).into_owned();
        let end = said.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.ok_or_else(|| format!("no end of the head: {}", shown()))?;
        let head = std::str::from_utf8(&said[..end]).map_err(|_| shown())?;
        let mut lines = head.lines();
        let first = lines.next().and_then(|line| line.strip_prefix("HTTP/1."));
        let status = first.and_then(|line| line.get(2..5)?.parse().ok());
        let status = status.ok_or_else(|| format!("no status: {}", shown()))?;
        let lines: Vec<_> = lines.collect();
        let length = lines
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(Ok(0), str::parse::<usize>);
        let length = length.map_err(|_| format!("no length: {}", shown()))?;
        let same = |line: &&&str| !line.starts_with("connection:");
        let head = lines
            .iter()
            .filter(same)
            .copied()
            .collect::<Vec<_>>()
            .join("\n");
        // The answer to HEAD tells a length, and has none of it.
        let body = said.get(end + 4..end + 4 + length).unwrap_or_default();
        let body = String::from_utf8(body.to_vec()).map_err(|_| shown())?;
        said = said.get(end + 4 + length..).unwrap_or_default();
        answers.push(Answer { status, head, body });
    }
    Ok(answers)
}

/// Says everything over one connection, closes the own side, and hears what comes.
pub(crate) async fn say(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let bytes = bytes.to_vec();
    // Whoever does not read while writing waits for ever; whoever is cut off has been answered.
    let written = tokio::spawn(async move {
        let _ = writing.write_all(&bytes).await;
        let _ = writing.shutdown().await;
    });
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, reading.read_to_end(&mut said))
        .await
        .unwrap();
    written.await.unwrap();
    said
}

struct Judge {
    world: World,
    runtime: tokio::runtime::Runtime,
    refused: Option<String>,
    seen: BTreeMap<u16, usize>,
}

impl Judge {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(THREADS)
            .enable_all()
            .build()
            .unwrap();
        let setup = Setup {
            failures_per_minute: u32::MAX,
            ..Setup::default()
        };
        let world = runtime.block_on(World::start(setup));
        Self {
            world,
            runtime,
            refused: None,
            seen: BTreeMap::new(),
        }
    }

    /// Alerts that were decided so far.
    fn decided(&self) -> u64 {
        let text = self.world.metrics.text();
        let counted = text
            .lines()
            .filter(|line| line.starts_with("ponte_alerts_total{"));
        counted
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    fn judge(&mut self, talk: &Talk) -> TestCaseResult {
        let before = self.decided();
        let said = self.runtime.block_on(say(self.world.address, &talk.bytes));
        let fail = |why: String| Err(TestCaseError::fail(why));
        for secret in [SECRET, SECOND_SECRET] {
            let shown = String::from_utf8_lossy(&said);
            if shown.contains(secret) {
                return fail(format!("{secret} is in the answer: {shown}"));
            }
        }
        let answers = answers(&said).map_err(TestCaseError::fail)?;
        let may_pass = holds_a_secret(&talk.bytes);
        let mut taken = 0;
        for answer in &answers {
            *self.seen.entry(answer.status).or_default() += 1;
            if !KNOWN.contains(&answer.status) {
                return fail(format!("an unknown answer: {answer:?}"));
            }
            if answer.status == 403
                && answer.head != *self.refused.get_or_insert_with(|| answer.head.clone())
            {
                return fail(format!("another 403: {answer:?}"));
            }
            if !(answer.body.is_empty() || may_pass && [200, 400].contains(&answer.status)) {
                return fail(format!("a stranger learns something: {answer:?}"));
            }
            if answer.status == 200 {
                taken += 1;
                let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                let status = body["status"].as_str().unwrap_or_default();
                let known = ["accepted", "duplicate", "refused", "halted"];
                if !known.contains(&status) {
                    return fail(format!("no decision: {answer:?}"));
                }
            }
        }
        if talk.is_right && answers.iter().map(|answer| answer.status).ne([200]) {
            return fail(format!("a right alert was not taken: {answers:?}"));
        }
        // Counted before it is answered, so nothing is on its way.
        let decided = self.decided() - before;
        if decided != taken {
            return fail(format!(
                "{decided} alerts for {taken} answers of 200: {answers:?}"
            ));
        }
        if PANICS.load(Ordering::Relaxed) > 0 {
            return fail("a panic".to_owned());
        }
        Ok(())
    }
}

/// Whether a secret stands in it, in a form in which a sender may write it.
fn holds_a_secret(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let forms = [text.to_string(), in_one_piece(&text)];
    forms.into_iter().any(|text| {
        // UTF-16, escapes in JSON and in paths.
        let text = text.replace('\0', "");
        let text = text.replace("\\u005f", "_").replace("%5F", "_");
        [SECRET, SECOND_SECRET]
            .iter()
            .any(|secret| text.contains(secret))
    })
}

/// The text without the lines between chunks.
fn in_one_piece(text: &str) -> String {
    let mut pieces = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("\r\n") {
        let line = &rest[start + 2..];
        let size = line.split_once("\r\n").filter(|(size, _)| {
            let digits = size.split(';').next().unwrap_or_default().trim();
            !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        pieces.push_str(&rest[..start]);
        rest = match size {
            Some((_, rest)) => rest,
            None => {
                pieces.push_str("\r\n");
                line
            }
        };
    }
    pieces + rest
}

#[test]
fn whatever_comes_is_answered_and_only_the_owner_is_heard() {
    count_panics();
    let mut judge = Judge::new();
    let secrets = Secrets {
        right: SECRET,
        second: SECOND_SECRET,
    };
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let cell = std::cell::RefCell::new(&mut judge);
    let outcome =
        TestRunner::new(config).run(&talk(secrets), |talk| cell.borrow_mut().judge(&talk));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, talk)) => panic!("{why}\n{talk:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
    println!("answers: {:?}", judge.seen);
    for status in [200, 400, 403, 404, 405, 413, 415] {
        assert!(
            judge.seen.contains_key(&status),
            "{status} was never seen: the requests are too dull"
        );
    }
    let taken = judge.seen[&200];
    let Judge { world, runtime, .. } = judge;
    let directory = runtime.block_on(world.finish());
    assert_eq!(events(directory.path(), "alert_decided").len(), taken);
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [SECRET, SECOND_SECRET] {
            let place = bytes
                .windows(secret.len())
                .position(|part| part == secret.as_bytes());
            if let Some(place) = place {
                let around = &bytes[place.saturating_sub(300)..(place + 60).min(bytes.len())];
                panic!(
                    "{secret} in {}: {}",
                    path.display(),
                    String::from_utf8_lossy(around)
                );
            }
        }
    }
}
