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

/// So many letters and digits that no eye confuses: 31 of them, some 4.95 bits each.
///
/// # Panics
/// When the system has no randomness, where no secret may be made.
#[must_use]
pub fn readable(letters: usize) -> String {
    const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    /// The largest multiple of 31 that a byte can be: what is above would favour some letters.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(letters);
    while text.len() < letters {
        let fair = drawn(letters)
            .iter()
            .copied()
            .filter(|byte| *byte < FAIR)
            .collect::<Vec<_>>();
        let more = fair
            .into_iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 31)]));
        text.extend(more.take(letters - text.len()));
    }
    text
}

/// So many bytes from the system's generator.
///
/// # Panics
/// When the system has no randomness, where no secret may be made.
#[must_use]
pub fn bytes(bytes: usize) -> Zeroizing<Vec<u8>> {
    drawn(bytes)
}

fn drawn(bytes: usize) -> Zeroizing<Vec<u8>> {
    let mut buffer = Zeroizing::new(vec![0; bytes]);
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut buffer).expect("the system gives random bytes");
    buffer
}
