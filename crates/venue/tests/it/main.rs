//! The venue's tests: tables of cases, properties of random sequences, and the faces over real connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[cfg(feature = "faces")]
mod binance_futures;
#[cfg(feature = "faces")]
mod binance_spot;
mod books;
mod bounds;
#[cfg(feature = "faces")]
mod face;
mod fault;
mod feed;
#[cfg(feature = "faces")]
mod mt5;
mod orders;
mod properties;
mod script;
mod triggers;
