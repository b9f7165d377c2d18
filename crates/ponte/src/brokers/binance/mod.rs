//! Binance: spot and USDⓈ-M futures, each account in one of the two markets.
//!
//! The parts that both share are here: how requests are signed, timed, limited and sent, what the
//! exchange's answers mean, and until when an order that was sent may still arrive. What an order
//! is in each market's own terms is in the market's folder.

mod client;
mod clock;
mod code;
mod fence;
mod futures;
mod http;
mod ids;
mod limits;
mod options;
mod params;
mod pulse;
mod reply;
mod sign;
mod socket;
mod spot;
mod ws_api;

use std::sync::Arc;

pub use options::{
    Hosts, Margin, Market, Options, PROCESSING_LIMIT, RECEIVE_WINDOW_DEFAULT, RECEIVE_WINDOW_MAX,
    RECEIVE_WINDOW_MIN, StopSize, Transport, TriggerPrice,
};

use ponte_core::policy::Capabilities;

use crate::brokers::{Broker, BrokerError};

/// What orders can be in a market, known without asking the exchange.
#[must_use]
pub const fn capabilities(market: Market) -> Capabilities {
    match market {
        Market::Spot => spot::CAPABILITIES,
        Market::Futures => futures::CAPABILITIES,
    }
}

/// Builds the adapter of one account. The exchange need not be up: nothing is awaited from it.
///
/// # Errors
/// Keys and addresses that can't be used.
pub async fn connect(options: Options) -> Result<Arc<dyn Broker>, BrokerError> {
    match options.market {
        Market::Spot => Ok(Arc::new(spot::Spot::new(options)?)),
        Market::Futures => futures::connect(options),
    }
}
