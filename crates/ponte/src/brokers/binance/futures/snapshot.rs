//! Where an order stands, put together from what the exchange says about its one or two halves.
//!
//! A conditional order is two orders at the exchange: the one that waits for its trigger, and the
//! regular one that it becomes. What is made here covers both.

use std::collections::BTreeSet;
use std::time::Duration;

use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::symbols;
use super::wire::{AlgoView, OrderView, TradeView};

/// Orders that ended so long ago without a trade are not found any more (USDⓈ-M Futures, "Query
/// Order"); ones that traded are, for 90 days.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60 + 60 * 60);

/// What has traded so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// How much, in units of the base asset.
    pub(super) quantity: Decimal,
    /// What it cost: the sum of quantity × price.
    pub(super) cost: Decimal,
    /// Commissions in the account's currency. What was paid in another asset whose price is not
    /// known (BNB) is left out.
    pub(super) fees: Decimal,
}

impl Totals {
    /// Adds one trade.
    pub(super) fn add(&mut self, quantity: Decimal, price: Decimal, fee: Decimal) {
        self.quantity = self.quantity.saturating_add(quantity);
        self.cost = self.cost.saturating_add(quantity.saturating_mul(price));
        self.fees = self.fees.saturating_add(fee);
    }

    /// The mean price; zero before the first trade.
    pub(super) fn average_price(&self) -> Decimal {
        self.cost
            .checked_div(self.quantity)
            .unwrap_or_default()
            .normalize()
    }
}

/// Where an order stands, before it is held against the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It can still trade, or wait for its trigger.
    Working,
    /// The exchange says that all of it has traded.
    Filled,
    /// It ended early, with the reason for people.
    Cancelled(String),
    /// It was refused after it had been taken, with the reason for people.
    Rejected(String),
}

impl Standing {
    /// Whether nothing more is expected.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::Working => false,
            Self::Filled | Self::Cancelled(_) | Self::Rejected(_) => true,
        }
    }

    /// Reads a regular order's status (USDⓈ-M Futures, "Public Endpoints Info"), with the reason
    /// where the exchange tells one. `None` for a status that this version doesn't know.
    pub(super) fn of_regular(status: &str, why: Option<&str>) -> Option<Self> {
        let told = |text: &str| why.map_or_else(|| text.to_owned(), |why| format!("{text}: {why}"));
        Some(match status {
            "NEW" | "PARTIALLY_FILLED" => Self::Working,
            "FILLED" => Self::Filled,
            "CANCELED" => Self::Cancelled(told("cancelled at the exchange")),
            "EXPIRED" => Self::Cancelled(told("expired at the exchange")),
            "EXPIRED_IN_MATCH" => Self::Cancelled(told(
                "expired at the exchange, so that the account doesn't trade with itself",
            )),
            "REJECTED" => Self::Rejected(told("refused by the exchange's matching engine")),
            _ => return None,
        })
    }
}

/// Why an order ended by the exchange's own doing (USDⓈ-M Futures, "Event: Order Update", "Expiry
/// Reason"); nothing for 0, "none", and for numbers that this version doesn't know.
pub(super) fn expiry_reason(told: &serde_json::Value) -> Option<&'static str> {
    let number = told.as_str().and_then(|text| text.parse().ok());
    Some(match number.or_else(|| told.as_u64())? {
        1 | 3 => "it would have traded with the account's own order",
        2 => "it could not be filled at once",
        4 => {
            "another order that reduces the position took its place, or it would have turned the position"
        }
        5 => "the account was liquidated",
        6 => "there was nothing left that it depended on",
        7 => "the contract is taken off the list",
        8 => "the order that waited for its trigger has become another one",
        9 => "the book could not fill a market order",
        10 => "it could not be filled whole",
        11 => "it would not have rested in the book",
        _ => return None,
    })
}

/// Where a conditional order stands by itself (USDⓈ-M Futures, "Event: Algo Order Update").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlgoStatus {
    /// It waits for its trigger.
    New,
    /// The trigger was reached; it is on its way into the book.
    Triggering,
    /// It is a regular order now.
    Triggered,
    /// The regular order is over.
    Finished,
    /// It was taken back before its trigger.
    Canceled,
    /// The exchange took it away.
    Expired,
    /// The matching engine refused it when it was triggered.
    Rejected,
}

impl AlgoStatus {
    /// Reads the exchange's word; `None` for one that this version doesn't know.
    pub(super) fn read(status: &str) -> Option<Self> {
        Some(match status {
            "NEW" => Self::New,
            "TRIGGERING" => Self::Triggering,
            "TRIGGERED" => Self::Triggered,
            "FINISHED" => Self::Finished,
            "CANCELED" => Self::Canceled,
            "EXPIRED" => Self::Expired,
            "REJECTED" => Self::Rejected,
            _ => return None,
        })
    }

    /// Where the order stands if it never became a regular one; `None` where only that one can tell.
    pub(super) fn alone(self, why: Option<&str>) -> Option<Standing> {
        let told = |text: &str| {
            let why = why.filter(|why| !why.is_empty());
            why.map_or_else(|| text.to_owned(), |why| format!("{text}: {why}"))
        };
        match self {
            Self::New | Self::Triggering => Some(Standing::Working),
            Self::Canceled => Some(Standing::Cancelled(told("cancelled at the exchange"))),
            Self::Expired => Some(Standing::Cancelled(told("taken away by the exchange"))),
            Self::Rejected => Some(Standing::Rejected(told(
                "refused by the exchange's matching engine when it was triggered",
            ))),
            Self::Triggered | Self::Finished => None,
        }
    }
}

/// Where an order stood when the exchange was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The number of the conditional order, where it is or was one.
    pub(super) algo_id: Option<u64>,
    /// The number of the regular order, where there is one.
    pub(super) order_id: Option<u64>,
    /// Where it stands.
    pub(super) standing: Standing,
    /// What has traded.
    pub(super) totals: Totals,
    /// The numbers of the trades behind that.
    pub(super) trades: BTreeSet<i64>,
    /// When it last changed, by the exchange's clock.
    pub(super) at: Timestamp,
}

impl Snapshot {
    /// A regular order and its trades.
    ///
    /// # Errors
    /// One sentence, when the trades don't add up to what the order says, or its status is not known.
    pub(super) fn of_regular(
        view: &OrderView,
        trades: &[TradeView],
        currency: &str,
    ) -> Result<Self, String> {
        let Some(standing) = Standing::of_regular(&view.status, None) else {
            return Err(format!(
                "the exchange says that the order is {}, a word that is not known here",
                view.status
            ));
        };
        let mut totals = Totals::default();
        let mut ids = BTreeSet::new();
        for trade in trades {
            if ids.insert(trade.id) {
                totals.add(trade.qty, trade.price, trade_fee(view, trade, currency));
            }
        }
        if totals.quantity != view.executed_qty {
            return Err(format!(
                "the exchange lists trades of {} for an order that it says has traded {}",
                totals.quantity.normalize(),
                view.executed_qty.normalize()
            ));
        }
        Ok(Self {
            algo_id: None,
            order_id: Some(view.order_id),
            standing,
            totals,
            trades: ids,
            at: Timestamp::from_milliseconds(changed(view, trades)),
        })
    }

    /// A regular order whose older trades the exchange no longer lists: quantity and cost by the
    /// order's own word, the fees of the trades that are listed.
    pub(super) fn without_trades(
        view: &OrderView,
        trades: &[TradeView],
        currency: &str,
    ) -> Option<Self> {
        let standing = Standing::of_regular(&view.status, None)?;
        let fee = |trade| trade_fee(view, trade, currency);
        Some(Self {
            algo_id: None,
            order_id: Some(view.order_id),
            standing,
            totals: Totals {
                quantity: view.executed_qty,
                cost: view.cum_quote?,
                fees: trades.iter().map(fee).sum(),
            },
            trades: trades.iter().map(|trade| trade.id).collect(),
            at: Timestamp::from_milliseconds(changed(view, trades)),
        })
    }

    /// A conditional order together with the regular order that it has become, if it has.
    ///
    /// # Errors
    /// One sentence, when the regular order should be there and isn't, or the status is not known.
    pub(super) fn of_conditional(
        view: &AlgoView,
        triggered: Option<Self>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let Some(status) = AlgoStatus::read(&view.algo_status) else {
            return Err(format!(
                "the exchange says that the conditional order is {}, a word that is not known here",
                view.algo_status
            ));
        };
        if let Some(regular) = triggered {
            return Ok(Self {
                algo_id: Some(view.algo_id),
                ..regular
            });
        }
        let changed = Timestamp::from_milliseconds(view.update_time.max(view.create_time));
        let forgotten = status == AlgoStatus::Finished && now > changed.after(FORGOTTEN_AFTER);
        let ended = forgotten.then(|| {
            let reason = "ended in the exchange's book before anything traded";
            Standing::Cancelled(reason.to_owned())
        });
        let Some(standing) = status.alone(None).or(ended) else {
            return Err(format!(
                "conditional order {} was triggered, and the exchange does not show yet what it became",
                view.algo_id
            ));
        };
        Ok(Self {
            algo_id: Some(view.algo_id),
            order_id: view.actual_order_id,
            standing,
            totals: Totals::default(),
            trades: BTreeSet::new(),
            at: changed,
        })
    }
}

fn changed(view: &OrderView, trades: &[TradeView]) -> i64 {
    let last_trade = trades.iter().map(|trade| trade.time).max();
    view.update_time.max(view.time).max(last_trade.unwrap_or(0))
}

fn trade_fee(view: &OrderView, trade: &TradeView, currency: &str) -> Decimal {
    fee(
        &view.symbol,
        trade.commission,
        &trade.commission_asset,
        trade.price,
        currency,
    )
}

/// A commission in the account's currency: as it is, or at the trade's own price where it was paid
/// in the base asset. In any other asset it counts nothing, for its price is not known here.
pub(super) fn fee(
    symbol: &str,
    commission: Decimal,
    asset: &str,
    price: Decimal,
    currency: &str,
) -> Decimal {
    if asset == currency {
        commission
    } else if symbols::base_asset(symbol, currency) == Some(asset) {
        commission.saturating_mul(price)
    } else {
        Decimal::ZERO
    }
}

#[cfg(test)]
mod tests;
