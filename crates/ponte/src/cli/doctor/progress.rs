//! A line on standard error that says what is still being looked at; gone when all is there.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::cli::screen::DIM;

/// How often the line moves.
const STEP: Duration = Duration::from_millis(120);
const FRAMES: [&str; 4] = ["·  ", "·· ", "···", " ··"];

/// Shows what is still being looked at, until every looker has said that it is done.
pub(super) fn watch(
    mut waiting: BTreeSet<&'static str>,
    done: &Receiver<&'static str>,
    quiet: bool,
) {
    let is_shown = !quiet && std::io::stderr().is_terminal();
    let mut frame = 0;
    while !waiting.is_empty() {
        if is_shown {
            let names: Vec<&str> = waiting.iter().copied().collect();
            draw(&format!(
                "looking at {} {}",
                names.join(", "),
                FRAMES[frame % FRAMES.len()]
            ));
            frame += 1;
        }
        match done.recv_timeout(STEP) {
            Ok(name) => {
                waiting.remove(name);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if is_shown {
        draw("");
    }
}

fn draw(line: &str) {
    let mut stderr = anstream::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _ = write!(stderr, "\r\u{1b}[2K{DIM}{line}{DIM:#}");
    let _ = stderr.flush();
}
