//! How an order and its strategy are recognised in the terminal: by the magic number, and by the comment.
//!
//! A magic number has 63 bits, since it is read back as a signed `long` (MQL5 Reference, "Order
//! Properties"): the upper 20 tell the strategy, the lower 43 the order.

use ponte_core::id::{ClientOrderId, StrategyName, StrategyTag};
use ponte_core::order::OrderPlan;

/// How many of the lower bits tell the order.
const ORDER_BITS: u32 = 43;
const ORDER_MASK: u64 = (1 << ORDER_BITS) - 1;
/// How many hex digits of the order's id stand in its comment.
const COMMENT_DIGITS: usize = 22;

/// What a strategy is called in magic numbers: never 0, which is what people's trades and most other
/// programs have there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(pub(super) StrategyTag);

impl Tag {
    /// The tag of a strategy.
    pub(super) fn of(strategy: &StrategyName) -> Self {
        Self(StrategyTag::of(strategy))
    }

    /// The tag in a magic number; `None` where a person or another program traded.
    pub(super) fn in_magic(magic: i64) -> Option<Self> {
        let upper = u64::try_from(magic).ok()? >> ORDER_BITS;
        let bits = u32::try_from(upper).ok()?;
        StrategyTag::from_bits(bits).map(Self)
    }
}

/// The magic number of an order.
pub(super) fn magic(strategy: &StrategyName, id: ClientOrderId) -> u64 {
    let bytes = id.to_bytes();
    let mut last = [0; 8];
    last.copy_from_slice(&bytes[8..]);
    let order = (u64::from_be_bytes(last) & ORDER_MASK).max(1);
    u64::from(StrategyTag::of(strategy).bits()) << ORDER_BITS | order
}

/// The magic number of a plan.
pub(super) fn magic_of(plan: &OrderPlan) -> u64 {
    magic(&plan.strategy, plan.id)
}

/// The comment of an order: 23 characters, since some terminals refuse more than 26.
pub(super) fn comment(id: ClientOrderId) -> String {
    let digits = id.to_string();
    format!("P{}", &digits[digits.len() - COMMENT_DIGITS..])
}

#[cfg(test)]
mod tests {
    use ponte_core::id::AlertId;

    use super::*;

    fn strategy(name: &str) -> StrategyName {
        StrategyName::new(name).expect("a name")
    }

    #[test]
    fn a_magic_number_tells_strategy_and_order_and_fits_a_signed_long() {
        let (breakout, trend) = (strategy("breakout"), strategy("trend"));
        for number in 0..500_u64 {
            let id = ClientOrderId::derive(AlertId(number), &[b"x"]);
            let magic = magic(&breakout, id);
            let signed = i64::try_from(magic).expect("63 bits");
            assert_eq!(Tag::in_magic(signed), Some(Tag::of(&breakout)));
            assert_ne!(Tag::in_magic(signed), Some(Tag::of(&trend)));
            assert_ne!(magic & ORDER_MASK, 0);
        }
    }

    #[test]
    fn people_and_small_numbers_of_other_programs_have_no_tag() {
        for foreign in [0, 1, 12_345, -7, (1 << 43) - 1, i64::MIN] {
            assert_eq!(Tag::in_magic(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn an_order_whose_last_bits_are_zero_still_has_a_number() {
        let id = ClientOrderId::from_bytes([0; 16]);
        assert_eq!(magic(&strategy("a"), id) & ORDER_MASK, 1);
    }

    #[test]
    fn comments_are_short_and_tell_the_end_of_the_id() {
        let id = ClientOrderId::derive(AlertId(7), &[b"x"]);
        let comment = comment(id);
        assert_eq!(comment.len(), 23);
        assert!(id.to_string().ends_with(&comment[1..]));
    }
}
