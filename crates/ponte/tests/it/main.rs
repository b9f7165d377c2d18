//! The tests of the program.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod acme;
mod admin;
mod backup;
mod binance;
mod bridge;
mod canary;
mod canary_backup;
mod cli;
mod config;
mod conformance;
mod crash;
mod crash_binance;
mod crash_common;
mod crash_mt5;
mod doctor;
mod end_to_end;
mod end_to_end_binance;
mod end_to_end_mt5;
mod full_disk;
mod hardening;
mod hosting;
mod intake;
mod mt5;
mod mt5_bridge;
mod prices;
mod program;
mod remote;
mod restart;
mod terminals;
mod tls_client;
