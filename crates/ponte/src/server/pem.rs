//! PEM files, looked at line by line, so that a broken one can be mended.

/// Where a PEM is broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BrokenLine {
    /// From 1.
    pub(super) line: usize,
    /// For people.
    pub(super) why: String,
}

/// The labels of the sections of a PEM, in order: `CERTIFICATE`, `PRIVATE KEY`, ….
///
/// Text outside of sections is allowed (RFC 7468, section 2), as `openssl` writes it.
///
/// # Errors
/// The first line that can't be right.
pub(super) fn sections(text: &str) -> Result<Vec<&str>, BrokenLine> {
    let mut labels = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        let broken = |why: String| BrokenLine { line, why };
        if let Some(rest) = content.strip_prefix("-----BEGIN ") {
            if let Some((began, label)) = open {
                let why = format!("the section {label} that begins on line {began} has no end");
                return Err(broken(why));
            }
            let label = rest.strip_suffix("-----");
            let label = label.ok_or_else(|| broken("the line has to end with -----".to_owned()))?;
            open = Some((line, label));
        } else if let Some(rest) = content.strip_prefix("-----END ") {
            let Some((began, label)) = open.take() else {
                return Err(broken("a section ends here that has not begun".to_owned()));
            };
            if rest.strip_suffix("-----") != Some(label) {
                let why = format!("the section that begins on line {began} is {label}");
                return Err(broken(why));
            }
            labels.push(label);
        } else if let Some(letter) = open.and_then(|_| odd_letter(content)) {
            // The letter itself may be part of a key: only its place is told.
            let why = format!("character {letter} is not base64");
            return Err(broken(why));
        }
    }
    match open {
        Some((line, label)) => Err(BrokenLine {
            line,
            why: format!("the section {label} that begins here has no end; keep all of its lines"),
        }),
        None => Ok(labels),
    }
}

/// The place, from 1, of a character that can't be in a section. Older forms have headers (RFC 1421).
fn odd_letter(content: &str) -> Option<usize> {
    if content.starts_with("Proc-Type:") || content.starts_with("DEK-Info:") {
        return None;
    }
    let is_odd = |letter: char| {
        !(letter.is_ascii_alphanumeric() || letter == '+' || letter == '/' || letter == '=')
    };
    content.chars().position(is_odd).map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn broken(text: &str, line: usize, words: &str) {
        let error = sections(text).unwrap_err();
        assert_eq!(error.line, line, "{error:?}");
        assert!(error.why.contains(words), "{error:?}");
    }

    #[test]
    fn sections_are_named_in_their_order() {
        let text = "subject=ponte\n-----BEGIN CERTIFICATE-----\nQUJD\nRA==\n-----END CERTIFICATE-----\r\n\
                    -----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----";
        assert_eq!(sections(text), Ok(vec!["CERTIFICATE", "PRIVATE KEY"]));
        assert_eq!(sections("nothing\n"), Ok(vec![]));
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        broken("-----BEGIN CERTIFICATE-----\nQUJD\n", 1, "no end");
        broken(
            "-----BEGIN CERTIFICATE-----\nQUJD\n-----BEGIN CERTIFICATE-----\n",
            3,
            "begins on line 1 has no end",
        );
        broken(
            "-----BEGIN CERTIFICATE-----\nQUJD\n-----END PRIVATE KEY-----\n",
            3,
            "is CERTIFICATE",
        );
        broken("\n-----END PRIVATE KEY-----\n", 2, "not begun");
        broken("-----BEGIN CERTIFICATE\n", 1, "-----");
        broken(
            "-----BEGIN CERTIFICATE-----\nQUJD\nQU*D\n-----END CERTIFICATE-----\n",
            3,
            "character 3",
        );
    }
}
