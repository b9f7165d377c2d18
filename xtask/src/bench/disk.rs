//! The disk's own durable write: what no durable webhook can be faster than. A file that grows costs
//! more than one that is written over, since the file system has to record its new length; SQLite's
//! write-ahead log does the one until its first checkpoint and the other from then on.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use super::{Bench, Results};
use crate::Result;
use crate::stopwatch::Stopwatch;

/// How long the file is that is written over: as long as a write-ahead log before its checkpoint.
const LENGTH: usize = 4 * 1024 * 1024;

/// One way to write durably.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Way {
    pub(crate) bytes: usize,
    /// Whether the file grows with every write.
    pub(crate) grows: bool,
}

/// About one alert, one page of SQLite, and one page over an old one.
const WAYS: [Way; 3] = [
    Way {
        bytes: 1024,
        grows: true,
    },
    Way {
        bytes: 4096,
        grows: true,
    },
    Way {
        bytes: 4096,
        grows: false,
    },
];

/// How long it took to write in one way and to have it on the disk.
pub(crate) struct Syncs {
    pub(crate) way: Way,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    samples: Vec<Duration>,
}

impl Way {
    /// What is done, in words.
    pub(crate) fn name(self) -> String {
        let verb = if self.grows { "append" } else { "overwrite" };
        format!("{verb} {} bytes and fdatasync", self.bytes)
    }
}

/// Measures every way. Measured again, it adds to the samples it has.
pub(crate) fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let count = if bench.is_quick { 100 } else { 1000 };
    for way in WAYS {
        let known = results.disk.iter().position(|syncs| syncs.way == way);
        let mut samples = known
            .map(|at| results.disk.remove(at).samples)
            .unwrap_or_default();
        samples.extend(write(bench, way, count)?);
        samples.sort_unstable();
        let (p50, p99) = (quantile(&samples, 0.50), quantile(&samples, 0.99));
        println!(
            "   {}: p50 {} µs  p99 {} µs",
            way.name(),
            p50.as_micros(),
            p99.as_micros()
        );
        results.disk.push(Syncs {
            way,
            p50,
            p99,
            samples,
        });
    }
    Ok(())
}

fn write(bench: &Bench, way: Way, count: usize) -> Result<Vec<Duration>> {
    let folder = bench.folder("disk")?;
    let path = folder.path().join("written");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)?;
    if !way.grows {
        file.write_all(&vec![b'o'; LENGTH])?;
        file.sync_all()?;
    }
    let block = vec![b'p'; way.bytes];
    let mut samples = Vec::with_capacity(count);
    for number in 0..count {
        if !way.grows {
            let at = number * way.bytes % LENGTH;
            file.seek(SeekFrom::Start(u64::try_from(at)?))?;
        }
        samples.push(write_one(&mut file, &block)?);
    }
    Ok(samples)
}

fn write_one(file: &mut File, block: &[u8]) -> Result<Duration> {
    let watch = Stopwatch::start();
    file.write_all(block)?;
    file.sync_data()?;
    Ok(watch.elapsed())
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
