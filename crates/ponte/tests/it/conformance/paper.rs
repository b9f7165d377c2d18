//! What both paper brokers have in common: the venue that they trade at, and its auditor.

use std::time::Duration;

use ponte_core::id::{AccountName, Symbol};
use ponte_venue::{FillModel, Venue};
use rust_decimal::Decimal;

use super::subject::{Audit, AuditedOrder, Depth, Facts, Limits, Refusals};

pub(super) fn balance() -> Decimal {
    Decimal::from(100_000)
}

pub(super) fn facts() -> Facts {
    Facts {
        account: AccountName::new("conformance").unwrap(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        other: Symbol::new("ETHUSDT").unwrap(),
        price: Decimal::from(50_000),
        other_price: Decimal::from(2_500),
        lot: Decimal::new(1, 2),
        unaffordable: Decimal::from(50),
        dust: Decimal::new(1, 5),
        unknown_symbol: Ok(Symbol::new("NOSUCHTHING").unwrap()),
        one_at_a_time: false,
        limits: Limits::Any,
        fence: Duration::from_secs(1),
        refusals: Refusals {
            dust: "below the minimum",
            symbol: "NOSUCHTHING",
            money: "carries",
        },
    }
}

pub(super) fn fill_model(depth: Depth) -> FillModel {
    let fees = FillModel {
        maker_fee_bps: Decimal::from(2),
        taker_fee_bps: Decimal::from(5),
        half_spread_bps: Decimal::ONE,
        ..FillModel::optimistic()
    };
    match depth {
        Depth::Deep => fees,
        Depth::Thin => FillModel {
            resting_fill_share: Decimal::new(25, 2),
            ..fees
        },
    }
}

/// Everything that the venue knows of an account.
pub(super) fn audit(venue: &Venue, account: &AccountName) -> Audit {
    let account = account.as_str();
    let (orders, forgotten) = venue.all_orders(account).unwrap();
    assert_eq!(forgotten, 0);
    let audited = |order: &ponte_venue::Order| AuditedOrder {
        id: order.request.client_order_id.parse().unwrap(),
        symbol: Symbol::new(&order.request.symbol).unwrap(),
        is_open: order.is_open(),
        executed: order.filled_quantity,
        value: order.filled_value,
        fees: order.fills.iter().map(|fill| fill.fee).sum(),
        withheld: Decimal::ZERO,
    };
    let positions = venue.positions(account).unwrap();
    Audit {
        orders: orders.into_iter().map(audited).collect(),
        positions: positions
            .into_iter()
            .filter(|position| !position.quantity.is_zero())
            .map(|position| (Symbol::new(&position.symbol).unwrap(), position.quantity))
            .collect(),
        cash: venue.balance(account).unwrap().cash,
    }
}
