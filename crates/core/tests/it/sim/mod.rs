//! The whole program in one thread: a seeded scheduler moves TradingView, the process, its disk,
//! the network and the venue, and breaks each of them. What happened is then judged by an auditor
//! that shares no code with `decide`.
//!
//! `PONTE_SIM_SEED=7` replays one seed with its trace, `PONTE_SIM_SEEDS=5000` runs more of them.

mod audit_fates;
mod auditor;
mod broker;
mod execution;
mod faults;
mod levels;
mod process;
mod random;
mod sender;
mod setting;
mod translation;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::World;

/// How many seeds an ordinary run plays.
const SEEDS: u64 = 300;
/// Within so many seeds every mutation must have been caught.
const MUTATION_SEEDS: u64 = 40;

/// A way to build the program wrongly, to see that the auditor notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    None,
    /// A time-out is answered by sending the order again.
    BlindResend,
    /// A question that got no answer counts as "the broker has no such order".
    FailedFindIsAbsent,
    /// TradingView hears 200 before the journal is on disk.
    AnswerBeforeCommit,
    /// Execution doesn't look at halts, frozen lanes and expiry before it sends.
    ForgetGate,
    /// A process that starts does not ask about what was in flight.
    ForgetRestart,
    /// A cancellation that the engine asks for is not carried out.
    ForgetCancel,
}

/// What a run has seen, to know that the runs reach what they should.
#[derive(Debug, Default, Clone, Copy)]
struct Summary {
    alerts: usize,
    answered: usize,
    orders: usize,
    fills: usize,
    crashes: usize,
    unknown: usize,
    /// Positions that a level has closed.
    closed_by_levels: usize,
    /// Orders of protection that were to move to other levels.
    moved: usize,
    /// Orders of protection that traded more than they stood for.
    exceeded: usize,
    /// Orders that found that a level had closed what they were for.
    claimed: usize,
    /// Entries that met another strategy's position.
    second_strategies: usize,
}

fn play(seed: u64, sabotage: Sabotage, trace: bool) -> Result<Summary, String> {
    let run = || {
        let mut world = World::new(seed, sabotage, trace);
        world.run();
        auditor::audit(&world.evidence())
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number("PONTE_SIM_SEED") {
        let result = play(seed, Sabotage::None, true);
        println!("seed {seed}: {result:?}");
        assert!(result.is_ok(), "seed {seed}: {}", result.unwrap_err());
        return;
    }
    let mut sum = Summary::default();
    for seed in 0..number("PONTE_SIM_SEEDS").unwrap_or(SEEDS) {
        match play(seed, Sabotage::None, false) {
            Ok(summary) => {
                sum.alerts += summary.alerts;
                sum.answered += summary.answered;
                sum.orders += summary.orders;
                sum.fills += summary.fills;
                sum.crashes += summary.crashes;
                sum.unknown += summary.unknown;
                sum.closed_by_levels += summary.closed_by_levels;
                sum.moved += summary.moved;
                sum.exceeded += summary.exceeded;
                sum.claimed += summary.claimed;
                sum.second_strategies += summary.second_strategies;
            }
            Err(what) => panic!(
                "seed {seed}: {what}\nreplay it with: PONTE_SIM_SEED={seed} \
                 cargo test -p ponte-core --test it every_seed -- --nocapture"
            ),
        }
    }
    println!("{sum:?}");
    // A simulation in which nothing happens proves nothing.
    assert!(sum.fills > 0 && sum.crashes > 0 && sum.unknown > 0 && sum.answered > 0);
    assert!(sum.closed_by_levels > 0 && sum.moved > 0 && sum.exceeded > 0);
    assert!(sum.claimed > 0 && sum.second_strategies > 0);
}

#[track_caller]
fn is_caught(sabotage: Sabotage) {
    let caught = (0..MUTATION_SEEDS).find_map(|seed| play(seed, sabotage, false).err());
    let what =
        caught.unwrap_or_else(|| panic!("{sabotage:?} went unnoticed in {MUTATION_SEEDS} seeds"));
    assert!(
        !what.starts_with("panic"),
        "{sabotage:?} fell over instead: {what}"
    );
    println!("{sabotage:?}: {what}");
}

#[test]
fn the_auditor_catches_a_blind_resend() {
    is_caught(Sabotage::BlindResend);
}

#[test]
fn the_auditor_catches_a_failed_find_taken_for_absent() {
    is_caught(Sabotage::FailedFindIsAbsent);
}

#[test]
fn the_auditor_catches_an_answer_before_the_commit() {
    is_caught(Sabotage::AnswerBeforeCommit);
}

#[test]
fn the_auditor_catches_a_forgotten_gate() {
    is_caught(Sabotage::ForgetGate);
}

#[test]
fn the_auditor_catches_a_restart_that_asks_nothing() {
    is_caught(Sabotage::ForgetRestart);
}

#[test]
fn the_auditor_catches_cancellations_that_are_not_carried_out() {
    is_caught(Sabotage::ForgetCancel);
}
