//! What came of one request, whichever way it went, and what that means for an order.

use std::fmt;

use ponte_core::message::{Fate, NotSent};
use serde::Deserialize;

use super::code::{Class, classify};
use super::options::Market;
use crate::brokers::BrokerError;

/// The longest text of the exchange that is shown, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 300;

/// What came of one request.
#[derive(Debug)]
pub(super) enum Reply {
    /// Certain that nothing was sent.
    NotSent(String),
    /// Something may have been sent, and the exchange has not said what it did.
    Unknown(String),
    /// The exchange did it; the body of its answer.
    Done(Vec<u8>),
    /// The exchange answered with something else.
    Refused(Refusal),
}

/// An answer other than success.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The status of HTTP or of the WebSocket API.
    pub(super) status: u16,
    /// The exchange's code, where it gave one.
    pub(super) code: Option<i64>,
    /// The exchange's own text.
    pub(super) message: String,
    /// What it means.
    pub(super) class: Class,
    /// The body, for answers with more in them.
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
pub(super) struct ErrorView {
    pub(super) code: i64,
    #[serde(default)]
    pub(super) msg: String,
}

impl Reply {
    /// Reads a whole answer.
    pub(super) fn read(market: Market, status: u16, body: Vec<u8>) -> Self {
        if status == 200 {
            return Self::Done(body);
        }
        let view = serde_json::from_slice::<ErrorView>(&body).ok();
        let code = view.as_ref().map(|view| view.code);
        // Without a code the text may be the whole message, or a page of a proxy.
        let message = view.map_or_else(|| String::from_utf8_lossy(&body).into_owned(), |v| v.msg);
        let class = classify(market, status, code, message_of_body(&message));
        Self::Refused(Refusal {
            status,
            code,
            message: shown(&message),
            class,
            body,
        })
    }

    /// The body of a success, or what the lack of one means for an order that was to be placed.
    ///
    /// # Errors
    /// The order's fate.
    pub(super) fn or_fate(self) -> Result<Vec<u8>, Box<Fate>> {
        Err(Box::new(match self {
            Self::Done(body) => return Ok(body),
            Self::NotSent(why) => Fate::NotSent {
                why: NotSent::Unreachable(why),
            },
            Self::Unknown(why) => Fate::Unknown { why },
            Self::Refused(refusal) => refusal.fate(),
        }))
    }

    /// The body of a success, or why there is none.
    ///
    /// # Errors
    /// What the exchange said, or that it did not.
    pub(super) fn or_error(self) -> Result<Vec<u8>, BrokerError> {
        Err(match self {
            Self::Done(body) => return Ok(body),
            Self::NotSent(why) | Self::Unknown(why) => BrokerError::Unanswered(why),
            Self::Refused(refusal) => match refusal.class {
                Class::Unknown | Class::Retry | Class::Resync => {
                    BrokerError::Unanswered(refusal.to_string())
                }
                Class::Final | Class::Duplicate | Class::Benign | Class::NotFound => {
                    BrokerError::Refused(refusal.to_string())
                }
            },
        })
    }
}

impl Refusal {
    /// What the refusal means for an order that was to be placed.
    pub(super) fn fate(&self) -> Fate {
        let said = self.to_string();
        match self.class {
            Class::Final => Fate::Rejected { reason: said },
            Class::Retry | Class::Resync => Fate::NotSent {
                why: NotSent::Unreachable(said),
            },
            // "It is there already" and "there is no such order" are no answers to a new order.
            Class::Unknown | Class::Duplicate | Class::Benign | Class::NotFound => {
                Fate::Unknown { why: said }
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (binance {code})", self.message),
            None => write!(f, "binance answered {}", self.status),
        }
    }
}

/// The futures exchange puts some messages into the body bare, others into `{"msg": …}` without a code.
fn message_of_body(message: &str) -> &str {
    #[derive(Deserialize)]
    struct Bare<'a> {
        msg: &'a str,
    }
    serde_json::from_str::<Bare<'_>>(message).map_or(message, |bare| bare.msg)
}

/// The exchange's text without what would tear a line, and cut where it is too long.
fn shown(message: &str) -> String {
    let line = message.chars().filter(|character| !character.is_control());
    line.take(MESSAGE_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(status: u16, body: &str) -> Fate {
        match Reply::read(Market::Futures, status, body.as_bytes().to_vec()).or_fate() {
            Err(fate) => *fate,
            Ok(_) => panic!("{status} counts as a success"),
        }
    }

    #[test]
    fn a_definite_refusal_keeps_the_exchanges_words() {
        let said = r#"{"code":-2019,"msg":"Margin is insufficient."}"#;
        let reason = "Margin is insufficient. (binance -2019)".to_owned();
        assert_eq!(fate(400, said), Fate::Rejected { reason });
    }

    #[test]
    fn only_certain_failures_may_be_sent_again() {
        let not_sent = |fate| {
            matches!(
                fate,
                Fate::NotSent {
                    why: NotSent::Unreachable(_)
                }
            )
        };
        assert!(not_sent(fate(429, "")));
        assert!(not_sent(fate(503, "Service Unavailable.")));
        assert!(not_sent(fate(503, r#"{"msg":"Service Unavailable."}"#)));
        assert!(not_sent(fate(400, r#"{"code":-1021,"msg":"Timestamp"}"#)));
    }

    #[test]
    fn anything_else_is_unknown() {
        let unknown = |fate| matches!(fate, Fate::Unknown { .. });
        assert!(unknown(fate(502, "<html>")));
        assert!(unknown(fate(403, "<html>Request blocked</html>")));
        assert!(unknown(fate(
            400,
            "{\"code\":-4116,\"msg\":\"ClientOrderId is duplicated.\"}"
        )));
        assert!(unknown(fate(503, r#"{"code":-1007,"msg":"Timeout"}"#)));
        assert!(unknown(fate(201, "{}")));
    }

    #[test]
    fn a_page_of_a_proxy_is_not_shown() {
        let Fate::Unknown { why } = fate(502, "<html>Bad gateway</html>") else {
            panic!("a proxy's page counts as the exchange's word");
        };
        assert_eq!(why, "binance answered 502");
    }
}
