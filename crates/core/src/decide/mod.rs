//! The one place where anything is decided: what an input makes true and what must be done about it.
//!
//! [`decide`] looks and changes nothing; [`handle`] lets the events become true and asks again
//! until nothing more follows. Replaying a journal applies events and never comes here.

mod alert;
mod cancel;
mod cut_off;
mod daily_loss;
mod exchange;
mod exits;
mod fitting;
mod guard;
mod lane;
mod leg;
mod levels;
mod limits;
mod moves;
mod naked;
mod operator;
mod outside;
mod points;
mod protection;
mod report;
mod rules;
mod scope;
mod sizing;

pub use naked::{Naked, naked_positions};

use std::collections::BTreeSet;

use crate::id::{AccountName, Symbol};
use crate::message::{Command, Event, Input};
use crate::number::Price;
use crate::order::Lane;
use crate::policy::Policy;
use crate::state::State;
use crate::time::Timestamp;

/// How often the consequences of one input may have consequences in one lane. What is left then is
/// found by the next tick.
const SETTLE_ROUNDS_MAX: usize = 32;

/// What is true outside of the engine while it decides.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The moment of the decision.
    pub now: Timestamp,
    /// What the market costs, where it is known.
    pub quotes: &'a dyn Quotes,
}

/// Prices that are known at the moment of a decision, from memory: asking never waits.
pub trait Quotes {
    /// The price of a symbol for an account; `None` where none is known or it is stale.
    fn quote(&self, account: &AccountName, symbol: &Symbol) -> Option<Price>;
}

/// A market without prices.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoQuotes;

impl Quotes for NoQuotes {
    fn quote(&self, _: &AccountName, _: &Symbol) -> Option<Price> {
        None
    }
}

/// What follows from an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What is now a fact, in this order.
    pub events: Vec<Event>,
    /// What must be done once the events are durable.
    pub commands: Vec<Command>,
}

impl Decision {
    fn event(event: Event) -> Self {
        Self {
            events: vec![event],
            commands: Vec::new(),
        }
    }

    fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    fn join(&mut self, other: Self) {
        self.events.extend(other.events);
        self.commands.extend(other.commands);
    }

    fn alarm(&mut self, message: String, order: Option<crate::id::ClientOrderId>) {
        self.command(Command::Notify(message.clone()));
        self.push(Event::Alarm {
            message,
            alert: None,
            order,
        });
    }
}

/// What every part of a decision may look at.
#[derive(Clone, Copy)]
struct Context<'a> {
    state: &'a State,
    policy: &'a Policy,
    facts: Facts<'a>,
}

impl Context<'_> {
    const fn now(&self) -> Timestamp {
        self.facts.now
    }
}

/// Decides one input. Changes nothing and can't fail: a bad alert is an event too.
#[must_use]
pub fn decide(state: &State, policy: &Policy, facts: Facts<'_>, input: Input) -> Decision {
    let context = Context {
        state,
        policy,
        facts,
    };
    match input {
        Input::Alert(alert) => alert::decide(context, *alert),
        Input::RequestRefused(request) => Decision::event(Event::RequestRefused(request)),
        Input::Operator(request) => operator::decide(context, request),
        Input::Submitted {
            id,
            fate,
            sent_at,
            answered_at,
        } => report::submitted(context, id, fate, sent_at, answered_at),
        Input::Found { id, answer } => report::found(context, id, answer),
        Input::CancelAnswered { id, answer } => report::cancel_answered(context, id, answer),
        Input::Reported { account, report } => report::reported(context, &account, &report),
        Input::FilledOutside { account, fill } => outside::filled(context, &account, &fill),
        Input::AccountRead { account, balance } => {
            let known = state
                .account(&account)
                .and_then(|state| state.balance.as_ref());
            if known == Some(&balance) {
                return Decision::default();
            }
            Decision::event(Event::AccountRead { account, balance })
        }
        Input::ReportsMissed { account } => report::missed(context, &account),
        Input::Noticed { message, alert } => {
            let mut decision = Decision::default();
            decision.command(Command::Notify(message.clone()));
            decision.push(Event::Alarm {
                message,
                alert,
                order: None,
            });
            decision
        }
        Input::Tick => lane::tick(context),
        Input::Settle(lane) => lane::settle(context, &lane),
        Input::Started { version } => report::started(context, version),
    }
}

/// Decides an input, makes its events true in `state`, and follows every consequence to its end.
pub fn handle(state: &mut State, policy: &Policy, facts: Facts<'_>, input: Input) -> Decision {
    let ticks = matches!(input, Input::Tick);
    let mut all = decide(state, policy, facts, input);
    for event in &all.events {
        state.apply(facts.now, event);
    }
    let mut lanes = touched(state, &all.events);
    if ticks {
        lanes.extend(lane::with_waiting_orders(state));
    }
    for _ in 0..SETTLE_ROUNDS_MAX {
        for lane in std::mem::take(&mut lanes) {
            let next = decide(state, policy, facts, Input::Settle(lane));
            for event in &next.events {
                state.apply(facts.now, event);
            }
            lanes.extend(touched(state, &next.events));
            all.join(next);
        }
        if lanes.is_empty() {
            break;
        }
    }
    all
}

/// The lanes in which something may follow from these events.
fn touched(state: &State, events: &[Event]) -> BTreeSet<Lane> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::OrderFilled { id, .. }
            | Event::OrderEnded { id, .. }
            | Event::OrderNotSent { id, .. }
            | Event::OrderAcknowledged { id, .. } => state.order(id).map(|order| order.plan.lane()),
            Event::PositionReducedOutside(reduced) => Some(Lane {
                account: reduced.account.clone(),
                symbol: reduced.symbol.clone(),
            }),
            Event::Started { .. }
            | Event::RequestRefused(_)
            | Event::AlertDecided(_)
            | Event::OperatorActed { .. }
            | Event::SourceSwitched(_)
            | Event::Alarm { .. }
            | Event::OrderPlanned { .. }
            | Event::OrderReleased { .. }
            | Event::ProtectionLate { .. }
            | Event::OrderUnknown { .. }
            | Event::OrderQuestioned { .. }
            | Event::CancelRequested { .. }
            | Event::AccountRead { .. }
            | Event::HaltSet(_)
            | Event::HaltLifted { .. }
            | Event::FlattenRequested { .. }
            | Event::CutOffReached(_)
            | Event::DailyLossReached { .. } => None,
        })
        .collect()
}
