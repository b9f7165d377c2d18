//! Where a listener listens: an address, or a port that the platform names in a variable.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use super::finding::Problem;
use super::value::{self, Value, quoted};

/// What begins the name of a variable.
const VARIABLE: &str = "env:";

/// Where a listener listens, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// At this address.
    At(SocketAddr),
    /// On every IPv4 interface, at the port that this environment variable names, as Render and
    /// Railway want it.
    Variable(String),
}

impl Listen {
    /// Whether only this machine reaches it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::At(address) => address.ip().to_canonical().is_loopback(),
            Self::Variable(_) => false,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Variable(name) => write!(f, "{VARIABLE}{name}"),
        }
    }
}

impl FromStr for Listen {
    type Err = NotListen;

    fn from_str(text: &str) -> Result<Self, NotListen> {
        match text.strip_prefix(VARIABLE) {
            Some(name) if is_name(name) => Ok(Self::Variable(name.to_owned())),
            Some(_) => Err(NotListen),
            None => text.parse().map(Self::At).map_err(|_| NotListen),
        }
    }
}

/// Why a text doesn't say where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address with a port, or env:NAME")]
pub struct NotListen;

/// Reads where the webhook listens; the variable is looked up at once.
pub(super) fn listen(value: &Value<'_>) -> Result<SocketAddr, Problem> {
    let Some(name) = value.as_str().and_then(|text| text.strip_prefix(VARIABLE)) else {
        return value::socket_address(value);
    };
    if !is_name(name) {
        let problem = format!(
            "{} is not the name of an environment variable",
            quoted(name)
        );
        return Err(Problem::new(problem).cured_by("write \"env:PORT\", or an address"));
    }
    let Some(port) = std::env::var_os(name) else {
        let problem = format!("the environment variable {name} is not set");
        return Err(Problem::new(problem)
            .cured_by(format!("set {name} to a port, or write \"0.0.0.0:8080\"")));
    };
    let port = port
        .to_str()
        .and_then(|port| port.trim().parse::<u16>().ok());
    let port = port.filter(|port| *port > 0).ok_or_else(|| {
        let problem = format!("the environment variable {name} is no port from 1 to 65535");
        Problem::new(problem).cured_by(format!("set {name} to a port, such as 8080"))
    })?;
    Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(is_letter) && !name.as_bytes()[0].is_ascii_digit()
}
