//! A deterministic order-matching venue: the paper broker's heart, and the brokers' stand-in for tests and rehearsals.
//!
//! * [`Venue`] matches orders against told prices. It reads no clock and draws no random numbers: the time is an
//!   argument, and the same calls give the same answers.
//! * [`feed`] makes prices from a seed, [`fault`] makes a venue misbehave on demand; both are as deterministic.
//! * `faces` (cargo feature of that name) puts HTTP in front of a venue. Only there are a clock and sockets.
//!
//! It shares no code with the gateway's core and its broker adapters, so that both can't be wrong in the same way.

mod account;
mod fill_model;
mod hash;
mod instrument;
mod money;
mod order;
mod rejection;
mod report;
mod time;
mod trigger;
mod venue;

pub mod fault;
pub mod feed;

#[cfg(feature = "faces")]
pub mod faces;

pub use account::{Balance, CLOSED_ORDERS_KEPT_MAX, Position};
pub use fill_model::{FillModel, LimitFill, SLICES_MAX};
pub use instrument::Instrument;
pub use money::{INPUT_DECIMALS_MAX, MONEY_DECIMALS, money_max, price_max, quantity_max};
pub use order::{
    CancelReason, ExpiryReason, Fill, Liquidity, Order, OrderKind, OrderRequest, OrderStatus,
    Phase, Side, TimeInForce, TradeId, VenueOrderId,
};
pub use rejection::{RejectCode, Rejection};
pub use report::{REPORTS_KEPT_MAX, REPORTS_PAGE_MAX, Report, ReportEvent, ReportPage};
pub use time::Micros;
pub use trigger::PriceTrigger;
pub use venue::{
    ACCOUNTS_MAX, AccountSeed, CancelError, DuplicateIds, LastPrice, NAME_BYTES_MAX,
    OPEN_ORDERS_MAX, OpenOrderSeed, PositionSeed, SYMBOLS_MAX, Venue, VenueOptions,
};

/// Decimals, as this crate and its callers count.
pub use rust_decimal::Decimal;
