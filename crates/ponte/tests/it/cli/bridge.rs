//! What a terminal's bridge needs, made by the command line.

use std::os::unix::fs::PermissionsExt as _;

use super::Home;

#[track_caller]
fn mode(home: &Home, name: &str) -> u32 {
    let metadata = std::fs::metadata(home.path(name)).unwrap();
    metadata.permissions().mode() & 0o777
}

#[test]
fn a_token_is_random_secret_and_never_shown() {
    let home = Home::new();
    let text = home.run(&["bridge", "token", "my-mt5"]).ok();
    let token = home.read("secrets/my-mt5-bridge-token");
    assert_eq!(token.trim().len(), 43);
    assert!(!text.contains(token.trim()));
    assert!(
        text.contains(r#"token = "file:secrets/my-mt5-bridge-token""#),
        "{text}"
    );
    assert!(text.contains("--token-file my-mt5-bridge-token"), "{text}");
    assert_eq!(mode(&home, "secrets/my-mt5-bridge-token"), 0o600);

    let complaint = home.run(&["bridge", "token", "my-mt5"]).complaint(1);
    assert!(complaint.contains("is there already"), "{complaint}");
    assert_eq!(home.read("secrets/my-mt5-bridge-token"), token);

    let made = home
        .run(&["bridge", "token", "../x", "--out", "other", "--json"])
        .json();
    assert_eq!(made["token"], "file:other");
    assert_ne!(home.read("other"), token);
    home.run(&["bridge", "token", "../x"]).ok();
    assert!(home.path("secrets/___x-bridge-token").exists());
}

#[test]
fn a_certificate_is_made_with_its_pin() {
    let home = Home::new();
    let text = home
        .run(&[
            "bridge",
            "certificate",
            "--host",
            "2001:db8::1",
            "--host",
            "vps.example.com",
        ])
        .ok();
    let printed = home
        .run(&["bridge", "fingerprint", "secrets/bridge-certificate.pem"])
        .ok();
    let pin = printed.trim();
    assert_eq!(pin.len(), 64);
    assert!(
        pin.chars()
            .all(|digit| digit.is_ascii_digit() || ('a'..='f').contains(&digit))
    );
    for line in [
        r#"certificate = "secrets/bridge-certificate.pem""#,
        r#"key = "secrets/bridge-key.pem""#,
        &format!("--url https://[2001:db8::1]:8443 --pin {pin}"),
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(mode(&home, "secrets/bridge-key.pem"), 0o600);
    let key = home.read("secrets/bridge-key.pem");
    assert!(!text.contains(key.lines().nth(1).unwrap()));

    let again = home.run(&["bridge", "certificate", "--host", "localhost"]);
    assert!(again.complaint(1).contains("is there already"));
    assert_eq!(home.read("secrets/bridge-key.pem"), key);

    let made = home
        .run(&[
            "bridge",
            "certificate",
            "--host",
            "localhost",
            "--out",
            "tls",
            "--json",
        ])
        .json();
    assert_eq!(made["key"], "tls/bridge-key.pem");
    assert_ne!(made["fingerprint"], pin);
}

#[test]
fn what_is_no_host_or_no_certificate_is_refused_with_a_cure() {
    let home = Home::new();
    let url = home.run(&["bridge", "certificate", "--host", "https://vps.example.com"]);
    let complaint = url.complaint(2);
    assert!(complaint.contains("without https://"), "{complaint}");
    assert!(!home.path("secrets").exists());
    std::fs::write(home.path("not.pem"), "-----BEGIN CERTIFICATE-----\nQU*D\n").unwrap();
    let complaint = home.run(&["bridge", "fingerprint", "not.pem"]).complaint(3);
    assert!(complaint.contains("not.pem, line 2"), "{complaint}");
    let complaint = home
        .run(&["bridge", "fingerprint", "nowhere.pem"])
        .complaint(3);
    assert!(complaint.contains("nowhere.pem"), "{complaint}");
}
