//! The manifests: the core's dependency list is the proof of its purity, and every crate takes the
//! workspace's lints.

use super::Findings;
use super::tree::Tree;

/// All that the core may depend on.
const DEPENDENCIES_OF_CORE: &[&str] = &["jiff", "rust_decimal", "serde", "serde_json", "sha2"];

const CORE: &str = "crates/core/Cargo.toml";
const VENUE: &str = "crates/venue/Cargo.toml";

/// One `key = value` of a manifest.
struct Entry {
    section: String,
    key: String,
    value: String,
    line: usize,
}

/// The pure crates depend on what they may depend on.
pub(super) fn check_dependencies(tree: &Tree, findings: &mut Findings) {
    for entry in dependencies(tree, CORE) {
        let allowed = if entry.section.contains("dev-dependencies") {
            entry.key != "ponte"
        } else {
            DEPENDENCIES_OF_CORE.contains(&entry.key.as_str())
        };
        if !allowed {
            let what = format!("the core depends on {}", entry.key);
            let cure = format!(
                "do without: the list is {}",
                DEPENDENCIES_OF_CORE.join(", ")
            );
            findings.add(CORE, entry.line, what, cure);
        }
    }
    for entry in dependencies(tree, VENUE) {
        if matches!(entry.key.as_str(), "ponte-core" | "ponte") {
            let what = format!("the venue depends on {}", entry.key);
            findings.add(
                VENUE,
                entry.line,
                what,
                "write it a second time: the two must not share errors",
            );
        }
    }
}

/// Every crate has `[lints] workspace = true`.
pub(super) fn check_lints(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(&["toml"]) {
        if path != "Cargo.toml" && !path.ends_with("/Cargo.toml") {
            continue;
        }
        let entries = entries(text);
        let is_crate = entries.iter().any(|entry| entry.section == "package");
        let takes_lints = entries.iter().any(|entry| {
            entry.section == "lints" && entry.key == "workspace" && entry.value == "true"
        });
        if is_crate && !takes_lints {
            findings.add(
                path,
                1,
                "does not take the workspace's lints",
                "add [lints] workspace = true",
            );
        }
    }
}

/// What a manifest depends on, in any of its tables.
fn dependencies(tree: &Tree, path: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for mut entry in tree.text(path).map(entries).unwrap_or_default() {
        // `[dependencies.name]` names the crate in the section, `[dependencies]` in the key.
        if let Some((_, name)) = entry.section.rsplit_once("dependencies.") {
            entry.key = name.to_owned();
        } else if !entry.section.ends_with("dependencies") {
            continue;
        }
        found.push(entry);
    }
    found
}

/// Reads as much of TOML as manifests need: sections, keys, values that may span lines.
fn entries(text: &str) -> Vec<Entry> {
    let mut section = String::new();
    let mut found: Vec<Entry> = Vec::new();
    let mut open = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line
            .split_once('#')
            .map_or(line, |(before, _)| before)
            .trim();
        if open > 0 {
            open += depth(line);
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_matches(['[', ']']).replace(['"', '\''], "");
        } else if let Some((key, value)) = line.split_once('=') {
            open = depth(value);
            let (key, value) = (key.trim(), value.trim().to_owned());
            // `name.workspace = true` belongs to `name`.
            let key = key
                .split_once('.')
                .map_or(key, |(name, _)| name)
                .trim_matches(['"', '\'']);
            let entry = Entry {
                section: section.clone(),
                key: key.to_owned(),
                value,
                line: index + 1,
            };
            found.push(entry);
        }
    }
    found
}

fn depth(text: &str) -> i32 {
    let count = |mark: [char; 2]| i32::try_from(text.matches(mark).count()).unwrap_or(i32::MAX);
    count(['[', '{']) - count([']', '}'])
}
