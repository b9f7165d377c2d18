//! Finding the secret in a body of any shape: to let its owner see the real error, and nobody the secret.
//!
//! A body that parses names its secret. One that does not is searched for whatever looks like a
//! key of a secret, a separator and a value: with straight, curly, single, escaped or no quotes,
//! as JSON, a form or a line of text. Hiding too much is the safe mistake here.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use super::TEXT_BYTES_MAX;
use super::json::{self, Value};
use super::names::{Field, fold};
use super::secret::{REDACTED, SecretText};
use crate::nearest::nearest;

/// Shorter secrets are hidden where they stand and not searched for elsewhere: `1` would be everywhere.
const REPEATED_CHARS_MIN: usize = 4;
/// Most different secrets that are searched for in the rest of a body.
const REPEATED_SECRETS_MAX: usize = 16;
/// Most characters before a separator that are looked at for a key.
const KEY_CHARS_MAX: usize = 24;
/// Most keys of a body that are compared letter by letter with the names of secrets.
const MISSPELT_KEYS_MAX: usize = 256;
/// Most secrets of a body; what comes after that many is hidden as a whole.
const SPANS_MAX: usize = 64;
/// How far behind a quote its closing one is looked for.
const VALUE_BYTES_MAX: usize = TEXT_BYTES_MAX + 128;
/// A word with letters and digits that is as long as this may be a secret without a key.
const TOKEN_CHARS_MIN: usize = 16;

/// The folded names of the secret; a key that ends in one of them counts (`webhook_secret`).
const SECRET_NAMES: &[&str] = &[
    "segredo",
    "secret",
    "secreto",
    "senha",
    "chave",
    "token",
    "passphrase",
    "password",
    "key",
    "clave",
    "contrasena",
];
const DOUBLE_QUOTES: &[char] = &['"', '“', '”', '„', '‟', '«', '»', '″', '＂'];
const SINGLE_QUOTES: &[char] = &['\'', '`', '‘', '’', '‚', '‛', '‹', '›', '′'];
/// Quotes as other encodings write them.
const ENCODED_QUOTES: &[&str] = &[
    "&quot;",
    "&#34;",
    "&#x22;",
    "&ldquo;",
    "&rdquo;",
    "&#39;",
    "&apos;",
    "%22",
    "%27",
    "%E2%80%9C",
    "%E2%80%9D",
    "\\u0022",
    "\\u201c",
    "\\u201d",
];

/// The secret in a body that was refused, as far as one can be made out.
///
/// Only good for one thing: when it is the source's secret, the sender may be told what is wrong
/// with the body; else nobody learns anything.
#[must_use]
pub fn secret_in(body: &[u8]) -> Option<SecretText> {
    let text = readable(body);
    let found = spans(&text);
    let usable = |span: &&Span| !span.value.is_empty() && span.value.len() <= TEXT_BYTES_MAX;
    let exact = found.iter().filter(usable).find(|span| span.exact);
    exact
        .or_else(|| found.iter().find(usable))
        .map(|span| SecretText::new(&span.value))
}

/// The start of a body, fit for a journal and a screen: at most `limit` bytes and a `…`.
///
/// The secret's value is replaced by `«redacted»`; where no key of a secret is found, every word
/// that looks like one is. What is not UTF-8 becomes `�`; control and invisible characters are escaped.
#[must_use]
pub fn redact(body: &[u8], limit: usize) -> String {
    let text = readable(body);
    let hidden = hidden_ranges(&text);
    let mut line = String::with_capacity(limit.min(text.len()) + REDACTED.len());
    let mut escaped = String::new();
    let mut at = 0;
    let mut ranges = hidden.into_iter().peekable();
    while let Some(letter) = text[at..].chars().next() {
        escaped.clear();
        match ranges.next_if(|range| range.start <= at) {
            Some(range) => {
                escaped.push_str(REDACTED);
                at = range.end.max(at);
            }
            None => {
                push_visible(&mut escaped, letter);
                at += letter.len_utf8();
            }
        }
        if line.len() + escaped.len() > limit {
            line.push('…');
            break;
        }
        line.push_str(&escaped);
    }
    line
}

/// A message of ours about a body, without any secret of that body.
pub(super) fn hide(body: &str, mut message: String) -> String {
    for secret in repeated(&spans(body)) {
        if message.contains(secret) {
            message = message.replace(secret, REDACTED);
        }
    }
    message
}

fn push_visible(line: &mut String, letter: char) {
    let invisible = letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}');
    match letter {
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        '\t' => line.push_str("\\t"),
        _ if invisible => {
            // Writing to a string can't fail.
            let _ = write!(line, "\\u{{{:x}}}", u32::from(letter));
        }
        _ => line.push(letter),
    }
}

/// The body as text, whatever it is.
fn readable(body: &[u8]) -> Cow<'_, str> {
    let big_endian = body.starts_with(b"\xfe\xff");
    if big_endian || body.starts_with(b"\xff\xfe") {
        let units = body[2..].chunks(2).map(|pair| {
            let pair = [pair[0], pair.get(1).copied().unwrap_or_default()];
            if big_endian {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            }
        });
        return Cow::Owned(
            char::decode_utf16(units)
                .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        );
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body)
}

/// A value that is a secret, or may be one.
#[derive(Debug)]
struct Span {
    range: Range<usize>,
    value: String,
    /// The key is one of the secret's names, not just like one.
    exact: bool,
}

/// Where nothing may be read, in order and apart from each other.
fn hidden_ranges(text: &str) -> Vec<Range<usize>> {
    let found = spans(text);
    let mut ranges: Vec<Range<usize>> = found.iter().map(|span| span.range.clone()).collect();
    if found.is_empty() {
        ranges.extend(tokens(text));
    }
    let written = found.iter().map(|span| &text[span.range.clone()]);
    let long = |value: &&str| value.chars().count() >= REPEATED_CHARS_MIN;
    let mut wanted: Vec<&str> = repeated(&found).collect();
    wanted.extend(written.filter(long).take(REPEATED_SECRETS_MAX));
    wanted.sort_unstable();
    wanted.dedup();
    for value in wanted {
        ranges.extend(
            text.match_indices(value)
                .map(|(start, _)| start..start + value.len()),
        );
    }
    ranges.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            Some(_) | None => apart.push(range),
        }
    }
    apart
}

/// The values that are searched for in the rest of the body.
fn repeated(spans: &[Span]) -> impl Iterator<Item = &str> {
    spans
        .iter()
        .map(|span| span.value.as_str())
        .filter(|value| value.chars().count() >= REPEATED_CHARS_MIN)
        .take(REPEATED_SECRETS_MAX)
}

fn spans(text: &str) -> Vec<Span> {
    let mut spans = named(text);
    let mut misspelt = 0;
    let mut at = 0;
    while let Some(separator) = next_separator(text, at) {
        at = separator.end;
        let Some(exact) = secret_key(&text[..separator.start], &mut misspelt) else {
            continue;
        };
        if spans.len() >= SPANS_MAX {
            spans.push(Span {
                range: at..text.len(),
                value: String::new(),
                exact: false,
            });
            break;
        }
        let encoded = text[separator.clone()].starts_with(['%', '=']);
        let span = value_after(text, at, exact, encoded);
        at = span.range.end.max(at);
        spans.push(span);
    }
    spans
}

/// The secrets of a body that parses.
fn named(text: &str) -> Vec<Span> {
    let Ok(members) = json::members(text) else {
        return Vec::new();
    };
    let secrets = members
        .list
        .iter()
        .filter(|member| Field::of(&member.key) == Some(Field::Secret));
    secrets
        .map(|member| {
            let (inset, value) = match member.value() {
                Ok(Value::Text(text)) => (1, text.into_owned()),
                Ok(
                    Value::Number(_) | Value::Array(_) | Value::Object | Value::Truth | Value::Null,
                )
                | Err(_) => (0, member.raw.to_owned()),
            };
            Span {
                range: member.at + inset..member.at + member.raw.len() - inset,
                value,
                exact: !member.key.trim_start().starts_with('_'),
            }
        })
        .collect()
}

fn next_separator(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let start = at + text[at..].find([':', '=', '%', '：'])?;
        let rest = &text[start..];
        let length = match rest.chars().next() {
            Some('%') if starts_with_ignoring_case(rest, "%3a") => 3,
            Some('%') if starts_with_ignoring_case(rest, "%3d") => 3,
            Some('%') => 0,
            Some(letter) => letter.len_utf8(),
            None => return None,
        };
        if length > 0 {
            return Some(start..start + length);
        }
        at = start + 1;
    }
}

/// Whether a secret's key ends here, and whether it is exactly one.
fn secret_key(before: &str, misspelt: &mut usize) -> Option<bool> {
    let before = trim_quotes(before);
    let mut start = before.len();
    for (index, letter) in before.char_indices().rev().take(KEY_CHARS_MAX) {
        let of_word = letter.is_alphanumeric()
            || matches!(letter, '_' | '-' | ' ' | '\\' | '\u{300}'..='\u{36f}');
        if !of_word {
            break;
        }
        start = index;
    }
    let mut word = Cow::Borrowed(before[start..].trim());
    if word.is_empty() {
        return None;
    }
    if word.contains('\\')
        && let Some(unescaped) = json::string(&format!("\"{word}\""))
    {
        word = Cow::Owned(unescaped.into_owned());
    }
    match Field::of(&word) {
        // `_token` is a key that is never read: hidden, but not the secret to compare.
        Some(Field::Secret) => return Some(!word.starts_with('_')),
        Some(_) => return None,
        None => {}
    }
    let folded = fold(&word)?;
    let folded = std::str::from_utf8(folded.as_bytes()).ok()?;
    if let Some(name) = SECRET_NAMES.iter().find(|name| folded.ends_with(**name)) {
        // What precedes the name may be the rest of an encoded quote: `22segredo`, `nsegredo`.
        return Some(folded.len() <= name.len() + 2);
    }
    *misspelt += 1;
    let near =
        *misspelt <= MISSPELT_KEYS_MAX && nearest(folded, SECRET_NAMES.iter().copied()).is_some();
    near.then_some(false)
}

fn trim_quotes(mut text: &str) -> &str {
    loop {
        let shorter = text.trim_end_matches(|letter: char| {
            letter.is_whitespace()
                || is_quote(letter)
                || matches!(letter, '\\' | '+' | '\u{200b}'..='\u{200f}' | '\u{feff}')
        });
        // Most keys end in a letter that ends no encoded quote.
        if !shorter.ends_with([';', '0', '1', '2', '7', 'c', 'd', 'C', 'D']) {
            return shorter;
        }
        let encoded = ENCODED_QUOTES
            .iter()
            .chain(&["%20"])
            .find(|quote| ends_with_ignoring_case(shorter, quote));
        text = match encoded {
            Some(quote) => &shorter[..shorter.len() - quote.len()],
            None => return shorter,
        };
    }
}

/// The value that starts at `at`.
fn value_after(text: &str, at: usize, exact: bool, percent_encoded: bool) -> Span {
    let rest = &text[at..];
    let open = rest.trim_start_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, '+' | '\u{200b}'..='\u{200f}' | '\u{feff}')
    });
    let mut start = at + rest.len() - open.len();
    while starts_with_ignoring_case(&text[start..], "%20") {
        start += 3;
    }
    let open = &text[start..];
    let backslashes = open.len() - open.trim_start_matches('\\').len();
    let encoded = ENCODED_QUOTES
        .iter()
        .find(|quote| starts_with_ignoring_case(open, quote));
    let first = open[backslashes..].chars().next();
    let (inner, end) = if let Some(quote) = encoded {
        let inner = start + quote.len();
        (inner, closing(text, inner, encoded_quote))
    } else if let Some(quote) = first.filter(|letter| is_quote(*letter)) {
        let inner = start + backslashes + quote.len_utf8();
        let marks = if SINGLE_QUOTES.contains(&quote) {
            SINGLE_QUOTES
        } else {
            DOUBLE_QUOTES
        };
        let close = |rest: &str| {
            let slashes = rest.len() - rest.trim_start_matches('\\').len();
            let mark = rest[slashes..]
                .chars()
                .next()
                .filter(|c| marks.contains(c))?;
            let closes = slashes == backslashes && (quote != '"' || mark == '"');
            closes.then(|| slashes + mark.len_utf8())
        };
        (inner, closing(text, inner, close))
    } else {
        let ends = |c: char| c.is_whitespace() || is_quote(c) || ",}];&|<>()".contains(c);
        let end = open.find(ends).unwrap_or(open.len());
        (start, start + end)
    };
    Span {
        range: inner..end,
        value: decode(&text[inner..end], first == Some('"'), percent_encoded),
        exact,
    }
}

/// Where a value ends: at the first closing quote that something of a message follows, else at the
/// first closing quote, else nowhere before the body's end.
fn closing(text: &str, from: usize, close: impl Fn(&str) -> Option<usize>) -> usize {
    let mut first = None;
    let mut at = from;
    while let Some(letter) = text[at..].chars().next() {
        if at - from > VALUE_BYTES_MAX {
            break;
        }
        if let Some(length) = close(&text[at..]) {
            let after = text[at + length..].trim_start();
            if after.is_empty() || after.starts_with([',', '}', ']', ';', '&', '|', '%']) {
                return at;
            }
            first = first.or(Some(at));
        }
        // A row of backslashes is one thing, so that `\\"` is not seen as `\"`.
        let slashes = text[at..].len() - text[at..].trim_start_matches('\\').len();
        at += match slashes {
            0 => letter.len_utf8(),
            odd if odd % 2 == 1 => odd + text[at + odd..].chars().next().map_or(0, char::len_utf8),
            even => even,
        };
    }
    first.unwrap_or(text.len())
}

fn encoded_quote(rest: &str) -> Option<usize> {
    ENCODED_QUOTES
        .iter()
        .find(|quote| starts_with_ignoring_case(rest, quote))
        .map(|quote| quote.len())
}

/// The value as its sender means it.
fn decode(written: &str, straight: bool, percent_encoded: bool) -> String {
    if straight {
        // A curly quote closed what a straight one opened.
        let cut = written.find(['“', '”', '„']).unwrap_or(written.len());
        let written = &written[..cut];
        return json::string(&format!("\"{written}\""))
            .map_or_else(|| written.to_owned(), Cow::into_owned);
    }
    if percent_encoded && written.contains('%') {
        return percent_decode(written);
    }
    written.to_owned()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = |at: usize| {
            tail.get(at)
                .and_then(|digit| char::from(*digit).to_digit(16))
        };
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Long words of letters and digits, which a secret without a key would be.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let start = text.as_ptr().addr();
    text.split(move |c| !of_word(c)).filter_map(move |word| {
        let long = word.len() >= TOKEN_CHARS_MIN
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        let at = word.as_ptr().addr() - start;
        long.then(|| at..at + word.len())
    })
}

fn is_quote(letter: char) -> bool {
    DOUBLE_QUOTES.contains(&letter) || SINGLE_QUOTES.contains(&letter)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes()
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .is_some_and(|at| text.as_bytes()[at..].eq_ignore_ascii_case(end.as_bytes()))
}
