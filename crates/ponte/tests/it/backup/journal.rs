//! The journal's copy, and what a program that streams the journal elsewhere needs of it.

use std::path::Path;

use ponte::clock;
use ponte::journal::{Writer, copy, path_in, verify_copy};
use ponte_core::message::Event;
use rusqlite::Connection;

/// So that the copy takes more than one step: 8 MiB.
const EVENTS: usize = 2000;

/// An event of 4 KiB.
fn event(number: usize) -> Event {
    Event::OperatorActed {
        by: "test".to_owned(),
        action: "filled".to_owned(),
        detail: format!("{number} {}", "x".repeat(4096)),
    }
}

fn commit(writer: &mut Writer, number: usize) {
    let state = ponte_core::state::State::default();
    writer.begin().unwrap();
    writer.append(clock::now(), &[event(number)]).unwrap();
    writer.commit(&state).unwrap();
}

fn filled(data_dir: &Path) -> Writer {
    let mut writer = Writer::open(data_dir).unwrap();
    writer.load().unwrap();
    for number in 0..EVENTS {
        commit(&mut writer, number);
    }
    writer
}

fn wal_bytes(data_dir: &Path) -> u64 {
    let wal = path_in(data_dir).with_extension("sqlite-wal");
    std::fs::metadata(wal).unwrap().len()
}

#[test]
fn the_writer_commits_while_it_is_copied_and_the_copy_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = filled(folder.path());
    let to = folder.path().join("copy.sqlite");
    let mut steps = 0;
    let copied = copy(&path_in(folder.path()), &to, |done, all| {
        assert!(done <= all);
        // In the midst of it: a writer that had to wait would fail here, for the copy waits for it.
        commit(&mut writer, EVENTS + steps);
        steps += 1;
    })
    .unwrap();
    assert!(steps >= 2, "{steps} steps");
    assert_eq!(copied.last, i64::try_from(EVENTS).unwrap());
    let (tip, verified) = verify_copy(&to).unwrap();
    assert_eq!(tip, copied);
    assert_eq!(verified.broken, None);
    assert_eq!(verified.last, Some(copied.last));
    let files = std::fs::read_dir(folder.path()).unwrap();
    let beside = files.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("copy.sqlite-")
    });
    assert_eq!(beside.count(), 0, "the copy is one file");
}

/// What Litestream's documentation asks of a database (litestream.io/tips, read in 2026).
#[test]
fn the_journal_is_one_that_litestream_can_stream() {
    let folder = tempfile::tempdir().unwrap();
    let writer = filled(folder.path());
    let beside = Connection::open(path_in(folder.path())).unwrap();
    let pragma = |name: &str| -> String {
        let row = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        format!("{:?}", beside.pragma_query_value(None, name, row).unwrap())
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("locking_mode"), "Text(\"normal\")");
    // The log is begun anew again and again; one that only grew would have all of the events.
    let before = wal_bytes(folder.path());
    assert!(before < 16 * 1024 * 1024, "{before} bytes");
    drop(writer);
}

/// Litestream keeps a reader open, so that nobody but itself moves the log into the database.
#[test]
fn a_reader_keeps_the_log_from_being_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = filled(folder.path());
    let reader = Connection::open(path_in(folder.path())).unwrap();
    let count = || -> i64 {
        let sql = "SELECT count(*) FROM events";
        reader.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    reader.execute_batch("BEGIN").unwrap();
    let seen = count();
    let before = wal_bytes(folder.path());
    for number in 0..3 * EVENTS {
        commit(&mut writer, number);
    }
    assert_eq!(count(), seen, "the reader's snapshot holds");
    let grown = wal_bytes(folder.path());
    assert!(grown > before + 20_000_000, "{before} to {grown} bytes");
    // Once it lets go, the log is used again from its beginning.
    reader.execute_batch("COMMIT").unwrap();
    for number in 0..EVENTS {
        commit(&mut writer, number);
    }
    let after = wal_bytes(folder.path());
    assert!(after < grown + 1_000_000, "{grown} to {after} bytes");
}

/// Its checkpoints hold the write lock for a moment; the writer waits instead of failing.
#[test]
fn a_lock_that_is_held_for_a_moment_fails_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(folder.path()).unwrap();
    writer.load().unwrap();
    let other = Connection::open(path_in(folder.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || {
        begun.send(()).unwrap();
        commit(&mut writer, 1);
        writer
    });
    has_begun.recv().unwrap();
    assert!(!waiting.is_finished());
    other.execute_batch("COMMIT").unwrap();
    drop(waiting.join().unwrap());
}
