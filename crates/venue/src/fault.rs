//! Misbehaving on demand: which fault comes with which request or report, decided by counts and a seed.

use crate::hash;
use crate::rejection::{RejectCode, Rejection};
use crate::report::Report;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rules in one plan.
pub const FAULT_RULES_MAX: usize = 256;
/// The longest delay, in milliseconds: ten minutes.
pub const FAULT_DELAY_MILLISECONDS_MAX: u64 = 600_000;
/// Reports of one account that can be held back or lost at a time; further ones are delivered.
const WITHHELD_REPORTS_MAX: usize = 10_000;

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request is processed that much later, also if the caller has given up by then.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// A definite rejection; nothing is processed.
    Reject,
    /// The connection is cut; nothing is processed.
    DisconnectBefore,
    /// The request is processed, then the connection is cut without an answer.
    AcceptThenDisconnect,
    /// The request is processed, then answered with HTTP 500.
    ErrorAfterAccept,
    /// A search answers "absent" although the order is there: a read that lags behind.
    PretendAbsent,
    /// The report is delivered twice.
    DuplicateReport,
    /// The report is left out of the live delivery; a search and a reading of the gap still show it.
    LoseReport,
    /// The report is delivered live that much later, after younger ones.
    LateReport {
        /// How much later.
        milliseconds: u64,
    },
}

impl Fault {
    fn concerns_reports(self) -> bool {
        match self {
            Fault::DuplicateReport | Fault::LoseReport | Fault::LateReport { .. } => true,
            Fault::Delay { .. }
            | Fault::Reject
            | Fault::DisconnectBefore
            | Fault::AcceptThenDisconnect
            | Fault::ErrorAfterAccept
            | Fault::PretendAbsent => false,
        }
    }

    /// Whether the fault makes sense for the operation.
    fn fits(self, operation: Operation) -> bool {
        match self {
            Fault::Delay { .. }
            | Fault::DisconnectBefore
            | Fault::AcceptThenDisconnect
            | Fault::ErrorAfterAccept => true,
            Fault::Reject => matches!(operation, Operation::Place | Operation::Cancel),
            Fault::PretendAbsent => operation == Operation::Find,
            Fault::DuplicateReport | Fault::LoseReport | Fault::LateReport { .. } => {
                operation == Operation::Reports
            }
        }
    }

    fn milliseconds(self) -> u64 {
        match self {
            Fault::Delay { milliseconds } | Fault::LateReport { milliseconds } => milliseconds,
            Fault::Reject
            | Fault::DisconnectBefore
            | Fault::AcceptThenDisconnect
            | Fault::ErrorAfterAccept
            | Fault::PretendAbsent
            | Fault::DuplicateReport
            | Fault::LoseReport => 0,
        }
    }
}

/// What a request wants of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Place an order.
    Place,
    /// Find an order by its client order id.
    Find,
    /// Cancel one order or all.
    Cancel,
    /// Read reports.
    Reports,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The next so many times it could; then the rule is spent and leaves the plan.
    Next(u64),
    /// Each time with that probability, in thousandths; 0 to 1000.
    PerMille(u32),
}

/// A fault and when it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// When.
    pub trigger: Trigger,
    /// Only with that operation; none for every operation for which the fault makes sense.
    #[serde(default)]
    pub operation: Option<Operation>,
}

/// The faults to come. Pure: the same rules, seed and questions give the same answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultPlan {
    rules: Vec<FaultRule>,
    generator: u64,
}

impl FaultPlan {
    /// A plan without faults; the seed decides what probabilities will say.
    #[must_use]
    pub fn new(seed: u64) -> FaultPlan {
        // The generator must not start at zero.
        FaultPlan {
            rules: Vec::new(),
            generator: hash::mix(seed).max(1),
        }
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// The rule makes no sense, or there are too many.
    pub fn add(&mut self, rule: FaultRule) -> Result<(), Rejection> {
        let invalid = |message: String| Err(Rejection::new(RejectCode::InvalidRequest, message));
        if self.rules.len() >= FAULT_RULES_MAX {
            return invalid(format!(
                "fault plan has {} rules already, the most is {FAULT_RULES_MAX}",
                self.rules.len()
            ));
        }
        if rule.fault.milliseconds() > FAULT_DELAY_MILLISECONDS_MAX {
            let milliseconds = rule.fault.milliseconds();
            return invalid(format!(
                "fault delay {milliseconds} ms is above {FAULT_DELAY_MILLISECONDS_MAX}"
            ));
        }
        if let Trigger::PerMille(per_mille) = rule.trigger
            && per_mille > 1_000
        {
            return invalid(format!(
                "fault probability {per_mille} is above 1000 thousandths"
            ));
        }
        if let Some(operation) = rule.operation
            && !rule.fault.fits(operation)
        {
            return invalid(format!(
                "fault {:?} can't strike operation {operation:?}",
                rule.fault
            ));
        }
        if rule.trigger != Trigger::Next(0) {
            self.rules.push(rule);
        }
        Ok(())
    }

    /// Removes all rules.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules that are left, with what is left of their counts.
    #[must_use]
    pub fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// The faults that strike this request, in the order of their rules.
    pub fn next(&mut self, operation: Operation) -> Vec<Fault> {
        self.strike(|rule| {
            let wanted = rule.operation.is_none_or(|only| only == operation);
            wanted && !rule.fault.concerns_reports() && rule.fault.fits(operation)
        })
    }

    /// The faults that strike the live delivery of one report, in the order of their rules.
    pub fn next_for_report(&mut self) -> Vec<Fault> {
        self.strike(|rule| rule.fault.concerns_reports())
    }

    fn strike(&mut self, concerned: impl Fn(&FaultRule) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for index in 0..self.rules.len() {
            if !concerned(&self.rules[index]) {
                continue;
            }
            let strikes = match self.rules[index].trigger {
                Trigger::Next(count) => {
                    self.rules[index].trigger = Trigger::Next(count.saturating_sub(1));
                    true
                }
                Trigger::PerMille(per_mille) => self.draw() % 1_000 < u64::from(per_mille),
            };
            if strikes {
                faults.push(self.rules[index].fault);
            }
        }
        self.rules.retain(|rule| rule.trigger != Trigger::Next(0));
        faults
    }

    /// The generator known as xorshift64.
    fn draw(&mut self) -> u64 {
        self.generator ^= self.generator << 13;
        self.generator ^= self.generator >> 7;
        self.generator ^= self.generator << 17;
        hash::mix(self.generator)
    }
}

/// The live delivery of one account's reports: decides once for each report whether it comes on time, twice, late or
/// never. Readers of the same account share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveDelivery {
    /// Reports up to this number have been decided on.
    decided: u64,
    lost: BTreeSet<u64>,
    /// Report and the moment from which it is delivered.
    held: BTreeMap<u64, (Micros, Report)>,
}

impl LiveDelivery {
    /// What a live reader gets now: `reports` (those after the reader's number, oldest first) without the lost and
    /// the late ones, some twice, and then the late ones whose time has come, each once.
    pub fn deliver(
        &mut self,
        plan: &mut FaultPlan,
        reports: &[Report],
        now: Micros,
    ) -> Vec<Report> {
        let mut delivered = Vec::new();
        for report in reports {
            if report.number > self.decided {
                self.decided = report.number;
                self.decide(plan.next_for_report(), report, now, &mut delivered);
            } else if !self.lost.contains(&report.number) && !self.held.contains_key(&report.number)
            {
                delivered.push(report.clone());
            }
        }
        let due: Vec<u64> = self
            .held
            .iter()
            .filter(|(_, (from, _))| *from <= now)
            .map(|(number, _)| *number)
            .collect();
        delivered.extend(
            due.iter()
                .filter_map(|number| self.held.remove(number))
                .map(|(_, report)| report),
        );
        delivered
    }

    /// The moment at which the next late report comes due, if any is held back.
    #[must_use]
    pub fn next_due(&self) -> Option<Micros> {
        self.held.values().map(|(from, _)| *from).min()
    }

    fn decide(
        &mut self,
        faults: Vec<Fault>,
        report: &Report,
        now: Micros,
        delivered: &mut Vec<Report>,
    ) {
        let mut copies = 1;
        for fault in faults {
            match fault {
                Fault::DuplicateReport => copies += 1,
                Fault::LoseReport if self.lost.len() < WITHHELD_REPORTS_MAX => {
                    self.lost.insert(report.number);
                    copies = 0;
                    break;
                }
                Fault::LateReport { milliseconds } if self.held.len() < WITHHELD_REPORTS_MAX => {
                    let from =
                        now.plus_milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX));
                    self.held.insert(report.number, (from, report.clone()));
                    copies = 0;
                    break;
                }
                Fault::LoseReport
                | Fault::LateReport { .. }
                | Fault::Delay { .. }
                | Fault::Reject
                | Fault::DisconnectBefore
                | Fault::AcceptThenDisconnect
                | Fault::ErrorAfterAccept
                | Fault::PretendAbsent => {}
            }
        }
        delivered.extend(std::iter::repeat_n(report, copies).cloned());
    }
}
