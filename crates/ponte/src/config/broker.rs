//! Reads which broker an account has and in which mode, and holds each key to the broker that has it.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use ponte_core::id::AccountName;
use ponte_core::policy::Mode;

use super::binance::binance;
use super::finding::{Notes, Problem};
use super::keys::{BINANCE, MT5};
use super::model::Broker;
use super::mt5::mt5;
use super::paper::{PAPER_KEYS, paper};
use super::sections::Mentions;
use super::table::{Spot, Table};
use super::value::{self, Value, unexpected};

/// The brokers by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Paper,
    Binance,
    Mt5,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Binance => "binance",
            Self::Mt5 => "mt5",
        }
    }
}

const KINDS: [(&str, Kind); 3] = [
    (Kind::Paper.name(), Kind::Paper),
    (Kind::Binance.name(), Kind::Binance),
    (Kind::Mt5.name(), Kind::Mt5),
];
const MODES: [(&str, Mode); 3] = [
    ("paper", Mode::Paper),
    ("demo", Mode::Demo),
    ("live", Mode::Live),
];

/// Reads the broker and the mode; `None` for what can't be told.
pub(super) fn broker(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    name: Option<&AccountName>,
    base: &Path,
) -> (Option<Broker>, Option<Mode>) {
    let kind = table.required(notes, "broker", |value| value::choice(value, &KINDS));
    let kind = kind.map(|spot| spot.value);
    let mode = table.required(notes, "mode", |value| value::choice(value, &MODES));
    let mode = mode.filter(|mode| kind.is_none_or(|kind| goes_with(notes, kind, mode)));
    real_money(notes, table, mode.as_ref());
    let mode = mode.map(|spot| spot.value);
    if let Some(kind) = kind {
        of_others(notes, table, kind);
    }
    let broker = match kind {
        Some(Kind::Paper) => Some(Broker::Paper(paper(notes, table))),
        Some(Kind::Binance) => {
            binance(notes, mentions, table, name, mode, base).map(Broker::Binance)
        }
        Some(Kind::Mt5) => mt5(notes, mentions, table, name, base).map(Broker::Mt5),
        None => {
            // Whatever the broker is, a value that can't be read is wrong, and so is an unknown key.
            paper(notes, table);
            table.child(notes, "binance", &BINANCE);
            table.child(notes, "mt5", &MT5);
            None
        }
    };
    (broker, mode)
}

fn goes_with(notes: &mut Notes<'_>, kind: Kind, mode: &Spot<Mode>) -> bool {
    let problem = match (kind, mode.value) {
        (Kind::Paper, Mode::Paper) | (Kind::Binance | Kind::Mt5, Mode::Demo | Mode::Live) => {
            return true;
        }
        (Kind::Paper, Mode::Demo | Mode::Live) => Problem::new(
            "broker \"paper\" has no other mode than \"paper\", its orders never leave this machine",
        )
        .cured_by("write mode = \"paper\", or another broker"),
        (Kind::Binance, Mode::Paper) => {
            Problem::new("broker \"binance\" has no mode \"paper\", its orders reach the exchange")
                .cured_by(
                    "write mode = \"demo\"; broker = \"paper\" with prices = [\"binance\"] simulates \
                     on Binance's prices",
                )
        }
        (Kind::Mt5, Mode::Paper) => {
            Problem::new("broker \"mt5\" has no mode \"paper\", its orders reach the terminal")
                .cured_by("write mode = \"demo\" and log the terminal into a demo account")
        }
    };
    notes.error("accounts.mode", &mode.at, problem);
    false
}

/// Real money moves only where somebody wrote that it may.
fn real_money(notes: &mut Notes<'_>, table: &Table<'_, '_>, mode: Option<&Spot<Mode>>) {
    const KEY: &str = "trade_real_money";
    const MEANING: &str = "orders of this account move real money";
    let written = table.read(notes, KEY, value::truth);
    let Some(mode) = mode else {
        return;
    };
    let path = table.section.path_of(KEY);
    match (mode.value, written) {
        (Mode::Live, Some(written)) if !written.value => {
            let problem = Problem::new(format!("is false in mode \"live\", in which {MEANING}"));
            let problem = problem.cured_by("write true, or mode = \"demo\"");
            notes.error(&path, &written.at, problem);
        }
        (Mode::Live, None) if !table.has(KEY) => {
            let problem = Problem::new(format!("missing in mode \"live\": {MEANING}"));
            let problem = problem.cured_by("add trade_real_money = true, or write mode = \"demo\"");
            notes.error(&path, &mode.at, problem);
        }
        (Mode::Paper | Mode::Demo, Some(written)) if written.value => {
            let problem = Problem::new("is true, but only mode \"live\" moves real money");
            notes.error(&path, &written.at, problem.cured_by("take it out"));
        }
        (Mode::Paper | Mode::Demo | Mode::Live, _) => {}
    }
}

/// Notes what belongs to another broker than this one.
fn of_others(notes: &mut Notes<'_>, table: &Table<'_, '_>, kind: Kind) {
    if kind != Kind::Paper {
        not_paper(notes, table, kind);
    }
    for (section, other) in [("binance", Kind::Binance), ("mt5", Kind::Mt5)] {
        let Some(value) = table.value(section).filter(|_| other != kind) else {
            continue;
        };
        let (other, this) = (other.name(), kind.name());
        let problem = Problem::new(format!(
            "belongs to broker \"{other}\", this account's is \"{this}\""
        ));
        let problem = problem.cured_by(format!("take it out, or write broker = \"{other}\""));
        notes.misplaced(&table.section.path_of(section), &value.span(), problem);
    }
}

fn not_paper(notes: &mut Notes<'_>, table: &Table<'_, '_>, kind: Kind) {
    for key in PAPER_KEYS {
        let Some(value) = table.value(key) else {
            continue;
        };
        let problem = Problem::new(format!(
            "belongs to broker \"paper\", this account's is \"{}\"",
            kind.name()
        ));
        let problem = problem.cured_by(match (key, kind) {
            ("url", Kind::Binance) => {
                "take it out; a test venue's url is written below [accounts.binance]"
            }
            ("leverage", Kind::Binance) => {
                "take it out; that of futures is written below [accounts.binance]"
            }
            ("instruments", Kind::Binance) => {
                "take it out; Binance says itself what its instruments are"
            }
            ("url", Kind::Mt5) => {
                "take it out; the bridge beside the terminal calls the address of [bridge]"
            }
            ("leverage", Kind::Mt5) => "take it out; the account has its own at the broker",
            ("instruments", Kind::Mt5) => {
                "take it out; the terminal says itself what its symbols are"
            }
            (_, Kind::Paper | Kind::Binance | Kind::Mt5) => "take it out",
        });
        notes.error(&table.section.path_of(key), &value.span(), problem);
    }
}

/// `http://`, a loopback address and a port; nothing else, so that orders for a test venue can't
/// leave the machine.
pub(super) fn venue_url(value: &Value<'_>, port: u16) -> Result<String, Problem> {
    let cure = format!("write it like \"http://127.0.0.1:{port}\"");
    let text = value::text(value)?;
    let host = text
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'));
    let address = host.map(|host| host.replace("localhost:", "127.0.0.1:"));
    let address = address.and_then(|address| address.parse::<SocketAddr>().ok());
    match address.map(|address| (address.ip(), address.port())) {
        Some((ip, 1..)) if is_loopback(ip) => Ok(text.trim_end_matches('/').to_owned()),
        Some((_, 0)) | None => {
            Err(unexpected("http, a loopback address and a port", value).cured_by(cure))
        }
        Some((ip, _)) => Err(Problem::new(format!(
            "{ip} is not a loopback address, and a venue is reached on its own machine only"
        ))
        .cured_by(cure)),
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
