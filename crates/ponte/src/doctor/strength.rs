//! How hard a secret is to guess.

use std::collections::BTreeMap;

/// Words that stand in guides and examples, this project's among them: everybody knows them.
const KNOWN: [&str; 14] = [
    "meu_segredo",
    "outro_segredo",
    "mi_clave",
    "my_secret",
    "secret",
    "segredo",
    "password",
    "senha",
    "changeme",
    "change-me",
    "troque-me",
    "tradingview",
    "ponte",
    "12345678",
];

/// How hard a secret is to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// It stands in a guide, or begins or ends with what stands there.
    Known,
    /// So many bits, at most: what is not random has fewer.
    Bits(u32),
}

/// Estimates it from the letters alone: their number times what each can tell, by the kinds of letters
/// that are used and by how often each one is.
#[must_use]
pub fn of(secret: &str) -> Strength {
    let lower = secret.to_lowercase();
    let padding = |rest: &str| {
        rest.chars()
            .all(|letter| letter.is_ascii_digit() || letter == '!')
    };
    let is_known = KNOWN
        .iter()
        .any(|word| lower.strip_prefix(word).is_some_and(padding));
    if is_known {
        return Strength::Known;
    }
    let letters: Vec<char> = secret.chars().collect();
    let count = letters.len();
    if count == 0 {
        return Strength::Bits(0);
    }
    let mut often = BTreeMap::<char, usize>::new();
    for letter in &letters {
        *often.entry(*letter).or_default() += 1;
    }
    // A run such as abcd or 1111 tells no more than its first letter.
    let follows = |pair: &[char]| {
        let (a, b) = (u32::from(pair[0]), u32::from(pair[1]));
        a.abs_diff(b) <= 1
    };
    let runs = letters.windows(2).filter(|pair| follows(pair)).count();
    let told = count - runs.saturating_sub(count / 8);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    {
        let entropy: f64 = often
            .values()
            .map(|times| {
                let share = *times as f64 / count as f64;
                -share * share.log2()
            })
            .sum();
        // In a short text each letter comes but once: what it tells by that is bounded by the kinds.
        let by_kinds = kinds(&letters).log2();
        let per_letter = if often.len() * 2 >= count {
            by_kinds
        } else {
            entropy.min(by_kinds)
        };
        Strength::Bits((told as f64 * per_letter).floor().max(0.0) as u32)
    }
}

/// How many letters there are to choose from, by the kinds that are used.
fn kinds(letters: &[char]) -> f64 {
    let any = |is: fn(&char) -> bool| letters.iter().any(is);
    let is_hex = letters
        .iter()
        .all(|letter| letter.is_ascii_digit() || ('a'..='f').contains(letter));
    if is_hex {
        return if any(|letter| letter.is_ascii_alphabetic()) {
            16.0
        } else {
            10.0
        };
    }
    let mut size = 0.0;
    for (is_used, letters) in [
        (any(|letter| letter.is_ascii_digit()), 10.0),
        (any(|letter| letter.is_ascii_lowercase()), 26.0),
        (any(|letter| letter.is_ascii_uppercase()), 26.0),
        (any(|letter| !letter.is_ascii_alphanumeric()), 12.0),
    ] {
        if is_used {
            size += letters;
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(secret: &str) -> u32 {
        match of(secret) {
            Strength::Bits(bits) => bits,
            Strength::Known => panic!("{secret} is known"),
        }
    }

    #[test]
    fn random_secrets_have_the_bits_that_were_drawn() {
        for bytes in [16, 32] {
            let drawn = 8 * u32::try_from(bytes).unwrap();
            let hex = bits(&crate::random::hex_token(bytes));
            assert!((drawn * 8 / 10..=drawn).contains(&hex), "{hex} of {drawn}");
            let url = bits(&crate::random::url_token(bytes));
            assert!(
                (drawn * 8 / 10..=drawn + 16).contains(&url),
                "{url} of {drawn}"
            );
        }
    }

    #[test]
    fn what_is_easy_to_guess_has_few_bits() {
        for (secret, most) in [
            ("", 0),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", 8),
            ("abcdefghijklmnop", 30),
            ("0123456789012345", 30),
            ("abababababababababab", 30),
            ("hunter2hunter2", 80),
        ] {
            let bits = bits(secret);
            assert!(bits <= most, "{secret}: {bits}");
        }
    }

    #[test]
    fn what_stands_in_guides_is_known() {
        for secret in [
            "MEU_SEGREDO",
            "changeme123",
            "password1!",
            "12345678",
            "ponte2026",
        ] {
            assert_eq!(of(secret), Strength::Known, "{secret}");
        }
        assert_ne!(of("pontevedra-galicia-7"), Strength::Known);
    }
}
