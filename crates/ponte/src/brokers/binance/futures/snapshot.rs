//! Where an order stands, put together from what the exchange says about its one or two halves.
//!
//! A conditional order is two orders at the exchange: the one that waits for its trigger, and the
//! regular one that it becomes. What is made here covers both.

use std::collections::BTreeSet;

use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::symbols;
use super::wire::{AlgoView, OrderView, TradeView};

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
    pub(super) fn of_conditional(view: &AlgoView, triggered: Option<Self>) -> Result<Self, String> {
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
        let Some(standing) = status.alone(None) else {
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
            at: Timestamp::from_milliseconds(view.update_time.max(view.create_time)),
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
mod tests {
    use super::*;

    /// As `GET /fapi/v1/order` answers (USDⓈ-M Futures, "Query Order"), with numbers of a partial fill.
    pub(in super::super) const ORDER: &str = r#"{"avgPrice":"60001.00000","clientOrderId":"abc","cumQuote":"18000.3",
        "executedQty":"0.3","orderId":1917641,"origQty":"0.5","origType":"LIMIT","price":"60010","reduceOnly":false,
        "side":"BUY","positionSide":"BOTH","status":"PARTIALLY_FILLED","stopPrice":"0","closePosition":false,
        "symbol":"BTCUSDT","time":1579276756075,"timeInForce":"GTC","type":"LIMIT","updateTime":1579276756075,
        "workingType":"CONTRACT_PRICE","priceProtect":false,"priceMatch":"NONE",
        "selfTradePreventionMode":"NONE","goodTillDate":0}"#;
    /// As `GET /fapi/v1/userTrades` answers (USDⓈ-M Futures, "Account Trade List").
    const TRADES: &str = r#"[
        {"buyer":true,"commission":"0.6","commissionAsset":"USDT","id":698759,"maker":false,"orderId":1917641,
         "price":"60000","qty":"0.1","quoteQty":"6000","realizedPnl":"0","side":"BUY","positionSide":"BOTH",
         "symbol":"BTCUSDT","time":1579276756100},
        {"commission":"0.00002","commissionAsset":"BTC","id":698760,"price":"60001.5","qty":"0.2","time":1579276756200},
        {"commission":"0.001","commissionAsset":"BNB","id":698760,"price":"60001.5","qty":"0.2","time":1579276756200}]"#;
    /// As `GET /fapi/v1/algoOrder` answers (USDⓈ-M Futures, "Query Algo Order").
    const ALGO: &str = r#"{"algoId":2146760,"clientAlgoId":"abc","algoType":"CONDITIONAL","orderType":"STOP_MARKET",
        "symbol":"BTCUSDT","side":"SELL","positionSide":"BOTH","timeInForce":"GTC","quantity":"0.5",
        "algoStatus":"STATUS","actualOrderId":"","actualPrice":"0.00000","triggerPrice":"58000","price":"0",
        "icebergQuantity":null,"tpTriggerPrice":"0.000","tpOrderType":"","workingType":"CONTRACT_PRICE",
        "closePosition":false,"priceProtect":false,"reduceOnly":false,"createTime":1750485492076,
        "updateTime":1750514545091,"triggerTime":0,"goodTillDate":0}"#;

    fn order() -> OrderView {
        serde_json::from_str(ORDER).expect("the documented answer")
    }

    fn trades() -> Vec<TradeView> {
        serde_json::from_str(TRADES).expect("the documented answer")
    }

    fn algo(status: &str) -> AlgoView {
        serde_json::from_str(&ALGO.replace("STATUS", status)).expect("the documented answer")
    }

    fn number(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn an_order_and_its_trades_give_exact_totals() {
        let snapshot = Snapshot::of_regular(&order(), &trades(), "USDT").expect("they add up");
        assert_eq!(snapshot.standing, Standing::Working);
        assert_eq!(snapshot.totals.quantity, number("0.3"));
        assert_eq!(snapshot.totals.average_price(), number("60001"));
        // 0.6 in the currency and 0.00002 of the base asset at 60001.5; the repeated trade counts once.
        assert_eq!(snapshot.totals.fees, number("1.80003"));
        assert_eq!(snapshot.at, Timestamp::from_milliseconds(1_579_276_756_200));
    }

    #[test]
    fn trades_that_do_not_add_up_are_not_guessed_at() {
        let problem = Snapshot::of_regular(&order(), &trades()[..1], "USDT");
        assert_eq!(
            problem,
            Err(
                "the exchange lists trades of 0.1 for an order that it says has traded 0.3"
                    .to_owned()
            )
        );
        let old =
            Snapshot::without_trades(&order(), &trades()[..1], "USDT").expect("cumQuote is told");
        assert_eq!(old.totals.average_price(), number("60001"));
        assert_eq!(old.totals.fees, number("0.6"));
        let mut placed = order();
        placed.cum_quote = None;
        assert_eq!(Snapshot::without_trades(&placed, &[], "USDT"), None);
    }

    #[test]
    fn each_status_of_a_regular_order_has_its_meaning() {
        let cases = [
            ("NEW", Some("working")),
            ("PARTIALLY_FILLED", Some("working")),
            ("FILLED", Some("filled")),
            ("CANCELED", Some("cancelled")),
            ("EXPIRED", Some("cancelled")),
            ("EXPIRED_IN_MATCH", Some("cancelled")),
            ("REJECTED", Some("rejected")),
            ("SOMETHING_NEW", None),
        ];
        for (status, expected) in cases {
            let meaning = Standing::of_regular(status, None).map(|standing| match standing {
                Standing::Working => "working",
                Standing::Filled => "filled",
                Standing::Cancelled(_) => "cancelled",
                Standing::Rejected(_) => "rejected",
            });
            assert_eq!(meaning, expected, "{status}");
        }
    }

    #[test]
    fn a_conditional_order_is_what_it_has_become() {
        let waiting = Snapshot::of_conditional(&algo("NEW"), None).expect("it waits");
        assert_eq!(waiting.standing, Standing::Working);
        assert_eq!((waiting.algo_id, waiting.order_id), (Some(2_146_760), None));

        for status in ["TRIGGERED", "FINISHED"] {
            assert!(Snapshot::of_conditional(&algo(status), None).is_err());
            let regular = Snapshot::of_regular(&order(), &trades(), "USDT").expect("they add up");
            let both = Snapshot::of_conditional(&algo(status), Some(regular.clone()));
            let both = both.expect("both halves are there");
            assert_eq!(
                (both.algo_id, both.order_id),
                (Some(2_146_760), Some(1_917_641))
            );
            assert_eq!(both.totals, regular.totals);
        }
        for (status, rejected) in [("CANCELED", false), ("EXPIRED", false), ("REJECTED", true)] {
            let ended = Snapshot::of_conditional(&algo(status), None).expect("it has ended");
            assert!(ended.standing.is_final());
            assert_eq!(matches!(ended.standing, Standing::Rejected(_)), rejected);
        }
        assert!(Snapshot::of_conditional(&algo("PAUSED"), None).is_err());
    }
}
