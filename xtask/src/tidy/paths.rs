//! Finds every path that a Rust source mentions, in `use` trees and in the code, and resolves
//! `crate`, `self` and `super`.

use super::scan::{Placed, Token};

/// A path such as `crate::journal::Writer` and where it is mentioned.
#[derive(Debug)]
pub(crate) struct Mention {
    /// The resolved path.
    pub(crate) path: String,
    /// The line, counted from one.
    pub(crate) line: usize,
}

impl Mention {
    /// Whether the mentioned path is `root` or lies below it.
    pub(crate) fn is_within(&self, root: &str) -> bool {
        self.path
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

struct Walker<'a> {
    tokens: &'a [Placed<'a>],
    at: usize,
    depth: usize,
    /// The module we are in, and for inline modules the depth of their braces.
    module: Vec<(String, usize)>,
    found: Vec<Mention>,
}

/// The module path of a source file, from its path below `src/`.
pub(crate) fn module_of(below_src: &str) -> Vec<String> {
    let stem = below_src.strip_suffix(".rs").unwrap_or(below_src);
    let mut module = vec!["crate".to_owned()];
    module.extend(stem.split('/').map(str::to_owned));
    if matches!(stem, "lib" | "main") || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// Every path of two or more segments that the tokens mention, and everything that is imported.
pub(crate) fn mentions(tokens: &[Placed<'_>], module: &[String]) -> Vec<Mention> {
    let module = module.iter().map(|name| (name.clone(), 0)).collect();
    let mut walker = Walker {
        tokens,
        at: 0,
        depth: 0,
        module,
        found: Vec::new(),
    };
    while walker.at < tokens.len() {
        walker.step();
    }
    walker.found
}

impl<'a> Walker<'a> {
    fn token(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).map(|placed| placed.token)
    }

    fn step(&mut self) {
        match self.token(0) {
            Some(Token::Word("use")) if self.token(1) != Some(Token::Mark('<')) => {
                self.at += 1;
                self.use_tree(&[]);
            }
            Some(Token::Word("mod")) => self.inline_module(),
            Some(Token::Word(_)) => self.path(),
            Some(Token::Mark('{')) => {
                self.depth += 1;
                self.at += 1;
            }
            Some(Token::Mark('}')) => {
                if self
                    .module
                    .last()
                    .is_some_and(|(_, depth)| *depth == self.depth && *depth > 0)
                {
                    self.module.pop();
                }
                self.depth = self.depth.saturating_sub(1);
                self.at += 1;
            }
            Some(Token::Mark(_) | Token::Colons) | None => self.at += 1,
        }
    }

    fn inline_module(&mut self) {
        if let (Some(Token::Word(name)), Some(Token::Mark('{'))) = (self.token(1), self.token(2)) {
            self.depth += 1;
            self.module.push((name.to_owned(), self.depth));
            self.at += 3;
        } else {
            self.at += 1;
        }
    }

    fn path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut segments = Vec::new();
        while let Some(Token::Word(word)) = self.token(0) {
            segments.push(word.to_owned());
            self.at += 1;
            if self.token(0) != Some(Token::Colons) {
                break;
            }
            self.at += 1;
        }
        if segments.len() > 1 {
            self.mention(&segments, line);
        }
    }

    /// One tree of a `use` item, such as `std::{fs, io as disk, net::*}`.
    fn use_tree(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        loop {
            let line = self.tokens.get(self.at).map_or(0, |placed| placed.line);
            match self.token(0) {
                Some(Token::Colons) => self.at += 1,
                Some(Token::Word(word)) => {
                    self.at += 1;
                    if word != "self" || segments.is_empty() {
                        segments.push(word.to_owned());
                    }
                    if self.token(0) != Some(Token::Colons) {
                        return self.mention(&segments, line);
                    }
                }
                Some(Token::Mark('{')) => return self.use_group(&segments),
                Some(Token::Mark('*')) => {
                    self.at += 1;
                    return self.mention(&segments, line);
                }
                Some(Token::Mark(_)) | None => return,
            }
        }
    }

    fn use_group(&mut self, prefix: &[String]) {
        self.at += 1;
        while let Some(token) = self.token(0) {
            match token {
                Token::Mark('}') => {
                    self.at += 1;
                    return;
                }
                Token::Mark(',') => self.at += 1,
                Token::Word("as") => self.at += 2,
                Token::Word(_) | Token::Colons | Token::Mark('{' | '*') => self.use_tree(prefix),
                Token::Mark(_) => return,
            }
        }
    }

    fn mention(&mut self, segments: &[String], line: usize) {
        let mut names: Vec<&str> = self.module.iter().map(|(name, _)| name.as_str()).collect();
        let mut rest = segments;
        match segments.first().map(String::as_str) {
            Some("self") => rest = &rest[1..],
            Some("super") => {
                while rest.first().is_some_and(|name| name == "super") {
                    names.pop();
                    rest = &rest[1..];
                }
            }
            Some(_) | None => names.clear(),
        }
        names.extend(rest.iter().map(String::as_str));
        let path = names.join("::");
        self.found.push(Mention { path, line });
    }
}
