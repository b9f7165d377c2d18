//! Leverage brackets: how large a position may be at which leverage.

use super::symbols::FuturesSymbol;
use rust_decimal::Decimal;

/// One bracket of notional values, in USDT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bracket {
    pub(crate) number: u32,
    pub(crate) leverage: u32,
    pub(crate) floor: Decimal,
    pub(crate) cap: Decimal,
    pub(crate) maintenance_rate: Decimal,
    /// The amount that makes the maintenance margin continuous between brackets.
    pub(crate) cumulative: Decimal,
}

/// The brackets of a contract, smallest positions first.
pub(crate) fn of(rules: &FuturesSymbol) -> Vec<Bracket> {
    let highest = rules.leverage_max;
    let steps: [(u32, i64, i64); 8] = [
        (highest, 300_000, 40),
        (highest * 4 / 5, 3_000_000, 50),
        (highest * 2 / 5, 12_000_000, 100),
        (20, 70_000_000, 250),
        (10, 100_000_000, 500),
        (5, 230_000_000, 1_000),
        (2, 480_000_000, 1_250),
        (1, 1_200_000_000, 1_500),
    ];
    let mut brackets: Vec<Bracket> = Vec::new();
    for (number, (leverage, cap, rate)) in (1..).zip(steps) {
        let rate = Decimal::new(rate, 4);
        let (floor, cumulative) = brackets
            .last()
            .map_or((Decimal::ZERO, Decimal::ZERO), |last| {
                let step = last.cap * (rate - last.maintenance_rate);
                (last.cap, last.cumulative + step)
            });
        brackets.push(Bracket {
            number,
            leverage,
            floor,
            cap: Decimal::from(cap),
            maintenance_rate: rate,
            cumulative,
        });
    }
    brackets
}

/// The largest position, as notional value in USDT, at that leverage.
pub(crate) fn notional_max(rules: &FuturesSymbol, leverage: u32) -> Decimal {
    let brackets = of(rules);
    let allowed = brackets
        .iter()
        .filter(|bracket| bracket.leverage >= leverage);
    allowed
        .map(|bracket| bracket.cap)
        .max()
        .unwrap_or(Decimal::ZERO)
}
