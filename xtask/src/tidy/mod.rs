//! What the compiler and clippy can't see about the sources: who may import whom, lengths, words
//! that must not stay, links, licences' and languages' pairs. A finding reads
//! `file:line: what, cure`.

mod documents;
mod imports;
mod manifests;
mod migrations;
mod paths;
mod scan;
mod sources;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use crate::Result;
use tree::Tree;

/// One thing that is wrong in the tree, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
    cure: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}:{}: {}, {}",
            self.path, self.line, self.what, self.cure
        )
    }
}

/// Collects what the checks find.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &str, line: usize, what: impl Into<String>, cure: impl Into<String>) {
        let (what, cure) = (what.into(), cure.into());
        self.0.push(Finding {
            path: path.to_owned(),
            line,
            what,
            cure,
        });
    }
}

type Check = fn(&Tree, &mut Findings);

const CHECKS: &[Check] = &[
    imports::check_fences,
    imports::check_words_of_pure_crates,
    imports::check_sibling_adapters,
    imports::check_clock,
    manifests::check_dependencies,
    manifests::check_lints,
    sources::check_lengths,
    sources::check_tokens,
    sources::check_notes_to_self,
    sources::check_workplaces,
    sources::check_registry_hosts,
    migrations::check_numbers,
    migrations::check_dialects,
    documents::check_pairs,
    documents::check_translated_pages,
    documents::check_links,
];

/// Everything that is wrong in the tree below `root`, in the order of files and lines.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    Ok(check_tree(&Tree::read(root)?))
}

fn check_tree(tree: &Tree) -> Vec<Finding> {
    let mut findings = Findings::default();
    for check in CHECKS {
        check(tree, &mut findings);
    }
    let mut found = findings.0;
    found.sort();
    found.dedup();
    found
}
