//! Many days at B3: a trader's year, and alerts at any time.

use std::time::Duration;

use ponte_core::b3::calendar::{parse_day, parse_time};
use ponte_core::b3::{self, CutOff};
use ponte_core::id::Symbol;
use ponte_core::instrument::Instrument;
use ponte_core::message::Event;
use ponte_core::order::{OrderClass, OrderStatus};
use ponte_core::policy::Rules;
use proptest::prelude::*;

use super::b3::at_b3;
use super::script::Play;
use super::world::{account, decimal, instrument};

/// A trader's year: every session an entry by the continuous symbol, and no exit of its own.
#[test]
fn a_year_of_day_trades_ends_every_day_flat_and_in_the_right_contract() {
    let rules = b3::Rules {
        flatten: CutOff {
            at: None,
            before_close: Some(Duration::from_secs(15 * 60)),
        },
        ..b3::Rules::default()
    };
    let calendar = rules.calendar.clone();
    let mut policy = at_b3(rules, Rules::default());
    let any = Instrument {
        price_tick: decimal("5"),
        quantity_step: decimal("1"),
        minimum_quantity: decimal("1"),
        ..instrument("WIN")
    };
    let at_b3 = policy.accounts.get_mut(&account("paper")).unwrap();
    at_b3.instruments.any_other = Some(Box::new(any));
    let mut play = Play::new(&policy);
    let (mut day, mut sessions, mut contracts) = (parse_day("2026-01-01").unwrap(), 0, Vec::new());
    while day.year() == 2026 {
        let told = play.told(&format!("at {day} 13:30:00; buy 1 in WIN1!"));
        if calendar.is_session(day) {
            sessions += 1;
            let number = play.orders.len();
            let plan = play.state.order(&play.orders[number - 1]).unwrap();
            let symbol = plan.plan.symbol.clone();
            let front = b3::contracts::front(&calendar, b3::Root::Win, day, 0);
            assert_eq!(symbol.as_str(), front.name(), "{day}");
            assert!(front.last_session(&calendar) > day);
            contracts.push(symbol.clone());
            play.line(&format!("filled {number}"));
            assert!(play.told(&format!("at {day} 17:40:00; tick")).is_empty());
            let told = play.told(&format!("at {day} 18:10:00; tick"));
            assert!(
                told.contains(&format!("cut-off of {symbol} in time")),
                "{told:?}"
            );
            play.line(&format!("filled {}", number + 1));
            assert_eq!(play.orders.len(), number + 1, "{day}");
        } else {
            assert!(told[0].contains("B3 is closed on"), "{day}: {told:?}");
        }
        // Nothing is left over night, and midnight does nothing.
        assert!(
            play.told(&format!("at {day} 23:59:59; tick; tick 2"))
                .is_empty()
        );
        let held = play.state.positions();
        assert!(held.iter().all(|held| held.quantity.is_zero()), "{day}");
        day = day.tomorrow().unwrap();
    }
    contracts.dedup();
    let names: Vec<_> = contracts.iter().map(|symbol| symbol.as_str()).collect();
    assert_eq!(
        names,
        [
            "WING26", "WINJ26", "WINM26", "WINQ26", "WINV26", "WINZ26", "WING27"
        ]
    );
    assert_eq!(sessions, 247);
    play.check_replay();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whenever alerts come: entries go only while the exchange trades them, and exits always go.
    #[test]
    fn entries_keep_the_hours_and_exits_always_go(
        steps in prop::collection::vec((0i64..40_000, 0usize..8), 1..40),
    ) {
        let rules = b3::Rules {
            no_entries: CutOff { at: parse_time("17:00"), before_close: None },
            flatten: CutOff { at: parse_time("18:00"), before_close: None },
            ..b3::Rules::default()
        };
        let mut policy = at_b3(rules.clone(), Rules::default());
        let any = Instrument { quantity_step: decimal("1"), ..instrument("WIN") };
        let at_b3 = policy.accounts.get_mut(&account("paper")).unwrap();
        at_b3.instruments.any_other = Some(Box::new(any));
        let mut play = Play::new(&policy);
        play.line("at 2026-11-02 00:00:00");
        for (minutes, what) in steps {
            let alert = [
                "buy 2 in WIN1!", "sell 1 in WIN1!", "reverse 1 in WIN1!", "target -2 in WIN1!",
                "close in WIN1!", "close 50% in WIN1!", "tick", "enter long 1 in WDO1!",
            ][what];
            // Up to an hour and a bit, sometimes weeks.
            let minutes = if minutes % 7 == 0 { minutes } else { minutes % 97 };
            play.line(&format!("wait {}", minutes * 60));
            let held: Vec<_> = play.state.positions().into_iter()
                .filter(|held| !held.quantity.is_zero() && held.key.symbol.as_str().starts_with("WIN"))
                .collect();
            let decision = play.line(alert);
            let now = b3::calendar::local(play.now);
            let mut exits = 0;
            for event in &decision.events {
                let Event::OrderPlanned { plan, .. } = event else { continue };
                match plan.class {
                    OrderClass::Entry => {
                        let hours = rules.hours(&plan.symbol, now.date());
                        let phase = hours.map(|hours| hours.phase(now.time()));
                        prop_assert_eq!(phase, Some(b3::Phase::Continuous), "{} at {}", plan.symbol, now);
                        let ends = rules.entries_end_at(&plan.symbol, now.date()).unwrap();
                        prop_assert!(now.time() < ends);
                        let b3::contracts::Name::Contract(contract) = b3::contracts::parse(&plan.symbol) else {
                            panic!("{}", plan.symbol);
                        };
                        prop_assert!(contract.last_session(&rules.calendar) > now.date());
                    }
                    OrderClass::Exit => exits += 1,
                    OrderClass::Protection => {}
                }
            }
            if alert == "close in WIN1!" {
                // What has expired is left only where there is nothing else to leave.
                let alive = held.iter().filter(|held| is_alive(&rules, &held.key.symbol, now));
                let alive = match alive.count() {
                    0 => held.len(),
                    alive => alive,
                };
                prop_assert_eq!(exits, alive, "{:?}", held);
            }
            // Everything that goes trades at once; what waits for it goes then.
            let mut next = 0;
            while next < play.orders.len() {
                next += 1;
                let order = play.state.order(&play.orders[next - 1]).unwrap();
                if order.status == OrderStatus::Submitting {
                    play.line(&format!("filled {next}"));
                    next = 0;
                }
            }
            let contracts: std::collections::BTreeSet<_> = play.state.positions().into_iter()
                .filter(|held| !held.quantity.is_zero())
                .map(|held| held.key.symbol.as_str()[..3].to_owned())
                .collect();
            let positions = play.state.positions();
            let open = positions.iter().filter(|held| !held.quantity.is_zero()).count();
            let alive = open <= contracts.len() || positions.iter().any(|held| {
                // Only a contract that expired in hand may stand beside another.
                !is_alive(&rules, &held.key.symbol, now)
            });
            prop_assert!(alive, "{positions:?}");
        }
        play.check_replay();
    }
}

fn is_alive(rules: &b3::Rules, symbol: &Symbol, now: b3::DateTime) -> bool {
    let b3::contracts::Name::Contract(contract) = b3::contracts::parse(symbol) else {
        panic!("{symbol}");
    };
    contract.last_session(&rules.calendar) >= now.date()
}
