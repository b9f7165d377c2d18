//! The package's functions: what the terminal answers to each.

use super::book::Book;
use super::codes::{LastError, Retcode};
use super::history::{Filter, in_group, text};
use super::kinds::{Reason, Side};
use super::number::{decimal, double};
use super::placing::{Handling, Sent};
use super::request::TradeRequest;
use super::state::Inside;
use super::symbols::Symbol;
use super::wire::{CheckResult, DealView, OrderView, PositionView, SendResult};
use super::wire_symbol::{SymbolView, TickView};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// What a call answers: the value (none for the package's `None`), and what `last_error()` gives afterwards.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) value: Option<Box<RawValue>>,
    pub(super) error: LastError,
}

impl Answer {
    pub(super) fn value(value: &impl Serialize) -> Answer {
        Answer::with(value, LastError::success())
    }

    pub(super) fn none(error: LastError) -> Answer {
        Answer { value: None, error }
    }

    fn with(value: &impl Serialize, error: LastError) -> Answer {
        // Nothing that is answered here can fail to be written; if it did, it would be the package's `None`.
        Answer {
            value: to_raw_value(value).ok(),
            error,
        }
    }
}

/// One call, with what faults make of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    pub(super) arguments: Map<String, Value>,
    /// What the broker writes as comment in place of the request's.
    pub(super) comment: Option<String>,
    /// The part of a market order that the market takes at most.
    pub(super) share: Option<Decimal>,
    /// How many milliseconds the history lags behind.
    pub(super) history_lag: i64,
}

type Work = fn(&mut Inside, &Call) -> Result<Answer, LastError>;

/// All functions by their names. The last two are not the package's but MQL5's.
const FUNCTIONS: [(&str, Work); 25] = [
    ("initialize", log_in),
    ("login", log_in),
    ("shutdown", |_, _| Ok(Answer::none(LastError::success()))),
    ("version", |_, _| {
        Ok(Answer::value(&(500, BUILD, "23 Oct 2026")))
    }),
    ("terminal_info", terminal_info),
    ("account_info", account_info),
    ("symbols_total", |inside, _| {
        Ok(Answer::value(&inside.book.symbols.len()))
    }),
    ("symbols_get", symbols_get),
    ("symbol_info", symbol_info),
    ("symbol_info_tick", symbol_info_tick),
    ("symbol_select", symbol_select),
    ("orders_total", |inside, _| {
        Ok(Answer::value(&inside.seen().orders.len()))
    }),
    ("orders_get", orders_get),
    ("positions_total", |inside, _| {
        Ok(Answer::value(&inside.seen().positions.len()))
    }),
    ("positions_get", positions_get),
    ("order_check", order_check),
    ("order_send", order_send),
    ("order_calc_margin", order_calc_margin),
    ("order_calc_profit", order_calc_profit),
    ("history_orders_total", history_orders_total),
    ("history_orders_get", history_orders_get),
    ("history_deals_total", history_deals_total),
    ("history_deals_get", history_deals_get),
    ("session_trade", session_trade),
    ("transactions", transactions),
];

/// The terminal's build that is pretended.
pub(super) const BUILD: u32 = 5_260;

/// Whether there is a function of that name.
pub(super) fn is_known(function: &str) -> bool {
    FUNCTIONS.iter().any(|(name, _)| *name == function)
}

/// Carries a call out.
pub(super) fn perform(inside: &mut Inside, function: &str, call: &Call) -> Answer {
    let work = FUNCTIONS.iter().find(|(name, _)| *name == function);
    let answer = match work {
        Some((_, work)) => work(inside, call),
        None => Err(LastError::of(-7)),
    };
    answer.unwrap_or_else(Answer::none)
}

/// Also `initialize`: with a login and a server they have to be the terminal's, and log it in again.
fn log_in(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let login = call
        .arguments
        .get("login")
        .and_then(Value::as_u64)
        .filter(|login| *login != 0);
    let server = text(&call.arguments, "server")?;
    let terminal = &mut inside.terminal;
    let is_other = login.is_some_and(|login| login != terminal.login)
        || server.is_some_and(|server| server != terminal.server);
    if is_other || (login.is_none() && !terminal.logged_in) {
        return Ok(Answer::with(&false, LastError::of(-6)));
    }
    terminal.logged_in = true;
    inside.keep_view();
    Ok(Answer::value(&true))
}

fn terminal_info(inside: &mut Inside, _: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&inside.terminal.view()))
}

fn account_info(inside: &mut Inside, _: &Call) -> Result<Answer, LastError> {
    if !inside.terminal.logged_in {
        return Err(LastError::of(-6));
    }
    Ok(Answer::value(&inside.terminal.account(inside.seen())))
}

fn symbols_get(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let group = text(&call.arguments, "group")?;
    let chosen: Vec<SymbolView> = inside
        .seen()
        .symbols
        .values()
        .filter(|symbol| {
            group
                .as_deref()
                .is_none_or(|group| in_group(group, &symbol.name))
        })
        .map(SymbolView::of)
        .collect();
    Ok(Answer::value(&chosen))
}

fn named(call: &Call) -> Result<String, LastError> {
    text(&call.arguments, "symbol")?.ok_or_else(LastError::invalid_arguments)
}

fn find<'a>(book: &'a Book, call: &Call) -> Result<&'a Symbol, LastError> {
    let name = named(call)?;
    book.symbols.get(&name).ok_or_else(|| LastError::of(-4))
}

fn symbol_info(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&SymbolView::of(find(inside.seen(), call)?)))
}

fn symbol_info_tick(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&TickView::of(find(inside.seen(), call)?)))
}

fn symbol_select(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let name = named(call)?;
    let enable = match call.arguments.get("enable") {
        None | Some(Value::Null) => true,
        Some(value) => value
            .as_bool()
            .ok_or_else(|| LastError::invalid("enable"))?,
    };
    let is_in_use = inside.book.is_in_use(&name);
    let known = inside
        .books()
        .filter_map(|book| book.symbols.get_mut(&name));
    let mut done = false;
    for symbol in known {
        done = enable || !is_in_use;
        symbol.selected = enable || (is_in_use && symbol.selected);
    }
    let error = if done {
        LastError::success()
    } else {
        LastError::of(-1)
    };
    Ok(Answer::with(&done, error))
}

fn orders_get(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let filter = Filter::parse(&call.arguments)?;
    let book = inside.seen();
    let chosen: Vec<OrderView> = book
        .orders
        .values()
        .filter(|order| filter.passes_symbol(&order.symbol))
        .filter(|order| filter.ticket.is_none_or(|only| only == order.ticket))
        .map(|order| OrderView::of(book, order))
        .collect();
    Ok(Answer::value(&chosen))
}

fn positions_get(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let filter = Filter::parse(&call.arguments)?;
    let book = inside.seen();
    let chosen: Vec<PositionView> = book
        .positions
        .values()
        .filter(|position| filter.passes_symbol(&position.symbol))
        .filter(|position| filter.ticket.is_none_or(|only| only == position.ticket))
        .map(|position| PositionView::of(book, position))
        .collect();
    Ok(Answer::value(&chosen))
}

fn request(call: &Call) -> Result<TradeRequest, LastError> {
    let fields = call.arguments.get("request").and_then(Value::as_object);
    TradeRequest::parse(fields.ok_or_else(LastError::invalid_arguments)?)
}

fn order_check(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let request = request(call)?;
    let now = inside.now();
    let before = inside.seen();
    let retcode = before
        .check(&request, now)
        .err()
        .unwrap_or(Retcode::CHECKED);
    let mut after = before.clone();
    after.send(&request, Handling::of(Reason::Expert), now);
    Ok(Answer::value(&CheckResult::of(
        before, &request, retcode, &after,
    )))
}

fn order_send(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    if inside.terminal.tradeapi_disabled {
        return Err(LastError::of(-8));
    }
    let request = request(call)?;
    Ok(Answer::value(&send(inside, &request, call)))
}

/// Sends a request to the trade server, as far as terminal and account let programs trade.
fn send(inside: &mut Inside, request: &TradeRequest, call: &Call) -> SendResult {
    let sent = match inside.terminal.refusal() {
        Some(retcode) => Sent::only(retcode),
        None => at_server(inside, request, call),
    };
    inside.result(&sent, request)
}

fn at_server(inside: &mut Inside, request: &TradeRequest, call: &Call) -> Sent {
    let now = inside.now();
    let mut executed = request.clone();
    if let Some(comment) = &call.comment {
        executed.comment.clone_from(comment);
    }
    let handling = Handling {
        reason: Reason::Expert,
        share: call.share,
    };
    inside.book.send(&executed, handling, now)
}

/// Carries out a request that has left the terminal before: nothing of the terminal's state matters any more.
pub(super) fn arrive(inside: &mut Inside, call: &Call) {
    if let Ok(request) = request(call) {
        at_server(inside, &request, call);
    }
}

/// What the trade server is made to say about a request that it has not looked at.
pub(super) fn false_result(inside: &mut Inside, call: &Call, retcode: Retcode) -> Answer {
    match request(call) {
        Ok(request) => Answer::value(&inside.result(&Sent::only(retcode), &request)),
        Err(error) => Answer::none(error),
    }
}

fn side(call: &Call) -> Result<Side, LastError> {
    match call.arguments.get("action").and_then(Value::as_u64) {
        Some(0) => Ok(Side::Buy),
        Some(1) => Ok(Side::Sell),
        Some(_) | None => Err(LastError::invalid("action")),
    }
}

fn number(call: &Call, name: &str) -> Result<Decimal, LastError> {
    let given = call
        .arguments
        .get(name)
        .and_then(Value::as_f64)
        .and_then(decimal);
    given.ok_or_else(|| LastError::invalid(name))
}

fn order_calc_margin(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    side(call)?;
    let book = inside.seen();
    let symbol = find(book, call)?;
    let margin = symbol.margin(
        number(call, "volume")?,
        number(call, "price")?,
        book.leverage,
    );
    Ok(Answer::value(&double(margin)))
}

fn order_calc_profit(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let side = side(call)?;
    let symbol = find(inside.seen(), call)?;
    let prices = (number(call, "price_open")?, number(call, "price_close")?);
    let profit = symbol.profit(side, number(call, "volume")?, prices.0, prices.1);
    Ok(Answer::value(&double(profit)))
}

fn ended_orders(inside: &Inside, call: &Call) -> Result<Vec<OrderView>, LastError> {
    let filter = history_filter(call)?;
    let newest = inside.now() - call.history_lag;
    let book = inside.seen();
    let chosen = book.ended_orders.iter().filter(|order| {
        filter.passes_history(order.ticket, order.position_id, order.done_at)
            && filter.passes_symbol(&order.symbol)
            && (call.history_lag == 0 || order.done_at <= newest)
    });
    Ok(chosen.map(|order| OrderView::of(book, order)).collect())
}

/// A deal's ticket argument is that of its order (MQL5 Reference, "Python integration", `history_deals_get`).
fn deals(inside: &Inside, call: &Call) -> Result<Vec<DealView>, LastError> {
    let filter = history_filter(call)?;
    let newest = inside.now() - call.history_lag;
    let chosen = inside.seen().deals.iter().filter(|deal| {
        filter.passes_history(deal.order, deal.position_id, deal.at)
            && filter.passes_symbol(&deal.symbol)
            && (call.history_lag == 0 || deal.at <= newest)
    });
    Ok(chosen.map(DealView::of).collect())
}

fn history_filter(call: &Call) -> Result<Filter, LastError> {
    let filter = Filter::parse(&call.arguments)?;
    if filter.is_for_history() {
        Ok(filter)
    } else {
        Err(LastError::invalid_arguments())
    }
}

fn history_orders_get(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&ended_orders(inside, call)?))
}

fn history_orders_total(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&ended_orders(inside, call)?.len()))
}

fn history_deals_get(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&deals(inside, call)?))
}

fn history_deals_total(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&deals(inside, call)?.len()))
}

/// Whether the symbol's trade session is open now: MQL5's `SymbolInfoSessionTrade`, asked for this moment.
fn session_trade(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    Ok(Answer::value(&find(inside.seen(), call)?.session_open))
}

/// What `OnTradeTransaction` would have been told since a number.
fn transactions(inside: &mut Inside, call: &Call) -> Result<Answer, LastError> {
    let after = call
        .arguments
        .get("after")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    Ok(Answer::value(&inside.seen().transactions.after(after)))
}
