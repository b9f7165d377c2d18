//! What the crash tests beside a broker have in common: senders that never give up, and the journal's own story.

pub(crate) mod record;
pub(crate) mod sending;
