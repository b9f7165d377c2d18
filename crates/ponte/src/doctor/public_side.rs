//! The public side: the way from the world to the webhook, looked at step by step as a stranger goes it.
//!
//! The certificate is judged after the handshake, whatever it says: a look that ended at the first
//! fault could not tell the others. Nothing secret is ever sent this way.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ponte_core::time::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::clock;
use crate::config::PublicUrl;
use crate::server::Facts;

/// How long each step may take: a sender gives up sooner.
const STEP_MAX: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where somebody answers.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address.
    pub address: SocketAddr,
    /// The name that is asked for.
    pub host: String,
    /// Whether by TLS.
    pub secure: bool,
    /// What `Host` says.
    pub authority: String,
}

/// What was seen on the way to the public address.
#[derive(Debug)]
pub struct Seen {
    /// The addresses behind its name, or why there are none.
    pub addresses: Result<Vec<IpAddr>, String>,
    /// What was met at the first address that TradingView could call; `None` where there is none.
    pub met: Option<(Place, Met)>,
}

/// What was met at an address.
#[derive(Debug)]
pub struct Met {
    /// How long it took to connect, or why it failed.
    pub connected: Result<Duration, String>,
    /// The handshake; `None` without TLS, or where nobody was connected to.
    pub handshake: Option<Result<Handshake, String>>,
    /// The answer; `None` where no request could be sent.
    pub answer: Option<Result<Answer, String>>,
}

/// A handshake that came to its end.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// How long it took.
    pub took: Duration,
    /// What the certificate says; `None` where it can't be read.
    pub facts: Option<Facts>,
    /// Whether the public authorities vouch for it, for this name and this moment.
    pub trust: Result<(), String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// From the first byte of the connection to the last of the answer.
    pub took: Duration,
}

impl Answer {
    /// The first header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Goes the way to the public address, and asks there for what Ponte would refuse.
pub async fn look(url: &PublicUrl) -> Seen {
    let addresses = resolve(url).await;
    let first = addresses.as_ref().ok().and_then(|all| {
        let v4 = all.iter().find(|address| address.is_ipv4());
        v4.or(all.first()).copied()
    });
    let met = match first {
        None => None,
        Some(address) => {
            let place = place(url, address);
            let met = ask(&place, "GET", "/webhook", &[], b"").await;
            Some((place, met))
        }
    };
    Seen { addresses, met }
}

/// The public address at one of its addresses.
fn place(url: &PublicUrl, address: IpAddr) -> Place {
    let usual = if url.is_secure() { 443 } else { 80 };
    let host = url.host().to_owned();
    let authority = match url.port() {
        port if port == usual => host.clone(),
        port => format!("{host}:{port}"),
    };
    Place {
        address: SocketAddr::new(address, url.port()),
        host,
        secure: url.is_secure(),
        authority,
    }
}

async fn resolve(url: &PublicUrl) -> Result<Vec<IpAddr>, String> {
    let looked = timeout(STEP_MAX, lookup_host((url.host(), url.port()))).await;
    let found = looked
        .map_err(|_| late())?
        .map_err(|error| error.to_string())?;
    let mut all: Vec<IpAddr> = found.map(|address| address.ip().to_canonical()).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn late() -> String {
    format!("not within {} s", STEP_MAX.as_secs())
}

/// Sends one request, and looks at everything on the way.
pub async fn ask(
    place: &Place,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Met {
    let began = clock::instant();
    let since = || clock::instant().saturating_duration_since(began);
    let stream = match timeout(STEP_MAX, TcpStream::connect(place.address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Met::unconnected(error.to_string()),
        Err(_) => return Met::unconnected(late()),
    };
    let connected = Ok(since());
    let request = request(place, method, path, headers, body);
    if !place.secure {
        let answer = exchange(stream, &request).await;
        let answer = Some(answer.map(|answer| Answer {
            took: since(),
            ..answer
        }));
        return Met {
            connected,
            handshake: None,
            answer,
        };
    }
    let begun = since();
    match shake_hands(stream, &place.host).await {
        Err(why) => Met {
            connected,
            handshake: Some(Err(why)),
            answer: None,
        },
        Ok((stream, facts, trust)) => {
            let took = since().saturating_sub(begun);
            let answer = exchange(*stream, &request).await;
            Met {
                connected,
                handshake: Some(Ok(Handshake { took, facts, trust })),
                answer: Some(answer.map(|answer| Answer {
                    took: since(),
                    ..answer
                })),
            }
        }
    }
}

impl Met {
    fn unconnected(why: String) -> Self {
        Self {
            connected: Err(why),
            handshake: None,
            answer: None,
        }
    }
}

fn request(
    place: &Place,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: ponte/{} (doctor)\r\nconnection: close\r\n",
        place.authority,
        env!("CARGO_PKG_VERSION")
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" {
        let length = body.len();
        head.push_str(&format!(
            "content-type: application/json; charset=utf-8\r\ncontent-length: {length}\r\n"
        ));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

type Shaken = (
    Box<tokio_rustls::client::TlsStream<TcpStream>>,
    Option<Facts>,
    Result<(), String>,
);

async fn shake_hands(stream: TcpStream, host: &str) -> Result<Shaken, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Onlooker(provider.clone())))
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let connecting = timeout(STEP_MAX, connector.connect(name.clone(), stream)).await;
    let stream = connecting
        .map_err(|_| late())?
        .map_err(|error| error.to_string())?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let facts = chain.first().and_then(|first| Facts::of(first).ok());
    let trust = trusted(chain, &name, provider);
    Ok((Box::new(stream), facts, trust))
}

/// Whether the authorities that browsers trust vouch for a chain, for this name and now.
fn trusted(
    chain: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    provider: Arc<CryptoProvider>,
) -> Result<(), String> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| error.to_string())?;
    let (first, rest) = chain.split_first().ok_or("it showed no certificate")?;
    let seconds = u64::try_from(clock::now().0 / 1_000_000).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let verified = verifier.verify_server_cert(first, rest, name, &[], now);
    verified.map(drop).map_err(|error| error.to_string())
}

/// Takes any certificate, to look at it: what is wrong with it is said afterwards. That the other end
/// has its key is checked all the same.
#[derive(Debug)]
struct Onlooker(Arc<CryptoProvider>);

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Sends a request and reads what comes until the other end closes, or enough has come.
async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &[u8],
) -> Result<Answer, String> {
    let sent = timeout(STEP_MAX, async {
        stream.write_all(request).await?;
        stream.flush().await
    });
    sent.await
        .map_err(|_| late())?
        .map_err(|error| error.to_string())?;
    let mut read = Vec::new();
    let reading = async {
        while read.len() < ANSWER_BYTES_MAX && !is_whole(&read) {
            match stream.read_buf(&mut read).await {
                Ok(0) => break,
                Ok(_) => {}
                // What has come may be enough: some servers close without a word.
                Err(_) if !read.is_empty() => break,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    };
    match timeout(STEP_MAX, reading).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => return Err(why),
        Err(_) => return Err(format!("no whole answer within {} s", STEP_MAX.as_secs())),
    }
    parsed(&read)
}

/// Where the headers end.
fn head_end(read: &[u8]) -> Option<usize> {
    read.windows(4).position(|four| four == b"\r\n\r\n")
}

/// Whether the answer is complete by its own word.
fn is_whole(read: &[u8]) -> bool {
    let Some(end) = head_end(read) else {
        return false;
    };
    let Ok(answer) = parsed(read) else {
        return true;
    };
    let length = answer
        .header("content-length")
        .and_then(|text| text.parse::<usize>().ok());
    length.is_some_and(|length| read.len() - end - 4 >= length)
}

fn parsed(read: &[u8]) -> Result<Answer, String> {
    let end = head_end(read).ok_or("what came is no HTTP")?;
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let status = status
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5));
    let status = status
        .and_then(|digits| digits.parse().ok())
        .ok_or("what came is no HTTP")?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let body = read[end + 4..].to_vec();
    let is_chunked = headers.iter().any(|(name, value)| {
        name == "transfer-encoding" && value.to_ascii_lowercase().contains("chunked")
    });
    Ok(Answer {
        status,
        headers,
        body: if is_chunked { unchunked(&body) } else { body },
        took: Duration::ZERO,
    })
}

/// The pieces of a body together; what is cut off stays out.
fn unchunked(body: &[u8]) -> Vec<u8> {
    let (mut whole, mut rest) = (Vec::new(), body);
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim();
        let Ok(size @ 1..) = usize::from_str_radix(size, 16) else {
            break;
        };
        let Some(piece) = rest.get(end + 2..(end + 2).saturating_add(size)) else {
            break;
        };
        whole.extend_from_slice(piece);
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
    }
    whole
}

/// The moment in a `Date` header: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
#[must_use]
pub fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|known| *known == month)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut time = words
        .next()?
        .split(':')
        .map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // Days since 1970 of the proleptic calendar, whose years are taken to begin in March.
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::from_milliseconds(seconds.checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_a_date_header_is_read() {
        for (text, moment) in [
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "1994-11-06T08:49:37.000000Z",
            ),
            (
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "1970-01-01T00:00:00.000000Z",
            ),
            (
                "Thu, 29 Feb 2024 23:59:59 GMT",
                "2024-02-29T23:59:59.000000Z",
            ),
            (
                "Fri, 01 Jan 2027 00:00:01 GMT",
                "2027-01-01T00:00:01.000000Z",
            ),
        ] {
            assert_eq!(http_date(text).unwrap().to_string(), moment, "{text}");
        }
        for text in [
            "",
            "soon",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_is_read_whole_or_in_pieces() {
        let answer =
            parsed(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 2\r\n\r\nno").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (405, &b"no"[..]));
        assert_eq!(answer.header("content-length"), Some("2"));
        let pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(parsed(pieces).unwrap().body, b"abcde");
        for text in [
            &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
            b"HTTP/1.1 \r\n\r\n",
            b"",
            b"HTTP/1.1 200 OK\r\n",
        ] {
            assert!(parsed(text).is_err());
        }
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"));
        assert!(is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"));
    }
}
