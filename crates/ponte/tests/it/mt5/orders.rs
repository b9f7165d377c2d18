//! Entries and exits: what is sent, and what each answer or silence makes of them.

use super::*;

#[tokio::test]
async fn an_entry_brings_its_levels_and_its_protection_needs_no_command() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    let Task::Trade {
        order,
        magic,
        comment,
        reduces,
        requests,
    } = &command.task
    else {
        panic!("{command:?}")
    };
    assert_eq!(*order, entry.id.to_string());
    assert!(entry.id.to_string().ends_with(&comment[1..]) && comment.len() == 23);
    assert!(!reduces && requests.len() == 1);
    assert_eq!(requests[0].sl, Some(decimal("127500")));
    let magic = i64::try_from(*magic).unwrap();
    bench.bridge.positions = vec![Position {
        sl: decimal("127500"),
        ..position(101, "2", magic)
    }];
    let step = executed(101, 201, decimal("2"), decimal("128000"));
    let deal = dealt(201, 101, 101, &entry, magic, "2");
    bench
        .bridge
        .answer(answered(&command, vec![step]), vec![deal])
        .await;
    let report = acknowledged(submitted.await.unwrap());
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!((report.filled, report.fees), (decimal("2"), decimal("0.5")));
    bench.protected(&stop_of(2, &entry, "2", "127500")).await;
}

#[tokio::test]
async fn a_market_order_whose_deals_are_late_is_asked_about_until_they_are_there() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    let (magic, _) = traded(&command);
    let step = executed(101, 201, decimal("2"), decimal("128000"));
    bench.bridge.done(&command, vec![step]).await;
    let report = acknowledged(submitted.await.unwrap());
    assert_eq!(
        (report.status, report.filled),
        (ReportedStatus::Working, Decimal::ZERO)
    );
    let question = bench.command().await;
    assert!(is_find(&question));
    let late = Found {
        deals: vec![dealt(201, 101, 101, &entry, magic, "2")],
        ..nothing()
    };
    bench
        .bridge
        .answer(found_result(&question, late), Vec::new())
        .await;
    assert_eq!(bench.told(&entry).await.status, ReportedStatus::Filled);
}

#[tokio::test]
async fn a_part_that_was_filled_is_told_and_the_rest_is_over() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "5");
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    let (magic, _) = traded(&command);
    let step = Step {
        retcode: 10010,
        ..executed(101, 201, decimal("3"), decimal("128000"))
    };
    let request = SyncRequest {
        results: vec![answered(&command, vec![step])],
        history: vec![pending(101, &command, 2, "2")],
        deals: vec![dealt(201, 101, 101, &entry, magic, "3")],
        ..bench.bridge.facts()
    };
    bench.bridge.send(request).await.unwrap();
    let report = acknowledged(submitted.await.unwrap());
    assert_eq!(report.filled, decimal("3"));
    assert!(cancel_reason(&report).contains("only a part"));
}

#[tokio::test]
async fn refusals_are_final_for_now_or_unknown_by_their_code() {
    let mut bench = Bench::netting().await;
    bench.filled(&buy(1, "9")).await;
    let mut number = 10;
    for (code, entry, leaving) in [
        (10006, "rejected", "rejected"),
        (10019, "rejected", "rejected"),
        (10018, "rejected", "not sent"),
        (10004, "not sent", "not sent"),
        (10027, "not sent", "not sent"),
        (10012, "unknown", "unknown"),
        (10031, "unknown", "unknown"),
        (12345, "unknown", "unknown"),
    ] {
        for (plan, wanted) in [(buy(number, "1"), entry), (exit(number + 1, "1"), leaving)] {
            let submitted = bench.submit(&plan);
            let command = bench.command().await;
            bench
                .bridge
                .answer(refused(&command, code), Vec::new())
                .await;
            let fate = submitted.await.unwrap();
            let (seen, words) = match &fate {
                Fate::Acknowledged { .. } => ("acknowledged", String::new()),
                Fate::Rejected { reason } => ("rejected", reason.clone()),
                Fate::NotSent { why } => ("not sent", why.to_string()),
                Fate::Unknown { why } => ("unknown", why.clone()),
            };
            assert_eq!(seen, wanted, "{code} {fate:?}");
            assert!(words.contains(&code.to_string()), "{words}");
        }
        number += 2;
    }
}

#[tokio::test]
async fn what_was_not_begun_was_not_sent_and_what_has_no_answer_is_unknown() {
    let mut bench = Bench::netting().await;
    for (outcome, is_certain) in [
        (Outcome::NotBegun, true),
        (Outcome::Known, false),
        (Outcome::Interrupted, false),
        (Outcome::Answered, false),
    ] {
        let entry = buy(outcome as u64 + 1, "1");
        let submitted = bench.submit(&entry);
        let command = bench.command().await;
        bench
            .bridge
            .answer(ended(&command, outcome), Vec::new())
            .await;
        match submitted.await.unwrap() {
            Fate::NotSent { .. } => assert!(is_certain, "{outcome:?}"),
            Fate::Unknown { .. } => assert!(!is_certain, "{outcome:?}"),
            fate @ (Fate::Acknowledged { .. } | Fate::Rejected { .. }) => panic!("{fate:?}"),
        }
    }
    let entry = buy(9, "1");
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    let silent = Step {
        answered: false,
        error: -10_002,
        ..code(0)
    };
    bench
        .bridge
        .answer(answered(&command, vec![silent]), Vec::new())
        .await;
    assert!(matches!(submitted.await.unwrap(), Fate::Unknown { .. }));
}

#[tokio::test]
async fn a_result_that_comes_late_is_told_by_itself() {
    let mut bench = Bench::open(Options {
        answer_within: Duration::from_millis(1_500),
        ..options(Accounting::Netting)
    })
    .await;
    let entry = buy(1, "2");
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    assert!(matches!(submitted.await.unwrap(), Fate::Unknown { .. }));
    let (magic, _) = traded(&command);
    let step = executed(101, 201, decimal("2"), decimal("128000"));
    let deal = dealt(201, 101, 101, &entry, magic, "2");
    bench
        .bridge
        .answer(answered(&command, vec![step]), vec![deal])
        .await;
    assert_eq!(bench.told(&entry).await.status, ReportedStatus::Filled);
}

#[tokio::test]
async fn a_new_session_leaves_what_was_handed_over_unknown_and_says_that_something_was_missed() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    let submitted = bench.submit(&entry);
    bench.command().await;
    bench.bridge.hello().await;
    assert!(matches!(submitted.await.unwrap(), Fate::Unknown { .. }));
    bench.missed().await;
    bench.tell_everything().await;
    assert!(
        !bench.news_so_far().contains(&News::Missed),
        "once a session"
    );
}

#[tokio::test]
async fn an_exit_is_an_opposite_deal_that_only_reduces_and_never_more_than_there_is() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "3");
    bench.filled(&entry).await;
    let held = bench.bridge.positions[0].ticket;
    let leave = exit(2, "5");
    let submitted = bench.submit(&leave);
    let command = bench.command().await;
    let (magic, requests) = traded(&command);
    assert!(matches!(command.task, Task::Trade { reduces: true, .. }));
    assert_eq!(
        (requests[0].order_type, requests[0].volume),
        (1, Some(decimal("3")))
    );
    assert_eq!((requests[0].position, requests[0].sl), (None, None));
    bench.bridge.positions.clear();
    let step = executed(102, 202, decimal("3"), decimal("128000"));
    let request = SyncRequest {
        results: vec![answered(&command, vec![step])],
        history: vec![pending(102, &command, 4, "0")],
        deals: vec![dealt(202, 102, held, &leave, magic, "3")],
        ..bench.bridge.facts()
    };
    bench.bridge.send(request).await.unwrap();
    let report = acknowledged(submitted.await.unwrap());
    assert_eq!(report.filled, decimal("3"));
    assert!(
        cancel_reason(&report).contains("5 was to be closed"),
        "{report:?}"
    );
    // Nothing is left to close now, and that is certain.
    let submitted = bench.submit(&exit(3, "1"));
    let fate = bench.without_command(submitted).await;
    assert!(rejected(fate).contains("no long position of WINZ26"));
}

#[tokio::test]
async fn an_exit_waits_while_it_is_not_told_how_its_position_was_closed() {
    let mut bench = Bench::netting().await;
    bench.filled(&buy(1, "3")).await;
    bench.bridge.positions.clear();
    bench.tell_everything().await;
    let submitted = bench.submit(&exit(2, "3"));
    let fate = bench.without_command(submitted).await;
    assert!(not_sent(fate).contains("not told yet how"));
}

#[tokio::test]
async fn a_hedging_exit_closes_its_own_tickets_oldest_first_and_tells_how_far_it_came() {
    let mut bench = Bench::hedging().await;
    bench.filled(&buy(1, "2")).await;
    bench.filled(&buy(2, "3")).await;
    let other = OrderPlan {
        strategy: StrategyName::new("trend").unwrap(),
        ..buy(3, "7")
    };
    bench.filled(&other).await;
    let leave = exit(4, "4");
    let submitted = bench.submit(&leave);
    let command = bench.command().await;
    let (magic, requests) = traded(&command);
    let tickets: Vec<u64> = bench.bridge.positions.iter().map(|p| p.ticket).collect();
    let asked: Vec<_> = requests
        .iter()
        .map(|r| (r.position.unwrap(), r.volume.unwrap()))
        .collect();
    assert_eq!(
        asked,
        [(tickets[0], decimal("2")), (tickets[1], decimal("2"))]
    );
    bench.bridge.positions.remove(0);
    let steps = vec![
        executed(301, 401, decimal("2"), decimal("128000")),
        code(10018),
    ];
    let request = SyncRequest {
        results: vec![answered(&command, steps)],
        history: vec![pending(301, &command, 4, "0")],
        deals: vec![dealt(401, 301, tickets[0], &leave, magic, "2")],
        ..bench.bridge.facts()
    };
    bench.bridge.send(request).await.unwrap();
    let report = acknowledged(submitted.await.unwrap());
    assert_eq!(report.filled, decimal("2"));
    assert!(
        cancel_reason(&report).contains("market is closed"),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_ticket_that_is_gone_is_no_reason_to_leave_the_others_open() {
    let mut bench = Bench::hedging().await;
    bench.filled(&buy(1, "2")).await;
    bench.filled(&buy(2, "2")).await;
    let submitted = bench.submit(&exit(3, "4"));
    let command = bench.command().await;
    bench.bridge.positions.remove(0);
    bench
        .bridge
        .answer(refused(&command, 10036), Vec::new())
        .await;
    not_sent(submitted.await.unwrap());
}

#[tokio::test]
async fn a_pending_order_rests_fills_and_is_taken_back() {
    let mut bench = Bench::netting().await;
    let entry = plan(
        1,
        OrderClass::Entry,
        Side::Buy,
        "2",
        limit_at(price("127000")),
    );
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    let (magic, requests) = traded(&command);
    assert_eq!((requests[0].action, requests[0].order_type), (5, 2));
    bench.bridge.orders = vec![pending(101, &command, 1, "2")];
    bench.bridge.done(&command, vec![placed(101)]).await;
    assert_eq!(
        acknowledged(submitted.await.unwrap()).status,
        ReportedStatus::Working
    );
    // A part of it trades.
    bench.bridge.orders = vec![pending(101, &command, 3, "1")];
    bench
        .tell(Vec::new(), vec![dealt(201, 101, 101, &entry, magic, "1")])
        .await;
    assert_eq!(bench.told(&entry).await.filled, decimal("1"));
    // The rest is taken back; the terminal's history tells so at once.
    let cancelled = bench.cancel(&entry);
    let removal = bench.command().await;
    assert_eq!(
        (changes(&removal)[0].action, changes(&removal)[0].order),
        (8, Some(101))
    );
    bench.bridge.orders.clear();
    let request = SyncRequest {
        results: vec![answered(&removal, vec![code(10009)])],
        history: vec![pending(101, &command, 2, "1")],
        ..bench.bridge.facts()
    };
    bench.bridge.send(request).await.unwrap();
    let CancelAnswer::Done(report) = cancelled.await.unwrap() else {
        panic!("it was taken back")
    };
    assert_eq!(report.filled, decimal("1"));
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_taking_back_is_certain_or_it_is_not() {
    let mut bench = Bench::netting().await;
    let entry = plan(
        1,
        OrderClass::Entry,
        Side::Buy,
        "2",
        limit_at(price("127000")),
    );
    assert_eq!(bench.cancel(&entry).await.unwrap(), CancelAnswer::NotOpen);
    let submitted = bench.submit(&entry);
    let command = bench.command().await;
    bench.bridge.orders = vec![pending(101, &command, 1, "2")];
    bench.bridge.done(&command, vec![placed(101)]).await;
    acknowledged(submitted.await.unwrap());
    for (retcode, is_there) in [(10035, false), (10018, true), (10012, true), (10031, true)] {
        let cancelled = bench.cancel(&entry);
        let removal = bench.command().await;
        bench
            .bridge
            .answer(refused(&removal, retcode), Vec::new())
            .await;
        match cancelled.await.unwrap() {
            CancelAnswer::NotOpen => assert!(!is_there, "{retcode}"),
            CancelAnswer::Unanswered(_) => assert!(is_there, "{retcode}"),
            CancelAnswer::Done(report) => panic!("{retcode}: {report:?}"),
        }
    }
}

#[tokio::test]
async fn everything_of_a_symbol_is_taken_back_in_one_command() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    let limit = plan(
        3,
        OrderClass::Entry,
        Side::Buy,
        "1",
        limit_at(price("127000")),
    );
    let submitted = bench.submit(&limit);
    let command = bench.command().await;
    bench.bridge.orders = vec![pending(900, &command, 1, "1")];
    bench.bridge.done(&command, vec![placed(900)]).await;
    acknowledged(submitted.await.unwrap());
    let adapter = bench.adapter.clone();
    let all = tokio::spawn(async move { adapter.cancel_all(&symbol()).await });
    let removal = bench.command().await;
    let actions: Vec<u32> = changes(&removal)
        .iter()
        .map(|request| request.action)
        .collect();
    assert_eq!(actions, [8, 6]);
    bench.bridge.orders.clear();
    bench.bridge.positions[0].sl = Decimal::ZERO;
    bench.news_so_far();
    bench
        .bridge
        .done(&removal, vec![code(10009), code(10009)])
        .await;
    all.await.unwrap().unwrap();
    assert!(matches!(
        bench.told(&stop).await.status,
        ReportedStatus::Cancelled { .. }
    ));
}

#[tokio::test]
async fn an_exit_of_nothing_is_refused_once_the_bridge_is_certain() {
    let mut bench = Bench::netting().await;
    for is_certain in [false, true] {
        let submitted = bench.submit(&exit(1, "1"));
        let question = bench.command().await;
        assert!(is_find(&question));
        let what = Found {
            conclusive: is_certain,
            ..Found::default()
        };
        bench
            .bridge
            .answer(found_result(&question, what), Vec::new())
            .await;
        match submitted.await.unwrap() {
            Fate::Rejected { .. } => assert!(is_certain),
            Fate::NotSent { .. } => assert!(!is_certain),
            fate @ (Fate::Acknowledged { .. } | Fate::Unknown { .. }) => panic!("{fate:?}"),
        }
    }
}

#[tokio::test]
async fn an_entry_never_closes_what_somebody_holds_on_the_other_side() {
    let mut bench = Bench::netting().await;
    bench.bridge.positions = vec![Position {
        position_type: 1,
        ..position(7, "3", 0)
    }];
    bench.tell(Vec::new(), Vec::new()).await;
    let submitted = bench.submit(&buy(1, "2"));
    let fate = bench.without_command(submitted).await;
    assert!(not_sent(fate).contains("holds 3 short of WINZ26"));
    // It is gone, and the bridge has not told that by itself.
    bench.bridge.positions.clear();
    bench.filled(&buy(2, "2")).await;
}

#[tokio::test]
async fn an_entry_is_not_begun_after_its_own_time() {
    let mut bench = Bench::netting().await;
    let entry = OrderPlan {
        expires_at: ponte::clock::now().after(Duration::from_secs(2)),
        ..buy(1, "2")
    };
    let _submitted = bench.submit(&entry);
    let command = bench.command().await;
    assert!(command.valid_ms <= 2000, "{} ms", command.valid_ms);
}
