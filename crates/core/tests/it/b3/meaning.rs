//! Which contract a symbol means, by the day and by what a strategy is in.

use ponte_core::b3::Rules;

use super::{day, symbol};

/// `symbol`, `day`, what is in hand: what may open means, and what only leaves.
fn check(text: &str, on: &str, in_hand: &[&str], expected: &[&str]) {
    let rules = Rules::default();
    let held: Vec<_> = in_hand.iter().map(|name| symbol(name)).collect();
    let lines: Vec<_> = [true, false]
        .into_iter()
        .map(|may_open| {
            let meant = rules.meant(&symbol(text), day(on), &held, may_open);
            let mut names = vec![meant.symbol.as_str().to_owned()];
            names.extend(meant.others.iter().map(ToString::to_string));
            let mut line = names.join("+");
            if may_open && let Some(why) = meant.no_opening {
                line = format!("{line} NO: {why}");
            } else if let Some(note) = meant.note {
                line = format!("{line}: {note}");
            }
            line
        })
        .collect();
    assert_eq!(lines, expected, "{text} on {on} with {in_hand:?}");
}

#[test]
fn without_a_position_the_roll_decides() {
    let before = "WINZ26: WIN1! is WINZ26; from Wed 16 Dec 2026 on it is WING27, \
                  the last session of WINZ26 is Wed 16 Dec 2026";
    check("WIN1!", "2026-11-23", &[], &[before, before]);
    let second = "WING27: WIN2! is WING27; from Wed 16 Dec 2026 on it is WINJ27, \
                  the last session of WINZ26 is Wed 16 Dec 2026";
    check("WIN2!", "2026-11-23", &["WDOZ26"], &[second, second]);
    let after = "WING27: WIN1! is WING27; from Wed 17 Feb 2027 on it is WINJ27, \
                 the last session of WING27 is Wed 17 Feb 2027";
    check("WIN1!", "2026-12-16", &[], &[after, after]);
}

#[test]
fn with_a_position_it_is_that_contract() {
    let same = "WINZ26: WIN1! is WINZ26, in which the strategy is; new positions are opened in \
                WING27 from Wed 16 Dec 2026 on";
    check("WIN1!", "2026-11-23", &["WINZ26"], &[same, same]);
    check(
        "WIN1!",
        "2026-12-16",
        &["WINZ26"],
        &[
            "WINZ26 NO: WIN1! is WING27 for new positions (the last session of WINZ26 is Wed 16 Dec \
             2026), and the strategy still has a position or orders in WINZ26; close it and take back \
             what waits, then send the entry again",
            "WINZ26: WIN1! is WINZ26, in which the strategy is; for new positions it is WING27",
        ],
    );
    // Ahead of the roll: whoever asked for the next one by its name goes on in it.
    let ahead = "WING27: WIN1! is WING27, in which the strategy is; for new positions it is WINZ26";
    check("WIN1!", "2026-11-23", &["WING27"], &[ahead, ahead]);
}

#[test]
fn what_has_expired_hinders_no_entry() {
    check(
        "WIN1!",
        "2026-12-17",
        &["WINZ26"],
        &[
            "WING27: WIN1! is WING27; from Wed 17 Feb 2027 on it is WINJ27, the last session of \
             WING27 is Wed 17 Feb 2027",
            "WINZ26: WIN1! is WINZ26, in which the strategy is; for new positions it is WING27",
        ],
    );
}

#[test]
fn in_several_only_exits_mean_each() {
    check(
        "WIN1!",
        "2026-12-10",
        &["WING27", "WINZ26"],
        &[
            "WING27+WINZ26 NO: the strategy is in WING27 and WINZ26, and WIN1! can open in one only; \
             close all but one, or send the contract's own name",
            "WING27+WINZ26: WIN1! is WING27 and WINZ26: the strategy is in each",
        ],
    );
}

#[test]
fn names_of_contracts_are_themselves() {
    check("WINZ2026", "2026-11-23", &[], &["WINZ26", "WINZ26"]);
    check("WINZ26", "2026-12-16", &[], &["WINZ26", "WINZ26"]);
    check("DI1F2027", "2026-11-23", &[], &["DI1F27", "DI1F27"]);
    check("PETR4", "2026-11-23", &[], &["PETR4", "PETR4"]);
    check("PETR4F", "2026-11-23", &[], &["PETR4F", "PETR4F"]);
    check(
        "WDOX2026",
        "2026-11-23",
        &[],
        &[
            "WDOX26 NO: WDOX26 expired, its last session was Fri 30 Oct 2026; the current contract \
             is WDOZ26",
            "WDOX26",
        ],
    );
    check(
        "WINX26",
        "2026-11-23",
        &[],
        &[
            "WINX26 NO: there is no WINX26, WIN has contracts of the even months only; the current \
             one is WINZ26",
            "WINX26",
        ],
    );
}

#[test]
fn what_cannot_be_traded_can_still_be_left() {
    check(
        "WIN$N",
        "2026-11-23",
        &["WINZ26"],
        &[
            "WINZ26 NO: WIN$N is MetaTrader's series for charts and can't be traded; send WIN1! or \
             WINZ26",
            "WINZ26: WIN$N is WINZ26, in which the strategy is; new positions are opened in WING27 \
             from Wed 16 Dec 2026 on",
        ],
    );
    check(
        "CCM1!",
        "2026-11-23",
        &[],
        &[
            "CCM1! NO: which contract CCM1! is is not known here (known: WIN, WDO, IND, DOL, BIT); \
             send the contract's own name, such as syminfo.current_contract in Pine",
            "CCM1!",
        ],
    );
    check(
        "CCM1!",
        "2026-11-23",
        &["CCMX26"],
        &[
            "CCMX26 NO: which contract CCM1! is is not known here (known: WIN, WDO, IND, DOL, BIT); \
             send the contract's own name, such as syminfo.current_contract in Pine",
            "CCMX26: CCM1! is CCMX26, in which the strategy is",
        ],
    );
    check(
        "WIN3!",
        "2026-11-23",
        &[],
        &[
            "WIN3! NO: WIN3! is too far ahead; WIN1! and WIN2! are known here, or send the \
             contract's own name",
            "WIN3!",
        ],
    );
}
