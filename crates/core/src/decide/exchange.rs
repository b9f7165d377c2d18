//! What an exchange's own rules say of an alert: which contract is meant, and whether it trades now.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::Context;
use super::moves::Enter;
use super::rules::passed;
use super::sizing::refuse;
use crate::b3::{
    self, Auctions, DateTime, Hours, Meant, OutOfSession, Phase, calendar, contracts, sessions,
};
use crate::id::{AccountName, StrategyName, Symbol};
use crate::order::OrderPlan;
use crate::policy::{AccountPolicy, Exchange};
use crate::signal::{ExitAmount, Intent, Side, Signal};
use crate::state::AccountState;
use crate::time::Timestamp;
use crate::verdict::{Rule, Ruling, Verdict};

/// The largest order of the fractional market, in shares.
const FRACTION_MAX: Decimal = Decimal::from_parts(99, 0, 0, false, 0);

/// What the symbol of a leg means, by what the strategy is in.
pub(super) fn meant(
    context: Context<'_>,
    account: &AccountName,
    policy: &AccountPolicy,
    signal: &Signal,
    symbol: &Symbol,
) -> Meant {
    if policy.exchange.is_none() {
        return Meant::plainly(symbol.clone());
    }
    let state = context.state.account(account);
    let in_hand = state.map_or_else(Vec::new, |state| in_hand(state, &signal.strategy));
    let held =
        |symbol: &Symbol| state.map_or(Decimal::ZERO, |state| state.held(&signal.strategy, symbol));
    // A sell of one who is short can't be about leaving.
    let only_enters = match &signal.intent {
        Intent::Enter { .. } => true,
        Intent::Trade { side, .. } => !in_hand.iter().map(held).any(|held| match side {
            Side::Buy => held < Decimal::ZERO,
            Side::Sell => held > Decimal::ZERO,
        }),
        Intent::Exit { .. }
        | Intent::Reverse { .. }
        | Intent::Target { .. }
        | Intent::Cancel
        | Intent::Heartbeat => false,
    };
    policy.meant(symbol, context.now(), &in_hand, only_enters)
}

/// The symbols that a strategy holds or has orders open in.
fn in_hand(account: &AccountState, strategy: &StrategyName) -> Vec<Symbol> {
    let held = account.positions.get(strategy).into_iter().flatten();
    let held = held.filter(|(_, position)| !position.quantity.is_zero());
    let orders = account.orders.values();
    let orders = orders.filter(|order| order.plan.strategy == *strategy);
    let symbols: BTreeSet<_> = held
        .map(|(symbol, _)| symbol)
        .chain(orders.map(|order| &order.plan.symbol))
        .collect();
    symbols.into_iter().cloned().collect()
}

/// Whether an intent can mean each of several contracts.
pub(super) fn means_each(intent: &Intent) -> bool {
    match intent {
        Intent::Exit { amount, .. } => match amount {
            ExitAmount::All | ExitAmount::Percent(_) => true,
            ExitAmount::Quantity(_) => false,
        },
        Intent::Target { position } => position.is_zero(),
        Intent::Cancel | Intent::Heartbeat => true,
        Intent::Trade { .. } | Intent::Enter { .. } | Intent::Reverse { .. } => false,
    }
}

/// The word on which contract was meant.
pub(super) fn note(meant: &Meant) -> Option<Verdict> {
    let detail = meant.note.clone()?;
    Some(Verdict {
        ruling: Ruling::Note,
        ..refuse(Rule::Contract, detail)
    })
}

/// What the exchange says of an entry.
pub(super) fn check(
    context: Context<'_>,
    policy: &AccountPolicy,
    symbol: &Symbol,
    meant: &Meant,
    enter: &Enter,
) -> Vec<Verdict> {
    let Some(Exchange::B3(rules)) = &policy.exchange else {
        return Vec::new();
    };
    let mut verdicts = Vec::with_capacity(3);
    let no_opening = meant.no_opening.clone();
    verdicts.extend(no_opening.map(|why| refuse(Rule::Contract, why)));
    verdicts.extend(fraction(symbol, enter.quantity.get()));
    let now = calendar::local(context.now());
    verdicts.push(session(rules, symbol, now));
    let warning = calendar::warning(now.year());
    verdicts.extend(warning.map(|warning| Verdict {
        ruling: Ruling::Note,
        ..refuse(Rule::Session, warning)
    }));
    verdicts
}

/// Whether entries go now, by the calendar and by the day's end for entries.
fn session(rules: &b3::Rules, symbol: &Symbol, now: DateTime) -> Verdict {
    let closed = closed(rules, symbol, now);
    match (
        closed,
        entries_ended(rules, symbol, now),
        rules.out_of_session,
    ) {
        (None, None, _) => passed(Rule::Session),
        (_, Some(why), _) | (Some(why), None, OutOfSession::Refuse) => refuse(Rule::Session, why),
        (Some(why), None, OutOfSession::Send) => Verdict {
            ruling: Ruling::Note,
            ..refuse(
                Rule::Session,
                format!("{why}; it is sent all the same, as out_of_session = \"send\" says"),
            )
        },
    }
}

/// Why the market is closed now, and when it opens.
fn closed(rules: &b3::Rules, symbol: &Symbol, now: DateTime) -> Option<String> {
    if let Some(why) = rules.calendar.closed(now.date()) {
        return Some(format!(
            "B3 is closed on {} ({why}); {symbol} {}",
            calendar::named(now.date()),
            opens(rules, symbol, now)
        ));
    }
    if let Some(hours) = rules.hours(symbol, now.date())
        && let Some(why) = out_of_session(rules, hours, now)
    {
        return Some(format!("{symbol} {why}; it {}", opens(rules, symbol, now)));
    }
    None
}

/// Why entries have ended for the day, and when the next ones go.
fn entries_ended(rules: &b3::Rules, symbol: &Symbol, now: DateTime) -> Option<String> {
    let ended = rules.entries_end_at(symbol, now.date());
    let ended = ended.filter(|ended| *ended <= now.time())?;
    Some(format!(
        "entries in {symbol} have ended at {} for today, as [accounts.b3] says; it {}",
        sessions::clock(ended),
        opens(rules, symbol, now)
    ))
}

/// When a symbol opens next.
fn opens(rules: &b3::Rules, symbol: &Symbol, now: DateTime) -> String {
    let opens = rules.opens_next(symbol, now);
    match contracts::parse(symbol) {
        contracts::Name::Contract(contract)
            if contract.last_session(&rules.calendar) < opens.date() =>
        {
            let next = rules.nth(contract.root(), 1, opens.date());
            format!("does not open again, the next contract is {next}")
        }
        contracts::Name::Contract(_)
        | contracts::Name::Continuous(_)
        | contracts::Name::NoContract(_)
        | contracts::Name::Renamed(_)
        | contracts::Name::Stock { .. }
        | contracts::Name::Other => format!("opens on {}", sessions::named(opens)),
    }
}

fn out_of_session(rules: &b3::Rules, hours: Hours, now: DateTime) -> Option<String> {
    let auction = |which: &str| {
        format!("is in its {which} auction, and [accounts.b3] has auctions = \"refuse\"")
    };
    match (hours.phase(now.time()), rules.auctions) {
        (Phase::Continuous, _)
        | (Phase::OpeningAuction | Phase::ClosingAuction, Auctions::Allow) => None,
        (Phase::OpeningAuction, Auctions::Refuse) => Some(auction("opening")),
        (Phase::ClosingAuction, Auctions::Refuse) => Some(auction("closing")),
        (Phase::Closed, _) => Some(format!(
            "is closed at {}, trading is from {} to {}",
            sessions::clock(now.time()),
            sessions::clock(hours.opens),
            sessions::clock(hours.closes),
        )),
    }
}

/// The fractional market takes what is less than a round lot.
fn fraction(symbol: &Symbol, quantity: Decimal) -> Option<Verdict> {
    let contracts::Name::Stock { fractional: true } = contracts::parse(symbol) else {
        return None;
    };
    let whole = symbol.as_str().trim_end_matches('F');
    (quantity > FRACTION_MAX).then(|| Verdict {
        measured: Some(quantity),
        limit: Some(FRACTION_MAX),
        ..refuse(
            Rule::MaxQuantity,
            format!(
                "{quantity} shares are too many for {symbol}, the fractional market takes 1 to \
                 {FRACTION_MAX}; send whole lots of 100 to {whole}"
            ),
        )
    })
}

/// A refusal for the size with what a trader of shares can do about it.
pub(super) fn with_lots(policy: &AccountPolicy, symbol: &Symbol, mut verdict: Verdict) -> Verdict {
    let is_lot = || {
        let instrument = policy.instruments.get(symbol);
        instrument.is_some_and(|instrument| instrument.quantity_step == Decimal::ONE_HUNDRED)
    };
    let is_round = contracts::parse(symbol) == contracts::Name::Stock { fractional: false };
    let is_size = matches!(verdict.rule, Rule::QuantityStep | Rule::MinQuantity);
    if policy.exchange.is_some() && is_size && is_round && is_lot() {
        verdict.detail = format!(
            "{}; {symbol} trades in lots of 100, send 1 to 99 shares to {symbol}F",
            verdict.detail
        );
    }
    verdict
}

/// Whether a symbol trades now.
pub(super) enum Market {
    /// Since this moment, or since ever where its hours are not known.
    Open { since: Timestamp },
    /// Until this moment; an auction counts as closed.
    Closed { until: Timestamp },
}

/// Whether a symbol trades now, by what is known of the account's exchange.
pub(super) fn market(context: Context<'_>, account: &AccountName, symbol: &Symbol) -> Market {
    let always = Market::Open {
        since: Timestamp::default(),
    };
    let policy = context.policy.accounts.get(account);
    let Some(Exchange::B3(rules)) = policy.and_then(|policy| policy.exchange.as_ref()) else {
        return always;
    };
    let now = calendar::local(context.now());
    let closed = || Market::Closed {
        until: calendar::moment(rules.opens_next(symbol, now)),
    };
    if !rules.calendar.is_session(now.date()) {
        return closed();
    }
    let Some(hours) = rules.hours(symbol, now.date()) else {
        return always;
    };
    match hours.phase(now.time()) {
        Phase::Closed | Phase::OpeningAuction => closed(),
        Phase::Continuous | Phase::ClosingAuction => Market::Open {
            since: calendar::moment(DateTime::from_parts(now.date(), hours.opens)),
        },
    }
}

/// Whether entries of this plan have ended for the day while it waited.
pub(super) fn entries_have_ended(context: Context<'_>, plan: &OrderPlan) -> bool {
    let policy = context.policy.accounts.get(&plan.account);
    let Some(Exchange::B3(rules)) = policy.and_then(|policy| policy.exchange.as_ref()) else {
        return false;
    };
    let now = calendar::local(context.now());
    rules
        .entries_end_at(&plan.symbol, now.date())
        .is_some_and(|ended| ended <= now.time())
}
