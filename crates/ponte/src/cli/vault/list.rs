//! `ponte vault list`.

use clap::Args;
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::screen::{self, BOLD, DIM, SO_SO, ago, styled};
use super::{Opened, purposes, uses};
use crate::secret::vault_path;

/// Show what is in the vault: names, sizes, ages, uses; never the values
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault list\n  \
    ponte vault list --json | jq -r '.secrets[] | select(.used_for == []) | .name'")]
pub(super) struct List {}

#[derive(Serialize)]
struct Listed {
    vault: String,
    public_key: Option<String>,
    secrets: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    bytes: usize,
    set_at: Timestamp,
    used_for: Vec<String>,
}

impl List {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        let opened = Opened::of(context)?;
        let uses = uses(context)?;
        let secrets: Vec<Row> = opened
            .vault
            .entries()
            .map(|entry| Row {
                name: entry.name.to_string(),
                bytes: entry.bytes(),
                set_at: entry.set_at,
                used_for: purposes(&uses, &entry.name),
            })
            .collect();
        let listed = Listed {
            vault: vault_path(opened.data_dir).display().to_string(),
            public_key: opened.opener.public().map(|key| key.to_string()),
            secrets,
        };
        if context.json {
            return screen::print_json(&listed);
        }
        screen::print(&shown(&listed, context.now))
    }
}

fn shown(listed: &Listed, now: Timestamp) -> String {
    if listed.secrets.is_empty() {
        let next = styled(DIM, "ponte vault set NAME puts a secret there");
        return format!("{} is empty\n{next}\n", listed.vault);
    }
    let names = listed.secrets.iter().map(|row| row.name.len());
    let width = names.max().unwrap_or(0).max("secret".len());
    let heading = format!(
        "{:<width$}  {:>5}  {:<9}  used for",
        "secret", "bytes", "set"
    );
    let mut text = format!("{}\n", styled(BOLD, &heading));
    for row in &listed.secrets {
        let set = ago(row.set_at, now);
        let used = if row.used_for.is_empty() {
            styled(SO_SO, "nothing")
        } else {
            row.used_for.join(", ")
        };
        text += &format!("{:<width$}  {:>5}  {set:<9}  {used}\n", row.name, row.bytes);
    }
    text
}
