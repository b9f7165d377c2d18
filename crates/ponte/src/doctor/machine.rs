//! The machine: how fast and how full its disk is, who may read what, what the process may use.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{clock, files};

/// How often the disk is written to.
const WRITES: usize = 15;
/// What is written each time, in bytes: a commit of the journal has about as many.
const WRITE_BYTES: usize = 4096;
/// The file that is written and taken away again.
const PROBE: &str = ".ponte-doctor-probe";

/// What was seen of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The data directory.
    pub data_dir: PathBuf,
    /// What it is like; `None` where there is none yet.
    pub rights: Option<Rights>,
    /// What keeps it from being looked at.
    pub unreadable: Option<String>,
    /// How long a write takes until it is on disk: the median, and the longest.
    pub sync: Result<(Duration, Duration), String>,
    /// Free bytes and all bytes of the file system.
    pub space: Option<(u64, u64)>,
    /// A file system on which a journal is not safe.
    pub unsafe_file_system: Option<UnsafeFileSystem>,
    /// Whether a Ponte that runs looks at itself.
    pub is_running: bool,
    /// How many files and connections the process may have open.
    pub open_files_max: Option<u64>,
    /// Bytes of memory that can still be had.
    pub memory_available: Option<u64>,
    /// What starts the process again when it ends.
    pub supervisor: Option<&'static str>,
    /// Whether the machine's clock is set by a time service, where the machine tells.
    pub is_clock_kept: Option<bool>,
}

/// Whose a file or a directory is, and who else may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Whether it is the user's who looks.
    pub is_ours: bool,
    /// Whether it is root's.
    pub is_roots: bool,
    /// The permission bits.
    pub mode: u32,
}

/// A file system on which a journal is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsafeFileSystem {
    /// In memory: gone when the machine starts again.
    Memory,
    /// A container's own layer: gone with the container.
    Overlay,
    /// On another machine: its locks and its syncs can't be relied upon.
    Network,
}

/// Looks at the machine around a data directory.
#[must_use]
pub fn look(data_dir: &Path, is_running: bool) -> Machine {
    let rights = rights(data_dir);
    let (rights, unreadable) = match rights {
        Ok(rights) => (rights, None),
        Err(why) => (None, Some(why)),
    };
    let stats = rustix::fs::statvfs(data_dir).ok();
    Machine {
        data_dir: data_dir.to_owned(),
        sync: sync_times(data_dir),
        space: stats.map(|stats| {
            let bytes = |blocks: u64| blocks.saturating_mul(stats.f_frsize);
            (bytes(stats.f_bavail), bytes(stats.f_blocks))
        }),
        unsafe_file_system: unsafe_file_system(data_dir),
        rights,
        unreadable,
        is_running,
        open_files_max: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        memory_available: memory_available(),
        supervisor: supervisor(),
        is_clock_kept: is_clock_kept(),
    }
}

/// Whose a file or a directory is; `None` where there is none.
///
/// # Errors
/// What the system says.
pub fn rights(path: &Path) -> Result<Option<Rights>, String> {
    match fs::metadata(path) {
        Ok(known) => Ok(Some(Rights {
            is_ours: known.uid() == rustix::process::geteuid().as_raw(),
            is_roots: known.uid() == 0,
            mode: known.mode() & 0o7777,
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The probe; whatever happens it is taken away again.
struct Probe(PathBuf);

impl Drop for Probe {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = fs::remove_file(&self.0);
    }
}

/// How long a small write takes until it is on disk: the median of some, and the longest.
fn sync_times(data_dir: &Path) -> Result<(Duration, Duration), String> {
    let path = data_dir.join(format!("{PROBE}-{}", std::process::id()));
    let mut file = files::draft(&path).map_err(|error| error.to_string())?;
    let _probe = Probe(path);
    let block = [0x5a; WRITE_BYTES];
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let began = clock::instant();
        file.write_all(&block)
            .and_then(|()| file.sync_data())
            .map_err(|error| error.to_string())?;
        times.push(clock::instant().saturating_duration_since(began));
    }
    times.sort_unstable();
    let longest = times.last().copied().unwrap_or_default();
    Ok((times.get(WRITES / 2).copied().unwrap_or(longest), longest))
}

/// Source: the numbers of file systems in the manual page statfs(2).
#[cfg(target_os = "linux")]
fn unsafe_file_system(path: &Path) -> Option<UnsafeFileSystem> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    match u32::try_from(kind).ok()? {
        0x0102_1994 | 0x8584_58f6 => Some(UnsafeFileSystem::Memory),
        0x794c_7630 => Some(UnsafeFileSystem::Overlay),
        0x6969 | 0xff53_4d42 | 0xfe53_4d42 => Some(UnsafeFileSystem::Network),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn unsafe_file_system(_: &Path) -> Option<UnsafeFileSystem> {
    None
}

/// What the machine has left, or the container where it grants less.
fn memory_available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let machine = line
        .split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()?
        .saturating_mul(1024);
    let group = |name: &str| -> Option<u64> {
        fs::read_to_string(format!("/sys/fs/cgroup/{name}"))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let container = group("memory.max").zip(group("memory.current"));
    let container = container.map(|(most, used)| most.saturating_sub(used));
    Some(container.map_or(machine, |left| left.min(machine)))
}

/// What has started the process and would start it again, as far as it leaves a trace.
fn supervisor() -> Option<&'static str> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let traces = [
        ("FLY_APP_NAME", "Fly.io"),
        ("RENDER", "Render"),
        ("RAILWAY_ENVIRONMENT_NAME", "Railway"),
        ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
        ("INVOCATION_ID", "systemd"),
    ];
    if let Some((_, name)) = traces.iter().find(|(variable, _)| is_set(variable)) {
        return Some(name);
    }
    let marks = ["/.dockerenv", "/run/.containerenv"];
    marks
        .iter()
        .any(|mark| Path::new(mark).exists())
        .then_some("a container")
}

/// systemd's time service leaves a file once it has set the clock (systemd-timesyncd.service(8)).
fn is_clock_kept() -> Option<bool> {
    let state = Path::new("/run/systemd/timesync");
    state.exists().then(|| state.join("synchronized").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_measured_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let seen = look(folder.path(), false);
        let (median, longest) = seen.sync.unwrap();
        assert!(Duration::ZERO < median && median <= longest);
        let (free, all) = seen.space.unwrap();
        assert!(free <= all && all > 0);
        assert!(seen.rights.unwrap().is_ours);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let seen = look(&folder.path().join("data"), false);
        assert_eq!((seen.rights, seen.unreadable), (None, None));
        assert!(seen.sync.is_err());
    }
}
