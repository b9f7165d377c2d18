//! What is wrong with a terminal, for `doctor`, for warnings, and for not sending what would go wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use ponte_core::id::Symbol;
use ponte_core::policy::Mode;
use rust_decimal::Decimal;

use super::instruments::Symbols;
use super::options::{Accounting, Options};
use crate::bridge::protocol::{SymbolInfo, TerminalState, Tick};
use crate::bridge::{Presence, Refused, Seen};
use crate::brokers::Finding;

/// `ACCOUNT_TRADE_MODE_REAL`.
const REAL: u32 = 2;
/// How far the clock of the terminal's machine may be from ours, in milliseconds.
const SKEW_MILLISECONDS_MAX: i64 = 5_000;
/// How old the newest price of a symbol may be before it is remarked.
const TICK_AGE_MAX: Duration = Duration::from_secs(120);
/// How long a refusal is remarked.
const REFUSAL_AGE_MAX: Duration = Duration::from_secs(120);

/// What a finding keeps from being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bars {
    /// Nothing.
    Nothing,
    /// What opens a position.
    Entries,
    /// Everything: it would be refused, or would do something else than it should.
    Everything,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) finding: Finding,
    pub(super) bars: Bars,
}

fn fine(subject: &'static str, text: String) -> Looked {
    let finding = Finding {
        subject,
        is_fine: true,
        text,
    };
    Looked {
        finding,
        bars: Bars::Nothing,
    }
}

fn wrong(subject: &'static str, bars: Bars, text: String) -> Looked {
    let finding = Finding {
        subject,
        is_fine: false,
        text,
    };
    Looked { finding, bars }
}

/// Looks at the bridge, the terminal and its account.
pub(super) fn look(
    options: &Options,
    presence: &Presence,
    refusal: Option<&(Refused, Duration)>,
    skew_milliseconds: Option<i64>,
) -> Vec<Looked> {
    let mut all = vec![bridge(presence)];
    all.extend(refusal.and_then(refused));
    let Presence::Present(seen) = presence else {
        return all;
    };
    let Some(state) = &seen.state else {
        let text = "the bridge has not told the terminal's state yet; wait some seconds";
        all.push(wrong("terminal_state", Bars::Everything, text.to_owned()));
        return all;
    };
    all.extend([connected(state), login(options, state)]);
    // What another account is like, or none, would only lead away from the cure.
    if is_ours(options, state) {
        all.extend([
            real_money(options, state),
            accounting(options, state),
            currency(options, state),
        ]);
        all.extend(rights(state));
    }
    all.extend(permissions(state));
    all.extend(skew_milliseconds.map(clock));
    all
}

fn bridge(presence: &Presence) -> Looked {
    const SUBJECT: &str = "bridge_present";
    match presence {
        Presence::NeverSeen => wrong(
            SUBJECT,
            Bars::Everything,
            "no bridge has called since ponte was started; start the bridge beside the terminal, and look at its \
             log"
            .to_owned(),
        ),
        Presence::Away(seen) => wrong(
            SUBJECT,
            Bars::Everything,
            format!(
                "the terminal's bridge has not been heard for {} s; look whether its machine, the bridge and the \
                 network are up",
                seen.heard_ago.as_secs()
            ),
        ),
        Presence::Present(seen) => {
            let Seen { bridge, .. } = &**seen;
            let age = seen.session_age.as_secs();
            let told = format!(
                "the {} bridge {} is there, its session is {age} s old",
                bridge.kind, bridge.version
            );
            fine(SUBJECT, told)
        }
    }
}

fn refused((refusal, age): &(Refused, Duration)) -> Option<Looked> {
    if *age > REFUSAL_AGE_MAX {
        return None;
    }
    let subject = match refusal {
        Refused::OtherProtocol(_) => "bridge_protocol",
        Refused::AnotherBridge { .. } => "one_bridge",
        Refused::NotUnderstood(_) | Refused::TooLarge(_) => "bridge_requests",
        Refused::WrongToken
        | Refused::Limited
        | Refused::UnknownSession
        | Refused::Incomplete
        | Refused::Busy
        | Refused::Broken => return None,
    };
    let text = format!("{} s ago a bridge was refused: {refusal}", age.as_secs());
    Some(wrong(subject, Bars::Nothing, text))
}

fn connected(state: &TerminalState) -> Looked {
    const SUBJECT: &str = "terminal_connected";
    if state.connected {
        let ping = state.ping_us / 1000;
        let told = format!("the terminal is connected to {} ({ping} ms)", state.server);
        return fine(SUBJECT, told);
    }
    let text = "the terminal is not connected to its trade server; look at the lower right corner of the terminal";
    wrong(SUBJECT, Bars::Everything, text.to_owned())
}

fn login(options: &Options, state: &TerminalState) -> Looked {
    const SUBJECT: &str = "account_login";
    let told = format!("{} at {}", state.login, state.server);
    if state.login == 0 {
        let text = format!(
            "nobody is logged in at the terminal; log into {} at {}",
            options.login, options.server
        );
        return wrong(SUBJECT, Bars::Everything, text);
    }
    if is_ours(options, state) {
        return fine(SUBJECT, format!("the terminal is logged into {told}"));
    }
    let text = format!(
        "the terminal is logged into {told}, the configuration says {} at {}; nothing is sent to another account: \
         log into that one, or correct login and server",
        options.login, options.server
    );
    wrong(SUBJECT, Bars::Everything, text)
}

/// Whether the terminal is logged into the account of the configuration.
pub(super) fn is_ours(options: &Options, state: &TerminalState) -> bool {
    state.login == options.login && state.server == options.server
}

fn real_money(options: &Options, state: &TerminalState) -> Looked {
    const SUBJECT: &str = "account_mode";
    let is_real = state.account_trade_mode == REAL;
    match options.mode {
        Mode::Live if is_real => fine(SUBJECT, "the account moves real money".to_owned()),
        Mode::Live => {
            let text = "the configuration says mode = \"live\", and the terminal's account is a demo account; correct \
                        one of them";
            wrong(SUBJECT, Bars::Nothing, text.to_owned())
        }
        Mode::Demo | Mode::Paper if is_real => {
            let text = "the terminal's account moves real money, and the configuration says mode = \"demo\"; nothing \
                        is sent: log into a demo account, or set mode = \"live\"";
            wrong(SUBJECT, Bars::Everything, text.to_owned())
        }
        Mode::Demo | Mode::Paper => fine(SUBJECT, "the account is a demo account".to_owned()),
    }
}

fn accounting(options: &Options, state: &TerminalState) -> Looked {
    const SUBJECT: &str = "accounting";
    let configured = options.accounting.as_str();
    match Accounting::of_margin_mode(state.margin_mode) {
        Some(known) if known == options.accounting => {
            fine(SUBJECT, format!("the account is a {configured} account"))
        }
        Some(known) => {
            let text = format!(
                "the terminal's account is a {} account, the configuration says accounting = \"{configured}\"; nothing \
                 is sent until it says \"{}\"",
                known.as_str(),
                known.as_str()
            );
            wrong(SUBJECT, Bars::Everything, text)
        }
        None => {
            let text = format!(
                "the terminal tells margin mode {}, which this version does not know",
                state.margin_mode
            );
            wrong(SUBJECT, Bars::Everything, text)
        }
    }
}

fn currency(options: &Options, state: &TerminalState) -> Looked {
    const SUBJECT: &str = "account_currency";
    if state.currency == options.currency {
        let told = format!("the account's currency is {}", state.currency);
        return fine(SUBJECT, told);
    }
    let text = format!(
        "the account's currency is {}, the configuration says {}; sizes and limits would be wrong, so nothing is \
         opened: correct currency",
        state.currency, options.currency
    );
    wrong(SUBJECT, Bars::Entries, text)
}

/// Whether the terminal lets programs trade: its button and its option.
fn permissions(state: &TerminalState) -> impl Iterator<Item = Looked> {
    allowed([
        (
            "algo_trading",
            state.trade_allowed,
            "algorithmic trading is on in the terminal",
            "algorithmic trading is off in the terminal; press \"Algo Trading\" there (return code 10027)",
        ),
        (
            "python_api",
            !state.tradeapi_disabled,
            "the terminal lets other programs trade through its interface",
            "the terminal's option \"Disable automatic trading via external Python API\" is on; clear it under Tools, \
             Options, Expert Advisors",
        ),
    ])
}

/// Whether the account lets programs trade: its password and its server.
fn rights(state: &TerminalState) -> impl Iterator<Item = Looked> {
    allowed([
        (
            "password",
            state.account_trade_allowed,
            "the password lets trade",
            "the account is not allowed to trade: it is logged in with the investor's password, or the broker has \
             blocked it; log in with the master password",
        ),
        (
            "server_allows_programs",
            state.account_trade_expert,
            "the server lets programs trade",
            "the server does not let programs trade in this account; ask the broker to allow it (return code 10026)",
        ),
    ])
}

fn allowed(
    checks: [(&'static str, bool, &'static str, &'static str); 2],
) -> impl Iterator<Item = Looked> {
    checks.into_iter().map(|(subject, is_fine, good, bad)| {
        if is_fine {
            fine(subject, good.to_owned())
        } else {
            wrong(subject, Bars::Everything, bad.to_owned())
        }
    })
}

fn clock(skew_milliseconds: i64) -> Looked {
    const SUBJECT: &str = "clock";
    if skew_milliseconds.abs() <= SKEW_MILLISECONDS_MAX {
        return fine(
            SUBJECT,
            format!("the clock of the terminal's machine differs by {skew_milliseconds} ms"),
        );
    }
    let text = format!(
        "the clock of the terminal's machine differs by {skew_milliseconds} ms from this one's, more than \
         {SKEW_MILLISECONDS_MAX}; set both by network time"
    );
    wrong(SUBJECT, Bars::Nothing, text)
}

/// Looks at one symbol that is to be traded.
pub(super) fn symbol(
    name: &Symbol,
    symbols: Option<&Symbols>,
    tick: Option<(&Tick, Duration)>,
) -> Vec<Finding> {
    const WATCHED: &str = "symbol_watched";
    let Some(symbols) = symbols else {
        let text = "the terminal has not listed its symbols yet; wait some seconds".to_owned();
        return vec![wrong(WATCHED, Bars::Nothing, text).finding];
    };
    let Some(info) = symbols.get(name) else {
        let text = format!(
            "{name} is not in the terminal's Market Watch; add it there (right click, Symbols), and look how this \
             broker spells it"
        );
        return vec![wrong(WATCHED, Bars::Nothing, text).finding];
    };
    let mut found = vec![fine(WATCHED, format!("{} is in Market Watch", info.name)).finding];
    found.extend(tradable(info).map(|looked| looked.finding));
    found.push(prices(name, tick).finding);
    found
}

fn tradable(info: &SymbolInfo) -> Option<Looked> {
    const SUBJECT: &str = "symbol_tradable";
    let name = &info.name;
    let text = match info.trade_mode {
        0 => format!(
            "{name} can't be traded (its trade mode is disabled): a continuous series is for charts only, trade the \
             dated contract"
        ),
        1 => format!("{name} takes long positions only now"),
        2 => format!("{name} takes short positions only now"),
        3 => format!("positions of {name} can only be closed now"),
        _ if info.session_open == Some(false) => {
            let text = format!("the market of {name} is closed now");
            return Some(wrong("market_open", Bars::Nothing, text));
        }
        _ => return None,
    };
    Some(wrong(SUBJECT, Bars::Nothing, text))
}

fn prices(name: &Symbol, tick: Option<(&Tick, Duration)>) -> Looked {
    const SUBJECT: &str = "prices";
    match tick {
        None => {
            let text = format!(
                "the terminal has told no price of {name} yet; its market may be closed, or nobody asks for it"
            );
            wrong(SUBJECT, Bars::Nothing, text)
        }
        Some((tick, _)) if tick.bid.is_zero() && tick.ask.is_zero() => {
            let text = format!("the terminal has no quotes of {name}; its market may be closed");
            wrong(SUBJECT, Bars::Nothing, text)
        }
        Some((_, age)) if age > TICK_AGE_MAX => {
            let text = format!(
                "the newest price of {name} is {} s old; its market may be closed",
                age.as_secs()
            );
            wrong(SUBJECT, Bars::Nothing, text)
        }
        Some((tick, age)) => {
            let told = format!(
                "{name} is at {} / {}, {} s ago",
                tick.bid.normalize(),
                tick.ask.normalize(),
                age.as_secs()
            );
            fine(SUBJECT, told)
        }
    }
}

/// Holds the terminal's net positions against those that strategies explain.
pub(super) fn positions(
    at_terminal: &BTreeMap<Symbol, Decimal>,
    expected: &BTreeMap<Symbol, Decimal>,
) -> Vec<Finding> {
    const SUBJECT: &str = "positions_explained";
    let zero = Decimal::ZERO;
    let mut symbols: Vec<&Symbol> = at_terminal.keys().chain(expected.keys()).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let differences: Vec<Finding> = symbols
        .into_iter()
        .filter_map(|symbol| {
            let there = at_terminal.get(symbol).unwrap_or(&zero).normalize();
            let here = expected.get(symbol).unwrap_or(&zero).normalize();
            (there != here).then(|| {
                let text = format!(
                    "the terminal holds {there} of {symbol}, ponte's strategies {here}: somebody has traded by hand, \
                     or the broker has closed by itself; make them equal before the next alert"
                );
                wrong(SUBJECT, Bars::Nothing, text).finding
            })
        })
        .collect();
    if differences.is_empty() {
        let text = format!(
            "the terminal's positions are those of ponte's strategies ({} symbols)",
            at_terminal.len()
        );
        return vec![fine(SUBJECT, text).finding];
    }
    differences
}

#[cfg(test)]
mod tests;
