//! An account at Binance, from what the configuration says to a broker that can be used.

use std::time::Duration;

use ponte_core::id::AccountName;
use ponte_core::policy::Capabilities;

use crate::brokers::binance::{
    self, Hosts, Margin, Market, Options, StopSize, Transport, TriggerPrice,
};
use crate::config::{self, Account, BinanceBroker, BinanceFutures, BinanceHosts, BinanceMarket};
use crate::prices;
use crate::secret::BinanceSecrets;

/// How old a price may be that entries are decided by.
pub(super) const QUOTE_AGE_MAX: Duration = Duration::from_secs(10);

/// The adapter's options for an account of the configuration.
pub(super) fn options(
    account: &Account,
    binance: &BinanceBroker,
    secrets: BinanceSecrets,
) -> Options {
    let BinanceSecrets {
        api_key,
        signing_key,
    } = secrets;
    let market = market(binance);
    let futures = match &binance.market {
        BinanceMarket::Spot => None,
        BinanceMarket::Futures(futures) => Some(futures),
    };
    Options {
        account: account.name.clone(),
        market,
        hosts: hosts(binance, market),
        api_key,
        signing_key,
        currency: account.currency.clone(),
        receive_window: binance.receive_window,
        processing_limit: binance.processing_limit,
        orders: match binance.orders {
            config::OrderTransport::Rest => Transport::Rest,
            config::OrderTransport::WebSocket => Transport::WebSocket,
        },
        stops: futures.map_or(StopSize::Quantity, |futures| match futures.stops {
            config::StopSize::Quantity => StopSize::Quantity,
            config::StopSize::ClosePosition => StopSize::ClosePosition,
        }),
        trigger: futures.map_or(TriggerPrice::Last, |futures| match futures.trigger {
            config::TriggerPrice::Last => TriggerPrice::Last,
            config::TriggerPrice::Mark => TriggerPrice::Mark,
        }),
        leverage: futures.and_then(|futures| futures.leverage),
        margin: futures.and_then(margin),
        apply_settings: futures.is_some_and(|futures| futures.apply_settings),
        dead_mans_switch: futures.and_then(|futures| futures.dead_mans_switch),
    }
}

fn margin(futures: &BinanceFutures) -> Option<Margin> {
    futures.margin.map(|margin| match margin {
        config::MarginType::Cross => Margin::Cross,
        config::MarginType::Isolated => Margin::Isolated,
    })
}

const fn market(binance: &BinanceBroker) -> Market {
    match binance.market {
        BinanceMarket::Spot => Market::Spot,
        BinanceMarket::Futures(_) => Market::Futures,
    }
}

/// What orders can be in the account's market, known without asking the exchange.
pub(super) const fn capabilities(binance: &BinanceBroker) -> Capabilities {
    binance::capabilities(market(binance))
}

fn hosts(binance: &BinanceBroker, market: Market) -> Hosts {
    match &binance.hosts {
        BinanceHosts::Demo => Hosts::demo(market),
        BinanceHosts::Testnet => Hosts::testnet(market),
        BinanceHosts::Live => Hosts::live(market),
        BinanceHosts::Venue(url) => Hosts::venue(url, market),
    }
}

/// Where the market's prices are told to which the account's orders go.
pub(super) fn price_hosts(binance: &BinanceBroker) -> prices::binance::Hosts {
    match &binance.hosts {
        BinanceHosts::Live => prices::binance::Hosts::live(),
        BinanceHosts::Demo | BinanceHosts::Testnet | BinanceHosts::Venue(_) => {
            prices::binance::Hosts {
                spot_streams: hosts(binance, Market::Spot).streams,
                futures_streams: format!("{}/public", hosts(binance, Market::Futures).streams),
                spot_rest: hosts(binance, Market::Spot).rest,
                futures_rest: hosts(binance, Market::Futures).rest,
            }
        }
    }
}

/// An account whose API key may take money out, which nobody has allowed.
pub(super) fn withdrawals_refused(account: &AccountName) -> String {
    format!(
        "the API key of account {account} may withdraw money, which Ponte never needs; take that \
         permission away at Binance, or write allow_withdrawal_keys = true"
    )
}
