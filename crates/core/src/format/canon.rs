//! The digest of a message's meaning: field by field, each value in one spelling.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::id::Digest;
use crate::number::Price;
use crate::signal::{Protection, Terms};
use crate::time::Timestamp;

/// Tags and values in a fixed order. Absent fields leave nothing behind.
#[derive(Debug)]
pub(super) struct Canon {
    text: String,
    ends: Vec<usize>,
}

impl Canon {
    pub(super) fn new() -> Self {
        Self {
            text: String::with_capacity(256),
            ends: Vec::with_capacity(32),
        }
    }

    pub(super) fn text(&mut self, tag: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.part(tag);
            self.part(value);
        }
    }

    pub(super) fn number(&mut self, tag: &str, value: Option<Decimal>) {
        let Some(value) = value else {
            return;
        };
        self.part(tag);
        // Writing to a string can't fail.
        let _ = write!(self.text, "{}", value.normalize());
        self.ends.push(self.text.len());
    }

    pub(super) fn time(&mut self, tag: &str, value: Option<Timestamp>) {
        self.number(
            tag,
            value.map(|moment| Decimal::from(moment.microseconds())),
        );
    }

    pub(super) fn terms(&mut self, terms: &Terms, reference: Option<Price>) {
        let (name, trigger, price) = match *terms {
            // The default, whether it is written or not.
            Terms::Market => (None, None, None),
            Terms::Limit { price } => (Some("limit"), None, Some(price)),
            Terms::Stop { trigger } => (Some("stop"), Some(trigger), None),
            Terms::StopLimit { trigger, price } => (Some("stop_limit"), Some(trigger), Some(price)),
        };
        self.text("type", name);
        self.number("trigger", trigger.map(Price::get));
        self.number("price", price.map(Price::get));
        self.number("reference_price", reference.map(Price::get));
    }

    pub(super) fn protection(&mut self, protection: &Protection) {
        self.number("stop", protection.stop.map(Price::get));
        for target in &protection.targets {
            self.number("target", Some(target.get()));
        }
        self.number("trail", protection.trail_percent);
    }

    pub(super) fn digest(&self) -> Digest {
        let mut start = 0;
        let parts: Vec<&[u8]> = self
            .ends
            .iter()
            .map(|&end| {
                let part = &self.text.as_bytes()[start..end];
                start = end;
                part
            })
            .collect();
        Digest::of_parts("ponte signal", &parts)
    }

    fn part(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }
}
