//! The spot adapter against the test exchange: orders, pairs, swaps, reports, the account.

use ponte::brokers::binance::Transport;
use ponte_core::id::Symbol;
use ponte_core::message::{CancelAnswer, Fate, FindAnswer, NotSent, ReportedStatus};
use ponte_core::order::{OrderClass, OrderKind};
use ponte_core::signal::Side;
use rust_decimal::Decimal;
use serde_json::json;

use super::spot_exchange::{Exchange, SYMBOL, decimal, limit, pair, plan, stop};

#[tokio::test]
async fn a_market_buy_tells_exact_totals() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let order = plan(1, Side::Buy, "0.5", OrderKind::MARKET);
    let report = account.place(&order).await;
    assert_eq!(report.status, ReportedStatus::Filled);
    assert_eq!(report.filled, decimal("0.5"));
    assert_eq!(report.average_price, decimal("60000"));
    // 0.1 % of the bought bitcoin is kept.
    assert_eq!(report.withheld, decimal("0.0005"));
    assert_eq!(report.fees, decimal("30"));
    let told = account.report(order.id, |report| report.status == ReportedStatus::Filled);
    assert_eq!(told.await.withheld, decimal("0.0005"));
    // A new process knows nothing of it: the trades are asked for.
    let other = exchange.connect(|_| ()).await;
    let FindAnswer::Found(found) = other.find(&order).await else {
        panic!("not found");
    };
    assert_eq!((found.filled, found.fees), (report.filled, report.fees));
    assert_eq!(found.withheld, report.withheld);
}

#[tokio::test]
async fn a_limit_rests_and_fills_when_the_price_comes() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let order = plan(1, Side::Buy, "0.1", limit(59_000));
    let report = account.place(&order).await;
    assert_eq!(report.status, ReportedStatus::Working);
    let open = account.broker.open_orders().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].id, order.id);
    exchange.price(58_900).await;
    let filled = account.report(order.id, |report| report.status == ReportedStatus::Filled);
    assert_eq!(filled.await.filled, decimal("0.1"));
    let cancel = account.broker.cancel(&order).await;
    assert_eq!(cancel, CancelAnswer::NotOpen);
}

#[tokio::test]
async fn cancelling_tells_where_the_order_stands() {
    let exchange = Exchange::start().await;
    for orders in [Transport::Rest, Transport::WebSocket] {
        let number = if orders == Transport::Rest { 1 } else { 2 };
        let account = exchange
            .account_with(|options| options.orders = orders)
            .await;
        let order = plan(number, Side::Buy, "0.1", limit(59_000));
        account.place(&order).await;
        let CancelAnswer::Done(report) = account.broker.cancel(&order).await else {
            panic!("not cancelled over {orders:?}");
        };
        assert!(matches!(report.status, ReportedStatus::Cancelled { .. }));
        assert_eq!(account.broker.cancel(&order).await, CancelAnswer::NotOpen);
    }
}

/// The documentation says that a cancellation's id takes the place of the order's.
#[tokio::test]
async fn what_was_cancelled_is_found_by_its_own_id_even_if_cancelling_renames() {
    let exchange = Exchange::start_with(|options| options.spot_cancel_renames = true).await;
    for (number, orders) in [(1, Transport::Rest), (11, Transport::WebSocket)] {
        let account = exchange
            .account_with(|options| options.orders = orders)
            .await;
        let single = plan(number, Side::Buy, "0.1", limit(59_000));
        let bracket = plan(number + 1, Side::Sell, "0.2", pair(56_000, 65_000));
        let swapped = plan(number + 2, Side::Sell, "0.2", pair(56_000, 65_000));
        for order in [&single, &bracket, &swapped] {
            account.place(order).await;
        }
        for order in [&single, &bracket] {
            // An answer that leaves something open leads to the question below as well.
            let answer = account.broker.cancel(order).await;
            let is_known = !matches!(answer, CancelAnswer::Unanswered(_));
            assert!(is_known, "{answer:?}");
        }
        let mut exit = plan(number + 3, Side::Sell, "0.2", OrderKind::MARKET);
        exit.instead_of = vec![swapped.id];
        account.place(&exit).await;
        let other = exchange.connect(|_| ()).await;
        for order in [&single, &bracket, &swapped] {
            let FindAnswer::Found(found) = other.find(order).await else {
                panic!("{} is not found", order.id);
            };
            assert!(matches!(found.status, ReportedStatus::Cancelled { .. }));
        }
    }
}

#[tokio::test]
async fn one_side_of_a_pair_executes() {
    for (price, leg) in [(66_000, "-t"), (55_000, "-s")] {
        let exchange = Exchange::start().await;
        let mut account = exchange.account().await;
        let order = plan(1, Side::Sell, "0.5", pair(56_000, 65_000));
        let report = account.place(&order).await;
        assert_eq!(report.status, ReportedStatus::Working);
        exchange.price(price).await;
        let filled = account
            .report(order.id, |report| report.status == ReportedStatus::Filled)
            .await;
        assert_eq!(filled.filled, decimal("0.5"));
        assert_eq!(filled.broker_order_id, report.broker_order_id);
        let executed: Vec<_> = exchange
            .orders()
            .await
            .into_iter()
            .filter(|(_, _, executed)| !executed.is_zero())
            .collect();
        assert_eq!(executed.len(), 1);
        assert_eq!(executed[0].0, format!("{}{leg}", order.id));
        let FindAnswer::Found(found) = account.find(&order).await else {
            panic!("not found");
        };
        assert_eq!((found.status, found.filled), (filled.status, filled.filled));
    }
}

#[tokio::test]
async fn a_pair_is_cancelled_as_one() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let order = plan(1, Side::Sell, "0.5", pair(56_000, 65_000));
    account.place(&order).await;
    assert_eq!(account.broker.open_orders().await.unwrap().len(), 1);
    let CancelAnswer::Done(report) = account.broker.cancel(&order).await else {
        panic!("not cancelled");
    };
    assert!(matches!(report.status, ReportedStatus::Cancelled { .. }));
    let over = |report: &ponte_core::message::OrderReport| report.status != ReportedStatus::Working;
    account.report(order.id, over).await;
    assert!(account.broker.open_orders().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_exit_for_which_too_little_is_free_may_be_sent_again() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let pair = plan(1, Side::Sell, "1", pair(56_000, 65_000));
    account.place(&pair).await;
    let mut exit = plan(2, Side::Sell, "1", OrderKind::MARKET);
    exit.class = OrderClass::Exit;
    let Fate::NotSent { why } = account.broker.submit(&exit).await else {
        panic!("the pair doesn't hold the funds, or the exit is given up");
    };
    assert!(why.to_string().contains("insufficient balance"), "{why}");
    let cancelled = account.broker.cancel(&pair).await;
    assert!(matches!(cancelled, CancelAnswer::Done(_)), "{cancelled:?}");
    let report = account.place(&exit).await;
    assert_eq!(report.status, ReportedStatus::Filled);
}

#[tokio::test]
async fn an_exit_takes_the_place_of_the_pair_that_holds_the_funds() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let protection = plan(1, Side::Sell, "1", pair(56_000, 65_000));
    account.place(&protection).await;
    let mut exit = plan(2, Side::Sell, "1", OrderKind::MARKET);
    let Fate::NotSent { why } = account.broker.submit(&exit).await else {
        panic!("the pair doesn't hold the funds");
    };
    assert!(why.to_string().contains("insufficient balance"), "{why}");
    exit.id = plan(3, Side::Sell, "1", OrderKind::MARKET).id;
    exit.instead_of = vec![protection.id];
    let report = account.place(&exit).await;
    assert_eq!(
        (report.status, report.filled),
        (ReportedStatus::Filled, Decimal::ONE)
    );
    let ended = account
        .report(protection.id, |report| {
            report.status != ReportedStatus::Working
        })
        .await;
    assert!(matches!(ended.status, ReportedStatus::Cancelled { .. }));
}

#[tokio::test]
async fn protection_of_an_earlier_process_is_swapped_too() {
    let exchange = Exchange::start().await;
    let earlier = exchange.account().await;
    let protection = plan(1, Side::Sell, "1", pair(56_000, 65_000));
    earlier.place(&protection).await;
    drop(earlier);
    let account = exchange.account().await;
    let mut exit = plan(2, Side::Sell, "1", OrderKind::MARKET);
    exit.instead_of = vec![protection.id];
    let report = account.place(&exit).await;
    assert_eq!(report.status, ReportedStatus::Filled);
}

#[tokio::test]
async fn a_pair_takes_the_place_of_several() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let first = plan(1, Side::Sell, "0.4", stop(56_000));
    let second = plan(2, Side::Sell, "0.6", pair(56_000, 65_000));
    account.place(&first).await;
    account.place(&second).await;
    let mut whole = plan(3, Side::Sell, "1", pair(57_000, 66_000));
    whole.instead_of = vec![first.id, second.id];
    let report = account.place(&whole).await;
    assert_eq!(report.status, ReportedStatus::Working);
    let open = account.broker.open_orders().await.unwrap();
    assert_eq!(
        open.iter().map(|open| open.id).collect::<Vec<_>>(),
        [whole.id]
    );
}

#[tokio::test]
async fn nothing_is_placed_when_the_protection_has_just_gone() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let protection = plan(1, Side::Sell, "0.5", stop(56_000));
    account.place(&protection).await;
    exchange.price(55_000).await;
    let filled =
        |report: &ponte_core::message::OrderReport| report.status == ReportedStatus::Filled;
    account.report(protection.id, filled).await;
    for (number, kind) in [(2, OrderKind::MARKET), (3, pair(50_000, 65_000))] {
        let mut exit = plan(number, Side::Sell, "0.5", kind);
        exit.instead_of = vec![protection.id];
        let fate = account.broker.submit(&exit).await;
        let Fate::NotSent {
            why: NotSent::Unreachable(why),
        } = fate
        else {
            panic!("sold twice, or so it seems: {fate:?}");
        };
        assert!(why.contains("is not resting any more"), "{why}");
        account.report(protection.id, filled).await;
    }
    assert_eq!(exchange.orders().await.len(), 1);
}

#[tokio::test]
async fn a_swap_whose_new_order_is_refused_says_so() {
    let exchange = Exchange::start().await;
    let mut account = exchange.account().await;
    let protection = plan(1, Side::Sell, "0.5", stop(56_000));
    account.place(&protection).await;
    // More than the account has.
    let mut exit = plan(2, Side::Sell, "1.5", OrderKind::MARKET);
    exit.instead_of = vec![protection.id];
    let fate = account.broker.submit(&exit).await;
    assert!(matches!(fate, Fate::Rejected { .. }), "{fate:?}");
    let ended = account
        .report(protection.id, |report| {
            report.status != ReportedStatus::Working
        })
        .await;
    assert!(matches!(ended.status, ReportedStatus::Cancelled { .. }));
}

#[tokio::test]
async fn a_market_order_that_fills_in_part_tells_both() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let fault = json!({ "partial_fill": { "per_mille": 400 } });
    exchange.fault(fault, "place").await;
    let order = plan(1, Side::Buy, "0.5", OrderKind::MARKET);
    let report = account.place(&order).await;
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
    assert_eq!(report.filled, decimal("0.2"));
}

#[tokio::test]
async fn the_account_is_told_as_it_is() {
    let exchange = Exchange::start().await;
    let account = exchange.account().await;
    let balance = account.broker.balance().await.unwrap();
    assert_eq!(balance.cash, decimal("100000"));
    // 1 BTC, 10 ETH, 20 BNB, 100 SOL.
    let assets = 60_000 + 10 * 3_000 + 20 * 600 + 100 * 150;
    assert_eq!(balance.equity, balance.cash + Decimal::from(assets));
    assert!(account.broker.positions().await.unwrap().is_empty());
    let order = plan(1, Side::Sell, "0.5", limit(65_000));
    account.place(&order).await;
    let positions = account.broker.positions().await.unwrap();
    assert_eq!(positions.len(), 1);
    assert_eq!(
        (positions[0].symbol.as_str(), positions[0].quantity),
        (SYMBOL, Decimal::ONE)
    );
    let symbol = Symbol::new(SYMBOL).unwrap();
    account.broker.cancel_all(&symbol).await.unwrap();
    assert!(account.broker.open_orders().await.unwrap().is_empty());
    account.broker.cancel_all(&symbol).await.unwrap();
    let instruments = account.broker.instruments().await.unwrap();
    let bitcoin = instruments.get(&symbol).unwrap();
    assert!(bitcoin.price_tick > Decimal::ZERO && bitcoin.quantity_step > Decimal::ZERO);
    assert_eq!(bitcoin.limits.closed, None);
    let credentials = account.broker.check_credentials().await.unwrap();
    assert!(credentials.can_trade);
    assert!(credentials.can_withdraw.is_some() && credentials.bound_to_address.is_some());
}
