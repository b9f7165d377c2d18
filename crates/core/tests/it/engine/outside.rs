//! A person or the broker closes at the terminal what a strategy holds.

use ponte_core::id::StrategyTag;
use ponte_core::message::Input;
use ponte_core::outside::{OUTSIDE_DEALS_MAX, OutsideFill};
use ponte_core::signal::Side;

use super::check;
use super::script::Play;
use super::world::{account, decimal, policy, strategy, symbol, terminal};

#[test]
fn the_position_follows() {
    check(
        &terminal(),
        r#"
        buy 2 price 100; filled 1 | outside 7 sell 2@104 S1
            outside 7 2@104 of S1
            alarm the broker or a person closed 2 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows

        buy 2 price 100; filled 1 | outside 7 sell 0.5@104 S1
            outside 7 0.5@104 of S1
            alarm the broker or a person closed 0.5 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows

        sell 2 price 100; filled 1 | outside 7 buy 2@104 S1
            outside 7 2@104 of S1
            alarm the broker or a person closed 2 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows

        buy 2 price 100; filled 1; outside 7 sell 2@104 S1 | buy 1 for S2 price 100
            A2 accepted
            - one_strategy_per_symbol: pass
            plan #2 entry buy 1
            > submit #2 1
        "#,
    );
}

#[test]
fn no_more_than_is_held_is_booked_and_only_by_its_owner() {
    check(
        &terminal(),
        r#"
        buy 2 price 100; filled 1 | outside 7 sell 3@104 S1
            outside 7 2@104 of S1
            alarm the broker or a person closed 3 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows with 2, the other 1 was not held; compare the account's positions with ponte doctor

        buy 2 price 100; filled 1 | outside 7 buy 1@104 S1
            outside 7 0@104 of S1
            alarm the broker or a person closed 1 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte held none of it; compare the account's positions with ponte doctor

        buy 2 price 100; filled 1 | outside 7 sell 2@104 S2
            outside 7 0@104 of nobody

        heartbeat | outside 7 sell 2@104 S1
            outside 7 0@104 of nobody
        "#,
    );
}

#[test]
fn a_deal_that_is_told_again_changes_nothing() {
    check(
        &terminal(),
        r#"
        buy 2 price 100; filled 1; outside 7 sell 1@104 S1 | outside 7 sell 1@104 S1

        buy 2 price 100; filled 1; outside 7 sell 1@104 S1; restart | outside 7 sell 1@104 S1

        heartbeat; outside 7 sell 2@104 S1; buy 2 price 100; filled 1; restart | outside 7 sell 2@104 S1
        "#,
    );
}

#[test]
fn protection_follows_the_position() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | outside 7 sell 2@104 S1
            outside 7 2@104 of S1
            alarm the broker or a person closed 2 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows
            cancel requested #2: the position that it protected is gone
            > cancel #2

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; outside 7 sell 2@104 S1 | taken_away 2
            ended #2 cancelled: told to

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2 | outside 7 sell 1@104 S1
            outside 7 1@104 of S1
            alarm the broker or a person closed 1 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows
            plan #3 protection sell 1 stop 95 or 110 for #2
            > submit #3 1

        buy 2 stop 95 targets 110 price 100; filled 1; ack 2; outside 7 sell 1@104 S1 | ack 3
            acknowledged #3
            cancel requested #2: replaced by protection of the right size
            > cancel #2
        "#,
    );
}

#[test]
fn exits_that_have_nothing_left_to_close_end_quietly() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 price 100; filled 1; ack 2; close; outside 7 sell 2@104 S1 | rejected 3
            ended #3 rejected: no

        buy 2 price 100; filled 1; close; unreachable 2; outside 7 sell 2@104 S1 | tick 5
            ended #2 abandoned: nothing is left to close

        buy 2 price 100; filled 1; close; rejected 2 | outside 7 sell 2@104 S1
            outside 7 2@104 of S1
            alarm the broker or a person closed 2 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows

        buy 2 price 100; filled 1; close; outside 7 sell 1@104 S1 | filled 2 1@104
            acknowledged #2
            filled #2 1@104 (1)
        "#,
    );
}

#[test]
fn what_was_closed_before_its_entry_was_told_is_counted_when_that_is() {
    check(
        &terminal(),
        r#"
        buy 2 stop 95 price 100; unknown 1 | outside 7 sell 2@104 S1
            outside 7 0@104 of S1, 2 owed

        buy 2 stop 95 price 100; unknown 1; outside 7 sell 2@104 S1 | found 1 2@100
            acknowledged #1
            filled #1 2@100 (2)
            plan #2 protection sell 2 stop 95
            ended #1 filled
            outside 7 2@104 of S1
            alarm the broker or a person closed 2 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows
            cancel requested #2: the position that it protected is gone
            > submit #2 2

        buy 2 stop 95 price 100; unknown 1; outside 7 sell 2@104 S1 | tick 5

        buy 2 stop 95 price 100; unknown 1; outside 7 sell 2@104 S1; tick 400 | absent 1
            ended #1 expired: its time was over when the broker said that it never had it
            outside 7 0@104 of nobody

        buy 2 price 100; filled 1; buy 1 price 100; unknown 2; outside 7 sell 3@104 S1 | found 2 1@100
            acknowledged #2
            filled #2 1@100 (1)
            ended #2 filled
            outside 7 1@104 of S1
            alarm the broker or a person closed 1 BTCUSDT of S1 in paper at 104 (deal 7, stop out): Ponte's position follows
        "#,
    );
}

#[test]
fn strategies_that_share_a_symbol_keep_what_is_theirs() {
    check(
        &policy(),
        r#"
        buy 2 price 100; filled 1; buy 1 for S2 price 100; filled 2 | outside 7 sell 1@104 S2
            outside 7 1@104 of S2
            alarm the broker or a person closed 1 BTCUSDT of S2 in paper at 104 (deal 7, stop out): Ponte's position follows

        buy 2 price 100; filled 1; buy 1 for S2 price 100; filled 2 | outside 7 sell 3@104 S2
            outside 7 1@104 of S2
            alarm the broker or a person closed 3 BTCUSDT of S2 in paper at 104 (deal 7, stop out): Ponte's position follows with 1, the other 2 was not held; compare the account's positions with ponte doctor
        "#,
    );
}

#[test]
fn profit_and_fees_are_booked_and_count_for_the_day() {
    let policy = terminal();
    let mut play = Play::new(&policy);
    play.line("buy 2 stop 95 price 100; filled 1; outside 7 sell 1@104 S1");
    play.check_replay();
    let view = play.state.positions().remove(0);
    assert_eq!(
        (view.quantity, view.average_price),
        (decimal("1"), decimal("100"))
    );
    assert_eq!((view.realised, view.fees), (decimal("4"), decimal("0.5")));
    let state = play.state.account(&account("paper")).unwrap();
    let day = play.now.before(std::time::Duration::from_secs(86_400));
    assert_eq!(state.realised_since(day), decimal("3.5"));
    let position = &state.positions[&strategy("S1")][&symbol("BTCUSDT")];
    assert_eq!(position.guarded, decimal("1"));
}

#[test]
fn deals_that_were_forgotten_still_count_as_known() {
    let policy = terminal();
    let mut play = Play::new(&policy);
    play.line("buy 2 price 100; filled 1");
    let tell = |play: &mut Play<'_>, deal: u64| {
        let fill = OutsideFill {
            symbol: symbol("BTCUSDT"),
            owner: StrategyTag::of(&strategy("S2")),
            deal,
            side: Side::Sell,
            quantity: decimal("1"),
            price: decimal("100"),
            fee: decimal("0"),
            reason: "by hand".to_owned(),
            at: play.now,
        };
        play.handle(Input::FilledOutside {
            account: account("paper"),
            fill,
        })
    };
    let many = u64::try_from(OUTSIDE_DEALS_MAX).unwrap() + 10;
    for deal in 1..=many {
        assert_eq!(tell(&mut play, deal).events.len(), 1, "{deal}");
    }
    for deal in 1..=many {
        assert!(tell(&mut play, deal).events.is_empty(), "{deal}");
    }
    assert_eq!(tell(&mut play, many + 1).events.len(), 1);
}
