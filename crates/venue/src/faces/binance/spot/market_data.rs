//! Public data of the spot market: rules, prices, candles, and the events that follow each price.
//!
//! Source: Binance Spot API, "Market Data endpoints" and "WebSocket Streams".

use super::candles::{Candle, MINUTE_MICROS};
use super::exchange::SpotExchange;
use super::requests;
use super::symbols::{SpotSymbol, decimal};
use super::wire::millis;
use crate::faces::binance::Market;
use crate::faces::binance::error::ApiError;
use crate::faces::binance::service::Call;
use crate::faces::binance::state::Inside;
use crate::faces::binance::streams::PublicEvent;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Levels of the book on each side at most.
const DEPTH_MAX: i64 = 5_000;
/// What stands at each level of the book: the venue has no other traders.
const LEVEL_QUANTITY: Decimal = Decimal::from_parts(10, 0, 0, false, 0);

/// `GET /api/v3/ping`.
pub(super) fn ping(_: &mut Inside, _: &Call<'_>) -> Result<Value, ApiError> {
    Ok(json!({}))
}

/// `GET /api/v3/time`.
pub(super) fn time(_: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    Ok(json!({"serverTime": millis(call.now)}))
}

/// `GET /api/v3/exchangeInfo`.
pub(super) fn exchange_info(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let symbols: Vec<Value> = wanted(&inside.spot, call)?
        .into_iter()
        .map(SpotSymbol::shown)
        .collect();
    Ok(json!({
        "timezone": "UTC",
        "serverTime": millis(call.now),
        "rateLimits": inside.limits.rules(Market::Spot),
        "exchangeFilters": [],
        "symbols": symbols,
    }))
}

/// The symbols a client names, by `symbol` or `symbols`, else all.
fn wanted<'a>(
    exchange: &'a SpotExchange,
    call: &Call<'_>,
) -> Result<Vec<&'a SpotSymbol>, ApiError> {
    if call.params.has("symbol") {
        return Ok(vec![exchange.symbol(requests::symbol(call.params)?)?]);
    }
    match call.params.list("symbols") {
        Some(names) => names.iter().map(|name| exchange.symbol(name)).collect(),
        None => Ok(exchange.symbols.values().collect()),
    }
}

/// One row for a client that named one symbol, else an array.
fn rows(
    inside: &Inside,
    call: &Call<'_>,
    row: impl Fn(&SpotExchange, &SpotSymbol) -> Value,
) -> Result<Value, ApiError> {
    let symbols = wanted(&inside.spot, call)?;
    let mut rows: Vec<Value> = symbols
        .into_iter()
        .map(|symbol| row(&inside.spot, symbol))
        .collect();
    if call.params.has("symbol") {
        return rows
            .pop()
            .ok_or_else(|| ApiError::new(-1121, "Invalid symbol."));
    }
    Ok(Value::Array(rows))
}

/// `GET /api/v3/ticker/price`.
pub(super) fn prices(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    rows(
        inside,
        call,
        |exchange, symbol| json!({"symbol": symbol.name, "price": decimal(exchange.last_price(symbol.name))}),
    )
}

/// `GET /api/v3/ticker/bookTicker`.
pub(super) fn book_tickers(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    rows(inside, call, |exchange, symbol| {
        let (bid, ask) = quote(exchange, symbol.name);
        let quantity = decimal(LEVEL_QUANTITY);
        json!({
            "symbol": symbol.name, "bidPrice": decimal(bid), "bidQty": quantity, "askPrice": decimal(ask),
            "askQty": quantity,
        })
    })
}

/// `GET /api/v3/ticker/24hr`.
pub(super) fn day_tickers(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let now = call.now;
    rows(inside, call, |exchange, symbol| {
        let day = day(exchange, symbol.name, now);
        let (bid, ask) = quote(exchange, symbol.name);
        json!({
            "symbol": symbol.name, "priceChange": decimal(day.close - day.open),
            "priceChangePercent": percent(&day), "weightedAvgPrice": decimal(average(&day)),
            "prevClosePrice": decimal(day.open), "lastPrice": decimal(day.close),
            "lastQty": decimal(LEVEL_QUANTITY), "bidPrice": decimal(bid), "bidQty": decimal(LEVEL_QUANTITY),
            "askPrice": decimal(ask), "askQty": decimal(LEVEL_QUANTITY), "openPrice": decimal(day.open),
            "highPrice": decimal(day.high), "lowPrice": decimal(day.low), "volume": decimal(day.volume),
            "quoteVolume": decimal(day.quote_volume), "openTime": millis(now) - 86_400_000,
            "closeTime": millis(now), "firstId": 0, "lastId": day.count, "count": day.count,
        })
    })
}

/// `GET /api/v3/avgPrice`.
pub(super) fn average_price(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let symbol = inside.spot.symbol(requests::symbol(call.params)?)?.name;
    let price = decimal(inside.spot.last_price(symbol));
    Ok(json!({"mins": 5, "price": price, "closeTime": millis(call.now)}))
}

/// `GET /api/v3/depth`.
pub(super) fn depth(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let symbol = inside.spot.symbol(requests::symbol(call.params)?)?;
    let levels = call
        .params
        .integer("limit")?
        .unwrap_or(100)
        .clamp(1, DEPTH_MAX);
    let (bid, ask) = quote(&inside.spot, symbol.name);
    let side = |from: Decimal, step: Decimal| {
        let prices = (0..levels).map(|level| from + step * Decimal::from(level));
        let shown = prices.filter(|price| *price > Decimal::ZERO);
        shown
            .map(|price| json!([decimal(price), decimal(LEVEL_QUANTITY)]))
            .collect::<Vec<_>>()
    };
    Ok(json!({
        "lastUpdateId": call.now.0, "bids": side(bid, -symbol.tick), "asks": side(ask, symbol.tick),
    }))
}

/// `GET /api/v3/klines`.
pub(super) fn klines(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let symbol = inside.spot.symbol(requests::symbol(call.params)?)?.name;
    let minutes = match call.params.require("interval")? {
        "1m" => 1,
        "3m" => 3,
        "5m" => 5,
        "15m" => 15,
        "30m" => 30,
        "1h" => 60,
        "2h" => 120,
        "4h" => 240,
        "6h" => 360,
        "8h" => 480,
        "12h" => 720,
        "1d" => 1_440,
        _ => return Err(ApiError::new(-1120, "Invalid interval.")),
    };
    let limit = call.params.integer("limit")?.unwrap_or(500).clamp(1, 1_000);
    let limit = usize::try_from(limit).unwrap_or_default();
    let (start, end) = (
        call.params.integer("startTime")?,
        call.params.integer("endTime")?,
    );
    let candles = inside.spot.candles.get(symbol).cloned().unwrap_or_default();
    let within: Vec<Candle> = candles
        .of_minutes(minutes)
        .into_iter()
        .filter(|candle| start.is_none_or(|start| millis(candle.from) >= start))
        .filter(|candle| end.is_none_or(|end| millis(candle.from) <= end))
        .collect();
    let skipped = if start.is_some() {
        0
    } else {
        within.len().saturating_sub(limit)
    };
    let shown = within.iter().skip(skipped).take(limit);
    Ok(shown
        .map(|candle| {
            json!([
                millis(candle.from),
                decimal(candle.open),
                decimal(candle.high),
                decimal(candle.low),
                decimal(candle.close),
                decimal(candle.volume),
                millis(Micros(candle.from.0 + minutes * MINUTE_MICROS)) - 1,
                decimal(candle.quote_volume),
                candle.count,
                decimal(candle.volume),
                decimal(candle.quote_volume),
                "0",
            ])
        })
        .collect())
}

/// The public events of a price that was just told.
pub(super) fn events(exchange: &SpotExchange, symbol: &str, now: Micros) -> Vec<PublicEvent> {
    let lower = symbol.to_ascii_lowercase();
    let (bid, ask) = quote(exchange, symbol);
    let price = decimal(exchange.last_price(symbol));
    let quantity = decimal(LEVEL_QUANTITY);
    let (moment, number) = (millis(now), now.0);
    let day = day(exchange, symbol, now);
    let mini = mini_ticker(symbol, &day, now);
    let mut events = vec![
        (
            format!("{lower}@bookTicker"),
            json!({
                "u": number, "s": symbol, "b": decimal(bid), "B": quantity, "a": decimal(ask), "A": quantity,
            }),
        ),
        (
            format!("{lower}@trade"),
            json!({
                "e": "trade", "E": moment, "s": symbol, "t": number, "p": price, "q": quantity, "T": moment,
                "m": false, "M": true,
            }),
        ),
        (
            format!("{lower}@aggTrade"),
            json!({
                "e": "aggTrade", "E": moment, "s": symbol, "a": number, "p": price, "q": quantity, "f": number,
                "l": number, "T": moment, "m": false, "M": true,
            }),
        ),
        (
            format!("{lower}@ticker"),
            ticker(symbol, &day, (bid, ask), now),
        ),
        (format!("{lower}@miniTicker"), mini.clone()),
        ("!miniTicker@arr".to_owned(), json!([mini])),
    ];
    if let Some(candle) = exchange
        .candles
        .get(symbol)
        .and_then(|candles| candles.last())
    {
        events.push((format!("{lower}@kline_1m"), kline(symbol, candle, now)));
    }
    let event = |(stream, event)| PublicEvent { stream, event };
    events.into_iter().map(event).collect()
}

fn mini_ticker(symbol: &str, day: &Candle, now: Micros) -> Value {
    json!({
        "e": "24hrMiniTicker", "E": millis(now), "s": symbol, "c": decimal(day.close), "o": decimal(day.open),
        "h": decimal(day.high), "l": decimal(day.low), "v": decimal(day.volume), "q": decimal(day.quote_volume),
    })
}

fn ticker(symbol: &str, day: &Candle, (bid, ask): (Decimal, Decimal), now: Micros) -> Value {
    let quantity = decimal(LEVEL_QUANTITY);
    json!({
        "e": "24hrTicker", "E": millis(now), "s": symbol, "p": decimal(day.close - day.open), "P": percent(day),
        "w": decimal(average(day)), "x": decimal(day.open), "c": decimal(day.close), "Q": quantity,
        "b": decimal(bid), "B": quantity, "a": decimal(ask), "A": quantity, "o": decimal(day.open),
        "h": decimal(day.high), "l": decimal(day.low), "v": decimal(day.volume), "q": decimal(day.quote_volume),
        "O": millis(now) - 86_400_000, "C": millis(now), "F": 0, "L": day.count, "n": day.count,
    })
}

fn kline(symbol: &str, candle: &Candle, now: Micros) -> Value {
    json!({
        "e": "kline", "E": millis(now), "s": symbol,
        "k": {
            "t": millis(candle.from), "T": millis(Micros(candle.from.0 + MINUTE_MICROS)) - 1, "s": symbol,
            "i": "1m", "f": 0, "L": candle.count, "o": decimal(candle.open), "c": decimal(candle.close),
            "h": decimal(candle.high), "l": decimal(candle.low), "v": decimal(candle.volume),
            "n": candle.count, "x": false, "q": decimal(candle.quote_volume), "V": decimal(candle.volume),
            "Q": decimal(candle.quote_volume), "B": "0",
        },
    })
}

/// Best bid and ask; the last price before any is known.
fn quote(exchange: &SpotExchange, symbol: &str) -> (Decimal, Decimal) {
    let last = exchange.last_price(symbol);
    exchange.venue.bid_and_ask(symbol).unwrap_or((last, last))
}

fn day(exchange: &SpotExchange, symbol: &str, now: Micros) -> Candle {
    let day = exchange
        .candles
        .get(symbol)
        .and_then(|candles| candles.day(now));
    let last = exchange.last_price(symbol);
    day.unwrap_or_else(|| Candle::starting(now, last))
}

fn percent(day: &Candle) -> String {
    let change = (day.close - day.open)
        .checked_div(day.open)
        .unwrap_or_default();
    format!("{:.3}", change * Decimal::ONE_HUNDRED)
}

fn average(day: &Candle) -> Decimal {
    let average = day.quote_volume.checked_div(day.volume);
    average.unwrap_or(day.close).round_dp(8)
}
