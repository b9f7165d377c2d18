//! Reads Rust text as far as the tidy checks need it: comments and literals apart from the code,
//! the code as tokens.

/// A source with its comments and literals told apart. Both texts have the lines of the original.
pub(crate) struct Masked {
    /// The source with comments and the insides of literals blanked.
    pub(crate) code: String,
    /// The comments alone.
    pub(crate) comments: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

struct Scanner<'a> {
    rest: &'a [char],
    masked: Masked,
}

/// Tells the code of a source from its comments and literals.
pub(crate) fn mask(source: &str) -> Masked {
    let chars: Vec<char> = source.chars().collect();
    let masked = Masked {
        code: String::new(),
        comments: String::new(),
    };
    let mut scanner = Scanner {
        rest: &chars,
        masked,
    };
    while !scanner.rest.is_empty() {
        scanner.step();
    }
    scanner.masked
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(ahead).copied().unwrap_or('\0')
    }

    fn take(&mut self, count: usize, kind: Kind) {
        let count = count.min(self.rest.len());
        for &c in &self.rest[..count] {
            let (code, comment) = match kind {
                Kind::Code => (c, ' '),
                Kind::Comment => (' ', c),
                Kind::Literal => (' ', ' '),
            };
            self.masked.code.push(if c == '\n' { '\n' } else { code });
            self.masked
                .comments
                .push(if c == '\n' { '\n' } else { comment });
        }
        self.rest = &self.rest[count..];
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                let length = self
                    .rest
                    .iter()
                    .position(|&c| c == '\n')
                    .unwrap_or(self.rest.len());
                self.take(length, Kind::Comment);
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (c, _) if is_word(c) => self.word(),
            _ => self.take(1, Kind::Code),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while !self.rest.is_empty() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.take(1, Kind::Comment);
                    continue;
                }
            }
            self.take(2, Kind::Comment);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.take(1, Kind::Literal);
        while !self.rest.is_empty() {
            match self.peek(0) {
                '\\' => self.take(2, Kind::Literal),
                '"' => return self.take(1, Kind::Literal),
                _ => self.take(1, Kind::Literal),
            }
        }
    }

    /// A character literal, or the tick of a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.take(3, Kind::Literal);
            while !self.rest.is_empty() && self.peek(0) != '\'' {
                self.take(1, Kind::Literal);
            }
            self.take(1, Kind::Literal);
        } else if self.peek(2) == '\'' {
            self.take(3, Kind::Literal);
        } else {
            self.take(1, Kind::Code);
        }
    }

    /// A word, which may be the prefix of a raw string.
    fn word(&mut self) {
        let length = self
            .rest
            .iter()
            .position(|&c| !is_word(c))
            .unwrap_or(self.rest.len());
        let word: String = self.rest[..length].iter().collect();
        self.take(length, Kind::Code);
        if !matches!(word.as_str(), "r" | "br" | "cr") {
            return;
        }
        let hashes = self.rest.iter().take_while(|&&c| c == '#').count();
        if self.peek(hashes) == '"' {
            self.raw_string(hashes);
        }
    }

    fn raw_string(&mut self, hashes: usize) {
        self.take(hashes + 1, Kind::Literal);
        while !self.rest.is_empty() {
            let closes = self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#');
            if closes {
                return self.take(hashes + 1, Kind::Literal);
            }
            self.take(1, Kind::Literal);
        }
    }
}

/// Whether a character can stand in an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A token of masked code. Numbers are words too; nothing here minds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// An identifier, a keyword or a number.
    Word(&'a str),
    /// The `::` of a path.
    Colons,
    /// Any other character.
    Mark(char),
}

/// A token and the line on which it stands, counted from one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    /// What stands there.
    pub(crate) token: Token<'a>,
    /// Where it stands.
    pub(crate) line: usize,
}

/// Cuts masked code into tokens.
pub(crate) fn tokens(code: &str) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    for (index, text) in code.lines().enumerate() {
        let line = index + 1;
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (token, width) = if length > 0 {
                (Token::Word(&rest[..length]), length)
            } else if rest.starts_with("::") {
                (Token::Colons, 2)
            } else {
                (Token::Mark(first), first.len_utf8())
            };
            found.push(Placed { token, line });
            rest = rest[width..].trim_start();
        }
    }
    found
}
