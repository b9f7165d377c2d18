//! What stands in the files themselves: lengths, things that must not stay, names of places.

use super::Findings;
use super::scan::{self, Placed, Token, is_word};
use super::tree::Tree;

const LINES_MAX: usize = 600;
const COLUMNS_MAX: usize = 120;
const LANGUAGES_MEASURED: &[&str] = &["rs", "py", "ts", "tsx"];

/// Files that may be longer or wider, each with its reason.
const LENGTH_EXCEPTIONS: &[(&str, &str)] = &[];

/// Languages in which a note to self is looked for in the whole text; in Rust only comments are
/// read, since the word is also Spanish and Portuguese for "everything".
const LANGUAGES_NOTED: &[&str] = &[
    "css", "html", "js", "lua", "mq5", "mqh", "pine", "py", "sh", "sql", "toml", "ts", "tsx",
    "yml", "yaml",
];

/// Texts that name a registry by necessity: lock files, written by its client.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// No source is too long or too wide.
pub(super) fn check_lengths(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(LANGUAGES_MEASURED) {
        if LENGTH_EXCEPTIONS
            .iter()
            .any(|(exception, _)| *exception == path)
        {
            continue;
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            let what = format!("has {lines} lines, more than {LINES_MAX}");
            findings.add(path, LINES_MAX + 1, what, "split it: a file holds one idea");
        }
        // A test's line may be what people read, to the letter.
        let is_test = path.split('/').any(|folder| folder == "tests");
        for (index, line) in text.lines().enumerate().filter(|_| !is_test) {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                let what = format!("has {columns} columns, more than {COLUMNS_MAX}");
                findings.add(path, index + 1, what, "break the line");
            }
        }
    }
}

/// No test is switched off, nothing is left unfinished, nothing is unsafe.
pub(super) fn check_tokens(tree: &Tree, findings: &mut Findings) {
    for file in tree.rust("") {
        let tokens = scan::tokens(&file.masked.code);
        for (index, placed) in tokens.iter().enumerate() {
            let next = tokens.get(index + 1).map(|placed| placed.token);
            let Some((what, cure)) = verdict(placed.token, next, &tokens[..index]) else {
                continue;
            };
            findings.add(&file.path, placed.line, what, cure);
        }
    }
}

fn verdict(
    token: Token<'_>,
    next: Option<Token<'_>>,
    before: &[Placed<'_>],
) -> Option<(String, &'static str)> {
    let Token::Word(word) = token else {
        return None;
    };
    let is_macro = next == Some(Token::Mark('!'));
    match word {
        "ignore" if is_in_attribute(before) => Some((
            "switches a test off".to_owned(),
            "make it pass or delete it",
        )),
        "todo" | "unimplemented" if is_macro => Some((
            format!("leaves {word}! behind"),
            "finish it, or refuse with a reason",
        )),
        "dbg" if is_macro => Some(("leaves dbg! behind".to_owned(), "delete it, or log it")),
        "unsafe" => Some(("is unsafe".to_owned(), "find the safe way")),
        _ => None,
    }
}

/// Whether what comes next stands in `#[…]`, as its name or as a part of `cfg_attr`.
fn is_in_attribute(before: &[Placed<'_>]) -> bool {
    let mut rest = before.iter().rev().map(|placed| placed.token);
    let Some(open) = rest.find(|token| matches!(token, Token::Mark('[' | ']' | ';' | '{' | '}')))
    else {
        return false;
    };
    open == Token::Mark('[') && matches!(rest.next(), Some(Token::Mark('#' | '!')))
}

/// No note to self stays behind.
pub(super) fn check_notes_to_self(tree: &Tree, findings: &mut Findings) {
    for file in tree.rust("") {
        look_for_notes(&file.path, &file.masked.comments, findings);
    }
    for (path, text) in tree.ending(LANGUAGES_NOTED) {
        look_for_notes(path, text, findings);
    }
}

fn look_for_notes(path: &str, text: &str, findings: &mut Findings) {
    let notes = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X"].concat(),
    ];
    for (index, line) in text.lines().enumerate() {
        for word in line
            .split(|c| !is_word(c))
            .filter(|word| notes.iter().any(|note| note == word))
        {
            findings.add(
                path,
                index + 1,
                format!("says {word}"),
                "do it now, or file an issue",
            );
        }
    }
}

/// No file names the place where it happened to be written.
pub(super) fn check_workplaces(tree: &Tree, findings: &mut Findings) {
    let places = ["work", "farm", "root"].map(|name| format!("/{name}/"));
    for (path, text) in tree.texts() {
        for (index, line) in text.lines().enumerate() {
            for place in &places {
                let is_absolute = line.match_indices(place.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| {
                        is_word(c) || matches!(c, '.' | '-' | '~' | '/' | '}' | '*')
                    })
                });
                if is_absolute {
                    let what = format!("names the folder {place}");
                    findings.add(
                        path,
                        index + 1,
                        what,
                        "say where it is relative to the repository",
                    );
                }
            }
        }
    }
}

/// No file names a package registry's host: the client that is set up knows it.
pub(super) fn check_registry_hosts(tree: &Tree, findings: &mut Findings) {
    let hosts = [
        ["crates", ".io"],
        ["pypi", ".org"],
        ["pythonhosted", ".org"],
        ["registry.npmjs", ".org"],
        ["registry.yarnpkg", ".com"],
        ["deb.debian", ".org"],
        ["proxy.golang", ".org"],
    ]
    .map(|parts| parts.concat());
    for (path, text) in tree.texts() {
        if LOCK_FILES
            .iter()
            .any(|name| path.rsplit('/').next() == Some(name))
        {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for host in hosts.iter().filter(|host| line.contains(host.as_str())) {
                let cure = "name the package only: the client knows its registry";
                findings.add(path, index + 1, format!("names the registry {host}"), cure);
            }
        }
    }
}
