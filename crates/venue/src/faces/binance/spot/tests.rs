//! The spot exchange under random orders, lists, cancels and prices: no balance is wrong, and nothing stays locked.

use super::exchange::SpotExchange;
use super::listing::NewList;
use super::order::{NewOrder, OrderType, Status, TimeInForce};
use crate::faces::binance::BinanceOptions;
use crate::fill_model::{FillModel, LimitFill};
use crate::order::Side;
use crate::time::Micros;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

const ACCOUNT: &str = "rehearsal";

#[derive(Clone, Debug)]
enum Step {
    Tick(Decimal),
    Place(NewOrder, bool),
    List(Option<NewOrder>, Vec<NewOrder>, bool),
    Cancel(u64),
    Amend(u64, Decimal),
}

fn price() -> impl Strategy<Value = Decimal> {
    (500_i64..700).prop_map(|hundreds| Decimal::from(hundreds * 100))
}

fn quantity() -> impl Strategy<Value = Decimal> {
    (1_i64..2_000).prop_map(|thousandths| Decimal::new(thousandths, 3))
}

fn order() -> impl Strategy<Value = NewOrder> {
    order_of(vec![
        OrderType::Limit,
        OrderType::LimitMaker,
        OrderType::Market,
        OrderType::StopLoss,
        OrderType::StopLossLimit,
        OrderType::TakeProfit,
        OrderType::TakeProfitLimit,
    ])
}

/// A target and a stop of one side and size, the upper one first.
fn legs() -> impl Strategy<Value = Vec<NewOrder>> {
    let target = order_of(vec![
        OrderType::LimitMaker,
        OrderType::TakeProfit,
        OrderType::TakeProfitLimit,
    ]);
    let stop = order_of(vec![OrderType::StopLoss, OrderType::StopLossLimit]);
    (target, stop).prop_map(|(target, stop)| {
        let stop = NewOrder {
            side: target.side,
            quantity: target.quantity,
            ..stop
        };
        match target.side {
            Side::Sell => vec![target, stop],
            Side::Buy => vec![stop, target],
        }
    })
}

fn order_of(kinds: Vec<OrderType>) -> impl Strategy<Value = NewOrder> {
    let kind = prop::sample::select(kinds);
    let prices = (price(), price(), prop::option::weighted(0.2, 10_u32..2_000));
    let flags = (any::<bool>(), 0..6_u8, any::<bool>());
    (kind, quantity(), prices, flags).prop_map(|(kind, quantity, prices, flags)| {
        let (price, stop_price, trailing_delta) = prices;
        let (buys, time_in_force, by_amount) = flags;
        let trailing_delta = trailing_delta.filter(|_| kind.is_contingent());
        let amount = (by_amount && kind == OrderType::Market).then(|| quantity * price);
        NewOrder {
            symbol: "BTCUSDT".to_owned(),
            client_id: None,
            side: if buys { Side::Buy } else { Side::Sell },
            kind,
            time_in_force: match time_in_force {
                0 if kind.needs_time_in_force() => TimeInForce::Ioc,
                1 if kind.needs_time_in_force() => TimeInForce::Fok,
                _ => TimeInForce::Gtc,
            },
            quantity,
            quote_quantity: amount,
            price: kind.has_price().then_some(price),
            stop_price: kind.is_contingent().then_some(stop_price),
            trailing_delta,
            iceberg_quantity: None,
            strategy_id: None,
            strategy_type: None,
            self_trade_prevention: "NONE".to_owned(),
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => price().prop_map(Step::Tick),
        5 => (order(), any::<bool>()).prop_map(|(order, dry)| Step::Place(order, dry)),
        4 => (prop::option::of(order_of(vec![OrderType::Limit])), legs(), any::<bool>())
            .prop_map(|(working, legs, pays)| Step::List(working, legs, pays)),
        2 => (1_u64..60).prop_map(Step::Cancel),
        1 => (1_u64..60, quantity()).prop_map(|(id, quantity)| Step::Amend(id, quantity)),
    ]
}

fn exchange(fill_model: FillModel) -> SpotExchange {
    let options = BinanceOptions {
        fill_model,
        ..BinanceOptions::rehearsal()
    };
    let accounts = BTreeSet::from([ACCOUNT.to_owned()]);
    let mut exchange = SpotExchange::new(&options, &accounts).unwrap();
    exchange
        .tick("BTCUSDT", Decimal::from(60_000), Micros(0))
        .unwrap();
    exchange
}

fn apply(exchange: &mut SpotExchange, step: Step, now: Micros) {
    match step {
        Step::Tick(price) => exchange.tick("BTCUSDT", price, now).unwrap(),
        Step::Place(order, dry) => {
            let part = dry.then(|| Decimal::new(3, 1));
            let _ = exchange.place(ACCOUNT, order, part, now);
        }
        Step::List(working, legs, pays) => {
            // Only what a buy brings can size what is sold then.
            let brings = working
                .as_ref()
                .is_some_and(|order| order.side == Side::Buy);
            let list = NewList {
                client_id: None,
                pays_pending: pays && brings && legs[0].side == Side::Sell,
                working,
                legs,
            };
            let _ = exchange.place_list(ACCOUNT, list, now);
        }
        Step::Cancel(id) => exchange.cancel(id, "", now),
        Step::Amend(id, quantity) => drop(exchange.amend(id, quantity, None, now)),
    }
}

/// What an asset has to amount to, by the account's trades alone.
fn expected(exchange: &SpotExchange, asset: &str, start: Decimal) -> Decimal {
    let mut total = start;
    for order in exchange.orders_of(ACCOUNT) {
        for trade in &order.trades {
            let (base, quote) = match order.request.side {
                Side::Buy => (trade.quantity, -trade.value()),
                Side::Sell => (-trade.quantity, trade.value()),
            };
            total += if asset == "BTC" { base } else { quote };
            if trade.commission_asset == asset {
                total -= trade.commission;
            }
        }
    }
    total
}

fn check(exchange: &SpotExchange) {
    let wallet = &exchange.wallets[ACCOUNT];
    for (asset, start) in [("BTC", 1), ("USDT", 100_000)] {
        let holding = wallet.holding(asset);
        let seen = holding.free + holding.locked;
        assert_eq!(
            seen,
            expected(exchange, asset, Decimal::from(start)),
            "{asset}"
        );
    }
    for order in exchange.orders_of(ACCOUNT) {
        let traded: Decimal = order.trades.iter().map(|trade| trade.quantity).sum();
        assert_eq!(traded, order.executed, "{order:?}");
        assert!(order.executed <= order.request.quantity, "{order:?}");
        let is_whole = order.executed == order.request.quantity;
        assert_eq!(is_whole, order.status == Status::Filled, "{order:?}");
        assert!(order.status.is_open() || order.trigger.is_none());
    }
    for list in exchange.lists.values() {
        let open = |id: &&u64| exchange.orders[*id].status.is_open();
        assert_eq!(
            list.is_done,
            !list.orders.iter().any(|id| open(&id)),
            "{list:?}"
        );
        let executed = |id: &&u64| !exchange.orders[*id].executed.is_zero();
        assert!(list.legs().iter().filter(executed).count() <= 1, "{list:?}");
    }
}

fn fill_model() -> impl Strategy<Value = FillModel> {
    let sliced = FillModel {
        slice_value: Some(Decimal::from(5_000)),
        slice_slippage_bps: Decimal::from(50),
        resting_fill_share: Decimal::new(3, 1),
        limit_fill: LimitFill::OnlyThrough,
        ..FillModel::optimistic()
    };
    prop_oneof![
        Just(FillModel::optimistic()),
        Just(FillModel::pessimistic()),
        Just(sliced)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn balances_are_what_the_trades_say(fill_model in fill_model(), steps in prop::collection::vec(step(), 1..60)) {
        let mut exchange = exchange(fill_model);
        for (time, step) in steps.into_iter().enumerate() {
            let now = Micros(i64::try_from(time).unwrap_or_default() * 1_000_000);
            apply(&mut exchange, step, now);
            check(&exchange);
        }
        let open: Vec<u64> = exchange.orders.keys().copied().collect();
        for id in open {
            exchange.cancel(id, "", Micros(1_000_000_000));
        }
        check(&exchange);
        let wallet = &exchange.wallets[ACCOUNT];
        prop_assert!(wallet.holdings().all(|(_, holding)| holding.locked.is_zero()));
    }
}
