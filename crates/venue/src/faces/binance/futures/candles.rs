//! Candles: what the told prices looked like minute by minute, for klines and the tickers of a day.

use crate::time::Micros;
use rust_decimal::Decimal;
use std::collections::VecDeque;

/// Minutes that are kept: a day.
const MINUTES_KEPT_MAX: usize = 1_440;
/// A minute in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// The prices of one minute (or of several).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candle {
    pub(crate) open_ms: i64,
    pub(crate) open: Decimal,
    pub(crate) high: Decimal,
    pub(crate) low: Decimal,
    pub(crate) close: Decimal,
    pub(crate) ticks: u64,
}

/// The minutes of one symbol, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candles {
    minutes: VecDeque<Candle>,
}

impl Candles {
    /// Writes down a price.
    pub(crate) fn record(&mut self, price: Decimal, now: Micros) {
        let open_ms = (now.0 / 1_000).div_euclid(MINUTE_MS) * MINUTE_MS;
        if let Some(last) = self
            .minutes
            .back_mut()
            .filter(|last| last.open_ms >= open_ms)
        {
            last.high = last.high.max(price);
            last.low = last.low.min(price);
            last.close = price;
            last.ticks += 1;
            return;
        }
        if self.minutes.len() == MINUTES_KEPT_MAX {
            self.minutes.pop_front();
        }
        self.minutes.push_back(Candle {
            open_ms,
            open: price,
            high: price,
            low: price,
            close: price,
            ticks: 1,
        });
    }

    /// All of a day in one.
    pub(crate) fn day(&self) -> Option<Candle> {
        let mut minutes = self.minutes.iter();
        let first = *minutes.next()?;
        Some(minutes.fold(first, |day, minute| joined(day, *minute)))
    }

    /// The candle of that length in which the newest price lies.
    pub(crate) fn newest(&self, interval_ms: i64) -> Option<Candle> {
        let last = self.minutes.back()?;
        let open_ms = last.open_ms.div_euclid(interval_ms) * interval_ms;
        let inside = self.minutes.iter().rev().copied();
        let inside = inside.take_while(|minute| minute.open_ms >= open_ms);
        let candle = inside.reduce(|after, before| joined(before, after))?;
        Some(Candle { open_ms, ..candle })
    }

    /// At most `limit` candles of `interval_ms`, the newest last; times without a price repeat the one before, and
    /// before the first price lies the first price.
    pub(crate) fn of_interval(&self, interval_ms: i64, limit: usize, now: Micros) -> Vec<Candle> {
        let Some(first) = self.minutes.front().copied() else {
            return Vec::new();
        };
        let newest = (now.0 / 1_000).div_euclid(interval_ms) * interval_ms;
        let count = i64::try_from(limit).unwrap_or(1).max(1);
        let oldest = newest - (count - 1) * interval_ms;
        let mut previous = first.open;
        for minute in self.minutes.iter().filter(|minute| minute.open_ms < oldest) {
            previous = minute.close;
        }
        let starts = (0..count).map(|index| oldest + index * interval_ms);
        let mut candles = Vec::new();
        for open_ms in starts {
            let inside = self.minutes.iter().copied().filter(|minute| {
                minute.open_ms >= open_ms && minute.open_ms < open_ms + interval_ms
            });
            let flat = Candle {
                open_ms,
                open: previous,
                high: previous,
                low: previous,
                close: previous,
                ticks: 0,
            };
            let candle = inside.reduce(joined).unwrap_or(flat);
            previous = candle.close;
            candles.push(Candle { open_ms, ..candle });
        }
        candles
    }
}

fn joined(before: Candle, after: Candle) -> Candle {
    Candle {
        open_ms: before.open_ms,
        open: before.open,
        high: before.high.max(after.high),
        low: before.low.min(after.low),
        close: after.close,
        ticks: before.ticks + after.ticks,
    }
}
