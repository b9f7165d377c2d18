//! The real binary and the real bridge are killed under load, again and again, beside a terminal that outlives them and
//! misbehaves.
//!
//! Alerts, prices and faults follow a seed; the moments of the kills don't follow it to the microsecond, so that a seed
//! narrows a failure down but can't replay it. `PONTE_CRASH_KILLS=60 PONTE_CRASH_SEED=7 cargo test -p ponte --test it
//! crash_mt5` is a long run.

mod audit;
mod load;
mod terminal;

use std::time::Duration;

use ponte::journal::Reader;
use ponte_core::order::OrderStatus;

use crate::crash_common::sending::mix;
use crate::mt5_bridge::{Bridge, BridgeOptions, TOKEN, mt5_account, write_token};
use crate::program::{Ponte, free_port};
use load::Load;
use terminal::Terminal;

/// How often something is killed when nobody says otherwise.
const KILLS_DEFAULT: u64 = 12;
const SEED_DEFAULT: u64 = 20_261_123;
/// How long everything may take to get its last word once the faults are over.
const PATIENCE_STEPS: u32 = 900;
const STEP: Duration = Duration::from_millis(100);

fn number(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap())
}

/// How long it runs before the next kill: different moments each time, and now and then long enough for unknown fates
/// to be settled, so that trading goes on.
fn pause(kill: u64, seed: u64) -> Duration {
    let milliseconds = match kill % 4 {
        3 => 6_000,
        _ => 150 + mix(seed ^ kill) % 1_500,
    };
    Duration::from_millis(milliseconds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_beside_a_terminal_every_order_is_one_and_nothing_is_naked() {
    let kills = number("PONTE_CRASH_KILLS", KILLS_DEFAULT);
    let seed = number("PONTE_CRASH_SEED", SEED_DEFAULT);
    println!("seed {seed}, {kills} kills");
    let terminal = Terminal::start(seed).await;
    let port = free_port();
    let mut ponte = Ponte::install_accounts(&mt5_account(port, r#"protect_within = "5s""#, ""));
    write_token(ponte.folder());
    ponte.start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let start = || {
        Bridge::start(&BridgeOptions {
            ponte: &url,
            pin: None,
            token: TOKEN,
            terminal: &terminal.url,
            folder: folder.path(),
        })
    };
    let mut bridge = start();
    terminal.misbehave(seed);
    let load = Load::start(seed, &ponte.webhook(), &terminal.prices);
    for kill in 0..kills {
        tokio::time::sleep(pause(kill, seed)).await;
        let what = mix(seed ^ kill << 16) % 3;
        if what != 0 {
            bridge.kill();
        }
        if what != 1 {
            ponte.kill();
            ponte.start().await;
        }
        if what != 0 {
            bridge = start();
        }
    }
    let sent = load.stop().await;
    terminal.calm_down().await;
    settle(&ponte, &bridge).await;
    ponte.stop().await;
    bridge.kill();
    let books = terminal.books().await;
    let report = audit::audit(&ponte, &books, &sent);
    println!("{kills} kills with seed {seed}: {report}");
}

/// Waits until every order has its last word or rests, and nothing is naked.
async fn settle(ponte: &Ponte, bridge: &Bridge) {
    let mut open = Vec::new();
    for _ in 0..PATIENCE_STEPS {
        open = moving(ponte);
        if open.is_empty() && ponte.metric("ponte_naked_positions").await == Some(0.0) {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    let naked = ponte.metric("ponte_naked_positions").await;
    let story = open.first().map(|id| ponte.command(&["why", id]).1);
    println!("{}", bridge.log());
    panic!(
        "{} orders without a last word, {naked:?} naked positions; {}",
        open.len(),
        story.unwrap_or_default()
    );
}

/// The orders that neither rest nor are over.
fn moving(ponte: &Ponte) -> Vec<String> {
    let reader = Reader::open(&ponte.journal()).unwrap();
    let state = reader.state(false).unwrap();
    state
        .open_orders()
        .filter(|order| order.status != OrderStatus::Working || order.cancel_requested)
        .map(|order| order.plan.id.to_string())
        .collect()
}
