//! Questions about orders, also by a process that knows nothing but what it is told.

use super::*;

/// Asks about an order and answers the bridge's part.
async fn ask(bench: &mut Bench, plan: &OrderPlan, what: Found) -> FindAnswer {
    let asked = bench.find(plan);
    let question = bench.command().await;
    assert!(is_find(&question), "{question:?}");
    bench
        .bridge
        .answer(found_result(&question, what), Vec::new())
        .await;
    bench.without_command(asked).await
}

/// An order that was handed over, and whose result was never told.
async fn lost(bench: &mut Bench, plan: &OrderPlan) -> Command {
    let submitted = bench.submit(plan);
    let command = bench.command().await;
    bench
        .bridge
        .answer(ended(&command, Outcome::Interrupted), Vec::new())
        .await;
    assert!(matches!(submitted.await.unwrap(), Fate::Unknown { .. }));
    command
}

#[tokio::test]
async fn a_lost_order_is_absent_only_when_the_look_was_conclusive() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    lost(&mut bench, &entry).await;
    let unsure = ask(&mut bench, &entry, Found::default()).await;
    assert!(matches!(unsure, FindAnswer::Unanswered(_)), "{unsure:?}");
    assert_eq!(ask(&mut bench, &entry, nothing()).await, FindAnswer::Absent);
}

#[tokio::test]
async fn what_another_process_may_have_handed_to_another_bridge_is_not_absent_yet() {
    let mut bench = Bench::netting().await;
    match ask(&mut bench, &buy(1, "2"), nothing()).await {
        FindAnswer::Unanswered(why) => assert!(why.contains("another bridge"), "{why}"),
        answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => panic!("too early: {answer:?}"),
    }
}

#[tokio::test]
async fn a_lost_order_is_found_by_its_deals_or_its_ticket() {
    let mut bench = Bench::netting().await;
    let (filled, resting) = (
        buy(1, "2"),
        plan(
            2,
            OrderClass::Entry,
            Side::Buy,
            "1",
            limit_at(price("127000")),
        ),
    );
    let command = lost(&mut bench, &filled).await;
    let (magic, _) = traded(&command);
    let deals = Found {
        deals: vec![dealt(201, 101, 101, &filled, magic, "2")],
        ..nothing()
    };
    let report = found_report(ask(&mut bench, &filled, deals).await);
    assert_eq!(
        (report.status, report.filled),
        (ReportedStatus::Filled, decimal("2"))
    );
    let command = lost(&mut bench, &resting).await;
    bench.bridge.orders = vec![pending(301, &command, 1, "1")];
    let orders = Found {
        orders: bench.bridge.orders.clone(),
        ..nothing()
    };
    let report = found_report(ask(&mut bench, &resting, orders).await);
    assert_eq!(report.status, ReportedStatus::Working);
    assert_eq!(report.broker_order_id, "301");
}

#[tokio::test]
async fn a_refusal_in_the_journal_is_told_as_one() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    lost(&mut bench, &entry).await;
    let journal = |retcode| Found {
        steps: vec![code(retcode)],
        ..nothing()
    };
    let report = found_report(ask(&mut bench, &entry, journal(10019)).await);
    assert!(
        matches!(&report.status, ReportedStatus::Rejected { reason } if reason.contains("10019")),
        "{report:?}"
    );
    // One that was refused for now may be sent again.
    let other = buy(2, "2");
    lost(&mut bench, &other).await;
    assert_eq!(
        ask(&mut bench, &other, journal(10004)).await,
        FindAnswer::Absent
    );
}

#[tokio::test]
async fn a_new_process_finds_orders_and_protection_as_they_stand() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    let magic = bench.bridge.positions[0].magic;
    let held = bench.bridge.positions[0].ticket;
    let mut anew = bench.restarted().await;
    let history = || Found {
        deals: vec![dealt(201, held, held, &entry, magic, "2")],
        ..nothing()
    };
    let report = found_report(ask(&mut anew, &entry, history()).await);
    assert_eq!(report.status, ReportedStatus::Filled);
    let report = found_report(ask(&mut anew, &stop, history()).await);
    assert_eq!(report.status, ReportedStatus::Working);
    // An order whose level is not the position's is not there, and does not disturb the one that is.
    let never_sent = stop_of(3, &entry, "2", "127700");
    assert_eq!(
        ask(&mut anew, &never_sent, history()).await,
        FindAnswer::Absent
    );
    let adapter = anew.adapter.clone();
    let asked = tokio::spawn(async move { adapter.open_orders().await });
    let open = anew.without_command(asked).await.unwrap();
    assert_eq!(
        open.iter().map(|report| report.id).collect::<Vec<_>>(),
        [stop.id]
    );
}

#[tokio::test]
async fn a_new_process_learns_what_closed_the_position_meanwhile() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "3");
    bench.filled(&entry).await;
    let (first, second) = (
        stop_of(2, &entry, "2", "127500"),
        stop_of(3, &entry, "1", "127500"),
    );
    bench.protected(&first).await;
    bench.protected(&second).await;
    let held = bench.bridge.positions.pop().unwrap();
    let mut anew = bench.restarted().await;
    let opening = dealt(201, held.ticket, held.ticket, &entry, held.magic, "3");
    let incomplete = || Found {
        deals: vec![opening.clone()],
        ..nothing()
    };
    let unsure = ask(&mut anew, &first, incomplete()).await;
    assert!(matches!(unsure, FindAnswer::Unanswered(_)), "{unsure:?}");
    let unsure = ask(&mut anew, &second, incomplete()).await;
    assert!(matches!(unsure, FindAnswer::Unanswered(_)), "{unsure:?}");
    // The terminal's history tells it, with the session or with a question.
    anew.tell(Vec::new(), vec![stopped(501, held.ticket, held.magic, "3")])
        .await;
    let told = found_report(ask(&mut anew, &first, nothing()).await);
    assert_eq!(
        (told.status, told.filled),
        (ReportedStatus::Filled, decimal("2"))
    );
    let told = found_report(ask(&mut anew, &second, nothing()).await);
    assert_eq!(
        (told.status, told.filled),
        (ReportedStatus::Filled, decimal("1"))
    );
}

#[tokio::test]
async fn protection_is_found_before_the_terminal_has_listed_its_symbols() {
    let mut bench = Bench::closed(options(Accounting::Netting));
    bench.bridge.state.margin_mode = 1;
    bench.bridge.positions = vec![Position {
        sl: decimal("127500"),
        ..position(7, "2", 0)
    }];
    bench.bridge.hello().await;
    let stop = stop_of(2, &buy(1, "2"), "2", "127500");
    let asked = bench.find(&stop);
    // A command is fetched before the list is told.
    let question = bench.bridge.command().await;
    let result = found_result(&question, nothing());
    bench.bridge.answer(result, Vec::new()).await;
    assert_eq!(
        found_report(asked.await.unwrap()).status,
        ReportedStatus::Working
    );
}

#[tokio::test]
async fn protection_of_a_position_that_a_person_closed_is_over() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    let held = bench.bridge.positions.pop().unwrap();
    let mut anew = bench.restarted().await;
    let opening = dealt(201, held.ticket, held.ticket, &entry, held.magic, "2");
    let by_hand = Deal {
        reason: 0,
        ..stopped(501, held.ticket, 0, "2")
    };
    let history = Found {
        deals: vec![opening, by_hand],
        ..nothing()
    };
    let told = found_report(ask(&mut anew, &stop, history).await);
    assert!(
        told.filled.is_zero() && cancel_reason(&told).contains("closed"),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_says_nothing() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    lost(&mut bench, &entry).await;
    let asked = bench.find(&entry);
    let question = bench.command().await;
    bench
        .bridge
        .answer(
            not_begun(&question, "the terminal is not connected"),
            Vec::new(),
        )
        .await;
    assert!(matches!(asked.await.unwrap(), FindAnswer::Unanswered(_)));
}

#[tokio::test]
async fn what_the_terminal_has_taken_is_not_absent_because_it_does_not_show_it() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    lost(&mut bench, &entry).await;
    let taken = Found {
        steps: vec![code(10009)],
        ..nothing()
    };
    match ask(&mut bench, &entry, taken).await {
        FindAnswer::Unanswered(why) => assert!(why.contains("has taken"), "{why}"),
        answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => panic!("not certain: {answer:?}"),
    }
}

#[tokio::test]
async fn a_new_process_learns_of_a_stop_that_fired_before_another_position_was_opened() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    let first = bench.bridge.positions.pop().unwrap();
    // While nobody listens the stop fires, and a pending order opens the next position.
    bench.bridge.positions = vec![Position {
        sl: decimal("127000"),
        ..position(700, "2", 0)
    }];
    let mut anew = bench.restarted().await;
    let deals = vec![
        dealt(401, 400, first.ticket, &entry, first.magic, "2"),
        stopped(501, first.ticket, first.magic, "2"),
        dealt(702, 700, 700, &buy(9, "2"), 77, "2"),
    ];
    anew.tell(Vec::new(), deals).await;
    let report = found_report(ask(&mut anew, &stop, nothing()).await);
    assert_eq!(
        (report.status, report.filled),
        (ReportedStatus::Filled, decimal("2"))
    );
}

#[tokio::test]
async fn an_order_is_not_absent_because_another_account_has_not_got_it() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    lost(&mut bench, &entry).await;
    bench.bridge.state.login = 87_654_321;
    bench.bridge.hello().await;
    let asked = bench.find(&entry);
    let answer = bench.without_command(asked).await;
    assert!(
        matches!(&answer, FindAnswer::Unanswered(why) if why.contains("another account")),
        "{answer:?}"
    );
}
