//! A real ACME authority on loopback: Pebble, with a DNS of its own, both from Debian's packages.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::Client;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::program::free_port;

const STEP: Duration = Duration::from_millis(50);
const PATIENCE_STEPS: u32 = 1200;

/// An authority, and the ports at which it looks for who answers to a name.
pub(crate) struct Pebble {
    folder: tempfile::TempDir,
    port: u16,
    management: u16,
    dns: u16,
    dns_management: u16,
    validates: Ports,
    lifetime: Duration,
    processes: Vec<Child>,
}

/// Where the authority knocks, in the place of 443 and 80.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) tls: u16,
    pub(crate) http: u16,
}

impl Pebble {
    /// Starts one whose certificates last so long.
    pub(crate) async fn start(validates: Ports, lifetime: Duration) -> Self {
        let mut made = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            management: free_port(),
            dns: free_port(),
            dns_management: free_port(),
            validates,
            lifetime,
            processes: Vec::new(),
        };
        made.make_authority();
        made.run().await;
        made
    }

    /// A root, and a certificate for the directory's own HTTPS: one that vouches for itself is refused.
    fn make_authority(&self) {
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.distinguished_name
            .push(DnType::CommonName, "the test's root");
        let root_key = KeyPair::generate().unwrap();
        let certificate = root.self_signed(&root_key).unwrap();
        std::fs::write(self.root_file(), certificate.pem()).unwrap();
        let issuer = Issuer::new(root, root_key);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(names)
            .unwrap()
            .signed_by(&leaf_key, &issuer)
            .unwrap();
        std::fs::write(self.file("leaf.pem"), leaf.pem()).unwrap();
        std::fs::write(self.file("leaf.key"), leaf_key.serialize_pem()).unwrap();
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.file("leaf.key"), owner_only).unwrap();
    }

    async fn run(&mut self) {
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.port),
            "managementListenAddress": format!("127.0.0.1:{}", self.management),
            "certificate": self.file("leaf.pem"),
            "privateKey": self.file("leaf.key"),
            "httpPort": self.validates.http,
            "tlsPort": self.validates.tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": self.lifetime.as_secs(),
        }});
        std::fs::write(self.file("pebble.json"), config.to_string()).unwrap();
        let dns = Command::new("pebble-challtestsrv")
            .args([
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
                "-defaultIPv6",
                "",
            ])
            .args(["-defaultIPv4", "127.0.0.1"])
            .args(["-dns01", &format!("127.0.0.1:{}", self.dns)])
            .args(["-management", &format!("127.0.0.1:{}", self.dns_management)])
            .stdin(Stdio::null())
            .stdout(self.log("dns.log"))
            .stderr(self.log("dns.log"))
            .spawn()
            .expect("pebble-challtestsrv is there: apt-get install pebble");
        self.processes.push(dns);
        let pebble = Command::new("pebble")
            .arg("-config")
            .arg(self.file("pebble.json"))
            .args(["-dnsserver", &format!("127.0.0.1:{}", self.dns)])
            .env("PEBBLE_VA_NOSLEEP", "1")
            // Good nonces are refused now and then, as the default has it.
            .env("PEBBLE_WFE_NONCEREJECT", "5")
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdin(Stdio::null())
            .stdout(self.log("pebble.log"))
            .stderr(self.log("pebble.log"))
            .spawn()
            .expect("pebble is there: apt-get install pebble");
        self.processes.push(pebble);
        for _ in 0..PATIENCE_STEPS {
            let up = self.client().get(self.directory()).send().await.is_ok();
            let manage = format!("http://127.0.0.1:{}/", self.dns_management);
            if up && self.client().get(manage).send().await.is_ok() {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("pebble did not get ready:\n{}", self.whole_log());
    }

    /// Forgets everything, as an authority does with its accounts at a change of hands.
    pub(crate) async fn begin_anew(&mut self) {
        self.stop();
        self.run().await;
    }

    fn stop(&mut self) {
        for mut process in self.processes.drain(..) {
            // Already gone is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The directory's URL.
    pub(crate) fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.port)
    }

    /// The same directory under another name, which makes it another one for its clients.
    pub(crate) fn other_directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// The root of the directory's own HTTPS.
    pub(crate) fn root_file(&self) -> PathBuf {
        self.file("root.pem")
    }

    /// What vouches for the certificates that it gives.
    pub(crate) async fn issuing_roots(&self) -> RootCertStore {
        let url = format!("https://127.0.0.1:{}/roots/0", self.management);
        let answer = self.client().get(url).send().await.unwrap();
        let pem = answer.text().await.unwrap();
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(root).unwrap();
        roots
    }

    /// Lets a name lead elsewhere.
    pub(crate) async fn lead(&self, name: &str, address: &str) {
        let body = serde_json::json!({"host": format!("{name}."), "addresses": [address]});
        // What is added does not replace what was there.
        for verb in ["clear-a", "add-a"] {
            let url = format!("http://127.0.0.1:{}/{verb}", self.dns_management);
            let answer = crate::program::client().post(url).json(&body).send().await;
            assert!(answer.unwrap().status().is_success());
        }
    }

    /// How often something was said in the log.
    pub(crate) fn said(&self, words: &str) -> usize {
        self.whole_log().matches(words).count()
    }

    pub(crate) fn whole_log(&self) -> String {
        std::fs::read_to_string(self.file("pebble.log")).unwrap_or_default()
    }

    pub(crate) fn client(&self) -> Client {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(self.root_file()).unwrap())
            .unwrap();
        ponte::tls::http_client_trusting(roots).build().unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> File {
        let path: &Path = &self.file(name);
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let log = self.whole_log();
            let lines: Vec<_> = log.lines().rev().take(40).collect();
            for line in lines.into_iter().rev() {
                println!("{line}");
            }
        }
    }
}

pub(crate) fn rustls_client(roots: RootCertStore) -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
