//! The usual proxies in front of the webhook: which header of each names the client, and who each is.

use super::network::{Cidr, ClientAddress, NamedSet};

/// What stands between the internet and the webhook.
///
/// What each of them does to headers is written in `docs/addresses.md`, with how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Nothing, or something that `client_address` and `trusted_proxies` describe.
    None,
    /// Fly.io's proxy, with its HTTP handler.
    Fly,
    /// Render's edge, which stands behind Cloudflare.
    Render,
    /// Railway's edge.
    Railway,
    /// Cloudflare, which calls over the internet.
    Cloudflare,
    /// `cloudflared` on this machine.
    CloudflareTunnel,
    /// nginx on this machine, with `proxy_set_header X-Real-IP $remote_addr`.
    Nginx,
    /// Caddy on this machine.
    Caddy,
    /// ngrok's agent on this machine.
    Ngrok,
}

/// From where Railway's edge calls, by Railway's own older examples.
const RAILWAY: &str = "100.0.0.0/8";

impl Proxy {
    /// All of them, by the names that the configuration knows.
    pub const ALL: [(&'static str, Self); 9] = [
        ("none", Self::None),
        ("fly", Self::Fly),
        ("render", Self::Render),
        ("railway", Self::Railway),
        ("cloudflare", Self::Cloudflare),
        ("cloudflare-tunnel", Self::CloudflareTunnel),
        ("nginx", Self::Nginx),
        ("caddy", Self::Caddy),
        ("ngrok", Self::Ngrok),
    ];

    /// Which of its words names the client.
    #[must_use]
    pub const fn client_address(self) -> ClientAddress {
        match self {
            Self::None | Self::Caddy | Self::Ngrok => ClientAddress::XForwardedFor,
            // The last entry is the address of Cloudflare's edge; Render stands behind it.
            Self::Render => ClientAddress::XForwardedForNth(2),
            Self::Fly => ClientAddress::FlyClientIp,
            Self::Railway | Self::Nginx => ClientAddress::XRealIp,
            Self::Cloudflare | Self::CloudflareTunnel => ClientAddress::CfConnectingIp,
        }
    }

    /// The addresses from which it calls; `cloudflare` are Cloudflare's.
    #[must_use]
    pub fn addresses(self, cloudflare: &[Cidr]) -> Vec<Cidr> {
        match self {
            Self::None => Vec::new(),
            Self::Fly | Self::Render => NamedSet::Private.ranges(),
            Self::Railway => {
                let mut ranges = NamedSet::Private.ranges();
                ranges.extend(RAILWAY.parse::<Cidr>());
                ranges
            }
            Self::Cloudflare => cloudflare.to_vec(),
            Self::CloudflareTunnel | Self::Nginx | Self::Caddy | Self::Ngrok => {
                NamedSet::Loopback.ranges()
            }
        }
    }

    /// Whether TLS ends there, so that no client certificate comes further.
    #[must_use]
    pub const fn ends_tls(self) -> bool {
        match self {
            Self::None => false,
            Self::Fly
            | Self::Render
            | Self::Railway
            | Self::Cloudflare
            | Self::CloudflareTunnel
            | Self::Nginx
            | Self::Caddy
            | Self::Ngrok => true,
        }
    }

    /// Whether it calls from another machine, which a loopback address would not hear.
    #[must_use]
    pub const fn calls_from_elsewhere(self) -> bool {
        match self {
            Self::Fly | Self::Render | Self::Railway | Self::Cloudflare => true,
            Self::None | Self::CloudflareTunnel | Self::Nginx | Self::Caddy | Self::Ngrok => false,
        }
    }

    /// Whether the public name leads to addresses of its own, of which it may have several.
    #[must_use]
    pub const fn answers_for_the_name(self) -> bool {
        match self {
            Self::Fly
            | Self::Render
            | Self::Railway
            | Self::Cloudflare
            | Self::CloudflareTunnel
            | Self::Ngrok => true,
            Self::None | Self::Nginx | Self::Caddy => false,
        }
    }
}
