//! Thousands of generated connections to the real binary: it lives, its memory is bounded, and no secret
//! gets into its log or onto its disk.

use std::path::Path;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::{GROWTH_KIB_MAX, Speaks, Target};
use crate::intake::fuzz::{Secrets, answers, say, talk};
use crate::program::SECRET;

/// Connections.
const TALKS: usize = 3000;
/// A secret that no source has.
const NOBODYS: &str = "a-secret-of-nobody-4711-4711";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_does_no_harm() {
    let mut target = Target::start(Speaks::Plain).await;
    let secrets = Secrets {
        right: SECRET,
        second: NOBODYS,
    };
    let strategy = talk(secrets);
    let mut runner = TestRunner::default();
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..TALKS {
        let talk = strategy.new_tree(&mut runner).unwrap().current();
        let said = say(target.address(), &talk.bytes).await;
        let answers = answers(&said).unwrap_or_else(|why| panic!("{why}\n{talk:?}"));
        for answer in &answers {
            *statuses.entry(answer.status).or_default() += 1;
            assert!(answer.status < 500, "{answer:?}\n{talk:?}");
            assert!(!answer.body.contains(SECRET), "{answer:?}\n{talk:?}");
        }
        if talk.is_right {
            assert_eq!(answers.len(), 1, "{answers:?}");
            assert_eq!(answers[0].status, 200, "{answers:?}");
        }
        if number % 500 == 0 {
            target.owner_passes("among generated requests").await;
        }
    }
    let grown = target.memory_kib().saturating_sub(target.before_kib);
    println!("{statuses:?}; {grown} KiB more than before");
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more");
    target.owner_passes("after generated requests").await;
    target.ponte.stop().await;
    let log = target.ponte.whole_log();
    for word in ["panicked", "something broke", "a request broke", SECRET] {
        assert!(!log.contains(word), "{word} in {log}");
    }
    is_silent(&target.ponte.folder().join("data"));
}

/// No file below the folder holds a secret.
fn is_silent(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            is_silent(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut parts = bytes.windows(SECRET.len());
        let is_there = parts.any(|part| part == SECRET.as_bytes());
        assert!(!is_there, "{SECRET} in {}", path.display());
    }
}
