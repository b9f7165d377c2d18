//! What a decision makes true and asks for, as lines that people read.

use std::fmt::Write as _;

use ponte_core::decide::Decision;
use ponte_core::id::{AlertId, ClientOrderId};
use ponte_core::message::{AlertDecision, Command, CutOffReached, Event, SourceSwitched};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan};
use ponte_core::outside::ReducedOutside;
use ponte_core::signal::Terms;

use super::script::Play;
use super::world::{account, symbol};

impl Play<'_> {
    /// Events and commands, a line each. A submission stands behind its plan or release.
    pub(crate) fn render(&self, decision: &Decision) -> Vec<String> {
        let mut lines: Vec<_> = decision
            .events
            .iter()
            .flat_map(|event| self.event(event))
            .collect();
        lines.extend(decision.commands.iter().map(|command| match command {
            Command::Submit(plan) => {
                let reducing = if plan.reduce_only { " reducing" } else { "" };
                format!(
                    "> submit {} {}{reducing}",
                    self.name(&plan.id),
                    plan.quantity
                )
            }
            Command::Find(plan) => format!("> find {}", self.name(&plan.id)),
            Command::Cancel(plan) => format!("> cancel {}", self.name(&plan.id)),
            Command::Notify(text) => format!("> notify {}", self.short(text)),
        }));
        // What is alarmed is notified; once is enough to read.
        let alarms: Vec<_> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("alarm "))
            .map(|text| format!("> notify {text}"))
            .collect();
        lines.retain(|line| !alarms.contains(line));
        lines
    }

    fn event(&self, event: &Event) -> Vec<String> {
        let line = match event {
            Event::Started { .. } => "started".to_owned(),
            Event::RequestRefused(request) => format!("request refused {}", request.code),
            Event::AlertDecided(decided) => return self.alert_lines(decided),
            Event::Alarm { message, .. } => format!("alarm {}", self.short(message)),
            Event::OrderPlanned { plan, waits } => self.plan_line(plan, *waits),
            Event::OrderReleased {
                id,
                quantity,
                instead_of,
                expires_at: _,
            } => format!(
                "release {} {quantity}{}",
                self.name(id),
                self.instead(instead_of)
            ),
            Event::ProtectionLate { id } => format!("late {}", self.name(id)),
            Event::OrderAcknowledged { id, .. } => format!("acknowledged {}", self.name(id)),
            Event::OrderFilled {
                id,
                quantity,
                price,
                total,
                ..
            } => format!("filled {} {quantity}@{price} ({total})", self.name(id)),
            Event::OrderNotSent { id, why, retry_at } => format!(
                "not sent {} {why}, again {}",
                self.name(id),
                self.seconds(*retry_at)
            ),
            Event::OrderUnknown { id, ask_at, .. } => match ask_at {
                Some(at) => format!("unknown {}, ask {}", self.name(id), self.seconds(*at)),
                None => format!("unknown {}", self.name(id)),
            },
            Event::OrderQuestioned { id } => format!("questioned {}", self.name(id)),
            Event::CancelRequested { id, reason } => {
                format!("cancel requested {}: {reason}", self.name(id))
            }
            Event::OrderEnded {
                id, end, reason, ..
            } => format!(
                "ended {} {}{}",
                self.name(id),
                format!("{end:?}").to_lowercase(),
                if reason.is_empty() {
                    String::new()
                } else {
                    format!(": {}", self.short(reason))
                }
            ),
            Event::AccountRead { balance, .. } => format!("equity {}", balance.equity),
            Event::HaltSet(halt) => format!("halt {} {}", halt.scope, halt.level.as_str()),
            Event::HaltLifted { scope, .. } => format!("halt lifted {scope}"),
            Event::FlattenRequested { scope, by } if by == "cli" => format!("flatten {scope}"),
            Event::FlattenRequested { scope, by } => format!("flatten {scope} by {by}"),
            Event::SourceSwitched(switched) => source(switched),
            Event::OperatorActed { by, action, detail } => format!("{by}: {action} {detail}"),
            Event::CutOffReached(reached) => cut_off(reached),
            Event::DailyLossReached {
                account,
                loss,
                limit,
            } => format!("daily loss of {account} reached: {loss} of {limit}"),
            Event::PositionReducedOutside(reduced) => outside(reduced),
        };
        vec![line]
    }

    fn instead(&self, ids: &[ClientOrderId]) -> String {
        if ids.is_empty() {
            return String::new();
        }
        let names: Vec<_> = ids.iter().map(|id| self.name(id)).collect();
        format!(" instead of {}", names.join(" "))
    }

    fn plan_line(&self, plan: &OrderPlan, waits: bool) -> String {
        let class = match plan.class {
            OrderClass::Exit => "exit",
            OrderClass::Protection => "protection",
            OrderClass::Entry => "entry",
        };
        let kind = match plan.kind {
            OrderKind::Single { terms } => match terms {
                Terms::Market => String::new(),
                Terms::Limit { price } => format!(" limit {price}"),
                Terms::Stop { trigger } => format!(" stop {trigger}"),
                Terms::StopLimit { trigger, price } => format!(" stop {trigger} limit {price}"),
            },
            OrderKind::OneCancelsOther { stop, target } => format!(" stop {stop} or {target}"),
            OrderKind::TrailingStop { distance_percent } => {
                format!(" trailing {distance_percent}%")
            }
        };
        let mut line = format!(
            "plan {} {class} {} {}{kind}",
            self.name(&plan.id),
            plan.side.as_str(),
            plan.quantity
        );
        if plan.account != account("paper") {
            write!(line, " on {}", plan.account).unwrap();
        }
        if plan.symbol != symbol("BTCUSDT") {
            write!(line, " of {}", plan.symbol).unwrap();
        }
        if plan.reduce_only {
            line.push_str(" reducing");
        }
        if let Some(old) = plan.replaces {
            write!(line, " for {}", self.name(&old)).unwrap();
        }
        line.push_str(&self.instead(&plan.instead_of));
        if waits {
            let after: Vec<_> = plan.after.iter().map(|id| self.name(id)).collect();
            line.push_str(" waits ");
            line.push_str(&after.join(" "));
        }
        line.trim_end().to_owned()
    }

    fn alert_lines(&self, decided: &AlertDecision) -> Vec<String> {
        let mut first = format!("{} {}", decided.alert, decided.outcome.as_str());
        if let Some(AlertId(number)) = decided.first {
            write!(first, " of A{number}").unwrap();
        }
        if let Some(reason) = &decided.reason {
            write!(first, ": {reason}").unwrap();
        }
        let mut lines = vec![first];
        lines.extend(decided.verdicts.iter().map(|verdict| {
            let mut shown = verdict.clone();
            if decided.reason.as_ref() == Some(&shown.detail) {
                shown.detail.clear();
            }
            format!("- {shown}")
        }));
        for leg in &decided.legs {
            if leg.account != account("paper") || leg.decision != decided.outcome {
                lines.push(format!(
                    "{} {}: {}",
                    leg.account,
                    leg.decision.as_str(),
                    leg.reason
                ));
            } else if !leg.reason.ends_with("planned") {
                lines[0] = format!("{}: {}", lines[0], leg.reason);
            }
            lines.extend(leg.verdicts.iter().map(|verdict| {
                let mut shown = verdict.clone();
                if shown.detail == leg.reason {
                    shown.detail.clear();
                }
                format!("- {shown}")
            }));
        }
        lines
    }
}

fn source(switched: &SourceSwitched) -> String {
    let word = if switched.on { "on" } else { "off" };
    format!("source {} {word} by {}", switched.source, switched.by)
}

fn cut_off(reached: &CutOffReached) -> String {
    let when = if reached.in_time {
        "in time"
    } else {
        "too late"
    };
    format!("cut-off of {} {when}", reached.symbol)
}

fn outside(reduced: &ReducedOutside) -> String {
    let whose = reduced
        .strategy
        .as_ref()
        .map_or("nobody", |name| name.as_str());
    let owed = reduced.owed.as_ref();
    let owed = owed.map_or_else(String::new, |fill| format!(", {} owed", fill.quantity));
    let (deal, quantity, price) = (reduced.deal, reduced.quantity, reduced.price);
    format!("outside {deal} {quantity}@{price} of {whose}{owed}")
}
