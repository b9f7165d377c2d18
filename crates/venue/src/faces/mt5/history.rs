//! Choosing from lists as the package's functions do: by time, ticket, position, symbol and group.

use super::codes::LastError;
use serde_json::{Map, Value};

/// The longest symbol or group.
const TEXT_BYTES_MAX: usize = 256;

/// The filter of a call's arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) symbol: Option<String>,
    pub(super) group: Option<String>,
    pub(super) ticket: Option<u64>,
    pub(super) position: Option<u64>,
    /// First and last second, on the server's clock.
    pub(super) range: Option<(i64, i64)>,
}

impl Filter {
    /// Reads the arguments.
    ///
    /// # Errors
    /// An argument has the wrong type.
    pub(super) fn parse(arguments: &Map<String, Value>) -> Result<Filter, LastError> {
        let seconds = |name: &str| match given(arguments, name) {
            None => Ok(None),
            Some(value) => {
                // The module may send what a datetime's timestamp() gives: a float.
                let whole = value
                    .as_i64()
                    .or_else(|| value.as_f64().map(|seconds| seconds as i64));
                whole.map(Some).ok_or_else(LastError::invalid_arguments)
            }
        };
        let (from, to) = (seconds("date_from")?, seconds("date_to")?);
        Ok(Filter {
            symbol: text(arguments, "symbol")?,
            group: text(arguments, "group")?,
            ticket: ticket(arguments, "ticket")?,
            position: ticket(arguments, "position")?,
            range: from.zip(to),
        })
    }

    /// Whether the history can be asked with it: it needs a range, a ticket or a position.
    pub(super) fn is_for_history(&self) -> bool {
        self.range.is_some() || self.ticket.is_some() || self.position.is_some()
    }

    /// Whether something of that symbol passes.
    pub(super) fn passes_symbol(&self, symbol: &str) -> bool {
        self.symbol.as_deref().is_none_or(|only| only == symbol)
            && self
                .group
                .as_deref()
                .is_none_or(|group| in_group(group, symbol))
    }

    /// Whether something of the history passes. A ticket or a position is looked for in all times.
    pub(super) fn passes_history(&self, ticket: u64, position: u64, milliseconds: i64) -> bool {
        if let Some(only) = self.ticket {
            return only == ticket;
        }
        if let Some(only) = self.position {
            return only == position;
        }
        let second = milliseconds.div_euclid(1_000);
        self.range
            .is_some_and(|(from, to)| from <= second && second <= to)
    }
}

fn given<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    arguments.get(name).filter(|value| !value.is_null())
}

pub(super) fn text(
    arguments: &Map<String, Value>,
    name: &str,
) -> Result<Option<String>, LastError> {
    match given(arguments, name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= TEXT_BYTES_MAX => Ok(Some(text.clone())),
        Some(_) => Err(LastError::invalid(name)),
    }
}

fn ticket(arguments: &Map<String, Value>, name: &str) -> Result<Option<u64>, LastError> {
    match given(arguments, name) {
        None => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| LastError::invalid(name)),
    }
}

/// Whether a name is in a group: conditions with commas between, applied in their order; `*` stands for any characters,
/// `!` before a condition takes out (MQL5 Reference, "Python integration", `symbols_get`).
pub(super) fn in_group(group: &str, name: &str) -> bool {
    let mut is_in = false;
    for condition in group.split(',').map(str::trim) {
        match condition.strip_prefix('!') {
            Some(excluded) if fits(excluded, name) => is_in = false,
            Some(_) => {}
            None => is_in = is_in || fits(condition, name),
        }
    }
    is_in
}

fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len())
        .filter(|start| rest.is_char_boundary(*start))
        .any(|start| fits(tail, &rest[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_in_and_take_out() {
        let cases = [
            ("*", "EURUSD", true),
            ("*USD*", "EURUSD", true),
            ("*USD*", "EURGBP", false),
            ("EURUSD", "EURUSD", true),
            ("EURUSD", "EURUSD.m", false),
            ("*,!*USD*,!*EUR*", "EURGBP", false),
            ("*,!*USD*,!*EUR*", "GBPCHF", true),
            ("WIN*,WDO*", "WDOZ26", true),
        ];
        for (group, name, expected) in cases {
            assert_eq!(in_group(group, name), expected, "{group} {name}");
        }
    }
}
