//! What is said about the way to an account's broker, and about sizes.

use std::time::Duration;

use ponte_core::id::Symbol;
use ponte_core::instrument::Instrument;
use ponte_core::number::is_multiple_of;
use ponte_core::policy::Sizing;
use rust_decimal::Decimal;

use super::{some, span};
use crate::admin::wire::Finding;
use crate::brokers::{Budget, Examination, PositionMode, Reports};

/// From here on signed requests may be refused.
const CLOCK_OFF_MILLISECONDS: i64 = 1_000;
/// The share of a limit from which on only exits go, in percent: see the adapter's.
const BUDGET_SHARE_PERCENT: u64 = 90;
const BUDGET_MUCH_PERCENT: u64 = 70;

/// What the way to a broker is like.
pub(crate) fn way(examination: &Examination) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(examination.positions.map(positions));
    all.extend(reports(&examination.reports));
    all.extend(examination.clock_ahead_milliseconds.and_then(clock));
    all.extend(budgets(&examination.budgets));
    all
}

fn positions(mode: PositionMode) -> Finding {
    const SUBJECT: &str = "position_mode";
    match mode {
        PositionMode::Holdings => {
            Finding::fine(SUBJECT, "what is bought is held, nothing can be short")
        }
        PositionMode::Net => Finding::fine(SUBJECT, "one position for each symbol"),
        PositionMode::BothSides => {
            let text =
                "hedge mode: long and short positions lie side by side, and Ponte shows their sum";
            Finding::fine(SUBJECT, text)
        }
        PositionMode::EachDeal => Finding::fine(SUBJECT, "each deal opens a position of its own"),
    }
}

fn reports(reports: &Reports) -> Option<Finding> {
    const SUBJECT: &str = "reports";
    match reports {
        Reports::Within => None,
        Reports::Asked => Some(Finding::fine(
            SUBJECT,
            "the broker is asked for news again and again",
        )),
        Reports::Streamed { up_for, heard_ago } => {
            let heard = match heard_ago {
                Some(ago) => format!("the last word came {} ago", span(*ago)),
                None => "nothing has happened yet".to_owned(),
            };
            let text = format!(
                "the broker's reports stream since {}, {heard}",
                span(*up_for)
            );
            Some(Finding::fine(SUBJECT, text))
        }
        Reports::Down(why) => Some(
            Finding::look(
                SUBJECT,
                format!("the broker's reports do not stream: {why}"),
            )
            .cured_by(
                "Ponte asks meanwhile, and opens it again; look at the network if it stays so",
            ),
        ),
    }
}

/// One that is off is said by whoever looks at the credentials: signed requests fail by it.
fn clock(ahead: i64) -> Option<Finding> {
    let side = if ahead >= 0 { "ahead" } else { "behind" };
    let text = format!("the broker's clock is {} ms {side}", ahead.abs());
    (ahead.abs() <= CLOCK_OFF_MILLISECONDS).then(|| Finding::fine("broker_clock", text))
}

fn budgets(budgets: &[Budget]) -> Option<Finding> {
    const SUBJECT: &str = "budget";
    let share = |budget: &Budget| budget.used.saturating_mul(100) / budget.limit.max(1);
    let fullest = budgets.iter().max_by_key(|budget| share(budget))?;
    let per = match fullest.per {
        per if per == Duration::from_secs(60) => "minute".to_owned(),
        per => span(per),
    };
    let text = format!(
        "{} of {} {} per {per} are used",
        fullest.used, fullest.limit, fullest.what
    );
    Some(match share(fullest) {
        BUDGET_SHARE_PERCENT.. => Finding::wrong(SUBJECT, text)
            .cured_by("entries wait, only exits go: send fewer requests from this address"),
        BUDGET_MUCH_PERCENT.. => Finding::look(SUBJECT, text)
            .cured_by("other programs at this address use it up as well"),
        _ => Finding::fine(SUBJECT, text),
    })
}

/// Whether what routes send is something that the broker takes.
pub(crate) fn sizes(sizings: &[Sizing], instruments: &[&Instrument]) -> Option<Finding> {
    const SUBJECT: &str = "sizes";
    let mut small = Vec::new();
    let mut uneven = Vec::new();
    let mut looked = 0;
    for sizing in sizings {
        for instrument in instruments {
            let symbol = &instrument.symbol;
            match sizing {
                Sizing::Fixed(fixed) => {
                    looked += 1;
                    let (fixed, least) = (fixed.get(), instrument.minimum_quantity);
                    if fixed < least {
                        small.push(format!("{fixed} {symbol} (at least {})", least.normalize()));
                    } else if !is_multiple_of(fixed, instrument.quantity_step) {
                        uneven.push(format!(
                            "{fixed} {symbol} (steps of {})",
                            instrument.quantity_step.normalize()
                        ));
                    }
                }
                Sizing::Notional(value) => {
                    looked += 1;
                    if *value < instrument.minimum_notional {
                        let least = instrument.minimum_notional.normalize();
                        small.push(format!("{value} of {symbol} (at least {least})"));
                    }
                }
                Sizing::AsAlert | Sizing::Multiplied(_) | Sizing::PercentOfEquity(_) => {}
            }
        }
    }
    if !small.is_empty() {
        let text = format!("routes size below what the broker takes: {}", some(&small));
        return Some(Finding::wrong(SUBJECT, text).cured_by("raise size in the route"));
    }
    if !uneven.is_empty() {
        let text = format!("routes size in no whole steps: {}", some(&uneven));
        return Some(
            Finding::look(SUBJECT, text).cured_by("write a whole number of the broker's steps"),
        );
    }
    (looked > 0).then(|| {
        Finding::fine(
            SUBJECT,
            "what routes size is not below the broker's smallest",
        )
    })
}

/// The symbols that are wanted and can't be opened now.
pub(crate) fn closed(instruments: &[&Instrument]) -> Option<Finding> {
    let closed = instruments.iter().filter_map(|instrument| {
        let why = instrument.limits.closed.as_ref()?;
        Some(format!("{} ({why})", instrument.symbol))
    });
    let closed: Vec<String> = closed.collect();
    (!closed.is_empty()).then(|| {
        Finding::look(
            "trading",
            format!("the broker takes no new position now in {}", some(&closed)),
        )
        .cured_by("nothing, if its market is closed at this hour")
    })
}

/// What the money of an account comes to.
pub(crate) fn money(equity: Decimal, currency: &str) -> Finding {
    const SUBJECT: &str = "balance";
    let text = format!("the equity is {} {currency}", equity.round_dp(2));
    if equity <= Decimal::ZERO {
        return Finding::wrong(SUBJECT, text)
            .cured_by("pay in, or look whether currency is the account's");
    }
    Finding::fine(SUBJECT, text)
}

/// Whether the stops that Ponte counts on rest at the broker now; `missing` don't.
pub(crate) fn stops(count: usize, missing: &[Symbol]) -> Option<Finding> {
    const SUBJECT: &str = "stops";
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let text = format!("the broker does not have the stop of {}", some(&names));
        return Some(
            Finding::wrong(SUBJECT, text)
                .cured_by("look at the broker now, and set a stop by hand; then ponte why"),
        );
    }
    match count {
        0 => None,
        1 => Some(Finding::fine(
            SUBJECT,
            "the stop that protects a position rests at the broker",
        )),
        _ => Some(Finding::fine(
            SUBJECT,
            format!("the {count} orders that protect positions rest at the broker"),
        )),
    }
}
