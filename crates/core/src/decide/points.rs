//! Rules that speak points: distances in units of the price, as futures are thought of.

use rust_decimal::Decimal;

use super::Context;
use super::rules::{Request, held_to, passed};
use super::sizing::refuse;
use crate::number::Price;
use crate::verdict::{Rule, Verdict};

/// Whether there is a stop where one must be, and near enough.
pub(super) fn stop(request: &Request<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if request.policy.rules.require_stop {
        verdicts.push(if request.protection.has_stop() {
            passed(Rule::RequireStop)
        } else {
            refuse(
                Rule::RequireStop,
                format!(
                    "an entry into {} has no stop, and account {} has require_stop; send stop with the alert",
                    request.symbol, request.account
                ),
            )
        });
    }
    verdicts.extend(stop_distance(request));
    verdicts
}

fn stop_distance(request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_stop_points?;
    if !request.protection.has_stop() {
        return None;
    }
    let Some(price) = request.price else {
        return Some(refuse(
            Rule::PriceKnown,
            format!(
                "max_stop_points needs a price of {}, and none is known; send price in the alert",
                request.symbol
            ),
        ));
    };
    let (distance, stop) = match (request.protection.stop, request.protection.trail_percent) {
        (Some(stop), _) => (
            (stop.get() - price.get()).abs().normalize(),
            format!("stop {stop}"),
        ),
        (None, percent) => {
            let percent = percent?;
            let behind = price.get().saturating_mul(percent) / Decimal::ONE_HUNDRED;
            (behind.normalize(), format!("a stop {percent}% behind"))
        }
    };
    Some(held_to(Rule::MaxStopPoints, distance, limit, || {
        format!(
            "{stop} is {distance} points away from the price {price}, above max_stop_points {limit} \
             of account {}",
            request.account
        )
    }))
}

/// The price that an entry was told, by the order or by its alert.
pub(super) fn told_price(request: &Request<'_>) -> Option<Price> {
    let named = request.enter.terms.named_price();
    named.or(request.signal.reference_price)
}

/// The alert's price, or the order's own, against the market's.
pub(super) fn price_deviation(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_price_deviation_points?;
    let told = told_price(request)?;
    let Some(market) = context.facts.quotes.quote(request.account, request.symbol) else {
        return Some(refuse(
            Rule::MaxPriceDeviationPoints,
            format!(
                "max_price_deviation_points needs the market's price of {}, and no fresh one is known",
                request.symbol
            ),
        ));
    };
    let apart = (told.get() - market.get()).abs().normalize();
    Some(held_to(Rule::MaxPriceDeviationPoints, apart, limit, || {
        format!(
            "price {told} is {apart} points away from the market's {market}, above \
                 max_price_deviation_points {limit} of account {}",
            request.account
        )
    }))
}
