//! What can be traded, and in which steps.

use crate::money::{self, INPUT_DECIMALS_MAX};
use crate::rejection::{RejectCode, Rejection};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One tradable thing with its steps and minimums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The venue's name of it; compared exactly.
    pub symbol: String,
    /// Prices are multiples of this; above zero.
    pub price_tick: Decimal,
    /// Quantities are multiples of this; above zero.
    pub quantity_step: Decimal,
    /// The smallest quantity of an order; zero for none.
    pub minimum_quantity: Decimal,
    /// The smallest quantity × price × multiplier of an order that isn't reduce-only; zero for none.
    pub minimum_notional: Decimal,
    /// What one unit at price 1 is worth in the account's currency; above zero.
    pub contract_multiplier: Decimal,
}

impl Instrument {
    /// An instrument that accepts nearly everything: for a paper account that takes any symbol.
    #[must_use]
    pub fn permissive() -> Instrument {
        Instrument {
            symbol: "*".to_owned(),
            price_tick: Decimal::new(1, 8),
            quantity_step: Decimal::new(1, 8),
            minimum_quantity: Decimal::ZERO,
            minimum_notional: Decimal::ZERO,
            contract_multiplier: Decimal::ONE,
        }
    }

    /// A small table of common symbols, **for rehearsal**: plausible steps, not any broker's current ones.
    #[must_use]
    pub fn for_rehearsal() -> Vec<Instrument> {
        // Each decimal is (digits, decimals): tick, step, minimum quantity, minimum notional, multiplier.
        let rows: [(&str, [(i64, u32); 5]); 9] = [
            ("BTCUSDT", [(1, 2), (1, 5), (1, 5), (5, 0), (1, 0)]),
            ("BTCUSDT.P", [(1, 1), (1, 3), (1, 3), (5, 0), (1, 0)]),
            ("ETHUSDT", [(1, 2), (1, 4), (1, 4), (5, 0), (1, 0)]),
            ("ETHUSDT.P", [(1, 2), (1, 3), (1, 3), (5, 0), (1, 0)]),
            ("SOLUSDT", [(1, 2), (1, 3), (1, 3), (5, 0), (1, 0)]),
            ("SOLUSDT.P", [(1, 2), (1, 2), (1, 2), (5, 0), (1, 0)]),
            ("EURUSD", [(1, 5), (1, 2), (1, 2), (0, 0), (100_000, 0)]),
            ("PETR4", [(1, 2), (1, 0), (1, 0), (0, 0), (1, 0)]),
            ("VALE3", [(1, 2), (1, 0), (1, 0), (0, 0), (1, 0)]),
        ];
        let instrument = |(symbol, numbers): (&str, [(i64, u32); 5])| {
            let [tick, step, quantity, notional, multiplier] =
                numbers.map(|(digits, scale)| Decimal::new(digits, scale));
            Instrument {
                symbol: symbol.to_owned(),
                price_tick: tick,
                quantity_step: step,
                minimum_quantity: quantity,
                minimum_notional: notional,
                contract_multiplier: multiplier,
            }
        };
        rows.into_iter().map(instrument).collect()
    }

    /// The same rules under another symbol.
    #[must_use]
    pub fn named(&self, symbol: &str) -> Instrument {
        Instrument {
            symbol: symbol.to_owned(),
            ..self.clone()
        }
    }

    /// Says whether the rules make sense: steps and multiplier above zero and not too fine, minimums not negative.
    ///
    /// # Errors
    /// The rule that doesn't, with its number.
    pub fn check(&self) -> Result<(), Rejection> {
        let invalid = |name: &str, number: Decimal, wanted: &str| {
            let message = format!("{name} {number} of {} {wanted}", self.symbol);
            Err(Rejection::new(RejectCode::InvalidRequest, message))
        };
        let multiplier_max = Decimal::from(1_000_000);
        for (name, number) in [
            ("price tick", self.price_tick),
            ("quantity step", self.quantity_step),
        ] {
            if number <= Decimal::ZERO
                || number.scale() > INPUT_DECIMALS_MAX
                || number > money::price_max()
            {
                return invalid(name, number, "must be above 0, with at most 12 decimals");
            }
        }
        if self.contract_multiplier <= Decimal::ZERO || self.contract_multiplier > multiplier_max {
            return invalid(
                "contract multiplier",
                self.contract_multiplier,
                "must be above 0 and at most 1000000",
            );
        }
        for (name, number) in [
            ("minimum quantity", self.minimum_quantity),
            ("minimum notional", self.minimum_notional),
        ] {
            if number < Decimal::ZERO || number > money::quantity_max() {
                return invalid(name, number, "must be 0 or more");
            }
        }
        Ok(())
    }

    /// Says whether an order may carry this price.
    pub(crate) fn check_price(&self, name: &str, price: Decimal) -> Result<(), Rejection> {
        check_market_price(&self.symbol, price)?;
        if !money::is_multiple(price, self.price_tick) {
            let message = format!(
                "{name} {price} is not a multiple of the tick {} of {}",
                self.price_tick, self.symbol
            );
            return Err(Rejection::new(RejectCode::OffTick, message));
        }
        Ok(())
    }

    /// Says whether an order may carry this quantity.
    pub(crate) fn check_quantity(&self, quantity: Decimal) -> Result<(), Rejection> {
        let symbol = &self.symbol;
        if quantity <= Decimal::ZERO {
            let message = format!("quantity {quantity} of {symbol} must be above 0");
            return Err(Rejection::new(RejectCode::InvalidRequest, message));
        }
        if quantity > money::quantity_max() {
            let message = format!(
                "quantity {quantity} is above the maximum {} of the venue",
                money::quantity_max()
            );
            return Err(Rejection::new(RejectCode::OutOfRange, message));
        }
        if quantity < self.minimum_quantity {
            let message = format!(
                "quantity {quantity} is below the minimum {} of {symbol}",
                self.minimum_quantity
            );
            return Err(Rejection::new(RejectCode::BelowMinimumQuantity, message));
        }
        if !money::is_multiple(quantity, self.quantity_step) {
            let message = format!(
                "quantity {quantity} is not a multiple of the step {} of {symbol}",
                self.quantity_step
            );
            return Err(Rejection::new(RejectCode::OffStep, message));
        }
        Ok(())
    }
}

/// Says whether this can be a market price: above zero and not too large. It needn't lie on the tick.
pub(crate) fn check_market_price(symbol: &str, price: Decimal) -> Result<(), Rejection> {
    if price <= Decimal::ZERO {
        return Err(Rejection::new(
            RejectCode::InvalidRequest,
            format!("price {price} of {symbol} must be above 0"),
        ));
    }
    if price > money::price_max() || price.scale() > INPUT_DECIMALS_MAX {
        let message = format!(
            "price {price} of {symbol} is above the maximum {} or has more than {INPUT_DECIMALS_MAX} decimals",
            money::price_max()
        );
        return Err(Rejection::new(RejectCode::OutOfRange, message));
    }
    Ok(())
}
