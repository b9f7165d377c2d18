//! Symbols: the filters and margin rules of the perpetual contracts that can be traded.

use super::refusal::Refusal;
use crate::instrument::Instrument;
use crate::order::Side;
use rust_decimal::Decimal;

/// Open regular orders of one symbol (filter `MAX_NUM_ORDERS`).
pub(crate) const OPEN_ORDERS_PER_SYMBOL_MAX: usize = 200;
/// Open conditional orders of one account (Binance Derivatives, change log of 2025-12).
pub(crate) const OPEN_ALGO_ORDERS_MAX: usize = 200;

/// The rules of one perpetual contract, quoted and settled in USDT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FuturesSymbol {
    /// Its name, such as `BTCUSDT`.
    pub(crate) symbol: String,
    /// The asset that quantities count.
    pub(crate) base_asset: String,
    /// Decimals of prices on the wire; not the tick.
    pub(crate) price_precision: u32,
    /// Decimals of quantities on the wire; not the step.
    pub(crate) quantity_precision: u32,
    /// Filter `PRICE_FILTER`: `tickSize`.
    pub(crate) price_tick: Decimal,
    /// Filter `PRICE_FILTER`: `minPrice`.
    pub(crate) price_min: Decimal,
    /// Filter `PRICE_FILTER`: `maxPrice`.
    pub(crate) price_max: Decimal,
    /// Filters `LOT_SIZE` and `MARKET_LOT_SIZE`: `stepSize`.
    pub(crate) quantity_step: Decimal,
    /// Filters `LOT_SIZE` and `MARKET_LOT_SIZE`: `minQty`.
    pub(crate) quantity_min: Decimal,
    /// Filter `LOT_SIZE`: `maxQty`.
    pub(crate) quantity_max: Decimal,
    /// Filter `MARKET_LOT_SIZE`: `maxQty`.
    pub(crate) market_quantity_max: Decimal,
    /// Filter `MIN_NOTIONAL`: `notional`, in USDT.
    pub(crate) notional_min: Decimal,
    /// Filter `PERCENT_PRICE`: a buy's price may be so many times the mark price.
    pub(crate) multiplier_up: Decimal,
    /// Filter `PERCENT_PRICE`: a sell's price may be so many times the mark price.
    pub(crate) multiplier_down: Decimal,
    /// The highest leverage; 1 to 125.
    pub(crate) leverage_max: u32,
    /// Above this difference of mark and last price, as a fraction, a `priceProtect` order isn't triggered.
    pub(crate) trigger_protect: Decimal,
    /// The last price before anything else is known.
    pub(crate) start_price: Decimal,
}

/// One row of the table below; a decimal is (digits, decimals).
struct Row {
    symbol: &'static str,
    base_asset: &'static str,
    precisions: (u32, u32),
    tick: (i64, u32),
    price_min: (i64, u32),
    price_max: i64,
    step: (i64, u32),
    quantity_max: i64,
    market_quantity_max: i64,
    notional_min: i64,
    leverage_max: u32,
    start_price: i64,
}

impl FuturesSymbol {
    /// Four liquid contracts with rules like those of the live exchange in 2026.
    pub(crate) fn for_rehearsal() -> Vec<FuturesSymbol> {
        let rows = [
            Row {
                symbol: "BTCUSDT",
                base_asset: "BTC",
                precisions: (2, 3),
                tick: (10, 2),
                price_min: (26110, 2),
                price_max: 4_529_764,
                step: (1, 3),
                quantity_max: 1_000,
                market_quantity_max: 120,
                notional_min: 50,
                leverage_max: 125,
                start_price: 60_000,
            },
            Row {
                symbol: "ETHUSDT",
                base_asset: "ETH",
                precisions: (2, 3),
                tick: (1, 2),
                price_min: (3986, 2),
                price_max: 306_177,
                step: (1, 3),
                quantity_max: 10_000,
                market_quantity_max: 2_000,
                notional_min: 20,
                leverage_max: 125,
                start_price: 3_000,
            },
            Row {
                symbol: "BNBUSDT",
                base_asset: "BNB",
                precisions: (3, 2),
                tick: (10, 3),
                price_min: (6600, 3),
                price_max: 100_000,
                step: (1, 2),
                quantity_max: 100_000,
                market_quantity_max: 2_000,
                notional_min: 5,
                leverage_max: 75,
                start_price: 600,
            },
            Row {
                symbol: "SOLUSDT",
                base_asset: "SOL",
                precisions: (4, 2),
                tick: (100, 4),
                price_min: (4200, 4),
                price_max: 6_857,
                step: (1, 2),
                quantity_max: 1_000_000,
                market_quantity_max: 80_000,
                notional_min: 5,
                leverage_max: 100,
                start_price: 150,
            },
        ];
        rows.into_iter().map(Row::into_symbol).collect()
    }

    /// The same rules as the venue needs them: the face checks the minimums itself, since reducing orders are exempt
    /// from some of them.
    pub(crate) fn instrument(&self) -> Instrument {
        Instrument {
            symbol: self.symbol.clone(),
            price_tick: self.price_tick,
            quantity_step: self.quantity_step,
            minimum_quantity: Decimal::ZERO,
            minimum_notional: Decimal::ZERO,
            contract_multiplier: Decimal::ONE,
        }
    }

    /// Checks a quantity against precision, `LOT_SIZE` and `MARKET_LOT_SIZE`.
    pub(crate) fn check_quantity(&self, quantity: Decimal, is_market: bool) -> Result<(), Refusal> {
        if quantity <= Decimal::ZERO {
            return Err(Refusal::new(-4003, "Quantity less than or equal to zero."));
        }
        if quantity.normalize().scale() > self.quantity_precision {
            return Err(Refusal::precision());
        }
        if quantity < self.quantity_min {
            return Err(Refusal::new(-4004, "Quantity less than min quantity."));
        }
        let quantity_max = if is_market {
            self.market_quantity_max
        } else {
            self.quantity_max
        };
        if quantity > quantity_max {
            return Err(Refusal::new(-4005, "Quantity greater than max quantity."));
        }
        if !is_multiple(quantity, self.quantity_step) {
            return Err(Refusal::new(-4023, "Qty not increased by step size."));
        }
        Ok(())
    }

    /// Checks a price or a trigger price against precision and `PRICE_FILTER`.
    pub(crate) fn check_price(&self, price: Decimal) -> Result<(), Refusal> {
        if price < Decimal::ZERO {
            return Err(Refusal::new(-4001, "Price less than 0."));
        }
        if price.normalize().scale() > self.price_precision {
            return Err(Refusal::precision());
        }
        if price < self.price_min {
            return Err(Refusal::new(-4013, "Price less than min price."));
        }
        if price > self.price_max {
            return Err(Refusal::new(-4002, "Price greater than max price."));
        }
        if !is_multiple(price, self.price_tick) {
            return Err(Refusal::new(-4014, "Price not increased by tick size."));
        }
        Ok(())
    }

    /// Checks a limit price against the band around the mark price (`PERCENT_PRICE`): buys have a cap, sells a floor.
    pub(crate) fn check_band(
        &self,
        side: Side,
        price: Decimal,
        mark: Decimal,
    ) -> Result<(), Refusal> {
        let decimals = self.price_precision;
        match side {
            Side::Buy => {
                let cap = (mark * self.multiplier_up).round_dp(decimals).normalize();
                if price > cap {
                    let message = format!("Limit price can't be higher than {cap}.");
                    return Err(Refusal::new(-4016, message));
                }
            }
            Side::Sell => {
                let floor = (mark * self.multiplier_down).round_dp(decimals).normalize();
                if price < floor {
                    let message = format!("Limit price can't be lower than {floor}.");
                    return Err(Refusal::new(-4024, message));
                }
            }
        }
        Ok(())
    }

    /// Checks the notional value against `MIN_NOTIONAL`.
    pub(crate) fn check_notional(&self, notional: Decimal) -> Result<(), Refusal> {
        if notional >= self.notional_min {
            return Ok(());
        }
        let message = format!(
            "Order's notional must be no smaller than {} (unless you choose reduce only).",
            self.notional_min.normalize()
        );
        Err(Refusal::new(-4164, message))
    }

    /// `number` with as many decimals as prices of this symbol have on the wire.
    pub(crate) fn price_text(&self, number: Decimal) -> String {
        fixed(number, self.price_precision)
    }

    /// `number` with as many decimals as quantities of this symbol have on the wire.
    pub(crate) fn quantity_text(&self, number: Decimal) -> String {
        fixed(number, self.quantity_precision)
    }
}

impl Row {
    fn into_symbol(self) -> FuturesSymbol {
        let decimal = |(digits, scale): (i64, u32)| Decimal::new(digits, scale);
        FuturesSymbol {
            symbol: self.symbol.to_owned(),
            base_asset: self.base_asset.to_owned(),
            price_precision: self.precisions.0,
            quantity_precision: self.precisions.1,
            price_tick: decimal(self.tick),
            price_min: decimal(self.price_min),
            price_max: Decimal::from(self.price_max),
            quantity_step: decimal(self.step),
            quantity_min: decimal(self.step),
            quantity_max: Decimal::from(self.quantity_max),
            market_quantity_max: Decimal::from(self.market_quantity_max),
            notional_min: Decimal::from(self.notional_min),
            multiplier_up: Decimal::new(105, 2),
            multiplier_down: Decimal::new(95, 2),
            leverage_max: self.leverage_max,
            trigger_protect: Decimal::new(5, 2),
            start_price: Decimal::from(self.start_price),
        }
    }
}

/// `number` with exactly so many decimals, as REST answers write it.
pub(crate) fn fixed(number: Decimal, decimals: u32) -> String {
    let mut rounded = number.round_dp(decimals);
    if rounded.is_zero() {
        rounded = Decimal::ZERO;
    }
    rounded.rescale(decimals);
    rounded.to_string()
}

/// `number` without zeros at its end, as stream events write it.
pub(crate) fn plain(number: Decimal) -> String {
    if number.is_zero() {
        return "0".to_owned();
    }
    number.normalize().to_string()
}

fn is_multiple(number: Decimal, step: Decimal) -> bool {
    number.checked_rem(step).is_some_and(|rest| rest.is_zero())
}
