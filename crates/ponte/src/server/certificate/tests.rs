//! Files that can't be used, each with its reason and its cure.

use ponte_core::time::Timestamp;
use tempfile::TempDir;

use super::super::SelfSigned;
use super::*;

/// A good pair in a folder of its own.
fn pair() -> (TempDir, CertificateFiles) {
    let folder = tempfile::tempdir().unwrap();
    let pair = SelfSigned::make(&["localhost".to_owned()], Timestamp(0)).unwrap();
    let files = pair.write_new(folder.path()).unwrap().files;
    (folder, files)
}

/// Why this text can't stand in the place of the key, or of the certificate.
#[track_caller]
fn refused(part: &str, change: impl FnOnce(String) -> String) -> CertificateError {
    let (_folder, files) = pair();
    let path = match part {
        "key" => &files.key,
        _ => &files.certificate,
    };
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, change(text)).unwrap();
    let error = Certificate::read(files).unwrap_err();
    assert!(!error.cure().is_empty());
    error
}

#[test]
fn a_good_pair_is_taken() {
    let (_folder, files) = pair();
    let certificate = Certificate::read(files.clone()).unwrap();
    assert_eq!(certificate.fingerprint().len(), 64);
    assert_eq!(
        fingerprint_of_file(&files.certificate).unwrap(),
        certificate.fingerprint()
    );
    // A chain, as authorities give it: the server's own comes first.
    let (_other, vouching) = pair();
    let chain = fs::read_to_string(&files.certificate).unwrap()
        + &fs::read_to_string(&vouching.certificate).unwrap();
    fs::write(&files.certificate, chain).unwrap();
    let Look::Changed(fingerprint) = certificate.look() else {
        panic!("the chain is longer");
    };
    assert_eq!(
        fingerprint,
        fingerprint_of_file(&files.certificate).unwrap()
    );
}

#[test]
fn files_that_were_mixed_up_are_told_apart() {
    let certificate = || fs::read_to_string(pair().1.certificate).unwrap();
    let error = refused("key", |_| certificate());
    assert!(
        error
            .to_string()
            .ends_with("has no private key, it has CERTIFICATE"),
        "{error}"
    );
    let error = refused("certificate", |_| "hello\n".to_owned());
    assert!(
        error
            .to_string()
            .ends_with("has no certificate, it has no PEM at all"),
        "{error}"
    );
    let (_folder, other) = pair();
    let error = refused("key", |_| fs::read_to_string(&other.key).unwrap());
    assert!(
        matches!(error, CertificateError::Mismatch { .. }),
        "{error}"
    );
}

#[test]
fn a_broken_line_is_named_and_a_key_never_shown() {
    let mut secret = String::new();
    let error = refused("key", |text| {
        let line = text.lines().nth(1).unwrap().to_owned();
        let broken = text.replace(&line, &format!("{line}*"));
        secret = line;
        broken
    });
    let said = format!("{error} {error:?} {}", error.cure());
    assert!(said.contains("line 2"), "{said}");
    assert!(!said.contains(&secret[..16]), "{said}");
    let error = refused("certificate", |text| text[..text.len() / 2].to_owned());
    assert!(error.to_string().contains("line 1"), "{error}");
    let error = refused("certificate", |text| {
        let line = text.lines().nth(1).unwrap().to_owned();
        text.replace(&line, "AAAA")
    });
    assert!(
        matches!(error, CertificateError::Unusable { .. }),
        "{error}"
    );
    let error = refused("key", |text| {
        let line = text.lines().nth(1).unwrap().to_owned();
        text.replace(&line, "AAAA")
    });
    assert!(
        matches!(error, CertificateError::Unusable { .. }),
        "{error}"
    );
}

#[test]
fn a_passphrase_can_not_be_asked_for() {
    let encrypted = |text: String| text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let error = refused("key", encrypted);
    assert!(
        matches!(error, CertificateError::Encrypted { .. }),
        "{error}"
    );
}

#[test]
fn what_is_not_there_or_too_large_is_not_read() {
    let (folder, files) = pair();
    let nowhere = CertificateFiles {
        key: folder.path().join("nowhere.pem"),
        ..files
    };
    let error = Certificate::read(nowhere).unwrap_err();
    assert!(
        error.to_string().contains("nowhere.pem can't be read"),
        "{error}"
    );
    let error = refused("certificate", |text| text + &"\n".repeat(256 * 1024));
    assert!(
        error.to_string().contains("more than 262144 bytes"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_key_is_its_owners_or_its_groups() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, files) = pair();
    let chmod = |mode| fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
    chmod(0o640);
    Certificate::read(files.clone()).unwrap();
    chmod(0o644);
    let error = Certificate::read(files.clone()).unwrap_err();
    assert!(error.to_string().contains("mode 644"), "{error}");
    assert!(error.cure().starts_with("run: chmod 600 "), "{error}");
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let (folder, files) = pair();
    let before = fs::read_to_string(&files.key).unwrap();
    fs::remove_file(&files.certificate).unwrap();
    let other = SelfSigned::make(&["localhost".to_owned()], Timestamp(0)).unwrap();
    assert!(other.write_new(folder.path()).is_err());
    assert_eq!(fs::read_to_string(&files.key).unwrap(), before);
    assert!(!files.certificate.exists());
}
