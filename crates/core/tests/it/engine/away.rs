//! A broker that can't be reached for minutes: exits wait for it, entries don't.

use super::check;
use super::script::{Play, seconds};
use super::world::{policy, terminal};

#[test]
fn an_exit_goes_once_when_the_broker_is_back() {
    for policy in [policy(), terminal()] {
        let mut play = Play::new(&policy);
        play.line("buy 1; filled 1; close; buy 1 in ETHUSDT; unreachable 2; unreachable 3");
        let begun = play.now;
        let mut told = Vec::new();
        while play.now.since(begun) < seconds(14 * 60) {
            let tick = play.told("tick 1");
            for number in [2, 3] {
                if submits(&tick, number) > 0 {
                    told.extend(play.told(&format!("unreachable {number}")));
                }
            }
            told.extend(tick);
        }
        let alarms = told.iter().filter(|line| line.starts_with("alarm"));
        assert_eq!(alarms.count(), 0, "{told:#?}");
        assert!(submits(&told, 2) > 14, "{told:#?}");
        let entry = told.iter().filter(|line| line.starts_with("ended #3"));
        let entry: Vec<_> = entry.collect();
        assert_eq!(
            entry,
            ["ended #3 expired: the broker could not take it: refused"]
        );

        let mut back = Vec::new();
        while play.now.since(begun) < seconds(20 * 60) {
            let tick = play.told("tick 1");
            if submits(&tick, 2) > 0 {
                back.extend(play.told("filled 2"));
            }
            back.extend(tick);
        }
        assert_eq!(submits(&back, 2), 1, "{back:#?}");
        assert_eq!(submits(&back, 3), 0, "{back:#?}");
        assert!(play.state.positions()[0].quantity.is_zero());
        play.check_replay();
    }
}

fn submits(told: &[String], number: usize) -> usize {
    let start = format!("> submit #{number} ");
    told.iter().filter(|line| line.starts_with(&start)).count()
}

#[test]
fn an_exit_is_given_up_loudly() {
    check(
        &policy(),
        r#"
        buy 1; filled 1; close; unreachable 2; tick 800; unreachable 2 | tick 100
            ended #2 expired: its time was over before it could be sent
            alarm exit #2 of BTCUSDT in paper was not executed: its time was over before it could be sent; 1 is still held

        buy 1 fired -50; unreachable 1 | tick 10
            ended #1 expired: its time was over before it could be sent
        "#,
    );
}

#[test]
fn of_two_exits_that_wait_one_takes_what_is_left() {
    check(
        &policy(),
        r#"
        buy 4 stop 95 price 100; filled 1; ack 2; close 2; close 2; unreachable 3; unreachable 4; report 2 3@95 | tick 1
            release #3 1
            ended #4 abandoned: nothing is left to close
            > submit #3 1 reducing
        "#,
    );
}
