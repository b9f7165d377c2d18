//! Why a body is no JSON object: the mistake by its name, not by the parser's.
//!
//! `serde_json` has already refused the body; here it is looked at again, slowly.

use std::str::Utf8Error;

use serde::de::IgnoredAny;

use super::error::{FormatError, Position, Refusal, code};
use super::value::placeholder;
use super::walk::Walker;

const EXAMPLE: &str = r#"{"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#;
const HTML_ENTITIES: &[&str] = &[
    "&quot;", "&#34;", "&#39;", "&#x22;", "&apos;", "&amp;", "&ldquo;",
];
pub(super) const CURLY_QUOTES: &[char] =
    &['“', '”', '„', '‟', '‘', '’', '‚', '‛', '«', '»', '″', '＂'];

/// The refusal of bytes that are not UTF-8.
pub(super) fn encoding(body: &[u8], error: Utf8Error) -> FormatError {
    let valid = &body[..error.valid_up_to()];
    let utf16 = body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") || body.contains(&0);
    let byte = body.get(error.valid_up_to()).copied().unwrap_or_default();
    let message = if utf16 {
        "the body is UTF-16; send it as UTF-8".to_owned()
    } else {
        format!(
            "the byte 0x{byte:02x} is not UTF-8, the text is perhaps Latin-1 or Windows-1252; send \
             it as UTF-8, or write the words without accents"
        )
    };
    FormatError {
        code: code::ENCODING,
        message,
        field: None,
        position: std::str::from_utf8(valid)
            .ok()
            .map(|text| Position::of(text, text.len())),
    }
}

/// The refusal of a text that is not one JSON object.
pub(super) fn syntax(text: &str, error: &serde_json::Error) -> Refusal {
    let start = text.len() - text.trim_start_matches(JSON_SPACE).len();
    let rest = &text[start..];
    match rest.chars().next() {
        Some('{') if !rest.starts_with("{{") => {
            let mut walker = Walker { text, at: start };
            match walker.object() {
                Err(refusal) => refusal,
                Ok(()) => by_parser(text, error),
            }
        }
        Some('[') => Refusal::new(
            code::BATCH,
            "the body is an array; one alert is one message: send one object per alert",
        ),
        Some('"') => quoted_body(text, start),
        Some(letter) => stray_mark(text, start, letter).unwrap_or_else(|| not_json(text, rest)),
        None => not_json(text, rest),
    }
}

pub(super) const JSON_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

fn quoted_body(text: &str, start: usize) -> Refusal {
    if let Ok(inner) = serde_json::from_str::<String>(text) {
        if inner.contains('{') {
            return double_encoded(start);
        }
        return not_object("a text");
    }
    let mut walker = Walker { text, at: start };
    if let Err(refusal) = walker.string(None) {
        return refusal;
    }
    walker.space();
    if walker.peek() == Some(':') {
        return missing_braces(start);
    }
    not_object("a text")
}

/// A body that starts like nothing in JSON, or like a bare value.
fn not_json(text: &str, rest: &str) -> Refusal {
    if let Some(start) = text.find("{{") {
        return placeholder(None, &text[start..]).at(start);
    }
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return not_object("a bare value");
    }
    if HTML_ENTITIES.iter().any(|entity| text.contains(entity)) {
        return html_escaped();
    }
    let bytes = rest.as_bytes();
    let percent_brace = bytes
        .windows(3)
        .any(|window| window.eq_ignore_ascii_case(b"%7b") || window == b"%22");
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '[' | ']' | '.');
    let form = rest
        .split_once('=')
        .is_some_and(|(key, _)| !key.is_empty() && key.chars().all(word));
    if percent_brace || form {
        return Refusal::new(
            code::FORM_ENCODED,
            format!("the body is encoded as a web form; send the JSON itself: {EXAMPLE}"),
        );
    }
    Refusal::new(
        code::NO_ACTION,
        format!(
            "the body is plain text and no JSON object, so no action is found in it; TradingView \
             sends its own sentence when the message box of the alert is left as it was: write \
             {EXAMPLE} there"
        ),
    )
}

/// What the parser itself said, when the walk found nothing wrong.
fn by_parser(text: &str, error: &serde_json::Error) -> Refusal {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if let Some(refusal) = text[at..]
        .chars()
        .next()
        .and_then(|letter| stray_mark(text, at, letter))
    {
        return refusal;
    }
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    if said == "trailing comma" || (said == "expected value" && text[at..].starts_with(']')) {
        return trailing_comma().at(at);
    }
    Refusal::new(code::SYNTAX, format!("the body is not valid JSON: {said}")).at(at)
}

/// A character that is wrong wherever it stands between the parts of JSON.
pub(super) fn stray_mark(text: &str, at: usize, letter: char) -> Option<Refusal> {
    let rest = &text[at..];
    let refusal = match letter {
        _ if CURLY_QUOTES.contains(&letter) => Refusal::new(
            code::SMART_QUOTES,
            format!(
                "the quote {letter} is curly, JSON wants the straight \"; a phone or a web page put \
                 it there: type the quotes again on a computer"
            ),
        ),
        '\'' | '`' => Refusal::new(
            code::SINGLE_QUOTES,
            format!(
                "the quote {letter} is not JSON's; use the double quote \" around keys and texts"
            ),
        ),
        _ if is_invisible(letter) => Refusal::new(
            code::INVISIBLE_CHAR,
            format!(
                "the invisible character U+{:04X} stands between the parts of the JSON; delete it \
                 and type a normal space",
                u32::from(letter)
            ),
        ),
        '&' if HTML_ENTITIES.iter().any(|entity| rest.starts_with(entity)) => html_escaped(),
        '\\' => return Some(double_encoded(at)),
        '{' if rest.starts_with("{{") => placeholder(None, rest),
        '/' | '#' => Refusal::new(
            code::SYNTAX,
            format!("{letter} starts a comment, and JSON has none; delete it"),
        ),
        _ => return None,
    };
    Some(refusal.at(at))
}

pub(super) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{feff}')
        || (letter.is_whitespace() && !JSON_SPACE.contains(&letter))
        || (letter.is_control() && !JSON_SPACE.contains(&letter))
}

pub(super) fn trailing_comma() -> Refusal {
    Refusal::new(
        code::TRAILING_COMMA,
        "a comma stands before a closing bracket with nothing after it; delete it",
    )
}

fn html_escaped() -> Refusal {
    Refusal::new(
        code::HTML_ESCAPED,
        "the body has &quot; where quotes should be, it was copied from a web page or an e-mail; \
         type the quotes again",
    )
}

fn missing_braces(at: usize) -> Refusal {
    Refusal::new(
        code::MISSING_BRACES,
        "the braces around the message are missing; put { in front and } behind",
    )
    .at(at)
}

fn double_encoded(at: usize) -> Refusal {
    Refusal::new(
        code::DOUBLE_ENCODED,
        "the message is JSON inside of a JSON text, its quotes have backslashes; send the object \
         itself",
    )
    .at(at)
}

fn not_object(what: &str) -> Refusal {
    Refusal::new(
        code::NOT_OBJECT,
        format!("the body is {what}, expected an object: {EXAMPLE}"),
    )
}
