//! The arithmetic of prices, quantities and amounts: checked, exact within named bounds, rounding named.
//!
//! An amount of money carries at most [`MONEY_DECIMALS`] decimals and stays within [`money_max`]; both together fit
//! into a decimal's 96 bits, so that adding and subtracting amounts is exact and books balance to the last digit.

use crate::rejection::Rejection;
use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals kept of an amount of money.
pub const MONEY_DECIMALS: u32 = 12;

/// Decimals allowed in a price or a quantity.
pub const INPUT_DECIMALS_MAX: u32 = 12;

/// The largest amount of money an account may hold, owe or have turned into a position.
#[must_use]
pub fn money_max() -> Decimal {
    Decimal::from(1_000_000_000_000_000_i64)
}

/// The largest price.
#[must_use]
pub fn price_max() -> Decimal {
    Decimal::from(1_000_000_000_i64)
}

/// The largest quantity of an order or a position.
#[must_use]
pub fn quantity_max() -> Decimal {
    Decimal::from(1_000_000_000_000_i64)
}

const BASIS_POINTS: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// Adds two amounts; refuses a sum outside of the range.
pub(crate) fn add(left: Decimal, right: Decimal, what: &str) -> Result<Decimal, Rejection> {
    within(left.checked_add(right), what)
}

/// Subtracts `right` from `left`; refuses a result outside of the range.
pub(crate) fn subtract(left: Decimal, right: Decimal, what: &str) -> Result<Decimal, Rejection> {
    within(left.checked_sub(right), what)
}

/// What `quantity` is worth at `price`, to the nearest of the last kept decimal.
pub(crate) fn value_of(
    quantity: Decimal,
    price: Decimal,
    multiplier: Decimal,
) -> Result<Decimal, Rejection> {
    let value = quantity
        .checked_mul(price)
        .and_then(|value| value.checked_mul(multiplier));
    within(
        value.map(|value| value.round_dp(MONEY_DECIMALS)),
        "notional",
    )
}

/// The part `part / whole` of `amount`, towards the nearest of the last kept decimal.
pub(crate) fn share_of(
    amount: Decimal,
    part: Decimal,
    whole: Decimal,
) -> Result<Decimal, Rejection> {
    if part == whole {
        return Ok(amount);
    }
    // Dividing first keeps the product small; the ratio has 28 digits, of which an amount needs at most 27.
    let ratio = part.checked_div(whole);
    within(
        ratio
            .and_then(|ratio| amount.checked_mul(ratio))
            .map(|share| share.round_dp(MONEY_DECIMALS)),
        "cost",
    )
}

/// The fee on `value` at `basis_points`, rounded up: against the trader.
pub(crate) fn fee_on(value: Decimal, basis_points: Decimal) -> Result<Decimal, Rejection> {
    let fee = value
        .checked_mul(basis_points)
        .and_then(|fee| fee.checked_div(BASIS_POINTS));
    within(
        fee.map(|fee| {
            fee.round_dp_with_strategy(MONEY_DECIMALS, RoundingStrategy::ToPositiveInfinity)
        }),
        "fee",
    )
}

/// `price` moved by `basis_points` of itself; negative ones lower it.
pub(crate) fn shifted(price: Decimal, basis_points: Decimal) -> Option<Decimal> {
    let factor = BASIS_POINTS.checked_add(basis_points)?;
    price.checked_mul(factor)?.checked_div(BASIS_POINTS)
}

/// The next multiple of `step` at or above `number`.
pub(crate) fn round_up(number: Decimal, step: Decimal) -> Option<Decimal> {
    number
        .checked_div(step)?
        .ceil()
        .checked_mul(step)
        .map(|rounded| rounded.normalize())
}

/// The next multiple of `step` at or below `number`.
pub(crate) fn round_down(number: Decimal, step: Decimal) -> Option<Decimal> {
    number
        .checked_div(step)?
        .floor()
        .checked_mul(step)
        .map(|rounded| rounded.normalize())
}

/// Whether `number` is a whole multiple of `step`.
pub(crate) fn is_multiple(number: Decimal, step: Decimal) -> bool {
    number.checked_rem(step).is_some_and(|rest| rest.is_zero())
}

/// The average price of `quantity` that was worth `value` (quantity times price), or nothing of nothing.
pub(crate) fn average_price(value: Decimal, quantity: Decimal) -> Option<Decimal> {
    if quantity.is_zero() {
        return None;
    }
    value
        .checked_div(quantity)
        .map(|average| average.round_dp(MONEY_DECIMALS).normalize())
}

/// The amount without trailing zeros (and never a negative zero), if there is one within the range.
fn within(amount: Option<Decimal>, what: &str) -> Result<Decimal, Rejection> {
    let amount = amount.filter(|amount| amount.abs() <= money_max());
    amount
        .map(|amount| amount.normalize())
        .ok_or_else(|| Rejection::out_of_range(what))
}
