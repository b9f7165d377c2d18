//! Where the world reaches the webhook, as TradingView takes it.

use std::fmt;

use super::finding::Problem;
use super::value::{self, Value, quoted};

/// An address without a path: `https://hook.example.com`.
///
/// TradingView calls ports 80 and 443 only, and names that resolve to an IPv4 address (TradingView's help
/// centre, article 43000529348); the scheme decides the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    secure: bool,
    host: String,
    port: Option<u16>,
}

impl PublicUrl {
    /// Whether it is reached by TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host's name, or its address; in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port: 443 with TLS and 80 without, where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.secure { 443 } else { 80 })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Reads one.
pub(super) fn public_url(value: &Value<'_>) -> Result<PublicUrl, Problem> {
    let text = value::text(value)?;
    let wrong = |why: &str| {
        Problem::new(format!("{} {why}", quoted(&text)))
            .cured_by("write the address without a path, such as \"https://hook.example.com\"")
    };
    let (secure, rest) = if let Some(rest) = text.strip_prefix("https://") {
        (true, rest)
    } else if let Some(rest) = text.strip_prefix("http://") {
        (false, rest)
    } else {
        return Err(wrong("begins with neither https:// nor http://"));
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let port = port
        .map(|port| {
            let port = port.parse::<u16>().ok().filter(|port| *port > 0);
            port.ok_or_else(|| wrong("has no port from 1 to 65535 after its colon"))
        })
        .transpose()?;
    if rest.contains(['/', '?', '#', '@']) {
        return Err(wrong("says more than a host"));
    }
    if !is_host(host) {
        return Err(wrong("has no host name"));
    }
    Ok(PublicUrl {
        secure,
        host: host.to_ascii_lowercase(),
        port,
    })
}

/// Whether it may be the name of a host.
pub(super) fn is_host(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// Whether it may stand between two dots (RFC 1123, 2.1).
fn is_label(label: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    (1..=63).contains(&label.len())
        && label.chars().all(is_letter)
        && !label.starts_with('-')
        && !label.ends_with('-')
}
