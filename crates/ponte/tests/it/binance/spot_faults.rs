//! The spot adapter when the exchange or the way to it misbehaves: fates, fences, reports.

use ponte::brokers::binance::Transport;
use ponte_core::message::{CancelAnswer, Fate, FindAnswer, NotSent, ReportedStatus};
use ponte_core::order::OrderKind;
use ponte_core::signal::Side;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::spot_exchange::{Exchange, decimal, definite, limit, pair, plan, stop};

/// Faults whose order the exchange has taken.
fn taken() -> Vec<Value> {
    vec![
        json!("accept_then_disconnect"),
        json!("error_after_accept"),
        json!({ "unknown_error": { "placed": true } }),
        json!({ "backend_timeout": { "placed": true } }),
        json!({ "unexpected_response": { "placed": true } }),
        json!({ "html_body": { "placed": true } }),
        json!("truncated_body"),
    ]
}

#[tokio::test]
async fn an_order_without_a_readable_answer_is_found() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    for (number, fault) in (1..).zip(taken()) {
        exchange.fault(fault.clone(), "place").await;
        let order = plan(number, Side::Buy, "0.01", OrderKind::MARKET);
        let fate = account.broker.submit(&order).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fault}: {fate:?}");
        let FindAnswer::Found(report) = account.find(&order).await else {
            panic!("{fault}: not found");
        };
        assert_eq!(report.filled, decimal("0.01"));
    }
    assert_eq!(exchange.orders().await.len(), taken().len());
}

#[tokio::test]
async fn an_order_that_never_arrived_is_absent_only_after_its_fence() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    exchange.fault(json!("disconnect_before"), "place").await;
    for (number, kind) in [(1, OrderKind::MARKET), (2, pair(66_000, 50_000))] {
        exchange.fault(json!("disconnect_before"), "place").await;
        let order = plan(number, Side::Buy, "0.01", kind);
        let fate = account.broker.submit(&order).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
        let FindAnswer::Unanswered(why) = account.broker.find(&order).await else {
            panic!("a definite answer while the order can still arrive");
        };
        assert!(why.contains("may still take it until"), "{why}");
        assert_eq!(account.find(&order).await, FindAnswer::Absent);
    }
    assert!(exchange.orders().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_sent_while_it_is_asked_about_is_not_absent() {
    let exchange = Exchange::start().await;
    // Nobody listens to the stream, which would tell of the order.
    let broker = exchange.connect(|_| ()).await;
    // What an earlier process may have sent can't arrive any more.
    let other = plan(1, Side::Buy, "0.01", OrderKind::MARKET);
    assert_eq!(definite(&*broker, &other).await, FindAnswer::Absent);
    for number in 2..20 {
        let order = plan(number, Side::Buy, "0.01", OrderKind::MARKET);
        exchange.faults(json!("pretend_absent"), "find", 2).await;
        let before = exchange.weight().await;
        let (asker, asked) = (broker.clone(), order.clone());
        let asking = tokio::spawn(async move { asker.find(&asked).await });
        // The first look weighs 4, reading the clock 3.
        let mut own = 1;
        while exchange.weight().await < before + own + 7 {
            own += 1;
        }
        exchange
            .fault(json!("accept_then_disconnect"), "place")
            .await;
        let fate = broker.submit(&order).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
        let in_between = !asking.is_finished();
        let answer = asking.await.unwrap();
        if in_between {
            assert_ne!(answer, FindAnswer::Absent, "the exchange has just taken it");
            return;
        }
    }
    panic!("never in between");
}

#[tokio::test]
async fn a_look_up_that_lags_is_not_believed() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let order = plan(1, Side::Buy, "0.1", limit(59_000));
    account.place(&order).await;
    exchange.fault(json!("pretend_absent"), "find").await;
    let answer = account.broker.find(&order).await;
    assert!(matches!(answer, FindAnswer::Unanswered(_)), "{answer:?}");
    assert!(matches!(account.find(&order).await, FindAnswer::Found(_)));
}

#[tokio::test]
async fn an_id_that_rests_already_is_asked_about() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let order = plan(1, Side::Buy, "0.1", limit(59_000));
    account.place(&order).await;
    let fate = account.broker.submit(&order).await;
    assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
    // Another order under the same id is not taken for ours.
    let other = plan(1, Side::Buy, "0.2", limit(59_000));
    let FindAnswer::Unanswered(why) = account.broker.find(&other).await else {
        panic!("an order of another size was adopted");
    };
    assert!(
        why.contains("is for 0.1") && why.contains("not for 0.2"),
        "{why}"
    );
    assert_eq!(exchange.orders().await.len(), 1);
}

#[tokio::test]
async fn a_definite_refusal_keeps_the_exchanges_words() {
    let exchange = Exchange::start().await;
    for orders in [Transport::Rest, Transport::WebSocket] {
        let account = exchange
            .account_with(|options| options.orders = orders)
            .await;
        let order = plan(1, Side::Buy, "100", OrderKind::MARKET);
        let Fate::Rejected { reason } = account.broker.submit(&order).await else {
            panic!("bought without money over {orders:?}");
        };
        assert!(reason.ends_with("(binance -2010)"), "{reason}");
    }
    assert!(exchange.orders().await.is_empty());
}

#[tokio::test]
async fn orders_over_the_web_socket_are_unknown_when_it_breaks() {
    let exchange = Exchange::start().await;
    let account = exchange
        .account_with(|options| options.orders = Transport::WebSocket)
        .await;
    let first = plan(1, Side::Buy, "0.01", OrderKind::MARKET);
    assert_eq!(account.place(&first).await.filled, decimal("0.01"));
    exchange
        .fault(json!("accept_then_disconnect"), "place")
        .await;
    let second = plan(2, Side::Buy, "0.01", OrderKind::MARKET);
    let fate = account.broker.submit(&second).await;
    assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
    assert!(matches!(account.find(&second).await, FindAnswer::Found(_)));
    assert_eq!(exchange.orders().await.len(), 2);
}

#[tokio::test]
async fn an_exit_does_not_wait_for_the_web_socket() {
    let exchange = Exchange::start().await;
    let broker = exchange
        .connect(|options| {
            options.orders = Transport::WebSocket;
            options.hosts.websocket_api = "ws://127.0.0.1:1".to_owned();
        })
        .await;
    let entry = plan(1, Side::Buy, "0.01", OrderKind::MARKET);
    let fate = broker.submit(&entry).await;
    assert!(matches!(fate, Fate::NotSent { .. }), "{fate:?}");
    let resting = plan(2, Side::Sell, "0.01", stop(50_000));
    let fate = broker.submit(&resting).await;
    assert!(matches!(fate, Fate::Acknowledged { .. }), "{fate:?}");
    let answer = broker.cancel(&resting).await;
    assert!(matches!(answer, CancelAnswer::Done(_)), "{answer:?}");
    let exit = plan(3, Side::Sell, "0.01", OrderKind::MARKET);
    let fate = broker.submit(&exit).await;
    assert!(matches!(fate, Fate::Acknowledged { .. }), "{fate:?}");
}

#[tokio::test]
async fn an_exchange_that_can_not_be_reached_got_nothing() {
    let exchange = Exchange::start().await;
    let broker = exchange
        .connect(|options| {
            options.hosts.rest = "http://127.0.0.1:1".to_owned();
        })
        .await;
    let order = plan(1, Side::Buy, "0.01", OrderKind::MARKET);
    let fate = broker.submit(&order).await;
    let not_sent = matches!(
        &fate,
        Fate::NotSent {
            why: NotSent::Unreachable(_)
        }
    );
    assert!(not_sent, "{fate:?}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_set_and_the_order_goes() {
    let exchange = Exchange::start().await;
    for orders in [Transport::Rest, Transport::WebSocket] {
        let account = exchange
            .account_with(|options| options.orders = orders)
            .await;
        let skews = [(1, 180_000), (2, -180_000), (3, 0)];
        for (number, skew) in skews {
            exchange.skew_clock(skew).await;
            let number = if orders == Transport::Rest {
                number
            } else {
                10 + number
            };
            let order = plan(number, Side::Buy, "0.01", OrderKind::MARKET);
            assert_eq!(account.place(&order).await.filled, decimal("0.01"));
        }
    }
    assert_eq!(exchange.orders().await.len(), 6);
    exchange.skew_clock(60_000).await;
    let broker = exchange.connect(|_| ()).await;
    let warnings = broker.check_credentials().await.unwrap().warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("clock")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn too_many_requests_are_certainly_not_taken() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    for (number, fault) in [
        (1, json!({ "rate_limited": { "retry_after": 2 } })),
        (2, json!({ "banned": { "retry_after": 2 } })),
    ] {
        exchange.fault(fault.clone(), "place").await;
        let order = plan(number, Side::Buy, "0.01", OrderKind::MARKET);
        let not_sent = |fate: &Fate| {
            matches!(
                fate,
                Fate::NotSent {
                    why: NotSent::Unreachable(_)
                }
            )
        };
        let first = account.broker.submit(&order).await;
        assert!(not_sent(&first), "{fault}: {first:?}");
        // While it lasts nothing leaves; afterwards the order goes.
        let mut second = account.broker.submit(&order).await;
        assert!(not_sent(&second), "{fault}: {second:?}");
        while not_sent(&second) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            second = account.broker.submit(&order).await;
        }
        assert!(matches!(second, Fate::Acknowledged { .. }), "{second:?}");
    }
    assert_eq!(exchange.orders().await.len(), 2);
}

#[tokio::test]
async fn a_stream_that_breaks_comes_back_and_says_so() {
    let exchange = Exchange::start().await;
    for how in ["cut", "close", "event_stream_terminated", "server_shutdown"] {
        let mut account = exchange.account().await;
        let first = exchange.orders().await.len() as u64 + 1;
        exchange.disturb_streams(how).await;
        let next = account.flows_again(first).await;
        assert!(next > first, "{how}: nothing was said to have been missed");
    }
}

#[tokio::test]
async fn a_stream_that_fell_silent_is_noticed_by_an_order() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    exchange.disturb_streams("silence").await;
    account
        .place(&plan(1, Side::Buy, "0.01", limit(59_000)))
        .await;
    account.flows_again(2).await;
}

#[tokio::test]
async fn lost_doubled_and_late_events_leave_the_totals_right() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    for (number, fault) in [
        (1, json!("duplicate_report")),
        (2, json!("reorder_report")),
        (3, json!({ "late_report": { "milliseconds": 200 } })),
    ] {
        let order = plan(number, Side::Buy, "0.01", limit(59_000));
        account.place(&order).await;
        account.report(order.id, |_| true).await;
        exchange.fault(fault, "stream").await;
        exchange.price(58_900).await;
        let report = account
            .report(order.id, |report| report.status == ReportedStatus::Filled)
            .await;
        assert_eq!(
            (report.filled, report.withheld),
            (decimal("0.01"), decimal("0.00001"))
        );
        exchange.price(60_000).await;
    }
    let order = plan(4, Side::Buy, "0.01", limit(59_000));
    account.place(&order).await;
    account.report(order.id, |_| true).await;
    exchange.fault(json!("lose_report"), "stream").await;
    exchange.price(58_900).await;
    let FindAnswer::Found(report) = account.find(&order).await else {
        panic!("not found");
    };
    assert_eq!(report.withheld, Decimal::new(1, 5));
}
