//! The command line: one file for each command.
//!
//! Commands that look or control talk to the running Ponte over its admin address; where none
//! runs they work on the journal. Results go to standard output, everything else to standard
//! error, and the exit status says which kind of end it was.

mod admin;
mod audit;
mod b3;
mod backup;
mod bench_fill;
mod body;
mod bridge;
mod certificate;
mod check;
mod client;
mod completions;
mod context;
mod control;
mod demo;
mod doctor;
mod examples;
mod explain;
mod export;
mod failure;
mod health;
mod init;
mod init_files;
mod init_platform;
mod init_terminal;
mod lists;
mod offline;
mod owner;
mod passphrase;
mod record;
mod restore;
mod run;
mod scratch;
mod screen;
mod secret;
mod send;
mod source;
mod status;
mod story;
mod table;
mod token;
mod typed;
mod upgrade_check;
mod user;
mod user_totp;
mod vault;
mod venue;
mod why;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use context::Context;
use failure::Failure;
use owner::{Actor, Owner};

/// The heading above what every command takes.
const EVERYWHERE: &str = "Options of every command";

#[derive(Parser)]
#[command(
    name = "ponte",
    version,
    about = "The bridge from a TradingView alert to a broker's order.",
    long_about = "The bridge from a TradingView alert to a broker's order.\n\n\
        Ponte receives each alert, makes it durable, decides what it means for each of your \
        accounts, and executes it exactly once, or says in plain words why not.",
    after_help = "First steps:\n  \
        ponte init                 write ponte.toml and a secret\n  \
        ponte run                  start\n  \
        ponte send --example buy   fire an alert at it, from another terminal\n  \
        ponte alerts               see what came in, then: ponte why A1\n\n\
        Exit status: 0 done, 1 refused or something was found, 2 wrong usage, \
        3 not reachable or not readable.",
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Global {
    /// The configuration file [default: $PONTE_CONFIG, or else ponte.toml, or else
    /// /etc/ponte/ponte.toml]
    #[arg(long, short, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,
    /// Print one JSON document instead of text for people
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = EVERYWHERE
    )]
    color: Color,
    /// Say more on standard error about what is done
    #[arg(
        long,
        short,
        global = true,
        action = clap::ArgAction::Count,
        help_heading = EVERYWHERE
    )]
    verbose: u8,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Init(Box<init::Init>),
    Run(run::Run),
    Check(check::Check),
    Send(send::Send),
    Explain(explain::Explain),
    Status(status::Status),
    Health(health::Health),
    UpgradeCheck(upgrade_check::UpgradeCheck),
    Doctor(doctor::Doctor),
    Alerts(lists::Alerts),
    Orders(lists::Orders),
    Positions(lists::Positions),
    Why(why::Why),
    Halt(control::Halt),
    Resume(control::Resume),
    Flatten(control::Flatten),
    Source(source::Source),
    Secret(secret::Secret),
    Export(export::Export),
    Audit(audit::Audit),
    Backup(Box<backup::Backup>),
    Restore(restore::Restore),
    Vault(vault::VaultCommand),
    User(user::User),
    Token(token::Token),
    Admin(admin::Admin),
    Bridge(bridge::Bridge),
    Certificate(certificate::Certificate),
    B3(b3::B3),
    Venue(venue::Venue),
    Completions(completions::Completions),
    BenchFill(bench_fill::BenchFill),
}

/// Runs the program with these arguments, the program's own name first.
#[must_use]
pub fn run<I, T>(arguments: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are no errors; clap knows where each goes.
            let _ = error.print();
            let usage = u8::try_from(error.exit_code()).unwrap_or(failure::USAGE);
            return ExitCode::from(usage);
        }
    };
    match cli.global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let Global {
        config,
        json,
        verbose,
        ..
    } = cli.global;
    let context = Context::new(config, json, verbose);
    let owner = match cli.command.actor() {
        Actor::Caller => None,
        Actor::Owner => Owner::of_data(&context),
    };
    let became = owner.as_ref().map_or(Ok(()), Owner::become_it);
    match became.and_then(|()| dispatch(&context, cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => match owner {
            Some(owner) => failure.noted(&owner.note()).report(context.json),
            None => failure.report(context.json),
        },
    }
}

impl Command {
    /// Who carries it out. Whatever only writes where its caller says is the caller's.
    fn actor(&self) -> Actor {
        match self {
            Self::Demo(_)
            | Self::Init(_)
            | Self::Export(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::Venue(_)
            | Self::Completions(_)
            | Self::BenchFill(_) => Actor::Caller,
            Self::Run(_)
            | Self::Check(_)
            | Self::Send(_)
            | Self::Explain(_)
            | Self::Status(_)
            | Self::Health(_)
            | Self::UpgradeCheck(_)
            | Self::Doctor(_)
            | Self::Alerts(_)
            | Self::Orders(_)
            | Self::Positions(_)
            | Self::Why(_)
            | Self::Halt(_)
            | Self::Resume(_)
            | Self::Flatten(_)
            | Self::Source(_)
            | Self::Secret(_)
            | Self::Audit(_)
            | Self::Vault(_)
            | Self::User(_)
            | Self::Token(_)
            | Self::Admin(_)
            | Self::Bridge(_)
            | Self::Certificate(_)
            | Self::B3(_) => Actor::Owner,
        }
    }
}

fn dispatch(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(demo) => demo.run(context),
        Command::Init(init) => init.run(context),
        Command::Run(run) => run.run(context),
        Command::Check(check) => check.run(context),
        Command::Send(send) => send.run(context),
        Command::Explain(explain) => explain.run(context),
        Command::Status(status) => status.run(context),
        Command::Health(health) => health.run(context),
        Command::UpgradeCheck(check) => check.run(context),
        Command::Doctor(doctor) => doctor.run(context),
        Command::Alerts(alerts) => alerts.run(context),
        Command::Orders(orders) => orders.run(context),
        Command::Positions(positions) => positions.run(context),
        Command::Why(why) => why.run(context),
        Command::Halt(halt) => halt.run(context),
        Command::Resume(resume) => resume.run(context),
        Command::Flatten(flatten) => flatten.run(context),
        Command::Source(source) => source.run(context),
        Command::Secret(secret) => secret.run(context),
        Command::Export(export) => export.run(context),
        Command::Audit(audit) => audit.run(context),
        Command::Backup(backup) => backup.run(context),
        Command::Restore(restore) => restore.run(context),
        Command::Vault(vault) => vault.run(context),
        Command::User(user) => user.run(context),
        Command::Token(token) => token.run(context),
        Command::Admin(admin) => admin.run(context),
        Command::Bridge(bridge) => bridge.run(context),
        Command::Certificate(certificate) => certificate.run(context),
        Command::B3(b3) => b3.run(context),
        Command::Venue(venue) => venue.run(context),
        Command::Completions(completions) => completions.run(Cli::command()),
        Command::BenchFill(fill) => fill.run(context),
    }
}
