//! The paper broker: orders are matched by Ponte's own venue, and no money moves.
//!
//! [`Embedded`] holds the venue in this process; its memory is the journal, from which it is
//! rebuilt at every start. [`Remote`] speaks to a venue in another process, which outlives this
//! one: for rehearsing crashes and faults, and for tests.

mod embedded;
mod market;
mod remote;
mod translate;

pub use embedded::{Embedded, EmbeddedOptions, Remembered};
pub use market::{MarketPrices, Precedence};
pub use remote::Remote;

use ponte_core::policy::{Brackets, Capabilities};

/// What the matching venue can do.
#[must_use]
pub const fn capabilities() -> Capabilities {
    Capabilities {
        limit: true,
        stop: true,
        stop_limit: true,
        brackets: Brackets::OneOrder,
        trailing_stop: true,
        short: true,
        reduce_only: true,
        resting_reduce_only: false,
        resting_holds: false,
        one_strategy_per_symbol: false,
    }
}
