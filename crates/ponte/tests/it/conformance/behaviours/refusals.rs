//! Definite refusals: called so, in the venue's words, and nothing rests.

use ponte_core::fate::Fate;
use ponte_core::number::Quantity;
use ponte_core::order::OrderPlan;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, in_symbol};
use crate::conformance::subject::{Depth, Fault, Operation};
use crate::conformance::words::words;

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "below the minimum is rejected in the venue's words",
                "abaixo do mínimo é rejeitada nas palavras da bolsa",
            ),
            run: |tested| Box::pin(dust_is_rejected(tested)),
        },
        Behaviour {
            name: words(
                "an unknown symbol is rejected in the venue's words",
                "um símbolo desconhecido é rejeitado nas palavras da bolsa",
            ),
            run: |tested| Box::pin(unknown_symbols_are_rejected(tested)),
        },
        Behaviour {
            name: words(
                "more than the account can pay is rejected in the venue's words",
                "mais do que a conta paga é rejeitada nas palavras da bolsa",
            ),
            run: |tested| Box::pin(unaffordable_orders_are_rejected(tested)),
        },
        Behaviour {
            name: words(
                "a definite refusal leaves nothing behind",
                "uma recusa definitiva não deixa nada para trás",
            ),
            run: |tested| Box::pin(refusals_leave_nothing(tested)),
        },
    ]
}

/// The order is refused for good in the venue's words, and the venue has nothing of it.
async fn is_rejected(desk: &Desk, plan: &OrderPlan, word: &str) {
    match desk.submit(plan).await {
        Fate::Rejected { reason } => {
            let is_the_venues = reason.to_lowercase().contains(&word.to_lowercase());
            assert!(is_the_venues, "{word} is not in: {reason}");
        }
        fate @ (Fate::Acknowledged { .. } | Fate::NotSent { .. } | Fate::Unknown { .. }) => {
            panic!("expected a rejection with {word}, got {fate:?}")
        }
    }
    assert_eq!(desk.count(plan).await, 0);
    assert_eq!(desk.stage.audit().await.open(), Vec::new());
}

async fn dust_is_rejected(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let quantity = Quantity::new(desk.facts.dust).unwrap();
    for plan in [desk.buy(1), desk.buy_limit(1, -200)] {
        is_rejected(
            &desk,
            &OrderPlan { quantity, ..plan },
            desk.facts.refusals.dust,
        )
        .await;
    }
    Ok(())
}

async fn unknown_symbols_are_rejected(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let symbol = desk.facts.unknown_symbol.clone()?;
    is_rejected(
        &desk,
        &in_symbol(desk.buy(1), &symbol),
        desk.facts.refusals.symbol,
    )
    .await;
    Ok(())
}

async fn unaffordable_orders_are_rejected(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let quantity = Quantity::new(desk.facts.unaffordable).unwrap();
    for plan in [desk.buy(1), desk.buy_limit(1, -200)] {
        is_rejected(
            &desk,
            &OrderPlan { quantity, ..plan },
            desk.facts.refusals.money,
        )
        .await;
    }
    Ok(())
}

async fn refusals_leave_nothing(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy(1);
    desk.fault(Operation::Place, Fault::Refuse).await?;
    is_rejected(&desk, &plan, "").await;
    // The refused order does not stand in the way of the next.
    desk.filled(&desk.buy(1)).await;
    assert_eq!(desk.count(&plan).await, 0);
    Ok(())
}
