//! `ponte halt`, `ponte resume`, `ponte flatten`: what must work whatever else does not.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use clap::{Args, ValueEnum};
use ponte_core::halt::{Halt as InForce, HaltLevel, Scope};
use ponte_core::id::{AccountName, NameError, StrategyName, Symbol};
use ponte_core::message::{Event, OperatorAction, OperatorRequest};

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::Failure;
use super::offline;
use super::screen::{self, BAD, BOLD, GOOD, SO_SO, styled};
use crate::admin::BY_BYTES_MAX;
use crate::admin::wire::{HaltRequest, Operated, ScopeRequest};

/// What a command is about; everything when nothing is named.
#[derive(Args)]
#[group(multiple = false)]
struct Which {
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this strategy, in all accounts
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Only this symbol, in all accounts
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
}

impl Which {
    fn scope(&self, context: &Context) -> Result<Scope, Failure> {
        let wrong = |what: &'static str| {
            move |error: NameError| Failure::usage(format!("the {what} {error}"))
        };
        if let Some(name) = &self.account {
            let name = AccountName::new(name).map_err(wrong("account"))?;
            let known = &context.config()?.accounts;
            if !known.iter().any(|account| account.name == name) {
                let names: Vec<_> = known.iter().map(|account| account.name.as_str()).collect();
                let there = names.join(", ");
                return Err(Failure::usage(format!(
                    "there is no account {name}; there is {there}"
                )));
            }
            return Ok(Scope::Account(name));
        }
        if let Some(name) = &self.strategy {
            let name = StrategyName::new(name).map_err(wrong("strategy"))?;
            return Ok(Scope::Strategy(name));
        }
        if let Some(symbol) = &self.symbol {
            let symbol = Symbol::new(symbol).map_err(wrong("symbol"))?;
            return Ok(Scope::Symbol(symbol));
        }
        Ok(Scope::Global)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// No new entries; what is open stays, exits and protection go on
    BlockEntries,
    /// And working entries are taken back
    CancelWorking,
    /// And whatever is sent is held to the size of the position it closes
    ReduceOnly,
    /// And every position is closed at the market
    Flatten,
}

impl From<Level> for HaltLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::BlockEntries => Self::BlockEntries,
            Level::CancelWorking => Self::CancelWorking,
            Level::ReduceOnly => Self::ReduceOnly,
            Level::Flatten => Self::Flatten,
        }
    }
}

/// Stop trading: everything, an account, a strategy or a symbol
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte halt\n  \
    ponte halt --level cancel-working --reason \"news at 14:30\"\n  \
    ponte halt --strategy breakout\n  \
    ponte halt --symbol BTCUSDT --level flatten\n\n\
    Each level does what the ones before it do, and more. Exits and protective stops are never \
    blocked.\n\
    Without this program: a file called HALT in the data directory halts everything within a \
    second.\n\
    It works when Ponte is not running, too. Lift it with: ponte resume.")]
pub(super) struct Halt {
    #[command(flatten)]
    which: Which,
    /// How much is stopped
    #[arg(long, value_name = "LEVEL", default_value = "block-entries")]
    level: Level,
    /// Why, for whoever reads the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask before positions are closed
    #[arg(long, short)]
    yes: bool,
}

/// Lift a halt of exactly this scope
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte resume\n  \
    ponte resume --account paper\n\n\
    A halt of everything and one of an account are two halts: each is lifted by itself; \
    ponte status lists them.\n\
    While a HALT file is in the data directory, the halt of everything can't be lifted.")]
pub(super) struct Resume {
    #[command(flatten)]
    which: Which,
}

/// Close positions at the market and take back working entries, once
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte flatten\n  \
    ponte flatten --strategy breakout --yes\n\n\
    New alerts go on being traded; to stop them too: ponte halt --level flatten.")]
pub(super) struct Flatten {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Halt {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let scope = self.which.scope(context)?;
        let level = HaltLevel::from(self.level);
        if level == HaltLevel::Flatten && !self.yes {
            confirm(&scope)?;
        }
        let reason = self.reason.clone();
        let by = who();
        let request = HaltRequest {
            scope: scope.clone(),
            level,
            reason: reason.clone(),
            by: by.clone(),
        };
        let asked = Client::new(context)?.post("api/halt", &request)?;
        let action = OperatorAction::Halt {
            scope,
            level,
            reason,
        };
        finish(context, asked, OperatorRequest { by, action })
    }
}

impl Resume {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let scope = self.which.scope(context)?;
        let by = who();
        let request = ScopeRequest {
            scope: scope.clone(),
            by: by.clone(),
        };
        let asked = Client::new(context)?.post("api/resume", &request)?;
        let action = OperatorAction::Resume { scope };
        finish(context, asked, OperatorRequest { by, action })
    }
}

impl Flatten {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let scope = self.which.scope(context)?;
        if !self.yes {
            confirm(&scope)?;
        }
        let by = who();
        let request = ScopeRequest {
            scope: scope.clone(),
            by: by.clone(),
        };
        let asked = Client::new(context)?.post("api/flatten", &request)?;
        let action = OperatorAction::Flatten { scope };
        finish(context, asked, OperatorRequest { by, action })
    }
}

/// Says what happened, or makes it happen in the journal.
fn finish(
    context: &Context,
    asked: Asked<Operated>,
    request: OperatorRequest,
) -> Result<(), Failure> {
    let operated = match asked {
        Asked::Answer(operated) => operated,
        Asked::NotRunning => offline::operate(context.config()?, request)?,
    };
    if context.json {
        return screen::print_json(&operated);
    }
    screen::print(&shown(&operated))
}

fn shown(operated: &Operated) -> String {
    let mut text = String::new();
    let mut orders = 0;
    let mut cancels = 0;
    for event in &operated.events {
        if let Event::HaltSet(halt) = event {
            let _ = writeln!(text, "{}", in_force(halt));
        } else if let Event::HaltLifted { scope, by } = event {
            let word = styled(GOOD, "resumed");
            let _ = writeln!(text, "{word}: {scope}, by {by}");
        } else if let Event::FlattenRequested { scope, by } = event {
            let word = styled(SO_SO, "flatten");
            let _ = writeln!(text, "{word}: {scope}, by {by}");
        } else if let Event::OrderPlanned { .. } = event {
            orders += 1;
        } else if let Event::CancelRequested { .. } | Event::OrderEnded { .. } = event {
            cancels += 1;
        }
    }
    if orders > 0 {
        let orders = screen::count(orders, "closing order", "closing orders");
        let _ = writeln!(text, "{orders} planned");
    }
    if cancels > 0 {
        let orders = screen::count(cancels, "order", "orders");
        let _ = writeln!(text, "{orders} taken back");
    }
    if !operated.changed {
        text.push_str("nothing to change\n");
    }
    if !operated.running {
        let _ = writeln!(text, "{}", styled(BOLD, offline::RECORDED));
        if orders > 0 {
            text.push_str(
                "the closing orders expire in 15 minutes: start Ponte before that, or flatten \
                 again then\n",
            );
        }
    }
    let lifted_only = operated
        .events
        .iter()
        .any(|event| matches!(event, Event::HaltLifted { .. }));
    if (lifted_only || !operated.changed) && !operated.halts.is_empty() {
        text.push_str("still in force:\n");
        for halt in &operated.halts {
            let _ = writeln!(text, "  {}", in_force(halt));
        }
    }
    text
}

/// One halt in a line.
fn in_force(halt: &InForce) -> String {
    let reason = halt.reason.as_ref().map_or_else(String::new, |reason| {
        format!(" ({})", screen::printable(reason))
    });
    format!(
        "{}: {}, {}, by {}{reason}",
        styled(BAD, "halted"),
        halt.scope,
        halt.level.as_str().replace('_', "-"),
        screen::printable(&halt.by),
    )
}

/// Who asks: the user of this machine.
pub(super) fn who() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .map(|user| screen::printable(user.trim()).replace('\n', " "))
        .filter(|user| !user.is_empty() && user.len() + " (cli)".len() <= BY_BYTES_MAX);
    user.map_or_else(|| "cli".to_owned(), |user| format!("{user} (cli)"))
}

/// Asks a person before positions are closed; whoever can't be asked must say `--yes`.
fn confirm(scope: &Scope) -> Result<(), Failure> {
    let what = match scope {
        Scope::Global => "close every position at the market".to_owned(),
        Scope::Account(_) | Scope::Strategy(_) | Scope::Symbol(_) => {
            format!("close every position of {scope} at the market")
        }
    };
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "this would {what}, and nobody is there to be asked"
        ))
        .cured_by("the same with --yes"));
    }
    let mut stderr = anstream::stderr();
    let question = format!("{BAD}This will {what}.{BAD:#} Type yes to go on: ");
    let unreadable =
        |error: std::io::Error| Failure::unreachable(format!("the answer can't be read: {error}"));
    stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush())
        .map_err(unreadable)?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(unreadable)?;
    let answer = answer.trim().to_lowercase();
    if ["yes", "sim", "si", "sí"].contains(&answer.as_str()) {
        return Ok(());
    }
    Err(Failure::refused("nothing was done"))
}
