//! Finds orders in the bytes that a client writes to the exchange: HTTP requests, then, once the
//! connection has become a web socket, frames. Each order has the moment at which its first byte came.

use std::time::Duration;

use serde_json::Value;

/// An order on its way to the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// When its first byte came.
    pub(super) at: Duration,
    pub(super) symbol: String,
    /// Without zeros at its end.
    pub(super) quantity: String,
}

/// Reads one connection.
#[derive(Default)]
pub(super) struct Reader {
    is_socket: bool,
    unread: Vec<u8>,
    /// When the first of the unread bytes came.
    began: Duration,
}

/// One whole message: how many bytes it has, and the order in it.
struct Message {
    length: usize,
    order: Option<(String, String)>,
}

impl Reader {
    /// Takes what has come at a moment; returns the orders that are whole now.
    pub(super) fn take(&mut self, bytes: &[u8], at: Duration) -> Vec<Order> {
        if self.unread.is_empty() {
            self.began = at;
        }
        self.unread.extend_from_slice(bytes);
        let mut orders = Vec::new();
        while let Some(message) = self.next() {
            self.unread.drain(..message.length);
            orders.extend(message.order.map(|(symbol, quantity)| Order {
                at: self.began,
                symbol,
                quantity: normal(&quantity).to_owned(),
            }));
            // What is left began in this read at the earliest: a message before it ended here.
            self.began = at;
        }
        orders
    }

    fn next(&mut self) -> Option<Message> {
        if self.is_socket {
            return frame(&self.unread);
        }
        let (message, is_upgrade) = request(&self.unread)?;
        self.is_socket = is_upgrade;
        Some(message)
    }
}

/// A quantity as it is compared: `0.00100` is `0.001`.
pub(super) fn normal(quantity: &str) -> &str {
    if quantity.contains('.') {
        quantity.trim_end_matches('0').trim_end_matches('.')
    } else {
        quantity
    }
}

/// The request at the beginning, and whether it asks for a web socket.
fn request(bytes: &[u8]) -> Option<(Message, bool)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    let length = end + length.unwrap_or(0);
    let body = String::from_utf8_lossy(bytes.get(end..length)?).into_owned();
    let is_upgrade = header("upgrade").is_some_and(|what| what.eq_ignore_ascii_case("websocket"));
    let mut words = head.split(' ');
    let is_order = words.next() == Some("POST")
        && matches!(words.next(), Some("/api/v3/order" | "/fapi/v1/order"));
    let field = |name: &str| {
        let fields = body.split('&').filter_map(|field| field.split_once('='));
        let mut values = fields.filter(|(key, _)| *key == name);
        values.next().map(|(_, value)| value.to_owned())
    };
    let order = is_order.then(|| field("symbol").zip(field("quantity")));
    let order = order.flatten();
    Some((Message { length, order }, is_upgrade))
}

/// The frame at the beginning (RFC 6455, "Base Framing Protocol").
fn frame(bytes: &[u8]) -> Option<Message> {
    let (kind, second) = (bytes.first()? & 0x0F, *bytes.get(1)?);
    let (length, mut at) = match second & 0x7F {
        126 => (u64::from(u16::from_be_bytes(part(bytes, 2)?)), 4),
        127 => (u64::from_be_bytes(part(bytes, 2)?), 10),
        short => (u64::from(short), 2),
    };
    let mut mask = [0; 4];
    if second & 0x80 != 0 {
        mask = part(bytes, at)?;
        at += mask.len();
    }
    let end = at + usize::try_from(length).ok()?;
    let payload = bytes.get(at..end)?;
    let text: Vec<u8> = payload
        .iter()
        .zip(mask.iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    let order = if kind == 1 { order_in(&text) } else { None };
    Some(Message { length: end, order })
}

fn order_in(text: &[u8]) -> Option<(String, String)> {
    let json: Value = serde_json::from_slice(text).ok()?;
    if json["method"] != "order.place" {
        return None;
    }
    let field = |name: &str| json["params"][name].as_str().map(str::to_owned);
    field("symbol").zip(field("quantity"))
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "POST /fapi/v1/order HTTP/1.1\r\nhost: x\r\nContent-Length: 45\r\n\r\n\
                         symbol=BTCUSDT&side=BUY&quantity=0.00100&a=bc";

    fn order(at: u64, symbol: &str, quantity: &str) -> Order {
        Order {
            at: Duration::from_micros(at),
            symbol: symbol.to_owned(),
            quantity: quantity.to_owned(),
        }
    }

    fn take(reader: &mut Reader, bytes: &[u8], at: u64) -> Vec<Order> {
        reader.take(bytes, Duration::from_micros(at))
    }

    fn masked(text: &str) -> Vec<u8> {
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend([1, 2, 3, 4]);
        frame.extend(
            text.bytes()
                .zip([1, 2, 3, 4].into_iter().cycle())
                .map(|(a, b)| a ^ b),
        );
        frame
    }

    #[test]
    fn an_order_counts_from_its_first_byte() {
        let mut reader = Reader::default();
        let (first, second) = ORDER.as_bytes().split_at(70);
        assert_eq!(take(&mut reader, first, 5), []);
        assert_eq!(take(&mut reader, second, 9), [order(5, "BTCUSDT", "0.001")]);
        assert_eq!(
            take(&mut reader, ORDER.as_bytes(), 12),
            [order(12, "BTCUSDT", "0.001")]
        );
    }

    #[test]
    fn other_requests_are_no_orders() {
        let mut reader = Reader::default();
        let ping = "GET /api/v3/ping HTTP/1.1\r\nhost: x\r\n\r\n";
        assert_eq!(take(&mut reader, ping.as_bytes(), 1), []);
        let key = "POST /fapi/v1/listenKey HTTP/1.1\r\nhost: x\r\n\r\n";
        assert_eq!(take(&mut reader, key.as_bytes(), 2), []);
        assert_eq!(take(&mut reader, ORDER.as_bytes(), 3).len(), 1);
    }

    #[test]
    fn a_connection_becomes_a_web_socket() {
        let mut reader = Reader::default();
        let upgrade = "GET /ws-api/v3 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        let place = r#"{"id":1,"method":"order.place","params":{"symbol":"ETHUSDT","quantity":"0.0070"},
            "filler":"so long that the length of the frame takes two bytes of its own in its head"}"#;
        let status = place.replace("order.place", "order.status");
        assert_eq!(take(&mut reader, upgrade.as_bytes(), 1), []);
        assert_eq!(take(&mut reader, &[0x8A, 0x80, 1, 2, 3, 4], 2), []);
        assert_eq!(take(&mut reader, &masked(&status), 3), []);
        let both = [masked(place), masked(place)].concat();
        let expected = [order(4, "ETHUSDT", "0.007"), order(4, "ETHUSDT", "0.007")];
        assert_eq!(take(&mut reader, &both, 4), expected);
    }

    #[test]
    fn quantities_are_compared_without_their_last_zeros() {
        assert_eq!(normal("0.0100"), "0.01");
        assert_eq!(normal("1.00"), "1");
        assert_eq!(normal("100"), "100");
    }
}
