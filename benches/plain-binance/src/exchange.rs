//! Orders on their way out: signed, written to an open connection, the answer read.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;
use serde_json::Value;

use crate::Result;
use crate::alert::{Alert, read_body};
use crate::socket::Socket;

/// What every connection needs to know.
pub(crate) struct Settings {
    address: SocketAddr,
    is_socket: bool,
    api_key: String,
    signing_key: hmac::Key,
}

impl Settings {
    /// Takes the exchange's address, the way of the orders, the API key and the secret of HMAC.
    pub(crate) fn new(
        address: SocketAddr,
        is_socket: bool,
        api_key: String,
        secret: &str,
    ) -> Settings {
        Settings {
            address,
            is_socket,
            api_key,
            signing_key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        }
    }

    /// The signature in hexadecimal (Binance Spot API, "Request security").
    fn sign(&self, payload: &str) -> String {
        let tag = hmac::sign(&self.signing_key, payload.as_bytes());
        tag.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// One of Binance's two markets, with where its orders go.
#[derive(Clone, Copy)]
enum Market {
    Spot,
    Futures,
}

impl Market {
    /// The market of a symbol as TradingView writes it, and the symbol as Binance does.
    fn of(symbol: &str) -> (Market, &str) {
        symbol
            .strip_suffix(".P")
            .map_or((Market::Spot, symbol), |name| (Market::Futures, name))
    }

    /// Binance Spot API and USDⓈ-M Futures API, "New Order".
    fn path(self) -> &'static str {
        match self {
            Market::Spot => "/api/v3/order",
            Market::Futures => "/fapi/v1/order",
        }
    }

    /// Binance Spot and USDⓈ-M Futures, "WebSocket API General Info".
    fn socket_path(self) -> &'static str {
        match self {
            Market::Spot => "/ws-api/v3",
            Market::Futures => "/ws-fapi/v1",
        }
    }
}

/// Connections to the exchange, each opened by the first order that needs it.
pub(crate) struct Exchange {
    settings: Arc<Settings>,
    rest: Option<BufReader<TcpStream>>,
    spot: Option<Socket>,
    futures: Option<Socket>,
}

impl Exchange {
    /// Without connections yet.
    pub(crate) fn new(settings: Arc<Settings>) -> Exchange {
        Exchange {
            settings,
            rest: None,
            spot: None,
            futures: None,
        }
    }

    /// Places the order that an alert asks for and returns the exchange's answer.
    ///
    /// # Errors
    /// A broken connection, or an order that the exchange did not take.
    pub(crate) fn place(&mut self, alert: &Alert) -> Result<String> {
        let answer = if self.settings.is_socket {
            self.place_by_socket(alert)?
        } else {
            self.place_by_rest(alert)?
        };
        let json: Value = serde_json::from_str(&answer)?;
        let order = json.get("result").unwrap_or(&json);
        if order["orderId"].is_u64() {
            Ok(answer)
        } else {
            Err(format!("the exchange did not take the order: {answer}").into())
        }
    }

    fn place_by_rest(&mut self, alert: &Alert) -> Result<String> {
        let (market, symbol) = Market::of(&alert.symbol);
        let (path, key, host) = (market.path(), &self.settings.api_key, self.settings.address);
        let quantity = alert.quantity.get();
        let timestamp = milliseconds()?;
        let mut body = format!(
            "symbol={symbol}&side=BUY&type=MARKET&quantity={quantity}&newOrderRespType=RESULT\
             &recvWindow=5000&timestamp={timestamp}"
        );
        let signature = self.settings.sign(&body);
        body.push_str("&signature=");
        body.push_str(&signature);
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-MBX-APIKEY: {key}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let connection = match &mut self.rest {
            Some(open) => open,
            none => none.insert(BufReader::new(open(host)?)),
        };
        connection.get_mut().write_all(request.as_bytes())?;
        let answer = read_body(connection)?.ok_or("the exchange closed the connection")?;
        Ok(String::from_utf8(answer)?)
    }

    fn place_by_socket(&mut self, alert: &Alert) -> Result<String> {
        let (market, symbol) = Market::of(&alert.symbol);
        let (key, host) = (&self.settings.api_key, self.settings.address);
        let quantity = alert.quantity.get();
        let timestamp = milliseconds()?;
        // In the order of their names, as they are signed (Binance Spot WebSocket API, "Request security").
        let signature = self.settings.sign(&format!(
            "apiKey={key}&newOrderRespType=RESULT&quantity={quantity}&recvWindow=5000&side=BUY\
             &symbol={symbol}&timestamp={timestamp}&type=MARKET"
        ));
        let request = format!(
            r#"{{"id":1,"method":"order.place","params":{{"apiKey":"{key}","newOrderRespType":"RESULT","#
        ) + &format!(
            r#""quantity":"{quantity}","recvWindow":5000,"side":"BUY","symbol":"{symbol}","#
        ) + &format!(
            r#""timestamp":{timestamp},"type":"MARKET","signature":"{signature}"}}}}"#
        );
        let socket = match market {
            Market::Spot => &mut self.spot,
            Market::Futures => &mut self.futures,
        };
        let socket = match socket {
            Some(open) => open,
            none => none.insert(Socket::open(open(host)?, host, market.socket_path())?),
        };
        socket.ask(&request)
    }
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place of this program that reads the clock"
)]
fn milliseconds() -> Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that Binance publishes (Spot API, "SIGNED Endpoint Examples for POST /api/v3/order").
    #[test]
    fn signs_as_binance_documents() {
        let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let settings = Settings::new(address, false, "KEY".to_owned(), secret);
        let payload = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1\
                       &recvWindow=5000&timestamp=1499827319559";
        assert_eq!(
            settings.sign(payload),
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
        );
    }
}
