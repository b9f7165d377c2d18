//! `ponte send` to a webhook as it stands on the open internet: with TLS, behind a proxy's protocol.

use std::os::unix::fs::PermissionsExt as _;

use rcgen::{CertificateParams, KeyPair};

use super::Home;

impl Home {
    /// A new pair, where the configuration looks for it.
    fn write_pair(&self) {
        let key = KeyPair::generate().unwrap();
        // Under a name by which nobody reaches this machine from itself.
        let params = CertificateParams::new(vec!["hook.example.com".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(self.path("c.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("k.pem"), key.serialize_pem()).unwrap();
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path("k.pem"), owner_only).unwrap();
    }

    /// Writes more into `[webhook]` and behind it.
    fn configure_webhook(&self, keys: &str, sections: &str) {
        let text = self.read("ponte.toml");
        let text = text.replace("[webhook]\n", &format!("[webhook]\n{keys}\n"));
        let text = text.replace("[admin]\n", &format!("{sections}\n[admin]\n"));
        std::fs::write(self.path("ponte.toml"), text).unwrap();
    }
}

const TLS: &str = "[webhook.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"";

#[test]
fn an_alert_reaches_a_webhook_with_tls_and_no_other() {
    let mut home = Home::installed();
    home.configure_webhook("", TLS);
    home.write_pair();
    home.start();
    let sent = home.run(&["send", "--example", "bracket"]).ok();
    assert!(sent.starts_with("A1 accepted"), "{sent}");
    // What answers there is not what the configuration's files say.
    home.write_pair();
    let failed = home
        .run(&["send", "--example", "bracket", "--json"])
        .complaint(3);
    assert!(failed.contains("no TLS with"), "{failed}");
    assert!(failed.contains("ponte certificate"), "{failed}");
    let url = format!("https://127.0.0.1:{}/webhook", home.webhook);
    let failed = home
        .run(&["send", "--example", "bracket", "--url", &url])
        .complaint(3);
    assert!(failed.contains("no TLS with"), "{failed}");
    home.stop();
    home.write_pair();
    let failed = home.run(&["send", "--example", "bracket"]).complaint(3);
    assert!(failed.contains("nothing listens at https://"), "{failed}");
    std::fs::remove_file(home.path("c.pem")).unwrap();
    let failed = home.run(&["send", ALERT_WITH_SECRET]).complaint(3);
    assert!(
        failed.contains("the webhook has no certificate"),
        "{failed}"
    );
}

/// Nothing of the configuration's files is asked for its secret.
const ALERT_WITH_SECRET: &str =
    r#"{"secret":"somebody's","action":"buy","symbol":"BTCUSDT","quantity":1}"#;

#[test]
fn a_webhook_that_wants_a_certificate_is_named_as_the_reason() {
    let mut home = Home::installed();
    let policy = "[webhook.client_certificate]\npolicy = \"require\"";
    home.configure_webhook("", &format!("{TLS}\n{policy}"));
    home.write_pair();
    home.start();
    let refused = home.run(&["send", "--example", "bracket"]);
    assert_eq!(refused.status, 1, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stdout.contains("webhook.client_certificate"),
        "{}",
        refused.stdout
    );
    home.stop();
}

#[test]
fn where_only_a_proxy_can_connect_it_says_so() {
    let home = Home::installed();
    let text = home.read("ponte.toml");
    let text = text.replace(
        "trusted_proxies = []",
        "trusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = true",
    );
    std::fs::write(home.path("ponte.toml"), text).unwrap();
    let failed = home.run(&["send", "--example", "bracket"]).complaint(3);
    assert!(
        failed.contains("webhook.proxy_protocol is on") && failed.contains("--url"),
        "{failed}"
    );
}
