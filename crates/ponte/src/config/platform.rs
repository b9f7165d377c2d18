//! Where `ponte init` may be told that Ponte will run, and what is right there.

use std::net::{Ipv4Addr, SocketAddr};

use super::listen::Listen;

/// The port behind a proxy, a tunnel or a platform that doesn't name one.
const PLAIN_PORT: u16 = 8080;
/// The port for TLS in a container whose program may not take 443.
const CONTAINER_TLS_PORT: u16 = 8443;

/// A place in which Ponte runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A server of one's own, with a public IPv4 address.
    Vps,
    /// A container on such a server.
    Docker,
    /// Fly.io.
    Fly,
    /// Render.
    Render,
    /// Railway.
    Railway,
    /// Behind `cloudflared` on the same machine.
    CloudflareTunnel,
    /// Behind ngrok on the same machine.
    Ngrok,
    /// Behind nginx on the same machine.
    Nginx,
    /// Behind Caddy on the same machine.
    Caddy,
}

/// Where Ponte will run, and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitPlace {
    /// The platform.
    pub platform: Platform,
    /// An address for notices about the certificate, where Ponte gets one itself. Default: none.
    pub contact: Option<String>,
    /// Whether Ponte gets its own certificate, for the host of the public address.
    pub has_certificate: bool,
}

impl Platform {
    /// All platforms, by the names that `ponte init --platform` knows.
    pub const ALL: [(&'static str, Self); 9] = [
        ("vps", Self::Vps),
        ("docker", Self::Docker),
        ("fly", Self::Fly),
        ("render", Self::Render),
        ("railway", Self::Railway),
        ("cloudflare-tunnel", Self::CloudflareTunnel),
        ("ngrok", Self::Ngrok),
        ("nginx", Self::Nginx),
        ("caddy", Self::Caddy),
    ];

    /// Whether TLS can end in Ponte there, with a certificate that it gets itself.
    #[must_use]
    pub const fn can_have_certificate(self) -> bool {
        match self {
            Self::Vps | Self::Docker => true,
            Self::Fly
            | Self::Render
            | Self::Railway
            | Self::CloudflareTunnel
            | Self::Ngrok
            | Self::Nginx
            | Self::Caddy => false,
        }
    }

    /// Whether the configuration belongs into the machine's own place, `/etc/ponte/ponte.toml`.
    #[must_use]
    pub const fn is_installed(self) -> bool {
        match self {
            Self::Vps | Self::Nginx | Self::Caddy => true,
            Self::Docker
            | Self::Fly
            | Self::Render
            | Self::Railway
            | Self::CloudflareTunnel
            | Self::Ngrok => false,
        }
    }

    /// Where alerts are received.
    #[must_use]
    pub fn listen(self, has_certificate: bool) -> Listen {
        let everywhere = |port| Listen::At(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
        match self {
            Self::Vps if has_certificate => everywhere(443),
            Self::Docker if has_certificate => everywhere(CONTAINER_TLS_PORT),
            Self::Docker | Self::Fly => everywhere(PLAIN_PORT),
            Self::Render | Self::Railway => Listen::Variable("PORT".to_owned()),
            Self::Vps | Self::CloudflareTunnel | Self::Ngrok | Self::Nginx | Self::Caddy => {
                Listen::At(SocketAddr::from((Ipv4Addr::LOCALHOST, PLAIN_PORT)))
            }
        }
    }

    /// Where the journal is kept: on what outlives a deploy. `None` is what it is without a platform.
    #[must_use]
    pub const fn data_dir(self) -> Option<&'static str> {
        match self {
            Self::Vps | Self::Nginx | Self::Caddy => Some("/var/lib/ponte"),
            // Beside the configuration, which is on the volume.
            Self::Docker | Self::Fly | Self::Render | Self::Railway => Some("ponte"),
            Self::CloudflareTunnel | Self::Ngrok => None,
        }
    }

    /// The environment variable with the webhook's secret, where the platform keeps secrets in such.
    #[must_use]
    pub const fn secret_variable(self) -> Option<&'static str> {
        match self {
            Self::Fly | Self::Render | Self::Railway => Some("PONTE_SECRET"),
            Self::Vps
            | Self::Docker
            | Self::CloudflareTunnel
            | Self::Ngrok
            | Self::Nginx
            | Self::Caddy => None,
        }
    }

    /// Whether requests of the machine (or container) itself come without a proxy, so that
    /// `ponte send` may be let in.
    #[must_use]
    pub const fn allows_itself(self) -> bool {
        match self {
            Self::Vps | Self::Docker | Self::Fly | Self::Render | Self::Railway => true,
            Self::CloudflareTunnel | Self::Ngrok | Self::Nginx | Self::Caddy => false,
        }
    }

    /// The address that the platform gave the service, from the variables that it sets
    /// (<https://render.com/docs/environment-variables>, <https://docs.railway.com/reference/variables>,
    /// <https://fly.io/docs/machines/runtime-environment/>).
    #[must_use]
    pub fn public_url(self, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
        let named = |name| variable(name).filter(|value| !value.is_empty());
        match self {
            Self::Fly => named("FLY_APP_NAME").map(|app| format!("https://{app}.fly.dev")),
            Self::Render => named("RENDER_EXTERNAL_URL"),
            Self::Railway => {
                named("RAILWAY_PUBLIC_DOMAIN").map(|domain| format!("https://{domain}"))
            }
            Self::Vps
            | Self::Docker
            | Self::CloudflareTunnel
            | Self::Ngrok
            | Self::Nginx
            | Self::Caddy => None,
        }
    }

    /// What stands in `[webhook]` about proxies and health checks.
    pub(super) const fn proxies(self) -> &'static str {
        match self {
            Self::Vps | Self::Docker => DIRECT,
            Self::Fly => FLY,
            Self::Render => RENDER,
            Self::Railway => RAILWAY,
            Self::CloudflareTunnel => CLOUDFLARE_TUNNEL,
            Self::Ngrok => NGROK,
            Self::Nginx | Self::Caddy => REAL_IP,
        }
    }
}

const DIRECT: &str = "\
# Nothing stands in front: the other end of the connection is the client.
# Nada na frente: a outra ponta da conexão é o cliente.
client_address = \"peer\"";
const FLY: &str = "\
# Fly's proxy says who the client is. It reaches the machine from a private address.
# O proxy do Fly diz quem é o cliente. Ele chega à máquina por um endereço privado.
trusted_proxies = [\"private\"]
client_address = \"fly-client-ip\"
# Where Fly asks whether Ponte is there; it tells nothing else.
# Onde o Fly pergunta se o Ponte está lá; não diz mais nada.
health_path = \"/healthz\"";
const RENDER: &str = "\
# Render's edge says who the client is.
# A borda do Render diz quem é o cliente.
trusted_proxies = [\"private\"]
client_address = \"x-forwarded-for\"
# Where Render asks whether Ponte is there; it tells nothing else.
# Onde o Render pergunta se o Ponte está lá; não diz mais nada.
health_path = \"/healthz\"";
const RAILWAY: &str = "\
# Railway's edge says who the client is.
# A borda da Railway diz quem é o cliente.
trusted_proxies = [\"private\"]
client_address = \"x-real-ip\"
# Where Railway asks at a deploy whether Ponte is there; it tells nothing else.
# Onde a Railway pergunta, ao publicar, se o Ponte está lá; não diz mais nada.
health_path = \"/healthz\"";
const CLOUDFLARE_TUNNEL: &str = "\
# cloudflared on this machine says who the client is.
# O cloudflared nesta máquina diz quem é o cliente.
trusted_proxies = [\"loopback\"]
client_address = \"cf-connecting-ip\"";
const NGROK: &str = "\
# ngrok on this machine says who the client is: the last address of X-Forwarded-For.
# O ngrok nesta máquina diz quem é o cliente: o último endereço de X-Forwarded-For.
trusted_proxies = [\"loopback\"]
client_address = \"x-forwarded-for\"";
const REAL_IP: &str = "\
# The web server on this machine says who the client is.
# O servidor web nesta máquina diz quem é o cliente.
trusted_proxies = [\"loopback\"]
client_address = \"x-real-ip\"";
