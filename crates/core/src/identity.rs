//! When two alerts are the same alert.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, SourceName};
use crate::message::Seen;
use crate::signal::Signal;
use crate::time::Timestamp;

/// The identity of an alert among all alerts of its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Which of the three ways of telling applies.
    pub kind: IdentityKind,
    /// The digest under which the journal remembers it.
    pub key: Digest,
}

/// The ways of telling that two alerts are one, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// The sender's own id: unique for ever.
    Explicit,
    /// The meaning together with the time in it: unique for ever.
    Timed,
    /// The meaning alone: a repeat within a window is a resend.
    Window,
}

/// What an earlier alert of the same identity makes of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: it is new.
    New,
    /// It is the same alert again.
    Duplicate,
    /// It has the same explicit id and says something else.
    Conflict,
}

impl Identity {
    /// The identity of a signal of this source.
    #[must_use]
    pub fn of(source: &SourceName, signal: &Signal) -> Self {
        let source = source.as_str().as_bytes();
        if let Some(id) = &signal.explicit_id {
            return Self {
                kind: IdentityKind::Explicit,
                key: Digest::of_parts("ponte identity explicit", &[source, id.as_bytes()]),
            };
        }
        let timed = signal.fired_at.is_some() || signal.bar_at.is_some();
        let (kind, domain) = if timed {
            (IdentityKind::Timed, "ponte identity timed")
        } else {
            (IdentityKind::Window, "ponte identity window")
        };
        Self {
            kind,
            key: Digest::of_parts(domain, &[source, &signal.digest.0]),
        }
    }

    /// Judges a signal by the latest accepted alert of the same identity.
    #[must_use]
    pub fn repeat(
        &self,
        digest: Digest,
        seen: Option<Seen>,
        received_at: Timestamp,
        window: Duration,
    ) -> Repeat {
        let Some(seen) = seen else {
            return Repeat::New;
        };
        match self.kind {
            IdentityKind::Explicit if seen.digest != digest => Repeat::Conflict,
            IdentityKind::Explicit | IdentityKind::Timed => Repeat::Duplicate,
            // A clock that was set back must not make a resend new.
            IdentityKind::Window if received_at.since(seen.at) <= window => Repeat::Duplicate,
            IdentityKind::Window => Repeat::New,
        }
    }
}
