//! How large a leg is: the route's sizing against the alert, the price and the equity.

use rust_decimal::Decimal;

use super::fitting;
use crate::instrument::Instrument;
use crate::number::{Price, Quantity, floor_to_step};
use crate::policy::{Fitting, Sizing};
use crate::verdict::{Rule, Ruling, Verdict};

/// A size, and what was said on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sized {
    pub(super) quantity: Quantity,
    pub(super) notes: Vec<Verdict>,
}

/// What sizing needs to know.
pub(super) struct Sizer<'a> {
    pub(super) sizing: Sizing,
    pub(super) instrument: Option<&'a Instrument>,
    /// What one unit would cost.
    pub(super) price: Option<Price>,
    /// The account's equity in its currency, when the broker has told it.
    pub(super) equity: Option<Decimal>,
    pub(super) symbol: &'a str,
    /// What is done with a quantity off the steps.
    pub(super) fitting: Fitting,
}

impl Sizer<'_> {
    /// Whether the route sets the size itself, whatever the alert's quantity.
    pub(super) fn is_own_size(&self) -> bool {
        match self.sizing {
            Sizing::AsAlert | Sizing::Multiplied(_) => false,
            Sizing::Fixed(_) | Sizing::Notional(_) | Sizing::PercentOfEquity(_) => true,
        }
    }

    /// The step of quantities; tiny where the instrument isn't known.
    pub(super) fn step(&self) -> Decimal {
        self.instrument
            .map_or(Decimal::new(1, 8), |instrument| instrument.quantity_step)
    }

    /// The size of an entry.
    pub(super) fn entry(&self, quantity: Option<Quantity>) -> Result<Sized, Verdict> {
        match self.sizing {
            Sizing::AsAlert => {
                let quantity = quantity.ok_or_else(|| self.no_quantity())?;
                self.exact(quantity)
            }
            Sizing::Multiplied(factor) => {
                let quantity = quantity.ok_or_else(|| self.no_quantity())?;
                let wanted = quantity.get().checked_mul(factor);
                self.rounded_down(wanted, &format!("{quantity} × {factor}"))
            }
            Sizing::Fixed(quantity) => self.exact(quantity),
            Sizing::Notional(money) => self.for_money(money, &format!("{money}")),
            Sizing::PercentOfEquity(percent) => {
                let equity = self.equity.ok_or_else(|| {
                    refuse(
                        Rule::PriceKnown,
                        format!(
                            "sizing by {percent}% of equity needs the account's equity, \
                             and the broker has not told it yet"
                        ),
                    )
                })?;
                let money = equity
                    .checked_mul(percent)
                    .map(|money| money / Decimal::ONE_HUNDRED)
                    .unwrap_or_default();
                self.for_money(money, &format!("{percent}% of {equity}"))
            }
        }
    }

    /// A quantity of the alert as this route scales it, for exits.
    pub(super) fn scaled(&self, quantity: Quantity) -> Result<Sized, Verdict> {
        match self.sizing {
            Sizing::Multiplied(factor) => {
                let wanted = quantity.get().checked_mul(factor);
                self.rounded_down(wanted, &format!("{quantity} × {factor}"))
            }
            Sizing::AsAlert
            | Sizing::Fixed(_)
            | Sizing::Notional(_)
            | Sizing::PercentOfEquity(_) => self.exact(quantity),
        }
    }

    /// A share of a position, for exits.
    pub(super) fn share(&self, percent: Decimal, whole: Decimal) -> Result<Sized, Verdict> {
        let wanted = whole
            .checked_mul(percent)
            .map(|hundredfold| hundredfold / Decimal::ONE_HUNDRED);
        self.rounded_down(wanted, &format!("{percent}% of {whole}"))
    }

    fn for_money(&self, money: Decimal, text: &str) -> Result<Sized, Verdict> {
        let price = self.price.ok_or_else(|| {
            refuse(
                Rule::PriceKnown,
                format!("sizing {} for {text} needs a price, and none is known; send price in the alert", self.symbol),
            )
        })?;
        let multiplier = self
            .instrument
            .map_or(Decimal::ONE, |instrument| instrument.contract_multiplier);
        let unit = price.get().checked_mul(multiplier);
        let wanted = unit.and_then(|unit| money.checked_div(unit));
        self.rounded_down(wanted, &format!("{text} at {price}"))
    }

    /// The quantity as it stands, or fitted to the steps as far as the policy lets it.
    fn exact(&self, quantity: Quantity) -> Result<Sized, Verdict> {
        let step = self.step();
        let fitted = fitting::quantity(self.fitting, quantity, step);
        fitted
            .map(|(quantity, note)| Sized {
                quantity,
                notes: note.into_iter().collect(),
            })
            .map_err(|below| Verdict {
                rule: Rule::QuantityStep,
                ruling: Ruling::Refuse,
                measured: Some(quantity.get()),
                limit: Some(step),
                detail: format!(
                    "quantity {quantity} is not a whole number of steps of {step} of {}{}",
                    self.symbol,
                    fitting::why_not(self.fitting, quantity.get(), below)
                ),
            })
    }

    /// A computed quantity, rounded down to the step; the rounding is told.
    fn rounded_down(&self, wanted: Option<Decimal>, text: &str) -> Result<Sized, Verdict> {
        let step = self.step();
        let wanted = wanted.unwrap_or_default();
        let fitted = floor_to_step(wanted, step).unwrap_or_default();
        let Ok(quantity) = Quantity::new(fitted) else {
            return Err(refuse(
                Rule::QuantityStep,
                format!(
                    "{text} is {} of {}, less than one step of {step}",
                    wanted.normalize(),
                    self.symbol
                ),
            ));
        };
        let detail = format!(
            "{text} is {}, rounded down to {quantity}",
            wanted.normalize().round_dp(12)
        );
        let notes = if fitted == wanted {
            Vec::new()
        } else {
            vec![Verdict {
                rule: Rule::QuantityStep,
                ruling: Ruling::Note,
                measured: Some(wanted.normalize()),
                limit: Some(step),
                detail,
            }]
        };
        Ok(Sized { quantity, notes })
    }

    fn no_quantity(&self) -> Verdict {
        refuse(
            Rule::MinQuantity,
            format!(
                "the alert has no quantity for {} and the route takes it from the alert; \
                 send one, or give the route a size",
                self.symbol
            ),
        )
    }
}

/// A refusal without numbers.
pub(super) fn refuse(rule: Rule, detail: String) -> Verdict {
    Verdict {
        rule,
        ruling: Ruling::Refuse,
        measured: None,
        limit: None,
        detail,
    }
}
