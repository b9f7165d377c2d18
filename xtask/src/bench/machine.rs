//! What a reader must know of the machine to judge the numbers.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::process;

/// One sentence about the machine, the disk and the day. What can't be read is said to be unknown.
pub(crate) fn describe(disk: &Path) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal");
    let memory = memory
        .strip_suffix(" kB")
        .and_then(|kib| kib.parse::<u64>().ok());
    let memory = memory.map_or_else(|| "unknown".to_owned(), |kib| format!("{} GiB", kib >> 20));
    let kernel = said(Command::new("uname").arg("-sr"));
    let disk = said(Command::new("df").arg("--output=fstype").arg(disk));
    let disk = disk.lines().last().unwrap_or_default();
    let day = said(Command::new("date").args(["--utc", "+%Y-%m-%d"]));
    format!("{day}, {cores} × {processor}, memory {memory}, {kernel}, file system {disk}")
}

fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_prefix(':'));
    value.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}

fn said(command: &mut Command) -> String {
    process::capture(command).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}
