//! What every adapter must do.

mod account;
mod brackets;
mod cancelling;
mod finding;
mod limits;
mod refusals;
mod reports;
mod resting;
mod surviving;
mod trading;

use std::sync::Arc;

use super::desk::Run;
use super::subject::Subject;
use super::words::Words;

/// An adapter under test, shared by the behaviours.
pub(super) type Tested = Arc<dyn Subject>;

/// One thing that every adapter must do, or say why it does not apply.
pub(super) struct Behaviour {
    /// As tables show it.
    pub(super) name: Words,
    pub(super) run: fn(Tested) -> Run,
}

/// All of them, in the order of the table.
pub(super) fn every_behaviour() -> Vec<Behaviour> {
    [
        trading::behaviours,
        resting::behaviours,
        brackets::behaviours,
        cancelling::behaviours,
        finding::behaviours,
        surviving::behaviours,
        refusals::behaviours,
        reports::behaviours,
        account::behaviours,
        limits::behaviours,
    ]
    .into_iter()
    .flat_map(|group| group().into_iter())
    .collect()
}
