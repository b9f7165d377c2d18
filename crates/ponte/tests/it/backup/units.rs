//! The units that make a backup every hour.

use crate::program::Ponte;

const SERVICE: &str = include_str!("../../../../../deploy/systemd/ponte-backup.service");
const TIMER: &str = include_str!("../../../../../deploy/systemd/ponte-backup.timer");

/// What the unit runs, the program's name first.
fn command() -> Vec<&'static str> {
    let starts = SERVICE
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart="));
    let [start] = starts.collect::<Vec<_>>()[..] else {
        panic!("{SERVICE}");
    };
    start.split(' ').collect()
}

#[tokio::test]
async fn the_unit_makes_a_backup_beside_a_running_ponte() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let folder = ponte.folder().join("backups/");
    let folder = format!("{}/", folder.display());
    let command = command();
    assert_eq!(command[0], "/usr/bin/ponte");
    let arguments: Vec<&str> = command[1..]
        .iter()
        .map(|argument| match *argument {
            "/var/lib/ponte-backups/" => &folder,
            "/etc/ponte/ponte.toml" => "ponte.toml",
            argument => argument,
        })
        .collect();
    let (status, text) = ponte.command(&arguments);
    assert_eq!(status, 0, "{text}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    ponte.stop().await;
}

#[test]
fn the_unit_may_write_where_it_has_to_and_nowhere_else() {
    // The folder of the backups; the data directory, whose log a reader of the journal takes part in.
    assert!(SERVICE.contains("\nStateDirectory=ponte ponte-backups\n"));
    assert!(SERVICE.contains("\nProtectSystem=strict\n"));
    assert!(SERVICE.contains("\nUser=ponte\n"));
    assert!(TIMER.contains("\nPersistent=yes\n"));
    assert!(TIMER.contains("\n[Install]\nWantedBy=timers.target\n"));
}
