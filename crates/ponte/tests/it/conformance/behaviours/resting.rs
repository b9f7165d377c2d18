//! Orders that rest until the price comes.

use ponte_core::order::{OrderClass, OrderKind};
use ponte_core::policy::Brackets;
use ponte_core::signal::{Side, Terms};
use rust_decimal::Decimal;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, single};
use crate::conformance::follower::has_ended;
use crate::conformance::subject::{Depth, Limits};
use crate::conformance::words::{NO_STOP, NO_STOP_LIMIT, NO_TRAILING, words};

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words(
                "a limit order rests, and fills when the price comes",
                "uma ordem limite espera, e executa quando o preço chega",
            ),
            run: |tested| Box::pin(limits_rest_and_fill(tested)),
        },
        Behaviour {
            name: words("partial fills add up", "execuções parciais somam certo"),
            run: |tested| Box::pin(partial_fills_add_up(tested)),
        },
        Behaviour {
            name: words("a stop rests, and triggers", "um stop espera, e dispara"),
            run: |tested| Box::pin(stops_trigger(tested)),
        },
        Behaviour {
            name: words(
                "a stop that enters rests, and triggers",
                "um stop de entrada espera, e dispara",
            ),
            run: |tested| Box::pin(entering_stops_trigger(tested)),
        },
        Behaviour {
            name: words(
                "a stop-limit rests, triggers, and never trades worse than its limit",
                "um stop-limit espera, dispara, e nunca executa pior que seu limite",
            ),
            run: |tested| Box::pin(stop_limits_trigger(tested)),
        },
        Behaviour {
            name: words(
                "a trailing stop follows the price, and triggers behind it",
                "um stop móvel segue o preço, e dispara atrás dele",
            ),
            run: |tested| Box::pin(trailing_stops_trigger(tested)),
        },
    ]
}

async fn limits_rest_and_fill(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let plan = desk.buy_limit(2, -200);
    desk.resting(&plan).await;
    desk.move_to(-100).await;
    assert!(desk.audited(&plan).await.is_open);
    desk.move_to(-300).await;
    let report = desk.ends_filled(&plan).await;
    assert!(report.average_price <= desk.price(-200).get(), "{report:?}");
    Ok(())
}

async fn partial_fills_add_up(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Thin).await;
    let plan = desk.buy_limit(8, -100);
    desk.resting(&plan).await;
    desk.move_to(-200).await;
    desk.follower
        .wait_for("the first partial fill", |heard| {
            heard
                .standing(plan.id)
                .is_some_and(|report| !report.filled.is_zero())
        })
        .await;
    let part = desk.audited(&plan).await;
    assert!(
        part.executed > Decimal::ZERO && part.executed < plan.quantity.get(),
        "{part:?}"
    );
    let told = desk.found(&plan).await;
    desk.agree(&plan, &told).await;
    desk.fill_by_pieces(&plan).await;
    desk.ends_filled(&plan).await;
    Ok(())
}

async fn stops_trigger(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.stop {
        return Err(NO_STOP);
    }
    desk.filled(&desk.buy(4)).await;
    let before = desk.position().await;
    // A level of the position closes all of it.
    let lots = match desk.abilities.brackets {
        Brackets::OnPosition => 4,
        Brackets::None | Brackets::OneOrder | Brackets::TwoOrders => 2,
    };
    let stop = desk.stop(lots, -200);
    desk.resting(&stop).await;
    desk.move_to(-100).await;
    assert!(desk.audited(&stop).await.is_open);
    desk.move_to(-250).await;
    desk.ends_filled(&stop).await;
    assert_eq!(desk.position().await, before - desk.lots(lots));
    Ok(())
}

async fn entering_stops_trigger(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.stop {
        return Err(NO_STOP);
    }
    let trigger = desk.price(200);
    let kind = single(Terms::Stop { trigger });
    let entry = desk.order(OrderClass::Entry, Side::Buy, 2, kind);
    desk.resting(&entry).await;
    desk.move_to(250).await;
    desk.ends_filled(&entry).await;
    Ok(())
}

async fn stop_limits_trigger(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.stop_limit {
        return Err(NO_STOP_LIMIT);
    }
    let limit = match desk.facts.limits {
        Limits::Any => 250,
        Limits::BehindTrigger | Limits::Waiting => 150,
    };
    let (trigger, price) = (desk.price(200), desk.price(limit));
    let kind = single(Terms::StopLimit { trigger, price });
    let entry = desk.order(OrderClass::Entry, Side::Buy, 2, kind);
    desk.resting(&entry).await;
    // Past the limit: triggered, and still waiting.
    desk.move_to(300).await;
    assert!(desk.audited(&entry).await.executed.is_zero());
    let report = desk.found(&entry).await;
    assert!(!has_ended(&report), "{report:?}");
    desk.move_to(100).await;
    let report = desk.ends_filled(&entry).await;
    assert!(report.average_price <= price.get(), "{report:?}");
    Ok(())
}

async fn trailing_stops_trigger(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    if !desk.abilities.trailing_stop {
        return Err(NO_TRAILING);
    }
    desk.filled(&desk.buy(4)).await;
    let distance_percent = Decimal::ONE;
    let stop = desk.protect(2, OrderKind::TrailingStop { distance_percent });
    desk.resting(&stop).await;
    desk.move_to(50).await;
    desk.move_to(300).await;
    // Below where it began to follow, were it to stay there; above where it is now.
    desk.move_to(220).await;
    assert!(desk.audited(&stop).await.is_open);
    desk.move_to(150).await;
    desk.ends_filled(&stop).await;
    Ok(())
}
