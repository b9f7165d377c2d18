//! Message formats: from an alert's bytes to a [`Signal`].
//!
//! [`parse`] understands a body or says precisely why not; nothing is repaired, clamped or guessed.
//! [`secret_in`] and [`redact`] are for bodies that were not understood: the first finds out
//! whether the sender may know the reason, the second makes the body fit for a journal. All three
//! are pure and take any bytes whatever. Numbers stay text until they are decimals.

mod canon;
mod diagnose;
mod error;
mod intent;
mod json;
mod names;
mod number;
mod ponte;
mod redact;
mod secret;
mod value;
mod walk;
mod words;

pub use error::{FormatError, Position, code};
pub use redact::{redact, secret_in};
pub use secret::SecretText;

use crate::signal::Signal;
use error::Refusal;

/// Largest body, in bytes: TradingView's 40,960 characters can take 160 kB.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting of a body, the object itself counted.
pub const DEPTH_MAX: usize = 16;
/// Most keys of a message.
pub const KEYS_MAX: usize = 256;
/// Longest text in a message, in bytes; names and symbols are shorter still.
pub const TEXT_BYTES_MAX: usize = 1024;

/// How a source writes its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Ponte's own: one flat JSON object, see `docs/messages.md`.
    Ponte,
}

/// A body understood.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What it wants.
    pub signal: Signal,
    /// The secret in it, still to be compared with the source's.
    pub secret: Option<SecretText>,
}

/// Reads a body.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(format: Format, body: &[u8]) -> Result<Parsed, FormatError> {
    let text = text(body)?;
    let result = match format {
        Format::Ponte => match json::members(text) {
            Ok(members) => ponte::read(&members),
            Err(error) => Err(diagnose::syntax(text, &error)),
        },
    };
    result.map_err(|mut refusal| {
        refusal.message = redact::hide(text, refusal.message);
        refusal.field = refusal.field.map(|field| redact::hide(text, field));
        refusal.into_error(text)
    })
}

/// The body as text, without a byte order mark.
fn text(body: &[u8]) -> Result<&str, FormatError> {
    let refuse = |code, message: String| Err(Refusal::new(code, message).into_error(""));
    if body.len() > BODY_BYTES_MAX {
        return refuse(
            code::TOO_LARGE,
            format!(
                "the body has {} bytes, the limit is {BODY_BYTES_MAX}",
                body.len()
            ),
        );
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => return Err(diagnose::encoding(body, error)),
    };
    if text.trim().is_empty() {
        return refuse(
            code::EMPTY,
            "the body is empty; an order without alert_message sends an empty text: give every \
             strategy.entry, strategy.exit and strategy.close its alert_message"
                .to_owned(),
        );
    }
    Ok(text)
}
