//! `ponte health`.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, GOOD, styled};

/// Ask whether Ponte lives, for health checks of containers and scripts
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte health\n  \
    ponte health --ready --timeout 1\n  \
    ponte health --config /etc/ponte/ponte.toml --json\n\n\
    Exit status 0 when it lives, 1 when it answers that it is not well, 3 when it does not answer.")]
pub(super) struct Health {
    /// Ask whether alerts would be taken now, not only whether the process lives
    #[arg(long)]
    ready: bool,
    /// How long to wait for the answer, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 2,
        value_parser = clap::value_parser!(u64).range(1..=30)
    )]
    timeout: u64,
}

/// What `/healthz` and `/readyz` answer.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: String,
    /// Why it is not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Health {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.timeout);
        let client = Client::with_patience(context, patience)?;
        let path = if self.ready { "readyz" } else { "healthz" };
        let Asked::Answer((status, answer)) = client.look::<Answer>(path)? else {
            let listen = context.config()?.admin.listen;
            return Err(Failure::unreachable(format!(
                "nothing listens at {listen}: Ponte is not running"
            )));
        };
        let well = status.is_success();
        if context.json {
            screen::print_json(&answer)?;
        } else {
            let word = screen::printable(&answer.status).replace('_', " ");
            let word = styled(if well { GOOD } else { BAD }, &word);
            let reason = answer.reason.as_deref().map(screen::printable);
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            screen::print(&format!("{word}{reason}\n"))?;
        }
        if well {
            Ok(())
        } else {
            Err(Failure::silent(REFUSED))
        }
    }
}
