//! What is inside the sealed file: a line for each secret, followed by its bytes.
//!
//! Lengths instead of quotes, so that no reader has to copy a secret to undo them.

use ponte_core::time::Timestamp;
use zeroize::Zeroizing;

use super::{Entry, VAULT_SECRETS_MAX};
use crate::secret::{SIGNING_KEY_BYTES_MAX, SecretName};

/// The first line, with the version of the form.
const HEADING: &str = "ponte vault 1\n";
/// Room for a secret's line: a name, two numbers, what stands between them.
const LINE_BYTES_MAX: usize = 128;

/// The bytes that are sealed.
pub(super) fn written(entries: &[Entry]) -> Zeroizing<Vec<u8>> {
    let room = |entry: &Entry| LINE_BYTES_MAX + entry.value.len();
    let room = HEADING.len() + entries.iter().map(room).sum::<usize>();
    // Enough room from the start, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    bytes.extend_from_slice(HEADING.as_bytes());
    for entry in entries {
        let (name, length, set_at) = (&entry.name, entry.value.len(), entry.set_at.0);
        bytes.extend_from_slice(format!("{name} {length} {set_at}\n").as_bytes());
        bytes.extend_from_slice(entry.value.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

/// What the bytes say; `None` when they are not in this form.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut rest = std::str::from_utf8(bytes).ok()?.strip_prefix(HEADING)?;
    let mut entries: Vec<Entry> = Vec::new();
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n')?;
        let mut words = line.split(' ');
        let (name, length, set_at) = (words.next()?, words.next()?, words.next()?);
        let (name, length) = (SecretName::new(name).ok()?, length.parse::<usize>().ok()?);
        let is_in_order = entries.last().is_none_or(|last| last.name < name);
        if words.next().is_some()
            || length > SIGNING_KEY_BYTES_MAX
            || !is_in_order
            || entries.len() >= VAULT_SECRETS_MAX
        {
            return None;
        }
        entries.push(Entry {
            name,
            set_at: Timestamp(set_at.parse().ok()?),
            value: Zeroizing::new(after.get(..length)?.to_owned()),
        });
        rest = after.get(length..)?.strip_prefix('\n')?;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: &str) -> Entry {
        Entry {
            name: SecretName::new(name).unwrap(),
            set_at: Timestamp(1_700_000_000_000_000),
            value: Zeroizing::new(value.to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let entries = [
            entry("a", "one line, 12 34\u{e7}"),
            entry("b.pem", "-----BEGIN\nmany lines\n-----END"),
        ];
        let read = read(&written(&entries)).unwrap();
        let shown = |entries: &[Entry]| -> Vec<_> {
            let each = entries.iter();
            each.map(|e| (e.name.to_string(), e.value.to_string(), e.set_at))
                .collect()
        };
        assert_eq!(shown(&read), shown(&entries));
        assert!(super::read(HEADING.as_bytes()).unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_refused() {
        for bytes in [
            "",
            "ponte vault 2\n",
            "ponte vault 1\na 3 0\nab",
            "ponte vault 1\na 3 0\nabc",
            "ponte vault 1\na 3 0 0\nabc\n",
            "ponte vault 1\na 3\nabc\n",
            "ponte vault 1\na -3 0\nabc\n",
            "ponte vault 1\na 99999999999999999999 0\nabc\n",
            "ponte vault 1\n/a 3 0\nabc\n",
            "ponte vault 1\nb 1 0\nx\na 1 0\nx\n",
            "ponte vault 1\na 1 0\nx\na 1 0\nx\n",
            "ponte vault 1\na 1 0\n\u{e7}\n",
        ] {
            assert!(read(bytes.as_bytes()).is_none(), "{bytes:?}");
        }
    }
}
