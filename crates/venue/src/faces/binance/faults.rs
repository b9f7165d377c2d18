//! Misbehaving as Binance can: which fault comes with which request or event, decided by counts and a seed.
//!
//! Messages and statuses: Binance Spot API, "Error codes"; Binance USDⓈ-M Futures API, "HTTP Return Codes".

use super::Market;
use super::error::ApiError;
use super::limits;
use crate::fault::{FAULT_DELAY_MILLISECONDS_MAX, FAULT_RULES_MAX, Trigger};
use crate::hash;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinanceFault {
    /// The request is processed that much later, also if the caller has given up by then. Past its window it is refused
    /// with -1021.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// No answer for so long, then the connection is cut; nothing is processed.
    TimeoutBefore {
        /// How long.
        milliseconds: u64,
    },
    /// The request is processed, then there is no answer for so long, then the connection is cut.
    AcceptThenTimeout {
        /// How long.
        milliseconds: u64,
    },
    /// The connection is cut; nothing is processed.
    DisconnectBefore,
    /// The request is processed, then the connection is cut without an answer.
    AcceptThenDisconnect,
    /// A definite rejection (-2010); nothing is processed.
    Reject,
    /// The request is processed, then answered with HTTP 500 and no body that means anything.
    ErrorAfterAccept,
    /// HTTP 503 `Unknown error, please check your request or try again later.`: the status is unknown.
    UnknownError {
        /// Whether the request was processed.
        placed: bool,
    },
    /// HTTP 503 `Service Unavailable.`; nothing is processed.
    ServiceUnavailable,
    /// HTTP 503 `Internal error; unable to process your request. Please try again.`; nothing is processed.
    InternalError,
    /// -1007: the exchange's back end didn't answer in time.
    BackendTimeout {
        /// Whether the request was processed.
        placed: bool,
    },
    /// -1006: the exchange's back end answered something unexpected.
    UnexpectedResponse {
        /// Whether the request was processed.
        placed: bool,
    },
    /// -1008: overloaded; nothing is processed.
    Overloaded,
    /// HTTP 429 with `Retry-After`; nothing is processed.
    RateLimited {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// HTTP 418 with `Retry-After`; nothing is processed.
    Banned {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// HTTP 200 with a page of HTML.
    HtmlBody {
        /// Whether the request was processed.
        placed: bool,
    },
    /// HTTP 200 with the first half of the answer; the request is processed.
    TruncatedBody,
    /// A search answers "absent" although the order is there: a read that lags behind.
    PretendAbsent,
    /// A market order gets only this part of its quantity and expires with that.
    PartialFill {
        /// The part, in thousandths; 0 to 999.
        per_mille: u32,
    },
    /// The event is delivered twice.
    DuplicateReport,
    /// The event is not delivered.
    LoseReport,
    /// The event is delivered that much later, after younger ones.
    LateReport {
        /// How much later.
        milliseconds: u64,
    },
    /// The event is delivered after the account's next one.
    ReorderReport,
    /// The event is not delivered, and the connections that wait for it are cut.
    CutStream,
    /// The event is not delivered, and none after it; the connections stay.
    SilenceStream,
}

/// When in a request's life a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Request,
    Place,
    Find,
    Stream,
}

impl BinanceFault {
    fn stage(self) -> Stage {
        match self {
            BinanceFault::Reject | BinanceFault::PartialFill { .. } => Stage::Place,
            BinanceFault::PretendAbsent => Stage::Find,
            BinanceFault::DuplicateReport
            | BinanceFault::LoseReport
            | BinanceFault::LateReport { .. }
            | BinanceFault::ReorderReport
            | BinanceFault::CutStream
            | BinanceFault::SilenceStream => Stage::Stream,
            BinanceFault::Delay { .. }
            | BinanceFault::TimeoutBefore { .. }
            | BinanceFault::AcceptThenTimeout { .. }
            | BinanceFault::DisconnectBefore
            | BinanceFault::AcceptThenDisconnect
            | BinanceFault::ErrorAfterAccept
            | BinanceFault::UnknownError { .. }
            | BinanceFault::ServiceUnavailable
            | BinanceFault::InternalError
            | BinanceFault::BackendTimeout { .. }
            | BinanceFault::UnexpectedResponse { .. }
            | BinanceFault::Overloaded
            | BinanceFault::RateLimited { .. }
            | BinanceFault::Banned { .. }
            | BinanceFault::HtmlBody { .. }
            | BinanceFault::TruncatedBody => Stage::Request,
        }
    }

    fn fits(self, operation: Operation) -> bool {
        match self.stage() {
            Stage::Request => operation != Operation::Stream,
            Stage::Place => operation == Operation::Place,
            Stage::Find => operation == Operation::Find,
            Stage::Stream => operation == Operation::Stream,
        }
    }

    fn milliseconds(self) -> u64 {
        let (BinanceFault::Delay { milliseconds }
        | BinanceFault::TimeoutBefore { milliseconds }
        | BinanceFault::AcceptThenTimeout { milliseconds }
        | BinanceFault::LateReport { milliseconds }) = self
        else {
            return 0;
        };
        milliseconds
    }

    /// The answer instead of processing, if the fault gives one.
    pub(super) fn refusal(self, market: Market, now: Micros) -> Option<ApiError> {
        match self {
            BinanceFault::Reject => Some(ApiError::rejected(
                "This action is disabled on this account.",
            )),
            BinanceFault::UnknownError { placed: false } => Some(unknown_error()),
            BinanceFault::BackendTimeout { placed: false } => Some(backend_timeout(market)),
            BinanceFault::UnexpectedResponse { placed: false } => Some(unexpected_response()),
            BinanceFault::ServiceUnavailable => {
                Some(ApiError::new(-1000, "Service Unavailable.").with_status(503))
            }
            BinanceFault::InternalError => {
                let message = "Internal error; unable to process your request. Please try again.";
                Some(ApiError::new(-1001, message).with_status(503))
            }
            BinanceFault::Overloaded => {
                let message = match market {
                    Market::Spot => {
                        "Server is currently overloaded with other requests. \
                         Please try again in a few minutes."
                    }
                    Market::Futures => {
                        "Request throttled by system-level protection. \
                         Reduce-only/close-position orders are exempt. Please try again."
                    }
                };
                Some(ApiError::new(-1008, message).with_status(503))
            }
            BinanceFault::RateLimited { retry_after } => {
                let most = match market {
                    Market::Spot => 6_000,
                    Market::Futures => 2_400,
                };
                Some(limits::too_much_weight(most, retry_after))
            }
            BinanceFault::Banned { retry_after } => {
                let wait = i64::try_from(retry_after.saturating_mul(1_000)).unwrap_or(i64::MAX);
                Some(limits::banned(now.plus_milliseconds(wait), now))
            }
            BinanceFault::UnknownError { placed: true }
            | BinanceFault::BackendTimeout { placed: true }
            | BinanceFault::UnexpectedResponse { placed: true }
            | BinanceFault::Delay { .. }
            | BinanceFault::TimeoutBefore { .. }
            | BinanceFault::AcceptThenTimeout { .. }
            | BinanceFault::DisconnectBefore
            | BinanceFault::AcceptThenDisconnect
            | BinanceFault::ErrorAfterAccept
            | BinanceFault::HtmlBody { .. }
            | BinanceFault::TruncatedBody
            | BinanceFault::PretendAbsent
            | BinanceFault::PartialFill { .. }
            | BinanceFault::DuplicateReport
            | BinanceFault::LoseReport
            | BinanceFault::LateReport { .. }
            | BinanceFault::ReorderReport
            | BinanceFault::CutStream
            | BinanceFault::SilenceStream => None,
        }
    }

    /// The answer in place of the true one after processing, if the fault gives one.
    pub(super) fn false_answer(self, market: Market) -> Option<ApiError> {
        if self == (BinanceFault::UnknownError { placed: true }) {
            return Some(unknown_error());
        }
        if self == (BinanceFault::BackendTimeout { placed: true }) {
            return Some(backend_timeout(market));
        }
        if self == (BinanceFault::UnexpectedResponse { placed: true }) {
            return Some(unexpected_response());
        }
        (self == BinanceFault::ErrorAfterAccept).then(ApiError::broken)
    }
}

fn unknown_error() -> ApiError {
    let message = "Unknown error, please check your request or try again later.";
    ApiError::new(-1000, message).with_status(503)
}

/// HTTP 408 on the futures market (Binance USDⓈ-M Futures, "HTTP Return Codes").
fn backend_timeout(market: Market) -> ApiError {
    let message = "Timeout waiting for response from backend server. \
                   Send status unknown; execution status unknown.";
    let status = match market {
        Market::Spot => 504,
        Market::Futures => 408,
    };
    ApiError::new(-1007, message).with_status(status)
}

fn unexpected_response() -> ApiError {
    let message =
        "An unexpected response was received from the message bus. Execution status unknown.";
    ApiError::new(-1006, message).with_status(500)
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Place orders, lists and replacements.
    Place,
    /// Look an order or a list up.
    Find,
    /// Cancel one order or all.
    Cancel,
    /// The delivery of a private event.
    Stream,
    /// Everything else.
    Other,
}

/// A fault and when it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinanceFaultRule {
    /// What happens.
    pub fault: BinanceFault,
    /// When.
    pub trigger: Trigger,
    /// Only with that operation; none for every operation for which the fault makes sense.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Only on that market; none for both.
    #[serde(default)]
    pub market: Option<Market>,
}

/// The faults to come. Pure: the same rules, seed and questions give the same answers.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    rules: Vec<BinanceFaultRule>,
    seed: u64,
    drawn: u64,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        Faults {
            rules: Vec::new(),
            seed,
            drawn: 0,
        }
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// What makes no sense about it, in words.
    pub(super) fn add(&mut self, rule: BinanceFaultRule) -> Result<(), String> {
        let rules = self.rules.len();
        if rules >= FAULT_RULES_MAX {
            return Err(format!(
                "fault plan has {rules} rules already, the most is {FAULT_RULES_MAX}"
            ));
        }
        let milliseconds = rule.fault.milliseconds();
        if milliseconds > FAULT_DELAY_MILLISECONDS_MAX {
            return Err(format!(
                "fault delay {milliseconds} ms is above {FAULT_DELAY_MILLISECONDS_MAX}"
            ));
        }
        if let Trigger::PerMille(per_mille) = rule.trigger
            && per_mille > 1_000
        {
            return Err(format!(
                "fault probability {per_mille} is above 1000 thousandths"
            ));
        }
        if let BinanceFault::PartialFill { per_mille } = rule.fault
            && per_mille > 999
        {
            return Err(format!("partial fill {per_mille} is above 999 thousandths"));
        }
        if let Some(operation) = rule.operation
            && !rule.fault.fits(operation)
        {
            return Err(format!(
                "fault {:?} can't strike operation {operation:?}",
                rule.fault
            ));
        }
        if rule.trigger != Trigger::Next(0) {
            self.rules.push(rule);
        }
        Ok(())
    }

    /// Removes all rules.
    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules that are left, with what is left of their counts.
    pub(super) fn rules(&self) -> &[BinanceFaultRule] {
        &self.rules
    }

    /// The faults that strike now, in the order of their rules.
    pub(super) fn next(&mut self, market: Market, operation: Operation) -> Vec<BinanceFault> {
        let mut struck = Vec::new();
        for index in 0..self.rules.len() {
            let rule = self.rules[index];
            let concerned = rule.market.is_none_or(|only| only == market)
                && rule.operation.is_none_or(|only| only == operation)
                && rule.fault.fits(operation);
            if !concerned {
                continue;
            }
            let strikes = match rule.trigger {
                Trigger::Next(count) => {
                    self.rules[index].trigger = Trigger::Next(count.saturating_sub(1));
                    true
                }
                Trigger::PerMille(per_mille) => self.draw() % 1_000 < u64::from(per_mille),
            };
            if strikes {
                struck.push(rule.fault);
            }
        }
        self.rules.retain(|rule| rule.trigger != Trigger::Next(0));
        struck
    }

    fn draw(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        hash::mix(self.seed ^ hash::mix(self.drawn))
    }
}

/// The part of a market order that a fault lets through, if one does.
pub(super) fn partial_fill(faults: &[BinanceFault]) -> Option<Decimal> {
    faults.iter().find_map(|fault| {
        let BinanceFault::PartialFill { per_mille } = fault else {
            return None;
        };
        Some(Decimal::new(i64::from(*per_mille), 3))
    })
}
