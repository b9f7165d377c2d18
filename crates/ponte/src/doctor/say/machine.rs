//! What is said about the machine.

use std::path::Path;
use std::time::Duration;

use ponte_core::id::AccountName;

use super::{bytes, span};
use crate::admin::wire::Finding;
use crate::doctor::machine::{Machine, Rights, UnsafeFileSystem};

/// From here on a commit delays every alert noticeably.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// From here on alerts may come too late for TradingView's three seconds.
const SYNC_TOO_SLOW: Duration = Duration::from_millis(500);
const SPACE_LOW: u64 = 1 << 30;
const SPACE_TOO_LOW: u64 = 100 << 20;
const MEMORY_LOW: u64 = 64 << 20;
/// Fewer are used up by idle connections that anybody can open.
const OPEN_FILES_GOOD: u64 = 4096;
/// From here on signed requests may be refused, and the age of alerts is judged wrongly.
const CLOCK_OFF_MILLISECONDS: i64 = 1_000;

/// Everything that is said about a machine; `clocks` are the brokers', how far ahead they are.
pub(crate) fn all(seen: &Machine, clocks: &[(AccountName, i64)]) -> Vec<Finding> {
    let mut all = vec![clock(clocks, seen.is_clock_kept)];
    all.extend(data_dir(seen));
    if seen.rights.is_some() {
        all.push(disk(seen));
    }
    all.extend(seen.space.map(|(free, whole)| space(free, whole)));
    all.extend(
        seen.unsafe_file_system
            .map(|kind| file_system(kind, &seen.data_dir)),
    );
    all.extend(seen.memory_available.map(memory));
    // The limits of whoever looks from outside are not those of the service.
    if seen.is_running {
        all.push(open_files(seen.open_files_max));
        all.push(supervisor(seen.supervisor));
    }
    all
}

fn clock(clocks: &[(AccountName, i64)], is_kept: Option<bool>) -> Finding {
    const SUBJECT: &str = "clock";
    const CURE: &str = "set it by a time service: timedatectl set-ntp true, or chrony";
    let worst = clocks.iter().max_by_key(|(_, ahead)| ahead.abs());
    match (worst, is_kept) {
        (Some((account, ahead)), _) if ahead.abs() > CLOCK_OFF_MILLISECONDS => {
            let side = if *ahead > 0 { "behind" } else { "ahead of" };
            let text = format!(
                "this machine's clock is {} ms {side} the one of {account}'s broker",
                ahead.abs()
            );
            Finding::wrong(SUBJECT, text).cured_by(CURE)
        }
        (Some((account, ahead)), _) => Finding::fine(
            SUBJECT,
            format!(
                "the clock differs by {} ms from the one of {account}'s broker",
                ahead.abs()
            ),
        ),
        (None, Some(true)) => Finding::fine(SUBJECT, "systemd keeps the clock by network time"),
        (None, Some(false)) => {
            Finding::look(SUBJECT, "systemd has not set the clock by network time yet")
                .cured_by(CURE)
        }
        (None, None) => Finding::fine(
            SUBJECT,
            "not compared with any other: no account's broker tells its time",
        ),
    }
}

fn data_dir(seen: &Machine) -> Vec<Finding> {
    const SUBJECT: &str = "data_dir";
    let path = seen.data_dir.display();
    if let Some(why) = &seen.unreadable {
        let finding = Finding::wrong(SUBJECT, format!("{path} can't be looked at: {why}"));
        return vec![finding.cured_by("ask as the user who runs ponte")];
    }
    let Some(rights) = seen.rights else {
        let finding = Finding::look(SUBJECT, format!("{path} is not there yet"));
        return vec![finding.cured_by("ponte run makes it at its first start")];
    };
    vec![whose(SUBJECT, &seen.data_dir, rights, Reading::Private)]
}

/// Whether others may read something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// They may.
    Anybody,
    /// They better don't.
    Private,
}

/// What is said about whose a file or a directory is.
pub(crate) fn whose(subject: &str, path: &Path, rights: Rights, reading: Reading) -> Finding {
    let Rights {
        is_ours,
        is_roots,
        mode,
    } = rights;
    let shown = path.display();
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        let text = format!("{shown} has mode {mode:03o}: everybody on this machine may change it");
        return Finding::wrong(subject, text).cured_by(format!("chmod o-w {shown}"));
    }
    if !is_ours && rustix::process::geteuid().is_root() {
        // Root sees everything, and is not whom ponte should run as.
        return Finding::fine(
            subject,
            format!("{shown} belongs to another user, mode {mode:03o}"),
        );
    }
    if !is_ours && is_roots && reading == Reading::Anybody && mode & 0o020 == 0 {
        // As the package installs it: the service can't change what it runs by.
        let text = format!("only root may change {shown} (mode {mode:03o})");
        return Finding::fine(subject, text);
    }
    if !is_ours {
        let text = format!("{shown} belongs to another user than the one who asks");
        return Finding::look(subject, text).cured_by("run ponte as the user whose it is");
    }
    if reading == Reading::Private && mode & 0o077 != 0 {
        let text = format!("{shown} has mode {mode:03o}: others on this machine may look into it");
        return Finding::look(subject, text).cured_by(format!("chmod go-rwx {shown}"));
    }
    let text = match reading {
        Reading::Private => format!("{shown} is its owner's alone (mode {mode:03o})"),
        Reading::Anybody => format!("nobody else may change {shown} (mode {mode:03o})"),
    };
    Finding::fine(subject, text)
}

fn disk(seen: &Machine) -> Finding {
    const SUBJECT: &str = "disk";
    let (median, longest) = match &seen.sync {
        Ok(times) => *times,
        Err(why) => {
            let finding = Finding::look(SUBJECT, format!("its speed could not be measured: {why}"));
            return finding.cured_by("ask as the user who runs ponte");
        }
    };
    let text = format!(
        "a write is on disk after {} (median, at most {})",
        span(median),
        span(longest)
    );
    if median >= SYNC_TOO_SLOW {
        let cure = "move data_dir to a local disk: TradingView waits three seconds for the answer";
        Finding::wrong(SUBJECT, text).cured_by(cure)
    } else if median >= SYNC_SLOW {
        let cure = "each alert waits that long for its answer; a local SSD takes some milliseconds";
        Finding::look(SUBJECT, text).cured_by(cure)
    } else {
        Finding::fine(SUBJECT, text)
    }
}

fn space(free: u64, whole: u64) -> Finding {
    const SUBJECT: &str = "space";
    const CURE: &str = "make room, or move data_dir: without it alerts are answered 503";
    let text = format!(
        "{} of {} are free where the journal is",
        bytes(free),
        bytes(whole)
    );
    if free < SPACE_TOO_LOW {
        Finding::wrong(SUBJECT, text).cured_by(CURE)
    } else if free < SPACE_LOW {
        Finding::look(SUBJECT, text).cured_by(CURE)
    } else {
        Finding::fine(SUBJECT, text)
    }
}

fn file_system(kind: UnsafeFileSystem, path: &Path) -> Finding {
    const SUBJECT: &str = "file_system";
    let path = path.display();
    match kind {
        UnsafeFileSystem::Memory => Finding::look(
            SUBJECT,
            format!("{path} is in memory: the journal is gone when the machine starts again"),
        )
        .cured_by("move data_dir to a disk"),
        UnsafeFileSystem::Overlay => Finding::look(
            SUBJECT,
            format!("{path} is in the container's own layer: a new container begins without it"),
        )
        .cured_by("mount a volume at data_dir"),
        UnsafeFileSystem::Network => Finding::look(
            SUBJECT,
            format!("{path} is on another machine: a lost connection stops every alert"),
        )
        .cured_by("move data_dir to a local disk"),
    }
}

fn memory(available: u64) -> Finding {
    const SUBJECT: &str = "memory";
    let text = format!("{} can still be had", bytes(available));
    if available < MEMORY_LOW {
        Finding::look(SUBJECT, text).cured_by("give the machine or the container more")
    } else {
        Finding::fine(SUBJECT, text)
    }
}

fn open_files(most: Option<u64>) -> Finding {
    const SUBJECT: &str = "open_files";
    match most {
        Some(most) if most < OPEN_FILES_GOOD => Finding::look(
            SUBJECT,
            format!("{most} files and connections may be open: few strangers use them up"),
        )
        .cured_by("LimitNOFILE=65536 in the systemd unit, --ulimit nofile=65536 with Docker"),
        Some(most) => Finding::fine(SUBJECT, format!("{most} files and connections may be open")),
        None => Finding::fine(
            SUBJECT,
            "as many files and connections as wanted may be open",
        ),
    }
}

fn supervisor(name: Option<&str>) -> Finding {
    const SUBJECT: &str = "restarts";
    match name {
        Some("a container") => Finding::fine(
            SUBJECT,
            "it runs in a container: whether that is started again is not seen from inside",
        ),
        Some(name) => Finding::fine(SUBJECT, format!("it was started by {name}")),
        None => Finding::look(
            SUBJECT,
            "nothing is seen that would start it again when it ends",
        )
        .cured_by("run it as a systemd service or in a container with a restart policy"),
    }
}
