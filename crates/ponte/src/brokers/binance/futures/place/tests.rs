//! Parameters of each kind of order in each position mode.

use super::super::samples::{market, plan_of, price};
use super::*;
use rust_decimal::Decimal;

const QUANTITY: StopStyle = StopStyle {
    size: StopSize::Quantity,
    trigger: TriggerPrice::Last,
};
const CLOSING: StopStyle = StopStyle {
    size: StopSize::ClosePosition,
    trigger: TriggerPrice::Mark,
};

fn stop() -> OrderKind {
    OrderKind::Single {
        terms: Terms::Stop {
            trigger: price(58_000),
        },
    }
}

fn query(plan: &OrderPlan, mode: PositionMode, style: StopStyle) -> String {
    let placement = placement(plan, mode, style).expect("a plan that can be sent");
    format!(
        "{} {}",
        placement.service.path(),
        placement.params.encoded()
    )
}

#[test]
fn every_kind_has_its_parameters() {
    let entry = OrderClass::Entry;
    let cases = [
        (
            market(),
            "/fapi/v1/order symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.5\
             &newClientOrderId=ID&newOrderRespType=RESULT",
        ),
        (
            OrderKind::Single {
                terms: Terms::Limit {
                    price: price(60_000),
                },
            },
            "/fapi/v1/order symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=60000&quantity=0.5\
             &newClientOrderId=ID&newOrderRespType=RESULT",
        ),
        (
            stop(),
            "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=STOP_MARKET&triggerPrice=58000\
             &workingType=CONTRACT_PRICE&quantity=0.5&clientAlgoId=ID",
        ),
        (
            OrderKind::Single {
                terms: Terms::StopLimit {
                    trigger: price(58_000),
                    price: price(57_900),
                },
            },
            "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=STOP&timeInForce=GTC\
             &triggerPrice=58000&price=57900&workingType=CONTRACT_PRICE&quantity=0.5&clientAlgoId=ID",
        ),
        (
            OrderKind::TrailingStop {
                distance_percent: Decimal::new(150, 2),
            },
            "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=TRAILING_STOP_MARKET\
             &callbackRate=1.5&workingType=CONTRACT_PRICE&quantity=0.5&clientAlgoId=ID",
        ),
    ];
    for (kind, expected) in cases {
        let plan = plan_of(kind, Side::Buy, entry);
        let expected = expected.replace("ID", &plan.id.to_string());
        assert_eq!(query(&plan, PositionMode::OneWay, QUANTITY), expected);
    }
}

#[test]
fn a_target_waits_outside_of_the_book_and_an_entry_in_it() {
    let terms = Terms::Limit { price: price(70) };
    let mut plan = plan_of(
        OrderKind::Single { terms },
        Side::Sell,
        OrderClass::Protection,
    );
    plan.reduce_only = true;
    let expected = format!(
        "/fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=TAKE_PROFIT&triggerPrice=70\
         &workingType=CONTRACT_PRICE&timeInForce=GTC&price=70&quantity=0.5&reduceOnly=true&clientAlgoId={}",
        plan.id
    );
    assert_eq!(query(&plan, PositionMode::OneWay, QUANTITY), expected);
    plan.class = OrderClass::Exit;
    assert_eq!(Service::of(&plan), Service::Regular);
}

#[test]
fn a_hedge_account_is_told_the_side_of_the_position_and_never_reduce_only() {
    let cases = [
        (OrderClass::Entry, Side::Buy, "LONG"),
        (OrderClass::Entry, Side::Sell, "SHORT"),
        (OrderClass::Exit, Side::Sell, "LONG"),
        (OrderClass::Exit, Side::Buy, "SHORT"),
        (OrderClass::Protection, Side::Sell, "LONG"),
        (OrderClass::Protection, Side::Buy, "SHORT"),
    ];
    for (class, side, expected) in cases {
        let mut plan = plan_of(market(), side, class);
        plan.reduce_only = class.reduces();
        let hedge = query(&plan, PositionMode::Hedge, QUANTITY);
        assert!(
            hedge.contains(&format!("positionSide={expected}")),
            "{hedge}"
        );
        assert!(!hedge.contains("reduceOnly"), "{hedge}");
        let one_way = query(&plan, PositionMode::OneWay, QUANTITY);
        assert!(!one_way.contains("positionSide"), "{one_way}");
        assert_eq!(one_way.contains("reduceOnly=true"), class.reduces());
    }
}

#[test]
fn only_a_protective_stop_of_the_whole_position_closes_it() {
    let mut plan = plan_of(stop(), Side::Sell, OrderClass::Protection);
    plan.reduce_only = true;
    let text = query(&plan, PositionMode::OneWay, CLOSING);
    assert!(
        text.contains("workingType=MARK_PRICE&closePosition=true&clientAlgoId"),
        "{text}"
    );
    assert!(
        !text.contains("quantity") && !text.contains("reduceOnly"),
        "{text}"
    );

    let with_quantity = |plan: &OrderPlan, style| {
        let text = query(plan, PositionMode::OneWay, style);
        text.contains("quantity=0.5") && !text.contains("closePosition")
    };
    assert!(with_quantity(&plan, QUANTITY));
    plan.reduce_only = false;
    assert!(
        with_quantity(&plan, CLOSING),
        "another strategy holds the symbol too"
    );
    plan.reduce_only = true;
    plan.class = OrderClass::Exit;
    assert!(with_quantity(&plan, CLOSING));
    plan.class = OrderClass::Protection;
    plan.kind = OrderKind::TrailingStop {
        distance_percent: Decimal::ONE,
    };
    assert!(with_quantity(&plan, CLOSING));
}

#[test]
fn what_the_exchange_has_no_words_for_is_not_sent() {
    let oco = OrderKind::OneCancelsOther {
        stop: price(1),
        target: price(2),
    };
    let plan = plan_of(oco, Side::Sell, OrderClass::Protection);
    assert!(placement(&plan, PositionMode::OneWay, QUANTITY).is_err());
    let mut plan = plan_of(market(), Side::Buy, OrderClass::Entry);
    plan.symbol = ponte_core::id::Symbol::new("BTCUSDT").expect("a symbol");
    let refusal = placement(&plan, PositionMode::OneWay, QUANTITY);
    assert_eq!(
        refusal,
        Err("BTCUSDT is not a perpetual contract, whose names end in .P".to_owned())
    );
}
