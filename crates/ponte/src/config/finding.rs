//! What is wrong with a configuration, and how a person reads it.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// Widest part of a source line that is shown, in characters.
const EXCERPT_CHARS_MAX: usize = 120;
/// Words in a line after which a secret may stand; what follows them is never shown.
const SECRET_WORDS: [&str; 8] = [
    "secret",
    "segredo",
    "senha",
    "token",
    "password",
    "passphrase",
    "tripwire",
    "key",
];

/// One thing that is wrong, or doubtful, in a configuration file.
///
/// Shown as `ponte.toml:14:1: accounts.rules.max_order_notionl: unknown key; did you mean
/// "max_order_notional"?`, followed by the line with a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether Ponte starts in spite of it.
    pub severity: Severity,
    /// The file, as it was named by the caller.
    pub file: String,
    /// Where in the file; absent when the file as a whole is meant.
    pub place: Option<Place>,
    /// The key with its sections (`accounts.rules.max_order_notional`); empty for errors of the TOML itself.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub cure: Option<String>,
    /// The line and a row with carets. Parts that may be a secret are left out.
    #[serde(skip)]
    pub excerpt: Option<String>,
}

/// Whether Ponte starts in spite of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Ponte doesn't start.
    Error,
    /// Ponte starts, and says it.
    Warning,
}

/// A place in a text file; both numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Place {
    /// The place of a byte of the text.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let line = Line::around(text, offset);
        Self {
            line: line.number,
            column: line.column,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        match self.severity {
            Severity::Error => f.write_str(": ")?,
            Severity::Warning => f.write_str(": warning: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(cure) = &self.cure {
            write!(f, "; {cure}")?;
        }
        match &self.excerpt {
            Some(excerpt) => write!(f, "\n{excerpt}"),
            None => Ok(()),
        }
    }
}

/// Why a configuration can't be used: everything that was found, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigErrors {
    /// What must be mended; at least one.
    pub errors: Vec<Finding>,
    /// What should be looked at.
    pub warnings: Vec<Finding>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.errors.iter().chain(&self.warnings).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(finding, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// What is wrong with a value, before it is known where the value stands.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) cure: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cure: None,
        }
    }

    pub(super) fn cured_by(self, cure: impl Into<String>) -> Self {
        Self {
            cure: Some(cure.into()),
            ..self
        }
    }
}

/// How much of the line may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// All of it.
    Line,
    /// The key, since its value is of an unknown kind and may be secret.
    Key,
    /// What stands before the value.
    BeforeValue,
    /// Nothing.
    Nothing,
}

/// Collects findings while one file is read.
#[derive(Debug)]
pub(super) struct Notes<'t> {
    file: &'t str,
    text: &'t str,
    /// Each with the byte that it is about; those about no place come first.
    notes: Vec<(Option<usize>, Finding)>,
}

impl<'t> Notes<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            notes: Vec::new(),
        }
    }

    /// An error about the value or the header at `span`.
    pub(super) fn error(&mut self, key: &str, span: &Range<usize>, problem: Problem) {
        self.add(Severity::Error, key, span, problem, Shown::Line);
    }

    /// A warning about the value or the header at `span`.
    pub(super) fn warning(&mut self, key: &str, span: &Range<usize>, problem: Problem) {
        self.add(Severity::Warning, key, span, problem, Shown::Line);
    }

    /// An error about a key that shouldn't be there.
    pub(super) fn key_error(&mut self, key: &str, span: &Range<usize>, problem: Problem) {
        self.add(Severity::Error, key, span, problem, Shown::Key);
    }

    /// An error about something that stands where a section should; what it is may be a secret.
    pub(super) fn misplaced(&mut self, key: &str, span: &Range<usize>, problem: Problem) {
        let line = Line::around(self.text, span.start);
        let is_header = line.text[..line.at].trim().is_empty();
        let shown = if is_header {
            Shown::Line
        } else {
            Shown::BeforeValue
        };
        self.add(Severity::Error, key, span, problem, shown);
    }

    /// A finding about a value that must not be shown.
    pub(super) fn about_secret(
        &mut self,
        severity: Severity,
        key: &str,
        span: &Range<usize>,
        problem: Problem,
    ) {
        self.add(severity, key, span, problem, Shown::BeforeValue);
    }

    /// An error of the TOML itself. After a text of several lines has begun, a line may be the rest of a secret.
    pub(super) fn syntax_error(&mut self, span: &Range<usize>, problem: Problem) {
        let before = &self.text[..floor_char_boundary(self.text, span.start)];
        let shown = if before.contains("\"\"\"") || before.contains("'''") {
            Shown::Nothing
        } else {
            Shown::Line
        };
        self.add(Severity::Error, "", span, problem, shown);
    }

    /// An error that no place in the file is to blame for.
    pub(super) fn error_in_whole(&mut self, key: &str, problem: Problem) {
        self.notes.push((
            None,
            self.finding(Severity::Error, key, None, problem, None),
        ));
    }

    pub(super) fn has_errors(&self) -> bool {
        self.notes
            .iter()
            .any(|(_, finding)| finding.severity == Severity::Error)
    }

    /// The errors and the warnings, each in the order of the file.
    pub(super) fn into_findings(mut self) -> (Vec<Finding>, Vec<Finding>) {
        self.notes.sort_by_key(|(start, _)| *start);
        self.notes
            .into_iter()
            .map(|(_, finding)| finding)
            .partition(|finding| finding.severity == Severity::Error)
    }

    fn add(
        &mut self,
        severity: Severity,
        key: &str,
        span: &Range<usize>,
        problem: Problem,
        shown: Shown,
    ) {
        let line = Line::around(self.text, span.start);
        let place = Some(Place::of(self.text, span.start));
        let excerpt = line.excerpt(span.len(), shown);
        let finding = self.finding(severity, key, place, problem, excerpt);
        self.notes.push((Some(span.start), finding));
    }

    fn finding(
        &self,
        severity: Severity,
        key: &str,
        place: Option<Place>,
        problem: Problem,
        excerpt: Option<String>,
    ) -> Finding {
        Finding {
            severity,
            file: self.file.to_owned(),
            place,
            key: key.chars().map(printable).collect(),
            message: problem.message,
            cure: problem.cure,
            excerpt,
        }
    }
}

/// The line around a byte of the text.
struct Line<'t> {
    text: &'t str,
    /// Byte offset of the place in the line.
    at: usize,
    number: usize,
    column: usize,
}

impl<'t> Line<'t> {
    fn around(text: &'t str, offset: usize) -> Self {
        let offset = floor_char_boundary(text, offset);
        let (before, after) = text.split_at(offset);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after
            .find('\n')
            .map_or(text.len(), |length| offset + length);
        Self {
            text: text[start..end].trim_end_matches('\r'),
            at: (offset - start).min(text[start..end].trim_end_matches('\r').len()),
            number: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }

    /// The line with carets below the place, or nothing where a secret might show.
    fn excerpt(&self, bytes: usize, shown: Shown) -> Option<String> {
        let (before, rest) = self.text.split_at(self.at);
        if names_secret(before) && shown != Shown::BeforeValue {
            return None;
        }
        let marked = &rest[..floor_char_boundary(rest, bytes.min(rest.len()))];
        let after = &rest[marked.len()..];
        let (marked, after) = match shown {
            Shown::Nothing => return None,
            Shown::BeforeValue => (before_value(before)?, ""),
            Shown::Key if after.trim().is_empty() => (marked, ""),
            Shown::Key => (marked, " …"),
            Shown::Line if names_secret(rest) => (before_secret(marked), " …"),
            Shown::Line => (marked, after),
        };
        let number = self.number.to_string();
        let margin = " ".repeat(number.len());
        let skipped = before.chars().count().saturating_sub(EXCERPT_CHARS_MAX / 2);
        let before: String = before.chars().skip(skipped).map(printable).collect();
        let line: String = before
            .chars()
            .chain(marked.chars().chain(after.chars()).map(printable))
            .take(EXCERPT_CHARS_MAX)
            .collect();
        let room = EXCERPT_CHARS_MAX.saturating_sub(before.chars().count());
        let carets = "^".repeat(marked.chars().count().clamp(1, room.max(1)));
        let indent = " ".repeat(before.chars().count());
        Some(format!(
            "  {number} | {}\n  {margin} | {indent}{carets}",
            line.trim_end()
        ))
    }
}

/// The stand-in for a secret value, unless another secret stands before it in the same line.
fn before_value(before: &str) -> Option<&'static str> {
    let key_at = SECRET_WORDS
        .iter()
        .filter_map(|word| before.to_ascii_lowercase().rfind(word))
        .max()
        .unwrap_or(before.len());
    (!names_secret(&before[..key_at])).then_some("…")
}

fn before_secret(marked: &str) -> &str {
    let lower = marked.to_ascii_lowercase();
    let cut = SECRET_WORDS
        .iter()
        .filter_map(|word| lower.find(word).map(|at| at + word.len()))
        .min();
    &marked[..cut.unwrap_or(marked.len())]
}

fn names_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| lower.contains(word))
}

/// Control characters would let a file steer the terminal.
fn printable(letter: char) -> char {
    match letter {
        '\t' => ' ',
        letter if letter.is_control() => '\u{fffd}',
        letter => letter,
    }
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
