//! The hello-world on axum: what a webhook that does nothing reaches on this machine.

use std::process::Command;

use super::{Bench, Results, http, load};
use crate::Result;
use crate::process::Running;

/// Measures it.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let program = bench.build("bench-hello")?;
    let port = http::free_port()?;
    let mut hello = Running::start(Command::new(program).arg(format!("127.0.0.1:{port}")))?;
    http::wait_for_port(&mut hello, port)?;
    results.hello = load::measure(bench, "hello", port)?;
    Ok(())
}
