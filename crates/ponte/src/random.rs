//! Randomness for secrets and for the name of an installation; nothing else is random.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// So many bytes from the system's generator, as hex digits.
///
/// # Panics
/// When the system has no randomness, where no secret may be made.
#[must_use]
pub fn hex_token(bytes: usize) -> String {
    drawn(bytes)
        .iter()
        .fold(String::with_capacity(2 * bytes), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// So many bytes from the system's generator, as base64 that is safe in a URL and in a header.
///
/// # Panics
/// When the system has no randomness, where no secret may be made.
#[must_use]
pub fn url_token(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(&*drawn(bytes))
}

fn drawn(bytes: usize) -> Zeroizing<Vec<u8>> {
    let mut buffer = Zeroizing::new(vec![0; bytes]);
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut buffer).expect("the system gives random bytes");
    buffer
}
