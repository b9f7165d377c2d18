//! `ponte backup` and `ponte restore`, with the real binary on a folder where nothing runs.

use std::fs;
use std::path::Path;

use super::Home;

/// A folder in which there was some trading.
fn traded() -> Home {
    let home = Home::installed();
    home.run(&["bench-fill", "--alerts", "20", "--data-dir", "data"])
        .ok();
    home
}

/// Everything below a folder, with its content.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(content(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_backup_is_restored_halted() {
    let home = traded();
    let backup = home.run(&["backup", "b.tar", "--json"]).json();
    let audited = home.run(&["audit", "verify", "--json"]).json();
    assert_eq!(backup["manifest"]["journal"]["hash"], audited["hash"]);
    assert_eq!(backup["manifest"]["journal"]["last"], audited["last"]);
    home.run(&["backup", "--verify", "b.tar"]).ok();
    let restored = home
        .run(&["restore", "b.tar", "--to", "again", "--json"])
        .json();
    assert_eq!(restored["halt"], "block_entries");
    assert_eq!(home.read("again/ponte.toml"), home.read("ponte.toml"));
    assert!(
        home.read("again/HALT")
            .starts_with("block_entries\nrestored from a backup of ")
    );

    let toml = home
        .read("ponte.toml")
        .replace("data_dir = \"data\"", "data_dir = \"again\"");
    assert!(toml.contains("again"), "{toml}");
    fs::write(home.path("ponte.toml"), toml).unwrap();
    let again = home.run(&["audit", "verify", "--json"]).json();
    assert_eq!(again["broken"], serde_json::Value::Null);
    // What was done to it is on record.
    let added = home.run(&["export"]).ok();
    let added: Vec<&str> = added.lines().collect();
    let added = added[added.len() - 2..].join("\n");
    assert!(
        added.contains("\"restored\"") && added.contains("b.tar"),
        "{added}"
    );
    assert!(added.contains("halt_set"), "{added}");
    let held = home.run(&["resume"]).complaint(1);
    assert!(held.contains("HALT"), "{held}");
    fs::remove_file(home.path("again/HALT")).unwrap();
    let resumed = home.run(&["resume"]).ok();
    assert!(resumed.contains("resumed"), "{resumed}");
}

#[test]
fn a_restored_journal_makes_other_order_ids() {
    let home = traded();
    home.run(&["backup", "b.tar"]).ok();
    home.run(&["restore", "b.tar", "--to", "again"]).ok();
    let installation = |folder: &str| -> String {
        let journal = rusqlite::Connection::open(home.path(folder).join("journal.sqlite")).unwrap();
        let sql = "SELECT value FROM meta WHERE key = 'installation'";
        journal.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_ne!(installation("data"), installation("again"));
    assert_eq!(installation("again").len(), 32);
}

#[test]
fn what_is_not_whole_is_not_restored() {
    let home = traded();
    let made = home.run(&["backup", "--new-key", "key", "--json"]).json();
    let public = made["public_key"].as_str().unwrap();
    home.run(&["backup", "plain.tar"]).ok();
    home.run(&["backup", "sealed.tar.age", "--to-key", public])
        .ok();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(home.path("broken"), bytes).unwrap();
        let done = home.run(&["restore", "broken", "--to", "again", "--key", "key"]);
        assert_eq!(done.status, 1, "{what}: {}{}", done.stdout, done.stderr);
        assert!(!home.path("again").exists(), "{what}");
    };
    for file in ["plain.tar", "sealed.tar.age"] {
        let whole = fs::read(home.path(file)).unwrap();
        for length in [0, 1, 300, 512, whole.len() / 2, whole.len() - 2000] {
            refused(&whole[..length], &format!("{file} cut at {length}"));
        }
    }
    let sealed = fs::read(home.path("sealed.tar.age")).unwrap();
    for place in [0, 60, 150, 200, sealed.len() / 2, sealed.len() - 1] {
        let mut flipped = sealed.clone();
        flipped[place] ^= 1;
        refused(&flipped, &format!("sealed.tar.age flipped at {place}"));
    }
    // In the open one nothing hides the places that count.
    let plain = fs::read(home.path("plain.tar")).unwrap();
    let found = |what: &[u8]| {
        plain
            .windows(what.len())
            .position(|window| window == what)
            .unwrap()
    };
    for what in [
        &b"manifest.json"[..],
        b"\"made_at\": 1",
        b"SQLite format 3",
        b"order_planned",
        b"[[accounts]]",
        b"SHA256SUMS",
        b"  data/journal.sqlite\n",
    ] {
        let mut flipped = plain.clone();
        flipped[found(what) + what.len() - 1] ^= 1;
        refused(&flipped, &String::from_utf8_lossy(what));
    }
    let mut longer = plain.clone();
    longer.extend_from_slice(b"more");
    refused(&longer, "something after the end");
    refused(b"ponte", "no archive");
    home.run(&["restore", "plain.tar", "--to", "again"]).ok();
}

#[test]
fn a_sealed_backup_opens_for_its_owner_only() {
    let home = traded();
    let made = home.run(&["backup", "--new-key", "key", "--json"]).json();
    home.run(&["backup", "--new-key", "other"]).ok();
    let public = made["public_key"].as_str().unwrap();
    home.run(&["backup", "for-key", "--to-key", public]).ok();
    fs::write(home.path("words"), "five words are good enough\n").unwrap();
    let open = home.run(&["restore", "for-key", "--to", "x", "--key", "words"]);
    assert!(open.complaint(3).contains("has mode 644"));
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(home.path("words"), fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["backup", "for-words", "--passphrase-from", "words"])
        .ok();
    for file in ["for-key", "for-words"] {
        let text = fs::read(home.path(file)).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(
            !text.contains("SQLite") && !text.contains("manifest"),
            "{file}"
        );
        let refused = home.run(&["restore", file, "--to", "x"]).complaint(1);
        assert!(
            refused.contains("is sealed") && refused.contains("--key"),
            "{refused}"
        );
    }
    for (file, flag, opener, complaint) in [
        ("for-key", "--key", "other", "sealed for another key"),
        ("for-key", "--passphrase-from", "words", "sealed for a key"),
        ("for-words", "--key", "key", "sealed with a passphrase"),
    ] {
        let refused = home
            .run(&["restore", file, "--to", "x", flag, opener])
            .complaint(1);
        assert!(refused.contains(complaint), "{refused}");
        assert!(!home.path("x").exists());
    }
    home.run(&["restore", "for-key", "--to", "x", "--key", "key"])
        .ok();
    home.run(&[
        "restore",
        "for-words",
        "--to",
        "y",
        "--passphrase-from",
        "words",
    ])
    .ok();
    home.run(&[
        "backup",
        "--verify",
        "for-words",
        "--passphrase-from",
        "words",
    ])
    .ok();
    // The secret half where the public one belongs is refused, and not repeated.
    let secret = home.read("key").lines().last().unwrap().to_owned();
    let refused = home.run(&["backup", "z", "--to-key", &secret]).complaint(2);
    assert!(refused.contains("begins with age1"), "{refused}");
}

#[test]
fn only_what_is_known_is_taken_and_secrets_only_when_sealed() {
    let home = traded();
    for (name, text) in [
        ("acme/account.json", "ACCOUNT-KEY"),
        ("admin/users.json", "SECOND-FACTOR"),
        ("instruments/70.json", "[]"),
        ("HALT", "reduce_only"),
        ("vault.age", "age"),
        ("notes.txt", "somebody's"),
    ] {
        let path = home.path("data").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", home.path("data/instruments/link.json")).unwrap();
    let names = |report: &serde_json::Value, list: &str| -> Vec<String> {
        let list = report["manifest"][list].as_array().unwrap();
        list.iter()
            .map(|part| part["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let plain = home.run(&["backup", "plain.tar", "--json"]).json();
    assert_eq!(
        names(&plain, "parts"),
        [
            "ponte.toml",
            "data/journal.sqlite",
            "data/HALT",
            "data/instruments/70.json",
            "data/vault.age"
        ]
    );
    assert_eq!(
        names(&plain, "left_out"),
        ["acme", "admin", "instruments/link.json", "notes.txt"]
    );
    let text = fs::read(home.path("plain.tar")).unwrap();
    let text = String::from_utf8_lossy(&text);
    assert!(!text.contains("ACCOUNT-KEY") && !text.contains("SECOND-FACTOR"));
    let secret = home.read("secrets/main");
    assert!(!text.contains(secret.trim()));
    let made = home.run(&["backup", "--new-key", "key", "--json"]).json();
    let public = made["public_key"].as_str().unwrap();
    let sealed = home
        .run(&["backup", "sealed", "--to-key", public, "--json"])
        .json();
    assert_eq!(
        names(&sealed, "left_out"),
        ["instruments/link.json", "notes.txt"]
    );
    home.run(&["restore", "sealed", "--to", "again", "--key", "key"])
        .ok();
    assert_eq!(home.read("again/admin/users.json"), "SECOND-FACTOR");
    assert_eq!(home.read("again/acme/account.json"), "ACCOUNT-KEY");
    // What halted it then is in the journal; the file says what halts it now.
    assert!(home.read("again/HALT").contains("restored from"));
}

#[test]
fn a_restore_touches_nothing_that_is_there() {
    let home = traded();
    home.run(&["backup", "b.tar"]).ok();
    let before = content(&home.path("data"));
    let refused = home.run(&["restore", "b.tar", "--to", "data"]).complaint(1);
    assert!(refused.contains("data is not empty"), "{refused}");
    assert_eq!(content(&home.path("data")), before);
    // One that runs there is found by its lock, however empty the directory looks.
    fs::create_dir(home.path("taken")).unwrap();
    let lock = fs::File::create(home.path("taken/ponte.lock")).unwrap();
    lock.lock().unwrap();
    let refused = home
        .run(&["restore", "b.tar", "--to", "taken"])
        .complaint(1);
    assert!(refused.contains("a Ponte runs on taken"), "{refused}");
    // An empty one is as good as none, and a new disk has a folder of its own.
    fs::create_dir_all(home.path("empty/lost+found")).unwrap();
    home.run(&["restore", "b.tar", "--to", "empty"]).ok();
    home.run(&["restore", "missing.tar", "--to", "x"])
        .complaint(3);
    assert!(!home.path("x").exists());
}

#[test]
fn no_ponte_starts_on_a_restore_that_did_not_end() {
    let home = traded();
    fs::create_dir(home.path("data/.restoring")).unwrap();
    let refused = home.run(&["run"]).complaint(3);
    assert!(
        refused.contains("a restore into data did not end"),
        "{refused}"
    );
    let refused = home.run(&["halt"]).complaint(3);
    assert!(refused.contains("did not end"), "{refused}");
}

#[test]
fn a_backup_replaces_nothing_and_leaves_nothing_half_done() {
    let home = traded();
    fs::write(home.path("b.tar"), "mine").unwrap();
    let refused = home.run(&["backup", "b.tar"]).complaint(1);
    assert!(refused.contains("never replaces a file"), "{refused}");
    assert_eq!(home.read("b.tar"), "mine");
    let refused = home.run(&["backup", "data/"]).complaint(1);
    assert!(refused.contains("would be lost with it"), "{refused}");
    home.run(&["backup", "c.tar", "--keep", "2"]).complaint(2);
    home.run(&["backup", "nowhere/c.tar"]).complaint(3);
    // A copy that a killed backup left is taken away by the next one.
    fs::create_dir(home.path("data/.backup-0123")).unwrap();
    for _ in 0..4 {
        home.run(&["backup", "many/", "--keep", "2"]).ok();
    }
    assert_eq!(fs::read_dir(home.path("many")).unwrap().count(), 2);
    let left = fs::read_dir(home.path("data")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with('.')),
        "{left:?}"
    );
    fs::remove_dir_all(home.path("data")).unwrap();
    home.run(&["backup", "d.tar"]).complaint(3);
    assert!(!home.path("d.tar").exists());
}

#[test]
fn a_broken_chain_is_not_backed_up() {
    let home = traded();
    let journal = rusqlite::Connection::open(home.path("data/journal.sqlite")).unwrap();
    journal
        .execute("UPDATE events SET at = at + 1 WHERE seq = 3", [])
        .unwrap();
    drop(journal);
    let refused = home.run(&["backup", "b.tar"]).complaint(1);
    assert!(refused.contains("broken at event 3"), "{refused}");
    assert!(!home.path("b.tar").exists());
}
