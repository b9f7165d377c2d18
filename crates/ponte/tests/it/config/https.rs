//! `[webhook.tls]` and `[webhook.acme]`: what is found wrong in the text and on the disk, and what
//! is meant.

use std::path::PathBuf;

use expect_test::{Expect, expect};
use ponte::config::{WebhookTls, load_with};
use ponte::server::SelfSigned;
use ponte::server::acme::{AcmeSettings, ChallengeKind, Directory};
use ponte_core::time::Timestamp;

use super::{PARTS, check, config, top};

fn acme(keys: &str) -> String {
    top(&format!("[webhook.acme]\n{keys}"))
}

#[track_caller]
fn settings(text: &str) -> AcmeSettings {
    match config(text).webhook.tls {
        Some(WebhookTls::Acme(settings)) => settings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_least_is_the_public_url_and_a_yes() {
    let text = "[webhook]\npublic_url = \"https://Hook.example.com\"\n[webhook.acme]\naccept_terms = true\n";
    let settings = settings(&top(text));
    assert_eq!(settings.names, ["hook.example.com"]);
    assert_eq!(settings.directory, Directory::LetsEncrypt);
    assert_eq!(settings.rehearsal, Some(Directory::LetsEncryptStaging));
    assert_eq!(settings.challenge, ChallengeKind::TlsAlpn01);
    assert!(settings.contact.is_empty() && settings.root.is_none() && settings.profile.is_none());
}

#[test]
fn everything_can_be_said() {
    let settings = settings(&acme(
        "domains = [\"b.example.com\", \"A.example.com\", \"52.0.2.7\"]\ncontact = [\"mailto:o@example.com\"]\n\
         accept_terms = true\ndirectory = \"https://ca.example.com:14000/dir\"\nroot = \"ca.pem\"\n\
         challenge = \"http-01\"\nhttp_listen = \"127.0.0.1:8000\"\nprofile = \"shortlived\"\n",
    ));
    assert_eq!(
        settings.names,
        ["b.example.com", "a.example.com", "52.0.2.7"]
    );
    assert_eq!(settings.contact, ["o@example.com"]);
    assert_eq!(settings.directory.url(), "https://ca.example.com:14000/dir");
    assert_eq!(settings.rehearsal, None);
    assert_eq!(settings.root, Some(PathBuf::from("ca.pem")));
    assert_eq!(settings.challenge, ChallengeKind::Http01);
    assert_eq!(settings.http_listen.to_string(), "127.0.0.1:8000");
    assert_eq!(settings.profile.as_deref(), Some("shortlived"));
}

#[test]
fn only_one_of_the_two_can_be() {
    check(
        &top("[webhook.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n\
             [webhook.acme]\ndomains = [\"a.example.com\"]\naccept_terms = true\n"),
        &expect![[r#"
            ponte.toml:4:1: webhook.acme: both [webhook.tls] and [webhook.acme] are written; keep [webhook.acme] to let Ponte order its certificate, or [webhook.tls] for files of your own
              4 | [webhook.acme]
                | ^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[webhook.tls]\ncertificate = \"c.pem\"\n"),
        &expect![[r#"
        ponte.toml:1:1: webhook.tls.key: missing; add key = "/etc/letsencrypt/live/hook.example.com/privkey.pem"
          1 | [webhook.tls]
            | ^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn the_terms_must_be_accepted() {
    check(
        &acme("domains = [\"a.example.com\"]\n"),
        &expect![[r#"
        ponte.toml:1:1: webhook.acme.accept_terms: missing; add accept_terms = true
          1 | [webhook.acme]
            | ^^^^^^^^^^^^^^"#]],
    );
    check(
        &acme("domains = [\"a.example.com\"]\naccept_terms = false\n"),
        &expect![[r#"
            ponte.toml:3:16: webhook.acme.accept_terms: without its terms an authority gives no certificate; read them (Let's Encrypt's: https://letsencrypt.org/repository/), then write true; or use [webhook.tls] with files of your own
              3 | accept_terms = false
                |                ^^^^^"#]],
    );
}

#[test]
fn names_must_be_reachable_names() {
    check(
        &acme("accept_terms = true\n"),
        &expect![[r#"
        ponte.toml:1:1: webhook.acme.domains: missing, and webhook.public_url, whose host it would be, too; add domains = ["hook.example.com"]
          1 | [webhook.acme]
            | ^^^^^^^^^^^^^^"#]],
    );
    check(
        &acme("domains = []\naccept_terms = true\n"),
        &expect![[r#"
        ponte.toml:2:11: webhook.acme.domains: names nothing; add domains = ["hook.example.com"]
          2 | domains = []
            |           ^^"#]],
    );
    check(
        &acme(
            "domains = [\"*.example.com\", \"https://a.example.com\", \"localhost\", \"a_b.example.com\", \
             \"192.168.1.7\", 7]\naccept_terms = true\n",
        ),
        &expect![[r#"
            ponte.toml:2:12: webhook.acme.domains: "*.example.com" stands for many names; list the names: a wildcard is proven in the DNS alone, which Ponte does not write to
              2 | domains = ["*.example.com", "https://a.example.com", "localhost", "a_b.example.com", "192.168.1.7", 7]
                |            ^^^^^^^^^^^^^^^
            ponte.toml:2:29: webhook.acme.domains: "https://a.example.com" says more than a name; write a name such as "hook.example.com"
              2 | domains = ["*.example.com", "https://a.example.com", "localhost", "a_b.example.com", "192.168.1.7", 7]
                |                             ^^^^^^^^^^^^^^^^^^^^^^^
            ponte.toml:2:54: webhook.acme.domains: "localhost" is a name of this network alone; write a name such as "hook.example.com"
              2 | domains = ["*.example.com", "https://a.example.com", "localhost", "a_b.example.com", "192.168.1.7", 7]
                |                                                      ^^^^^^^^^^^
            ponte.toml:2:67: webhook.acme.domains: "a_b.example.com" is not a DNS name; write a name such as "hook.example.com"
              2 | s = ["*.example.com", "https://a.example.com", "localhost", "a_b.example.com", "192.168.1.7", 7]
                |                                                             ^^^^^^^^^^^^^^^^^
            ponte.toml:2:86: webhook.acme.domains: 192.168.1.7 can't be reached from the internet; write a name such as "hook.example.com"
              2 | ", "https://a.example.com", "localhost", "a_b.example.com", "192.168.1.7", 7]
                |                                                             ^^^^^^^^^^^^^
            ponte.toml:2:101: webhook.acme.domains: expected a text, found the number 7
              2 | xample.com", "localhost", "a_b.example.com", "192.168.1.7", 7]
                |                                                             ^"#]],
    );
    check(
        &acme("domains = [\"52.0.2.7\", \"a.example.com\"]\naccept_terms = true\n"),
        &expect![[r#"
            ponte.toml:2:11: webhook.acme.domains: Let's Encrypt gives addresses short certificates only; add profile = "shortlived"
              2 | domains = ["52.0.2.7", "a.example.com"]
                |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &top(
            "[webhook]\npublic_url = \"https://c.example.com\"\n[webhook.acme]\naccept_terms = true\n\
             domains = [\"a.example.com\", \"A.example.com\"]\n",
        ),
        &expect![[r#"
            ponte.toml:5:11: warning: webhook.acme.domains: c.example.com of webhook.public_url is not among them, so that no alert could be sent there; add it
              5 | domains = ["a.example.com", "A.example.com"]
                |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            ponte.toml:5:29: warning: webhook.acme.domains: "a.example.com" is there twice; take one out
              5 | domains = ["a.example.com", "A.example.com"]
                |                             ^^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn the_rest_is_held_to_its_form() {
    check(
        &acme(
            "domains = [\"a.example.com\"]\naccept_terms = true\ncontact = [\"owner\", \"<o@example.com>\"]\n\
             directory = \"letsencrypt-stagin\"\nchallenge = \"dns-01\"\nprofile = \"a b\"\n",
        ),
        &expect![[r#"
            ponte.toml:4:12: webhook.acme.contact: "owner" is not an e-mail address; write one such as "owner@example.com", or leave contact out
              4 | contact = ["owner", "<o@example.com>"]
                |            ^^^^^^^
            ponte.toml:4:21: webhook.acme.contact: "<o@example.com>" is not an e-mail address; write one such as "owner@example.com", or leave contact out
              4 | contact = ["owner", "<o@example.com>"]
                |                     ^^^^^^^^^^^^^^^^^
            ponte.toml:5:13: webhook.acme.directory: "letsencrypt-stagin" is not an ACME directory; did you mean "letsencrypt-staging"?
              5 | directory = "letsencrypt-stagin"
                |             ^^^^^^^^^^^^^^^^^^^^
            ponte.toml:6:13: webhook.acme.challenge: expected "tls-alpn-01" or "http-01", found "dns-01"
              6 | challenge = "dns-01"
                |             ^^^^^^^^
            ponte.toml:7:11: webhook.acme.profile: "a b" is not a profile's name; write one that the authority has, such as "classic", "tlsserver" or "shortlived"
              7 | profile = "a b"
                |           ^^^^^"#]],
    );
    check(
        &acme(
            "domains = [\"a.example.com\"]\naccept_terms = true\ndirectory = \"http://ca.example.com/dir\"\n",
        ),
        &expect![[r#"
            ponte.toml:4:13: webhook.acme.directory: "http://ca.example.com/dir" is not an ACME directory; write "letsencrypt" or "letsencrypt-staging", or the https URL of another directory
              4 | directory = "http://ca.example.com/dir"
                |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        &acme(
            "domains = [\"a.example.com\"]\naccept_terms = true\nroot = \"ca.pem\"\nhttp_listen = \"0.0.0.0:80\"\n",
        ),
        &expect![[r#"
            ponte.toml:4:8: warning: webhook.acme.root: is for a directory of your own, Let's Encrypt needs none; take it out
              4 | root = "ca.pem"
                |        ^^^^^^^^
            ponte.toml:5:15: warning: webhook.acme.http_listen: has no effect, challenge is "tls-alpn-01"; write challenge = "http-01", or take it out
              5 | http_listen = "0.0.0.0:80"
                |               ^^^^^^^^^^^^"#]],
    );
    check(
        &top(
            "[webhook]\nlisten = \"127.0.0.1:80\"\n[webhook.acme]\ndomains = [\"a.example.com\"]\n\
             accept_terms = true\nchallenge = \"http-01\"\n",
        ),
        &expect![[r#"
            ponte.toml:3:1: webhook.acme.http_listen: port 80 is both the webhook's and the authority's questions'; give each its own port
              3 | [webhook.acme]
                | ^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn a_public_webhook_in_plain_is_warned_of() {
    let warning = expect![[r#"
        ponte.toml:2:10: warning: webhook.listen: 0.0.0.0:8080 is not a loopback address, and without TLS everybody on the way reads the alerts' secrets; add [webhook.acme] to get a certificate, or [webhook.tls] with files of your own; behind a proxy with TLS write proxy, or its address in trusted_proxies
          2 | listen = "0.0.0.0:8080"
            |          ^^^^^^^^^^^^^^"#]];
    check(&top("[webhook]\nlisten = \"0.0.0.0:8080\"\n"), &warning);
    let silent: Expect = expect![];
    for fine in [
        "[webhook]\nlisten = \"127.0.0.1:8080\"\n",
        "[webhook]\nlisten = \"[::1]:8080\"\n",
        "[webhook]\nlisten = \"0.0.0.0:8080\"\ntrusted_proxies = [\"private\"]\n",
        "[webhook]\nlisten = \"0.0.0.0:8080\"\nproxy = \"fly\"\n",
        "[webhook]\nlisten = \"0.0.0.0:443\"\n[webhook.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n",
        "[webhook]\nlisten = \"0.0.0.0:443\"\n[webhook.acme]\ndomains = [\"a.example.com\"]\naccept_terms = true\n",
    ] {
        check(&top(fine), &silent);
    }
}

#[test]
fn a_proxy_that_ends_tls_leaves_no_handshakes() {
    check(
        &top(
            "[webhook]\nlisten = \"0.0.0.0:443\"\nproxy = \"fly\"\n[webhook.acme]\n\
             domains = [\"a.example.com\"]\naccept_terms = true\n",
        ),
        &expect![[r#"
            ponte.toml:4:1: warning: webhook.acme: TLS ends at webhook.proxy, so that no authority's handshake gets here; take this section out, and let the proxy have the certificate and speak plain HTTP to Ponte
              4 | [webhook.acme]
                | ^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn a_certificate_with_which_nobody_connects_is_warned_of() {
    let key = rcgen::KeyPair::generate().unwrap();
    let pair = |from: i32, to: i32| {
        let names = ["*.example.com".to_owned()];
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        params.self_signed(&key).unwrap().pem()
    };
    let check = |from, to, host| {
        let section = format!(
            "[webhook]\npublic_url = \"https://{host}\"\n[webhook.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"
        );
        let (certificate, key) = (pair(from, to), key.serialize_pem());
        with_files(
            &section,
            &[("c.pem", &certificate, 0o644), ("k.pem", &key, 0o600)],
        )
    };
    assert_eq!(check(2024, 2124, "hook.example.com"), "");
    expect![[r#"
        ponte.toml:4:15: warning: webhook.tls.certificate: the certificate has ended on 2025-01-01T00:00:00.000000Z; renew it: TradingView sends nothing to a webhook that shows it
          4 | certificate = "c.pem"
            |               ^^^^^^^"#]].assert_eq(&check(2024, 2025, "hook.example.com"));
    expect![[r#"
        ponte.toml:4:15: warning: webhook.tls.certificate: the certificate begins on 2123-01-01T00:00:00.000000Z; look at this machine's clock
          4 | certificate = "c.pem"
            |               ^^^^^^^"#]].assert_eq(&check(2123, 2124, "hook.example.com"));
    expect![[r#"
        ponte.toml:4:15: warning: webhook.tls.certificate: the certificate is for *.example.com, not for hook.example.org of webhook.public_url; name the files of the certificate for that host, or mend public_url
          4 | certificate = "c.pem"
            |               ^^^^^^^"#]].assert_eq(&check(2024, 2124, "hook.example.org"));
}

/// What `ponte check` finds with these files beside the configuration; the folder is left out.
fn with_files(section: &str, files: &[(&str, &str, u32)]) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    for (name, text, mode) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode)).unwrap();
    }
    let path = folder.path().join("ponte.toml");
    std::fs::write(
        &path,
        super::Parts {
            top: section,
            ..PARTS
        }
        .text(),
    )
    .unwrap();
    let secret = |_: &str| Some("a-secret-for-the-tests-only".into());
    let found = match load_with(&path, &secret) {
        Ok(loaded) => loaded.warnings.iter().map(ToString::to_string).collect(),
        Err(errors) => errors.to_string(),
    };
    found.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn files_that_cannot_be_used_are_found_before_the_start() {
    let section = "[webhook.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
    expect![[r#"
        ponte.toml:2:15: webhook.tls.certificate: file c.pem can't be read: No such file or directory (os error 2); name the file that is there, readable by the user who runs ponte; or let Ponte get its certificate: [webhook.acme]
          2 | certificate = "c.pem"
            |               ^^^^^^^"#]].assert_eq(&with_files(section, &[]));
    let folder = tempfile::tempdir().unwrap();
    let pair = SelfSigned::make(
        &["a.example.com".to_owned()],
        Timestamp(1_795_996_800_000_000),
    );
    let files = pair.unwrap().write_new(folder.path()).unwrap().files;
    let certificate = std::fs::read_to_string(files.certificate).unwrap();
    let key = std::fs::read_to_string(files.key).unwrap();
    expect!["ponte.toml:3:7: webhook.tls.key: file k.pem has mode 644, everybody on this machine may use the key; run: chmod 600 k.pem"].assert_eq(&with_files(
        section,
        &[("c.pem", &certificate, 0o644), ("k.pem", &key, 0o644)],
    ));
    let fine = [
        ("c.pem", certificate.as_str(), 0o644),
        ("k.pem", key.as_str(), 0o600),
    ];
    assert_eq!(with_files(section, &fine), "");
    let section = "[webhook.acme]\ndomains = [\"a.example.com\"]\naccept_terms = true\n\
                   directory = \"https://ca.example.com/dir\"\nroot = \"root.pem\"\n";
    expect![[r#"
        ponte.toml:5:8: webhook.acme.root: file root.pem can't be used as the root of the directory: there is no certificate in it; name the PEM file with the root of the directory's own HTTPS
          5 | root = "root.pem"
            |        ^^^^^^^^^^"#]].assert_eq(&with_files(section, &[("root.pem", "nothing", 0o644)]));
    assert_eq!(
        with_files(section, &[("root.pem", &certificate, 0o644)]),
        ""
    );
}
