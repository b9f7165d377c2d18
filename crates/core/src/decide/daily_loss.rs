//! The loss of a trading day: what it has come to, and what is done when it has reached its limit.
//!
//! It is what was realised since the day began, fees included, and what open positions have lost
//! since they were entered, all of the account's together, where a price is known. Open gains are
//! not counted against what was lost for good.

use rust_decimal::Decimal;

use super::rules::Request;
use super::sizing::refuse;
use super::{Context, Decision, cancel, operator};
use crate::halt::Scope;
use crate::id::AccountName;
use crate::message::Event;
use crate::order::OrderClass;
use crate::policy::{AccountPolicy, DailyLossAction};
use crate::state::AccountState;
use crate::time::Timestamp;
use crate::verdict::{Rule, Ruling, Verdict};

/// Who asks for the orders that close positions when the limit is reached.
const BY: &str = "max_daily_loss";
/// A trading day.
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// How a day stands against its limit.
struct Day {
    /// When the next one begins.
    ends: Timestamp,
    /// What has been lost now; below zero is a gain.
    loss: Decimal,
    limit: Decimal,
    /// With which loss the limit was reached before, on this day.
    reached: Option<Decimal>,
}

impl Day {
    fn is_over_limit(&self) -> bool {
        self.reached.is_some() || self.loss >= self.limit
    }
}

fn day(context: Context<'_>, name: &AccountName, policy: &AccountPolicy) -> Option<Day> {
    let limit = policy.rules.max_daily_loss?;
    let begins = context.now().day_start(policy.utc_offset_seconds);
    let account = context.state.account(name);
    let loss = account.map_or(Decimal::ZERO, |account| {
        let realised = account.realised_since(begins);
        let open = open_result(context, name, account).min(Decimal::ZERO);
        (-realised.saturating_add(open)).normalize()
    });
    // Who has raised the limit since is held to the new one.
    let reached = account
        .and_then(|account| account.daily_loss)
        .filter(|reached| reached.at >= begins && reached.limit >= limit);
    Some(Day {
        ends: begins.after(DAY),
        loss,
        limit,
        reached: reached.map(|reached| reached.loss),
    })
}

/// What the open positions have gained since they were entered, those whose price is known.
fn open_result(context: Context<'_>, name: &AccountName, account: &AccountState) -> Decimal {
    let quotes = context.facts.quotes;
    let positions = account.positions.values().flatten();
    positions.fold(Decimal::ZERO, |sum, (symbol, position)| {
        if position.quantity.is_zero() {
            return sum;
        }
        let gain = quotes.quote(name, symbol).map(|price| {
            (price.get() - position.average_price)
                .saturating_mul(position.quantity)
                .saturating_mul(position.multiplier)
        });
        sum.saturating_add(gain.unwrap_or_default())
    })
}

/// Whether nothing may be entered any more today.
pub(super) fn forbids_entries(context: Context<'_>, name: &AccountName) -> bool {
    let policy = context.policy.accounts.get(name);
    policy
        .and_then(|policy| day(context, name, policy))
        .is_some_and(|day| day.is_over_limit())
}

/// What the rule says about an entry.
pub(super) fn rule(context: Context<'_>, request: &Request<'_>) -> Option<Verdict> {
    let day = day(context, request.account, request.policy)?;
    let Day {
        ends, loss, limit, ..
    } = day;
    let lost = loss.max(Decimal::ZERO);
    let verdict = Verdict {
        rule: Rule::MaxDailyLoss,
        ruling: Ruling::Pass,
        measured: Some(lost),
        limit: Some(limit),
        detail: String::new(),
    };
    if !day.is_over_limit() {
        return Some(verdict);
    }
    let currency = &request.policy.currency;
    let has = match day.reached {
        Some(reached) => format!("reached {reached} {currency}"),
        None => format!("is {lost} {currency}"),
    };
    let detail = format!(
        "the loss of this trading day {has}, max_daily_loss of account {} is {limit} {currency}; \
         entries are refused until {ends}",
        request.account
    );
    Some(Verdict {
        measured: verdict.measured,
        limit: verdict.limit,
        ..refuse(Rule::MaxDailyLoss, detail)
    })
}

/// Time has passed, and prices with it: what follows where a limit has been reached, once a day.
pub(super) fn tick(context: Context<'_>) -> Decision {
    let mut decision = Decision::default();
    for (name, policy) in &context.policy.accounts {
        let Some(account) = context.state.account(name) else {
            continue;
        };
        let Some(day) = day(context, name, policy) else {
            continue;
        };
        if day.reached.is_none() && day.is_over_limit() {
            decision.join(reached(context, name, account, policy, &day));
        }
    }
    decision
}

fn reached(
    context: Context<'_>,
    name: &AccountName,
    account: &AccountState,
    policy: &AccountPolicy,
    day: &Day,
) -> Decision {
    let Day {
        ends, loss, limit, ..
    } = day;
    let mut decision = Decision::event(Event::DailyLossReached {
        account: name.clone(),
        loss: *loss,
        limit: *limit,
    });
    let action = policy.rules.daily_loss_action;
    let what = match action {
        DailyLossAction::Block => "its positions stay",
        DailyLossAction::Flatten => "its positions are closed at the market",
    };
    let currency = &policy.currency;
    decision.alarm(
        format!(
            "account {name} has lost {loss} {currency} on this trading day, max_daily_loss is {limit} \
             {currency}: nothing is entered until {ends}, working entries are taken back, {what}"
        ),
        None,
    );
    match action {
        DailyLossAction::Flatten => {
            let scope = Scope::Account(name.clone());
            decision.push(Event::FlattenRequested {
                scope: scope.clone(),
                by: BY.to_owned(),
            });
            decision.join(operator::flatten(context, &scope, BY));
        }
        DailyLossAction::Block => {
            let entries = account.orders.values();
            for order in entries.filter(|order| order.plan.class == OrderClass::Entry) {
                decision.join(cancel::request(order, "max_daily_loss is reached"));
            }
        }
    }
    decision
}
