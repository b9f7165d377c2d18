//! What is said about the journal.

use super::{bytes, count, span};
use crate::admin::wire::Finding;
use crate::config::{Config, Keep};
use crate::doctor::journal::{Content, Journal};

/// From here on it is worth to let go of old events.
const LARGE: u64 = 20 << 30;

/// Everything that is said about a journal.
pub(crate) fn all(config: &Config, seen: &Journal) -> Vec<Finding> {
    let content = match &seen.content {
        None => {
            let text = format!("there is none yet in {}", config.data_dir.display());
            return vec![
                Finding::look("journal", text).cured_by("ponte run makes it at its first start"),
            ];
        }
        Some(Err(error)) => return vec![Finding::wrong("journal", error.to_string())],
        Some(Ok(content)) => content,
    };
    vec![chain(content), size(content), retention(config, content)]
}

fn chain(content: &Content) -> Finding {
    const SUBJECT: &str = "chain";
    let verified = &content.verified;
    if let Some(broken) = &verified.broken {
        let text = format!(
            "the chain is broken at event {}: {}",
            broken.seq, broken.problem
        );
        return Finding::wrong(SUBJECT, text).cured_by(
            "somebody or the disk has changed it: restore a backup, and look at the disk",
        );
    }
    let first = verified.first.unwrap_or(0);
    let text = if first <= 1 {
        format!(
            "it holds over all of its {}",
            count(verified.events, "event", "events")
        )
    } else {
        format!(
            "it holds over the newest {}",
            count(verified.events, "event", "events")
        )
    };
    Finding::fine(SUBJECT, text)
}

fn size(content: &Content) -> Finding {
    const SUBJECT: &str = "size";
    let last_day = content.last_day;
    let text = format!(
        "{} on disk; in the last day {} with {} were added",
        bytes(content.bytes),
        count(last_day.events, "event", "events"),
        bytes(last_day.bytes)
    )
    .replace("; ", ", ");
    if content.bytes > LARGE {
        Finding::look(SUBJECT, text)
            .cured_by("events = \"365d\" in [retention] lets go of old ones")
    } else {
        Finding::fine(SUBJECT, text)
    }
}

fn retention(config: &Config, _: &Content) -> Finding {
    let kept = |keep: Keep| match keep {
        Keep::Forever => "for ever".to_owned(),
        Keep::For(time) => format!("for {}", span(time)),
    };
    let text = format!(
        "events are kept {}, the content of refused requests {}",
        kept(config.retention.events),
        kept(config.retention.refusals)
    );
    Finding::fine("retention", text)
}
