//! Money, prices and quantities: decimals with a meaning, never binary floats.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A number that may not be what its type promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPositive(pub Decimal);

impl fmt::Display for NotPositive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not above zero", self.0)
    }
}

impl std::error::Error for NotPositive {}

macro_rules! positive {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "Decimal", into = "Decimal")]
        pub struct $name(Decimal);

        impl $name {
            /// Checks that the number is above zero, and forgets trailing zeros.
            ///
            /// # Errors
            /// The number, when it is zero or below.
            pub fn new(value: Decimal) -> Result<Self, NotPositive> {
                if value > Decimal::ZERO {
                    Ok(Self(value.normalize()))
                } else {
                    Err(NotPositive(value))
                }
            }

            /// The plain number.
            #[must_use]
            pub const fn get(self) -> Decimal {
                self.0
            }
        }

        impl TryFrom<Decimal> for $name {
            type Error = NotPositive;
            fn try_from(value: Decimal) -> Result<Self, NotPositive> {
                Self::new(value)
            }
        }

        impl From<$name> for Decimal {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

positive!(
    /// How much of an instrument, above zero; the side says which way.
    Quantity
);
positive!(
    /// A price in the instrument's quote currency, above zero.
    Price
);

/// `quantity × price × multiplier`, or `None` past the range of decimals.
#[must_use]
pub fn notional(quantity: Quantity, price: Price, multiplier: Decimal) -> Option<Decimal> {
    quantity
        .get()
        .checked_mul(price.get())?
        .checked_mul(multiplier)
        .map(|value| value.normalize())
}

/// The largest multiple of `step` that is not above `value`; `None` for a step that isn't above zero.
#[must_use]
pub fn floor_to_step(value: Decimal, step: Decimal) -> Option<Decimal> {
    if step <= Decimal::ZERO {
        return None;
    }
    let steps = value.checked_div(step)?.floor();
    steps.checked_mul(step).map(|value| value.normalize())
}

/// Whether `value` is a whole number of `step`s.
#[must_use]
pub fn is_multiple_of(value: Decimal, step: Decimal) -> bool {
    value
        .checked_rem(step)
        .is_some_and(|rest| rest == Decimal::ZERO)
}
