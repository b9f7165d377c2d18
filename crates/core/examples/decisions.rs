//! Decisions per second of the engine alone: alerts under all rules for three accounts, with the
//! events applied and the broker's answers decided too. Prints one line of JSON.
//!
//! `cargo run --release -p ponte-core --example decisions [alerts] [resting orders per account]`
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use ponte_core::decide::{Decision, Facts, NoQuotes, handle};
use ponte_core::id::{AccountName, Digest, SourceName, StrategyName, Symbol};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::message::{AlertInput, Command, Fate, Input, OrderReport, ReportedStatus};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderKind, OrderPlan};
use ponte_core::policy::{
    AccountPolicy, Brackets, Capabilities, Mode, Policy, Route, Rules, Sizing, SourcePolicy,
    StrategyFilter,
};
use ponte_core::signal::{ExitAmount, Intent, Protection, Side, Signal, Terms};
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

const ACCOUNTS: [&str; 3] = ["one", "two", "three"];
const SYMBOLS: usize = 20;
const STRATEGIES: usize = 10;
const ALERTS_DEFAULT: u64 = 50_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let alerts: u64 = arguments.next().unwrap_or(ALERTS_DEFAULT);
    let resting: u64 = arguments.next().unwrap_or(0);
    let mut engine = Engine {
        policy: policy(),
        state: State::default(),
        now: Timestamp(1_800_000_000_000_000),
    };
    for number in 0..resting {
        engine.alert(resting_entry(number));
    }
    #[allow(clippy::disallowed_methods, reason = "a measurement needs a clock")]
    let start = std::time::Instant::now();
    for number in 0..alerts {
        engine.alert(intent(number));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"decisions_per_second\":{:.0},\"alerts\":{alerts}}}",
        alerts as f64 / seconds
    );
}

struct Engine {
    policy: Policy,
    state: State,
    now: Timestamp,
}

impl Engine {
    /// Decides an alert and everything that the broker answers to it.
    fn alert(&mut self, signal: Signal) {
        self.now = self.now.after(Duration::from_millis(20));
        let input = AlertInput {
            source: SourceName::new("main").unwrap(),
            received_at: self.now,
            signal,
            seen: None,
            delivery: ponte_core::message::Delivery::default(),
        };
        let mut commands = self.handle(Input::Alert(Box::new(input))).commands;
        while let Some(command) = commands.pop() {
            let answer = match command {
                Command::Submit(plan) => self.placed(&plan),
                Command::Cancel(plan) => {
                    let id = plan.id;
                    let order = self.state.open_order(&id).unwrap();
                    let report = self.report(&order.plan, Decimal::ZERO);
                    Input::CancelAnswered {
                        id,
                        answer: ponte_core::message::CancelAnswer::Done(OrderReport {
                            status: ReportedStatus::Cancelled {
                                reason: "requested".to_owned(),
                            },
                            ..report
                        }),
                    }
                }
                Command::Find(_) | Command::Notify(_) => continue,
            };
            commands.extend(self.handle(answer).commands);
        }
    }

    fn handle(&mut self, input: Input) -> Decision {
        let facts = Facts {
            now: self.now,
            quotes: &NoQuotes,
        };
        handle(&mut self.state, &self.policy, facts, input)
    }

    /// What goes to the market is filled, what waits for a price rests.
    fn placed(&self, plan: &OrderPlan) -> Input {
        let filled = if plan.kind == OrderKind::MARKET {
            plan.quantity.get()
        } else {
            Decimal::ZERO
        };
        Input::Submitted {
            id: plan.id,
            fate: Fate::Acknowledged {
                report: self.report(plan, filled),
            },
            sent_at: self.now,
            answered_at: self.now,
        }
    }

    fn report(&self, plan: &OrderPlan, filled: Decimal) -> OrderReport {
        OrderReport {
            id: plan.id,
            broker_order_id: "1".to_owned(),
            status: if filled == plan.quantity.get() {
                ReportedStatus::Filled
            } else {
                ReportedStatus::Working
            },
            filled,
            average_price: Decimal::from(100),
            fees: Decimal::ZERO,
            withheld: Decimal::ZERO,
            at: self.now,
        }
    }
}

fn symbol(number: u64) -> Symbol {
    Symbol::new(&format!("SYM{}", number % SYMBOLS as u64)).unwrap()
}

fn signal(number: u64, intent: Intent, stop: Option<Price>) -> Signal {
    let strategy = number / SYMBOLS as u64 % STRATEGIES as u64;
    Signal {
        strategy: StrategyName::new(&format!("strategy {strategy}")).unwrap(),
        symbol: Some(symbol(number)),
        exchange: None,
        intent,
        account: None,
        reference_price: Price::new(Decimal::from(100)).ok(),
        protection: Protection {
            stop,
            targets: Vec::new(),
            trail_percent: None,
        },
        previous_position: None,
        explicit_id: Some(number.to_string()),
        fired_at: None,
        bar_at: None,
        comment: None,
        digest: Digest::of_parts("decisions", &[&number.to_le_bytes()]),
    }
}

/// Each strategy enters with a stop and closes, in turn.
fn intent(number: u64) -> Signal {
    let enters = (number / (SYMBOLS * STRATEGIES) as u64).is_multiple_of(2);
    if !enters {
        let close = Intent::Exit {
            side: None,
            amount: ExitAmount::All,
        };
        return signal(number, close, None);
    }
    let enter = Intent::Trade {
        side: Side::Buy,
        quantity: Quantity::new(Decimal::ONE).ok(),
        terms: Terms::Market,
    };
    signal(number, enter, Price::new(Decimal::from(95)).ok())
}

fn resting_entry(number: u64) -> Signal {
    let enter = Intent::Trade {
        side: Side::Sell,
        quantity: Quantity::new(Decimal::ONE).ok(),
        terms: Terms::Limit {
            price: Price::new(Decimal::from(120)).unwrap(),
        },
    };
    let mut signal = signal(number, enter, None);
    signal.strategy = StrategyName::new("resting").unwrap();
    signal
}

fn policy() -> Policy {
    let account = |name: &&str| AccountName::new(name).unwrap();
    let listed = (0..SYMBOLS as u64)
        .map(|number| {
            let instrument = Instrument {
                symbol: symbol(number),
                price_tick: Decimal::ONE,
                quantity_step: Decimal::ONE,
                minimum_quantity: Decimal::ONE,
                minimum_notional: Decimal::ONE,
                contract_multiplier: Decimal::ONE,
                limits: Default::default(),
            };
            (symbol(number), instrument)
        })
        .collect();
    let large = Decimal::from(1_000_000);
    let paper = AccountPolicy {
        mode: Mode::Paper,
        currency: "USDT".to_owned(),
        rules: Rules {
            allowed_symbols: Some((0..SYMBOLS as u64).map(symbol).collect()),
            max_order_quantity: Quantity::new(large).ok(),
            max_order_notional: Some(large),
            max_position: Quantity::new(large).ok(),
            max_orders_per_minute: Some(1_000_000),
            max_signal_age: Some(Duration::from_secs(60)),
            max_price_deviation: None,
            ..Rules::default()
        },
        instruments: Instruments {
            listed,
            any_other: None,
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
        installation: "decisions".to_owned(),
        accounts: ACCOUNTS
            .iter()
            .map(|name| (account(name), paper.clone()))
            .collect(),
        routes: vec![Route {
            strategies: StrategyFilter::Any,
            accounts: ACCOUNTS.iter().map(account).collect(),
            sizing: Sizing::AsAlert,
            symbols: BTreeMap::new(),
        }],
        sources: [(SourceName::new("main").unwrap(), SourcePolicy::default())].into(),
    }
}
