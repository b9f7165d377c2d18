//! Plans that the unit tests of this folder share.

use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::signal::{Protection, Side};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

pub(super) fn id() -> ClientOrderId {
    ClientOrderId::derive(AlertId(7), &[b"sample"])
}

pub(super) const fn market() -> OrderKind {
    OrderKind::MARKET
}

pub(super) fn price(number: i64) -> Price {
    Price::new(Decimal::from(number)).expect("above zero")
}

/// Half a `BTCUSDT.P`.
pub(super) fn plan_of(kind: OrderKind, side: Side, class: OrderClass) -> OrderPlan {
    OrderPlan {
        id: id(),
        account: AccountName::new("futures").expect("a name"),
        strategy: StrategyName::unnamed(),
        symbol: Symbol::new("BTCUSDT.P").expect("a symbol"),
        side,
        quantity: Quantity::new(Decimal::new(5, 1)).expect("above zero"),
        kind,
        class,
        protection: Protection::default(),
        reference_price: None,
        origin: Origin::Alert(AlertId(7)),
        alert: Some(AlertId(7)),
        expires_at: Timestamp(1_700_000_060_000_000),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        multiplier: Decimal::ONE,
        reduce_only: false,
    }
}
