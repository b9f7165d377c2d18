//! The tests of the program.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod config;
mod crash;
mod intake;
