//! `ponte restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::backup::{opener, shown};
use super::context::Context;
use super::failure::Failure;
use super::owner::Owner;
use super::passphrase::PassphraseFrom;
use super::screen::{self, BOLD, DIM, GOOD, SO_SO, count, facts, styled};
use crate::admin::HALT_FILE;
use crate::backup::{self, Holding, Manifest, Restored};

/// Put a backup in place, in an empty data directory, halted
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte restore ponte.tar --to data\n  \
    ponte restore ponte.tar.age --to /var/lib/ponte --key backup-key\n  \
    ponte restore ponte.tar.age --to data --passphrase-from -\n\n\
    Everything is verified before anything is in place: the digests of all parts, and the hash of \
    every event of the journal. What is restored does not know what happened after the backup was \
    made; so it starts halted, and you resume it once the positions are those at the broker.")]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory, which is empty or not there
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// The key that opens the backup
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_from")]
    key: Option<PathBuf>,
    /// Where the passphrase of the backup is: a file, or - to be asked
    #[arg(long, value_name = "FILE")]
    passphrase_from: Option<PassphraseFrom>,
}

#[derive(Serialize)]
struct Report<'a> {
    data_dir: String,
    configuration: String,
    halt: &'static str,
    halt_file: String,
    positions: &'a [Holding],
    open_orders: usize,
    manifest: &'a Manifest,
}

impl Restore {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match Owner::of_folder(&self.to) {
            Some(owner) => {
                owner.become_it()?;
                self.restore(context)
                    .map_err(|failure| failure.noted(&owner.note()))
            }
            None => self.restore(context),
        }
    }

    fn restore(&self, context: &Context) -> Result<(), Failure> {
        let opener = opener(self.key.as_deref(), self.passphrase_from.as_ref())?;
        let restored = backup::restore(&self.file, opener.as_ref(), &self.to, context.now)?;
        if context.json {
            return screen::print_json(&Report {
                data_dir: self.to.display().to_string(),
                configuration: restored.configuration.display().to_string(),
                halt: restored.level.as_str(),
                halt_file: self.to.join(HALT_FILE).display().to_string(),
                positions: &restored.positions,
                open_orders: restored.open_orders,
                manifest: &restored.manifest,
            });
        }
        screen::print(&self.shown(&restored, context))
    }

    fn shown(&self, restored: &Restored, context: &Context) -> String {
        let manifest = &restored.manifest;
        let place = self.to.display();
        let mut text = format!("{} {place}\n", styled(GOOD, "restored"));
        text += &shown(manifest, context.now);
        let positions = if restored.positions.is_empty() {
            "none".to_owned()
        } else {
            let each = restored.positions.iter().map(|held| {
                let Holding {
                    account,
                    strategy,
                    symbol,
                    quantity,
                } = held;
                format!("{account} {symbol} {quantity} ({strategy})")
            });
            each.collect::<Vec<_>>().join(", ")
        };
        let orders = count(restored.open_orders, "order", "orders");
        text += &facts(&[
            ("positions", positions),
            ("open     ", orders),
            ("halted   ", styled(SO_SO, restored.level.as_str())),
        ]);
        let made = &manifest.made_at;
        text += &format!(
            "\n{}\n  {}\n  {}\n  {}\n",
            styled(
                BOLD,
                &format!("what this journal does not know: everything after {made}")
            ),
            "orders, fills and positions of since: only the broker knows them",
            "alerts of since: nobody sends them again",
            "ids of alerts of since: an alert that comes with one of them again would be taken as new",
        );
        text += &format!("\n{}\n", styled(BOLD, "next"));
        for (step, why) in self.steps(&restored.configuration) {
            text += &format!("  {step}\n      {}\n", styled(DIM, &why));
        }
        text
    }

    fn steps(&self, configuration: &Path) -> Vec<(String, String)> {
        let place = self.to.display();
        vec![
            (
                "stop the Ponte that the backup is of, for ever".to_owned(),
                "two of them would trade twice".to_owned(),
            ),
            (
                format!("data_dir = \"{place}\" in ponte.toml"),
                format!("the configuration of then is {}", configuration.display()),
            ),
            (
                "ponte run".to_owned(),
                "entries are blocked; orders that were open then are asked about".to_owned(),
            ),
            (
                "ponte positions".to_owned(),
                "compare them with the broker's, and mend what differs at the broker".to_owned(),
            ),
            (
                format!("rm {}", self.to.join(HALT_FILE).display()),
                "the file holds the halt until a person takes it away".to_owned(),
            ),
            ("ponte resume".to_owned(), "trade again".to_owned()),
        ]
    }
}
