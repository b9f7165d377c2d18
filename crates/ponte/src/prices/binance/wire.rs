//! The messages of Binance's market streams: what is asked, and what is told.
//!
//! Sources: "WebSocket Streams for Binance" (Spot) and "Websocket Market Streams" (USDⓈ-M Futures),
//! sections on live subscribing, on book tickers and on the server's shutdown.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::prices::board::Top;

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The best buyer and seller of a symbol, as the market names it.
    Book {
        /// In upper case, without the ending of a perpetual.
        symbol: String,
        /// Its best buyer and seller.
        top: Top,
    },
    /// A request was answered.
    Answer {
        /// The request's number.
        id: u64,
        /// Why it was refused; `None` when it was granted.
        refusal: Option<String>,
    },
    /// The server is about to end the connection.
    Shutdown,
    /// Something that nobody asked for.
    Other,
}

/// Everything that may stand in a message. Keys that differ in case are different keys.
#[derive(Deserialize)]
struct Wire<'a> {
    /// In a combined stream, and around some events, the event stands one level deeper.
    #[serde(borrow, alias = "event")]
    data: Option<Box<Wire<'a>>>,
    #[serde(borrow)]
    e: Option<Cow<'a, str>>,
    u: Option<u64>,
    #[serde(borrow)]
    s: Option<Cow<'a, str>>,
    b: Option<Decimal>,
    a: Option<Decimal>,
    id: Option<u64>,
    #[serde(borrow)]
    error: Option<Refusal<'a>>,
    /// Older servers put the refusal beside the number.
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

/// Understands one message.
///
/// # Errors
/// When it is not JSON, or a known key has a value of the wrong kind.
pub(super) fn read(text: &str) -> Result<Message, serde_json::Error> {
    serde_json::from_str(text).map(meaning)
}

fn meaning(wire: Wire<'_>) -> Message {
    if let Some(inner) = wire.data {
        return meaning(*inner);
    }
    if wire.e.as_deref() == Some("serverShutdown") {
        return Message::Shutdown;
    }
    // A spot book ticker does not say that it is one.
    let is_book = wire.e.as_deref().is_none_or(|event| event == "bookTicker");
    if let (true, Some(update), Some(symbol), Some(bid), Some(ask)) =
        (is_book, wire.u, wire.s, wire.b, wire.a)
    {
        return Message::Book {
            symbol: symbol.into_owned(),
            top: Top { update, bid, ask },
        };
    }
    let unexplained = wire
        .error
        .is_some()
        .then_some(Cow::Borrowed("no reason given"));
    let refusal = wire
        .msg
        .or(wire.error.and_then(|error| error.msg))
        .or(unexplained);
    match wire.id {
        Some(id) => Message::Answer {
            id,
            refusal: refusal.map(Cow::into_owned),
        },
        None => Message::Other,
    }
}

/// The name of a symbol's stream of best prices.
pub(super) fn book_stream(symbol: &str) -> String {
    format!("{}@bookTicker", symbol.to_lowercase())
}

/// The request to be sent these streams.
pub(super) fn subscribe(id: u64, streams: &[String]) -> String {
    serde_json::json!({ "method": "SUBSCRIBE", "params": streams, "id": id }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(text: &str) -> (String, Top) {
        match read(text).unwrap() {
            Message::Book { symbol, top } => (symbol, top),
            other @ (Message::Answer { .. } | Message::Shutdown | Message::Other) => {
                panic!("{text} was read as {other:?}")
            }
        }
    }

    // From "Individual Symbol Book Ticker Streams" of both markets, and from "General WSS
    // information" for the form of combined streams.
    #[test]
    fn book_tickers_of_both_markets_are_read() {
        let top = r#""s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000""#;
        let spot = format!(r#"{{"u":400900217,{top}}}"#);
        let times = r#""E":1568014460893,"T":1568014460891"#;
        let futures = format!(r#"{{"e":"bookTicker","u":400900217,{times},{top}}}"#);
        let combined = format!(r#"{{"stream":"bnbusdt@bookTicker","data":{spot}}}"#);
        for text in [spot, futures, combined] {
            let (symbol, top) = book(&text);
            assert_eq!(symbol, "BNBUSDT");
            assert_eq!(top.update, 400_900_217);
            assert_eq!(top.bid.to_string(), "25.35190000");
            assert_eq!(top.ask.to_string(), "25.36520000");
        }
    }

    #[test]
    fn answers_say_what_was_granted_and_what_was_refused() {
        let granted = Message::Answer {
            id: 3,
            refusal: None,
        };
        assert_eq!(read(r#"{"result":null,"id":3}"#).unwrap(), granted);
        for text in [
            r#"{"error":{"code":2,"msg":"Invalid request: too many parameters"},"id":3}"#,
            r#"{"code":2,"msg":"Invalid request: too many parameters","id":3}"#,
        ] {
            let refused = Message::Answer {
                id: 3,
                refusal: Some("Invalid request: too many parameters".to_owned()),
            };
            assert_eq!(read(text).unwrap(), refused);
        }
    }

    #[test]
    fn a_shutdown_is_recognised_in_either_form() {
        for text in [
            r#"{"e":"serverShutdown","E":1770123456789}"#,
            r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#,
            r#"{"stream":"x","data":{"e":"serverShutdown","E":1770123456789}}"#,
        ] {
            assert_eq!(read(text).unwrap(), Message::Shutdown);
        }
    }

    #[test]
    fn other_events_are_not_taken_for_prices() {
        let trade = r#"{"e":"trade","E":1,"s":"BNBUSDT","p":"0.001","u":3,"b":"1","a":"2"}"#;
        assert_eq!(read(trade).unwrap(), Message::Other);
        assert!(read("<html>").is_err());
        assert!(read(r#"{"u":1,"s":"BNBUSDT","b":"NaN","a":"2"}"#).is_err());
    }

    #[test]
    fn a_subscription_names_streams_in_lower_case() {
        assert_eq!(
            subscribe(1, &[book_stream("BTCUSDT")]),
            r#"{"id":1,"method":"SUBSCRIBE","params":["btcusdt@bookTicker"]}"#
        );
    }
}
