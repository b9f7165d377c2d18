//! The migrations: numbered without gaps, and the same in every dialect.

use std::collections::BTreeMap;

use super::Findings;
use super::tree::Tree;

/// Migrations are named `NNNN_name.sql`, from 0001 on, without gaps.
pub(super) fn check_numbers(tree: &Tree, findings: &mut Findings) {
    for (folder, names) in folders(tree) {
        for (index, name) in names.iter().enumerate() {
            let wanted = format!("{:04}_", index + 1);
            let words = name
                .strip_prefix(&wanted)
                .and_then(|rest| rest.strip_suffix(".sql"));
            if !words.is_some_and(|words| !words.is_empty() && words.chars().all(is_of_name)) {
                let what = format!("migration {} of {folder} has this name", index + 1);
                let cure = format!("name it {wanted}words_in_lower_case.sql");
                findings.add(&format!("{folder}/{name}"), 1, what, cure);
                break;
            }
        }
    }
}

/// Every dialect has the same migrations.
pub(super) fn check_dialects(tree: &Tree, findings: &mut Findings) {
    let folders = folders(tree);
    for (folder, names) in &folders {
        let Some((parent, dialect)) = folder.rsplit_once('/') else {
            continue;
        };
        for (other, others) in &folders {
            let is_sibling =
                other != folder && other.rsplit_once('/').is_some_and(|(p, _)| p == parent);
            for name in names
                .iter()
                .filter(|name| is_sibling && !others.contains(name))
            {
                let what = format!("the {dialect} migration has no partner in {other}");
                findings.add(
                    &format!("{folder}/{name}"),
                    1,
                    what,
                    "write it for both dialects",
                );
            }
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// The folders of migrations and the files in each, in order.
fn folders(tree: &Tree) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, _) in tree.ending(&["sql"]) {
        let Some((folder, name)) = path.rsplit_once('/') else {
            continue;
        };
        if folder.split('/').any(|part| part == "migrations") {
            found
                .entry(folder.to_owned())
                .or_default()
                .push(name.to_owned());
        }
    }
    found
}
