//! What one strategy holds of one symbol, and how a trade changes it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AccountName, StrategyName, Symbol};
use crate::signal::PositionSide;

/// A position that a strategy owns in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionKey {
    /// The account.
    pub account: AccountName,
    /// The strategy.
    pub strategy: StrategyName,
    /// The broker's symbol.
    pub symbol: Symbol,
}

/// A strategy's position as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionView {
    /// Whose and where.
    #[serde(flatten)]
    pub key: PositionKey,
    /// Long, short or flat.
    pub side: PositionSide,
    /// Its signed size.
    pub quantity: Decimal,
    /// The mean price of what is open.
    pub average_price: Decimal,
    /// Profit that closing has made so far, without fees.
    pub realised: Decimal,
    /// Fees so far.
    pub fees: Decimal,
}

/// What one strategy holds of one symbol.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Above zero is long, below short.
    pub quantity: Decimal,
    /// The mean price of what is open.
    pub average_price: Decimal,
    /// What one unit's move of 1 in price is worth.
    pub multiplier: Decimal,
    /// Profit that closing has made so far, without fees.
    pub realised: Decimal,
    /// Fees so far.
    pub fees: Decimal,
    /// How much of it was asked to have a stop, unsigned.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub guarded: Decimal,
}

impl Position {
    /// Books a trade; what goes through zero closes first and opens with the rest.
    pub(crate) fn book(
        &mut self,
        change: Decimal,
        price: Decimal,
        multiplier: Decimal,
        fee: Decimal,
    ) {
        self.fees = self.fees.saturating_add(fee);
        self.multiplier = multiplier;
        let same_way = self.quantity.is_zero()
            || self.quantity.is_sign_positive() == change.is_sign_positive();
        if same_way {
            let total = self.quantity.saturating_add(change);
            let cost = self
                .quantity
                .saturating_mul(self.average_price)
                .saturating_add(change.saturating_mul(price));
            self.average_price = cost.checked_div(total).unwrap_or(price).normalize();
            self.quantity = total.normalize();
            return;
        }
        let closing = change.abs().min(self.quantity.abs());
        let gain = (price - self.average_price)
            .saturating_mul(closing)
            .saturating_mul(multiplier);
        let gain = if self.quantity.is_sign_positive() {
            gain
        } else {
            -gain
        };
        self.realised = self.realised.saturating_add(gain).normalize();
        let before = self.quantity;
        self.quantity = before.saturating_add(change).normalize();
        if self.quantity.is_zero() {
            self.average_price = Decimal::ZERO;
        } else if self.quantity.is_sign_positive() != before.is_sign_positive() {
            self.average_price = price;
        }
    }
}
