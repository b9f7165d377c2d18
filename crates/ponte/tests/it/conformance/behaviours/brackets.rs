//! Stops and targets of one position.

use ponte_core::fate::{Fate, NotSent};
use ponte_core::message::ReportedStatus;
use ponte_core::order::OrderPlan;
use ponte_core::policy::Brackets;
use ponte_core::signal::Terms;
use rust_decimal::Decimal;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, single};
use crate::conformance::subject::Depth;
use crate::conformance::words::{NO_BRACKETS, NOTHING_HELD, words};

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "a bracket's target executes, and its stop ends",
                "o alvo de um bracket executa, e seu stop acaba",
            ),
            run: |tested| Box::pin(one_side_executes(tested, 250)),
        },
        Behaviour {
            name: words(
                "a bracket's stop executes, and its target ends",
                "o stop de um bracket executa, e seu alvo acaba",
            ),
            run: |tested| Box::pin(one_side_executes(tested, -250)),
        },
        Behaviour {
            name: words(
                "a bracket can be cancelled, both sides of it",
                "um bracket pode ser cancelado, os dois lados",
            ),
            run: |tested| Box::pin(brackets_are_cancelled(tested)),
        },
        Behaviour {
            name: words(
                "an exit takes the place of the stop that holds what it sells",
                "uma saída toma o lugar do stop que bloqueia o que ela vende",
            ),
            run: |tested| Box::pin(exits_take_the_place(tested, Protected::ByStop)),
        },
        Behaviour {
            name: words(
                "an exit takes the place of the bracket that holds what it sells",
                "uma saída toma o lugar do bracket que bloqueia o que ela vende",
            ),
            run: |tested| Box::pin(exits_take_the_place(tested, Protected::ByBracket)),
        },
        Behaviour {
            name: words(
                "an exit instead of a stop that has executed sells nothing more",
                "uma saída no lugar de um stop já executado não vende mais nada",
            ),
            run: |tested| Box::pin(exits_sell_once(tested)),
        },
    ]
}

/// The stop and the target as the broker can have them: one order or two.
async fn protected(desk: &Desk) -> Result<Vec<OrderPlan>, crate::conformance::words::Why> {
    let target = desk.price(200);
    let sides = match desk.abilities.brackets {
        Brackets::None => return Err(NO_BRACKETS),
        Brackets::OneOrder | Brackets::OnPosition => vec![desk.bracket(2, -200, 200)],
        Brackets::TwoOrders => vec![
            desk.stop(2, -200),
            desk.protect(2, single(Terms::Limit { price: target })),
        ],
    };
    desk.filled(&desk.buy(2)).await;
    // What the venue kept of the purchase can't be sold.
    let held = desk.position().await;
    let sides = sides
        .into_iter()
        .map(|plan| sized(plan, held))
        .collect::<Vec<_>>();
    for plan in &sides {
        desk.resting(plan).await;
    }
    Ok(sides)
}

/// An order for as much of what is held as makes whole steps.
fn sized(plan: OrderPlan, held: Decimal) -> OrderPlan {
    let step = Decimal::new(1, 5);
    let quantity = plan.quantity.get().min(held);
    let whole = ponte_core::number::floor_to_step(quantity, step).unwrap();
    OrderPlan {
        quantity: ponte_core::number::Quantity::new(whole).unwrap(),
        ..plan
    }
}

async fn one_side_executes(tested: Tested, basis_points: i64) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let sides = protected(&desk).await?;
    desk.move_to(basis_points).await;
    let executed = match sides.as_slice() {
        [bracket] => bracket,
        [stop, _] if basis_points < 0 => stop,
        [_, target] => target,
        others => panic!("{} sides", others.len()),
    };
    let report = desk.ends_filled(executed).await;
    if basis_points > 0 {
        assert!(report.average_price >= desk.price(200).get(), "{report:?}");
    }
    for other in sides.iter().filter(|side| side.id != executed.id) {
        // Two orders that know nothing of each other: Ponte takes the other one back.
        desk.cancelled(other).await;
    }
    let audit = desk.stage.audit().await;
    assert_eq!(audit.open(), Vec::new());
    let left = audit.position(&desk.facts.symbol);
    desk.move_to(-basis_points).await;
    assert_eq!(desk.position().await, left, "the dead side executed");
    Ok(())
}

async fn brackets_are_cancelled(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let sides = protected(&desk).await?;
    let held = desk.position().await;
    for side in &sides {
        desk.cancelled(side).await;
        let report = desk.follower.end_of(side.id).await;
        desk.agree(side, &report).await;
    }
    desk.move_to(300).await;
    desk.move_to(-300).await;
    assert_eq!(desk.position().await, held);
    Ok(())
}

#[derive(Clone, Copy)]
enum Protected {
    ByStop,
    ByBracket,
}

/// A position with what protects it, and the exit that should take its place.
async fn exit_of(
    desk: &Desk,
    protected: Protected,
) -> Result<(OrderPlan, OrderPlan), crate::conformance::words::Why> {
    if !desk.abilities.resting_holds {
        return Err(NOTHING_HELD);
    }
    let plan = match (protected, desk.abilities.brackets) {
        (Protected::ByStop, _) => desk.stop(2, -200),
        (Protected::ByBracket, Brackets::OneOrder | Brackets::OnPosition) => {
            desk.bracket(2, -200, 200)
        }
        (Protected::ByBracket, Brackets::None | Brackets::TwoOrders) => return Err(NO_BRACKETS),
    };
    desk.filled(&desk.buy(2)).await;
    let held = desk.position().await;
    let plan = sized(plan, held);
    desk.resting(&plan).await;
    let exit = OrderPlan {
        instead_of: vec![plan.id],
        ..sized(desk.exit(2), held)
    };
    Ok((plan, exit))
}

async fn exits_take_the_place(tested: Tested, protected: Protected) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (protection, exit) = exit_of(&desk, protected).await?;
    desk.filled(&exit).await;
    let ended = desk.follower.end_of(protection.id).await;
    assert!(
        matches!(ended.status, ReportedStatus::Cancelled { .. }),
        "{ended:?}"
    );
    assert!(ended.filled.is_zero());
    assert_eq!(desk.stage.audit().await.open(), Vec::new());
    Ok(())
}

async fn exits_sell_once(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (protection, exit) = exit_of(&desk, Protected::ByStop).await?;
    desk.filled(&desk.buy(2)).await;
    desk.move_to(-250).await;
    desk.ends_filled(&protection).await;
    let held = desk.position().await;
    match desk.submit(&exit).await {
        Fate::NotSent {
            why: NotSent::Unreachable(_),
        }
        | Fate::Rejected { .. } => {}
        fate @ (Fate::Acknowledged { .. } | Fate::NotSent { .. } | Fate::Unknown { .. }) => {
            panic!("the stop that it should replace has executed: {fate:?}")
        }
    }
    assert_eq!(desk.count(&exit).await, 0);
    assert_eq!(desk.position().await, held);
    Ok(())
}
