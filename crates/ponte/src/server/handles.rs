//! File handles: every connection takes one, and the journal and the brokers need theirs too.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most handles that are asked of the system.
const WANTED: u64 = 65_536;

/// How many connections the system's file handles allow, when a quarter of them is left for everything
/// else. Where the process may have more than it has, it takes them first.
pub(super) fn connections_max() -> u32 {
    let handles = raised();
    u32::try_from(handles - handles / 4).unwrap_or(u32::MAX)
}

/// How many handles the process may have, after as many were asked for as may be.
fn raised() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current.unwrap_or(WANTED);
    let wanted = maximum.unwrap_or(WANTED).min(WANTED);
    if wanted <= current {
        return current;
    }
    let asked = Rlimit {
        current: Some(wanted),
        maximum,
    };
    // A system that keeps its word otherwise keeps the process at what it has.
    setrlimit(Resource::Nofile, asked).map_or(current, |()| wanted)
}
