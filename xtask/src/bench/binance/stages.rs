//! How long Ponte says that its own stages took: the means of its histograms over one series.

use std::thread;
use std::time::Duration;

use super::Orders;
use crate::Result;
use crate::bench::http::Connection;
use crate::stopwatch::Stopwatch;

const RECEIVE_TO_COMMIT: &str = "ponte_receive_to_commit_seconds";
const COMMIT_TO_SENT: &str = "ponte_commit_to_sent_seconds";

/// How long the last order of a series may wait for its answer.
const ANSWERED_MAX: Duration = Duration::from_secs(30);

/// The mean way of one Ponte's alerts in one series, over both markets.
pub(in crate::bench) struct Stages {
    pub(in crate::bench) orders: Orders,
    pub(in crate::bench) at_once: usize,
    pub(in crate::bench) alerts: u64,
    /// From before the alert is written to the order's first byte, as it is measured outside.
    pub(in crate::bench) whole: Duration,
    /// From the alert's last byte inside of Ponte to the end of the durable commit.
    pub(in crate::bench) receive_to_commit: Duration,
    /// From there until the order is handed to the adapter.
    pub(in crate::bench) commit_to_sent: Duration,
}

impl Stages {
    /// What the metrics don't see: the webhook's request before it is whole, and after the hand-over the adapter's
    /// signing, the HTTP client or web socket, and the kernel.
    pub(in crate::bench) fn rest(&self) -> Duration {
        self.whole
            .saturating_sub(self.receive_to_commit + self.commit_to_sent)
    }

    /// The share of the commit, with the decision before it, in percent.
    pub(in crate::bench) fn commit_percent(&self) -> f64 {
        100.0 * self.receive_to_commit.as_secs_f64() / self.whole.as_secs_f64()
    }
}

/// What the two histograms held at a moment.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    committed: Total,
    sent: Total,
}

#[derive(Clone, Copy)]
struct Total {
    count: u64,
    seconds: f64,
}

impl Reading {
    /// Reads a Ponte's metrics.
    pub(super) fn take(admin: u16) -> Result<Reading> {
        let (status, text) = Connection::open(admin)?.get("/metrics")?;
        if status != 200 {
            return Err(format!("the metrics were answered with {status}").into());
        }
        Reading::of(&text)
    }

    /// Reads them once so many more alerts have been committed, and their orders answered, than before.
    pub(super) fn after(self, admin: u16, orders: u64) -> Result<Reading> {
        let watch = Stopwatch::start();
        loop {
            let now = Reading::take(admin)?;
            let counts = [
                now.sent.count - self.sent.count,
                now.committed.count - self.committed.count,
            ];
            let answered = counts.into_iter().min().unwrap_or_default();
            if answered >= orders {
                return Ok(now);
            }
            if watch.elapsed() > ANSWERED_MAX {
                return Err(format!("only {answered} of {orders} orders were answered").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The means of both stages since an earlier reading, and how many alerts there were.
    pub(super) fn since(self, earlier: Reading) -> (u64, Duration, Duration) {
        let mean = |now: Total, then: Total| {
            let count = (now.count - then.count).max(1);
            Duration::from_secs_f64((now.seconds - then.seconds).max(0.0) / count as f64)
        };
        (
            self.committed.count - earlier.committed.count,
            mean(self.committed, earlier.committed),
            mean(self.sent, earlier.sent),
        )
    }

    fn of(text: &str) -> Result<Reading> {
        Ok(Reading {
            committed: total(text, RECEIVE_TO_COMMIT)?,
            sent: total(text, COMMIT_TO_SENT)?,
        })
    }
}

fn total(text: &str, name: &str) -> Result<Total> {
    let value = |end: &str| {
        let name = format!("{name}_{end} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.ok_or_else(|| format!("the metrics have no {name}"))
    };
    Ok(Total {
        count: value("count")?.parse()?,
        seconds: value("sum")?.parse()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(committed: (u64, f64), sent: (u64, f64)) -> Reading {
        let text = format!(
            "# TYPE x histogram\n{RECEIVE_TO_COMMIT}_sum {}\n{RECEIVE_TO_COMMIT}_count {}\n\
             {COMMIT_TO_SENT}_sum {}\n{COMMIT_TO_SENT}_count {}\n# EOF\n",
            committed.1, committed.0, sent.1, sent.0
        );
        Reading::of(&text).unwrap()
    }

    #[test]
    fn means_are_of_what_came_between() {
        let before = reading((10, 1.0), (10, 0.5));
        let after = reading((14, 1.02), (12, 0.501));
        let (alerts, commit, sent) = after.since(before);
        assert_eq!(alerts, 4);
        assert_eq!(commit.as_micros(), 5_000);
        assert_eq!(sent.as_micros(), 500);
    }

    #[test]
    fn missing_metrics_are_an_error() {
        assert!(Reading::of("# EOF\n").is_err());
    }

    #[test]
    fn the_rest_is_what_the_stages_leave() {
        let stages = Stages {
            orders: Orders::Rest,
            at_once: 1,
            alerts: 1,
            whole: Duration::from_micros(1_000),
            receive_to_commit: Duration::from_micros(600),
            commit_to_sent: Duration::from_micros(100),
        };
        assert_eq!(stages.rest(), Duration::from_micros(300));
        assert!((stages.commit_percent() - 60.0).abs() < 1e-9);
    }
}
