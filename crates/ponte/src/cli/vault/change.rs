//! `ponte vault set` and `ponte vault remove`.

use clap::Args;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::record::{self, announce};
use super::super::screen::{self, DIM, GOOD, styled};
use super::{Opened, asked, purposes, uses};
use crate::secret::SecretName;

/// Put a secret into the vault, in the place of one of the same name
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault set main                                  asks, and shows nothing of it\n  \
    ponte vault set binance-signing-key < private.pem     reads a file\n  \
    openssl rand -hex 24 | ponte vault set main           reads another program\n\n\
    The secret is never an argument: those are seen by every user of the machine and kept in the \
    shell's history. A running Ponte takes a webhook's secret over at once, a broker's key at its next \
    start.")]
pub(super) struct Set {
    /// The name, by which ponte.toml calls it vault:NAME
    name: SecretName,
}

impl Set {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        // A vault that doesn't open should not be learnt of after the typing.
        let mut opened = Opened::of(context)?;
        let secret = asked(&format!("the secret for {}", self.name))?;
        let set = |vault: &mut crate::secret::Vault| {
            Ok(vault.set(self.name.clone(), &secret, context.now)?)
        };
        let replaced = opened.change(set)?;
        let bytes = secret.bytes();
        let running = announce(context, "vault_secret_set", self.name.to_string())?;
        if context.json {
            let name = self.name.as_str();
            return screen::print_json(&json!({
                "name": name, "bytes": bytes, "replaced": replaced, "running": running,
            }));
        }
        let word = if replaced { "replaced" } else { "put" };
        let mut text = format!("{} {}  {bytes} bytes\n", styled(GOOD, word), self.name);
        if purposes(&uses(context)?, &self.name).is_empty() {
            let name = &self.name;
            let next = format!("in {}: secret = \"vault:{name}\"", context.path.display());
            text += &format!("{}\n", styled(DIM, &next));
        }
        screen::print(&text)
    }
}

/// Take a secret out of the vault
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault remove main\n\n\
    One that ponte.toml names is taken out with --force only: without it Ponte does not start.")]
pub(super) struct Remove {
    /// Its name
    name: SecretName,
    /// Even if ponte.toml names it
    #[arg(long)]
    force: bool,
}

impl Remove {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut opened = Opened::of(context)?;
        let used = purposes(&uses(context)?, &self.name);
        if let (Some(used), false) = (used.first(), self.force) {
            let name = &self.name;
            return Err(Failure::refused(format!(
                "{name} is {used}: without it Ponte does not start"
            ))
            .cured_by("name another place in ponte.toml first, or --force"));
        }
        opened.change(|vault| {
            if vault.take_out(&self.name) {
                Ok(())
            } else {
                Err(vault.missing(&self.name).into())
            }
        })?;
        record::put(context, "vault_secret_removed", self.name.as_str());
        if context.json {
            return screen::print_json(&json!({ "name": self.name.as_str() }));
        }
        screen::print(&format!("{} {}\n", styled(GOOD, "removed"), self.name))
    }
}
