//! The units of systemd, as systemd itself judges them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The worst exposure that the service may have, in tenths: 1.1 of 10.
const EXPOSURE_MAX: &str = "11";
/// The same for the service that binds port 443 itself, which is in one way more powerful.
const EXPOSURE_WITHOUT_SOCKET_MAX: &str = "15";

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd")
}

/// The units in a folder of their own, with these drop-ins, and with the program that was built here.
fn installed(drop_ins: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ponte.service", "ponte.socket"] {
        let text = fs::read_to_string(units().join(name)).unwrap();
        let text = text.replace("/usr/bin/ponte", env!("CARGO_BIN_EXE_ponte"));
        fs::write(folder.path().join(name), text).unwrap();
    }
    for drop_in in drop_ins {
        let to = folder.path().join(drop_in);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(units().join(drop_in), to).unwrap();
    }
    folder
}

fn analyze(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("systemd-analyze runs; .ci/run installs it")
}

fn verify(folder: &Path) {
    let output = analyze(
        folder,
        &["verify", "--man=no", "./ponte.service", "./ponte.socket"],
    );
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{said}");
    // What it does not know it ignores, and says so.
    assert!(!said.contains("ponte."), "{said}");
}

fn exposed_at_most(folder: &Path, most: &str) -> bool {
    let threshold = format!("--threshold={most}");
    let arguments = ["security", "--offline=true", &threshold, "./ponte.service"];
    analyze(folder, &arguments).status.success()
}

#[test]
fn the_units_are_sound_and_exposed_as_little_as_they_can_be() {
    let folder = installed(&[]);
    verify(folder.path());
    assert!(exposed_at_most(folder.path(), EXPOSURE_MAX));
    assert!(
        !exposed_at_most(folder.path(), "5"),
        "the tool judges nothing"
    );
}

#[test]
fn the_drop_ins_are_sound_too() {
    let folder = installed(&[
        "ponte.service.d/without-socket.conf",
        "ponte.socket.d/public.conf",
    ]);
    verify(folder.path());
    assert!(
        !exposed_at_most(folder.path(), EXPOSURE_MAX),
        "it was not read"
    );
    assert!(exposed_at_most(folder.path(), EXPOSURE_WITHOUT_SOCKET_MAX));
}

/// The values of a key, in order; an empty one takes those before it back.
fn values(text: &str, key: &str) -> Vec<String> {
    let mut values = Vec::new();
    for line in text.lines() {
        if let Some(value) = line
            .strip_prefix(key)
            .and_then(|rest| rest.strip_prefix('='))
        {
            if value.is_empty() {
                values.clear();
            } else {
                values.push(value.to_owned());
            }
        }
    }
    values
}

#[test]
fn the_socket_is_the_address_at_which_a_new_configuration_listens() {
    let socket = fs::read_to_string(units().join("ponte.socket")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let init = Command::new(env!("CARGO_BIN_EXE_ponte"))
        .args(["init", "--yes"])
        .current_dir(folder.path())
        .output();
    assert!(init.unwrap().status.success());
    let written = fs::read_to_string(folder.path().join("ponte.toml")).unwrap();
    for address in values(&socket, "ListenStream") {
        assert!(
            written.contains(&format!("listen = \"{address}\"")),
            "{written}"
        );
    }
    let public = fs::read_to_string(units().join("ponte.socket.d/public.conf")).unwrap();
    let both = format!("{socket}{public}");
    assert_eq!(values(&both, "ListenStream"), ["0.0.0.0:443"]);
}

#[test]
fn a_crash_is_over_before_tradingview_gives_up() {
    let service = fs::read_to_string(units().join("ponte.service")).unwrap();
    assert_eq!(values(&service, "RestartSec"), ["500ms"]);
    assert_eq!(values(&service, "StartLimitIntervalSec"), ["0"]);
    assert_eq!(values(&service, "Type"), ["notify"]);
    assert_eq!(values(&service, "WatchdogSec"), ["30"]);
}
