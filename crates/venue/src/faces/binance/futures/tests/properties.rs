//! Random histories held against an auditor that knows only the executions.

use super::super::order::{AlgoKey, OrderKey, PositionSide};
use super::super::placing::reduces;
use super::{
    AlgoTicket, Bench, FuturesOptions, OrderTicket, OrderType, TimeInForce, but, d, limit, market,
    stop_market,
};
use crate::order::Side;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// One thing that a client or the market does.
#[derive(Clone, Debug)]
enum Step {
    Place(OrderTicket),
    Algo(AlgoTicket),
    Tick(Decimal),
    CancelNewest,
    CancelAll,
    ModifyNewest(Decimal, Decimal),
    Starve,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn price() -> impl Strategy<Value = Decimal> {
    (580_000_i64..620_000).prop_map(|tenths| Decimal::new(tenths, 1))
}

fn quantity() -> impl Strategy<Value = Decimal> {
    (1_i64..400).prop_map(|thousandths| Decimal::new(thousandths, 3))
}

fn position_side(is_hedge: bool) -> BoxedStrategy<Option<PositionSide>> {
    if is_hedge {
        prop_oneof![
            Just(Some(PositionSide::Long)),
            Just(Some(PositionSide::Short))
        ]
        .boxed()
    } else {
        Just(None).boxed()
    }
}

fn ticket(is_hedge: bool) -> impl Strategy<Value = OrderTicket> {
    let times = prop_oneof![
        Just(None),
        Just(Some(TimeInForce::Gtc)),
        Just(Some(TimeInForce::Ioc)),
        Just(Some(TimeInForce::Fok)),
        Just(Some(TimeInForce::Gtx)),
    ];
    let numbers = (side(), quantity(), price());
    (numbers, times, any::<bool>(), position_side(is_hedge)).prop_map(
        move |((side, quantity, price), time_in_force, reduces, position_side)| {
            let base = match time_in_force {
                None => market(side, "1"),
                Some(_) => limit(side, "1", "1"),
            };
            but(base, |ticket| {
                ticket.quantity = Some(quantity);
                ticket.price = time_in_force.map(|_| price);
                ticket.time_in_force = time_in_force;
                ticket.reduce_only = (reduces && !is_hedge).then_some(true);
                ticket.position_side = position_side;
            })
        },
    )
}

fn algo(is_hedge: bool) -> impl Strategy<Value = AlgoTicket> {
    let numbers = (side(), quantity(), price());
    (
        numbers,
        any::<bool>(),
        any::<bool>(),
        position_side(is_hedge),
    )
        .prop_map(
            |((side, quantity, price), is_target, closes, position_side)| {
                but(stop_market(side, "1"), |ticket| {
                    if is_target {
                        ticket.order_type = OrderType::TakeProfitMarket;
                    }
                    ticket.trigger_price = Some(price);
                    ticket.close_position = closes;
                    ticket.quantity = (!closes).then_some(quantity);
                    ticket.position_side = position_side;
                })
            },
        )
}

fn step(is_hedge: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => ticket(is_hedge).prop_map(Step::Place),
        3 => algo(is_hedge).prop_map(Step::Algo),
        6 => price().prop_map(Step::Tick),
        1 => Just(Step::CancelNewest),
        1 => Just(Step::CancelAll),
        2 => (quantity(), price()).prop_map(|(quantity, price)| Step::ModifyNewest(quantity, price)),
        1 => Just(Step::Starve),
    ]
}

impl Bench {
    /// Takes a step; a refusal is an answer like another.
    fn take(&mut self, step: &Step) {
        let now = self.now;
        let newest = self.exchange.account("a").unwrap().open_ids.last().copied();
        match step {
            Step::Place(ticket) => {
                let _ = self.exchange.place("a", ticket, now);
            }
            Step::Algo(ticket) => {
                let _ = self.exchange.place_algo("a", ticket, now);
            }
            Step::Tick(price) => self.tick(&price.to_string()),
            Step::CancelNewest => {
                if let Some(id) = newest {
                    let key = OrderKey::Id(id);
                    self.exchange.cancel("a", "BTCUSDT", &key, now).unwrap();
                }
            }
            Step::CancelAll => {
                self.exchange.cancel_all("a", "BTCUSDT", now).unwrap();
                let books = self.exchange.account("a").unwrap();
                let first = books.open_algo_ids.first().copied();
                if let Some(id) = first {
                    self.exchange
                        .cancel_algo("a", &AlgoKey::Id(id), now)
                        .unwrap();
                }
            }
            Step::ModifyNewest(quantity, price) => {
                if let Some(id) = newest {
                    let ticket = but(limit(Side::Buy, "1", "1"), |ticket| {
                        ticket.quantity = Some(*quantity);
                        ticket.price = Some(*price);
                    });
                    let _ = self.exchange.modify("a", &ticket, &OrderKey::Id(id), now);
                }
            }
            Step::Starve => self.exchange.starve_next_market_order(d("0.5")),
        }
    }

    /// What must be true at any moment, from the executions alone.
    fn audit(&self) {
        let books = self.exchange.account("a").unwrap();
        let mut amounts: BTreeMap<PositionSide, Decimal> = BTreeMap::new();
        let mut executed: BTreeMap<u64, Decimal> = BTreeMap::new();
        let mut wallet = d("100000");
        for trade in &books.trades {
            let amount = amounts.entry(trade.position_side).or_default();
            let order = &books.orders[&trade.order];
            if order.reduce_only {
                let before = amount.abs();
                let after = (*amount + trade.side.signed(trade.quantity)).abs();
                assert!(
                    after < before,
                    "a reducing order {order:?} made {before} to {after}"
                );
            }
            *amount += trade.side.signed(trade.quantity);
            *executed.entry(trade.order.0).or_default() += trade.quantity;
            wallet += trade.realised_profit - trade.commission;
        }
        assert_eq!(books.wallet, wallet);
        for (side, amount) in &amounts {
            assert_eq!(books.amount("BTCUSDT", *side), *amount);
            match side {
                PositionSide::Both => {}
                PositionSide::Long => assert!(*amount >= Decimal::ZERO, "a long of {amount}"),
                PositionSide::Short => assert!(*amount <= Decimal::ZERO, "a short of {amount}"),
            }
        }
        for order in books.orders.values() {
            let total = executed.get(&order.id.0).copied().unwrap_or_default();
            assert_eq!(order.executed, total, "{order:?}");
            assert!(order.executed <= order.quantity, "{order:?}");
            assert_eq!(order.status.is_open(), books.open_ids.contains(&order.id));
            let is_reducing = reduces(order.position_side, order.side, None).unwrap();
            assert!(order.reduce_only || !is_reducing, "{order:?}");
        }
        for algo in books.algos.values() {
            assert_eq!(algo.is_open(), books.open_algo_ids.contains(&algo.id));
            let children = books
                .orders
                .values()
                .filter(|order| order.parent == Some(algo.id));
            assert!(children.count() <= 1, "{algo:?} made more than one order");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn books_agree_with_their_executions(
        (is_hedge, steps) in any::<bool>().prop_flat_map(|is_hedge| {
            (Just(is_hedge), prop::collection::vec(step(is_hedge), 1..60))
        }),
        share in prop_oneof![Just("1"), Just("0.3")],
    ) {
        let history = || {
            let mut options = FuturesOptions::rehearsal();
            options.fill_model.resting_fill_share = d(share);
            let mut bench = Bench::with(options);
            if is_hedge {
                bench.exchange.set_hedge_mode("a", true).unwrap();
            }
            for step in &steps {
                bench.take(step);
                bench.audit();
            }
            bench.exchange.take_events()
        };
        prop_assert_eq!(history(), history(), "the same steps gave other events");
    }
}
