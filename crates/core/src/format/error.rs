//! Why a body is not a signal: a code for programs, a sentence for people.

use std::fmt;

use super::json::Member;

/// Most characters of a sender's text that a message repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// A refused body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// One of [`code::ALL`]; stable.
    pub code: &'static str,
    /// What was read, what was expected and the cure; the secret is never in it.
    pub message: String,
    /// The key it is about, as the sender wrote it.
    pub field: Option<String>,
    /// Where in the body it is, when that is known.
    pub position: Option<Position>,
}

/// A place in a body, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match self.position {
            Some(Position { line, column }) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FormatError {}

impl Position {
    /// The place of a byte in a text; past the end is the end.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let mut end = at.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + before.bytes().filter(|byte| *byte == b'\n').count(),
            column: 1 + before[line_start..].chars().count(),
        }
    }
}

/// A [`FormatError`] in the making: it knows the byte, not yet the line.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) field: Option<String>,
    pub(super) at: Option<usize>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            at: None,
        }
    }

    /// Says which member of the message it is about.
    pub(super) fn about(self, member: &Member<'_>) -> Self {
        self.field(&member.key).at(member.at)
    }

    pub(super) fn field(mut self, key: &str) -> Self {
        self.field = Some(shown(key));
        self
    }

    pub(super) fn at(mut self, at: usize) -> Self {
        self.at = Some(at);
        self
    }

    pub(super) fn into_error(self, text: &str) -> FormatError {
        FormatError {
            code: self.code,
            message: self.message,
            field: self.field,
            position: self.at.map(|at| Position::of(text, at)),
        }
    }
}

/// The start of a sender's text, fit for one line of a message.
pub(super) fn shown(text: &str) -> String {
    let mut line = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            line.push('…');
            break;
        }
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// A sender's text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}

/// The codes of refusals. They are stable: dashboards, tests and guides refer to them.
pub mod code {
    macro_rules! codes {
        ($($name:ident = $text:literal: $doc:literal;)*) => {
            $(#[doc = $doc] pub const $name: &str = $text;)*
            /// Every code, in the order of the guide.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }

    codes! {
        EMPTY = "E_EMPTY": "Nothing but white space.";
        TOO_LARGE = "E_TOO_LARGE": "More bytes than a message can have.";
        ENCODING = "E_ENCODING": "The bytes are not UTF-8.";
        NO_ACTION = "E_NO_ACTION": "Nothing in the message says what to do.";
        NOT_OBJECT = "E_NOT_OBJECT": "A JSON value that is not an object.";
        BATCH = "E_BATCH": "An array of messages.";
        DOUBLE_ENCODED = "E_DOUBLE_ENCODED": "JSON inside of a JSON string, or with escaped quotes.";
        FORM_ENCODED = "E_FORM_ENCODED": "A web form's encoding.";
        HTML_ESCAPED = "E_HTML_ESCAPED": "Text copied from a web page, with `&quot;` for quotes.";
        MISSING_BRACES = "E_MISSING_BRACES": "Members without `{` and `}` around them.";
        SMART_QUOTES = "E_SMART_QUOTES": "Curly quotes where JSON wants straight ones.";
        SINGLE_QUOTES = "E_SINGLE_QUOTES": "Single quotes where JSON wants double ones.";
        UNQUOTED = "E_UNQUOTED": "A word without quotes.";
        INNER_QUOTES = "E_INNER_QUOTES": "An unescaped quote inside of a text.";
        BAD_ESCAPE = "E_BAD_ESCAPE": "A backslash before something that JSON can't escape.";
        CONTROL_CHAR = "E_CONTROL_CHAR": "A line break or another control character in a text.";
        INVISIBLE_CHAR = "E_INVISIBLE_CHAR": "A no-break space or an invisible character between the parts.";
        TRAILING_COMMA = "E_TRAILING_COMMA": "A comma with nothing after it.";
        MISSING_COMMA = "E_MISSING_COMMA": "Two members without a comma between them.";
        DECIMAL_COMMA = "E_DECIMAL_COMMA": "A comma inside of an unquoted number.";
        TRUNCATED = "E_TRUNCATED": "The body ends too early.";
        TRAILING_DATA = "E_TRAILING_DATA": "Something follows the object.";
        SYNTAX = "E_SYNTAX": "Another mistake in the JSON.";
        DEPTH = "E_DEPTH": "Too deeply nested.";
        TOO_MANY_KEYS = "E_TOO_MANY_KEYS": "More keys than a message can have.";
        PLACEHOLDER = "E_PLACEHOLDER": "A placeholder that TradingView did not replace.";
        DUPLICATE_KEY = "E_DUPLICATE_KEY": "One field given twice.";
        UNKNOWN_KEY = "E_UNKNOWN_KEY": "A key that means nothing to Ponte.";
        MISSING_FIELD = "E_MISSING_FIELD": "A field that this action needs.";
        WRONG_TYPE = "E_WRONG_TYPE": "A value of the wrong kind.";
        EMPTY_FIELD = "E_EMPTY_FIELD": "An empty text where something is needed.";
        TOO_LONG = "E_TOO_LONG": "A text that is too long.";
        UNKNOWN_ACTION = "E_UNKNOWN_ACTION": "An action that is no known verb.";
        AMBIGUOUS_ACTION = "E_AMBIGUOUS_ACTION": "An action with more than one meaning.";
        UNKNOWN_TYPE = "E_UNKNOWN_TYPE": "An order type that is not known.";
        UNKNOWN_POSITION = "E_UNKNOWN_POSITION": "A position that is neither a side nor a number.";
        BAD_SYMBOL = "E_BAD_SYMBOL": "A text that can't be a symbol.";
        DELAYED_DATA = "E_DELAYED_DATA": "The alert ran on delayed prices.";
        NO_NUMBER = "E_NO_NUMBER": "NaN, na, null, an empty text: no number.";
        BAD_NUMBER = "E_BAD_NUMBER": "A text that is not written like a number.";
        AMBIGUOUS_NUMBER = "E_AMBIGUOUS_NUMBER": "A number with two readings.";
        NOT_POSITIVE = "E_NOT_POSITIVE": "Zero or less where more is needed.";
        TOO_MANY_DIGITS = "E_TOO_MANY_DIGITS": "A number that can't be held exactly.";
        MONEY = "E_MONEY": "An amount of money where a bare number is needed.";
        UNIT = "E_UNIT": "A number with a unit.";
        PERCENT = "E_PERCENT": "A percentage where it has no meaning, or not above 0 and up to 100.";
        TOO_MANY_TARGETS = "E_TOO_MANY_TARGETS": "More targets than a signal can carry.";
        BAD_TIME = "E_BAD_TIME": "A text that is not a moment.";
        TIME_RANGE = "E_TIME_RANGE": "A moment outside of 2000 to 2100.";
        CONTRADICTION = "E_CONTRADICTION": "Two fields that can't both be meant.";
        NEEDS_SIZE = "E_NEEDS_SIZE": "A position whose size can't be told safely.";
        PROTECTION = "E_PROTECTION": "Stop or targets with something that opens nothing.";
        SECRET_ELSEWHERE = "E_SECRET_ELSEWHERE": "The secret in a field that is recorded and shown.";
    }
}
