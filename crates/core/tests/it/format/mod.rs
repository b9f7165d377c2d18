//! What bodies mean, and what those that mean nothing are told.

// `allow-unwrap-in-tests` does not reach the helpers of a test.
#![allow(clippy::unwrap_used)]

mod broken;
mod docs;
mod properties;
mod refused;
mod secrets;
mod valid;

use ponte_core::format::{Format, FormatError, Parsed, code, parse};

fn read(body: impl AsRef<[u8]>) -> Result<Parsed, FormatError> {
    parse(Format::Ponte, body.as_ref())
}

/// The digest of a body that parses.
fn digest(body: &str) -> String {
    match read(body) {
        Ok(parsed) => parsed.signal.digest.to_string(),
        Err(error) => panic!("{body}: {error}"),
    }
}

/// `E_CODE field line:column message`, as one line to compare with.
fn told(body: &[u8]) -> String {
    let error = match read(body) {
        Ok(parsed) => return format!("accepted: {:?}", parsed.signal.intent),
        Err(error) => error,
    };
    assert!(code::ALL.contains(&error.code), "{}", error.code);
    let field = error.field.unwrap_or_else(|| "-".to_owned());
    let place = error
        .position
        .map_or_else(|| "-".to_owned(), |at| format!("{}:{}", at.line, at.column));
    format!("{} {field} {place} {}", error.code, error.message)
}

fn check_all(cases: &[(&[u8], &str)]) {
    for (body, expected) in cases {
        assert_eq!(told(body), *expected, "{}", String::from_utf8_lossy(body));
    }
}
