//! Prices from a seed: a walk that looks like a market and can be asked for any moment at once.
//!
//! The walk is a sum of octaves of value noise: octave *n* has a random height at every 2ⁿ-th step, straight lines
//! between them, and is √2 times as high as the octave before, as the spread of a random walk grows. So the price at
//! step *k* is a pure function of seed, symbol and *k*, costs the same for any *k*, and stays within 40 % of its
//! middle. Only integers and decimals are used, so that every machine draws the same walk.

use crate::hash;
use crate::money;
use crate::rejection::{RejectCode, Rejection};
use crate::time::Micros;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Heights are counted in billionths of the price.
const ONE: i64 = 1_000_000_000;
/// The walk's largest distance from its middle: 40 %.
const HEIGHT_MAX: i64 = 400_000_000;
/// Octaves at most: the slowest takes 2²⁴ steps, 48 days of 250 ms.
const OCTAVES_MAX: u32 = 25;
/// Symbols with an anchor at most; the anchors of further ones are ignored.
const ANCHORS_MAX: usize = 10_000;

/// How a feed walks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedOptions {
    /// Another seed, another walk.
    pub seed: u64,
    /// Microseconds between two prices; 1000 to an hour. Default 250 000.
    pub step_micros: i64,
    /// How far one step goes, in basis points of the price; 0 to 100. Default 0.5.
    pub volatility_bps: Decimal,
}

impl Default for FeedOptions {
    fn default() -> FeedOptions {
        FeedOptions {
            seed: 1,
            step_micros: 250_000,
            volatility_bps: Decimal::new(5, 1),
        }
    }
}

/// A deterministic price walk for every symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeededFeed {
    seed: u64,
    step_micros: i64,
    /// Height of the lowest octave.
    step_height: i64,
    anchors: BTreeMap<String, Anchor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Anchor {
    price: Decimal,
    step: i64,
}

impl SeededFeed {
    /// A feed that walks like that.
    ///
    /// # Errors
    /// An option outside of its range.
    pub fn new(options: &FeedOptions) -> Result<SeededFeed, Rejection> {
        let invalid = |message| Err(Rejection::new(RejectCode::InvalidRequest, message));
        if !(1_000..=3_600_000_000).contains(&options.step_micros) {
            return invalid(format!(
                "feed step {} µs is not between 1000 and 3600000000",
                options.step_micros
            ));
        }
        let volatility = options.volatility_bps;
        if volatility < Decimal::ZERO || volatility > Decimal::ONE_HUNDRED {
            return invalid(format!(
                "feed volatility {volatility} bps is not between 0 and 100"
            ));
        }
        let step_height =
            i64::try_from((volatility * Decimal::from(ONE / 10_000)).trunc()).unwrap_or_default();
        Ok(SeededFeed {
            seed: options.seed,
            step_micros: options.step_micros,
            step_height,
            anchors: BTreeMap::new(),
        })
    }

    /// Microseconds between two prices.
    #[must_use]
    pub fn step_micros(&self) -> i64 {
        self.step_micros
    }

    /// The price of `symbol` at a moment, rounded to the nearest multiple of `tick`, at least one tick. It stays the
    /// same until the next step. A tick of zero or less doesn't round.
    #[must_use]
    pub fn price(&self, symbol: &str, tick: Decimal, at: Micros) -> Decimal {
        let step = at.0.div_euclid(self.step_micros);
        let anchor = self.anchors.get(symbol).copied();
        let factor = |height: i64| Decimal::from(ONE + height);
        let exact = match anchor {
            Some(anchor) => {
                let moved = anchor.price.checked_mul(factor(self.height(symbol, step)));
                moved.and_then(|moved| moved.checked_div(factor(self.height(symbol, anchor.step))))
            }
            None => start_price(symbol)
                .checked_mul(factor(self.height(symbol, step)))
                .and_then(|moved| moved.checked_div(Decimal::from(ONE))),
        };
        let unmoved = anchor.map_or_else(|| start_price(symbol), |anchor| anchor.price);
        let price = exact.unwrap_or(unmoved).min(money::price_max());
        if tick <= Decimal::ZERO {
            return price.round_dp(money::INPUT_DECIMALS_MAX);
        }
        nearest(price, tick).unwrap_or(price).max(tick)
    }

    /// Moves the walk of `symbol` so that it passes through `price` at that moment and goes on from there. A price
    /// that can't be one is ignored.
    pub fn anchor(&mut self, symbol: &str, price: Decimal, at: Micros) {
        let is_new = !self.anchors.contains_key(symbol);
        if price <= Decimal::ZERO
            || price > money::price_max()
            || (is_new && self.anchors.len() >= ANCHORS_MAX)
        {
            return;
        }
        self.anchors.insert(
            symbol.to_owned(),
            Anchor {
                price,
                step: at.0.div_euclid(self.step_micros),
            },
        );
    }

    /// How far the walk stands from its middle, in billionths.
    fn height(&self, symbol: &str, step: i64) -> i64 {
        let stream = hash::mix(self.seed ^ hash::of_text(symbol));
        let mut total = 0;
        let mut reach = 0;
        let mut octave_height = self.step_height;
        for octave in 0..OCTAVES_MAX {
            reach += octave_height;
            if reach > HEIGHT_MAX {
                break;
            }
            total += octave_value(stream, octave, octave_height, step);
            octave_height = octave_height * 1_414_213_562 / ONE;
        }
        total
    }
}

/// The value of one octave at a step: between plus and minus `height`.
fn octave_value(stream: u64, octave: u32, height: i64, step: i64) -> i64 {
    let node = step >> octave;
    let along = i128::from(step - (node << octave));
    let before = i128::from(node_value(stream, octave, height, node));
    let after = i128::from(node_value(stream, octave, height, node.wrapping_add(1)));
    let value = before + (((after - before) * along) >> octave);
    // It lies between two values of 64 bits.
    i64::try_from(value).unwrap_or_default()
}

fn node_value(stream: u64, octave: u32, height: i64, node: i64) -> i64 {
    let bits = hash::mix(stream ^ hash::mix((u64::from(octave) << 58) ^ node.cast_unsigned()));
    let thousandths = i64::try_from(bits % 2_000_001).unwrap_or_default() - 1_000_000;
    height * thousandths / 1_000_000
}

/// Where a symbol's walk has its middle: a plausible price of a common symbol, else 10 to 1000 from its name.
fn start_price(symbol: &str) -> Decimal {
    let name = symbol.rsplit(':').next().unwrap_or(symbol);
    let (digits, scale) = match name.strip_suffix(".P").unwrap_or(name) {
        "BTCUSDT" | "BTCUSD" | "BTCUSDC" => (60_000, 0),
        "ETHUSDT" | "ETHUSD" | "ETHUSDC" => (3_000, 0),
        "SOLUSDT" | "SOLUSD" => (150, 0),
        "EURUSD" => (110, 2),
        "GBPUSD" => (128, 2),
        "USDJPY" => (150, 0),
        "USDBRL" => (540, 2),
        "XAUUSD" => (2_500, 0),
        "SPY" => (550, 0),
        "AAPL" => (220, 0),
        "PETR4" => (38, 0),
        "VALE3" => (62, 0),
        "WIN1!" => (130_000, 0),
        "WDO1!" => (5_400, 0),
        _ => (
            i64::try_from(hash::mix(hash::of_text(name)) % 99_001).unwrap_or_default() + 1_000,
            2,
        ),
    };
    Decimal::new(digits, scale)
}

fn nearest(price: Decimal, tick: Decimal) -> Option<Decimal> {
    price
        .checked_div(tick)?
        .round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven)
        .checked_mul(tick)
}
