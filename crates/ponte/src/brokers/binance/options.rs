//! What an account at Binance is made of: where the exchange is, who signs, and how orders are sent.

use std::net::IpAddr;
use std::time::Duration;

use ponte_core::id::AccountName;

use crate::brokers::BrokerError;
use crate::secret::Secret;

/// Shortest receive window that leaves an order time to arrive.
pub const RECEIVE_WINDOW_MIN: Duration = Duration::from_secs(1);
/// Longest receive window that the exchange takes (Binance Spot API, "Timing security").
pub const RECEIVE_WINDOW_MAX: Duration = Duration::from_secs(60);
/// The receive window when the configuration doesn't say.
pub const RECEIVE_WINDOW_DEFAULT: Duration = Duration::from_secs(5);
/// How long Binance works on a request before it gives up (Binance Spot API, "General API information").
pub const PROCESSING_LIMIT: Duration = Duration::from_secs(10);

/// One account in one market of Binance.
pub struct Options {
    /// The account's name in the configuration.
    pub account: AccountName,
    /// Which of the exchange's markets.
    pub market: Market,
    /// Where the exchange is.
    pub hosts: Hosts,
    /// The public half of the credentials; never printed nevertheless.
    pub api_key: Secret,
    /// An HMAC secret, or the PEM (PKCS#8, not encrypted) of an Ed25519 or RSA private key.
    pub signing_key: Secret,
    /// The quote currency whose balance is the account's money (`USDT`).
    pub currency: String,
    /// How old a request may be when it arrives, by the exchange's clock:
    /// [`RECEIVE_WINDOW_MIN`] to [`RECEIVE_WINDOW_MAX`].
    pub receive_window: Duration,
    /// How long the exchange may work on a request: [`PROCESSING_LIMIT`] at Binance.
    pub processing_limit: Duration,
    /// How orders are placed and cancelled.
    pub orders: Transport,
    /// What protective stops carry; futures only.
    pub stops: StopSize,
    /// Which price wakes a stop; futures only.
    pub trigger: TriggerPrice,
    /// The leverage that every traded symbol must have, 1 to 125; futures only.
    pub leverage: Option<u32>,
    /// The margin that every traded symbol must have; futures only.
    pub margin: Option<Margin>,
    /// Whether leverage and margin are set where they differ; otherwise a difference is only told.
    pub apply_settings: bool,
    /// After how much silence the exchange takes back the working orders of a symbol; futures only.
    pub dead_mans_switch: Option<Duration>,
}

/// A market of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    /// Spot: what is sold must be held.
    Spot,
    /// USDⓈ-margined perpetual futures.
    Futures,
}

/// How orders are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One HTTP request each, over warm connections.
    Rest,
    /// Over the exchange's WebSocket API.
    WebSocket,
}

/// What a protective stop on futures carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSize {
    /// The quantity that it protects.
    Quantity,
    /// The whole position, whatever it is when the stop triggers.
    ClosePosition,
}

/// The price that wakes a stop on futures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerPrice {
    /// The last traded price (`CONTRACT_PRICE`).
    Last,
    /// The mark price (`MARK_PRICE`).
    Mark,
}

/// How a futures position is margined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Margin {
    /// The whole account stands behind it.
    Cross,
    /// Only what was set aside for it.
    Isolated,
}

/// Base addresses, without a stroke at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// Of the REST API (`https://api.binance.com`).
    pub rest: String,
    /// Of the WebSocket API, with its path (`wss://ws-api.binance.com:443/ws-api/v3`).
    pub websocket_api: String,
    /// Of the streams (`wss://stream.binance.com:9443`).
    pub streams: String,
}

impl Hosts {
    /// Where real money moves (Binance Spot API, "General information"; USDⓈ-M Futures, "General info").
    #[must_use]
    pub fn live(market: Market) -> Self {
        match market {
            Market::Spot => Self::of(
                "https://api.binance.com",
                "wss://ws-api.binance.com:443/ws-api/v3",
                "wss://stream.binance.com:9443",
            ),
            Market::Futures => Self::of(
                "https://fapi.binance.com",
                "wss://ws-fapi.binance.com/ws-fapi/v1",
                "wss://fstream.binance.com",
            ),
        }
    }

    /// Demo trading: live-like prices, play money (Binance Spot API, "Demo mode, general information").
    #[must_use]
    pub fn demo(market: Market) -> Self {
        match market {
            Market::Spot => Self::of(
                "https://demo-api.binance.com",
                "wss://demo-ws-api.binance.com/ws-api/v3",
                "wss://demo-stream.binance.com",
            ),
            Market::Futures => Self::of(
                "https://demo-fapi.binance.com",
                "wss://testnet.binancefuture.com/ws-fapi/v1",
                "wss://demo-fstream.binance.com",
            ),
        }
    }

    /// The test network: a market of its own, wiped about monthly. On futures it is the demo exchange.
    #[must_use]
    pub fn testnet(market: Market) -> Self {
        match market {
            Market::Spot => Self::of(
                "https://testnet.binance.vision",
                "wss://ws-api.testnet.binance.vision/ws-api/v3",
                "wss://stream.testnet.binance.vision",
            ),
            Market::Futures => Self::demo(market),
        }
    }

    /// A test exchange that serves everything at one address (`http://127.0.0.1:9010`).
    #[must_use]
    pub fn venue(url: &str, market: Market) -> Self {
        let rest = url.trim_end_matches('/');
        let sockets = rest.replacen("http", "ws", 1);
        let path = match market {
            Market::Spot => "/ws-api/v3",
            Market::Futures => "/ws-fapi/v1",
        };
        Self::of(rest, &format!("{sockets}{path}"), &sockets)
    }

    fn of(rest: &str, websocket_api: &str, streams: &str) -> Self {
        Self {
            rest: rest.to_owned(),
            websocket_api: websocket_api.to_owned(),
            streams: streams.to_owned(),
        }
    }

    /// Whether these are Binance's own addresses at which real money moves.
    #[must_use]
    pub fn is_live(&self) -> bool {
        [Market::Spot, Market::Futures]
            .iter()
            .any(|market| self.rest == Self::live(*market).rest)
            || is_alternate(&self.rest)
    }

    /// Keys and orders don't travel in the open: plain addresses are taken on this machine only.
    ///
    /// # Errors
    /// The address that is not taken, and what to write instead.
    pub(super) fn check(&self) -> Result<(), BrokerError> {
        for address in [&self.rest, &self.websocket_api, &self.streams] {
            let safe = address.starts_with("https://") || address.starts_with("wss://");
            let plain = address
                .strip_prefix("http://")
                .or_else(|| address.strip_prefix("ws://"));
            if !safe && !plain.is_some_and(is_loopback) {
                return Err(BrokerError::Refused(format!(
                    "the address {address} is not encrypted and not on this machine; \
                     use https:// or wss://, or a loopback address"
                )));
            }
        }
        Ok(())
    }
}

/// The live REST hosts beside the first (Binance Spot API, "General API information").
fn is_alternate(rest: &str) -> bool {
    ["api-gcp", "api1", "api2", "api3", "api4"]
        .iter()
        .any(|name| rest == format!("https://{name}.binance.com"))
}

fn is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_venue_serves_everything_at_one_address() {
        let hosts = Hosts::venue("http://127.0.0.1:9010/", Market::Futures);
        assert_eq!(hosts.rest, "http://127.0.0.1:9010");
        assert_eq!(hosts.websocket_api, "ws://127.0.0.1:9010/ws-fapi/v1");
        assert_eq!(hosts.streams, "ws://127.0.0.1:9010");
        assert!(hosts.check().is_ok() && !hosts.is_live());
    }

    #[test]
    fn plain_addresses_are_taken_on_this_machine_only() {
        let taken = |url| Hosts::venue(url, Market::Spot).check().is_ok();
        assert!(taken("http://localhost:1") && taken("http://[::1]:1"));
        assert!(!taken("http://192.168.0.2:9010"));
        assert!(!taken("http://127.0.0.1.example.com"));
        assert!(!taken("ftp://127.0.0.1"));
        assert!(taken("https://example.com"));
    }

    #[test]
    fn only_the_exchanges_own_addresses_are_live() {
        for market in [Market::Spot, Market::Futures] {
            assert!(Hosts::live(market).is_live());
            assert!(!Hosts::demo(market).is_live());
            assert!(!Hosts::testnet(market).is_live());
        }
    }
}
