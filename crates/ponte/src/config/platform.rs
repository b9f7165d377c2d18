//! Where `ponte init` may be told that Ponte will run, and what is right there.

use std::net::{Ipv4Addr, SocketAddr};

use super::listen::Listen;
use super::template::quoted;

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

impl InitPlace {
    /// The section with which Ponte orders its own certificate; nothing where it has none.
    pub(super) fn certificate(&self) -> String {
        if !self.has_certificate {
            return String::new();
        }
        let contact = self.contact.iter().map(|contact| quoted(contact));
        let contact: Vec<String> = contact.collect();
        format!("{ACME}contact = [{}]\n", contact.join(", "))
    }
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
            Self::Nginx => NGINX,
            Self::Caddy => CADDY,
        }
    }
}

const ACME: &str = "\
# The certificate for the host of public_url: ordered from Let's Encrypt and kept new by Ponte, over
# the port at which it listens. https://letsencrypt.org/repository has the terms.
# O certificado para o host de public_url: pedido ao Let's Encrypt e renovado pelo Ponte, pela
# porta em que ele escuta. Os termos estão em https://letsencrypt.org/repository.
[webhook.acme]
accept_terms = true
";
const DIRECT: &str = "\
# Nothing stands in front: the other end of the connection is the client.
# Nada na frente: a outra ponta da conexão é o cliente.
proxy = \"none\"
client_address = \"peer\"";
const FLY: &str = "\
# Fly's edge stands in front, and says who the client is.
# A borda do Fly fica na frente, e diz quem é o cliente.
proxy = \"fly\"
# Where Fly asks whether Ponte is there; it tells nothing else.
# Onde o Fly pergunta se o Ponte está lá; não diz mais nada.
health_path = \"/healthz\"";
const RENDER: &str = "\
# Render's edge stands in front, and says who the client is.
# A borda do Render fica na frente, e diz quem é o cliente.
proxy = \"render\"
# Where Render asks whether Ponte is there; it tells nothing else.
# Onde o Render pergunta se o Ponte está lá; não diz mais nada.
health_path = \"/healthz\"";
const RAILWAY: &str = "\
# Railway's edge stands in front, and says who the client is.
# A borda da Railway fica na frente, e diz quem é o cliente.
proxy = \"railway\"
# Where Railway asks at a deploy whether Ponte is there; it tells nothing else.
# Onde a Railway pergunta, ao publicar, se o Ponte está lá; não diz mais nada.
health_path = \"/healthz\"";
const CLOUDFLARE_TUNNEL: &str = "\
# cloudflared on this machine stands in front, and says who the client is.
# O cloudflared nesta máquina fica na frente, e diz quem é o cliente.
proxy = \"cloudflare-tunnel\"";
const NGROK: &str = "\
# ngrok on this machine stands in front, and says who the client is.
# O ngrok nesta máquina fica na frente, e diz quem é o cliente.
proxy = \"ngrok\"";
const NGINX: &str = "\
# nginx on this machine stands in front, and says who the client is.
# O nginx nesta máquina fica na frente, e diz quem é o cliente.
proxy = \"nginx\"";
const CADDY: &str = "\
# Caddy on this machine stands in front, and says who the client is.
# O Caddy nesta máquina fica na frente, e diz quem é o cliente.
proxy = \"caddy\"";
