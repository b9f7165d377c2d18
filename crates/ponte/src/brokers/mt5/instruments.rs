//! The terminal's symbols as instruments: quantities in lots, values in the account's currency.

use std::collections::BTreeMap;

use ponte_core::id::Symbol;
use ponte_core::instrument::{Instrument, Instruments, Limits};
use ponte_core::signal::Side;
use rust_decimal::Decimal;

use crate::bridge::protocol::SymbolInfo;

/// `SYMBOL_TRADE_MODE_DISABLED`.
const DISABLED: u32 = 0;
/// `SYMBOL_TRADE_MODE_CLOSEONLY`.
const CLOSE_ONLY: u32 = 3;

/// The symbols of Market Watch by our names, which are in upper case.
///
/// The terminal tells upper and lower case apart (`US500.cash`). Of two names that differ in nothing
/// else the one that can be traded counts, else the first. A name with white space in it can't be
/// named in an alert, and is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Symbols(BTreeMap<Symbol, SymbolInfo>);

impl Symbols {
    /// From the terminal's list.
    pub(super) fn of(list: &[SymbolInfo]) -> Self {
        let mut symbols: BTreeMap<Symbol, SymbolInfo> = BTreeMap::new();
        for info in list {
            let Ok(symbol) = Symbol::new(&info.name) else {
                continue;
            };
            match symbols.get(&symbol) {
                Some(known) if known.trade_mode != DISABLED || info.trade_mode == DISABLED => {}
                Some(_) | None => {
                    symbols.insert(symbol, info.clone());
                }
            }
        }
        Self(symbols)
    }

    /// What the terminal says of a symbol.
    pub(super) fn get(&self, symbol: &Symbol) -> Option<&SymbolInfo> {
        self.0.get(symbol)
    }

    /// All of them as instruments. What has no size or no value (a symbol without any quote yet, a
    /// chart-only series) is left out: nothing can be computed with it.
    pub(super) fn instruments(&self, currency: &str) -> Instruments {
        let listed = self
            .0
            .iter()
            .filter_map(|(symbol, info)| {
                instrument(symbol, info, currency).map(|found| (symbol.clone(), found))
            })
            .collect();
        Instruments {
            listed,
            any_other: None,
        }
    }
}

fn instrument(symbol: &Symbol, info: &SymbolInfo, currency: &str) -> Option<Instrument> {
    let tick = tick(info)?;
    let multiplier = multiplier(info, tick, currency)?;
    let positive = |number: Decimal| (number > Decimal::ZERO).then(|| number.normalize());
    let step = positive(info.volume_step)?;
    Some(Instrument {
        symbol: symbol.clone(),
        price_tick: tick.normalize(),
        quantity_step: step,
        minimum_quantity: info.volume_min.max(step).normalize(),
        minimum_notional: Decimal::ZERO,
        contract_multiplier: multiplier.normalize(),
        limits: Limits {
            maximum_quantity: positive(info.volume_max).filter(|most| *most > info.volume_min),
            closed: closed(info),
            ..Limits::default()
        },
    })
}

/// The smallest change of a price; some servers tell none beside the point.
fn tick(info: &SymbolInfo) -> Option<Decimal> {
    [info.tick_size, info.point]
        .into_iter()
        .find(|tick| *tick > Decimal::ZERO)
}

/// What a move of 1 is worth for one lot, in the account's currency (MQL5 Reference, "Symbol
/// Properties": a tick's value is told in the deposit's currency, and is 0 while there is no quote).
fn multiplier(info: &SymbolInfo, tick: Decimal, currency: &str) -> Option<Decimal> {
    if info.tick_value > Decimal::ZERO {
        return info.tick_value.checked_div(tick);
    }
    let same = info.currency_profit == currency && info.contract_size > Decimal::ZERO;
    same.then_some(info.contract_size)
}

/// Why nothing can be opened. The trade session is not counted: it is read long before it is asked
/// about, and the server itself refuses what comes while the market is closed.
fn closed(info: &SymbolInfo) -> Option<String> {
    match info.trade_mode {
        DISABLED => Some("TRADING_DISABLED".to_owned()),
        CLOSE_ONLY => Some("CLOSE_ONLY".to_owned()),
        _ => None,
    }
}

/// A price on the symbol's tick, moved to the side that is not more aggressive: a purchase's down, a
/// sale's up.
pub(super) fn fit_price(price: Decimal, side: Side, info: &SymbolInfo) -> Decimal {
    let Some(tick) = tick(info) else {
        return price;
    };
    let Some(ticks) = price.checked_div(tick) else {
        return price;
    };
    let whole = match side {
        Side::Buy => ticks.floor(),
        Side::Sell => ticks.ceil(),
    };
    whole
        .checked_mul(tick)
        .map_or(price, |fitted| fitted.normalize())
}

/// A stop's or a target's level on the nearest tick.
pub(super) fn fit_level(price: Decimal, info: &SymbolInfo) -> Decimal {
    let fitted = tick(info).and_then(|tick| {
        let ticks = price.checked_div(tick)?.round();
        ticks.checked_mul(tick)
    });
    fitted.map_or(price, |fitted| fitted.normalize())
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decimal, eurusd, symbol, win};
    use super::*;

    #[test]
    fn a_lots_move_of_one_is_worth_its_ticks() {
        let symbols = Symbols::of(&[win(), eurusd()]);
        let instruments = symbols.instruments("BRL");
        let mini = instruments.get(&symbol("WINZ26")).expect("listed");
        // R$ 0.20 a point (B3, "Mini Ibovespa Futures").
        assert_eq!(mini.contract_multiplier, decimal("0.2"));
        assert_eq!(mini.price_tick, decimal("5"));
        let forex = instruments.get(&symbol("EURUSD")).expect("listed");
        assert_eq!(forex.contract_multiplier, decimal("100000"));
        assert_eq!(forex.minimum_quantity, decimal("0.01"));
        assert_eq!(forex.limits.maximum_quantity, Some(decimal("100")));
    }

    #[test]
    fn what_has_no_value_is_left_out_and_what_is_disabled_is_closed() {
        let mute = SymbolInfo {
            tick_value: Decimal::ZERO,
            currency_profit: "USD".to_owned(),
            ..win()
        };
        assert!(
            Symbols::of(std::slice::from_ref(&mute))
                .instruments("BRL")
                .listed
                .is_empty()
        );
        let same_currency = Symbols::of(&[mute]).instruments("USD");
        assert_eq!(
            same_currency.listed.len(),
            1,
            "its contract tells the value"
        );
        let chart_only = SymbolInfo {
            trade_mode: DISABLED,
            ..win()
        };
        let symbols = Symbols::of(&[chart_only]);
        let closed = &symbols.instruments("BRL").listed[&symbol("WINZ26")]
            .limits
            .closed;
        assert_eq!(closed.as_deref(), Some("TRADING_DISABLED"));
    }

    #[test]
    fn names_are_upper_case_and_the_tradable_one_of_two_counts() {
        let named = |name: &str, trade_mode| SymbolInfo {
            name: name.to_owned(),
            trade_mode,
            ..eurusd()
        };
        let symbols = Symbols::of(&[
            named("us500.cash", 0),
            named("US500.cash", 4),
            named("Us500.Cash", 4),
            named("US Tech 100", 4),
        ]);
        let found = symbols.get(&symbol("US500.CASH")).expect("there");
        assert_eq!(found.name, "US500.cash");
        assert_eq!(symbols.0.len(), 1);
    }

    #[test]
    fn prices_are_fitted_to_the_tick() {
        let fitted = |price: &str, side| fit_price(decimal(price), side, &win());
        assert_eq!(fitted("128343", Side::Buy), decimal("128340"));
        assert_eq!(fitted("128343", Side::Sell), decimal("128345"));
        assert_eq!(fitted("128340", Side::Sell), decimal("128340"));
        assert_eq!(fit_level(decimal("128343"), &win()), decimal("128345"));
        assert_eq!(fit_level(decimal("128342"), &win()), decimal("128340"));
    }
}
