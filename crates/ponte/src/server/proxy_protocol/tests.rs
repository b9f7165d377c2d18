//! The specification's examples, what it forbids, and anything at all.

// Tables are read best in one piece.
#![allow(clippy::too_many_lines)]

use std::net::SocketAddr;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::NotAHeader::{Absent, Incomplete, Malformed, NoClient, TooLong};
use super::{NotAHeader, SIGNATURE, read, version_1, version_2};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Whom a line names; what is wrong with it, in a word.
fn named(line: &str) -> String {
    told(version_1(line.as_bytes()))
}

fn told(read: Result<Option<SocketAddr>, NotAHeader>) -> String {
    match read {
        Ok(Some(client)) => client.to_string(),
        Ok(None) => "the proxy itself".to_owned(),
        Err(error) => error
            .to_string()
            .replace("its PROXY header is malformed: ", ""),
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table: one entry for each line
fn lines_are_read_to_the_letter() {
    let longest = "PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n";
    for (line, expected) in [
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            "255.255.255.255:65535",
        ),
        (
            "PROXY TCP4 52.89.214.238 10.0.0.1 0 443\r\n",
            "52.89.214.238:0",
        ),
        (
            "PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n",
            "[2001:db8::7]:56324",
        ),
        (
            "PROXY TCP6 ::ffff:52.89.214.238 ::1 1 2\r\n",
            "52.89.214.238:1",
        ),
        ("PROXY UNKNOWN\r\n", "its PROXY header names no client"),
        (
            "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
            "its PROXY header names no client",
        ),
        (longest, "an address is not one of its family"),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
            "its line does not end in CR LF",
        ),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "a word is missing"),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
            "there is a word too many",
        ),
        (
            "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n",
            "a port is not a number from 0 to 65535",
        ),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
            "a port is not a number from 0 to 65535",
        ),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
            "a port is not a number from 0 to 65535",
        ),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
            "a port is not a number from 0 to 65535",
        ),
        (
            "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n",
            "an address is not one of its family",
        ),
        (
            "PROXY TCP4 ::1 2.2.2.2 1 2\r\n",
            "an address is not one of its family",
        ),
        (
            "PROXY TCP6 ::1 2.2.2.2 1 2\r\n",
            "an address is not one of its family",
        ),
        (
            "PROXY TCP6 1.1.1.1 ::1 1 2\r\n",
            "an address is not one of its family",
        ),
        (
            "PROXY tcp4 1.1.1.1 2.2.2.2 1 2\r\n",
            "its family is neither TCP4, TCP6 nor UNKNOWN",
        ),
        (
            "PROXY TCP4 1.1.1.1\r2.2.2.2 2.2.2.2 1 2\r\n",
            "an address is not one of its family",
        ),
    ] {
        assert_eq!(named(line), expected, "{line:?}");
    }
}

/// A header of version 2.
fn binary(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[version_command, family], &length, rest].concat()
}

const OVER_IPV4: [u8; 12] = [52, 89, 214, 238, 10, 0, 0, 1, 0xDC, 0x04, 1, 0xBB];

#[test]
fn binary_headers_are_read_to_the_byte() {
    let mut over_ipv6 = [0; 36];
    over_ipv6[..2].copy_from_slice(&[0x20, 0x01]);
    over_ipv6[15] = 7;
    over_ipv6[33] = 9;
    let mut wrapped = [0; 36];
    wrapped[10..16].copy_from_slice(&[0xFF, 0xFF, 52, 89, 214, 238]);
    let with = |more: &[u8]| [&OVER_IPV4[..], more].concat();
    for (header, expected) in [
        (binary(0x21, 0x11, &OVER_IPV4), "52.89.214.238:56324"),
        (
            binary(0x21, 0x11, &with(&[4, 0, 2, 0, 0])),
            "52.89.214.238:56324",
        ),
        (
            binary(0x21, 0x11, &with(&[4, 0, 3, 0, 0])),
            "what it adds is cut short",
        ),
        (
            binary(0x21, 0x11, &with(&[4, 0])),
            "what it adds is cut short",
        ),
        (binary(0x21, 0x21, &over_ipv6), "[2001::7]:9"),
        (binary(0x21, 0x21, &wrapped), "52.89.214.238:0"),
        (binary(0x20, 0x00, &[]), "the proxy itself"),
        (binary(0x20, 0x11, &OVER_IPV4), "the proxy itself"),
        (binary(0x21, 0x00, &[]), "its PROXY header names no client"),
        (
            binary(0x21, 0x31, &[0; 216]),
            "its PROXY header names no client",
        ),
        (
            binary(0x21, 0x12, &OVER_IPV4),
            "its PROXY header names no client",
        ),
        (
            binary(0x21, 0x11, &OVER_IPV4[..11]),
            "its addresses are cut short",
        ),
        (
            binary(0x21, 0x21, &OVER_IPV4),
            "its addresses are cut short",
        ),
        (binary(0x11, 0x11, &OVER_IPV4), "its version is not 2"),
        (
            binary(0x22, 0x11, &OVER_IPV4),
            "its command is neither LOCAL nor PROXY",
        ),
        (
            binary(0x21, 0x41, &OVER_IPV4),
            "its family or transport is not assigned",
        ),
        (
            binary(0x21, 0x13, &OVER_IPV4),
            "its family or transport is not assigned",
        ),
    ] {
        assert_eq!(told(version_2(&header)), expected, "{header:?}");
    }
}

/// What a connection's first bytes say, and what is left of them for who reads on.
async fn over_a_connection(pieces: &[&[u8]]) -> (Result<Option<SocketAddr>, NotAHeader>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (mut sender, accepted) = (connect.await.unwrap(), listener.accept().await.unwrap());
    let mut receiver = accepted.0;
    let sent = async {
        for piece in pieces {
            sender.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        drop(sender);
    };
    let received = async {
        let said = read(&mut receiver).await;
        let mut rest = Vec::new();
        // A refusal leaves unread bytes, and the connection to be cut.
        let _ = receiver.read_to_end(&mut rest).await;
        (said, rest)
    };
    tokio::join!(sent, received).1
}

#[tokio::test]
async fn not_a_byte_more_is_taken_than_the_header_has() {
    let line = b"PROXY TCP4 52.89.214.238 10.0.0.1 56324 443\r\n";
    let whole = [&line[..], b"POST /"].concat();
    let client = Ok(Some(address("52.89.214.238:56324")));
    let rest = b"POST /".to_vec();
    assert_eq!(over_a_connection(&[&whole]).await, (client, rest.clone()));
    let bytes: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(over_a_connection(&bytes).await, (client, rest.clone()));
    let whole = [binary(0x21, 0x11, &OVER_IPV4), rest.clone()].concat();
    assert_eq!(over_a_connection(&[&whole]).await, (client, rest.clone()));
    let bytes: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(over_a_connection(&bytes).await, (client, rest));
}

#[tokio::test]
async fn what_is_no_header_is_told_apart() {
    let endless = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
    let large = [&SIGNATURE[..], &[0x21, 0x11, 0x08, 0x01]].concat();
    for (bytes, expected) in [
        (&b"POST /webhook HTTP/1.1\r\n\r\n"[..], Absent),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00",
            Absent,
        ),
        (&endless, TooLong),
        (&large, TooLong),
        (b"PROXY TCP4 52.89.2", Incomplete),
        (b"PROX", Incomplete),
        (b"", Incomplete),
        (b"PROXY UNKNOWN   \r\n", NoClient),
        (
            b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
            Malformed("its line does not end in CR LF"),
        ),
    ] {
        assert_eq!(
            over_a_connection(&[bytes]).await.0,
            Err(expected),
            "{bytes:?}"
        );
    }
}

proptest! {
    #[test]
    fn anything_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 16..300), tail in ".{0,90}") {
        let _ = version_2(&bytes);
        let _ = version_1(&bytes);
        let mut header = bytes;
        header[..12].copy_from_slice(&SIGNATURE);
        header[12] = 0x21;
        let _ = version_2(&header);
        let _ = version_1(format!("PROXY TCP4 {tail}\r\n").as_bytes());
    }

    #[test]
    fn whom_a_proxy_writes_is_read(client: std::net::SocketAddrV4, to: std::net::SocketAddrV4) {
        let line = format!("PROXY TCP4 {} {} {} {}\r\n", client.ip(), to.ip(), client.port(), to.port());
        prop_assert_eq!(version_1(line.as_bytes()), Ok(Some(client.into())));
        let ports = [client.port().to_be_bytes(), to.port().to_be_bytes()].concat();
        let rest = [&client.ip().octets()[..], &to.ip().octets(), &ports].concat();
        prop_assert_eq!(version_2(&binary(0x21, 0x11, &rest)), Ok(Some(client.into())));
    }
}
