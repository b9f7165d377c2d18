//! Senders that never give up on an alert: sent again until it is answered `200`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ponte_venue::Decimal;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::exchange::{Prices, SYMBOLS};
use crate::crash_common::sending::{Answered, mix, until_answered};
use crate::program::{SECRET, client};

/// The pause between two alerts of one sender.
const PAUSE: Duration = Duration::from_millis(160);

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Vec<Answered>>>,
}

impl Load {
    pub(super) fn start(senders: u64, seed: u64, url: String, prices: Prices) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..senders)
            .map(|number| {
                let sender = Sender {
                    number,
                    drawn: mix(seed ^ (number + 1) << 32),
                    prices: prices.clone(),
                };
                tokio::spawn(send(sender, url.clone(), stop.clone()))
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
    number: u64,
    drawn: u64,
    prices: Prices,
}

impl Sender {
    fn draw(&mut self, below: u64) -> u64 {
        self.drawn = mix(self.drawn);
        self.drawn % below
    }

    /// The price of a symbol so many hundredths of a percent away from the last one.
    fn price(&self, which: usize, away: i64) -> String {
        let last = self.prices.lock().unwrap()[which];
        let price = last + last * Decimal::new(away, 4);
        price.round_dp(1).to_string()
    }

    fn alert(&mut self, number: u64) -> Value {
        let which = usize::try_from(self.draw(SYMBOLS.len() as u64)).unwrap();
        let (symbol, _) = SYMBOLS[which];
        // About 600 USDT each.
        let unit = ["0.01", "0.2", "1", "4"][which].parse::<Decimal>().unwrap();
        let quantity = unit * Decimal::from(1 + self.draw(3));
        let mut alert = json!({
            "secret": SECRET, "strategy": format!("s{}", self.number), "symbol": symbol,
            "id": format!("{}-{number}", self.number),
        });
        // Buys protect below, sells above.
        let is_buy = self.draw(4) != 0;
        let sign = if is_buy { 1 } else { -1 };
        let near = 20 + i64::try_from(self.draw(120)).unwrap();
        let far = 20 + i64::try_from(self.draw(150)).unwrap();
        let mut set = |key: &str, value: Value| alert[key] = value;
        let kind = self.draw(100);
        if kind < 64 {
            set("action", json!(if is_buy { "buy" } else { "sell" }));
            set("quantity", json!(quantity.to_string()));
        }
        match kind {
            0..20 => set("stop", json!(self.price(which, -sign * near))),
            20..38 => {
                set("stop", json!(self.price(which, -sign * near)));
                set("target", json!(self.price(which, sign * far)));
            }
            38..44 => {
                set("stop", json!(self.price(which, -sign * near)));
                let targets = [
                    self.price(which, sign * far),
                    self.price(which, sign * far * 2),
                ];
                set("target", json!(targets));
            }
            44..50 => set("trail", json!("0.5")),
            50..62 => {
                set("type", json!("limit"));
                set("price", json!(self.price(which, -sign * (near / 8))));
                set("stop", json!(self.price(which, -sign * (near + 40))));
            }
            62..64 => set("price", json!(self.price(which, 0))),
            64..70 => {
                set("action", json!("reverse"));
                set("quantity", json!(quantity.to_string()));
            }
            70..76 => set(
                "position",
                json!((Decimal::from(sign) * quantity).to_string()),
            ),
            76..84 => {
                set("action", json!("close"));
                set("percent", json!(50));
            }
            84..97 => set("action", json!("close")),
            _ => set("action", json!("cancel")),
        }
        alert
    }
}
