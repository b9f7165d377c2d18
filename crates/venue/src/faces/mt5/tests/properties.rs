//! Random histories held against an auditor that knows only the deals.

use super::*;
use crate::faces::mt5::book::DealKind;
use crate::faces::mt5::kinds::OrderState;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One thing that a client, a person or the market does. Prices are ticks from 128000, tickets are counted from the
/// oldest that is there.
#[derive(Clone, Debug)]
enum Step {
    Deal {
        is_buy: bool,
        volume: u32,
        filling: u32,
        closes: Option<usize>,
        levels: (i64, i64),
    },
    Pending {
        kind: u32,
        volume: u32,
        away: i64,
        levels: (i64, i64),
        filling: u32,
    },
    Levels {
        position: usize,
        levels: (i64, i64),
    },
    Remove {
        order: usize,
    },
    CloseBy {
        first: usize,
        second: usize,
    },
    Price {
        ticks: i64,
        spread: i64,
    },
    Depth {
        volume: Option<u32>,
    },
    Session {
        open: bool,
    },
    NewDay,
    ForceClose,
}

fn away() -> impl Strategy<Value = (i64, i64)> {
    let level = || prop_oneof![Just(0_i64), 1_i64..60, -60_i64..-1];
    (level(), level())
}

fn step() -> impl Strategy<Value = Step> {
    let position = || 0_usize..4;
    prop_oneof![
        6 => (any::<bool>(), 1_u32..6, 0_u32..3, proptest::option::of(position()), away()).prop_map(
            |(is_buy, volume, filling, closes, levels)| Step::Deal { is_buy, volume, filling, closes, levels }
        ),
        4 => (2_u32..8, 1_u32..6, -40_i64..40, away(), 0_u32..3).prop_map(
            |(kind, volume, away, levels, filling)| Step::Pending { kind, volume, away, levels, filling }
        ),
        2 => (position(), away()).prop_map(|(position, levels)| Step::Levels { position, levels }),
        1 => position().prop_map(|order| Step::Remove { order }),
        1 => (position(), position()).prop_map(|(first, second)| Step::CloseBy { first, second }),
        6 => (-80_i64..80, 0_i64..3).prop_map(|(ticks, spread)| Step::Price { ticks, spread }),
        2 => proptest::option::of(0_u32..5).prop_map(|volume| Step::Depth { volume }),
        1 => any::<bool>().prop_map(|open| Step::Session { open }),
        1 => Just(Step::NewDay),
        1 => Just(Step::ForceClose),
    ]
}

fn at(ticks: i64) -> Decimal {
    Decimal::from(128_000 + 5 * ticks)
}

impl Bench {
    fn nth_position(&self, index: usize) -> u64 {
        self.book.positions.keys().nth(index).copied().unwrap_or(99)
    }

    /// Levels so far from the market: zero is none.
    fn levels_from(&self, request: TradeRequest, levels: (i64, i64)) -> TradeRequest {
        let bid = self.book.symbols["WINZ26"].bid;
        let level = |ticks: i64| {
            if ticks == 0 {
                Decimal::ZERO
            } else {
                bid + Decimal::from(5 * ticks)
            }
        };
        TradeRequest {
            sl: level(levels.0),
            tp: level(levels.1),
            ..request
        }
    }

    /// The request that a step sends, if it sends one.
    fn request(&self, step: &Step) -> Option<TradeRequest> {
        let request = match step {
            Step::Deal {
                is_buy,
                volume,
                filling,
                closes,
                levels,
            } => {
                let kind = if *is_buy {
                    OrderKind::Buy
                } else {
                    OrderKind::Sell
                };
                let mut request = market(kind, "WINZ26", &volume.to_string());
                request.filling = *filling;
                request.position = closes
                    .map(|index| self.nth_position(index))
                    .unwrap_or_default();
                self.levels_from(request, *levels)
            }
            Step::Pending {
                kind,
                volume,
                away,
                levels,
                filling,
            } => {
                let kind = OrderKind::from_code(*kind).unwrap();
                let price = self.book.symbols["WINZ26"].bid + Decimal::from(5 * away);
                let mut request = pending(kind, "WINZ26", &volume.to_string(), "0");
                (request.price, request.stoplimit, request.filling) = (price, price, *filling);
                self.levels_from(request, *levels)
            }
            Step::Levels {
                position,
                levels: wanted,
            } => {
                let request = levels(self.nth_position(*position), "0", "0");
                self.levels_from(request, *wanted)
            }
            Step::Remove { order } => {
                remove(self.book.orders.keys().nth(*order).copied().unwrap_or(99))
            }
            Step::CloseBy { first, second } => TradeRequest {
                action: Action::CloseBy as u32,
                position: self.nth_position(*first),
                position_by: self.nth_position(*second),
                ..TradeRequest::default()
            },
            Step::Price { .. }
            | Step::Depth { .. }
            | Step::Session { .. }
            | Step::NewDay
            | Step::ForceClose => return None,
        };
        Some(request)
    }

    fn apply(&mut self, step: &Step) {
        if let Some(request) = self.request(step) {
            self.send(&request);
        }
        match step {
            Step::Price { ticks, spread } => {
                let (bid, ask) = (at(*ticks), at(ticks + spread));
                self.prices("WINZ26", &bid.to_string(), &ask.to_string());
            }
            Step::Depth { volume } => {
                let symbol = self.symbol("WINZ26");
                symbol.depth = volume.map(Decimal::from);
                symbol.refill();
                self.book.match_symbol("WINZ26", self.now);
            }
            Step::Session { open } => {
                self.symbol("WINZ26").session_open = *open;
                self.book.match_symbol("WINZ26", self.now);
            }
            Step::NewDay => self.book.new_day(self.now),
            Step::ForceClose => {
                self.book.force_close("WINZ26", Reason::StopOut, self.now);
            }
            Step::Deal { .. }
            | Step::Pending { .. }
            | Step::Levels { .. }
            | Step::Remove { .. }
            | Step::CloseBy { .. } => {}
        }
    }
}

fn signed(is_buy: bool, volume: Decimal) -> Decimal {
    if is_buy { volume } else { -volume }
}

/// What every account's books have to say of themselves.
fn audit(book: &Book) {
    let trades: Vec<_> = book
        .deals
        .iter()
        .filter(|deal| deal.kind != DealKind::Balance)
        .collect();
    let mut by_position: BTreeMap<u64, Decimal> = BTreeMap::new();
    let mut by_order: BTreeMap<u64, Decimal> = BTreeMap::new();
    let mut tickets = BTreeSet::new();
    let mut cash = Decimal::ZERO;
    for deal in &trades {
        let is_buy = deal.kind == DealKind::Trade(crate::faces::mt5::kinds::Side::Buy);
        assert!(deal.volume > Decimal::ZERO, "{deal:?}");
        assert!(tickets.insert(deal.ticket), "{deal:?}");
        *by_position.entry(deal.position_id).or_default() += signed(is_buy, deal.volume);
        if deal.entry != Entry::OutBy {
            *by_order.entry(deal.order).or_default() += deal.volume;
        }
        cash -= signed(is_buy, deal.volume) * deal.price / Decimal::from(5);
    }
    // Positions are the sums of their deals, and no identifier has two.
    let mut identifiers = BTreeSet::new();
    for position in book.positions.values() {
        assert!(position.volume > Decimal::ZERO, "{position:?}");
        assert!(identifiers.insert(position.identifier), "{position:?}");
        let sum = by_position.remove(&position.identifier);
        assert_eq!(
            sum,
            Some(signed(position.side.is_buy(), position.volume)),
            "{position:?}"
        );
        let price = book.price_of(position);
        cash += signed(position.side.is_buy(), position.volume) * price / Decimal::from(5);
    }
    assert!(
        by_position.values().all(Decimal::is_zero),
        "{by_position:?}"
    );
    // An order has dealt what it doesn't want any more.
    for order in book.orders.values().chain(&book.ended_orders) {
        let dealt = by_order.remove(&order.ticket).unwrap_or_default();
        if order.kind != OrderKind::CloseBy {
            assert_eq!(
                dealt,
                order.volume_initial - order.volume_current,
                "{order:?}"
            );
        }
        let is_full = order.volume_current.is_zero();
        assert_eq!(is_full, order.state == OrderState::Filled, "{order:?}");
    }
    assert!(by_order.is_empty(), "{by_order:?}");
    // The balance is what the deals say; profits are what cash and prices say, but for the cents of rounding.
    let booked: Decimal = book
        .deals
        .iter()
        .map(|deal| deal.profit + deal.commission)
        .sum();
    assert_eq!(book.balance, booked);
    let profit: Decimal = trades.iter().map(|deal| deal.profit).sum();
    let off = (profit + book.floating_profit() - cash).abs();
    assert!(
        off <= Decimal::new(1, 2) * Decimal::from(trades.len() + 1),
        "{off} off"
    );
}

/// While the session is open and the market takes any volume, no level and no pending price is left that is reached.
fn nothing_reached_is_left(book: &Book) {
    let symbol = &book.symbols["WINZ26"];
    if !symbol.session_open || symbol.depth.is_some() {
        return;
    }
    for position in book.positions.values() {
        let price = book.price_of(position);
        let is_long = position.side.is_buy();
        let stopped = if is_long {
            price <= position.sl
        } else {
            price >= position.sl
        };
        let done = if is_long {
            price >= position.tp
        } else {
            price <= position.tp
        };
        assert!(position.sl.is_zero() || !stopped, "{position:?} at {price}");
        assert!(position.tp.is_zero() || !done, "{position:?} at {price}");
    }
    for order in book.orders.values() {
        let price = if order.side().is_buy() {
            symbol.ask
        } else {
            symbol.bid
        };
        let above = if order.side().is_buy() {
            order.price_open - price
        } else {
            price - order.price_open
        };
        match order.kind {
            OrderKind::BuyLimit | OrderKind::SellLimit => {
                assert!(above < Decimal::ZERO, "{order:?} at {price}")
            }
            OrderKind::BuyStop
            | OrderKind::SellStop
            | OrderKind::BuyStopLimit
            | OrderKind::SellStopLimit => assert!(above > Decimal::ZERO, "{order:?} at {price}"),
            OrderKind::Buy | OrderKind::Sell | OrderKind::CloseBy => {
                panic!("{order:?} waits for nothing")
            }
        }
    }
}

fn replay(mode: MarginMode, steps: &[Step]) -> Bench {
    let mut bench = Bench::new(&Mt5Options {
        margin_mode: mode,
        ..Mt5Options::b3()
    });
    bench.symbol("WINZ26").order_flags = 127;
    bench.price("WINZ26", "128000");
    for step in steps {
        bench.apply(step);
        audit(&bench.book);
        nothing_reached_is_left(&bench.book);
        if mode != MarginMode::Hedging {
            assert!(
                bench.book.positions.len() <= 1,
                "{:?}",
                bench.book.positions
            );
        }
    }
    bench
}

proptest! {
    #[test]
    fn books_balance_on_accounts_that_net(steps in proptest::collection::vec(step(), 1..60)) {
        replay(MarginMode::Exchange, &steps);
    }

    #[test]
    fn books_balance_on_accounts_that_hedge(steps in proptest::collection::vec(step(), 1..60)) {
        replay(MarginMode::Hedging, &steps);
    }

    /// A deal on one ticket leaves the others as they are.
    #[test]
    fn tickets_are_independent(steps in proptest::collection::vec(step(), 1..30), chosen in 0_usize..4) {
        let mut bench = replay(MarginMode::Hedging, &steps);
        bench.symbol("WINZ26").session_open = true;
        bench.symbol("WINZ26").depth = None;
        bench.book.match_symbol("WINZ26", bench.now);
        let ticket = bench.nth_position(chosen);
        let Some(position) = bench.book.positions.get(&ticket).cloned() else {
            return Ok(());
        };
        let mut others = bench.book.positions.clone();
        others.remove(&ticket);
        let request = TradeRequest {
            volume: position.volume,
            position: ticket,
            ..market(OrderKind::market(position.side.opposite()), "WINZ26", "1")
        };
        bench.done(&request);
        prop_assert_eq!(&bench.book.positions, &others);
    }

    /// The same steps give the same books.
    #[test]
    fn the_same_history_gives_the_same_books(steps in proptest::collection::vec(step(), 1..30)) {
        let (one, other) = (replay(MarginMode::Exchange, &steps), replay(MarginMode::Exchange, &steps));
        prop_assert_eq!(one.book.deals, other.book.deals);
        prop_assert_eq!(one.book.positions, other.book.positions);
        prop_assert_eq!(one.book.ended_orders, other.book.ended_orders);
    }
}
