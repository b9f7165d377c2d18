//! How hard a secret is to guess, as far as its looks tell.

use super::Secret;

/// From so many bits on a secret can't be guessed over a network, whatever the patience.
pub const SECRET_BITS_GOOD: u32 = 80;

/// What a word that everybody tries first is worth, in tenths of a bit.
const WORD_TENTHS: u32 = 80;
/// What a letter is worth that goes on as the two before it did (`aaa`, `abc`, `321`).
const RUN_TENTHS: u32 = 5;
/// Words that everybody tries first, in small letters, longer ones first.
const WORDS: [&str; 18] = [
    "tradingview",
    "password",
    "segredo",
    "webhook",
    "changeme",
    "iloveyou",
    "trading",
    "binance",
    "qwerty",
    "secret",
    "senha",
    "alert",
    "admin",
    "ponte",
    "token",
    "letmein",
    "teste",
    "test",
];

impl Secret {
    /// How many bits it takes to guess the secret, at most: what its letters could hold, less what
    /// usual words, runs and repeats take away. A person's words hold less than they look like.
    #[must_use]
    pub fn bits(&self) -> u32 {
        let text = self.expose();
        let per_letter = tenths_per_letter(text);
        let mut rest = text.to_lowercase();
        let mut words = 0;
        for word in WORDS {
            while let Some(at) = rest.find(word) {
                rest.replace_range(at..at + word.len(), "");
                words += 1;
            }
        }
        let letters: Vec<char> = rest.chars().collect();
        let letters = &letters[..period(&letters)];
        let worth = |index: usize| {
            if goes_on(letters, index) {
                RUN_TENTHS
            } else {
                per_letter
            }
        };
        let tenths: u32 = (0..letters.len()).map(worth).sum();
        (tenths + words * WORD_TENTHS) / 10
    }
}

/// What one letter could hold, by the kinds of letters that there are.
fn tenths_per_letter(text: &str) -> u32 {
    let has = |kind: fn(&char) -> bool| text.chars().any(|letter| kind(&letter));
    let is_hexadecimal = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
    let digits = has(char::is_ascii_digit);
    let (small, large) = (has(char::is_ascii_lowercase), has(char::is_ascii_uppercase));
    let others = has(|letter| !letter.is_ascii_alphanumeric());
    // The base-2 logarithms of 10, 16, 26, 36, 52 and 62; and with signs of 42, 58, 68, 84 and 94.
    match (digits, small, large, others) {
        (true, false, false, false) => 33,
        (true, true, false, false) if text.chars().all(is_hexadecimal) => 40,
        (false, true, false, false) | (false, false, true, false) => 47,
        (true, true, false, false) | (true, false, true, false) => 51,
        (false, true, true, false) => 57,
        (true, true, true, false) => 59,
        (false | true, false, false, true) => 53,
        (false | true, true, false, true) | (false | true, false, true, true) => 58,
        // The one sign in base64 for addresses is a letter like the others.
        (true, true, true, true) if text.chars().all(is_url_letter) => 60,
        (false | true, true, true, true) => 63,
        (false, false, false, false) => 0,
    }
}

fn is_url_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// The length of what a text repeats; its own where it repeats nothing.
fn period(letters: &[char]) -> usize {
    let whole = letters.len();
    let repeats = |length: &usize| (*length..whole).all(|at| letters[at] == letters[at - length]);
    (1..=whole / 2).find(repeats).unwrap_or(whole)
}

/// Whether a letter steps on from the two before it.
fn goes_on(letters: &[char], index: usize) -> bool {
    let step =
        |at: usize| i64::from(u32::from(letters[at])) - i64::from(u32::from(letters[at - 1]));
    index >= 2 && step(index) == step(index - 1) && step(index).abs() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{hex_token, url_token};

    fn bits(text: &str) -> u32 {
        Secret::new(text.to_owned()).unwrap().bits()
    }

    #[test]
    fn random_secrets_have_about_the_bits_that_were_drawn() {
        for _ in 0..50 {
            let hexadecimal = bits(&hex_token(16));
            assert!((110..=128).contains(&hexadecimal), "{hexadecimal}");
            let base64 = bits(&url_token(32));
            assert!((235..=260).contains(&base64), "{base64}");
        }
    }

    #[test]
    fn what_people_choose_has_few() {
        for (text, most) in [
            ("aaaaaaaaaaaaaaaaaaaaaaaa", 5),
            ("abcabcabcabcabcabcabcabc", 15),
            ("12345678", 11),
            ("password", 8),
            ("MEU_SEGREDO", 32),
            ("tradingview-webhook-secret", 40),
            ("senha123", 20),
        ] {
            assert!(bits(text) <= most, "{text} has {}", bits(text));
            assert!(bits(text) < SECRET_BITS_GOOD);
        }
    }
}
