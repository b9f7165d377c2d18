//! The adapter of an account in a MetaTrader 5 terminal, against a bridge that says what a test wants.

mod account;
mod finding;
mod orders;
mod outside;
mod protection;

use std::sync::Arc;
use std::time::Duration;

use ponte::bridge::protocol::{
    Command, CommandResult, Deal, Found, Outcome, Position, Step, SymbolInfo, SyncRequest, Task,
    TradeOrder, TradeRequest,
};
use ponte::bridge::{Hub, Line};
use ponte::brokers::mt5::{
    Accounting, DEVIATION_POINTS_DEFAULT, Mt5, Options, OrderLife, VALID_DEFAULT,
};
use ponte::brokers::{Broker, News};
use ponte::secret::Secret;
use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::message::{CancelAnswer, Fate, FindAnswer, OrderReport, ReportedStatus};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::policy::Mode;
use ponte_core::signal::{Protection, Side, Terms};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bridge::TOKEN;
use crate::bridge::scripted::{ScriptedBridge, answered, code, ended, executed, found};

/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a request of the bridge is held.
const HOLD_MILLISECONDS: u64 = 200;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn price(text: &str) -> Price {
    Price::new(decimal(text)).unwrap()
}

fn symbol() -> Symbol {
    Symbol::new("WINZ26").unwrap()
}

const fn stop_at(trigger: Price) -> OrderKind {
    OrderKind::Single {
        terms: Terms::Stop { trigger },
    }
}

const fn limit_at(price: Price) -> OrderKind {
    OrderKind::Single {
        terms: Terms::Limit { price },
    }
}

/// The mini index, as a Brazilian terminal lists it.
fn win() -> SymbolInfo {
    SymbolInfo {
        name: "WINZ26".to_owned(),
        digits: 0,
        point: decimal("1"),
        tick_size: decimal("5"),
        tick_value: decimal("1"),
        contract_size: decimal("1"),
        volume_min: decimal("1"),
        volume_max: decimal("100"),
        volume_step: decimal("1"),
        volume_limit: Decimal::ZERO,
        stops_level: 0,
        freeze_level: 0,
        trade_mode: 4,
        execution_mode: 3,
        filling_mode: 3,
        order_mode: 63,
        expiration_mode: 3,
        expiration_time: 0,
        currency_profit: "BRL".to_owned(),
        price_limit_min: Decimal::ZERO,
        price_limit_max: Decimal::ZERO,
        session_open: None,
    }
}

fn options(accounting: Accounting) -> Options {
    Options {
        account: AccountName::new("mt5").unwrap(),
        mode: Mode::Demo,
        login: 12_345_678,
        server: "Standin-Demo".to_owned(),
        currency: "BRL".to_owned(),
        accounting,
        deviation_points: DEVIATION_POINTS_DEFAULT,
        filling: None,
        pending_orders_last: OrderLife::Gtc,
        answer_within: Duration::from_secs(50),
        valid: VALID_DEFAULT,
    }
}

/// An adapter, the bridge of its terminal, and whoever hears its news.
struct Bench {
    adapter: Arc<Mt5>,
    bridge: ScriptedBridge,
    news: mpsc::UnboundedReceiver<News>,
    /// Tickets of orders and deals.
    tickets: u64,
}

impl Bench {
    /// A terminal that has said hello and listed its symbols.
    async fn open(options: Options) -> Self {
        let mut bench = Self::closed(options);
        bench.bridge.state.margin_mode = match bench.adapter.capabilities().one_strategy_per_symbol
        {
            true => 1,
            false => 2,
        };
        bench.bridge.hello().await;
        bench.tell_everything().await;
        bench.missed().await;
        bench
    }

    async fn netting() -> Self {
        Self::open(options(Accounting::Netting)).await
    }

    async fn hedging() -> Self {
        Self::open(options(Accounting::Hedging)).await
    }

    /// Nobody has called yet.
    fn closed(options: Options) -> Self {
        let token = Secret::new(TOKEN.to_owned()).unwrap();
        let line = Line::new(options.account.clone(), token);
        let adapter = Mt5::new(options, line.clone());
        let hub = Hub::new(vec![line]);
        let (into, news) = mpsc::unbounded_channel();
        let reporting = adapter.clone();
        tokio::spawn(async move { reporting.reports(into).await });
        Self {
            adapter,
            bridge: ScriptedBridge::calling(&hub, TOKEN),
            news,
            tickets: 100,
        }
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Tells the facts as they are now, and the symbols.
    async fn tell_everything(&mut self) {
        let request = SyncRequest {
            symbols: vec![win()],
            symbols_complete: true,
            ..self.bridge.facts()
        };
        self.bridge.send(request).await.unwrap();
    }

    /// Tells ended orders and deals together with the facts as they are now.
    async fn tell(&mut self, history: Vec<TradeOrder>, deals: Vec<Deal>) {
        let request = SyncRequest {
            history,
            deals,
            ..self.bridge.facts()
        };
        self.bridge.send(request).await.unwrap();
    }

    /// Waits for the next command; what the adapter wants to know meanwhile is told.
    async fn command(&mut self) -> Command {
        let waiting = async {
            loop {
                if let Some(command) = self.commands().await.into_iter().next() {
                    return command;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("a command")
    }

    async fn commands(&mut self) -> Vec<Command> {
        let commands = self.bridge.poll(HOLD_MILLISECONDS).await;
        if !std::mem::take(&mut self.bridge.wishes).is_empty() {
            self.tell_everything().await;
        }
        commands
    }

    /// Waits for an answer of the adapter's that needs no command.
    async fn without_command<T>(&mut self, asked: JoinHandle<T>) -> T {
        while !asked.is_finished() {
            let commands = self.commands().await;
            assert!(commands.is_empty(), "no command was expected: {commands:?}");
        }
        asked.await.unwrap()
    }

    fn submit(&self, plan: &OrderPlan) -> JoinHandle<Fate> {
        let (adapter, plan) = (self.adapter.clone(), plan.clone());
        tokio::spawn(async move { adapter.submit(&plan).await })
    }

    fn find(&self, plan: &OrderPlan) -> JoinHandle<FindAnswer> {
        let (adapter, plan) = (self.adapter.clone(), plan.clone());
        tokio::spawn(async move { adapter.find(&plan).await })
    }

    fn cancel(&self, plan: &OrderPlan) -> JoinHandle<CancelAnswer> {
        let (adapter, plan) = (self.adapter.clone(), plan.clone());
        tokio::spawn(async move { adapter.cancel(&plan).await })
    }

    /// Executes a market order whole, as the terminal does: the position, the deal and the result in
    /// one request.
    async fn filled(&mut self, plan: &OrderPlan) -> OrderReport {
        let submitted = self.submit(plan);
        let command = self.command().await;
        let (magic, requests) = traded(&command);
        let request = requests[0].clone();
        let (order, deal) = (self.ticket(), self.ticket());
        let volume = request.volume.unwrap();
        self.bridge.positions.push(Position {
            sl: request.sl.unwrap_or_default(),
            tp: request.tp.unwrap_or_default(),
            ..position(order, &volume.to_string(), magic)
        });
        let deals = vec![dealt(deal, order, order, plan, magic, &volume.to_string())];
        let steps = vec![executed(order, deal, volume, decimal("128000"))];
        self.bridge.answer(answered(&command, steps), deals).await;
        let report = acknowledged(submitted.await.unwrap());
        assert_eq!(report.status, ReportedStatus::Filled);
        report
    }

    /// Places a protective order for which the position has the levels already.
    async fn protected(&mut self, plan: &OrderPlan) {
        let submitted = self.submit(plan);
        let fate = self.without_command(submitted).await;
        assert_eq!(acknowledged(fate).status, ReportedStatus::Working);
    }

    /// The next news of an order.
    async fn told(&mut self, plan: &OrderPlan) -> OrderReport {
        loop {
            if let News::Order(report) = self.next_news().await
                && report.id == plan.id
            {
                return report;
            }
        }
    }

    /// Waits until it is said that something may have been missed.
    async fn missed(&mut self) {
        while self.next_news().await != News::Missed {}
    }

    async fn next_news(&mut self) -> News {
        let next = tokio::time::timeout(PATIENCE, self.news.recv()).await;
        next.expect("news").expect("the adapter still reports")
    }

    /// The news that are there already.
    fn news_so_far(&mut self) -> Vec<News> {
        std::iter::from_fn(|| self.news.try_recv().ok()).collect()
    }

    /// What a process that has just begun on the same terminal knows.
    async fn restarted(self) -> Self {
        let accounting = match self.adapter.capabilities().one_strategy_per_symbol {
            true => Accounting::Netting,
            false => Accounting::Hedging,
        };
        let mut anew = Self::closed(options(accounting));
        anew.bridge.state = self.bridge.state.clone();
        anew.bridge.positions = self.bridge.positions.clone();
        anew.bridge.orders = self.bridge.orders.clone();
        anew.tickets = self.tickets;
        anew.bridge.hello().await;
        anew.tell_everything().await;
        anew.missed().await;
        anew
    }
}

fn acknowledged(fate: Fate) -> OrderReport {
    match fate {
        Fate::Acknowledged { report } => report,
        fate @ (Fate::Rejected { .. } | Fate::NotSent { .. } | Fate::Unknown { .. }) => {
            panic!("expected an acknowledgement, got {fate:?}")
        }
    }
}

/// Why an order was certainly not sent.
fn not_sent(fate: Fate) -> String {
    match fate {
        Fate::NotSent { why } => why.to_string(),
        fate @ (Fate::Rejected { .. } | Fate::Acknowledged { .. } | Fate::Unknown { .. }) => {
            panic!("expected \"not sent\", got {fate:?}")
        }
    }
}

fn rejected(fate: Fate) -> String {
    match fate {
        Fate::Rejected { reason } => reason,
        fate @ (Fate::NotSent { .. } | Fate::Acknowledged { .. } | Fate::Unknown { .. }) => {
            panic!("expected a rejection, got {fate:?}")
        }
    }
}

fn found_report(answer: FindAnswer) -> OrderReport {
    match answer {
        FindAnswer::Found(report) => report,
        answer @ (FindAnswer::Absent | FindAnswer::Unanswered(_)) => {
            panic!("expected to find it, got {answer:?}")
        }
    }
}

fn cancel_reason(report: &OrderReport) -> &str {
    match &report.status {
        ReportedStatus::Cancelled { reason } => reason,
        ReportedStatus::Working | ReportedStatus::Filled | ReportedStatus::Rejected { .. } => {
            panic!("expected a cancellation: {report:?}")
        }
    }
}

/// The magic number and the requests of a trade.
fn traded(command: &Command) -> (i64, &[TradeRequest]) {
    match &command.task {
        Task::Trade {
            magic, requests, ..
        } => (i64::try_from(*magic).unwrap(), requests),
        task @ (Task::Change { .. } | Task::Find { .. }) => panic!("expected a trade: {task:?}"),
    }
}

/// The requests of a change.
fn changes(command: &Command) -> &[TradeRequest] {
    match &command.task {
        Task::Change { requests, .. } => requests,
        task @ (Task::Trade { .. } | Task::Find { .. }) => panic!("expected a change: {task:?}"),
    }
}

fn is_find(command: &Command) -> bool {
    matches!(command.task, Task::Find { .. })
}

/// Nothing was found, and nothing will be.
fn nothing() -> Found {
    Found {
        conclusive: true,
        ..Found::default()
    }
}

fn plan(number: u64, class: OrderClass, side: Side, lots: &str, kind: OrderKind) -> OrderPlan {
    let alert = AlertId(number);
    OrderPlan {
        id: ClientOrderId::derive(alert, &[b"mt5"]),
        account: AccountName::new("mt5").unwrap(),
        strategy: StrategyName::new("breakout").unwrap(),
        symbol: symbol(),
        side,
        quantity: Quantity::new(decimal(lots)).unwrap(),
        kind,
        class,
        protection: Protection::default(),
        reference_price: None,
        origin: Origin::Alert(alert),
        alert: Some(alert),
        expires_at: Timestamp(i64::MAX),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        multiplier: Decimal::ONE,
        reduce_only: false,
    }
}

fn buy(number: u64, lots: &str) -> OrderPlan {
    plan(
        number,
        OrderClass::Entry,
        Side::Buy,
        lots,
        OrderKind::MARKET,
    )
}

fn exit(number: u64, lots: &str) -> OrderPlan {
    plan(
        number,
        OrderClass::Exit,
        Side::Sell,
        lots,
        OrderKind::MARKET,
    )
}

/// An entry that brings a stop at 127500.
fn guarded_buy(number: u64, lots: &str) -> OrderPlan {
    OrderPlan {
        protection: Protection {
            stop: Some(price("127500")),
            ..Protection::default()
        },
        ..buy(number, lots)
    }
}

/// A stop for what an entry has bought.
fn stop_of(number: u64, entry: &OrderPlan, lots: &str, at: &str) -> OrderPlan {
    OrderPlan {
        origin: Origin::Protects(entry.id),
        ..plan(
            number,
            OrderClass::Protection,
            Side::Sell,
            lots,
            stop_at(price(at)),
        )
    }
}

/// A long position without levels.
fn position(ticket: u64, lots: &str, magic: i64) -> Position {
    Position {
        ticket,
        identifier: ticket,
        symbol: "WINZ26".to_owned(),
        position_type: 0,
        magic,
        volume: decimal(lots),
        price_open: decimal("128000"),
        sl: Decimal::ZERO,
        tp: Decimal::ZERO,
        time_ms: i64::try_from(ticket).unwrap(),
        comment: String::new(),
    }
}

/// A deal of an order of ours in a position.
fn dealt(ticket: u64, order: u64, position: u64, plan: &OrderPlan, magic: i64, lots: &str) -> Deal {
    Deal {
        ticket,
        order,
        position_id: position,
        symbol: "WINZ26".to_owned(),
        deal_type: u32::from(plan.side == Side::Sell),
        entry: u32::from(plan.class.reduces()),
        magic,
        reason: 3,
        volume: decimal(lots),
        price: decimal("128000"),
        commission: decimal("-0.5"),
        fee: Decimal::ZERO,
        swap: Decimal::ZERO,
        profit: Decimal::ZERO,
        time_ms: 1,
        comment: String::new(),
    }
}

/// The closing of a long position by its stop loss.
fn stopped(ticket: u64, position: u64, magic: i64, lots: &str) -> Deal {
    let closing = exit(0, lots);
    Deal {
        reason: 4,
        price: decimal("127500"),
        comment: "[sl 127500]".to_owned(),
        ..dealt(ticket, ticket + 1_000, position, &closing, magic, lots)
    }
}

/// A pending order of ours.
fn pending(ticket: u64, command: &Command, state: u32, left: &str) -> TradeOrder {
    let (magic, requests) = traded(command);
    TradeOrder {
        ticket,
        symbol: "WINZ26".to_owned(),
        order_type: requests[0].order_type,
        state,
        magic,
        position_id: 0,
        volume_initial: requests[0].volume.unwrap(),
        volume_current: decimal(left),
        price_open: requests[0].price.unwrap_or_default(),
        price_stoplimit: Decimal::ZERO,
        sl: Decimal::ZERO,
        tp: Decimal::ZERO,
        reason: 3,
        time_ms: 1,
        time_done_ms: 0,
        comment: String::new(),
    }
}

fn refused(command: &Command, retcode: u32) -> CommandResult {
    answered(command, vec![code(retcode)])
}

fn not_begun(command: &Command, why: &str) -> CommandResult {
    CommandResult {
        why: why.to_owned(),
        ..ended(command, Outcome::NotBegun)
    }
}

fn placed(order: u64) -> Step {
    Step {
        order,
        ..code(10008)
    }
}

fn found_result(command: &Command, what: Found) -> CommandResult {
    found(command, what)
}
