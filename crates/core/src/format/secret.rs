//! A text that does not print.

use std::fmt;

/// What stands in place of a secret.
pub(super) const REDACTED: &str = "«redacted»";

/// The secret that a message carries. It prints as `«redacted»` and is not serialisable.
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret itself, for the one comparison it is there for; compare in constant time.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(REDACTED)
    }
}
