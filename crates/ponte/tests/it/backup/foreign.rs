//! Archives that no Ponte has made, and that want to be restored.

use std::path::Path;

use ponte::backup::{BackupError, check};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A member: its name, its content, its kind.
type Member = (String, Vec<u8>, EntryType);

fn plain(name: &str, content: &[u8]) -> Member {
    (name.to_owned(), content.to_vec(), EntryType::Regular)
}

fn archive(members: &[Member]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, content, kind) in members {
        let mut header = Header::new_ustar();
        header.set_entry_type(*kind);
        // As somebody would write it who minds no rules.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        builder.append(&header, &content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn manifest(parts: &[(&str, &str, &[u8])]) -> Value {
    let parts: Vec<Value> = parts
        .iter()
        .map(|(name, member, content)| {
            json!({ "name": name, "member": member, "bytes": content.len(), "sha256": sha256(content) })
        })
        .collect();
    json!({
        "format": 1, "ponte": "0.1.0", "made_at": 0, "installation": "0",
        "journal": { "events": 0, "first": null, "last": null, "hash": "00".repeat(32), "schema": 1 },
        "parts": parts, "left_out": [],
    })
}

/// A whole archive of these parts, with digests that are right.
fn whole(parts: &[(&str, &str, &[u8])]) -> Vec<Member> {
    let text = manifest(parts).to_string();
    let mut members = vec![plain("manifest.json", text.as_bytes())];
    let mut sums = format!("{}  manifest.json\n", sha256(text.as_bytes()));
    for (_, member, content) in parts {
        members.push(plain(member, content));
        sums += &format!("{}  {member}\n", sha256(content));
    }
    members.push(plain("SHA256SUMS", sums.as_bytes()));
    members
}

#[track_caller]
fn refused(members: &[Member], complaint: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.tar");
    std::fs::write(&file, archive(members)).unwrap();
    let into = folder.path().join("into");
    std::fs::create_dir(&into).unwrap();
    let error = check(&file, None, &into).unwrap_err();
    assert!(error.to_string().contains(complaint), "{error}");
    assert!(matches!(error, BackupError::Damaged { .. }), "{error:?}");
    // Nothing is beside the folder that was given.
    let beside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 2);
    assert!(!Path::new("/tmp/ponte-evil").exists());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "data/../../evil",
        "data//tmp/ponte-evil",
        "/tmp/ponte-evil",
        "data/.restoring/x",
        "data/",
        "data/ponte.toml",
        "evil",
    ] {
        refused(&whole(&[(name, "part", b"evil")]), "it can't hold");
    }
    let twice: [(&str, &str, &[u8]); 2] = [("data/a", "data/a", b"1"), ("data/a", "data/b", b"2")];
    refused(&whole(&twice), "it can't hold");
}

#[test]
fn members_that_the_manifest_does_not_name_are_refused() {
    let one: [(&str, &str, &[u8]); 1] = [("data/a", "data/a", b"content")];
    refused(&whole(&one), "there is no journal in it");
    let mut more = whole(&one);
    more.insert(2, plain("data/b", b"evil"));
    refused(&more, "which its manifest does not name");
    let mut after = whole(&one);
    after.push(plain("data/b", b"evil"));
    refused(&after, "stands after its end");
    let mut other = whole(&one);
    other[1].1 = b"CONTENT".to_vec();
    refused(&other, "data/a is not as it was written");
    let mut longer = whole(&one);
    longer[1].1 = b"content and more".to_vec();
    refused(&longer, "stands where its manifest says");
    let mut swapped = whole(&one);
    swapped.swap(0, 1);
    refused(&swapped, "it begins with");
    let mut sums = whole(&one);
    sums[2].1[0] ^= 1;
    refused(&sums, "SHA256SUMS and manifest.json differ");
    let mut endless = whole(&one);
    endless.pop();
    refused(&endless, "it is cut off");
    refused(&[], "it is cut off");
}

#[test]
fn members_that_are_no_files_are_refused() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Char,
        EntryType::GNULongName,
        EntryType::XHeader,
    ] {
        let mut members = whole(&[("data/a", "data/a", b"content")]);
        members[1].2 = kind;
        refused(&members, "is no plain file");
    }
}

#[test]
fn what_claims_to_be_large_is_refused_before_it_is_read() {
    let mut text = manifest(&[("data/vault.age", "data/vault.age", b"x")]);
    text["parts"][0]["bytes"] = json!(1_u64 << 40);
    refused(
        &[plain("manifest.json", text.to_string().as_bytes())],
        "it can't hold",
    );
    let mut header = Header::new_ustar();
    header.set_path("manifest.json").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.tar");
    std::fs::write(&file, header.as_bytes()).unwrap();
    let error = check(&file, None, folder.path()).unwrap_err();
    assert!(error.to_string().contains("the maximum is"), "{error}");
    for text in ["", "{}", "[]", "{\"format\": 1}"] {
        refused(
            &[plain("manifest.json", text.as_bytes())],
            "manifest.json can't be read",
        );
    }
}
