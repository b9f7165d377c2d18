//! An order in the place of others that hold what it needs: the old ones go first, and only then it comes.

use ponte_core::id::ClientOrderId;
use ponte_core::message::{CancelAnswer, Fate, NotSent};
use ponte_core::order::OrderPlan;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ledger::Shape;
use super::orders::{UNREADABLE, purpose};
use super::{Spot, translate};
use crate::brokers::binance::client::Call;
use crate::brokers::binance::code::Class;
use crate::brokers::binance::ids::Leg;
use crate::brokers::binance::options::Market;
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;

/// One half of a swap was done, or none (Binance Spot API, "Errors regarding cancelReplace").
const HALF_DONE: i64 = -2021;
const NOTHING_DONE: i64 = -2022;

/// What a swap answers: bare when both halves were done, else in `data`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Halves<'a> {
    cancel_result: String,
    new_order_result: String,
    #[serde(borrow, default)]
    cancel_response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    new_order_response: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow)]
    data: Halves<'a>,
}

/// What became of the halves of a swap.
enum Swapped<'a> {
    /// The old order is gone and the new one taken, with the answer to it.
    Both(&'a str),
    /// The old order is gone, and the new one was not taken.
    OldGone(Fate),
    /// The old order is not gone, and the new one was not tried.
    Nothing(Fate),
}

impl Spot {
    /// Places an order after those that it comes instead of have been taken back.
    pub(super) async fn swap(&self, plan: &OrderPlan, params: Params) -> Fate {
        let mut resting = Vec::new();
        for old in &plan.instead_of {
            match self.shape_of(plan, *old).await {
                Ok(shape) => resting.push((*old, shape)),
                Err(why) => return not_sent(why),
            }
        }
        if let ([(old, shape)], Shape::Single) = (resting.as_slice(), translate::shape(plan)) {
            return self.replace(plan, params, *old, *shape).await;
        }
        for (old, shape) in resting {
            if let Err(why) = self.take_back(plan, old, shape).await {
                return not_sent(why);
            }
        }
        self.place_alone(plan, &params).await
    }

    /// Whether an order that rests is one or a pair. One of an earlier process is asked about.
    async fn shape_of(&self, plan: &OrderPlan, old: ClientOrderId) -> Result<Shape, String> {
        if let Some((_, shape)) = self.ledger.shape(&old) {
            return Ok(shape);
        }
        for shape in [Shape::Single, Shape::Pair] {
            if self.look_up(old, &plan.symbol, shape).await?.is_some() {
                return Ok(shape);
            }
        }
        Err(format!(
            "binance does not know order {old}, which it comes instead of"
        ))
    }

    /// Takes an order back, for certain.
    async fn take_back(
        &self,
        plan: &OrderPlan,
        old: ClientOrderId,
        shape: Shape,
    ) -> Result<(), String> {
        let answer = self.cancel_order(old, &plan.symbol, shape).await;
        self.owe(old);
        match answer {
            CancelAnswer::Done(_) => Ok(()),
            CancelAnswer::NotOpen => Err(not_resting(old)),
            CancelAnswer::Unanswered(why) => Err(format!(
                "whether order {old} was taken back is not known: {why}"
            )),
        }
    }

    /// Swaps one order for another in one request. The exchange tries the new one only when the old
    /// one is gone (Binance Spot API, "Cancel an existing order and send a new order").
    async fn replace(
        &self,
        plan: &OrderPlan,
        params: Params,
        old: ClientOrderId,
        shape: Shape,
    ) -> Fate {
        // Cancelling one leg ends the whole list.
        let leg = match shape {
            Shape::Single => Leg::Whole,
            Shape::Pair => Leg::Stop,
        };
        let params = params
            .with("cancelReplaceMode", "STOP_ON_FAILURE")
            .with("cancelOrigClientOrderId", leg.wire_id(old))
            // So that it is found by its own id afterwards: see `cancel_order`.
            .with("cancelNewClientOrderId", leg.wire_id(old));
        let path = "/api/v3/order/cancelReplace";
        let call = Call::signed(Method::POST, path, params, purpose(plan)).places(plan.id);
        let reply = self.client.call(&call).await;
        let body = match reply {
            Reply::Done(body) => body,
            Reply::Refused(refusal) => match refusal.code {
                Some(HALF_DONE | NOTHING_DONE) if refusal.status < 500 => refusal.body,
                Some(_) | None => {
                    self.owe(old);
                    return refusal.fate();
                }
            },
            reply @ (Reply::NotSent(_) | Reply::Unknown(_)) => {
                self.owe(old);
                return match reply.or_fate() {
                    Ok(_) => unreadable(),
                    Err(fate) => *fate,
                };
            }
        };
        self.owe(old);
        match read(&body, old) {
            Some(Swapped::Both(answer)) => self.acknowledged(plan.id, answer.as_bytes()),
            Some(Swapped::OldGone(fate) | Swapped::Nothing(fate)) => fate,
            None => unreadable(),
        }
    }
}

/// Reads what became of the two halves; `None` for anything that is not documented.
fn read(body: &[u8], old: ClientOrderId) -> Option<Swapped<'_>> {
    let halves = match serde_json::from_slice::<Refused<'_>>(body) {
        Ok(refused) => refused.data,
        Err(_) => serde_json::from_slice::<Halves<'_>>(body).ok()?,
    };
    let error = |half: Option<&RawValue>| {
        let body = half?.get().as_bytes().to_vec();
        match Reply::read(Market::Spot, 400, body) {
            Reply::Refused(refusal) => Some(refusal),
            Reply::Done(_) | Reply::NotSent(_) | Reply::Unknown(_) => None,
        }
    };
    match (
        halves.cancel_result.as_str(),
        halves.new_order_result.as_str(),
    ) {
        ("SUCCESS", "SUCCESS") => Some(Swapped::Both(halves.new_order_response?.get())),
        ("SUCCESS", "FAILURE") => Some(Swapped::OldGone(error(halves.new_order_response)?.fate())),
        ("FAILURE", "NOT_ATTEMPTED") => {
            let refusal = error(halves.cancel_response)?;
            let why = match refusal.class {
                Class::Benign | Class::NotFound => not_resting(old),
                Class::Final | Class::Retry | Class::Resync | Class::Unknown | Class::Duplicate => {
                    format!("order {old} was not taken back: {refusal}")
                }
            };
            Some(Swapped::Nothing(not_sent(why)))
        }
        _ => None,
    }
}

fn not_resting(old: ClientOrderId) -> String {
    format!("order {old} is not resting any more; what became of it is being asked")
}

fn not_sent(why: String) -> Fate {
    Fate::NotSent {
        why: NotSent::Unreachable(why),
    }
}

fn unreadable() -> Fate {
    Fate::Unknown {
        why: UNREADABLE.to_owned(),
    }
}

#[cfg(test)]
mod tests;
