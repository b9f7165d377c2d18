//! `ponte doctor`: everything that keeps alerts from being received or executed, each with its cure.

mod outside;
mod progress;
mod shown;
mod stop;

use std::sync::mpsc;
use std::thread;

use clap::Args;
use serde::Serialize;

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen;
use crate::admin::wire::{Diagnosis, Finding, Group, Health};
use crate::admin::with_last_uses;
use crate::config::{self, Config, Loaded, source_keys};
use crate::doctor::secrets::{Secrets, of_accounts};
use crate::doctor::{self, machine, say};
use crate::journal::{Reader, path_in};
use crate::secret::Keyring;

/// Look at everything that receiving and executing alerts needs, and say what to do
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte doctor\n  \
    ponte doctor --account b3\n  \
    ponte doctor --json | jq '.[].findings[] | select(.health != \"fine\")'\n  \
    ponte doctor --try-stop b3\n\n\
    It looks at the machine, the way from the internet, the secrets, who sends, the journal and each \
    account, and posts a signed test alert through the public address, which trades on paper and is \
    closed at once. Nothing else is changed. What needs a running Ponte is left out while none runs.\n\
    Exit status 1 when something is wrong (✗), 3 when Ponte could not be asked; a ! is worth a look \
    and no failure.")]
pub(super) struct Doctor {
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Post no test alert
    #[arg(long)]
    no_selftest: bool,
    /// Place a stop far from the market in this account, see that it rests, and take it back
    #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["account", "no_selftest"])]
    try_stop: Option<String>,
    /// The symbol of the stop [default: one that the account trades]
    #[arg(long, value_name = "SYMBOL", requires = "try_stop")]
    symbol: Option<String>,
    /// Try it in an account with real money
    #[arg(long, requires = "try_stop")]
    live: bool,
}

/// A part of what was found.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Part {
    /// About one thing that is no account.
    Group(Group),
    /// About an account.
    Account(Diagnosis),
}

impl Part {
    fn findings(&self) -> &[Finding] {
        match self {
            Self::Group(group) => &group.findings,
            Self::Account(account) => &account.findings,
        }
    }
}

/// What the threads that look bring back.
struct Looked {
    here: Result<Asked<Vec<Group>>, Failure>,
    outside: Vec<Group>,
    accounts: Result<Asked<Vec<Diagnosis>>, Failure>,
}

impl Doctor {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        if let Some(account) = &self.try_stop {
            return stop::run(context, account, self.symbol.as_deref(), self.live);
        }
        if self.account.is_some() {
            return self.one_account(context);
        }
        let config = context.config()?;
        let looked = self.look(context, config)?;
        let mut parts = Vec::new();
        let mut unasked = None;
        let here = match looked.here {
            Ok(Asked::Answer(groups)) => Some(groups),
            Ok(Asked::NotRunning) => None,
            Err(failure) => {
                unasked = Some(failure);
                None
            }
        };
        let mut here = match here {
            Some(groups) => groups,
            None => here_without_ponte(context, config)?,
        };
        add_configuration(context, &mut here);
        let is_machine = |group: &Group| group.group == "machine";
        let (machine, rest): (Vec<_>, Vec<_>) = here.into_iter().partition(is_machine);
        let groups = machine.into_iter().chain(looked.outside).chain(rest);
        let groups = groups.filter(|group| !group.findings.is_empty());
        parts.extend(groups.map(Part::Group));
        match looked.accounts {
            Ok(Asked::Answer(accounts)) => parts.extend(accounts.into_iter().map(Part::Account)),
            Ok(Asked::NotRunning) => {
                unasked = unasked.or_else(|| Some(not_running(context, config)))
            }
            Err(failure) => unasked = Some(failure),
        }
        end(context, &parts, unasked.map_or(Ok(()), Err))
    }

    /// Looks from all sides at once.
    fn look(&self, context: &Context, config: &Config) -> Result<Looked, Failure> {
        let (here, accounts) = (Client::new(context)?, Client::new(context)?);
        let tester = (!self.no_selftest)
            .then(|| Client::new(context))
            .transpose()?;
        let (done, told) = mpsc::channel();
        // The test trades: an account that is looked at meanwhile would seem to be out of step.
        let (leave, wait) = mpsc::channel::<()>();
        const PARTS: [&str; 3] = ["the machine", "the way from outside", "the accounts"];
        let looked = thread::scope(|scope| {
            let (done_here, done_outside, done_accounts) = (done.clone(), done.clone(), done);
            let here = scope.spawn(move || {
                let found = here.get("api/doctor/here", &[]);
                // Nobody listens any more only when the command ends.
                let _ = done_here.send(PARTS[0]);
                found
            });
            let outside = scope.spawn(move || {
                let found = outside::look(config, tester, &wait);
                let _ = done_outside.send(PARTS[1]);
                found
            });
            let accounts = scope.spawn(move || {
                let found = accounts.get("api/doctor", &[]);
                drop(leave);
                let _ = done_accounts.send(PARTS[2]);
                found
            });
            progress::watch(PARTS.into(), &told, context.json);
            match (here.join(), outside.join(), accounts.join()) {
                (Ok(here), Ok(outside), Ok(accounts)) => Some(Looked {
                    here,
                    outside,
                    accounts,
                }),
                _ => None,
            }
        });
        looked.ok_or_else(|| Failure::unreachable("a look broke; please report this"))
    }

    fn one_account(&self, context: &Context) -> Result<(), Failure> {
        let parameters: Vec<_> = self
            .account
            .iter()
            .map(|account| ("account", account.clone()))
            .collect();
        let asked = Client::new(context)?.get("api/doctor", &parameters)?;
        let Asked::Answer(found) = asked else {
            return Err(not_running(context, context.config()?));
        };
        let found: Vec<Diagnosis> = found;
        let parts: Vec<Part> = found.into_iter().map(Part::Account).collect();
        end(context, &parts, Ok(()))
    }
}

/// Prints what was found, and ends as that demands.
fn end(context: &Context, parts: &[Part], asked: Result<(), Failure>) -> Result<(), Failure> {
    if context.json {
        screen::print_json(&parts)?;
    } else {
        screen::print(&shown::report(parts))?;
    }
    asked?;
    let mut all = parts.iter().flat_map(Part::findings);
    if all.any(|finding| finding.health == Health::Wrong) {
        return Err(Failure::silent(REFUSED));
    }
    Ok(())
}

fn not_running(context: &Context, config: &Config) -> Failure {
    let listen = config.admin.listen;
    Failure::unreachable(format!(
        "nothing listens at {listen}: Ponte is not running, and only a running one can ask its brokers"
    ))
    .cured_by(context.start())
}

/// What can be seen while no Ponte runs.
fn here_without_ponte(context: &Context, config: &Config) -> Result<Vec<Group>, Failure> {
    let loaded = config::load(&context.path);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| Failure::unreachable(format!("nothing can be looked at: {error}")))?;
    let known = loaded.map(secrets_of);
    let none = Secrets::default();
    let secrets = known.as_ref().unwrap_or(&none);
    let mut groups = runtime.block_on(doctor::here(config, secrets, None));
    if let Err(errors) = &known {
        let wrong = errors.errors.iter().map(|error| {
            // A sentence: the line itself is what ponte check shows.
            let sentence = config::Finding {
                excerpt: None,
                ..error.clone()
            };
            Finding::wrong("configuration", sentence.to_string())
        });
        let secrets = groups.iter_mut().find(|group| group.group == "secrets");
        if let Some(secrets) = secrets {
            secrets.findings.extend(wrong);
        }
    }
    Ok(groups)
}

/// What is known of the secrets that could be read.
fn secrets_of(loaded: Loaded) -> Secrets {
    let accounts = of_accounts(&loaded);
    let keys = source_keys(&loaded.config);
    let facts = Keyring::new(keys, loaded.secrets, loaded.spare_secrets).facts();
    let reader = Reader::open(&path_in(&loaded.config.data_dir)).ok();
    // Without the journal it is only not known who used what.
    let used = reader.and_then(|reader| with_last_uses(facts.clone(), &reader).ok());
    Secrets {
        sources: used.unwrap_or(facts),
        accounts,
    }
}

/// Whose the configuration's file is: only whoever names it knows.
fn add_configuration(context: &Context, groups: &mut [Group]) {
    let Some(machine) = groups.iter_mut().find(|group| group.group == "machine") else {
        return;
    };
    if let Ok(Some(rights)) = machine::rights(&context.path) {
        let reading = say::machine::Reading::Anybody;
        let whose = say::machine::whose("configuration", &context.path, rights, reading);
        machine.findings.push(whose);
    }
}
