//! One alert: is it new, and what does it mean for each account it is routed to?

use super::{Context, Decision, leg, scope};
use crate::identity::{Identity, Repeat};
use crate::message::{AlertDecision, AlertInput, Command, Event, LegDecision, Outcome};
use crate::policy::SourcePolicy;
use crate::signal::Intent;
use crate::source::SourceScope;
use crate::verdict::Ruling;

/// Decides an alert: exactly one `AlertDecided`, and the plans of its legs behind it.
pub(super) fn decide(context: Context<'_>, input: AlertInput) -> Decision {
    let identity = Identity::of(&input.source, &input.signal);
    let unknown = SourcePolicy::default();
    let source = context
        .policy
        .sources
        .get(&input.source)
        .unwrap_or(&unknown);
    let repeat = identity.repeat(
        input.signal.digest,
        input.seen,
        input.received_at,
        source.dedup_window,
    );
    let first = input.seen.map(|seen| seen.alert);
    let mut decided = AlertDecision {
        alert: context.state.next_alert(),
        source: input.source,
        received_at: input.received_at,
        delivery: input.delivery,
        signal: input.signal,
        identity,
        outcome: Outcome::Accepted,
        reason: None,
        verdicts: Vec::new(),
        first: None,
        legs: Vec::new(),
    };
    // A repeat is told what became of the first, whatever its source may do by now.
    if repeat == Repeat::Duplicate {
        decided.outcome = Outcome::Duplicate;
        decided.first = first;
        return Decision::event(Event::AlertDecided(Box::new(decided)));
    }
    decided.verdicts = scope::of_alert(context, &source.scope, &decided);
    let refusal = (decided.verdicts.iter()).find(|verdict| verdict.ruling == Ruling::Refuse);
    if let Some(verdict) = refusal {
        decided.outcome = Outcome::Refused;
        decided.reason = Some(verdict.detail.clone());
        // An id that was used before stays the earlier alert's.
        decided.first = first.filter(|_| repeat == Repeat::Conflict);
        return Decision::event(Event::AlertDecided(Box::new(decided)));
    }
    if repeat == Repeat::Conflict {
        return conflict(decided, first);
    }
    legs(context, &source.scope, decided)
}

fn conflict(mut decided: AlertDecision, first: Option<crate::id::AlertId>) -> Decision {
    let id = decided.signal.explicit_id.clone().unwrap_or_default();
    let first_text = first.map_or_else(|| "an earlier alert".to_owned(), |alert| alert.to_string());
    let message = format!(
        "id {id:?} of source {} was used by {first_text} for something else; \
         nothing was done with {}, give every signal its own id",
        decided.source, decided.alert
    );
    decided.outcome = Outcome::Refused;
    decided.reason = Some(message.clone());
    decided.first = first;
    let alert = Some(decided.alert);
    let mut decision = Decision::event(Event::AlertDecided(Box::new(decided)));
    decision.push(Event::Alarm {
        message: message.clone(),
        alert,
        order: None,
    });
    decision.command(Command::Notify(message));
    decision
}

fn legs(context: Context<'_>, scope: &SourceScope, mut decided: AlertDecision) -> Decision {
    if decided.signal.intent == Intent::Heartbeat {
        decided.reason = Some("heartbeat: nothing to trade".to_owned());
        return Decision::event(Event::AlertDecided(Box::new(decided)));
    }
    let mut consequences = Decision::default();
    let signal = decided.signal.clone();
    if signal.strategy.is_reserved() && !decided.source.is_reserved() {
        decided.outcome = Outcome::Refused;
        decided.reason = Some(format!(
            "strategy {} is Ponte's own, with which it tests itself; give yours another name",
            signal.strategy
        ));
        return Decision::event(Event::AlertDecided(Box::new(decided)));
    }
    for (account, route) in context.policy.legs(&signal.strategy) {
        if signal.account.as_ref().is_some_and(|only| only != account) {
            continue;
        }
        let (leg, decision) = leg::decide(context, scope, account, route, &decided);
        decided.legs.push(leg);
        consequences.join(decision);
    }
    (decided.outcome, decided.reason) = outcome(&decided.legs);
    if decided.legs.is_empty() {
        decided.outcome = Outcome::Refused;
        decided.reason = Some(match &signal.account {
            Some(account) => format!(
                "no route takes strategy {} to account {account}; add one to [[routes]]",
                signal.strategy
            ),
            None => format!(
                "no route takes strategy {}; add one to [[routes]]",
                signal.strategy
            ),
        });
    }
    let mut decision = Decision::event(Event::AlertDecided(Box::new(decided)));
    decision.join(consequences);
    decision
}

/// One accepted leg makes an alert accepted; else a halt outweighs a refusal.
fn outcome(legs: &[LegDecision]) -> (Outcome, Option<String>) {
    let has = |outcome| legs.iter().any(|leg| leg.decision == outcome);
    if has(Outcome::Accepted) {
        (Outcome::Accepted, None)
    } else if has(Outcome::Halted) {
        (Outcome::Halted, None)
    } else {
        (Outcome::Refused, None)
    }
}
