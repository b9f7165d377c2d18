//! The dead man's switch: the exchange takes back resting orders of ours when nobody re-arms it.
//!
//! It covers what rests in the book, targets among it. Orders that wait for a trigger are left
//! alone, so that protective stops survive (USDⓈ-M Futures, "Auto-Cancel All Open Orders").

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;

use super::Futures;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::limits::Purpose;
use crate::brokers::binance::params::Params;
use crate::clock;

/// How often it is looked whether anything rests.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// It is armed anew after this part of its time.
const REARM_DIVISOR: u32 = 3;

/// When each contract's switch was armed last.
type Armed = BTreeMap<String, Instant>;

impl Futures {
    /// Keeps the switch armed where orders of ours rest, and disarmed where none do. Never ends.
    pub(super) async fn keep_switch(&self) {
        let Some(countdown) = self.dead_mans_switch else {
            return std::future::pending().await;
        };
        let mut armed = Armed::new();
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let resting = self.book().resting();
            let now = clock::instant();
            let due = |name: &String| {
                armed.get(name).is_none_or(|at| {
                    now.saturating_duration_since(*at) >= countdown / REARM_DIVISOR
                })
            };
            let arm: Vec<String> = resting.iter().filter(|name| due(name)).cloned().collect();
            let disarm: Vec<String> = armed
                .keys()
                .filter(|name| !resting.contains(*name))
                .cloned()
                .collect();
            for name in arm {
                if self.set_switch(&name, countdown).await {
                    armed.insert(name, now);
                }
            }
            for name in disarm {
                if self.set_switch(&name, Duration::ZERO).await {
                    armed.remove(&name);
                }
            }
        }
    }

    /// Sets one contract's countdown; zero disarms. `false` when that failed.
    async fn set_switch(&self, name: &str, countdown: Duration) -> bool {
        let params = Params::new()
            .with("symbol", name)
            .with("countdownTime", countdown.as_millis().to_string());
        let path = "/fapi/v1/countdownCancelAll";
        let call = Call::signed(Method::POST, path, params, Purpose::Exit);
        match self.client.call(&call).await.or_error() {
            Ok(_) => true,
            Err(problem) => {
                tracing::warn!(
                    account.id = %self.name, symbol = name, countdown_s = countdown.as_secs(), reason = %problem,
                    "the dead man's switch could not be set; the exchange may take resting orders back"
                );
                false
            }
        }
    }
}
