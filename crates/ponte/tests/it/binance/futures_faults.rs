//! What the futures adapter makes of an exchange that misbehaves: never a wrong certainty, never a second order.

use ponte_core::fate::{Fate, FindAnswer, NotSent, ReportedStatus};
use serde_json::json;

use super::futures_exchange::{Exchange, accepted, buy, buy_limit, stop, totals};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_without_an_answer_is_unknown_and_then_found() {
    for fault in [
        json!("accept_then_disconnect"),
        json!("error_after_accept"),
        json!("truncated_body"),
        json!({ "unknown_error": { "placed": true } }),
        json!({ "backend_timeout": { "placed": true } }),
        json!({ "html_body": { "placed": true } }),
    ] {
        let exchange = Exchange::start().await;
        let account = exchange.account().await;
        exchange.fault(fault.clone(), "place").await;
        let fate = account.broker.submit(&buy(1)).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fault}: {fate:?}");
        assert_eq!(totals(&account.found(&buy(1)).await), ["0.1", "60000", "3"]);
        exchange.fault(fault.clone(), "place").await;
        let fate = account.broker.submit(&stop(2, 50_000)).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fault}: {fate:?}");
        let report = account.found(&stop(2, 50_000)).await;
        assert_eq!(report.status, ReportedStatus::Working);
        assert_eq!(accepted(&exchange.audit().await), (1, 1), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_arrived_is_absent_only_after_its_time_fence() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let (entry, protective) = (buy(1), stop(2, 50_000));
    for order in [&entry, &protective] {
        exchange.fault(json!("disconnect_before"), "place").await;
        let fate = account.broker.submit(order).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
    }
    let early = account.broker.find(&entry).await;
    let FindAnswer::Unanswered(why) = early else {
        panic!("the exchange could still take it: {early:?}");
    };
    assert!(why.contains("may still take it until"), "{why}");
    assert_eq!(account.find(&entry).await, FindAnswer::Absent);
    assert_eq!(account.find(&protective).await, FindAnswer::Absent);
    assert_eq!(accepted(&exchange.audit().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_that_is_behind_does_not_make_an_order_absent() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let resting = buy_limit(1, 50_000);
    account.submit(&resting).await;
    exchange.faults(json!("pretend_absent"), "find", 4).await;
    let report = account.found(&resting).await;
    assert_eq!(report.status, ReportedStatus::Working);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_rests_is_not_absent_because_its_look_up_says_so() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    account.submit(&buy(1)).await;
    let protective = stop(2, 59_000);
    account.submit(&protective).await;
    // A process that knows nothing of it, and whose fence for what came before it has passed.
    let newcomer = exchange.account().await;
    assert_eq!(newcomer.find(&stop(3, 58_000)).await, FindAnswer::Absent);
    exchange.faults(json!("pretend_absent"), "find", 4).await;
    let answer = newcomer.broker.find(&protective).await;
    let FindAnswer::Found(report) = answer else {
        panic!("it is in the list of what is open: {answer:?}");
    };
    assert_eq!(report.status, ReportedStatus::Working);
}

#[tokio::test(flavor = "multi_thread")]
async fn certain_failures_may_be_sent_again() {
    for fault in [
        json!("service_unavailable"),
        json!("internal_error"),
        json!("overloaded"),
    ] {
        let exchange = Exchange::start().await;
        let account = exchange.account().await;
        exchange.fault(fault.clone(), "place").await;
        let fate = account.broker.submit(&buy(1)).await;
        let again = matches!(
            fate,
            Fate::NotSent {
                why: NotSent::Unreachable(_)
            }
        );
        assert!(again, "{fault}: {fate:?}");
        account.submit(&buy(1)).await;
        assert_eq!(accepted(&exchange.audit().await), (0, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_id_is_asked_about() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    for order in [buy_limit(1, 50_000), stop(2, 50_000)] {
        account.submit(&order).await;
        let fate = account.broker.submit(&order).await;
        assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
        assert_eq!(account.found(&order).await.status, ReportedStatus::Working);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_order_under_the_same_id_is_not_adopted() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    account.submit(&buy(1)).await;
    let mut other = buy(1);
    other.side = ponte_core::signal::Side::Sell;
    let answer = account.broker.find(&other).await;
    let FindAnswer::Unanswered(why) = answer else {
        panic!("it is another order: {answer:?}");
    };
    assert!(why.contains("side BUY"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_event_is_noticed_and_made_good() {
    let exchange = Exchange::start_with(|options| {
        options.fill_model.resting_fill_share = rust_decimal::Decimal::new(25, 2);
    })
    .await;
    let mut account = exchange.account().await;
    let entry = buy_limit(1, 59_000);
    account.submit(&entry).await;
    account.report(|report| report.id == entry.id).await;
    for _ in 0..3 {
        exchange.fault(json!("lose_report"), "stream").await;
    }
    for at in [58_990, 58_980, 58_970, 58_960] {
        exchange.price(at).await;
    }
    let report = account.end_of(&entry).await;
    assert_eq!(totals(&report), ["0.1", "59000", "1.18"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_twice_or_out_of_order_change_nothing() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    for fault in ["duplicate_report", "reorder_report", "duplicate_report"] {
        exchange.fault(json!(fault), "stream").await;
    }
    account.submit(&buy(1)).await;
    let protective = stop(2, 59_000);
    account.submit(&protective).await;
    for fault in ["reorder_report", "duplicate_report", "reorder_report"] {
        exchange.fault(json!(fault), "stream").await;
    }
    exchange.price(58_900).await;
    let report = account.end_of(&protective).await;
    assert_eq!(totals(&report), ["0.1", "58900", "2.945"]);
    let known = account.found(&protective).await;
    assert_eq!(
        (totals(&known), known.status),
        (totals(&report), report.status)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_is_opened_again_and_what_it_missed_is_spoken_of() {
    for what in ["cut", "close", "listen_key_expired"] {
        let exchange = Exchange::start().await;
        let mut account = exchange.account().await;
        let entry = buy_limit(1, 59_000);
        account.submit(&entry).await;
        account.report(|report| report.id == entry.id).await;
        exchange.disturb_streams(what).await;
        exchange.price(58_900).await;
        let report = account.end_of(&entry).await;
        assert_eq!(totals(&report), ["0.1", "59000", "1.18"], "{what}");
        account.hears_again().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_is_given_up() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    exchange.disturb_streams("silence").await;
    account.hears_again().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_set_and_the_order_is_placed_once() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    exchange.skew_clock(90_000).await;
    account.submit(&buy(1)).await;
    exchange.skew_clock(-90_000).await;
    account.submit(&buy(2)).await;
    assert_eq!(accepted(&exchange.audit().await), (0, 2));
    let credentials = account.broker.check_credentials().await.unwrap();
    assert!(
        credentials
            .warnings
            .iter()
            .any(|told| told.contains("clock"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_down_has_not_been_sent_anything() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let url = exchange.url.clone();
    drop(exchange);
    let gone = tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while reqwest::get(format!("{url}/fapi/v1/ping")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.unwrap();
    // A connection that was open may break instead: that is unknown. A new one is refused.
    let mut last = account.broker.submit(&buy(1)).await;
    for number in 2..5 {
        last = account.broker.submit(&buy(number)).await;
    }
    assert!(matches!(last, Fate::NotSent { .. }), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_order_that_the_book_can_not_fill_ends_with_what_it_got() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    exchange
        .fault(json!({ "partial_fill": { "per_mille": 400 } }), "place")
        .await;
    let report = account.submit(&buy(1)).await;
    assert!(matches!(report.status, ReportedStatus::Cancelled { .. }));
    assert_eq!(totals(&report), ["0.04", "60000", "1.2"]);
    let told = account.end_of(&buy(1)).await;
    assert_eq!(totals(&told), totals(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_while_the_exchange_bans() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    exchange
        .fault(json!({ "banned": { "retry_after": 600 } }), "place")
        .await;
    for number in 1..4 {
        let fate = account.broker.submit(&buy(number)).await;
        let Fate::NotSent {
            why: NotSent::Unreachable(why),
        } = fate
        else {
            panic!("the ban is certain: {fate:?}");
        };
        assert!(number == 1 || why.contains("banned"), "{why}");
    }
    assert_eq!(accepted(&exchange.audit().await), (0, 0));
}
