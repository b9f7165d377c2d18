//! A journal that somebody has touched.

use rusqlite::{Connection, params};

use super::Home;

/// A journal of some events, and what somebody does to it.
fn verdict(touch: impl FnOnce(&Connection)) -> (i32, serde_json::Value) {
    let home = Home::installed();
    home.run(&["bench-fill", "--alerts", "5", "--data-dir", "data"])
        .ok();
    let connection = Connection::open(home.path("data/journal.sqlite")).unwrap();
    touch(&connection);
    drop(connection);
    let done = home.run(&["audit", "verify", "--json"]);
    (done.status, serde_json::from_str(&done.stdout).unwrap())
}

fn set_data(connection: &Connection, seq: i64, data: &str) {
    connection
        .execute(
            "UPDATE events SET data = ?2 WHERE seq = ?1",
            params![seq, data],
        )
        .unwrap();
}

fn data(connection: &Connection, seq: i64) -> String {
    let sql = "SELECT data FROM events WHERE seq = ?1";
    connection.query_row(sql, [seq], |row| row.get(0)).unwrap()
}

#[test]
fn an_untouched_journal_holds() {
    let (status, found) = verdict(|_| {});
    assert_eq!(status, 0);
    assert_eq!(found["broken"], serde_json::Value::Null);
}

#[test]
fn one_changed_byte_is_found() {
    let (status, found) = verdict(|connection| {
        let text = data(connection, 7);
        let changed = text.replacen("0.01", "0.02", 1);
        assert_ne!(text, changed);
        set_data(connection, 7, &changed);
    });
    assert_eq!(status, 1);
    assert_eq!(found["broken"]["seq"], 7);
}

#[test]
fn a_changed_time_is_found() {
    let (status, found) = verdict(|connection| {
        connection
            .execute("UPDATE events SET at = at + 1 WHERE seq = 3", [])
            .unwrap();
    });
    assert_eq!((status, &found["broken"]["seq"]), (1, &3.into()));
}

#[test]
fn a_dropped_event_is_found() {
    for seq in [1, 4, 25] {
        let (status, found) = verdict(|connection| {
            connection
                .execute("DELETE FROM events WHERE seq = ?1", [seq])
                .unwrap();
        });
        assert_eq!(status, 1, "event {seq}");
        assert!(found["broken"]["problem"].is_string(), "event {seq}");
    }
}

#[test]
fn two_swapped_events_are_found() {
    let (status, found) = verdict(|connection| {
        let (first, second) = (data(connection, 4), data(connection, 9));
        set_data(connection, 4, &second);
        set_data(connection, 9, &first);
    });
    assert_eq!((status, &found["broken"]["seq"]), (1, &4.into()));
}

#[test]
fn an_event_moved_with_its_hash_is_found() {
    let (status, found) = verdict(|connection| {
        connection
            .execute_batch(
                "UPDATE events SET seq = -4 WHERE seq = 4;
                 UPDATE events SET seq = 4 WHERE seq = 5;
                 UPDATE events SET seq = 5 WHERE seq = -4;",
            )
            .unwrap();
    });
    assert_eq!((status, &found["broken"]["seq"]), (1, &4.into()));
}

#[test]
fn a_broken_chain_is_said_so_to_people() {
    let home = Home::installed();
    home.run(&["bench-fill", "--alerts", "5", "--data-dir", "data"])
        .ok();
    let connection = Connection::open(home.path("data/journal.sqlite")).unwrap();
    set_data(&connection, 2, "{}");
    drop(connection);
    let done = home.run(&["audit", "verify"]);
    assert_eq!(done.status, 1);
    let problem = "broken at event 2: its content is not what was written";
    assert!(done.stdout.contains(problem), "{}", done.stdout);
}
