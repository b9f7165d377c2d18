//! The command line of Ponte.

use std::process::ExitCode;

fn main() -> ExitCode {
    ponte::cli::run(std::env::args_os())
}
