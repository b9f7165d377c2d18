//! What the exchange's error codes and statuses mean for an order: the one list of definite refusals.
//!
//! Sources: Binance Spot API, "Error codes" and "HTTP return codes"; USDⓈ-M Futures, "Error codes"
//! and "General info" (texts of July to October 2026). What stands in no list is unknown.

use super::options::Market;

/// What an answer other than success says about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Refused for good; nothing was done.
    Final,
    /// Not done, and may be sent again after a wait.
    Retry,
    /// Not done because of the clock; may be sent again with the right time.
    Resync,
    /// Nobody knows whether it was done.
    Unknown,
    /// An order with this id is there.
    Duplicate,
    /// What was asked for is so already.
    Benign,
    /// There is no such order, or not yet.
    NotFound,
}

/// "Duplicate order sent." of the matching engine comes with the code of any refusal.
const DUPLICATE: &str = "duplicate order sent";
/// The futures exchange's 503 texts that are certain failures (USDⓈ-M Futures, "HTTP return codes").
const CERTAIN_503: [&str; 2] = [
    "Service Unavailable.",
    "Internal error; unable to process your request. Please try again.",
];
/// Too many requests, and banned for not heeding it.
pub(super) const TOO_MANY_REQUESTS: u16 = 429;
/// Banned by address.
pub(super) const BANNED: u16 = 418;

/// Classes an answer by its HTTP status (or the status of the WebSocket API, which has the same
/// meaning), its code and its message.
pub(super) fn classify(market: Market, status: u16, code: Option<i64>, message: &str) -> Class {
    if matches!(status, TOO_MANY_REQUESTS | BANNED) {
        return Class::Retry;
    }
    if status >= 500 {
        return server_error(market, status, code, message);
    }
    let Some(code) = code else {
        // Gateways, firewalls and proxies answer without a code: they don't speak for the exchange.
        return Class::Unknown;
    };
    if !(400..500).contains(&status) || status == 408 {
        return Class::Unknown;
    }
    common(code, message)
        .or_else(|| match market {
            Market::Spot => spot(code),
            Market::Futures => futures(code),
        })
        .unwrap_or_else(|| family(code))
}

fn server_error(market: Market, status: u16, code: Option<i64>, message: &str) -> Class {
    let certain = code == Some(-1008)
        || match market {
            Market::Spot => false,
            Market::Futures => CERTAIN_503.contains(&message.trim()),
        };
    if status == 503 && certain {
        Class::Retry
    } else {
        Class::Unknown
    }
}

/// Codes that mean the same in both markets.
fn common(code: i64, message: &str) -> Option<Class> {
    Some(match code {
        // Unspecific internal errors and time-outs behind the API; "too many requests queued"
        // without the status that says so.
        -1000 | -1001 | -1003 | -1006 | -1007 => Class::Unknown,
        -1002 | -1022 | -2014 | -2015 => Class::Final,
        -1008 | -1015 | -1016 => Class::Retry,
        -1021 => Class::Resync,
        -2010 if message.to_ascii_lowercase().contains(DUPLICATE) => Class::Duplicate,
        -1013 | -1014 | -1020 | -2010 => Class::Final,
        -2011 => Class::Benign,
        -2013 | -2026 => Class::NotFound,
        _ => return None,
    })
}

fn spot(code: i64) -> Option<Class> {
    Some(match code {
        // A swap of orders that went half-way: what its halves say decides.
        -2021 | -2022 => Class::Unknown,
        // Subscribed already, or not subscribed.
        -2035 | -2036 => Class::Benign,
        -2038 | -2039 | -2042 => Class::Final,
        _ => return None,
    })
}

fn futures(code: i64) -> Option<Class> {
    Some(match code {
        -5028 => Class::Resync,
        -4116 => Class::Duplicate,
        -4046 | -4059 | -4171 => Class::Benign,
        -2018 | -2019 | -2021 | -2022 | -2025 | -2027 | -2028 => Class::Final,
        -5021 | -5022 => Class::Final,
        _ => return None,
    })
}

/// Codes that stand in no list, by the family whose every known member is a definite refusal:
/// requests that are malformed, orders that the engine refused, filters and settings of futures.
fn family(code: i64) -> Class {
    match code {
        -1199..=-1100 | -2099..=-2010 | -4999..=-4000 => Class::Final,
        _ => Class::Unknown,
    }
}

#[cfg(test)]
mod tests;
