//! Plans, symbols and facts that the unit tests of this folder share.

use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::policy::Mode;
use ponte_core::signal::{Protection, Side, Terms};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::identity;
use super::options::{
    ANSWER_WITHIN_DEFAULT, Accounting, DEVIATION_POINTS_DEFAULT, Options, OrderLife, VALID_DEFAULT,
};
use crate::bridge::protocol::{Deal, Position, SymbolInfo, TradeOrder};

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

pub(super) fn price(text: &str) -> Price {
    Price::new(decimal(text)).expect("above zero")
}

pub(super) fn symbol(text: &str) -> Symbol {
    Symbol::new(text).expect("a symbol")
}

pub(super) fn strategy(text: &str) -> StrategyName {
    StrategyName::new(text).expect("a name")
}

pub(super) const fn stop_at(trigger: Price) -> OrderKind {
    OrderKind::Single {
        terms: Terms::Stop { trigger },
    }
}

pub(super) const fn limit_at(price: Price) -> OrderKind {
    OrderKind::Single {
        terms: Terms::Limit { price },
    }
}

/// The mini index as a Brazilian terminal lists it: exchange execution, orders of the day.
pub(super) fn win() -> SymbolInfo {
    SymbolInfo {
        name: "WINZ26".to_owned(),
        digits: 0,
        point: decimal("1"),
        tick_size: decimal("5"),
        tick_value: decimal("1"),
        contract_size: decimal("1"),
        volume_min: decimal("1"),
        volume_max: decimal("10"),
        volume_step: decimal("1"),
        volume_limit: Decimal::ZERO,
        stops_level: 0,
        freeze_level: 0,
        trade_mode: 4,
        execution_mode: 3,
        filling_mode: 3,
        order_mode: 63,
        expiration_mode: 3,
        expiration_time: 0,
        currency_profit: "BRL".to_owned(),
        price_limit_min: Decimal::ZERO,
        price_limit_max: Decimal::ZERO,
        session_open: None,
    }
}

/// The euro as a forex terminal lists it: market execution, fill or kill only.
pub(super) fn eurusd() -> SymbolInfo {
    SymbolInfo {
        name: "EURUSD".to_owned(),
        digits: 5,
        point: decimal("0.00001"),
        tick_size: decimal("0.00001"),
        tick_value: decimal("1"),
        contract_size: decimal("100000"),
        volume_min: decimal("0.01"),
        volume_max: decimal("100"),
        volume_step: decimal("0.01"),
        execution_mode: 2,
        filling_mode: 1,
        expiration_mode: 15,
        currency_profit: "USD".to_owned(),
        ..win()
    }
}

pub(super) fn options(accounting: Accounting) -> Options {
    Options {
        account: AccountName::new("mt5").expect("a name"),
        mode: Mode::Demo,
        login: 12_345_678,
        server: "Standin-Demo".to_owned(),
        currency: "BRL".to_owned(),
        accounting,
        deviation_points: DEVIATION_POINTS_DEFAULT,
        filling: None,
        pending_orders_last: OrderLife::Day,
        answer_within: ANSWER_WITHIN_DEFAULT,
        valid: VALID_DEFAULT,
    }
}

/// An order of two lots of the mini index for the strategy `breakout`.
pub(super) fn plan(number: u64, class: OrderClass, side: Side, kind: OrderKind) -> OrderPlan {
    OrderPlan {
        id: ClientOrderId::derive(AlertId(number), &[b"sample"]),
        account: AccountName::new("mt5").expect("a name"),
        strategy: strategy("breakout"),
        symbol: symbol("WINZ26"),
        side,
        quantity: Quantity::new(decimal("2")).expect("above zero"),
        kind,
        class,
        protection: Protection::default(),
        reference_price: None,
        origin: Origin::Alert(AlertId(number)),
        alert: Some(AlertId(number)),
        expires_at: Timestamp(1_900_000_000_000_000),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        multiplier: Decimal::ONE,
        reduce_only: false,
    }
}

pub(super) fn of_quantity(plan: OrderPlan, lots: &str) -> OrderPlan {
    OrderPlan {
        quantity: Quantity::new(decimal(lots)).expect("above zero"),
        ..plan
    }
}

pub(super) fn magic_of(plan: &OrderPlan) -> i64 {
    i64::try_from(identity::magic_of(plan)).expect("63 bits")
}

/// A long position of the mini index without levels.
pub(super) fn position(ticket: u64, lots: &str, magic: i64) -> Position {
    Position {
        ticket,
        identifier: ticket,
        symbol: "WINZ26".to_owned(),
        position_type: 0,
        magic,
        volume: decimal(lots),
        price_open: decimal("128000"),
        sl: Decimal::ZERO,
        tp: Decimal::ZERO,
        time_ms: 1_800_000_000_000,
        comment: String::new(),
    }
}

pub(super) fn with_levels(position: Position, sl: &str, tp: &str) -> Position {
    Position {
        sl: decimal(sl),
        tp: decimal(tp),
        ..position
    }
}

/// A deal of an order of ours, by the bridge's program.
pub(super) fn deal(ticket: u64, order: u64, of: &OrderPlan, lots: &str, at: &str) -> Deal {
    let (deal_type, entry) = match (of.side, of.class.reduces()) {
        (Side::Buy, false) => (0, 0),
        (Side::Sell, false) => (1, 0),
        (Side::Buy, true) => (0, 1),
        (Side::Sell, true) => (1, 1),
    };
    Deal {
        ticket,
        order,
        position_id: 900,
        symbol: of.symbol.as_str().to_owned(),
        deal_type,
        entry,
        magic: magic_of(of),
        reason: 3,
        volume: decimal(lots),
        price: decimal(at),
        commission: decimal("-0.5"),
        fee: Decimal::ZERO,
        swap: decimal("-9"),
        profit: Decimal::ZERO,
        time_ms: 1_800_000_000_000,
        comment: String::new(),
    }
}

/// A sale that closed a long position by its stop (reason 4) or its target (5).
pub(super) fn fired(ticket: u64, reason: u32, position_id: u64, lots: &str, magic: i64) -> Deal {
    Deal {
        ticket,
        order: ticket + 1_000,
        position_id,
        symbol: "WINZ26".to_owned(),
        deal_type: 1,
        entry: 1,
        magic,
        reason,
        volume: decimal(lots),
        price: decimal("127500"),
        commission: decimal("-1"),
        fee: decimal("-0.2"),
        swap: decimal("-3"),
        profit: decimal("-100"),
        time_ms: 1_800_000_001_000,
        comment: "[sl 127500]".to_owned(),
    }
}

/// An order of ours at the terminal, in this state.
pub(super) fn order(
    ticket: u64,
    of: &OrderPlan,
    state: u32,
    initial: &str,
    left: &str,
) -> TradeOrder {
    let order_type = match of.side {
        Side::Buy => 2,
        Side::Sell => 3,
    };
    TradeOrder {
        ticket,
        symbol: of.symbol.as_str().to_owned(),
        order_type,
        state,
        magic: magic_of(of),
        position_id: 0,
        volume_initial: decimal(initial),
        volume_current: decimal(left),
        price_open: decimal("128000"),
        price_stoplimit: Decimal::ZERO,
        sl: Decimal::ZERO,
        tp: Decimal::ZERO,
        reason: 3,
        time_ms: 1_800_000_000_000,
        time_done_ms: 0,
        comment: String::new(),
    }
}
