//! What the service manager is told: when Ponte is ready, that it lives, how it is (`sd_notify(3)`).
//!
//! Where nobody listens (`NOTIFY_SOCKET` is not set) nothing is told, and Ponte is the same.

use std::time::Duration;

use ponte_core::order::OrderStatus;
use ponte_core::state::State;
use sd_notify::NotifyState;

use crate::engine::{Engine, Unavailable};

/// How often the line of `systemctl status` is written anew.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// The wait before the engine is asked again whether alerts are taken.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// By how much a start or a stop asks for more time whenever it has come a little further.
const MORE_TIME: Duration = Duration::from_secs(30);

/// Whether somebody wants to be told.
pub(super) fn listens() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|path| !path.is_empty())
}

/// Tells what is being done before alerts are taken, and asks for time to do it.
pub(super) fn starting(status: &str) {
    let more = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Status(status),
        NotifyState::ExtendTimeoutUsec(more),
    ]);
}

/// Tells that the end has begun.
pub(super) fn stopping() {
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping: answers what is under way"),
    ]);
}

/// Tells that Ponte is ready once alerts are taken, then how it is and that it lives, for as long as
/// the engine goes round. It ends with the engine.
pub(super) async fn attend(engine: Engine, place: String) {
    if until_ready(&engine).await.is_err() {
        return;
    }
    let status = format!("takes alerts at {place}");
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
    tokio::join!(keep_alive(engine.clone()), keep_status(engine, place));
}

/// Waits until an alert would be made durable. A journal that can't be written is no reason to be
/// started again, which would not cure it: alerts are answered `503` meanwhile, and it is said.
async fn until_ready(engine: &Engine) -> Result<(), Unavailable> {
    // This look may share its batch with the record of the start; what is asked after it comes after
    // the commit of both.
    engine.look(|_| ()).await?;
    loop {
        engine.look(|_| ()).await?;
        if engine.is_ready() {
            return Ok(());
        }
        starting("the journal can't be written: alerts are answered 503");
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Feeds the watchdog, each time only after the engine's thread has gone round: neither a stuck
/// engine nor a stuck runtime gets here.
async fn keep_alive(engine: Engine) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    while engine.look(|_| ()).await.is_ok() {
        tell(&[NotifyState::Watchdog]);
        tokio::time::sleep(interval / 2).await;
    }
}

/// Keeps the line of `systemctl status` fresh.
async fn keep_status(engine: Engine, place: String) {
    let mut told = String::new();
    while let Ok(seen) = engine.look(Seen::of).await {
        let status = seen.told(&place, engine.is_ready());
        if status != told {
            tell(&[NotifyState::Status(&status)]);
            told = status;
        }
        tokio::time::sleep(STATUS_EVERY).await;
    }
}

/// What the line of `systemctl status` tells.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    alerts: u64,
    open: usize,
    unknown: usize,
    positions: usize,
    halts: usize,
}

impl Seen {
    fn of(state: &State) -> Self {
        let positions = state.positions();
        let held = positions
            .iter()
            .filter(|position| !position.quantity.is_zero());
        let unknown = |order: &&ponte_core::order::Order| order.status == OrderStatus::Unknown;
        Self {
            alerts: state.last_alert,
            open: state.open_orders().count(),
            unknown: state.unsettled_orders().filter(unknown).count(),
            positions: held.count(),
            halts: state.halts.len(),
        }
    }

    fn told(&self, place: &str, ready: bool) -> String {
        let mut status = if ready {
            format!("takes alerts at {place}")
        } else {
            "the journal can't be written: alerts are answered 503".to_owned()
        };
        let mut add = |number: u64, one: &str, many: &str| match number {
            0 => {}
            1 => status.push_str(&format!("; 1 {one}")),
            number => status.push_str(&format!("; {number} {many}")),
        };
        add(self.positions as u64, "position", "positions");
        add(self.open as u64, "open order", "open orders");
        add(self.unknown as u64, "of unknown fate", "of unknown fate");
        add(self.halts as u64, "halt", "halts");
        match self.alerts {
            0 => status.push_str("; no alert yet"),
            last => status.push_str(&format!("; last alert A{last}")),
        }
        status
    }
}

fn tell(states: &[NotifyState<'_>]) {
    // Whoever wanted to know has gone, or is not well; Ponte goes on either way.
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_one_short_line() {
        let calm = Seen {
            alerts: 0,
            open: 0,
            unknown: 0,
            positions: 0,
            halts: 0,
        };
        assert_eq!(
            calm.told("0.0.0.0:443", true),
            "takes alerts at 0.0.0.0:443; no alert yet"
        );
        let busy = Seen {
            alerts: 17,
            open: 3,
            unknown: 1,
            positions: 1,
            halts: 2,
        };
        assert_eq!(
            busy.told("0.0.0.0:443", true),
            "takes alerts at 0.0.0.0:443; 1 position; 3 open orders; 1 of unknown fate; 2 halts; \
             last alert A17"
        );
        assert_eq!(
            calm.told("0.0.0.0:443", false),
            "the journal can't be written: alerts are answered 503; no alert yet"
        );
    }
}
