//! The tests of the program.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod admin;
mod binance;
mod cli;
mod config;
mod conformance;
mod crash;
mod end_to_end;
mod full_disk;
mod intake;
mod program;

/// A client for addresses of this machine; like every client here it brings its TLS along, because
/// the process has none by default.
fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured((*ponte::tls::client_config()).clone())
        .no_proxy()
        .build()
        .unwrap()
}
