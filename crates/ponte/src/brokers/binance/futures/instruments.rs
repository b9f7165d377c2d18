//! The exchange's list of contracts, as instruments.

use ponte_core::instrument::{Instrument, Instruments, Limits, MarketLot, PriceBand};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{number, symbols};
use crate::brokers::binance::limits::RateLimit;

/// Stands for "no bound" where a price band needs one: no market price is that far away.
const FAR_AWAY: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
/// The smallest and the largest distance of a trailing stop, in percent (USDⓈ-M Futures, "New Algo
/// Order", `callbackRate`). The upper bound is said to have become 20 on 2026-10-23: unsure, so the
/// old one holds.
const TRAILING_PERCENT: (Decimal, Decimal) = (
    Decimal::from_parts(1, 0, 0, false, 1),
    Decimal::from_parts(10, 0, 0, false, 0),
);
/// What the exchange calls a contract that can be traded.
const TRADING: &str = "TRADING";

/// `GET /fapi/v1/exchangeInfo` (USDⓈ-M Futures, "Exchange Information").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExchangeInfo {
    symbols: Vec<SymbolView>,
    /// How many requests and orders may be sent.
    #[serde(default)]
    pub(super) rate_limits: Vec<RateLimit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SymbolView {
    symbol: String,
    #[serde(default)]
    contract_type: String,
    status: String,
    quote_asset: String,
    margin_asset: String,
    filters: Vec<Filter>,
}

/// A filter's fields; which of them are there depends on its type.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    filter_type: String,
    #[serde(deserialize_with = "number::optional")]
    tick_size: Option<Decimal>,
    #[serde(deserialize_with = "number::optional")]
    step_size: Option<Decimal>,
    #[serde(deserialize_with = "number::optional")]
    min_qty: Option<Decimal>,
    #[serde(deserialize_with = "number::optional")]
    max_qty: Option<Decimal>,
    #[serde(deserialize_with = "number::optional")]
    notional: Option<Decimal>,
    #[serde(deserialize_with = "number::optional")]
    multiplier_up: Option<Decimal>,
    #[serde(deserialize_with = "number::optional")]
    multiplier_down: Option<Decimal>,
}

impl ExchangeInfo {
    /// The perpetual contracts that are quoted and margined in this currency. One whose steps can't
    /// be read is left out: no order for it could be sized.
    pub(super) fn instruments(self, currency: &str) -> Instruments {
        let listed = self
            .symbols
            .into_iter()
            .filter(|view| view.quote_asset == currency && view.margin_asset == currency)
            // "PERPETUAL" and, for tokenised stocks, "TRADIFI_PERPETUAL".
            .filter(|view| view.contract_type.ends_with("PERPETUAL"))
            .filter_map(|view| view.instrument())
            .map(|instrument| (instrument.symbol.clone(), instrument))
            .collect();
        Instruments {
            listed,
            any_other: None,
        }
    }
}

impl SymbolView {
    fn filter(&self, kind: &str) -> Option<&Filter> {
        self.filters
            .iter()
            .find(|filter| filter.filter_type == kind)
    }

    fn instrument(&self) -> Option<Instrument> {
        let lot = self.filter("LOT_SIZE")?;
        let notional = self.filter("MIN_NOTIONAL").and_then(|f| f.notional);
        Some(Instrument {
            symbol: symbols::from_wire(&self.symbol)?,
            price_tick: above_zero(self.filter("PRICE_FILTER")?.tick_size)?,
            quantity_step: above_zero(lot.step_size)?,
            minimum_quantity: lot.min_qty?,
            minimum_notional: notional.unwrap_or_default().normalize(),
            // A contract is one unit of the base asset.
            contract_multiplier: Decimal::ONE,
            limits: Limits {
                maximum_quantity: above_zero(lot.max_qty),
                market: self.market_lot(),
                maximum_notional: None,
                price_band: self.price_band(),
                trailing_percent: Some(TRAILING_PERCENT),
                closed: (self.status != TRADING).then(|| self.status.clone()),
            },
        })
    }

    fn market_lot(&self) -> MarketLot {
        self.filter("MARKET_LOT_SIZE")
            .map(|filter| MarketLot {
                minimum: above_zero(filter.min_qty),
                maximum: above_zero(filter.max_qty),
                step: above_zero(filter.step_size),
            })
            .unwrap_or_default()
    }

    /// Relative to the mark price: a buy may not be dearer than the upper bound, a sell not cheaper
    /// than the lower (USDⓈ-M Futures, "Filters", `PERCENT_PRICE`). The other side has no bound.
    fn price_band(&self) -> Option<PriceBand> {
        let filter = self.filter("PERCENT_PRICE")?;
        Some(PriceBand {
            buy: (Decimal::ZERO, filter.multiplier_up?),
            sell: (filter.multiplier_down?, FAR_AWAY),
        })
    }
}

/// A value of zero disables that part of a filter.
fn above_zero(number: Option<Decimal>) -> Option<Decimal> {
    number.filter(|number| *number > Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ponte_core::id::Symbol;
    use ponte_core::number::is_multiple_of;

    /// As `exchangeInfo` answers, cut down to the fields that have a meaning here.
    fn info(changes: &[(&str, &str)]) -> ExchangeInfo {
        let mut symbol = serde_json::json!({
            "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
            "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2,
            "quantityPrecision": 3, "triggerProtect": "0.0500", "marketTakeBound": "0.05",
            "orderTypes": ["LIMIT", "MARKET", "STOP_MARKET"],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
                {"filterType": "LOT_SIZE", "stepSize": "0.001", "maxQty": "1000", "minQty": "0.001"},
                {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "maxQty": "120", "minQty": "0.001"},
                {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                {"filterType": "MIN_NOTIONAL", "notional": "50"},
                {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500",
                 "multiplierDecimal": "4"}
            ]
        });
        for (name, value) in changes {
            symbol[name] = (*value).into();
        }
        let text = serde_json::json!({ "timezone": "UTC", "symbols": [symbol] });
        serde_json::from_value(text).expect("the documented answer")
    }

    fn only(changes: &[(&str, &str)]) -> Option<Instrument> {
        let instruments = info(changes).instruments("USDT");
        instruments.listed.into_values().next()
    }

    #[test]
    fn filters_become_steps_and_limits() {
        let bitcoin = only(&[]).expect("it is listed");
        assert_eq!(bitcoin.symbol, Symbol::new("BTCUSDT.P").expect("a symbol"));
        let number = |text: &str| text.parse::<Decimal>().expect("a decimal");
        assert_eq!(bitcoin.price_tick, number("0.1"));
        assert_eq!(bitcoin.quantity_step, number("0.001"));
        assert_eq!(bitcoin.minimum_notional, number("50"));
        assert_eq!(bitcoin.limits.maximum_quantity, Some(number("1000")));
        assert_eq!(bitcoin.limits.market.maximum, Some(number("120")));
        assert_eq!(bitcoin.limits.closed, None);
        let band = bitcoin.limits.price_band.expect("a band");
        assert_eq!(band.buy.1, number("1.05"));
        assert_eq!(band.sell.0, number("0.95"));
        assert!(is_multiple_of(
            bitcoin.minimum_quantity,
            bitcoin.quantity_step
        ));
    }

    #[test]
    fn only_perpetuals_of_the_accounts_currency_are_listed() {
        assert!(only(&[("contractType", "TRADIFI_PERPETUAL")]).is_some());
        assert!(only(&[("contractType", "CURRENT_QUARTER")]).is_none());
        assert!(only(&[("symbol", "BTCUSDT_270326")]).is_none());
        assert!(only(&[("quoteAsset", "USDC")]).is_none());
        assert!(only(&[("marginAsset", "BNFCR")]).is_none());
        let settling = only(&[("status", "SETTLING")]).expect("positions may be left in it");
        assert_eq!(settling.limits.closed.as_deref(), Some("SETTLING"));
    }

    #[test]
    fn a_contract_without_steps_is_left_out() {
        let text = r#"{"symbols":[{"symbol":"XUSDT","contractType":"PERPETUAL","status":"PENDING_TRADING",
            "quoteAsset":"USDT","marginAsset":"USDT","filters":[]}]}"#;
        let info: ExchangeInfo = serde_json::from_str(text).expect("a list");
        assert!(info.instruments("USDT").listed.is_empty());
    }
}
