//! Whom a listener tells apart before a word is said: known senders, proxies, and everybody else.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// A question about an address.
pub type AddressTest = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Whom a listener tells apart.
#[derive(Clone)]
pub struct Gate {
    /// Who may hold any number of connections, and for whom a share of all slots is kept.
    pub is_known: AddressTest,
    /// Which peers are proxies: they hold connections for many, so that the small limit isn't theirs.
    pub is_proxy: AddressTest,
    /// Most connections that a stranger's address may hold. An IPv6 address counts with its /64.
    pub connections_per_address_max: u32,
    /// Whether every connection is a proxy's and begins with a header of the PROXY protocol; others
    /// are closed.
    pub proxy_protocol: bool,
}

impl Default for Gate {
    /// Everybody is known: for addresses that strangers don't reach.
    fn default() -> Self {
        Self {
            is_known: Arc::new(|_| true),
            is_proxy: Arc::new(|_| false),
            connections_per_address_max: u32::MAX,
            proxy_protocol: false,
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field(
                "connections_per_address_max",
                &self.connections_per_address_max,
            )
            .field("proxy_protocol", &self.proxy_protocol)
            .finish_non_exhaustive()
    }
}

/// Whose slot a connection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guest {
    /// A known sender, or a proxy.
    Known,
    /// Anybody else, by what counts as one address.
    Stranger(IpAddr),
}

impl Gate {
    pub(super) fn guest(&self, address: IpAddr) -> Guest {
        let address = address.to_canonical();
        if (self.is_known)(address) || (self.is_proxy)(address) {
            Guest::Known
        } else {
            Guest::Stranger(network(address))
        }
    }
}

/// What counts as one address: an IPv6 host has a whole /64 to change its address in.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}
