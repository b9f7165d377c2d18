//! Secrets: where they are kept, what is wrong with them, and that they are never shown.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use ponte::config::load_with;
use ponte::secret::{Secret, SecretError, SecretRef, SourceSecrets};
use ponte_core::id::SourceName;

use super::PARTS;

/// A folder that is deleted when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ponte-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Loads a configuration with these sources; what is said, with the folder's name shortened.
    fn load(&self, sources: &str) -> String {
        let text = format!(
            "{sources}[[accounts]]\n{}[[routes]]\n{}",
            PARTS.account, PARTS.route
        );
        self.write("ponte.toml", text, 0o644);
        let said = match load_with(&self.0.join("ponte.toml"), &variables) {
            Ok(loaded) => {
                let mut said: Vec<String> =
                    loaded.warnings.iter().map(ToString::to_string).collect();
                said.push(format!("{:?}", loaded.secrets));
                said.join("\n")
            }
            Err(errors) => errors.to_string(),
        };
        assert!(!said.contains("CANARY"), "{said}");
        said.replace(&self.0.display().to_string(), "…")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Loads a configuration with accounts at Binance, whose secrets are named by their keys' lines.
fn load_accounts(folder: &Folder, accounts: &[(&str, &str, &str, &str)]) -> String {
    let mut text = "[[sources]]\nname = \"main\"\nsecret = \"env:LONG\"\n".to_owned();
    text += &format!(
        "[[routes]]\nstrategies = [\"*\"]\naccounts = [\"{}\"]\n",
        accounts[0].0
    );
    for (name, market, api_key, signing_key) in accounts {
        text += &format!(
            "[[accounts]]\nname = \"{name}\"\nbroker = \"binance\"\nmode = \"demo\"\n\
             currency = \"USDT\"\n[accounts.binance]\nmarket = \"{market}\"\n\
             api_key = \"{api_key}\"\nsigning_key = \"{signing_key}\"\n"
        );
    }
    folder.write("ponte.toml", text, 0o644);
    let said = match load_with(&folder.0.join("ponte.toml"), &variables) {
        Ok(loaded) => format!("{:?}", loaded.broker_secrets),
        Err(errors) => errors.to_string(),
    };
    assert!(!said.contains("CANARY"), "{said}");
    said.replace(&folder.0.display().to_string(), "…")
}

fn variables(name: &str) -> Option<OsString> {
    match name {
        "LONG" => Some("CANARY-0123456789-0123456789".into()),
        "SAME" => Some("CANARY-0123456789-0123456789\n".into()),
        "SAMPLE" => Some("MEU_SEGREDO".into()),
        "API" => Some("CANARY-API-0123456789".into()),
        "HMAC" => Some("CANARY-HMAC-0123456789".into()),
        "PEM" => Some(pem("PRIVATE KEY", 3).into()),
        "SHORT" => Some("CANARY".into()),
        "SPACE" => Some("CANARY-0123456789 ".into()),
        _ => None,
    }
}

fn check(folder: &Folder, secret: &str, expected: &Expect) {
    let sources = format!("[[sources]]\nname = \"main\"\nsecret = \"{secret}\"\n");
    expected.assert_eq(&folder.load(&sources));
}

#[test]
fn secrets_in_variables() {
    let folder = Folder::new("variables");
    check(
        &folder,
        "env:LONG",
        &expect![[r#"SourceSecrets { secrets: [(SourceName("main"), «redacted»)] }"#]],
    );
    check(
        &folder,
        "env:SAMPLE",
        &expect![[r#"
        …/ponte.toml:3:10: warning: sources.secret: the secret in env:SAMPLE has 11 bytes, at least 16 are safe; replace it by a long random one
          3 | secret = …
            |          ^
        SourceSecrets { secrets: [(SourceName("main"), «redacted»)] }"#]],
    );
    check(
        &folder,
        "env:SHORT",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: the secret has 6 bytes, the minimum is 8; use 16 random letters or more
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "env:SPACE",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: the secret has a control character or a space at its ends; use letters and digits only
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "env:MISSING",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: environment variable MISSING is not set; set it before the start: export MISSING=…
          3 | secret = …
            |          ^"#]],
    );
}

#[test]
fn secrets_in_files() {
    let folder = Folder::new("files");
    folder.write("good", "CANARY-0123456789-0123456789\r\n", 0o600);
    folder.write("open", "CANARY-0123456789-0123456789", 0o644);
    folder.write("group", "CANARY-0123456789-0123456789", 0o640);
    folder.write("long", "CANARY".repeat(200), 0o600);
    folder.write("empty", "\n", 0o600);
    folder.write("binary", b"CANARY\xff\xff\xff\xff\xff", 0o600);
    check(
        &folder,
        "file:good",
        &expect![[r#"SourceSecrets { secrets: [(SourceName("main"), «redacted»)] }"#]],
    );
    check(
        &folder,
        "file:open",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: file …/open has mode 644, others than its owner may use it; run: chmod 600 …/open
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "file:group",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: file …/group has mode 640, others than its owner may use it; run: chmod 600 …/group
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "file:long",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: the secret has more than 512 bytes; use at most 512
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "file:empty",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: the secret has 0 bytes, the minimum is 8; use 16 random letters or more
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "file:binary",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: the secret is not UTF-8 text; use letters and digits only
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "file:missing",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: file …/missing can't be read: No such file or directory (os error 2); write the secret into it, readable by the user who runs ponte
          3 | secret = …
            |          ^"#]],
    );
    check(
        &folder,
        "file:.",
        &expect![[r#"
        …/ponte.toml:3:10: sources.secret: file …/. can't be read: it is not a file; write the secret into it, readable by the user who runs ponte
          3 | secret = …
            |          ^"#]],
    );
}

#[test]
fn two_sources_with_one_secret() {
    let folder = Folder::new("twins");
    let source =
        |name, secret| format!("[[sources]]\nname = \"{name}\"\nsecret = \"env:{secret}\"\n");
    let sources = source("a", "LONG") + &source("b", "SAME") + &source("c", "LONG");
    expect![[r#"
        …/ponte.toml:6:10: sources.secret: source "b" has the same secret as "a"; give each source its own
          6 | secret = …
            |          ^
        …/ponte.toml:9:10: sources.secret: source "c" has the same secret as "a"; give each source its own
          9 | secret = …
            |          ^"#]].assert_eq(&folder.load(&sources));
}

#[test]
fn problems_of_the_file_and_of_its_secrets_come_together() {
    let folder = Folder::new("together");
    let sources = "[[sources]]\nname = \"main\"\nsecret = \"env:MISSING\"\nformt = \"ponte\"\n";
    expect![[r#"
        …/ponte.toml:3:10: sources.secret: environment variable MISSING is not set; set it before the start: export MISSING=…
          3 | secret = …
            |          ^
        …/ponte.toml:4:1: sources.formt: unknown key; did you mean "format"?
          4 | formt …
            | ^^^^^"#]].assert_eq(&folder.load(sources));
}

#[test]
fn a_file_that_can_not_be_read() {
    let folder = Folder::new("unreadable");
    let load = |name: &str| {
        let said = load_with(&folder.0.join(name), &variables)
            .unwrap_err()
            .to_string();
        said.replace(&folder.0.display().to_string(), "…")
    };
    expect!["…/none.toml: can't be read: No such file or directory (os error 2); make one with: ponte init"].assert_eq(&load("none.toml"));
    folder.write("latin.toml", b"# a\n# caf\xe9\n", 0o644);
    expect!["…/latin.toml: is not UTF-8 text in line 2; save it as UTF-8"]
        .assert_eq(&load("latin.toml"));
    folder.write("large.toml", "#".repeat(1024 * 1024 + 1), 0o644);
    expect!["…/large.toml: has more than 1048576 bytes"].assert_eq(&load("large.toml"));
}

#[test]
fn a_secret_is_written_for_its_owner_only_and_only_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("written");
    let path = folder.0.join("secrets/main");
    let secret = Secret::from_random(&[0xab; 16]).unwrap();
    assert_eq!(secret.expose(), "ab".repeat(16));
    secret.write_new(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let read = Secret::resolve(&SecretRef::File(path.clone())).unwrap();
    assert!(read.is_same(&secret));
    assert!(secret.write_new(&path).is_err());
}

#[test]
fn references() {
    let base = Path::new("/etc/ponte");
    for (text, expected) in [
        ("env:A_1", "env:A_1"),
        ("file:secrets/main", "file:/etc/ponte/secrets/main"),
        ("file:/run/x", "file:/run/x"),
        (
            "env:",
            "expected the name of a variable after \"env:\": letters, digits and \"_\"",
        ),
        (
            "env:1A",
            "expected the name of a variable after \"env:\": letters, digits and \"_\"",
        ),
        ("file: ", "expected a path after \"file:\""),
        (
            "x",
            "expected \"env:NAME\", \"file:PATH\", \"credential:NAME\" or \"vault:NAME\", found a text \
             that begins with none of them",
        ),
        ("credential:main", "credential:main"),
        ("vault:binance-key.pem", "vault:binance-key.pem"),
        (
            "vault:../key",
            "expected a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or a \
             digit",
        ),
        (
            "credential:",
            "expected a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or a \
             digit",
        ),
    ] {
        let read = match SecretRef::parse(text, base) {
            Ok(reference) => reference.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected);
    }
}

#[test]
fn the_source_of_a_presented_secret() {
    let mut secrets = SourceSecrets::default();
    assert_eq!(secrets.matching(b"anything"), None);
    let names = ["a", "b", "c"].map(|name| SourceName::new(name).unwrap());
    for (name, text) in names
        .iter()
        .zip(["secret-of-a", "secret-of-b", "secret-of-c"])
    {
        secrets.insert(name.clone(), Secret::new(text.to_owned()).unwrap());
    }
    assert_eq!(secrets.matching(b"secret-of-a"), Some(&names[0]));
    assert_eq!(secrets.matching(b"secret-of-b"), Some(&names[1]));
    assert_eq!(secrets.matching(b"secret-of-c"), Some(&names[2]));
    for wrong in [
        &b""[..],
        b"secret-of-",
        b"secret-of-d",
        b"secret-of-a ",
        b"SECRET-OF-A",
    ] {
        assert_eq!(secrets.matching(wrong), None);
    }
}

#[test]
fn a_secret_is_never_shown() {
    let secret = Secret::new("CANARY-CANARY".to_owned()).unwrap();
    assert_eq!(
        format!("{secret} {secret:?} {secret:#?}"),
        "«redacted» «redacted» «redacted»"
    );
    let mut secrets = SourceSecrets::default();
    secrets.insert(SourceName::new("a").unwrap(), secret);
    assert!(!format!("{secrets:?}").contains("CANARY"));
    assert_eq!(
        Secret::new("tab\tinside-it".to_owned()).unwrap_err(),
        SecretError::BadCharacter
    );
}

/// A PEM of so many lines; nothing looks at what is in it before the adapter does.
fn pem(label: &str, lines: usize) -> String {
    let line = "CANARY0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV\n";
    let body = line.repeat(lines);
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

#[test]
fn signing_keys_are_one_line_or_a_private_key() {
    let folder = Folder::new("signing");
    // A private RSA key of 4096 bits has about 50 lines.
    folder.write("rsa", pem("PRIVATE KEY", 52).replace('\n', "\r\n"), 0o600);
    folder.write("open", pem("PRIVATE KEY", 1), 0o640);
    folder.write("public", pem("PUBLIC KEY", 2), 0o600);
    folder.write("locked", pem("ENCRYPTED PRIVATE KEY", 2), 0o600);
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nCANARY\n-----END RSA PRIVATE KEY-----\n";
    folder.write("locked-old", old, 0o600);
    folder.write("pkcs1", pem("RSA PRIVATE KEY", 2), 0o600);
    folder.write(
        "described",
        format!("a key\n{}", pem("PRIVATE KEY", 2)),
        0o600,
    );
    folder.write("first-line", "-----BEGIN PRIVATE KEY-----\n", 0o600);
    folder.write("tabs", pem("PRIVATE KEY", 1).replace("abc", "\t"), 0o600);
    folder.write("huge", pem("PRIVATE KEY", 200), 0o600);
    folder.write("long", "CANARY".repeat(200), 0o600);
    for (signing_key, expected) in [
        (
            "env:HMAC",
            expect![[
                r#"{AccountName("a"): BinanceSecrets { api_key: «redacted», signing_key: «redacted» }}"#
            ]],
        ),
        (
            "env:PEM",
            expect![[
                r#"{AccountName("a"): BinanceSecrets { api_key: «redacted», signing_key: «redacted» }}"#
            ]],
        ),
        (
            "file:rsa",
            expect![[
                r#"{AccountName("a"): BinanceSecrets { api_key: «redacted», signing_key: «redacted» }}"#
            ]],
        ),
        (
            "file:open",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: file …/open has mode 640, others than its owner may use it; run: chmod 600 …/open
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:public",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing key is a PEM without a private key in it; give the private half, which openssl genpkey wrote; the exchange gets the public one
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:locked",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing key is encrypted with a passphrase; write it without one, readable by its owner only: openssl pkey -in OLD -out NEW
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:locked-old",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing key is encrypted with a passphrase; write it without one, readable by its owner only: openssl pkey -in OLD -out NEW
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:first-line",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing key begins with a BEGIN line and has no END line; keep all of its lines; a file keeps them best
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:tabs",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the secret has a control character or a space at its ends; paste it as the exchange shows it, or give the file that openssl wrote
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:huge",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the secret has more than 8192 bytes; paste it as the exchange shows it, or give the file that openssl wrote
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:long",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the secret has more than 512 bytes; paste it as the exchange shows it, or give the file that openssl wrote
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:pkcs1",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing key is not in PKCS#8 form, which begins with BEGIN PRIVATE KEY; convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "file:described",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the secret has a control character or a space at its ends; paste it as the exchange shows it, or give the file that openssl wrote
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            "env:SHORT",
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the secret has 6 bytes, the minimum is 8; paste it as the exchange shows it, or give the file that openssl wrote
              15 | signing_key = …
                 |               ^"#]],
        ),
    ] {
        let said = load_accounts(&folder, &[("a", "spot", "env:API", signing_key)]);
        expected.assert_eq(&said);
    }
    // An API key is never a PEM.
    expect![[r#"
        …/ponte.toml:14:11: accounts.binance.api_key: the secret has more than 512 bytes; paste it as the exchange shows it, or give the file that openssl wrote
          14 | api_key = …
             |           ^"#]].assert_eq(&load_accounts(
        &folder,
        &[("a", "spot", "file:rsa", "env:HMAC")],
    ));
}

#[test]
fn the_lines_of_a_key_stay() {
    let text = pem("PRIVATE KEY", 3);
    let key = Secret::signing_key(text.clone()).unwrap();
    assert_eq!(key.expose(), text.trim_end());
    assert_eq!(Secret::new(text).unwrap_err(), SecretError::BadCharacter);
}

#[test]
fn no_secret_serves_two_purposes() {
    let folder = Folder::new("purposes");
    folder.write("same", "CANARY-API-0123456789\n", 0o600);
    for (accounts, expected) in [
        // The webhook's secret, by its reference and by its value.
        (
            &[("a", "spot", "env:LONG", "env:SAME")][..],
            expect![[r#"
            …/ponte.toml:14:11: accounts.binance.api_key: the api_key of account "a" is the same as the secret of source "main"; give the source its own: whoever reads an alert would hold a broker's key
              14 | api_key = …
                 |           ^
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing_key of account "a" is the same as the secret of source "main"; give the source its own: whoever reads an alert would hold a broker's key
              15 | signing_key = …
                 |               ^"#]],
        ),
        // One text pasted twice, in one place and in two.
        (
            &[("a", "spot", "env:API", "env:API")],
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing_key of account "a" is the same as the api_key of account "a"; the api_key is what the exchange shows, the signing_key is what it shows only once or the private key of your own
              15 | signing_key = …
                 |               ^"#]],
        ),
        (
            &[("a", "spot", "env:API", "file:same")],
            expect![[r#"
            …/ponte.toml:15:15: accounts.binance.signing_key: the signing_key of account "a" is the same as the api_key of account "a"; the api_key is what the exchange shows, the signing_key is what it shows only once or the private key of your own
              15 | signing_key = …
                 |               ^"#]],
        ),
        // One account at the exchange as two of ours.
        (
            &[
                ("a", "spot", "env:API", "env:HMAC"),
                ("b", "spot", "env:API", "env:HMAC"),
                ("c", "spot", "file:same", "env:HMAC"),
            ],
            expect![[r#"
                …/ponte.toml:23:11: accounts.binance.api_key: the api_key of account "b" is the same as the api_key of account "a"; write one account and lead both routes to it: Ponte would count what is one position at the exchange twice
                  23 | api_key = …
                     |           ^
                …/ponte.toml:32:11: accounts.binance.api_key: the api_key of account "c" is the same as the api_key of account "a"; write one account and lead both routes to it: Ponte would count what is one position at the exchange twice
                  32 | api_key = …
                     |           ^"#]],
        ),
        // One key for both markets.
        (
            &[
                ("a", "spot", "env:API", "env:HMAC"),
                ("b", "futures", "env:API", "env:HMAC"),
            ],
            expect![[
                r#"{AccountName("a"): BinanceSecrets { api_key: «redacted», signing_key: «redacted» }, AccountName("b"): BinanceSecrets { api_key: «redacted», signing_key: «redacted» }}"#
            ]],
        ),
    ] {
        expected.assert_eq(&load_accounts(&folder, accounts));
    }
}
