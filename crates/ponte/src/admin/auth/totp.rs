//! The second factor: six digits that change every half minute (RFC 6238), and codes for when the phone is lost.

use ponte_core::time::Timestamp;
use ring::hmac;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::digest;
use crate::random;

/// How long one code counts, in seconds.
const STEP_SECONDS: u64 = 30;
/// How many steps a phone's clock may be off in either direction.
const DRIFT_STEPS: u64 = 1;
/// Bytes of a secret: as long as what SHA-1 gives (RFC 4226, section 4, R6).
const SECRET_BYTES: usize = 20;
/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret, in base32 as apps take it.
#[must_use]
pub fn new_secret() -> Zeroizing<String> {
    Zeroizing::new(to_base32(&random::bytes(SECRET_BYTES)))
}

/// What a QR code for an authenticator app says.
#[must_use]
pub fn uri(secret: &str, user: &str, host: &str) -> Zeroizing<String> {
    let label = format!("{}:{}", escaped(host), escaped(user));
    Zeroizing::new(format!(
        "otpauth://totp/Ponte%20{label}?secret={secret}&issuer=Ponte%20{}&algorithm=SHA1&digits=6&period=30",
        escaped(host)
    ))
}

/// The step to which a code belongs, when it counts now and none of that step or a later one was used.
#[must_use]
pub fn matching_step(secret: &str, code: &str, now: Timestamp, used: u64) -> Option<u64> {
    let secret = Zeroizing::new(from_base32(secret)?);
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let present = step_at(now);
    let steps = present.saturating_sub(DRIFT_STEPS)..=present.saturating_add(DRIFT_STEPS);
    let mut found = None;
    // All are looked at, so that the time doesn't say which one it was.
    for step in steps {
        let right = code_of(&secret, step);
        if bool::from(right.as_bytes().ct_eq(code.as_bytes())) && step > used {
            found = Some(step);
        }
    }
    found
}

/// The code of a moment, as an app shows it.
#[must_use]
pub fn code_at(secret: &str, now: Timestamp) -> Option<String> {
    let secret = Zeroizing::new(from_base32(secret)?);
    Some(code_of(&secret, step_at(now)).to_string())
}

fn step_at(now: Timestamp) -> u64 {
    u64::try_from(now.microseconds()).unwrap_or(0) / 1_000_000 / STEP_SECONDS
}

fn code_of(secret: &[u8], step: u64) -> Zeroizing<String> {
    // Every app knows SHA-1; many silently know nothing else.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 15);
    let mut number = 0_u32;
    for byte in tag.iter().skip(offset).take(4) {
        number = (number << 8) | u32::from(*byte);
    }
    Zeroizing::new(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

/// New recovery codes: each opens once.
#[must_use]
pub fn new_recovery_codes() -> Vec<Zeroizing<String>> {
    let code = || format!("{}-{}", random::readable(5), random::readable(5));
    (0..RECOVERY_CODES)
        .map(|_| Zeroizing::new(code()))
        .collect()
}

/// What is kept of a recovery code: 49 random bits need no slow hash behind a door that counts failures.
#[must_use]
pub fn recovery_hash(code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    digest(&Zeroizing::new(plain))
}

fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[((held >> bits) & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[((held << (5 - bits)) & 31) as usize]));
    }
    text
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 255).ok()?);
        }
    }
    Some(bytes)
}

/// A part of a URI (RFC 3986, section 2.3: what is not unreserved is escaped).
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 6238, appendix B: the text 12345678901234567890.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        assert_eq!(from_base32(RFC).unwrap(), b"12345678901234567890");
        assert_eq!(to_base32(b"12345678901234567890"), RFC);
        // The last six of the eight digits in RFC 6238, appendix B.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(RFC, at(seconds)).unwrap(), code);
            let step = u64::try_from(seconds).unwrap() / 30;
            assert_eq!(matching_step(RFC, code, at(seconds), 0), Some(step));
        }
    }

    #[test]
    fn a_code_counts_a_step_around_its_own_and_once() {
        let code = code_at(RFC, at(3000)).unwrap();
        for (seconds, counts) in [(2940, false), (2970, true), (3059, true), (3060, false)] {
            assert_eq!(
                matching_step(RFC, &code, at(seconds), 0).is_some(),
                counts,
                "{seconds}"
            );
        }
        let step = matching_step(RFC, &code, at(3000), 99).unwrap();
        assert_eq!(step, 100);
        assert_eq!(matching_step(RFC, &code, at(3000), step), None);
        assert_eq!(matching_step(RFC, &code, at(3059), step), None);
        let later = code_at(RFC, at(3030)).unwrap();
        assert_eq!(matching_step(RFC, &later, at(3030), step), Some(101));
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(matching_step(RFC, wrong, at(3000), 0), None, "{wrong}");
        }
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert!(matching_step(RFC, &spaced, at(3000), 0).is_some());
    }

    #[test]
    fn an_app_is_told_what_it_needs() {
        let uri = uri(RFC, "ana@home", "ponte.example.com");
        assert_eq!(
            uri.as_str(),
            format!(
                "otpauth://totp/Ponte%20ponte.example.com:ana%40home?secret={RFC}\
                 &issuer=Ponte%20ponte.example.com&algorithm=SHA1&digits=6&period=30"
            )
        );
        assert_eq!(from_base32(&new_secret()).unwrap().len(), SECRET_BYTES);
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let codes = new_recovery_codes();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let written = codes[0].to_uppercase().replace('-', " ");
        assert_eq!(recovery_hash(&codes[0]), recovery_hash(&written));
        assert_ne!(recovery_hash(&codes[0]), recovery_hash(&codes[1]));
    }
}
