//! What each kind of order becomes at the futures exchange, and what is told of it.

use ponte::brokers::binance::{Margin, StopSize, Transport};
use ponte_core::fate::{CancelAnswer, Fate, FindAnswer, NotSent, ReportedStatus};
use ponte_core::id::Symbol;
use ponte_core::order::{OrderClass, OrderKind};
use ponte_core::signal::{Side, Terms};
use reqwest::Method;
use rust_decimal::Decimal;
use std::time::Duration;

use super::futures_exchange::{
    Exchange, accepted, buy, buy_limit, plan, price, protection, stop, totals,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_market_order_is_acknowledged_with_exact_totals() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let entry = buy(1);
    let report = account.submit(&entry).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(totals(&report), ["0.1", "60000", "3"]);
    assert_eq!(totals(&account.end_of(&entry).await), ["0.1", "60000", "3"]);
    assert_eq!(totals(&account.found(&entry).await), ["0.1", "60000", "3"]);
    let positions = account.broker.positions().await.unwrap();
    assert_eq!(positions[0].symbol.as_str(), "BTCUSDT.P");
    assert_eq!(positions[0].quantity, Decimal::new(1, 1));
    let balance = account.broker.balance().await.unwrap();
    assert_eq!(balance.cash, Decimal::from(100_000 - 3));
    assert_eq!(accepted(&exchange.audit().await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_order_rests_and_fills_in_parts_that_add_up() {
    let exchange = Exchange::start_with(|options| {
        options.fill_model.resting_fill_share = Decimal::new(25, 2);
    })
    .await;
    let mut account = exchange.account().await;
    let entry = buy_limit(1, 59_000);
    let report = account.submit(&entry).await;
    assert_eq!(report.status, ReportedStatus::Working);
    let open = account.broker.open_orders().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].id, entry.id);
    let mut filled = Decimal::ZERO;
    for at in [58_990, 58_980, 58_970, 58_960] {
        exchange.price(at).await;
        let report = account
            .report(|report| report.id == entry.id && report.filled > filled)
            .await;
        assert_eq!(report.average_price, Decimal::from(59_000));
        filled = report.filled;
    }
    // 0.1 × 59000 × 0.02 %
    let report = account.found(&entry).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(totals(&report), ["0.1", "59000", "1.18"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lives_on_in_the_order_that_it_becomes() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    account.submit(&buy(1)).await;
    let protective = stop(2, 59_000);
    let report = account.submit(&protective).await;
    assert_eq!(report.status, ReportedStatus::Working);
    let algo_id = report.broker_order_id;
    exchange.price(58_900).await;
    let report = account.end_of(&protective).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(report.broker_order_id, algo_id);
    assert_eq!(totals(&report), ["0.1", "58900", "2.945"]);
    assert_eq!(account.found(&protective).await, report);
    assert!(account.broker.positions().await.unwrap().is_empty());
    let newcomer = exchange.connect(|_| ()).await;
    let FindAnswer::Found(seen) = newcomer.find(&protective).await else {
        panic!("another process finds it too");
    };
    assert_eq!(
        (totals(&seen), seen.status),
        (totals(&report), report.status)
    );
}

fn target(number: u64, at: i64) -> ponte_core::order::OrderPlan {
    let price = price(at);
    let terms = Terms::Limit { price };
    protection(number, OrderKind::Single { terms })
}

/// In the book a target would count as an order that closes the position, and the exchange would
/// refuse to close what it has claimed already.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_with_stop_and_target_can_be_closed_in_both_modes() {
    for hedge in [false, true] {
        let exchange = Exchange::start().await;
        if hedge {
            let path = "/fapi/v1/positionSide/dual";
            let query = "dualSidePosition=true";
            exchange.owner(Method::POST, path, query).await;
        }
        let mut account = exchange.account().await;
        account.submit(&buy(1)).await;
        for order in [stop(2, 55_000), target(3, 70_000)] {
            let report = account.submit(&order).await;
            assert_eq!(report.status, ReportedStatus::Working, "hedge {hedge}");
        }
        let mut exit = plan(4, OrderKind::MARKET, Side::Sell, OrderClass::Exit);
        exit.reduce_only = true;
        let report = account.submit(&exit).await;
        assert_eq!(report.status, ReportedStatus::Filled, "hedge {hedge}");
        assert!(account.broker.positions().await.unwrap().is_empty());
        // What is left over can be taken back, or has gone with the position.
        for order in [stop(2, 55_000), target(3, 70_000)] {
            let answer = account.broker.cancel(&order).await;
            assert!(!matches!(answer, CancelAnswer::Unanswered(_)), "{answer:?}");
        }
        assert!(account.end_of(&target(3, 70_000)).await.filled.is_zero());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_takes_its_gain_also_where_the_market_was_faster() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    account.submit(&buy(1)).await;
    account.submit(&target(2, 70_000)).await;
    exchange.price(70_100).await;
    let report = account.end_of(&target(2, 70_000)).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(report.filled, Decimal::new(1, 1));
    // The price has passed the next one before it could be sent.
    account.submit(&buy(3)).await;
    let report = account.submit(&target(4, 68_000)).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert!(report.average_price >= Decimal::from(70_000), "{report:?}");
    let found = account.found(&target(4, 68_000)).await;
    assert_eq!(found.status, ReportedStatus::Filled);
    assert!(account.broker.positions().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_limit_rests_in_the_book_once_it_is_triggered() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let terms = Terms::StopLimit {
        trigger: price(61_000),
        price: price(60_500),
    };
    let entry = plan(1, OrderKind::Single { terms }, Side::Buy, OrderClass::Entry);
    account.submit(&entry).await;
    exchange.price(61_010).await;
    exchange.audited(|audit| accepted(audit) == (1, 1)).await;
    let report = account.found(&entry).await;
    assert_eq!(report.status, ReportedStatus::Working);
    assert_eq!(account.broker.open_orders().await.unwrap().len(), 1);
    let CancelAnswer::Done(report) = account.broker.cancel(&entry).await else {
        panic!("what it became can be taken back");
    };
    assert!(matches!(report.status, ReportedStatus::Cancelled { .. }));
    let told = account.end_of(&entry).await;
    assert_eq!(totals(&told), ["0", "0", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_stop_follows_and_leaves() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    account.submit(&buy(1)).await;
    let trailing = protection(
        2,
        OrderKind::TrailingStop {
            distance_percent: Decimal::ONE,
        },
    );
    assert_eq!(
        account.submit(&trailing).await.status,
        ReportedStatus::Working
    );
    exchange.price(62_000).await;
    exchange.price(61_300).await;
    let report = account.end_of(&trailing).await;
    assert_eq!(totals(&report)[..2], ["0.1", "61300"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_closes_the_position_speaks_in_the_plans_terms() {
    let exchange = Exchange::start().await;
    let mut account = exchange
        .account_with(|options| options.stops = StopSize::ClosePosition)
        .await;
    account.submit(&buy(1)).await;
    let protective = stop(2, 59_000);
    account.submit(&protective).await;
    let audit = exchange.audit().await;
    assert_eq!(audit["algo_orders"][0]["close_position"], true);
    assert_eq!(
        account.found(&protective).await.status,
        ReportedStatus::Working
    );
    exchange.price(58_900).await;
    let report = account.end_of(&protective).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(totals(&report)[..2], ["0.1", "58900"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stop_rests_beside_one_that_closes_the_position() {
    let exchange = Exchange::start().await;
    let mut account = exchange
        .account_with(|options| options.stops = StopSize::ClosePosition)
        .await;
    account.submit(&buy(1)).await;
    account.submit(&stop(2, 59_000)).await;
    account.submit(&buy(3)).await;
    let second = stop(4, 58_000);
    let report = account.submit(&second).await;
    assert_eq!(report.status, ReportedStatus::Working);
    assert_eq!(account.found(&second).await.status, ReportedStatus::Working);
    let CancelAnswer::Done(_) = account.broker.cancel(&stop(2, 59_000)).await else {
        panic!("the first one can go");
    };
    exchange.price(57_900).await;
    let report = account.end_of(&second).await;
    assert_eq!(totals(&report)[..2], ["0.1", "57900"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn definite_refusals_are_rejections_in_the_exchanges_words() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let mut tiny = buy(1);
    tiny.quantity = ponte_core::number::Quantity::new(Decimal::new(1, 4)).unwrap();
    let mut flat = plan(2, OrderKind::MARKET, Side::Sell, OrderClass::Exit);
    flat.reduce_only = true;
    let mut strange = buy(3);
    strange.symbol = Symbol::new("NOSUCHUSDT.P").unwrap();
    let mut dear = buy(4);
    dear.quantity = ponte_core::number::Quantity::new(Decimal::from(100)).unwrap();
    let passed = stop(5, 61_000);
    for (order, code) in [
        (tiny, "binance -"),
        (flat, "binance -2022"),
        (strange, "binance -1121"),
        (dear, "binance -2019"),
        (passed, "binance -2021"),
    ] {
        let fate = account.broker.submit(&order).await;
        let Fate::Rejected { reason } = fate else {
            panic!("expected {code}, got {fate:?}");
        };
        assert!(reason.contains(code), "{reason}");
    }
    let mut spot = buy(6);
    spot.symbol = Symbol::new("BTCUSDT").unwrap();
    let fate = account.broker.submit(&spot).await;
    assert!(matches!(fate, Fate::Rejected { .. }), "{fate:?}");
    assert_eq!(account.broker.find(&spot).await, FindAnswer::Absent);
    assert_eq!(accepted(&exchange.audit().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_back_wherever_they_are() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let (entry, conditional) = (buy_limit(1, 59_000), stop(2, 50_000));
    account.submit(&entry).await;
    account.submit(&conditional).await;
    for order in [&entry, &conditional] {
        let CancelAnswer::Done(report) = account.broker.cancel(order).await else {
            panic!("it rests");
        };
        assert!(matches!(report.status, ReportedStatus::Cancelled { .. }));
        assert_eq!(account.broker.cancel(order).await, CancelAnswer::NotOpen);
        account.end_of(order).await;
    }
    assert_eq!(account.broker.cancel(&buy(9)).await, CancelAnswer::NotOpen);
    let (entry, conditional) = (buy_limit(3, 59_000), stop(4, 50_000));
    account.submit(&entry).await;
    account.submit(&conditional).await;
    account.broker.cancel_all(&entry.symbol).await.unwrap();
    assert!(account.broker.open_orders().await.unwrap().is_empty());
    account.broker.cancel_all(&entry.symbol).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_position_modes_are_spoken_and_a_change_is_noticed() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let path = "/fapi/v1/positionSide/dual";
    let answer = exchange
        .owner(Method::POST, path, "dualSidePosition=true")
        .await;
    assert_eq!(answer["code"], 200, "{answer}");
    // The mode was known before: the exchange refuses, the mode is read anew, nothing was placed.
    let entry = buy(1);
    let fate = account.broker.submit(&entry).await;
    let Fate::NotSent {
        why: NotSent::Unreachable(why),
    } = fate
    else {
        panic!("expected that it may be sent again, got {fate:?}");
    };
    assert!(why.contains("position mode"), "{why}");
    account.submit(&entry).await;
    account.submit(&stop(2, 59_000)).await;
    let short = plan(3, OrderKind::MARKET, Side::Sell, OrderClass::Entry);
    account.submit(&short).await;
    let audit = exchange.audit().await;
    assert_eq!(audit["algo_orders"][0]["position_side"], "LONG");
    assert_eq!(audit["positions"].as_array().unwrap().len(), 2);
    assert!(
        account.broker.positions().await.unwrap().is_empty(),
        "their sum is none"
    );
    let mut exit = plan(4, OrderKind::MARKET, Side::Sell, OrderClass::Exit);
    exit.reduce_only = true;
    account.submit(&exit).await;
    let positions = account.broker.positions().await.unwrap();
    assert_eq!(positions[0].quantity, Decimal::new(-1, 1));
    let credentials = account.broker.check_credentials().await.unwrap();
    assert!(
        credentials
            .warnings
            .iter()
            .any(|told| told.contains("hedge mode"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leverage_and_margin_are_set_before_the_first_entry_where_the_owner_wants_it() {
    let exchange = Exchange::start().await;
    let careful = exchange
        .account_with(|options| {
            options.leverage = Some(7);
            options.margin = Some(Margin::Isolated);
        })
        .await;
    careful.submit(&buy_limit(1, 50_000)).await;
    let path = "/fapi/v1/symbolConfig";
    let config = exchange.owner(Method::GET, path, "symbol=BTCUSDT").await;
    assert_ne!(config[0]["leverage"], 7);
    let credentials = careful.broker.check_credentials().await.unwrap();
    let told = credentials.warnings.join("\n");
    assert!(
        told.contains("BTCUSDT has leverage") && told.contains("not 7"),
        "{told}"
    );
    careful.broker.cancel_all(&buy(1).symbol).await.unwrap();

    let applying = exchange
        .account_with(|options| {
            options.leverage = Some(7);
            options.margin = Some(Margin::Isolated);
            options.apply_settings = true;
        })
        .await;
    applying.submit(&buy_limit(2, 50_000)).await;
    let config = exchange.owner(Method::GET, path, "symbol=BTCUSDT").await;
    assert_eq!(config[0]["leverage"], 7);
    assert_eq!(config[0]["marginType"], "ISOLATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_instruments_are_read() {
    let exchange = Exchange::start().await;
    let broker = exchange.connect(|_| ()).await;
    let credentials = broker.check_credentials().await.unwrap();
    assert!(credentials.can_trade);
    assert_eq!(credentials.can_withdraw, Some(false));
    assert!(
        credentials.warnings.is_empty(),
        "{:?}",
        credentials.warnings
    );
    let instruments = broker.instruments().await.unwrap();
    let bitcoin = instruments.get(&Symbol::new("BTCUSDT.P").unwrap()).unwrap();
    assert_eq!(bitcoin.quantity_step, Decimal::new(1, 3));
    assert!(bitcoin.minimum_notional > Decimal::ZERO);
    assert_eq!(instruments.get(&Symbol::new("BTCUSDT").unwrap()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_go_over_the_web_socket_too() {
    let exchange = Exchange::start().await;
    let mut account = exchange
        .account_with(|options| options.orders = Transport::WebSocket)
        .await;
    let entry = buy(1);
    // The socket may still be coming up: then the order has certainly not been sent.
    while let Fate::NotSent { .. } = account.broker.submit(&entry).await {}
    assert_eq!(totals(&account.found(&entry).await), ["0.1", "60000", "3"]);
    let (resting, conditional) = (buy_limit(2, 50_000), stop(3, 50_000));
    account.submit(&resting).await;
    account.submit(&conditional).await;
    for order in [&resting, &conditional] {
        let answer = account.broker.cancel(order).await;
        assert!(matches!(answer, CancelAnswer::Done(_)), "{answer:?}");
        account.end_of(order).await;
    }
    let mut flat = plan(4, OrderKind::MARKET, Side::Buy, OrderClass::Exit);
    flat.reduce_only = true;
    let fate = account.broker.submit(&flat).await;
    assert!(matches!(fate, Fate::Rejected { .. }), "{fate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_takes_resting_orders_back_when_nobody_re_arms_it_and_leaves_stops() {
    let exchange = Exchange::start().await;
    let account = exchange
        .account_with(|options| options.dead_mans_switch = Some(Duration::from_secs(3)))
        .await;
    account.submit(&buy(1)).await;
    account.submit(&stop(2, 50_000)).await;
    let resting = buy_limit(3, 50_000);
    account.submit(&resting).await;
    // As long as it is re-armed, the order rests: longer than the countdown.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let watching = exchange.connect(|_| ()).await;
    assert_eq!(watching.open_orders().await.unwrap().len(), 2);
    drop(account);
    exchange
        .audited(|audit| {
            let orders = audit["orders"].as_array().unwrap();
            orders.iter().all(|order| order["status"] != "NEW")
        })
        .await;
    let open = watching.open_orders().await.unwrap();
    assert_eq!(open.len(), 1, "the stop survives");
    assert_eq!(open[0].id, stop(2, 50_000).id);
}
