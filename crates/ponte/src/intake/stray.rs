//! A secret where it does not belong: in a field of a right alert that would be recorded and shown.

use ponte_core::format::{FormatError, code};
use ponte_core::id::{AccountName, Symbol};
use ponte_core::signal::Signal;

use crate::secret::Ring;

/// The signal, fit for the record: a comment without secrets, and no other text that holds one.
///
/// A comment is for people alone, so it is only made unreadable. The other texts decide what is done, and
/// a signal that means something else than its sender wrote must not be carried out.
///
/// # Errors
/// Which field holds a secret.
pub(super) fn cleared(mut signal: Signal, ring: &Ring) -> Result<Signal, FormatError> {
    signal.comment = signal.comment.map(|comment| ring.scrubbed(comment));
    let texts = [
        ("strategy", Some(signal.strategy.as_str())),
        ("symbol", signal.symbol.as_ref().map(Symbol::as_str)),
        ("exchange", signal.exchange.as_deref()),
        ("account", signal.account.as_ref().map(AccountName::as_str)),
        ("id", signal.explicit_id.as_deref()),
    ];
    let holding = texts
        .into_iter()
        .find(|(_, text)| text.is_some_and(|text| ring.is_in(text)));
    match holding {
        None => Ok(signal),
        Some((field, _)) => Err(FormatError {
            code: code::SECRET_ELSEWHERE,
            message: format!(
                "{field} holds a secret of the webhook; it would be recorded and shown: write something else \
                 there, and change the secret if anybody can have seen the message"
            ),
            field: Some(field.to_owned()),
            position: None,
        }),
    }
}
