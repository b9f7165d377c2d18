//! Senders of alerts, each with a strategy and a symbol of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ponte_venue::Decimal;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::terminal::{Prices, SYMBOLS, on_tick};
use crate::crash_common::sending::{Answered, mix, until_answered};
use crate::program::{SECRET, client};

/// The pause between two alerts of one sender.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Vec<Answered>>>,
}

impl Load {
    pub(super) fn start(seed: u64, url: &str, prices: &Prices) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..SYMBOLS.len())
            .map(|which| {
                let sender = Sender {
                    which,
                    drawn: mix(seed ^ (which as u64 + 1) << 32),
                    prices: prices.clone(),
                };
                tokio::spawn(send(sender, url.to_owned(), stop.clone()))
            })
            .collect();
        Self { stop, senders }
    }

    /// No new alerts; those on their way are answered first.
    pub(super) async fn stop(self) -> Vec<Answered> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for sender in self.senders {
            all.extend(sender.await.unwrap());
        }
        all
    }
}

async fn send(mut sender: Sender, url: String, stop: Arc<AtomicBool>) -> Vec<Answered> {
    let client = client();
    let mut answered = Vec::new();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let body = sender.alert(number).to_string();
        let alert = until_answered(&client, &url, &body).await;
        answered.push(Answered { alert, body });
        tokio::time::sleep(PAUSE).await;
    }
    answered
}

/// Makes one strategy's alerts.
struct Sender {
    which: usize,
    drawn: u64,
    prices: Prices,
}

impl Sender {
    fn draw(&mut self, below: u64) -> u64 {
        self.drawn = mix(self.drawn);
        self.drawn % below
    }

    /// The price so many hundredths of a percent away from the last one.
    fn price(&self, away: i64) -> Value {
        let last = self.prices.lock().unwrap()[self.which];
        let price = on_tick(self.which, last + last * Decimal::new(away, 4));
        json!(price.to_string())
    }

    fn alert(&mut self, number: u64) -> Value {
        let mut alert = json!({
            "secret": SECRET, "strategy": format!("s{}", self.which),
            "symbol": SYMBOLS[self.which].0, "id": format!("{}-{number}", self.which),
        });
        let quantity = 1 + self.draw(3);
        let is_buy = self.draw(3) != 0;
        let sign = if is_buy { 1 } else { -1 };
        let near = 30 + i64::try_from(self.draw(120)).unwrap();
        let far = 30 + i64::try_from(self.draw(150)).unwrap();
        let mut set = |key: &str, value: Value| alert[key] = value;
        let kind = self.draw(100);
        if kind < 56 {
            set("action", json!(if is_buy { "buy" } else { "sell" }));
            set("quantity", json!(quantity.to_string()));
        }
        match kind {
            0..24 => set("stop", self.price(-sign * near)),
            24..44 => {
                set("stop", self.price(-sign * near));
                set("target", self.price(sign * far));
            }
            44..56 => {
                set("type", json!("limit"));
                set("price", self.price(-sign * (near / 8)));
                set("stop", self.price(-sign * (near + 40)));
            }
            56..66 => {
                set("action", json!("reverse"));
                set("quantity", json!(quantity.to_string()));
            }
            66..78 => {
                set("action", json!("close"));
                set("percent", json!(50));
            }
            78..95 => set("action", json!("close")),
            _ => set("action", json!("cancel")),
        }
        alert
    }
}
