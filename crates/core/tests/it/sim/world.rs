//! The scheduler: one queue of moments, one thread, one seed.

use std::collections::BTreeMap;

use ponte_core::message::{Event, Input, OperatorAction, OperatorRequest};
use ponte_core::policy::Policy;
use ponte_core::time::Timestamp;

use super::Sabotage;
use super::auditor::Evidence;
use super::broker::{Broker, Request, Response};
use super::execution::Sent;
use super::process::Process;
use super::random::Random;
use super::sender::{self, Answer, Delivery, PATIENCE, RESEND_AFTER, RESENDS_MAX, SentAlert};
use super::setting::{self, SYMBOLS};

const START: i64 = 1_800_000_000_000_000;
/// The storm lasts so long,
const STORM: i64 = 60_000_000;
/// the market moves on for so long,
const MARKET: i64 = 90_000_000;
/// and then everything has so long to come to rest.
const END: i64 = 260_000_000;
/// The process's clock is wrong by so much at most; the window of repeats allows for no more.
const CLOCK_ERROR_MAX: i64 = 8_000_000;

/// What can happen next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Compose,
    /// A request of TradingView reaches the process.
    Arrive {
        alert: usize,
        delivery: usize,
    },
    /// An answer reaches TradingView.
    Reply {
        alert: usize,
        delivery: usize,
        answer: Answer,
    },
    Resend {
        alert: usize,
    },
    Impatient {
        alert: usize,
        delivery: usize,
    },
    Ask(OperatorRequest),
    Tick,
    CommitDone {
        epoch: u64,
    },
    /// A request reaches the venue.
    Wire {
        epoch: u64,
        call: u64,
        request: Request,
    },
    /// An answer of the venue reaches the process.
    Answered {
        epoch: u64,
        call: u64,
        response: Response,
    },
    GiveUp {
        epoch: u64,
        call: u64,
    },
    Poll,
    ReadGap,
    /// Reports reach the process.
    Heard {
        epoch: u64,
        inputs: Vec<Input>,
    },
    Walk,
    NewDay,
    Crash,
    Restart,
    SetClock,
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) now: i64,
    pub(super) sabotage: Sabotage,
    pub(super) policy: Policy,
    queue: BTreeMap<(i64, u64), Step>,
    pub(super) alerts: Vec<SentAlert>,
    pub(super) process: Process,
    pub(super) broker: Broker,
    /// The disk: what a crash leaves.
    pub(super) journal: Vec<(Timestamp, Event)>,
    /// Every order as it left the process.
    pub(super) wire: Vec<Sent>,
    pub(super) clock_error: i64,
    pub(super) crashes: usize,
    pub(super) crashiness: u64,
    trace: bool,
}

impl World {
    pub(super) fn new(seed: u64, sabotage: Sabotage, trace: bool) -> Self {
        let mut random = Random::new(seed);
        let broker = Broker::new(&mut random, START);
        let crashiness = random.pick(&[0, 2, 10, 30]);
        Self {
            random,
            now: START,
            sabotage,
            policy: setting::policy(),
            queue: BTreeMap::new(),
            alerts: Vec::new(),
            process: Process::new(0),
            broker,
            journal: Vec::new(),
            wire: Vec::new(),
            clock_error: 0,
            crashes: 0,
            crashiness,
            trace,
        }
    }

    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            let micros = self.now - START;
            println!(
                "{:>4}.{:06} {}",
                micros / 1_000_000,
                micros % 1_000_000,
                what()
            );
        }
    }

    /// Things that happen at the same moment happen in an order that the seed decides.
    pub(super) fn after(&mut self, span: i64, step: Step) {
        let mut key = (self.now + span, self.random.next());
        while self.queue.contains_key(&key) {
            key.1 = self.random.next();
        }
        self.queue.insert(key, step);
    }

    pub(super) const fn storms(&self) -> bool {
        self.now < START + STORM
    }

    /// The process's clock.
    pub(super) const fn clock(&self) -> Timestamp {
        Timestamp(self.now + self.clock_error)
    }

    pub(super) fn run(&mut self) {
        self.schedule();
        while let Some(((at, _), step)) = self.queue.pop_first() {
            if at > START + END {
                break;
            }
            self.now = at;
            self.step(step);
            self.work();
        }
        if !self.process.up {
            self.restart();
        }
    }

    fn schedule(&mut self) {
        let mut at = 0;
        for _ in 0..self.random.between(10, 40) {
            // Many alerts come in the same moment: that is how bars close.
            if self.random.chance(600) {
                at = self.random.between(0, STORM - 1_000_000);
            }
            self.after(at, Step::Compose);
        }
        for _ in 0..self.random.between(0, 6) {
            let at = self.random.between(0, STORM - 1);
            let request = sender::request(&mut self.random);
            self.after(at, Step::Ask(request));
        }
        if self.crashiness > 0 {
            for _ in 0..self.random.between(0, 4) {
                let at = self.random.between(0, STORM - 1);
                self.after(at, Step::Crash);
            }
        }
        if self.random.chance(500) {
            for _ in 0..self.random.between(1, 6) {
                let at = self.random.between(0, STORM - 1);
                self.after(at, Step::SetClock);
            }
        }
        for _ in 0..self.random.between(0, 2) {
            let at = self.random.between(0, MARKET - 1);
            self.after(at, Step::NewDay);
        }
        self.after(0, Step::Restart);
        self.after(1, Step::Tick);
        self.after(2, Step::Poll);
        self.after(3, Step::Walk);
        self.after(5_000_000, Step::ReadGap);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Compose => self.compose(),
            Step::Arrive { alert, delivery } => self.arrive(alert, delivery),
            Step::Reply {
                alert,
                delivery,
                answer,
            } => self.reply(alert, delivery, answer),
            Step::Resend { alert } => self.send(alert),
            Step::Impatient { alert, delivery } => {
                self.alerts[alert].deliveries[delivery].listening = false;
            }
            Step::Ask(request) => {
                if self.process.up {
                    let request = self.aimed(request);
                    self.say(|| format!("operator {request:?}"));
                    self.tell(Input::Operator(request));
                }
            }
            Step::Tick => {
                if self.process.up {
                    self.tell(Input::Tick);
                }
                let pause = if self.storms() { 250_000 } else { 1_000_000 };
                self.after(pause, Step::Tick);
            }
            Step::CommitDone { epoch } => self.commit_done(epoch),
            Step::Wire {
                epoch,
                call,
                request,
            } => self.wire(epoch, call, request),
            Step::Answered {
                epoch,
                call,
                response,
            } => self.answered(epoch, call, response),
            Step::GiveUp { epoch, call } => self.give_up(epoch, call),
            Step::Poll => self.poll(),
            Step::ReadGap => self.read_gap(),
            Step::Heard { epoch, inputs } => {
                if self.process.is(epoch) {
                    for input in inputs {
                        self.tell(input);
                    }
                }
            }
            Step::Walk => {
                if self.storms() {
                    self.broker.walk(&mut self.random, self.now);
                } else {
                    self.broker.calm();
                    self.broker.walk(&mut self.random, self.now);
                }
                if self.now < START + MARKET {
                    let pause = self.random.between(200_000, 2_000_000);
                    self.after(pause, Step::Walk);
                }
            }
            Step::NewDay => {
                self.say(|| "positions lose their levels".to_owned());
                self.broker.levels.new_day();
            }
            Step::Crash => self.crash("as planned"),
            Step::Restart => self.restart(),
            Step::SetClock => {
                self.clock_error = self.random.between(-CLOCK_ERROR_MAX, CLOCK_ERROR_MAX);
                self.say(|| format!("the clock is wrong by {} µs", self.clock_error));
            }
        }
    }

    /// People lift halts that are there, mostly.
    fn aimed(&mut self, mut request: OperatorRequest) -> OperatorRequest {
        if let OperatorAction::Resume { scope } = &mut request.action
            && !self.process.state.halts.is_empty()
            && self.random.chance(800)
        {
            let index = self
                .random
                .between(0, self.process.state.halts.len() as i64 - 1);
            *scope = self.process.state.halts[index as usize].scope.clone();
        }
        request
    }

    fn compose(&mut self) {
        let name = self.random.pick(&SYMBOLS);
        let last = self.broker.prices[name];
        let number = self.alerts.len();
        let signal = sender::compose(&mut self.random, number, self.now, last, name);
        self.say(|| {
            format!(
                "alert {number}: {} {} {:?} at {last}",
                signal.strategy, name, signal.intent
            )
        });
        self.alerts.push(SentAlert {
            signal,
            deliveries: Vec::new(),
        });
        self.send(number);
        if self.random.chance(50) {
            self.send(number);
        }
    }

    /// Sends an alert; it may be lost on the way.
    fn send(&mut self, alert: usize) {
        let deliveries = &mut self.alerts[alert].deliveries;
        let delivery = deliveries.len();
        deliveries.push(Delivery {
            answer: None,
            listening: true,
        });
        self.after(PATIENCE, Step::Impatient { alert, delivery });
        if self.random.chance(10) {
            return;
        }
        let delay = self.random.between(1_000, 60_000);
        self.after(delay, Step::Arrive { alert, delivery });
    }

    fn reply(&mut self, alert: usize, delivery: usize, answer: Answer) {
        let sent = &mut self.alerts[alert];
        if !sent.deliveries[delivery].listening {
            return;
        }
        sent.deliveries[delivery].listening = false;
        sent.deliveries[delivery].answer = Some(answer);
        let again = answer == Answer::Unavailable && sent.deliveries.len() <= RESENDS_MAX;
        self.say(|| format!("alert {alert} is answered {answer:?}"));
        if again {
            self.after(RESEND_AFTER, Step::Resend { alert });
        }
    }

    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            alerts: &self.alerts,
            journal: &self.journal,
            wire: &self.wire,
            broker: &self.broker,
            state: &self.process.state,
            crashes: self.crashes,
        }
    }
}
