//! What the broker says by itself: every order's end arrives, and totals never go back.

use ponte_core::order::OrderPlan;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome};
use crate::conformance::subject::{Depth, Fault, Operation};
use crate::conformance::words::words;

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "a fill that nobody asked about is told",
                "uma execução que ninguém perguntou é contada",
            ),
            run: |tested| Box::pin(fills_are_told(tested)),
        },
        Behaviour {
            name: words(
                "a fill on another order's price is told",
                "uma execução pelo preço de outra ordem é contada",
            ),
            run: |tested| Box::pin(fills_beside_a_refusal_are_told(tested)),
        },
        Behaviour {
            name: words(
                "a report that comes twice changes nothing",
                "um relato que chega duas vezes não muda nada",
            ),
            run: |tested| Box::pin(totals_survive(tested, Fault::Duplicate)),
        },
        Behaviour {
            name: words(
                "a report that comes late changes nothing",
                "um relato que chega atrasado não muda nada",
            ),
            run: |tested| Box::pin(totals_survive(tested, Fault::Late)),
        },
        Behaviour {
            name: words(
                "a report that is lost is made good by the next",
                "um relato perdido é compensado pelo seguinte",
            ),
            run: |tested| Box::pin(totals_survive(tested, Fault::Lose)),
        },
        Behaviour {
            name: words(
                "what happens while the stream is cut is told afterwards",
                "o que acontece com o fluxo cortado é contado depois",
            ),
            run: |tested| Box::pin(a_cut_is_made_good(tested)),
        },
    ]
}

async fn fills_are_told(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plans = [
        desk.buy_limit(1, -100),
        desk.buy_limit(1, -200),
        desk.buy_limit(1, -300),
    ];
    for plan in &plans {
        desk.resting(plan).await;
    }
    desk.move_to(-400).await;
    for plan in &plans {
        desk.ends_filled(plan).await;
        let is_streamed = desk
            .follower
            .read(|heard| heard.streamed.iter().any(|r| r.id == plan.id));
        let missed = desk.follower.read(|heard| heard.missed);
        assert!(
            is_streamed || missed > 1,
            "told neither by itself nor after a gap"
        );
    }
    Ok(())
}

/// A refused order brings a price along, which fills what rests.
async fn fills_beside_a_refusal_are_told(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(1, -100);
    desk.resting(&plan).await;
    let unaffordable = OrderPlan {
        quantity: ponte_core::number::Quantity::new(desk.facts.unaffordable).unwrap(),
        reference_price: Some(desk.price(-200)),
        ..desk.buy(1)
    };
    desk.submit(&unaffordable).await;
    desk.move_to(-200).await;
    desk.ends_filled(&plan).await;
    Ok(())
}

async fn totals_survive(tested: Tested, fault: Fault) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Thin).await;
    let plan = desk.buy_limit(4, -100);
    desk.resting(&plan).await;
    desk.stage.order_fault(Operation::Reports, fault, 1).await?;
    desk.fill_by_pieces(&plan).await;
    desk.ends_filled(&plan).await;
    // Another order's end comes after everything that was held back.
    let next = desk.buy_limit(1, -300);
    desk.resting(&next).await;
    desk.wait("the fault", || async {
        desk.stage.faults_left().await == 0
    })
    .await;
    for _ in 0..4 {
        desk.move_to(-400).await;
        desk.move_to(-410).await;
    }
    desk.ends_filled(&next).await;
    desk.ends_filled(&plan).await;
    Ok(())
}

async fn a_cut_is_made_good(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (first, second) = (desk.buy_limit(1, -100), desk.buy_limit(1, -300));
    desk.resting(&first).await;
    desk.resting(&second).await;
    desk.stage
        .order_fault(Operation::Reports, Fault::Cut, 1)
        .await?;
    desk.move_to(-200).await;
    desk.ends_filled(&first).await;
    desk.move_to(-400).await;
    desk.ends_filled(&second).await;
    Ok(())
}
