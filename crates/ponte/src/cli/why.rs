//! `ponte why`.

use std::fmt::Write as _;

use clap::Args;

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::Failure;
use super::lists::orders_table;
use super::story::timeline;
use super::{offline, screen};
use crate::admin::{NoStory, find_story};
use crate::journal::Story;

/// Tell the whole story of one alert or order
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte why A17          an alert, by its number\n  \
    ponte why 3f9c1ab0     an order, by its id or the start of it (6 digits or more)\n\n\
    Received, decided and committed, sent, acknowledged, filled: each with its time after the \
    alert was there, every rule with its numbers.")]
pub(super) struct Why {
    /// An alert's number or an order's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Why {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let path = format!("api/why/{}", self.id.trim());
        let story: Story = match Client::new(context)?.get(&path, &[])? {
            Asked::Answer(story) => story,
            Asked::NotRunning => {
                find_story(&offline::reader(context)?, &self.id)?.map_err(|error| match error {
                    NoStory::NotAnId(message) | NoStory::Absent(message) => {
                        Failure::refused(message).cured_by("ponte alerts, ponte orders")
                    }
                })?
            }
        };
        if context.json {
            return screen::print_json(&story);
        }
        let mut text = timeline(&story, context.now);
        if !story.orders.is_empty() {
            let _ = write!(text, "\n{}", orders_table(&story.orders, context.now));
        }
        screen::print(&text)
    }
}
