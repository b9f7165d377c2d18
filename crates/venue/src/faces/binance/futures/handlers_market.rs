//! Answers about the market: time, rules, prices, book and candles.

use super::super::Market;
use super::super::params::Params;
use super::super::service::Call;
use super::super::state::Inside;
use super::events::milliseconds;
use super::handlers_orders::Answered;
use super::parse;
use super::symbols::FuturesSymbol;
use crate::time::Micros;
use serde_json::{Value, json};

/// `GET /fapi/v1/ping`.
pub(super) fn ping(_: &mut Inside, _: &Call<'_>) -> Answered {
    Ok(json!({}))
}

/// `GET /fapi/v1/time`.
pub(super) fn time(_: &mut Inside, call: &Call<'_>) -> Answered {
    Ok(json!({"serverTime": milliseconds(call.now)}))
}

/// `GET /fapi/v1/exchangeInfo`.
pub(super) fn exchange_info(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let rate_limits = inside.limits.rules(Market::Futures);
    Ok(inside.futures.exchange_info(&rate_limits, call.now))
}

/// `GET /fapi/v1|v2/ticker/price`, `ticker.price`.
pub(super) fn price(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let exchange = &inside.futures;
    for_symbol(inside, call, |rules, now| exchange.price_ticker(rules, now))
}

/// `GET /fapi/v1/ticker/bookTicker`, `ticker.book`.
pub(super) fn book(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let exchange = &inside.futures;
    for_symbol(inside, call, |rules, now| exchange.book_ticker(rules, now))
}

/// `GET /fapi/v1/premiumIndex`.
pub(super) fn premium_index(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let exchange = &inside.futures;
    for_symbol(inside, call, |rules, now| {
        exchange.premium_index(rules, now)
    })
}

/// `GET /fapi/v1/ticker/24hr`.
pub(super) fn day(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let exchange = &inside.futures;
    for_symbol(inside, call, |rules, now| exchange.day_ticker(rules, now))
}

fn for_symbol(
    inside: &Inside,
    call: &Call<'_>,
    show: impl Fn(&FuturesSymbol, Micros) -> Value,
) -> Answered {
    let symbol = call.params.text("symbol");
    let shown = inside
        .futures
        .for_symbol(symbol, |rules| show(rules, call.now));
    Ok(shown?)
}

/// `GET /fapi/v1/depth`, `depth`.
pub(super) fn depth(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let limit = call.params.integer("limit")?.unwrap_or(500);
    Ok(inside.futures.depth(symbol, limit, call.now)?)
}

/// `GET /fapi/v1/klines`.
pub(super) fn klines(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let interval = call.params.require("interval")?;
    let limit = parse::limit(call.params, 500, 1_500)?;
    let window = (
        call.params.integer("startTime")?,
        call.params.integer("endTime")?,
    );
    let limit = i64::try_from(limit).ok();
    let exchange = &inside.futures;
    Ok(exchange.klines(symbol, interval, limit, window, call.now)?)
}

/// `GET /fapi/v1/fundingRate`: nothing is ever funded here.
pub(super) fn no_rows(_: &mut Inside, _: &Call<'_>) -> Answered {
    Ok(json!([]))
}

/// The weight of a request about one symbol or, without one, about all.
pub(super) fn weight_of_symbol(params: &Params, one: u32, all: u32) -> u32 {
    if params.has("symbol") { one } else { all }
}

/// The weight of a book of that depth.
pub(super) fn weight_of_depth(params: &Params) -> u32 {
    match params.integer("limit").ok().flatten().unwrap_or(500) {
        ..=50 => 2,
        51..=100 => 5,
        101..=500 => 10,
        501.. => 20,
    }
}

/// The weight of so many candles.
pub(super) fn weight_of_klines(params: &Params) -> u32 {
    match params.integer("limit").ok().flatten().unwrap_or(500) {
        ..=99 => 1,
        100..=499 => 2,
        500..=1_000 => 5,
        1_001.. => 10,
    }
}
