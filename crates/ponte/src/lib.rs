//! Everything of Ponte that touches the world.

pub mod app;
pub mod brokers;
pub mod clock;
pub mod config;
pub mod engine;
pub mod execution;
pub mod intake;
pub mod journal;
pub mod metrics;
pub mod random;
pub mod secret;
