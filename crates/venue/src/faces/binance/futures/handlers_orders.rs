//! Answers about orders: placing, changing, cancelling and finding them, regular and conditional.

use super::super::error::ApiError;
use super::super::faults::partial_fill;
use super::super::params::Params;
use super::super::service::Call;
use super::super::state::Inside;
use super::order::{AlgoKey, FuturesOrder, OrderId, OrderKey};
use super::refusal::Refusal;
use super::wire::{self, ResponseType};
use super::{FuturesExchange, parse};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Orders of one batch at most.
const BATCH_MAX: usize = 5;
/// Cancellations of one batch at most.
const CANCEL_BATCH_MAX: usize = 10;

pub(super) type Answered = Result<Value, ApiError>;

/// `POST /fapi/v1/order`, `order.place`.
pub(super) fn place(inside: &mut Inside, call: &Call<'_>) -> Answered {
    place_one(inside, call, call.params)
}

fn place_one(inside: &mut Inside, call: &Call<'_>, params: &Params) -> Answered {
    let ticket = parse::order_ticket(params)?;
    let response = parse::response_type(params)?;
    let exchange = &mut inside.futures;
    let share = partial_fill(call.faults);
    if let Some(share) = share {
        exchange.starve_next_market_order(share);
    }
    let placed = exchange.place(call.account(), &ticket, call.now);
    if share.is_some() {
        // A refused order must not leave the next one to starve.
        exchange.feed_market_orders();
    }
    answer(exchange, call.account(), placed?, response)
}

/// `POST /fapi/v1/order/test`: all checks, no order.
pub(super) fn test(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let ticket = parse::order_ticket(call.params)?;
    parse::response_type(call.params)?;
    let exchange = &inside.futures;
    let order = exchange.check(call.account(), &ticket, call.now)?;
    let rules = exchange.rules(&order.symbol)?;
    Ok(wire::order_answer(rules, &order, ResponseType::Ack))
}

/// `PUT /fapi/v1/order`, `order.modify`.
pub(super) fn modify(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let key = parse::order_key(call.params)?;
    let ticket = parse::modify_ticket(call.params)?;
    let exchange = &mut inside.futures;
    let id = exchange.modify(call.account(), &ticket, &key, call.now)?;
    answer(exchange, call.account(), id, ResponseType::Result)
}

/// `DELETE /fapi/v1/order`, `order.cancel`.
pub(super) fn cancel(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let key = parse::order_key(call.params)?;
    cancel_one(inside, call, symbol, &key)
}

fn cancel_one(inside: &mut Inside, call: &Call<'_>, symbol: &str, key: &OrderKey) -> Answered {
    let exchange = &mut inside.futures;
    let id = exchange.cancel(call.account(), symbol, key, call.now)?;
    answer(exchange, call.account(), id, ResponseType::Result)
}

/// `DELETE /fapi/v1/allOpenOrders`: regular orders only.
pub(super) fn cancel_all(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let exchange = &mut inside.futures;
    exchange.cancel_all(call.account(), symbol, call.now)?;
    Ok(all_cancelled())
}

fn all_cancelled() -> Value {
    json!({"code": 200, "msg": "The operation of cancel all open order is done."})
}

/// `POST /fapi/v1/batchOrders`: each order has its own outcome.
pub(super) fn place_batch(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let text = call.params.require("batchOrders")?;
    let items: Vec<Box<RawValue>> =
        serde_json::from_str(text).map_err(|_| ApiError::invalid_data("batchOrders"))?;
    if items.is_empty() || items.len() > BATCH_MAX {
        let message = "Invalid number of batch place orders.";
        return Err(ApiError::new(-4082, message));
    }
    let outcomes = items.into_iter().map(|item| {
        let placed =
            Params::from_json(Some(&item)).and_then(|params| place_one(inside, call, &params));
        placed.unwrap_or_else(|error| error.body())
    });
    Ok(outcomes.collect())
}

/// `DELETE /fapi/v1/batchOrders`: each order has its own outcome.
pub(super) fn cancel_batch(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let keys: Vec<OrderKey> = match call.params.text("orderIdList") {
        Some(text) => {
            let ids: Vec<u64> =
                serde_json::from_str(text).map_err(|_| ApiError::invalid_data("orderIdList"))?;
            ids.into_iter()
                .map(|id| OrderKey::Id(OrderId(id)))
                .collect()
        }
        None => {
            let names = call
                .params
                .list("origClientOrderIdList")
                .unwrap_or_default();
            names.into_iter().map(OrderKey::Client).collect()
        }
    };
    if keys.is_empty() {
        return Err(ApiError::one_of("orderIdList", "origClientOrderIdList"));
    }
    if keys.len() > CANCEL_BATCH_MAX {
        return Err(ApiError::new(-4032, "Exceed maximum cancel order size."));
    }
    let outcomes = keys.iter().map(|key| {
        let cancelled = cancel_one(inside, call, symbol, key);
        cancelled.unwrap_or_else(|error| error.body())
    });
    Ok(outcomes.collect())
}

/// `GET /fapi/v1/order`, `order.status`.
pub(super) fn find(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let order = found(inside, call)?;
    Ok(inside.futures.show(order)?)
}

/// `GET /fapi/v1/openOrder`.
pub(super) fn find_open(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let order = found(inside, call)?;
    if !order.status.is_open() {
        return Err(Refusal::no_such_order().into());
    }
    Ok(inside.futures.show(order)?)
}

fn found<'a>(inside: &'a Inside, call: &Call<'_>) -> Result<&'a FuturesOrder, ApiError> {
    let symbol = call.params.require("symbol")?;
    let key = parse::order_key(call.params)?;
    inside.futures.rules(symbol)?;
    if call.pretends_absent() {
        return Err(Refusal::no_such_order().into());
    }
    Ok(inside.futures.find(call.account(), symbol, &key)?)
}

/// `GET /fapi/v1/openOrders`.
pub(super) fn open(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = known_symbol(inside, call)?;
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    if call.pretends_absent() {
        return Ok(json!([]));
    }
    let orders = books
        .open_orders()
        .filter(|order| symbol.is_none_or(|symbol| symbol == order.symbol));
    let shown: Result<Value, Refusal> = orders.map(|order| exchange.show(order)).collect();
    Ok(shown?)
}

/// `GET /fapi/v1/allOrders`: oldest first; the newest ones, or those from a number on.
pub(super) fn all(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = known_symbol(inside, call)?;
    let window = parse::window(call.params)?;
    let limit = parse::limit(call.params, 500, 1_000)?;
    let from = call.params.integer("orderId")?.map(i64::unsigned_abs);
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    if call.pretends_absent() {
        return Ok(json!([]));
    }
    let orders = books.orders.values().filter(|order| {
        symbol.is_none_or(|symbol| symbol == order.symbol)
            && from.is_none_or(|from| order.id.0 >= from)
            && wire::within(order.created, window)
    });
    let orders: Vec<&FuturesOrder> = orders.collect();
    let chosen = page(&orders, from.is_some() || window.0.is_some(), limit);
    let shown: Result<Value, Refusal> = chosen.iter().map(|order| exchange.show(order)).collect();
    Ok(shown?)
}

/// The first or the last rows of a list.
pub(super) fn page<T>(rows: &[T], from_the_start: bool, limit: usize) -> &[T] {
    let length = rows.len();
    if from_the_start {
        &rows[..limit.min(length)]
    } else {
        &rows[length.saturating_sub(limit)..]
    }
}

/// The symbol of a request that may leave it out (-1121).
pub(super) fn known_symbol<'a>(
    inside: &Inside,
    call: &Call<'a>,
) -> Result<Option<&'a str>, ApiError> {
    let symbol = call.params.text("symbol");
    if let Some(symbol) = symbol {
        inside.futures.rules(symbol)?;
    }
    Ok(symbol)
}

/// `POST /fapi/v1/algoOrder`, `algoOrder.place`.
pub(super) fn place_algo(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let ticket = parse::algo_ticket(call.params)?;
    let exchange = &mut inside.futures;
    let id = exchange.place_algo(call.account(), &ticket, call.now)?;
    if let Some(share) = partial_fill(call.faults) {
        exchange.starve_next_market_order(share);
    }
    let algo = exchange.find_algo(call.account(), &AlgoKey::Id(id))?;
    Ok(wire::algo_placed(exchange.rules(&algo.symbol)?, algo))
}

/// `DELETE /fapi/v1/algoOrder`, `algoOrder.cancel`.
pub(super) fn cancel_algo(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let key = parse::algo_key(call.params)?;
    let exchange = &mut inside.futures;
    let id = exchange.cancel_algo(call.account(), &key, call.now)?;
    let algo = exchange.find_algo(call.account(), &AlgoKey::Id(id))?;
    Ok(wire::algo_cancelled(algo))
}

/// `DELETE /fapi/v1/algoOpenOrders`.
pub(super) fn cancel_all_algos(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let exchange = &mut inside.futures;
    exchange.cancel_all_algos(call.account(), symbol, call.now)?;
    Ok(all_cancelled())
}

/// `GET /fapi/v1/algoOrder`.
pub(super) fn find_algo(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let key = parse::algo_key(call.params)?;
    if call.pretends_absent() {
        return Err(Refusal::no_such_order().into());
    }
    let exchange = &inside.futures;
    let algo = exchange.find_algo(call.account(), &key)?;
    let books = exchange.account(call.account())?;
    Ok(exchange.show_algo(books, algo)?)
}

/// `GET /fapi/v1/openAlgoOrders`.
pub(super) fn open_algos(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = known_symbol(inside, call)?;
    let wanted = call.params.integer("algoId")?.map(i64::unsigned_abs);
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    if call.pretends_absent() {
        return Ok(json!([]));
    }
    let algos = books.open_algos().filter(|algo| {
        symbol.is_none_or(|symbol| symbol == algo.symbol) && wanted.is_none_or(|id| id == algo.id.0)
    });
    let shown: Result<Value, Refusal> = algos.map(|algo| exchange.show_algo(books, algo)).collect();
    Ok(shown?)
}

/// `GET /fapi/v1/allAlgoOrders`.
pub(super) fn all_algos(inside: &mut Inside, call: &Call<'_>) -> Answered {
    call.params.require("symbol")?;
    let symbol = known_symbol(inside, call)?;
    let window = parse::window(call.params)?;
    let limit = parse::limit(call.params, 500, 1_000)?;
    let from = call.params.integer("algoId")?.map(i64::unsigned_abs);
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    if call.pretends_absent() {
        return Ok(json!([]));
    }
    let algos = books.algos.values().filter(|algo| {
        symbol.is_none_or(|symbol| symbol == algo.symbol)
            && from.is_none_or(|from| algo.id.0 >= from)
            && wire::within(algo.created, window)
    });
    let algos: Vec<_> = algos.collect();
    let chosen = page(&algos, from.is_some() || window.0.is_some(), limit);
    let shown: Result<Value, Refusal> = chosen
        .iter()
        .map(|algo| exchange.show_algo(books, algo))
        .collect();
    Ok(shown?)
}

/// An order as placing, changing and cancelling answer.
fn answer(
    exchange: &FuturesExchange,
    account: &str,
    id: OrderId,
    response: ResponseType,
) -> Answered {
    let books = exchange.account(account)?;
    let order = books.orders.get(&id).ok_or_else(Refusal::internal)?;
    let rules = exchange.rules(&order.symbol)?;
    Ok(wire::order_answer(rules, order, response))
}
