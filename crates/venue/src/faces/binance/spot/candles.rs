//! One-minute candles of a symbol, from the prices that were told, and what can be summed up from them.

use crate::time::Micros;
use rust_decimal::Decimal;
use std::collections::VecDeque;

/// Minutes kept: a day and a little.
const CANDLES_MAX: usize = 1_500;
/// Length of the shortest candle.
pub(super) const MINUTE_MICROS: i64 = 60_000_000;
/// What is taken to be traded at each price that is told: the venue has no other traders.
const VOLUME_PER_PRICE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// Prices within one span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candle {
    /// Its first moment.
    pub(super) from: Micros,
    pub(super) open: Decimal,
    pub(super) high: Decimal,
    pub(super) low: Decimal,
    pub(super) close: Decimal,
    /// In the base asset.
    pub(super) volume: Decimal,
    /// In the quote asset.
    pub(super) quote_volume: Decimal,
    /// Prices told.
    pub(super) count: u64,
}

impl Candle {
    pub(super) fn starting(from: Micros, price: Decimal) -> Candle {
        Candle {
            from,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Decimal::ZERO,
            quote_volume: Decimal::ZERO,
            count: 0,
        }
    }

    fn join(&mut self, later: &Candle) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.quote_volume += later.quote_volume;
        self.count += later.count;
    }
}

/// The candles of one symbol, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Candles(VecDeque<Candle>);

impl Candles {
    /// Takes a price.
    pub(super) fn add(&mut self, price: Decimal, now: Micros) {
        let from = Micros(now.0 - now.0.rem_euclid(MINUTE_MICROS));
        let is_new = self.0.back().is_none_or(|candle| candle.from < from);
        if is_new {
            if self.0.len() == CANDLES_MAX {
                self.0.pop_front();
            }
            self.0.push_back(Candle::starting(from, price));
        }
        if let Some(candle) = self.0.back_mut() {
            candle.join(&Candle {
                volume: VOLUME_PER_PRICE,
                quote_volume: VOLUME_PER_PRICE * price,
                count: 1,
                ..Candle::starting(from, price)
            });
        }
    }

    /// The last minute's candle.
    pub(super) fn last(&self) -> Option<&Candle> {
        self.0.back()
    }

    /// The last 24 hours in one candle.
    pub(super) fn day(&self, now: Micros) -> Option<Candle> {
        let since = Micros(now.0 - 1_440 * MINUTE_MICROS);
        let mut within = self.0.iter().filter(|candle| candle.from >= since);
        let mut day = *within.next()?;
        for candle in within {
            day.join(candle);
        }
        Some(day)
    }

    /// Candles of so many minutes, oldest first.
    pub(super) fn of_minutes(&self, minutes: i64) -> Vec<Candle> {
        let length = minutes * MINUTE_MICROS;
        let mut joined: Vec<Candle> = Vec::new();
        for candle in &self.0 {
            let from = Micros(candle.from.0 - candle.from.0.rem_euclid(length));
            match joined.last_mut().filter(|last| last.from == from) {
                Some(last) => last.join(candle),
                None => joined.push(Candle { from, ..*candle }),
            }
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_become_candles_of_any_length() {
        let mut candles = Candles::default();
        for (minute, price) in [(0, 10), (0, 12), (1, 9), (5, 11)] {
            candles.add(Decimal::from(price), Micros(minute * MINUTE_MICROS));
        }
        let shape = |candle: &Candle| {
            let prices = [candle.open, candle.high, candle.low, candle.close];
            (
                candle.from.0 / MINUTE_MICROS,
                prices.map(|price| price.to_string()),
            )
        };
        let five: Vec<_> = candles.of_minutes(5).iter().map(shape).collect();
        let text = |prices: [&str; 4]| prices.map(str::to_owned);
        assert_eq!(
            five,
            [(0, text(["10", "12", "9", "9"])), (5, text(["11"; 4]))]
        );
        let day = candles.day(Micros(5 * MINUTE_MICROS)).unwrap();
        assert_eq!(shape(&day), (0, text(["10", "12", "9", "11"])));
        assert_eq!(
            candles
                .day(Micros(1_442 * MINUTE_MICROS))
                .map(|day| day.count),
            Some(1)
        );
    }
}
