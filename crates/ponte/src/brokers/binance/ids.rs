//! Our order ids on the wire: 32 hex digits, with a suffix for the two sides of a spot OCO.

use ponte_core::id::ClientOrderId;

const STOP_SUFFIX: &str = "-s";
const TARGET_SUFFIX: &str = "-t";

/// Which order of the exchange stands for an order of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leg {
    /// The only one.
    Whole,
    /// The stop of a pair of which whichever comes first executes.
    Stop,
    /// The target of such a pair.
    Target,
}

impl Leg {
    /// The id of this leg on the wire.
    pub(super) fn wire_id(self, id: ClientOrderId) -> String {
        match self {
            Self::Whole => id.to_string(),
            Self::Stop => format!("{id}{STOP_SUFFIX}"),
            Self::Target => format!("{id}{TARGET_SUFFIX}"),
        }
    }
}

/// Reads an id from the wire; `None` for one that isn't ours.
pub(super) fn read(wire: &str) -> Option<(ClientOrderId, Leg)> {
    let (digits, leg) = if let Some(digits) = wire.strip_suffix(STOP_SUFFIX) {
        (digits, Leg::Stop)
    } else if let Some(digits) = wire.strip_suffix(TARGET_SUFFIX) {
        (digits, Leg::Target)
    } else {
        (wire, Leg::Whole)
    };
    Some((digits.parse().ok()?, leg))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ponte_core::id::AlertId;

    #[test]
    fn ids_survive_the_wire() {
        let id = ClientOrderId::derive(AlertId(7), &[b"x"]);
        for leg in [Leg::Whole, Leg::Stop, Leg::Target] {
            let wire = leg.wire_id(id);
            assert!(wire.len() <= 36);
            assert_eq!(read(&wire), Some((id, leg)));
        }
    }

    #[test]
    fn ids_of_others_are_not_ours() {
        for wire in ["", "web_1", "x-HNA2TXFJ-1", "autoclose-1690000000", "-s"] {
            assert_eq!(read(wire), None, "{wire}");
        }
    }
}
