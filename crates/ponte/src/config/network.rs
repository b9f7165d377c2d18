//! Who may speak to the webhook: address ranges, named sets of them, and whose word about the
//! client's address is believed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The addresses from which TradingView sends alerts.
///
/// Source: TradingView's help centre, article 43000529348 ("About webhooks"), read in November 2026.
/// IPv4 only, as TradingView sends over nothing else.
pub const TRADINGVIEW_ADDRESSES: [Ipv4Addr; 4] = [
    Ipv4Addr::new(52, 89, 214, 238),
    Ipv4Addr::new(34, 212, 75, 30),
    Ipv4Addr::new(54, 218, 53, 128),
    Ipv4Addr::new(52, 32, 178, 7),
];

/// The addresses from which Cloudflare calls the servers that stand behind it.
///
/// Source: `cloudflare.com/ips-v4` and `/ips-v6`, as many public configurations repeat them alike, seen
/// in November 2026; Cloudflare changes them rarely and says so there.
const CLOUDFLARE_RANGES: [&str; 22] = [
    "173.245.48.0/20",
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "141.101.64.0/18",
    "108.162.192.0/18",
    "190.93.240.0/20",
    "188.114.96.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "162.158.0.0/15",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "172.64.0.0/13",
    "131.0.72.0/22",
    "2400:cb00::/32",
    "2606:4700::/32",
    "2803:f800::/32",
    "2405:b500::/32",
    "2405:8100::/32",
    "2a06:98c0::/29",
    "2c0f:f248::/32",
];

/// Furthest entry from the right of `X-Forwarded-For` that can be asked for.
pub(super) const XFF_POSITION_MAX: u8 = 16;

/// A range of addresses (`10.0.0.0/8`, `2001:db8::/32`) or one (`52.89.214.238`).
///
/// An IPv4 address that is wrapped in IPv6 (`::ffff:52.89.214.238`, as a dual-stack socket shows
/// it) is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
}

impl Cidr {
    /// The range of one address.
    #[must_use]
    pub const fn only(address: IpAddr) -> Self {
        let network = address.to_canonical();
        let bits = width(network);
        Self { network, bits }
    }

    /// Whether the address lies in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && first(address, self.bits) == self.network
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| CidrError::NotAnAddress)?;
        let network = written.to_canonical();
        let Some(bits) = bits else {
            return Ok(Self::only(network));
        };
        // `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
        let wrapped = width(written) - width(network);
        let most = width(written);
        let bits = bits
            .parse()
            .ok()
            .filter(|bits| (wrapped..=most).contains(bits))
            .ok_or(CidrError::Length { most })?
            - wrapped;
        let start = first(network, bits);
        if start != network {
            return Err(CidrError::NotTheFirst(Self {
                network: start,
                bits,
            }));
        }
        Ok(Self { network, bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.network) {
            return write!(f, "{}", self.network);
        }
        write!(f, "{}/{}", self.network, self.bits)
    }
}

/// Why a text is not a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// What stands before the stroke is not an address.
    #[error("is not an address or a range of addresses")]
    NotAnAddress,
    /// What follows the stroke is not a number of bits.
    #[error("has no length from 0 to {most} after the stroke")]
    Length {
        /// Bits of an address of this kind.
        most: u8,
    },
    /// The address is in the middle of the range.
    #[error("has bits set past its length, the range begins at {0}")]
    NotTheFirst(
        /// The range that was most likely meant.
        Cidr,
    ),
}

/// A named set of address ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedSet {
    /// [`TRADINGVIEW_ADDRESSES`].
    TradingView,
    /// This machine.
    Loopback,
    /// Home, office and container networks: RFC 1918, RFC 6598, RFC 4193 and link-local ranges.
    Private,
    /// Cloudflare's proxies.
    Cloudflare,
}

impl NamedSet {
    /// All sets, by the names that the configuration knows.
    pub const ALL: [(&'static str, Self); 4] = [
        ("tradingview", Self::TradingView),
        ("loopback", Self::Loopback),
        ("private", Self::Private),
        ("cloudflare", Self::Cloudflare),
    ];

    /// The set of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, set)| *set)
    }

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TradingView => "tradingview",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Cloudflare => "cloudflare",
        }
    }

    /// The ranges of the set.
    #[must_use]
    pub fn ranges(self) -> Vec<Cidr> {
        const fn v4(a: u8, b: u8, bits: u8) -> Cidr {
            let network = IpAddr::V4(Ipv4Addr::new(a, b, 0, 0));
            Cidr { network, bits }
        }
        const fn v6(first: u16, bits: u8) -> Cidr {
            let network = IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0));
            Cidr { network, bits }
        }
        match self {
            Self::TradingView => TRADINGVIEW_ADDRESSES
                .map(|address| Cidr::only(IpAddr::V4(address)))
                .to_vec(),
            Self::Loopback => vec![v4(127, 0, 8), Cidr::only(IpAddr::V6(Ipv6Addr::LOCALHOST))],
            Self::Private => vec![
                v4(10, 0, 8),
                v4(172, 16, 12),
                v4(192, 168, 16),
                v4(100, 64, 10),
                v4(169, 254, 16),
                v6(0xfc00, 7),
                v6(0xfe80, 10),
            ],
            // A test reads each of them.
            Self::Cloudflare => CLOUDFLARE_RANGES
                .iter()
                .filter_map(|range| range.parse().ok())
                .collect(),
        }
    }
}

/// Where alerts may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowFrom {
    /// Anywhere: only the secret protects.
    Any,
    /// These ranges.
    Ranges(Vec<Cidr>),
}

impl AllowFrom {
    /// Whether alerts may come from this address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ranges(ranges) => ranges.iter().any(|range| range.contains(address)),
        }
    }
}

/// Which word about the client's address is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAddress {
    /// The other end of the connection.
    Peer,
    /// The right-most address in `X-Forwarded-For` that is not a trusted proxy's.
    XForwardedFor,
    /// The entry of `X-Forwarded-For` at this place from the right, from 1 (the last) to 16: where
    /// proxies whose addresses nobody knows have added so many behind it.
    XForwardedForNth(u8),
    /// The `X-Real-IP` header (nginx, Railway).
    XRealIp,
    /// The `CF-Connecting-IP` header (Cloudflare).
    CfConnectingIp,
    /// The `Fly-Client-IP` header (Fly.io).
    FlyClientIp,
}

impl ClientAddress {
    /// All ways that have a name in the configuration.
    pub const ALL: [(&'static str, Self); 5] = [
        ("peer", Self::Peer),
        ("x-forwarded-for", Self::XForwardedFor),
        ("x-real-ip", Self::XRealIp),
        ("cf-connecting-ip", Self::CfConnectingIp),
        ("fly-client-ip", Self::FlyClientIp),
    ];

    /// The header that is read, in lower case.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::Peer => None,
            Self::XForwardedFor | Self::XForwardedForNth(_) => Some("x-forwarded-for"),
            Self::XRealIp => Some("x-real-ip"),
            Self::CfConnectingIp => Some("cf-connecting-ip"),
            Self::FlyClientIp => Some("fly-client-ip"),
        }
    }

    /// The client's address, from the connection's other end and the lines of [`Self::header`] in their order.
    ///
    /// A peer that is not a trusted proxy is the client, whatever its headers say. When a trusted
    /// proxy's header is missing, doubled or unreadable, the client is unknown: `None`, which no
    /// list allows.
    #[must_use]
    pub fn resolve(self, peer: IpAddr, trusted: &[Cidr], lines: &[&str]) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        let is_trusted = |address| trusted.iter().any(|range| range.contains(address));
        match self {
            Self::Peer => Some(peer),
            Self::XForwardedFor
            | Self::XForwardedForNth(_)
            | Self::XRealIp
            | Self::CfConnectingIp
            | Self::FlyClientIp
                if !is_trusted(peer) =>
            {
                Some(peer)
            }
            Self::XForwardedForNth(position) => {
                let hops = lines.iter().flat_map(|line| line.split(','));
                forwarded(hops.rev().nth(usize::from(position).checked_sub(1)?)?)
            }
            Self::XForwardedFor => {
                let hops = lines.iter().flat_map(|line| line.split(','));
                for hop in hops.rev() {
                    let address = forwarded(hop)?;
                    if !is_trusted(address) {
                        return Some(address);
                    }
                }
                None
            }
            Self::XRealIp | Self::CfConnectingIp | Self::FlyClientIp => match lines {
                [only] => forwarded(only),
                _ => None,
            },
        }
    }
}

/// One address as a proxy writes it; some add the port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().ok();
    let with_port = || Some(text.parse::<std::net::SocketAddr>().ok()?.ip());
    Some(address.or_else(with_port)?.to_canonical())
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address with all bits past the first `bits` cleared.
fn first(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}
