//! `ponte secret`: the sources' secrets, their rotation and their tripwires.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use ponte_core::id::SourceName;
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::client::{Asked, Client, reachable};
use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::record::announce;
use super::screen::{self, BAD, BOLD, DIM, GOOD, SO_SO, ago, styled};
use super::source::{end as end_cell, known};
use super::table::{Cell, left, right, table};
use super::{init, init_files, offline};
use crate::admin::with_last_uses;
use crate::config::{Config, InitAnswers, Source, parse_duration, source_keys};
use crate::journal::path_in;
use crate::random::hex_token;
use crate::secret::rotation::{self, RotationError};
use crate::secret::{Keyring, Role, SECRET_BITS_GOOD, Secret as Value, SecretFacts};

/// Random bytes of a new secret: it stands in an alert's message and in a URL, in hex.
const SECRET_BYTES: usize = 24;
/// How long the secret before the new one holds at most.
const OVERLAP_MAX: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Look at the sources' secrets, change one without losing an alert, lay a tripwire
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte secret list\n  \
    ponte secret rotate main\n  \
    ponte secret end main\n  \
    ponte secret tripwire main")]
pub(super) struct Secret {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(List),
    Rotate(Rotate),
    End(End),
    Tripwire(Tripwire),
}

/// List the secrets: where kept, how strong, how old, until when valid, when last used; never the secrets
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte secret list\n  \
    ponte secret list --json\n\n\
    Strength is an upper bound, in bits. Exit status 1 when a secret can't be read.")]
struct List {}

/// Make a new secret for a source; the one before it stays valid for a while
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte secret rotate main\n  \
    ponte secret rotate main --overlap 14d\n  \
    ponte secret rotate main --overlap 0s    the old one is stolen: it ends now\n\n\
    A running Ponte takes the new one over at once, without a restart. What to paste into \
    TradingView is printed once. When ponte secret list shows that nobody uses the old one any \
    more: ponte secret end main")]
struct Rotate {
    /// The source's name in the configuration
    source: String,
    /// How long the secret before it stays valid, up to 90d; 0s ends it now
    #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = overlap)]
    overlap: Duration,
}

/// End the secret before the last rotation now
#[derive(Args)]
#[command(after_help = "Examples:\n  ponte secret end main")]
struct End {
    /// The source's name in the configuration
    source: String,
}

/// Make a secret that nobody uses: whoever shows it switches the source off
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte secret tripwire main\n  \
    ponte secret tripwire main --replace    after it was used\n\n\
    Leave it where a thief would look: in an old alert, in notes, in a repository. When somebody \
    shows it to the webhook, the source is switched off and Ponte shouts.")]
struct Tripwire {
    /// The source's name in the configuration
    source: String,
    /// Replace the one that is there
    #[arg(long)]
    replace: bool,
}

fn overlap(text: &str) -> Result<Duration, String> {
    let span = parse_duration(text).ok_or("write a number and a unit: 7d, 12h, 0s")?;
    if span > OVERLAP_MAX {
        return Err("the longest overlap is 90d".to_owned());
    }
    Ok(span)
}

/// What a rotation did.
#[derive(Serialize)]
struct Rotated {
    source: SourceName,
    /// Whether the secret is another one now; else the steps say what has to be done.
    rotated: bool,
    /// Whether a running Ponte has taken it over; else the next start does.
    running: bool,
    /// Until when the secret before it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_until: Option<Timestamp>,
    webhook_url: String,
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<String>,
}

/// What became of one secret.
#[derive(Serialize)]
struct Done {
    source: SourceName,
    changed: bool,
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

impl Secret {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::List(List {}) => list(context),
            What::Rotate(rotate) => rotate.run(context),
            What::End(end) => end.run(context),
            What::Tripwire(tripwire) => tripwire.run(context),
        }
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let facts: Vec<SecretFacts> = match Client::new(context)?.get("api/secrets", &[])? {
        Asked::Answer(facts) => facts,
        Asked::NotRunning => {
            let loaded = context.loaded()?;
            let keys = source_keys(&loaded.config);
            let facts = Keyring::new(keys, loaded.secrets, loaded.spare_secrets).facts();
            if path_in(&loaded.config.data_dir).exists() {
                with_last_uses(facts, &offline::reader(context)?)?
            } else {
                facts
            }
        }
    };
    if context.json {
        return screen::print_json(&facts);
    }
    screen::print(&shown(&facts, context.now))
}

fn shown(facts: &[SecretFacts], now: Timestamp) -> String {
    let columns = [
        left("source"),
        left("secret"),
        right("strength"),
        left("age"),
        left("valid until (UTC)"),
        left("last used"),
        left("kept in"),
    ];
    let rows = facts.iter().map(|fact| {
        let bits = format!("{} bits", fact.bits);
        let strength = if fact.bits < SECRET_BITS_GOOD {
            Cell::new(BAD, bits)
        } else {
            Cell::new(GOOD, bits)
        };
        let role = match fact.role {
            Role::Current => Cell::plain("current"),
            Role::Previous => Cell::new(SO_SO, "previous"),
            Role::Tripwire => Cell::dim("tripwire"),
        };
        let used = match (fact.role, fact.last_used) {
            (Role::Tripwire, Some(at)) => Cell::new(BAD, ago(at, now)),
            (_, Some(at)) => Cell::plain(ago(at, now)),
            (_, None) => Cell::dim("never"),
        };
        let age = fact.made_at.map(|at| screen::span(now.since(at)));
        vec![
            Cell::plain(fact.source.as_str()),
            role,
            strength,
            Cell::dim(age.unwrap_or_else(|| "?".to_owned())),
            end_cell(fact.until, now),
            used,
            Cell::dim(&fact.kept),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

/// A source of the configuration, with its secrets' places.
fn source<'c>(context: &'c Context, name: &str) -> Result<&'c Source, Failure> {
    let name = known(context, name)?;
    let mut sources = context.config()?.sources.iter();
    sources
        .find(|source| source.name == name)
        .ok_or_else(|| Failure::usage(format!("there is no source {name}")))
}

fn new_secret() -> Result<Value, Failure> {
    Value::new(hex_token(SECRET_BYTES)).map_err(|error| Failure::refused(error.to_string()))
}

impl Rotate {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let source = source(context, &self.source)?;
        let Some(path) = source.secret.file() else {
            return self.explained(context, source);
        };
        if source.previous_secret.is_some() {
            return Err(Failure::refused(format!(
                "source {} has a previous_secret in the configuration, a rotation keeps its own",
                source.name
            ))
            .cured_by("take previous_secret and previous_until out, then rotate"));
        }
        let until = (!self.overlap.is_zero()).then(|| context.now.after(self.overlap));
        if until.is_some() {
            nothing_under_way(source, path, context.now)?;
        }
        let secret = new_secret()?;
        rotation::rotate(path, &secret, until).map_err(|error| not_written(&error))?;
        let detail = match until {
            Some(until) => format!("source {}, the one before it until {until}", source.name),
            None => format!("source {}, the one before it has ended", source.name),
        };
        // The new secret is shown whatever comes of this: it holds from now on, or from the next start.
        let announced = announce(context, "secret_rotated", detail);
        let rotated = Rotated {
            source: source.name.clone(),
            rotated: true,
            running: *announced.as_ref().unwrap_or(&false),
            previous_until: until,
            webhook_url: webhook_url(context.config()?),
            messages: init::messages(&secret, &InitAnswers::default()),
            steps: Vec::new(),
        };
        if context.json {
            screen::print_json(&rotated)?;
        } else {
            screen::print(&rotated.shown(context.now, announced.is_ok()))?;
        }
        announced.map(drop)
    }

    /// What is not in a file of its own its owner changes: a process can't change its environment for
    /// the next one, and nobody else writes to the vault.
    fn explained(&self, context: &Context, source: &Source) -> Result<(), Failure> {
        let secret = new_secret()?;
        let until = context.now.after(self.overlap);
        let overlaps = !self.overlap.is_zero();
        let steps = steps(source, secret.expose(), overlaps.then_some(until));
        let rotated = Rotated {
            source: source.name.clone(),
            rotated: false,
            running: false,
            previous_until: None,
            webhook_url: webhook_url(context.config()?),
            messages: init::messages(&secret, &InitAnswers::default()),
            steps,
        };
        if context.json {
            screen::print_json(&rotated)?;
        } else {
            screen::print(&rotated.shown(context.now, true))?;
        }
        Err(Failure::silent(REFUSED))
    }
}

/// How an owner rotates a secret that Ponte can't change.
fn steps(source: &Source, new: &str, until: Option<Timestamp>) -> Vec<String> {
    let place = source.secret.to_string();
    let name = place
        .split_once(':')
        .map_or(place.as_str(), |(_, name)| name);
    let before = format!("{place}_BEFORE");
    let overlap = until.map(|until| {
        format!(
            "write below [[sources]] name = \"{}\": previous_secret = \"{before}\" and \
             previous_until = \"{until}\"",
            source.name
        )
    });
    let paste = "paste the message into TradingView";
    let mut steps = Vec::new();
    // What a running Ponte takes over at once comes last, when it knows the one before.
    if source.secret.is_in_vault() {
        if let Some(overlap) = overlap {
            steps.push(format!("ponte vault import {place} --name {name}_BEFORE"));
            steps.push(overlap);
            steps.push("restart Ponte".to_owned());
        }
        steps.push(format!(
            "ponte vault set {name}, with the new secret: {new}; a running Ponte takes it over"
        ));
        steps.push(paste.to_owned());
        return steps;
    }
    if let Some(overlap) = overlap {
        steps.push(format!(
            "keep the secret that {place} has now as {before} too"
        ));
        steps.push(overlap);
    }
    steps.push(format!("give {name} the new secret: {new}"));
    steps.push(format!("restart Ponte, then {paste}"));
    steps
}

/// Of two rotations in one overlap the first one's secret would end without a word.
fn nothing_under_way(source: &Source, path: &Path, now: Timestamp) -> Result<(), Failure> {
    let name = &source.name;
    match rotation::read_previous(path) {
        Ok(Some(previous)) if previous.until > now => Err(Failure::refused(format!(
            "the secret before the last rotation of source {name} is valid until {}",
            previous.until
        ))
        .cured_by(format!(
            "ponte secret end {name} when nobody uses it any more, then rotate"
        ))),
        // What can't be used any more is replaced.
        Ok(Some(_) | None) | Err(_) => Ok(()),
    }
}

impl Rotated {
    /// The text for people; `is_announced` where it is known whether Ponte runs.
    fn shown(&self, now: Timestamp, is_announced: bool) -> String {
        let mut lines = Vec::new();
        let source = &self.source;
        if self.rotated {
            lines.push(format!("{} source {source}", styled(GOOD, "rotated")));
            lines.push(match self.previous_until {
                Some(until) => format!(
                    "the secret before it is valid until {} UTC",
                    screen::short_time(until, now)
                ),
                None => "the secret before it has ended".to_owned(),
            });
            lines.extend((is_announced && !self.running).then(|| NOT_RUNNING.to_owned()));
        } else {
            lines.push(styled(
                SO_SO,
                &format!(
                    "the secret of source {source} is where Ponte can't change it; to rotate it:"
                ),
            ));
            let steps = self.steps.iter().enumerate();
            lines.extend(steps.map(|(index, step)| format!("  {}. {step}", index + 1)));
        }
        lines.push(String::new());
        lines.push(styled(BOLD, "TradingView: the alert's webhook URL"));
        lines.push(format!("  {}", self.webhook_url));
        let titles = [
            "TradingView: the alert's message, with the new secret (shown this once)",
            "or, for a Pine strategy, its whole position",
        ];
        for (title, message) in titles.iter().zip(&self.messages) {
            lines.push(styled(BOLD, title));
            lines.push(format!("  {message}"));
        }
        if self.rotated && self.previous_until.is_some() {
            lines.push(String::new());
            let next = format!(
                "when ponte secret list shows that nobody uses the old one: ponte secret end {source}"
            );
            lines.push(styled(DIM, &next));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// What is said when nobody runs who could take something over.
const NOT_RUNNING: &str = "Ponte is not running: the next start takes it";

impl End {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let source = source(context, &self.source)?;
        if source.previous_secret.is_some() {
            return Err(Failure::refused(format!(
                "the secret before the current one of source {} stands in the configuration",
                source.name
            ))
            .cured_by("take previous_secret and previous_until out, and restart"));
        }
        let Some(path) = source.secret.file() else {
            return Err(Failure::refused(format!(
                "source {} has no previous secret",
                source.name
            )));
        };
        let changed = rotation::end(path).map_err(|error| not_written(&error))?;
        let running = if changed {
            let detail = format!("source {}", source.name);
            announce(context, "previous_secret_ended", detail)?
        } else {
            false
        };
        let done = Done {
            source: source.name.clone(),
            changed,
            running,
            file: None,
        };
        if context.json {
            return screen::print_json(&done);
        }
        let text = match (changed, running) {
            (false, _) => "nothing to end: there is no secret before the current one\n".to_owned(),
            (true, true) => format!(
                "{} the previous secret of source {}\n",
                styled(GOOD, "ended"),
                source.name
            ),
            (true, false) => format!(
                "{} the previous secret of source {}\n{NOT_RUNNING}\n",
                styled(GOOD, "ended"),
                source.name
            ),
        };
        screen::print(&text)
    }
}

impl Tripwire {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let source = source(context, &self.source)?;
        let (path, is_named) = match &source.tripwire {
            None => (default_tripwire(context, source), false),
            Some(reference) => match reference.file() {
                Some(path) => (path.to_owned(), true),
                None => {
                    return Err(Failure::refused(format!(
                        "the tripwire of source {} is kept in {reference}, which Ponte can't change",
                        source.name
                    ))
                    .cured_by("write a new one there, or tripwire = \"file:PATH\""));
                }
            },
        };
        let tripwire = new_secret()?;
        if self.replace && path.exists() {
            rotation::overwrite(&path, &tripwire).map_err(|error| not_written(&error))?;
        } else {
            tripwire.write_new(&path).map_err(|error| {
                let failure = init_files::unwritable(&path, &error);
                failure.cured_by("use it, or --replace for a new one")
            })?;
        }
        let detail = format!("source {}", source.name);
        let running = announce(context, "tripwire_made", detail)? && is_named;
        let done = Done {
            source: source.name.clone(),
            changed: true,
            running,
            file: Some(path.display().to_string()),
        };
        if context.json {
            return screen::print_json(&done);
        }
        screen::print(&laid(context, &done, &path, is_named))
    }
}

fn default_tripwire(context: &Context, source: &Source) -> PathBuf {
    let plain = |letter: char| match letter {
        letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => letter,
        _ => '_',
    };
    let name: String = source.name.as_str().chars().map(plain).collect();
    let folder = context.path.parent().unwrap_or(Path::new(""));
    folder.join("secrets").join(format!("{name}-tripwire"))
}

fn laid(context: &Context, done: &Done, path: &Path, is_named: bool) -> String {
    let file = path.display();
    let mut lines = vec![format!(
        "{} {file}, readable by its owner only",
        styled(GOOD, "wrote")
    )];
    if is_named && done.running {
        lines.push("the running Ponte has taken it over".to_owned());
    } else if is_named {
        lines.push(NOT_RUNNING.to_owned());
    } else {
        let folder = context.path.parent().unwrap_or(Path::new(""));
        let inside = path.strip_prefix(folder).unwrap_or(path).display();
        let line = format!("tripwire = \"file:{inside}\"");
        lines.push(String::new());
        lines.push(format!(
            "In {}, at the source {}, and then restart:",
            context.path.display(),
            done.source
        ));
        lines.push(format!("  {}", styled(BOLD, &line)));
    }
    lines.push(String::new());
    lines.push(
        "Copy it to where a thief would look and you never do: an old alert's message, notes, a \
         repository."
            .to_owned(),
    );
    lines.push(
        "Whoever shows it to the webhook switches the source off; you are told at once.".to_owned(),
    );
    lines.push(String::new());
    lines.join("\n")
}

fn not_written(error: &RotationError) -> Failure {
    let text = error.to_string();
    match error {
        RotationError::Secret(secret) => Failure::unreachable(text).cured_by(secret.cure()),
        RotationError::Unwritable { .. } => {
            Failure::unreachable(text).cured_by("run it as the user who owns the file, or as root")
        }
        RotationError::UnderWay { path } => {
            Failure::refused(text).cured_by(format!("look whether one runs, then: rm {path}"))
        }
    }
}

/// Where TradingView is to send.
fn webhook_url(config: &Config) -> String {
    match &config.webhook.public_url {
        Some(url) => format!("{url}/webhook"),
        None => format!("http://{}/webhook", reachable(config.webhook.listen)),
    }
}
