//! `ponte vault list`.

use clap::Args;
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::screen::{self, DIM, SO_SO, ago, styled};
use super::super::table::{Cell, left, right, table};
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
    let columns = [
        left("secret"),
        right("bytes"),
        left("set"),
        left("used for"),
    ];
    let rows = listed.secrets.iter().map(|row| {
        let used = match row.used_for.is_empty() {
            true => Cell::new(SO_SO, "nothing"),
            false => Cell::plain(row.used_for.join(", ")),
        };
        vec![
            Cell::plain(&row.name),
            Cell::plain(row.bytes.to_string()),
            Cell::dim(ago(row.set_at, now)),
            used,
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>())
}
