//! Which faults a seed's broker has, and how often.

use ponte_venue::fault::{Fault, Operation};

use super::random::Random;

/// Each seed has its own mixture of faults, some have none of a kind.
pub(super) fn fault_table(random: &mut Random) -> Vec<(Fault, u32, Option<Operation>)> {
    let mut often = |most: i64| {
        if random.chance(400) {
            0
        } else {
            u32::try_from(random.between(0, most)).unwrap()
        }
    };
    vec![
        (Fault::Delay { milliseconds: 300 }, often(100), None),
        (
            Fault::Delay {
                milliseconds: 3_000,
            },
            often(60),
            None,
        ),
        (
            Fault::Delay {
                milliseconds: 9_000,
            },
            often(40),
            None,
        ),
        (Fault::Reject, often(50), None),
        (Fault::DisconnectBefore, often(100), None),
        (Fault::AcceptThenDisconnect, often(150), None),
        (Fault::ErrorAfterAccept, often(60), None),
        (Fault::DuplicateReport, often(200), None),
        (Fault::LoseReport, often(200), None),
        (Fault::LateReport { milliseconds: 700 }, often(200), None),
        (
            Fault::LateReport {
                milliseconds: 12_000,
            },
            often(60),
            None,
        ),
    ]
}
