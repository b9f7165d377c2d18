//! Orders that are taken back.

use ponte_core::message::{CancelAnswer, ReportedStatus};
use ponte_core::order::OrderPlan;
use ponte_core::signal::Terms;
use rust_decimal::Decimal;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, in_symbol, single};
use crate::conformance::follower::has_ended;
use crate::conformance::subject::{Depth, Fault, Operation};
use crate::conformance::words::words;

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "a resting order is cancelled",
                "uma ordem em espera é cancelada",
            ),
            run: |tested| Box::pin(resting_orders_are_cancelled(tested)),
        },
        Behaviour {
            name: words(
                "what had traded before a cancellation is told",
                "o que executou antes de um cancelamento é contado",
            ),
            run: |tested| Box::pin(fills_before_cancelling_are_told(tested)),
        },
        Behaviour {
            name: words(
                "a filled order is never called cancelled",
                "uma ordem executada nunca é dita cancelada",
            ),
            run: |tested| Box::pin(filled_orders_stay_filled(tested)),
        },
        Behaviour {
            name: words(
                "an order that never was is not cancelled",
                "uma ordem que nunca existiu não é cancelada",
            ),
            run: |tested| Box::pin(unknown_orders_are_not_cancelled(tested)),
        },
        Behaviour {
            name: words(
                "every order of a symbol is cancelled, and no other",
                "todas as ordens de um símbolo são canceladas, e nenhuma outra",
            ),
            run: |tested| Box::pin(a_symbol_is_cancelled(tested)),
        },
        Behaviour {
            name: words(
                "a cancellation whose answer is lost is no wrong certainty",
                "um cancelamento de resposta perdida não vira certeza errada",
            ),
            run: |tested| Box::pin(lost_answers_are_unanswered(tested)),
        },
    ]
}

async fn resting_orders_are_cancelled(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    desk.resting(&plan).await;
    match desk.broker.cancel(&plan).await {
        CancelAnswer::Done(report) => {
            assert_eq!(report.id, plan.id);
            desk.follower.note(&report);
        }
        answer @ (CancelAnswer::NotOpen | CancelAnswer::Unanswered(_)) => panic!("{answer:?}"),
    }
    let report = desk.follower.end_of(plan.id).await;
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
    desk.agree(&plan, &report).await;
    desk.move_to(-300).await;
    assert!(desk.audited(&plan).await.executed.is_zero());
    Ok(())
}

async fn fills_before_cancelling_are_told(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Thin).await;
    let plan = desk.buy_limit(8, -100);
    desk.resting(&plan).await;
    desk.move_to(-200).await;
    desk.wait("the first partial fill", || async {
        !desk.audited(&plan).await.executed.is_zero()
    })
    .await;
    desk.cancelled(&plan).await;
    let report = desk.follower.end_of(plan.id).await;
    assert!(report.filled > Decimal::ZERO && report.filled < plan.quantity.get());
    // The answer to a cancellation may know less of the money than the truth does.
    let report = desk.found(&plan).await;
    desk.agree(&plan, &report).await;
    Ok(())
}

async fn filled_orders_stay_filled(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    desk.resting(&plan).await;
    desk.move_to(-300).await;
    desk.ends_filled(&plan).await;
    match desk.broker.cancel(&plan).await {
        CancelAnswer::Done(report) => assert_eq!(report.status, ReportedStatus::Filled),
        CancelAnswer::NotOpen => {}
        CancelAnswer::Unanswered(why) => panic!("{why}"),
    }
    let report = desk.found(&plan).await;
    desk.agree(&plan, &report).await;
    Ok(())
}

async fn unknown_orders_are_not_cancelled(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    match desk.broker.cancel(&plan).await {
        CancelAnswer::NotOpen | CancelAnswer::Unanswered(_) => {}
        CancelAnswer::Done(report) => panic!("cancelled what never was: {report:?}"),
    }
    assert_eq!(desk.count(&plan).await, 0);
    Ok(())
}

async fn a_symbol_is_cancelled(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (near, far) = (desk.buy_limit(1, -100), desk.buy_limit(1, -200));
    let other = elsewhere(&desk);
    let mut plans = vec![near, far];
    if desk.abilities.stop {
        desk.filled(&desk.buy(2)).await;
        plans.push(desk.stop(1, -300));
    }
    for plan in plans.iter().chain([&other]) {
        desk.resting(plan).await;
    }
    desk.broker.cancel_all(&desk.facts.symbol).await.unwrap();
    desk.wait("the end of the symbol's orders", || async {
        desk.stage.audit().await.open() == vec![other.id]
    })
    .await;
    for plan in &plans {
        let report = desk.follower.end_of(plan.id).await;
        desk.agree(plan, &report).await;
    }
    let report = desk.found(&other).await;
    assert!(!has_ended(&report), "{report:?}");
    Ok(())
}

/// An order that rests in the other symbol, worth about what one lot is.
fn elsewhere(desk: &Desk) -> OrderPlan {
    let price = (desk.facts.other_price * Decimal::new(98, 2)).round();
    let price = ponte_core::number::Price::new(price).unwrap();
    let plan = desk.buy_limit(10, 0);
    OrderPlan {
        kind: single(Terms::Limit { price }),
        ..in_symbol(plan, &desk.facts.other)
    }
}

async fn lost_answers_are_unanswered(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    desk.resting(&plan).await;
    desk.fault(Operation::Cancel, Fault::DisconnectBefore)
        .await?;
    match desk.broker.cancel(&plan).await {
        CancelAnswer::Unanswered(_) => {}
        answer @ (CancelAnswer::Done(_) | CancelAnswer::NotOpen) => {
            panic!("wrong certainty: {answer:?}")
        }
    }
    assert!(desk.audited(&plan).await.is_open);
    desk.fault(Operation::Cancel, Fault::AcceptThenDisconnect)
        .await?;
    desk.wait("a cancellation that reaches the venue", || async {
        match desk.broker.cancel(&plan).await {
            // What was asked afterwards may have told the truth.
            CancelAnswer::Done(report) => assert!(has_ended(&report), "{report:?}"),
            CancelAnswer::NotOpen => assert!(!desk.audited(&plan).await.is_open),
            CancelAnswer::Unanswered(_) => {}
        }
        desk.stage.faults_left().await == 0
    })
    .await;
    let report = desk.found(&plan).await;
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
    desk.agree(&plan, &report).await;
    Ok(())
}
