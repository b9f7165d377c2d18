//! Market data as JSON: rules, tickers, book, candles, and the public streams.

use super::account::MAINTENANCE_RATE;
use super::candles::{Candle, MINUTE_MS};
use super::events::milliseconds;
use super::exchange::FuturesExchange;
use super::order::TimeInForce;
use super::refusal::Refusal;
use super::symbols::{
    FuturesSymbol, OPEN_ALGO_ORDERS_MAX, OPEN_ORDERS_PER_SYMBOL_MAX, fixed, plain,
};
use super::wire::order_types;
use crate::hash;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Candles of one answer at most.
const KLINES_MAX: usize = 1_500;
/// The moment at which a perpetual contract is delivered: never, as Binance writes it.
const NEVER_MS: i64 = 4_133_404_800_000;
/// The times between two fundings, in milliseconds: eight hours.
const FUNDING_MS: i64 = 28_800_000;
/// The depths of a book that can be asked for.
const DEPTHS: [i64; 7] = [5, 10, 20, 50, 100, 500, 1_000];

/// A public event: the stream's name and what it says.
pub(crate) type Told = (String, Value);

/// Intervals of candles and their lengths in minutes.
pub(crate) const INTERVALS: [(&str, i64); 13] = [
    ("1m", 1),
    ("3m", 3),
    ("5m", 5),
    ("15m", 15),
    ("30m", 30),
    ("1h", 60),
    ("2h", 120),
    ("4h", 240),
    ("6h", 360),
    ("8h", 480),
    ("12h", 720),
    ("1d", 1_440),
    ("1w", 10_080),
];

impl FuturesExchange {
    /// `GET /fapi/v1/exchangeInfo`, without the rate limits.
    pub(crate) fn exchange_info(&self, rate_limits: &Value, now: Micros) -> Value {
        let symbols: Vec<Value> = self.symbols.values().map(symbol_info).collect();
        json!({
            "timezone": "UTC",
            "serverTime": milliseconds(now),
            "futuresType": "U_MARGINED",
            "rateLimits": rate_limits,
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": true, "autoAssetExchange": "-10000"}],
            "symbols": symbols,
        })
    }

    /// What `show` makes of one symbol, or of all of them as a list.
    pub(crate) fn for_symbol(
        &self,
        symbol: Option<&str>,
        show: impl Fn(&FuturesSymbol) -> Value,
    ) -> Result<Value, Refusal> {
        match symbol {
            Some(symbol) => self.rules(symbol).map(show),
            None => Ok(self.symbols.values().map(show).collect()),
        }
    }

    pub(crate) fn price_ticker(&self, rules: &FuturesSymbol, now: Micros) -> Value {
        let price = rules.price_text(self.last_price(&rules.symbol));
        json!({"symbol": rules.symbol, "price": price, "time": milliseconds(now)})
    }

    pub(crate) fn book_ticker(&self, rules: &FuturesSymbol, now: Micros) -> Value {
        let (bid, ask) = self.bid_and_ask(&rules.symbol);
        json!({
            "symbol": rules.symbol,
            "bidPrice": rules.price_text(bid),
            "bidQty": rules.quantity_text(level_quantity(rules, bid)),
            "askPrice": rules.price_text(ask),
            "askQty": rules.quantity_text(level_quantity(rules, ask)),
            "time": milliseconds(now),
            "lastUpdateId": milliseconds(now),
        })
    }

    pub(crate) fn premium_index(&self, rules: &FuturesSymbol, now: Micros) -> Value {
        let mark = fixed(self.mark_price(&rules.symbol), 8);
        json!({
            "symbol": rules.symbol,
            "markPrice": mark,
            "indexPrice": mark,
            "estimatedSettlePrice": mark,
            "lastFundingRate": "0.00010000",
            "interestRate": "0.00010000",
            "nextFundingTime": next_funding(now),
            "time": milliseconds(now),
        })
    }

    /// `GET /fapi/v1/depth`: so many levels, a tick apart (-4021).
    pub(crate) fn depth(&self, symbol: &str, limit: i64, now: Micros) -> Result<Value, Refusal> {
        let rules = self.rules(symbol)?;
        if !DEPTHS.contains(&limit) {
            let message = format!("{limit} is not valid depth limit.");
            return Err(Refusal::new(-4021, message));
        }
        let (bids, asks) = self.levels(rules, limit);
        let at = milliseconds(now);
        Ok(json!({"lastUpdateId": at, "E": at, "T": at, "bids": bids, "asks": asks}))
    }

    fn levels(&self, rules: &FuturesSymbol, count: i64) -> (Vec<Value>, Vec<Value>) {
        let (bid, ask) = self.bid_and_ask(&rules.symbol);
        let level = |price: Decimal| {
            let quantity = level_quantity(rules, price);
            json!([rules.price_text(price), rules.quantity_text(quantity)])
        };
        let away = |index: i64| rules.price_tick * Decimal::from(index);
        let bids = (0..count).map(|index| bid - away(index));
        let bids = bids.filter(|price| *price > Decimal::ZERO).map(level);
        let asks = (0..count).map(|index| level(ask + away(index)));
        (bids.collect(), asks.collect())
    }

    /// `GET /fapi/v1/klines` (-1120).
    pub(crate) fn klines(
        &self,
        symbol: &str,
        interval: &str,
        limit: Option<i64>,
        window: (Option<i64>, Option<i64>),
        now: Micros,
    ) -> Result<Value, Refusal> {
        let rules = self.rules(symbol)?;
        let known = INTERVALS.iter().find(|(name, _)| *name == interval);
        let (_, minutes) = known.ok_or_else(|| Refusal::new(-1120, "Invalid interval."))?;
        let length = minutes * MINUTE_MS;
        let limit = usize::try_from(limit.unwrap_or(500)).unwrap_or(KLINES_MAX);
        let until = window
            .1
            .map_or(now, |end| Micros(end.saturating_mul(1_000)).min(now));
        let candles = self.candles.get(symbol).map_or_else(Vec::new, |candles| {
            candles.of_interval(length, limit.clamp(1, KLINES_MAX), until)
        });
        let wanted = candles
            .iter()
            .filter(|candle| window.0.is_none_or(|from| candle.open_ms >= from));
        Ok(wanted.map(|candle| kline(rules, candle, length)).collect())
    }

    /// `GET /fapi/v1/ticker/24hr`.
    pub(crate) fn day_ticker(&self, rules: &FuturesSymbol, now: Micros) -> Value {
        let day = self.day(&rules.symbol, now);
        let change = day.close - day.open;
        let percent = (change * Decimal::ONE_HUNDRED)
            .checked_div(day.open)
            .unwrap_or_default();
        let volume = volume(rules, &day);
        json!({
            "symbol": rules.symbol,
            "priceChange": rules.price_text(change),
            "priceChangePercent": fixed(percent, 3),
            "weightedAvgPrice": rules.price_text(middle(&day)),
            "lastPrice": rules.price_text(day.close),
            "lastQty": rules.quantity_text(rules.quantity_step),
            "openPrice": rules.price_text(day.open),
            "highPrice": rules.price_text(day.high),
            "lowPrice": rules.price_text(day.low),
            "volume": rules.quantity_text(volume),
            "quoteVolume": fixed(volume * middle(&day), 2),
            "openTime": day.open_ms,
            "closeTime": milliseconds(now),
            "firstId": 1,
            "lastId": day.ticks,
            "count": day.ticks,
        })
    }

    fn day(&self, symbol: &str, now: Micros) -> Candle {
        let last = self.last_price(symbol);
        let flat = Candle {
            open_ms: milliseconds(now),
            open: last,
            high: last,
            low: last,
            close: last,
            ticks: 0,
        };
        let candles = self.candles.get(symbol);
        candles.and_then(|candles| candles.day()).unwrap_or(flat)
    }

    /// What the public streams say about a new last price.
    pub(super) fn told_of_tick(&self, rules: &FuturesSymbol, now: Micros) -> Vec<Told> {
        let name = rules.symbol.to_ascii_lowercase();
        let at = milliseconds(now);
        let (bid, ask) = self.bid_and_ask(&rules.symbol);
        let book = json!({
            "e": "bookTicker", "u": at, "E": at, "T": at, "s": rules.symbol,
            "b": rules.price_text(bid), "B": rules.quantity_text(level_quantity(rules, bid)),
            "a": rules.price_text(ask), "A": rules.quantity_text(level_quantity(rules, ask)),
        });
        let trade = json!({
            "e": "aggTrade", "E": at, "s": rules.symbol, "a": at,
            "p": rules.price_text(self.last_price(&rules.symbol)),
            "q": rules.quantity_text(rules.quantity_step),
            "f": at, "l": at, "T": at, "m": at % 2 == 0,
        });
        // Undocumented, but served by Binance and used by clients.
        let single = json!({
            "e": "trade", "E": at, "T": at, "s": rules.symbol, "t": at, "p": trade["p"], "q": trade["q"],
            "X": "MARKET", "m": trade["m"],
        });
        let mut told = vec![
            (format!("{name}@trade"), single),
            (format!("{name}@bookTicker"), book.clone()),
            ("!bookTicker".to_owned(), book),
            (format!("{name}@aggTrade"), trade),
        ];
        for count in [5, 10, 20] {
            let (bids, asks) = self.levels(rules, count);
            let depth = json!({
                "e": "depthUpdate", "E": at, "T": at, "s": rules.symbol,
                "U": at, "u": at, "pu": at - 1, "b": bids, "a": asks,
            });
            for speed in ["", "@100ms", "@500ms"] {
                told.push((format!("{name}@depth{count}{speed}"), depth.clone()));
            }
        }
        told.extend(self.told_of_day(rules, now));
        told
    }

    /// The streams that show a span of time: tickers of a day and candles.
    fn told_of_day(&self, rules: &FuturesSymbol, now: Micros) -> Vec<Told> {
        let name = rules.symbol.to_ascii_lowercase();
        let at = milliseconds(now);
        let day = self.day_ticker(rules, now);
        let field = |name: &str| day[name].clone();
        let mini = json!({
            "e": "24hrMiniTicker", "E": at, "s": rules.symbol, "c": field("lastPrice"), "o": field("openPrice"),
            "h": field("highPrice"), "l": field("lowPrice"), "v": field("volume"), "q": field("quoteVolume"),
        });
        let ticker = json!({
            "e": "24hrTicker", "E": at, "s": rules.symbol, "p": field("priceChange"), "P": field("priceChangePercent"),
            "w": field("weightedAvgPrice"), "c": field("lastPrice"), "Q": field("lastQty"), "o": field("openPrice"),
            "h": field("highPrice"), "l": field("lowPrice"), "v": field("volume"), "q": field("quoteVolume"),
            "O": field("openTime"), "C": field("closeTime"), "F": field("firstId"), "L": field("lastId"),
            "n": field("count"),
        });
        let mut told = vec![
            (format!("{name}@miniTicker"), mini.clone()),
            ("!miniTicker@arr".to_owned(), json!([mini])),
            (format!("{name}@ticker"), ticker.clone()),
            ("!ticker@arr".to_owned(), json!([ticker])),
        ];
        for (interval, minutes) in INTERVALS {
            let length = minutes * MINUTE_MS;
            let candle = self
                .candles
                .get(&rules.symbol)
                .and_then(|candles| candles.newest(length));
            if let Some(candle) = candle {
                let event = json!({
                    "e": "kline", "E": at, "s": rules.symbol, "k": stream_kline(rules, &candle, interval, length),
                });
                told.push((format!("{name}@kline_{interval}"), event));
            }
        }
        told
    }

    /// What the mark price streams say, which speak by the clock.
    pub(super) fn told_of_marks(&self, suffix: &str, now: Micros) -> Vec<Told> {
        let at = milliseconds(now);
        let mut all = Vec::new();
        let mut told = Vec::new();
        for rules in self.symbols.values() {
            let mark = fixed(self.mark_price(&rules.symbol), 8);
            let event = json!({
                "e": "markPriceUpdate", "E": at, "s": rules.symbol, "p": mark, "ap": mark, "P": mark, "i": mark,
                "r": "0.00010000", "T": next_funding(now),
            });
            let name = rules.symbol.to_ascii_lowercase();
            told.push((format!("{name}@markPrice{suffix}"), event.clone()));
            all.push(event);
        }
        told.push((format!("!markPrice@arr{suffix}"), Value::Array(all)));
        told
    }
}

fn symbol_info(rules: &FuturesSymbol) -> Value {
    let text = |number: Decimal| rules.price_text(number);
    let lot = |name: &str, quantity_max: Decimal| {
        json!({
            "filterType": name,
            "minQty": rules.quantity_text(rules.quantity_min),
            "maxQty": plain(quantity_max),
            "stepSize": rules.quantity_text(rules.quantity_step),
        })
    };
    let times = [
        TimeInForce::Gtc,
        TimeInForce::Ioc,
        TimeInForce::Fok,
        TimeInForce::Gtx,
        TimeInForce::Gtd,
    ];
    json!({
        "symbol": rules.symbol,
        "pair": rules.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER_MS,
        "onboardDate": 1_569_398_400_000_i64,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": rules.base_asset,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": rules.price_precision,
        "quantityPrecision": rules.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": fixed(rules.trigger_protect, 4),
        "liquidationFee": fixed(MAINTENANCE_RATE * Decimal::from(3), 6),
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": text(rules.price_min),
                "maxPrice": plain(rules.price_max),
                "tickSize": text(rules.price_tick),
            },
            lot("LOT_SIZE", rules.quantity_max),
            lot("MARKET_LOT_SIZE", rules.market_quantity_max),
            {"filterType": "MAX_NUM_ORDERS", "limit": OPEN_ORDERS_PER_SYMBOL_MAX},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": OPEN_ALGO_ORDERS_MAX},
            {"filterType": "MIN_NOTIONAL", "notional": plain(rules.notional_min)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": fixed(rules.multiplier_up, 4),
                "multiplierDown": fixed(rules.multiplier_down, 4),
                "multiplierDecimal": "4",
            },
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE", "notionalCap": "0"},
        ],
        "orderTypes": order_types(),
        "timeInForce": times.map(TimeInForce::as_str),
        "permissionSets": ["GRID", "COPY"],
    })
}

/// How much stands at a price: the same for the same price, a few hundred steps.
fn level_quantity(rules: &FuturesSymbol, price: Decimal) -> Decimal {
    let bits = hash::mix(hash::of_text(&plain(price)));
    let steps = i64::try_from(bits % 900).unwrap_or_default() + 100;
    rules.quantity_step * Decimal::from(steps)
}

fn middle(candle: &Candle) -> Decimal {
    (candle.high + candle.low) / Decimal::TWO
}

fn volume(rules: &FuturesSymbol, candle: &Candle) -> Decimal {
    rules.quantity_step * Decimal::from(candle.ticks)
}

fn next_funding(now: Micros) -> i64 {
    (milliseconds(now).div_euclid(FUNDING_MS) + 1) * FUNDING_MS
}

fn kline(rules: &FuturesSymbol, candle: &Candle, length: i64) -> Value {
    let volume = volume(rules, candle);
    let quote = fixed(volume * middle(candle), 5);
    json!([
        candle.open_ms,
        rules.price_text(candle.open),
        rules.price_text(candle.high),
        rules.price_text(candle.low),
        rules.price_text(candle.close),
        rules.quantity_text(volume),
        candle.open_ms + length - 1,
        quote,
        candle.ticks,
        rules.quantity_text(volume),
        quote,
        "0",
    ])
}

fn stream_kline(rules: &FuturesSymbol, candle: &Candle, interval: &str, length: i64) -> Value {
    let volume = volume(rules, candle);
    let quote = fixed(volume * middle(candle), 5);
    json!({
        "t": candle.open_ms, "T": candle.open_ms + length - 1, "s": rules.symbol, "i": interval,
        "f": 1, "L": candle.ticks, "o": rules.price_text(candle.open), "c": rules.price_text(candle.close),
        "h": rules.price_text(candle.high), "l": rules.price_text(candle.low), "v": rules.quantity_text(volume),
        "n": candle.ticks, "x": false, "q": quote, "V": rules.quantity_text(volume), "Q": quote, "B": "0",
    })
}
