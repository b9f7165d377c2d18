//! Whom the webhook's listener tells apart, by the configuration.

use std::sync::Arc;

use crate::config::{AllowFrom, Cidr, Webhook};
use crate::server::{AddressTest, Gate};

/// The gate of the webhook's listener. Where anybody may send, only TradingView is known.
pub(super) fn of_webhook(webhook: &Webhook) -> Gate {
    let known = match &webhook.allow_from {
        AllowFrom::Any => &webhook.tradingview,
        AllowFrom::Ranges(ranges) => ranges,
    };
    Gate {
        is_known: within(known),
        is_proxy: within(&webhook.trusted_proxies),
        connections_per_address_max: webhook.connections_per_address,
        proxy_protocol: webhook.proxy_protocol,
    }
}

/// The gate of the listener for an authority's questions, which come from anywhere.
pub(super) fn of_plain_side(webhook: &Webhook) -> Gate {
    Gate {
        proxy_protocol: false,
        ..of_webhook(webhook)
    }
}

fn within(ranges: &[Cidr]) -> AddressTest {
    let ranges = ranges.to_vec();
    Arc::new(move |address| ranges.iter().any(|range| range.contains(address)))
}
