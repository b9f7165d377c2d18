//! Refusals: the futures API's error codes with the texts that stand in its "Error Codes" page.

use std::borrow::Cow;
use std::fmt;

/// A definite refusal: the request changed nothing. Code and text are Binance's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The code, below zero.
    pub(crate) code: i32,
    /// The text.
    pub(crate) message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal of a request.
    pub(crate) fn new(code: i32, message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
        }
    }

    /// A parameter that must be there isn't.
    pub(crate) fn missing(parameter: &str) -> Refusal {
        let message = format!(
            "Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed."
        );
        Refusal::new(-1102, message)
    }

    /// A parameter that has no place in the request; the futures API writes its name in lower case.
    pub(crate) fn not_required(parameter: &str) -> Refusal {
        let name = parameter.to_ascii_lowercase();
        Refusal::new(-1106, format!("Parameter '{name}' sent when not required."))
    }

    /// The value of a parameter means nothing.
    pub(crate) fn invalid_parameter(parameter: &str) -> Refusal {
        Refusal::new(
            -1130,
            format!("Data sent for parameter '{parameter}' is not valid."),
        )
    }

    /// More decimals than the symbol has.
    pub(crate) fn precision() -> Refusal {
        Refusal::new(
            -1111,
            "Precision is over the maximum defined for this asset.",
        )
    }

    pub(crate) fn invalid_symbol() -> Refusal {
        Refusal::new(-1121, "Invalid symbol.")
    }

    pub(crate) fn no_such_order() -> Refusal {
        Refusal::new(-2013, "Order does not exist.")
    }

    pub(crate) fn unknown_order() -> Refusal {
        Refusal::new(-2011, "Unknown order sent.")
    }

    pub(crate) fn reduce_only() -> Refusal {
        Refusal::new(-2022, "ReduceOnly Order is rejected.")
    }

    pub(crate) fn insufficient_margin() -> Refusal {
        Refusal::new(-2019, "Margin is insufficient.")
    }

    pub(crate) fn would_trigger() -> Refusal {
        Refusal::new(-2021, "Order would immediately trigger.")
    }

    pub(crate) fn position_side() -> Refusal {
        Refusal::new(
            -4061,
            "Order's position side does not match user's setting.",
        )
    }

    pub(crate) fn no_listen_key() -> Refusal {
        Refusal::new(-1125, "This listenKey does not exist.")
    }

    /// Something inside the test exchange can't be, as if Binance answered with an unknown error.
    pub(crate) fn internal() -> Refusal {
        Refusal::new(
            -1000,
            "An unknown error occurred while processing the request.",
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.code, self.message)
    }
}
