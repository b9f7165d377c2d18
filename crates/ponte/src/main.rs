//! The command line of Ponte.

use std::process::ExitCode;

/// Alerts are made on one thread and let go of on another, which this allocator does well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ponte::cli::run(std::env::args_os())
}
