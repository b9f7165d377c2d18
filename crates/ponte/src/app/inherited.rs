//! Listening sockets that whoever started Ponte holds open, so that connections wait in the kernel
//! while no Ponte runs: systemd's socket activation (`sd_listen_fds(3)`).

use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use tokio::net::TcpListener as Listener;

use super::RunError;

/// Most sockets that are taken; the configuration has few addresses.
const SOCKETS_MAX: usize = 16;

/// Sockets that were handed over, each until an address of the configuration claims it.
#[derive(Debug, Default)]
pub struct Inherited {
    sockets: Vec<(SocketAddr, TcpListener)>,
}

impl Inherited {
    /// No sockets: every address is bound here.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The sockets that `LISTEN_FDS` and `LISTEN_PID` speak of. The variables are taken away, so that
    /// nothing that this process starts believes they are its own; so call it before there is a second
    /// thread.
    ///
    /// # Errors
    /// When one of them is not a listening TCP socket, or there are too many.
    pub fn from_environment() -> Result<Self, RunError> {
        let mut handed = ListenFd::from_env();
        if handed.len() > SOCKETS_MAX {
            return Err(RunError::Inherited(format!(
                "{} sockets were handed over, at most {SOCKETS_MAX} are taken; look at LISTEN_FDS",
                handed.len()
            )));
        }
        let mut sockets = Vec::new();
        for index in 0..handed.len() {
            let taken = handed.take_tcp_listener(index).and_then(|socket| {
                let Some(socket) = socket else {
                    return Ok(None);
                };
                // Left blocking, it would stop a thread of the runtime.
                socket.set_nonblocking(true)?;
                Ok(Some((socket.local_addr()?, socket)))
            });
            match taken {
                Ok(socket) => sockets.extend(socket),
                Err(error) => {
                    return Err(RunError::Inherited(format!(
                        "socket {} of those handed over can't be used: {error}; a socket unit for \
                         Ponte has ListenStream= with an address and a port, and no Accept=",
                        index + 1
                    )));
                }
            }
        }
        Ok(Self { sockets })
    }

    /// The socket that listens at exactly this address, if one was handed over.
    fn claim(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let found = self
            .sockets
            .iter()
            .position(|(at, _)| is_same(*at, address))?;
        Some(self.sockets.swap_remove(found).1)
    }
}

/// Whether two addresses are the same one. `[::]` is not `0.0.0.0`: whether it takes IPv4 too is a
/// matter of the socket's and the system's settings, and `TradingView` speaks IPv4 only.
fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
}

/// The addresses of the configuration, taken one after the other: each is claimed from what was
/// handed over, or else bound.
pub(super) struct Addresses {
    inherited: Inherited,
    /// What was asked for: the key and the address.
    asked: Vec<(&'static str, SocketAddr)>,
}

impl Addresses {
    pub(super) const fn new(inherited: Inherited) -> Self {
        Self {
            inherited,
            asked: Vec::new(),
        }
    }

    /// A listener at the address that this key names, and whether it lives on without this process.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub(super) async fn take(
        &mut self,
        what: &'static str,
        address: SocketAddr,
    ) -> Result<(Listener, bool), RunError> {
        self.asked.push((what, address));
        let failed = |source| RunError::Listen {
            what,
            address,
            source,
        };
        if let Some(socket) = self.inherited.claim(address) {
            return Ok((Listener::from_std(socket).map_err(failed)?, true));
        }
        match Listener::bind(address).await {
            Ok(listener) => Ok((listener, false)),
            // Most often what stands in the way is the socket that was meant.
            Err(error) if self.inherited.sockets.is_empty() => Err(failed(error)),
            Err(_) => Err(self.unclaimed()),
        }
    }

    /// Nothing that was handed over may be left: connections to it would wait for ever.
    ///
    /// # Errors
    /// When something is.
    pub(super) fn all_claimed(&self) -> Result<(), RunError> {
        if self.inherited.sockets.is_empty() {
            return Ok(());
        }
        Err(self.unclaimed())
    }

    fn unclaimed(&self) -> RunError {
        let left = self.inherited.sockets.iter();
        let left: Vec<_> = left.map(|(at, _)| at.to_string()).collect();
        let asked = self.asked.iter();
        let asked: Vec<_> = asked
            .map(|(what, address)| format!("{what} = {address}"))
            .collect();
        RunError::Inherited(format!(
            "a socket at {} was handed over, and the configuration listens at no such address ({}); \
             write the same address in ListenStream= of ponte.socket and in the configuration",
            left.join(" and "),
            asked.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited(addresses: &[&str]) -> Inherited {
        let sockets = addresses.iter().map(|address| {
            let socket = TcpListener::bind(address).unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket.local_addr().unwrap(), socket)
        });
        Inherited {
            sockets: sockets.collect(),
        }
    }

    #[test]
    fn an_address_is_its_socket_s_only_when_it_is_exactly_the_same() {
        let same = |one: &str, other: &str| is_same(one.parse().unwrap(), other.parse().unwrap());
        assert!(same("0.0.0.0:443", "0.0.0.0:443"));
        assert!(same("[::]:443", "[::]:443"));
        assert!(same("[::ffff:127.0.0.1]:8080", "127.0.0.1:8080"));
        assert!(same("[::ffff:0.0.0.0]:443", "0.0.0.0:443"));
        assert!(!same("[::]:443", "0.0.0.0:443"));
        assert!(!same("0.0.0.0:443", "127.0.0.1:443"));
        assert!(!same("127.0.0.1:443", "127.0.0.1:80"));
        assert!(!same("[::1]:443", "127.0.0.1:443"));
    }

    #[tokio::test]
    async fn what_is_handed_over_is_used_and_the_rest_is_bound() {
        let handed = inherited(&["127.0.0.1:0", "127.0.0.1:0"]);
        let (first, second) = (handed.sockets[0].0, handed.sockets[1].0);
        let mut addresses = Addresses::new(handed);
        let (listener, held_open) = addresses.take("webhook.listen", second).await.unwrap();
        assert_eq!((listener.local_addr().unwrap(), held_open), (second, true));
        let free = "127.0.0.1:0".parse().unwrap();
        let (_bound, held_open) = addresses.take("admin.listen", free).await.unwrap();
        assert!(!held_open);
        let left = addresses.all_claimed().unwrap_err().to_string();
        assert_eq!(
            left,
            format!(
                "a socket at {first} was handed over, and the configuration listens at no such \
                 address (webhook.listen = {second}, admin.listen = 127.0.0.1:0); write the same \
                 address in ListenStream= of ponte.socket and in the configuration"
            )
        );
        let _taken = addresses.take("bridge.listen", first).await.unwrap();
        addresses.all_claimed().unwrap();
    }

    #[tokio::test]
    async fn a_socket_in_the_way_is_named_instead_of_a_used_address() {
        let handed = inherited(&["0.0.0.0:0"]);
        let port = handed.sockets[0].0.port();
        let mut addresses = Addresses::new(handed);
        let near = SocketAddr::from(([127, 0, 0, 1], port));
        let error = addresses.take("webhook.listen", near).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("a socket at 0.0.0.0:{port} was handed over")),
            "{text}"
        );
    }
}
