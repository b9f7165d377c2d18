//! The real binary is killed under load, again and again, beside a venue that outlives it and misbehaves.
//!
//! `PONTE_CRASH_KILLS=200 cargo test -p ponte --test it crash` is the long run.

mod audit;
mod load;

use std::time::Duration;

use ponte_venue::faces::paper::{PaperFace, PaperOptions};
use ponte_venue::fault::{Fault, FaultRule, Operation, Trigger};
use ponte_venue::{Decimal, VenueOptions};
use tokio::net::TcpListener;

use crate::program::{self, Ponte};
use load::Load;

/// How often the binary is killed when nobody says otherwise.
const KILLS_DEFAULT: u32 = 12;
/// How many senders are at it.
const SENDERS: usize = 6;

/// What the venue does wrong: the answer is lost after the order was taken, or the order before it
/// arrived; reports get lost; some answers are errors that leave everything open.
fn faults() -> Vec<FaultRule> {
    let rule = |fault, per_mille, operation| FaultRule {
        fault,
        trigger: Trigger::PerMille(per_mille),
        operation: Some(operation),
    };
    vec![
        rule(Fault::AcceptThenDisconnect, 40, Operation::Place),
        rule(Fault::ErrorAfterAccept, 30, Operation::Place),
        rule(Fault::DisconnectBefore, 10, Operation::Place),
        rule(Fault::Delay { milliseconds: 40 }, 50, Operation::Place),
        rule(Fault::Reject, 10, Operation::Place),
        rule(Fault::LoseReport, 100, Operation::Reports),
        rule(Fault::DuplicateReport, 100, Operation::Reports),
        rule(Fault::DisconnectBefore, 50, Operation::Find),
    ]
}

fn venue(seed: u64) -> PaperFace {
    let options = PaperOptions {
        venue: VenueOptions {
            leverage: Decimal::from(1000),
            ..VenueOptions::paper()
        },
        fault_seed: seed,
        ..PaperOptions::paper()
    };
    PaperFace::new(options).expect("the options are the venue's own")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_every_alert_has_one_order_or_a_reason() {
    let kills = std::env::var("PONTE_CRASH_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    let kills: u32 = kills.unwrap_or(KILLS_DEFAULT);
    let face = venue(u64::from(kills));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let venue_url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn({
        let face = face.clone();
        async move { face.serve_until(listener, std::future::pending()).await }
    });
    let client = program::client();
    for rule in faults() {
        let answer = client
            .post(format!("{venue_url}/admin/faults"))
            .json(&rule)
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
    }

    let mut ponte = Ponte::install(&format!(
        "balance = \"1000000000\"\nleverage = \"1000\"\nprices = [\"alert\"]\nurl = \"{venue_url}\""
    ));
    ponte.start().await;
    let load = Load::start(SENDERS, ponte.webhook());
    for kill in 0..kills {
        // Different moments each time, the same ones in every run; now and then long enough for
        // the venue's time fence to pass, so that unknown fates are settled and trading goes on.
        let pause = match kill % 4 {
            3 => 3000,
            _ => 120 + (u64::from(kill) * 7919) % 480,
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        ponte.kill();
        ponte.start().await;
    }
    let sent = load.stop().await;
    client
        .delete(format!("{venue_url}/admin/faults"))
        .send()
        .await
        .unwrap();
    ponte.wait_until_settled().await;
    let positions = ponte.positions().await;
    ponte.stop().await;

    let report = audit::audit(
        &ponte.journal(),
        &face.venue().expect("the venue stands"),
        &sent,
        &positions,
    );
    println!("{kills} kills: {report}");
    served.abort();
}
