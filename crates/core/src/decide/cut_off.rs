//! The end of a day trader's day: positions are closed before the exchange does.

use std::collections::BTreeSet;

use super::{Context, Decision, operator};
use crate::b3::{self, calendar, sessions};
use crate::id::{AccountName, Symbol};
use crate::message::{Command, CutOffReached, Event};
use crate::order::OrderClass;
use crate::policy::Exchange;
use crate::state::AccountState;

/// Who asked for the exits, as their orders say it.
const BY: &str = "the day's cut-off";

/// Closes what is open in each symbol once its time has come, once a day; what was not closed before
/// the exchange is told.
pub(super) fn tick(context: Context<'_>) -> Decision {
    let mut decision = Decision::default();
    for (name, policy) in &context.policy.accounts {
        let Some(Exchange::B3(rules)) = &policy.exchange else {
            continue;
        };
        let Some(account) = context.state.account(name) else {
            continue;
        };
        if rules.flatten.is_none() {
            continue;
        }
        for symbol in open_symbols(account) {
            decision.join(symbol_tick(context, rules, name, account, symbol));
        }
    }
    decision
}

/// The symbols in which something is held, or may still be bought or sold.
fn open_symbols(account: &AccountState) -> BTreeSet<&Symbol> {
    let held = account.positions.values().flatten();
    let held = held.filter(|(_, position)| !position.quantity.is_zero());
    let entries = account.orders.values();
    let entries = entries.filter(|order| order.plan.class == OrderClass::Entry);
    held.map(|(symbol, _)| symbol)
        .chain(entries.map(|order| &order.plan.symbol))
        .collect()
}

fn symbol_tick(
    context: Context<'_>,
    rules: &b3::Rules,
    name: &AccountName,
    account: &AccountState,
    symbol: &Symbol,
) -> Decision {
    let now = calendar::local(context.now());
    let day = context.now().day_start(b3::UTC_OFFSET_SECONDS);
    let due = rules
        .flattens_at(symbol, now.date())
        .filter(|due| *due <= now.time());
    let (Some(due), Some(hours)) = (due, rules.cut_off_hours(symbol, now.date())) else {
        return Decision::default();
    };
    if account.cut_offs.get(symbol) == Some(&day) {
        return Decision::default();
    }
    let in_time = now.time() < hours.ends;
    let mut decision = Decision::default();
    decision.push(Event::CutOffReached(CutOffReached {
        account: name.clone(),
        symbol: symbol.clone(),
        day,
        in_time,
    }));
    if in_time {
        decision.command(Command::Notify(format!(
            "what is open in {symbol} of {name} is closed: the day's cut-off is {}",
            sessions::clock(due)
        )));
        decision.join(operator::leave(context, BY, &|account, _, of| {
            account == name && of == symbol
        }));
    } else {
        decision.alarm(
            format!(
                "what is open in {symbol} of {name} was not closed at the day's cut-off {}: nothing ran \
                 then, and B3 is closed now; look at the account",
                sessions::clock(due)
            ),
            None,
        );
    }
    decision
}
