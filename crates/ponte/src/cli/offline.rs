//! Working on the journal when no Ponte runs.

use ponte_core::decide::{Facts, NoQuotes, decide, handle};
use ponte_core::halt::Scope;
use ponte_core::identity::Identity;
use ponte_core::message::{AlertInput, Input, OperatorAction, OperatorRequest};
use ponte_core::policy::Policy;

use super::context::Context;
use super::failure::Failure;
use crate::admin::wire::{Explanation, Operated};
use crate::admin::{HALT_FILE, held_by_file};
use crate::config::Config;
use crate::engine::Alert;
use crate::journal::{Loaded, Reader, Writer, path_in};
use crate::{app, clock};

/// What is said to whoever gave an order to a Ponte that does not run.
pub(super) const RECORDED: &str =
    "Ponte is not running: recorded in the journal, in force at the next start";

/// A reader of the configuration's journal.
pub(super) fn reader(context: &Context) -> Result<Reader, Failure> {
    let config = context.config()?;
    let path = path_in(&config.data_dir);
    if !path.exists() {
        return Err(Failure::unreachable(format!(
            "Ponte is not running, and there is no journal at {} yet",
            path.display()
        ))
        .cured_by(context.start()));
    }
    context.verbosely(&format!(
        "nothing listens at {}: reading {}",
        config.admin.listen,
        path.display()
    ));
    Ok(Reader::open(&path)?)
}

/// Decides a person's request and records it. No broker is asked: what must be done there is
/// done at the next start.
pub(super) fn operate(config: &Config, request: OperatorRequest) -> Result<Operated, Failure> {
    let resumes_all = request.action
        == OperatorAction::Resume {
            scope: Scope::Global,
        };
    if resumes_all && config.data_dir.join(HALT_FILE).exists() {
        return Err(Failure::refused(held_by_file(config)));
    }
    let mut writer = Writer::open(&config.data_dir)?;
    let Loaded {
        mut state,
        installation,
        ..
    } = writer.load()?;
    let policy = Policy {
        installation,
        ..Policy::default()
    };
    let facts = Facts {
        now: clock::now(),
        quotes: &NoQuotes,
    };
    let events = handle(&mut state, &policy, facts, Input::Operator(request)).events;
    if !events.is_empty() {
        writer.begin()?;
        writer.append(facts.now, &events)?;
        writer.commit(&state)?;
        writer.take_snapshot(&state, facts.now)?;
    }
    Ok(Operated {
        changed: !events.is_empty(),
        running: false,
        events,
        halts: state.halts,
    })
}

/// What an alert would do now, by the journal; nothing is written.
pub(super) async fn explain(config: &Config, alert: Alert) -> Result<Explanation, Failure> {
    let (journal, seen) = if path_in(&config.data_dir).exists() {
        let mut writer = Writer::open(&config.data_dir)?;
        let journal = writer.load()?;
        let seen = writer.seen(&Identity::of(&alert.source, &alert.signal))?;
        (journal, seen)
    } else {
        let journal = Loaded {
            state: ponte_core::state::State::default(),
            replayed: 0,
            installation: String::new(),
        };
        (journal, None)
    };
    let (policy, quotes) = app::outlook(config, &journal).await?;
    let input = AlertInput {
        source: alert.source,
        received_at: alert.received_at,
        signal: alert.signal,
        seen,
        delivery: alert.delivery,
    };
    let facts = Facts {
        now: clock::now(),
        quotes: &*quotes,
    };
    let decision = decide(
        &journal.state,
        &policy,
        facts,
        Input::Alert(Box::new(input)),
    );
    Explanation::of(decision.events).ok_or_else(|| {
        Failure::unreachable("nothing was decided about the alert; please report this")
    })
}
