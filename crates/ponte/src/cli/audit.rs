//! `ponte audit`.

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::screen::{self, BAD, GOOD, facts, styled};
use crate::journal::{Verified, path_in, verify};

/// Check that the journal is as it was written
#[derive(Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Read every event and check that its hash follows from its content and the one before
    #[command(after_help = "Examples:\n  \
        ponte audit verify\n  \
        ponte audit verify --json | jq -r .hash   note the hash elsewhere: nobody can then rewrite the end\n\n\
        It may run beside a running Ponte. Exit status 1 when the chain is broken.")]
    Verify,
}

impl Audit {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self.what {
            What::Verify => run_verify(context),
        }
    }
}

fn run_verify(context: &Context) -> Result<(), Failure> {
    let path = path_in(&context.config()?.data_dir);
    if !path.exists() {
        return Err(
            Failure::unreachable(format!("there is no journal at {}", path.display()))
                .cured_by("ponte run writes one"),
        );
    }
    let verified = verify(&path)?;
    if context.json {
        screen::print_json(&verified)?;
    } else {
        screen::print(&shown(&verified))?;
    }
    if verified.broken.is_some() {
        return Err(Failure::silent(REFUSED));
    }
    Ok(())
}

fn shown(verified: &Verified) -> String {
    let verdict = match &verified.broken {
        None => styled(GOOD, "the chain holds"),
        Some(broken) => {
            let place = format!("broken at event {}: {}", broken.seq, broken.problem);
            styled(BAD, &place)
        }
    };
    let range = match (verified.first, verified.last) {
        (Some(first), Some(last)) => format!("{} ({first} to {last})", verified.events),
        (None, _) | (_, None) => verified.events.to_string(),
    };
    let mut rows = vec![("journal", verdict), ("events", range)];
    if verified.retired > 0 {
        rows.push(("retired", verified.retired.to_string()));
    }
    rows.push(("last hash", verified.hash.to_string()));
    facts(&rows)
}
