//! `ponte doctor`.

use std::fmt::Write as _;

use clap::Args;
use ponte_core::policy::Mode;

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, BOLD, DIM, GOOD, SO_SO, styled};
use crate::admin::wire::{Diagnosis, Finding, Health};

/// Look at an account from all sides: what is wrong, and what to do about it
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte doctor\n  \
    ponte doctor --account b3\n  \
    ponte doctor --account b3 --json | jq '.[].findings[] | select(.health != \"fine\")'\n\n\
    The running Ponte asks its brokers; nothing is changed.\n\
    Exit status 1 when something is wrong (✗), 3 when Ponte could not be asked; a ! is worth a look \
    and no failure.")]
pub(super) struct Doctor {
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Doctor {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let parameters: Vec<_> = self
            .account
            .iter()
            .map(|account| ("account", account.clone()))
            .collect();
        let asked = Client::new(context)?.get("api/doctor", &parameters)?;
        let Asked::Answer(found) = asked else {
            let listen = context.config()?.admin.listen;
            return Err(Failure::unreachable(format!(
                "nothing listens at {listen}: Ponte is not running, and only a running one can ask \
                 its brokers"
            ))
            .cured_by("ponte run"));
        };
        let found: Vec<Diagnosis> = found;
        if context.json {
            screen::print_json(&found)?;
        } else {
            screen::print(&shown(&found))?;
        }
        let all = found.iter().flat_map(|account| &account.findings);
        if all.clone().any(|finding| finding.health == Health::Wrong) {
            return Err(Failure::silent(REFUSED));
        }
        Ok(())
    }
}

fn shown(found: &[Diagnosis]) -> String {
    let all = found.iter().flat_map(|account| &account.findings);
    let width = all
        .map(|finding| finding.subject.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (index, account) in found.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let mode = match account.mode {
            Mode::Paper => "paper",
            Mode::Demo => "demo",
            Mode::Live => "LIVE",
        };
        let name = screen::printable(account.account.as_str());
        let name = styled(BOLD, &name);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{name}  {}, {mode}", account.broker);
        for finding in &account.findings {
            push(&mut text, finding, width);
        }
    }
    text
}

/// One line for what was found; what to do about it stands below.
fn push(text: &mut String, finding: &Finding, width: usize) {
    let (style, sign) = match finding.health {
        Health::Fine => (GOOD, "✓"),
        Health::Look => (SO_SO, "!"),
        Health::Wrong => (BAD, "✗"),
    };
    let subject = screen::printable(&finding.subject).replace('_', " ");
    let said = screen::printable(&finding.text).replace('\n', " ");
    let sign = styled(style, sign);
    let _ = writeln!(text, "  {sign} {DIM}{subject:<width$}{DIM:#}  {said}");
    if let Some(cure) = &finding.cure {
        let cure = screen::printable(cure).replace('\n', " ");
        let _ = writeln!(text, "    {:width$}  {cure}", "");
    }
}

#[cfg(test)]
mod tests {
    use ponte_core::id::AccountName;

    use super::*;

    #[test]
    fn each_finding_has_its_sign_and_its_cure_below() {
        let found = [Diagnosis {
            account: AccountName::new("b3").unwrap(),
            broker: "mt5".to_owned(),
            mode: Mode::Live,
            findings: vec![
                Finding::fine("route", "1 route leads to the account"),
                Finding::wrong(
                    "algo_trading",
                    "algo trading is off; press the button \u{1b}[2J",
                ),
                Finding::look("halts", "halted").cured_by("ponte resume"),
            ],
        }];
        let plain = anstream::adapter::strip_str(&shown(&found)).to_string();
        assert_eq!(
            plain,
            "b3  mt5, LIVE\n  \
             ✓ route         1 route leads to the account\n  \
             ✗ algo trading  algo trading is off\n                  \
             press the button \u{fffd}[2J\n  \
             ! halts         halted\n                  ponte resume\n"
        );
    }
}
