//! The paper broker whose venue lives in this process.

use std::sync::Arc;
use std::time::Duration;

use ponte::brokers::paper::{Embedded, EmbeddedOptions, Remembered};
use ponte::brokers::{Answer, Broker};
use ponte::clock;
use ponte_core::id::{AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::signal::{Protection, Side};
use rust_decimal::Decimal;

use super::paper;
use super::subject::{Audit, Depth, Facts, Fault, Operation, Stage, Subject};
use super::words::{ANY_SYMBOL, IN_THIS_PROCESS, MEMORY_IS_THE_JOURNAL, NO_LIMITS, Why};

/// The account that brings prices along: it trades nothing.
const MESSENGER_LOTS: u32 = 1_000_000;

pub(super) struct PaperEmbedded;

struct EmbeddedStage {
    broker: Arc<Embedded>,
    facts: Facts,
}

impl Subject for PaperEmbedded {
    fn name(&self) -> &'static str {
        "paper"
    }

    fn open(&self, depth: Depth) -> Answer<'_, Arc<dyn Stage>> {
        Box::pin(async move {
            let facts = Facts {
                unknown_symbol: Err(ANY_SYMBOL),
                fence: Duration::ZERO,
                ..paper::facts()
            };
            let options = EmbeddedOptions {
                account: facts.account.clone(),
                currency: "USDT".to_owned(),
                balance: paper::balance(),
                fill_model: paper::fill_model(depth),
                leverage: Decimal::ONE,
                instruments: Instruments::default(),
                prices_from_alerts: true,
                feed: None,
            };
            let broker = Embedded::new(options, Remembered::of(None, paper::balance())).unwrap();
            let stage = EmbeddedStage {
                broker: Arc::new(broker),
                facts,
            };
            Arc::new(stage) as Arc<dyn Stage>
        })
    }
}

impl EmbeddedStage {
    /// An order that can't be paid, which only brings a price along, as alerts do.
    fn messenger(&self, symbol: &Symbol, price: Decimal) -> OrderPlan {
        let nobody = AlertId(0);
        OrderPlan {
            id: ClientOrderId::derive(nobody, &[b"price"]),
            account: self.facts.account.clone(),
            strategy: StrategyName::unnamed(),
            symbol: symbol.clone(),
            side: Side::Buy,
            quantity: Quantity::new(self.facts.lot * Decimal::from(MESSENGER_LOTS)).unwrap(),
            kind: OrderKind::MARKET,
            class: OrderClass::Entry,
            protection: Protection::default(),
            reference_price: Some(Price::new(price).unwrap()),
            origin: Origin::Alert(nobody),
            alert: None,
            expires_at: clock::now().after(Duration::from_secs(600)),
            after: Vec::new(),
            replaces: None,
            instead_of: Vec::new(),
            multiplier: Decimal::ONE,
            reduce_only: false,
        }
    }
}

impl Stage for EmbeddedStage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker) as Arc<dyn Broker>
    }

    fn reconnected(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Err(MEMORY_IS_THE_JOURNAL) })
    }

    fn neighbour(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Err(IN_THIS_PROCESS) })
    }

    fn tell_price<'a>(&'a self, symbol: &'a Symbol, price: Decimal) -> Answer<'a, ()> {
        Box::pin(async move {
            self.broker.submit(&self.messenger(symbol, price)).await;
        })
    }

    fn order_fault(&self, _: Operation, _: Fault, _: u64) -> Answer<'_, Result<(), Why>> {
        Box::pin(async { Err(IN_THIS_PROCESS) })
    }

    fn faults_left(&self) -> Answer<'_, usize> {
        Box::pin(async { 0 })
    }

    fn clear_faults(&self) -> Answer<'_, ()> {
        Box::pin(async {})
    }

    fn audit(&self) -> Answer<'_, Audit> {
        Box::pin(async { paper::audit(&self.broker.venue(), &self.facts.account) })
    }

    fn requests(&self) -> Answer<'_, Result<u64, Why>> {
        Box::pin(async { Err(NO_LIMITS) })
    }

    fn stop(&self) -> Answer<'_, Result<(), Why>> {
        Box::pin(async { Err(IN_THIS_PROCESS) })
    }
}
