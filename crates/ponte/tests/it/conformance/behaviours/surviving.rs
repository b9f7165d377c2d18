//! Faults around the sending of an order: no wrong certainty, the look-up leads to the truth, and
//! in the end the venue has exactly one order or none.

use futures_util::future::join_all;
use ponte_core::fate::Fate;
use ponte_core::message::FindAnswer;
use ponte_core::order::OrderPlan;
use ponte_core::policy::Brackets;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome};
use crate::conformance::subject::{Depth, Fault, Operation};
use crate::conformance::words::words;

pub(super) fn behaviours() -> Vec<Behaviour> {
    let mut all = lost_answers();
    all.extend(wrong_answers());
    all
}

fn lost_answers() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "order accepted, then the connection is cut",
                "ordem aceita, e a conexão cai",
            ),
            run: |tested| Box::pin(survives(tested, Fault::AcceptThenDisconnect, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "connection cut before the order is processed",
                "a conexão cai antes de a ordem ser processada",
            ),
            run: |tested| Box::pin(survives(tested, Fault::DisconnectBefore, Truth::NotPlaced)),
        },
        Behaviour {
            name: words(
                "order accepted, the answer comes when nobody waits any more",
                "ordem aceita, a resposta chega quando ninguém mais espera",
            ),
            run: |tested| Box::pin(survives(tested, Fault::AnswerTooLate, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "order under way for a while",
                "ordem a caminho por algum tempo",
            ),
            run: |tested| Box::pin(survives(tested, Fault::ProcessLater, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "order under way until its time is over",
                "ordem a caminho até seu tempo acabar",
            ),
            run: |tested| Box::pin(survives(tested, Fault::ProcessTooLate, Truth::NotPlaced)),
        },
    ]
}

fn wrong_answers() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "server's error after the order was accepted",
                "erro do servidor depois de aceitar a ordem",
            ),
            run: |tested| Box::pin(survives(tested, Fault::ServerErrorAfter, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "server's error before the order was accepted",
                "erro do servidor antes de aceitar a ordem",
            ),
            run: |tested| Box::pin(survives(tested, Fault::ServerErrorBefore, Truth::NotPlaced)),
        },
        Behaviour {
            name: words(
                "\"status unknown\", and the order is there",
                "\"estado desconhecido\", e a ordem está lá",
            ),
            run: |tested| Box::pin(survives(tested, Fault::StatusUnknownPlaced, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "\"status unknown\", and the order is not there",
                "\"estado desconhecido\", e a ordem não está lá",
            ),
            run: |tested| {
                Box::pin(survives(
                    tested,
                    Fault::StatusUnknownNotPlaced,
                    Truth::NotPlaced,
                ))
            },
        },
        Behaviour {
            name: words(
                "\"overloaded\", certainly not taken",
                "\"sobrecarregada\", com certeza não aceita",
            ),
            run: |tested| Box::pin(survives(tested, Fault::Overloaded, Truth::NotPlaced)),
        },
        Behaviour {
            name: words(
                "order accepted, answered with a page for people",
                "ordem aceita, respondida com uma página para pessoas",
            ),
            run: |tested| Box::pin(survives(tested, Fault::PageInsteadOfAnswer, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "order accepted, the answer breaks off",
                "ordem aceita, a resposta vem pela metade",
            ),
            run: |tested| Box::pin(survives(tested, Fault::BrokenAnswer, Truth::Placed)),
        },
        Behaviour {
            name: words(
                "the venue can't be reached",
                "a bolsa não pode ser alcançada",
            ),
            run: |tested| Box::pin(unreachable_is_not_sent(tested)),
        },
    ]
}

/// Whether the venue has the order after the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Placed,
    NotPlaced,
}

/// An order of each kind that goes its own way to the venue.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Market,
    Limit,
    Stop,
    Bracket,
}

impl Kind {
    async fn plan(self, desk: &Desk) -> Option<OrderPlan> {
        let is_one = matches!(
            desk.abilities.brackets,
            Brackets::OneOrder | Brackets::OnPosition
        );
        match self {
            Self::Market => Some(desk.buy(2)),
            Self::Limit => Some(desk.buy_limit(2, -200)),
            Self::Stop if desk.abilities.stop => {
                desk.filled(&desk.buy(4)).await;
                Some(desk.stop(2, -200))
            }
            Self::Bracket if is_one => {
                desk.filled(&desk.buy(4)).await;
                Some(desk.bracket(2, -200, 200))
            }
            Self::Stop | Self::Bracket => None,
        }
    }
}

impl Kind {
    /// Whether it is a level of the position, which can be set any number of times.
    fn is_level(self, desk: &Desk) -> bool {
        matches!(desk.abilities.brackets, Brackets::OnPosition)
            && matches!(self, Self::Stop | Self::Bracket)
    }
}

/// Runs a fault against every kind of order, each at a venue of its own.
async fn survives(tested: Tested, fault: Fault, truth: Truth) -> Outcome {
    let kinds = [Kind::Market, Kind::Limit, Kind::Stop, Kind::Bracket];
    let runs = kinds.map(|kind| survives_once(&tested, kind, fault, truth));
    join_all(runs).await.into_iter().collect()
}

async fn survives_once(tested: &Tested, kind: Kind, fault: Fault, truth: Truth) -> Outcome {
    let desk = Desk::open(&**tested, Depth::Deep).await;
    let Some(plan) = kind.plan(&desk).await else {
        return Ok(());
    };
    desk.fault(Operation::Place, fault).await?;
    let fate = desk.submit(&plan).await;
    let about = format!("{kind:?} with {fault:?}: {fate:?}");
    assert_eq!(
        desk.stage.faults_left().await,
        0,
        "the fault did not strike, {about}"
    );
    match &fate {
        Fate::Rejected { .. } => panic!("nobody refused it, {about}"),
        Fate::NotSent { .. } => {
            assert_eq!(truth, Truth::NotPlaced, "wrong certainty, {about}");
            assert_eq!(desk.count(&plan).await, 0, "{about}");
            desk.acknowledged(&plan).await;
        }
        Fate::Acknowledged { .. } => {}
        Fate::Unknown { .. } => match desk.truth(&plan).await {
            FindAnswer::Found(report) => {
                assert_eq!(truth, Truth::Placed, "found {report:?}, {about}");
                desk.follower.note(&report);
            }
            FindAnswer::Absent => {
                // A level that comes later is the level that is set again meanwhile: no double.
                if !kind.is_level(&desk) || fault != Fault::ProcessLater {
                    assert_eq!(desk.count(&plan).await, 0, "called absent, {about}");
                    assert_eq!(truth, Truth::NotPlaced, "{about}");
                }
                desk.acknowledged(&plan).await;
            }
            FindAnswer::Unanswered(why) => panic!("{why}, {about}"),
        },
    }
    // Exactly one order, however it came there, and its report is exact.
    let report = match kind {
        Kind::Market => desk.follower.end_of(plan.id).await,
        Kind::Limit | Kind::Stop | Kind::Bracket => desk.found(&plan).await,
    };
    desk.agree(&plan, &report).await;
    Ok(())
}

async fn unreachable_is_not_sent(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    desk.stage.stop().await?;
    // A connection that was open may break while it is being written to: that fate is unknown.
    let first = desk.buy(1);
    match desk.submit(&first).await {
        Fate::NotSent { .. } | Fate::Unknown { .. } => {}
        fate @ (Fate::Acknowledged { .. } | Fate::Rejected { .. }) => panic!("{fate:?}"),
    }
    desk.wait("certainty about an unreachable venue", || async {
        let plan = desk.buy(1);
        match desk.broker.submit(&plan).await {
            Fate::NotSent { .. } => true,
            Fate::Unknown { .. } => false,
            fate @ (Fate::Acknowledged { .. } | Fate::Rejected { .. }) => panic!("{fate:?}"),
        }
    })
    .await;
    match desk.broker.find(&first).await {
        FindAnswer::Unanswered(_) => {}
        answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => panic!("{answer:?}"),
    }
    assert!(desk.broker.open_orders().await.is_err());
    assert!(
        desk.broker.positions().await.is_err(),
        "an unreachable venue is not flat"
    );
    assert!(desk.broker.balance().await.is_err());
    assert_eq!(desk.stage.audit().await.orders.len(), 0);
    Ok(())
}
