//! An alert's body: understood or refused, and never shown with its secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ponte_core::format::{Format, parse, redact, secret_in};

/// Shorter ones stand in every text.
const SECRET_BYTES_MIN: usize = 8;

fuzz_target!(|body: &[u8]| {
    let secret = match parse(Format::Ponte, body) {
        Ok(parsed) => parsed.secret,
        Err(error) => {
            let secret = secret_in(body);
            if let Some(secret) = &secret {
                hides(&error.to_string(), secret.expose());
            }
            secret
        }
    };
    let shown = redact(body, 2048);
    assert!(shown.len() <= 2048 + "…".len());
    assert!(!shown.contains(char::is_control));
    if let Some(secret) = secret {
        hides(&shown, secret.expose());
    }
});

fn hides(shown: &str, secret: &str) {
    // What stands in the place of a secret may look like the end of one.
    let mut shown = shown.split("«redacted»");
    let is_ours = "given twice; keep one".contains(secret);
    // A backslash may be the first letter of what stands for a control character.
    let is_long = secret.chars().count() >= SECRET_BYTES_MIN && !secret.contains('\\');
    let tells = is_long && shown.any(|part| part.contains(secret));
    assert!(is_ours || !tells, "{secret:?} is shown");
}
