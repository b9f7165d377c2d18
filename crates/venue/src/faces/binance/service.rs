//! Services: what one endpoint or web socket method asks of its caller, what it costs, and how it is carried out with
//! the faults that strike it.

use super::Market;
use super::auth::{self, Identity, Security, Signed};
use super::error::ApiError;
use super::faults::{BinanceFault, Operation};
use super::params::Params;
use super::state::{Face, Inside};
use crate::time::Micros;
use serde_json::Value;
use std::time::Duration;

/// One thing that can be asked for, over REST or a web socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// What the caller has to prove.
    pub(super) security: Security,
    /// What faults call it.
    pub(super) operation: Operation,
    /// Its request weight.
    pub(super) weight: fn(&Params) -> u32,
    /// Whether it costs no weight when it succeeds.
    pub(super) free_when_ok: bool,
    /// How many orders it counts as.
    pub(super) orders: u32,
    /// What it does.
    pub(super) answer: Answer,
}

/// What a service does: changes the state and answers.
pub(super) type Answer = fn(&mut Inside, &Call<'_>) -> Result<Value, ApiError>;

/// A service under an HTTP method and a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub(super) method: &'static str,
    /// The path.
    pub(super) path: &'static str,
    /// The service.
    pub(super) service: Service,
}

/// A service under the name of a web socket method.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    /// The name, such as `order.place`.
    pub(super) name: &'static str,
    /// The service.
    pub(super) service: Service,
}

/// One request to a service, after all checks of the caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// Who asks.
    pub(super) identity: &'a Identity,
    /// What for.
    pub(super) params: &'a Params,
    /// The exchange's time.
    pub(super) now: Micros,
    /// Faults that the service itself has to produce.
    pub(super) faults: &'a [BinanceFault],
}

impl Call<'_> {
    /// The account that asks; empty for a public request.
    pub(super) fn account(&self) -> &str {
        &self.identity.account
    }

    /// Whether a search has to say "absent".
    pub(super) fn pretends_absent(&self) -> bool {
        self.faults.contains(&BinanceFault::PretendAbsent)
    }
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Asked {
    /// On which market.
    pub(super) market: Market,
    /// The API key that was sent, or that of the session.
    pub(super) key: Option<String>,
    /// What its signature covers.
    pub(super) proof: Proof,
    /// Its parameters, or why they can't be read.
    pub(super) params: Result<Params, ApiError>,
}

/// What a request's signature covers.
#[derive(Debug)]
pub(super) enum Proof {
    /// The raw query and body.
    Bytes {
        /// The raw query.
        query: String,
        /// The raw body.
        body: String,
    },
    /// The parameters sorted by name.
    SortedParams,
    /// Nothing: the session has logged on.
    Session,
}

impl Proof {
    /// The same, borrowed.
    pub(super) fn signed(&self) -> Signed<'_> {
        match self {
            Proof::Bytes { query, body } => Signed::Bytes { query, body },
            Proof::SortedParams => Signed::SortedParams,
            Proof::Session => Signed::Session,
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Performed {
    /// The answer.
    pub(super) result: Result<Value, ApiError>,
    /// The account whose order counts the answer shows, if it placed orders.
    pub(super) orders_of: Option<String>,
    /// The exchange's time then.
    pub(super) now: Micros,
}

/// How a request ends on the wire.
#[derive(Debug)]
pub(super) enum Outcome {
    /// With an answer.
    Answer(Performed),
    /// With a page that no program can read.
    Html(Performed),
    /// With the first half of the answer.
    Truncated(Performed),
    /// With nothing: the connection is cut.
    Cut,
}

/// Whether carrying out a request with these faults takes time.
pub(super) fn takes_time(faults: &[BinanceFault]) -> bool {
    faults.iter().any(|fault| {
        matches!(
            fault,
            BinanceFault::Delay { .. }
                | BinanceFault::TimeoutBefore { .. }
                | BinanceFault::AcceptThenTimeout { .. }
        )
    })
}

/// Carries a request out, with the faults that strike it.
pub(super) async fn carry_out(
    face: &Face,
    service: &Service,
    asked: &Asked,
    faults: &[BinanceFault],
) -> Outcome {
    for fault in faults {
        if let BinanceFault::Delay { milliseconds } = fault {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
        if let BinanceFault::TimeoutBefore { milliseconds } = fault {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
            return Outcome::Cut;
        }
    }
    let outcome = carry_out_now(face, service, asked, faults);
    for fault in faults {
        if let BinanceFault::AcceptThenTimeout { milliseconds } = fault {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
            return Outcome::Cut;
        }
    }
    outcome
}

/// Carries a request out at once: without the faults that take time.
pub(super) fn carry_out_now(
    face: &Face,
    service: &Service,
    asked: &Asked,
    faults: &[BinanceFault],
) -> Outcome {
    if faults.contains(&BinanceFault::DisconnectBefore) {
        return Outcome::Cut;
    }
    let Some(mut inside) = face.lock() else {
        return Outcome::Answer(Performed {
            result: Err(ApiError::broken()),
            orders_of: None,
            now: Micros(0),
        });
    };
    let now = inside.now();
    let instead = |result| Performed {
        result,
        orders_of: None,
        now,
    };
    if let Some(refusal) = faults
        .iter()
        .find_map(|fault| fault.refusal(asked.market, now))
    {
        return Outcome::Answer(instead(Err(refusal)));
    }
    if faults.contains(&(BinanceFault::HtmlBody { placed: false })) {
        return Outcome::Html(instead(Ok(Value::Null)));
    }
    let performed = perform(&mut inside, service, asked, faults, now);
    inside.deliver(now);
    drop(inside);
    if faults.contains(&BinanceFault::AcceptThenDisconnect) {
        return Outcome::Cut;
    }
    if let Some(refusal) = faults
        .iter()
        .find_map(|fault| fault.false_answer(asked.market))
    {
        return Outcome::Answer(instead(Err(refusal)));
    }
    if faults.contains(&(BinanceFault::HtmlBody { placed: true })) {
        return Outcome::Html(performed);
    }
    if faults.contains(&BinanceFault::TruncatedBody) {
        return Outcome::Truncated(performed);
    }
    Outcome::Answer(performed)
}

/// Checks weight, caller and order counts, then lets the service answer.
fn perform(
    inside: &mut Inside,
    service: &Service,
    asked: &Asked,
    faults: &[BinanceFault],
    now: Micros,
) -> Performed {
    let market = asked.market;
    let refused = |error| Performed {
        result: Err(error),
        orders_of: None,
        now,
    };
    let empty = Params::default();
    let params = asked.params.as_ref().unwrap_or(&empty);
    let weight = (service.weight)(params);
    if let Err(error) = inside.limits.charge(market, weight, now) {
        return refused(error);
    }
    if let Err(error) = &asked.params {
        return refused(error.clone());
    }
    let key = asked.key.as_deref();
    let signed = asked.proof.signed();
    let identity = auth::identify(&inside.keys, service.security, key, signed, params, now);
    let identity = match identity {
        Ok(identity) => identity,
        Err(error) => return refused(error),
    };
    let account = identity.account.as_str();
    if let Err(error) = inside
        .limits
        .check_orders(market, account, service.orders, now)
    {
        return refused(error);
    }
    let call = Call {
        identity: &identity,
        params,
        now,
        faults,
    };
    let result = (service.answer)(inside, &call);
    if result.is_ok() && service.free_when_ok {
        inside.limits.refund(market, weight, now);
    }
    let counts = result.is_ok() && service.orders > 0;
    if counts {
        let orders = i64::from(service.orders);
        inside.limits.count_orders(market, account, orders, now);
    }
    Performed {
        result,
        orders_of: counts.then(|| account.to_owned()),
        now,
    }
}
