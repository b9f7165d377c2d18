//! One connection from its first byte to its last: who speaks, the handshake, the requests.

use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::body::SKIPPED_BYTES_MAX;
use super::client_certificate::{self, ClientCertificate};
use super::drain::{self, Draining};
use super::slots::Slot;
use super::{Gate, HEADER_READ_MAX, Limits, acme, body, proxy_protocol};
use crate::clock;

/// How long a connection that is cut at the end may take to say so.
const FAREWELL_MAX: Duration = Duration::from_millis(50);
/// What any stranger can make happen is told once in so long.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// What all connections of a listener share.
pub(super) struct Connections {
    pub(super) http: http1::Builder,
    pub(super) tls: Option<TlsAcceptor>,
    /// What to look at when a handshake fails, as a sentence's end.
    pub(super) advice: &'static str,
    pub(super) gate: Gate,
    pub(super) limits: Limits,
    pub(super) complaints: Complaints,
}

impl Connections {
    /// Answers a connection until it ends, the server does, or others need its slot more.
    pub(super) async fn welcome(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        slot: Slot,
        router: TowerToHyperService<Router>,
        draining: Draining,
    ) {
        // Without it an answer waits for the acknowledgement of the one before; it is no condition.
        let _ = stream.set_nodelay(true);
        let introduced = tokio::select! {
            introduced = self.introduced(stream, peer, slot) => introduced,
            () = draining.over() => return,
        };
        let Some((stream, peer, slot)) = introduced else {
            return;
        };
        tokio::select! {
            speaks = self.speaks(&stream) => if !speaks {
                return;
            },
            () = draining.over() => return,
            () = slot.must_leave() => return,
        }
        let slot = Arc::new(slot);
        let caller = Caller {
            router,
            peer,
            certificate: None,
            slot: slot.clone(),
            draining: draining.clone(),
        };
        // What TLS and HTTP take is taken for those alone who have begun to speak.
        let answer = Box::pin(self.answer(stream, caller, draining));
        tokio::select! {
            () = answer => {}
            () = slot.must_leave() => {
                tracing::debug!(%peer, "a silent connection made room for another one");
            }
        }
    }

    /// Who is at the other end, by the word of a proxy where connections come through one.
    async fn introduced(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        slot: Slot,
    ) -> Option<(TcpStream, SocketAddr, Slot)> {
        if !self.gate.proxy_protocol {
            return Some((stream, peer, slot));
        }
        let header = proxy_protocol::read(&mut stream);
        let client = match timeout(self.limits.handshake_max, header).await {
            Ok(Ok(client)) => client.unwrap_or(peer),
            Ok(Err(why)) => {
                self.complaints.tell_of_no_header(peer, &why.to_string());
                return None;
            }
            Err(_) => {
                let why = "its PROXY header did not come in time";
                self.complaints.tell_of_no_header(peer, why);
                return None;
            }
        };
        match slot.pass_to(self.gate.guest(client.ip())) {
            Ok(slot) => Some((stream, client, slot)),
            Err(_) => {
                self.complaints.tell_of_too_many(client.ip());
                None
            }
        }
    }

    /// Waits for the first byte; whether it came in time.
    async fn speaks(&self, stream: &TcpStream) -> bool {
        let patience = match &self.tls {
            Some(_) => self.limits.handshake_max,
            None => self.limits.header_read_max,
        };
        // The byte stays where it is: what follows reads it again.
        let mut first = [0];
        matches!(timeout(patience, stream.peek(&mut first)).await, Ok(Ok(1)))
    }

    /// Answers a connection, after the handshake where there is one. No memory of HTTP is taken before.
    async fn answer(&self, stream: TcpStream, mut caller: Caller, draining: Draining) {
        let Some(tls) = &self.tls else {
            return self.converse(stream, caller, draining).await;
        };
        let handshake = client_certificate::watched(tls.accept(stream));
        let secured = tokio::select! {
            secured = timeout(self.limits.handshake_max, handshake) => secured,
            () = draining.over() => return,
        };
        match secured {
            // The handshake was all that the authority wanted (RFC 8737, 3).
            Ok((Ok(stream), _))
                if stream.get_ref().1.alpn_protocol() == Some(acme::ACME_TLS_ALPN) => {}
            Ok((Ok(stream), unproven)) => {
                let presented = client_certificate::presented(stream.get_ref().1, unproven);
                caller.certificate = presented.map(Arc::new);
                self.converse(stream, caller, draining).await;
            }
            Ok((Err(error), _)) => {
                let why = error.to_string();
                let complaints = &self.complaints;
                complaints.tell_of_handshake(caller.peer, &why, self.advice);
            }
            Err(_) => {
                self.complaints
                    .tell_of_handshake(caller.peer, "it took too long", self.advice)
            }
        }
    }

    /// Answers the requests of one connection until it ends, or until the server does.
    async fn converse<S>(&self, stream: S, caller: Caller, draining: Draining)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connection = self.http.serve_connection(TokioIo::new(stream), caller);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = draining.over() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                let Ok(ended) = timeout(FAREWELL_MAX, connection).await else {
                    tracing::debug!("a connection was cut at the end");
                    return;
                };
                ended
            }
        };
        if let Err(error) = ended {
            // What a sender does to its connection is no failure of ours.
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// The router, told who is at the other end, for as long as it is not the end.
struct Caller {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    certificate: Option<Arc<ClientCertificate>>,
    slot: Arc<Slot>,
    draining: Draining,
}

impl Service<Request<Incoming>> for Caller {
    type Response = Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.slot.asked();
        if self.draining.has_begun() {
            let draining = self.draining.clone();
            return Box::pin(async move {
                heard_out(request.into_body(), draining).await;
                Ok(drain::come_again())
            });
        }
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        if let Some(certificate) = &self.certificate {
            extensions.insert(certificate.clone());
        }
        let answer = self.router.call(request);
        let draining = self.draining.clone();
        Box::pin(async move {
            let mut answer = tokio::select! {
                biased;
                answer = answer => answer?,
                () = draining.last_word() => return Ok(drain::come_again()),
            };
            if draining.has_begun() {
                drain::close_after(&mut answer);
            }
            Ok(answer)
        })
    }
}

/// Reads a body that nobody wants: a connection that is closed while its sender still writes is reset,
/// and the answer is lost with it.
async fn heard_out(body: Incoming, draining: Draining) {
    tokio::select! {
        () = body::skip(Body::new(body), SKIPPED_BYTES_MAX, HEADER_READ_MAX) => {}
        () = draining.last_word() => {}
    }
}

/// When things that any stranger can make happen were told last.
#[derive(Default)]
pub(super) struct Complaints {
    handshake: Mutex<Option<Instant>>,
    no_header: Mutex<Option<Instant>>,
    too_many: Mutex<Option<Instant>>,
}

impl Complaints {
    /// A caller who does not believe the certificate can't say so to anybody else.
    fn tell_of_handshake(&self, peer: SocketAddr, why: &str, advice: &str) {
        if !is_due(&self.handshake) {
            tracing::debug!(%peer, why, "a TLS handshake failed");
            return;
        }
        tracing::info!(%peer, why, "a TLS handshake failed; {advice}");
    }

    fn tell_of_no_header(&self, peer: SocketAddr, why: &str) {
        if !is_due(&self.no_header) {
            tracing::debug!(%peer, why, "a proxy's connection was closed");
            return;
        }
        tracing::warn!(
            %peer, why,
            "a proxy's connection was closed; have the proxy send the PROXY protocol, or take \
             proxy_protocol out"
        );
    }

    pub(super) fn tell_of_stranger_without_proxy(&self, peer: SocketAddr) {
        if !is_due(&self.no_header) {
            tracing::debug!(%peer, "a connection from no trusted proxy was closed");
            return;
        }
        tracing::warn!(
            %peer,
            "a connection was closed, as it comes from no trusted proxy and proxy_protocol is on; if \
             this is your proxy, list it in trusted_proxies"
        );
    }

    pub(super) fn tell_of_too_many(&self, address: IpAddr) {
        if !is_due(&self.too_many) {
            tracing::debug!(peer = %address, "a connection was closed, its address holds too many");
            return;
        }
        tracing::warn!(
            peer = %address,
            "a connection was closed, its address holds connections_per_address already"
        );
    }
}

/// Whether it is time to tell something again.
fn is_due(last: &Mutex<Option<Instant>>) -> bool {
    let now = clock::instant();
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_some_and(|last| now.saturating_duration_since(last) < COMPLAIN_EVERY) {
        return false;
    }
    *last = Some(now);
    true
}
