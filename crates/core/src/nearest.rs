//! The nearest known word to one that is not known, for «did you mean …?».

/// Longest word that is compared, in characters; longer ones are no slips of the finger.
const WORD_CHARS_MAX: usize = 48;

/// The candidate that takes the fewest slips (a letter more, less, other or swapped) to become `word`.
///
/// Case does not count. `None` when even the nearest candidate is not near: more than one slip for
/// each three letters. The first of several equally near ones wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = lower(word).take(WORD_CHARS_MAX + 1).collect();
    if word.is_empty() || word.len() > WORD_CHARS_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = lower(candidate).take(WORD_CHARS_MAX + 1).collect();
        let slips_max = word.len().max(letters.len()) / 3;
        if letters.len().abs_diff(word.len()) > slips_max {
            continue;
        }
        let slips = distance(&word, &letters);
        if slips <= slips_max && best.is_none_or(|(fewest, _)| slips < fewest) {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn lower(word: &str) -> impl Iterator<Item = char> + '_ {
    word.trim().chars().flat_map(char::to_lowercase)
}

/// The optimal string alignment distance.
fn distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let mut before_last = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1; width];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut fewest = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other;
            if swapped {
                fewest = fewest.min(before_last[column - 1] + 1);
            }
            current[column + 1] = fewest;
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["qtd", "quantity", "symbol", "stop_loss"];
        let cases = [
            ("qdt", Some("qtd")),
            ("Quantety", Some("quantity")),
            ("quantit", Some("quantity")),
            ("simbol", Some("symbol")),
            ("stoploss", Some("stop_loss")),
            ("banana", None),
            ("x", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"q".repeat(100_000), known), None);
    }
}
