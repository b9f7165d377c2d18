//! Properties of random sequences, held against books that are kept here from the reports alone.

use crate::script::{ACCOUNT, decimal, options};
use ponte_venue::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const START_CASH: i64 = 100_000;

#[derive(Clone, Debug)]
enum Step {
    Place(OrderRequest),
    Cancel(String),
    CancelAll,
    Tick(&'static str, Decimal),
}

fn price() -> impl Strategy<Value = Decimal> {
    (80_i64..120).prop_map(Decimal::from)
}

fn symbol() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("X"), 1 => Just("Y")]
}

fn kind() -> impl Strategy<Value = OrderKind> {
    prop_oneof![
        3 => Just(OrderKind::Market),
        3 => price().prop_map(|price| OrderKind::Limit { price }),
        2 => price().prop_map(|stop_price| OrderKind::Stop { stop_price }),
        2 => (price(), price()).prop_map(|(stop_price, price)| OrderKind::StopLimit { stop_price, price }),
        2 => price().prop_map(|stop_price| OrderKind::TakeProfit { stop_price }),
        2 => (price(), price()).prop_map(|(stop_price, price)| OrderKind::TakeProfitLimit { stop_price, price }),
        2 => (1_i64..2_000, prop::option::of(price())).prop_map(|(bps, activation_price)| OrderKind::TrailingStop {
            callback_bps: Decimal::from(bps),
            activation_price,
        }),
        3 => (price(), price()).prop_map(|(stop_price, target_price)| OrderKind::OneCancelsOther { stop_price, target_price }),
    ]
}

fn request() -> impl Strategy<Value = OrderRequest> {
    let flags = (
        any::<bool>(),
        any::<bool>(),
        0..6_u8,
        prop::option::weighted(0.3, price()),
    );
    (0..12_u8, symbol(), kind(), 1_i64..400, flags).prop_map(
        |(id, symbol, kind, quantity, flags)| {
            let (buys, reduce_only, time_in_force, reference_price) = flags;
            OrderRequest {
                kind,
                reduce_only,
                reference_price,
                time_in_force: match (kind, time_in_force) {
                    (OrderKind::OneCancelsOther { .. }, _) => TimeInForce::Gtc,
                    (_, 0) => TimeInForce::Ioc,
                    (_, 1) => TimeInForce::Fok,
                    _ => TimeInForce::Gtc,
                },
                ..OrderRequest::market(
                    &format!("c{id}"),
                    symbol,
                    if buys { Side::Buy } else { Side::Sell },
                    Decimal::from(quantity),
                )
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => request().prop_map(Step::Place),
        1 => (0..12_u8).prop_map(|id| Step::Cancel(format!("c{id}"))),
        6 => (symbol(), price()).prop_map(|(symbol, price)| Step::Tick(symbol, price)),
        1 => Just(Step::CancelAll),
    ]
}

fn fill_model() -> impl Strategy<Value = FillModel> {
    let sliced = FillModel {
        slice_value: Some(decimal("3000")),
        slice_slippage_bps: decimal("100"),
        resting_fill_share: decimal("0.3"),
        ..FillModel::pessimistic()
    };
    prop_oneof![
        Just(FillModel::optimistic()),
        Just(FillModel::pessimistic()),
        Just(sliced)
    ]
}

/// What somebody who only reads reports knows.
#[derive(Default)]
struct Auditor {
    seen: u64,
    requests: BTreeMap<u64, OrderRequest>,
    filled: BTreeMap<u64, Decimal>,
    positions: BTreeMap<String, Decimal>,
    spent: Decimal,
    fees: Decimal,
    trades: BTreeSet<TradeId>,
}

impl Auditor {
    fn read(&mut self, venue: &Venue) {
        let page = venue.reports_after(ACCOUNT, self.seen).unwrap();
        for report in &page.reports {
            assert_eq!(
                report.number,
                self.seen + 1,
                "reports are numbered without gaps"
            );
            self.seen += 1;
            let Some(id) = report.venue_order_id else {
                continue;
            };
            let order = venue
                .all_orders(ACCOUNT)
                .unwrap()
                .0
                .into_iter()
                .find(|order| order.venue_order_id == id)
                .unwrap();
            self.requests.insert(id.0, order.request.clone());
            if let ReportEvent::Filled { fill, complete } = &report.event {
                self.fill(id.0, report, fill, *complete);
            }
        }
        assert_eq!(page.newest, self.seen);
        self.compare(venue);
    }

    fn fill(&mut self, id: u64, report: &Report, fill: &Fill, complete: bool) {
        let request = &self.requests[&id];
        assert!(self.trades.insert(fill.trade_id), "trade ids are unique");
        assert!(fill.quantity > Decimal::ZERO && fill.fee >= Decimal::ZERO);
        let filled = self.filled.entry(id).or_default();
        *filled += fill.quantity;
        assert!(
            *filled <= request.quantity,
            "no order fills more than its quantity"
        );
        assert_eq!(
            (report.cumulative_quantity, complete),
            (*filled, *filled == request.quantity)
        );
        let position = self.positions.entry(request.symbol.clone()).or_default();
        let before = *position;
        *position += request.side.signed(fill.quantity);
        if request.reduce_only {
            assert!(position.abs() < before.abs(), "reduce-only reduces");
            assert!(
                position.is_zero() || position.is_sign_negative() == before.is_sign_negative(),
                "and never flips"
            );
        }
        self.spent += request.side.signed(fill.quantity * fill.price);
        self.fees += fill.fee;
        assert_eq!(fill.value, fill.quantity * fill.price);
        match (request.kind, request.side) {
            (
                OrderKind::Limit { price }
                | OrderKind::StopLimit { price, .. }
                | OrderKind::TakeProfitLimit { price, .. },
                Side::Buy,
            ) => {
                assert!(fill.price <= price)
            }
            (
                OrderKind::Limit { price }
                | OrderKind::StopLimit { price, .. }
                | OrderKind::TakeProfitLimit { price, .. },
                Side::Sell,
            ) => {
                assert!(fill.price >= price)
            }
            _ => {}
        }
    }

    fn compare(&self, venue: &Venue) {
        let held: BTreeMap<String, Decimal> = venue
            .positions(ACCOUNT)
            .unwrap()
            .into_iter()
            .map(|position| (position.symbol, position.quantity))
            .collect();
        let expected: BTreeMap<String, Decimal> = self
            .positions
            .iter()
            .filter(|(_, quantity)| !quantity.is_zero())
            .map(|(symbol, quantity)| (symbol.clone(), *quantity))
            .collect();
        assert_eq!(held, expected, "positions are the sum of the fills");
        let worth: Decimal = held
            .iter()
            .map(|(symbol, quantity)| quantity * venue.last_price(symbol).unwrap().price)
            .sum();
        let balance = venue.balance(ACCOUNT).unwrap();
        assert_eq!(
            balance.equity,
            Decimal::from(START_CASH) - self.spent - self.fees + worth,
            "no money comes from nowhere"
        );
        assert_eq!(balance.fees_paid, self.fees);
        assert_eq!(
            balance.cash,
            Decimal::from(START_CASH) + balance.realised_profit - balance.fees_paid
        );
    }

    /// All fills of a one-cancels-other order lie on the same side: at or beyond the stop, or at the target or better.
    fn check_one_side(&self, venue: &Venue) {
        for order in venue.all_orders(ACCOUNT).unwrap().0 {
            let OrderKind::OneCancelsOther {
                stop_price,
                target_price,
            } = order.request.kind
            else {
                continue;
            };
            let at_target = |fill: &&Fill| match order.request.side {
                Side::Buy => fill.price <= target_price,
                Side::Sell => fill.price >= target_price,
            };
            let at_stop = |fill: &&Fill| match order.request.side {
                Side::Buy => fill.price >= stop_price,
                Side::Sell => fill.price <= stop_price,
            };
            let (targets, stops) = (
                order.fills.iter().filter(at_target).count(),
                order.fills.iter().filter(at_stop).count(),
            );
            assert_eq!(targets + stops, order.fills.len());
            assert!(targets == 0 || stops == 0, "{order:?}");
        }
    }
}

fn apply(venue: &mut Venue, step: &Step, now: Micros) -> String {
    match step {
        Step::Place(request) => format!("{:?}", venue.place(ACCOUNT, request.clone(), now)),
        Step::Cancel(id) => format!("{:?}", venue.cancel(ACCOUNT, id, now)),
        Step::CancelAll => format!("{:?}", venue.cancel_all(ACCOUNT, None, now)),
        Step::Tick(symbol, price) => format!("{:?}", venue.tick(symbol, *price, now)),
    }
}

fn fresh(fill_model: FillModel) -> Venue {
    let mut venue = Venue::new(options(fill_model)).unwrap();
    venue
        .open_account(ACCOUNT, "USD", Decimal::from(START_CASH))
        .unwrap();
    venue
}

/// Any decimal at all.
fn wild() -> impl Strategy<Value = Decimal> {
    let any_decimal = (
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<bool>(),
        0..29_u32,
    );
    prop_oneof![
        any_decimal.prop_map(|(low, middle, high, negative, scale)| Decimal::from_parts(
            low, middle, high, negative, scale
        )),
        (1_i64..1_000, 0..13_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale)),
        (1_i64..1_000).prop_map(|thousands| Decimal::from(thousands * 1_000_000)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn books_always_balance(fill_model in fill_model(), steps in prop::collection::vec(step(), 1..60)) {
        let mut venue = fresh(fill_model);
        let mut auditor = Auditor::default();
        for (time, step) in steps.iter().enumerate() {
            apply(&mut venue, step, Micros(time as i64));
            auditor.read(&venue);
        }
        auditor.check_one_side(&venue);
    }

    #[test]
    fn a_copy_made_by_serialisation_behaves_the_same(
        fill_model in fill_model(),
        steps in prop::collection::vec(step(), 1..40),
        cut in 0_usize..40,
    ) {
        let mut venue = fresh(fill_model);
        let (before, after) = steps.split_at(cut.min(steps.len()));
        for (time, step) in before.iter().enumerate() {
            apply(&mut venue, step, Micros(time as i64));
        }
        let text = serde_json::to_string(&venue).unwrap();
        let mut copy: Venue = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&copy, &venue);
        for (time, step) in after.iter().enumerate() {
            let now = Micros((before.len() + time) as i64);
            prop_assert_eq!(apply(&mut copy, step, now), apply(&mut venue, step, now));
        }
        prop_assert_eq!(copy, venue);
    }

    #[test]
    fn no_number_makes_it_panic(
        fill_model in fill_model(),
        orders in prop::collection::vec((wild(), wild(), wild(), kind(), any::<bool>(), any::<bool>()), 1..12),
    ) {
        let mut venue = Venue::new(VenueOptions { fill_model, leverage: decimal("1000"), ..VenueOptions::paper() }).unwrap();
        venue.open_account(ACCOUNT, "USD", money_max()).unwrap();
        for (index, (quantity, price, reference, kind, buys, reduce_only)) in orders.into_iter().enumerate() {
            let kind = match kind {
                OrderKind::Limit { .. } => OrderKind::Limit { price },
                OrderKind::Stop { .. } => OrderKind::Stop { stop_price: price },
                OrderKind::OneCancelsOther { target_price, .. } => OrderKind::OneCancelsOther { stop_price: price, target_price },
                OrderKind::TakeProfit { .. } => OrderKind::TakeProfit { stop_price: price },
                OrderKind::TrailingStop { .. } => OrderKind::TrailingStop { callback_bps: price, activation_price: Some(reference) },
                OrderKind::Market | OrderKind::StopLimit { .. } | OrderKind::TakeProfitLimit { .. } => kind,
            };
            let side = if buys { Side::Buy } else { Side::Sell };
            let request = OrderRequest {
                kind,
                reduce_only,
                reference_price: Some(reference),
                ..OrderRequest::market(&format!("c{index}"), "ANY", side, quantity)
            };
            let _ = venue.place(ACCOUNT, request, Micros(0));
            let _ = venue.tick("ANY", price, Micros(0));
            let _ = venue.balance(ACCOUNT);
        }
    }
}
