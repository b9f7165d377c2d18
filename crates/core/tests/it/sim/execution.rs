//! Execution: lanes with exits first, the gate before each order, and the wire to the venue.

use std::collections::VecDeque;

use ponte_core::id::ClientOrderId;
use ponte_core::message::{CancelAnswer, Command, Fate, FindAnswer, Input, NotSent};
use ponte_core::order::{Lane, OrderPlan};
use ponte_core::time::Timestamp;

use super::Sabotage;
use super::broker::{Handled, LAG_MAX, Request, Response};
use super::setting::STREAMS;
use super::world::{Step, World};

/// How long the venue may still accept an order after it was sent, by the venue's clock.
const WINDOW: i64 = 4_000_000;
/// How long an answer is waited for.
const TIME_OUT: i64 = 2_000_000;
/// The process knows the venue's clock so well.
const VENUE_CLOCK_ERROR_MAX: i64 = 200_000;

/// The orders of one account and symbol that wait to be sent, and the one that is on the wire.
#[derive(Default)]
pub(super) struct LaneQueue {
    waiting: VecDeque<OrderPlan>,
    busy: bool,
}

/// A question to the venue whose answer is awaited.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Submit {
        plan: Box<OrderPlan>,
        sent_at: Timestamp,
    },
    Find {
        id: ClientOrderId,
    },
    Cancel {
        id: ClientOrderId,
    },
}

/// An order as it left the process: what the auditor reads from the wire.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) plan: OrderPlan,
    /// By the process's clock.
    pub(super) at: Timestamp,
    /// How many events were durable then.
    pub(super) journal: usize,
}

impl World {
    /// No order of an earlier process can be accepted, or unseen, after this.
    pub(super) const FENCE_AFTER_START: i64 = WINDOW + 2 * VENUE_CLOCK_ERROR_MAX + LAG_MAX;

    pub(super) fn perform(&mut self, commands: Vec<Command>) {
        for command in commands {
            if self.dies("between two commands") {
                return;
            }
            match command {
                Command::Submit(plan) => {
                    let lane = plan.lane();
                    let queue = self.process.lanes.entry(lane.clone()).or_default();
                    queue.waiting.push_back(*plan);
                    self.pump(&lane);
                }
                Command::Find(plan) => {
                    self.call(Call::Find { id: plan.id }, Request::Find { plan });
                }
                Command::Cancel(plan) => {
                    let id = plan.id;
                    if self.sabotage == Sabotage::ForgetCancel {
                        continue;
                    }
                    let request = Request::Cancel {
                        account: plan.account,
                        id,
                    };
                    self.call(Call::Cancel { id }, request);
                }
                Command::Notify(_) => {}
            }
        }
    }

    /// Sends the next order of a lane: exits first, one at a time, each past the gate.
    fn pump(&mut self, lane: &Lane) {
        loop {
            let Some(queue) = self.process.lanes.get_mut(lane) else {
                return;
            };
            if queue.busy {
                return;
            }
            let first =
                (0..queue.waiting.len()).min_by_key(|index| (queue.waiting[*index].class, *index));
            let Some(plan) = first.and_then(|index| queue.waiting.remove(index)) else {
                return;
            };
            let now = self.clock();
            let mut verdict = self.process.gate.check(&plan, now);
            if self.sabotage == Sabotage::ForgetGate {
                verdict = Ok(());
            }
            if verdict.is_ok() && self.storms() && self.random.chance(40) {
                verdict = Err(NotSent::Unreachable("connection refused".to_owned()));
            }
            match verdict {
                Ok(()) => self.submit(lane, plan),
                Err(why) => {
                    self.say(|| format!("not sent {}: {why}", plan.id));
                    self.submitted(plan.id, Fate::NotSent { why }, now);
                }
            }
        }
    }

    fn submit(&mut self, lane: &Lane, plan: OrderPlan) {
        let now = self.clock();
        self.process.lanes.get_mut(lane).unwrap().busy = true;
        self.wire.push(Sent {
            plan: plan.clone(),
            at: now,
            journal: self.journal.len(),
        });
        let call = Call::Submit {
            plan: Box::new(plan),
            sent_at: now,
        };
        self.send_order(call);
    }

    fn send_order(&mut self, call: Call) {
        let Call::Submit { plan, .. } = &call else {
            return;
        };
        let error = self
            .random
            .between(-VENUE_CLOCK_ERROR_MAX, VENUE_CLOCK_ERROR_MAX);
        let valid_until = self.now + error + WINDOW;
        self.process.fences.insert(plan.id, valid_until + LAG_MAX);
        self.say(|| {
            format!(
                "send {} {:?} {} {} {} {:?}",
                plan.id,
                plan.class,
                plan.side.as_str(),
                plan.quantity,
                plan.symbol,
                plan.kind
            )
        });
        let request = Request::Place {
            plan: plan.clone(),
            valid_until,
        };
        self.call(call, request);
    }

    fn call(&mut self, call: Call, request: Request) {
        let epoch = self.process.epoch;
        let number = self.process.next_call;
        self.process.next_call += 1;
        self.process.calls.insert(number, call);
        self.after(
            TIME_OUT,
            Step::GiveUp {
                epoch,
                call: number,
            },
        );
        let copies = if self.storms() && self.random.chance(20) {
            0
        } else if self.storms() && self.broker.duplicates_requests && self.random.chance(30) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay = self.network();
            self.after(
                delay,
                Step::Wire {
                    epoch,
                    call: number,
                    request: request.clone(),
                },
            );
        }
    }

    fn network(&mut self) -> i64 {
        if self.storms() && self.random.chance(20) {
            self.random.between(500_000, 6_000_000)
        } else {
            self.random.between(1_000, 80_000)
        }
    }

    /// A request is at the venue, whether or not the one who sent it still lives.
    pub(super) fn wire(&mut self, epoch: u64, call: u64, request: Request) {
        let lag = if self.storms() && self.random.chance(300) {
            self.random.between(0, LAG_MAX)
        } else {
            0
        };
        match self.broker.handle(&request, self.now, lag) {
            Handled::Later(span) => self.after(
                span,
                Step::Wire {
                    epoch,
                    call,
                    request,
                },
            ),
            Handled::Answered(response) => {
                self.say(|| format!("venue: {response:?}"));
                if self.storms() && self.random.chance(20) {
                    return;
                }
                let delay = self.network();
                self.after(
                    delay,
                    Step::Answered {
                        epoch,
                        call,
                        response,
                    },
                );
            }
        }
    }

    pub(super) fn give_up(&mut self, epoch: u64, call: u64) {
        let why = "no answer in time".to_owned();
        self.answered(epoch, call, Response::Broken(why));
    }

    pub(super) fn answered(&mut self, epoch: u64, call: u64, response: Response) {
        if !self.process.is(epoch) {
            return;
        }
        let Some(asked) = self.process.calls.remove(&call) else {
            return;
        };
        match asked {
            Call::Submit { plan, sent_at } => self.submit_answered(*plan, sent_at, response),
            Call::Find { id } => {
                let answer = self.find_answer(id, response);
                self.tell(Input::Found { id, answer });
            }
            Call::Cancel { id } => {
                let answer = match response {
                    Response::Cancelled(report) => CancelAnswer::Done(report),
                    Response::NotOpen => CancelAnswer::NotOpen,
                    Response::Placed(_)
                    | Response::Found(..)
                    | Response::Rejected(_)
                    | Response::NotTaken(_)
                    | Response::Broken(_) => CancelAnswer::Unanswered("broken".to_owned()),
                };
                self.tell(Input::CancelAnswered { id, answer });
            }
        }
    }

    fn submit_answered(&mut self, plan: OrderPlan, sent_at: Timestamp, response: Response) {
        let fate = match response {
            Response::Placed(report) => Fate::Acknowledged { report },
            Response::Rejected(reason) => Fate::Rejected { reason },
            Response::Found(..)
            | Response::Cancelled(_)
            | Response::NotOpen
            | Response::Broken(_)
                if self.sabotage == Sabotage::BlindResend =>
            {
                let plan = Box::new(plan);
                self.send_order(Call::Submit { plan, sent_at });
                return;
            }
            Response::Found(..) | Response::Cancelled(_) | Response::NotOpen => Fate::Unknown {
                why: "an answer to something else".to_owned(),
            },
            Response::NotTaken(why) => Fate::NotSent {
                why: NotSent::Unreachable(why),
            },
            Response::Broken(why) => Fate::Unknown { why },
        };
        let lane = plan.lane();
        self.process.lanes.get_mut(&lane).unwrap().busy = false;
        self.submitted(plan.id, fate, sent_at);
        self.pump(&lane);
    }

    fn submitted(&mut self, id: ClientOrderId, fate: Fate, sent_at: Timestamp) {
        let answered_at = self.clock();
        self.tell(Input::Submitted {
            id,
            fate,
            sent_at,
            answered_at,
        });
    }

    /// "Absent" is believed only past the order's time fence.
    fn find_answer(&self, id: ClientOrderId, response: Response) -> FindAnswer {
        let fence = self.process.fences.get(&id).copied();
        let fence = fence.unwrap_or(self.process.fence_of_others);
        match response {
            Response::Found(Some(report), _) => FindAnswer::Found(report),
            Response::Found(None, at) if at > fence => FindAnswer::Absent,
            _ if self.sabotage == Sabotage::FailedFindIsAbsent => FindAnswer::Absent,
            Response::Found(None, _) => FindAnswer::Unanswered("before its time fence".to_owned()),
            Response::Placed(_)
            | Response::Rejected(_)
            | Response::Cancelled(_)
            | Response::NotOpen
            | Response::NotTaken(_)
            | Response::Broken(_) => FindAnswer::Unanswered("broken".to_owned()),
        }
    }

    /// The stream of reports, with all that can go wrong with it.
    pub(super) fn poll(&mut self) {
        if self.process.up {
            for name in STREAMS {
                let after = self.process.reports_read[name];
                let (reports, newest) = self.broker.stream(name, after, self.now);
                self.process.reports_read.insert(name.to_owned(), newest);
                self.hear(name, reports);
            }
        }
        let pause = if self.storms() { 150_000 } else { 1_000_000 };
        self.after(pause, Step::Poll);
    }

    /// The reading of the gap that a stream's reader makes when numbers are missing.
    pub(super) fn read_gap(&mut self) {
        if self.process.up {
            for name in STREAMS {
                let from = self.process.gaps_read[name];
                let newest = self.broker.newest(name);
                let reports = self.broker.gap(name, from);
                self.process.gaps_read.insert(name.to_owned(), newest);
                self.hear(name, reports);
            }
        }
        self.after(20_000_000, Step::ReadGap);
    }

    fn hear(&mut self, name: &str, reports: Vec<ponte_core::message::OrderReport>) {
        if reports.is_empty() {
            return;
        }
        let epoch = self.process.epoch;
        // An account can have several streams.
        let name = name.split(' ').next().unwrap_or(name);
        let inputs = reports
            .into_iter()
            .map(|report| Input::Reported {
                account: super::setting::account(name),
                report,
            })
            .collect();
        let delay = self.network();
        self.after(delay, Step::Heard { epoch, inputs });
    }
}
