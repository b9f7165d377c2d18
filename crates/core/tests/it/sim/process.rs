//! The process: takes alerts in, decides them in batches, commits, answers, and may die anywhere.

use std::collections::{BTreeMap, VecDeque};

use ponte_core::decide::{Facts, NoQuotes, handle};
use ponte_core::gate::Gate;
use ponte_core::id::{ClientOrderId, Digest};
use ponte_core::identity::Identity;
use ponte_core::message::{AlertDecision, AlertInput, Command, Event, Input, Outcome, Seen};
use ponte_core::order::Lane;
use ponte_core::state::State;
use ponte_core::time::Timestamp;

use super::Sabotage;
use super::execution::{Call, LaneQueue};
use super::sender::Answer;
use super::setting::source;
use super::world::{Step, World};

/// What waits to be decided.
#[derive(Clone)]
pub(super) enum Work {
    Alert {
        alert: usize,
        delivery: usize,
        at: Timestamp,
    },
    Other(Box<Input>),
}

/// What was decided together and becomes durable together.
struct Batch {
    work: Vec<Work>,
    events: Vec<(Timestamp, Event)>,
    commands: Vec<Command>,
    answers: Vec<(usize, usize, Answer)>,
    fate: CommitFate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitFate {
    Durable,
    /// The disk says no, and nothing was written.
    Failed,
    /// The disk says nothing; the batch is there, and the process gives itself up.
    DurableUnheard,
}

/// Everything that a crash takes along.
pub(super) struct Process {
    pub(super) epoch: u64,
    pub(super) up: bool,
    pub(super) state: State,
    inbox: VecDeque<Work>,
    committing: Option<Batch>,
    seen: BTreeMap<Digest, Seen>,
    /// As of the latest commit.
    pub(super) gate: Gate,
    pub(super) lanes: BTreeMap<Lane, LaneQueue>,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) next_call: u64,
    /// Until when, by the venue's clock, an order that this process sent may still be accepted or unseen.
    pub(super) fences: BTreeMap<ClientOrderId, i64>,
    /// The same for whatever an earlier process sent.
    pub(super) fence_of_others: i64,
    pub(super) reports_read: BTreeMap<String, u64>,
    /// Up to which report the gaps of the stream are filled.
    pub(super) gaps_read: BTreeMap<String, u64>,
}

impl Process {
    pub(super) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            up: false,
            state: State::default(),
            inbox: VecDeque::new(),
            committing: None,
            seen: BTreeMap::new(),
            gate: Gate::default(),
            lanes: BTreeMap::new(),
            calls: BTreeMap::new(),
            next_call: 0,
            fences: BTreeMap::new(),
            fence_of_others: 0,
            reports_read: BTreeMap::new(),
            gaps_read: BTreeMap::new(),
        }
    }

    /// Whether this is still the process that something was meant for.
    pub(super) const fn is(&self, epoch: u64) -> bool {
        self.up && self.epoch == epoch
    }

    /// Reads everything back from the journal.
    fn load(&mut self, journal: &[(Timestamp, Event)]) {
        self.state = State::default();
        self.seen.clear();
        for (at, event) in journal {
            self.state.apply(*at, event);
            if let Event::AlertDecided(decision) = event {
                remember(&mut self.seen, decision);
            }
        }
    }
}

/// An identity belongs to the latest alert that was new; a conflict takes nothing from the first.
fn remember(seen: &mut BTreeMap<Digest, Seen>, decision: &AlertDecision) {
    if decision.outcome != Outcome::Duplicate && decision.first.is_none() {
        seen.insert(
            decision.identity.key,
            Seen {
                alert: decision.alert,
                at: decision.received_at,
                digest: decision.signal.digest,
            },
        );
    }
}

impl World {
    pub(super) fn arrive(&mut self, alert: usize, delivery: usize) {
        if !self.process.up {
            // The proxy in front answers 502.
            let answer = Answer::Unavailable;
            self.after(
                1_000,
                Step::Reply {
                    alert,
                    delivery,
                    answer,
                },
            );
            return;
        }
        let at = self.clock();
        self.process.inbox.push_back(Work::Alert {
            alert,
            delivery,
            at,
        });
    }

    pub(super) fn tell(&mut self, input: Input) {
        self.process.inbox.push_back(Work::Other(Box::new(input)));
    }

    /// Decides what waits, unless a commit is under way.
    pub(super) fn work(&mut self) {
        while self.process.up && self.process.committing.is_none() && !self.process.inbox.is_empty()
        {
            let work: Vec<_> = self.process.inbox.drain(..).collect();
            let batch = self.decide(work);
            if batch.events.is_empty() {
                self.perform(batch.commands);
                continue;
            }
            if self.sabotage == Sabotage::AnswerBeforeCommit {
                self.answer(&batch.answers);
            }
            self.process.committing = Some(batch);
            let epoch = self.process.epoch;
            let delay = self.random.between(200, 9_000);
            self.after(delay, Step::CommitDone { epoch });
        }
    }

    fn decide(&mut self, work: Vec<Work>) -> Batch {
        let now = self.clock();
        let fate = match self.random.between(0, 199) {
            0..=3 if self.storms() => CommitFate::Failed,
            4 if self.storms() && self.crashiness > 0 => CommitFate::DurableUnheard,
            _ => CommitFate::Durable,
        };
        let mut batch = Batch {
            work: work.clone(),
            events: Vec::new(),
            commands: Vec::new(),
            answers: Vec::new(),
            fate,
        };
        for item in work {
            let (input, from) = match item {
                Work::Other(input) => (*input, None),
                Work::Alert {
                    alert,
                    delivery,
                    at,
                } => {
                    let signal = self.alerts[alert].signal.clone();
                    let key = Identity::of(&source(), &signal).key;
                    let input = AlertInput {
                        source: source(),
                        received_at: at,
                        signal,
                        seen: self.process.seen.get(&key).copied(),
                        delivery: Default::default(),
                    };
                    (Input::Alert(Box::new(input)), Some((alert, delivery)))
                }
            };
            let facts = Facts {
                now,
                quotes: &NoQuotes,
            };
            let decision = handle(&mut self.process.state, &self.policy, facts, input);
            for event in decision.events {
                if let Event::AlertDecided(decided) = &event {
                    remember(&mut self.process.seen, decided);
                    let (alert, delivery) = from.unwrap();
                    let answer = Answer::Ok(decided.alert, decided.outcome);
                    batch.answers.push((alert, delivery, answer));
                }
                batch.events.push((now, event));
            }
            batch.commands.extend(decision.commands);
        }
        batch
    }

    pub(super) fn commit_done(&mut self, epoch: u64) {
        if !self.process.is(epoch) {
            return;
        }
        let batch = self.process.committing.take().unwrap();
        if batch.fate == CommitFate::Failed {
            self.commit_failed(batch);
            return;
        }
        for (_, event) in &batch.events {
            self.say(|| format!("  {}", serde_json::to_string(event).unwrap()));
        }
        self.journal.extend(batch.events);
        if batch.fate == CommitFate::DurableUnheard {
            self.crash("the disk did not say whether it took the batch");
            return;
        }
        self.process.gate = self.process.state.gate();
        if self.sabotage != Sabotage::AnswerBeforeCommit {
            if self.dies("between commit and answer") {
                return;
            }
            self.answer(&batch.answers);
        }
        if self.dies("between commit and send") {
            return;
        }
        self.perform(batch.commands);
    }

    /// Nothing of the batch has happened: alerts hear 503, everything else is decided again.
    fn commit_failed(&mut self, batch: Batch) {
        self.say(|| "the commit failed".to_owned());
        let journal = std::mem::take(&mut self.journal);
        self.process.load(&journal);
        self.journal = journal;
        for item in batch.work.into_iter().rev() {
            match item {
                // What was answered too early has no second answer.
                Work::Alert { .. } if self.sabotage == Sabotage::AnswerBeforeCommit => {}
                Work::Alert {
                    alert, delivery, ..
                } => {
                    let answer = Answer::Unavailable;
                    self.after(
                        1_000,
                        Step::Reply {
                            alert,
                            delivery,
                            answer,
                        },
                    );
                }
                Work::Other(_) => self.process.inbox.push_front(item),
            }
        }
    }

    fn answer(&mut self, answers: &[(usize, usize, Answer)]) {
        for (alert, delivery, answer) in answers {
            if self.random.chance(10) {
                continue;
            }
            let delay = self.random.between(500, 60_000);
            self.after(
                delay,
                Step::Reply {
                    alert: *alert,
                    delivery: *delivery,
                    answer: *answer,
                },
            );
        }
    }

    /// Whether the process dies at this very point.
    pub(super) fn dies(&mut self, place: &str) -> bool {
        let dies = self.storms() && self.random.chance(self.crashiness);
        if dies {
            self.crash(place);
        }
        dies
    }

    pub(super) fn crash(&mut self, why: &str) {
        if !self.process.up {
            return;
        }
        self.say(|| format!("CRASH {why}"));
        self.crashes += 1;
        self.process = Process::new(self.process.epoch + 1);
        let down = self.random.between(50_000, 6_000_000);
        self.after(down, Step::Restart);
    }

    pub(super) fn restart(&mut self) {
        if self.process.up {
            return;
        }
        self.say(|| "start".to_owned());
        let mut process = Process::new(self.process.epoch);
        process.load(&self.journal);
        process.up = true;
        process.gate = process.state.gate();
        process.fence_of_others = self.now + Self::FENCE_AFTER_START;
        for name in super::setting::STREAMS {
            // What happened in between comes by question, or once more from the beginning.
            let from = if self.random.chance(500) {
                0
            } else {
                self.broker.newest(name)
            };
            process.reports_read.insert(name.to_owned(), from);
            process.gaps_read.insert(name.to_owned(), from);
        }
        self.process = process;
        if self.sabotage != Sabotage::ForgetRestart {
            self.tell(Input::Started {
                version: "simulated".to_owned(),
            });
        }
    }
}
