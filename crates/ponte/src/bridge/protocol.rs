//! What a bridge beside a `MetaTrader` 5 terminal and Ponte say to each other, in both directions.
//!
//! `bridges/mt5/PROTOCOL.md` tells the rules behind these shapes. Names and numbers of orders,
//! deals, positions and symbols are those of MQL5 ("Constants, Enumerations and Structures"), so
//! that a bridge copies and does not translate. Unknown fields are ignored on both sides.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The version of the protocol; a bridge of another one is answered `426`.
pub const PROTOCOL: u32 = 1;
/// The path that bridges post to.
pub const SYNC_PATH: &str = "/mt5/v1/sync";
/// Largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most symbols, deals, orders of the history or ticks in one request; what is left comes with the next.
pub const ITEMS_MAX: usize = 500;
/// Longest that an answer is held back while there is no command, in milliseconds.
pub const HOLD_MILLISECONDS_MAX: u64 = 20_000;
/// A bridge that has not been heard for so long is away, in milliseconds.
pub const AWAY_MILLISECONDS: u64 = 15_000;

/// One request of a bridge: what it has to tell, and whether it takes commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// See [`PROTOCOL`].
    pub protocol: u32,
    /// Who speaks.
    pub bridge: BridgeInfo,
    /// The session that Ponte has named; absent in the first request of a process, and after `410`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Counts the requests of the session that tell facts, from 1; 0 where a bridge doesn't count.
    /// Of one that comes after a later one (sent again by the network after it was given up),
    /// nothing that is told in full is taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sequence: u64,
    /// How long the answer may be held back while there is no command. At most
    /// [`HOLD_MILLISECONDS_MAX`] is done.
    #[serde(default)]
    pub hold_ms: u64,
    /// Whether the answer may bring commands. A bridge has at most one such request under way.
    #[serde(default)]
    pub take: bool,
    /// The terminal and its account: in the first request, at every change, and at least every 5 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TerminalState>,
    /// What became of commands, again and again until [`SyncAnswer::results_seen`] names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<CommandResult>,
    /// All open positions: in the first request, and whenever they have changed in any field but
    /// price and profit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<Vec<Position>>,
    /// All pending orders: in the first request, and whenever they have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Vec<TradeOrder>>,
    /// Orders that are over, each once a session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<TradeOrder>,
    /// Deals, each once a session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deals: Vec<Deal>,
    /// Symbols that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<SymbolInfo>,
    /// Whether the list of symbols that was asked for is complete with this request.
    #[serde(default)]
    pub symbols_complete: bool,
    /// The prices of watched symbols that have changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticks: Vec<Tick>,
}

// Serde hands a reference over.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeInfo {
    /// `python` or `expert`.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// The name of its journal, made at random with the journal: 16 hex digits. Two bridges of one
    /// account have different ones.
    pub journal: String,
}

/// Ponte's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAnswer {
    /// See [`PROTOCOL`].
    pub protocol: u32,
    /// The session: to be named in the next requests.
    pub session: String,
    /// What is to be done, in this order.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// Results of this request that need not be told again.
    #[serde(default)]
    pub results_seen: Vec<ResultId>,
    /// The symbols whose ticks are wanted; the bridge puts them into Market Watch.
    #[serde(default)]
    pub watch: Vec<String>,
    /// What the next request should bring in full.
    #[serde(default)]
    pub want: Vec<Want>,
    /// How far back deals and orders of the history are told at the start of a session, in hours.
    pub history_hours: u32,
    /// Ponte's clock, in milliseconds since 1970, for the bridge's log only.
    pub time_ms: i64,
}

/// What a bridge is asked to bring in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// Every symbol in Market Watch, then `symbols_complete`.
    Symbols,
    /// The terminal's state.
    State,
    /// All open positions.
    Positions,
    /// All pending orders.
    Orders,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The session that it belongs to: a command of another one is dropped.
    pub session: String,
    /// Its number in the session, from 1: one that is not above the last is dropped.
    pub number: u64,
    /// It is not begun later than so many milliseconds after the bridge has *sent* the request
    /// that this answers, by the bridge's monotonic clock.
    pub valid_ms: u64,
    /// What.
    pub task: Task,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Send these requests, one after the other, each journalled before it is sent. The first that
    /// is not answered with success ends it. Refused where the bridge's journal knows of a request
    /// of this order that was begun or has succeeded, and no `find` has said since that it is absent.
    Trade {
        /// Ponte's id of the order.
        order: String,
        /// The magic number of each request.
        magic: u64,
        /// The comment of each request.
        comment: String,
        /// Only while there is a position to close: right before each request the bridge makes sure
        /// that the symbol has a position on the other side, no smaller than the request's volume.
        /// With `position` in the request: that the position is there, and no smaller.
        reduces: bool,
        /// What is sent.
        requests: Vec<TradeRequest>,
    },
    /// Send these requests, which only change or take back what there is (`SLTP`, `MODIFY`,
    /// `REMOVE`): they may be sent again at any time.
    Change {
        /// Ponte's id of the order.
        order: String,
        /// The magic number of each request.
        magic: u64,
        /// What is sent.
        requests: Vec<TradeRequest>,
    },
    /// Look an order up in the bridge's journal and in the terminal: pending orders, positions,
    /// history of orders and deals, by magic number or by comment.
    Find {
        /// Ponte's id of the order.
        order: String,
        /// Its magic number.
        magic: u64,
        /// Its comment; not compared where empty.
        comment: String,
        /// How far back the history is searched, in hours, beside the slack for the server's clock.
        history_hours: u32,
    },
}

/// `MqlTradeRequest` without magic number and comment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeRequest {
    /// `ENUM_TRADE_REQUEST_ACTIONS`: 1 deal, 5 pending, 6 sl/tp, 7 modify, 8 remove.
    pub action: u32,
    /// The terminal's symbol.
    pub symbol: String,
    /// In lots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Decimal>,
    /// The price; of a deal without one the bridge takes the current ask (buy) or bid (sell).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Decimal>,
    /// The limit price of a stop-limit order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stoplimit: Option<Decimal>,
    /// Stop loss; absent is 0, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sl: Option<Decimal>,
    /// Take profit; absent is 0, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tp: Option<Decimal>,
    /// Largest slippage in points; effective in instant and request execution only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<u64>,
    /// `ENUM_ORDER_TYPE`.
    #[serde(rename = "type", default)]
    pub order_type: u32,
    /// `ENUM_ORDER_TYPE_FILLING`.
    #[serde(default)]
    pub type_filling: u32,
    /// `ENUM_ORDER_TYPE_TIME`.
    #[serde(default)]
    pub type_time: u32,
    /// The ticket of the pending order that is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    /// The ticket of the position that is changed or closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

/// Which command a result is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResultId {
    /// The session in which the command was given.
    pub session: String,
    /// Its number there.
    pub number: u64,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// Which one.
    #[serde(flatten)]
    pub id: ResultId,
    /// Ponte's id of the order.
    pub order: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What the terminal answered to each request that was begun; of the last one the answer may be
    /// missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What a `find` has found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How a command ended at the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every request that was begun has an answer of the terminal; of a `find`: it was looked.
    Answered,
    /// Certain that no request was begun: its time was over, the terminal is not connected, not
    /// logged into the account or must not trade, or there is no position to close.
    NotBegun,
    /// Nothing was begun, since the journal knows of an earlier command for the same order.
    Known,
    /// A request was begun and has no answer: the bridge or the terminal went down, or gave none.
    Interrupted,
}

/// One request of a command: what the terminal answered (`MqlTradeResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Whether there is an answer.
    pub answered: bool,
    /// The trade server's code (10009 done); 0 where the request never came so far.
    #[serde(default)]
    pub retcode: u32,
    /// The terminal's own error, where it gave no answer (`last_error()` in Python, `GetLastError()`
    /// in MQL5).
    #[serde(default)]
    pub error: i32,
    /// The ticket of the order.
    #[serde(default)]
    pub order: u64,
    /// The ticket of the deal.
    #[serde(default)]
    pub deal: u64,
    /// In lots.
    #[serde(default)]
    pub volume: Decimal,
    /// At this price.
    #[serde(default)]
    pub price: Decimal,
    /// The server's words.
    #[serde(default)]
    pub comment: String,
    /// The exchange's code.
    #[serde(default)]
    pub retcode_external: i64,
}

/// What the journal and the terminal know of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Whether "nothing found" means that there is nothing and will be nothing: the terminal is
    /// connected to the right account and synchronised, the scan was repeated where that was needed,
    /// and what was begun has had its time to appear.
    pub conclusive: bool,
    /// The requests that the journal knows of this order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Pending orders.
    #[serde(default)]
    pub orders: Vec<TradeOrder>,
    /// Orders that are over.
    #[serde(default)]
    pub history: Vec<TradeOrder>,
    /// Deals.
    #[serde(default)]
    pub deals: Vec<Deal>,
}

/// The terminal and its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct TerminalState {
    /// `TERMINAL_CONNECTED`: the terminal is connected to the trade server.
    pub connected: bool,
    /// `TERMINAL_TRADE_ALLOWED`: the button "Algo Trading".
    pub trade_allowed: bool,
    /// Python: the option "Disable automatic trading via external Python API".
    #[serde(default)]
    pub tradeapi_disabled: bool,
    /// `ACCOUNT_TRADE_ALLOWED`: false with the investor's password.
    pub account_trade_allowed: bool,
    /// `ACCOUNT_TRADE_EXPERT`: the server lets programs trade.
    pub account_trade_expert: bool,
    /// `ACCOUNT_LOGIN`; 0 while nobody is logged in.
    pub login: i64,
    /// `ACCOUNT_SERVER`.
    pub server: String,
    /// `ACCOUNT_COMPANY`.
    #[serde(default)]
    pub company: String,
    /// `ACCOUNT_TRADE_MODE`: 0 demo, 1 contest, 2 real.
    pub account_trade_mode: u32,
    /// `ACCOUNT_MARGIN_MODE`: 0 netting, 1 exchange, 2 hedging.
    pub margin_mode: u32,
    /// `ACCOUNT_CURRENCY`.
    pub currency: String,
    /// `ACCOUNT_BALANCE`.
    pub balance: Decimal,
    /// `ACCOUNT_EQUITY`.
    pub equity: Decimal,
    /// `ACCOUNT_MARGIN_FREE`.
    #[serde(default)]
    pub margin_free: Decimal,
    /// `ACCOUNT_LEVERAGE`.
    #[serde(default)]
    pub leverage: i64,
    /// `TERMINAL_BUILD`.
    #[serde(default)]
    pub build: u32,
    /// `TERMINAL_PING_LAST`, in microseconds.
    #[serde(default)]
    pub ping_us: i64,
    /// The time of the newest tick that is known, on the server's clock, in milliseconds; 0 where none is.
    #[serde(default)]
    pub server_time_ms: i64,
    /// The machine's clock in milliseconds since 1970, UTC.
    #[serde(default)]
    pub time_ms: i64,
}

/// An open position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// `POSITION_TICKET`: changes when a netting position reverses.
    pub ticket: u64,
    /// `POSITION_IDENTIFIER`: stays.
    pub identifier: u64,
    /// The terminal's symbol.
    pub symbol: String,
    /// `ENUM_POSITION_TYPE`: 0 buy, 1 sell.
    #[serde(rename = "type")]
    pub position_type: u32,
    /// Magic number of the last deal.
    pub magic: i64,
    /// In lots.
    pub volume: Decimal,
    /// The mean price at which it was opened.
    pub price_open: Decimal,
    /// Stop loss; 0 is none.
    pub sl: Decimal,
    /// Take profit; 0 is none.
    pub tp: Decimal,
    /// When it was opened, on the server's clock, in milliseconds.
    pub time_ms: i64,
    /// Its comment.
    #[serde(default)]
    pub comment: String,
}

/// An order, pending or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeOrder {
    /// `ORDER_TICKET`.
    pub ticket: u64,
    /// The terminal's symbol.
    pub symbol: String,
    /// `ENUM_ORDER_TYPE`.
    #[serde(rename = "type")]
    pub order_type: u32,
    /// `ENUM_ORDER_STATE`: 1 placed, 2 cancelled, 3 partial, 4 filled, 5 rejected, 6 expired.
    pub state: u32,
    /// Its magic number.
    pub magic: i64,
    /// `ORDER_POSITION_ID`; 0 while there is none.
    #[serde(default)]
    pub position_id: u64,
    /// In lots, when it was placed.
    pub volume_initial: Decimal,
    /// In lots, what has not traded.
    pub volume_current: Decimal,
    /// The price.
    pub price_open: Decimal,
    /// The limit price of a stop-limit order.
    #[serde(default)]
    pub price_stoplimit: Decimal,
    /// Stop loss; 0 is none.
    #[serde(default)]
    pub sl: Decimal,
    /// Take profit; 0 is none.
    #[serde(default)]
    pub tp: Decimal,
    /// `ENUM_ORDER_REASON`: 0 client, 3 expert, 4 stop loss, 5 take profit, 6 stop out.
    #[serde(default)]
    pub reason: u32,
    /// When it was placed, on the server's clock, in milliseconds.
    pub time_ms: i64,
    /// When it was over, on the server's clock, in milliseconds; 0 while it is not.
    #[serde(default)]
    pub time_done_ms: i64,
    /// Its comment.
    #[serde(default)]
    pub comment: String,
}

/// A deal: one execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// `DEAL_TICKET`.
    pub ticket: u64,
    /// `DEAL_ORDER`: the ticket of its order.
    pub order: u64,
    /// `DEAL_POSITION_ID`.
    pub position_id: u64,
    /// The terminal's symbol; empty for balance operations.
    pub symbol: String,
    /// `ENUM_DEAL_TYPE`: 0 buy, 1 sell; others are no trades.
    #[serde(rename = "type")]
    pub deal_type: u32,
    /// `ENUM_DEAL_ENTRY`: 0 in, 1 out, 2 reversal, 3 close by.
    pub entry: u32,
    /// Its magic number.
    pub magic: i64,
    /// `ENUM_DEAL_REASON`: 0 client, 3 expert, 4 stop loss, 5 take profit, 6 stop out.
    pub reason: u32,
    /// In lots.
    pub volume: Decimal,
    /// At this price.
    pub price: Decimal,
    /// In the account's currency; below zero where it costs.
    #[serde(default)]
    pub commission: Decimal,
    /// In the account's currency; below zero where it costs.
    #[serde(default)]
    pub fee: Decimal,
    /// In the account's currency; below zero where it costs.
    #[serde(default)]
    pub swap: Decimal,
    /// In the account's currency.
    #[serde(default)]
    pub profit: Decimal,
    /// On the server's clock, in milliseconds.
    pub time_ms: i64,
    /// Its comment.
    #[serde(default)]
    pub comment: String,
}

/// A symbol in Market Watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolInfo {
    /// The terminal's symbol.
    pub name: String,
    /// `SYMBOL_DIGITS`.
    pub digits: u32,
    /// `SYMBOL_POINT`.
    pub point: Decimal,
    /// `SYMBOL_TRADE_TICK_SIZE`.
    pub tick_size: Decimal,
    /// `SYMBOL_TRADE_TICK_VALUE`: what one tick is worth for one lot, in the account's currency.
    pub tick_value: Decimal,
    /// `SYMBOL_TRADE_CONTRACT_SIZE`.
    pub contract_size: Decimal,
    /// `SYMBOL_VOLUME_MIN`.
    pub volume_min: Decimal,
    /// `SYMBOL_VOLUME_MAX`.
    pub volume_max: Decimal,
    /// `SYMBOL_VOLUME_STEP`.
    pub volume_step: Decimal,
    /// `SYMBOL_VOLUME_LIMIT`: position and pending orders in one direction; 0 is none.
    #[serde(default)]
    pub volume_limit: Decimal,
    /// `SYMBOL_TRADE_STOPS_LEVEL`, in points.
    #[serde(default)]
    pub stops_level: u32,
    /// `SYMBOL_TRADE_FREEZE_LEVEL`, in points.
    #[serde(default)]
    pub freeze_level: u32,
    /// `ENUM_SYMBOL_TRADE_MODE`: 0 disabled, 1 long only, 2 short only, 3 close only, 4 full.
    pub trade_mode: u32,
    /// `ENUM_SYMBOL_TRADE_EXECUTION`: 0 request, 1 instant, 2 market, 3 exchange.
    pub execution_mode: u32,
    /// Flags: 1 fill or kill, 2 immediate or cancel, 4 book or cancel.
    pub filling_mode: u32,
    /// Flags: 1 market, 2 limit, 4 stop, 8 stop limit, 16 stop loss, 32 take profit.
    pub order_mode: u32,
    /// Flags: 1 good till cancelled, 2 day, 4 until a time, 8 until a day.
    pub expiration_mode: u32,
    /// `SYMBOL_EXPIRATION_TIME`, in seconds on the server's clock; 0 is never.
    #[serde(default)]
    pub expiration_time: i64,
    /// `SYMBOL_CURRENCY_PROFIT`.
    #[serde(default)]
    pub currency_profit: String,
    /// `SYMBOL_SESSION_PRICE_LIMIT_MIN`; 0 is none.
    #[serde(default)]
    pub price_limit_min: Decimal,
    /// `SYMBOL_SESSION_PRICE_LIMIT_MAX`; 0 is none.
    #[serde(default)]
    pub price_limit_max: Decimal,
    /// Whether the symbol's trade session is open now, where the bridge can tell (MQL5 can, Python can't).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_open: Option<bool>,
}

/// The newest prices of a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The terminal's symbol.
    pub symbol: String,
    /// 0 where there is none.
    pub bid: Decimal,
    /// 0 where there is none.
    pub ask: Decimal,
    /// The price of the last deal; 0 where there is none (forex).
    #[serde(default)]
    pub last: Decimal,
    /// On the server's clock, in milliseconds.
    pub time_ms: i64,
}
