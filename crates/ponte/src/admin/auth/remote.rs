//! Everything that the address beyond loopback holds: names, users, sessions, counts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};
use ponte_core::message::{OperatorAction, OperatorRequest};
use tokio::sync::Semaphore;

use super::actor::{Actor, SignedIn};
use super::cookies;
use super::live::LiveUsers;
use super::lockout::Lockout;
use super::password::{HashFailed, Hashing};
use super::rate::{Quota, Rate};
use super::sessions::{Session, Sessions, csrf};
use super::users::{Seen, Users, UsersError, UsersFile};
use super::{digest, pair_of};
use crate::clock;
use crate::config::{AdminRemote, Cidr, ClientAddress};
use crate::engine::Engine;
use crate::server::network;

/// Requests that one address may make in a minute without being signed in.
const STRANGERS_PER_MINUTE: u32 = 240;
/// Requests of one session or one token in a minute.
const KNOWN_PER_MINUTE: u32 = 600;
/// Tokens that one address may get wrong in a minute.
const WRONG_TOKENS_PER_MINUTE: u32 = 30;
/// Failures of strangers that go on record in a minute.
const FAILURES_RECORDED_PER_MINUTE: u32 = 30;
/// Large bodies that are read at a time.
const LARGE_BODIES_MAX: usize = 8;

/// Why the address beyond loopback can't be served.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Nobody could sign in.
    #[error("admin.remote: there is no user, and nobody could sign in")]
    NoUsers,
    /// The file of users can't be used.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// There is no memory for passwords.
    #[error(transparent)]
    Hash(#[from] HashFailed),
}

impl RemoteError {
    /// What to do about it.
    #[must_use]
    pub fn cure(&self) -> Option<&'static str> {
        match self {
            Self::NoUsers => Some("ponte user add NAME --role operate"),
            Self::Users(_) => Some("restore the file, or move it away and add the users again"),
            Self::Hash(_) => None,
        }
    }
}

/// The state of the address beyond loopback.
pub struct Remote {
    names: Vec<String>,
    trusted_proxies: Vec<Cidr>,
    behind_proxy: bool,
    pub(super) ends_tls: bool,
    pub(super) session_max: Duration,
    pub(super) engine: Engine,
    pub(super) live: Arc<LiveUsers>,
    pub(super) sessions: Sessions,
    pub(super) lockout: Lockout,
    pub(super) hashing: Hashing,
    pub(super) room: Semaphore,
    strangers: Rate<IpAddr>,
    known: Rate<String>,
    wrong_tokens: Rate<IpAddr>,
    failures_on_record: Quota,
}

/// Where a request comes from, as far as it matters for signing in.
#[derive(Debug, Clone)]
pub(in crate::admin) struct Visit {
    /// The client's address.
    pub(super) address: IpAddr,
    /// What the browser says it is.
    pub(super) agent: String,
    /// What it carries, each if it does.
    pub(super) session: Option<String>,
    pub(super) half_way: Option<String>,
    pub(super) device: Option<String>,
}

/// Why nobody is known behind a request.
pub(super) enum Unknown {
    /// It brings nothing to be known by, or a session that is over.
    Nobody,
    /// It brings a token that opens nothing.
    WrongToken,
    /// It has brought too many of them.
    TooOften(Duration),
}

impl Remote {
    /// The state of a fresh start.
    ///
    /// # Errors
    /// When nobody could sign in, or the users can't be read.
    pub fn new(engine: Engine, config: &AdminRemote, data_dir: &Path) -> Result<Self, RemoteError> {
        let live = LiveUsers::open(UsersFile::in_data_dir(data_dir))?;
        if live.look().users.users.is_empty() {
            return Err(RemoteError::NoUsers);
        }
        Ok(Self {
            names: config.names.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            behind_proxy: config.behind_proxy,
            ends_tls: config.tls.is_some(),
            session_max: config.session_max,
            engine,
            live: Arc::new(live),
            sessions: Sessions::new(config.session_idle, config.session_max),
            lockout: Lockout::default(),
            hashing: Hashing::new()?,
            room: Semaphore::new(LARGE_BODIES_MAX),
            strangers: Rate::new(STRANGERS_PER_MINUTE),
            known: Rate::new(KNOWN_PER_MINUTE),
            wrong_tokens: Rate::new(WRONG_TOKENS_PER_MINUTE),
            failures_on_record: Quota::new(FAILURES_RECORDED_PER_MINUTE),
        })
    }

    /// The users as they are now. Whoever was let in again by hand need not wait any more.
    pub(super) fn users(&self) -> Arc<Users> {
        let look = self.live.look();
        if look.unlocked {
            self.lockout.clear();
        }
        look.users
    }

    /// Whether this is one of the names by which Ponte is reached, with or without a port.
    pub(super) fn answers_to(&self, authority: &str) -> bool {
        host_of(authority).is_some_and(|host| self.names.contains(&host))
    }

    /// Where a request comes from.
    pub(super) fn visit(&self, request: &Request) -> Visit {
        let headers = request.headers();
        let agent = headers.get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        Visit {
            address: self.client(request),
            agent: agent.unwrap_or_default().to_owned(),
            session: cookies::read(headers, cookies::SESSION),
            half_way: cookies::read(headers, cookies::HALF_WAY),
            device: cookies::read(headers, cookies::DEVICE),
        }
    }

    fn client(&self, request: &Request) -> IpAddr {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        if !self.behind_proxy {
            return peer.to_canonical();
        }
        let lines = request.headers().get_all("x-forwarded-for").iter();
        let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("")).collect();
        let client = ClientAddress::XForwardedFor.resolve(peer, &self.trusted_proxies, &lines);
        // A proxy that doesn't say for whom it asks is counted itself.
        client.unwrap_or(peer.to_canonical())
    }

    /// Whether the proxy says that the client came without TLS.
    pub(super) fn came_in_the_clear(&self, headers: &HeaderMap) -> bool {
        let mut said = headers.get_all("x-forwarded-proto").iter();
        self.behind_proxy && said.any(|scheme| !scheme.as_bytes().eq_ignore_ascii_case(b"https"))
    }

    /// Who asks.
    pub(super) fn who(&self, visit: &Visit, headers: &HeaderMap) -> Result<Actor, Unknown> {
        if let Some(authorization) = headers.get(header::AUTHORIZATION) {
            let token = authorization.to_str().ok();
            let token = token.and_then(|text| pair_of(text, "Bearer"));
            return self.by_token(token.unwrap_or_default(), visit);
        }
        let Some(id) = &visit.session else {
            return Err(Unknown::Nobody);
        };
        let from = visit.address.to_string();
        let found = self.sessions.find(id, &from, clock::now());
        let session = found.ok_or(Unknown::Nobody)?;
        let users = self.users();
        // The user may have been removed, or their password or role changed.
        match users.user(&session.user) {
            Some(user) if user.epoch == session.epoch => Ok(Actor::User(SignedIn {
                user: user.name.clone(),
                role: user.role,
                session: session.name,
                csrf: csrf(id),
            })),
            Some(_) | None => {
                self.sessions.end(id);
                Err(Unknown::Nobody)
            }
        }
    }

    fn by_token(&self, token: &str, visit: &Visit) -> Result<Actor, Unknown> {
        let now = clock::now();
        let users = self.users();
        let found = users.token(&digest(token));
        let found = found.filter(|token| token.expires_at.is_none_or(|end| now < end));
        let Some(token) = found else {
            let counted = self
                .wrong_tokens
                .count(network(visit.address), clock::instant());
            return Err(counted.map_or_else(Unknown::TooOften, |()| Unknown::WrongToken));
        };
        let seen = Seen {
            at: now,
            from: visit.address.to_string(),
        };
        self.live.token_used(&token.name, seen);
        Ok(Actor::Token {
            name: token.name.clone(),
            role: token.role,
        })
    }

    /// Counts a request; the error is how long to wait.
    pub(super) fn rate(&self, actor: &Actor, visit: &Visit) -> Result<(), Duration> {
        let now = clock::instant();
        match actor {
            Actor::Local => Ok(()),
            Actor::Nobody => self.strangers.count(network(visit.address), now),
            Actor::User(signed_in) => self.known.count(format!("s {}", signed_in.session), now),
            Actor::Token { name, .. } => self.known.count(format!("t {name}"), now),
        }
    }

    /// A user's sessions that are under way.
    pub(in crate::admin) fn sessions_of(&self, user: &str) -> Vec<Session> {
        self.sessions.of_user(user, clock::now())
    }

    /// Puts on record what somebody did.
    pub(in crate::admin) async fn record(&self, by: &str, action: &str, detail: String) {
        let action = OperatorAction::Record {
            action: action.to_owned(),
            detail,
        };
        let by = by.to_owned();
        let recorded = self.engine.operate(OperatorRequest { by, action });
        if let Err(error) = recorded.await {
            tracing::error!(%error, "what was done at the owner's side can't be put on record");
        }
    }

    /// Puts on record what a stranger failed at, unless strangers have filled this minute's share.
    pub(super) async fn record_failure(&self, visit: &Visit, action: &str, detail: &str) {
        let from = visit.address.to_string();
        tracing::warn!(%from, action, detail, "somebody did not get in");
        let Some(left_out) = self.failures_on_record.take(clock::instant()) else {
            return;
        };
        let detail = match left_out {
            0 => detail.to_owned(),
            more => format!("{detail} (and {more} more failures that are not on record)"),
        };
        self.record(&from, action, detail).await;
    }
}

/// The host of `host`, `host:port`, `[address]` or `[address]:port`, in small letters.
fn host_of(authority: &str) -> Option<String> {
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return Some(address.ip().to_canonical().to_string());
    }
    let bare = authority
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(authority);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let (name, port) = match authority.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (authority, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    is_port.then(|| name.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn hosts_are_what_stands_before_the_port() {
        for (authority, host) in [
            ("ponte.example.com", Some("ponte.example.com")),
            ("Ponte.Example.com.:8444", Some("ponte.example.com")),
            ("127.0.0.1:8444", Some("127.0.0.1")),
            ("[::1]:8444", Some("::1")),
            ("[::ffff:10.0.0.1]", Some("10.0.0.1")),
            ("ponte.example.com:x", None),
            ("ponte.example.com:8444:1", None),
            (
                "ponte.example.com@evil.example",
                Some("ponte.example.com@evil.example"),
            ),
        ] {
            assert_eq!(host_of(authority).as_deref(), host, "{authority}");
        }
    }
}
