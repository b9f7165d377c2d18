//! The known word that a mistyped one is nearest to.

/// The nearest candidate.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .find(|c| c.eq_ignore_ascii_case(word))
        .copied()
}
