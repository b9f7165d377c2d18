//! The pre-trade rules: what each says about an entry, with its numbers.
//!
//! Every rule is asked, so that the trader sees all that is wrong at once. An entry that is let
//! through becomes an [`Approved`] one, and nothing else can become a command. What is granted is
//! reserved by the order itself: a planned order counts from the moment it is applied.

use rust_decimal::Decimal;

use super::moves::Enter;
use super::sizing::refuse;
use super::{Context, daily_loss, limits, points, scope};
use crate::id::{AccountName, SourceName, StrategyName, Symbol};
use crate::instrument::Instrument;
use crate::number::{Price, notional};
use crate::order::{Lane, OrderClass, OrderStatus};
use crate::policy::{AccountPolicy, SIGNAL_AGE_DEFAULT, SizeWords};
use crate::signal::{Protection, Side, Signal};
use crate::source::SourceScope;
use crate::state::ENTRY_COUNT_SPAN;
use crate::time::Timestamp;
use crate::verdict::{Rule, Ruling, Verdict};

/// A stop further from the price than this share of it is taken for a distance, not a price.
const STOP_DISTANCE_MAX_PERCENT: Decimal = Decimal::from_parts(50, 0, 0, false, 0);
/// How far the sender's clock may be ahead before it is worth saying.
const CLOCK_AHEAD_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// An entry that is asked for.
pub(super) struct Request<'a> {
    pub(super) source: &'a SourceName,
    pub(super) scope: &'a SourceScope,
    pub(super) account: &'a AccountName,
    pub(super) strategy: &'a StrategyName,
    pub(super) symbol: &'a Symbol,
    pub(super) policy: &'a AccountPolicy,
    pub(super) instrument: &'a Instrument,
    pub(super) signal: &'a Signal,
    pub(super) received_at: Timestamp,
    pub(super) enter: &'a Enter,
    pub(super) protection: &'a Protection,
    /// What one unit costs, by the order, the alert or the market.
    pub(super) price: Option<Price>,
}

/// Proof that every rule was asked and none refused.
pub(super) struct Approved(());

/// Asks every rule about an entry.
pub(super) fn check(
    context: Context<'_>,
    request: &Request<'_>,
) -> (Vec<Verdict>, Option<Approved>) {
    let mut verdicts = Vec::with_capacity(16);
    verdicts.extend(scope::max_quantity(request));
    verdicts.extend(scope::max_notional(context, request));
    verdicts.extend(allowed_symbols(request));
    verdicts.extend(limits::check(context, request));
    verdicts.extend(protection_sides(request));
    verdicts.extend(points::stop(request));
    verdicts.extend(signal_age(context, request));
    verdicts.extend(order_quantity(request));
    verdicts.extend(order_notional(request));
    verdicts.extend(price_deviation(context, request));
    verdicts.extend(points::price_deviation(context, request));
    verdicts.extend(position(context, request));
    verdicts.extend(one_strategy(context, request));
    verdicts.extend(daily_loss::rule(context, request));
    verdicts.extend(orders_per_minute(context, request));
    verdicts.extend(halt(context, request));
    let approved = verdicts
        .iter()
        .all(|verdict| verdict.ruling != Ruling::Refuse);
    (verdicts, approved.then_some(Approved(())))
}

/// Whether an order of unknown fate holds this lane's entries back.
pub(super) fn is_lane_frozen(context: Context<'_>, lane: &Lane) -> bool {
    context.state.account(&lane.account).is_some_and(|account| {
        account
            .unsettled_orders()
            .any(|order| order.status == OrderStatus::Unknown && order.plan.symbol == lane.symbol)
    })
}

pub(super) fn held_to(
    rule: Rule,
    measured: Decimal,
    limit: Decimal,
    detail: impl FnOnce() -> String,
) -> Verdict {
    let passed = measured <= limit;
    Verdict {
        rule,
        ruling: if passed { Ruling::Pass } else { Ruling::Refuse },
        measured: Some(measured),
        limit: Some(limit),
        detail: if passed { String::new() } else { detail() },
    }
}

pub(super) fn passed(rule: Rule) -> Verdict {
    Verdict {
        rule,
        ruling: Ruling::Pass,
        measured: None,
        limit: None,
        detail: String::new(),
    }
}

fn allowed_symbols(request: &Request<'_>) -> Option<Verdict> {
    let allowed = request.policy.rules.allowed_symbols.as_ref()?;
    let stands_for_it = |name: &Symbol| request.policy.stands_for(name, request.symbol);
    if allowed.iter().any(stands_for_it) {
        return Some(passed(Rule::AllowedSymbols));
    }
    let names: Vec<_> = allowed.iter().map(Symbol::as_str).collect();
    Some(refuse(
        Rule::AllowedSymbols,
        format!(
            "{} is not among the allowed symbols of account {} ({})",
            request.symbol,
            request.account,
            names.join(", ")
        ),
    ))
}

/// Stop and targets on their sides of the price, and the stop near enough to be a price.
fn protection_sides(request: &Request<'_>) -> Option<Verdict> {
    if request.protection.is_empty() {
        return None;
    }
    let Some(price) = request.price else {
        return Some(Verdict {
            ruling: Ruling::Note,
            ..refuse(
                Rule::Protection,
                "no price is known to hold the stop and the targets against".to_owned(),
            )
        });
    };
    let side = request.enter.side;
    let loses = |at: Price| match side {
        Side::Buy => at < price,
        Side::Sell => at > price,
    };
    let (worse, better) = match side {
        Side::Buy => ("below", "above"),
        Side::Sell => ("above", "below"),
    };
    let wrong = |what: &str, at: Price, where_to: &str| Verdict {
        measured: Some(at.get()),
        limit: Some(price.get()),
        ..refuse(
            Rule::Protection,
            format!(
                "{what} {at} must lie {where_to} the price {price} of a {}; \
                 Ponte reads stop and target as prices, not as distances",
                side.as_str()
            ),
        )
    };
    if let Some(stop) = request.protection.stop {
        let distance = (stop.get() - price.get())
            .abs()
            .saturating_mul(Decimal::ONE_HUNDRED);
        let too_far = distance > price.get().saturating_mul(STOP_DISTANCE_MAX_PERCENT);
        if !loses(stop) {
            return Some(wrong("stop", stop, worse));
        }
        if too_far {
            return Some(Verdict {
                measured: Some(stop.get()),
                limit: Some(price.get()),
                ..refuse(
                    Rule::Protection,
                    format!(
                        "stop {stop} is more than {STOP_DISTANCE_MAX_PERCENT}% away from the \
                         price {price}; Ponte reads stop as a price, not as a distance"
                    ),
                )
            });
        }
    }
    let target = request
        .protection
        .targets
        .iter()
        .find(|target| loses(**target) || **target == price);
    Some(target.map_or_else(
        || passed(Rule::Protection),
        |target| wrong("target", *target, better),
    ))
}

fn seconds(span: std::time::Duration) -> Decimal {
    Decimal::new(i64::try_from(span.as_millis()).unwrap_or(i64::MAX), 3).normalize()
}

fn signal_age(context: Context<'_>, request: &Request<'_>) -> Vec<Verdict> {
    let Some(fired_at) = request.signal.fired_at else {
        return Vec::new();
    };
    let limit = request
        .policy
        .rules
        .max_signal_age
        .unwrap_or(SIGNAL_AGE_DEFAULT);
    let age = context.now().since(fired_at);
    let mut verdicts = vec![held_to(
        Rule::MaxSignalAge,
        seconds(age),
        seconds(limit),
        || {
            format!(
                "the alert fired {} s ago, entries are refused after {} s; \
             if its time is the bar's, send {{{{timenow}}}} as time and {{{{time}}}} as bar_time",
                seconds(age),
                seconds(limit)
            )
        },
    )];
    let ahead = fired_at.since(request.received_at);
    if ahead > CLOCK_AHEAD_MAX {
        verdicts.push(Verdict {
            rule: Rule::ClockAhead,
            ruling: Ruling::Note,
            measured: Some(seconds(ahead)),
            limit: Some(seconds(CLOCK_AHEAD_MAX)),
            detail: "the alert comes from the future: this machine's clock is behind".to_owned(),
        });
    }
    verdicts
}

fn order_quantity(request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_order_quantity?.get();
    let quantity = request.enter.quantity.get();
    let words = request.policy.rules.size_words;
    Some(held_to(Rule::MaxOrderQuantity, quantity, limit, || {
        let size = match words {
            SizeWords::Quantity => format!("quantity {quantity} is"),
            SizeWords::Contracts => format!("{quantity} contracts are"),
        };
        format!(
            "{size} above {} {limit} of account {}",
            words.max_order(),
            request.account
        )
    }))
}

fn order_notional(request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_order_notional?;
    let value = request.price.and_then(|price| {
        notional(
            request.enter.quantity,
            price,
            request.instrument.contract_multiplier,
        )
    });
    Some(match (value, request.price) {
        (Some(value), Some(price)) => held_to(Rule::MaxOrderNotional, value, limit, || {
            format!(
                "{} × {price} is {value} {currency}, above max_order_notional {limit} {currency} of account {}",
                request.enter.quantity,
                request.account,
                currency = request.policy.currency
            )
        }),
        (None, Some(_)) => refuse(
            Rule::MaxOrderNotional,
            "the value of the order is larger than can be counted".to_owned(),
        ),
        (Some(_) | None, None) => refuse(
            Rule::PriceKnown,
            format!(
                "max_order_notional needs a price of {}, and none is known; send price in the alert",
                request.symbol
            ),
        ),
    })
}

/// The alert's price, or the order's own, against the market's.
fn price_deviation(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_price_deviation?;
    let told = points::told_price(request)?;
    let quotes = context.facts.quotes;
    let Some(market) = quotes.quote(request.account, request.symbol) else {
        return Some(refuse(
            Rule::MaxPriceDeviation,
            format!(
                "max_price_deviation needs the market's price of {}, and no fresh one is known",
                request.symbol
            ),
        ));
    };
    let apart = (told.get() - market.get())
        .abs()
        .saturating_mul(Decimal::ONE_HUNDRED)
        .checked_div(market.get())
        .unwrap_or(Decimal::MAX);
    let apart = apart.round_dp(4).normalize();
    Some(held_to(Rule::MaxPriceDeviation, apart, limit, || {
        format!(
            "price {told} is {apart}% away from the market's {market}, above max_price_deviation \
             {limit}% of account {}",
            request.account
        )
    }))
}

fn position(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_position?.get();
    let side = request.enter.side;
    let account = context.state.account(request.account);
    // What strategies hold on the other side is no credit: it may be closed at any time, and
    // nothing may stop it.
    let held = account.map_or(Decimal::ZERO, |account| {
        account.held_on(request.symbol, side)
    });
    let reserved = account.map_or(Decimal::ZERO, |account| {
        account
            .orders_in(request.symbol)
            .filter(|order| order.plan.class == OrderClass::Entry && order.plan.side == side)
            .fold(Decimal::ZERO, |sum, order| {
                sum.saturating_add(order.remaining())
            })
    });
    let after = held
        .saturating_add(reserved)
        .saturating_add(request.enter.quantity.get())
        .normalize();
    let words = request.policy.rules.size_words;
    Some(held_to(Rule::MaxPosition, after, limit, || {
        let signed = side.signed(after);
        let size = match words {
            SizeWords::Quantity => signed.to_string(),
            SizeWords::Contracts => format!("{signed} contracts"),
        };
        format!(
            "the position in {} would be {size} with what is on its way, above {} {limit} of account {}",
            request.symbol,
            words.max_position(),
            request.account
        )
    }))
}

/// Where the broker has one position in a symbol, with one stop, for all: whoever is there first.
fn one_strategy(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    if !request.policy.capabilities.one_strategy_per_symbol {
        return None;
    }
    let account = context.state.account(request.account)?;
    let holder = account.positions.iter().find_map(|(strategy, symbols)| {
        let position = symbols.get(request.symbol)?;
        let holds = strategy != request.strategy && !position.quantity.is_zero();
        holds.then(|| (strategy, format!("holds {}", position.quantity)))
    });
    let waiting = || {
        let orders = account.orders_in(request.symbol);
        let others = orders.filter(|order| order.plan.strategy != *request.strategy);
        let mut others = others.map(|order| (&order.plan.strategy, "has an open order".to_owned()));
        others.next()
    };
    let Some((strategy, does)) = holder.or_else(waiting) else {
        return Some(passed(Rule::OneStrategyPerSymbol));
    };
    Some(refuse(
        Rule::OneStrategyPerSymbol,
        format!(
            "strategy {strategy} {does} in {symbol} of account {account}, where all share one \
             position; wait until it is out, or give {mine} an account of its own or a hedging one",
            symbol = request.symbol,
            account = request.account,
            mine = request.strategy
        ),
    ))
}

fn orders_per_minute(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let limit = request.policy.rules.max_orders_per_minute?;
    let now = context.now();
    let recent = context.state.account(request.account).map_or(0, |account| {
        account
            .entries
            .iter()
            .rev()
            .take_while(|at| now.since(**at) < ENTRY_COUNT_SPAN)
            .count()
    });
    let count = Decimal::from(recent + 1);
    Some(held_to(
        Rule::MaxOrdersPerMinute,
        count,
        Decimal::from(limit),
        || {
            format!(
                "this would be entry {count} within a minute, above max_orders_per_minute {limit} of account {}",
                request.account
            )
        },
    ))
}

fn halt(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let halts = context
        .state
        .halts_on(request.account, request.strategy, request.symbol);
    let halt = halts.first()?;
    let why = halt
        .reason
        .as_ref()
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    Some(refuse(
        Rule::Halt,
        format!(
            "{} is halted ({}) by {} since {}{why}; lift it with ponte resume",
            halt.scope,
            halt.level.as_str(),
            halt.by,
            halt.since
        ),
    ))
}
