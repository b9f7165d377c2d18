//! Everything of Ponte that touches the world.

pub mod admin;
pub mod app;
pub mod backup;
pub mod bridge;
pub mod brokers;
pub mod cli;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod engine;
pub mod execution;
pub mod files;
pub mod intake;
pub mod journal;
pub mod metrics;
pub mod prices;
pub mod random;
pub mod secret;
pub mod server;
pub mod tls;
