//! The places in which Ponte may stand: what `ponte init --platform` writes is loaded and served, behind the
//! real nginx and the real Caddy too.

mod platforms;
mod proxies;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

use crate::program::free_port;

/// The secret that a platform's variable holds.
const SECRET: &str = "a-secret-for-the-tests-only-4242";
/// Who stands for TradingView's servers. All of 127.0.0.0/8 is this machine.
const TRADINGVIEW: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Somebody else.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// A platform's edge.
const EDGE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// Longest wait for something that must happen.
const PATIENCE_STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);

/// A process that ends with the test.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that was made ready for a platform, and perhaps the Ponte that runs there.
struct Place {
    folder: tempfile::TempDir,
    port: u16,
    admin: u16,
    running: Option<Guarded>,
}

impl Place {
    /// What `ponte init` makes for a platform, with the addresses of a test in the place of the real ones.
    fn of(platform: &str, flags: &[&str]) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            admin: free_port(),
            running: None,
        };
        let (listen, admin) = (
            // Fly's edge calls from another machine, which a loopback address would not hear.
            match platform {
                "fly" => format!("0.0.0.0:{}", place.port),
                _ => format!("127.0.0.1:{}", place.port),
            },
            format!("127.0.0.1:{}", place.admin),
        );
        let mut arguments = vec!["init", "--platform", platform, "--admin-listen", &admin];
        arguments.extend(["--config", "ponte.toml"]);
        arguments.extend(["--data-dir", "data"]);
        if !["render", "railway"].contains(&platform) {
            arguments.extend(["--listen", &listen]);
        }
        arguments.extend(flags);
        let (status, said) = place.command(&arguments);
        assert_eq!(status, 0, "{said}");
        // All of 127.0.0.0/8 is "loopback"; here only the machine's own address is the machine.
        let text = place.text();
        let text = text.replace(
            "\"tradingview\", \"loopback\"]",
            "\"tradingview\", \"127.0.0.1\"]",
        );
        fs::write(place.path("ponte.toml"), text).unwrap();
        place.edit("[\"tradingview\"", &format!("[\"{TRADINGVIEW}\""));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path("ponte.toml")).unwrap()
    }

    /// Writes something else into the configuration, where it stands exactly once.
    fn edit(&self, from: &str, to: &str) {
        let text = self.text();
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        fs::write(self.path("ponte.toml"), text.replace(from, to)).unwrap();
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ponte"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PORT", self.port.to_string())
            .env("PONTE_SECRET", SECRET)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of the program: its status, and all that it printed.
    fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.program(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }

    /// Starts Ponte and waits until it takes alerts.
    async fn start(&mut self) {
        self.start_with(&["run"]).await;
    }

    async fn start_with(&mut self, arguments: &[&str]) {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut command = self.program(arguments);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(Guarded(command.spawn().unwrap()));
        let url = format!("http://127.0.0.1:{}/readyz", self.admin);
        for _ in 0..PATIENCE_STEPS {
            let answer = client(Ipv4Addr::LOCALHOST, None).get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        let log = fs::read_to_string(self.path("log")).unwrap();
        panic!("ponte did not get ready: {log}");
    }

    fn stop(&mut self) {
        self.running = None;
    }

    /// The webhook itself, without a proxy.
    fn webhook(&self) -> String {
        format!("http://127.0.0.1:{}/webhook", self.port)
    }

    /// What the secret is.
    fn secret(&self) -> String {
        fs::read_to_string(self.path("secrets/main"))
            .map_or_else(|_| SECRET.to_owned(), |text| text.trim().to_owned())
    }

    /// An alert with an id of its own.
    fn alert(&self, id: &str) -> String {
        let secret = self.secret();
        format!(
            r#"{{"segredo":"{secret}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"preco":60000,"id":"{id}"}}"#
        )
    }

    /// How many alerts are in the journal.
    fn alerts(&self) -> usize {
        let (status, text) = self.command(&["alerts", "--json"]);
        assert_eq!(status, 0, "{text}");
        let alerts: Value = serde_json::from_str(&text).unwrap();
        alerts.as_array().unwrap().len()
    }
}

/// A client that speaks from this address, and trusts this certificate beside nothing else.
fn client(from: Ipv4Addr, certificate: Option<&Path>) -> Client {
    let mut builder = ponte::tls::http_client();
    if let Some(path) = certificate {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(path).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        builder = Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(config);
    }
    builder
        .redirect(reqwest::redirect::Policy::none())
        .local_address(IpAddr::V4(from))
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// Posts a body with these headers: the status.
async fn post(client: &Client, url: &str, body: String, headers: &[(&str, &str)]) -> u16 {
    let mut request = client.post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}
