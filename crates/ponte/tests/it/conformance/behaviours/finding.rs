//! Questions about orders: the answers are true, and "absent" waits for the time fence.

use ponte::clock;
use ponte_core::fate::Fate;
use ponte_core::message::{CancelAnswer, FindAnswer, ReportedStatus};

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, answered};
use crate::conformance::follower::has_ended;
use crate::conformance::subject::{Depth, Fault, Operation};
use crate::conformance::words::words;

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "orders are found as they stand: working, filled, cancelled",
                "as ordens são achadas como estão: ativas, executadas, canceladas",
            ),
            run: |tested| Box::pin(orders_are_found(tested)),
        },
        Behaviour {
            name: words(
                "an order that never was is absent, but never before its time fence",
                "uma ordem que nunca existiu está ausente, mas nunca antes da cerca de tempo",
            ),
            run: |tested| Box::pin(absent_waits_for_the_fence(tested)),
        },
        Behaviour {
            name: words(
                "a new process finds and cancels what an earlier one placed",
                "um novo processo acha e cancela o que um anterior enviou",
            ),
            run: |tested| Box::pin(a_new_process_finds(tested)),
        },
        Behaviour {
            name: words(
                "a new process does not call an order absent before the fence of its start",
                "um novo processo não diz ausente antes da cerca do seu início",
            ),
            run: |tested| Box::pin(a_new_process_waits(tested)),
        },
        Behaviour {
            name: words(
                "a look-up that lags behind is not \"absent\"",
                "uma consulta atrasada não é \"ausente\"",
            ),
            run: |tested| Box::pin(a_lag_is_not_absent(tested)),
        },
        Behaviour {
            name: words(
                "a look-up that fails is not \"absent\"",
                "uma consulta que falha não é \"ausente\"",
            ),
            run: |tested| Box::pin(a_failure_is_not_absent(tested)),
        },
    ]
}

async fn orders_are_found(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (working, filled, cancelled) = (
        desk.buy_limit(1, -300),
        desk.buy(2),
        desk.buy_limit(1, -200),
    );
    desk.resting(&working).await;
    desk.resting(&cancelled).await;
    desk.filled(&filled).await;
    desk.cancelled(&cancelled).await;
    for plan in [&working, &filled, &cancelled] {
        let report = desk.found(plan).await;
        desk.agree(plan, &report).await;
    }
    assert_eq!(desk.found(&working).await.status, ReportedStatus::Working);
    assert_eq!(desk.found(&filled).await.status, ReportedStatus::Filled);
    let report = desk.found(&cancelled).await;
    assert!(
        matches!(report.status, ReportedStatus::Cancelled { .. }),
        "{report:?}"
    );
    Ok(())
}

async fn absent_waits_for_the_fence(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy(2);
    assert_eq!(desk.truth(&plan).await, FindAnswer::Absent);
    let fence = desk.opened_at.after(desk.facts.fence);
    assert!(
        clock::now() >= fence,
        "absent before the time fence {fence}"
    );
    Ok(())
}

async fn a_new_process_finds(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let (resting, filled) = (desk.buy_limit(1, -300), desk.buy(2));
    desk.resting(&resting).await;
    desk.filled(&filled).await;
    let anew = desk.stage.reconnected().await?;
    for plan in [&resting, &filled] {
        match anew.find(plan).await {
            FindAnswer::Found(report) => desk.agree(plan, &report).await,
            answer @ (FindAnswer::Absent | FindAnswer::Unanswered(_)) => panic!("{answer:?}"),
        }
    }
    let open = answered(|| anew.open_orders()).await;
    assert_eq!(
        open.iter().map(|report| report.id).collect::<Vec<_>>(),
        vec![resting.id]
    );
    match anew.cancel(&resting).await {
        CancelAnswer::Done(_) | CancelAnswer::NotOpen => {}
        CancelAnswer::Unanswered(why) => panic!("{why}"),
    }
    desk.wait("the cancelled order's end", || async {
        !desk.audited(&resting).await.is_open
    })
    .await;
    Ok(())
}

async fn a_new_process_waits(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy(2);
    desk.fault(Operation::Place, Fault::ProcessLater).await?;
    let began = clock::now();
    // The process dies while its order is under way.
    let sender = desk.stage.broker();
    let sent = plan.clone();
    let sending = tokio::spawn(async move { sender.submit(&sent).await });
    desk.wait("the order's way to the venue", || async {
        desk.stage.faults_left().await == 0
    })
    .await;
    sending.abort();
    let anew = desk.stage.reconnected().await?;
    let answer = loop {
        match anew.find(&plan).await {
            FindAnswer::Unanswered(_) => tokio::task::yield_now().await,
            answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => break answer,
        }
    };
    match answer {
        FindAnswer::Found(report) => desk.agree(&plan, &report).await,
        FindAnswer::Absent => {
            assert!(
                clock::now() >= began.after(desk.facts.fence),
                "absent before the fence"
            );
            assert_eq!(
                desk.count(&plan).await,
                0,
                "called absent, but the venue has it"
            );
        }
        FindAnswer::Unanswered(why) => panic!("{why}"),
    }
    Ok(())
}

async fn a_lag_is_not_absent(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    desk.stage
        .order_fault(Operation::Find, Fault::PretendAbsent, 1)
        .await?;
    desk.resting(&plan).await;
    let answer = desk.broker.find(&plan).await;
    // After the fence the venue's word would have to be believed.
    let is_before_fence = clock::now() < desk.opened_at.after(desk.facts.fence);
    if is_before_fence {
        assert_ne!(answer, FindAnswer::Absent);
    }
    desk.stage.clear_faults().await;
    let report = desk.found(&plan).await;
    assert!(!has_ended(&report), "{report:?}");
    Ok(())
}

async fn a_failure_is_not_absent(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    match desk.submit(&plan).await {
        Fate::Acknowledged { .. } => {}
        fate @ (Fate::Rejected { .. } | Fate::NotSent { .. } | Fate::Unknown { .. }) => {
            panic!("{fate:?}")
        }
    }
    for fault in [
        Fault::DisconnectBefore,
        Fault::AcceptThenDisconnect,
        Fault::ServerErrorAfter,
    ] {
        desk.fault(Operation::Find, fault).await?;
        match desk.broker.find(&plan).await {
            FindAnswer::Unanswered(_) | FindAnswer::Found(_) => {}
            FindAnswer::Absent => panic!("a failed look-up says nothing ({fault:?})"),
        }
    }
    desk.stage.clear_faults().await;
    desk.found(&plan).await;
    Ok(())
}
