//! A web socket as far as one question and its answer need it (RFC 6455).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::Result;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// What a frame's first byte carries when nothing follows in another frame.
const FINAL: u8 = 0x80;
/// What a frame's second byte carries when the payload is masked, as a client's must be.
const MASKED: u8 = 0x80;
/// On the loopback nobody has to be kept from guessing it.
const MASK: [u8; 4] = [0x21, 0x43, 0x65, 0x87];

/// An open web socket.
pub(crate) struct Socket(BufReader<TcpStream>);

impl Socket {
    /// Turns a connection into a web socket.
    ///
    /// # Errors
    /// The other side does not agree.
    pub(crate) fn open(stream: TcpStream, host: SocketAddr, path: &str) -> Result<Socket> {
        let mut connection = BufReader::new(stream);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        connection.get_mut().write_all(request.as_bytes())?;
        let mut status = String::new();
        connection.read_line(&mut status)?;
        if !status.contains(" 101 ") {
            return Err(format!("no web socket at {path}: {}", status.trim()).into());
        }
        let mut line = status;
        while line.trim() != "" {
            line.clear();
            connection.read_line(&mut line)?;
        }
        Ok(Socket(connection))
    }

    /// Sends a text and returns the next one that comes back.
    ///
    /// # Errors
    /// A broken connection, or one that the other side closes.
    pub(crate) fn ask(&mut self, text: &str) -> Result<String> {
        self.send(TEXT, text.as_bytes())?;
        loop {
            let (kind, payload) = self.receive()?;
            match kind {
                TEXT => return Ok(String::from_utf8(payload)?),
                PING => self.send(PONG, &payload)?,
                CLOSE => return Err("the exchange closed the web socket".into()),
                _ => {}
            }
        }
    }

    fn send(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        self.0.get_mut().write_all(&frame(kind, payload)?)?;
        Ok(())
    }

    fn receive(&mut self) -> Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head)?;
        let length = match head[1] & 0x7F {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length)?;
                usize::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.0.read_exact(&mut length)?;
                usize::try_from(u64::from_be_bytes(length))?
            }
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload)?;
        Ok((head[0] & 0x0F, payload))
    }
}

/// A client's frame, up to 65535 bytes of payload.
fn frame(kind: u8, payload: &[u8]) -> Result<Vec<u8>> {
    let mut frame = vec![FINAL | kind];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => frame.push(MASKED | short),
        Ok(_) | Err(_) => {
            frame.push(MASKED | 126);
            frame.extend(u16::try_from(payload.len())?.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_their_length_and_mask() {
        assert_eq!(
            frame(TEXT, b"!C").unwrap(),
            [0x81, 0x82, 0x21, 0x43, 0x65, 0x87, 0, 0]
        );
        let long = frame(TEXT, &[0; 300]).unwrap();
        assert_eq!(long[..4], [0x81, 0xFE, 1, 44]);
        assert_eq!(long.len(), 308);
        assert!(frame(TEXT, &[0; 70_000]).is_err());
    }
}
