//! The tests of the program.

mod config;
