//! The fault plan and the live delivery of reports.

use crate::script::{ACCOUNT, run, venue};
use ponte_venue::fault::*;
use ponte_venue::*;

fn plan(rules: &[(Fault, Trigger, Option<Operation>)]) -> FaultPlan {
    let mut plan = FaultPlan::new(7);
    for (fault, trigger, operation) in rules {
        plan.add(FaultRule {
            fault: *fault,
            trigger: *trigger,
            operation: *operation,
        })
        .unwrap();
    }
    plan
}

#[test]
fn counts_are_spent_and_operations_chosen() {
    let delay = Fault::Delay { milliseconds: 5 };
    let mut plan = plan(&[
        (Fault::Reject, Trigger::Next(2), None),
        (delay, Trigger::Next(1), Some(Operation::Find)),
        (Fault::LoseReport, Trigger::Next(1), None),
    ]);
    assert_eq!(plan.next(Operation::Place), [Fault::Reject]);
    assert_eq!(plan.next(Operation::Find), [delay]);
    assert_eq!(plan.next(Operation::Reports), []);
    assert_eq!(plan.next(Operation::Cancel), [Fault::Reject]);
    assert_eq!(plan.next(Operation::Place), []);
    assert_eq!(plan.rules().len(), 1);
    assert_eq!(plan.next_for_report(), [Fault::LoseReport]);
    assert_eq!(plan.rules(), []);
}

#[test]
fn probabilities_come_from_the_seed() {
    let draws = |per_mille: u32| -> Vec<bool> {
        let mut plan = plan(&[(Fault::DisconnectBefore, Trigger::PerMille(per_mille), None)]);
        (0..2_000)
            .map(|_| !plan.next(Operation::Place).is_empty())
            .collect()
    };
    let count = |per_mille: u32| {
        draws(per_mille)
            .into_iter()
            .filter(|struck| *struck)
            .count()
    };
    assert_eq!(draws(300), draws(300));
    assert!((500..700).contains(&count(300)), "{}", count(300));
    assert_eq!((count(0), count(1_000)), (0, 2_000));
}

#[test]
fn senseless_rules_are_refused() {
    let refused = |fault, trigger, operation| {
        FaultPlan::new(1)
            .add(FaultRule {
                fault,
                trigger,
                operation,
            })
            .unwrap_err()
            .message
    };
    assert_eq!(
        refused(Fault::Reject, Trigger::PerMille(1_001), None),
        "fault probability 1001 is above 1000 thousandths"
    );
    let slow = Fault::Delay {
        milliseconds: FAULT_DELAY_MILLISECONDS_MAX + 1,
    };
    assert_eq!(
        refused(slow, Trigger::Next(1), None),
        "fault delay 600001 ms is above 600000"
    );
    let odd = refused(Fault::LoseReport, Trigger::Next(1), Some(Operation::Place));
    assert_eq!(odd, "fault LoseReport can't strike operation Place");
}

/// Three reports (1, 2, 3), each with its faults; what a live reader at 0 then gets at 0 ms and, from where it stands,
/// at 100 ms.
#[test]
fn reports_come_twice_late_or_never() {
    let late = Fault::LateReport { milliseconds: 100 };
    let cases: [(&[Fault], &[u64], &[u64]); 4] = [
        (&[], &[1, 2, 3], &[]),
        (&[Fault::DuplicateReport], &[1, 1, 2, 3], &[]),
        (&[Fault::LoseReport], &[2, 3], &[]),
        (&[late], &[2, 3], &[1]),
    ];
    for (faults, first, second) in cases {
        let mut venue = venue(FillModel::optimistic());
        for step in ["a buy 1 limit 90", "b buy 1 limit 90", "c buy 1 limit 90"] {
            run(&mut venue, step, Micros(0), &mut Vec::new());
        }
        let rules: Vec<_> = faults
            .iter()
            .map(|fault| (*fault, Trigger::Next(1), None))
            .collect();
        let (mut plan, mut delivery) = (plan(&rules), LiveDelivery::default());
        let mut read = |after: u64, now: i64| -> Vec<u64> {
            let reports = venue.reports_after(ACCOUNT, after).unwrap().reports;
            delivery
                .deliver(&mut plan, &reports, Micros(now))
                .iter()
                .map(|report| report.number)
                .collect()
        };
        assert_eq!(read(0, 0), first, "{faults:?}");
        assert_eq!(read(3, 99_999), [] as [u64; 0], "{faults:?}");
        assert_eq!(read(3, 100_000), second, "{faults:?}");
        assert_eq!(read(3, 100_000), [] as [u64; 0], "{faults:?}");
    }
}
