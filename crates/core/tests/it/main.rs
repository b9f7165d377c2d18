//! The core seen from outside: examples, properties, and the simulation of the whole program.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod b3;
mod engine;
mod format;
mod properties;
mod sim;
