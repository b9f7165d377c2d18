//! `ponte bench-fill`: a journal with a long past, for measuring the start.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ponte_core::decide::{Facts, NoQuotes, handle};
use ponte_core::format::{Format, parse};
use ponte_core::id::{AccountName, ClientOrderId, SourceName};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::message::{AlertInput, Delivery, Event, Fate, Input, OrderReport, ReportedStatus};
use ponte_core::order::OrderPlan;
use ponte_core::policy::{
    AccountPolicy, Brackets, Capabilities, Mode, Policy, Route, Rules, Sizing, StrategyFilter,
};
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::context::Context;
use super::failure::Failure;
use super::screen;
use crate::clock;
use crate::journal::{Writer, path_in};

/// Alerts per transaction.
const BATCH_ALERTS: u64 = 5_000;
/// Between two alerts.
const APART: Duration = Duration::from_millis(250);
/// What every order trades at.
const PRICE: Decimal = Decimal::from_parts(65_000, 0, 0, false, 0);

/// Fill a new journal with alerts and orders, through the real engine, for benchmarks
#[derive(Args)]
#[command(hide = true)]
pub(super) struct BenchFill {
    /// How many alerts
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    alerts: u64,
    /// Where; must not have a journal
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
}

struct Filler {
    writer: Writer,
    state: State,
    policy: Policy,
    source: SourceName,
    events: u64,
}

impl BenchFill {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let path = path_in(&self.data_dir);
        if path.exists() {
            return Err(Failure::refused(format!(
                "{} is there already",
                path.display()
            )));
        }
        let began = clock::instant();
        let mut writer = Writer::open(&self.data_dir)?;
        let loaded = writer.load()?;
        let unnameable = |error: ponte_core::id::NameError| Failure::usage(error.to_string());
        let account = AccountName::new("paper").map_err(unnameable)?;
        let mut filler = Filler {
            writer,
            state: loaded.state,
            policy: policy(&account, loaded.installation),
            source: SourceName::new("main").map_err(unnameable)?,
            events: 0,
        };
        let span = APART.saturating_mul(u32::try_from(self.alerts).unwrap_or(u32::MAX));
        let mut at = context.now.before(span);
        let mut done = 0;
        while done < self.alerts {
            let until = self.alerts.min(done + BATCH_ALERTS);
            filler.writer.begin()?;
            for number in done..until {
                filler.alert(number, at)?;
                at = at.after(APART);
            }
            filler.writer.commit(&filler.state)?;
            if filler.writer.wants_snapshot() {
                filler.writer.take_snapshot(&filler.state, at)?;
            }
            done = until;
        }
        filler.writer.take_snapshot(&filler.state, at)?;
        let Filler { events, .. } = filler;
        let taken = screen::span(began.elapsed());
        screen::print(&format!("{done} alerts, {events} events in {taken}\n"))
    }
}

impl Filler {
    /// One alert, decided; its orders sent, acknowledged and filled.
    fn alert(&mut self, number: u64, at: Timestamp) -> Result<(), Failure> {
        let action = if number.is_multiple_of(2) {
            "buy"
        } else {
            "sell"
        };
        let body = format!(
            r#"{{"id":"bench-{number}","action":"{action}","symbol":"BTCUSDT","quantity":0.01,"price":65000}}"#
        );
        let parsed = parse(Format::Ponte, body.as_bytes())
            .map_err(|error| Failure::refused(error.to_string()))?;
        let input = AlertInput {
            source: self.source.clone(),
            received_at: at,
            signal: parsed.signal,
            seen: None,
            delivery: Delivery {
                peer: "52.89.214.238".to_owned(),
                body,
                ..Delivery::default()
            },
        };
        let events = self.decide(at, Input::Alert(Box::new(input)))?;
        let plans = events.into_iter().filter_map(|event| {
            if let Event::OrderPlanned { plan, .. } = event {
                Some(plan)
            } else {
                None
            }
        });
        for plan in plans.collect::<Vec<_>>() {
            self.fill(at, &plan)?;
        }
        Ok(())
    }

    fn fill(&mut self, at: Timestamp, plan: &OrderPlan) -> Result<(), Failure> {
        let sent_at = at.after(Duration::from_micros(300));
        let answered_at = at.after(Duration::from_millis(2));
        let report = OrderReport {
            id: plan.id,
            broker_order_id: short(&plan.id),
            status: ReportedStatus::Filled,
            filled: plan.quantity.get(),
            average_price: PRICE,
            fees: Decimal::new(26, 2),
            withheld: Decimal::ZERO,
            at: answered_at,
        };
        let input = Input::Submitted {
            id: plan.id,
            fate: Fate::Acknowledged { report },
            sent_at,
            answered_at,
        };
        self.decide(answered_at, input).map(drop)
    }

    fn decide(&mut self, now: Timestamp, input: Input) -> Result<Vec<Event>, Failure> {
        let facts = Facts {
            now,
            quotes: &NoQuotes,
        };
        let decision = handle(&mut self.state, &self.policy, facts, input);
        self.writer.append(now, &decision.events)?;
        self.events += decision.events.len() as u64;
        Ok(decision.events)
    }
}

fn short(id: &ClientOrderId) -> String {
    let text = id.to_string();
    text.get(..12).unwrap_or(&text).to_owned()
}

/// One account without rules that takes every symbol.
fn policy(account: &AccountName, installation: String) -> Policy {
    let any = ponte_core::id::Symbol::new("*").ok().map(|symbol| {
        Box::new(Instrument {
            symbol,
            price_tick: Decimal::new(1, 2),
            quantity_step: Decimal::new(1, 5),
            minimum_quantity: Decimal::ZERO,
            minimum_notional: Decimal::ZERO,
            contract_multiplier: Decimal::ONE,
            limits: Default::default(),
        })
    });
    let rules = AccountPolicy {
        mode: Mode::Paper,
        currency: "USDT".to_owned(),
        rules: Rules::default(),
        instruments: Instruments {
            any_other: any,
            ..Instruments::default()
        },
        capabilities: Capabilities {
            limit: true,
            stop: true,
            stop_limit: true,
            brackets: Brackets::OneOrder,
            trailing_stop: false,
            short: true,
            reduce_only: true,
            resting_reduce_only: false,
            resting_holds: false,
            one_strategy_per_symbol: false,
        },
        fitting: Default::default(),
        unlisted_cure: None,
        guard: Default::default(),
        utc_offset_seconds: 0,
        exchange: None,
    };
    Policy {
        installation,
        accounts: [(account.clone(), rules)].into(),
        routes: vec![Route {
            strategies: StrategyFilter::Any,
            accounts: vec![account.clone()],
            sizing: Sizing::AsAlert,
            symbols: std::collections::BTreeMap::new(),
        }],
        sources: std::collections::BTreeMap::new(),
    }
}
