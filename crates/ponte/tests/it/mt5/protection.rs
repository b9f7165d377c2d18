//! Protective orders, which are levels of the position.

use super::*;

/// A long position with a stop at 127500 and the order that stands for it.
async fn protected(bench: &mut Bench) -> (OrderPlan, OrderPlan) {
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    bench.news_so_far();
    (entry, stop)
}

#[tokio::test]
async fn other_levels_are_asked_for_and_the_replaced_order_goes_without_a_command() {
    let mut bench = Bench::netting().await;
    let (entry, old) = protected(&mut bench).await;
    let new = stop_of(3, &entry, "2", "127700");
    let submitted = bench.submit(&new);
    let command = bench.command().await;
    let request = &changes(&command)[0];
    assert_eq!(
        (request.action, request.sl, request.tp),
        (6, Some(decimal("127700")), None)
    );
    assert_eq!(request.position, Some(bench.bridge.positions[0].ticket));
    bench.bridge.positions[0].sl = decimal("127700");
    bench.bridge.done(&command, vec![code(10009)]).await;
    acknowledged(submitted.await.unwrap());
    assert_eq!(
        bench.news_so_far(),
        [],
        "the old one is superseded, not lost"
    );
    let cancelled = bench.cancel(&old);
    let answer = bench.without_command(cancelled).await;
    assert!(matches!(answer, CancelAnswer::Done(report) if report.id == old.id));
    // The last one takes the level with it.
    let cancelled = bench.cancel(&new);
    let command = bench.command().await;
    assert_eq!(
        (changes(&command)[0].sl, changes(&command)[0].tp),
        (None, None)
    );
    bench.bridge.positions[0].sl = Decimal::ZERO;
    bench.bridge.done(&command, vec![code(10009)]).await;
    assert!(matches!(cancelled.await.unwrap(), CancelAnswer::Done(_)));
}

#[tokio::test]
async fn a_stop_that_fires_fills_its_orders_oldest_first() {
    let mut bench = Bench::netting().await;
    let (entry, first) = protected(&mut bench).await;
    let second = stop_of(3, &entry, "1", "127500");
    bench.protected(&second).await;
    let held = bench.bridge.positions.pop().unwrap();
    // The position bears the magic number of the entry, and so does what closes it.
    let closing = [
        stopped(501, held.ticket, held.magic, "1"),
        stopped(502, held.ticket, held.magic, "1"),
    ];
    bench.tell(Vec::new(), closing.to_vec()).await;
    let told = bench.told(&first).await;
    assert_eq!(
        (told.status, told.filled),
        (ReportedStatus::Filled, decimal("2"))
    );
    let over = bench.told(&second).await;
    assert!(
        over.filled.is_zero() && cancel_reason(&over).contains("closed"),
        "{over:?}"
    );
    assert!(
        bench.news_so_far().is_empty(),
        "the entry has not traded again"
    );
}

#[tokio::test]
async fn the_last_order_answers_for_what_no_order_was_for() {
    let mut bench = Bench::netting().await;
    let (_, stop) = protected(&mut bench).await;
    let held = bench.bridge.positions.pop().unwrap();
    bench
        .tell(Vec::new(), vec![stopped(501, held.ticket, held.magic, "5")])
        .await;
    assert_eq!(bench.told(&stop).await.filled, decimal("5"));
}

#[tokio::test]
async fn levels_that_vanish_end_the_order_and_it_can_be_placed_again() {
    let mut bench = Bench::netting().await;
    let (entry, stop) = protected(&mut bench).await;
    bench.bridge.positions[0].sl = Decimal::ZERO;
    bench.tell(Vec::new(), Vec::new()).await;
    let over = bench.told(&stop).await;
    assert!(
        cancel_reason(&over).contains("stop 127500 was taken away"),
        "{over:?}"
    );
    let again = stop_of(3, &entry, "2", "127500");
    let submitted = bench.submit(&again);
    let command = bench.command().await;
    assert_eq!(changes(&command)[0].sl, Some(decimal("127500")));
    bench.bridge.positions[0].sl = decimal("127500");
    bench.bridge.done(&command, vec![code(10009)]).await;
    acknowledged(submitted.await.unwrap());
}

#[tokio::test]
async fn a_position_that_is_gone_without_a_word_ends_nothing_until_its_deals_come() {
    let mut bench = Bench::netting().await;
    let (_, stop) = protected(&mut bench).await;
    let held = bench.bridge.positions.pop().unwrap();
    bench.tell(Vec::new(), Vec::new()).await;
    assert!(bench.news_so_far().is_empty());
    bench
        .tell(Vec::new(), vec![stopped(501, held.ticket, held.magic, "2")])
        .await;
    assert_eq!(bench.told(&stop).await.status, ReportedStatus::Filled);
}

#[tokio::test]
async fn an_exit_is_told_before_the_protection_that_is_over_with_it() {
    let mut bench = Bench::netting().await;
    let (_, stop) = protected(&mut bench).await;
    let leave = exit(3, "2");
    let submitted = bench.submit(&leave);
    let command = bench.command().await;
    let (magic, _) = traded(&command);
    let held = bench.bridge.positions.pop().unwrap();
    let step = executed(601, 701, decimal("2"), decimal("128000"));
    let deal = dealt(701, 601, held.ticket, &leave, magic, "2");
    bench
        .bridge
        .answer(answered(&command, vec![step]), vec![deal])
        .await;
    acknowledged(submitted.await.unwrap());
    let order: Vec<ClientOrderId> = bench
        .news_so_far()
        .into_iter()
        .filter_map(|news| match news {
            News::Order(report) => Some(report.id),
            News::Missed | News::Outside(_) => None,
        })
        .collect();
    assert_eq!(order, [leave.id, stop.id]);
}

#[tokio::test]
async fn a_stop_that_fired_before_its_order_came_is_told_as_filled() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let held = bench.bridge.positions.pop().unwrap();
    bench
        .tell(Vec::new(), vec![stopped(501, held.ticket, held.magic, "2")])
        .await;
    let submitted = bench.submit(&stop_of(2, &entry, "2", "127500"));
    let fate = bench.without_command(submitted).await;
    let report = acknowledged(fate);
    assert_eq!(
        (report.status, report.filled),
        (ReportedStatus::Filled, decimal("2"))
    );
    // A second one finds nothing left: neither a position nor a closing.
    let submitted = bench.submit(&stop_of(3, &entry, "2", "127500"));
    let fate = bench.without_command(submitted).await;
    assert!(rejected(fate).contains("no position of WINZ26 to protect"));
}

#[tokio::test]
async fn refused_levels_are_refused_and_unclear_ones_unknown() {
    let mut bench = Bench::netting().await;
    let entry = buy(1, "2");
    bench.filled(&entry).await;
    for (number, retcode) in [(2, 10016), (3, 10018), (4, 10029), (5, 10012)] {
        let stop = stop_of(number, &entry, "2", "127500");
        let submitted = bench.submit(&stop);
        let command = bench.command().await;
        bench
            .bridge
            .answer(refused(&command, retcode), Vec::new())
            .await;
        let fate = submitted.await.unwrap();
        let is_expected = match fate {
            Fate::Rejected { .. } => retcode == 10016,
            Fate::NotSent { .. } => matches!(retcode, 10018 | 10029),
            Fate::Unknown { .. } => retcode == 10012,
            Fate::Acknowledged { .. } => false,
        };
        assert!(is_expected, "{retcode} {fate:?}");
    }
    // What nobody knows of is looked up; the position has no such level, so that it may be set again.
    let unknown = stop_of(5, &entry, "2", "127500");
    let asked = bench.find(&unknown);
    let question = bench.command().await;
    bench
        .bridge
        .answer(found_result(&question, nothing()), Vec::new())
        .await;
    assert_eq!(asked.await.unwrap(), FindAnswer::Absent);
    bench.bridge.positions[0].sl = decimal("127500");
    bench.tell(Vec::new(), Vec::new()).await;
    let asked = bench.find(&unknown);
    let question = bench.command().await;
    bench
        .bridge
        .answer(found_result(&question, nothing()), Vec::new())
        .await;
    assert_eq!(
        found_report(asked.await.unwrap()).status,
        ReportedStatus::Working
    );
}

#[tokio::test]
async fn an_entry_that_adds_brings_the_levels_of_what_is_there() {
    let mut bench = Bench::netting().await;
    let (_, stop) = protected(&mut bench).await;
    let more = buy(3, "1");
    let submitted = bench.submit(&more);
    let command = bench.command().await;
    assert_eq!(traded(&command).1[0].sl, Some(decimal("127500")));
    bench
        .bridge
        .answer(refused(&command, 10006), Vec::new())
        .await;
    rejected(submitted.await.unwrap());
    // One with another level: its own wins, and the older order is not called lost meanwhile.
    let newer = OrderPlan {
        protection: Protection {
            stop: Some(price("127700")),
            ..Protection::default()
        },
        ..buy(4, "1")
    };
    let submitted = bench.submit(&newer);
    let command = bench.command().await;
    let (magic, _) = traded(&command);
    bench.news_so_far();
    bench.bridge.positions[0].sl = decimal("127700");
    bench.bridge.positions[0].volume = decimal("3");
    bench.tell(Vec::new(), Vec::new()).await;
    let held = bench.bridge.positions[0].ticket;
    let step = executed(801, 802, decimal("1"), decimal("128000"));
    let deal = dealt(802, 801, held, &newer, magic, "1");
    bench
        .bridge
        .answer(answered(&command, vec![step]), vec![deal])
        .await;
    acknowledged(submitted.await.unwrap());
    let ended = bench
        .news_so_far()
        .into_iter()
        .any(|news| matches!(news, News::Order(report) if report.id == stop.id));
    assert!(!ended, "the older stop is superseded, not lost");
    bench.protected(&stop_of(5, &newer, "1", "127700")).await;
}

#[tokio::test]
async fn every_ticket_of_a_hedging_holding_gets_the_levels_and_no_other() {
    let mut bench = Bench::hedging().await;
    let entry = buy(1, "2");
    bench.filled(&entry).await;
    bench.filled(&buy(2, "3")).await;
    let other = OrderPlan {
        strategy: StrategyName::new("trend").unwrap(),
        ..buy(3, "7")
    };
    bench.filled(&other).await;
    let stop = stop_of(4, &entry, "5", "127500");
    let submitted = bench.submit(&stop);
    let command = bench.command().await;
    let tickets: Vec<u64> = bench.bridge.positions.iter().map(|p| p.ticket).collect();
    let asked: Vec<u64> = changes(&command)
        .iter()
        .map(|r| r.position.unwrap())
        .collect();
    assert_eq!(asked, tickets[..2]);
    for position in &mut bench.bridge.positions[..2] {
        position.sl = decimal("127500");
    }
    bench
        .bridge
        .done(&command, vec![code(10009), code(10025)])
        .await;
    acknowledged(submitted.await.unwrap());
    // Each ticket is closed for itself; the other strategy's stop is nobody's here.
    let gone: Vec<Position> = bench.bridge.positions.drain(..2).collect();
    let closing = gone.iter().zip(501..).map(|(position, ticket)| {
        stopped(
            ticket,
            position.ticket,
            position.magic,
            &position.volume.to_string(),
        )
    });
    bench.tell(Vec::new(), closing.collect()).await;
    let told = bench.told(&stop).await;
    assert_eq!(
        (told.status, told.filled),
        (ReportedStatus::Filled, decimal("5"))
    );
}

#[tokio::test]
async fn a_stop_that_fired_does_not_move_the_next_positions_levels() {
    let mut bench = Bench::netting().await;
    let first = guarded_buy(1, "2");
    bench.filled(&first).await;
    // Its stop fires before the order that stands for it is sent, and the next entry is quicker too.
    let gone = bench.bridge.positions.pop().unwrap();
    let closing = stopped(501, gone.ticket, gone.magic, "2");
    bench.tell(Vec::new(), vec![closing]).await;
    let next = OrderPlan {
        protection: Protection {
            stop: Some(price("127000")),
            ..Protection::default()
        },
        ..buy(3, "2")
    };
    bench.filled(&next).await;
    let submitted = bench.submit(&stop_of(2, &first, "2", "127500"));
    let report = acknowledged(bench.without_command(submitted).await);
    assert_eq!(
        (report.status, report.filled),
        (ReportedStatus::Filled, decimal("2"))
    );
}

#[tokio::test]
async fn a_stop_that_vanishes_is_missed_though_an_entry_without_one_waits() {
    let mut bench = Bench::netting().await;
    let waiting = plan(
        9,
        OrderClass::Entry,
        Side::Buy,
        "1",
        limit_at(price("126000")),
    );
    let submitted = bench.submit(&waiting);
    let command = bench.command().await;
    let order = bench.ticket();
    bench.bridge.orders = vec![pending(order, &command, 1, "1")];
    bench.bridge.done(&command, vec![placed(order)]).await;
    acknowledged(submitted.await.unwrap());
    let (_, stop) = protected(&mut bench).await;
    bench.bridge.positions[0].sl = Decimal::ZERO;
    bench.tell(Vec::new(), Vec::new()).await;
    let over = bench.told(&stop).await;
    assert!(cancel_reason(&over).contains("taken away"), "{over:?}");
}

#[tokio::test]
async fn a_stop_that_executes_beside_an_exit_is_told_though_it_opens_the_other_side() {
    let mut bench = Bench::netting().await;
    let (_, stop) = protected(&mut bench).await;
    let held = bench.bridge.positions.pop().unwrap();
    let leaving = exit(3, "2");
    let closed = dealt(401, 400, held.ticket, &leaving, 7, "2");
    bench.tell(Vec::new(), vec![closed]).await;
    let over = bench.told(&stop).await;
    assert!(cancel_reason(&over).contains("closed"), "{over:?}");
    // The server had sent the stop's order to the exchange before the exit was executed.
    let late = stopped(501, 1501, held.magic, "2");
    bench.bridge.positions = vec![Position {
        position_type: 1,
        ..position(1501, "2", held.magic)
    }];
    let order = TradeOrder {
        ticket: late.order,
        symbol: "WINZ26".to_owned(),
        order_type: 1,
        state: 4,
        magic: held.magic,
        position_id: held.identifier,
        volume_initial: decimal("2"),
        volume_current: Decimal::ZERO,
        price_open: decimal("127500"),
        price_stoplimit: Decimal::ZERO,
        sl: Decimal::ZERO,
        tp: Decimal::ZERO,
        reason: 4,
        time_ms: 1,
        time_done_ms: 1,
        comment: String::new(),
    };
    bench.tell(vec![order], vec![late]).await;
    assert_eq!(bench.told(&stop).await.filled, decimal("2"));
}

#[tokio::test]
async fn a_stop_that_its_entry_brought_rests_though_trading_is_switched_off_meanwhile() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    bench.bridge.state.trade_allowed = false;
    bench.tell(Vec::new(), Vec::new()).await;
    bench.protected(&stop_of(2, &entry, "2", "127500")).await;
    // Another level can't be had now.
    let submitted = bench.submit(&stop_of(3, &entry, "2", "127700"));
    let why = not_sent(bench.without_command(submitted).await);
    assert!(why.contains("lgo"), "{why}");
}
