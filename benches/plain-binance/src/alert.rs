//! Alerts as they come in: one HTTP request after the other, each with a message of JSON.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Result;

/// What an alert asks for: a market order that buys.
#[derive(Debug, Deserialize)]
pub(crate) struct Alert {
    /// The symbol as TradingView writes it; a perpetual contract's name ends in `.P`.
    #[serde(rename = "ativo")]
    pub(crate) symbol: String,
    /// The quantity as it is written: it never becomes a float.
    #[serde(rename = "qtd")]
    pub(crate) quantity: Box<RawValue>,
}

/// The alerts of one connection.
pub(crate) struct Alerts(BufReader<TcpStream>);

impl Alerts {
    /// Reads from a connection.
    pub(crate) fn new(stream: TcpStream) -> Alerts {
        Alerts(BufReader::new(stream))
    }

    /// Where the answers go.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    /// The next alert; none once the sender is gone.
    ///
    /// # Errors
    /// A broken connection, or a message that is no alert.
    pub(crate) fn next(&mut self) -> Result<Option<Alert>> {
        let Some(body) = read_body(&mut self.0)? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&body)?))
    }
}

/// The body of the next HTTP message with a length; none when the connection ends before it.
///
/// # Errors
/// A broken connection, or a length that is no number.
pub(crate) fn read_body(from: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_message_after_the_other() {
        let text = "POST /webhook HTTP/1.1\r\ncontent-LENGTH: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n";
        let mut from = text.as_bytes();
        assert_eq!(read_body(&mut from).unwrap().unwrap(), b"{}");
        assert_eq!(read_body(&mut from).unwrap().unwrap(), b"");
        assert!(read_body(&mut from).unwrap().is_none());
    }

    #[test]
    fn a_quantity_stays_as_it_is_written() {
        let text = r#"{"segredo":"S","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.00010,"id":"1"}"#;
        let alert: Alert = serde_json::from_str(text).unwrap();
        assert_eq!(
            (alert.symbol.as_str(), alert.quantity.get()),
            ("BTCUSDT", "0.00010")
        );
    }
}
