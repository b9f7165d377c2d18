//! `ponte check`.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, BOLD, DIM, GOOD, SO_SO, count, styled};
use crate::config::{self, Config, Finding, Place, Severity};

/// Validate the configuration: what is wrong, where, and what to do about it
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte check\n  \
    ponte check --config /etc/ponte/ponte.toml --json\n\n\
    Secrets are read and never shown. Exit status 1 when there is an error; warnings are no errors.")]
pub(super) struct Check {}

#[derive(Serialize)]
struct Report {
    file: String,
    ok: bool,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// What it means that accounts are live, a sentence for each.
    live: Vec<String>,
}

impl Check {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let file = context.path.display().to_string();
        let (config, errors, warnings) = match config::load(&context.path) {
            Ok(loaded) => (Some(loaded.config), Vec::new(), loaded.warnings),
            Err(found) => (None, found.errors, found.warnings),
        };
        let live: Vec<String> = config.iter().flat_map(Config::real_money_notices).collect();
        if context.json {
            screen::print_json(&Report {
                file,
                ok: config.is_some(),
                errors,
                warnings,
                live,
            })?;
        } else {
            let mut text = String::new();
            for finding in errors.iter().chain(&warnings) {
                text.push_str(&shown(finding));
            }
            for notice in &live {
                let notice = screen::printable(notice);
                let _ = writeln!(text, "{}", styled(BOLD, &notice));
            }
            let _ = writeln!(
                text,
                "{}",
                summary(&file, config.as_ref(), &errors, &warnings)
            );
            screen::print(&text)?;
        }
        if config.is_some() {
            Ok(())
        } else {
            Err(Failure::silent(REFUSED))
        }
    }
}

/// A finding as a compiler shows it; the words are those of its own text.
fn shown(finding: &Finding) -> String {
    let mut text = String::new();
    let place = finding.place.map_or_else(String::new, |place| {
        let Place { line, column } = place;
        format!(":{line}:{column}")
    });
    let (style, word) = match finding.severity {
        Severity::Error => (BAD, "error"),
        Severity::Warning => (SO_SO, "warning"),
    };
    let message = screen::printable(&finding.message);
    let _ = write!(
        text,
        "{BOLD}{}{place}:{BOLD:#} {style}{word}:{style:#} ",
        finding.file
    );
    if !finding.key.is_empty() {
        let _ = write!(text, "{BOLD}{}{BOLD:#}: ", finding.key);
    }
    let _ = writeln!(text, "{message}");
    if let Some(excerpt) = &finding.excerpt {
        let _ = writeln!(text, "{DIM}{}{DIM:#}", screen::printable(excerpt));
    }
    if let Some(cure) = &finding.cure {
        let _ = writeln!(text, "  {}", screen::printable(cure));
    }
    text.push('\n');
    text
}

fn summary(
    file: &str,
    config: Option<&Config>,
    errors: &[Finding],
    warnings: &[Finding],
) -> String {
    let warned = match warnings.len() {
        0 => String::new(),
        number => format!(", {}", styled(SO_SO, &count(number, "warning", "warnings"))),
    };
    let Some(config) = config else {
        let errors = styled(BAD, &count(errors.len(), "error", "errors"));
        return format!("{file}: {errors}{warned}; Ponte does not start");
    };
    format!(
        "{file}: {}: {}, {}, {}{warned}",
        styled(GOOD, "good"),
        count(config.sources.len(), "source", "sources"),
        count(config.accounts.len(), "account", "accounts"),
        count(config.routes.len(), "route", "routes"),
    )
}
