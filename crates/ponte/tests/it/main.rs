//! The tests of the program.

mod config;
mod intake;
