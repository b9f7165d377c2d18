//! Two secrets during a rotation, ended ones, and tripwires: who is let in, what is on record, and
//! that the answer tells nothing.

use std::sync::Arc;
use std::time::Duration;

use ponte::config::{AllowFrom, NamedSet};
use ponte::secret::{Entry, Role, SecretRef, SourceKeys};
use ponte_core::message::{OperatorAction, OperatorRequest, RefusedRequest, SourceOff};
use ponte_core::source::TRIPWIRE;
use ponte_core::time::Timestamp;

use super::{
    MESSAGE, Reply, SECOND_SECRET, SECRET, Setup, World, alert, post, refusals, secret, source,
};

const BEFORE: &str = "SEGREDO_DE_ANTES";
const WIRE: &str = "NINGUEM_USA_ESTE";
/// A moment that is over, and one that nobody lives to see.
const PAST: Timestamp = Timestamp(1_000_000);
const FUTURE: Timestamp = Timestamp(4_000_000_000_000_000);
const STEP: Duration = Duration::from_millis(10);
const STEPS: u32 = 1000;

fn entry(role: Role, until: Option<Timestamp>, text: &str) -> Entry {
    Entry::new(source("main"), role, until, secret(text))
}

fn with(spare: Vec<Entry>) -> Setup {
    Setup {
        spare,
        ..Setup::default()
    }
}

fn wired() -> Setup {
    with(vec![entry(Role::Tripwire, None, WIRE)])
}

fn message(secret: &str) -> String {
    MESSAGE.replace(SECRET, secret)
}

/// The answer without what the clock puts into it.
fn timeless(reply: &Reply) -> String {
    let lines = reply.head().lines();
    let lines: Vec<_> = lines.filter(|line| !line.starts_with("date:")).collect();
    lines.join("\n") + reply.body()
}

async fn off(world: &World) -> Option<SourceOff> {
    for _ in 0..STEPS {
        let look = world
            .engine
            .look(|state| state.sources_off.get(&source("main")).cloned());
        if let Some(off) = look.await.unwrap() {
            return Some(off);
        }
        tokio::time::sleep(STEP).await;
    }
    None
}

/// Waits until a metric has this value.
async fn counted(world: &World, line: &str) {
    for _ in 0..STEPS {
        if world.metrics.text().lines().any(|known| known == line) {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    panic!("no {line:?} in {}", world.metrics.text());
}

#[tokio::test]
async fn both_secrets_are_taken_while_a_rotation_lasts() {
    let world = World::start(with(vec![entry(Role::Previous, Some(FUTURE), BEFORE)])).await;
    let new = world.ask(alert(message(SECRET))).await;
    assert_eq!(new.json()["status"], "accepted");
    let old = message(BEFORE).replace("0.01", "0.02");
    let old = world.ask(alert(old)).await;
    assert_eq!(old.json()["status"], "accepted", "{}", old.body());
    // The same source by both: no stranger.
    let path = format!("/webhook/{BEFORE}");
    let both = world.ask(post(&path, "", message(SECRET))).await;
    assert_eq!(both.status, 200);
    let text = world.metrics.text();
    let counted = "ponte_previous_secret_uses_total{source=\"main\"} 1";
    assert!(text.contains(counted), "{text}");
    world.finish().await;
}

#[tokio::test]
async fn a_previous_secret_that_has_ended_is_a_strangers() {
    let world = World::start(with(vec![entry(Role::Previous, Some(PAST), BEFORE)])).await;
    let wrong = world.ask(alert(message("NO_ONES_SECRET"))).await;
    let ended = world.ask(alert(message(BEFORE))).await;
    assert_eq!((wrong.status, ended.status), (403, 403));
    assert_eq!(timeless(&wrong), timeless(&ended));
    let directory = world.finish().await;
    let refused = refusals(directory.path());
    let told = |refused: &RefusedRequest| (refused.code.clone(), refused.source.clone());
    assert_eq!(
        refused.iter().map(told).collect::<Vec<_>>(),
        [
            ("wrong_secret".to_owned(), None),
            ("expired_secret".to_owned(), Some(source("main"))),
        ]
    );
}

#[tokio::test]
async fn an_expired_source_is_a_stranger() {
    let keys = SourceKeys {
        source: source("main"),
        secret: SecretRef::Env("SECRET".to_owned()),
        previous: None,
        tripwire: None,
        expires: Some(PAST),
    };
    let world = World::start(Setup {
        keys: vec![keys],
        ..Setup::default()
    })
    .await;
    let expired = world.ask(alert(MESSAGE)).await;
    assert_eq!((expired.status, expired.body()), (403, ""));
    // The other source goes on.
    assert_eq!(world.ask(alert(message(SECOND_SECRET))).await.status, 200);
    let directory = world.finish().await;
    assert_eq!(refusals(directory.path())[0].code, "expired_secret");
}

#[tokio::test]
async fn a_tripwire_switches_its_source_off_and_says_nothing() {
    let requests = [
        alert(message(WIRE)),
        post(&format!("/webhook/{WIRE}"), "", "{}"),
        post("/webhook", &format!("x-ponte-secret: {WIRE}\r\n"), "{}"),
        post(
            "/webhook",
            &format!("authorization: Bearer {WIRE}\r\n"),
            "{}",
        ),
        // Beside the right one, and in a body that is broken.
        post(&format!("/webhook/{WIRE}"), "", MESSAGE),
        post(&format!("/webhook/{SECRET}"), "", message(WIRE)),
        alert(format!(r#"{{"segredo":"{WIRE}","acao":"#)),
    ];
    for request in requests {
        let world = World::start(wired()).await;
        let wrong = world.ask(alert(message("NO_ONES_SECRET"))).await;
        let tripped = world.ask(&request).await;
        assert_eq!(timeless(&wrong), timeless(&tripped));
        let off = off(&world).await.unwrap();
        assert_eq!(off.by, TRIPWIRE);
        assert!(off.reason.unwrap().contains("127.0.0.1"));
        let refused = world.ask(alert(MESSAGE)).await;
        assert_eq!(refused.json()["status"], "refused");
        assert_eq!(refused.status, 200);
        let other = world.ask(alert(message(SECOND_SECRET))).await;
        assert_eq!(other.json()["status"], "accepted");
        let directory = world.finish().await;
        assert_eq!(refusals(directory.path())[1].code, "tripwire");
    }
}

#[tokio::test]
async fn a_tripwire_is_heard_wherever_it_is_shown() {
    let get = format!("GET /webhook/{WIRE} HTTP/1.1\r\nhost: ponte\r\n\r\n");
    let requests = [
        (405, get.into_bytes()),
        (404, post(&format!("/hook/{WIRE}"), "", "")),
        (
            415,
            post(
                &format!("/webhook/{WIRE}"),
                "content-encoding: gzip\r\n",
                "x",
            ),
        ),
        (
            413,
            post(&format!("/webhook/{WIRE}"), "", "x".repeat(300 * 1024)),
        ),
    ];
    for (status, request) in requests {
        let world = World::start(wired()).await;
        assert_eq!(world.ask(&request).await.status, status);
        assert_eq!(off(&world).await.unwrap().by, TRIPWIRE);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_tripwire_is_heard_from_any_address() {
    for request in [
        alert(message(WIRE)),
        post(&format!("/webhook/{WIRE}"), "", ""),
        post("/webhook", &format!("x-ponte-secret: {WIRE}\r\n"), "{}"),
    ] {
        let world = World::start(Setup {
            allow_from: AllowFrom::Ranges(NamedSet::TradingView.ranges()),
            ..wired()
        })
        .await;
        let wrong = world.ask(alert(message("NO_ONES_SECRET"))).await;
        let tripped = world.ask(&request).await;
        assert_eq!(timeless(&wrong), timeless(&tripped));
        assert_eq!(off(&world).await.unwrap().by, TRIPWIRE);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_tripwire_is_heard_when_its_address_has_failed_too_often() {
    let world = World::start(Setup {
        failures_per_minute: 1,
        ..wired()
    })
    .await;
    assert_eq!(
        world.ask(alert(message("NO_ONES_SECRET"))).await.status,
        403
    );
    assert_eq!(
        world.ask(alert(message("NO_ONES_SECRET"))).await.status,
        429
    );
    assert_eq!(world.ask(alert(message(WIRE))).await.status, 429);
    assert_eq!(off(&world).await.unwrap().by, TRIPWIRE);
    world.finish().await;
}

#[tokio::test]
async fn a_tripwire_rings_again_after_the_source_was_switched_on() {
    let world = World::start(wired()).await;
    for uses in 1..=2 {
        world.ask(alert(message(WIRE))).await;
        assert!(off(&world).await.is_some());
        let line = format!("ponte_tripwire_uses_total{{source=\"main\"}} {uses}");
        counted(&world, &line).await;
        // What rang last has been answered before the switch is asked for.
        let on = OperatorAction::SwitchSource {
            source: source("main"),
            on: true,
            reason: None,
        };
        let by = "ana".to_owned();
        let request = OperatorRequest { by, action: on };
        assert_eq!(world.engine.operate(request).await.unwrap().len(), 1);
        assert_eq!(world.ask(alert(MESSAGE)).await.status, 200);
    }
    world.finish().await;
}

#[tokio::test]
async fn many_uses_make_one_switch() {
    let world = Arc::new(World::start(wired()).await);
    let asked = (0..50).map(|_| {
        let world = world.clone();
        tokio::spawn(async move { world.ask(alert(message(WIRE))).await.status })
    });
    for asked in asked.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), 403);
    }
    assert!(off(&world).await.is_some());
    counted(&world, "ponte_tripwire_uses_total{source=\"main\"} 50").await;
    let world = Arc::into_inner(world).unwrap();
    let directory = world.finish().await;
    let reader = ponte::journal::Reader::open(&ponte::journal::path_in(directory.path())).unwrap();
    let mut kinds = Vec::new();
    let filter = ponte::journal::ExportFilter::default();
    reader
        .export(&filter, |row| {
            kinds.push(row.kind.clone());
            true
        })
        .unwrap();
    let count = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!(count("source_switched"), 1);
    assert_eq!(count("alarm"), 1);
    assert_eq!(count("request_refused"), 50);
}
