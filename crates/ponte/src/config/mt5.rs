//! Reads `[accounts.mt5]`: what only accounts in a `MetaTrader` 5 terminal have.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use ponte_core::id::{AccountName, Symbol};

use super::finding::{Notes, Problem};
use super::keys::MT5;
use super::model::{Accounting, Mt5Broker, OrderLife, VolumeFilling};
use super::secrets::secret_reference;
use super::sections::{Mentions, Mt5Mention};
use super::table::{Spot, Table};
use super::value::{self, Value, quoted, unexpected};

/// Longest name of a trade server, in bytes.
const SERVER_BYTES_MAX: usize = 128;
const LOGIN_MAX: u64 = i64::MAX.unsigned_abs();
const DEVIATION_DEFAULT: u64 = 20;
const DEVIATION_MAX: u64 = 100_000;
/// Below the 10 s after which execution calls the fate of an order unknown without asking further.
const ANSWER_DEFAULT: Duration = Duration::from_secs(9);
const ANSWER_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(9);
const VALID_DEFAULT: Duration = Duration::from_secs(5);
const VALID_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);

pub(super) fn mt5(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    account: &Table<'_, '_>,
    name: Option<&AccountName>,
    base: &Path,
) -> Option<Mt5Broker> {
    if !account.has("mt5") {
        let problem = Problem::new("missing, and an account in MetaTrader 5 needs its terminal");
        let problem = problem.cured_by("add a section [accounts.mt5] with login, server and token");
        notes.error("accounts.mt5", &account.at, problem);
        return None;
    }
    let table = account.child(notes, "mt5", &MT5);
    if table.is_absent() {
        return None;
    }
    let login = table.required(notes, "login", |value| {
        let login = value::whole_number(value, 1..=LOGIN_MAX)?;
        i64::try_from(login).map_err(|error| Problem::new(error.to_string()))
    });
    let server = table.required(notes, "server", server);
    let token = secret_reference(notes, &table, "token", base);
    if let Some(account) = name {
        mentions.mt5.push(Mt5Mention {
            account: account.clone(),
            at: table.at.clone(),
            login: login.clone(),
            server: server.as_ref().map(|server| server.value.clone()),
            token: token.clone(),
        });
    }
    let trading = trading(notes, &table);
    let symbols = symbols(notes, &table);
    let (answer_within, valid) = timing(notes, &table);
    Some(Mt5Broker {
        login: login?.value,
        server: server?.value,
        token: token?.value,
        accounting: trading.accounting,
        deviation_points: trading.deviation_points,
        filling: trading.filling,
        pending_orders_last: trading.pending_orders_last,
        symbols,
        answer_within,
        valid,
    })
}

fn server(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let server = text.trim();
    if server.is_empty() || server.len() > SERVER_BYTES_MAX || server.chars().any(char::is_control)
    {
        let problem = unexpected("the name of a trade server", value);
        return Err(problem.cured_by("write it as the terminal's window for logging in shows it"));
    }
    Ok(server.to_owned())
}

/// How orders are sent.
struct Trading {
    accounting: Accounting,
    deviation_points: u64,
    filling: Option<VolumeFilling>,
    pending_orders_last: OrderLife,
}

fn trading(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Trading {
    let accounting = table.read(notes, "accounting", |value| {
        let kinds = [
            ("netting", Accounting::Netting),
            ("hedging", Accounting::Hedging),
        ];
        value::choice(value, &kinds)
    });
    let deviation = table.read(notes, "deviation_points", |value| {
        value::whole_number(value, 0..=DEVIATION_MAX)
    });
    let filling = table.read(notes, "filling", |value| {
        let kinds = [
            ("auto", None),
            ("fok", Some(VolumeFilling::FillOrKill)),
            ("ioc", Some(VolumeFilling::ImmediateOrCancel)),
            ("return", Some(VolumeFilling::Return)),
        ];
        value::choice(value, &kinds)
    });
    let lasting = table.read(notes, "pending_orders_last", |value| {
        let lives = [("gtc", OrderLife::UntilCancelled), ("day", OrderLife::Day)];
        value::choice(value, &lives)
    });
    Trading {
        accounting: accounting.map_or(Accounting::Netting, |spot| spot.value),
        deviation_points: deviation.map_or(DEVIATION_DEFAULT, |spot| spot.value),
        filling: filling.and_then(|spot| spot.value),
        pending_orders_last: lasting.map_or(OrderLife::UntilCancelled, |spot| spot.value),
    }
}

/// Names as the terminal writes them: it tells upper from lower case.
fn symbols(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Vec<String> {
    let list = table.list(notes, "symbols", |value| {
        let name = value::name(value, "a symbol", |text| {
            Symbol::new(text).map(|_| text.trim().to_owned())
        })?;
        match name.rsplit_once(':') {
            None => Ok(name),
            Some((exchange, bare)) => Err(Problem::new(format!(
                "{} has an exchange in front, which no terminal writes",
                quoted(&name)
            ))
            .cured_by(format!("write \"{bare}\" without \"{exchange}:\""))),
        }
    });
    let mut symbols = Vec::new();
    for Spot { value: name, at } in list.into_iter().flat_map(|list| list.value) {
        if symbols.contains(&name) {
            let problem = Problem::new(format!("{} is named twice", quoted(&name)));
            notes.warning("accounts.mt5.symbols", &at, problem);
            continue;
        }
        symbols.push(name);
    }
    symbols
}

fn timing(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> (Duration, Duration) {
    let answer = table.read(notes, "answer_within", |value| {
        value::duration(value, ANSWER_RANGE)
    });
    let valid = table.read(notes, "valid", |value| value::duration(value, VALID_RANGE));
    (
        answer.map_or(ANSWER_DEFAULT, |spot| spot.value),
        valid.map_or(VALID_DEFAULT, |spot| spot.value),
    )
}
