//! The account: positions, orders, money, instruments, credentials.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Behaviour, Tested};
use crate::conformance::desk::{Desk, Outcome, answered};
use crate::conformance::follower::has_ended;
use crate::conformance::subject::Depth;
use crate::conformance::words::words;

pub(super) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: words("positions are the venue's", "as posições são as da bolsa"),
            run: |tested| Box::pin(positions_are_the_venues(tested)),
        },
        Behaviour {
            name: words(
                "open orders are the venue's, under our ids",
                "as ordens abertas são as da bolsa, com os nossos ids",
            ),
            run: |tested| Box::pin(open_orders_are_the_venues(tested)),
        },
        Behaviour {
            name: words("the balance is the venue's", "o saldo é o da bolsa"),
            run: |tested| Box::pin(the_balance_is_the_venues(tested)),
        },
        Behaviour {
            name: words(
                "instruments have steps, minimums and their own names",
                "os instrumentos têm passos, mínimos e seus próprios nomes",
            ),
            run: |tested| Box::pin(instruments_are_sane(tested)),
        },
        Behaviour {
            name: words(
                "credentials are understood",
                "as credenciais são entendidas",
            ),
            run: |tested| Box::pin(credentials_are_understood(tested)),
        },
    ]
}

async fn positions_are_the_venues(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    desk.filled(&desk.buy(4)).await;
    desk.filled(&desk.exit(1)).await;
    let told: BTreeMap<_, _> = answered(|| desk.broker.positions())
        .await
        .into_iter()
        .map(|position| (position.symbol, position.quantity))
        .collect();
    assert_eq!(told, desk.stage.audit().await.positions);
    assert!(told[&desk.facts.symbol] > desk.lots(2));
    Ok(())
}

async fn open_orders_are_the_venues(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    assert_eq!(answered(|| desk.broker.open_orders()).await, Vec::new());
    desk.filled(&desk.buy(3)).await;
    let mut plans = vec![desk.buy_limit(1, -100), desk.buy_limit(1, -200)];
    if desk.abilities.stop {
        plans.push(desk.stop(1, -300));
    }
    for plan in &plans {
        desk.resting(plan).await;
    }
    let told = answered(|| desk.broker.open_orders()).await;
    let mut ids: Vec<_> = told.iter().map(|report| report.id).collect();
    ids.sort();
    assert_eq!(ids, desk.stage.audit().await.open());
    assert_eq!(ids.len(), plans.len());
    for plan in &plans {
        let report = told.iter().find(|report| report.id == plan.id).unwrap();
        assert!(!has_ended(report));
        desk.agree(plan, report).await;
    }
    Ok(())
}

async fn the_balance_is_the_venues(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let before = answered(|| desk.broker.balance()).await;
    assert!(
        before.cash > Decimal::ZERO && before.equity > Decimal::ZERO,
        "{before:?}"
    );
    desk.filled(&desk.buy(4)).await;
    desk.filled(&desk.exit(2)).await;
    let after = answered(|| desk.broker.balance()).await;
    let audit = desk.stage.audit().await;
    assert_eq!(after.cash.round_dp(7), audit.cash.round_dp(7));
    // Nothing was won or lost but fees and the spread: less than a hundredth of what was traded.
    let traded = audit
        .orders
        .iter()
        .fold(Decimal::ZERO, |sum, order| sum + order.value);
    let lost = before.equity - after.equity;
    assert!(
        lost.abs() * Decimal::ONE_HUNDRED < traded,
        "equity went from {} to {}",
        before.equity,
        after.equity
    );
    Ok(())
}

async fn instruments_are_sane(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let instruments = answered(|| desk.broker.instruments()).await;
    for symbol in [&desk.facts.symbol, &desk.facts.other] {
        assert!(
            instruments.listed.contains_key(symbol),
            "{symbol} is not listed"
        );
    }
    for (symbol, instrument) in &instruments.listed {
        assert_eq!(*symbol, instrument.symbol);
        assert!(instrument.price_tick > Decimal::ZERO, "{instrument:?}");
        assert!(instrument.quantity_step > Decimal::ZERO, "{instrument:?}");
        assert!(
            instrument.contract_multiplier > Decimal::ZERO,
            "{instrument:?}"
        );
        assert!(
            instrument.minimum_quantity >= Decimal::ZERO,
            "{instrument:?}"
        );
        assert!(
            instrument.minimum_notional >= Decimal::ZERO,
            "{instrument:?}"
        );
        let most = instrument.limits.maximum_quantity;
        assert!(
            most.is_none_or(|most| most > instrument.minimum_quantity),
            "{instrument:?}"
        );
    }
    Ok(())
}

async fn credentials_are_understood(tested: Tested) -> Outcome {
    let desk = Desk::open(&*tested, Depth::Deep).await;
    let credentials = desk.broker.check_credentials().await.unwrap();
    assert!(credentials.can_trade, "{credentials:?}");
    assert_ne!(credentials.can_withdraw, Some(true), "{credentials:?}");
    Ok(())
}
