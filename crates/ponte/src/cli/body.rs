//! Which alert is meant: an example, a file, standard input, or the text itself.

use std::io::Read as _;
use std::path::Path;

use clap::Args;

use super::examples::{self, SECRET_BLANKS};
use super::failure::Failure;
use crate::admin::BODY_BYTES_MAX;

/// An alert on the command line.
#[derive(Args)]
pub(super) struct Body {
    /// The alert: its text, a file with it, or - for standard input
    #[arg(
        value_name = "ALERT",
        required_unless_present = "example",
        conflicts_with = "example"
    )]
    alert: Option<String>,
    /// A ready example instead
    #[arg(long, short, value_name = "NAME", value_parser = examples::names(), hide_possible_values = true)]
    example: Option<String>,
}

impl Body {
    /// The alert's bytes, with blanks for the secret where it has some.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Failure> {
        if let Some(name) = &self.example {
            return Ok(examples::body(name)?.as_bytes().to_vec());
        }
        let text = self.alert.as_deref().unwrap_or_default();
        if text == "-" {
            return read(std::io::stdin().lock(), "standard input");
        }
        let path = Path::new(text);
        // No alert begins like a path and no path like an alert.
        if !text.trim_start().starts_with(['{', '[']) && path.is_file() {
            let file = std::fs::File::open(path);
            let file = file.map_err(|error| {
                Failure::unreachable(format!("{} can't be read: {error}", path.display()))
            })?;
            return read(file, text);
        }
        if looks_like_a_path(text) {
            return Err(Failure::unreachable(format!("there is no file {text}"))
                .cured_by("an alert's text in quotes, or --example buy"));
        }
        Ok(text.as_bytes().to_vec())
    }
}

fn looks_like_a_path(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-~".contains(letter);
    !text.is_empty() && text.chars().all(plain) && (text.contains('/') || text.contains('.'))
}

fn read(from: impl std::io::Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(BODY_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unreachable(format!("{name} can't be read: {error}")))?;
    Ok(bytes)
}

/// Whether the alert has a blank for the secret.
pub(super) fn has_blank(body: &[u8]) -> bool {
    std::str::from_utf8(body)
        .is_ok_and(|text| SECRET_BLANKS.iter().any(|blank| text.contains(blank)))
}

/// Puts the secret in its place, as a JSON text needs it.
pub(super) fn fill(body: &str, secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    let inner = quoted.trim_start_matches('"');
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    SECRET_BLANKS
        .iter()
        .fold(body.to_owned(), |body, blank| body.replace(blank, inner))
}
