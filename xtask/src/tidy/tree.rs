//! The text files of the repository, read once, by their path below its root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::paths::{self, Mention};
use super::scan::{self, Masked};
use crate::Result;

/// What is made, fetched or private, never a source: by name anywhere, or by path.
const NAMES_LEFT_OUT: &[&str] = &[
    ".git",
    ".venv",
    "__pycache__",
    "node_modules",
    "proptest-regressions",
];
const PATHS_LEFT_OUT: &[&str] = &["data", "target", "web/dist"];

/// The repository as the checks see it.
#[derive(Default)]
pub(crate) struct Tree {
    texts: BTreeMap<String, String>,
    /// Every file, text or not, and every folder.
    names: BTreeSet<String>,
}

/// A Rust source of the tree, read as code.
pub(crate) struct RustFile {
    /// Where it is.
    pub(crate) path: String,
    /// Its code without comments and literals.
    pub(crate) masked: Masked,
}

impl RustFile {
    /// The paths that it mentions. Outside of a `src/` folder `crate` is not resolved further.
    pub(crate) fn mentions(&self) -> Vec<Mention> {
        let below_src = self
            .path
            .split_once("/src/")
            .map_or("main.rs", |(_, below)| below);
        paths::mentions(
            &scan::tokens(&self.masked.code),
            &paths::module_of(below_src),
        )
    }
}

impl Tree {
    /// Reads the tree below `root`.
    pub(crate) fn read(root: &Path) -> Result<Tree> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// A tree made of the given texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            for (index, _) in path.match_indices('/') {
                tree.names.insert(path[..index].to_owned());
            }
            tree.names.insert((*path).to_owned());
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        tree
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}/{name}")
            };
            if NAMES_LEFT_OUT.contains(&name.as_str()) || PATHS_LEFT_OUT.contains(&path.as_str()) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.names.insert(path.clone());
                self.read_folder(&entry.path(), &path)?;
                continue;
            }
            self.names.insert(path.clone());
            if kind.is_file()
                && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
            {
                self.texts.insert(path, text);
            }
        }
        Ok(())
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.names.contains(path)
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// All text files: their paths and texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text files whose names end in one of the endings, dots excluded.
    pub(crate) fn ending(&self, endings: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(path, _)| {
            path.rsplit_once('.')
                .is_some_and(|(_, ending)| endings.contains(&ending))
        })
    }

    /// The Rust sources below a folder; all of them for an empty one.
    pub(crate) fn rust(&self, folder: &str) -> Vec<RustFile> {
        self.ending(&["rs"])
            .filter(|(path, _)| is_below(path, folder))
            .map(|(path, text)| RustFile {
                path: path.to_owned(),
                masked: scan::mask(text),
            })
            .collect()
    }

    /// The folders that lie directly in a folder, by name.
    pub(crate) fn folders_in(&self, folder: &str) -> Vec<String> {
        let children = self
            .names
            .iter()
            .filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/'));
        let folders =
            children.filter_map(|child| child.split_once('/').map(|(first, _)| first.to_owned()));
        BTreeSet::from_iter(folders).into_iter().collect()
    }
}

/// Whether a path is `folder` (a folder or a file without its `.rs`) or lies below it.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}
