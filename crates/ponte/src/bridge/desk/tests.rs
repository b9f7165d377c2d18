//! Any interleaving of commands, bridges, lost answers and impatience, held against a simple model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::protocol::Outcome;
use super::*;

const JOURNALS: [&str; 2] = ["00000000000000aa", "00000000000000bb"];

#[derive(Debug, Clone)]
enum Step {
    /// A task that may be begun within so many milliseconds.
    Enqueue(u64),
    /// A bridge begins a session, and tells the results of so many of the commands that it knows.
    Hello { bridge: usize, results: usize },
    /// A bridge asks for commands in its session. The answer may be lost on its way.
    Poll { bridge: usize, lost: bool },
    /// A bridge asks, and its answer is held.
    Hold { bridge: usize },
    /// Whatever is held may be answered.
    Ring,
    /// A bridge tells a result of what it knows.
    Tell { bridge: usize, command: usize },
    /// Somebody's time in the queue is over.
    Withdraw(usize),
    /// Somebody waits no longer.
    GiveUp(usize),
    /// So many milliseconds pass.
    Pass(u64),
    /// Ponte ends.
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let bridge = 0..JOURNALS.len();
    prop_oneof![
        6 => (0..20_000_u64).prop_map(Step::Enqueue),
        2 => (bridge.clone(), 0..4_usize).prop_map(|(bridge, results)| Step::Hello { bridge, results }),
        5 => (bridge.clone(), any::<bool>()).prop_map(|(bridge, lost)| Step::Poll { bridge, lost }),
        3 => bridge.clone().prop_map(|bridge| Step::Hold { bridge }),
        4 => Just(Step::Ring),
        4 => (bridge, any::<usize>()).prop_map(|(bridge, command)| Step::Tell { bridge, command }),
        2 => any::<usize>().prop_map(Step::Withdraw),
        2 => any::<usize>().prop_map(Step::GiveUp),
        5 => (0..9000_u64).prop_map(Step::Pass),
        1 => Just(Step::Close),
    ]
}

/// What the model knows of one task.
struct Known {
    ticket: Ticket,
    receiver: oneshot::Receiver<Ran>,
    expires_at: Instant,
    /// How it was handed over.
    handed: Option<ResultId>,
    /// It was said that no bridge has it and none will.
    never: bool,
    /// It has an end; the others don't come any more.
    ended: bool,
}

#[derive(Default)]
struct Bridge {
    session: Option<String>,
    /// What it has received, with the order of each.
    commands: Vec<(ResultId, String)>,
}

struct World {
    desk: Desk,
    now: Instant,
    sessions: u64,
    tasks: Vec<Known>,
    bridges: [Bridge; 2],
    held: Vec<(usize, Asking)>,
    /// The highest number of each session.
    numbers: BTreeMap<String, u64>,
}

impl World {
    fn new() -> Self {
        Self {
            desk: Desk::new(),
            now: crate::clock::instant(),
            sessions: 0,
            tasks: Vec::new(),
            bridges: Default::default(),
            held: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Enqueue(valid) => self.enqueue(Duration::from_millis(*valid)),
            Step::Hello { bridge, results } => {
                let results = self.results(*bridge, *results);
                self.ask(*bridge, None, results, false);
            }
            Step::Poll { bridge, lost } => {
                let session = self.bridges[*bridge].session.clone();
                if session.is_some()
                    && let Some(asking) = self.ask(*bridge, session, Vec::new(), true)
                {
                    self.answer(*bridge, &asking, true, *lost);
                }
            }
            Step::Hold { bridge } => {
                let session = self.bridges[*bridge].session.clone();
                if session.is_some()
                    && let Some(asking) = self.ask(*bridge, session, Vec::new(), true)
                {
                    self.held.push((*bridge, asking));
                }
            }
            Step::Ring => {
                for (bridge, asking) in std::mem::take(&mut self.held) {
                    if self.answer(bridge, &asking, false, false) {
                        self.held.push((bridge, asking));
                    }
                }
            }
            Step::Tell { bridge, command } => {
                let session = self.bridges[*bridge].session.clone();
                let count = self.bridges[*bridge].commands.len();
                if session.is_some() && count > 0 {
                    let known = self.bridges[*bridge].commands[*command % count].clone();
                    self.ask(*bridge, session, vec![result(&known)], false);
                }
            }
            Step::Withdraw(task) => self.withdraw(*task),
            Step::GiveUp(task) => self.give_up(*task),
            Step::Pass(span) => self.now += Duration::from_millis(*span),
            Step::Close => self.desk.close(),
        }
        self.look();
    }

    fn enqueue(&mut self, valid: Duration) {
        let (reply, receiver) = oneshot::channel();
        let order = self.tasks.len().to_string();
        let task = Task::Find {
            order,
            magic: 1,
            comment: String::new(),
            history_hours: 1,
        };
        if let Ok(ticket) = self.desk.enqueue(task, valid, reply, self.now) {
            self.tasks.push(Known {
                ticket,
                receiver,
                expires_at: self.now + valid,
                handed: None,
                never: false,
                ended: false,
            });
        }
    }

    fn results(&self, bridge: usize, count: usize) -> Vec<CommandResult> {
        let commands = self.bridges[bridge].commands.iter().rev().take(count);
        commands.map(result).collect()
    }

    /// What the line does with a request, before it is answered.
    fn ask(
        &mut self,
        bridge: usize,
        session: Option<String>,
        results: Vec<CommandResult>,
        take: bool,
    ) -> Option<Asking> {
        let is_hello = session.is_none();
        let request = request(bridge, session, results, take);
        self.sessions += 1;
        let fresh = format!("s{}", self.sessions);
        let hearing = match self.desk.hear(&request, || fresh, self.now) {
            Ok(hearing) => hearing,
            Err(refused) => {
                if refused == Refused::UnknownSession {
                    self.bridges[bridge].session = None;
                }
                return None;
            }
        };
        assert_eq!(hearing.began.is_some(), is_hello);
        self.desk.keep(&request, self.now);
        let seen = self.desk.settle(&request.results);
        assert!(
            seen.iter()
                .eq(request.results.iter().map(|result| &result.id))
        );
        self.bridges[bridge].session = Some(hearing.session.clone());
        Some(Asking {
            session: hearing.session,
            taker: take.then(|| self.desk.next_taker()).flatten(),
            received_at: self.now,
            results_seen: seen,
            at_once: is_hello || !take,
        })
    }

    /// Answers a request, and says whether it still waits.
    fn answer(&mut self, bridge: usize, asking: &Asking, at_last: bool, lost: bool) -> bool {
        let answer = match self.desk.answer(asking, at_last, self.now, 0) {
            Verdict::Now(answer) => answer,
            Verdict::Wait => {
                assert!(!at_last);
                return true;
            }
            Verdict::Gone => return false,
        };
        for command in answer.commands {
            let order = order_of(&command.task).to_owned();
            let task = &mut self.tasks[order.parse::<usize>().unwrap()];
            let id = ResultId {
                session: command.session.clone(),
                number: command.number,
            };
            assert_eq!(command.session, asking.session);
            assert!(task.handed.is_none(), "handed over twice");
            assert!(
                !task.never,
                "handed over after it was said that it never will be"
            );
            let last = self.numbers.insert(command.session, command.number);
            assert!(last < Some(command.number), "numbers don't grow");
            let valid = Duration::from_millis(command.valid_ms);
            assert!(
                asking.received_at + valid <= task.expires_at,
                "valid for too long"
            );
            assert!(self.now <= task.expires_at, "handed over too late");
            task.handed = Some(id.clone());
            if !lost {
                self.bridges[bridge].commands.push((id, order));
            }
        }
        false
    }

    fn withdraw(&mut self, task: usize) {
        let count = self.tasks.len();
        if count == 0 {
            return;
        }
        let task = &mut self.tasks[task % count];
        if self.desk.withdraw(task.ticket) {
            assert!(task.handed.is_none() && !task.ended);
            task.never = true;
            task.ended = true;
        }
    }

    fn give_up(&mut self, task: usize) {
        let count = self.tasks.len();
        if count == 0 {
            return;
        }
        self.look();
        let task = &mut self.tasks[task % count];
        match self.desk.give_up(task.ticket) {
            GivenUp::Queued => {
                assert!(task.handed.is_none() && !task.ended);
                task.never = true;
            }
            GivenUp::Handed(_) => assert!(task.handed.is_some() && !task.ended),
            GivenUp::Resolved => assert!(task.ended),
        }
        task.ended = true;
    }

    /// Whoever waits may have been told something.
    fn look(&mut self) {
        for task in &mut self.tasks {
            let Ok(ran) = task.receiver.try_recv() else {
                continue;
            };
            assert!(!task.ended, "a second end");
            task.ended = true;
            match ran {
                Ran::Answered(result) => assert_eq!(task.handed.as_ref(), Some(&result.id)),
                Ran::NoResult { .. } => assert!(task.handed.is_some(), "no bridge has it"),
                Ran::NotHandedOver(_) => {
                    assert!(task.handed.is_none(), "a bridge has it");
                    task.never = true;
                }
            }
        }
    }
}

fn result((id, order): &(ResultId, String)) -> CommandResult {
    CommandResult {
        id: id.clone(),
        order: order.clone(),
        outcome: Outcome::Answered,
        steps: Vec::new(),
        found: None,
        why: String::new(),
    }
}

fn request(
    bridge: usize,
    session: Option<String>,
    results: Vec<CommandResult>,
    take: bool,
) -> SyncRequest {
    SyncRequest {
        protocol: PROTOCOL,
        bridge: BridgeInfo {
            kind: "model".to_owned(),
            version: "1".to_owned(),
            journal: JOURNALS[bridge].to_owned(),
        },
        session,
        sequence: 0,
        hold_ms: 0,
        take,
        state: Some(terminal()),
        results,
        positions: Some(Vec::new()),
        orders: Some(Vec::new()),
        history: Vec::new(),
        deals: Vec::new(),
        symbols: Vec::new(),
        symbols_complete: false,
        ticks: Vec::new(),
    }
}

fn terminal() -> TerminalState {
    TerminalState {
        connected: true,
        trade_allowed: true,
        tradeapi_disabled: false,
        account_trade_allowed: true,
        account_trade_expert: true,
        login: 1,
        server: "Demo".to_owned(),
        company: String::new(),
        account_trade_mode: 0,
        margin_mode: 0,
        currency: "BRL".to_owned(),
        balance: Decimal::ONE,
        equity: Decimal::ONE,
        margin_free: Decimal::ONE,
        leverage: 1,
        build: 1,
        ping_us: 0,
        server_time_ms: 0,
        time_ms: 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_command_has_one_bridge_at_most_and_one_end(steps in proptest::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        // At the end everybody has an answer, or a bridge has the task.
        world.take(&Step::Close);
        for task in &world.tasks {
            assert!(task.ended || task.handed.is_some(), "a task is nowhere");
        }
    }
}

#[test]
fn the_steps_lead_to_every_end() {
    let mut world = World::new();
    let hello = |bridge| Step::Hello { bridge, results: 4 };
    let poll = |bridge| Step::Poll {
        bridge,
        lost: false,
    };
    let steps = [
        hello(0),
        Step::Enqueue(5000),
        poll(0),
        Step::Tell {
            bridge: 0,
            command: 0,
        },
        Step::Enqueue(5000),
        Step::Poll {
            bridge: 0,
            lost: true,
        },
        Step::Enqueue(1),
        Step::Pass(16_000),
        hello(1),
        poll(1),
    ];
    for step in &steps {
        world.take(step);
    }
    let ends: Vec<_> = world
        .tasks
        .iter()
        .map(|task| (task.handed.is_some(), task.never))
        .collect();
    assert_eq!(ends, [(true, false), (true, false), (false, true)]);
    assert!(world.tasks.iter().all(|task| task.ended));
}

#[test]
fn no_more_commands_wait_than_there_is_room_for() {
    let mut desk = Desk::new();
    let now = crate::clock::instant();
    let mut receivers = Vec::new();
    let mut enqueue = |order: usize| {
        let (reply, receiver) = oneshot::channel();
        receivers.push(receiver);
        let task = Task::Find {
            order: order.to_string(),
            magic: 1,
            comment: String::new(),
            history_hours: 1,
        };
        desk.enqueue(task, Duration::from_secs(60), reply, now)
    };
    assert!((0..QUEUE_MAX).all(|order| enqueue(order).is_ok()));
    let why = enqueue(QUEUE_MAX).unwrap_err();
    assert_eq!(why, "1000 commands wait for the bridge, the maximum");
}
