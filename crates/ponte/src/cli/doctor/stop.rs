//! `ponte doctor --try-stop`.

use std::io::{IsTerminal as _, Write as _};

use ponte_core::policy::Mode;

use crate::admin::wire::{Finding, Health, TriedStop, TryStopRequest};
use crate::cli::client::{Asked, Client};
use crate::cli::context::Context;
use crate::cli::control::who;
use crate::cli::failure::{Failure, REFUSED};
use crate::cli::screen::{self, BOLD};
use crate::doctor::say;

pub(super) fn run(
    context: &Context,
    account: &str,
    symbol: Option<&str>,
    live: bool,
) -> Result<(), Failure> {
    let config = context.config()?;
    let known = config
        .accounts
        .iter()
        .find(|known| known.name.as_str() == account);
    if let Some(known) = known.filter(|known| known.mode == Mode::Live) {
        if !live {
            let text =
                format!("account {account} is live: a stop there is an order with real money");
            return Err(Failure::refused(text).cured_by(format!(
                "if that is meant: ponte doctor --try-stop {account} --live"
            )));
        }
        confirm(known.name.as_str())?;
    }
    let request = TryStopRequest {
        account: account.to_owned(),
        symbol: symbol.map(str::to_owned),
        live,
        by: who(),
    };
    let Asked::Answer(tried) = Client::new(context)?.post::<TriedStop>("api/try-stop", &request)?
    else {
        return Err(super::not_running(context, config));
    };
    let finding: Finding = say::selftest::tried_stop(&tried);
    if context.json {
        screen::print_json(&tried)?;
    } else {
        screen::print(&super::shown::line(&finding))?;
    }
    match finding.health {
        Health::Fine | Health::Look => Ok(()),
        Health::Wrong => Err(Failure::silent(REFUSED)),
    }
}

/// Has the account's name typed: whoever only presses a key has not read.
fn confirm(account: &str) -> Result<(), Failure> {
    let refused =
        || Failure::refused("nothing was placed").cured_by("type the account's name at a terminal");
    if !std::io::stdin().is_terminal() {
        return Err(refused());
    }
    let mut stderr = anstream::stderr();
    // Nobody is left to tell when standard error is gone.
    let _ = write!(
        stderr,
        "this places a stop with {BOLD}real money{BOLD:#} and takes it back; type {BOLD}{account}{BOLD:#} to go on: "
    );
    let _ = stderr.flush();
    let mut typed = String::new();
    let read = std::io::stdin().read_line(&mut typed);
    if read.is_ok() && typed.trim() == account {
        return Ok(());
    }
    Err(refused())
}
