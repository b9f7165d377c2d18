//! At which prices, in which pieces and at which cost the venue executes: every assumption a named number.

use crate::money;
use crate::order::{Liquidity, Side};
use crate::rejection::{RejectCode, Rejection};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Pieces into which an order that takes from the market is cut at most; the last piece takes all that is left.
pub const SLICES_MAX: usize = 8;

/// The assumptions of execution. Prices are rounded to the tick and always against the trader: up for a buy, down
/// for a sell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillModel {
    /// Half of the distance between bid and ask, in basis points of the last price; 0 to 1000.
    pub half_spread_bps: Decimal,
    /// How much worse than bid or ask market and stop orders execute, in basis points; 0 to 1000.
    pub slippage_bps: Decimal,
    /// When a waiting limit order executes.
    pub limit_fill: LimitFill,
    /// The part of its original quantity a waiting limit order gets at each tick, rounded up to the quantity step;
    /// 0.01 to 1.
    pub resting_fill_share: Decimal,
    /// What can be taken from the market in one piece, in the account's currency; none for any amount.
    pub slice_value: Option<Decimal>,
    /// How much worse each further piece is than the one before, in basis points; 0 to 100.
    pub slice_slippage_bps: Decimal,
    /// Fee of an order that was waiting, in basis points of its value; 0 to 1000.
    pub maker_fee_bps: Decimal,
    /// Fee of an order that took from the market, in basis points of its value; 0 to 1000.
    pub taker_fee_bps: Decimal,
}

/// When a waiting limit order executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitFill {
    /// As soon as the other side's price reaches the limit.
    OnTouch,
    /// Only when the other side's price goes beyond the limit: the order stood last in the queue.
    OnlyThrough,
}

impl FillModel {
    /// The kindest market: no spread, no slippage, no fees, everything fills whole and on touch.
    #[must_use]
    pub fn optimistic() -> FillModel {
        FillModel {
            half_spread_bps: Decimal::ZERO,
            slippage_bps: Decimal::ZERO,
            limit_fill: LimitFill::OnTouch,
            resting_fill_share: Decimal::ONE,
            slice_value: None,
            slice_slippage_bps: Decimal::ZERO,
            maker_fee_bps: Decimal::ZERO,
            taker_fee_bps: Decimal::ZERO,
        }
    }

    /// An unkind market: 2 bps half spread, 3 bps slippage, pieces of 50 000 each 2 bps worse, limits filled only
    /// when traded through and by quarters, fees of 2 (maker) and 6 bps (taker).
    #[must_use]
    pub fn pessimistic() -> FillModel {
        FillModel {
            half_spread_bps: Decimal::from(2),
            slippage_bps: Decimal::from(3),
            limit_fill: LimitFill::OnlyThrough,
            resting_fill_share: Decimal::new(25, 2),
            slice_value: Some(Decimal::from(50_000)),
            slice_slippage_bps: Decimal::from(2),
            maker_fee_bps: Decimal::from(2),
            taker_fee_bps: Decimal::from(6),
        }
    }

    /// Says whether every number lies in its range.
    ///
    /// # Errors
    /// The number that doesn't, and its range.
    pub fn check(&self) -> Result<(), Rejection> {
        let ranges = [
            (
                "half spread",
                self.half_spread_bps,
                Decimal::ZERO,
                Decimal::from(1_000),
            ),
            (
                "slippage",
                self.slippage_bps,
                Decimal::ZERO,
                Decimal::from(1_000),
            ),
            (
                "resting fill share",
                self.resting_fill_share,
                Decimal::new(1, 2),
                Decimal::ONE,
            ),
            (
                "slice value",
                self.slice_value.unwrap_or(Decimal::ONE),
                Decimal::new(1, 2),
                money::money_max(),
            ),
            (
                "slice slippage",
                self.slice_slippage_bps,
                Decimal::ZERO,
                Decimal::from(100),
            ),
            (
                "maker fee",
                self.maker_fee_bps,
                Decimal::ZERO,
                Decimal::from(1_000),
            ),
            (
                "taker fee",
                self.taker_fee_bps,
                Decimal::ZERO,
                Decimal::from(1_000),
            ),
        ];
        for (name, number, lowest, highest) in ranges {
            if number < lowest || number > highest {
                let message = format!(
                    "{name} {number} of the fill model is not between {lowest} and {highest}"
                );
                return Err(Rejection::new(RejectCode::InvalidRequest, message));
            }
        }
        Ok(())
    }

    /// The fee rate of an execution, in basis points.
    pub(crate) fn fee_bps(&self, liquidity: Liquidity) -> Decimal {
        match liquidity {
            Liquidity::Maker => self.maker_fee_bps,
            Liquidity::Taker => self.taker_fee_bps,
        }
    }

    /// The price at which somebody else stands ready when the last price is `last`: the ask for a buy, the bid for
    /// a sell, `worse_bps` further away, on the tick. None when that price is outside of the range.
    pub(crate) fn opposing_price(
        &self,
        side: Side,
        last: Decimal,
        tick: Decimal,
        worse_bps: Decimal,
    ) -> Option<Decimal> {
        let distance = self.half_spread_bps.checked_add(worse_bps)?;
        let price = match side {
            Side::Buy => money::round_up(money::shifted(last, distance)?, tick)?,
            Side::Sell => money::round_down(money::shifted(last, -distance)?, tick)?,
        };
        (price > Decimal::ZERO && price <= money::price_max()).then_some(price)
    }

    /// Whether a waiting limit order at `limit` executes when the other side stands at `opposing`.
    pub(crate) fn resting_limit_executes(
        &self,
        side: Side,
        limit: Decimal,
        opposing: Decimal,
    ) -> bool {
        match (self.limit_fill, side) {
            (LimitFill::OnTouch, Side::Buy) => opposing <= limit,
            (LimitFill::OnTouch, Side::Sell) => opposing >= limit,
            (LimitFill::OnlyThrough, Side::Buy) => opposing < limit,
            (LimitFill::OnlyThrough, Side::Sell) => opposing > limit,
        }
    }

    /// How much of a waiting limit order of `quantity` one tick may execute; at least one step.
    pub(crate) fn resting_piece(&self, quantity: Decimal, step: Decimal) -> Decimal {
        let piece = quantity
            .checked_mul(self.resting_fill_share)
            .and_then(|piece| money::round_up(piece, step));
        piece.unwrap_or(quantity).min(quantity)
    }

    /// How much one piece taken from the market holds at `price`; at least one step. None for any amount.
    pub(crate) fn slice_quantity(
        &self,
        price: Decimal,
        multiplier: Decimal,
        step: Decimal,
    ) -> Option<Decimal> {
        let unit_value = price.checked_mul(multiplier)?;
        let quantity = money::round_down(self.slice_value?.checked_div(unit_value)?, step)?;
        Some(quantity.max(step))
    }
}
