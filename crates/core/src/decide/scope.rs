//! What a source may do: asked of each alert before its routes, and of each leg before its rules.
//!
//! It says how far whoever holds the secret is believed, and so it holds exits too. Only sizes are
//! for entries alone: a close can't be larger than its position.

use super::Context;
use super::moves::Moves;
use super::rules::{Request, held_to, passed};
use super::sizing::refuse;
use crate::id::{AccountName, SourceName};
use crate::message::AlertDecision;
use crate::number::notional;
use crate::policy::Mode;
use crate::signal::Intent;
use crate::source::{SourceScope, Verbs};
use crate::verdict::{Rule, Ruling, Verdict};

/// What the source's scope says of an alert, whatever accounts it goes to.
pub(super) fn of_alert(
    context: Context<'_>,
    scope: &SourceScope,
    alert: &AlertDecision,
) -> Vec<Verdict> {
    if let Some(verdict) = off(context, &alert.source) {
        return vec![verdict];
    }
    let mut verdicts = Vec::new();
    verdicts.extend(strategies(scope, alert));
    verdicts.extend(symbols(scope, alert));
    verdicts.extend(verbs(scope, alert));
    verdicts.extend(named_account(scope, alert));
    verdicts
}

fn off(context: Context<'_>, source: &SourceName) -> Option<Verdict> {
    let off = context.state.sources_off.get(source)?;
    let reason = off.reason.as_ref();
    let reason = reason.map(|reason| format!(" ({reason})"));
    Some(refuse(
        Rule::SourceOn,
        format!(
            "source {source} was switched off by {} at {}{}; take its alerts again with \
             ponte source on {source}",
            off.by,
            off.since,
            reason.unwrap_or_default()
        ),
    ))
}

fn strategies(scope: &SourceScope, alert: &AlertDecision) -> Option<Verdict> {
    let allowed = scope.strategies.as_ref()?;
    let strategy = &alert.signal.strategy;
    if allowed.contains(strategy) {
        return Some(passed(Rule::SourceStrategies));
    }
    let names = listed(allowed.iter().map(|name| name.as_str()));
    let what = format!(
        "source {} may not speak for strategy {strategy}, only for {names}",
        alert.source
    );
    Some(refuse(Rule::SourceStrategies, what))
}

fn symbols(scope: &SourceScope, alert: &AlertDecision) -> Option<Verdict> {
    let allowed = scope.symbols.as_ref()?;
    let symbol = alert.signal.symbol.as_ref()?;
    if allowed.contains(symbol) {
        return Some(passed(Rule::SourceSymbols));
    }
    let names = listed(allowed.iter().map(|name| name.as_str()));
    let what = format!(
        "source {} may not trade {symbol}, only {names}",
        alert.source
    );
    Some(refuse(Rule::SourceSymbols, what))
}

/// The verdict on what an intent is by itself; of some only the position decides.
fn verbs(scope: &SourceScope, alert: &AlertDecision) -> Option<Verdict> {
    if scope.verbs == Verbs::All {
        return None;
    }
    let is_allowed = scope.verbs.permit(&alert.signal.intent)?;
    Some(if is_allowed {
        passed(Rule::SourceVerbs)
    } else {
        refuse(Rule::SourceVerbs, may_not(scope.verbs, alert))
    })
}

fn may_not(verbs: Verbs, alert: &AlertDecision) -> String {
    let what = match verbs {
        Verbs::Exits => "may only close positions, and this opens one",
        Verbs::Entries => "may only open positions, and this closes one",
        Verbs::All => "may do everything",
    };
    let word = alert.signal.intent.name().replace('_', " ");
    format!("source {} {what} ({word})", alert.source)
}

/// An account that the alert itself names.
fn named_account(scope: &SourceScope, alert: &AlertDecision) -> Option<Verdict> {
    let named = alert.signal.account.as_ref()?;
    // Of an account that may be reached its leg says so.
    account(scope, &alert.source, named).filter(|verdict| verdict.ruling == Ruling::Refuse)
}

/// What the source's scope says of one account.
pub(super) fn account(
    scope: &SourceScope,
    source: &SourceName,
    account: &AccountName,
) -> Option<Verdict> {
    let allowed = scope.accounts.as_ref()?;
    if allowed.contains(account) {
        return Some(passed(Rule::SourceAccounts));
    }
    let names = listed(allowed.iter().map(|name| name.as_str()));
    let what = format!("source {source} may not reach account {account}, only {names}");
    Some(refuse(Rule::SourceAccounts, what))
}

/// What is left of the moves of an intent of which the position decides, and what was said of them.
///
/// Who may only close has the closing half of a reversal: that is what a close would do. Who may only
/// open has neither half: without the close before it, the opening would itself be one.
pub(super) fn moves(
    scope: &SourceScope,
    alert: &AlertDecision,
    moves: Moves,
) -> (Moves, Option<Verdict>) {
    let intent: &Intent = &alert.signal.intent;
    if scope.verbs.permit(intent).is_some() {
        return (moves, None);
    }
    let Moves::Trade { exit, entry, notes } = moves else {
        return (moves, None);
    };
    let is_beyond = match scope.verbs {
        Verbs::All => false,
        Verbs::Exits => entry.is_some(),
        Verbs::Entries => exit.is_some(),
    };
    if !is_beyond {
        let moves = Moves::Trade { exit, entry, notes };
        return (moves, Some(passed(Rule::SourceVerbs)));
    }
    let verdict = refuse(Rule::SourceVerbs, may_not(scope.verbs, alert));
    if scope.verbs == Verbs::Exits && exit.is_some() {
        let entry = None;
        return (Moves::Trade { exit, entry, notes }, Some(verdict));
    }
    (Moves::OutOfScope(verdict.detail.clone()), Some(verdict))
}

/// The size of one entry, however it came about.
pub(super) fn max_quantity(request: &Request<'_>) -> Option<Verdict> {
    let limit = request.scope.max_quantity?.get();
    let quantity = request.enter.quantity.get();
    let (source, account) = (request.source, request.account);
    Some(held_to(Rule::SourceMaxQuantity, quantity, limit, || {
        format!("quantity {quantity} in {account} is above max_quantity {limit} of source {source}")
    }))
}

/// The value of one entry, at the higher one of the prices that the alert and the market tell: the
/// sender's own price can't hold the sender. On paper it is the market's.
pub(super) fn max_notional(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let limit = request.scope.max_notional?;
    let (source, symbol) = (request.source, request.symbol);
    let market = context.facts.quotes.quote(request.account, symbol);
    let told = request.price;
    let price = match (market, told) {
        (Some(market), Some(told)) => Some(market.max(told)),
        (Some(market), None) => Some(market),
        (None, told) => told.filter(|_| request.policy.mode == Mode::Paper),
    };
    let Some(price) = price else {
        let what = format!(
            "max_notional of source {source} needs the market's price of {symbol}, and no fresh one \
             is known"
        );
        return Some(refuse(Rule::SourceMaxNotional, what));
    };
    let multiplier = request.instrument.contract_multiplier;
    let Some(value) = notional(request.enter.quantity, price, multiplier) else {
        let what = "the value of the order is larger than can be counted".to_owned();
        return Some(refuse(Rule::SourceMaxNotional, what));
    };
    let (quantity, currency) = (request.enter.quantity, &request.policy.currency);
    Some(held_to(Rule::SourceMaxNotional, value, limit, || {
        format!(
            "{quantity} × {price} is {value} {currency}, above max_notional {limit} of source {source}"
        )
    }))
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
