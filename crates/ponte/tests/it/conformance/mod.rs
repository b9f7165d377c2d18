//! One suite that every adapter must pass, written against the adapter trait alone. Each behaviour
//! runs at a venue of its own; an auditor looks at that venue past the adapter.

mod behaviours;
mod binance;
mod binance_audit;
mod desk;
mod follower;
mod mt5;
mod mt5_audit;
mod paper;
mod paper_embedded;
mod paper_remote;
pub(crate) mod relay;
mod subject;
mod table;
mod words;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use ponte::brokers::binance::{Market, Transport};
use ponte::brokers::mt5::Accounting;

use behaviours::{Tested, every_behaviour};
use subject::Subject;

/// How long one behaviour may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(180);

/// Runs every behaviour, all at the same time, and holds what was seen against what is known.
async fn hold(subject: impl Subject + 'static) {
    let tested: Tested = Arc::new(subject);
    let permits = Arc::new(Semaphore::new(tested.at_a_time()));
    let wanted = std::env::var("CONFORMANCE").unwrap_or_default();
    let running: Vec<_> = every_behaviour()
        .into_iter()
        .filter(|behaviour| behaviour.name.english.contains(&wanted))
        .map(|behaviour| {
            let run = (behaviour.run)(Arc::clone(&tested));
            let permits = Arc::clone(&permits);
            let run = async move {
                let _permit = permits.acquire().await.unwrap();
                tokio::time::timeout(STUCK, run).await
            };
            (behaviour.name, tokio::spawn(run))
        })
        .collect();
    let mut outcomes = Vec::new();
    let mut failures = Vec::new();
    for (name, run) in running {
        match run.await {
            Ok(Ok(outcome)) => {
                let said = match outcome {
                    Ok(()) => "pass".to_owned(),
                    Err(why) => format!("not applicable: {}", why.english),
                };
                println!("{}: {}: {said}", tested.name(), name.english);
                outcomes.push((name, outcome));
            }
            Ok(Err(_)) => failures.push(format!("{}: is stuck", name.english)),
            // The panic's message has been printed where it happened.
            Err(panicked) => failures.push(format!("{}: {panicked}", name.english)),
        }
    }
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        tested.name(),
        failures.join("\n")
    );
    if wanted.is_empty() {
        table::hold(tested.name(), &outcomes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_paper_broker_conforms() {
    hold(paper_embedded::PaperEmbedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_remote_paper_broker_conforms() {
    hold(paper_remote::PaperRemote).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binance_futures_conforms() {
    hold(binance::Binance {
        market: Market::Futures,
        orders: Transport::Rest,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binance_spot_conforms() {
    hold(binance::Binance {
        market: Market::Spot,
        orders: Transport::Rest,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binance_futures_over_web_sockets_conforms() {
    hold(binance::Binance {
        market: Market::Futures,
        orders: Transport::WebSocket,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binance_spot_over_web_sockets_conforms() {
    hold(binance::Binance {
        market: Market::Spot,
        orders: Transport::WebSocket,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mt5_netting_conforms() {
    hold(mt5::Mt5Subject(Accounting::Netting)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mt5_hedging_conforms() {
    hold(mt5::Mt5Subject(Accounting::Hedging)).await;
}
