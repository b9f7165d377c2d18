//! What the broker itself would refuse: kinds of orders, steps, bounds, bands and closed markets.
//!
//! Ponte refuses it first, so that the trader reads why, with the numbers, and nothing is sent.

use rust_decimal::Decimal;

use super::rules::Request;
use super::sizing::refuse;
use super::{Context, fitting};
use crate::number::{Price, is_multiple_of, notional};
use crate::policy::Brackets;
use crate::signal::{Side, Terms};
use crate::verdict::{Rule, Verdict};

/// Asks everything that the broker is known to ask of an entry.
pub(super) fn check(context: Context<'_>, request: &Request<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<_> = capability(request).into_iter().collect();
    verdicts.extend(one_target(request));
    verdicts.extend(closed(request));
    verdicts.extend(quantity_bounds(request));
    verdicts.extend(ticks(request));
    verdicts.extend(value_bounds(request));
    verdicts.extend(price_band(context, request));
    verdicts.extend(trailing_distance(request));
    verdicts
}

fn trailing_distance(request: &Request<'_>) -> Option<Verdict> {
    let percent = request.protection.trail_percent?;
    let (least, most) = request.instrument.limits.trailing_percent?;
    let (limit, word) = if percent < least {
        (least, "smallest")
    } else if percent > most {
        (most, "largest")
    } else {
        return None;
    };
    let detail = format!(
        "a trailing stop {percent}% behind is not possible for {}: the {word} distance is {limit}%",
        request.symbol
    );
    Some(beyond(Rule::Protection, percent, limit, detail))
}

fn capability(request: &Request<'_>) -> Option<Verdict> {
    let can = &request.policy.capabilities;
    let missing = match request.enter.terms {
        Terms::Limit { .. } if !can.limit => Some("limit orders"),
        Terms::Stop { .. } if !can.stop => Some("stop orders"),
        Terms::StopLimit { .. } if !can.stop_limit => Some("stop-limit orders"),
        Terms::Market | Terms::Limit { .. } | Terms::Stop { .. } | Terms::StopLimit { .. } => None,
    };
    let protection = request.protection;
    let missing =
        missing.or_else(
            || match (protection.stop.is_some(), protection.targets.is_empty()) {
                (true, false) if can.brackets == Brackets::None => {
                    Some("a stop and a target together")
                }
                (true, _) if !can.stop => Some("protective stops"),
                (_, false) if !can.limit => Some("targets"),
                (true | false, true | false) => None,
            },
        );
    let missing = missing.or_else(
        || match (protection.trail_percent.is_some(), can.brackets) {
            (true, _) if !can.trailing_stop => Some("trailing stops"),
            (true, Brackets::OneOrder | Brackets::OnPosition | Brackets::None)
                if !protection.targets.is_empty() =>
            {
                Some("a trailing stop and a target together")
            }
            (
                true | false,
                Brackets::None | Brackets::OneOrder | Brackets::OnPosition | Brackets::TwoOrders,
            ) => None,
        },
    );
    let missing =
        missing.or((request.enter.side == Side::Sell && !can.short).then_some("short positions"));
    missing.map(|missing| {
        refuse(
            Rule::Capability,
            format!(
                "account {} can't do {missing} in {}",
                request.account, request.symbol
            ),
        )
    })
}

/// A position that carries its levels itself has one of each.
fn one_target(request: &Request<'_>) -> Option<Verdict> {
    let targets = request.protection.targets.len();
    if request.policy.capabilities.brackets != Brackets::OnPosition || targets < 2 {
        return None;
    }
    let detail = format!(
        "a position in account {} has one target in {}, and the alert names {targets}; name one, \
         and close parts with alerts of their own",
        request.account, request.symbol
    );
    Some(beyond(
        Rule::Capability,
        Decimal::from(targets),
        Decimal::ONE,
        detail,
    ))
}

fn closed(request: &Request<'_>) -> Option<Verdict> {
    let word = request.instrument.limits.closed.as_ref()?;
    Some(refuse(
        Rule::MarketOpen,
        format!(
            "{} is not open for new positions in {}: {word}",
            request.symbol, request.account
        ),
    ))
}

fn beyond(rule: Rule, measured: Decimal, limit: Decimal, detail: String) -> Verdict {
    Verdict {
        measured: Some(measured),
        limit: Some(limit),
        ..refuse(rule, detail)
    }
}

fn quantity_bounds(request: &Request<'_>) -> Vec<Verdict> {
    let Request {
        instrument,
        symbol,
        enter,
        ..
    } = request;
    let quantity = enter.quantity.get();
    let limits = &instrument.limits;
    let at_market = match enter.terms {
        Terms::Market | Terms::Stop { .. } => Some(&limits.market),
        Terms::Limit { .. } | Terms::StopLimit { .. } => None,
    };
    let mut verdicts = Vec::new();
    let market_minimum = at_market.and_then(|market| market.minimum);
    let minimum = instrument
        .minimum_quantity
        .max(market_minimum.unwrap_or_default());
    if quantity < minimum {
        let detail = format!("quantity {quantity} is below the minimum {minimum} of {symbol}");
        verdicts.push(beyond(Rule::MinQuantity, quantity, minimum, detail));
    }
    // A stop for all of it leaves at the market, and must be taken too.
    let leaves_at_market = at_market.is_some() || request.protection.has_stop();
    let maximum = [
        limits.maximum_quantity,
        limits.market.maximum.filter(|_| leaves_at_market),
    ];
    if let Some(maximum) = maximum.into_iter().flatten().min()
        && quantity > maximum
    {
        let detail = format!("quantity {quantity} is above the maximum {maximum} of {symbol}");
        verdicts.push(beyond(Rule::MaxQuantity, quantity, maximum, detail));
    }
    if let Some(step) = at_market.and_then(|market| market.step)
        && !is_multiple_of(quantity, step)
    {
        let detail = format!(
            "quantity {quantity} is not a whole number of steps of {step}, which market orders of {symbol} have"
        );
        verdicts.push(beyond(Rule::QuantityStep, quantity, step, detail));
    }
    verdicts
}

/// The prices that an entry names, its protection's included.
fn named_prices<'a>(request: &'a Request<'_>) -> impl Iterator<Item = Price> + 'a {
    let terms = match request.enter.terms {
        Terms::Market => [None, None],
        Terms::Limit { price } => [Some(price), None],
        Terms::Stop { trigger } => [Some(trigger), None],
        Terms::StopLimit { trigger, price } => [Some(trigger), Some(price)],
    };
    let protection = request.protection;
    let prices = terms.into_iter().flatten().chain(protection.stop);
    prices.chain(protection.targets.iter().copied())
}

fn ticks(request: &Request<'_>) -> Vec<Verdict> {
    let Request {
        instrument, symbol, ..
    } = request;
    let tick = instrument.price_tick;
    let off = named_prices(request).filter(|price| !is_multiple_of(price.get(), tick));
    off.map(|price| {
        let near = fitting::nearest_tick(price, tick);
        let why = fitting::why_not(request.policy.fitting, price.get(), near);
        let detail =
            format!("price {price} is not a whole number of ticks of {tick} of {symbol}{why}");
        beyond(Rule::PriceTick, price.get(), tick, detail)
    })
    .collect()
}

fn value_bounds(request: &Request<'_>) -> Option<Verdict> {
    let Request {
        instrument,
        symbol,
        enter,
        ..
    } = request;
    let value = request
        .price
        .and_then(|price| notional(enter.quantity, price, instrument.contract_multiplier))?;
    let minimum = instrument.minimum_notional;
    if value < minimum {
        let detail = format!("value {value} is below the minimum {minimum} of {symbol}");
        return Some(beyond(Rule::MinNotional, value, minimum, detail));
    }
    let maximum = instrument.limits.maximum_notional?;
    (value > maximum).then(|| {
        let detail = format!("value {value} is above the maximum {maximum} of {symbol}");
        beyond(Rule::MaxNotional, value, maximum, detail)
    })
}

/// The broker holds prices to a band around the market's: what lies outside of it would be refused
/// there, protection's prices after the entry had filled.
fn price_band(context: Context<'_>, request: &Request<'_>) -> Vec<Verdict> {
    let quotes = context.facts.quotes;
    let band = request.instrument.limits.price_band;
    let market = quotes
        .quote(request.account, request.symbol)
        .or(request.signal.reference_price);
    let (Some(band), Some(market)) = (band, market) else {
        return Vec::new();
    };
    let side = request.enter.side;
    let of = |side: Side| match side {
        Side::Buy => band.buy,
        Side::Sell => band.sell,
    };
    let limit = match request.enter.terms {
        Terms::Limit { price } | Terms::StopLimit { price, .. } => Some((price, of(side))),
        Terms::Market | Terms::Stop { .. } => None,
    };
    let targets = request.protection.targets.iter();
    let targets = targets.map(|target| (*target, of(side.opposite())));
    let outside = limit.into_iter().chain(targets).filter_map(|(price, (low, high))| {
        let (low, high) = (
            market.get().checked_mul(low)?.normalize(),
            market.get().checked_mul(high)?.normalize(),
        );
        let (limit, word) = if price.get() < low {
            (low, "below")
        } else if price.get() > high {
            (high, "above")
        } else {
            return None;
        };
        let detail = format!(
            "price {price} is {word} {limit}, where the broker's band around the market's {market} ends for {}",
            request.symbol
        );
        Some(beyond(Rule::PriceBand, price.get(), limit, detail))
    });
    outside.collect()
}
