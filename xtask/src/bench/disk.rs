//! The disk's own durable append: what no durable webhook can be faster than.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use super::{Bench, Results};
use crate::Result;
use crate::stopwatch::Stopwatch;

/// The sizes appended: about one alert, and one page of SQLite.
const SIZES: [usize; 2] = [1024, 4096];

/// How long it took to append so many bytes and to have them on the disk.
pub(crate) struct Syncs {
    pub(crate) bytes: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) samples: Vec<Duration>,
}

/// Measures every size. Measured again, it adds to the samples it has.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let count = if bench.is_quick { 100 } else { 1000 };
    for bytes in SIZES {
        let known = results.disk.iter().position(|syncs| syncs.bytes == bytes);
        let mut samples = known
            .map(|at| results.disk.remove(at).samples)
            .unwrap_or_default();
        samples.extend(append(bench, bytes, count)?);
        samples.sort_unstable();
        let (p50, p99) = (quantile(&samples, 0.50), quantile(&samples, 0.99));
        println!(
            "   {bytes} bytes: p50 {} µs  p99 {} µs",
            p50.as_micros(),
            p99.as_micros()
        );
        results.disk.push(Syncs {
            bytes,
            p50,
            p99,
            samples,
        });
    }
    Ok(())
}

fn append(bench: &Bench, bytes: usize, count: usize) -> Result<Vec<Duration>> {
    let folder = bench.folder("disk")?;
    let path = folder.path().join("appended");
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let block = vec![b'p'; bytes];
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let watch = Stopwatch::start();
        file.write_all(&block)?;
        file.sync_data()?;
        samples.push(watch.elapsed());
    }
    Ok(samples)
}

/// The sample below which the given share of the sorted samples lies.
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let samples: Vec<Duration> = (1..=101).map(Duration::from_micros).collect();
        assert_eq!(quantile(&samples, 0.5), Duration::from_micros(51));
        assert_eq!(quantile(&samples, 0.99), Duration::from_micros(100));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
