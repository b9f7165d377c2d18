//! The loss of a trading day: what counts, what it stops, and until when.

use ponte_core::policy::{DailyLossAction, Policy, Rules};

use super::check;
use super::world::{account, decimal, with_rules};

/// An account that may lose 10 a day. The script begins at 08:00 UTC.
fn limited(action: DailyLossAction) -> Policy {
    with_rules(Rules {
        max_daily_loss: Some(decimal("10")),
        daily_loss_action: action,
        ..Rules::default()
    })
}

#[test]
fn realised_losses_stop_entries_until_the_day_is_over() {
    check(
        &limited(DailyLossAction::Block),
        r#"
        buy 2; filled 1; close; report 2 2@95.5 | buy 1
            A3 accepted
            - max_daily_loss: pass (9 of 10)
            plan #3 entry buy 1
            > submit #3 1

        buy 2; filled 1; close; report 2 2@95 | buy 1
            A3 refused: the loss of this trading day is 10 USDT, max_daily_loss of account paper is 10 USDT; entries are refused until 2027-01-16T00:00:00.000000Z
            - max_daily_loss: refuse (10 of 10)

        buy 2; filled 1; close; report 2 2@95 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions stay

        buy 2; filled 1; close; report 2 2@95; tick 1 | tick 1

        buy 2; filled 1; close; report 2 2@95; tick 1; wait 57500 | buy 1
            A3 refused: the loss of this trading day reached 10 USDT, max_daily_loss of account paper is 10 USDT; entries are refused until 2027-01-16T00:00:00.000000Z
            - max_daily_loss: refuse (10 of 10)

        buy 2; filled 1; close; report 2 2@95; tick 1; wait 57600 | buy 1
            A3 accepted
            - max_daily_loss: pass (0 of 10)
            plan #3 entry buy 1
            > submit #3 1

        buy 2; filled 1; close; report 2 2@96; buy 2; filled 3; close; report 4 2@101 | buy 1
            A5 accepted
            - max_daily_loss: pass (6 of 10)
            plan #5 entry buy 1
            > submit #5 1

        buy 2; filled 1; close; report 2 2@95; tick 1 | close
            A3 accepted: already flat: nothing to close

        buy 2; filled 1; sell 4 | report 2 2@95
            acknowledged #2
            filled #2 2@95 (2)
            ended #2 filled
            ended #3 abandoned: max_daily_loss is reached

        buy 2; filled 1; buy 1 limit 90; ack 2; buy 1 in ETHUSDT; report 3 0.5@100; close; report 4 2@95 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions stay
            cancel requested #3: max_daily_loss is reached
            > cancel #3
        "#,
    );
}

#[test]
fn open_losses_count_and_open_gains_do_not() {
    check(
        &limited(DailyLossAction::Block),
        r#"
        buy 2; filled 1; market 95.5 | buy 1
            A2 accepted
            - max_daily_loss: pass (9 of 10)
            plan #2 entry buy 1
            > submit #2 1

        buy 2; filled 1; market 95 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions stay

        buy 2; filled 1; market 95; tick 1; market 100 | buy 1
            A2 refused: the loss of this trading day reached 10 USDT, max_daily_loss of account paper is 10 USDT; entries are refused until 2027-01-16T00:00:00.000000Z
            - max_daily_loss: refuse (0 of 10)

        buy 2; filled 1; market 95; tick 1; market 100 | sell 3
            A2 accepted: only the close is sent: the loss of this trading day reached 10 USDT, max_daily_loss of account paper is 10 USDT; entries are refused until 2027-01-16T00:00:00.000000Z
            - max_daily_loss: refuse (0 of 10), the loss of this trading day reached 10 USDT, max_daily_loss of account paper is 10 USDT; entries are refused until 2027-01-16T00:00:00.000000Z
            plan #2 exit sell 2 reducing
            > submit #2 2 reducing

        buy 4; filled 1; close 2; report 2 2@96; market 99 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions stay

        buy 4; filled 1; close 2; report 2 2@95; market 200 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions stay

        sell 2; filled 1; market 105 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions stay

        buy 2; filled 1; market none | tick 1
        "#,
    );
}

#[test]
fn flatten_closes_once() {
    check(
        &limited(DailyLossAction::Flatten),
        r#"
        buy 2 stop 90 price 100; filled 1; ack 2; buy 1 limit 90 price 100; ack 3; market 95 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions are closed at the market
            flatten account paper by max_daily_loss
            cancel requested #3: flattened
            plan #4 exit sell 2 reducing
            plan #5 exit sell 1 reducing waits #3
            > cancel #3
            > submit #4 2 reducing

        buy 2; filled 1; market 95; tick 1 | tick 1

        buy 2; filled 1; market 95; tick 1; report 2 2@94 | tick 1

        buy 2; filled 1; market 95; tick 1; restart | tick 1

        buy 1; ack 1; buy 2 in ETHUSDT; filled 2; close in ETHUSDT; report 3 2@95 | tick 1
            daily loss of paper reached: 10 of 10
            alarm account paper has lost 10 USDT on this trading day, max_daily_loss is 10 USDT: nothing is entered until 2027-01-16T00:00:00.000000Z, working entries are taken back, its positions are closed at the market
            flatten account paper by max_daily_loss
            cancel requested #1: flattened
            plan #4 exit sell 1 reducing waits #1
            > cancel #1
        "#,
    );
}

#[test]
fn the_day_begins_where_the_account_says() {
    // 08:00 UTC is 05:00 in São Paulo: its day has 19 hours left, UTC's 16.
    let mut policy = limited(DailyLossAction::Block);
    let paper = policy.accounts.get_mut(&account("paper")).unwrap();
    paper.utc_offset_seconds = -10_800;
    check(
        &policy,
        r#"
        buy 2; filled 1; close; report 2 2@95; tick 1; wait 68300 | buy 1
            A3 refused: the loss of this trading day reached 10 USDT, max_daily_loss of account paper is 10 USDT; entries are refused until 2027-01-16T03:00:00.000000Z
            - max_daily_loss: refuse (10 of 10)

        buy 2; filled 1; close; report 2 2@95; tick 1; wait 68400 | buy 1
            A3 accepted
            - max_daily_loss: pass (0 of 10)
            plan #3 entry buy 1
            > submit #3 1
        "#,
    );
}

#[test]
fn a_raised_limit_holds_at_once() {
    let policy = limited(DailyLossAction::Block);
    let mut play = super::script::Play::new(&policy);
    play.line("buy 2; filled 1; close; report 2 2@95; tick 1");
    let raised = with_rules(Rules {
        max_daily_loss: Some(decimal("20")),
        ..Rules::default()
    });
    play.policy = &raised;
    assert!(play.told("buy 1").contains(&"> submit #3 1".to_owned()));
    let same = limited(DailyLossAction::Block);
    play.policy = &same;
    let told = play.told("buy 1");
    assert!(
        told[0].starts_with("A4 refused: the loss of this trading day reached 10"),
        "{told:?}"
    );
}

#[test]
fn fees_are_lost() {
    let policy = limited(DailyLossAction::Block);
    let mut play = super::script::Play::new(&policy);
    play.line("buy 1");
    let Some(ponte_core::message::Input::Reported {
        account,
        mut report,
    }) = play.input("filled 1")
    else {
        panic!("a report was expected");
    };
    report.fees = decimal("10");
    play.handle(ponte_core::message::Input::Reported { account, report });
    let told = play.told("tick 1");
    assert_eq!(told[0], "daily loss of paper reached: 10 of 10");
    play.check_replay();
}
