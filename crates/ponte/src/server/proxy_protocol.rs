//! The PROXY protocol, versions 1 and 2: who is at the other end of a connection that a proxy passes
//! on as it is.
//!
//! Source: "The PROXY protocol", versions 1 & 2, as HAProxy publishes it (`doc/proxy-protocol.txt`,
//! 2020/03/05). Read strictly, since a connection's word about its client comes from nowhere else: what the
//! specification lets a receiver ignore is refused where it would leave the client unknown.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of version 2 before its addresses; no header of version 1 that names a client is shorter.
const FIXED_BYTES: usize = 16;
/// Most bytes of a line of version 1, with its end (specification, section 2.1).
const LINE_BYTES_MAX: usize = 107;
/// Most bytes after the fixed ones of version 2: addresses, and what proxies add to them.
const REST_BYTES_MAX: usize = 2048;

/// Why a connection does not say who its client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAHeader {
    /// It begins otherwise.
    #[error("it does not begin with a header of the PROXY protocol")]
    Absent,
    /// The header is longer than it may be.
    #[error("its PROXY header is longer than {} bytes", REST_BYTES_MAX + FIXED_BYTES)]
    TooLong,
    /// The header is not as the specification says.
    #[error("its PROXY header is malformed: {0}")]
    Malformed(&'static str),
    /// The header is well, and names no client that has an address.
    #[error("its PROXY header names no client")]
    NoClient,
    /// The connection ended within the header.
    #[error("it ended within its PROXY header")]
    Incomplete,
}

impl From<io::Error> for NotAHeader {
    fn from(_: io::Error) -> Self {
        Self::Incomplete
    }
}

/// Reads the header that stands before everything else, and not a byte more; gives whom the proxy
/// speaks for, `None` for itself.
///
/// # Errors
/// When the connection can't be used.
pub(super) async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, NotAHeader> {
    let mut header = vec![0; FIXED_BYTES];
    stream.read_exact(&mut header).await?;
    if header.starts_with(&SIGNATURE) {
        let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if rest > REST_BYTES_MAX {
            return Err(NotAHeader::TooLong);
        }
        header.resize(FIXED_BYTES + rest, 0);
        stream.read_exact(&mut header[FIXED_BYTES..]).await?;
        return version_2(&header);
    }
    if !header.starts_with(b"PROXY ") {
        return Err(NotAHeader::Absent);
    }
    while !header.contains(&b'\n') {
        let mut ahead = [0; LINE_BYTES_MAX];
        let seen = stream.peek(&mut ahead).await?;
        let in_line = ahead[..seen].iter().position(|byte| *byte == b'\n');
        let wanted = in_line.map_or(seen, |end| end + 1);
        if wanted == 0 {
            return Err(NotAHeader::Incomplete);
        }
        let so_far = header.len();
        if so_far + wanted > LINE_BYTES_MAX {
            return Err(NotAHeader::TooLong);
        }
        header.resize(so_far + wanted, 0);
        stream.read_exact(&mut header[so_far..]).await?;
    }
    version_1(&header)
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443` and CR LF; exactly so.
pub(super) fn version_1(header: &[u8]) -> Result<Option<SocketAddr>, NotAHeader> {
    let malformed = NotAHeader::Malformed;
    let line = header.strip_suffix(b"\r\n");
    let line = line.ok_or(malformed("its line does not end in CR LF"))?;
    let line = std::str::from_utf8(line).map_err(|_| malformed("its line is not text"))?;
    let mut words = line.split(' ').skip(1);
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        return Err(NotAHeader::NoClient);
    }
    let mut next = || words.next().ok_or(malformed("a word is missing"));
    let (from, to) = (next()?, next()?);
    let (from_port, _) = (port(next()?)?, port(next()?)?);
    if words.next().is_some() {
        return Err(malformed("there is a word too many"));
    }
    let client = match family {
        "TCP4" => pair::<Ipv4Addr>(from, to).map(IpAddr::V4),
        "TCP6" => pair::<Ipv6Addr>(from, to).map(IpAddr::V6),
        _ => return Err(malformed("its family is neither TCP4, TCP6 nor UNKNOWN")),
    };
    let client = client.ok_or(malformed("an address is not one of its family"))?;
    Ok(Some(SocketAddr::new(client.to_canonical(), from_port)))
}

/// The first of two addresses of one family.
fn pair<A: FromStr>(from: &str, to: &str) -> Option<A> {
    to.parse::<A>().ok()?;
    from.parse().ok()
}

/// A port in decimal, without sign and leading zeros.
fn port(word: &str) -> Result<u16, NotAHeader> {
    let canonical = word == "0" || !word.starts_with(['0', '+']);
    let port = word.parse().ok().filter(|_| canonical);
    port.ok_or(NotAHeader::Malformed(
        "a port is not a number from 0 to 65535",
    ))
}

pub(super) fn version_2(header: &[u8]) -> Result<Option<SocketAddr>, NotAHeader> {
    let malformed = NotAHeader::Malformed;
    let (fixed, rest) = header.split_at(FIXED_BYTES);
    let (version, command) = (fixed[12] >> 4, fixed[12] & 0x0F);
    if version != 2 {
        return Err(malformed("its version is not 2"));
    }
    match command {
        // The proxy's own connection, whatever addresses it may bring.
        0 => return Ok(None),
        1 => {}
        _ => return Err(malformed("its command is neither LOCAL nor PROXY")),
    }
    let (family, transport) = (fixed[13] >> 4, fixed[13] & 0x0F);
    if family > 3 || transport > 2 {
        return Err(malformed("its family or transport is not assigned"));
    }
    // Only what came over TCP can be a client of ours.
    let (client, addresses) = match (family, transport) {
        (1, 1) => (client::<4>(rest), 12),
        (2, 1) => (client::<16>(rest), 36),
        _ => return Err(NotAHeader::NoClient),
    };
    let client = client.ok_or(malformed("its addresses are cut short"))?;
    additions(&rest[addresses..])?;
    Ok(Some(client))
}

/// The client in a block of source, destination and their ports.
fn client<const BYTES: usize>(rest: &[u8]) -> Option<SocketAddr>
where
    IpAddr: From<[u8; BYTES]>,
{
    let block = rest.get(..2 * BYTES + 4)?;
    let source: [u8; BYTES] = block[..BYTES].try_into().ok()?;
    let port = u16::from_be_bytes([block[2 * BYTES], block[2 * BYTES + 1]]);
    Some(SocketAddr::new(IpAddr::from(source).to_canonical(), port))
}

/// What a proxy adds behind the addresses: not wanted, but it must fit.
fn additions(mut rest: &[u8]) -> Result<(), NotAHeader> {
    while !rest.is_empty() {
        let bytes = match rest {
            [_, high, low, ..] => 3 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => usize::MAX,
        };
        let behind = rest.get(bytes..);
        rest = behind.ok_or(NotAHeader::Malformed("what it adds is cut short"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
