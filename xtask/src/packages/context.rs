//! What `.dockerignore` lets into an image's build, copied: the build must do with it.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};

use crate::{Result, process};

/// Copies the context and returns where it is. Times of change are kept, so that cargo builds once.
pub(super) fn copy(root: &Path) -> Result<PathBuf> {
    let rules = Rules::read(&fs::read_to_string(root.join(".dockerignore"))?);
    let context = process::target_folder(root).join("package-test/context");
    if context.exists() {
        fs::remove_dir_all(&context)?;
    }
    fs::create_dir_all(&context)?;
    copy_folder(root, &context, "", &rules)?;
    Ok(context)
}

fn copy_folder(root: &Path, context: &Path, prefix: &str, rules: &Rules) -> Result<()> {
    for entry in fs::read_dir(root.join(prefix))? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| "a file's name is no text")?;
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if entry.file_type()?.is_dir() {
            // A folder that is left out may hold what is let in again.
            if !rules.leaves_out(&path) || rules.lets_in_below(&path) {
                copy_folder(root, context, &path, rules)?;
            }
        } else if !rules.leaves_out(&path) {
            let to = context.join(&path);
            fs::create_dir_all(to.parent().ok_or("a file without a folder")?)?;
            fs::copy(entry.path(), &to)?;
            let changed = entry.metadata()?.modified()?;
            File::open(&to)?.set_times(FileTimes::new().set_modified(changed))?;
        }
    }
    Ok(())
}

/// The lines of a `.dockerignore`: the last that matches decides.
struct Rules(Vec<Rule>);

struct Rule {
    lets_in: bool,
    parts: Vec<String>,
}

impl Rules {
    fn read(text: &str) -> Rules {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let rule = |line: &str| {
            let (lets_in, pattern) = line
                .strip_prefix('!')
                .map_or((false, line), |rest| (true, rest));
            let parts = pattern.split('/').map(str::to_owned).collect();
            Rule { lets_in, parts }
        };
        Rules(lines.map(rule).collect())
    }

    fn leaves_out(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let decides = self.0.iter().rev().find(|rule| {
            // What holds for a folder holds for all in it.
            (1..=parts.len()).any(|count| matches(&rule.parts, &parts[..count]))
        });
        decides.is_some_and(|rule| !rule.lets_in)
    }

    fn lets_in_below(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        let mut rules = self.0.iter().filter(|rule| rule.lets_in);
        rules.any(|rule| rule.parts.join("/").starts_with(&below))
    }
}

fn matches(pattern: &[String], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (0..=parts.len()).any(|skipped| matches(rest, &parts[skipped..]))
        }
        (Some((first, rest)), Some((name, others))) => {
            matches_name(first, name) && matches(rest, others)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// A name with at most one `*` in it.
fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_matches_decides() {
        let rules = Rules::read("# a list\n*\n!crates\n!deploy/static.sh\n**/*.pem\n**/target\n");
        for (path, is_left_out) in [
            ("README.md", true),
            ("crates/core/src/lib.rs", false),
            ("crates/core/target/x", true),
            ("crates/keys/a.pem", true),
            ("deploy/static.sh", false),
            ("deploy/fly/fly.toml", true),
            ("a.pem", true),
        ] {
            assert_eq!(rules.leaves_out(path), is_left_out, "{path}");
        }
        assert!(rules.lets_in_below("deploy"));
        assert!(!rules.lets_in_below("docs"));
    }
}
