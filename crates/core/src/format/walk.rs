//! A lenient walk over a broken object, up to the first mistake.
//!
//! It knows which member it is in, and the code of the mistake; `diagnose` knows the bodies that
//! are no object at all.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::diagnose::{CURLY_QUOTES, JSON_SPACE, is_invisible, stray_mark, trailing_comma};
use super::error::{Refusal, code, shown};
use super::names::Field;
use super::number::is_no_number;
use super::secret::REDACTED;
use super::value::{no_number, placeholder};

/// Reads the body of an object up to the first mistake.
pub(super) struct Walker<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// What kind of value was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last<'a> {
    Text(&'a str),
    Number(&'a str),
    Other,
}

impl<'a> Walker<'a> {
    pub(super) fn object(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        let mut before: Option<(Cow<'a, str>, Last<'a>)> = None;
        loop {
            self.space();
            match self.peek() {
                Some('"') => {}
                Some('}') if before.is_some() => return Err(trailing_comma().at(self.at)),
                Some('}') => return self.end(),
                None => return Err(self.truncated()),
                Some(letter) => return Err(self.not_a_key(letter, before)),
            }
            let raw = self.string(None)?;
            let key = super::json::string(&self.text[self.at - raw.len() - 2..self.at])
                .unwrap_or(Cow::Borrowed(raw));
            self.space();
            match self.peek() {
                Some(':') => self.at += 1,
                None => return Err(self.truncated()),
                Some(letter) => return Err(self.unexpected(letter, &key, "a colon")),
            }
            self.space();
            let last = self.value(&key)?;
            self.space();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => return self.end(),
                None => return Err(self.truncated()),
                Some(letter) => return Err(self.after_value(letter, &key, last)),
            }
            before = Some((key, last));
        }
    }

    /// Looks at what follows the object.
    fn end(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        self.space();
        let Some(letter) = self.peek() else {
            return Ok(());
        };
        if is_invisible(letter)
            && let Some(refusal) = stray_mark(self.text, self.at, letter)
        {
            return Err(refusal);
        }
        let what = if letter == '{' {
            "a second object follows the first, perhaps the message was pasted twice; one alert is \
             one message: delete the second"
        } else {
            "something follows the closing brace; delete it"
        };
        Err(Refusal::new(code::TRAILING_DATA, what).at(self.at))
    }

    fn value(&mut self, key: &str) -> Result<Last<'a>, Refusal> {
        let start = self.at;
        let Some(letter) = self.peek() else {
            return Err(self.truncated());
        };
        match letter {
            '"' => return self.string(Some(key)).map(Last::Text),
            '{' if self.text[start..].starts_with("{{") => {
                return Err(placeholder(Some(key), &self.text[start..])
                    .field(key)
                    .at(start));
            }
            '{' | '[' => return self.nested(key),
            ',' | '}' => {
                let refusal = if Field::of(key).is_some_and(Field::is_number) {
                    no_number(key, "")
                } else {
                    Refusal::new(
                        code::EMPTY_FIELD,
                        format!(
                            "{} has no value; fill it in or leave the field out",
                            shown(key)
                        ),
                    )
                };
                return Err(refusal.field(key).at(start));
            }
            _ => {}
        }
        if let Some(refusal) = stray_mark(self.text, start, letter) {
            return Err(refusal.field(key));
        }
        let word = self.word();
        let numeric = letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.');
        if is_no_number(word) && word != "null" {
            return Err(no_number(key, word).field(key).at(start));
        }
        if serde_json::from_str::<IgnoredAny>(word).is_ok() {
            return Ok(if numeric {
                Last::Number(word)
            } else {
                Last::Other
            });
        }
        let read = sayable(key, word);
        let wants_number = Field::of(key).is_none_or(Field::is_number);
        let refusal = if numeric && wants_number {
            Refusal::new(
                code::BAD_NUMBER,
                format!(
                    "{} {read} is not a number; expected one such as 0.01",
                    shown(key)
                ),
            )
        } else {
            Refusal::new(
                code::UNQUOTED,
                format!(
                    "{} is {read} without quotes; put it in double quotes",
                    shown(key)
                ),
            )
        };
        Err(refusal.field(key).at(start))
    }

    /// The inside of the string that starts here.
    pub(super) fn string(&mut self, key: Option<&str>) -> Result<&'a str, Refusal> {
        let start = self.at + 1;
        let place = || key.map_or_else(|| "a key".to_owned(), shown);
        let named = |refusal: Refusal| match key {
            Some(key) => refusal.field(key),
            None => refusal,
        };
        let bytes = self.text.as_bytes();
        let mut at = start;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    self.at = at + 1;
                    return Ok(&self.text[start..at]);
                }
                b'\\' if escape_length(&bytes[at..]) == 0 => {
                    return Err(named(Refusal::new(
                        code::BAD_ESCAPE,
                        format!(
                            "{} has a backslash before something that JSON can't escape; write \\\\ \
                             for one backslash",
                            place()
                        ),
                    ))
                    .at(at));
                }
                b'\\' => at += escape_length(&bytes[at..]),
                0..=0x1f => {
                    let what = match byte {
                        b'\n' | b'\r' => "a line break",
                        b'\t' => "a tab",
                        _ => "a control character",
                    };
                    return Err(named(Refusal::new(
                        code::CONTROL_CHAR,
                        format!(
                            "{} holds {what} between its quotes; a text is one line, put a space \
                             there (in Pine: str.replace_all(s, \"\\n\", \" \"))",
                            place()
                        ),
                    ))
                    .at(at));
                }
                _ => at += 1,
            }
        }
        let inside = &self.text[start..];
        if let Some(curly) = inside.find(CURLY_QUOTES)
            && let Some(letter) = inside[curly..].chars().next()
            && let Some(refusal) = stray_mark(self.text, start + curly, letter)
        {
            return Err(named(refusal));
        }
        Err(named(Refusal::new(
            code::TRUNCATED,
            format!("the quote that opens {} is never closed", place()),
        ))
        .at(start - 1))
    }

    /// Steps over an array or an object inside of the object.
    fn nested(&mut self, key: &str) -> Result<Last<'a>, Refusal> {
        let mut open = 0_usize;
        while let Some(letter) = self.peek() {
            match letter {
                '"' => {
                    self.string(Some(key))?;
                    continue;
                }
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                _ => {
                    if let Some(refusal) = stray_mark(self.text, self.at, letter) {
                        return Err(refusal.field(key));
                    }
                }
            }
            self.at += letter.len_utf8();
            if open == 0 {
                return Ok(Last::Other);
            }
        }
        Err(self.truncated())
    }

    fn not_a_key(&self, letter: char, before: Option<(Cow<'a, str>, Last<'a>)>) -> Refusal {
        if let Some((key, Last::Number(number))) = &before
            && letter.is_ascii_digit()
        {
            let mut rest = Walker { ..*self };
            let written = format!("{number},{}", rest.word());
            return Refusal::new(
                code::DECIMAL_COMMA,
                format!(
                    "{} {} has a comma in it; without quotes a number has a decimal point and no \
                     separators of thousands, such as 0.01",
                    shown(key),
                    sayable(key, &written)
                ),
            )
            .field(key)
            .at(self.at);
        }
        if let Some(refusal) = stray_mark(self.text, self.at, letter) {
            return refusal;
        }
        if letter.is_alphanumeric() || letter == '_' {
            return Refusal::new(
                code::UNQUOTED,
                "a key stands without quotes; put every key in double quotes",
            )
            .at(self.at);
        }
        Refusal::new(
            code::SYNTAX,
            format!(
                "expected a key in double quotes, found {}",
                letter.escape_debug()
            ),
        )
        .at(self.at)
    }

    fn after_value(&self, letter: char, key: &str, last: Last<'a>) -> Refusal {
        let next_is_key = letter == '"' && {
            let mut ahead = Walker { ..*self };
            ahead.string(None).is_ok() && {
                ahead.space();
                ahead.peek() == Some(':')
            }
        };
        if next_is_key {
            return Refusal::new(
                code::MISSING_COMMA,
                format!("a comma is missing after {}", shown(key)),
            )
            .field(key)
            .at(self.at);
        }
        match last {
            Last::Text(inside) => self.after_text(letter, key, inside),
            Last::Number(number) if letter.is_alphanumeric() => {
                let mut rest = Walker { ..*self };
                let written = format!("{number} {}", rest.word());
                Refusal::new(
                    code::BAD_NUMBER,
                    format!(
                        "{} {} is not a number; expected one such as 0.01",
                        shown(key),
                        sayable(key, &written)
                    ),
                )
                .field(key)
                .at(self.at)
            }
            Last::Number(_) | Last::Other => self.unexpected(letter, key, "a comma"),
        }
    }

    /// A text that ended earlier than it was meant to.
    fn after_text(&self, letter: char, key: &str, inside: &str) -> Refusal {
        if let Some(start) = inside.find("{{") {
            // The placeholder's own quotes have ended the text: {{plot("Name")}}.
            let start = inside.as_ptr().addr() - self.text.as_ptr().addr() + start;
            return placeholder(Some(key), &self.text[start..])
                .field(key)
                .at(start);
        }
        if let Some(curly) = inside.chars().find(|c| CURLY_QUOTES.contains(c)) {
            let text = curly.to_string();
            if let Some(refusal) = stray_mark(&text, 0, curly) {
                return refusal.field(key).at(self.at);
            }
        }
        let comment = ["//", "/*"]
            .iter()
            .any(|mark| self.text[self.at..].starts_with(mark));
        if is_invisible(letter) || letter == ':' || comment {
            return self.unexpected(letter, key, "a comma");
        }
        Refusal::new(
            code::INNER_QUOTES,
            format!(
                "{} holds a quote inside of its quotes; write \\\" for it, or leave it out \
                 (TradingView fills in comments and ids as they are)",
                shown(key)
            ),
        )
        .field(key)
        .at(self.at)
    }

    fn unexpected(&self, letter: char, key: &str, expected: &str) -> Refusal {
        stray_mark(self.text, self.at, letter)
            .unwrap_or_else(|| {
                Refusal::new(
                    code::SYNTAX,
                    format!(
                        "expected {expected} after {}, found {}",
                        shown(key),
                        letter.escape_debug()
                    ),
                )
            })
            .field(key)
            .at(self.at)
    }

    fn truncated(&self) -> Refusal {
        Refusal::new(
            code::TRUNCATED,
            "the body ends before the closing brace; was the message cut off?",
        )
        .at(self.text.len())
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(super) fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(JSON_SPACE).len();
    }

    /// Everything up to the next character that can end a bare word.
    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| matches!(c, ',' | '}' | ']' | '"' | ':') || c.is_whitespace())
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

/// How many bytes the escape takes that starts here; none when it is not one.
fn escape_length(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
        Some(b'u') if bytes.len() >= 6 && bytes[2..6].iter().all(u8::is_ascii_hexdigit) => 6,
        _ => 0,
    }
}

/// A value for a message, unless it is the secret.
fn sayable(key: &str, value: &str) -> String {
    if Field::of(key) == Some(Field::Secret) {
        return REDACTED.to_owned();
    }
    shown(value)
}
