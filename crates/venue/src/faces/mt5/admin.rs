//! The administration of the stand-in: prices, the terminal's state, people and brokers who trade, faults, and the
//! auditor's view. Nothing of this exists at MetaTrader.

use super::faults::FaultBody;
use super::kinds::{Execution, Filling, OrderKind, Reason, Side, TradeMode};
use super::number::Number;
use super::placing::Handling;
use super::request::{Action, TradeRequest};
use super::service::written;
use super::state::{Face, Inside};
use super::symbols::{self, Symbol};
use super::terminal::{AccountView, TerminalView};
use super::wire::{DealView, OrderView, PositionView};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest name of a symbol (MqlTradeRequest keeps it in 32 characters with the end of the text).
const SYMBOL_BYTES_MAX: usize = 31;
/// The most symbols on offer, those that were there from the start included.
const SYMBOLS_MAX: usize = 100;
/// The most that tests move the server's clock: ten years, in milliseconds.
const SKEW_MAX: i64 = 315_360_000_000;

/// All routes of the administration.
pub(super) fn router() -> Router<Arc<Face>> {
    let faults = || post(add_fault).get(show_faults).delete(clear_faults);
    Router::new()
        .route("/admin/price", post(price))
        .route("/admin/depth", post(depth))
        .route("/admin/symbol", post(symbol))
        .route("/admin/terminal", post(terminal))
        .route("/admin/manual", post(manual))
        .route("/admin/force_close", post(force_close))
        .route("/admin/levels", post(levels))
        .route("/admin/new_day", post(new_day))
        .route("/admin/clock", post(set_clock))
        .route("/admin/fault", faults())
        .route("/admin/faults", faults())
        .route("/admin/audit", get(audit))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceBody {
    symbol: String,
    #[serde(default)]
    bid: Option<Number>,
    #[serde(default)]
    ask: Option<Number>,
    #[serde(default)]
    price: Option<Number>,
    #[serde(default)]
    spread_points: Option<u32>,
}

async fn price(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: PriceBody| {
        let point = known(inside, &body.symbol)?.point();
        let (bid, ask) = match (body.bid, body.ask, body.price) {
            (Some(bid), Some(ask), None) => (bid.0, ask.0),
            (None, None, Some(price)) => {
                let spread = point * Decimal::from(body.spread_points.unwrap_or_default());
                (price.0, price.0 + spread)
            }
            _ => return Err("a price is bid and ask, or price with spread_points".to_owned()),
        };
        if bid < Decimal::ZERO || ask < bid {
            return Err(format!("bid {bid} and ask {ask} are not a market"));
        }
        let now = inside.now();
        inside.book.quote(&body.symbol, (bid, ask, bid), now);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DepthBody {
    symbol: String,
    /// None for any volume.
    volume: Option<Number>,
}

async fn depth(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: DepthBody| {
        let depth = body.volume.map(|volume| volume.0.max(Decimal::ZERO));
        let now = inside.now();
        let symbol = known(inside, &body.symbol)?;
        symbol.depth = depth;
        symbol.refill();
        inside.book.match_symbol(&body.symbol, now);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolBody {
    symbol: String,
    /// A symbol that is offered already, of which this one is made if it is not.
    #[serde(default)]
    like: Option<String>,
    #[serde(default)]
    trade_mode: Option<u32>,
    #[serde(default)]
    session_open: Option<bool>,
    #[serde(default)]
    filling_mode: Option<u32>,
    #[serde(default)]
    execution_mode: Option<u32>,
    #[serde(default)]
    expiration_mode: Option<u32>,
    #[serde(default)]
    order_mode: Option<u32>,
    #[serde(default)]
    stops_level: Option<u32>,
    #[serde(default)]
    freeze_level: Option<u32>,
    #[serde(default)]
    visible: Option<bool>,
    #[serde(default)]
    volume_min: Option<Number>,
    #[serde(default)]
    volume_max: Option<Number>,
    #[serde(default)]
    volume_limit: Option<Number>,
    #[serde(default)]
    commission: Option<Number>,
}

async fn symbol(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: SymbolBody| {
        let trade_mode = body.trade_mode.map(|code| {
            TradeMode::from_code(code).ok_or_else(|| format!("trade_mode {code} is not known"))
        });
        let execution = body.execution_mode.map(|code| {
            Execution::from_code(code).ok_or_else(|| format!("execution_mode {code} is not known"))
        });
        let (trade_mode, execution) = (trade_mode.transpose()?, execution.transpose()?);
        if let Some(like) = &body.like {
            add_symbol(inside, &body.symbol, like)?;
        }
        known(inside, &body.symbol)?;
        for book in inside.books() {
            if let Some(symbol) = book.symbols.get_mut(&body.symbol) {
                set(&mut symbol.trade_mode, trade_mode);
                set(&mut symbol.execution, execution);
                change_symbol(symbol, &body);
            }
        }
        let now = inside.now();
        inside.book.match_symbol(&body.symbol, now);
        Ok(json!({}))
    })
}

/// Offers a symbol with another's terms and market, outside Market Watch; one that is offered stays as it is.
fn add_symbol(inside: &mut Inside, name: &str, like: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > SYMBOL_BYTES_MAX {
        return Err(format!(
            "a symbol's name has 1 to {SYMBOL_BYTES_MAX} bytes, not {}",
            name.len()
        ));
    }
    let symbol = known(inside, like)?.called(name);
    for book in inside.books() {
        let symbols = &mut book.symbols;
        if !symbols.contains_key(name) && symbols.len() >= SYMBOLS_MAX {
            return Err(format!("{SYMBOLS_MAX} symbols are offered already"));
        }
        let offered = symbols.entry(name.to_owned());
        offered.or_insert_with(|| symbol.clone());
    }
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn change_symbol(symbol: &mut Symbol, body: &SymbolBody) {
    set(&mut symbol.session_open, body.session_open);
    set(&mut symbol.filling_flags, body.filling_mode);
    set(&mut symbol.expiration_flags, body.expiration_mode);
    set(&mut symbol.order_flags, body.order_mode);
    set(&mut symbol.stops_level, body.stops_level);
    set(&mut symbol.freeze_level, body.freeze_level);
    set(&mut symbol.selected, body.visible);
    let number = |number: Option<Number>| number.map(|number| number.0);
    set(&mut symbol.volume_min, number(body.volume_min));
    set(&mut symbol.volume_max, number(body.volume_max));
    set(&mut symbol.volume_limit, number(body.volume_limit));
    set(&mut symbol.commission, number(body.commission));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TerminalBody {
    #[serde(default)]
    connected: Option<bool>,
    #[serde(default)]
    logged_in: Option<bool>,
    #[serde(default)]
    login: Option<u64>,
    #[serde(default)]
    trade_allowed: Option<bool>,
    #[serde(default)]
    tradeapi_disabled: Option<bool>,
    #[serde(default)]
    trade_expert: Option<bool>,
    #[serde(default)]
    account_trade_allowed: Option<bool>,
    #[serde(default)]
    hedge_prohibited: Option<bool>,
    #[serde(default)]
    fifo_close: Option<bool>,
    #[serde(default)]
    limit_orders: Option<u32>,
}

async fn terminal(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: TerminalBody| {
        let terminal = &mut inside.terminal;
        set(&mut terminal.connected, body.connected);
        set(&mut terminal.logged_in, body.logged_in);
        set(&mut terminal.login, body.login);
        set(&mut terminal.trade_allowed, body.trade_allowed);
        set(&mut terminal.tradeapi_disabled, body.tradeapi_disabled);
        set(&mut terminal.trade_expert, body.trade_expert);
        set(
            &mut terminal.account_trade_allowed,
            body.account_trade_allowed,
        );
        set(&mut inside.book.hedge_prohibited, body.hedge_prohibited);
        set(&mut inside.book.first_in_first_out, body.fifo_close);
        set(&mut inside.book.orders_max, body.limit_orders);
        inside.keep_view();
        Ok(json!({}))
    })
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SideName {
    Buy,
    Sell,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManualBody {
    symbol: String,
    side: SideName,
    volume: Number,
    #[serde(default)]
    position: u64,
    #[serde(default)]
    sl: Option<Number>,
    #[serde(default)]
    tp: Option<Number>,
}

async fn manual(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: ManualBody| {
        let side = match body.side {
            SideName::Buy => Side::Buy,
            SideName::Sell => Side::Sell,
        };
        let symbol = known(inside, &body.symbol)?;
        symbol.selected = true;
        let level = |level: Option<Number>| level.map(|level| level.0).unwrap_or_default();
        let request = TradeRequest {
            action: Action::Deal as u32,
            symbol: body.symbol.clone(),
            volume: body.volume.0,
            price: symbol.market_price(side).unwrap_or_default(),
            sl: level(body.sl),
            tp: level(body.tp),
            kind: OrderKind::market(side).code(),
            filling: a_filling(symbol).code(),
            position: body.position,
            ..TradeRequest::default()
        };
        by_hand(inside, &request)
    })
}

/// A filling that the symbol admits for a market order.
fn a_filling(symbol: &Symbol) -> Filling {
    if symbol.execution == Execution::Exchange {
        Filling::Return
    } else if symbol.filling_flags & symbols::FILLING_FILL_OR_KILL != 0 {
        Filling::FillOrKill
    } else {
        Filling::ImmediateOrCancel
    }
}

/// Sends a request as a person at another terminal would: nothing of this terminal's state matters.
fn by_hand(inside: &mut Inside, request: &TradeRequest) -> Result<Value, String> {
    let now = inside.now();
    let sent = inside.book.send(request, Handling::of(Reason::Client), now);
    let result = inside.result(&sent, request);
    if !(10_008..=10_010).contains(&sent.retcode.0) {
        return Err(format!("retcode {}: {}", sent.retcode.0, result.comment));
    }
    serde_json::to_value(&result).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelsBody {
    position: u64,
    sl: Number,
    tp: Number,
}

async fn levels(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: LevelsBody| {
        let request = TradeRequest {
            action: Action::Levels as u32,
            position: body.position,
            sl: body.sl.0,
            tp: body.tp.0,
            ..TradeRequest::default()
        };
        by_hand(inside, &request)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForceCloseBody {
    symbol: String,
}

async fn force_close(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: ForceCloseBody| {
        known(inside, &body.symbol)?;
        let now = inside.now();
        let closed = inside.book.force_close(&body.symbol, Reason::StopOut, now);
        Ok(json!({"closed": closed}))
    })
}

async fn new_day(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| {
        let now = inside.now();
        inside.book.new_day(now);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    skew_ms: i64,
}

async fn set_clock(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: ClockBody| {
        if body.skew_ms.abs() > SKEW_MAX {
            return Err(format!(
                "clock skew {} ms is above {SKEW_MAX}",
                body.skew_ms
            ));
        }
        inside.skew = body.skew_ms;
        let now = inside.now();
        inside.book.advance(now);
        Ok(json!({"time_msc": now}))
    })
}

async fn add_fault(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: FaultBody| {
        inside.faults.add(body)?;
        Ok(json!({"faults": inside.faults.rules()}))
    })
}

async fn show_faults(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| Ok(json!({"faults": inside.faults.rules()})))
}

async fn clear_faults(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| {
        inside.faults.clear();
        Ok(json!({"faults": []}))
    })
}

/// Everything that is and ever was: so that a double shows.
#[derive(Serialize)]
struct Audit {
    /// On the server's clock.
    time_msc: i64,
    account: AccountView,
    terminal: TerminalView,
    positions: Vec<PositionView>,
    orders: Vec<OrderView>,
    history_orders: Vec<OrderView>,
    deals: Vec<DealView>,
    calls: BTreeMap<String, u64>,
}

async fn audit(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| {
        let book = &inside.book;
        let orders = |orders: &mut dyn Iterator<Item = &_>| -> Vec<OrderView> {
            orders.map(|order| OrderView::of(book, order)).collect()
        };
        Ok(Audit {
            time_msc: inside.now(),
            account: inside.terminal.account(book),
            terminal: inside.terminal.view(),
            positions: book
                .positions
                .values()
                .map(|position| PositionView::of(book, position))
                .collect(),
            orders: orders(&mut book.orders.values()),
            history_orders: orders(&mut book.ended_orders.iter()),
            deals: book.deals.iter().map(DealView::of).collect(),
            calls: inside.calls.clone(),
        })
    })
}

fn known<'a>(inside: &'a mut Inside, symbol: &str) -> Result<&'a mut Symbol, String> {
    let found = inside.book.symbols.get_mut(symbol);
    found.ok_or_else(|| format!("symbol {symbol} is not known"))
}

fn with_body<T: DeserializeOwned>(
    face: &Face,
    body: &[u8],
    work: impl FnOnce(&mut Inside, T) -> Result<Value, String>,
) -> Response {
    match serde_json::from_slice(body) {
        Ok(body) => with_inside(face, |inside| work(inside, body)),
        Err(error) => refused(&format!("body can't be read: {error}")),
    }
}

fn with_inside<T: Serialize>(
    face: &Face,
    work: impl FnOnce(&mut Inside) -> Result<T, String>,
) -> Response {
    let outcome = face.lock().map(|mut inside| work(&mut inside));
    match outcome {
        Some(Ok(value)) => written(StatusCode::OK, &value),
        Some(Err(message)) => refused(&message),
        None => refused("an invariant of the stand-in broke"),
    }
}

fn refused(message: &str) -> Response {
    written(StatusCode::BAD_REQUEST, &json!({"error": message}))
}
