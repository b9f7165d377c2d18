//! Slowness, rate limits, bans and clocks: nothing stalls what has nothing to do with it, and
//! nothing is doubled.

use std::sync::Arc;

use ponte::brokers::Broker;
use ponte_core::fate::Fate;
use ponte_core::message::FindAnswer;
use ponte_core::order::OrderPlan;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, in_symbol};
use crate::conformance::subject::{Depth, Fault, Operation};
use crate::conformance::words::{ONE_AT_A_TIME, Why, words};

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "a slow account does not stall another",
                "uma conta lenta não trava outra",
            ),
            run: |tested| Box::pin(slow_accounts_stall_nobody(tested)),
        },
        Behaviour {
            name: words(
                "a slow order does not stall another symbol",
                "uma ordem lenta não trava outro símbolo",
            ),
            run: |tested| Box::pin(slow_orders_stall_no_symbol(tested)),
        },
        Behaviour {
            name: words(
                "\"too many requests\" is respected and passes",
                "\"requisições demais\" é respeitado e passa",
            ),
            run: |tested| Box::pin(limits_pass(tested)),
        },
        Behaviour {
            name: words(
                "nothing is sent while a ban lasts",
                "nada é enviado enquanto dura um bloqueio",
            ),
            run: |tested| Box::pin(bans_are_respected(tested)),
        },
        Behaviour {
            name: words(
                "the venue's clock three minutes ahead: one order or none",
                "o relógio da bolsa três minutos adiantado: uma ordem ou nenhuma",
            ),
            run: |tested| Box::pin(clocks_double_nothing(tested, Fault::ClockAhead)),
        },
        Behaviour {
            name: words(
                "the venue's clock three minutes behind: one order or none",
                "o relógio da bolsa três minutos atrasado: uma ordem ou nenhuma",
            ),
            run: |tested| Box::pin(clocks_double_nothing(tested, Fault::ClockBehind)),
        },
    ]
}

async fn slow_accounts_stall_nobody(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let neighbour = desk.stage.neighbour().await?;
    stalls_nobody(&desk, neighbour, |desk| desk.buy(1)).await
}

async fn slow_orders_stall_no_symbol(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if desk.facts.one_at_a_time {
        return Err(ONE_AT_A_TIME);
    }
    let elsewhere = |desk: &Desk| OrderPlan {
        reference_price: None,
        ..in_symbol(desk.buy(10), &desk.facts.other)
    };
    stalls_nobody(&desk, Arc::clone(&desk.broker), elsewhere).await
}

/// While an order is under way for longer than its sender waits, another one goes through.
async fn stalls_nobody(
    desk: &Desk,
    broker: Arc<dyn Broker>,
    other: impl Fn(&Desk) -> OrderPlan,
) -> Outcome {
    desk.wait("the other order's first way", || async {
        matches!(broker.submit(&other(desk)).await, Fate::Acknowledged { .. })
    })
    .await;
    // On a machine with much to do the slow one can win once; one that waits for it loses always.
    for _ in 0..3 {
        if goes_through_meanwhile(desk, &broker, &other(desk)).await? {
            return Ok(());
        }
    }
    panic!("the other order waits until the slow one has ended");
}

async fn goes_through_meanwhile(
    desk: &Desk,
    broker: &Arc<dyn Broker>,
    other: &OrderPlan,
) -> Result<bool, Why> {
    desk.fault(Operation::Place, Fault::ProcessTooLate).await?;
    let slow = desk.buy(1);
    let sender = Arc::clone(&desk.broker);
    let mut slow_one = tokio::spawn(async move { sender.submit(&slow).await });
    desk.wait("the slow order's way to the venue", || async {
        desk.stage.faults_left().await == 0
    })
    .await;
    tokio::select! {
        biased;
        fate = broker.submit(other) => {
            assert!(matches!(fate, Fate::Acknowledged { .. }), "{fate:?}");
            Ok(true)
        }
        _ = &mut slow_one => Ok(false),
    }
}

async fn limits_pass(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    desk.fault(Operation::Place, Fault::TooManyRequests).await?;
    let plan = desk.buy(1);
    match desk.submit(&plan).await {
        Fate::NotSent { .. } | Fate::Unknown { .. } => {}
        fate @ (Fate::Acknowledged { .. } | Fate::Rejected { .. }) => panic!("{fate:?}"),
    }
    assert_eq!(desk.count(&plan).await, 0);
    desk.wait("the limit's end", || async {
        matches!(desk.submit(&plan).await, Fate::Acknowledged { .. })
    })
    .await;
    desk.ends_filled(&plan).await;
    Ok(())
}

async fn bans_are_respected(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    desk.stage.requests().await?;
    desk.fault(Operation::Place, Fault::Ban).await?;
    let plan = desk.buy(1);
    match desk.submit(&plan).await {
        Fate::NotSent { .. } | Fate::Unknown { .. } => {}
        fate @ (Fate::Acknowledged { .. } | Fate::Rejected { .. }) => panic!("{fate:?}"),
    }
    let before = desk.stage.requests().await?;
    for _ in 0..5 {
        match desk.broker.submit(&desk.buy(1)).await {
            Fate::NotSent { .. } => {}
            fate @ (Fate::Acknowledged { .. } | Fate::Rejected { .. } | Fate::Unknown { .. }) => {
                panic!("sent during a ban: {fate:?}")
            }
        }
        match desk.broker.find(&plan).await {
            FindAnswer::Unanswered(_) => {}
            answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => panic!("{answer:?}"),
        }
    }
    assert_eq!(
        desk.stage.requests().await?,
        before,
        "requests left during the ban"
    );
    desk.wait("the ban's end", || async {
        matches!(desk.submit(&plan).await, Fate::Acknowledged { .. })
    })
    .await;
    desk.ends_filled(&plan).await;
    Ok(())
}

async fn clocks_double_nothing(tested: Tested, fault: Fault) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    // The adapter knows the venue's clock before it changes.
    desk.filled(&desk.buy(1)).await;
    desk.fault(Operation::Place, fault).await?;
    let plan = desk.buy(1);
    desk.wait("an order that the venue takes by its own clock", || async {
        match desk.submit(&plan).await {
            Fate::Acknowledged { .. } => true,
            Fate::NotSent { .. } => false,
            Fate::Unknown { .. } => match desk.truth(&plan).await {
                FindAnswer::Found(_) => true,
                FindAnswer::Absent | FindAnswer::Unanswered(_) => false,
            },
            fate @ Fate::Rejected { .. } => panic!("a wrong clock refuses no order: {fate:?}"),
        }
    })
    .await;
    desk.found(&plan).await;
    desk.audited(&plan).await;
    Ok(())
}
