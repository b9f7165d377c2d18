//! The documents: both languages say the same, and no link is dead.

use super::Findings;
use super::tree::Tree;

const TRANSLATED: &str = ".pt-BR.md";

/// What the checks need of a page: its headings, its code, its links, each with its line.
#[derive(Default)]
struct Page {
    headings: Vec<(usize, String)>,
    blocks: Vec<(usize, String)>,
    links: Vec<(usize, String)>,
}

/// A page and its translation exist together and have the same headings and the same code.
pub(super) fn check_pairs(tree: &Tree, findings: &mut Findings) {
    if tree.has("README.md") && !tree.has("README.pt-BR.md") {
        findings.add(
            "README.md",
            1,
            "has no Portuguese partner",
            "write README.pt-BR.md",
        );
    }
    for (path, text) in tree.ending(&["md"]) {
        let Some(stem) = path.strip_suffix(TRANSLATED) else {
            continue;
        };
        let original = format!("{stem}.md");
        let Some(original_text) = tree.text(&original) else {
            findings.add(
                path,
                1,
                format!("translates {original}, which is missing"),
                "write both",
            );
            continue;
        };
        compare(path, &read(text), &original, &read(original_text), findings);
    }
}

fn compare(path: &str, page: &Page, original: &str, other: &Page, findings: &mut Findings) {
    if page.headings.len() != other.headings.len() {
        let (ours, theirs) = (page.headings.len(), other.headings.len());
        let what = format!("has {ours} headings, {original} has {theirs}");
        findings.add(path, 1, what, "say the same in both languages");
    }
    if page.blocks.len() != other.blocks.len() {
        let (ours, theirs) = (page.blocks.len(), other.blocks.len());
        let what = format!("has {ours} code blocks, {original} has {theirs}");
        findings.add(path, 1, what, "show the same in both languages");
        return;
    }
    // A page in docs/ may show the same with words of its own language; tests read those blocks.
    if path.starts_with("docs/") {
        return;
    }
    for ((line, block), (_, wanted)) in page.blocks.iter().zip(&other.blocks) {
        if block != wanted {
            let what = format!("this code block differs from the one in {original}");
            findings.add(path, *line, what, "only comments may be translated");
        }
    }
}

/// A page of docs/ that the README names is named in the other README too: its translation, where
/// there is one.
pub(super) fn check_translated_pages(tree: &Tree, findings: &mut Findings) {
    let Some(english) = tree.text("README.md") else {
        return;
    };
    let Some(portuguese) = tree.text("README.pt-BR.md") else {
        return;
    };
    let there: Vec<String> = read(portuguese)
        .links
        .into_iter()
        .map(|(_, link)| file_of(&link))
        .collect();
    for (line, link) in read(english).links {
        let page = file_of(&link);
        let Some(stem) = page.strip_suffix(".md") else {
            continue;
        };
        if !page.starts_with("docs/") || page.ends_with(TRANSLATED) {
            continue;
        }
        let translated = format!("{stem}{TRANSLATED}");
        let partner = if tree.has(&translated) {
            translated
        } else {
            page.clone()
        };
        if !there.contains(&partner) {
            let what = format!("names {page}, README.pt-BR.md does not name {partner}");
            findings.add("README.md", line, what, "name it there too");
        }
    }
}

/// Every relative link leads to a file, and its anchor to a heading.
pub(super) fn check_links(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(&["md"]) {
        let page = read(text);
        for (line, link) in &page.links {
            if link.is_empty() || link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let file = file_of(link);
            let target = if file.is_empty() {
                Some(path.to_owned())
            } else {
                resolve(path, &file)
            };
            let Some(target) = target.filter(|target| target.is_empty() || tree.has(target)) else {
                let cure = "correct the link or write what it leads to";
                findings.add(
                    path,
                    *line,
                    format!("links to {link}, which is not there"),
                    cure,
                );
                continue;
            };
            let anchor = link.split_once('#').map(|(_, anchor)| anchor);
            if let (Some(anchor), Some(text)) = (anchor, tree.text(&target))
                && target.ends_with(".md")
                && !anchors(&read(text)).iter().any(|known| known == anchor)
            {
                let what = format!("links to {link}, but {target} has no such heading");
                findings.add(path, *line, what, "correct the anchor");
            }
        }
    }
}

/// The file part of a link.
fn file_of(link: &str) -> String {
    let file = link.split(['#', '?']).next().unwrap_or_default();
    file.strip_prefix("./").unwrap_or(file).to_owned()
}

/// The path below the root that a relative link of a page leads to, or none if it leaves the tree.
fn resolve(page: &str, file: &str) -> Option<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a page's headings, as forges make them.
fn anchors(page: &Page) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, heading) in &page.headings {
        let kept = heading
            .chars()
            .filter(|&c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug = kept
            .collect::<String>()
            .trim()
            .to_lowercase()
            .replace(' ', "-");
        let repeated = found.iter().filter(|known| **known == slug).count();
        found.push(if repeated == 0 {
            slug
        } else {
            format!("{slug}-{repeated}")
        });
    }
    found
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut fence: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if let Some(mark) = &fence {
            let closes = trimmed.starts_with(mark.as_str())
                && trimmed.trim_end().chars().all(|c| c == '`' || c == '~');
            if closes {
                fence = None;
            } else if let Some((_, block)) = page.blocks.last_mut() {
                block.push_str(without_comment(line).trim_end());
                block.push('\n');
            }
        } else if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            let length = trimmed
                .chars()
                .take_while(|c| matches!(c, '`' | '~'))
                .count();
            fence = Some(trimmed[..length].to_owned());
            page.blocks
                .push((index + 1, format!("{}\n", trimmed[length..].trim())));
        } else {
            if let Some(heading) = heading(line) {
                page.headings.push((index + 1, heading));
            }
            page.links
                .extend(links(line).into_iter().map(|link| (index + 1, link)));
        }
    }
    page
}

/// A line of code without its comment, which may be in another language than the partner's.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("# ") {
        return "";
    }
    line.split_once(" # ").map_or(line, |(code, _)| code)
}

fn heading(line: &str) -> Option<String> {
    let level = line.chars().take_while(|&c| c == '#').count();
    let text = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| text.trim().to_owned())
}

/// The targets of a line's links, Markdown's and HTML's.
fn links(line: &str) -> Vec<String> {
    // Every second part between back-ticks is code.
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
    let mut found = Vec::new();
    for opening in ["](", "href=\"", "src=\""] {
        for (at, _) in prose.match_indices(opening) {
            let rest = &prose[at + opening.len()..];
            let target = rest.split([')', '"', ' ']).next().unwrap_or_default();
            found.push(target.trim_matches(['<', '>']).to_owned());
        }
    }
    if let Some((label, target)) = prose.split_once("]: ")
        && label.starts_with('[')
    {
        found.push(target.split(' ').next().unwrap_or_default().to_owned());
    }
    found
}
