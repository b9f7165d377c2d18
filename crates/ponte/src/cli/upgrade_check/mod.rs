//! `ponte upgrade-check`.

mod look;

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, BOLD, DIM, GOOD, SO_SO, count, styled};
use crate::admin::wire::{Finding, Health, Version};

/// Ask this version whether it can take the place of the one that runs
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte upgrade-check\n  \
    ./ponte-new upgrade-check --config /etc/ponte/ponte.toml\n  \
    sudo -u ponte ponte upgrade-check --json | jq '.findings[] | select(.health != \"fine\")'\n\n\
    Run it with the new program, before the old one is stopped: configuration, secrets, the journal's \
    schema and state, space on the disk, and what a restart meets. Nothing is changed: the journal is \
    only read, and its migration is rehearsed on an empty copy in memory.\n\
    Exit status 0 when it can, 1 when something is wrong (✗), 3 when the configuration or the journal \
    can't be read.")]
pub(super) struct UpgradeCheck {}

/// What was found, as it is printed for programs.
#[derive(Serialize)]
struct Report {
    /// Whether this version can take over.
    ok: bool,
    /// This program's version.
    version: &'static str,
    /// The version that runs, if one does and has said so.
    running: Option<String>,
    findings: Vec<Finding>,
}

/// The Ponte that runs, as far as it has said what it is.
enum Running {
    /// Nothing listens at the admin address.
    No,
    /// All that is asked.
    Told(Version),
    /// Its version only: it does not know the question.
    Older(String),
    /// Something listens and does not say.
    Silent(String),
}

impl Running {
    fn ask(context: &Context) -> Result<Self, Failure> {
        let client = Client::new(context)?;
        let first = match client.get::<Version>("api/version", &[]) {
            Ok(Asked::Answer(version)) => return Ok(Self::Told(version)),
            Ok(Asked::NotRunning) => return Ok(Self::No),
            Err(failure) => failure,
        };
        let status = client.get::<serde_json::Value>("api/status", &[]);
        let version = status.ok().and_then(|asked| match asked {
            Asked::Answer(status) => status.get("version")?.as_str().map(str::to_owned),
            Asked::NotRunning => None,
        });
        Ok(version.map_or_else(|| Self::Silent(first.message().to_owned()), Self::Older))
    }

    fn version(&self) -> Option<&str> {
        match self {
            Self::Told(told) => Some(&told.version),
            Self::Older(version) => Some(version),
            Self::No | Self::Silent(_) => None,
        }
    }
}

impl UpgradeCheck {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let (running, findings) = look::all(context)?;
        let wrong = findings.iter().filter(|it| it.health == Health::Wrong);
        let wrong = wrong.count();
        if context.json {
            screen::print_json(&Report {
                ok: wrong == 0,
                version: env!("CARGO_PKG_VERSION"),
                running: running.version().map(str::to_owned),
                findings,
            })?;
        } else {
            let mut text = shown(&findings);
            let _ = writeln!(text, "\n{}", conclusion(wrong, &running));
            screen::print(&text)?;
        }
        if wrong > 0 {
            return Err(Failure::silent(REFUSED));
        }
        Ok(())
    }
}

fn conclusion(wrong: usize, running: &Running) -> String {
    if wrong > 0 {
        let things = count(wrong, "thing is", "things are");
        return format!(
            "{}: {things} wrong; leave what runs as it is",
            styled(BAD, "not ready")
        );
    }
    let ready = styled(GOOD, "ready");
    match running {
        Running::No => format!("{ready}: start it"),
        Running::Told(_) | Running::Older(_) | Running::Silent(_) => format!(
            "{ready}: put this program in the place of the old one, then: {}",
            styled(BOLD, "systemctl restart ponte")
        ),
    }
}

fn shown(findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|finding| finding.subject.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let (style, sign) = match finding.health {
            Health::Fine => (GOOD, "✓"),
            Health::Look => (SO_SO, "!"),
            Health::Wrong => (BAD, "✗"),
        };
        let subject = screen::printable(&finding.subject).replace('_', " ");
        let said = screen::printable(&finding.text).replace('\n', " ");
        let sign = styled(style, sign);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{sign} {DIM}{subject:<width$}{DIM:#}  {said}");
        if let Some(cure) = &finding.cure {
            let cure = screen::printable(cure).replace('\n', " ");
            let _ = writeln!(text, "  {:width$}  {DIM}→{DIM:#} {cure}", "");
        }
    }
    text
}
