//! What each adapter was seen to do: a file for each, and the table of all in the documents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::behaviours::every_behaviour;
use super::desk::Outcome;
use super::words::{EVERY_WHY, Why, Words};

const BEGIN: &str = "<!-- conformance: begin -->";
const END: &str = "<!-- conformance: end -->";
const PASSED: &str = "yes";

/// The columns of the table, and the files that they are read from.
pub(super) const COLUMNS: &[(&str, &str)] = &[
    ("paper", "paper_embedded.txt"),
    ("paper, remote", "paper_remote.txt"),
    ("binance spot", "binance_spot.txt"),
    ("binance spot, web socket", "binance_spot_web_socket.txt"),
    ("binance futures", "binance_futures.txt"),
    (
        "binance futures, web socket",
        "binance_futures_web_socket.txt",
    ),
    ("mt5 netting", "mt5_netting.txt"),
    ("mt5 hedging", "mt5_hedging.txt"),
];

fn results_file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance/results");
    folder.join(name)
}

/// Holds the outcomes of an adapter against what was seen before.
pub(super) fn hold(subject: &str, outcomes: &[(Words, Outcome)]) {
    let mut text = String::new();
    for (name, outcome) in outcomes {
        let said = match outcome {
            Ok(()) => PASSED,
            Err(why) => why.english,
        };
        text.push_str(&format!("{} | {said}\n", name.english));
    }
    let (_, file) = COLUMNS.iter().find(|(name, _)| *name == subject).unwrap();
    expect_test::expect_file![results_file(file)].assert_eq(&text);
}

/// Reads what was seen of an adapter: behaviour → why it does not apply, if so.
fn seen(file: &str) -> BTreeMap<String, Option<Why>> {
    let text = std::fs::read_to_string(results_file(file)).unwrap_or_default();
    text.lines()
        .map(|line| {
            let (name, said) = line.split_once(" | ").unwrap();
            let why = (said != PASSED).then(|| {
                let known = EVERY_WHY.iter().find(|why| why.english == said);
                *known.unwrap_or_else(|| panic!("no such reason: {said}"))
            });
            (name.to_owned(), why)
        })
        .collect()
}

/// The table in one of the languages; numbers lead to the reasons below it.
fn table(language: fn(&Words) -> &'static str, headings: [&str; 2], separator: &str) -> String {
    let columns: Vec<_> = COLUMNS
        .iter()
        .map(|(name, file)| (*name, seen(file)))
        .collect();
    let mut whys: Vec<Why> = Vec::new();
    let mut lines = vec![
        std::iter::once(headings[0])
            .chain(columns.iter().map(|(name, _)| *name))
            .fold("|".to_owned(), |line, cell| format!("{line} {cell} |")),
        "|---|".to_owned() + &"---|".repeat(columns.len()),
    ];
    for behaviour in every_behaviour() {
        let mut line = format!("| {} |", language(&behaviour.name));
        for (name, column) in &columns {
            let cell = match column.get(behaviour.name.english) {
                Some(None) => "✓".to_owned(),
                Some(Some(why)) => {
                    let known = whys.iter().position(|known| known == why);
                    let index = known.unwrap_or_else(|| {
                        whys.push(*why);
                        whys.len() - 1
                    });
                    format!("– ({})", index + 1)
                }
                None => panic!("{name} has not been seen to do: {}", behaviour.name.english),
            };
            line.push_str(&format!(" {cell} |"));
        }
        lines.push(line);
    }
    lines.push(format!("\n{}\n", headings[1]));
    let reasons = whys.iter().enumerate();
    lines.extend(reasons.map(|(index, why)| format!("{}{separator} {}", index + 1, language(why))));
    lines.join("\n") + "\n"
}

/// A document with its table between the marks, and the document as it should be.
fn page(name: &str, table: &str) -> (PathBuf, String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{BEGIN}\n{table}{END}{after}");
    (path, text, wanted)
}

#[test]
fn the_documents_show_what_was_seen() {
    let pages = [
        page(
            "brokers.md",
            &table(|words| words.english, ["", "Does not apply, because"], "."),
        ),
        page(
            "brokers.pt-BR.md",
            &table(|words| words.portuguese, ["", "Não se aplica, porque"], "."),
        ),
    ];
    for (path, text, wanted) in pages {
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        } else {
            assert!(
                text == wanted,
                "{} does not show what the adapters do: run the conformance tests twice with UPDATE_EXPECT=1\n{wanted}",
                path.display()
            );
        }
    }
}
