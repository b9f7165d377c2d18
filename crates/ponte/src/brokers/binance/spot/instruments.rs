//! What the exchange lists, with the filters that its orders are held to.

use std::collections::BTreeMap;

use ponte_core::id::Symbol;
use ponte_core::instrument::{Instrument, Instruments, Limits, MarketLot, PriceBand};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::Spot;
use crate::brokers::BrokerError;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::limits::RateLimit;
use crate::brokers::binance::params::Params;
use crate::clock;

/// The permission that a symbol and an account must share.
const PERMISSION: &str = "SPOT";
/// The status of a symbol that can be traded.
const TRADING: &str = "TRADING";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeInfo {
    #[serde(default)]
    rate_limits: Vec<RateLimit>,
    symbols: Vec<SymbolView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SymbolView {
    symbol: String,
    status: String,
    quote_asset: String,
    #[serde(default = "allowed")]
    is_spot_trading_allowed: bool,
    /// Groups of which each must hold a permission of the account's.
    #[serde(default)]
    permission_sets: Vec<Vec<String>>,
    filters: Vec<Filter>,
}

const fn allowed() -> bool {
    true
}

/// A rule of a symbol (Binance Spot API, "Filters"). A value of 0 switches its part off.
#[derive(Deserialize)]
#[serde(tag = "filterType", rename_all_fields = "camelCase")]
enum Filter {
    #[serde(rename = "PRICE_FILTER")]
    Price { tick_size: Decimal },
    #[serde(rename = "LOT_SIZE")]
    Lot {
        min_qty: Decimal,
        max_qty: Decimal,
        step_size: Decimal,
    },
    #[serde(rename = "MARKET_LOT_SIZE")]
    MarketLot {
        min_qty: Decimal,
        max_qty: Decimal,
        step_size: Decimal,
    },
    #[serde(rename = "MIN_NOTIONAL")]
    MinNotional { min_notional: Decimal },
    #[serde(rename = "NOTIONAL")]
    Notional {
        min_notional: Decimal,
        #[serde(default)]
        max_notional: Decimal,
    },
    #[serde(rename = "PERCENT_PRICE")]
    PercentPrice {
        multiplier_up: Decimal,
        multiplier_down: Decimal,
    },
    #[serde(rename = "PERCENT_PRICE_BY_SIDE")]
    PercentPriceBySide {
        bid_multiplier_up: Decimal,
        bid_multiplier_down: Decimal,
        ask_multiplier_up: Decimal,
        ask_multiplier_down: Decimal,
    },
    /// In hundredths of a percent. Stops that sell, the only trailing ones here, are held to the
    /// distance below (Binance Spot API, "Filters", `TRAILING_DELTA`).
    #[serde(rename = "TRAILING_DELTA")]
    TrailingDelta {
        min_trailing_below_delta: u32,
        max_trailing_below_delta: u32,
    },
    /// A rule about counts, or one that the exchange holds orders to by itself.
    #[serde(other)]
    Other,
}

impl Spot {
    /// The symbols that are quoted in the account's currency and open to spot accounts. Others are
    /// not listed: their prices and values would be in another money than the account's rules.
    pub(super) async fn listed(&self) -> Result<Instruments, BrokerError> {
        let call = Call::public("/api/v3/exchangeInfo", Params::new());
        let body = self.client.call(&call).await.or_error()?;
        let currency = self.ledger.currency().to_owned();
        // Up to 20 MB: other accounts' orders must not wait for a thread that reads it.
        let reading = tokio::task::spawn_blocking(move || {
            let info: ExchangeInfo = serde_json::from_slice(&body)
                .map_err(|problem| BrokerError::Unreadable(problem.to_string()))?;
            Ok((info.rate_limits, read(info.symbols, &currency)))
        });
        let (limits, listed) = reading
            .await
            .map_err(|problem| BrokerError::Unreadable(problem.to_string()))??;
        self.client.limits.note_limits(&limits, clock::instant());
        Ok(Instruments {
            listed,
            any_other: None,
        })
    }
}

fn read(symbols: Vec<SymbolView>, currency: &str) -> BTreeMap<Symbol, Instrument> {
    symbols
        .into_iter()
        .filter(|view| view.quote_asset == currency && view.is_open_to_spot())
        .filter_map(|view| {
            let instrument = view.instrument()?;
            Some((instrument.symbol.clone(), instrument))
        })
        .collect()
}

/// A value that limits; 0 doesn't.
fn bound(value: Decimal) -> Option<Decimal> {
    (value > Decimal::ZERO).then(|| value.normalize())
}

impl SymbolView {
    fn is_open_to_spot(&self) -> bool {
        let permits = |group: &Vec<String>| group.iter().any(|name| name == PERMISSION);
        self.is_spot_trading_allowed && self.permission_sets.iter().all(permits)
    }

    /// The instrument; `None` where the exchange gives no steps, without which nothing can be sized.
    fn instrument(&self) -> Option<Instrument> {
        let mut instrument = Instrument {
            symbol: Symbol::new(&self.symbol).ok()?,
            price_tick: Decimal::ZERO,
            quantity_step: Decimal::ZERO,
            minimum_quantity: Decimal::ZERO,
            minimum_notional: Decimal::ZERO,
            contract_multiplier: Decimal::ONE,
            limits: Limits {
                closed: (self.status != TRADING).then(|| self.status.clone()),
                ..Limits::default()
            },
        };
        for filter in &self.filters {
            filter.narrow(&mut instrument);
        }
        let has_steps =
            bound(instrument.price_tick).is_some() && bound(instrument.quantity_step).is_some();
        has_steps.then_some(instrument)
    }
}

impl Filter {
    fn narrow(&self, instrument: &mut Instrument) {
        let limits = &mut instrument.limits;
        match self {
            Self::Price { tick_size } => instrument.price_tick = tick_size.normalize(),
            Self::Lot {
                min_qty,
                max_qty,
                step_size,
            } => {
                instrument.quantity_step = step_size.normalize();
                instrument.minimum_quantity = min_qty.normalize();
                limits.maximum_quantity = bound(*max_qty);
            }
            Self::MarketLot {
                min_qty,
                max_qty,
                step_size,
            } => {
                limits.market = MarketLot {
                    minimum: bound(*min_qty),
                    maximum: bound(*max_qty),
                    step: bound(*step_size),
                };
            }
            Self::MinNotional { min_notional } => {
                let least = min_notional.normalize();
                instrument.minimum_notional = instrument.minimum_notional.max(least);
            }
            Self::Notional {
                min_notional,
                max_notional,
            } => {
                let least = min_notional.normalize();
                instrument.minimum_notional = instrument.minimum_notional.max(least);
                limits.maximum_notional = bound(*max_notional);
            }
            Self::PercentPrice {
                multiplier_up,
                multiplier_down,
            } => {
                let band = (*multiplier_down, *multiplier_up);
                limits.price_band = Some(PriceBand {
                    buy: band,
                    sell: band,
                });
            }
            Self::PercentPriceBySide {
                bid_multiplier_up,
                bid_multiplier_down,
                ask_multiplier_up,
                ask_multiplier_down,
            } => {
                limits.price_band = Some(PriceBand {
                    buy: (*bid_multiplier_down, *bid_multiplier_up),
                    sell: (*ask_multiplier_down, *ask_multiplier_up),
                });
            }
            Self::TrailingDelta {
                min_trailing_below_delta,
                max_trailing_below_delta,
            } => {
                let percent = |delta: u32| Decimal::new(i64::from(delta), 2).normalize();
                limits.trailing_percent = Some((
                    percent(*min_trailing_below_delta),
                    percent(*max_trailing_below_delta),
                ));
            }
            Self::Other => {}
        }
    }
}

#[cfg(test)]
mod tests;
