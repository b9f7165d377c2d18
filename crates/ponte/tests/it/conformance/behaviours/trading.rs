//! Orders that execute at once.

use ponte_core::fate::Fate;
use ponte_core::order::{OrderClass, OrderKind, OrderPlan};
use ponte_core::signal::Side;
use rust_decimal::Decimal;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome};
use crate::conformance::follower::has_ended;
use crate::conformance::subject::{Depth, Limits};
use crate::conformance::words::{LIMITS_WAIT, NO_REDUCE_ONLY, NO_SHORT, words};

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "a market order fills, and its totals are the venue's",
                "uma ordem a mercado executa, e seus totais são os da bolsa",
            ),
            run: |tested| Box::pin(market_orders_fill(tested)),
        },
        Behaviour {
            name: words(
                "a limit order that the market has reached fills at once",
                "uma ordem limite que o mercado já alcançou executa na hora",
            ),
            run: |tested| Box::pin(marketable_limits_fill(tested)),
        },
        Behaviour {
            name: words(
                "a sale without holdings opens a short position",
                "uma venda sem estoque abre uma posição vendida",
            ),
            run: |tested| Box::pin(sales_open_short_positions(tested)),
        },
        Behaviour {
            name: words(
                "a reduce-only order never opens a position",
                "uma ordem que só reduz nunca abre posição",
            ),
            run: |tested| Box::pin(reduce_only_never_opens(tested)),
        },
        Behaviour {
            name: words(
                "a reduce-only order never turns a position",
                "uma ordem que só reduz nunca vira a posição",
            ),
            run: |tested| Box::pin(reduce_only_never_turns(tested)),
        },
        Behaviour {
            name: words(
                "two orders at the same time are two orders",
                "duas ordens ao mesmo tempo são duas ordens",
            ),
            run: |tested| Box::pin(two_orders_at_once(tested)),
        },
        Behaviour {
            name: words(
                "an id that is handed over twice while it rests stays one order",
                "um id entregue duas vezes enquanto espera continua uma só ordem",
            ),
            run: |tested| Box::pin(an_id_twice_is_one_order(tested)),
        },
    ]
}

async fn market_orders_fill(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let bought = desk.filled(&desk.buy(4)).await;
    let sold = desk.filled(&desk.exit(3)).await;
    assert!(bought.average_price > Decimal::ZERO && sold.average_price > Decimal::ZERO);
    assert_ne!(bought.broker_order_id, sold.broker_order_id);
    let left = desk.position().await;
    assert_eq!(left, desk.lots(1) - bought.withheld);
    assert_eq!(desk.stage.audit().await.open(), Vec::new());
    Ok(())
}

async fn marketable_limits_fill(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    match desk.facts.limits {
        Limits::Waiting => return Err(LIMITS_WAIT),
        Limits::Any | Limits::BehindTrigger => {}
    }
    let report = desk.filled(&desk.buy_limit(2, 100)).await;
    assert!(
        report.average_price <= desk.price(100).get(),
        "worse than its limit: {report:?}"
    );
    Ok(())
}

async fn sales_open_short_positions(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.short {
        return Err(NO_SHORT);
    }
    let sale = desk.order(OrderClass::Entry, Side::Sell, 2, OrderKind::MARKET);
    desk.filled(&sale).await;
    assert_eq!(desk.position().await, -desk.lots(2));
    let cover = desk.order(OrderClass::Exit, Side::Buy, 2, OrderKind::MARKET);
    desk.filled(&cover).await;
    assert_eq!(desk.position().await, Decimal::ZERO);
    Ok(())
}

/// Hands over an order that can execute in part or not at all.
async fn ends_somehow(desk: &Desk, plan: &OrderPlan) {
    match desk.submit(plan).await {
        Fate::Acknowledged { report } if !has_ended(&report) => {
            desk.follower.end_of(plan.id).await;
        }
        Fate::Acknowledged { .. } => {}
        Fate::Rejected { .. } | Fate::NotSent { .. } => {
            assert_eq!(desk.count(plan).await, 0, "refused, but there")
        }
        fate @ Fate::Unknown { .. } => panic!("no definite fate: {fate:?}"),
    }
}

fn reducing(desk: &Desk, lots: u32) -> OrderPlan {
    OrderPlan {
        reduce_only: true,
        ..desk.exit(lots)
    }
}

async fn reduce_only_never_opens(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.reduce_only {
        return Err(NO_REDUCE_ONLY);
    }
    ends_somehow(&desk, &reducing(&desk, 2)).await;
    assert_eq!(desk.position().await, Decimal::ZERO);
    assert_eq!(desk.stage.audit().await.open(), Vec::new());
    Ok(())
}

async fn reduce_only_never_turns(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.reduce_only {
        return Err(NO_REDUCE_ONLY);
    }
    desk.filled(&desk.buy(2)).await;
    desk.filled(&reducing(&desk, 1)).await;
    assert_eq!(desk.position().await, desk.lots(1));
    ends_somehow(&desk, &reducing(&desk, 5)).await;
    let left = desk.position().await;
    assert!(left >= Decimal::ZERO, "turned to {left}");
    assert_eq!(desk.stage.audit().await.open(), Vec::new());
    Ok(())
}

async fn two_orders_at_once(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (first, second) = (desk.buy(2), desk.buy(3));
    let (one, other) = tokio::join!(desk.filled(&first), desk.filled(&second));
    assert_ne!(one.broker_order_id, other.broker_order_id);
    let held = desk.lots(5) - one.withheld - other.withheld;
    assert_eq!(desk.position().await, held);
    Ok(())
}

async fn an_id_twice_is_one_order(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    desk.resting(&plan).await;
    match desk.broker.submit(&plan).await {
        // The order is there: to call it refused would be a wrong certainty.
        fate @ (Fate::Rejected { .. } | Fate::NotSent { .. }) => {
            panic!("wrong certainty: {fate:?}")
        }
        Fate::Acknowledged { .. } | Fate::Unknown { .. } => {}
    }
    let report = desk.found(&plan).await;
    assert!(!has_ended(&report), "{report:?}");
    assert!(desk.audited(&plan).await.is_open);
    Ok(())
}
