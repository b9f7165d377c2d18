//! Plans in the exchange's terms, parameter by parameter.

use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::number::Quantity;
use ponte_core::order::{OrderClass, Origin};
use ponte_core::signal::Protection;
use ponte_core::time::Timestamp;

use super::*;

fn price(text: &str) -> Price {
    Price::new(text.parse().unwrap()).unwrap()
}

/// A plan to trade 0.5 BTCUSDT.
pub(in crate::brokers::binance::spot) fn plan(side: Side, kind: OrderKind) -> OrderPlan {
    OrderPlan {
        id: ClientOrderId::derive(AlertId(7), &[b"plan"]),
        account: AccountName::new("spot").unwrap(),
        strategy: StrategyName::unnamed(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        side,
        quantity: Quantity::new("0.50000".parse().unwrap()).unwrap(),
        kind,
        class: OrderClass::Entry,
        protection: Protection::default(),
        reference_price: None,
        origin: Origin::Alert(AlertId(7)),
        alert: Some(AlertId(7)),
        expires_at: Timestamp(i64::MAX),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        multiplier: Decimal::ONE,
        reduce_only: false,
    }
}

fn query(side: Side, kind: OrderKind) -> String {
    place(&plan(side, kind)).unwrap().encoded()
}

fn terms(terms: Terms) -> OrderKind {
    OrderKind::Single { terms }
}

#[test]
fn single_orders() {
    let id = plan(Side::Buy, OrderKind::MARKET).id;
    let head = format!("symbol=BTCUSDT&newClientOrderId={id}&side=BUY&quantity=0.5&type=");
    let cases = [
        (OrderKind::MARKET, "MARKET"),
        (
            terms(Terms::Limit {
                price: price("60000.10"),
            }),
            "LIMIT&timeInForce=GTC&price=60000.1",
        ),
        (
            terms(Terms::Stop {
                trigger: price("61000"),
            }),
            "STOP_LOSS&stopPrice=61000",
        ),
        (
            terms(Terms::StopLimit {
                trigger: price("61000"),
                price: price("61100"),
            }),
            "STOP_LOSS_LIMIT&timeInForce=GTC&price=61100&stopPrice=61000",
        ),
    ];
    for (kind, tail) in cases {
        let wanted = format!("{head}{tail}&newOrderRespType=FULL");
        assert_eq!(query(Side::Buy, kind), wanted);
    }
}

#[test]
fn a_pair_has_its_target_on_the_right_side() {
    let kind = OrderKind::OneCancelsOther {
        stop: price("58000"),
        target: price("65000"),
    };
    let id = plan(Side::Sell, kind).id;
    assert_eq!(
        query(Side::Sell, kind),
        format!(
            "symbol=BTCUSDT&listClientOrderId={id}&side=SELL&quantity=0.5\
             &aboveType=LIMIT_MAKER&aboveClientOrderId={id}-t&abovePrice=65000\
             &belowType=STOP_LOSS&belowClientOrderId={id}-s&belowStopPrice=58000\
             &newOrderRespType=FULL"
        )
    );
    let kind = OrderKind::OneCancelsOther {
        stop: price("65000"),
        target: price("58000"),
    };
    let buy = place(&plan(Side::Buy, kind)).unwrap();
    assert_eq!(buy.get("aboveType"), Some("STOP_LOSS"));
    assert_eq!(buy.get("aboveStopPrice"), Some("65000"));
    assert_eq!(buy.get("aboveClientOrderId"), Some(&*format!("{id}-s")));
    assert_eq!(buy.get("belowType"), Some("LIMIT_MAKER"));
    assert_eq!(buy.get("belowPrice"), Some("58000"));
    assert_eq!(buy.get("belowClientOrderId"), Some(&*format!("{id}-t")));
}

#[test]
fn a_distance_is_whole_basis_points_or_refused() {
    let trailing = |text: &str| {
        place(&plan(
            Side::Sell,
            OrderKind::TrailingStop {
                distance_percent: text.parse().unwrap(),
            },
        ))
    };
    let params = trailing("1.50").unwrap();
    assert_eq!(params.get("trailingDelta"), Some("150"));
    assert_eq!(params.get("type"), Some("STOP_LOSS"));
    assert_eq!(params.get("stopPrice"), None);
    let refusal = trailing("0.125").unwrap_err();
    assert!(refusal.contains("0.125 %") && refusal.contains("basis points"));
}
