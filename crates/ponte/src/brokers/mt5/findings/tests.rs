//! What is wrong with a terminal, what is said of it, and what it keeps from being sent.

use super::super::samples::{decimal, options, symbol, win};
use super::*;
use crate::bridge::protocol::BridgeInfo;

fn state() -> TerminalState {
    TerminalState {
        connected: true,
        trade_allowed: true,
        tradeapi_disabled: false,
        account_trade_allowed: true,
        account_trade_expert: true,
        login: 12_345_678,
        server: "Standin-Demo".to_owned(),
        company: String::new(),
        account_trade_mode: 0,
        margin_mode: 1,
        currency: "BRL".to_owned(),
        balance: decimal("1000"),
        equity: decimal("1000"),
        margin_free: decimal("1000"),
        leverage: 1,
        build: 5000,
        ping_us: 20_000,
        server_time_ms: 0,
        time_ms: 0,
    }
}

fn seen(state: Option<TerminalState>) -> Box<Seen> {
    Box::new(Seen {
        bridge: BridgeInfo {
            kind: "python".to_owned(),
            version: "1.0".to_owned(),
            journal: "00000000000000aa".to_owned(),
        },
        state,
        session_age: Duration::from_secs(90),
        heard_ago: Duration::from_secs(40),
    })
}

fn look_at(presence: &Presence) -> Vec<Looked> {
    look(&options(Accounting::Netting), presence, None, None)
}

/// The subjects that are not fine, with what they bar.
fn wrongs(looked: &[Looked]) -> Vec<(&'static str, Bars)> {
    looked
        .iter()
        .filter(|looked| !looked.finding.is_fine)
        .map(|looked| (looked.finding.subject, looked.bars))
        .collect()
}

#[test]
fn a_terminal_as_it_should_be_bars_nothing() {
    let looked = look_at(&Presence::Present(seen(Some(state()))));
    assert_eq!(wrongs(&looked), []);
    assert!(looked.len() >= 9);
}

#[test]
fn a_bridge_that_is_not_there_is_named() {
    let cases = [
        (Presence::NeverSeen, "bridge_present", "start the bridge"),
        (
            Presence::Away(seen(Some(state()))),
            "bridge_present",
            "for 40 s",
        ),
        (Presence::Present(seen(None)), "terminal_state", "not told"),
    ];
    for (presence, subject, words) in cases {
        let looked = look_at(&presence);
        assert_eq!(wrongs(&looked), [(subject, Bars::Everything)]);
        let text = &looked.last().expect("one").finding.text;
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn each_thing_that_is_wrong_is_named_and_bars_what_it_should() {
    use Bars::{Entries, Everything, Nothing};
    type Change = fn(&mut TerminalState);
    let cases: [(&str, Bars, Change); 11] = [
        ("terminal_connected", Everything, |s| s.connected = false),
        ("account_login", Everything, |s| s.login = 7),
        ("account_login", Everything, |s| s.login = 0),
        ("account_login", Everything, |s| {
            s.server = "Other".to_owned()
        }),
        ("account_mode", Everything, |s| s.account_trade_mode = 2),
        ("accounting", Everything, |s| s.margin_mode = 2),
        ("account_currency", Entries, |s| {
            s.currency = "USD".to_owned()
        }),
        ("algo_trading", Everything, |s| s.trade_allowed = false),
        ("python_api", Everything, |s| s.tradeapi_disabled = true),
        ("password", Everything, |s| s.account_trade_allowed = false),
        ("server_allows_programs", Everything, |s| {
            s.account_trade_expert = false
        }),
    ];
    for (subject, bars, change) in cases {
        let mut state = state();
        change(&mut state);
        let looked = look_at(&Presence::Present(seen(Some(state))));
        assert_eq!(wrongs(&looked), [(subject, bars)]);
    }
    let another = TerminalState {
        login: 7,
        currency: "USD".to_owned(),
        margin_mode: 2,
        account_trade_allowed: false,
        ..state()
    };
    let looked = look_at(&Presence::Present(seen(Some(another))));
    assert_eq!(
        wrongs(&looked),
        [("account_login", Everything)],
        "what is to be done is to log in, not to describe another account"
    );
    let live = Options {
        mode: Mode::Live,
        ..options(Accounting::Netting)
    };
    let looked = look(&live, &Presence::Present(seen(Some(state()))), None, None);
    assert_eq!(
        wrongs(&looked),
        [("account_mode", Nothing)],
        "a demo account can't lose money"
    );
}

#[test]
fn clocks_and_refused_bridges_are_remarked() {
    let present = Presence::Present(seen(Some(state())));
    let look = |refusal: Option<(Refused, u64)>, skew| {
        let refusal = refusal.map(|(refused, age)| (refused, Duration::from_secs(age)));
        wrongs(&super::look(
            &options(Accounting::Netting),
            &present,
            refusal.as_ref(),
            skew,
        ))
    };
    assert_eq!(look(None, Some(-4_000)), []);
    assert_eq!(look(None, Some(-7_000)), [("clock", Bars::Nothing)]);
    let another = || Refused::AnotherBridge {
        holder: "aa".to_owned(),
        knocked: "bb".to_owned(),
    };
    assert_eq!(
        look(Some((another(), 5)), None),
        [("one_bridge", Bars::Nothing)]
    );
    assert_eq!(look(Some((another(), 500)), None), []);
    assert_eq!(
        look(Some((Refused::OtherProtocol(2), 5)), None),
        [("bridge_protocol", Bars::Nothing)]
    );
    assert_eq!(look(Some((Refused::UnknownSession, 5)), None), []);
}

#[test]
fn symbols_are_looked_at() {
    let tick = Tick {
        symbol: "WINZ26".to_owned(),
        bid: decimal("128000"),
        ask: decimal("128005"),
        last: decimal("128000"),
        time_ms: 0,
    };
    let wrong = |info: SymbolInfo, name: &str, tick: Option<u64>, of: &Tick| {
        let tick = tick.map(|age| (of, Duration::from_secs(age)));
        let found = symbol_findings(&symbol(name), info, tick);
        let wrong: Vec<&'static str> = found
            .iter()
            .filter(|f| !f.is_fine)
            .map(|f| f.subject)
            .collect();
        wrong.join(" ")
    };
    assert_eq!(wrong(win(), "WINZ26", Some(3), &tick), "");
    assert_eq!(wrong(win(), "WDOZ26", Some(3), &tick), "symbol_watched");
    assert_eq!(wrong(win(), "WINZ26", None, &tick), "prices");
    assert_eq!(wrong(win(), "WINZ26", Some(500), &tick), "prices");
    let disabled = SymbolInfo {
        trade_mode: 0,
        ..win()
    };
    assert_eq!(wrong(disabled, "WINZ26", Some(3), &tick), "symbol_tradable");
    let closed = SymbolInfo {
        session_open: Some(false),
        ..win()
    };
    assert_eq!(wrong(closed, "WINZ26", Some(3), &tick), "market_open");
    assert!(!super::symbol(&symbol("WINZ26"), None, None)[0].is_fine);
}

fn symbol_findings(
    name: &Symbol,
    info: SymbolInfo,
    tick: Option<(&Tick, Duration)>,
) -> Vec<Finding> {
    super::symbol(name, Some(&Symbols::of(&[info])), tick)
}

#[test]
fn positions_that_nobody_explains_are_named_with_both_numbers() {
    let at = |rows: &[(&str, &str)]| -> BTreeMap<Symbol, Decimal> {
        rows.iter()
            .map(|(name, lots)| (symbol(name), decimal(lots)))
            .collect()
    };
    let same = positions(&at(&[("WINZ26", "2")]), &at(&[("WINZ26", "2.0")]));
    assert!(same.len() == 1 && same[0].is_fine);
    let found = positions(
        &at(&[("WINZ26", "1"), ("WDOZ26", "-3")]),
        &at(&[("WINZ26", "2")]),
    );
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| !finding.is_fine));
    assert!(found[1].text.contains("holds 1 of WINZ26") && found[1].text.contains("strategies 2"));
}
