//! Puts on record what a command has done to Ponte itself, whether or not it runs.

use std::io::{IsTerminal as _, Write as _};

use ponte_core::message::{OperatorAction, OperatorRequest};
use zeroize::Zeroizing;

use super::client::{Asked, Client};
use super::context::Context;
use super::control::who;
use super::failure::Failure;
use super::offline;
use super::screen::{self, BOLD};
use super::typed;
use crate::admin::auth::password::PASSWORD_BYTES_MAX;
use crate::admin::wire::{Operated, RecordRequest, ReloadRequest};
use crate::journal::path_in;
use crate::secret::Reloaded;

/// Longest line that is read from standard input, in bytes.
const LINE_BYTES_MAX: u64 = 4 * PASSWORD_BYTES_MAX as u64;

/// Puts an act of the command line on record. It was done already: what fails here is only said.
pub(super) fn put(context: &Context, action: &str, detail: &str) {
    if let Err(failure) = try_to_put(context, action, detail) {
        screen::note(&format!(
            "it is done, and is not on record: {}",
            failure.message()
        ));
    }
}

fn try_to_put(context: &Context, action: &str, detail: &str) -> Result<(), Failure> {
    let request = RecordRequest {
        action: action.to_owned(),
        detail: detail.to_owned(),
        by: who(),
    };
    let asked: Asked<Operated> = Client::new(context)?.post("api/record", &request)?;
    match asked {
        Asked::Answer(_) => Ok(()),
        Asked::NotRunning => {
            let RecordRequest { action, detail, by } = request;
            let action = OperatorAction::Record { action, detail };
            offline::operate(context.config()?, OperatorRequest { by, action }).map(drop)
        }
    }
}

/// Has a running Ponte read the secrets again after something was done to them, and puts that on
/// record; on the journal when none runs. Says whether one runs.
pub(super) fn announce(context: &Context, action: &str, detail: String) -> Result<bool, Failure> {
    let (by, action) = (who(), action.to_owned());
    let request = ReloadRequest {
        action: action.clone(),
        detail: detail.clone(),
        by: by.clone(),
    };
    let asked: Asked<Reloaded> = Client::new(context)?.post("api/secrets/reload", &request)?;
    match asked {
        Asked::Answer(reloaded) if reloaded.problems.is_empty() => Ok(true),
        Asked::Answer(reloaded) => Err(Failure::refused(format!(
            "it is written, and the running Ponte could not take it over: {}",
            reloaded.problems.join("; ")
        ))
        .cured_by("let the user who runs Ponte read it; it looks again by itself")),
        Asked::NotRunning => {
            let config = context.config()?;
            if path_in(&config.data_dir).exists() {
                let action = OperatorAction::Record { action, detail };
                offline::operate(config, OperatorRequest { by, action })?;
            }
            Ok(false)
        }
    }
}

/// Asks for a secret without showing what is typed; from a pipe it is one line.
pub(super) fn ask_secret(question: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    typed::hidden(question).map_err(|error| {
        Failure::unreachable(format!("what is typed can't be read: {error}"))
            .cured_by("give it on standard input")
    })
}

/// Asks for something that may be seen.
pub(super) fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        // A question that can't be shown is answered by nobody, which is said below.
        let mut stderr = anstream::stderr();
        let _ = write!(stderr, "{BOLD}{question}:{BOLD:#} ");
        let _ = stderr.flush();
    }
    line()
}

/// One line of standard input, without its end.
fn line() -> Result<Zeroizing<String>, Failure> {
    use std::io::{BufRead as _, Read as _};
    let mut text = Zeroizing::new(String::new());
    let stdin = std::io::stdin().lock();
    // Bytes after the line are the next question's.
    let mut stdin = stdin.take(LINE_BYTES_MAX);
    let read = stdin.read_line(&mut text);
    let read = read
        .map_err(|error| Failure::unreachable(format!("standard input can't be read: {error}")))?;
    if read == 0 {
        return Err(Failure::usage("nobody answers, standard input is empty"));
    }
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text)
}
