//! The webhook with certificate files of its owner's, in the real program: it speaks TLS, and says when
//! they end.

use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::{NAME, PAPER, STEP};
use crate::program::{Ponte, SECRET};

const DAY: Duration = Duration::from_secs(86_400);

/// Writes a pair that began so many days ago and lasts so many more.
fn write_pair(folder: &Path, ago: u32, left: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let since = Duration::from_micros(ponte::clock::now().microseconds().try_into().unwrap());
    let now = date_time_ymd(1970, 1, 1) + since;
    params.not_before = now - DAY * ago;
    params.not_after = now + DAY * left;
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("c.pem"), certificate.pem()).unwrap();
    let path = folder.join("k.pem");
    std::fs::write(&path, key.serialize_pem()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn own_files_serve_and_are_told_before_they_end() {
    let mut ponte = Ponte::install(PAPER);
    let config = ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let section = "[webhook.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n[admin]";
    std::fs::write(&config, text.replace("[admin]", section)).unwrap();
    write_pair(ponte.folder(), 95, 5);
    ponte.start().await;

    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(ponte.folder().join("c.pem")).unwrap();
    roots.add(root).unwrap();
    let port = ponte
        .webhook()
        .rsplit(':')
        .next()
        .unwrap()
        .replace("/webhook", "");
    let address = ([127, 0, 0, 1], port.parse().unwrap()).into();
    let client = ponte::tls::http_client_trusting(roots).resolve(NAME, address);
    let body = format!(r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}}"#);
    let url = format!("https://{NAME}:{port}/webhook");
    let answer = client
        .build()
        .unwrap()
        .post(url)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    // In plain it is not even HTTP.
    assert!(
        crate::program::client()
            .get(ponte.webhook())
            .send()
            .await
            .is_err()
    );

    let name = "ponte_certificate_expires_timestamp_seconds{listener=\"webhook\"}";
    while !ponte.whole_log().contains("the certificate ends very soon") {
        tokio::time::sleep(STEP).await;
    }
    #[allow(clippy::cast_precision_loss)]
    let now = (ponte::clock::now().microseconds() / 1_000_000) as f64;
    let left = ponte.metric(name).await.unwrap() - now;
    assert!((4.9..=5.0).contains(&(left / 86_400.0)), "{left}");
    let log = ponte.whole_log();
    let line = log
        .lines()
        .find(|line| line.contains("ends very soon"))
        .unwrap();
    assert!(
        line.contains("ERROR") && line.contains("renew the files"),
        "{line}"
    );

    let (status, text) = ponte.command(&["certificate", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, report[0]["standing"].as_str()),
        (1, Some("urgent")),
        "{text}"
    );
    assert_eq!(report[0]["source"], "files");
    ponte.stop().await;

    // A pair with most of its life before it is no finding.
    write_pair(ponte.folder(), 1, 89);
    let (status, text) = ponte.command(&["certificate"]);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.contains("your own files") && text.contains("88 d left"),
        "{text}"
    );
}
