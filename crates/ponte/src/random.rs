//! Randomness for secrets and for the name of an installation; nothing else is random.

use std::fmt::Write as _;

/// So many bytes from the system's generator, as hex digits.
///
/// # Panics
/// When the system has no randomness, where no secret may be made.
#[must_use]
pub fn hex_token(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut buffer).expect("the system gives random bytes");
    buffer
        .iter()
        .fold(String::with_capacity(2 * bytes), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
