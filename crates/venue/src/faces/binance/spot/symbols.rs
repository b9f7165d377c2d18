//! The spot market's symbols: their filters, what orders must keep to, and how `exchangeInfo` shows them.
//!
//! Source: Binance Spot API, "Filters" and "Exchange information". The numbers are plausible, not today's.

use crate::faces::binance::error::ApiError;
use crate::instrument::Instrument;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Decimals of every asset.
pub(super) const ASSET_DECIMALS: u32 = 8;
/// The smallest and the largest trailing delta, in basis points.
const TRAILING_DELTA_RANGE: (u32, u32) = (10, 2_000);
/// How far above and below the average price an order's price may lie.
const PERCENT_PRICE: (Decimal, Decimal) = (
    Decimal::from_parts(5, 0, 0, false, 0),
    Decimal::from_parts(2, 0, 0, false, 1),
);
/// Open orders of an account in one symbol.
pub(super) const ORDERS_MAX: usize = 200;
/// Open orders of an account in one symbol that wait for a price.
pub(super) const ALGO_ORDERS_MAX: usize = 5;
/// Open order lists of an account in one symbol.
pub(super) const ORDER_LISTS_MAX: usize = 20;
/// How often one order may be amended.
pub(super) const AMENDS_MAX: u32 = 10;
/// Parts of an iceberg order.
const ICEBERG_PARTS_MAX: i64 = 100;

/// One symbol.
#[derive(Clone, Debug)]
pub(super) struct SpotSymbol {
    pub(super) name: &'static str,
    pub(super) base: &'static str,
    pub(super) quote: &'static str,
    pub(super) tick: Decimal,
    pub(super) price_max: Decimal,
    pub(super) step: Decimal,
    pub(super) quantity_max: Decimal,
    pub(super) market_quantity_max: Decimal,
    pub(super) notional_min: Decimal,
    pub(super) notional_max: Decimal,
}

/// What filters look at of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filtered {
    pub(super) quantity: Decimal,
    pub(super) price: Option<Decimal>,
    pub(super) stop_price: Option<Decimal>,
    pub(super) trailing_delta: Option<u32>,
    pub(super) iceberg_quantity: Option<Decimal>,
    /// Whether it takes whatever price the market has when it executes.
    pub(super) is_market: bool,
}

impl SpotSymbol {
    /// The symbols that are traded.
    pub(super) fn all() -> Vec<SpotSymbol> {
        // Step, largest quantity, largest quantity of a market order.
        let rows = [
            ("BTCUSDT", "BTC", (1, 5), 9_000, 100),
            ("ETHUSDT", "ETH", (1, 4), 9_000, 2_000),
            ("BNBUSDT", "BNB", (1, 3), 900_000, 3_000),
            ("SOLUSDT", "SOL", (1, 3), 90_000, 10_000),
        ];
        rows.into_iter()
            .map(|(name, base, step, quantity_max, market_max)| SpotSymbol {
                name,
                base,
                quote: "USDT",
                tick: Decimal::new(1, 2),
                price_max: Decimal::from(1_000_000),
                step: Decimal::new(step.0, step.1),
                quantity_max: Decimal::from(quantity_max),
                market_quantity_max: Decimal::from(market_max),
                notional_min: Decimal::from(5),
                notional_max: Decimal::from(9_000_000),
            })
            .collect()
    }

    /// The venue's view: steps only, since this market's filters are checked here.
    pub(super) fn instrument(&self) -> Instrument {
        Instrument {
            symbol: self.name.to_owned(),
            price_tick: self.tick,
            quantity_step: self.step,
            minimum_quantity: Decimal::ZERO,
            minimum_notional: Decimal::ZERO,
            contract_multiplier: Decimal::ONE,
        }
    }

    /// Says whether an order passes the symbol's filters; `average` is its average price now.
    ///
    /// # Errors
    /// -1013 with the name of the filter.
    pub(super) fn check(&self, order: &Filtered, average: Decimal) -> Result<(), ApiError> {
        for price in [order.price, order.stop_price].into_iter().flatten() {
            if price < self.tick || price > self.price_max || !is_multiple(price, self.tick) {
                return Err(ApiError::filter("PRICE_FILTER"));
            }
        }
        if let Some(price) = order.price {
            let (up, down) = PERCENT_PRICE;
            if price > average * up || price < average * down {
                return Err(ApiError::filter("PERCENT_PRICE_BY_SIDE"));
            }
        }
        self.check_quantity(order)?;
        if let Some(delta) = order.trailing_delta
            && !(TRAILING_DELTA_RANGE.0..=TRAILING_DELTA_RANGE.1).contains(&delta)
        {
            return Err(ApiError::filter("TRAILING_DELTA"));
        }
        let price = order.price.or(order.stop_price).unwrap_or(average);
        let notional = price
            .checked_mul(order.quantity)
            .ok_or_else(|| ApiError::filter("NOTIONAL"))?;
        if notional < self.notional_min || (notional > self.notional_max && !order.is_market) {
            return Err(ApiError::filter("NOTIONAL"));
        }
        Ok(())
    }

    fn check_quantity(&self, order: &Filtered) -> Result<(), ApiError> {
        for quantity in [Some(order.quantity), order.iceberg_quantity]
            .into_iter()
            .flatten()
        {
            if quantity < self.step
                || quantity > self.quantity_max
                || !is_multiple(quantity, self.step)
            {
                return Err(ApiError::filter("LOT_SIZE"));
            }
        }
        if order.is_market && order.quantity > self.market_quantity_max {
            return Err(ApiError::filter("MARKET_LOT_SIZE"));
        }
        if let Some(part) = order.iceberg_quantity {
            if part > order.quantity {
                return Err(ApiError::rejected("IcebergQty exceeds QTY."));
            }
            if (order.quantity / part).ceil() > Decimal::from(ICEBERG_PARTS_MAX) {
                return Err(ApiError::filter("ICEBERG_PARTS"));
            }
        }
        Ok(())
    }

    /// The symbol as `exchangeInfo` shows it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "symbol": self.name,
            "status": "TRADING",
            "baseAsset": self.base,
            "baseAssetPrecision": ASSET_DECIMALS,
            "quoteAsset": self.quote,
            "quotePrecision": ASSET_DECIMALS,
            "quoteAssetPrecision": ASSET_DECIMALS,
            "baseCommissionPrecision": ASSET_DECIMALS,
            "quoteCommissionPrecision": ASSET_DECIMALS,
            "orderTypes": [
                "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT",
            ],
            "icebergAllowed": true,
            "ocoAllowed": true,
            "otoAllowed": true,
            "opoAllowed": true,
            "quoteOrderQtyMarketAllowed": true,
            "allowTrailingStop": true,
            "cancelReplaceAllowed": true,
            "amendAllowed": true,
            "pegInstructionsAllowed": false,
            "isSpotTradingAllowed": true,
            "isMarginTradingAllowed": false,
            "filters": self.filters(),
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
            "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
        })
    }

    fn filters(&self) -> Value {
        let (delta_min, delta_max) = TRAILING_DELTA_RANGE;
        let (up, down) = PERCENT_PRICE;
        json!([
            {
                "filterType": "PRICE_FILTER", "minPrice": decimal(self.tick), "maxPrice": decimal(self.price_max),
                "tickSize": decimal(self.tick),
            },
            {
                "filterType": "LOT_SIZE", "minQty": decimal(self.step), "maxQty": decimal(self.quantity_max),
                "stepSize": decimal(self.step),
            },
            {"filterType": "ICEBERG_PARTS", "limit": ICEBERG_PARTS_MAX},
            {
                "filterType": "MARKET_LOT_SIZE", "minQty": decimal(Decimal::ZERO),
                "maxQty": decimal(self.market_quantity_max), "stepSize": decimal(Decimal::ZERO),
            },
            {
                "filterType": "TRAILING_DELTA", "minTrailingAboveDelta": delta_min, "maxTrailingAboveDelta": delta_max,
                "minTrailingBelowDelta": delta_min, "maxTrailingBelowDelta": delta_max,
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": up.to_string(),
                "bidMultiplierDown": down.to_string(), "askMultiplierUp": up.to_string(),
                "askMultiplierDown": down.to_string(), "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL", "minNotional": decimal(self.notional_min), "applyMinToMarket": true,
                "maxNotional": decimal(self.notional_max), "applyMaxToMarket": false, "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": ORDERS_MAX},
            {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": ORDER_LISTS_MAX},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": ALGO_ORDERS_MAX},
            {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": AMENDS_MAX},
        ])
    }
}

/// A decimal as this market writes it: with eight decimals.
pub(super) fn decimal(number: Decimal) -> String {
    format!("{number:.8}")
}

fn is_multiple(number: Decimal, step: Decimal) -> bool {
    number.checked_rem(step).is_some_and(|rest| rest.is_zero())
}
