//! A whole Ponte on loopback with one account in a terminal, and a terminal that does as it is told.

use std::future::Future;
use std::time::Duration;

use ponte::app::{Served, serve};
use ponte::bridge::protocol::{
    Command, Deal, Found, Position, Step, SymbolInfo, SyncRequest, Task, Tick, TradeRequest, Want,
};
use ponte::config::Loaded;
use reqwest::{Client, StatusCode};
use rust_decimal::Decimal;
use serde_json::Value;
use tempfile::TempDir;

use crate::bridge::scripted::{self, ScriptedBridge};

pub(super) const SECRET: &str = "a-secret-for-the-terminals-tests";
pub(crate) const TOKEN: &str = "CANARY-TOKEN-0000000000000000000000000000000001";
/// How long the terminal waits for a command at a time.
const HOLD_MILLISECONDS: u64 = 100;
/// Longest wait for something that must happen, in turns of the terminal.
const TURNS_MAX: u32 = 600;
/// Another thread may be about to act.
const PAUSE: Duration = Duration::from_millis(10);

/// A Ponte, its owner, and the terminal that its account trades in.
pub(super) struct Desk {
    pub(super) folder: TempDir,
    pub(super) served: Served,
    pub(super) client: Client,
    pub(super) terminal: Terminal,
}

/// A terminal with a netting account: it fills market orders at once.
pub(crate) struct Terminal {
    pub(crate) bridge: ScriptedBridge,
    /// Market Watch, with the price of each.
    pub(super) symbols: Vec<(SymbolInfo, Decimal)>,
    /// Everything that was asked of it, oldest first.
    pub(super) asked: Vec<Task>,
    ticket: u64,
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The mini index as a Brazilian terminal lists it.
pub(super) fn mini_index(name: &str) -> SymbolInfo {
    serde_json::from_value(serde_json::json!({
        "name": name, "digits": 0, "point": "1", "tick_size": "5", "tick_value": "1",
        "contract_size": "1", "volume_min": "1", "volume_max": "100", "volume_step": "1",
        "trade_mode": 4, "execution_mode": 3, "filling_mode": 3, "order_mode": 63,
        "expiration_mode": 3, "currency_profit": "BRL"
    }))
    .unwrap()
}

pub(super) fn configuration(rest: &str) -> String {
    format!(
        r#"
        data_dir = "data"
        [webhook]
        listen = "127.0.0.1:0"
        allow_from = ["loopback"]
        [admin]
        listen = "127.0.0.1:0"
        [bridge]
        listen = "127.0.0.1:0"
        [[sources]]
        name = "main"
        secret = "env:SECRET"
        [[accounts]]
        name = "b3"
        broker = "mt5"
        mode = "demo"
        currency = "BRL"
        [accounts.mt5]
        login = 12345678
        server = "Standin-Demo"
        token = "env:TOKEN"
        {rest}
        [[routes]]
        strategies = ["*"]
        accounts = ["b3"]
        "#
    )
}

pub(super) fn loaded(folder: &TempDir, text: &str) -> Loaded {
    let file = folder.path().join("ponte.toml");
    std::fs::write(&file, text).unwrap();
    let variable = |name: &str| Some(if name == "TOKEN" { TOKEN } else { SECRET }.into());
    ponte::config::load_with(&file, &variable).unwrap_or_else(|errors| panic!("{errors}"))
}

impl Desk {
    /// A Ponte that runs; its terminal has not called yet.
    pub(super) async fn new(rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let served = serve(loaded(&folder, &configuration(rest))).await.unwrap();
        let client = ponte::tls::http_client().build().unwrap();
        let base = format!("http://{}", served.bridge.unwrap());
        Self {
            terminal: Terminal::posting(client.clone(), &base, TOKEN),
            folder,
            served,
            client,
        }
    }

    /// The terminal's bridge says hello, and Ponte learns its symbols and its money.
    pub(super) async fn connect(&mut self) {
        self.terminal.bridge.hello().await;
        self.until("/api/status", |status| {
            status["accounts"][0]["balance"].is_object()
        })
        .await;
        self.until("/api/doctor", |found| {
            let findings = found[0]["findings"].as_array().unwrap();
            findings
                .iter()
                .any(|it| it["subject"] == "instruments" && it["health"] == "fine")
        })
        .await;
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.served.admin);
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// The owner asks something that the terminal may be asked about.
    pub(super) async fn ask(&mut self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.served.admin);
        let sent = self.client.get(url).send();
        let response = self.terminal.while_at_work(sent).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// Asks again and again, with the terminal at work, until the answer is as wanted.
    pub(super) async fn until(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut answer = Value::Null;
        for _ in 0..TURNS_MAX {
            answer = self.ask(path).await;
            if wanted(&answer) {
                return answer;
            }
            self.terminal.turn().await;
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{path} stays {answer:#}");
    }

    /// Fires an alert; gives what it was answered.
    pub(super) async fn alert(&mut self, rest: &str) -> Value {
        let url = format!("http://{}/webhook", self.served.webhook);
        let body = format!(r#"{{"segredo":"{SECRET}",{rest}}}"#);
        let sent = self.client.post(url).body(body).send();
        let response = self.terminal.while_at_work(sent).await.unwrap();
        response.json().await.unwrap()
    }

    /// The terminal works until no entry or exit is open.
    pub(super) async fn settle(&mut self) {
        self.until("/api/orders?open=true", |orders| {
            let orders = orders.as_array().unwrap().iter();
            let mut active = orders.filter(|order| order["class"] != "protection");
            active.next().is_none()
        })
        .await;
    }
}

impl Terminal {
    /// A terminal whose bridge posts to this address.
    pub(crate) fn posting(client: Client, base: &str, token: &str) -> Self {
        Self {
            bridge: ScriptedBridge::posting(client, base, token),
            symbols: vec![(mini_index("WINZ26"), decimal("128000"))],
            asked: Vec::new(),
            ticket: 100,
        }
    }

    /// Takes what there is to do, and does it.
    pub(crate) async fn turn(&mut self) {
        let commands = self.bridge.poll(HOLD_MILLISECONDS).await;
        let last = self.bridge.last.clone().unwrap();
        for name in last.watch {
            // As a terminal does that knows the symbol.
            if name.starts_with("WIN") && !self.symbols.iter().any(|(info, _)| info.name == name) {
                self.symbols.push((mini_index(&name), decimal("128000")));
            }
        }
        let wishes = std::mem::take(&mut self.bridge.wishes);
        if wishes.contains(&Want::Symbols) {
            let request = SyncRequest {
                symbols: self.symbols.iter().map(|(info, _)| info.clone()).collect(),
                symbols_complete: true,
                ticks: self.ticks(),
                ..self.bridge.facts()
            };
            self.bridge.send(request).await.unwrap();
        } else if !wishes.is_empty() {
            let request = SyncRequest {
                ticks: self.ticks(),
                ..self.bridge.facts()
            };
            self.bridge.send(request).await.unwrap();
        }
        for command in commands {
            self.carry_out(&command).await;
        }
    }

    /// Works until something else is ready.
    pub(super) async fn while_at_work<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let work = tokio::spawn(work);
        // A terminal that never called does no work. One that does ends what it has begun.
        while self.bridge.session.is_some() && !work.is_finished() {
            self.turn().await;
        }
        work.await.unwrap()
    }

    fn ticks(&self) -> Vec<Tick> {
        let tick = |(info, price): &(SymbolInfo, Decimal)| Tick {
            symbol: info.name.clone(),
            bid: *price,
            ask: *price + info.tick_size,
            last: *price,
            time_ms: 1,
        };
        self.symbols.iter().map(tick).collect()
    }

    async fn carry_out(&mut self, command: &Command) {
        self.asked.push(command.task.clone());
        let mut deals = Vec::new();
        let mut steps = Vec::new();
        match &command.task {
            Task::Trade {
                magic,
                comment,
                requests,
                ..
            } => {
                let magic = i64::try_from(*magic).unwrap();
                for request in requests {
                    steps.push(self.trade(request, magic, comment, &mut deals));
                }
            }
            Task::Change { requests, .. } => {
                for request in requests {
                    for position in &mut self.bridge.positions {
                        if position.symbol == request.symbol {
                            position.sl = request.sl.unwrap_or_default();
                            position.tp = request.tp.unwrap_or_default();
                        }
                    }
                    steps.push(scripted::code(10009));
                }
            }
            Task::Find { .. } => {
                let result = scripted::found(command, Found::default());
                self.bridge.answer(result, deals).await;
                return;
            }
        }
        let result = scripted::answered(command, steps);
        self.bridge.answer(result, deals).await;
    }

    /// A market order in a netting account: opens, closes, or reduces.
    fn trade(
        &mut self,
        request: &TradeRequest,
        magic: i64,
        comment: &str,
        deals: &mut Vec<Deal>,
    ) -> Step {
        assert_eq!(request.action, 1, "{request:?}");
        let price = self.price(&request.symbol);
        let volume = request.volume.unwrap();
        self.ticket += 10;
        let ticket = self.ticket;
        let open = &mut self.bridge.positions;
        let held = open.iter().position(|it| it.symbol == request.symbol);
        let (position_id, entry) = match held {
            Some(index) if open[index].position_type != request.order_type => {
                let id = open[index].identifier;
                open[index].volume -= volume;
                if open[index].volume.is_zero() {
                    open.remove(index);
                }
                (id, 1)
            }
            Some(index) => {
                open[index].volume += volume;
                open[index].sl = request.sl.unwrap_or_default();
                open[index].tp = request.tp.unwrap_or_default();
                open[index].magic = magic;
                (open[index].identifier, 0)
            }
            None => {
                open.push(Position {
                    ticket,
                    identifier: ticket,
                    symbol: request.symbol.clone(),
                    position_type: request.order_type,
                    magic,
                    volume,
                    price_open: price,
                    sl: request.sl.unwrap_or_default(),
                    tp: request.tp.unwrap_or_default(),
                    time_ms: 1,
                    comment: comment.to_owned(),
                });
                (ticket, 0)
            }
        };
        deals.push(Deal {
            ticket: ticket + 1,
            order: ticket,
            position_id,
            symbol: request.symbol.clone(),
            deal_type: request.order_type,
            entry,
            magic,
            reason: 3,
            volume,
            price,
            commission: Decimal::ZERO,
            fee: Decimal::ZERO,
            swap: Decimal::ZERO,
            profit: Decimal::ZERO,
            time_ms: 1,
            comment: comment.to_owned(),
        });
        scripted::executed(ticket, ticket + 1, volume, price)
    }

    fn price(&self, symbol: &str) -> Decimal {
        let mut symbols = self.symbols.iter();
        symbols.find(|(info, _)| info.name == symbol).unwrap().1
    }

    /// The stop of the only position fires.
    pub(super) async fn fire_stop(&mut self) {
        let price = self.bridge.positions[0].sl;
        self.close(4, price).await;
    }

    /// The only position is closed, for this reason.
    pub(super) async fn close(&mut self, reason: u32, price: Decimal) {
        let position = self.bridge.positions.remove(0);
        self.ticket += 10;
        let deal = Deal {
            ticket: self.ticket + 1,
            order: self.ticket,
            position_id: position.identifier,
            symbol: position.symbol,
            deal_type: 1 - position.position_type,
            entry: 1,
            magic: position.magic,
            reason,
            volume: position.volume,
            price,
            commission: Decimal::ZERO,
            fee: Decimal::ZERO,
            swap: Decimal::ZERO,
            profit: Decimal::ZERO,
            time_ms: 2,
            comment: String::new(),
        };
        self.bridge.tell(vec![deal]).await;
    }
}
