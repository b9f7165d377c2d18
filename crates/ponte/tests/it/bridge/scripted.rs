//! A bridge that says what a test wants it to say: in the process of the test, or over HTTP.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ponte::bridge::protocol::{
    BridgeInfo, Command, CommandResult, Deal, Found, Outcome, PROTOCOL, Position, ResultId,
    SYNC_PATH, Step, SyncAnswer, SyncRequest, Task, TerminalState, TradeOrder, Want,
};
use ponte::bridge::{Hub, Refused};
use rust_decimal::Decimal;

/// Longest that a request of the script is held.
const HOLD_MILLISECONDS: u64 = 5000;
/// Requests without a command after which one is not waited for any longer.
const PATIENCE_REQUESTS: u32 = 10;

/// How a scripted bridge reaches Ponte.
enum Way {
    /// A call; the test's clock may stand still.
    Call(Arc<Hub>),
    /// Requests to this address.
    Http {
        client: reqwest::Client,
        base: String,
    },
}

/// A bridge with its terminal: the facts are fields, which a test changes before it tells them.
pub(crate) struct ScriptedBridge {
    way: Way,
    token: String,
    /// Who speaks.
    pub(crate) info: BridgeInfo,
    /// The session, once Ponte has named it.
    pub(crate) session: Option<String>,
    /// The terminal.
    pub(crate) state: TerminalState,
    /// Open positions.
    pub(crate) positions: Vec<Position>,
    /// Pending orders.
    pub(crate) orders: Vec<TradeOrder>,
    /// What the last answer said.
    pub(crate) last: Option<SyncAnswer>,
    /// What answers have asked for and nobody has told since.
    pub(crate) wishes: BTreeSet<Want>,
    /// Commands that were fetched and not yet given out by [`Self::command`].
    fetched: VecDeque<Command>,
}

/// Why a request had no answer: the status of HTTP, and the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl ScriptedBridge {
    /// A bridge that calls this hub.
    pub(crate) fn calling(hub: &Arc<Hub>, token: &str) -> Self {
        Self::new(Way::Call(hub.clone()), token)
    }

    /// A bridge that posts to this address (`https://127.0.0.1:8443`).
    pub(crate) fn posting(client: reqwest::Client, base: &str, token: &str) -> Self {
        let base = base.to_owned();
        Self::new(Way::Http { client, base }, token)
    }

    fn new(way: Way, token: &str) -> Self {
        Self {
            way,
            token: token.to_owned(),
            info: BridgeInfo {
                kind: "scripted".to_owned(),
                version: "1".to_owned(),
                journal: "00000000000000aa".to_owned(),
            },
            session: None,
            state: terminal(),
            positions: Vec::new(),
            orders: Vec::new(),
            last: None,
            wishes: BTreeSet::new(),
            fetched: VecDeque::new(),
        }
    }

    /// A request of the session that tells nothing and takes nothing.
    pub(crate) fn request(&self) -> SyncRequest {
        SyncRequest {
            protocol: PROTOCOL,
            bridge: self.info.clone(),
            session: self.session.clone(),
            sequence: 0,
            hold_ms: 0,
            take: false,
            state: None,
            results: Vec::new(),
            positions: None,
            orders: None,
            history: Vec::new(),
            deals: Vec::new(),
            symbols: Vec::new(),
            symbols_complete: false,
            ticks: Vec::new(),
        }
    }

    /// A request that tells the terminal, its positions and its orders as they are now.
    pub(crate) fn facts(&self) -> SyncRequest {
        SyncRequest {
            state: Some(self.state.clone()),
            positions: Some(self.positions.clone()),
            orders: Some(self.orders.clone()),
            ..self.request()
        }
    }

    /// Sends a request as it is. What it brings is kept; a session that is gone is forgotten.
    pub(crate) async fn send(&mut self, request: SyncRequest) -> Result<SyncAnswer, NoAnswer> {
        let answered = match &self.way {
            Way::Call(hub) => hub
                .sync(self.token.as_bytes(), request)
                .await
                .map_err(|refused| NoAnswer {
                    status: status_of(&refused),
                    text: refused.to_string(),
                }),
            Way::Http { client, base } => {
                let url = format!("{base}{SYNC_PATH}");
                let sent = client.post(url).bearer_auth(&self.token).json(&request);
                let answer = sent.send().await.unwrap();
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap();
                match status {
                    200 => Ok(serde_json::from_str(&text).unwrap()),
                    _ => Err(NoAnswer { status, text }),
                }
            }
        };
        match &answered {
            Ok(answer) => {
                self.session = Some(answer.session.clone());
                self.fetched.extend(answer.commands.clone());
                self.wishes.extend(answer.want.iter().copied());
                self.last = Some(answer.clone());
            }
            Err(error) if error.status == 410 => self.session = None,
            Err(_) => {}
        }
        answered
    }

    /// Says hello: a new session, with everything that is known.
    pub(crate) async fn hello(&mut self) -> SyncAnswer {
        self.session = None;
        self.send(self.facts()).await.unwrap()
    }

    /// Tells the facts as they are now, and these deals.
    pub(crate) async fn tell(&mut self, deals: Vec<Deal>) -> SyncAnswer {
        let request = SyncRequest {
            deals,
            ..self.facts()
        };
        self.send(request).await.unwrap()
    }

    /// Asks once for commands, and waits up to `hold_ms` for one.
    pub(crate) async fn poll(&mut self, hold_ms: u64) -> Vec<Command> {
        let request = SyncRequest {
            take: true,
            hold_ms,
            ..self.request()
        };
        self.send(request).await.unwrap();
        self.fetched.drain(..).collect()
    }

    /// Waits for the next command.
    pub(crate) async fn command(&mut self) -> Command {
        for _ in 0..PATIENCE_REQUESTS {
            if let Some(command) = self.fetched.pop_front() {
                return command;
            }
            let commands = self.poll(HOLD_MILLISECONDS).await;
            self.fetched.extend(commands);
        }
        panic!("no command came");
    }

    /// Tells the result of a command, together with the facts as they are now and these deals.
    pub(crate) async fn answer(&mut self, result: CommandResult, deals: Vec<Deal>) -> SyncAnswer {
        let request = SyncRequest {
            results: vec![result],
            deals,
            ..self.facts()
        };
        self.send(request).await.unwrap()
    }

    /// Answers a command with these steps.
    pub(crate) async fn done(&mut self, command: &Command, steps: Vec<Step>) -> SyncAnswer {
        self.answer(answered(command, steps), Vec::new()).await
    }
}

/// A result that the terminal has given.
pub(crate) fn answered(command: &Command, steps: Vec<Step>) -> CommandResult {
    CommandResult {
        steps,
        ..ended(command, Outcome::Answered)
    }
}

/// What a `find` has found.
pub(crate) fn found(command: &Command, found: Found) -> CommandResult {
    CommandResult {
        found: Some(found),
        ..ended(command, Outcome::Answered)
    }
}

/// A result without any step.
pub(crate) fn ended(command: &Command, outcome: Outcome) -> CommandResult {
    let (Task::Trade { order, .. } | Task::Change { order, .. } | Task::Find { order, .. }) =
        &command.task;
    CommandResult {
        id: ResultId {
            session: command.session.clone(),
            number: command.number,
        },
        order: order.clone(),
        outcome,
        steps: Vec::new(),
        found: None,
        why: String::new(),
    }
}

/// The trade server's answer to one request: a code without an order.
pub(crate) fn code(retcode: u32) -> Step {
    Step {
        answered: true,
        retcode,
        error: 0,
        order: 0,
        deal: 0,
        volume: Decimal::ZERO,
        price: Decimal::ZERO,
        comment: String::new(),
        retcode_external: 0,
    }
}

/// The trade server's answer to a request that was executed.
pub(crate) fn executed(order: u64, deal: u64, volume: Decimal, price: Decimal) -> Step {
    Step {
        order,
        deal,
        volume,
        price,
        ..code(10009)
    }
}

/// A demo account with netting, where everything is as it should be.
pub(crate) fn terminal() -> TerminalState {
    TerminalState {
        connected: true,
        trade_allowed: true,
        tradeapi_disabled: false,
        account_trade_allowed: true,
        account_trade_expert: true,
        login: 12_345_678,
        server: "Standin-Demo".to_owned(),
        company: "Stand-in".to_owned(),
        account_trade_mode: 0,
        margin_mode: 0,
        currency: "BRL".to_owned(),
        balance: Decimal::from(100_000),
        equity: Decimal::from(100_000),
        margin_free: Decimal::from(100_000),
        leverage: 100,
        build: 5000,
        ping_us: 20_000,
        server_time_ms: 0,
        time_ms: 0,
    }
}

fn status_of(refused: &Refused) -> u16 {
    match refused {
        Refused::NotUnderstood(_) => 400,
        Refused::WrongToken => 401,
        Refused::AnotherBridge { .. } => 409,
        Refused::UnknownSession => 410,
        Refused::TooLarge(_) => 413,
        Refused::OtherProtocol(_) => 426,
        Refused::Limited => 429,
        Refused::Broken => 500,
        Refused::Busy | Refused::Incomplete => 503,
    }
}
